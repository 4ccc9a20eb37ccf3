//! The records of the zip format (APPNOTE 4.3), read from bytes.
//!
//! Invariant: every read is checked; a record that ends too early is damage.

use super::ArchiveError;

pub(super) type Result<T> = std::result::Result<T, ArchiveError>;

pub(super) const DAMAGED: ArchiveError = ArchiveError::Damaged("zip");

pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

/// Bits of a member's flags.
pub(super) const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
pub(super) const DESCRIPTOR: u16 = 1 << 3;
pub(super) const UTF8: u16 = 1 << 11;

const CENTRAL: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;

/// What a member's header says, in the directory or in front of its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    /// Bytes in the archive.
    pub(super) packed: u64,
    /// Bytes of content.
    pub(super) unpacked: u64,
}

/// One entry of the central directory.
#[derive(Debug)]
pub(super) struct CentralEntry<'a> {
    pub(super) header: Header,
    pub(super) name: &'a [u8],
    /// Where its local header stands.
    pub(super) offset: u64,
    /// The Unix file type bits, which pip believes from writers of any system; 0 where there are none.
    pub(super) file_type: u32,
}

impl<'a> CentralEntry<'a> {
    /// The entry at the front, and what follows it.
    pub(super) fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8])> {
        const LEN: usize = 46;
        if u32_at(bytes, 0)? != CENTRAL || !matches!(u16_at(bytes, 34)?, 0 | u16::MAX) {
            return Err(DAMAGED);
        }
        let name_end = LEN + usize::from(u16_at(bytes, 28)?);
        let extra_end = name_end + usize::from(u16_at(bytes, 30)?);
        let end = extra_end + usize::from(u16_at(bytes, 32)?);
        let name = bytes.get(LEN..name_end).ok_or(DAMAGED)?;
        let extra = bytes.get(name_end..extra_end).ok_or(DAMAGED)?;
        let mut sizes = Sizes64::find(extra, name)?;
        let unpacked = sizes.widen(u32_at(bytes, 24)?)?;
        let packed = sizes.widen(u32_at(bytes, 20)?)?;
        let offset = sizes.widen(u32_at(bytes, 42)?)?;
        let entry = Self {
            header: Header {
                flags: u16_at(bytes, 8)?,
                method: u16_at(bytes, 10)?,
                crc: u32_at(bytes, 16)?,
                packed,
                unpacked,
            },
            name,
            offset,
            file_type: (u32_at(bytes, 38)? >> 16) & 0o170_000,
        };
        Ok((entry, bytes.get(end..).ok_or(DAMAGED)?))
    }
}

/// Length of a local header without its name and extra field.
pub(super) const LOCAL_LEN: u64 = 30;

/// Length of name and extra field of the local header in `fixed`.
pub(super) fn local_tail_len(fixed: &[u8]) -> Result<u64> {
    if u32_at(fixed, 0)? != LOCAL {
        return Err(DAMAGED);
    }
    Ok(u64::from(u16_at(fixed, 26)?) + u64::from(u16_at(fixed, 28)?))
}

/// The local header in `fixed` with `tail` behind it: its header and name.
pub(super) fn local_header<'a>(fixed: &[u8], tail: &'a [u8]) -> Result<(Header, &'a [u8])> {
    let (name, extra) = tail
        .split_at_checked(usize::from(u16_at(fixed, 26)?))
        .ok_or(DAMAGED)?;
    let mut sizes = Sizes64::find(extra, name)?;
    let unpacked = sizes.widen(u32_at(fixed, 22)?)?;
    let packed = sizes.widen(u32_at(fixed, 18)?)?;
    let header = Header {
        flags: u16_at(fixed, 6)?,
        method: u16_at(fixed, 8)?,
        crc: u32_at(fixed, 14)?,
        packed,
        unpacked,
    };
    Ok((header, name))
}

/// Whether the bytes are the data descriptor of this member, in one of its four
/// forms: with or without signature, sizes of 32 or 64 bits.
pub(super) fn is_descriptor_of(bytes: &[u8], header: &Header) -> Result<bool> {
    let body = match bytes.len() {
        12 | 20 => bytes,
        16 | 24 if u32_at(bytes, 0)? == DESCRIPTOR_SIGNATURE => &bytes[4..],
        _ => return Ok(false),
    };
    let (packed, unpacked) = if body.len() == 12 {
        (u64::from(u32_at(body, 4)?), u64::from(u32_at(body, 8)?))
    } else {
        (u64_at(body, 4)?, u64_at(body, 12)?)
    };
    Ok(u32_at(body, 0)? == header.crc && packed == header.packed && unpacked == header.unpacked)
}

/// The zip64 extra field: wide values for those that did not fit, in order.
struct Sizes64<'a>(&'a [u8]);

impl<'a> Sizes64<'a> {
    /// Also refuses an extra field that gives the member another name, which
    /// some readers believe (Info-ZIP's Unicode path).
    fn find(mut extra: &'a [u8], name: &[u8]) -> Result<Self> {
        const ZIP64: u16 = 1;
        const UNICODE_PATH: u16 = 0x7075;
        let mut found = None;
        while extra.len() >= 4 {
            let (id, len) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
            let content = extra.get(4..4 + len).ok_or(DAMAGED)?;
            match id {
                ZIP64 if found.replace(content).is_some() => {
                    return Err(ArchiveError::Ambiguous("a member has its sizes twice"));
                }
                UNICODE_PATH if content.get(5..) != Some(name) => {
                    return Err(ArchiveError::Ambiguous("a member has two names"));
                }
                _ => {}
            }
            extra = &extra[4 + len..];
        }
        Ok(Self(found.unwrap_or_default()))
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

/// Where the central directory lies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) entries: u64,
    pub(super) offset: u64,
    pub(super) len: u64,
}

pub(super) const END_LEN: u64 = 22;
pub(super) const LOCATOR64_LEN: u64 = 20;
pub(super) const END64_LEN: u64 = 56;

/// The end record. What does not fit is all ones.
pub(super) fn end_record(bytes: &[u8]) -> Result<Directory> {
    const END: u32 = 0x0605_4b50;
    if u32_at(bytes, 0)? != END {
        return Err(DAMAGED);
    }
    if u16_at(bytes, 20)? != 0 {
        return Err(ArchiveError::Ambiguous("something stands after its end"));
    }
    let disks_are_one = matches!(u16_at(bytes, 4)?, 0 | u16::MAX)
        && matches!(u16_at(bytes, 6)?, 0 | u16::MAX)
        && u16_at(bytes, 8)? == u16_at(bytes, 10)?;
    if !disks_are_one {
        return Err(DAMAGED);
    }
    Ok(Directory {
        entries: u64::from(u16_at(bytes, 10)?),
        offset: u64::from(u32_at(bytes, 16)?),
        len: u64::from(u32_at(bytes, 12)?),
    })
}

/// Where the zip64 end record stands, if this is its locator.
pub(super) fn locator64(bytes: &[u8]) -> Result<Option<u64>> {
    const LOCATOR64: u32 = 0x0706_4b50;
    if u32_at(bytes, 0)? != LOCATOR64 {
        return Ok(None);
    }
    u64_at(bytes, 8).map(Some)
}

/// The zip64 end record, which must not say anything else than `small` where
/// that says something: there are readers of either.
pub(super) fn end_record64(bytes: &[u8], small: &Directory) -> Result<Directory> {
    const END64: u32 = 0x0606_4b50;
    let plain = u32_at(bytes, 0)? == END64
        && u64_at(bytes, 4)? == END64_LEN - 12
        && u32_at(bytes, 16)? == 0
        && u32_at(bytes, 20)? == 0
        && u64_at(bytes, 24)? == u64_at(bytes, 32)?;
    if !plain {
        return Err(DAMAGED);
    }
    let wide = Directory {
        entries: u64_at(bytes, 32)?,
        offset: u64_at(bytes, 48)?,
        len: u64_at(bytes, 40)?,
    };
    let agree = |small: u64, none: u64, wide: u64| small == none || small == wide;
    let same = agree(small.entries, u64::from(u16::MAX), wide.entries)
        && agree(small.offset, u64::from(u32::MAX), wide.offset)
        && agree(small.len, u64::from(u32::MAX), wide.len);
    if same {
        Ok(wide)
    } else {
        Err(ArchiveError::Ambiguous("it has two directories"))
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64> {
    array_at(bytes, at).map(u64::from_le_bytes)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    let part = bytes.get(at..).and_then(|rest| rest.first_chunk());
    part.copied().ok_or(DAMAGED)
}
