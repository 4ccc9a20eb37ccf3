//! Test results of release files (devpi: 6.1).
//!
//! Invariant: a result lies in the directory of the file it is about, and goes
//! with it. Its bytes are kept as they came. Left out: what they mean.

use bytes::Bytes;
use larder_model::{Caller, IndexName, Timestamp};
use larder_pypi::{Digest, Hashes};
use larder_store::{FileRole, FileRow, NewFile};
use serde_json::{Value, json};

use crate::authorize::Right;
use crate::error::Error;
use crate::file_path::FilePath;
use crate::{App, Result};

impl App {
    /// Stores a result, a JSON object, for the release file at a path; gives
    /// its own path with its hash (devpi: `toxresultpath`).
    pub async fn upload_toxresult(
        &self,
        caller: &Caller,
        index: &IndexName,
        path: &FilePath,
        body: Bytes,
    ) -> Result<String> {
        self.grant(caller, index, Right::Read).await?;
        let grant = self.grant(caller, index, Right::UploadToxresult).await?;
        check(&body)?;
        let size = body.len() as u64;
        // Bytes before rows.
        let digest = self.blobs.publish_bytes(body).await?;
        let (now, who) = (self.clock.now(), caller.name());
        let mut tx = self.store.write().await?;
        self.regrant(&mut tx, &grant).await?;
        let parent = tx
            .find_file(grant.index().id, path.area, &path.dir, &path.filename)
            .await?
            .filter(|file| file.kind == FileRole::Release);
        let absent = || Error::not_found(format!("no release file found at {index}/{path}"));
        let parent = parent.ok_or_else(absent)?;
        let (id, version) = (grant.index().id, &parent.version);
        let there = tx.release_files(id, &parent.project, version, "").await?;
        let filename = free_name(&parent, &there, now);
        let log = json!({"what": "upload", "who": who, "when": now.to_log_list(), "dst": index});
        let result = new_result(&parent, filename, (digest, size), now, log);
        let result = tx.insert_file(result, now, who).await?;
        tx.commit().await?;
        tracing::info!(%index, file = %result.filename, by = ?who, "test result stored");
        Ok(format!(
            "{index}/{}/{}/{}#sha256={digest}",
            result.area.as_str(),
            result.dir,
            result.filename
        ))
    }
}

/// Reliability G15, G19: only what a page can show.
fn check(body: &[u8]) -> Result<()> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(_)) => Ok(()),
        Ok(_) => Err(Error::invalid(
            "Bad request: a test result is a JSON object",
        )),
        Err(_) => Err(Error::invalid("Bad request: could not decode json")),
    }
}

/// devpi: `FILE.toxresult-YYYYMMDDHHMMSS-N`, N being how many there are already.
pub(crate) fn free_name(parent: &FileRow, there: &[FileRow], at: Timestamp) -> String {
    let stem = format!("{}.toxresult-{}", parent.filename, at.to_digits());
    let name = |number| format!("{stem}-{number}");
    let mut number = there
        .iter()
        .filter(|file| file.parent == Some(parent.id))
        .count();
    while there.iter().any(|file| file.filename == name(number)) {
        number += 1;
    }
    name(number)
}

fn new_result(
    parent: &FileRow,
    filename: String,
    (digest, size): (Digest, u64),
    now: Timestamp,
    log: Value,
) -> NewFile {
    NewFile {
        index_id: parent.index_id,
        project: parent.project.clone(),
        version: parent.version.clone(),
        filename,
        kind: FileRole::Toxresult,
        area: parent.area,
        dir: parent.dir.clone(),
        digest,
        size,
        hashes: Hashes::of(digest),
        requires_python: None,
        yanked: None,
        metadata_digest: None,
        uploaded: now,
        last_modified: None,
        url: None,
        log: vec![log],
    }
}
