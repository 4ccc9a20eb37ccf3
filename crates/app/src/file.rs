//! Trip B: a file.
//!
//! Invariant: files are reached only through the index that owns them; a hash
//! in a path gives no access to another index's file.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use larder_model::{Caller, IndexKind, IndexName};
use larder_pypi::simple::PageFile;
use larder_pypi::{Digest, ProjectName, filename};
use larder_store::{FileRow, Serial};
use quick_cache::sync::Cache;

use crate::authorize::{Grant, Right};
use crate::directory::anybody_reads;
use crate::error::{Error, Kind};
use crate::fetch::{Fetched, Wanted};
use crate::file_path::FilePath;
use crate::mirror_refresh::Plan;
use crate::{App, Result};

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
    caller: Caller,
    /// Anybody may have it; otherwise it is nothing for a shared cache (P10).
    pub is_open: bool,
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

/// Rows of files, remembered.
#[derive(Debug)]
pub(crate) struct FileCache(Cache<(IndexName, FilePath), Arc<Remembered>>);

#[derive(Debug)]
struct Remembered {
    rules: Serial,
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
        let grant = match self.grant(caller, index, Right::Read).await {
            Err(error) if error.kind() == Kind::NotFound => {
                return Err(self.gone_with_its_index(index, path, error).await?);
            }
            granted => granted?,
        };
        let key = (index.clone(), path.clone());
        if let Some(known) = self.memory.files.0.get(&key)
            && self
                .memory
                .holds(known.rules, known.serial, &known.meta.project)
        {
            let (index, path) = key;
            let source = Source::Blob(known.digest);
            return Ok(FileReply {
                meta: known.meta.clone(),
                source,
                caller: caller.clone(),
                is_open: anybody_reads(grant.index()),
                index,
                path,
                app: self.clone(),
            });
        }
        // Boxed: a remembered file needs none of its room.
        Box::pin(self.look_up(&grant, key)).await
    }

    /// devpi: a file stays gone when its index goes.
    async fn gone_with_its_index(
        &self,
        index: &IndexName,
        path: &FilePath,
        error: Error,
    ) -> Result<Error> {
        let mut tx = self.store.read().await?;
        let removed = tx.was_removed(index, &path.to_string()).await?;
        Ok(if removed { file_gone() } else { error })
    }

    async fn look_up(&self, grant: &Grant, key: (IndexName, FilePath)) -> Result<FileReply> {
        let (index, path) = &key;
        let mut tx = self.store.read().await?;
        let serial = tx.serial().await?;
        if let Some(row) = tx
            .find_file(grant.index().id, path.area, &path.dir, &path.filename)
            .await?
        {
            return Ok(self.remember(grant, key, serial, &row));
        }
        let removed = tx.was_removed(index, &path.to_string()).await?;
        drop(tx);
        if grant.index().kind() == IndexKind::Stage {
            return Err(if removed { file_gone() } else { no_file() });
        }
        let wanted = self.find_upstream(grant, path, removed).await?;
        Ok(self.cold(grant, wanted))
    }

    fn remember(
        &self,
        grant: &Grant,
        key: (IndexName, FilePath),
        serial: Serial,
        row: &FileRow,
    ) -> FileReply {
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
            rules: grant.directory().serial,
            serial,
            meta: meta.clone(),
            digest: row.digest,
        };
        let (index, path) = key.clone();
        self.memory.files.0.insert(key, Arc::new(remembered));
        FileReply {
            meta,
            source: Source::Blob(row.digest),
            caller: grant.caller().clone(),
            is_open: anybody_reads(grant.index()),
            index,
            path,
            app: self.clone(),
        }
    }

    fn cold(&self, grant: &Grant, wanted: Wanted) -> FileReply {
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
            caller: grant.caller().clone(),
            is_open: anybody_reads(grant.index()),
            index,
            path,
            app: self.clone(),
        }
    }

    /// The entry of the upstream's page that a path stands for. The project
    /// comes from the file's name, so that URLs in lock files work on an empty
    /// cache (S-01); the upstream's URL comes from its page, never from the path.
    pub(crate) async fn find_upstream(
        &self,
        grant: &Grant,
        path: &FilePath,
        removed: bool,
    ) -> Result<Wanted> {
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
}

impl FileReply {
    /// Where clients are sent for a file that is not here: with devpi's
    /// `mirror_use_external_urls`, and never with credentials.
    pub fn external_url(&self) -> Option<String> {
        let Source::Upstream(wanted) = &self.source else {
            return None;
        };
        let mirror = wanted.index.config.mirror()?;
        let is_wanted = mirror.mirror_use_external_urls == Some(true);
        is_wanted.then(|| without_credentials(&wanted.entry.url))?
    }

    /// Opens the bytes, or this part of them. A file that is not here yet is
    /// fetched, together with everybody who wants it.
    pub async fn open(&self, range: Option<Range<u64>>) -> Result<FileBody> {
        match &self.source {
            Source::Blob(digest) => match self.open_blob(digest, range.clone()).await? {
                Some(body) => {
                    self.app.metrics.files_hit.increment();
                    Ok(body)
                }
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
            .grant(&self.caller, &self.index, Right::Read)
            .await?;
        if grant.index().kind() == IndexKind::Stage {
            let lost = std::io::Error::other("the bytes of an uploaded file are missing");
            return Err(Error::internal(lost));
        }
        let wanted = self.app.find_upstream(&grant, &self.path, false).await?;
        self.follow(wanted, range).await
    }

    async fn open_blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Option<FileBody>> {
        let body = self.app.blobs.open(digest, range).await?;
        Ok(body.map(|body| match body.into_whole() {
            Ok(bytes) => FileBody::Whole(bytes),
            Err(body) => FileBody::Stream {
                len: Some(body.len()),
                bytes: body.into_stream().map(|chunk| Ok(chunk?)).boxed(),
            },
        }))
    }

    async fn follow(&self, wanted: Wanted, range: Option<Range<u64>>) -> Result<FileBody> {
        let stream = match self.app.fetch(wanted).await? {
            Fetched::Streaming(stream) => stream,
            Fetched::Cached(digest) => {
                return self.open_blob(&digest, range).await?.ok_or_else(no_file);
            }
        };
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

pub(crate) fn without_credentials(url: &str) -> Option<String> {
    let mut url = url::Url::parse(url).ok()?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url.into())
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
