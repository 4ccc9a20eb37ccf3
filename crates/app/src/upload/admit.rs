//! Step three: may this file be added to what is there? Pure, so that it can
//! be asked twice: early, to spare work, and inside the transaction that decides.

use larder_model::IndexConfig;
use larder_pypi::{Digest, ProjectName, filename};
use larder_store::{FileRole, FileRow};

use crate::Result;
use crate::error::Error;

/// A file that wants to be added to a project of an index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) project: &'a ProjectName,
    pub(crate) filename: &'a str,
    pub(crate) kind: FileRole,
    pub(crate) digest: Digest,
}

/// How a file is to be recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict<'a> {
    /// No file of that name.
    New,
    /// The same bytes under the same name: nothing changes.
    Identical(&'a FileRow),
    /// Other bytes on a volatile index: this one goes.
    Replace(&'a FileRow),
}

/// The rule for a file name that is taken (U-08, devpi: 4.4).
pub(crate) fn admit<'a>(
    config: &IndexConfig,
    new: Candidate<'_>,
    there: &'a [FileRow],
) -> Result<Verdict<'a>> {
    let same = there
        .iter()
        .filter(|file| file.kind == new.kind)
        .find(|file| is_same_name(new, file));
    let Some(old) = same else {
        return Ok(Verdict::New);
    };
    if old.digest == new.digest && old.filename == new.filename {
        return Ok(Verdict::Identical(old));
    }
    if config.volatile {
        return Ok(Verdict::Replace(old));
    }
    // "File already exists" is what upload clients look for.
    Err(Error::conflict(format!(
        "{} already exists in non-volatile index: File already exists with different content",
        old.filename
    )))
}

/// M-05: names that differ only in spelling name one file.
fn is_same_name(new: Candidate<'_>, file: &FileRow) -> bool {
    file.filename == new.filename || filename::same_file(&file.filename, new.filename, new.project)
}
