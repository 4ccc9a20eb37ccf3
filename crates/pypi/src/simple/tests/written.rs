//! What is written, byte by byte.

use super::*;

#[test]
fn s08_s14_to_s20_the_json_of_a_page() {
    let expected = format!(
        concat!(
            r#"{{"meta":{{"api-version":"1.4","_last-serial":42}},"name":"demo","#,
            r#""project-status":{{"status":"archived","reason":"use <other> & \"more\""}},"#,
            r#""versions":["2004d","1.0","1.9","1.10"],"files":["#,
            r#"{{"filename":"demo-1.0-py3-none-any.whl","#,
            r#""url":"https://up.example.com/files/demo-1.0-py3-none-any.whl","#,
            r#""hashes":{{"sha256":"{0}"}},"requires-python":">=3.9,<4","size":1234,"#,
            r#""upload-time":"2026-11-23T10:00:00.123456Z","yanked":"it \"broke\" <b>","#,
            r#""core-metadata":{{"sha256":"{0}"}},"#,
            r#""provenance":"https://up.example.com/p?a=1&b=2","gpg-sig":false}},"#,
            r#"{{"filename":"demo-1.9.tar.gz","url":"https://up.example.com/files/demo-1.9.tar.gz","#,
            r#""hashes":{{}},"size":1}},"#,
            r#"{{"filename":"demo-1.10.tar.gz","url":"https://up.example.com/files/demo-1.10.tar.gz","#,
            r#""hashes":{{}},"size":1}}]}}"#,
        ),
        SHA256
    );
    assert_eq!(
        String::from_utf8(write_json(&full_page())).unwrap(),
        expected
    );
}

#[test]
fn s22_to_s26_the_html_of_a_page() {
    let expected = format!(
        concat!(
            "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.4\">",
            "<meta name=\"pypi:project-status\" content=\"archived\">",
            "<meta name=\"pypi:project-status-reason\" ",
            "content=\"use &lt;other&gt; &amp; &quot;more&quot;\">",
            "<title>Links for demo</title></head>\n<body><h1>Links for demo</h1>\n",
            "<a href=\"https://up.example.com/files/demo-1.0-py3-none-any.whl#sha256={0}\" ",
            "data-requires-python=\"&gt;=3.9,&lt;4\" ",
            "data-yanked=\"it &quot;broke&quot; &lt;b&gt;\" data-gpg-sig=\"false\" ",
            "data-core-metadata=\"sha256={0}\" data-dist-info-metadata=\"sha256={0}\" ",
            "data-provenance=\"https://up.example.com/p?a=1&amp;b=2\" ",
            "data-size=\"1234\" data-upload-time=\"2026-11-23T10:00:00.123456Z\">",
            "demo-1.0-py3-none-any.whl</a><br>\n",
            "<a href=\"https://up.example.com/files/demo-1.9.tar.gz\" data-size=\"1\">",
            "demo-1.9.tar.gz</a><br>\n",
            "<a href=\"https://up.example.com/files/demo-1.10.tar.gz\" data-size=\"1\">",
            "demo-1.10.tar.gz</a><br>\n",
            "</body></html>\n<!--SERIAL 42-->\n",
        ),
        SHA256
    );
    assert_eq!(
        String::from_utf8(write_html(&full_page())).unwrap(),
        expected
    );
}

#[test]
fn s09_without_a_size_the_page_says_1_0_and_keeps_its_other_keys() {
    let mut page = full_page();
    page.files[1].size = None;
    let written: Value = serde_json::from_slice(&write_json(&page)).unwrap();
    assert_eq!(written["meta"]["api-version"], "1.0");
    assert_eq!(written["files"][0]["size"], 1234);
    assert!(written["files"][2].get("size").is_none());
    assert_eq!(written["versions"].as_array().unwrap().len(), 4);
    let empty: Value = serde_json::from_slice(&write_json(&page_of(Vec::new()))).unwrap();
    assert_eq!(empty["meta"]["api-version"], "1.4");
}

#[test]
fn s15_s16_yanked_and_hashes_as_clients_need_them() {
    let mut file = plain("demo-1.0.zip");
    file.yanked = Some(String::new());
    file.hashes.insert("md5", MD5);
    file.upload_time = Some("yesterday".to_owned());
    file.requires_python = Some(String::new());
    let written: Value = serde_json::from_slice(&write_json(&page_of(vec![file.clone()]))).unwrap();
    let keys = &written["files"][0];
    assert_eq!(keys["yanked"], true);
    assert_eq!(
        keys["hashes"],
        json!({"md5": MD5}),
        "until the sha256 is known"
    );
    assert!(keys.get("upload-time").is_none() && keys.get("requires-python").is_none());
    file.hashes.insert("sha256", SHA256);
    file.hashes.insert("sha512", &"0".repeat(128));
    let page = page_of(vec![file]);
    let written: Value = serde_json::from_slice(&write_json(&page)).unwrap();
    assert_eq!(written["files"][0]["hashes"], json!({"sha256": SHA256}));
    let html = String::from_utf8(write_html(&page)).unwrap();
    assert!(html.contains(&format!("#sha256={SHA256}\" data-yanked=\"\" data-size")));
}

#[test]
fn s17_urls_are_encoded_where_they_have_to_be() {
    let cases = [
        ("../+f/a/Foo 1.zip", "../+f/a/Foo%201.zip"),
        ("/u/i/demo-1.0+corp.zip", "/u/i/demo-1.0+corp.zip"),
        ("x%2Bf/é#\"<>.zip", "x%2Bf/%C3%A9%23%22%3C%3E.zip"),
    ];
    for (url, expected) in cases {
        let mut file = plain("demo-1.0.zip");
        url.clone_into(&mut file.url);
        let page = page_of(vec![file]);
        let written: Value = serde_json::from_slice(&write_json(&page)).unwrap();
        assert_eq!(written["files"][0]["url"], expected);
        let html = String::from_utf8(write_html(&page)).unwrap();
        assert!(
            html.contains(&format!("<a href=\"{expected}\" data-size")),
            "{html}"
        );
    }
}

#[test]
fn s20_order_does_not_depend_on_what_came_first() {
    let mut page = full_page();
    let (json, html) = (write_json(&page), write_html(&page));
    page.files.reverse();
    page.versions.reverse();
    page.versions.push("1.9".to_owned());
    assert_eq!(write_json(&page), json);
    assert_eq!(write_html(&page), html);
}
