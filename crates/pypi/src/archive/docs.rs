//! Documentation: a zip whose members are pages.
//!
//! Invariant: nothing is unpacked but the page that is asked for, and a page is
//! whole, with its length and checksum, or an error. Left out: what is in them.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom, Take};

use flate2::CrcReader;
use flate2::read::DeflateDecoder;

use super::ArchiveError;
use super::zip::{Member, Zip, data_of};
use super::zip_bytes::STORED;

/// Most members: their directory is kept in memory while pages are read.
const MAX_PAGES: usize = 20_000;

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
    if Zip::open(file)?.members().len() > MAX_PAGES {
        return Err(ArchiveError::TooLarge);
    }
    Ok(())
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
        self.0.header().unpacked
    }

    /// The page, to be read a piece at a time from its archive.
    ///
    /// # Errors
    /// [`ArchiveError`]: the archive cannot be read, or is damaged.
    pub fn open<R: Read + Seek>(&self, mut archive: R) -> Result<PageReader<R>, ArchiveError> {
        let data = data_of(&mut archive, &self.0)?;
        archive
            .seek(SeekFrom::Start(data))
            .map_err(ArchiveError::Io)?;
        let header = self.0.header();
        let packed = archive.take(header.packed);
        let content = if header.method == STORED {
            Content::Stored(packed)
        } else {
            Content::Deflated(DeflateDecoder::new(packed))
        };
        Ok(PageReader {
            content: CrcReader::new(content),
            left: header.unpacked,
            crc: header.crc,
        })
    }
}

/// A page on its way out of its archive. Its end is an error if the length or
/// the checksum is not what the archive says.
#[derive(Debug)]
pub struct PageReader<R> {
    content: CrcReader<Content<R>>,
    left: u64,
    crc: u32,
}

#[derive(Debug)]
enum Content<R> {
    Stored(Take<R>),
    Deflated(DeflateDecoder<Take<R>>),
}

impl<R: Read> Read for Content<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(content) => content.read(out),
            Self::Deflated(content) => content.read(out),
        }
    }
}

impl<R: Read> Read for PageReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.content.read(out)?;
        let damaged = || io::Error::from(io::ErrorKind::InvalidData);
        self.left = self.left.checked_sub(len as u64).ok_or_else(damaged)?;
        let is_wrong = self.left > 0 || self.content.crc().sum() != self.crc;
        if len == 0 && !out.is_empty() && is_wrong {
            return Err(damaged());
        }
        Ok(len)
    }
}
