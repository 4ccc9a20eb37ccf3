//! The PKG-INFO of a source archive.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::zip::Zip;
use super::{
    ArchiveError, FREE_BYTES, MAX_MEMBERS, MAX_METADATA_BYTES, MAX_RATIO, ReadArtifact, is_inside,
};
use crate::filename::DistFilename;

/// Reads PKG-INFO in the archive's top folder; `None` if an old sdist has
/// none, or if it is packed as bzip2, which is not opened.
///
/// # Errors
/// [`ArchiveError`]: damaged, unsafe, a bomb, or PKG-INFO that cannot be used.
pub fn read_sdist<R: Read + Seek>(
    mut file: R,
    filename: &DistFilename,
) -> Result<Option<ReadArtifact>, ArchiveError> {
    let packed = file.seek(SeekFrom::End(0)).map_err(ArchiveError::Io)?;
    file.rewind().map_err(ArchiveError::Io)?;
    // The bytes a tar may unpack to before it counts as a bomb.
    let limit = FREE_BYTES.max(packed.saturating_mul(MAX_RATIO));
    let metadata = match filename.extension {
        ".tar.gz" | ".tgz" => read_tar(MultiGzDecoder::new(file).take(limit))?,
        ".tar" => read_tar(file.take(limit))?,
        ".zip" => read_zip(file)?,
        _ => return check_bzip2(file).map(|()| None),
    };
    metadata.map(ReadArtifact::new).transpose()
}

/// Reads all of a tar, so that a damaged one is found; keeps only PKG-INFO.
fn read_tar<R: Read>(source: io::Take<R>) -> Result<Option<Vec<u8>>, ArchiveError> {
    const DAMAGED: ArchiveError = ArchiveError::Damaged("tar");
    let mut archive = tar::Archive::new(source);
    let (mut metadata, mut members) = (None, 0);
    for entry in archive.entries().map_err(|_| DAMAGED)? {
        let mut entry = entry.map_err(|_| DAMAGED)?;
        members += 1;
        if members > MAX_MEMBERS {
            return Err(ArchiveError::TooLarge);
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !is_inside_tar(&name) {
            return Err(ArchiveError::Unsafe("a path that leads outside"));
        }
        let kind = entry.header().entry_type();
        if !matches!(
            kind,
            EntryType::Regular
                | EntryType::Continuous
                | EntryType::Directory
                | EntryType::Symlink
                | EntryType::Link
                | EntryType::GNUSparse
        ) {
            return Err(ArchiveError::Unsafe("a member that is no file"));
        }
        if !is_pkg_info(&name) {
            continue;
        }
        if kind != EntryType::Regular {
            return Err(ArchiveError::Unsafe("PKG-INFO is no file"));
        }
        if metadata.is_some() {
            return Err(ArchiveError::Ambiguous("PKG-INFO is there twice"));
        }
        if entry.size() > MAX_METADATA_BYTES {
            return Err(ArchiveError::TooLarge);
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|_| DAMAGED)?;
        metadata = Some(bytes);
    }
    if members == 0 {
        return Err(DAMAGED);
    }
    check_end(archive.into_inner())?;
    Ok(metadata)
}

/// Whether the source ended by itself and not at the limit, nor with an error.
fn check_end<R: Read>(mut source: io::Take<R>) -> Result<(), ArchiveError> {
    io::copy(&mut source, &mut io::sink()).map_err(|_| ArchiveError::Damaged("tar"))?;
    if source.limit() == 0 {
        Err(ArchiveError::TooLarge)
    } else {
        Ok(())
    }
}

fn read_zip<R: Read + Seek>(file: R) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut zip = Zip::open(file)?;
    let Some(member) = zip
        .members
        .iter()
        .find(|member| is_pkg_info(&member.name))
        .cloned()
    else {
        return Ok(None);
    };
    if member.unpacked > MAX_METADATA_BYTES {
        return Err(ArchiveError::TooLarge);
    }
    zip.read(&member).map(Some)
}

fn check_bzip2<R: Read>(mut file: R) -> Result<(), ArchiveError> {
    let mut magic = [0; 3];
    file.read_exact(&mut magic)
        .map_err(|_| ArchiveError::Damaged("bzip2"))?;
    if &magic == b"BZh" {
        Ok(())
    } else {
        Err(ArchiveError::Damaged("bzip2"))
    }
}

/// Old archives begin every name with `./`.
fn is_inside_tar(name: &str) -> bool {
    let name = name.strip_prefix("./").unwrap_or(name);
    name.is_empty() || is_inside(&name.replace(':', "_"))
}

/// `FOLDER/PKG-INFO`.
fn is_pkg_info(name: &str) -> bool {
    let name = name.strip_prefix("./").unwrap_or(name);
    name.split_once('/')
        .is_some_and(|(folder, rest)| !folder.is_empty() && rest == "PKG-INFO")
}
