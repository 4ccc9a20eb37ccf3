//! Yanks of own files (PEP 592).
//!
//! Invariant: only release files are yanked; a yank is a change of its project
//! like any other and leaves its row in the changelog.

use larder_model::{Timestamp, UserName};
use larder_pypi::ProjectName;
use serde_json::Value;

use crate::changelog::{Change, Scope};
use crate::file_row::FileRole;
use crate::{Error, Result, Tx};

/// Which files of a release are yanked, or no longer.
#[derive(Debug, Clone, Copy)]
pub struct Yank<'a> {
    /// The stage.
    pub index_id: i64,
    /// The project.
    pub project: &'a ProjectName,
    /// As registered.
    pub version: &'a str,
    /// One file; `None`: all of the release.
    pub filename: Option<&'a str>,
    /// `Some`: yanked, for this reason, which may be empty; `None`: no longer.
    pub reason: Option<&'a str>,
}

impl Tx {
    /// Yanks files, or takes that back; gives how many there are. What is so
    /// already is no change. [`Error::Missing`] if there are none.
    pub async fn set_yanked(
        &mut self,
        yank: Yank<'_>,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<u64> {
        let missing = Error::Missing { what: "file" };
        let Some(project_id) = self.project_id(yank.index_id, yank.project).await? else {
            return Err(missing);
        };
        let (release, version) = (FileRole::Release.as_str(), yank.version);
        let (count,) = sql!(
            self,
            fetch_one as (i64,),
            "select count(*) from files where project_id = $1 and version = $2 and role = $3 \
             and (cast($4 as text) is null or filename = $4)",
            project_id,
            version,
            release,
            yank.filename,
        )?;
        if count == 0 {
            return Err(missing);
        }
        let changed = sql!(
            self,
            execute,
            "update files set yanked = $5 where project_id = $1 and version = $2 and role = $3 \
             and (cast($4 as text) is null or filename = $4) \
             and yanked is distinct from cast($5 as text)",
            project_id,
            version,
            release,
            yank.filename,
            yank.reason,
        )?;
        if changed > 0 {
            self.log_yank(project_id, yank, at, who).await?;
        }
        Ok(count.unsigned_abs())
    }

    async fn log_yank(
        &mut self,
        project_id: i64,
        yank: Yank<'_>,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<()> {
        let scope: Scope = self.project_scope(project_id).await?;
        let entries = [
            ("version", Some(yank.version)),
            ("file", yank.filename),
            ("reason", yank.reason),
        ];
        let detail = entries
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), Value::from(value?))));
        let what = match yank.reason {
            Some(_) => "yanked",
            None => "unyanked",
        };
        self.log(Change {
            at,
            who: who.cloned(),
            scope,
            what,
            detail: detail.collect(),
        })
        .await?;
        Ok(())
    }
}
