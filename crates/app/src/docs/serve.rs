//! Serving the pages of a documentation zip, straight out of it.
//!
//! Invariant: an index shows its own documentation, never that of its bases
//! (devpi: 6.2); a page that turns out damaged ends in an error.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::try_unfold;
use larder_blob::BlobReader;
use larder_model::{Caller, IndexName};
use larder_pypi::archive::{DocPage, DocPages, INDEX_PAGE};
use larder_pypi::{Digest, ProjectName, Version};
use larder_store::FileRow;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use crate::authorize::Right;
use crate::directory::anybody_reads;
use crate::error::Error;
use crate::file::FileBody;
use crate::{App, Result};

/// Room for the directories of archives, in bytes.
const CACHE_BYTES: u64 = 64 << 20;
/// Unpacked and handed on at once.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces of work on archives at the same moment.
const MAX_STEPS: usize = 16;

/// Which documentation of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocVersion {
    /// The newest there is.
    Latest,
    /// The newest that is no pre-release.
    Stable,
    /// That of a release.
    Of(String),
}

/// A page of documentation that was found; its bytes are not read yet.
#[derive(Debug, Clone)]
pub struct DocReply {
    /// The sha256 of the archive.
    pub digest: Digest,
    /// Bytes of the page.
    pub size: u64,
    /// HTTP date.
    pub last_modified: String,
    /// Anybody may have it; otherwise it is nothing for a shared cache (P10).
    pub is_open: bool,
    page: DocPage,
    app: App,
}

/// The directories of archives that were read lately. A digest names one
/// content for ever, so nothing here grows old.
#[derive(Debug)]
pub(crate) struct DocCache {
    pages: Cache<Digest, Arc<DocPages>, ByWeight>,
    steps: Semaphore,
}

#[derive(Debug, Clone)]
struct ByWeight;

impl Weighter<Digest, Arc<DocPages>> for ByWeight {
    fn weight(&self, _: &Digest, pages: &Arc<DocPages>) -> u64 {
        pages.weight()
    }
}

impl Default for DocCache {
    fn default() -> Self {
        Self {
            pages: Cache::with_weighter(100, CACHE_BYTES, ByWeight),
            steps: Semaphore::new(MAX_STEPS),
        }
    }
}

impl DocVersion {
    /// As it stands in an address.
    pub fn parse(text: &str) -> Self {
        match text {
            "latest" => Self::Latest,
            "stable" => Self::Stable,
            version => Self::Of(version.to_owned()),
        }
    }

    fn admits(&self, version: &Version) -> bool {
        match self {
            Self::Latest => true,
            Self::Stable => !version.is_prerelease(),
            Self::Of(wanted) => version.same_release(&Version::lenient(wanted)),
        }
    }

    /// devpi's words.
    fn absent(&self) -> Error {
        Error::not_found(match self {
            Self::Stable => "No stable documentation available.",
            Self::Latest | Self::Of(_) => "No documentation available.",
        })
    }
}

impl App {
    /// Finds a page of a project's documentation; does not read it.
    pub async fn documentation(
        &self,
        caller: &Caller,
        index: &IndexName,
        project: &ProjectName,
        version: &DocVersion,
        path: &str,
    ) -> Result<DocReply> {
        let grant = self.grant(caller, index, Right::Read).await?;
        let mut tx = self.store.read().await?;
        let files = tx.doc_archives(grant.index().id, project).await?;
        drop(tx);
        let mut archives: Vec<(Version, FileRow)> = files
            .into_iter()
            .map(|file| (Version::lenient(&file.version), file))
            .filter(|(of, _)| version.admits(of))
            .collect();
        archives.sort_by(|(a, _), (b, _)| b.cmp(a));
        for (_, archive) in archives {
            let pages = self.doc_pages(&archive.digest).await?;
            // devpi: documentation without a first page counts as none.
            if pages.find(INDEX_PAGE).is_none() {
                continue;
            }
            let page = pages.find(path).cloned().ok_or_else(|| {
                Error::not_found(format!("File {path} not found in documentation."))
            })?;
            return Ok(DocReply {
                digest: archive.digest,
                size: page.size(),
                last_modified: archive.uploaded.to_http_date(),
                is_open: anybody_reads(grant.index()),
                page,
                app: self.clone(),
            });
        }
        Err(version.absent())
    }

    /// The directory of an archive.
    async fn doc_pages(&self, digest: &Digest) -> Result<Arc<DocPages>> {
        if let Some(pages) = self.memory.docs.pages.get(digest) {
            return Ok(pages);
        }
        let reader = self.doc_reader(digest).await?;
        let read = self.doc_step(move || DocPages::read(BufReader::new(reader)));
        let pages = Arc::new(read.await?.map_err(Error::internal)?);
        self.memory.docs.pages.insert(*digest, Arc::clone(&pages));
        Ok(pages)
    }

    /// A piece of work on an archive, on a blocking thread. Few at a time: such
    /// a thread waits for others that read the blob.
    async fn doc_step<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let _slot = self
            .memory
            .docs
            .steps
            .acquire()
            .await
            .map_err(Error::internal)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::internal)
    }

    async fn doc_reader(&self, digest: &Digest) -> Result<BlobReader> {
        let reader = self.blobs.reader(digest).await?;
        let lost = || Error::internal(io::Error::other("the bytes of an archive are missing"));
        reader.ok_or_else(lost)
    }
}

impl DocReply {
    /// The bytes of the page: unpacked a piece at a time, as fast as the client
    /// takes them. No thread waits for a client.
    pub async fn open(&self) -> Result<FileBody> {
        let reader = self.app.doc_reader(&self.digest).await?;
        let page = self.page.clone();
        let opened = self.app.doc_step(move || page.open(reader)).await?;
        let page = opened.map_err(Error::internal)?;
        let app = self.app.clone();
        let bytes = try_unfold((app, page), |(app, mut page)| async move {
            let step = move || {
                let mut piece = Vec::with_capacity(PIECE_BYTES);
                let read = page
                    .by_ref()
                    .take(PIECE_BYTES as u64)
                    .read_to_end(&mut piece);
                read.map(|_| (piece, page))
            };
            let (piece, page) = app.doc_step(step).await?.map_err(Error::internal)?;
            Ok((!piece.is_empty()).then(|| (Bytes::from(piece), (app, page))))
        });
        Ok(FileBody::Stream {
            len: Some(self.size),
            bytes: bytes.boxed(),
        })
    }
}
