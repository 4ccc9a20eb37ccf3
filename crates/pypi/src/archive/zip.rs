//! A strict reader of zip archives.
//!
//! The central directory is the truth, and everything else has to agree with
//! it: the local headers, the descriptors, the beginning, the end. Members lie
//! one after the other without a gap, so that a reader from front to back finds
//! what a reader of the directory finds. No library refuses all of this.

use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom, Write};

use flate2::CrcReader;
use flate2::read::DeflateDecoder;

use super::path::normal_path;
use super::zip_bytes::{
    CentralEntry, DAMAGED, DEFLATED, DESCRIPTOR, Directory, ENCRYPTED, END_LEN, END64_LEN, Header,
    LOCAL_LEN, LOCATOR64_LEN, Result, STORED, UTF8, end_record, end_record64, is_descriptor_of,
    local_header, local_tail_len, locator64,
};
use super::{ArchiveError, MAX_MEMBERS, unpacked_limit};

/// Largest central directory looked at, in bytes.
const MAX_DIRECTORY_BYTES: u64 = 32 << 20;

const HEADERS_DISAGREE: ArchiveError =
    ArchiveError::Ambiguous("a member's own header and the directory disagree");

/// One member of an archive, as its central directory has it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// In one spelling; see [`normal_path`].
    pub(super) path: String,
    name: Vec<u8>,
    header: Header,
    /// Of its local header.
    offset: u64,
}

/// An archive whose structure was checked.
#[derive(Debug)]
pub(super) struct Zip<R> {
    file: R,
    members: Vec<Member>,
    /// Where the central directory stands.
    directory: u64,
}

impl Member {
    /// As its header has it.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with(b"/")
    }
}

impl<R: Read + Seek> Zip<R> {
    /// Reads and checks the structure. Of the members, only those with a data
    /// descriptor are unpacked, to see that their data ends where it should.
    pub(super) fn open(file: R) -> Result<Self> {
        let mut zip = Self::list(file)?;
        zip.members.sort_by_key(|member| member.offset);
        zip.check_layout()?;
        Ok(zip)
    }

    /// Reads the directory alone, of an archive that [`Self::open`] has seen before.
    pub(super) fn list(mut file: R) -> Result<Self> {
        let len = file.seek(SeekFrom::End(0)).map_err(ArchiveError::Io)?;
        let directory = find_directory(&mut file, len)?;
        let bytes = read_at(&mut file, directory.offset, directory.len)?;
        let members = read_members(&bytes, directory.entries)?;
        check_names(&members)?;
        let sizes = members.iter().map(|member| member.header.unpacked);
        if sizes.fold(0, u64::saturating_add) > unpacked_limit(len) {
            return Err(ArchiveError::TooLarge);
        }
        Ok(Self {
            file,
            members,
            directory: directory.offset,
        })
    }

    /// All members.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member with this path.
    pub(super) fn find(&self, path: &str) -> Option<Member> {
        self.members
            .iter()
            .find(|member| member.path == path)
            .cloned()
    }

    /// Unpacks one member of at most `max` bytes, checking length and checksum.
    pub(super) fn read(&mut self, member: &Member, max: u64) -> Result<Vec<u8>> {
        if member.header.unpacked > max {
            return Err(ArchiveError::TooLarge);
        }
        let mut bytes = Vec::new();
        let data = data_of(&mut self.file, member)?;
        unpack(&mut self.file, &member.header, data, &mut bytes)?;
        Ok(bytes)
    }

    /// All members, given away.
    pub(super) fn into_members(self) -> Vec<Member> {
        self.members
    }

    /// The members fill the file from its first byte to the directory.
    fn check_layout(&mut self) -> Result<()> {
        let directory = self.directory;
        if self
            .members
            .first()
            .map_or(directory, |member| member.offset)
            != 0
        {
            return Err(ArchiveError::Ambiguous(
                "bytes stand before its first member",
            ));
        }
        for at in 0..self.members.len() {
            let member = self.members[at].clone();
            let next = self
                .members
                .get(at + 1)
                .map_or(directory, |next| next.offset);
            let data = self.check_local_header(&member)?;
            let end = data.checked_add(member.header.packed).ok_or(DAMAGED)?;
            let behind = next
                .checked_sub(end)
                .ok_or(ArchiveError::Ambiguous("two members share bytes"))?;
            if member.header.flags & DESCRIPTOR != 0 {
                self.check_descriptor(&member.header, data, behind)?;
            } else if behind != 0 {
                return Err(ArchiveError::Ambiguous("bytes stand between its members"));
            }
        }
        Ok(())
    }

    /// The local header says what the directory says; returns where the data begins.
    fn check_local_header(&mut self, member: &Member) -> Result<u64> {
        let fixed = read_at(&mut self.file, member.offset, LOCAL_LEN)?;
        let tail_len = local_tail_len(&fixed)?;
        let tail = read_at(&mut self.file, member.offset + LOCAL_LEN, tail_len)?;
        let (local, name) = local_header(&fixed, &tail)?;
        let bits = ENCRYPTED | DESCRIPTOR | if name.is_ascii() { 0 } else { UTF8 };
        let wanted = &member.header;
        let same_sizes = (local.crc, local.packed, local.unpacked)
            == (wanted.crc, wanted.packed, wanted.unpacked);
        // Sizes that follow the data are zero in front of it.
        let no_sizes = wanted.flags & DESCRIPTOR != 0
            && (local.crc, local.packed, local.unpacked) == (0, 0, 0);
        let same = name == member.name
            && local.method == wanted.method
            && local.flags & bits == wanted.flags & bits
            && (same_sizes || no_sizes);
        if !same {
            return Err(HEADERS_DISAGREE);
        }
        Ok(member.offset + LOCAL_LEN + tail_len)
    }

    /// A reader from the front learns only from the data where it ends, so that
    /// has to be where the directory says.
    fn check_descriptor(&mut self, header: &Header, data: u64, len: u64) -> Result<()> {
        const MAX_LEN: u64 = 24;
        if header.method == STORED && header.packed != 0 {
            return Err(ArchiveError::Ambiguous(
                "a member does not say where it ends",
            ));
        }
        if len > MAX_LEN {
            return Err(ArchiveError::Ambiguous("bytes stand between its members"));
        }
        let bytes = read_at(&mut self.file, data + header.packed, len)?;
        if !is_descriptor_of(&bytes, header)? {
            return Err(HEADERS_DISAGREE);
        }
        unpack(&mut self.file, header, data, &mut io::sink())
    }
}

/// Where the data of a member begins.
pub(super) fn data_of<R: Read + Seek>(file: &mut R, member: &Member) -> Result<u64> {
    let fixed = read_at(file, member.offset, LOCAL_LEN)?;
    Ok(member.offset + LOCAL_LEN + local_tail_len(&fixed)?)
}

/// The data has to end, inflated and deflated, where the header says.
fn unpack<R: Read + Seek>(
    file: &mut R,
    header: &Header,
    data: u64,
    out: &mut impl Write,
) -> Result<()> {
    file.seek(SeekFrom::Start(data)).map_err(ArchiveError::Io)?;
    let packed = file.take(header.packed);
    let limit = header.unpacked.saturating_add(1);
    let (len, crc, consumed) = if header.method == STORED {
        let mut content = CrcReader::new(packed.take(limit));
        let len = io::copy(&mut content, out).map_err(ArchiveError::Io)?;
        (len, content.crc().sum(), header.packed)
    } else {
        let mut content = CrcReader::new(DeflateDecoder::new(packed).take(limit));
        let len = io::copy(&mut content, out).map_err(|_| DAMAGED)?;
        let crc = content.crc().sum();
        (len, crc, content.into_inner().into_inner().total_in())
    };
    if len != header.unpacked || crc != header.crc || consumed != header.packed {
        return Err(DAMAGED);
    }
    Ok(())
}

/// The end record stands at the very end: a comment could hide a second one.
fn find_directory<R: Read + Seek>(file: &mut R, len: u64) -> Result<Directory> {
    let end = len.checked_sub(END_LEN).ok_or(DAMAGED)?;
    let small = end_record(&read_at(file, end, END_LEN)?)?;
    let (directory, directory_end) = match find_end64(file, end)? {
        Some(at) => (end_record64(&read_at(file, at, END64_LEN)?, &small)?, at),
        None => (small, end),
    };
    if directory.entries > MAX_MEMBERS || directory.len > MAX_DIRECTORY_BYTES {
        return Err(ArchiveError::TooLarge);
    }
    if directory.offset.checked_add(directory.len) != Some(directory_end) {
        return Err(ArchiveError::Ambiguous(
            "its directory does not stand where its end says",
        ));
    }
    Ok(directory)
}

/// Where the zip64 end record stands, if there is one: in front of its locator,
/// which is in front of the end record.
fn find_end64<R: Read + Seek>(file: &mut R, end: u64) -> Result<Option<u64>> {
    let Some(locator) = end.checked_sub(LOCATOR64_LEN) else {
        return Ok(None);
    };
    let found = locator64(&read_at(file, locator, LOCATOR64_LEN)?)?;
    match found {
        Some(at) if at.checked_add(END64_LEN) != Some(locator) => Err(DAMAGED),
        found => Ok(found),
    }
}

fn read_members(mut bytes: &[u8], entries: u64) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    for _ in 0..entries {
        let (entry, rest) = CentralEntry::read(bytes)?;
        members.push(read_member(entry)?);
        bytes = rest;
    }
    if bytes.is_empty() {
        Ok(members)
    } else {
        Err(DAMAGED)
    }
}

fn read_member(entry: CentralEntry<'_>) -> Result<Member> {
    const FILE_TYPES: [u32; 3] = [0, 0o100_000, 0o040_000];
    let header = entry.header;
    if header.flags & ENCRYPTED != 0 || !matches!(header.method, STORED | DEFLATED) {
        return Err(ArchiveError::Unreadable);
    }
    if !FILE_TYPES.contains(&entry.file_type) {
        return Err(ArchiveError::Unsafe("a member that is no file"));
    }
    if header.flags & UTF8 == 0 && !entry.name.is_ascii() {
        return Err(ArchiveError::Ambiguous(
            "a member's name has no known encoding",
        ));
    }
    if header.method == STORED && header.packed != header.unpacked {
        return Err(DAMAGED);
    }
    let name = std::str::from_utf8(entry.name).map_err(|_| DAMAGED)?;
    let path = normal_path(name)?;
    if path.is_empty() || (name.ends_with('/') && header.unpacked != 0) {
        return Err(ArchiveError::Ambiguous("a folder with content"));
    }
    Ok(Member {
        path,
        name: entry.name.to_vec(),
        header,
        offset: entry.offset,
    })
}

fn check_names(members: &[Member]) -> Result<()> {
    let mut seen = HashSet::with_capacity(members.len());
    if members
        .iter()
        .all(|member| seen.insert(member.path.as_str()))
    {
        Ok(())
    } else {
        Err(ArchiveError::Ambiguous("a member is there twice"))
    }
}

/// `len` is bounded by every caller.
fn read_at<R: Read + Seek>(file: &mut R, offset: u64, len: u64) -> Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))
        .map_err(ArchiveError::Io)?;
    let mut bytes = Vec::new();
    file.take(len)
        .read_to_end(&mut bytes)
        .map_err(ArchiveError::Io)?;
    if bytes.len() as u64 == len {
        Ok(bytes)
    } else {
        Err(DAMAGED)
    }
}
