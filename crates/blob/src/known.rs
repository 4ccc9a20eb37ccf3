//! What this process knows of local blobs: which ones it has found right, and
//! the bytes of those in demand.
//!
//! Invariant: knowledge is tied to a fingerprint (length, inode, time of
//! change). A blob that somebody touched, cut or replaced is hashed again before
//! it is served, at the latest a second after the change. Rot below the file
//! system is not seen here; that is what a scrub is for.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use larder_pypi::Digest;
use larder_pypi::hashes::{Algorithms, Hasher};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::blocking::{READ_BYTES, read_at};
use crate::error::{Error, Result};
use crate::map::Map;

/// Blobs up to this size are handed out in one piece and kept.
pub(crate) const KEPT_BYTES: u64 = 4 << 20;

/// Smaller blobs are copied: a mapping costs more than the copy.
const COPIED_BYTES: u64 = 64 << 10;

/// Bytes kept, at most. Mapped ones are the kernel's page cache, not memory of our own.
const CACHE_BYTES: u64 = 64 << 20;

/// Blobs known to be right, at most.
const CACHE_BLOBS: usize = 1 << 16;

/// How long kept bytes are given out without a look at their file.
const TRUST_MILLIS: u64 = 1000;

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) len: u64,
    inode: u64,
    changed: (i64, i64),
}

/// A file that was hashed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) is_right: bool,
}

#[derive(Debug)]
pub(crate) struct Known {
    right: Cache<Digest, Fingerprint>,
    kept: Cache<Digest, std::sync::Arc<Kept>, ByLength>,
    started: Instant,
}

#[derive(Debug)]
struct Kept {
    bytes: Bytes,
    fingerprint: Fingerprint,
    looked_at: AtomicU64,
}

#[derive(Debug, Clone)]
struct ByLength;

impl Weighter<Digest, std::sync::Arc<Kept>> for ByLength {
    fn weight(&self, _: &Digest, kept: &std::sync::Arc<Kept>) -> u64 {
        // No less than the entry itself.
        kept.bytes.len() as u64 + 256
    }
}

impl Default for Known {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "fails only if a capacity is missing")]
        // Few shards, so that the largest kept blob is a small part of one.
        let options = OptionsBuilder::new()
            .estimated_items_capacity(1024)
            .weight_capacity(CACHE_BYTES)
            .shards(4)
            .build()
            .expect("invariant: both capacities are given");
        Self {
            right: Cache::new(CACHE_BLOBS),
            kept: Cache::with_options(
                options,
                ByLength,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            started: Instant::now(),
        }
    }
}

impl Fingerprint {
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|meta| Self::from_metadata(&meta))
    }

    /// `None` if there is no such file.
    pub(crate) fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(meta) => Ok(Some(Self::from_metadata(&meta))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn from_metadata(meta: &fs::Metadata) -> Self {
        // Not ctime: it changes with every link that is made or removed.
        Self {
            len: meta.len(),
            inode: meta.ino(),
            changed: (meta.mtime(), meta.mtime_nsec()),
        }
    }
}

impl Known {
    /// The bytes of a blob in demand, without touching the disk.
    pub(crate) fn bytes(&self, digest: &Digest) -> Option<Bytes> {
        let kept = self.kept.get(digest)?;
        let age = self
            .millis()
            .saturating_sub(kept.looked_at.load(Ordering::Relaxed));
        (age < TRUST_MILLIS).then(|| kept.bytes.clone())
    }

    /// The bytes of a small file that was found right, kept for the next time. Blocks.
    pub(crate) fn keep(
        &self,
        file: &File,
        digest: &Digest,
        fingerprint: Fingerprint,
    ) -> io::Result<Bytes> {
        if let Some(kept) = self.kept.get(digest)
            && kept.fingerprint == fingerprint
        {
            kept.looked_at.store(self.millis(), Ordering::Relaxed);
            return Ok(kept.bytes.clone());
        }
        let len = fingerprint.len;
        let bytes = if len <= COPIED_BYTES {
            read_at(file, 0, len)?
        } else {
            let map = Map::new(file, len)?;
            let bytes = map.clone().into_bytes();
            map.load(&(0..bytes.len()))?;
            bytes
        };
        let looked_at = AtomicU64::new(self.millis());
        self.kept.insert(
            *digest,
            Kept {
                bytes: bytes.clone(),
                fingerprint,
                looked_at,
            }
            .into(),
        );
        Ok(bytes)
    }

    /// Whether this very file was found right before.
    pub(crate) fn is_right(&self, digest: &Digest, fingerprint: Fingerprint) -> bool {
        self.right.get(digest) == Some(fingerprint)
    }

    pub(crate) fn mark_right(&self, digest: &Digest, fingerprint: Fingerprint) {
        self.right.insert(*digest, fingerprint);
    }

    /// Hashes the file of a blob unless that was done before; `None` if there is
    /// no file. Many callers at once share one reading. Blocks.
    pub(crate) fn verify_at(&self, path: &Path, digest: &Digest) -> Result<Option<Found>> {
        match File::open(path) {
            Ok(file) => self
                .verify(&file, digest)
                .map(Some)
                .map_err(Error::io("read a blob")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io {
                action: "open a blob",
                source,
            }),
        }
    }

    pub(crate) fn verify(&self, file: &File, digest: &Digest) -> io::Result<Found> {
        let fingerprint = Fingerprint::of(file)?;
        let wrong = Found {
            fingerprint,
            is_right: false,
        };
        let known = self.right.get_or_insert_with(digest, || {
            match is_digest_of(file, fingerprint.len, digest) {
                Ok(true) => Ok(fingerprint),
                Ok(false) => Err(None),
                Err(error) => Err(Some(error)),
            }
        });
        match known {
            Ok(known) if known == fingerprint => Ok(Found {
                fingerprint,
                is_right: true,
            }),
            // It is another file by now.
            Ok(_) if is_digest_of(file, fingerprint.len, digest)? => {
                self.mark_right(digest, fingerprint);
                Ok(Found {
                    fingerprint,
                    is_right: true,
                })
            }
            Ok(_) | Err(None) => Ok(wrong),
            Err(Some(error)) => Err(error),
        }
    }

    /// Only the time of a right blob changed, by our own hand.
    pub(crate) fn renew(&self, path: &Path, digest: &Digest) {
        let Ok(Some(now)) = Fingerprint::at(path) else {
            return;
        };
        let before = self.right.get(digest);
        if before.is_some_and(|before| before.len == now.len && before.inode == now.inode) {
            self.mark_right(digest, now);
        }
    }

    pub(crate) fn forget(&self, digest: &Digest) {
        self.right.remove(digest);
        self.kept.remove(digest);
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A file that is shorter than it says is not right either.
fn is_digest_of(file: &File, len: u64, digest: &Digest) -> io::Result<bool> {
    let mut hasher = Hasher::new(Algorithms::default());
    let mut at = 0;
    while at < len {
        let step = (len - at).min(READ_BYTES);
        match read_at(file, at, step) {
            Ok(bytes) => hasher.update(&bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
        at += step;
    }
    Ok(hasher.finish().sha256 == *digest)
}
