//! The METADATA of a wheel.

use std::io::{Read, Seek};

use super::zip::{Member, Zip};
use super::{ArchiveError, MAX_METADATA_BYTES, ReadArtifact};
use crate::filename::DistFilename;
use crate::{ProjectName, Version};

/// Reads the METADATA of the one top-level `.dist-info`, which has to belong
/// to the file's name (S-30). `file` is read from wherever it stands.
///
/// # Errors
/// [`ArchiveError`]: not a zip that every reader reads alike, no usable
/// METADATA, or one of another project or version (M-05).
pub fn read_wheel<R: Read + Seek>(
    file: R,
    filename: &DistFilename,
) -> Result<ReadArtifact, ArchiveError> {
    let mut zip = Zip::open(file)?;
    let folder = info_folder(zip.members())?;
    if !belongs(folder, filename) {
        return Err(ArchiveError::NoMetadata);
    }
    let wanted = format!("{folder}/METADATA");
    let member = zip.find(&wanted).ok_or(ArchiveError::NoMetadata)?;
    let artifact = ReadArtifact::new(zip.read(&member, MAX_METADATA_BYTES)?)?;
    let parsed = &artifact.parsed;
    if same_name(&parsed.name, filename) && same_version(&parsed.version, filename) {
        Ok(artifact)
    } else {
        Err(ArchiveError::OtherRelease)
    }
}

/// The one `.dist-info` at the top; pip refuses several too.
fn info_folder(members: &[Member]) -> Result<&str, ArchiveError> {
    let top_folders = members
        .iter()
        .filter_map(|member| member.path.split_once('/'));
    let mut infos = top_folders
        .map(|(folder, _)| folder)
        .filter(|folder| folder.ends_with(".dist-info"));
    let first = infos.next().ok_or(ArchiveError::NoMetadata)?;
    if infos.any(|other| other != first) {
        return Err(ArchiveError::Ambiguous("it has several .dist-info folders"));
    }
    Ok(first)
}

/// `NAME-VERSION.dist-info` for this file's name and version, however spelled.
fn belongs(folder: &str, filename: &DistFilename) -> bool {
    let stem = folder.strip_suffix(".dist-info").unwrap_or(folder);
    stem.match_indices('-')
        .any(|(at, _)| same_name(&stem[..at], filename) && same_version(&stem[at + 1..], filename))
}

fn same_name(name: &str, filename: &DistFilename) -> bool {
    let outer = filename.name.parse::<ProjectName>();
    name.parse::<ProjectName>()
        .is_ok_and(|inner| outer == Ok(inner))
}

fn same_version(version: &str, filename: &DistFilename) -> bool {
    Version::lenient(version).same_release(&Version::lenient(&filename.version))
}
