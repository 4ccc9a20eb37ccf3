//! Tombstones: the paths of files that are gone, so that asking for one is
//! answered with 410 and not with 404 (devpi: 1.11).
//!
//! Invariants: no file is deleted without its tombstone; a path that is
//! served has none.

use larder_model::{IndexName, Timestamp};

use crate::{Result, Tx};

/// Tombstones for the files that the condition selects: `$1` is the time,
/// `f` the file, `p` its project, `i` its index.
macro_rules! bury {
    ($condition:literal) => {
        concat!(
            "insert into tombstones (index_name, path, filename, removed) ",
            "select u.name || '/' || i.name, f.area || '/' || f.dir || '/' || f.filename, f.filename, $1 ",
            "from files f join projects p on p.id = f.project_id ",
            "join indexes i on i.id = p.index_id join users u on u.id = i.user_id ",
            "where ",
            $condition,
            " on conflict (index_name, path) do nothing",
        )
    };
}

impl Tx {
    /// Whether a file was at this path (`+f/aaa/bbb/name`) of an index and is no more.
    pub async fn was_removed(&mut self, index: &IndexName, path: &str) -> Result<bool> {
        let row = sql!(
            self,
            fetch_optional as (i64,),
            "select id from tombstones where index_name = $1 and path = $2",
            index.to_string(),
            path,
        )?;
        Ok(row.is_some())
    }

    /// Whether a file of this name was ever deleted from an index, wherever it was.
    pub async fn filename_was_removed(
        &mut self,
        index: &IndexName,
        filename: &str,
    ) -> Result<bool> {
        let row = sql!(
            self,
            fetch_optional as (i64,),
            "select id from tombstones where index_name = $1 and filename = $2 limit 1",
            index.to_string(),
            filename,
        )?;
        Ok(row.is_some())
    }

    /// For a file that is there (again).
    pub(crate) async fn unbury(&mut self, index: &IndexName, path: &str) -> Result<()> {
        sql!(
            self,
            execute,
            "delete from tombstones where index_name = $1 and path = $2",
            index.to_string(),
            path,
        )?;
        Ok(())
    }

    /// The file and the tox results about it.
    pub(crate) async fn bury_file(&mut self, id: i64, at: Timestamp) -> Result<()> {
        sql!(
            self,
            execute,
            bury!("(f.id = $2 or f.parent_id = $2)"),
            at.as_micros(),
            id
        )?;
        Ok(())
    }

    pub(crate) async fn bury_files_of_release(
        &mut self,
        project_id: i64,
        version: &str,
        at: Timestamp,
    ) -> Result<()> {
        let text = bury!("f.project_id = $2 and f.version = $3");
        sql!(self, execute, text, at.as_micros(), project_id, version)?;
        Ok(())
    }

    pub(crate) async fn bury_files_of_project(&mut self, id: i64, at: Timestamp) -> Result<()> {
        sql!(
            self,
            execute,
            bury!("f.project_id = $2"),
            at.as_micros(),
            id
        )?;
        Ok(())
    }

    pub(crate) async fn bury_files_of_index(&mut self, id: i64, at: Timestamp) -> Result<()> {
        sql!(self, execute, bury!("p.index_id = $2"), at.as_micros(), id)?;
        Ok(())
    }

    pub(crate) async fn bury_files_of_user(&mut self, id: i64, at: Timestamp) -> Result<()> {
        sql!(self, execute, bury!("i.user_id = $2"), at.as_micros(), id)?;
        Ok(())
    }
}
