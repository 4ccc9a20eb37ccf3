//! What only PostgreSQL needs: the two pools, time limits, and the lock that
//! puts writers in order.
//!
//! Invariants: a write transaction holds the row of the serial from its first
//! statement on, so write transactions of all nodes run one after the other
//! and commit in the order of their serials; nothing waits without a limit,
//! also when the server's machine vanishes without a word.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, Postgres, Transaction};

use crate::error::{Cause, is_lost_connection};
use crate::migrate::{self, migrate};
use crate::sql::SERIAL;
use crate::{Error, Result};

/// One snapshot for all statements of a read transaction.
pub(crate) const BEGIN_READ: &str = "begin isolation level repeatable read read only";
/// Each statement sees what others committed, which with the lock below is
/// everything up to the serial.
pub(crate) const BEGIN_WRITE: &str = "begin isolation level read committed read write";
pub(crate) const SERIAL_FOR_WRITE: &str = "select value from serial for update";

/// How long an answer may take, unless a transaction asks for more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// For a deletion that touches every file of an index.
pub(crate) const LONG_PATIENCE: Duration = Duration::from_secs(610);

/// Seconds less than ours, so that normally the server ends a statement and
/// the connection stays usable. A frozen node loses its transaction, and with
/// it the lock, rather than commit late.
const SESSION: &str = "set statement_timeout = '9s'; set lock_timeout = '8s'; \
     set idle_in_transaction_session_timeout = '10s'";
const LONG_STATEMENTS: &str = "set local statement_timeout = '600s'";

/// A commit that the server keeps in memory only is not acknowledged by us.
const DURABLE: &str = "select set_config('synchronous_commit', 'on', false) \
     where current_setting('synchronous_commit') = 'off'";

/// Writers run one at a time; a second connection waits for the lock already.
const WRITERS: u32 = 2;
const READERS: u32 = 14;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection that was idle for longer is tested before use.
const TEST_AFTER_IDLE: Duration = Duration::from_secs(1);
const MIN_VERSION: i32 = 130_000;

/// The connections.
#[derive(Debug)]
pub(crate) struct Pools {
    pub(crate) writers: PgPool,
    pub(crate) readers: PgPool,
}

/// Connects to the database of this URL and migrates it.
pub(crate) async fn open(url: &str) -> Result<Pools> {
    let options: PgConnectOptions = url.parse().map_err(cannot_open)?;
    let options = options
        .application_name("larder")
        .disable_statement_logging();
    prepare(&options).await?;
    let pool = |connections| {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    Ok(about.idle_for < TEST_AFTER_IDLE || answers(connection).await)
                })
            })
            .after_release(|connection, _| {
                Box::pin(async { Ok(answers(connection).await && !connection.is_in_transaction()) })
            })
            .after_connect(|connection, _| {
                Box::pin(async {
                    connection.execute(SESSION).await?;
                    connection.execute(DURABLE).await.map(drop)
                })
            })
            .connect_lazy_with(options.clone())
    };
    Ok(Pools {
        writers: pool(WRITERS),
        readers: pool(READERS),
    })
}

/// Checks and migrates on a connection without time limits on statements.
async fn prepare(options: &PgConnectOptions) -> Result<()> {
    let mut connection = in_time(ACQUIRE_TIMEOUT, options.connect())
        .await
        .map_err(|error| {
            if is_lost_connection(&error) {
                error.into()
            } else {
                cannot_open(error)
            }
        })?;
    let (version, encoding): (i32, String) = sqlx::query_as(
        "select current_setting('server_version_num')::int, current_setting('server_encoding')",
    )
    .fetch_one(&mut connection)
    .await?;
    if version < MIN_VERSION {
        let major = version / 10_000;
        let reason = format!("the server is PostgreSQL {major}, but Larder needs 13 or newer");
        return Err(Error::Unsuitable(reason));
    }
    if encoding != "UTF8" {
        let reason = format!("the database is encoded in {encoding}: create it with encoding UTF8");
        return Err(Error::Unsuitable(reason));
    }
    migrate(&mut connection, migrate::POSTGRES).await?;
    Ok(connection.close().await?)
}

/// Begins a transaction. After a restart of the server every pooled connection
/// is stale; each is found out by its `begin` and replaced.
pub(crate) async fn begin(
    pool: &PgPool,
    statement: &'static str,
) -> sqlx::Result<Transaction<'static, Postgres>> {
    retrying(pool, || pool.begin_with(statement)).await
}

/// The serial by one statement, without a transaction.
pub(crate) async fn current_serial(pool: &PgPool) -> sqlx::Result<i64> {
    retrying(pool, || sqlx::query_scalar(SERIAL).fetch_one(pool)).await
}

/// Repeats what has no effect until it meets a live connection; not when
/// none can be made, which the pool has tried long enough.
async fn retrying<T, Trying>(pool: &PgPool, attempt: impl Fn() -> Trying) -> sqlx::Result<T>
where
    Trying: Future<Output = sqlx::Result<T>>,
{
    let mut attempts = pool.options().get_max_connections();
    loop {
        match in_time(PATIENCE, attempt()).await {
            Err(error) if attempts > 0 && is_lost_connection(&error) && !is_timeout(&error) => {
                attempts -= 1;
            }
            outcome => return outcome,
        }
    }
}

/// Lets the statements of this transaction take minutes.
pub(crate) async fn allow_long(
    transaction: &mut Transaction<'static, Postgres>,
) -> sqlx::Result<()> {
    in_time(PATIENCE, (&mut **transaction).execute(LONG_STATEMENTS))
        .await
        .map(drop)
}

/// Waits for an answer, but not for ever: a machine that vanished sends no error.
pub(crate) async fn in_time<T>(
    patience: Duration,
    asking: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    let answer = tokio::time::timeout(patience, asking).await;
    answer.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

fn is_timeout(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut)
}

async fn answers(connection: &mut PgConnection) -> bool {
    in_time(PING_TIMEOUT, connection.ping()).await.is_ok()
}

fn cannot_open(error: sqlx::Error) -> Error {
    Error::Open(Cause::new(error))
}
