//! A strict reader of zip archives.
//!
//! The central directory is the truth, and everything else has to agree with
//! it: the local headers, the beginning, the end. What is left between the two
//! readings of a zip (front to back, or by its directory) is refused.

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::{ArchiveError, MAX_MEMBERS, is_bomb, is_inside};

const EOCD: u32 = 0x0605_4b50;
const EOCD64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;
/// Largest central directory looked at, in bytes.
const MAX_DIRECTORY_BYTES: u64 = 64 << 20;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 1;
const DESCRIPTOR: u16 = 1 << 3;
const UTF8: u16 = 1 << 11;
const SYMLINK: u32 = 0o120_000;
const FILE_TYPE: u32 = 0o170_000;

/// One file of an archive, as its central directory has it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    method: u16,
    flags: u16,
    crc: u32,
    packed: u64,
    pub(super) unpacked: u64,
    offset: u64,
}

/// An archive whose structure was checked.
#[derive(Debug)]
pub(super) struct Zip<R> {
    file: R,
    pub(super) members: Vec<Member>,
}

type Result<T> = std::result::Result<T, ArchiveError>;

const DAMAGED: ArchiveError = ArchiveError::Damaged("zip");

/// Where the central directory lies.
struct Directory {
    entries: u64,
    offset: u64,
    len: u64,
}

impl<R: Read + Seek> Zip<R> {
    /// Reads and checks the structure; no member is unpacked.
    pub(super) fn open(mut file: R) -> Result<Self> {
        let len = file.seek(SeekFrom::End(0)).map_err(ArchiveError::Io)?;
        let directory = find_directory(&mut file, len)?;
        let bytes = read_at(&mut file, directory.offset, directory.len)?;
        let members = read_members(&bytes, directory.entries)?;
        check_names(&members)?;
        if is_bomb(
            len,
            members
                .iter()
                .fold(0, |sum, member| sum.saturating_add(member.unpacked)),
        ) {
            return Err(ArchiveError::TooLarge);
        }
        let mut zip = Self { file, members };
        zip.check_local_headers(directory.offset)?;
        Ok(zip)
    }

    /// Unpacks one member, checking length and checksum.
    pub(super) fn read(&mut self, member: &Member) -> Result<Vec<u8>> {
        let head = read_at(&mut self.file, member.offset, 30)?;
        let data =
            member.offset + 30 + u64::from(u16_at(&head, 26)?) + u64::from(u16_at(&head, 28)?);
        let packed = read_at(&mut self.file, data, member.packed)?;
        let mut bytes = Vec::new();
        let limit = member.unpacked.saturating_add(1);
        if member.method == STORED {
            bytes = packed;
        } else {
            let unpacked = DeflateDecoder::new(packed.as_slice())
                .take(limit)
                .read_to_end(&mut bytes);
            unpacked.map_err(|_| DAMAGED)?;
        }
        let mut crc = Crc::new();
        crc.update(&bytes);
        if bytes.len() as u64 != member.unpacked || crc.sum() != member.crc {
            return Err(DAMAGED);
        }
        Ok(bytes)
    }

    /// Local headers say what the directory says, the first one begins the
    /// file, and no two members share bytes.
    fn check_local_headers(&mut self, end: u64) -> Result<()> {
        let mut order: Vec<usize> = (0..self.members.len()).collect();
        order.sort_unstable_by_key(|at| self.members[*at].offset);
        let mut free_from = 0;
        for at in order {
            let member = self.members[at].clone();
            if free_from == 0 && member.offset != 0 {
                return Err(ArchiveError::Ambiguous(
                    "bytes stand before its first member",
                ));
            }
            if member.offset < free_from {
                return Err(ArchiveError::Ambiguous("two members share bytes"));
            }
            free_from = self.check_local_header(&member)?;
        }
        if free_from > end {
            return Err(ArchiveError::Ambiguous(
                "a member reaches into the directory",
            ));
        }
        Ok(())
    }

    /// Returns where the member's data ends.
    fn check_local_header(&mut self, member: &Member) -> Result<u64> {
        let head = read_at(&mut self.file, member.offset, 30)?;
        if u32_at(&head, 0)? != LOCAL {
            return Err(DAMAGED);
        }
        let (name_len, extra_len) = (u16_at(&head, 26)?, u16_at(&head, 28)?);
        let name = read_at(&mut self.file, member.offset + 30, u64::from(name_len))?;
        let same = name == member.name.as_bytes()
            && u16_at(&head, 8)? == member.method
            && u16_at(&head, 6)? & (ENCRYPTED | DESCRIPTOR)
                == member.flags & (ENCRYPTED | DESCRIPTOR);
        if !same {
            return Err(ArchiveError::Ambiguous(
                "a member's own header and the directory disagree",
            ));
        }
        if member.flags & DESCRIPTOR == 0 && !same_sizes(&head, member)? {
            return Err(ArchiveError::Ambiguous(
                "a member's own header and the directory disagree",
            ));
        }
        let data = member.offset + 30 + u64::from(name_len) + u64::from(extra_len);
        data.checked_add(member.packed).ok_or(DAMAGED)
    }
}

/// Without a data descriptor the local header has checksum and sizes too; in
/// zip64 the sizes stand in its extra field, and these say `u32::MAX`.
fn same_sizes(head: &[u8], member: &Member) -> Result<bool> {
    let same = |at: usize, size: u64| {
        Ok::<_, ArchiveError>(match u32_at(head, at)? {
            u32::MAX => true,
            local => u64::from(local) == size,
        })
    };
    Ok(u32_at(head, 14)? == member.crc && same(18, member.packed)? && same(22, member.unpacked)?)
}

/// The end record stands at the very end: a comment could hide a second one.
fn find_directory<R: Read + Seek>(file: &mut R, len: u64) -> Result<Directory> {
    let end = len.checked_sub(22).ok_or(DAMAGED)?;
    let record = read_at(file, end, 22)?;
    if u32_at(&record, 0)? != EOCD {
        return Err(DAMAGED);
    }
    if u16_at(&record, 20)? != 0 {
        return Err(ArchiveError::Ambiguous("something stands after its end"));
    }
    let small = Directory {
        entries: u64::from(u16_at(&record, 10)?),
        offset: u64::from(u32_at(&record, 16)?),
        len: u64::from(u32_at(&record, 12)?),
    };
    let (directory, directory_end) = match end.checked_sub(20) {
        Some(locator) if u32_at(&read_at(file, locator, 20)?, 0)? == LOCATOR64 => {
            find_directory64(file, locator)?
        }
        _ => (small, end),
    };
    let disks = u32_at(&record, 4)?;
    if (disks != 0 && disks != u32::MAX)
        || directory.entries > MAX_MEMBERS
        || directory.len > MAX_DIRECTORY_BYTES
    {
        return Err(DAMAGED);
    }
    if directory.offset.checked_add(directory.len) != Some(directory_end) {
        return Err(ArchiveError::Ambiguous(
            "its directory does not stand where its end says",
        ));
    }
    Ok(directory)
}

fn find_directory64<R: Read + Seek>(file: &mut R, locator: u64) -> Result<(Directory, u64)> {
    let at = u64_at(&read_at(file, locator, 20)?, 8)?;
    let record = read_at(file, at, 56)?;
    let ends_at_locator = at
        .checked_add(12)
        .and_then(|at| at.checked_add(u64_at(&record, 4).ok()?))
        == Some(locator);
    if u32_at(&record, 0)? != EOCD64 || !ends_at_locator {
        return Err(DAMAGED);
    }
    let directory = Directory {
        entries: u64_at(&record, 32)?,
        offset: u64_at(&record, 48)?,
        len: u64_at(&record, 40)?,
    };
    Ok((directory, at))
}

fn read_members(mut bytes: &[u8], entries: u64) -> Result<Vec<Member>> {
    let mut members = Vec::with_capacity(usize::try_from(entries.min(4096)).unwrap_or(0));
    for _ in 0..entries {
        if u32_at(bytes, 0)? != CENTRAL {
            return Err(DAMAGED);
        }
        let (name_len, extra_len, comment_len) =
            (u16_at(bytes, 28)?, u16_at(bytes, 30)?, u16_at(bytes, 32)?);
        let name_end = 46 + usize::from(name_len);
        let extra_end = name_end + usize::from(extra_len);
        let end = extra_end + usize::from(comment_len);
        let name = bytes.get(46..name_end).ok_or(DAMAGED)?;
        let extra = bytes.get(name_end..extra_end).ok_or(DAMAGED)?;
        members.push(read_member(bytes, name, extra)?);
        bytes = bytes.get(end..).ok_or(DAMAGED)?;
    }
    if bytes.is_empty() {
        Ok(members)
    } else {
        Err(DAMAGED)
    }
}

fn read_member(bytes: &[u8], name: &[u8], extra: &[u8]) -> Result<Member> {
    let (flags, method) = (u16_at(bytes, 8)?, u16_at(bytes, 10)?);
    if flags & ENCRYPTED != 0 || !matches!(method, STORED | DEFLATED) {
        return Err(ArchiveError::Unreadable);
    }
    if flags & UTF8 == 0 && !name.is_ascii() {
        return Err(ArchiveError::Ambiguous(
            "a member's name has no known encoding",
        ));
    }
    let name = std::str::from_utf8(name).map_err(|_| DAMAGED)?;
    if u32_at(bytes, 38)? >> 16 & FILE_TYPE == SYMLINK {
        return Err(ArchiveError::Unsafe("a link"));
    }
    let mut sizes = Sizes64::new(extra);
    let unpacked = sizes.widen(u32_at(bytes, 24)?)?;
    let packed = sizes.widen(u32_at(bytes, 20)?)?;
    let offset = sizes.widen(u32_at(bytes, 42)?)?;
    if method == STORED && packed != unpacked {
        return Err(DAMAGED);
    }
    Ok(Member {
        name: name.to_owned(),
        method,
        flags,
        crc: u32_at(bytes, 16)?,
        packed,
        unpacked,
        offset,
    })
}

/// The zip64 extra field: wide values for those that did not fit, in order.
struct Sizes64<'a>(&'a [u8]);

impl<'a> Sizes64<'a> {
    fn new(mut extra: &'a [u8]) -> Self {
        while let (Ok(id), Ok(len)) = (u16_at(extra, 0), u16_at(extra, 2)) {
            let end = 4 + usize::from(len);
            let Some(content) = extra.get(4..end) else {
                break;
            };
            if id == 1 {
                return Self(content);
            }
            extra = &extra[end..];
        }
        Self(&[])
    }

    fn widen(&mut self, value: u32) -> Result<u64> {
        if value != u32::MAX {
            return Ok(u64::from(value));
        }
        let wide = u64_at(self.0, 0)?;
        self.0 = &self.0[8..];
        Ok(wide)
    }
}

fn check_names(members: &[Member]) -> Result<()> {
    let mut seen = HashSet::with_capacity(members.len());
    for member in members {
        if !is_inside(&member.name) {
            return Err(ArchiveError::Unsafe("a path that leads outside"));
        }
        if !seen.insert(member.name.as_str()) {
            return Err(ArchiveError::Ambiguous("a member is there twice"));
        }
    }
    Ok(())
}

fn read_at<R: Read + Seek>(file: &mut R, offset: u64, len: u64) -> Result<Vec<u8>> {
    if len > MAX_DIRECTORY_BYTES {
        return Err(ArchiveError::TooLarge);
    }
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

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    let part = bytes.get(at..at + 2).ok_or(DAMAGED)?;
    Ok(u16::from_le_bytes([part[0], part[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    let part = bytes
        .get(at..at + 4)
        .and_then(|part| part.try_into().ok())
        .ok_or(DAMAGED)?;
    Ok(u32::from_le_bytes(part))
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64> {
    let part = bytes
        .get(at..at + 8)
        .and_then(|part| part.try_into().ok())
        .ok_or(DAMAGED)?;
    Ok(u64::from_le_bytes(part))
}
