//! Reading wheels and sdists far enough to know what they say they are.
//!
//! Invariant: nothing is unpacked to disk; an archive that two readers could
//! read differently is refused (standards 7.3); memory and work are bounded
//! whatever is sent. Left out: RECORD and the contents.

mod docs;
mod path;
mod sdist;
mod tar;
mod wheel;
mod zip;
mod zip_bytes;

use std::io;

pub use docs::{DocPage, DocPages, INDEX_PAGE, PageReader, check_docs};
pub use sdist::read_sdist;
pub use wheel::read_wheel;

use crate::metadata::{CoreMetadata, MetadataError};

/// Metadata found in an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadArtifact {
    /// METADATA or PKG-INFO, byte for byte (M-01).
    pub metadata: Vec<u8>,
    /// The same, read.
    pub parsed: CoreMetadata,
}

/// Why an artifact cannot be used. The text ends a sentence such as
/// "'x.whl' cannot be used: …".
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It could not be read from where it lies.
    #[error("it could not be read")]
    Io(#[source] io::Error),
    /// Not the kind of archive its name says, or damaged.
    #[error("it is not a good {0} archive")]
    Damaged(&'static str),
    /// Two readers could see different things in it.
    #[error("it is ambiguous: {0}")]
    Ambiguous(&'static str),
    /// A member with a name that leads outside, or that is no file.
    #[error("it has an unsafe member: {0}")]
    Unsafe(&'static str),
    /// A bomb, or larger than any real one.
    #[error("it is too large inside")]
    TooLarge,
    /// A compression or encryption that installers do not read.
    #[error("it is packed in a way that installers do not read")]
    Unreadable,
    /// No METADATA that belongs to its file name (S-30).
    #[error("it has no metadata that belongs to its file name")]
    NoMetadata,
    /// The METADATA says another name or version than the file name.
    #[error("its metadata is about another project or version than its file name")]
    OtherRelease,
    /// Metadata that cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// Largest METADATA or PKG-INFO, in bytes.
const MAX_METADATA_BYTES: u64 = 16 << 20;
/// Most members of an archive.
const MAX_MEMBERS: u64 = 200_000;
/// What an archive may always unpack to, in bytes…
const FREE_BYTES: u64 = 64 << 20;
/// …and by how much it may grow beyond that (Warehouse: 50:1 above 64 MiB).
const MAX_RATIO: u64 = 50;

/// What an archive of this length may unpack to before it counts as a bomb.
fn unpacked_limit(packed: u64) -> u64 {
    FREE_BYTES.max(packed.saturating_mul(MAX_RATIO))
}

impl ReadArtifact {
    fn new(metadata: Vec<u8>) -> Result<Self, ArchiveError> {
        let parsed = CoreMetadata::parse(&metadata)?;
        Ok(Self { metadata, parsed })
    }
}

#[cfg(test)]
mod tests;
