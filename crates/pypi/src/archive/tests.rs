use std::io::{Cursor, Write};

use flate2::Crc;
use flate2::write::{DeflateEncoder, GzEncoder};
use proptest::prelude::*;

use super::{ArchiveError, read_sdist, read_wheel};
use crate::filename::{DistFilename, parse};

const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\ntext\n";

/// One member as a test wants it, bent or straight.
#[derive(Clone)]
struct Member {
    name: &'static str,
    local_name: &'static str,
    content: Vec<u8>,
    deflated: bool,
    flags: u16,
    mode: u32,
    claimed: Option<u32>,
}

fn member(name: &'static str, content: &[u8]) -> Member {
    Member {
        name,
        local_name: name,
        content: content.to_vec(),
        deflated: true,
        flags: 0,
        mode: 0o100_644,
        claimed: None,
    }
}

fn packed(member: &Member) -> Vec<u8> {
    if !member.deflated {
        return member.content.clone();
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&member.content).expect("in memory");
    encoder.finish().expect("in memory")
}

/// Writes a zip with one header before each member and a directory at the end.
fn zip(members: &[Member]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let data = packed(member);
        let mut crc = Crc::new();
        crc.update(&member.content);
        let method: u16 = if member.deflated { 8 } else { 0 };
        let (crc, packed_len) = (crc.sum(), u32::try_from(data.len()).expect("small"));
        let len = member
            .claimed
            .unwrap_or(u32::try_from(member.content.len()).expect("small"));
        let offset = u32::try_from(out.len()).expect("small");
        let middle = |name: &str| {
            let mut bytes = Vec::new();
            bytes.extend(20_u16.to_le_bytes());
            bytes.extend(member.flags.to_le_bytes());
            bytes.extend(method.to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend(crc.to_le_bytes());
            bytes.extend(packed_len.to_le_bytes());
            bytes.extend(len.to_le_bytes());
            bytes.extend(u16::try_from(name.len()).expect("small").to_le_bytes());
            bytes.extend(0_u16.to_le_bytes());
            bytes
        };
        out.extend(0x0403_4b50_u32.to_le_bytes());
        out.extend(middle(member.local_name));
        out.extend(member.local_name.as_bytes());
        out.extend(data);
        directory.extend(0x0201_4b50_u32.to_le_bytes());
        directory.extend(20_u16.to_le_bytes());
        directory.extend(middle(member.name));
        directory.extend([0; 6]);
        directory.extend((member.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(member.name.as_bytes());
    }
    let (count, at, len) = (
        u16::try_from(members.len()).expect("small"),
        out.len(),
        directory.len(),
    );
    out.extend(&directory);
    out.extend(0x0605_4b50_u32.to_le_bytes());
    out.extend([0; 4]);
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(u32::try_from(len).expect("small").to_le_bytes());
    out.extend(u32::try_from(at).expect("small").to_le_bytes());
    out.extend([0; 2]);
    out
}

fn wheel_name() -> DistFilename {
    parse("demo-1.0-py3-none-any.whl", None).expect("a good name")
}

fn wheel(bytes: Vec<u8>) -> Result<Vec<u8>, ArchiveError> {
    read_wheel(Cursor::new(bytes), &wheel_name()).map(|artifact| artifact.metadata)
}

fn straight() -> Vec<Member> {
    vec![
        member("demo/__init__.py", b"x = 1\n"),
        member("demo-1.0.dist-info/METADATA", METADATA),
    ]
}

#[test]
fn metadata_is_read_byte_for_byte() {
    assert_eq!(
        wheel(zip(&straight())).expect("a good wheel"),
        METADATA,
        "M-01"
    );
    let stored: Vec<Member> = straight()
        .into_iter()
        .map(|member| Member {
            deflated: false,
            ..member
        })
        .collect();
    assert_eq!(wheel(zip(&stored)).expect("a good wheel"), METADATA);
    let spelled = vec![member("Demo-1.0.0.dist-info/METADATA", METADATA)];
    assert_eq!(
        wheel(zip(&spelled)).expect("S-30: normalised name and version"),
        METADATA
    );
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let bent = |bend: fn(&mut Vec<Member>)| {
        let mut members = straight();
        bend(&mut members);
        wheel(zip(&members)).expect_err("refused").to_string()
    };
    let table: [(&str, String); 8] = [
        (
            "F46: a duplicate",
            bent(|members| members.push(members[0].clone())),
        ),
        (
            "F48: another local name",
            bent(|members| members[0].local_name = "demo/__main__.py"),
        ),
        (
            "a path outside",
            bent(|members| members[0] = member("../evil.py", b"")),
        ),
        (
            "an absolute path",
            bent(|members| members[0] = member("/evil.py", b"")),
        ),
        (
            "a backslash",
            bent(|members| members[0] = member("..\\evil.py", b"")),
        ),
        ("a link", bent(|members| members[0].mode = 0o120_777)),
        ("encryption", bent(|members| members[1].flags = 1)),
        ("no metadata", bent(|members| drop(members.pop()))),
    ];
    for (what, error) in table {
        assert!(!error.is_empty(), "{what}");
    }
}

#[test]
fn bytes_around_the_archive_are_refused() {
    let good = zip(&straight());
    let around = [
        [vec![0; 100], good.clone()].concat(),
        [good.clone(), vec![0; 100]].concat(),
        [good.clone(), good.clone()].concat(),
        good[..good.len() - 1].to_vec(),
        Vec::new(),
        b"PK".to_vec(),
    ];
    for (position, bytes) in around.into_iter().enumerate() {
        assert!(wheel(bytes).is_err(), "F47, {position}");
    }
}

#[test]
fn metadata_of_another_name_or_version_does_not_count() {
    for folder in [
        "other-1.0.dist-info/METADATA",
        "demo-2.0.dist-info/METADATA",
        "vendor/demo-1.0.dist-info/METADATA",
    ] {
        assert!(
            matches!(
                wheel(zip(&[member(folder, METADATA)])),
                Err(ArchiveError::NoMetadata)
            ),
            "{folder}"
        );
    }
    let two = [
        member("demo-1.0.dist-info/METADATA", METADATA),
        member("Demo-1.0.dist-info/METADATA", METADATA),
    ];
    assert!(matches!(wheel(zip(&two)), Err(ArchiveError::Ambiguous(_))));
}

#[test]
fn wrong_lengths_checksums_and_bombs_are_refused() {
    let mut short = straight();
    short[1].claimed = Some(3);
    assert!(wheel(zip(&short)).is_err());
    let mut long = straight();
    long[1].claimed = Some(1000);
    assert!(wheel(zip(&long)).is_err());
    let mut bytes = zip(&straight());
    let at = bytes
        .windows(4)
        .position(|window| window == 0x0403_4b50_u32.to_le_bytes())
        .expect("a header");
    bytes[at + 14] ^= 1;
    assert!(wheel(bytes).is_err(), "a checksum");
    let mut bomb = straight();
    bomb.push(member("demo/zeros", &vec![0; 70 << 20]));
    assert!(
        matches!(wheel(zip(&bomb)), Err(ArchiveError::TooLarge)),
        "F49"
    );
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_ustar_mut().expect("ustar").name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).expect("in memory");
    }
    builder.into_inner().expect("in memory")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn sdist(bytes: Vec<u8>) -> Result<Option<Vec<u8>>, ArchiveError> {
    let name = parse("demo-1.0.tar.gz", None).expect("a good name");
    read_sdist(Cursor::new(bytes), &name).map(|read| read.map(|artifact| artifact.metadata))
}

#[test]
fn pkg_info_is_read_from_the_top_folder() {
    let good = tar(&[
        ("demo-1.0/setup.py", b"x"),
        ("demo-1.0/PKG-INFO", METADATA),
        ("demo-1.0/demo.egg-info/PKG-INFO", b"other"),
    ]);
    assert_eq!(
        sdist(gzip(&good)).expect("a good sdist").as_deref(),
        Some(METADATA)
    );
    let dotted = tar(&[("./demo-1.0/PKG-INFO", METADATA)]);
    assert_eq!(
        sdist(gzip(&dotted)).expect("a good sdist").as_deref(),
        Some(METADATA)
    );
    assert_eq!(
        sdist(gzip(&tar(&[("demo-1.0/setup.py", b"x")]))).expect("an old sdist"),
        None
    );
    let name = parse("demo-1.0.zip", None).expect("a good name");
    let zipped = zip(&[member("demo-1.0/PKG-INFO", METADATA)]);
    let read = read_sdist(Cursor::new(zipped), &name)
        .expect("a good sdist")
        .expect("PKG-INFO");
    assert_eq!(read.metadata, METADATA);
}

#[test]
fn damaged_and_unsafe_sdists_are_refused() {
    let good = gzip(&tar(&[
        ("demo-1.0/PKG-INFO", METADATA),
        ("demo-1.0/a", &[7; 4000]),
    ]));
    for bytes in [
        b"no tar".to_vec(),
        gzip(b"no tar"),
        Vec::new(),
        good[..good.len() / 2].to_vec(),
        good[..good.len() - 4].to_vec(),
    ] {
        assert!(sdist(bytes).is_err());
    }
    for name in ["../evil", "/etc/passwd", "demo-1.0/../../evil"] {
        assert!(
            matches!(
                sdist(gzip(&tar(&[(name, b"x")]))),
                Err(ArchiveError::Unsafe(_))
            ),
            "{name}"
        );
    }
    let twice = tar(&[
        ("demo-1.0/PKG-INFO", METADATA),
        ("demo-1.0/PKG-INFO", METADATA),
    ]);
    assert!(matches!(
        sdist(gzip(&twice)),
        Err(ArchiveError::Ambiguous(_))
    ));
    let bomb = gzip(&tar(&[("demo-1.0/zeros", &vec![0; 80 << 20])]));
    assert!(sdist(bomb).is_err(), "F49");
}

#[test]
fn a_pkg_info_that_is_a_link_or_a_device_is_refused() {
    for kind in [tar::EntryType::Symlink, tar::EntryType::Char] {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_path("demo-1.0/PKG-INFO").expect("a path");
        header.set_entry_type(kind);
        header.set_link_name("/etc/passwd").expect("a path");
        header.set_size(0);
        header.set_cksum();
        builder.append(&header, &[][..]).expect("in memory");
        assert!(
            sdist(gzip(&builder.into_inner().expect("in memory"))).is_err(),
            "F50, {kind:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = wheel(bytes.clone());
        let _ = sdist(bytes);
    }

    #[test]
    fn a_bent_byte_never_panics(at: prop::sample::Index, value: u8) {
        let mut bytes = zip(&straight());
        let at = at.index(bytes.len());
        bytes[at] = value;
        let _ = wheel(bytes);
    }
}
