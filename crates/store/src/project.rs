//! Projects of an index and the releases of a stage.
//!
//! Invariant: a project is registered once per index, a version once per project.

use larder_model::{IndexName, Timestamp, UserName};
use larder_pypi::ProjectName;
use serde_json::{Map, Value};

use crate::changelog::{Change, Scope};
use crate::sql::id_list;
use crate::{Error, Result, Tx};

/// A release: one version of a project on a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Never used twice.
    pub id: i64,
    /// As uploaded.
    pub version: String,
    /// With devpi's keys (devpi: 1.8).
    pub metadata: Map<String, Value>,
    /// When it was registered.
    pub created: Timestamp,
}

/// A release to be registered, or new metadata for one.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRelease {
    /// The stage.
    pub index_id: i64,
    /// The project, which is registered with it.
    pub project: ProjectName,
    /// As uploaded.
    pub version: String,
    /// With devpi's keys (devpi: 1.8).
    pub metadata: Map<String, Value>,
}

#[derive(sqlx::FromRow)]
struct ReleaseRow {
    id: i64,
    version: String,
    metadata: String,
    created: i64,
}

impl Tx {
    /// Which of these indexes have the project, in no order. For a mirror that
    /// means: its page is stored, or one of its files.
    pub async fn has_project(
        &mut self,
        index_ids: &[i64],
        project: &ProjectName,
    ) -> Result<Vec<i64>> {
        let rows = sql!(
            self,
            fetch_all as (i64,),
            "select index_id from projects \
             where name = $2 and index_id in (select value from json_each($1))",
            id_list(index_ids),
            project.as_str(),
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The projects registered in an index, by name.
    pub async fn projects(&mut self, index_id: i64) -> Result<Vec<ProjectName>> {
        let rows = sql!(
            self,
            fetch_all as (i64, String),
            "select id, name from projects where index_id = $1 order by name",
            index_id,
        )?;
        rows.into_iter()
            .map(|(id, name)| read_name(id, &name))
            .collect()
    }

    /// The releases of a project, in the order they were registered.
    pub async fn releases(&mut self, index_id: i64, project: &ProjectName) -> Result<Vec<Release>> {
        let rows = sql!(
            self,
            fetch_all as ReleaseRow,
            "select r.id, r.version, r.metadata, r.created \
             from releases r join projects p on p.id = r.project_id \
             where p.index_id = $1 and p.name = $2 order by r.id",
            index_id,
            project.as_str(),
        )?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// One release, its version spelled as registered.
    pub async fn find_release(
        &mut self,
        index_id: i64,
        project: &ProjectName,
        version: &str,
    ) -> Result<Option<Release>> {
        let row = sql!(
            self,
            fetch_optional as ReleaseRow,
            "select r.id, r.version, r.metadata, r.created \
             from releases r join projects p on p.id = r.project_id \
             where p.index_id = $1 and p.name = $2 and r.version = $3",
            index_id,
            project.as_str(),
            version,
        )?;
        row.map(TryInto::try_into).transpose()
    }

    /// The registered versions of a project in these indexes, with the index
    /// of each, in the order they were registered.
    pub async fn versions(
        &mut self,
        index_ids: &[i64],
        project: &ProjectName,
    ) -> Result<Vec<(i64, String)>> {
        sql!(
            self,
            fetch_all as (i64, String),
            "select p.index_id, r.version from releases r join projects p on p.id = r.project_id \
             where p.name = $2 and p.index_id in (select value from json_each($1)) order by r.id",
            id_list(index_ids),
            project.as_str(),
        )
    }

    /// Registers a release, and its project, or replaces its metadata; what is
    /// equal already is no change and raises no serial. [`Error::Missing`]
    /// without the index.
    pub async fn upsert_release(
        &mut self,
        new: NewRelease,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<Release> {
        let NewRelease {
            index_id,
            project,
            version,
            metadata,
        } = new;
        let index = self.index_name(index_id).await?;
        let project_id = self.ensure_project(index_id, &project, at).await?;
        let changed = sql!(
            self,
            fetch_optional as (i64, i64),
            "insert into releases (project_id, version, metadata, created) values ($1, $2, $3, $4) \
             on conflict (project_id, version) do update set metadata = excluded.metadata \
             where releases.metadata <> excluded.metadata returning id, created",
            project_id,
            &version,
            Value::Object(metadata.clone()).to_string(),
            at.as_micros(),
        )?;
        let (id, created) = if let Some(row) = changed {
            let detail = Map::from_iter([("version".to_owned(), version.as_str().into())]);
            let scope = Scope::Project { index, project };
            let who = who.cloned();
            self.log(Change {
                at,
                who,
                scope,
                what: "release registered",
                detail,
            })
            .await?;
            row
        } else {
            sql!(
                self,
                fetch_one as (i64, i64),
                "select id, created from releases where project_id = $1 and version = $2",
                project_id,
                &version,
            )?
        };
        Ok(Release {
            id,
            version,
            metadata,
            created: Timestamp::from_micros(created),
        })
    }

    /// Deletes a release with its files, which leave tombstones; on a mirror,
    /// where releases are not registered, the cached files of that version.
    /// The project stays. [`Error::Missing`] if there is neither.
    pub async fn remove_release(
        &mut self,
        index_id: i64,
        project: &ProjectName,
        version: &str,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<()> {
        let index = self.index_name(index_id).await?;
        let missing = Error::Missing { what: "release" };
        let Some(project_id) = self.project_id(index_id, project).await? else {
            return Err(missing);
        };
        self.bury_files_of_release(project_id, version, at).await?;
        let files = sql!(
            self,
            execute,
            "delete from files where project_id = $1 and version = $2",
            project_id,
            version,
        )?;
        let releases = sql!(
            self,
            execute,
            "delete from releases where project_id = $1 and version = $2",
            project_id,
            version,
        )?;
        if files + releases == 0 {
            return Err(missing);
        }
        let detail = Map::from_iter([("version".to_owned(), version.into())]);
        let scope = Scope::Project {
            index,
            project: project.clone(),
        };
        self.log(Change {
            at,
            who: who.cloned(),
            scope,
            what: "release removed",
            detail,
        })
        .await?;
        Ok(())
    }

    /// Deletes a project with its releases and files, which leave tombstones;
    /// on a mirror also its page. [`Error::Missing`] if it is not there.
    pub async fn remove_project(
        &mut self,
        index_id: i64,
        project: &ProjectName,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<()> {
        let index = self.index_name(index_id).await?;
        let id = self
            .project_id(index_id, project)
            .await?
            .ok_or(Error::Missing { what: "project" })?;
        self.bury_files_of_project(id, at).await?;
        sql!(self, execute, "delete from projects where id = $1", id)?;
        let scope = Scope::Project {
            index,
            project: project.clone(),
        };
        let (who, detail) = (who.cloned(), Map::new());
        self.log(Change {
            at,
            who,
            scope,
            what: "project removed",
            detail,
        })
        .await?;
        Ok(())
    }

    pub(crate) async fn project_id(
        &mut self,
        index_id: i64,
        project: &ProjectName,
    ) -> Result<Option<i64>> {
        let row = sql!(
            self,
            fetch_optional as (i64,),
            "select id from projects where index_id = $1 and name = $2",
            index_id,
            project.as_str(),
        )?;
        Ok(row.map(|(id,)| id))
    }

    /// The project's id, registering it first if need be. The caller logs the
    /// change that made it necessary.
    pub(crate) async fn ensure_project(
        &mut self,
        index_id: i64,
        project: &ProjectName,
        at: Timestamp,
    ) -> Result<i64> {
        if let Some(id) = self.project_id(index_id, project).await? {
            return Ok(id);
        }
        let (id,) = sql!(
            self,
            fetch_one as (i64,),
            "insert into projects (index_id, name, created) values ($1, $2, $3) returning id",
            index_id,
            project.as_str(),
            at.as_micros(),
        )?;
        Ok(id)
    }

    /// The scope of a change to a project, found by its id.
    pub(crate) async fn project_scope(&mut self, project_id: i64) -> Result<Scope> {
        let (user, index, project) = sql!(
            self,
            fetch_one as (String, String, String),
            "select u.name, i.name, p.name from projects p join indexes i on i.id = p.index_id \
             join users u on u.id = i.user_id where p.id = $1",
            project_id,
        )?;
        let index = IndexName::from_parts(&user, &index);
        Ok(Scope::Project {
            index: index.map_err(|_| Error::inconsistent("projects", "index_id", project_id))?,
            project: read_name(project_id, &project)?,
        })
    }
}

/// A stored project name.
pub(crate) fn read_name(id: i64, name: &str) -> Result<ProjectName> {
    name.parse()
        .map_err(|_| Error::inconsistent("projects", "name", id))
}

impl TryFrom<ReleaseRow> for Release {
    type Error = Error;

    fn try_from(row: ReleaseRow) -> Result<Self> {
        let metadata = serde_json::from_str(&row.metadata);
        Ok(Self {
            id: row.id,
            version: row.version,
            metadata: metadata.map_err(|_| Error::inconsistent("releases", "metadata", row.id))?,
            created: Timestamp::from_micros(row.created),
        })
    }
}
