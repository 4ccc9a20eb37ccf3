//! Step three: may this file be added to what is there? Pure, so that it can
//! be asked twice: early, to spare work, and inside the transaction that decides.

use larder_model::IndexConfig;
use larder_pypi::filename;
use larder_store::{FileRole, FileRow};

use super::read::ReadRelease;
use crate::Result;
use crate::error::Error;

/// How a file is to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No file of that name.
    New,
    /// The same bytes under the same name: nothing changes.
    Identical,
    /// Other bytes on a volatile index: this row goes.
    Replace {
        /// The row's id.
        old: i64,
    },
}

/// The rule for a file name that is taken (U-08, devpi: 4.4).
pub(super) fn admit(config: &IndexConfig, new: &ReadRelease, there: &[FileRow]) -> Result<Verdict> {
    let same = there
        .iter()
        .filter(|file| file.kind == FileRole::Release)
        .find(|file| is_same_name(new, file));
    let Some(old) = same else {
        return Ok(Verdict::New);
    };
    if old.digest == new.computed.sha256 && old.filename == new.filename {
        return Ok(Verdict::Identical);
    }
    if config.volatile {
        return Ok(Verdict::Replace { old: old.id });
    }
    // "File already exists" is what upload clients look for.
    Err(Error::conflict(format!(
        "{} already exists in non-volatile index: File already exists with different content",
        old.filename
    )))
}

/// M-05: names that differ only in spelling name one file.
fn is_same_name(new: &ReadRelease, file: &FileRow) -> bool {
    file.filename == new.filename
        || filename::same_file(&file.filename, &new.filename, &new.project)
}
