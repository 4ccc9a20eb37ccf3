//! Trip B: a file, or its metadata sidecar.
//!
//! Invariant: files are reached only through the index that owns them; a hash
//! in a path gives no access to another index's file.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use larder_model::{Caller, IndexKind, IndexName};
use larder_pypi::simple::{CoreMetadata, PageFile};
use larder_pypi::{Digest, ProjectName, filename};
use larder_store::{FileRow, Serial};
use quick_cache::sync::Cache;

use crate::authorize::{Grant, Right};
use crate::error::{Error, Kind};
use crate::fetch::Wanted;
use crate::file_path::FilePath;
use crate::mirror_refresh::Plan;
use crate::{App, Result};

/// Sidecars larger than this are no METADATA.
const MAX_SIDECAR_BYTES: u64 = 16 << 20;

/// Files whose row is remembered.
const MAX_REMEMBERED: usize = 20_000;

/// What is known of a file before its bytes are touched.
#[derive(Debug, Clone)]
pub struct FileMeta {
    /// The name.
    pub filename: String,
    /// The project it belongs to.
    pub project: ProjectName,
    /// The release it belongs to.
    pub version: String,
    /// Bytes, unless an upstream does not say.
    pub size: Option<u64>,
    /// The sha256, if known before the bytes are.
    pub digest: Option<Digest>,
    /// HTTP date.
    pub last_modified: Option<String>,
}

/// A file that was found; its bytes are not open yet.
#[derive(Debug, Clone)]
pub struct FileReply {
    /// What can be told at once.
    pub meta: FileMeta,
    source: Source,
    index: IndexName,
    path: FilePath,
    app: App,
}

#[derive(Debug, Clone)]
enum Source {
    /// The blob is here.
    Blob(Digest),
    /// Not fetched yet.
    Upstream(Arc<Wanted>),
}

/// Bytes to send.
pub enum FileBody {
    /// All of them, in memory or mapped.
    Whole(Bytes),
    /// One after the other; ends with an error if they turn out wrong.
    Stream {
        /// How many will come, if known.
        len: Option<u64>,
        /// The bytes.
        bytes: BoxStream<'static, Result<Bytes>>,
    },
}

impl std::fmt::Debug for FileBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Stream { len, .. } => write!(f, "Stream({len:?} bytes)"),
        }
    }
}

/// A metadata sidecar (PEP 658).
#[derive(Debug, Clone)]
pub struct SidecarReply {
    /// The METADATA file, byte for byte.
    pub body: Bytes,
    /// Its sha256.
    pub digest: Digest,
}

/// Rows of files, remembered.
#[derive(Debug)]
pub(crate) struct FileCache(Cache<(IndexName, FilePath), Arc<Remembered>>);

#[derive(Debug)]
struct Remembered {
    serial: Serial,
    meta: FileMeta,
    digest: Digest,
}

impl Default for FileCache {
    fn default() -> Self {
        Self(Cache::new(MAX_REMEMBERED))
    }
}

impl App {
    /// Finds a file by its path; does not open it.
    pub async fn file(
        &self,
        caller: &Caller,
        index: &IndexName,
        path: &FilePath,
    ) -> Result<FileReply> {
        self.catch_up().await?;
        let key = (index.clone(), path.clone());
        if let Some(known) = self.memory.files.0.get(&key)
            && self.memory.holds(known.serial, &known.meta.project)
        {
            let (index, path) = key;
            let source = Source::Blob(known.digest);
            return Ok(FileReply {
                meta: known.meta.clone(),
                source,
                index,
                path,
                app: self.clone(),
            });
        }
        // Boxed: a remembered file needs none of its room.
        Box::pin(self.look_up(caller, key)).await
    }

    async fn look_up(&self, caller: &Caller, key: (IndexName, FilePath)) -> Result<FileReply> {
        let (index, path) = &key;
        let grant = self.grant(caller, index, Right::Read).await?;
        let mut tx = self.store.read().await?;
        let serial = tx.serial().await?;
        if let Some(row) = tx
            .find_file(grant.index().id, path.area, &path.dir, &path.filename)
            .await?
        {
            return Ok(self.remember(key, serial, &row));
        }
        let removed = tx.was_removed(index, &path.to_string()).await?;
        drop(tx);
        if grant.index().kind() == IndexKind::Stage {
            return Err(if removed { file_gone() } else { no_file() });
        }
        let wanted = self.find_upstream(&grant, path, removed).await?;
        Ok(self.cold(wanted))
    }

    fn remember(&self, key: (IndexName, FilePath), serial: Serial, row: &FileRow) -> FileReply {
        let meta = FileMeta {
            filename: row.filename.clone(),
            project: row.project.clone(),
            version: row.version.clone(),
            size: Some(row.size),
            digest: Some(row.digest),
            last_modified: row
                .last_modified
                .clone()
                .or_else(|| Some(row.uploaded.to_http_date())),
        };
        let remembered = Remembered {
            serial,
            meta: meta.clone(),
            digest: row.digest,
        };
        let (index, path) = key.clone();
        self.memory.files.0.insert(key, Arc::new(remembered));
        FileReply {
            meta,
            source: Source::Blob(row.digest),
            index,
            path,
            app: self.clone(),
        }
    }

    fn cold(&self, wanted: Wanted) -> FileReply {
        let meta = FileMeta {
            filename: wanted.path.filename.clone(),
            project: wanted.project.clone(),
            version: crate::fetch::version_of(&wanted),
            size: wanted.entry.size,
            digest: wanted.entry.hashes.sha256(),
            last_modified: None,
        };
        let (index, path) = (wanted.index.name.clone(), wanted.path.clone());
        FileReply {
            meta,
            source: Source::Upstream(Arc::new(wanted)),
            index,
            path,
            app: self.clone(),
        }
    }

    /// The entry of the upstream's page that a path stands for. The project
    /// comes from the file's name, so that URLs in lock files work on an empty
    /// cache (S-01); the upstream's URL comes from its page, never from the path.
    async fn find_upstream(&self, grant: &Grant, path: &FilePath, removed: bool) -> Result<Wanted> {
        let absent = || if removed { file_gone() } else { no_file() };
        let parsed = filename::parse(&path.filename, None).map_err(|_| absent())?;
        let project: ProjectName = parsed.name.parse().map_err(|_| absent())?;
        if let Some(wanted) = self.stored_entry(grant, &project, path).await? {
            return self.unless_offline(wanted);
        }
        if self.settings.offline {
            return Err(offline());
        }
        let known = match self.plan_refresh(grant.index(), &project, false) {
            Plan::Use(known) | Plan::UseAndAsk(known) => known,
            Plan::Ask => self.refresh_page(grant.index(), &project).await,
        };
        match self.stored_entry(grant, &project, path).await? {
            Some(wanted) => Ok(wanted),
            None => Err(known.outcome.error().unwrap_or_else(absent)),
        }
    }

    async fn stored_entry(
        &self,
        grant: &Grant,
        project: &ProjectName,
        path: &FilePath,
    ) -> Result<Option<Wanted>> {
        let index = grant.index();
        let Some(stored) = self
            .store
            .read()
            .await?
            .mirror_page(index.id, project)
            .await?
        else {
            return Ok(None);
        };
        let entry = stored
            .page
            .files
            .into_iter()
            .find(|entry| is_at(entry, path));
        Ok(entry.map(|entry| Wanted {
            index: Arc::clone(index),
            project: project.clone(),
            path: path.clone(),
            entry,
        }))
    }

    fn unless_offline(&self, wanted: Wanted) -> Result<Wanted> {
        if self.settings.offline {
            Err(offline())
        } else {
            Ok(wanted)
        }
    }

    /// The METADATA of a wheel: from the cache, the upstream, or the wheel itself.
    pub async fn sidecar(
        &self,
        caller: &Caller,
        index: &IndexName,
        path: &FilePath,
    ) -> Result<SidecarReply> {
        let grant = self.grant(caller, index, Right::Read).await?;
        let mut tx = self.store.read().await?;
        let row = tx
            .find_file(grant.index().id, path.area, &path.dir, &path.filename)
            .await?;
        let known = match row.and_then(|row| row.metadata_digest) {
            Some(digest) => Some(digest),
            None => tx.find_sidecar(grant.index().id, &path.to_string()).await?,
        };
        drop(tx);
        if let Some(reply) = self.stored_sidecar(known).await? {
            return Ok(reply);
        }
        if grant.index().kind() == IndexKind::Stage {
            return Err(no_file());
        }
        self.upstream_sidecar(&grant, path).await
    }

    async fn stored_sidecar(&self, digest: Option<Digest>) -> Result<Option<SidecarReply>> {
        let Some(digest) = digest else {
            return Ok(None);
        };
        let Some(body) = self.blobs.open(&digest, None).await? else {
            return Ok(None);
        };
        Ok(Some(SidecarReply {
            body: body.collect(MAX_SIDECAR_BYTES).await?,
            digest,
        }))
    }

    /// P-09: the upstream's sidecar, checked against what its page announced,
    /// and kept. If it is gone, the wheel is fetched and read (S-28).
    async fn upstream_sidecar(&self, grant: &Grant, path: &FilePath) -> Result<SidecarReply> {
        let wanted = self.find_upstream(grant, path, false).await?;
        let announced = match wanted.entry.core_metadata {
            CoreMetadata::Absent => return Err(no_file()),
            CoreMetadata::Present => None,
            CoreMetadata::Sha256(digest) => Some(digest),
        };
        match self.fetch_sidecar(&wanted, announced).await {
            Ok(reply) => Ok(reply),
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Upstream) => {
                tracing::warn!(index = %grant.index().name, file = %path.filename, error = %crate::error_chain(&error), "the upstream's sidecar cannot be used; the wheel is read instead");
                self.sidecar_from_wheel(grant, wanted).await
            }
            Err(error) => Err(error),
        }
    }

    async fn fetch_sidecar(
        &self,
        wanted: &Wanted,
        announced: Option<Digest>,
    ) -> Result<SidecarReply> {
        let mut url = url::Url::parse(&wanted.entry.url).map_err(Error::internal)?;
        url.set_path(&format!("{}.metadata", url.path()));
        let endpoint = crate::mirror_refresh::endpoint(&wanted.index)?;
        let body = self
            .upstreams
            .fetch_small(&endpoint, &url, MAX_SIDECAR_BYTES)
            .await?;
        let digest = Digest::of(&body);
        if announced.is_some_and(|announced| announced != digest) {
            return Err(Error::new(
                Kind::Upstream,
                format!(
                    "the metadata of {} does not have the announced hash",
                    wanted.path.filename
                ),
            ));
        }
        self.blobs.publish_bytes(body.clone()).await?;
        let mut tx = self.store.write().await?;
        tx.put_sidecar(wanted.index.id, &wanted.path.to_string(), digest)
            .await?;
        tx.commit().await?;
        Ok(SidecarReply { body, digest })
    }

    async fn sidecar_from_wheel(&self, grant: &Grant, wanted: Wanted) -> Result<SidecarReply> {
        let path = wanted.path.clone();
        let mut following = self.fetch(wanted).await?.following.follow();
        while let Some(chunk) = following.next().await {
            chunk?;
        }
        self.fetches.landed(grant.index().id, &path).await;
        let row = self
            .store
            .read()
            .await?
            .find_file(grant.index().id, path.area, &path.dir, &path.filename)
            .await?;
        let digest = row.and_then(|row| row.metadata_digest);
        self.stored_sidecar(digest).await?.ok_or_else(no_file)
    }
}

impl FileReply {
    /// Opens the bytes, or this part of them. A file that is not here yet is
    /// fetched, together with everybody who wants it.
    pub async fn open(&self, range: Option<Range<u64>>) -> Result<FileBody> {
        match &self.source {
            Source::Blob(digest) => match self.app.blobs.open(digest, range.clone()).await? {
                Some(body) => Ok(match body.into_whole() {
                    Ok(bytes) => FileBody::Whole(bytes),
                    Err(body) => FileBody::Stream {
                        len: Some(body.len()),
                        bytes: body.into_stream().map(|chunk| Ok(chunk?)).boxed(),
                    },
                }),
                None => Box::pin(self.fetch_again(range)).await,
            },
            Source::Upstream(wanted) => Box::pin(self.follow(wanted.as_ref().clone(), range)).await,
        }
    }

    /// A blob that a row names is missing: a mirrored file is fetched anew.
    async fn fetch_again(&self, range: Option<Range<u64>>) -> Result<FileBody> {
        tracing::error!(index = %self.index, file = %self.meta.filename, digest = ?self.meta.digest, "a blob is missing that a row names");
        let grant = self
            .app
            .grant(&Caller::Anonymous, &self.index, Right::Read)
            .await?;
        if grant.index().kind() == IndexKind::Stage {
            return Err(no_file());
        }
        let wanted = self.app.find_upstream(&grant, &self.path, false).await?;
        self.follow(wanted, range).await
    }

    async fn follow(&self, wanted: Wanted, range: Option<Range<u64>>) -> Result<FileBody> {
        let stream = self.app.fetch(wanted).await?;
        let bytes = stream.following.follow();
        Ok(match range {
            None => FileBody::Stream {
                len: stream.len,
                bytes: bytes.map(|chunk| Ok(chunk?)).boxed(),
            },
            Some(range) => FileBody::Stream {
                len: Some(range.end - range.start),
                bytes: bytes.window(range).map(|chunk| Ok(chunk?)).boxed(),
            },
        })
    }
}

fn is_at(entry: &PageFile, path: &FilePath) -> bool {
    entry.filename == path.filename && FilePath::of_mirrored(entry) == *path
}

/// devpi's words.
pub(crate) fn no_file() -> Error {
    Error::not_found("no such file")
}

/// devpi's words.
fn file_gone() -> Error {
    Error::gone("file existed, deleted in later serial")
}

fn offline() -> Error {
    Error::new(
        Kind::Upstream,
        "the file is not in the cache, and the server runs in offline mode",
    )
}
