//! The PKG-INFO of a source archive.

use std::io::{self, Read, Seek};

use flate2::read::MultiGzDecoder;
use tar::Archive;

use super::zip::Zip;
use super::{ArchiveError, MAX_METADATA_BYTES, ReadArtifact, tar as members, unpacked_limit};
use crate::filename::DistFilename;

/// Reads PKG-INFO in the archive's one top folder, wherever `file` stands;
/// `None` if an old sdist has none, or if it is packed as bzip2, which is not
/// opened. Whether its name and version are the file's is the caller's check,
/// since old tools spelled them in ways that only the upload form settles.
///
/// # Errors
/// [`ArchiveError`]: damaged, unsafe, a bomb, or PKG-INFO that cannot be used.
pub fn read_sdist<R: Read + Seek>(
    mut file: R,
    filename: &DistFilename,
) -> Result<Option<ReadArtifact>, ArchiveError> {
    let packed = file.seek(io::SeekFrom::End(0)).map_err(ArchiveError::Io)?;
    file.rewind().map_err(ArchiveError::Io)?;
    let limit = unpacked_limit(packed);
    let metadata = match filename.extension {
        ".tar.gz" | ".tgz" => read_tar(MultiGzDecoder::new(file).take(limit))?,
        ".tar" => read_tar(file.take(limit))?,
        ".zip" => read_zip(file)?,
        _ => return check_bzip2(file).map(|()| None),
    };
    metadata.map(ReadArtifact::new).transpose()
}

/// Finds PKG-INFO among members, in the one top folder.
#[derive(Debug, Default)]
struct TopFolder {
    name: Option<String>,
    is_only: bool,
}

impl TopFolder {
    /// Whether this member is the top folder's PKG-INFO, as far as one can tell yet.
    fn has_pkg_info(&mut self, path: &str) -> bool {
        let (top, rest) = path.split_once('/').unwrap_or((path, ""));
        if top.is_empty() {
            return false;
        }
        match &self.name {
            None => (self.name, self.is_only) = (Some(top.to_owned()), true),
            Some(name) => self.is_only &= name == top,
        }
        rest == "PKG-INFO"
    }
}

/// Reads all of a tar, so that a damaged one is found; keeps only PKG-INFO.
fn read_tar<R: Read>(source: io::Take<R>) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut archive = Archive::new(source);
    let (mut metadata, mut top) = (None, TopFolder::default());
    members::walk(&mut archive, |member, content| {
        if !top.has_pkg_info(&member.path) {
            return Ok(());
        }
        if !member.is_file {
            return Err(ArchiveError::Unsafe("PKG-INFO is no file"));
        }
        if metadata.is_some() {
            return Err(ArchiveError::Ambiguous("PKG-INFO is there twice"));
        }
        if member.size > MAX_METADATA_BYTES {
            return Err(ArchiveError::TooLarge);
        }
        let mut bytes = Vec::new();
        content
            .read_to_end(&mut bytes)
            .map_err(|_| members::DAMAGED)?;
        if bytes.len() as u64 != member.size {
            return Err(members::DAMAGED);
        }
        metadata = Some(bytes);
        Ok(())
    })?;
    check_end(archive.into_inner())?;
    Ok(metadata.filter(|_| top.is_only))
}

/// Whether the source ended by itself and not at the limit, nor with an error.
fn check_end<R: Read>(mut source: io::Take<R>) -> Result<(), ArchiveError> {
    io::copy(&mut source, &mut io::sink()).map_err(|_| members::DAMAGED)?;
    if source.limit() == 0 {
        Err(ArchiveError::TooLarge)
    } else {
        Ok(())
    }
}

fn read_zip<R: Read + Seek>(file: R) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut zip = Zip::open(file)?;
    let mut top = TopFolder::default();
    let mut found = Vec::new();
    for member in zip.members() {
        if top.has_pkg_info(&member.path) {
            found.push(member.clone());
        }
    }
    match found.pop().filter(|_| top.is_only) {
        Some(member) => zip.read(&member, MAX_METADATA_BYTES).map(Some),
        None => Ok(None),
    }
}

fn check_bzip2<R: Read>(mut file: R) -> Result<(), ArchiveError> {
    const DAMAGED: ArchiveError = ArchiveError::Damaged("bzip2");
    let mut magic = [0; 3];
    file.read_exact(&mut magic).map_err(|_| DAMAGED)?;
    if &magic == b"BZh" {
        Ok(())
    } else {
        Err(DAMAGED)
    }
}
