//! A zip archive with the same bytes for the same entries.
//!
//! Invariant: entries stand in the order given, dated 1980-01-01, with mode
//! 0644. Left out: everything past 4 GiB, folders, comments.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

const DATE: u16 = (1 << 5) | 1;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// "Made by": Unix, version 2.0 of the format.
const MADE_BY: u16 = 0x0314;
const NEEDED: u16 = 20;
const MODE: u32 = 0o100_644 << 16;

/// An archive of these paths and contents, deflated where that saves something.
pub fn zip_archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let owned: Vec<(String, Vec<u8>)> = entries
        .iter()
        .map(|(path, content)| ((*path).to_owned(), content.to_vec()))
        .collect();
    write_zip(&owned)
}

/// Writes the entries, each path with its bytes, deflated where that saves something.
pub(crate) fn write_zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (path, content) in entries {
        let offset = size32(archive.len());
        let deflated = deflate(content);
        let (method, data) = if deflated.len() < content.len() {
            (DEFLATED, deflated.as_slice())
        } else {
            (STORED, content.as_slice())
        };
        let common = common_header(method, content, data.len(), path);
        archive.extend(*b"PK\x03\x04");
        archive.extend(&common);
        archive.extend(path.as_bytes());
        archive.extend(data);

        directory.extend(*b"PK\x01\x02");
        directory.extend(MADE_BY.to_le_bytes());
        directory.extend(&common);
        // Comment length, disk number, internal attributes.
        directory.extend([0; 6]);
        directory.extend(MODE.to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(path.as_bytes());
    }
    let (count, start) = (size16(entries.len()), size32(archive.len()));
    archive.extend(&directory);
    archive.extend(*b"PK\x05\x06\0\0\0\0");
    archive.extend(count.to_le_bytes());
    archive.extend(count.to_le_bytes());
    archive.extend(size32(directory.len()).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    archive
}

/// The part that local headers and directory entries share.
fn common_header(method: u16, content: &[u8], packed_len: usize, path: &str) -> Vec<u8> {
    let utf8 = if path.is_ascii() { 0_u16 } else { 1 << 11 };
    let mut checksum = flate2::Crc::new();
    checksum.update(content);
    let mut header = Vec::with_capacity(26);
    for field in [NEEDED, utf8, method, 0, DATE] {
        header.extend(field.to_le_bytes());
    }
    for field in [checksum.sum(), size32(packed_len), size32(content.len())] {
        header.extend(field.to_le_bytes());
    }
    // Path length, and no extra field.
    header.extend(size16(path.len()).to_le_bytes());
    header.extend([0; 2]);
    header
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("a Vec takes every byte");
    encoder.finish().expect("a Vec takes every byte")
}

fn size32(size: usize) -> u32 {
    u32::try_from(size).expect("a test archive stays below 4 GiB")
}

fn size16(size: usize) -> u16 {
    u16::try_from(size).expect("a test archive stays below 65536 entries")
}
