//! The log of every change: what caches are told, and what auditors read.
//!
//! Invariant: every change of metadata leaves its row in the transaction that
//! makes it (L35). Details hold names, never secrets.

use larder_model::{IndexName, Timestamp, UserName};
use larder_pypi::ProjectName;
use serde_json::{Map, Value};

use crate::{Error, Result, Tx};

/// Position of a change: raised by one by each transaction that changes
/// something. 0 is the empty database.
pub type Serial = u64;

/// What a change makes outdated.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Users or indexes; also everything in indexes that went with them.
    Config,
    /// One project in one index.
    Project {
        /// The index.
        index: IndexName,
        /// The project.
        project: ProjectName,
    },
}

/// A change to be logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// By whom; `None` for anonymous callers and for the server itself.
    pub who: Option<UserName>,
    /// What it touches.
    pub scope: Scope,
    /// What happened, in words: `file added`.
    pub what: &'static str,
    /// Names that say to what exactly.
    pub detail: Map<String, Value>,
}

/// A change as it was logged.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// Position; changes of one transaction share it.
    pub serial: Serial,
    /// When.
    pub at: Timestamp,
    /// By whom; `None` for anonymous callers and for the server itself.
    pub who: Option<UserName>,
    /// What it touched.
    pub scope: Scope,
    /// What happened.
    pub what: String,
    /// To what exactly.
    pub detail: Map<String, Value>,
}

const CONFIG: &str = "config";
const PROJECT: &str = "project";

#[derive(sqlx::FromRow)]
struct ScopeRow {
    serial: i64,
    scope: String,
    index_name: Option<String>,
    project: Option<String>,
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    id: i64,
    #[sqlx(flatten)]
    scope: ScopeRow,
    changed_at: i64,
    who: Option<String>,
    what: String,
    detail: String,
}

impl Tx {
    /// Logs a change under this transaction's serial, which the first one
    /// raises. The mutating functions of this crate do so themselves; this is
    /// for what happens outside the database and shall be on record.
    pub async fn log(&mut self, change: Change) -> Result<Serial> {
        let serial = self.raise_serial().await?;
        let number =
            i64::try_from(serial).map_err(|_| Error::inconsistent("serial", "value", 1))?;
        let (scope, index, project) = match &change.scope {
            Scope::Config => (CONFIG, None, None),
            Scope::Project { index, project } => {
                (PROJECT, Some(index.to_string()), Some(project.as_str()))
            }
        };
        let who = change.who.as_ref().map(UserName::as_str);
        sql!(
            self,
            execute,
            "insert into changelog (serial, changed_at, who, scope, index_name, project, what, detail) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            number,
            change.at.as_micros(),
            who,
            scope,
            index,
            project,
            change.what,
            Value::Object(change.detail).to_string(),
        )?;
        Ok(serial)
    }

    /// What changed after this serial, in order, each once per serial.
    pub async fn changes_since(&mut self, serial: Serial) -> Result<Vec<(Serial, Scope)>> {
        let rows = sql!(
            self,
            fetch_all as ScopeRow,
            "select distinct serial, scope, index_name, project from changelog where serial > $1 \
             order by serial, scope, index_name, project",
            i64::try_from(serial).unwrap_or(i64::MAX),
        )?;
        rows.into_iter()
            .map(|row| Ok((to_serial(row.serial)?, row.try_into()?)))
            .collect()
    }

    /// When something was changed last; `None` if nothing ever was.
    pub async fn last_change(&mut self) -> Result<Option<Timestamp>> {
        let row = sql!(
            self,
            fetch_optional as (i64,),
            "select changed_at from changelog order by id desc limit 1",
        )?;
        Ok(row.map(|(at,)| Timestamp::from_micros(at)))
    }

    /// The log after this serial, oldest first: whole transactions, as many as
    /// begin within the first `limit` rows.
    pub async fn audit_log(&mut self, after: Serial, limit: u32) -> Result<Vec<LogEntry>> {
        let rows = sql!(
            self,
            fetch_all as EntryRow,
            "select id, serial, scope, index_name, project, changed_at, who, what, detail \
             from changelog where serial > $1 and serial <= coalesce( \
                 (select max(serial) from (select serial from changelog where serial > $1 \
                  order by id limit $2) as first_rows), 0) \
             order by id",
            i64::try_from(after).unwrap_or(i64::MAX),
            i64::from(limit),
        )?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

/// Logs a change of users or indexes.
pub(crate) async fn log_config(
    tx: &mut Tx,
    (at, who): (Timestamp, Option<&UserName>),
    what: &'static str,
    key: &'static str,
    name: &impl ToString,
) -> Result<()> {
    let detail = Map::from_iter([(key.to_owned(), Value::String(name.to_string()))]);
    tx.log(Change {
        at,
        who: who.cloned(),
        scope: Scope::Config,
        what,
        detail,
    })
    .await?;
    Ok(())
}

/// A serial as the database holds it.
pub(crate) fn to_serial(stored: i64) -> Result<Serial> {
    Serial::try_from(stored).map_err(|_| Error::inconsistent("serial", "value", 1))
}

impl TryFrom<ScopeRow> for Scope {
    type Error = Error;

    fn try_from(row: ScopeRow) -> Result<Self> {
        let unreadable = |column| Error::inconsistent("changelog", column, row.serial);
        match (row.scope.as_str(), row.index_name, row.project) {
            (CONFIG, _, _) => Ok(Self::Config),
            (PROJECT, Some(index), Some(project)) => Ok(Self::Project {
                index: index.parse().map_err(|_| unreadable("index_name"))?,
                project: project.parse().map_err(|_| unreadable("project"))?,
            }),
            _ => Err(unreadable("scope")),
        }
    }
}

impl TryFrom<EntryRow> for LogEntry {
    type Error = Error;

    fn try_from(row: EntryRow) -> Result<Self> {
        let unreadable = |column| Error::inconsistent("changelog", column, row.id);
        Ok(Self {
            serial: to_serial(row.scope.serial)?,
            at: Timestamp::from_micros(row.changed_at),
            who: row
                .who
                .map(|who| who.parse())
                .transpose()
                .map_err(|_| unreadable("who"))?,
            scope: row.scope.try_into()?,
            what: row.what,
            detail: serde_json::from_str(&row.detail).map_err(|_| unreadable("detail"))?,
        })
    }
}
