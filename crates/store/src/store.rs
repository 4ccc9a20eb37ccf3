//! The open database: where transactions begin.
//!
//! Invariant: [`Store::current_serial`] is never older than the last change
//! acknowledged, by any node, before it was called.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::SetOnce;

use crate::changelog::{Serial, to_serial};
use crate::coalesce::Coalesce;
use crate::error::Cause;
use crate::sql::{Link, SERIAL};
use crate::tx::Tx;
use crate::{Error, Result, postgres, sqlite};

/// The metadata database. Cloning is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
    identity: Arc<Identity>,
}

#[derive(Debug)]
struct Shared {
    engine: Engine,
    /// Why the disk can no longer be trusted.
    flush_failed: SetOnce<Cause>,
}

#[derive(Debug)]
enum Engine {
    /// This process alone writes, so it knows the serial.
    Sqlite {
        pools: sqlite::Pools,
        serial: AtomicU64,
    },
    /// Other nodes write too, so it is asked for.
    Postgres {
        pools: postgres::Pools,
        serial: Coalesce<Result<Serial>>,
    },
}

/// Who an installation is: made once, shared by all its nodes.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// 32 hex digits (devpi: `X-Devpi-Uuid`).
    pub uuid: String,
    /// Key for what the installation signs.
    pub secret: [u8; 32],
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("uuid", &self.uuid)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a database file, which is created (mode 0600) and migrated as
    /// needed. Only one process may have it open; the caller locks the folder.
    pub async fn open_sqlite(path: &Path) -> Result<Self> {
        let pools = sqlite::open(path).await?;
        Self::finish_open(Engine::Sqlite {
            pools,
            serial: AtomicU64::new(0),
        })
        .await
    }

    /// Connects to a PostgreSQL database (`postgres://user:password@host/database`)
    /// and migrates it; nodes that start together take turns.
    pub async fn open_postgres(url: &str) -> Result<Self> {
        let pools = postgres::open(url).await?;
        Self::finish_open(Engine::Postgres {
            pools,
            serial: Coalesce::new(),
        })
        .await
    }

    async fn finish_open(engine: Engine) -> Result<Self> {
        let shared = Arc::new(Shared {
            engine,
            flush_failed: SetOnce::new(),
        });
        let new = new_identity();
        let store = Self {
            shared: Arc::clone(&shared),
            identity: Arc::new(new.clone()),
        };
        let mut tx = store.write().await?;
        let identity = tx.make_identity(&new).await?;
        tx.commit().await?;
        Ok(Self {
            shared,
            identity: Arc::new(identity),
        })
    }

    /// Begins a transaction that sees one snapshot and changes nothing.
    /// Fails with [`Error::Unavailable`] when no connection becomes free in time.
    pub async fn read(&self) -> Result<Tx> {
        let link = match &self.shared.engine {
            Engine::Sqlite { pools, .. } => {
                Link::Sqlite(pools.readers.begin_with(sqlite::BEGIN_READ).await?)
            }
            Engine::Postgres { pools, .. } => {
                let link = postgres::begin(&pools.readers, postgres::BEGIN_READ).await?;
                Link::Postgres(link, postgres::PATIENCE)
            }
        };
        Ok(Tx::reading(self.clone(), link))
    }

    /// Begins a transaction that may change things. It waits until every write
    /// transaction before it, on any node, is over, and keeps the next ones
    /// waiting: what it reads stays true until it commits.
    ///
    /// Waiting has an end ([`Error::Unavailable`]), so a task that begins a
    /// second one while it holds the first fails instead of hanging.
    pub async fn write(&self) -> Result<Tx> {
        if let Some(cause) = self.shared.flush_failed.get() {
            return Err(Error::Flush(cause.clone()));
        }
        let (link, statement) = match &self.shared.engine {
            Engine::Sqlite { pools, .. } => {
                let link = pools.writer.begin_with(sqlite::BEGIN_WRITE).await;
                (
                    Link::Sqlite(link.map_err(|error| self.failed(error))?),
                    SERIAL,
                )
            }
            Engine::Postgres { pools, .. } => {
                let link = postgres::begin(&pools.writers, postgres::BEGIN_WRITE).await?;
                (
                    Link::Postgres(link, postgres::PATIENCE),
                    postgres::SERIAL_FOR_WRITE,
                )
            }
        };
        let mut tx = Tx::reading(self.clone(), link);
        tx.become_writer(statement).await?;
        Ok(tx)
    }

    /// The serial of the last change. On SQLite from memory; on PostgreSQL by
    /// one query for all callers that are waiting, begun after each of them called.
    pub async fn current_serial(&self) -> Result<Serial> {
        match &self.shared.engine {
            Engine::Sqlite { serial, .. } => Ok(serial.load(Ordering::Acquire)),
            Engine::Postgres { pools, serial } => {
                let question =
                    || async { to_serial(postgres::current_serial(&pools.readers).await?) };
                serial.ask(question).await
            }
        }
    }

    /// Who this installation is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Waits for transactions under way and closes all connections; later ones
    /// fail with [`Error::Unavailable`]. On SQLite this folds the WAL into the file.
    pub async fn close(&self) {
        match &self.shared.engine {
            Engine::Sqlite { pools, .. } => {
                // The last connection to close does the folding, and only a writer can.
                pools.readers.close().await;
                pools.writer.close().await;
            }
            Engine::Postgres { pools, .. } => {
                pools.readers.close().await;
                pools.writers.close().await;
            }
        }
    }

    /// Resolves when the database could not be flushed to disk, which is the end:
    /// what is on the disk is unknown, and no further change is accepted.
    pub async fn until_flush_fails(&self) -> Error {
        Error::Flush(self.shared.flush_failed.wait().await.clone())
    }

    /// Learns that this serial is committed.
    pub(crate) fn learn(&self, committed: Serial) {
        if let Engine::Sqlite { serial, .. } = &self.shared.engine {
            serial.fetch_max(committed, Ordering::AcqRel);
        }
    }

    /// Names a failure, and remembers one of the kind that must not be forgotten.
    pub(crate) fn failed(&self, error: sqlx::Error) -> Error {
        let error = Error::from(error);
        if let Error::Flush(cause) = &error {
            tracing::error!(%cause, "the database could not be flushed to disk: no further change is accepted");
            // The first failure stays the reason.
            let _ = self.shared.flush_failed.set(cause.clone());
        }
        error
    }
}

fn new_identity() -> Identity {
    // A version 4 UUID without its dashes.
    let random = rand::random::<u128>() & !(0xf << 76) & !(0x3 << 62) | (4 << 76) | (2 << 62);
    Identity {
        uuid: format!("{random:032x}"),
        secret: rand::random(),
    }
}

#[cfg(test)]
mod tests {
    use larder_model::Timestamp;
    use serde_json::{Map, Value};
    use sqlx::SqlitePool;

    use super::{Engine, Store, new_identity};
    use crate::sql::Link;
    use crate::{NewUser, Result};

    async fn open() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open_sqlite(&folder.path().join("larder.sqlite")).await;
        (folder, store.expect("a store"))
    }

    fn pools(store: &Store) -> [&SqlitePool; 2] {
        match &store.shared.engine {
            Engine::Sqlite { pools, .. } => [&pools.writer, &pools.readers],
            Engine::Postgres { .. } => panic!("not SQLite"),
        }
    }

    async fn insert_user(store: &Store, name: &str, bytes: usize) -> Result<u64> {
        let profile = Map::from_iter([("title".to_owned(), Value::from("x".repeat(bytes)))]);
        let name = name.parse().expect("a user name");
        let new = NewUser {
            name,
            pwhash: None,
            profile,
        };
        let mut tx = store.write().await?;
        tx.insert_user(new, Timestamp::from_micros(0), None).await?;
        tx.commit().await
    }

    async fn pragma(pool: &SqlitePool, text: &'static str) -> String {
        let row = sqlx::raw_sql(text).fetch_one(pool).await.expect("a row");
        let number = sqlx::Row::try_get::<i64, _>(&row, 0).map(|number| number.to_string());
        number.unwrap_or_else(|_| sqlx::Row::get(&row, 0))
    }

    #[tokio::test]
    async fn a_commit_is_flushed_and_references_are_checked() {
        let (_folder, store) = open().await;
        let [writer, readers] = pools(&store);
        for pool in [writer, readers] {
            assert_eq!(pragma(pool, "pragma journal_mode").await, "wal");
            assert_eq!(pragma(pool, "pragma synchronous").await, "2", "FULL");
            assert_eq!(pragma(pool, "pragma foreign_keys").await, "1");
        }
        assert_eq!(pragma(writer, "pragma query_only").await, "0");
        assert_eq!(pragma(readers, "pragma query_only").await, "1");
        assert_eq!(writer.options().get_max_connections(), 1);
    }

    #[tokio::test]
    async fn a_full_disk_is_told_stores_nothing_and_is_got_over() {
        let (_folder, store) = open().await;
        let [writer, _] = pools(&store);
        // SQLite answers as on a full disk.
        let limit = "pragma max_page_count = 60";
        sqlx::raw_sql(limit).execute(writer).await.expect("a limit");
        let error = insert_user(&store, "large", 1 << 20)
            .await
            .expect_err("no room");
        assert!(error.is_no_space(), "{error:?}");
        let free = "pragma max_page_count = 1000000";
        sqlx::raw_sql(free).execute(writer).await.expect("no limit");
        assert_eq!(insert_user(&store, "small", 1).await.expect("room"), 1);
        let users = store
            .read()
            .await
            .expect("a reader")
            .users()
            .await
            .expect("users");
        assert_eq!(users.len(), 1, "nothing of the large one");
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_rolled_back_itself_blocks_no_other() {
        let (_folder, store) = open().await;
        for _ in 0..3 {
            let mut tx = store.write().await.expect("a writer");
            match tx.link().expect("an open transaction") {
                // As SQLite does on some errors: the driver still counts the transaction.
                Link::Sqlite(link) => sqlx::raw_sql("rollback").execute(&mut **link).await,
                Link::Postgres(..) => panic!("not SQLite"),
            }
            .expect("a rollback");
        }
        assert_eq!(insert_user(&store, "alice", 1).await.expect("a turn"), 1);
    }

    #[tokio::test]
    async fn after_a_failed_flush_no_change_is_accepted() {
        let (_folder, store) = open().await;
        let cause = crate::error::Cause::new(std::io::Error::other("fsync"));
        store
            .shared
            .flush_failed
            .set(cause)
            .expect("the first failure");
        let error = insert_user(&store, "alice", 1)
            .await
            .expect_err("a refusal");
        assert!(error.is_flush(), "{error:?}");
        assert!(store.until_flush_fails().await.is_flush());
        assert_eq!(
            store
                .read()
                .await
                .expect("reads go on")
                .users()
                .await
                .expect("users"),
            []
        );
    }

    #[test]
    fn an_identity_is_random_and_its_secret_stays_out_of_logs() {
        let (one, two) = (new_identity(), new_identity());
        assert_ne!(one.uuid, two.uuid);
        assert_ne!(one.secret, two.secret);
        assert_eq!(one.uuid.len(), 32);
        assert_eq!(one.uuid.as_bytes()[12], b'4');
        assert!(b"89ab".contains(&one.uuid.as_bytes()[16]));
        assert!(!format!("{one:?}").contains("secret:"));
    }
}
