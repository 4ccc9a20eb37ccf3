//! Wheels.

use std::io::Cursor;

use proptest::prelude::*;

use super::build::{Member, Zip, crc, deflate, len, member};
use super::{ArchiveError, METADATA, read_wheel};
use crate::filename::parse;

const INFO: &str = "demo-1.0.dist-info/METADATA";

fn wheel(bytes: Vec<u8>) -> Result<Vec<u8>, ArchiveError> {
    let name = parse("demo-1.0-py3-none-any.whl", None).unwrap();
    read_wheel(Cursor::new(bytes), &name).map(|artifact| artifact.metadata)
}

fn straight() -> Vec<Member> {
    vec![
        member("demo/__init__.py", b"x = 1\n"),
        member(INFO, METADATA),
    ]
}

/// What is wrong with a zip of these members, in a word.
fn verdict(bytes: Vec<u8>) -> &'static str {
    match wheel(bytes) {
        Ok(_) => "good",
        Err(ArchiveError::Io(_)) => "io",
        Err(ArchiveError::Damaged(_)) => "damaged",
        Err(ArchiveError::Ambiguous(_)) => "ambiguous",
        Err(ArchiveError::Unsafe(_)) => "unsafe",
        Err(ArchiveError::TooLarge) => "too large",
        Err(ArchiveError::Unreadable) => "unreadable",
        Err(ArchiveError::NoMetadata) => "no metadata",
        Err(ArchiveError::OtherRelease) => "other release",
        Err(ArchiveError::Metadata(_)) => "metadata",
    }
}

fn bent(bend: impl FnOnce(&mut Vec<Member>)) -> &'static str {
    let mut members = straight();
    bend(&mut members);
    verdict(Zip::new(&members).bytes())
}

fn laid_out(bend: impl FnOnce(&mut Zip)) -> &'static str {
    let mut zip = Zip::new(&straight());
    bend(&mut zip);
    verdict(zip.bytes())
}

#[test]
fn m01_metadata_is_read_byte_for_byte_however_it_is_packed() {
    let packings: [fn(Member) -> Member; 7] = [
        |deflated| deflated,
        |member| member.stored(METADATA),
        Member::wide,
        |member| member.with_descriptor(true, false),
        |member| member.with_descriptor(false, false),
        |member| member.with_descriptor(true, true),
        |member| member.with_descriptor(false, true),
    ];
    for (at, packing) in packings.into_iter().enumerate() {
        let members = [
            member("demo/x.py", b"x"),
            packing(member(INFO, METADATA)),
            member("demo/é", b""),
        ];
        for zip64 in [false, true] {
            let zip = Zip {
                zip64,
                ..Zip::new(&members)
            };
            assert_eq!(wheel(zip.bytes()).unwrap(), METADATA, "{at}, zip64 {zip64}");
        }
    }
    let odd = b"Metadata-Version: 2.1\r\nName: demo\r\nVersion: 1.0\r\n\r\n\xff";
    assert_eq!(wheel(Zip::new(&[member(INFO, odd)]).bytes()).unwrap(), odd);
}

#[test]
fn s30_the_one_dist_info_that_belongs_to_the_file_name() {
    let cases: [(&[&str], &str); 10] = [
        (&["Demo-1.0.0.dist-info/METADATA"], "good"),
        (&["./demo-1.0.dist-info//METADATA"], "good"),
        (
            &[INFO, "demo-1.0.dist-info/", "vendor/x-2.dist-info/METADATA"],
            "good",
        ),
        (&["other-1.0.dist-info/METADATA"], "no metadata"),
        (&["demo-2.0.dist-info/METADATA"], "no metadata"),
        (&["vendor/demo-1.0.dist-info/METADATA"], "no metadata"),
        (&["demo-1.0.dist-info/RECORD"], "no metadata"),
        (&["demo-1.0.dist-info"], "no metadata"),
        (&[INFO, "Demo-1.0.dist-info/METADATA"], "ambiguous"),
        (&[INFO, "other-1.0.dist-info/METADATA"], "ambiguous"),
    ];
    for (names, expected) in cases {
        let members = names.iter().map(|name| {
            let content = if name.ends_with('/') { b"" } else { METADATA };
            member(name, content)
        });
        let members: Vec<Member> = members.collect();
        assert_eq!(verdict(Zip::new(&members).bytes()), expected, "{names:?}");
    }
}

#[test]
fn f42_metadata_of_another_name_or_version_is_refused() {
    let cases = [
        ("Name: Demo\nVersion: 1.0.0\n", "good"),
        ("Name: other\nVersion: 1.0\n", "other release"),
        ("Name: demo\nVersion: 2.0\n", "other release"),
        ("Name: de mo\nVersion: 1.0\n", "other release"),
        ("Name: demo\n", "metadata"),
    ];
    for (fields, expected) in cases {
        let metadata = format!("Metadata-Version: 2.1\n{fields}");
        let zip = Zip::new(&[member(INFO, metadata.as_bytes())]);
        assert_eq!(verdict(zip.bytes()), expected, "{fields}");
    }
}

#[test]
fn f44_f68_what_is_no_zip() {
    let good = Zip::new(&straight()).bytes();
    let cases = [
        Vec::new(),
        b"PK".to_vec(),
        b"no zip at all, but longer than an end record".to_vec(),
        good[..good.len() - 1].to_vec(),
        good[..good.len() / 2].to_vec(),
    ];
    for bytes in cases {
        assert_eq!(verdict(bytes), "damaged");
    }
    assert_eq!(verdict(Zip::new(&[]).bytes()), "no metadata");
}

#[test]
fn f46_duplicates_in_any_spelling_are_refused() {
    for name in [
        INFO,
        "demo-1.0.dist-info//METADATA",
        "./demo/__init__.py",
        "demo/__init__.py/",
    ] {
        let content = if name.ends_with('/') { b"" } else { METADATA };
        assert_eq!(
            bent(|members| members.push(member(name, content))),
            "ambiguous",
            "{name}"
        );
    }
}

#[test]
fn f47_bytes_that_belong_to_no_member_are_refused() {
    let good = Zip::new(&straight()).bytes();
    assert_eq!(verdict([good.clone(), vec![0; 100]].concat()), "damaged");
    // The second archive is complete, and its offsets are wrong by the first one's length.
    assert_eq!(verdict([good.clone(), good].concat()), "ambiguous");
    assert_eq!(laid_out(|zip| zip.before = vec![0; 100]), "ambiguous");
    assert_eq!(laid_out(|zip| zip.between = vec![0; 100]), "ambiguous");
    assert_eq!(laid_out(|zip| zip.comment = vec![0; 100]), "damaged");
    // A member that only a reader from the front finds.
    let hidden = Zip::new(&[member("demo/hidden.py", b"evil")]).bytes();
    assert_eq!(
        bent(|members| members[0].behind = hidden.clone()),
        "ambiguous"
    );
    assert_eq!(bent(|members| members[1].behind = vec![0]), "ambiguous");
    // An end record of its own that says "no comment" where there is one.
    let mut zip = Zip::new(&straight()).bytes();
    let at = zip.len() - 2;
    zip[at] = 1;
    assert_eq!(verdict(zip), "ambiguous");
}

#[test]
fn f48_a_header_that_disagrees_with_the_directory_is_refused() {
    let changes: [fn(&mut Member); 8] = [
        |member| member.local.name = b"demo/__main__.py".to_vec(),
        |member| member.local.name = b"demo/__init__.PY".to_vec(),
        |member| member.local.method = 0,
        |member| member.local.crc ^= 1,
        |member| member.local.unpacked += 1,
        |member| member.local.packed += 1,
        |member| member.local.flags |= 1 << 3,
        |member| member.local.flags |= 1,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        assert_eq!(bent(|members| change(&mut members[0])), "ambiguous", "{at}");
    }
    let mut overlapping = Zip::new(&straight());
    overlapping.members[0].central.packed += 4;
    overlapping.members[0].local.packed += 4;
    assert_eq!(verdict(overlapping.bytes()), "ambiguous");
}

#[test]
fn sizes_and_names_given_twice_are_refused() {
    let unicode_path = |name: &[u8]| {
        let size = u16::try_from(5 + name.len()).unwrap();
        [
            &[0x75, 0x70],
            &size.to_le_bytes()[..],
            &[1, 0, 0, 0, 0],
            name,
        ]
        .concat()
    };
    let own = unicode_path(b"demo/__init__.py");
    assert_eq!(bent(|members| members[0].central.extra = own), "good");
    let other = unicode_path(b"demo/__main__.py");
    assert_eq!(
        bent(|members| members[0].central.extra = other.clone()),
        "ambiguous"
    );
    assert_eq!(bent(|members| members[0].local.extra = other), "ambiguous");
    let wide = |members: &mut Vec<Member>| members[0] = members[0].clone().wide();
    assert_eq!(bent(wide), "good");
    let twice = bent(|members| {
        wide(members);
        let extra = members[0].central.extra.clone();
        members[0].central.extra.extend(extra);
    });
    assert_eq!(twice, "ambiguous");
    assert_eq!(
        bent(|members| members[0].local = members[0].clone().wide().local),
        "good"
    );
    let wrong = bent(|members| {
        wide(members);
        members[0].local.extra[4] ^= 1;
    });
    assert_eq!(wrong, "ambiguous");
    assert_eq!(
        bent(|members| members[0].central.extra = vec![1, 0, 99, 0]),
        "damaged"
    );
    assert_eq!(
        laid_out(|zip| (zip.zip64, zip.small_entries) = (true, 2)),
        "good"
    );
    assert_eq!(
        laid_out(|zip| (zip.zip64, zip.small_entries) = (true, 1)),
        "ambiguous"
    );
}

#[test]
fn descriptors_that_lie_are_refused() {
    let with = |change: fn(&mut Member)| {
        bent(|members| {
            members[0] = members[0].clone().with_descriptor(true, false);
            change(&mut members[0]);
        })
    };
    assert_eq!(with(|_| {}), "good");
    let lies: [fn(&mut Member); 5] = [
        |member| member.behind[4] ^= 1,
        |member| member.behind[8] ^= 1,
        |member| member.behind.truncate(4),
        |member| member.behind.extend([0; 100]),
        |member| member.local.packed = 1,
    ];
    for (at, lie) in lies.into_iter().enumerate() {
        assert_eq!(with(lie), "ambiguous", "{at}");
    }
    // Data that ends before the directory says it does.
    let early = with(|member| {
        let content = b"x = 1\n";
        member.data.extend(deflate(b"hidden"));
        let head = Member {
            data: member.data.clone(),
            ..super::build::member("demo/__init__.py", content)
        };
        *member = head
            .both(|head| head.packed = 0)
            .with_descriptor(true, false);
        let packed = len(&member.data);
        member.central.packed = packed;
        member.behind[8..12].copy_from_slice(&packed.to_le_bytes());
    });
    assert_eq!(early, "damaged");
    let stored = |members: &mut Vec<Member>| {
        members[0] = members[0]
            .clone()
            .stored(b"x = 1\n")
            .with_descriptor(true, false);
    };
    assert_eq!(bent(stored), "ambiguous");
}

#[test]
fn unsafe_members_are_refused() {
    for name in [
        "../evil.py",
        "/evil.py",
        "a/../../evil.py",
        "..\\evil.py",
        "C:/evil.py",
        "a\nb",
    ] {
        assert_eq!(
            bent(|members| members.push(member(name, b""))),
            "unsafe",
            "{name:?}"
        );
    }
    for mode in [0o120_777, 0o020_644, 0o010_644] {
        assert_eq!(bent(|members| members[0].mode = mode), "unsafe", "{mode:o}");
    }
    for mode in [0, 0o644, 0o040_755] {
        assert_eq!(bent(|members| members[0].mode = mode), "good", "{mode:o}");
    }
    assert_eq!(
        bent(|members| members.push(member("demo/x/", b"content"))),
        "ambiguous"
    );
}

#[test]
fn what_installers_cannot_read_is_refused() {
    let change = |flags: u16, method: u16| {
        bent(|members| {
            members[0] = members[0].clone().both(|head| {
                head.flags = flags;
                head.method = method;
            });
        })
    };
    assert_eq!(change(1, 8), "unreadable");
    assert_eq!(change(1 << 6, 8), "unreadable");
    assert_eq!(change(1 << 13, 8), "unreadable");
    for method in [1, 9, 12, 14, 93, 99] {
        assert_eq!(change(0, method), "unreadable", "{method}");
    }
    let name = |name: &[u8], flags: u16| {
        bent(|members| {
            members[0] = members[0].clone().both(|head| {
                head.name = name.to_vec();
                head.flags = flags;
            });
        })
    };
    assert_eq!(name("é".as_bytes(), 1 << 11), "good");
    assert_eq!(name("é".as_bytes(), 0), "ambiguous");
    assert_eq!(name(b"\xff", 1 << 11), "damaged");
}

#[test]
fn u11_wrong_lengths_checksums_and_bombs_are_refused() {
    let change = |change: fn(&mut super::build::Head)| {
        bent(|members| members[1] = members[1].clone().both(change))
    };
    assert_eq!(change(|head| head.unpacked = 3), "damaged");
    assert_eq!(change(|head| head.unpacked = 1000), "damaged");
    assert_eq!(change(|head| head.crc ^= 1), "damaged");
    assert_eq!(change(|head| head.unpacked = (16 << 20) + 1), "too large");
    let zeros = vec![0; 70 << 20];
    assert_eq!(
        bent(|members| members.push(member("demo/zeros", &zeros))),
        "too large"
    );
    // Trailing bytes inside a member.
    let padded = bent(|members| {
        members[1].data.push(0);
        members[1] = members[1].clone().both(|head| head.packed += 1);
    });
    assert_eq!(padded, "damaged");
    let stored = bent(|members| {
        let both = members[1].clone().stored(METADATA);
        members[1] = both.both(|head| head.crc = crc(b"other"));
    });
    assert_eq!(stored, "damaged");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = wheel(bytes);
    }

    #[test]
    fn a_bent_byte_never_panics(at: prop::sample::Index, value: u8, zip64: bool) {
        let mut members = straight();
        members[0] = members[0].clone().with_descriptor(true, false);
        let mut bytes = Zip { zip64, ..Zip::new(&members) }.bytes();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(metadata) = wheel(bytes) {
            prop_assert_eq!(metadata, METADATA);
        }
    }
}
