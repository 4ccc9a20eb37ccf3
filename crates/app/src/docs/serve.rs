//! Serving the pages of a documentation zip, straight out of it.
//!
//! Invariant: an index shows its own documentation, never that of its bases
//! (devpi: 6.2); a page that turns out damaged ends in an error.

use std::io::{self, BufReader, Write};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use larder_blob::BlobReader;
use larder_model::{Caller, IndexName};
use larder_pypi::archive::{DocPage, DocPages, INDEX_PAGE};
use larder_pypi::{Digest, ProjectName, Version};
use larder_store::{FileRole, FileRow};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::mpsc;

use crate::authorize::Right;
use crate::directory::anybody_reads;
use crate::error::Error;
use crate::file::FileBody;
use crate::{App, Result};

/// Room for the directories of archives, in bytes.
const CACHE_BYTES: u64 = 16 << 20;
/// Handed on at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that wait for a slow client.
const WAITING_CHUNKS: usize = 4;

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
pub(crate) struct DocCache(Cache<Digest, Arc<DocPages>, ByWeight>);

#[derive(Debug, Clone)]
struct ByWeight;

impl Weighter<Digest, Arc<DocPages>> for ByWeight {
    fn weight(&self, _: &Digest, pages: &Arc<DocPages>) -> u64 {
        pages.weight()
    }
}

impl Default for DocCache {
    fn default() -> Self {
        Self(Cache::with_weighter(100, CACHE_BYTES, ByWeight))
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
        let files = tx.files(&[grant.index().id], project).await?;
        drop(tx);
        let mut archives: Vec<(Version, FileRow)> = files
            .into_iter()
            .filter(|file| file.kind == FileRole::DocZip)
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
        if let Some(pages) = self.memory.docs.0.get(digest) {
            return Ok(pages);
        }
        let reader = self.doc_reader(digest).await?;
        let read = tokio::task::spawn_blocking(move || DocPages::read(reader));
        let pages = read.await.map_err(Error::internal)?;
        let pages = Arc::new(pages.map_err(Error::internal)?);
        self.memory.docs.0.insert(*digest, Arc::clone(&pages));
        Ok(pages)
    }

    async fn doc_reader(&self, digest: &Digest) -> Result<BufReader<BlobReader>> {
        let reader = self.blobs.reader(digest).await?;
        let lost = || Error::internal(io::Error::other("the bytes of an archive are missing"));
        Ok(BufReader::new(reader.ok_or_else(lost)?))
    }
}

impl DocReply {
    /// The bytes of the page.
    pub async fn open(&self) -> Result<FileBody> {
        let reader = self.app.doc_reader(&self.digest).await?;
        let (sender, mut receiver) = mpsc::channel(WAITING_CHUNKS);
        let page = self.page.clone();
        tokio::task::spawn_blocking(move || {
            let mut chunks = Chunks {
                sender,
                buffer: BytesMut::new(),
            };
            let unpacked = page.unpack(reader, &mut chunks);
            let end = match unpacked {
                Ok(()) => chunks.flush().map_err(Error::internal),
                Err(error) => Err(Error::internal(error)),
            };
            if let Err(error) = end {
                // Nobody listens if the client has left.
                let _ = chunks.sender.blocking_send(Err(error));
            }
        });
        Ok(FileBody::Stream {
            len: Some(self.size),
            bytes: poll_fn(move |context| receiver.poll_recv(context)).boxed(),
        })
    }
}

/// Writes into a channel, a chunk at a time.
struct Chunks {
    sender: mpsc::Sender<Result<Bytes>>,
    buffer: BytesMut,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = self.buffer.split().freeze();
        let left = self.sender.blocking_send(Ok(chunk));
        left.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
