//! A release of a mirror as the source of a push: which files its upstream has
//! of it, their bytes, and the metadata inside them.
//!
//! Invariant: every file was fetched as for a client, so its size and hashes
//! are what the upstream's page says.

use std::io::BufReader;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use larder_model::{PushRequest, Timestamp};
use larder_pypi::filename::{self, FileKind};
use larder_pypi::hashes::Algorithms;
use larder_pypi::metadata::CoreMetadata;
use larder_pypi::simple::{PageFile, ProjectPage};
use larder_pypi::{ProjectName, Version, archive};
use larder_store::{FileRow, Tx};
use serde_json::{Map, Value, json};

use super::source::{Source, no_files};
use crate::authorize::Grant;
use crate::error::{Error, Kind};
use crate::fetch::{Fetched, Wanted};
use crate::file_path::FilePath;
use crate::mirror_refresh::Plan;
use crate::{App, Result};

/// Files fetched at the same time.
const FETCHES: usize = 4;
/// METADATA larger than this is none.
const MAX_METADATA_BYTES: u64 = 16 << 20;

/// What is known of a mirror's release.
#[derive(Debug)]
pub(super) struct Mirrored {
    version: String,
    metadata: Map<String, Value>,
    /// As the upstream's page has them.
    files: Vec<PageFile>,
}

impl App {
    /// Finds a release on the upstream's page and fetches all of its files.
    pub(super) async fn bring_release(
        &self,
        from: &Grant,
        request: &PushRequest,
    ) -> Result<Mirrored> {
        let (index, project) = (from.index(), &request.project);
        let page = self.page_for_push(from, request).await?;
        let quarantined = |word: &str| word.eq_ignore_ascii_case("quarantined");
        if page
            .status
            .is_some_and(|status| quarantined(&status.status))
        {
            return Err(Error::forbidden(format!(
                "project {project} is in quarantine at its upstream: it is not pushed"
            )));
        }
        let mut files = page.files;
        files.retain(|file| is_of_release(file, project, &request.version));
        if self.settings.offline {
            let rows = self.store.read().await?.files(&[index.id], project).await?;
            files.retain(|file| find_row(&rows, file).is_some());
        }
        if files.is_empty() {
            return Err(no_files(from, request));
        }
        let fetches: Vec<_> = files
            .iter()
            .map(|entry| {
                self.bring(Wanted {
                    index: Arc::clone(index),
                    project: project.clone(),
                    path: FilePath::of_mirrored(entry),
                    entry: entry.clone(),
                })
            })
            .collect();
        let fetching = stream::iter(fetches).buffer_unordered(FETCHES);
        fetching.try_collect::<Vec<()>>().await?;
        let (version, metadata) = self.metadata_inside(from, request, &files).await?;
        Ok(Mirrored {
            version,
            metadata,
            files,
        })
    }

    /// The upstream's page, as fresh as for a client.
    async fn page_for_push(&self, from: &Grant, request: &PushRequest) -> Result<ProjectPage> {
        let (index, project) = (from.index(), &request.project);
        let stored = || async {
            let mut tx = self.store.read().await?;
            let page = tx.mirror_page(index.id, project).await?;
            Ok::<_, Error>(page.map(|stored| stored.page))
        };
        let page = stored().await?;
        if self.settings.offline {
            return page.ok_or_else(|| no_files(from, request));
        }
        let (known, page) = match self.plan_refresh(index, project, page.is_some()) {
            Plan::Use(known) | Plan::UseAndAsk(known) => (known, page),
            Plan::Ask => (self.refresh_page(index, project).await, stored().await?),
        };
        let failed = || known.outcome.error();
        page.ok_or_else(|| failed().unwrap_or_else(|| no_files(from, request)))
    }

    /// Fetches a file unless it is here, and waits until it counts as cached.
    async fn bring(&self, wanted: Wanted) -> Result<()> {
        let (id, path) = (wanted.index.id, wanted.path.clone());
        let fetched = self.fetch(wanted).await.map_err(|error| {
            // devpi: an upstream that lost the file has failed.
            match error.kind() {
                Kind::NotFound => {
                    let message = format!("{}: {}", path.filename, error.message());
                    Error::new(Kind::Upstream, message).because(error)
                }
                _ => error,
            }
        })?;
        if let Fetched::Streaming(stream) = fetched {
            let mut bytes = stream.following.follow();
            while let Some(chunk) = bytes.next().await {
                chunk.map_err(|error| {
                    let message = format!("{}: {error}", path.filename);
                    Error::new(Kind::Upstream, message).because(error)
                })?;
            }
            self.fetches.landed(id, &path).await;
        }
        Ok(())
    }

    /// Version and metadata: what the files say about themselves, else what
    /// their names and the page say.
    async fn metadata_inside(
        &self,
        from: &Grant,
        request: &PushRequest,
        files: &[PageFile],
    ) -> Result<(String, Map<String, Value>)> {
        let project = &request.project;
        let mut tx = self.store.read().await?;
        let rows = tx.files(&[from.index().id], project).await?;
        drop(tx);
        let mut rows: Vec<&FileRow> = files
            .iter()
            .filter_map(|entry| find_row(&rows, entry))
            .collect();
        // A wheel's metadata is at hand; an archive has to be read.
        rows.sort_by_key(|row| row.metadata_digest.is_none());
        let wanted = Version::lenient(&request.version);
        for row in rows {
            let Some(inside) = self.read_inside(row).await? else {
                continue;
            };
            let is_project = inside
                .name
                .parse()
                .is_ok_and(|name: ProjectName| name == *project);
            if is_project && wanted.same_release(&Version::lenient(&inside.version)) {
                return Ok((inside.version.clone(), inside.to_json()));
            }
        }
        let spelled = files.iter().find_map(|entry| version_of(entry, project));
        let version = spelled.unwrap_or_else(|| request.version.clone());
        let requires_python = files.iter().find_map(|entry| entry.requires_python.clone());
        let mut metadata = Map::from_iter([
            ("name".to_owned(), json!(project)),
            ("version".to_owned(), json!(version)),
        ]);
        if let Some(requires_python) = requires_python {
            metadata.insert("requires_python".to_owned(), json!(requires_python));
        }
        Ok((version, metadata))
    }

    async fn read_inside(&self, row: &FileRow) -> Result<Option<CoreMetadata>> {
        let Some(digest) = &row.metadata_digest else {
            return self.read_sdist(row).await;
        };
        let Some(body) = self.blobs.open(digest, None).await? else {
            return Ok(None);
        };
        let bytes = body.collect(MAX_METADATA_BYTES).await?;
        Ok(CoreMetadata::parse(&bytes).ok())
    }

    /// A source archive is read from a spool, wherever its blob lies.
    async fn read_sdist(&self, row: &FileRow) -> Result<Option<CoreMetadata>> {
        let Ok(parsed) = filename::parse(&row.filename, Some(&row.project)) else {
            return Ok(None);
        };
        if parsed.kind != FileKind::Sdist {
            return Ok(None);
        }
        let Some(body) = self.blobs.open(&row.digest, None).await? else {
            return Ok(None);
        };
        let mut spool = self.blobs.spool(Algorithms::default()).await?;
        let mut bytes = body.into_stream();
        while let Some(chunk) = bytes.next().await {
            spool.append(chunk?).await?;
        }
        let finished = spool.finish().await?;
        let reader = BufReader::new(finished.reader()?);
        let read = tokio::task::spawn_blocking(move || archive::read_sdist(reader, &parsed));
        let artifact = read.await.map_err(Error::internal)?.ok().flatten();
        Ok(artifact.map(|artifact| artifact.parsed))
    }
}

/// The release as this transaction shows it: the rows of the cached files,
/// with what the page says about them.
pub(super) async fn read(
    tx: &mut Tx,
    from: &Grant,
    mirrored: &Mirrored,
    request: &PushRequest,
) -> Result<Source> {
    let rows = tx.files(&[from.index().id], &request.project).await?;
    let mut found = Vec::with_capacity(mirrored.files.len());
    for entry in &mirrored.files {
        let row = find_row(&rows, entry).ok_or_else(|| {
            Error::conflict(format!(
                "{} was deleted from {} meanwhile; push again",
                entry.filename,
                from.index().name
            ))
        })?;
        let uploaded = entry.upload_time.as_deref();
        found.push(FileRow {
            requires_python: entry.requires_python.clone(),
            yanked: entry.yanked.clone(),
            // Decision: a file keeps the time of its first upload.
            uploaded: uploaded
                .and_then(Timestamp::from_rfc3339)
                .unwrap_or(row.uploaded),
            ..row.clone()
        });
    }
    let (version, metadata) = (mirrored.version.clone(), mirrored.metadata.clone());
    Ok(Source::new(version, metadata, found, request.part))
}

fn find_row<'a>(rows: &'a [FileRow], entry: &PageFile) -> Option<&'a FileRow> {
    let path = FilePath::of_mirrored(entry);
    rows.iter()
        .find(|row| (row.area, &row.dir, &row.filename) == (path.area, &path.dir, &path.filename))
}

fn is_of_release(entry: &PageFile, project: &ProjectName, version: &str) -> bool {
    let wanted = Version::lenient(version);
    version_of(entry, project).is_some_and(|found| wanted.same_release(&Version::lenient(&found)))
}

fn version_of(entry: &PageFile, project: &ProjectName) -> Option<String> {
    let parsed = filename::parse(&entry.filename, Some(project)).ok()?;
    Some(parsed.version)
}
