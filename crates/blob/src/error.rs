//! What can go wrong with bytes.
//!
//! Invariant: an error names what was tried; the cause is its source, never
//! part of the text.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use larder_pypi::Digest;

/// Shorthand of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why bytes could not be stored or had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file operation failed.
    #[error("cannot {action}")]
    Io {
        /// What was tried, as "write the spool".
        action: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The object store refused, or could not be reached.
    #[error("cannot {action} the object store")]
    ObjectStore {
        /// What was tried, as "read a blob from".
        action: &'static str,
        /// It may work again later: connection lost, server error, throttled.
        is_transient: bool,
        /// What the store said.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The stored bytes are not those of the digest: an incident, logged where
    /// it is found. A local blob is moved to quarantine.
    #[error("the bytes of blob {digest} are not what its name says")]
    Corrupt {
        /// The blob.
        digest: Digest,
    },
    /// The asked range does not lie within the blob.
    #[error("the bytes {start}..{end} are not within the {len} bytes of blob {digest}")]
    OutOfRange {
        /// The blob.
        digest: Digest,
        /// First byte asked for.
        start: u64,
        /// First byte not asked for.
        end: u64,
        /// Bytes there are.
        len: u64,
    },
    /// Fewer bytes came than were announced, or more.
    #[error("{got} bytes came instead of {expected}")]
    Truncated {
        /// Bytes that came, so far.
        got: u64,
        /// Bytes that were to come.
        expected: u64,
    },
    /// The one who wrote the bytes found them to be wrong.
    #[error("the transfer failed: {reason}")]
    Failed {
        /// The writer's words.
        reason: Arc<str>,
    },
    /// The one who wrote the bytes left without a verdict.
    #[error("the transfer was given up before its end")]
    Abandoned,
    /// A body was to be collected that is larger than allowed.
    #[error("the body has {len} bytes, more than the allowed {limit}")]
    TooLarge {
        /// Bytes it has.
        len: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Blobs are hard links of spools, so both live on one file system.
    #[error(
        "the spool folder {} and the blob folder {} are on different file systems; \
         put them on the same one",
        spool.display(),
        blobs.display()
    )]
    OtherFilesystem {
        /// Where bytes in flight are kept.
        spool: PathBuf,
        /// Where blobs are kept.
        blobs: PathBuf,
    },
}

impl Error {
    /// The disk, or the quota on it, is used up: nothing was stored.
    pub fn is_no_space(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }

    /// The object store cannot be reached or is overloaded; worth another try.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::ObjectStore {
                is_transient: true,
                ..
            }
        )
    }

    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }

    pub(crate) fn object_store(action: &'static str) -> impl FnOnce(object_store::Error) -> Self {
        move |source| Self::ObjectStore {
            action,
            is_transient: matches!(source, object_store::Error::Generic { .. }),
            source: Box::new(source),
        }
    }
}
