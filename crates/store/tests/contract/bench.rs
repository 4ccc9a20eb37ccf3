//! A fresh database for each test.
//!
//! SQLite: a file in a temporary folder. PostgreSQL: a database of its own on
//! the server that `LARDER_TEST_PG` names (a URL whose user may create
//! databases), cloned from a template that the first test of a schema makes.
//! Without the variable the PostgreSQL tests are skipped, and say so; with
//! `CI=true` they fail instead.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt;
use larder_store::Store;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};

/// A store and the database behind it.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) database: Database,
}

/// Where a database is.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(url::Url),
}

/// Makes a test for each engine out of each function.
macro_rules! contract {
    ($(async fn $name:ident($bench:ident: Bench) $body:block)*) => {
        $(async fn $name($bench: $crate::bench::Bench) $body)*

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::bench::on_sqlite(super::$name).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::bench::on_postgres(super::$name).await;
            })*
        }
    };
}

impl Bench {
    /// Another node on the same database; on SQLite, which has one node, the same store.
    pub(crate) async fn second_node(&self) -> Store {
        match &self.database {
            Database::Sqlite(_) => self.store.clone(),
            Database::Postgres(url) => Store::open_postgres(url.as_str()).await.unwrap(),
        }
    }
}

impl Database {
    /// Opens the database.
    pub(crate) async fn open(&self) -> larder_store::Result<Store> {
        match self {
            Self::Sqlite(path) => Store::open_sqlite(path).await,
            Self::Postgres(url) => Store::open_postgres(url.as_str()).await,
        }
    }

    /// Runs a statement past the store.
    pub(crate) async fn execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement);
        match self {
            Self::Sqlite(path) => {
                let mut connection = sqlite_connection(path).await;
                connection.execute(statement).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
                connection.execute(statement).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// Reads a number past the store.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        let query = AssertSqlSafe(query);
        match self {
            Self::Sqlite(path) => {
                let mut connection = sqlite_connection(path).await;
                let number = sqlx::query_scalar(query)
                    .fetch_one(&mut connection)
                    .await
                    .unwrap();
                connection.close().await.unwrap();
                number
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
                let number = sqlx::query_scalar(query)
                    .fetch_one(&mut connection)
                    .await
                    .unwrap();
                connection.close().await.unwrap();
                number
            }
        }
    }
}

pub(crate) async fn sqlite_connection(path: &Path) -> sqlx::SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    options
        .busy_timeout(std::time::Duration::from_secs(10))
        .connect()
        .await
        .unwrap()
}

pub(crate) async fn on_sqlite<Running>(test: impl FnOnce(Bench) -> Running)
where
    Running: Future<Output = ()>,
{
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(folder.path().join("larder.sqlite"));
    let store = database.open().await.unwrap();
    test(Bench { store, database }).await;
}

pub(crate) async fn on_postgres<Running>(test: impl FnOnce(Bench) -> Running)
where
    Running: Future<Output = ()>,
{
    let Some(server) = postgres_server() else {
        return;
    };
    let template = template(&server).await;
    let name = unique_name("test");
    admin(
        &server,
        &format!("create database {name} template {template}"),
    )
    .await;
    let database = Database::Postgres(in_database(&server, &name));
    let outcome = AssertUnwindSafe(async {
        let store = database.open().await.unwrap();
        test(Bench {
            store,
            database: database.clone(),
        })
        .await;
    });
    let outcome = outcome.catch_unwind().await;
    admin(&server, &format!("drop database {name} with (force)")).await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
}

/// The server for tests, unless they are to be skipped.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
pub(crate) fn postgres_server() -> Option<url::Url> {
    if let Ok(url) = std::env::var("LARDER_TEST_PG") {
        return Some(url.parse().expect("LARDER_TEST_PG is a URL"));
    }
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(
        !in_ci,
        "LARDER_TEST_PG is not set: CI has to test PostgreSQL"
    );
    println!("skipped: LARDER_TEST_PG is not set");
    None
}

/// An empty database for a test of opening.
pub(crate) async fn empty_postgres(server: &url::Url) -> url::Url {
    let name = unique_name("empty");
    admin(
        server,
        &format!("create database {name} template template0 encoding 'UTF8'"),
    )
    .await;
    in_database(server, &name)
}

pub(crate) async fn drop_postgres(server: &url::Url, database: &url::Url) {
    let name = database.path().trim_start_matches('/');
    admin(server, &format!("drop database {name} with (force)")).await;
}

pub(crate) fn in_database(server: &url::Url, name: &str) -> url::Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

pub(crate) fn unique_name(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("larder_{what}_{}_{count}", std::process::id())
}

pub(crate) async fn admin(server: &url::Url, statement: &str) {
    let mut connection = PgConnection::connect(server.as_str()).await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}

/// The name of a migrated database without connections. Made once per schema,
/// by whichever process comes first, and kept for the next run.
async fn template(server: &url::Url) -> String {
    let mut hasher = DefaultHasher::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut steps: Vec<PathBuf> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    steps.sort();
    for step in steps {
        std::fs::read(step).unwrap().hash(&mut hasher);
    }
    let name = format!("larder_template_{:016x}", hasher.finish());
    let mut connection = PgConnection::connect(server.as_str()).await.unwrap();
    // Held until the connection closes.
    connection
        .execute("select pg_advisory_lock(1279349837)")
        .await
        .unwrap();
    let exists = sqlx::query("select 1 from pg_database where datname = $1").bind(&name);
    if exists
        .fetch_optional(&mut connection)
        .await
        .unwrap()
        .is_none()
    {
        let unfinished = empty_postgres(server).await;
        Store::open_postgres(unfinished.as_str())
            .await
            .unwrap()
            .close()
            .await;
        let unfinished = unfinished.path().trim_start_matches('/').to_owned();
        let rename = format!("alter database {unfinished} rename to {name}");
        connection.execute(AssertSqlSafe(rename)).await.unwrap();
    }
    connection.close().await.unwrap();
    name
}
