//! Test results of release files (devpi: 6.1).
//!
//! Invariant: a result lies in the directory of the file it is about, and goes
//! with it. Its bytes are kept as they came. Left out: what they mean.

use std::fs::File;
use std::io::{self, BufReader, Read};

use larder_blob::{Finished, Spool};
use larder_model::{Caller, IndexName, Outline, Timestamp};
use larder_pypi::hashes::Algorithms;
use larder_pypi::{Digest, Hashes};
use larder_store::{FileRole, FileRow, NewFile, Tx};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::authorize::{Grant, Right};
use crate::error::Error;
use crate::file_path::FilePath;
use crate::{App, Result};

impl App {
    /// Whether the caller may store a result here, and whether there is a
    /// release file that it could be about.
    pub async fn begin_toxresult(
        &self,
        caller: &Caller,
        index: &IndexName,
        path: &FilePath,
    ) -> Result<Grant> {
        self.grant(caller, index, Right::Read).await?;
        let grant = self.grant(caller, index, Right::UploadToxresult).await?;
        find_parent(&mut self.store.read().await?, &grant, path).await?;
        Ok(grant)
    }

    /// A place for the bytes of a result.
    pub async fn toxresult_spool(&self) -> Result<Spool> {
        Ok(self.blobs.spool(Algorithms::default()).await?)
    }

    /// Stores a result, a JSON object, for the release file at a path; gives
    /// its own path with its hash (devpi: `toxresultpath`).
    pub async fn finish_toxresult(
        &self,
        grant: &Grant,
        path: &FilePath,
        body: Finished,
    ) -> Result<String> {
        let reader = body.reader()?;
        tokio::task::spawn_blocking(move || check(reader))
            .await
            .map_err(Error::internal)??;
        let size = body.computed().len;
        // Bytes before rows.
        let digest = self.blobs.publish(body).await?;
        let (now, who) = (self.clock.now(), grant.caller().name());
        let index = &grant.index().name;
        let mut tx = self.store.write().await?;
        self.regrant(&mut tx, grant).await?;
        let parent = find_parent(&mut tx, grant, path).await?;
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

async fn find_parent(tx: &mut Tx, grant: &Grant, path: &FilePath) -> Result<FileRow> {
    let index = grant.index();
    tx.find_file(index.id, path.area, &path.dir, &path.filename)
        .await?
        .filter(|file| file.kind == FileRole::Release)
        .ok_or_else(|| Error::not_found(format!("no release file found at {}/{path}", index.name)))
}

/// Reliability G15, G19: only what a page can show. Nothing of it is kept in memory.
fn check(bytes: File) -> Result<()> {
    let mut reader = BufReader::new(Outlined {
        inner: bytes,
        outline: Outline::default(),
        first: None,
        cut: Vec::new(),
    });
    let read = serde_json::from_reader::<_, IgnoredAny>(&mut reader);
    let outlined = reader.get_ref();
    if read.is_err() || outlined.outline.is_too_deep() {
        return Err(Error::invalid("Bad request: could not decode json"));
    }
    if outlined.first != Some(b'{') {
        return Err(Error::invalid(
            "Bad request: a test result is a JSON object",
        ));
    }
    Ok(())
}

/// JSON being read, and its outline so far.
struct Outlined<R> {
    inner: R,
    outline: Outline,
    /// The first byte that is no space.
    first: Option<u8>,
    /// The beginning of a character whose end is to come.
    cut: Vec<u8>,
}

impl<R: Read> Read for Outlined<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let piece = &buffer[..count];
        self.outline.add(piece);
        let text = [&self.cut, piece].concat();
        self.cut = match std::str::from_utf8(&text) {
            Ok(_) => Vec::new(),
            Err(error) if error.error_len().is_none() => text[error.valid_up_to()..].to_vec(),
            Err(error) => return Err(io::Error::other(error)),
        };
        let mut visible = piece.iter().filter(|byte| !byte.is_ascii_whitespace());
        self.first = self.first.or(visible.next().copied());
        if self.outline.is_too_deep() {
            return Err(io::Error::other("too deep"));
        }
        Ok(count)
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
    loop {
        let candidate = name(number);
        if there.iter().all(|file| file.filename != candidate) {
            return candidate;
        }
        number += 1;
    }
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
