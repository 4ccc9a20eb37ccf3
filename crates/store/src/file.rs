//! Files: uploads of stages, cached files of mirrors, documentation, tox results.
//!
//! Invariants: a row names bytes that are durable already; a file name is
//! there once per project of an index; a tox result does not outlive the
//! release file it is about.

use larder_model::{IndexName, Timestamp, UserName};
use larder_pypi::ProjectName;
use serde_json::{Map, Value};

use crate::changelog::{Change, Scope};
use crate::file_row::{Area, FileRole, FileRow, NewFile, StoredFile};
use crate::sql::id_list;
use crate::{Error, Result, Tx};

macro_rules! select_files {
    ($condition:literal) => {
        concat!(
            "select f.id, p.index_id, p.name as project, f.version, f.filename, f.role, f.parent_id, ",
            "f.area, f.dir, f.digest, f.size, f.hashes, f.requires_python, f.yanked, ",
            "f.metadata_digest, f.uploaded, f.last_modified, f.url, f.log ",
            "from files f join projects p on p.id = f.project_id where ",
            $condition,
        )
    };
}

/// The condition says what to do if the project has a file of that name.
macro_rules! insert_file {
    ($conflict:literal) => {
        concat!(
            "insert into files (project_id, parent_id, version, filename, role, area, dir, digest, ",
            "size, hashes, requires_python, yanked, metadata_digest, uploaded, last_modified, url, log) ",
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ",
            "on conflict (project_id, filename) ",
            $conflict,
            " returning id",
        )
    };
}

const INSERT: &str = insert_file!("do nothing");
const REPLACE: &str = insert_file!(
    "do update set version = excluded.version, role = excluded.role, area = excluded.area, \
     dir = excluded.dir, digest = excluded.digest, size = excluded.size, hashes = excluded.hashes, \
     requires_python = excluded.requires_python, yanked = excluded.yanked, \
     metadata_digest = excluded.metadata_digest, uploaded = excluded.uploaded, \
     last_modified = excluded.last_modified, url = excluded.url, log = excluded.log"
);

impl Tx {
    /// All files of a project in these indexes, of every role, in upload order:
    /// one query for a whole resolution order.
    pub async fn files(
        &mut self,
        index_ids: &[i64],
        project: &ProjectName,
    ) -> Result<Vec<FileRow>> {
        let rows = sql!(
            self,
            fetch_all as StoredFile,
            select_files!(
                "p.name = $2 and p.index_id in (select value from json_each($1)) order by f.id"
            ),
            id_list(index_ids),
            project.as_str(),
        )?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// What a file can be in the way of: the files of its release, of every
    /// role, and the project's file of that name, in upload order.
    pub async fn release_files(
        &mut self,
        index_id: i64,
        project: &ProjectName,
        version: &str,
        filename: &str,
    ) -> Result<Vec<FileRow>> {
        let rows = sql!(
            self,
            fetch_all as StoredFile,
            // By ids: an `or` over two indexes would make SQLite read the whole project.
            select_files!(
                "f.id in (\
                   select v.id from files v join projects q on q.id = v.project_id \
                   where q.index_id = $1 and q.name = $2 and v.version = $3 \
                   union \
                   select n.id from files n join projects q on q.id = n.project_id \
                   where q.index_id = $1 and q.name = $2 and n.filename = $4) \
                 order by f.id"
            ),
            index_id,
            project.as_str(),
            version,
            filename,
        )?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The documentation archives of a project in an index.
    pub async fn doc_archives(
        &mut self,
        index_id: i64,
        project: &ProjectName,
    ) -> Result<Vec<FileRow>> {
        let rows = sql!(
            self,
            fetch_all as StoredFile,
            select_files!("p.index_id = $1 and p.name = $2 and f.role = $3 order by f.id"),
            index_id,
            project.as_str(),
            FileRole::DocZip.as_str(),
        )?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The file at a path of an index.
    pub async fn find_file(
        &mut self,
        index_id: i64,
        area: Area,
        dir: &str,
        filename: &str,
    ) -> Result<Option<FileRow>> {
        let row = sql!(
            self,
            fetch_optional as StoredFile,
            select_files!(
                "p.index_id = $1 and f.area = $2 and f.dir = $3 and f.filename = $4 \
                 order by f.id limit 1"
            ),
            index_id,
            area.as_str(),
            dir,
            filename,
        )?;
        row.map(TryInto::try_into).transpose()
    }

    /// Records an upload. Its release must be registered ([`Error::Missing`]),
    /// its name free in the project ([`Error::Conflict`], `files_project_id_filename_key`).
    pub async fn insert_file(
        &mut self,
        new: NewFile,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<FileRow> {
        let index = self.index_name(new.index_id).await?;
        let row = sql!(
            self,
            fetch_optional as (i64,),
            "select p.id from projects p join releases r on r.project_id = p.id \
             where p.index_id = $1 and p.name = $2 and r.version = $3",
            new.index_id,
            new.project.as_str(),
            &new.version,
        )?;
        let (project_id,) = row.ok_or(Error::Missing { what: "release" })?;
        let parent = self.parent_of(project_id, &new).await?;
        let id = self.write_file(INSERT, project_id, parent, &new).await?;
        let id = id.ok_or(Error::Conflict {
            what: "files_project_id_filename_key",
        })?;
        self.finish_file(id, parent, new, index, ("file added", at, who))
            .await
    }

    /// Records a mirror's file that was fetched, in place of one of the same
    /// name. [`Error::Missing`] without the index.
    pub async fn insert_cached_file(&mut self, new: NewFile, at: Timestamp) -> Result<FileRow> {
        let index = self.index_name(new.index_id).await?;
        let project_id = self.ensure_project(new.index_id, &new.project, at).await?;
        let id = self.write_file(REPLACE, project_id, None, &new).await?;
        let id = id.ok_or(Error::Missing { what: "file" })?;
        self.finish_file(id, None, new, index, ("file cached", at, None))
            .await
    }

    /// Deletes a file and the tox results about it; each leaves a tombstone.
    /// [`Error::Missing`] if it is gone already.
    pub async fn remove_file(
        &mut self,
        id: i64,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<()> {
        self.bury_file(id, at).await?;
        let row = sql!(
            self,
            fetch_optional as (i64, String),
            "delete from files where id = $1 returning project_id, filename",
            id,
        )?;
        let (project_id, filename) = row.ok_or(Error::Missing { what: "file" })?;
        let scope = self.project_scope(project_id).await?;
        let (who, detail) = (who.cloned(), file_detail(filename));
        self.log(Change {
            at,
            who,
            scope,
            what: "file removed",
            detail,
        })
        .await?;
        Ok(())
    }

    /// The release file that a new tox result is about (devpi: 6.1: same
    /// directory, its name in front).
    async fn parent_of(&mut self, project_id: i64, new: &NewFile) -> Result<Option<i64>> {
        if new.kind != FileRole::Toxresult {
            return Ok(None);
        }
        let (parent, _) = new
            .filename
            .rsplit_once(".toxresult-")
            .unwrap_or((&new.filename, ""));
        let row = sql!(
            self,
            fetch_optional as (i64,),
            "select id from files where project_id = $1 and area = $2 and dir = $3 \
             and filename = $4 and role = $5",
            project_id,
            new.area.as_str(),
            &new.dir,
            parent,
            FileRole::Release.as_str(),
        )?;
        let (id,) = row.ok_or(Error::Missing { what: "file" })?;
        Ok(Some(id))
    }

    async fn write_file(
        &mut self,
        text: &'static str,
        project_id: i64,
        parent: Option<i64>,
        new: &NewFile,
    ) -> Result<Option<i64>> {
        let unwritable = |column| Error::inconsistent("files", column, project_id);
        let size = i64::try_from(new.size).map_err(|_| unwritable("size"))?;
        let hashes = serde_json::to_string(&new.hashes).map_err(|_| unwritable("hashes"))?;
        let log = serde_json::to_string(&new.log).map_err(|_| unwritable("log"))?;
        let row = sql!(
            self,
            fetch_optional as (i64,),
            text,
            project_id,
            parent,
            &new.version,
            &new.filename,
            new.kind.as_str(),
            new.area.as_str(),
            &new.dir,
            new.digest.to_string(),
            size,
            hashes,
            new.requires_python.as_deref(),
            new.yanked.as_deref(),
            new.metadata_digest.map(|digest| digest.to_string()),
            new.uploaded.as_micros(),
            new.last_modified.as_deref(),
            new.url.as_deref(),
            log,
        )?;
        Ok(row.map(|(id,)| id))
    }

    async fn finish_file(
        &mut self,
        id: i64,
        parent: Option<i64>,
        new: NewFile,
        index: IndexName,
        (what, at, who): (&'static str, Timestamp, Option<&UserName>),
    ) -> Result<FileRow> {
        let path = format!("{}/{}/{}", new.area.as_str(), new.dir, new.filename);
        self.unbury(&index, &path).await?;
        let scope = Scope::Project {
            index,
            project: new.project.clone(),
        };
        let detail = file_detail(new.filename.clone());
        self.log(Change {
            at,
            who: who.cloned(),
            scope,
            what,
            detail,
        })
        .await?;
        Ok(new.into_row(id, parent))
    }
}

fn file_detail(filename: String) -> Map<String, Value> {
    Map::from_iter([("file".to_owned(), filename.into())])
}
