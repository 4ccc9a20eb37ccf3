//! `:action=doc_upload`: a zip of documentation for a release.
//!
//! Invariant: as for files, either everything about it is true or nothing of it
//! is there. Only a zip that can be served page by page is taken.

use larder_pypi::archive::check_docs;
use larder_pypi::upload_form::UploadForm;
use larder_pypi::{Hashes, ProjectName, Version};
use larder_store::{FileRole, FileRow, NewFile, NewRelease, Tx};

use crate::authorize::Grant;
use crate::error::Error;
use crate::file_path::FilePath;
use crate::upload::{IncomingFile, Uploaded, form_project, link_log, same_release, taken};
use crate::{App, Result};

impl App {
    /// Stores the documentation of a release, which is registered if need be.
    pub(crate) async fn upload_docs(
        &self,
        grant: &Grant,
        form: &UploadForm,
        file: IncomingFile,
    ) -> Result<Uploaded> {
        let project = form_project(form)?;
        let version = match form.version() {
            "" => None,
            version => Some(self.read_version(version)?),
        };
        check_digests_and_zip(form, &file).await?;
        let (digest, size) = {
            let computed = file.finished.computed();
            (computed.sha256, computed.len)
        };
        let sent = file.filename;
        self.blobs.publish(file.finished).await?;
        let (now, who) = (self.clock.now(), grant.caller().name());
        let mut tx = self.store.write().await?;
        let volatile = self.regrant(&mut tx, grant).await?.volatile;
        let version = self
            .doc_release(&mut tx, grant, form, &project, version)
            .await?;
        let filename = format!("{project}-{version}.doc.zip");
        let id = grant.index().id;
        let there = tx.release_files(id, &project, &version, &filename).await?;
        let old = there.iter().find(|file| file.filename == filename);
        if let Some(old) = old {
            if old.digest == digest {
                return Ok(Uploaded::Identical);
            }
            if !volatile {
                return Err(Error::conflict(format!(
                    "{sent} already exists in non-volatile index"
                )));
            }
            tx.remove_file(old.id, now, who).await?;
        }
        let path = FilePath::of_upload(&digest, &filename);
        let new = NewFile {
            index_id: id,
            project,
            version,
            filename,
            kind: FileRole::DocZip,
            area: path.area,
            dir: path.dir,
            digest,
            size,
            hashes: Hashes::of(digest),
            requires_python: None,
            yanked: None,
            metadata_digest: None,
            uploaded: now,
            last_modified: None,
            url: None,
            log: link_log(grant, now.to_log_list(), old),
        };
        let new = tx.insert_file(new, now, who).await.map_err(taken)?;
        tx.commit().await?;
        tracing::info!(index = %grant.index().name, file = %new.filename, by = ?who, size_bytes = size, "documentation uploaded");
        Ok(replaced(old))
    }

    /// The release that the documentation is for. Without a version it is the
    /// newest; an unknown one is registered from the form (devpi: 6.2).
    async fn doc_release(
        &self,
        tx: &mut Tx,
        grant: &Grant,
        form: &UploadForm,
        project: &ProjectName,
        version: Option<Version>,
    ) -> Result<String> {
        let known = tx.versions(&[grant.index().id], project).await?;
        let Some(version) = version else {
            return newest(&known).ok_or_else(|| {
                Error::invalid(format!(
                    "doczip has no version and '{project}' has no releases to derive one from"
                ))
            });
        };
        let spelled = same_release(&version, known.iter().map(|(_, known)| known.as_str()));
        if !known.iter().any(|(_, known)| *known == spelled) {
            let release = NewRelease {
                index_id: grant.index().id,
                project: project.clone(),
                version: spelled.clone(),
                metadata: form.metadata_json(),
            };
            tx.upsert_release(release, self.clock.now(), grant.caller().name())
                .await?;
        }
        Ok(spelled)
    }
}

async fn check_digests_and_zip(form: &UploadForm, file: &IncomingFile) -> Result<()> {
    crate::upload::check_digests(form, file.finished.computed())?;
    let name = file.filename.clone();
    let reader = std::io::BufReader::new(file.finished.reader()?);
    let checked = tokio::task::spawn_blocking(move || check_docs(reader));
    checked.await.map_err(Error::internal)?.map_err(|error| {
        let name = crate::upload::printable(&name);
        Error::invalid(format!(
            "the documentation '{name}' cannot be used: {error}"
        ))
        .because(error)
    })
}

fn newest(known: &[(i64, String)]) -> Option<String> {
    let versions = known.iter().map(|(_, version)| version);
    versions
        .max_by_key(|version| Version::lenient(version))
        .cloned()
}

fn replaced(old: Option<&FileRow>) -> Uploaded {
    if old.is_some() {
        Uploaded::Replaced
    } else {
        Uploaded::Stored
    }
}
