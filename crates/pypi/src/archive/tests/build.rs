//! A writer of zips and tars that does as it is told, also when it is wrong.

use std::io::Write;

use flate2::Crc;
use flate2::write::{DeflateEncoder, GzEncoder};

/// One member, whose header in the directory and own header can be told to differ.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) central: Head,
    pub(super) local: Head,
    pub(super) data: Vec<u8>,
    /// What stands behind the data: a descriptor, or what does not belong there.
    pub(super) behind: Vec<u8>,
    pub(super) mode: u32,
}

#[derive(Clone)]
pub(super) struct Head {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u32,
    pub(super) unpacked: u32,
    pub(super) extra: Vec<u8>,
}

pub(super) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

pub(super) fn len(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A straight, deflated member.
pub(super) fn member(name: &str, content: &[u8]) -> Member {
    let data = deflate(content);
    let head = Head {
        name: name.as_bytes().to_vec(),
        flags: if name.is_ascii() { 0 } else { 1 << 11 },
        method: 8,
        crc: crc(content),
        packed: len(&data),
        unpacked: len(content),
        extra: Vec::new(),
    };
    Member {
        central: head.clone(),
        local: head,
        data,
        behind: Vec::new(),
        mode: 0o100_644,
    }
}

impl Member {
    pub(super) fn both(mut self, change: impl Fn(&mut Head)) -> Self {
        change(&mut self.central);
        change(&mut self.local);
        self
    }

    pub(super) fn stored(self, content: &[u8]) -> Self {
        let stored = self.both(|head| {
            head.method = 0;
            head.packed = len(content);
        });
        Self {
            data: content.to_vec(),
            ..stored
        }
    }

    /// With sizes behind the data instead of in front of it.
    pub(super) fn with_descriptor(self, has_signature: bool, is_wide: bool) -> Self {
        let mut member = self.both(|head| head.flags |= 1 << 3);
        let Head {
            crc,
            packed,
            unpacked,
            ..
        } = member.central;
        (member.local.crc, member.local.packed, member.local.unpacked) = (0, 0, 0);
        if has_signature {
            member.behind.extend(0x0807_4b50_u32.to_le_bytes());
        }
        member.behind.extend(crc.to_le_bytes());
        for size in [packed, unpacked] {
            member.behind.extend(size.to_le_bytes());
            if is_wide {
                member.behind.extend([0; 4]);
            }
        }
        member
    }

    /// With sizes in zip64 extra fields.
    pub(super) fn wide(self) -> Self {
        self.both(|head| {
            let mut extra = vec![1, 0, 16, 0];
            extra.extend(u64::from(head.unpacked).to_le_bytes());
            extra.extend(u64::from(head.packed).to_le_bytes());
            head.extra = extra;
            (head.packed, head.unpacked) = (u32::MAX, u32::MAX);
        })
    }
}

impl Head {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = 20_u16.to_le_bytes().to_vec();
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0; 4]);
        for value in [self.crc, self.packed, self.unpacked] {
            bytes.extend(value.to_le_bytes());
        }
        for part in [&self.name, &self.extra] {
            bytes.extend(u16::try_from(part.len()).unwrap().to_le_bytes());
        }
        bytes
    }
}

/// A zip with a directory that can be told to be elsewhere or in zip64.
pub(super) struct Zip {
    pub(super) members: Vec<Member>,
    pub(super) before: Vec<u8>,
    pub(super) between: Vec<u8>,
    pub(super) comment: Vec<u8>,
    pub(super) zip64: bool,
    /// What the small end record says of a zip64 archive.
    pub(super) small_entries: u16,
}

impl Zip {
    pub(super) fn new(members: &[Member]) -> Self {
        Self {
            members: members.to_vec(),
            before: Vec::new(),
            between: Vec::new(),
            comment: Vec::new(),
            zip64: false,
            small_entries: u16::MAX,
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let (mut out, mut directory) = (self.before.clone(), Vec::new());
        for member in &self.members {
            directory.extend(0x0201_4b50_u32.to_le_bytes());
            directory.extend(20_u16.to_le_bytes());
            directory.extend(member.central.bytes());
            // Comment, disk, internal attributes.
            directory.extend([0; 6]);
            directory.extend((member.mode << 16).to_le_bytes());
            directory.extend(len(&out).to_le_bytes());
            directory.extend(&member.central.name);
            directory.extend(&member.central.extra);
            out.extend(0x0403_4b50_u32.to_le_bytes());
            out.extend(member.local.bytes());
            out.extend(&member.local.name);
            out.extend(&member.local.extra);
            out.extend(&member.data);
            out.extend(&member.behind);
        }
        out.extend(&self.between);
        let offset = len(&out);
        out.extend(&directory);
        let count = u16::try_from(self.members.len()).unwrap();
        if self.zip64 {
            self.end64(&mut out, u64::from(offset), directory.len() as u64);
            end(
                &mut out,
                self.small_entries,
                u32::MAX,
                u32::MAX,
                &self.comment,
            );
        } else {
            end(&mut out, count, len(&directory), offset, &self.comment);
        }
        out
    }

    fn end64(&self, out: &mut Vec<u8>, offset: u64, directory_len: u64) {
        let at = out.len() as u64;
        let count = self.members.len() as u64;
        out.extend(0x0606_4b50_u32.to_le_bytes());
        out.extend(44_u64.to_le_bytes());
        out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for value in [count, count, directory_len, offset] {
            out.extend(value.to_le_bytes());
        }
        out.extend(0x0706_4b50_u32.to_le_bytes());
        out.extend([0; 4]);
        out.extend(at.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
    }
}

fn end(out: &mut Vec<u8>, count: u16, directory_len: u32, offset: u32, comment: &[u8]) {
    out.extend(0x0605_4b50_u32.to_le_bytes());
    out.extend([0; 4]);
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(directory_len.to_le_bytes());
    out.extend(offset.to_le_bytes());
    out.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
    out.extend(comment);
}

/// One entry of a tar.
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) kind: tar::EntryType,
    pub(super) link: &'static str,
    pub(super) content: Vec<u8>,
}

pub(super) fn file(name: &str, content: &[u8]) -> Entry {
    Entry {
        name: name.as_bytes().to_vec(),
        kind: tar::EntryType::Regular,
        link: "",
        content: content.to_vec(),
    }
}

pub(super) fn special(name: &str, kind: tar::EntryType, link: &'static str) -> Entry {
    Entry {
        kind,
        link,
        ..file(name, b"")
    }
}

/// Records about the next member.
pub(super) fn records(kind: tar::EntryType, content: &[u8]) -> Entry {
    Entry {
        kind,
        ..file("records", content)
    }
}

pub(super) fn header(entry: &Entry) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_ustar_mut().unwrap().name[..entry.name.len()].copy_from_slice(&entry.name);
    header.set_entry_type(entry.kind);
    if !entry.link.is_empty() {
        header.set_link_name_literal(entry.link).unwrap();
    }
    header.set_size(entry.content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

pub(super) fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        builder
            .append(&header(entry), entry.content.as_slice())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
