//! Foreign pages, odd and hostile.

use super::*;

#[test]
fn p02_nulls_and_missing_keys_are_fine() {
    let nulls = json!({
        "filename": null, "hashes": null, "requires-python": null, "size": null,
        "upload-time": null, "yanked": null, "core-metadata": null, "dist-info-metadata": null,
        "provenance": null, "gpg-sig": null,
    });
    assert_eq!(
        file_with(&nulls),
        PageFile {
            url: "https://up.example.com/simple/demo/demo-1.0.zip".to_owned(),
            size: None,
            ..plain("demo-1.0.zip")
        }
    );
    let pages = [
        json!({"files": []}),
        json!({"files": null, "meta": null, "name": null, "versions": null, "project-status": null}),
        json!({"files": [], "meta": {"api-version": null, "_last-serial": null}}),
        json!({"files": [], "meta": {"api-version": 1.1}, "alternate-locations": ["x"]}),
    ];
    for page in pages {
        assert_eq!(from_json(&page).unwrap(), page_of(Vec::new()), "{page}");
    }
}

#[test]
fn p02_odd_values_count_as_absent() {
    let odd = json!({
        "hashes": {"sha256": "zz", "sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709", "md5": 1},
        "requires-python": ["x"], "size": -1, "upload-time": "soon", "yanked": 1,
        "core-metadata": "yes", "provenance": "javascript:alert(1)", "gpg-sig": "no", "new": {"a": []},
    });
    let file = file_with(&odd);
    assert_eq!(
        PageFile {
            size: Some(1),
            url: plain("demo-1.0.zip").url,
            ..file
        },
        plain("demo-1.0.zip")
    );
}

#[test]
fn p02_the_serial_may_be_text() {
    for (serial, expected) in [
        (json!(7), Some(7)),
        (json!("7"), Some(7)),
        (json!("x"), None),
        (json!(-1), None),
    ] {
        let page = json!({"meta": {"_last-serial": serial}, "files": []});
        assert_eq!(from_json(&page).unwrap().last_serial, expected, "{page}");
    }
}

#[test]
fn p02_p05_h14_pages_that_are_not_believed() {
    let deep = format!("{{\"files\":[],\"x\":{}", "[".repeat(200_000));
    let deep_file = format!("{{\"files\":[{{\"url\":{}", "{\"a\":".repeat(200_000));
    let broken = [
        "",
        "null",
        "[]",
        "7",
        "{}",
        r#"{"meta":{}}"#,
        "<html>",
        "{\"files\":[",
        "\u{feff}{}",
        r#"{"files":{}}"#,
        r#"{"files":"x"}"#,
        r#"{"files":[1]}"#,
        r#"{"files":[null]}"#,
        r#"{"files":[{"filename":"demo-1.0.zip"}]}"#,
        r#"{"files":[{"url":null}]}"#,
        r#"{"files":[],"versions":{}}"#,
        r#"{"files":[],"files":[]}"#,
        &deep,
        &deep_file,
    ];
    for text in broken {
        let result = read_json(text.as_bytes(), &demo(), &base());
        let error = result.expect_err(&text[..text.len().min(60)]);
        assert!(
            matches!(error, PageError::NotJson(_) | PageError::NotAPage),
            "{error:?}"
        );
    }
    let newer = json!({"meta": {"api-version": "2.0"}, "files": []});
    assert!(matches!(
        from_json(&newer),
        Err(PageError::UnsupportedVersion)
    ));
    for name in ["other", "", "demo!", "dem\u{43e}"] {
        let page = json!({"name": name, "files": []});
        assert!(
            matches!(from_json(&page), Err(PageError::OtherProject { .. })),
            "P-05: {name}"
        );
    }
    assert!(from_json(&json!({"name": "DEMO", "files": []})).is_ok());
}

#[test]
fn h18_a_page_without_end_is_refused() {
    let file = r#"{"url":"demo-1.0.zip"}"#;
    let many = vec![file; collect::MAX_FILES + 1].join(",");
    let page = format!("{{\"files\":[{many}]}}");
    assert!(read_json(page.as_bytes(), &demo(), &base()).is_err());
    let anchors: Vec<_> = (0..=collect::MAX_FILES)
        .map(|n| format!("<a href=demo-{n}.zip>"))
        .collect();
    let anchors = anchors.concat();
    assert!(matches!(from_html(&anchors), Err(PageError::TooLong)));
}

#[test]
fn core_metadata_under_its_three_names() {
    let sha256 = || json!({"sha256": SHA256});
    let known = CoreMetadata::Sha256(SHA256.parse().unwrap());
    let cases = [
        (json!({"core-metadata": sha256()}), known),
        (json!({"core-metadata": true}), CoreMetadata::Present),
        (
            json!({"core-metadata": {"md5": MD5}}),
            CoreMetadata::Present,
        ),
        (json!({"core-metadata": {}}), CoreMetadata::Present),
        (
            json!({"core-metadata": false, "dist-info-metadata": sha256()}),
            CoreMetadata::Absent,
        ),
        (
            json!({"core-metadata": null, "dist-info-metadata": sha256()}),
            known,
        ),
        (json!({"dist-info-metadata": true}), CoreMetadata::Present),
        (json!({"data-dist-info-metadata": sha256()}), known),
        (json!({}), CoreMetadata::Absent),
    ];
    for (keys, expected) in cases {
        assert_eq!(file_with(&keys).core_metadata, expected, "{keys}");
    }
}

#[test]
fn yanked_in_json() {
    let cases = [
        (json!(true), Some("")),
        (json!("broken"), Some("broken")),
        (json!("nul\0"), Some("nul")),
        (json!(""), None),
        (json!(false), None),
    ];
    for (yanked, expected) in cases {
        assert_eq!(
            file_with(&json!({"yanked": yanked})).yanked.as_deref(),
            expected
        );
    }
}

#[test]
fn p03_links_become_absolute_without_credentials_and_fragment() {
    let cases = [
        (
            "demo-1.0.zip",
            Some("https://up.example.com/simple/demo/demo-1.0.zip"),
        ),
        (
            "../../f/demo-1.0.zip",
            Some("https://up.example.com/f/demo-1.0.zip"),
        ),
        (
            "/f/demo-1.0.zip?x=1#egg=demo",
            Some("https://up.example.com/f/demo-1.0.zip?x=1"),
        ),
        (
            "//cdn.example.com/demo-1.0.zip",
            Some("https://cdn.example.com/demo-1.0.zip"),
        ),
        (
            "http://u:p@h.example.com:8/demo-1.0.zip",
            Some("http://h.example.com:8/demo-1.0.zip"),
        ),
        (
            "../../../../../demo-1.0.zip",
            Some("https://up.example.com/demo-1.0.zip"),
        ),
        (
            "demo%2D1.0.zip",
            Some("https://up.example.com/simple/demo/demo%2D1.0.zip"),
        ),
        ("ftp://h.example.com/demo-1.0.zip", None),
        ("file:///demo-1.0.zip", None),
        ("javascript:demo-1.0.zip", None),
        ("http://[/demo-1.0.zip", None),
        ("..%2fdemo-1.0.zip", None),
        ("", None),
    ];
    for (href, expected) in cases {
        let json = from_json(&json!({"files": [{"url": href}]})).unwrap();
        let marker = "<meta name='pypi:repository-version' content='1.0'>";
        let html = from_html(&format!("{marker}<a href=\"{href}\">x</a>")).unwrap();
        for page in [json, html] {
            let urls: Vec<_> = page.files.iter().map(|file| file.url.as_str()).collect();
            assert_eq!(urls, Vec::from_iter(expected), "{href}");
        }
    }
}

#[test]
fn h22_h23_links_that_are_no_files_of_the_project_are_dropped() {
    let names = [
        "other-1.0.zip",
        "demo-extra-1.0.zip",
        "demo-1.0.tar.xz",
        "demo-1.0.zip.asc",
        "demo-<script>-1.0.zip",
        "../demo-1.0.zip",
        "demo-1.0.zip\n",
        "",
    ];
    for name in names {
        let page = json!({"files": [{"url": "x/demo-1.0.zip", "filename": name}]});
        assert_eq!(from_json(&page).unwrap().files, [], "{name}");
    }
    let page = json!({"files": [{"url": "download?id=7", "filename": "demo-1.0.zip"}]});
    assert_eq!(from_json(&page).unwrap().files[0].filename, "demo-1.0.zip");
}

#[test]
fn duplicates_a_link_with_a_hash_wins() {
    let page = from_html(&format!(
        "<a href=a/demo-1.0.zip>x</a><a href=demo-2.0.zip>x</a>\
         <a href=b/demo-1.0.zip#sha256={SHA256}>x</a><a href=c/demo-1.0.zip#sha256={SHA256}>x</a>"
    ))
    .unwrap();
    let urls: Vec<_> = page.files.iter().map(|file| file.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://up.example.com/simple/demo/demo-2.0.zip",
            "https://up.example.com/simple/demo/b/demo-1.0.zip"
        ]
    );
}

#[test]
fn versions_are_those_of_the_files_where_the_page_does_not_say() {
    let page = from_html(
        "<a href=demo-1.0.zip></a><a href=demo-1.0-py3-none-any.whl></a><a href=demo-2004d.zip></a>",
    );
    assert_eq!(page.unwrap().versions, ["1.0", "2004d"]);
    let page =
        json!({"files": [{"url": "demo-1.0.zip"}], "versions": ["3", "2", "3", null, "", "a\nb"]});
    assert_eq!(from_json(&page).unwrap().versions, ["2", "3"]);
}

#[test]
fn p02_html_of_all_times() {
    let page = from_html(
        "<HTML><HEAD><BASE HREF='https://files.example.com/x/'><base href='https://no.example.com/'>\
         <META NAME=\"pypi:repository-version\" CONTENT=\"1.1\">\
         <meta name='pypi:project-status' content='quarantined'>\
         <meta name='pypi:project-status-reason' content='&lt;malware&gt;'></HEAD>\
         alice/v <A HREF=\"demo-1.0.zip#md5=d41d8cd98f00b204e9800998ecf8427e\" REL=internal \
         DATA-REQUIRES-PYTHON='&gt;=3.9, &#60;4' data-yanked data-gpg-sig=true \
         data-dist-info-metadata=true data-provenance='https://p.example.com/x'>demo</A>\
         <!-- <a href=demo-9.zip></a> --><!--SERIAL 17-->",
    )
    .unwrap();
    let status = page.status.unwrap();
    assert_eq!(
        (status.status.as_str(), status.reason.as_deref()),
        ("quarantined", Some("<malware>"))
    );
    assert_eq!(page.last_serial, Some(17));
    let mut hashes = Hashes::default();
    hashes.insert("md5", MD5);
    let expected = PageFile {
        url: "https://files.example.com/x/demo-1.0.zip".to_owned(),
        hashes,
        size: None,
        requires_python: Some(">=3.9, <4".to_owned()),
        yanked: Some(String::new()),
        core_metadata: CoreMetadata::Present,
        provenance: Some("https://p.example.com/x".to_owned()),
        gpg_sig: Some(true),
        ..plain("demo-1.0.zip")
    };
    assert_eq!(page.files, [expected]);
}

#[test]
fn s24_s25_fragments_and_attributes_beyond_the_standard() {
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    assert!(
        file_of(&format!("<a href=demo-1.0.zip#sha1={sha1}>"))
            .hashes
            .is_empty()
    );
    assert!(file_of("<a href=demo-1.0.zip#egg=demo>").hashes.is_empty());
    let both = file_of(&format!(
        "<a href='demo-1.0.zip#egg=demo&amp;sha256={SHA256}'>"
    ));
    assert_eq!(both.hashes, Hashes::of(SHA256.parse().unwrap()));
    let more = file_of(
        "<a href=demo-1.0.zip data-size=12 data-upload-time=2026-11-23T10:00:00Z data-core-metadata=false>",
    );
    assert_eq!(more.size, Some(12));
    assert_eq!(more.upload_time.as_deref(), Some("2026-11-23T10:00:00Z"));
    assert_eq!(more.core_metadata, CoreMetadata::Absent);
}

#[test]
fn h09_h10_a_document_that_does_not_look_like_a_page_is_none() {
    let none = [
        "",
        "\0\0",
        "<html><body><a href=/login>Log in</a></body></html>",
        "<a href=other-1.0.zip>x</a>",
        "<title><a href=demo-1.0.zip></title>",
        "not found",
    ];
    for document in none {
        assert!(
            matches!(from_html(document), Err(PageError::NotAPage)),
            "{document}"
        );
    }
    let empty = "<meta name='pypi:repository-version' content='1.0'>";
    assert_eq!(from_html(empty).unwrap().files, []);
    // Links of the project, though none that is listed, make it a page.
    assert_eq!(
        from_html("<a href=demo-1.0.tar.xz>x</a>").unwrap().files,
        []
    );
    let newer = "<meta name='pypi:repository-version' content='2.0'><a href=demo-1.0.zip>";
    assert!(matches!(
        from_html(newer),
        Err(PageError::UnsupportedVersion)
    ));
}
