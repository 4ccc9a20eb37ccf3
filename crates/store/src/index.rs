//! Indexes: their names and configurations, as JSON that the model reads.
//!
//! Invariant: no index without its user, and no id used twice.

use std::fmt;

use larder_model::{IndexName, Timestamp, UserName};
use serde_json::{Map, Value};

use crate::changelog::log_config;
use crate::{Error, Result, Tx};

/// An index.
#[derive(Clone, PartialEq)]
pub struct IndexRow {
    /// Never used twice.
    pub id: i64,
    /// `user/index`.
    pub name: IndexName,
    /// As `IndexConfig::to_stored` writes it; may hold credentials.
    pub config: Map<String, Value>,
    /// Whether the upstream may lie on a private address.
    pub private_upstream: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// An index to be made.
#[derive(Clone, PartialEq)]
pub struct NewIndex {
    /// `user/index`; the user must exist.
    pub name: IndexName,
    /// As `IndexConfig::to_stored` writes it; may hold credentials.
    pub config: Map<String, Value>,
    /// Whether the upstream may lie on a private address.
    pub private_upstream: bool,
}

#[derive(sqlx::FromRow)]
struct StoredIndex {
    id: i64,
    user_name: String,
    name: String,
    config: String,
    private_upstream: bool,
    created: i64,
}

impl Tx {
    /// All indexes, by user and name. One that cannot be read is left out with
    /// a log line: it must not stop the others.
    pub async fn indexes(&mut self) -> Result<Vec<IndexRow>> {
        let rows = sql!(
            self,
            fetch_all as StoredIndex,
            "select i.id, u.name as user_name, i.name, i.config, i.private_upstream, i.created \
             from indexes i join users u on u.id = i.user_id order by u.name, i.name",
        )?;
        let readable = rows.into_iter().filter_map(|row| {
            IndexRow::try_from(row)
                .inspect_err(|error| tracing::error!(%error, "an index is left out"))
                .ok()
        });
        Ok(readable.collect())
    }

    /// An index by name.
    pub async fn find_index(&mut self, name: &IndexName) -> Result<Option<IndexRow>> {
        let row = sql!(
            self,
            fetch_optional as StoredIndex,
            "select i.id, u.name as user_name, i.name, i.config, i.private_upstream, i.created \
             from indexes i join users u on u.id = i.user_id where u.name = $1 and i.name = $2",
            name.user().as_str(),
            name.index(),
        )?;
        row.map(TryInto::try_into).transpose()
    }

    /// Makes an index. [`Error::Conflict`] (`indexes_user_id_name_key`) if
    /// the name is taken, [`Error::Missing`] without its user.
    pub async fn insert_index(
        &mut self,
        new: NewIndex,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<IndexRow> {
        let NewIndex {
            name,
            config,
            private_upstream,
        } = new;
        let user = sql!(
            self,
            fetch_optional as (i64,),
            "select id from users where name = $1",
            name.user().as_str(),
        )?;
        let (user_id,) = user.ok_or(Error::Missing { what: "user" })?;
        let row = sql!(
            self,
            fetch_optional as (i64,),
            "insert into indexes (user_id, name, config, private_upstream, created) \
             values ($1, $2, $3, $4, $5) on conflict (user_id, name) do nothing returning id",
            user_id,
            name.index(),
            Value::Object(config.clone()).to_string(),
            private_upstream,
            at.as_micros(),
        )?;
        let (id,) = row.ok_or(Error::Conflict {
            what: "indexes_user_id_name_key",
        })?;
        log_config(self, (at, who), "index created", "index", &name).await?;
        Ok(IndexRow {
            id,
            name,
            config,
            private_upstream,
            created: at,
        })
    }

    /// Replaces an index's configuration. [`Error::Missing`] if it is gone.
    pub async fn update_index(
        &mut self,
        id: i64,
        config: &Map<String, Value>,
        private_upstream: bool,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<()> {
        let name = self.index_name(id).await?;
        sql!(
            self,
            execute,
            "update indexes set config = $2, private_upstream = $3 where id = $1",
            id,
            serde_json::to_string(config)
                .map_err(|_| Error::inconsistent("indexes", "config", id))?,
            private_upstream,
        )?;
        log_config(self, (at, who), "index changed", "index", &name).await
    }

    /// Deletes an index with its projects; their files leave tombstones.
    /// [`Error::Missing`] if it is gone already.
    pub async fn delete_index(
        &mut self,
        id: i64,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<()> {
        let name = self.index_name(id).await?;
        self.allow_long().await?;
        self.bury_files_of_index(id, at).await?;
        sql!(self, execute, "delete from indexes where id = $1", id)?;
        log_config(self, (at, who), "index deleted", "index", &name).await
    }

    /// The name of an index that is to be changed.
    pub(crate) async fn index_name(&mut self, id: i64) -> Result<IndexName> {
        let row = sql!(
            self,
            fetch_optional as (String, String),
            "select u.name, i.name from indexes i join users u on u.id = i.user_id where i.id = $1",
            id,
        )?;
        let (user, index) = row.ok_or(Error::Missing { what: "index" })?;
        IndexName::from_parts(&user, &index).map_err(|_| Error::inconsistent("indexes", "name", id))
    }
}

impl TryFrom<StoredIndex> for IndexRow {
    type Error = Error;

    fn try_from(row: StoredIndex) -> Result<Self> {
        let unreadable = |column| Error::inconsistent("indexes", column, row.id);
        Ok(Self {
            id: row.id,
            name: IndexName::from_parts(&row.user_name, &row.name)
                .map_err(|_| unreadable("name"))?,
            config: serde_json::from_str(&row.config).map_err(|_| unreadable("config"))?,
            private_upstream: row.private_upstream,
            created: Timestamp::from_micros(row.created),
        })
    }
}

// An upstream's credentials stay out of logs.
impl fmt::Debug for IndexRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexRow")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("private_upstream", &self.private_upstream)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewIndex")
            .field("name", &self.name)
            .field("private_upstream", &self.private_upstream)
            .finish_non_exhaustive()
    }
}
