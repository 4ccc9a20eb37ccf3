//! The last step: one transaction that makes release and file true together.

use larder_model::{IndexConfig, IndexName};
use larder_pypi::upload_form::UploadForm;
use larder_pypi::{ProjectName, Version};
use larder_store::{FileRole, FileRow, NewFile, NewRelease, Tx};
use serde_json::{Map, Value, json};

use super::Uploaded;
use super::admit::{Verdict, admit};
use super::read::{ReadRelease, form_project};
use crate::authorize::Grant;
use crate::error::Error;
use crate::failpoint::reach;
use crate::file_path::FilePath;
use crate::{App, Result};

impl App {
    /// Records a published file. Rights, configuration and name are checked
    /// again: they may have changed while the body was on its way.
    pub(super) async fn record(&self, grant: &Grant, release: ReadRelease) -> Result<Uploaded> {
        let name = grant.index().name.clone();
        let mut tx = self.store.write().await?;
        let config = self.regrant(&mut tx, grant).await?;
        let (version, there) = beside(
            &mut tx,
            grant,
            &release.project,
            &release.version,
            &release.filename,
        )
        .await?;
        let old = match admit(&config, release.candidate(), &there)? {
            Verdict::Identical(_) => return Ok(Uploaded::Identical),
            Verdict::New => None,
            Verdict::Replace(old) => Some(old),
        };
        if old.is_none() {
            refuse_removed_name(&mut tx, &name, &config, &release.filename).await?;
        }
        let yanked = yanked_release(&there, &version);
        let file = self.new_file(grant, &version, &release, old);
        let file = NewFile { yanked, ..file };
        let (now, who) = (self.clock.now(), grant.caller().name());
        if let Some(old) = old {
            tx.remove_file(old.id, now, who).await?;
        }
        let known = tx
            .find_release(grant.index().id, &release.project, &version)
            .await?;
        let metadata = updated(known.map(|known| known.metadata), release.metadata);
        let stored = NewRelease {
            index_id: grant.index().id,
            project: release.project.clone(),
            version,
            metadata,
        };
        tx.upsert_release(stored, now, who).await?;
        tx.insert_file(file, now, who).await.map_err(taken)?;
        reach("app.upload.before_commit");
        tx.commit().await?;
        reach("app.upload.after_commit");
        self.metrics.uploads.increment();
        tracing::info!(index = %name, file = %release.filename, by = ?who, size_bytes = release.computed.len, "file uploaded");
        Ok(if old.is_some() {
            Uploaded::Replaced
        } else {
            Uploaded::Stored
        })
    }

    /// `:action=submit`: the release without a file. Old clients send it before the file.
    pub(super) async fn register(&self, grant: &Grant, form: &UploadForm) -> Result<Uploaded> {
        let project = form_project(form)?;
        let version = self.read_version(form.version())?;
        let (now, who) = (self.clock.now(), grant.caller().name());
        let mut tx = self.store.write().await?;
        self.regrant(&mut tx, grant).await?;
        let version = spelled(&mut tx, grant, &project, &version).await?;
        let release = NewRelease {
            index_id: grant.index().id,
            project,
            version,
            metadata: form.metadata_json(),
        };
        tx.upsert_release(release, now, who).await?;
        tx.commit().await?;
        Ok(Uploaded::Registered)
    }

    fn new_file(
        &self,
        grant: &Grant,
        version: &str,
        release: &ReadRelease,
        old: Option<&FileRow>,
    ) -> NewFile {
        let now = self.clock.now();
        let path = FilePath::of_upload(&release.computed.sha256, &release.filename);
        NewFile {
            index_id: grant.index().id,
            project: release.project.clone(),
            version: version.to_owned(),
            filename: path.filename,
            kind: FileRole::Release,
            area: path.area,
            dir: path.dir,
            digest: release.computed.sha256,
            size: release.computed.len,
            hashes: release.computed.hashes.clone(),
            requires_python: release.requires_python.clone(),
            yanked: None,
            metadata_digest: release.sidecar_digest(),
            uploaded: now,
            last_modified: None,
            url: None,
            log: link_log(grant, now.to_log_list(), old),
        }
    }
}

/// devpi: what a later file of the release does not say stays as it was (4.4):
/// an old sdist has no requirements, its wheel has.
fn updated(known: Option<Map<String, Value>>, new: Map<String, Value>) -> Map<String, Value> {
    let mut metadata = known.unwrap_or_default();
    for (key, value) in new {
        let says_something =
            value.as_str() != Some("") && value.as_array().is_none_or(|list| !list.is_empty());
        if says_something || !metadata.contains_key(&key) {
            metadata.insert(key, value);
        }
    }
    metadata
}

/// The release that a file belongs to, as it is spelled here (M-06), and what
/// the file can be in the way of.
pub(super) async fn beside(
    tx: &mut Tx,
    grant: &Grant,
    project: &ProjectName,
    version: &Version,
    filename: &str,
) -> Result<(String, Vec<FileRow>)> {
    let version = spelled(tx, grant, project, version).await?;
    let id = grant.index().id;
    let there = tx.release_files(id, project, &version, filename).await?;
    Ok((version, there))
}

/// One release per version, however it is spelled (M-06).
async fn spelled(
    tx: &mut Tx,
    grant: &Grant,
    project: &ProjectName,
    version: &Version,
) -> Result<String> {
    let known = tx.versions(&[grant.index().id], project).await?;
    let known = known.iter().map(|(_, version)| version.as_str());
    Ok(same_release(version, known))
}

/// A file added to a release whose files are all yanked is yanked like them.
fn yanked_release(there: &[FileRow], version: &str) -> Option<String> {
    let mut files = there
        .iter()
        .filter(|file| file.kind == FileRole::Release && file.version == version);
    let first = files.next()?.yanked.clone()?;
    files.all(|file| file.yanked.is_some()).then_some(first)
}

/// Decision: a name that was deleted stays taken where files never change.
pub(crate) async fn refuse_removed_name(
    tx: &mut Tx,
    index: &IndexName,
    config: &IndexConfig,
    filename: &str,
) -> Result<()> {
    if config.volatile || !tx.filename_was_removed(index, filename).await? {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "{filename} was deleted from this non-volatile index: File already exists, use another version"
    )))
}

/// devpi: 1.8, 4.4: what happened to the link.
pub(crate) fn link_log(grant: &Grant, when: [i16; 6], old: Option<&FileRow>) -> Vec<Value> {
    let mut log: Vec<Value> = old.map(|old| overwritten(old, when)).into_iter().collect();
    let who = grant.caller().name().map(ToString::to_string);
    log.push(json!({"what": "upload", "who": who, "when": when, "dst": grant.index().name}));
    log
}

/// devpi: 4.4: the first entry of a file that took the place of another.
pub(crate) fn overwritten(old: &FileRow, when: [i16; 6]) -> Value {
    let counts = old
        .log
        .iter()
        .filter_map(|entry| entry.get("count")?.as_u64());
    let count = counts.max().unwrap_or(0) + 1;
    json!({"what": "overwrite", "who": null, "when": when, "count": count})
}

/// The spelling of this version that is there already, else its own.
pub(crate) fn same_release<'a>(
    version: &Version,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let spelled = version.spelled(known);
    spelled.unwrap_or(version.as_str()).to_owned()
}

pub(crate) fn taken(error: larder_store::Error) -> Error {
    if error.is_conflict() {
        return Error::conflict("File already exists: another upload of it was faster")
            .because(error);
    }
    error.into()
}
