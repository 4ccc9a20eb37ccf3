//! A blob read at any place, for work that wants a file.
//!
//! Invariant: at most [`WINDOW_BYTES`] of it are in memory. Left out: checking
//! the whole against its digest, which reading parts cannot do.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;
use larder_pypi::Digest;
use tokio::runtime::Handle;

use crate::Blobs;
use crate::error::Result;

/// Read at once.
const WINDOW_BYTES: u64 = 64 << 10;

/// A blob as a file. Its reads block: for blocking threads alone.
pub struct BlobReader {
    blobs: Blobs,
    digest: Digest,
    total: u64,
    at: u64,
    /// Bytes at hand, and where they stand.
    window: Bytes,
    window_at: u64,
    runtime: Handle,
}

impl Blobs {
    /// Opens a blob for reading at any place; `None` if there is no such blob,
    /// or an empty one. Call it on the async runtime, read it off it.
    pub async fn reader(&self, digest: &Digest) -> Result<Option<BlobReader>> {
        if *digest == Digest::of(b"") {
            return Ok(None);
        }
        let first = self.open(digest, Some(0..1)).await?;
        Ok(first.map(|first| BlobReader {
            blobs: self.clone(),
            digest: *digest,
            total: first.total(),
            at: 0,
            window: Bytes::new(),
            window_at: 0,
            runtime: Handle::current(),
        }))
    }
}

impl BlobReader {
    /// What follows in the window.
    fn at_hand(&self) -> Option<&[u8]> {
        let offset = self.at.checked_sub(self.window_at)?;
        let rest = self.window.get(usize::try_from(offset).ok()?..)?;
        (!rest.is_empty()).then_some(rest)
    }

    fn fill(&mut self) -> io::Result<()> {
        let range = self.at..self.total.min(self.at + WINDOW_BYTES);
        let opened = self.blobs.open(&self.digest, Some(range));
        let bytes = self.runtime.block_on(async {
            match opened.await? {
                Some(body) => body.collect(WINDOW_BYTES).await.map(Some),
                None => Ok(None),
            }
        });
        let bytes = bytes.map_err(io::Error::other)?;
        self.window = bytes.ok_or(io::ErrorKind::NotFound)?;
        self.window_at = self.at;
        Ok(())
    }
}

impl Read for BlobReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.total || out.is_empty() {
            return Ok(0);
        }
        if self.at_hand().is_none() {
            self.fill()?;
        }
        let rest = self.at_hand().ok_or(io::ErrorKind::UnexpectedEof)?;
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.total.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobReader")
            .field("digest", &self.digest)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
