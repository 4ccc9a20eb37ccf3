//! Bytes by sha256, in a folder or in an S3 bucket; bytes on their way in
//! (spools, which can be followed while they fill); and the lock on the data
//! folder. Knows digests, not projects.
//!
//! Invariants: a blob is durable before [`Blobs::publish`] returns; its bytes
//! never change; bytes that turn out wrong, or fewer than announced, end in an
//! error, never in a clean end. A file is never held whole in memory unless it
//! is small.
//!
//! Left out: which blobs are still needed. See docs/adr/0003-blobs.md.

mod blocking;
mod body;
mod durable;
mod error;
mod failpoint;
mod follow;
mod key;
mod known;
mod local;
mod location;
mod lock;
mod map;
mod read;
mod reader;
mod s3;
mod spool;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use larder_pypi::Digest;
use larder_pypi::hashes::Algorithms;

pub use body::Body;
pub use error::{Error, Result};
pub use follow::{Follower, Following, HOLD_BACK};
pub use location::{InvalidLocation, Location};
pub use lock::{DataDirLock, LockError, lock_data_dir};
pub use reader::BlobReader;
pub use spool::{Finished, Spool};

use blocking::blocking;
use local::Local;
use s3::S3;
use spool::SpoolFile;

/// All blobs of one place. Clones share it.
#[derive(Debug, Clone)]
pub struct Blobs {
    backend: Backend,
    spool_dir: Arc<PathBuf>,
}

#[derive(Debug, Clone)]
enum Backend {
    Local(Arc<Local>),
    S3(Arc<S3>),
}

impl Blobs {
    /// Opens a place for blobs, making missing folders (0700), and removes the
    /// spools that processes now dead left in `spool_dir`. Takes the same time
    /// however many blobs there are, and does not talk to S3 yet.
    ///
    /// A local place and `spool_dir` must be on one file system
    /// ([`Error::OtherFilesystem`]). S3 is set up by the `AWS_*` variables:
    /// `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and so on.
    pub async fn at(location: Location, spool_dir: &Path) -> Result<Self> {
        let spool_dir = Arc::new(spool_dir.to_owned());
        blocking(move || {
            durable::make_dir_all(&spool_dir)?;
            let backend = match location {
                Location::Local(root) => Backend::Local(Arc::new(Local::open(root, &spool_dir)?)),
                Location::S3 { bucket, prefix } => {
                    Backend::S3(Arc::new(S3::open(&bucket, &prefix)?))
                }
            };
            spool::remove_leftovers(&spool_dir)?;
            Ok(Self { backend, spool_dir })
        })
        .await
    }

    /// Begins to take bytes in, computing sha256 and these further hashes.
    pub async fn spool(&self, algorithms: Algorithms) -> Result<Spool> {
        spool::new_spool(self.spool_dir.to_path_buf(), algorithms).await
    }

    /// Makes a finished spool a blob: durable and readable under its digest. If
    /// there is such a blob already it stays, and its age begins anew. Then lets
    /// those who follow the spool have its end.
    ///
    /// Goes on to its end when the caller leaves. Ends the process if the disk
    /// does not confirm the bytes (a failed `fsync`).
    pub async fn publish(&self, finished: Finished) -> Result<Digest> {
        let Finished {
            file,
            computed,
            report,
        } = finished;
        let digest = computed.sha256;
        match &self.backend {
            Backend::Local(local) => {
                let local = Arc::clone(local);
                blocking(move || {
                    local.publish(&file, &digest, computed.len)?;
                    report.accept();
                    Ok(())
                })
                .await?;
            }
            Backend::S3(s3) => {
                let s3 = Arc::clone(s3);
                blocking(move || {
                    s3.publish(&digest, file.bytes(computed.len)?)?;
                    report.accept();
                    Ok(())
                })
                .await?;
            }
        }
        Ok(digest)
    }

    /// Makes bytes that are in memory a blob, as [`Blobs::publish`] does. For small things.
    pub async fn publish_bytes(&self, bytes: Bytes) -> Result<Digest> {
        let digest = Digest::of(&bytes);
        match &self.backend {
            Backend::Local(local) => {
                let (local, spool_dir) = (Arc::clone(local), Arc::clone(&self.spool_dir));
                blocking(move || {
                    let spool = SpoolFile::create(&spool_dir)?;
                    spool.write_all(&bytes)?;
                    local.publish(&spool, &digest, bytes.len() as u64)
                })
                .await?;
            }
            Backend::S3(s3) => {
                let s3 = Arc::clone(s3);
                blocking(move || s3.publish(&digest, bytes)).await?;
            }
        }
        Ok(digest)
    }

    /// Opens a blob, or the bytes `range` of it; `None` if there is no such blob.
    ///
    /// [`Error::OutOfRange`] if the range does not lie within the blob;
    /// [`Error::Corrupt`], here or from the body, if its bytes are wrong.
    pub async fn open(&self, digest: &Digest, range: Option<Range<u64>>) -> Result<Option<Body>> {
        match &self.backend {
            Backend::Local(local) => read::open(local, digest, range.as_ref()).await,
            Backend::S3(s3) => s3.open_blob(digest, range.as_ref()).await,
        }
    }

    /// Whether there is such a blob. Says nothing about its bytes.
    pub async fn exists(&self, digest: &Digest) -> Result<bool> {
        match &self.backend {
            Backend::Local(local) => {
                let (local, digest) = (Arc::clone(local), *digest);
                blocking(move || local.exists(&digest)).await
            }
            Backend::S3(s3) => s3.exists(digest).await,
        }
    }

    /// Removes a blob; one that is not there is fine. Who is reading it may go on.
    pub async fn delete(&self, digest: &Digest) -> Result<()> {
        match &self.backend {
            Backend::Local(local) => {
                let (local, digest) = (Arc::clone(local), *digest);
                blocking(move || local.delete(&digest)).await
            }
            Backend::S3(s3) => s3.delete(digest).await,
        }
    }
}
