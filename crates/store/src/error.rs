//! How a database can disappoint.
//!
//! Invariant: no variant shows a statement, a value or a URL, so any of them
//! may be logged; none may be shown to clients.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// Why the database did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be reached, is busy beyond patience, or refuses writes for
    /// now. Nothing is known to be stored; asking again later may help.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Cause),
    /// Its disk is full. Nothing was stored.
    #[error("the disk of the database is full")]
    Full(#[source] Cause),
    /// The system could not flush to disk (`fsync`). What was written since
    /// the last commit is unknown, so the process has to stop; every later
    /// write of this [`crate::Store`] is refused with the same error.
    #[error("the database could not be flushed to disk")]
    Flush(#[source] Cause),
    /// The file is no database, or its pages contradict each other.
    #[error("the database file is damaged: restore it from a backup")]
    Damaged(#[source] Cause),
    /// The file or address cannot be opened.
    #[error("the database cannot be opened")]
    Open(#[source] Cause),
    /// A library or server that cannot be trusted with the data; the sentence says why.
    #[error("{0}")]
    Unsuitable(String),
    /// A migration failed, or one that ran already has changed since.
    #[error("the database schema could not be brought up to date")]
    Migration(#[source] Cause),
    /// A newer Larder has been here.
    #[error(
        "the database has schema version {found}, made by a newer Larder; this one knows \
         versions up to {known}: start the newer Larder, or restore a backup from before the upgrade"
    )]
    TooNew {
        /// The newest version found.
        found: i64,
        /// The newest version this binary has.
        known: i64,
    },
    /// A row with this key is there already; `what` names the unique index.
    #[error("a row that is to be unique exists already ({what})")]
    Conflict {
        /// Name of the unique index, the same on both engines.
        what: &'static str,
    },
    /// What is to be changed, or what the new row belongs to, is not there (any more).
    #[error("the {what} does not exist")]
    Missing {
        /// `user`, `index`, `project`, `release` or `file`.
        what: &'static str,
    },
    /// A stored value cannot be read back.
    #[error("{table}.{column} of row {id} cannot be read")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's primary key.
        id: i64,
    },
    /// An earlier statement of the transaction failed, so it can only be dropped.
    #[error("an earlier statement of this transaction failed")]
    Aborted,
    /// Anything else.
    #[error("a statement failed")]
    Database(#[source] Cause),
}

/// What lies below an [`Error`]: readable in a log, not to be matched on.
#[derive(Clone)]
pub struct Cause(Arc<dyn StdError + Send + Sync>);

/// Which [`Error`] a failure of the driver is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Unavailable,
    Full,
    Flush,
    Damaged,
    Other,
}

impl Error {
    /// Whether asking again later may help.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether the database's disk is full.
    pub fn is_no_space(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the process has to stop, since the disk lost a write.
    pub fn is_flush(&self) -> bool {
        matches!(self, Self::Flush(_))
    }

    /// Whether the row was there already.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Whether something to be changed was not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    pub(crate) fn inconsistent(table: &'static str, column: &'static str, id: i64) -> Self {
        Self::Inconsistent { table, column, id }
    }
}

impl Cause {
    pub(crate) fn new(cause: impl StdError + Send + Sync + 'static) -> Self {
        Self(Arc::new(cause))
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Cause {
    // The driver's Display includes its source already.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        None
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let class = class_of(&error);
        let cause = Cause::new(error);
        match class {
            Class::Unavailable => Self::Unavailable(cause),
            Class::Full => Self::Full(cause),
            Class::Flush => Self::Flush(cause),
            Class::Damaged => Self::Damaged(cause),
            Class::Other => Self::Database(cause),
        }
    }
}

/// Whether the connection is gone, so that the same on another one may succeed.
pub(crate) fn is_lost_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            let postgres = error.try_downcast_ref::<PgDatabaseError>();
            postgres.is_some_and(|e| e.code().starts_with("57P0") || e.code().starts_with("08"))
        }
        _ => false,
    }
}

fn class_of(error: &sqlx::Error) -> Class {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Class::Unavailable,
        sqlx::Error::Database(error) => {
            if error.try_downcast_ref::<SqliteError>().is_some() {
                let code = error.code().and_then(|code| code.parse().ok());
                code.map_or(Class::Other, sqlite_class)
            } else {
                let postgres = error.try_downcast_ref::<PgDatabaseError>();
                postgres.map_or(Class::Other, |error| postgres_class(error.code()))
            }
        }
        _ => Class::Other,
    }
}

/// By SQLite's extended result code (sqlite.org/rescode.html): the low byte is the primary one.
fn sqlite_class(code: i32) -> Class {
    const IOERR_FSYNC: i32 = 0x0a | (4 << 8);
    const IOERR_DIR_FSYNC: i32 = 0x0a | (5 << 8);
    const IOERR_SHMSIZE: i32 = 0x0a | (19 << 8);
    match (code, code & 0xff) {
        (IOERR_FSYNC | IOERR_DIR_FSYNC, _) => Class::Flush,
        // The shared memory of the WAL could not grow.
        (IOERR_SHMSIZE, _) | (_, 13) => Class::Full,
        // Locked by another process: BUSY, LOCKED; a disk that turned READONLY; CANTOPEN.
        (_, 5 | 6 | 8 | 14) => Class::Unavailable,
        // CORRUPT, NOTADB
        (_, 11 | 26) => Class::Damaged,
        _ => Class::Other,
    }
}

/// By SQLSTATE (PostgreSQL manual, appendix A).
fn postgres_class(code: &str) -> Class {
    match code {
        // disk_full
        "53100" => Class::Full,
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => Class::Damaged,
        // A standby or a server set read-only; a lock or statement that took too long; a
        // deadlock; a transaction that was idle too long.
        "25006" | "25P03" | "40001" | "40P01" | "55P03" | "57014" => Class::Unavailable,
        // Connections, resources, shutdown and recovery; a login that no longer works.
        _ if ["08", "53", "57P", "28"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Class::Unavailable
        }
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Error, is_lost_connection, postgres_class, sqlite_class};

    #[test]
    fn a_failed_flush_is_told_from_every_other_failure_of_sqlite() {
        for (code, class) in [
            (1034, Class::Flush),
            (1290, Class::Flush),
            (13, Class::Full),
            (4874, Class::Full),
            (5, Class::Unavailable),
            (261, Class::Unavailable),
            (517, Class::Unavailable),
            (8, Class::Unavailable),
            (1032, Class::Unavailable),
            (14, Class::Unavailable),
            (11, Class::Damaged),
            (267, Class::Damaged),
            (26, Class::Damaged),
            // IOERR_READ and IOERR_WRITE: the disk says no, but it was asked.
            (266, Class::Other),
            (778, Class::Other),
            (2067, Class::Other),
            (1, Class::Other),
        ] {
            assert_eq!(sqlite_class(code), class, "{code}");
        }
    }

    #[test]
    fn what_passes_by_itself_is_told_from_faults_of_ours_on_postgres() {
        for (code, class) in [
            ("53100", Class::Full),
            ("53300", Class::Unavailable),
            ("57P01", Class::Unavailable),
            ("57P03", Class::Unavailable),
            ("57014", Class::Unavailable),
            ("08006", Class::Unavailable),
            ("25006", Class::Unavailable),
            ("25P03", Class::Unavailable),
            ("40P01", Class::Unavailable),
            ("55P03", Class::Unavailable),
            ("28P01", Class::Unavailable),
            ("XX001", Class::Damaged),
            ("23505", Class::Other),
            ("42601", Class::Other),
            ("25P02", Class::Other),
        ] {
            assert_eq!(postgres_class(code), class, "{code}");
        }
    }

    #[test]
    fn a_lost_connection_is_unavailable_and_shows_no_detail() {
        let lost = || sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(is_lost_connection(&lost()));
        assert!(!is_lost_connection(&sqlx::Error::PoolTimedOut));
        let error = Error::from(lost());
        assert!(error.is_unavailable() && !error.is_flush() && !error.is_no_space());
        assert_eq!(error.to_string(), "the database cannot be reached");
        assert!(std::error::Error::source(&error).is_some());
    }
}
