//! Trip C: an upload, in five named steps.
//!
//! [`App::begin_upload`] authorises before the body is read; the web layer
//! streams the file into a spool; [`App::finish_upload`] reads what arrived,
//! admits it, publishes the blob and records it in one transaction.
//!
//! Invariant: whatever goes wrong, either everything about the file is true
//! or nothing of it is there; a crash leaves at most an unreferenced blob.

pub(crate) mod admit;
mod read;
pub(crate) mod record;

pub(crate) use read::{check_digests, form_project, printable};
pub(crate) use record::{link_log, same_release, taken};

use larder_blob::{Finished, Spool};
use larder_model::{Caller, IndexKind, IndexName};
use larder_pypi::hashes::Algorithms;
use larder_pypi::upload_form::{Action, UploadForm};

use crate::authorize::{Grant, Right, no_index};
use crate::error::Error;
use crate::failpoint::reach;
use crate::{App, Result};

/// A file that has arrived whole, but counts for nothing yet.
#[derive(Debug)]
pub struct IncomingFile {
    /// As sent.
    pub filename: String,
    /// The bytes and their digests.
    pub finished: Finished,
}

/// Everything an upload request brought.
#[derive(Debug)]
pub struct Arrived {
    /// The text fields.
    pub form: UploadForm,
    /// The `content` field.
    pub file: Option<IncomingFile>,
}

/// What became of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploaded {
    /// A release was registered, without a file.
    Registered,
    /// A new file.
    Stored,
    /// A file of that name was there; it has new content now.
    Replaced,
    /// The very same file was there already.
    Identical,
}

impl App {
    /// Step one: whether the caller may upload here at all (devpi: 4.1, in this order).
    pub async fn begin_upload(&self, caller: &Caller, name: &IndexName) -> Result<Grant> {
        let directory = self.directory().await?;
        let index = directory.find(name).ok_or_else(|| no_index(name))?;
        if index.kind() == IndexKind::Mirror {
            return Err(Error::not_found("cannot submit to mirror index"));
        }
        self.grant(caller, name, Right::Upload).await
    }

    /// A place for the bytes of the upload, hashed in every way that clients
    /// announce (U-01).
    pub async fn upload_spool(&self) -> Result<Spool> {
        Ok(self
            .blobs
            .spool(Algorithms {
                md5: true,
                blake2_256: true,
                ..Algorithms::default()
            })
            .await?)
    }

    /// The other steps.
    pub async fn finish_upload(&self, grant: &Grant, arrived: Arrived) -> Result<Uploaded> {
        match (arrived.form.action(), arrived.file) {
            (Action::Submit, _) => self.register(grant, &arrived.form).await,
            (Action::FileUpload, Some(file)) => self.upload_file(grant, &arrived.form, file).await,
            (Action::FileUpload | Action::DocUpload, None) => {
                Err(Error::invalid("content file field not found"))
            }
            (Action::DocUpload, Some(file)) => self.upload_docs(grant, &arrived.form, file).await,
        }
    }

    async fn upload_file(
        &self,
        grant: &Grant,
        form: &UploadForm,
        file: IncomingFile,
    ) -> Result<Uploaded> {
        let release = self.read_upload(form, &file).await?;
        let mut tx = self.store.read().await?;
        let (_, seen) = record::beside(
            &mut tx,
            grant,
            &release.project,
            &release.version,
            &release.filename,
        )
        .await?;
        drop(tx);
        let verdict = admit::admit(&grant.index().config, release.candidate(), &seen)?;
        if matches!(verdict, admit::Verdict::Identical(_)) {
            return Ok(Uploaded::Identical);
        }
        reach("app.upload.read");
        self.blobs.publish(file.finished).await?;
        reach("app.upload.published");
        if let Some(metadata) = &release.sidecar {
            self.blobs.publish_bytes(metadata.clone()).await?;
        }
        self.record(grant, release).await
    }
}
