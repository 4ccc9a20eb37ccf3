//! Source archives.

use std::io::Cursor;

use proptest::prelude::*;
use tar::EntryType;

use super::build::{Entry, Zip, file, gzip, header, member, records, special, tar};
use super::{ArchiveError, METADATA, read_sdist};
use crate::filename::parse;

fn read(filename: &str, bytes: Vec<u8>) -> Result<Option<Vec<u8>>, ArchiveError> {
    let name = parse(filename, None).unwrap();
    read_sdist(Cursor::new(bytes), &name).map(|read| read.map(|artifact| artifact.metadata))
}

fn sdist(entries: &[Entry]) -> Result<Option<Vec<u8>>, ArchiveError> {
    read("demo-1.0.tar.gz", gzip(&tar(entries)))
}

fn pkg_info() -> Entry {
    file("demo-1.0/PKG-INFO", METADATA)
}

#[test]
fn pkg_info_is_read_from_the_top_folder() {
    let good = || {
        vec![
            records(EntryType::XGlobalHeader, b"21 comment=abcdefghi\n"),
            special("demo-1.0/", EntryType::Directory, ""),
            file("demo-1.0/setup.py", b"x"),
            pkg_info(),
            file("demo-1.0/demo.egg-info/PKG-INFO", b"other"),
            special("demo-1.0/link", EntryType::Symlink, "setup.py"),
            special("demo-1.0/hard", EntryType::Link, "demo-1.0/setup.py"),
        ]
    };
    assert_eq!(sdist(&good()).unwrap().as_deref(), Some(METADATA), "M-01");
    for name in ["demo-1.0.tgz", "demo-1.0.tar.gz"] {
        assert_eq!(
            read(name, gzip(&tar(&good()))).unwrap().as_deref(),
            Some(METADATA)
        );
    }
    assert_eq!(
        read("demo-1.0.tar", tar(&good())).unwrap().as_deref(),
        Some(METADATA)
    );
    let dotted = [
        special("./", EntryType::Directory, ""),
        file("./demo-1.0//PKG-INFO", METADATA),
    ];
    assert_eq!(sdist(&dotted).unwrap().as_deref(), Some(METADATA));
    let zip = Zip::new(&[
        member("demo-1.0/", b""),
        member("demo-1.0/PKG-INFO", METADATA),
    ]);
    assert_eq!(
        read("demo-1.0.zip", zip.bytes()).unwrap().as_deref(),
        Some(METADATA)
    );
}

#[test]
fn old_sdists_have_no_pkg_info_of_their_own() {
    let flat = || {
        vec![
            file("setup.py", b"x"),
            file("demo.egg-info/PKG-INFO", METADATA),
        ]
    };
    let two = || vec![file("a/x", b"x"), file("b/PKG-INFO", METADATA)];
    for entries in [
        vec![file("demo-1.0/setup.py", b"x")],
        flat(),
        two(),
        vec![file("PKG-INFO", METADATA)],
    ] {
        assert_eq!(sdist(&entries).unwrap(), None);
    }
    let zip = Zip::new(&[member("a/x", b""), member("b/PKG-INFO", METADATA)]);
    assert_eq!(read("demo-1.0.zip", zip.bytes()).unwrap(), None);
    assert_eq!(
        read("demo-1.0.tar.bz2", b"BZh91AY".to_vec()).unwrap(),
        None,
        "not opened"
    );
}

#[test]
fn long_names_and_pax_records_name_their_member() {
    let name: &[u8] = b"demo-1.0/PKG-INFO";
    let path = b"26 path=demo-1.0/PKG-INFO\n";
    let size = format!("11 size={}\n", METADATA.len());
    let xattr = b"28 SCHILY.xattr.a=b\nc=d\ne=f\n";
    let good = [
        records(EntryType::GNULongName, &[name, b"\0"].concat()),
        records(EntryType::XHeader, path),
        records(EntryType::XHeader, &[path, size.as_bytes(), xattr].concat()),
    ];
    for record in good {
        let entries = [record, file("x", METADATA)];
        assert_eq!(sdist(&entries).unwrap().as_deref(), Some(METADATA));
    }
}

#[test]
fn records_that_readers_disagree_on_are_refused() {
    let long = || records(EntryType::GNULongName, b"demo-1.0/PKG-INFO\0");
    let pax = |content: &[u8]| records(EntryType::XHeader, content);
    let cases = [
        vec![long(), long(), file("x", METADATA)],
        vec![
            long(),
            pax(b"26 path=demo-1.0/PKG-INFO\n"),
            file("x", METADATA),
        ],
        vec![pax(b"10 size=3\n"), pkg_info()],
        vec![
            records(EntryType::XGlobalHeader, b"10 path=x\n"),
            pkg_info(),
        ],
        vec![pkg_info(), pkg_info()],
        vec![pkg_info(), file("demo-1.0/./PKG-INFO", b"other")],
        vec![pkg_info(), file("other/PKG-INFO", METADATA)],
    ];
    for (at, entries) in cases.iter().enumerate() {
        assert!(
            matches!(sdist(entries), Err(ArchiveError::Ambiguous(_))),
            "{at}"
        );
    }
    let damaged = [
        vec![long()],
        vec![pax(b"8 path=x\n"), pkg_info()],
        vec![pax(b"nonsense"), pkg_info()],
        vec![pax(b"99 path=x\n"), pkg_info()],
        vec![pax(b"10 size=x\n"), pkg_info()],
    ];
    for (at, entries) in damaged.iter().enumerate() {
        assert!(
            matches!(sdist(entries), Err(ArchiveError::Damaged(_))),
            "{at}"
        );
    }
    let mut old = header(&pkg_info());
    old.as_mut_bytes()[257..265].fill(0);
    old.as_mut_bytes()[345] = b'p';
    old.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&old, METADATA).unwrap();
    let bytes = gzip(&builder.into_inner().unwrap());
    assert!(matches!(
        read("demo-1.0.tar.gz", bytes),
        Err(ArchiveError::Ambiguous(_))
    ));
}

#[test]
fn damaged_sdists_are_refused() {
    let good = gzip(&tar(&[pkg_info(), file("demo-1.0/a", &[7; 4000])]));
    let cases = [
        b"no tar".to_vec(),
        gzip(b"no tar"),
        gzip(b""),
        gzip(&[0; 1024]),
        Vec::new(),
        Zip::new(&[member("demo-1.0/PKG-INFO", METADATA)]).bytes(),
        good[..good.len() / 2].to_vec(),
        good[..good.len() - 4].to_vec(),
        [good.clone(), b"more".to_vec()].concat(),
    ];
    for (at, bytes) in cases.into_iter().enumerate() {
        assert!(
            matches!(
                read("demo-1.0.tar.gz", bytes),
                Err(ArchiveError::Damaged(_))
            ),
            "{at}"
        );
    }
    for (name, bytes) in [("demo-1.0.zip", good), ("demo-1.0.tar.bz2", b"PK".to_vec())] {
        assert!(
            matches!(read(name, bytes), Err(ArchiveError::Damaged(_))),
            "{name}"
        );
    }
}

#[test]
fn f50_members_that_are_no_files_or_lead_outside_are_refused() {
    let cases = [
        file("../evil", b"x"),
        file("/etc/passwd", b"x"),
        file("demo-1.0/../../evil", b"x"),
        special("demo-1.0/PKG-INFO", EntryType::Symlink, "setup.py"),
        special("demo-1.0/PKG-INFO", EntryType::Directory, ""),
        special("demo-1.0/null", EntryType::Char, ""),
        special("demo-1.0/disk", EntryType::Block, ""),
        special("demo-1.0/pipe", EntryType::Fifo, ""),
        special("demo-1.0/sparse", EntryType::GNUSparse, ""),
        special("demo-1.0/new", EntryType::new(b'Z'), ""),
        special("demo-1.0/link", EntryType::Symlink, "/etc/passwd"),
        special("demo-1.0/link", EntryType::Symlink, "../../evil"),
        special("demo-1.0/link", EntryType::Link, "../evil"),
    ];
    for (at, entry) in cases.into_iter().enumerate() {
        assert!(
            matches!(sdist(&[entry]), Err(ArchiveError::Unsafe(_))),
            "{at}"
        );
    }
    let sparse = records(EntryType::XHeader, b"22 GNU.sparse.major=1\n");
    assert!(matches!(
        sdist(&[sparse, pkg_info()]),
        Err(ArchiveError::Unsafe(_))
    ));
    let zip = Zip::new(&[member("../evil", b"")]);
    assert!(matches!(
        read("demo-1.0.zip", zip.bytes()),
        Err(ArchiveError::Unsafe(_))
    ));
}

#[test]
fn u11_bombs_are_refused() {
    let zeros = [file("demo-1.0/zeros", &vec![0; 80 << 20])];
    assert!(sdist(&zeros).is_err());
    let large = [file("demo-1.0/PKG-INFO", &vec![b'x'; (16 << 20) + 1])];
    assert!(matches!(sdist(&large), Err(ArchiveError::TooLarge)));
    // Nor are names read into memory without a limit.
    let name = records(EntryType::GNULongName, &vec![b'a'; (1 << 20) + 1]);
    assert!(matches!(
        sdist(&[name, pkg_info()]),
        Err(ArchiveError::TooLarge)
    ));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        for name in ["demo-1.0.tar.gz", "demo-1.0.tar", "demo-1.0.zip", "demo-1.0.tar.bz2"] {
            let _ = read(name, bytes.clone());
        }
        let _ = read("demo-1.0.tar.gz", gzip(&bytes));
    }

    #[test]
    fn a_bent_byte_never_panics(at in 0_usize..2048, value: u8) {
        let mut bytes = tar(&[records(EntryType::XHeader, b"26 path=demo-1.0/PKG-INFO\n"), pkg_info()]);
        bytes[at] = value;
        let _ = read("demo-1.0.tar", bytes);
    }
}
