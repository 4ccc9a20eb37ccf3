//! Step two: what the file says it is. The artifact's own metadata is the
//! truth; the form must agree with it (U-03).

use std::io::BufReader;

use bytes::Bytes;
use larder_pypi::archive::{self, ReadArtifact};
use larder_pypi::filename::{self, DistFilename, FileKind};
use larder_pypi::hashes::Computed;
use larder_pypi::upload_form::UploadForm;
use larder_pypi::{Digest, ProjectName, Version};
use larder_store::FileRole;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::IncomingFile;
use super::admit::Candidate;
use crate::error::Error;
use crate::{App, Result};

/// An upload as it will be recorded.
#[derive(Debug)]
pub(super) struct ReadRelease {
    pub(super) project: ProjectName,
    pub(super) version: Version,
    pub(super) filename: String,
    pub(super) metadata: Map<String, Value>,
    pub(super) requires_python: Option<String>,
    pub(super) sidecar: Option<Bytes>,
    pub(super) computed: Computed,
}

impl ReadRelease {
    pub(super) fn sidecar_digest(&self) -> Option<Digest> {
        self.sidecar.as_ref().map(|bytes| Digest::of(bytes))
    }

    pub(super) fn candidate(&self) -> Candidate<'_> {
        Candidate {
            project: &self.project,
            filename: &self.filename,
            kind: FileRole::Release,
            digest: self.computed.sha256,
        }
    }
}

impl App {
    /// Reads and checks name, version, digests and archive.
    pub(super) async fn read_upload(
        &self,
        form: &UploadForm,
        file: &IncomingFile,
    ) -> Result<ReadRelease> {
        let computed = file.finished.computed().clone();
        check_digests(form, &computed)?;
        let project = form_project(form)?;
        let parsed = self.check_filename(&file.filename, &project, form.version())?;
        if computed.len == 0 {
            return Err(Error::invalid(format!(
                "the file '{}' is empty",
                file.filename
            )));
        }
        let is_wheel = parsed.kind == FileKind::Wheel;
        let artifact = read_archive(file, parsed).await?;
        let version = self.check_version(form, &file.filename, artifact.as_ref())?;
        let Some(artifact) = artifact else {
            // Formats without readable metadata: the form is all there is.
            let requires_python = form.requires_python().map(str::to_owned);
            return Ok(ReadRelease {
                project,
                version,
                filename: file.filename.clone(),
                metadata: form.metadata_json(),
                requires_python,
                sidecar: None,
                computed,
            });
        };
        check_name(&project, &file.filename, &artifact)?;
        Ok(ReadRelease {
            project,
            version,
            filename: file.filename.clone(),
            metadata: artifact.parsed.to_json(),
            requires_python: artifact.parsed.requires_python().map(str::to_owned),
            sidecar: is_wheel.then(|| artifact.metadata.into()),
            computed,
        })
    }

    /// devpi: 4.3, made strict: the name must be this project's, not merely begin like it.
    fn check_filename(
        &self,
        name: &str,
        project: &ProjectName,
        form_version: &str,
    ) -> Result<DistFilename> {
        if !filename::is_safe_filename(name) {
            return Err(Error::invalid(format!(
                "'{}' is not a valid archive name",
                printable(name)
            )));
        }
        let parsed = filename::parse(name, Some(project))
            .map_err(|error| Error::invalid(error.to_string()).because(error))?;
        let common = matches!(parsed.kind, FileKind::Wheel | FileKind::Sdist);
        if !common && !self.settings.devpi_compat {
            return Err(Error::invalid(format!(
                "'{name}' is not a valid archive name: only wheels and source archives are taken"
            )));
        }
        let same = Version::lenient(&parsed.version).same_release(&Version::lenient(form_version));
        let lax_match = self.settings.devpi_compat && name.contains(form_version);
        if !same && !lax_match {
            return Err(Error::invalid(format!(
                "filename '{name}' does not contain version '{form_version}'"
            )));
        }
        Ok(parsed)
    }

    /// A version as this server takes it: PEP 440, or anything with devpi's defaults.
    pub(crate) fn read_version(&self, raw: &str) -> Result<Version> {
        if self.settings.devpi_compat {
            return Ok(Version::lenient(raw));
        }
        Version::strict(raw).map_err(|error| Error::invalid(format!("invalid metadata: {error}")))
    }

    /// The version to record: the artifact's, which the form's must equal.
    fn check_version(
        &self,
        form: &UploadForm,
        name: &str,
        artifact: Option<&ReadArtifact>,
    ) -> Result<Version> {
        let raw = artifact.map_or(form.version(), |artifact| artifact.parsed.version.as_str());
        let version = self.read_version(raw)?;
        if !version.same_release(&Version::lenient(form.version())) {
            return Err(Error::invalid(format!(
                "the metadata inside '{name}' has version '{}', the upload says '{}'",
                printable(raw),
                form.version()
            )));
        }
        Ok(version)
    }
}

pub(crate) fn form_project(form: &UploadForm) -> Result<ProjectName> {
    form.name()
        .parse()
        .map_err(|error| Error::invalid(format!("invalid metadata: {error}")).because(error))
}

fn check_name(project: &ProjectName, name: &str, artifact: &ReadArtifact) -> Result<()> {
    if artifact
        .parsed
        .name
        .parse()
        .is_ok_and(|inner: ProjectName| inner == *project)
    {
        return Ok(());
    }
    let inner = printable(&artifact.parsed.name);
    Err(Error::invalid(format!(
        "the metadata inside '{name}' has name '{inner}', the upload says '{project}'"
    )))
}

/// Every digest that was sent is checked; none is required (devpi upload sends none).
pub(crate) fn check_digests(form: &UploadForm, computed: &Computed) -> Result<()> {
    let sha256 = computed.sha256.to_string();
    let pairs = [
        ("md5", form.md5_digest(), computed.md5.as_deref()),
        ("sha256", form.sha256_digest(), Some(sha256.as_str())),
        (
            "blake2_256",
            form.blake2_256_digest(),
            computed.blake2_256.as_deref(),
        ),
    ];
    for (algorithm, sent, found) in pairs {
        let (Some(sent), Some(found)) = (sent, found) else {
            continue;
        };
        if !bool::from(sent.as_bytes().ct_eq(found.as_bytes())) {
            return Err(Error::invalid(format!(
                "The digest supplied does not match a digest calculated from the uploaded file ({algorithm})."
            )));
        }
    }
    Ok(())
}

async fn read_archive(file: &IncomingFile, parsed: DistFilename) -> Result<Option<ReadArtifact>> {
    let name = file.filename.clone();
    let reader = BufReader::new(file.finished.reader()?);
    let read = move || match parsed.kind {
        FileKind::Wheel => archive::read_wheel(reader, &parsed).map(Some),
        FileKind::Sdist => archive::read_sdist(reader, &parsed),
        _ => Ok(None),
    };
    let read = tokio::task::spawn_blocking(read)
        .await
        .map_err(Error::internal)?;
    read.map_err(|error| Error::invalid(format!("'{name}' cannot be used: {error}")).because(error))
}

/// Text out of a file or a form, fit for a one-line ASCII message.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .take(80)
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '?'
            }
        })
        .collect()
}
