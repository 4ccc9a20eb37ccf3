//! Forms as clients send them, and as they should not.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn form(fields: &[(&str, &str)]) -> Result<UploadForm, FormError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    UploadForm::from_fields(fields.iter().map(owned).collect())
}

const GOOD: [(&str, &str); 3] = [
    (":action", "file_upload"),
    ("name", "Demo.Pkg"),
    ("version", "1.0"),
];

fn with(more: &[(&str, &str)]) -> Result<UploadForm, FormError> {
    form(&[more, &GOOD[..]].concat())
}

#[test]
fn u04_spellings_of_all_clients_come_to_one_name() {
    let sent = [
        ("provides_extra", "x"),
        ("provides_extras", "y"),
        ("license_files", "LICENSE"),
        ("license_file", "NOTICE"),
        ("classifiers", "A"),
        ("classifiers", "B"),
        ("classifiers", ""),
        ("platform", "UNKNOWN"),
        ("import_names", "demo"),
        ("import_name", "demo2"),
        ("import_namespace", "ns"),
        ("summary", "UNKNOWN"),
        ("keywords", " a, b "),
        ("description", "    code\n"),
        ("future", "1"),
        ("future", "2"),
        ("metadata_version", "2.9"),
        ("yanked", "x"),
    ];
    let data = with(&sent).unwrap().metadata_json();
    assert_eq!(data["provides_extras"], json!(["x", "y"]));
    assert_eq!(data["license_file"], json!(["LICENSE", "NOTICE"]));
    assert_eq!(data["classifiers"], json!(["A", "B"]));
    assert_eq!(data["platform"], json!([]));
    assert_eq!(data["import_name"], json!(["demo", "demo2"]));
    assert_eq!(data["import_namespace"], json!(["ns"]));
    assert_eq!(
        (&data["summary"], &data["keywords"]),
        (&json!(""), &json!("a, b"))
    );
    assert_eq!(data["description"], "    code\n");
    assert_eq!(data["metadata_version"], "2.9");
    assert!(!data.contains_key("future") && !data.contains_key("yanked"));
}

#[test]
fn every_key_of_devpi_is_there_and_no_other() {
    let form = with(&[]).unwrap();
    let data = form.metadata_json();
    let keys: Vec<_> = data.keys().map(String::as_str).collect();
    assert_eq!(keys, FIELDS.map(|field| field.key));
    for field in &FIELDS[2..] {
        let nothing = if field.is_list { json!([]) } else { json!("") };
        assert_eq!(data[field.key], nothing, "{}", field.key);
    }
    assert_eq!((form.name(), form.version()), ("Demo.Pkg", "1.0"));
    assert_eq!(
        (form.action(), form.requires_python()),
        (Action::FileUpload, None)
    );
}

#[test]
fn f51_f54_digests_are_lower_case_hex_or_absent() {
    let upper = "AB".repeat(32);
    let form = with(&[
        ("sha256_digest", &upper),
        ("md5_digest", ""),
        ("blake2_256_digest", "UNKNOWN"),
    ]);
    let form = form.unwrap();
    assert_eq!(form.sha256_digest(), Some("ab".repeat(32).as_str()));
    assert_eq!((form.md5_digest(), form.blake2_256_digest()), (None, None));
    for (key, value) in [
        ("sha256_digest", "zz"),
        ("md5_digest", "0"),
        ("blake2_256_digest", &upper[2..]),
    ] {
        assert_eq!(
            with(&[(key, value)]),
            Err(FormError::NotADigest(key)),
            "{key}"
        );
    }
}

#[test]
fn f04_f08_f32_f83_required_fields() {
    assert_eq!(form(&GOOD[1..]), Err(FormError::NoAction));
    assert_eq!(form(&[(":action", "")]), Err(FormError::NoAction));
    let unknown = form(&[(":action", "ver\nify")]).unwrap_err();
    assert_eq!(unknown.to_string(), "action 'ver?ify' not supported");
    for action in ["submit", "file_upload"] {
        let action = (":action", action);
        assert_eq!(
            form(&[action, ("version", "1")]),
            Err(FormError::Missing("name"))
        );
        assert_eq!(
            form(&[action, ("name", "a")]),
            Err(FormError::Missing("version"))
        );
        assert_eq!(
            form(&[action, ("name", "a"), ("version", "UNKNOWN")]),
            Err(FormError::Missing("version"))
        );
    }
    let doc = form(&[(":action", "doc_upload"), ("name", "a")]).unwrap();
    assert_eq!((doc.action(), doc.version()), (Action::DocUpload, ""));
}

#[test]
fn f56_a_field_that_means_one_thing_has_one_value() {
    let digest = "ab".repeat(32);
    let cases = [("name", "other"), (":action", "submit"), ("version", "2.0")];
    for (key, value) in cases {
        assert_eq!(with(&[(key, value)]), Err(FormError::Twice(key)));
    }
    for key in ["summary", "requires_python", "protocol_version"] {
        assert_eq!(with(&[(key, "1"), (key, "2")]), Err(FormError::Twice(key)));
    }
    assert_eq!(
        with(&[("sha256_digest", &digest), ("sha256_digest", "")]),
        Err(FormError::Twice("sha256_digest"))
    );
    assert!(
        with(&[("name", "Demo.Pkg")]).is_ok(),
        "the same twice says nothing else"
    );
}

#[test]
fn f34_f36_names_and_versions_that_break_urls_are_refused() {
    for version in [
        "1.0<script>",
        "..",
        ".",
        "1/0",
        "1\\0",
        "1\n0",
        "1%200",
        "1#0",
        "1?0",
        "1\"0",
    ] {
        let refused = form(&[GOOD[0], GOOD[1], ("version", version)]);
        assert_eq!(refused, Err(FormError::Unsafe), "{version:?}");
    }
    assert_eq!(
        form(&[GOOD[0], GOOD[2], ("name", "../../x")]),
        Err(FormError::Unsafe)
    );
    let long = "1".repeat(5000);
    assert_eq!(
        form(&[GOOD[0], GOOD[1], ("version", &long)]),
        Err(FormError::TooLong("version"))
    );
    assert_eq!(
        form(&[GOOD[0], GOOD[2], ("name", &long)]),
        Err(FormError::TooLong("name"))
    );
}

#[test]
fn f07_f80_fields_that_say_something_is_wrong() {
    assert_eq!(with(&[("content", "text")]), Err(FormError::ContentIsText));
    assert_eq!(with(&[("summary", "a\0b")]), Err(FormError::NotText));
    assert_eq!(
        with(&[("protocol_version", "2")]),
        Err(FormError::UnknownProtocol)
    );
    assert!(with(&[("protocol_version", "1")]).is_ok());
}

#[test]
fn u14_attestations_are_kept_as_they_are() {
    let form = with(&[("attestations", "[not even json")]).unwrap();
    assert_eq!(form.attestations(), Some("[not even json"));
}

proptest! {
    #[test]
    fn any_fields_are_read_or_refused(fields: Vec<(String, String)>) {
        let _ = UploadForm::from_fields(fields);
    }

    #[test]
    fn the_order_of_fields_does_not_matter(mut lists in proptest::collection::vec(("[a-z_]{1,8}", "[a-z]{0,4}"), 0..6)) {
        lists.extend(GOOD.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let there = UploadForm::from_fields(lists.clone()).map(|form| form.action());
        lists.reverse();
        let back = UploadForm::from_fields(lists).map(|form| form.action());
        prop_assert_eq!(there.is_ok(), back.is_ok());
    }
}
