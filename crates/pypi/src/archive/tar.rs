//! A strict walk over the members of a tar archive.
//!
//! Invariant: long names and pax records are read with a limit (a tar library
//! left to itself reads them whole into memory), and what readers disagree on
//! (sizes in pax records, prefixes under another magic, sparse files) is refused.

use std::borrow::Cow;
use std::io::Read;

use tar::{Archive, EntryType, Header};

use super::path::{check_link, normal_path};
use super::{ArchiveError, MAX_MEMBERS};

/// Longest long name or set of pax records, in bytes.
const MAX_RECORD_BYTES: u64 = 1 << 20;

pub(super) const DAMAGED: ArchiveError = ArchiveError::Damaged("tar");

/// One member: its path in one spelling, and whether it is a plain file.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) path: String,
    pub(super) is_file: bool,
    pub(super) size: u64,
}

/// Calls `visit` for each file, folder and link, with the reader of its content.
pub(super) fn walk<R: Read>(
    archive: &mut Archive<R>,
    mut visit: impl FnMut(Member, &mut dyn Read) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let mut records = Records::default();
    let mut headers = 0;
    for entry in archive.entries().map_err(|_| DAMAGED)?.raw(true) {
        let mut entry = entry.map_err(|_| DAMAGED)?;
        headers += 1;
        if headers > MAX_MEMBERS {
            return Err(ArchiveError::TooLarge);
        }
        let kind = entry.header().entry_type();
        if !records.take(kind, &mut entry)? {
            let member = member(entry.header(), std::mem::take(&mut records))?;
            visit(member, &mut entry)?;
        }
    }
    // No header at all is no tar; records without their member are half a tar.
    if headers == 0 || records != Records::default() {
        return Err(DAMAGED);
    }
    Ok(())
}

fn member(header: &Header, records: Records) -> Result<Member, ArchiveError> {
    check_prefix(header)?;
    let size = header.entry_size().map_err(|_| DAMAGED)?;
    if records.size.is_some_and(|wanted| wanted != size) {
        return Err(ArchiveError::Ambiguous("a member has two sizes"));
    }
    let name = records
        .name
        .unwrap_or_else(|| header.path_bytes().into_owned());
    let path = normal_path(&String::from_utf8_lossy(&name))?;
    let link = records
        .link
        .or_else(|| header.link_name_bytes().map(Cow::into_owned));
    let target = String::from_utf8_lossy(link.as_deref().unwrap_or_default());
    match header.entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
        EntryType::Symlink => check_link(&path, &target)?,
        EntryType::Link => check_link("", &target)?,
        _ => return Err(ArchiveError::Unsafe("a member that is no file")),
    }
    Ok(Member {
        path,
        is_file: header.entry_type() == EntryType::Regular,
        size,
    })
}

/// The prefix of a name belongs to the ustar format. Under another magic some
/// readers use it all the same.
fn check_prefix(header: &Header) -> Result<(), ArchiveError> {
    const PREFIX: usize = 345;
    if header.as_ustar().is_none() && header.as_bytes()[PREFIX] != 0 {
        return Err(ArchiveError::Ambiguous("a member has two names"));
    }
    Ok(())
}

/// What stands before a member and is said about it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Records {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Records {
    /// Whether the entry was such a record, and not a member.
    fn take(&mut self, kind: EntryType, entry: &mut impl Read) -> Result<bool, ArchiveError> {
        match kind {
            EntryType::GNULongName => set(&mut self.name, until_nul(read_record(entry)?))?,
            EntryType::GNULongLink => set(&mut self.link, until_nul(read_record(entry)?))?,
            EntryType::XHeader => self.take_pax(&read_record(entry)?)?,
            EntryType::XGlobalHeader => {
                // `git archive` writes a comment here. Names for all members are nonsense.
                let mut global = Self::default();
                global.take_pax(&read_record(entry)?)?;
                if global != Self::default() {
                    return Err(ArchiveError::Ambiguous("all members have one name or size"));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn take_pax(&mut self, mut bytes: &[u8]) -> Result<(), ArchiveError> {
        while !bytes.is_empty() {
            let (key, value, rest) = pax_record(bytes).ok_or(DAMAGED)?;
            match key {
                b"path" => set(&mut self.name, value.to_vec())?,
                b"linkpath" => set(&mut self.link, value.to_vec())?,
                b"size" => {
                    let size = std::str::from_utf8(value)
                        .ok()
                        .and_then(|size| size.parse().ok());
                    set(&mut self.size, size.ok_or(DAMAGED)?)?;
                }
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(ArchiveError::Unsafe("a sparse file"));
                }
                _ => {}
            }
            bytes = rest;
        }
        Ok(())
    }
}

fn set<T>(slot: &mut Option<T>, value: T) -> Result<(), ArchiveError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ArchiveError::Ambiguous("a member has two names")),
    }
}

fn read_record(entry: &mut impl Read) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    entry
        .take(MAX_RECORD_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| DAMAGED)?;
    if bytes.len() as u64 > MAX_RECORD_BYTES {
        return Err(ArchiveError::TooLarge);
    }
    Ok(bytes)
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    bytes
}

/// `LENGTH KEY=VALUE\n`, where the length counts all of it; then the rest.
fn pax_record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|b| *b == b' ')?;
    let len: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(len)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|b| *b == b'=')?;
    Some((&record[..equals], &record[equals + 1..], rest))
}
