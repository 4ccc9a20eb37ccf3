//! Documentation: a zip whose members are pages.
//!
//! Invariant: nothing is unpacked but the page that is asked for, and a page is
//! whole, with its length and checksum, or an error. Left out: what is in them.

use std::collections::HashMap;
use std::io::{Read, Seek, Write};

use super::ArchiveError;
use super::zip::{Member, Zip, unpack_member};

/// What a browser asks for first.
pub const INDEX_PAGE: &str = "index.html";

/// The pages of a documentation archive, by path.
#[derive(Debug, Clone, Default)]
pub struct DocPages(HashMap<String, DocPage>);

/// One page, and where it lies in its archive.
#[derive(Debug, Clone)]
pub struct DocPage(Member);

/// Checks an archive of documentation that arrived: a zip that every reader
/// reads alike, no path outside, no link, no bomb (reliability: F85-F90).
///
/// # Errors
/// [`ArchiveError`]: what is wrong with it.
pub fn check_docs<R: Read + Seek>(file: R) -> Result<(), ArchiveError> {
    Zip::open(file).map(drop)
}

impl DocPages {
    /// Reads the directory of an archive that [`check_docs`] let through.
    ///
    /// # Errors
    /// [`ArchiveError`]: it cannot be read, or is another one.
    pub fn read<R: Read + Seek>(file: R) -> Result<Self, ArchiveError> {
        let members = Zip::list(file)?.into_members().into_iter();
        let pages = members
            .filter(|member| !member.is_folder())
            .map(|member| (member.path.clone(), DocPage(member)));
        Ok(Self(pages.collect()))
    }

    /// The page at a path: relative, with `/`, no `.` and `..`.
    pub fn find(&self, path: &str) -> Option<&DocPage> {
        self.0.get(path)
    }

    /// Bytes of memory this takes, roughly.
    pub fn weight(&self) -> u64 {
        let paths = self.0.keys().map(|path| 2 * path.len() as u64 + 200);
        paths.sum::<u64>() + 100
    }
}

impl DocPage {
    /// Bytes of the page.
    pub fn size(&self) -> u64 {
        self.0.unpacked()
    }

    /// Writes the page; fails at the end if its length or checksum is wrong.
    ///
    /// # Errors
    /// [`ArchiveError`]: the archive cannot be read, is damaged, or `out` failed.
    pub fn unpack<R: Read + Seek>(
        &self,
        mut file: R,
        out: &mut impl Write,
    ) -> Result<(), ArchiveError> {
        unpack_member(&mut file, &self.0, out)
    }
}
