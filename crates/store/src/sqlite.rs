//! What only SQLite needs: the file, the two pools, the version check.
//!
//! Invariants: exactly one connection writes, and writers queue for it in
//! order, so nobody sees `SQLITE_BUSY` from this process; a commit is flushed
//! to disk before it is acknowledged.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::error::Cause;
use crate::migrate::{self, migrate};
use crate::{Error, Result};

pub(crate) const BEGIN_READ: &str = "begin";
pub(crate) const BEGIN_WRITE: &str = "begin immediate";

/// WAL resets could corrupt the file before (sqlite.org, fixed in 3.51.3).
const MIN_VERSION: (u32, u32, u32) = (3, 51, 3);

/// How long a caller waits for a connection before it is told to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Against other processes only, such as a backup that is reading.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A WAL that grew beyond this is cut when it is reused.
const WAL_LIMIT_BYTES: &str = "67108864";

/// The connections.
#[derive(Debug)]
pub(crate) struct Pools {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
}

/// Opens the file, creating and migrating it as needed.
pub(crate) async fn open(path: &Path) -> Result<Pools> {
    // Absolute, since SQLite would take a name like `file:x` for a URI.
    let path = std::path::absolute(path).map_err(cannot_open)?;
    create_private(&path).map_err(cannot_open)?;
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // No file outside the database's folder is ever needed.
        .pragma("temp_store", "memory")
        .pragma("trusted_schema", "off")
        .disable_statement_logging();
    let writing = options
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("journal_size_limit", WAL_LIMIT_BYTES);
    prepare(&writing).await?;
    let readers = std::thread::available_parallelism()
        .map_or(4, usize::from)
        .clamp(2, 8)
        * 2;
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_release(|connection, _| Box::pin(is_reusable(connection)))
    };
    let pools = Pools {
        writer: pool()
            .max_connections(1)
            .min_connections(1)
            .connect_with(writing)
            .await
            .map_err(told_or_open)?,
        readers: pool()
            .max_connections(u32::try_from(readers).unwrap_or(4))
            .connect_with(options.pragma("query_only", "on"))
            .await
            .map_err(told_or_open)?,
    };
    sync_names(&path)?;
    Ok(pools)
}

/// Migrates on a connection of its own, closed before the pools open: a pooled
/// connection that has seen the old schema may go on using it.
async fn prepare(options: &SqliteConnectOptions) -> Result<()> {
    let mut connection = options.connect().await.map_err(told_or_open)?;
    let (version,): (String,) = sqlx::query_as("select sqlite_version()")
        .fetch_one(&mut connection)
        .await?;
    if !is_recent(&version) {
        return Err(Error::Unsuitable(format!(
            "the SQLite library is version {version}, which can corrupt a database in WAL mode: \
             use 3.51.3 or newer"
        )));
    }
    migrate(&mut connection, migrate::SQLITE).await?;
    Ok(connection.close().await?)
}

/// SQLite gives its other files the permissions of this one.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Makes the names of the database and its WAL durable. SQLite does so for the
/// WAL at its first write, but goes on when that fails; the WAL is there once
/// the writer is connected, and stays while any connection is open.
fn sync_names(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let folder = File::open(folder).map_err(cannot_open)?;
    folder
        .sync_all()
        .map_err(|error| Error::Flush(Cause::new(error)))
}

/// SQLite rolls back by itself on some errors; the driver then still counts
/// the transaction as open, and the connection could begin no other.
async fn is_reusable(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    // Waits until the rollback that dropping a transaction queued has run.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

fn is_recent(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (
        parts.next().flatten(),
        parts.next().flatten(),
        parts.next().flatten(),
    ) {
        (Some(major), Some(minor), Some(patch)) => (major, minor, patch) >= MIN_VERSION,
        _ => false,
    }
}

fn cannot_open(error: io::Error) -> Error {
    Error::Open(Cause::new(error))
}

fn told_or_open(error: sqlx::Error) -> Error {
    match Error::from(error) {
        Error::Database(cause) | Error::Unavailable(cause) => Error::Open(cause),
        told => told,
    }
}

#[cfg(test)]
mod tests {
    use super::is_recent;

    #[test]
    fn libraries_with_the_wal_reset_bug_are_refused() {
        for old in [
            "3.51.2", "3.50.99", "3.7.0", "2.99.99", "", "3", "3.51", "x.y.z",
        ] {
            assert!(!is_recent(old), "{old}");
        }
        for recent in ["3.51.3", "3.51.10", "3.52.0", "4.0.0"] {
            assert!(is_recent(recent), "{recent}");
        }
    }
}
