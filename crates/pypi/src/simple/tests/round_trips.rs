//! Properties over generated pages: what is written is read back as it was,
//! and no client's trap is ever written.

use super::*;

fn hex(digits: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(prop::sample::select(b"0123456789abcdef".to_vec()), digits)
        .prop_map(|digits| String::from_utf8(digits).unwrap())
}

/// sha256 alone or others alone: a page never writes both (S-16).
fn hashes() -> impl Strategy<Value = Hashes> {
    let md5_or_none = proptest::option::of(hex(32)).prop_map(|hex| {
        let mut hashes = Hashes::default();
        hex.inspect(|hex| assert!(hashes.insert("md5", hex)));
        hashes
    });
    prop_oneof![
        hex(64).prop_map(|hex| Hashes::of(hex.parse().unwrap())),
        md5_or_none,
    ]
}

/// Any text that is not empty, with what markup and JSON care about.
fn text() -> impl Strategy<Value = String> {
    "[a-z<>&\"'#;/é\u{1f600}\\\\\t{}=-]{1,12}"
}

fn core_metadata() -> impl Strategy<Value = CoreMetadata> {
    prop_oneof![
        Just(CoreMetadata::Absent),
        Just(CoreMetadata::Present),
        hex(64).prop_map(|hex| CoreMetadata::Sha256(hex.parse().unwrap())),
    ]
}

fn file() -> impl Strategy<Value = PageFile> {
    let name = "demo-[0-9]\\.[0-9](rc1|\\+l\\.1)?(\\.tar\\.gz|\\.zip|-py3-none-any\\.whl)";
    let time = "20[0-9]{2}-0[13-9]-[12][0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{6})?Z";
    let option = proptest::option::of::<BoxedStrategy<String>>;
    let texts = (
        option(text().boxed()),
        option(text().boxed()),
        option(time.boxed()),
    );
    let provenance = option("https://p\\.example\\.com/[a-z&?=]{0,8}".boxed());
    let rest = (
        core_metadata(),
        proptest::option::of(any::<u64>()),
        any::<Option<bool>>(),
    );
    (name, hashes(), texts, provenance, rest).prop_map(
        |(
            name,
            hashes,
            (requires_python, yanked, upload_time),
            provenance,
            (core_metadata, size, gpg_sig),
        )| PageFile {
            hashes,
            requires_python,
            size,
            upload_time,
            yanked,
            core_metadata,
            provenance,
            gpg_sig,
            ..plain(&name)
        },
    )
}

fn status() -> impl Strategy<Value = Option<ProjectStatus>> {
    let status = ("[a-z]{1,8}", proptest::option::of(text()))
        .prop_map(|(status, reason)| ProjectStatus { status, reason });
    proptest::option::of(status)
}

/// Pages in the order and form in which they are written.
fn page() -> impl Strategy<Value = ProjectPage> {
    let files = proptest::collection::vec(file(), 0..6);
    (files, status(), any::<Option<u32>>()).prop_map(|(files, status, serial)| {
        let mut page = ProjectPage {
            status,
            last_serial: serial.map(u64::from),
            ..page_of(files)
        };
        page.files = order::files(&page).into_iter().cloned().collect();
        page.files.dedup_by(|a, b| a.filename == b.filename);
        let versions = page.files.iter().map(|file| {
            crate::filename::parse(&file.filename, Some(&page.name))
                .unwrap()
                .version
        });
        page.versions = versions.collect();
        page.versions.sort_unstable();
        page.versions.dedup();
        page
    })
}

fn no_null(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(members) => members.iter().all(no_null),
        Value::Object(members) => members.values().all(no_null),
        _ => true,
    }
}

proptest! {
    #[test]
    fn json_is_read_back_as_it_was(page in page()) {
        let written = write_json(&page);
        prop_assert_eq!(&read_json(&written, &page.name, &base()).unwrap(), &page);
        let value: Value = serde_json::from_slice(&written).unwrap();
        prop_assert!(no_null(&value), "S-14: {value}");
        for file in value["files"].as_array().unwrap() {
            let hashes = file["hashes"].as_object().unwrap();
            prop_assert!(hashes.len() <= 1, "S-16");
            for (algorithm, hex) in hashes {
                let digits = if algorithm == "sha256" { 64 } else { 32 };
                prop_assert_eq!(hex.as_str().unwrap().len(), digits);
            }
        }
    }

    #[test]
    fn html_is_read_back_as_it_was(page in page()) {
        let written = String::from_utf8(write_html(&page)).unwrap();
        prop_assert_eq!(&read_html(written.as_bytes(), &page.name, &base()).unwrap(), &page);
        // S-23, S-26: one anchor per file.
        prop_assert_eq!(written.matches("<a ").count(), page.files.len());
        for line in written.lines().filter(|line| line.starts_with("<a ")) {
            // hatch: `<a [^>]+>([^<]+)</a>`
            let (attributes, rest) = line[3..].split_once('>').unwrap();
            prop_assert!(!attributes.is_empty() && !attributes.contains('<'));
            let (text, end) = rest.split_once("</a>").unwrap();
            prop_assert!(page.files.iter().any(|file| file.filename == text));
            prop_assert_eq!(end, "<br>");
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = read_json(&bytes, &demo(), &base());
        let _ = read_html(&bytes, &demo(), &base());
        let _ = read_project_list_json(&bytes);
        let _ = read_project_list_html(&bytes);
    }

    #[test]
    fn a_bent_page_never_panics(page in page(), at: prop::sample::Index, value: u8) {
        for mut bytes in [write_json(&page), write_html(&page)] {
            let at = at.index(bytes.len());
            bytes[at] = value;
            let _ = read_json(&bytes, &demo(), &base());
            let _ = read_html(&bytes, &demo(), &base());
        }
    }

    #[test]
    fn what_is_read_can_be_written_and_read_again(files in proptest::collection::vec("[a-z<&\"#%?/ -]{0,6}demo-[0-9]\\.zip[#?]?[a-z0-9=]{0,4}", 0..4)) {
        let links: Vec<Value> = files.iter().map(|url| json!({"url": url})).collect();
        let once = from_json(&json!({"files": links})).unwrap();
        let json = read_json(&write_json(&once), &demo(), &base()).unwrap();
        let html = read_html(&write_html(&once), &demo(), &base()).unwrap();
        prop_assert_eq!(json.files.len(), once.files.len());
        prop_assert_eq!(html.files, json.files);
    }
}
