//! The METADATA of a wheel.

use std::io::{Read, Seek};

use super::zip::{Member, Zip};
use super::{ArchiveError, MAX_METADATA_BYTES, ReadArtifact};
use crate::filename::DistFilename;
use crate::{ProjectName, Version};

/// Reads the METADATA of the one top-level `.dist-info` that belongs to the
/// file's name (S-30). `file` is read from wherever it stands.
///
/// # Errors
/// [`ArchiveError`]: not a zip that every reader reads alike, or no usable METADATA.
pub fn read_wheel<R: Read + Seek>(
    file: R,
    filename: &DistFilename,
) -> Result<ReadArtifact, ArchiveError> {
    let mut zip = Zip::open(file)?;
    let mut own = zip
        .members
        .iter()
        .filter(|member| is_metadata_of(&member.name, filename));
    let member: Member = own.next().ok_or(ArchiveError::NoMetadata)?.clone();
    if own.next().is_some() {
        return Err(ArchiveError::Ambiguous("its metadata is there twice"));
    }
    if member.unpacked > MAX_METADATA_BYTES {
        return Err(ArchiveError::TooLarge);
    }
    ReadArtifact::new(zip.read(&member)?)
}

/// `NAME-VERSION.dist-info/METADATA` for this file's name and version, however spelled.
fn is_metadata_of(member: &str, filename: &DistFilename) -> bool {
    let Some(folder) = member
        .strip_suffix(".dist-info/METADATA")
        .filter(|folder| !folder.contains('/'))
    else {
        return false;
    };
    let Some((name, version)) = folder.rsplit_once('-') else {
        return false;
    };
    let (Ok(inner), Ok(outer)) = (
        name.parse::<ProjectName>(),
        filename.name.parse::<ProjectName>(),
    ) else {
        return false;
    };
    inner == outer && Version::lenient(version).same_release(&Version::lenient(&filename.version))
}
