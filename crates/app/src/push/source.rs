//! What is pushed: a release of the source as it is at one moment.
//!
//! Invariant: everything of a [`Source`] was read in one transaction, and all
//! of its bytes are here.

use larder_model::{IndexKind, PushPart, PushRequest};
use larder_pypi::Version;
use larder_store::{FileRole, FileRow, Tx};
use serde_json::{Map, Value};

use super::mirrored::{self, Mirrored};
use crate::authorize::Grant;
use crate::error::Error;
use crate::{App, Result};

/// A release of the source.
#[derive(Debug)]
pub(super) struct Source {
    /// As the source spells it.
    pub(super) version: String,
    /// With devpi's keys (devpi: 1.8).
    pub(super) metadata: Map<String, Value>,
    /// By name.
    pub(super) files: Vec<SourceFile>,
    /// The documentation.
    pub(super) docs: Option<FileRow>,
}

/// A distribution file and what test runs said about it.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) file: FileRow,
    pub(super) toxresults: Vec<FileRow>,
}

/// What has to be known before the transaction that reads the source.
#[derive(Debug)]
pub(super) enum Prepared {
    /// Nothing: everything of a stage is in the database.
    Stage,
    /// What the upstream's page says; the files are here now.
    Mirror(Mirrored),
}

impl App {
    /// Makes sure that there is something to push and that its bytes are here.
    pub(super) async fn prepare(&self, from: &Grant, request: &PushRequest) -> Result<Prepared> {
        match from.index().kind() {
            IndexKind::Stage => {
                // Asked again under the write lock; most mistakes need not wait for it.
                let mut tx = self.store.read().await?;
                read_source(&mut tx, from, &Prepared::Stage, request).await?;
                Ok(Prepared::Stage)
            }
            IndexKind::Mirror => Ok(Prepared::Mirror(self.bring_release(from, request).await?)),
        }
    }
}

/// The release as this transaction shows it.
pub(super) async fn read_source(
    tx: &mut Tx,
    from: &Grant,
    prepared: &Prepared,
    request: &PushRequest,
) -> Result<Source> {
    let source = match prepared {
        Prepared::Stage => read_stage(tx, from, request).await?,
        Prepared::Mirror(mirrored) => mirrored::read(tx, from, mirrored, request).await?,
    };
    if source.files.is_empty() && source.docs.is_none() {
        return Err(Error::not_found(format!(
            "no release/files found for {} {}",
            request.name, request.version
        )));
    }
    Ok(source)
}

async fn read_stage(tx: &mut Tx, from: &Grant, request: &PushRequest) -> Result<Source> {
    let (id, project) = (from.index().id, &request.project);
    let absent = || no_files(from, request);
    let versions = tx.versions(&[id], project).await?;
    let spelling = spelling(&versions, &request.version).ok_or_else(absent)?;
    let release = tx.find_release(id, project, spelling).await?;
    let release = release.ok_or_else(absent)?;
    let mut files = tx.release_files(id, project, spelling, "").await?;
    files.retain(|file| file.version == release.version);
    Ok(Source::new(
        release.version,
        release.metadata,
        files,
        request.part,
    ))
}

/// devpi has `1.0` and `1.0.0` apart: the spelling decides where there are both.
fn spelling<'a>(versions: &'a [(i64, String)], wanted: &str) -> Option<&'a str> {
    let versions = versions.iter().map(|(_, version)| version.as_str());
    Version::lenient(wanted).spelled(versions)
}

/// devpi's words.
pub(super) fn no_files(from: &Grant, request: &PushRequest) -> Error {
    Error::invalid(format!(
        "there are no files for {} {} on stage {}",
        request.name,
        request.version,
        from.index().name
    ))
}

impl Source {
    pub(super) fn new(
        version: String,
        metadata: Map<String, Value>,
        mut rows: Vec<FileRow>,
        part: PushPart,
    ) -> Self {
        rows.sort_by(|a, b| a.filename.cmp(&b.filename).then(a.id.cmp(&b.id)));
        let toxresults: Vec<FileRow> = rows
            .extract_if(.., |row| row.kind == FileRole::Toxresult)
            .collect();
        let docs = rows
            .extract_if(.., |row| row.kind == FileRole::DocZip)
            .next();
        let about = |file: &FileRow| {
            let of_file = toxresults
                .iter()
                .filter(|result| result.parent == Some(file.id));
            let mut results: Vec<FileRow> = of_file.cloned().collect();
            results.sort_by_key(|result| result.id);
            results
        };
        let files = rows.into_iter().filter(|row| row.kind == FileRole::Release);
        let files = files.map(|file| SourceFile {
            toxresults: about(&file),
            file,
        });
        let (files, docs) = match part {
            PushPart::All => (files.collect(), docs),
            PushPart::WithoutDocs => (files.collect(), None),
            PushPart::DocsOnly => (Vec::new(), docs),
        };
        Self {
            version,
            metadata,
            files,
            docs,
        }
    }
}
