//! Yanking own releases and files, and taking that back (PEP 592, S-39).
//!
//! Installers pass over a yanked file unless it is pinned exactly. It changes
//! nothing of the file itself, so it is possible on every stage, volatile or not.

use larder_model::{Caller, IndexKind, IndexName};
use larder_pypi::{ProjectName, Version};
use larder_store::Yank;

use crate::authorize::Right;
use crate::error::Error;
use crate::{App, Result};

/// Longest reason, in bytes: it stands on every page of the project.
const MAX_REASON_BYTES: usize = 1024;

/// What is to be yanked or unyanked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YankRequest {
    /// The project.
    pub project: ProjectName,
    /// The release, in any spelling of its version.
    pub version: String,
    /// One file of it; `None`: all that are there.
    pub filename: Option<String>,
    /// `Some`: yank, for this reason, which may be empty; `None`: take it back.
    pub reason: Option<String>,
}

impl App {
    /// Yanks, or takes that back; gives the number of files it is about.
    pub async fn yank(
        &self,
        caller: &Caller,
        index: &IndexName,
        request: &YankRequest,
    ) -> Result<u64> {
        let grant = self.grant(caller, index, Right::Yank).await?;
        if grant.index().kind() == IndexKind::Mirror {
            return Err(Error::invalid(
                "what a mirror yanks is up to its upstream; yank on an index of your own",
            ));
        }
        let reason = request.reason.as_deref().map(checked).transpose()?;
        let (now, who) = (self.clock.now(), caller.name());
        let mut tx = self.store.write().await?;
        self.regrant(&mut tx, &grant).await?;
        let releases = tx.versions(&[grant.index().id], &request.project).await?;
        let absent = || no_release(index, request);
        let yank = Yank {
            index_id: grant.index().id,
            project: &request.project,
            version: find(&releases, &request.version).ok_or_else(absent)?,
            filename: request.filename.as_deref(),
            reason,
        };
        let count = tx.set_yanked(yank, now, who).await.map_err(|error| {
            if error.is_missing() {
                absent()
            } else {
                error.into()
            }
        })?;
        tx.commit().await?;
        tracing::info!(%index, project = %request.project, version = %request.version, file = ?request.filename, yanked = reason.is_some(), by = ?who, "yank changed");
        Ok(count)
    }
}

fn find<'a>(releases: &'a [(i64, String)], version: &str) -> Option<&'a str> {
    let known = releases.iter().map(|(_, known)| known.as_str());
    Version::lenient(version).spelled(known)
}

/// One line, since it stands in attributes and warnings.
fn checked(reason: &str) -> Result<&str> {
    let reason = reason.trim();
    if reason.len() > MAX_REASON_BYTES {
        return Err(Error::invalid(format!(
            "a reason has at most {MAX_REASON_BYTES} bytes"
        )));
    }
    if reason.chars().any(char::is_control) {
        return Err(Error::invalid("a reason is one line of text"));
    }
    Ok(reason)
}

fn no_release(index: &IndexName, request: &YankRequest) -> Error {
    let YankRequest {
        project, version, ..
    } = request;
    let what = match &request.filename {
        Some(filename) => format!("file '{filename}' of {project} {version}"),
        None => format!("files of {project} {version}"),
    };
    Error::not_found(format!("no {what} on stage {index}"))
}
