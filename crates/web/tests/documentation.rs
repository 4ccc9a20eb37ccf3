//! Documentation: uploaded as a zip, served page by page (devpi: 6.2;
//! reliability: F85-F95).

mod common;

use common::{Answer, Form, ROOT, TestLarder};
use http::{Method, StatusCode};
use larder_testkit::{DistBuilder, zip_archive};
use serde_json::json;

const HOME: &str = "<h1>Demo</h1><script src=\"x.js\"></script>";

fn docs(pages: &[(&str, &str)]) -> Vec<u8> {
    let entries: Vec<(&str, &[u8])> = pages
        .iter()
        .map(|(path, text)| (*path, text.as_bytes()))
        .collect();
    zip_archive(&entries)
}

fn form(version: &str, archive: Vec<u8>) -> Form {
    Form {
        fields: vec![
            (":action".to_owned(), "doc_upload".to_owned()),
            ("name".to_owned(), "Demo".to_owned()),
            ("version".to_owned(), version.to_owned()),
        ],
        file: Some(("demo-docs.zip".to_owned(), archive.into())),
        file_first: false,
    }
}

async fn send(larder: &TestLarder, index: &str, form: &Form) -> Answer {
    larder.post_form(index, ("root", ROOT), form).await
}

async fn upload(larder: &TestLarder, index: &str, version: &str, home: &str) {
    let archive = docs(&[("index.html", home), ("api/a.css", "p {}")]);
    let answer = send(larder, index, &form(version, archive)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

async fn larder() -> TestLarder {
    let larder = TestLarder::start().await;
    for version in ["1.0", "1.1"] {
        let dist = DistBuilder::wheel("demo", version).build();
        let answer = larder.upload("root/public", &dist).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    larder
}

async fn links(larder: &TestLarder, version: &str) -> serde_json::Value {
    let view = larder
        .get(&format!("/root/public/demo/{version}"))
        .accept("application/json")
        .send()
        .await;
    view.json()["result"]["+links"].clone()
}

#[tokio::test]
async fn pages_are_served_out_of_the_archive() {
    let larder = larder().await;
    upload(&larder, "root/public", "1.0", HOME).await;
    let page = larder
        .get("/root/public/demo/1.0/+doc/index.html")
        .send()
        .await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert_eq!(page.text(), HOME);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "max-age=60, public");
    // F94: what was uploaded has an origin of its own.
    assert!(
        page.header("content-security-policy")
            .starts_with("sandbox")
    );
    assert!(
        !page
            .header("content-security-policy")
            .contains("allow-same-origin")
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let style = larder
        .get("/root/public/Demo/1.0/%2Bdoc/api/a.css")
        .send()
        .await;
    assert_eq!(
        (style.text().as_str(), style.header("content-type")),
        ("p {}", "text/css; charset=utf-8")
    );

    let again = larder
        .get("/root/public/demo/1.0/+doc/index.html")
        .header("if-none-match", page.header("etag"));
    assert_eq!(again.send().await.status, StatusCode::NOT_MODIFIED);
    let head = larder
        .ask(Method::HEAD, "/root/public/demo/1.0/+doc/index.html")
        .send()
        .await;
    assert_eq!(head.header("content-length"), HOME.len().to_string());

    let start = larder.get("/root/public/demo/1.0/+doc/").send().await;
    assert_eq!(start.status, StatusCode::FOUND);
    let home = "http://larder.example:3141/root/public/demo/1.0/+doc/index.html";
    assert_eq!(start.header("location"), home);
    let framed = larder
        .get("/root/public/demo/1.0/+d/index.html")
        .send()
        .await;
    assert_eq!(framed.header("location"), home);
}

#[tokio::test]
async fn what_is_not_there_is_said_in_devpis_words() {
    let larder = larder().await;
    for (path, message) in [
        ("1.0/+doc/index.html", "No documentation available."),
        ("latest/+doc/index.html", "No documentation available."),
        (
            "stable/+doc/index.html",
            "No stable documentation available.",
        ),
    ] {
        let answer = larder
            .get(&format!("/root/public/demo/{path}"))
            .accept("application/json")
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.message(), message);
    }
    upload(&larder, "root/public", "1.0", HOME).await;
    for path in ["nope.html", "%2e%2e/%2e%2e/.sqlite", "api"] {
        let answer = larder
            .get(&format!("/root/public/demo/1.0/+doc/{path}"))
            .accept("application/json")
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "A29 {path}");
    }
    let no_slash = larder.get("/root/public/demo/1.0/+doc").send().await;
    assert_eq!(no_slash.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn latest_and_stable_lead_to_the_newest() {
    let larder = larder().await;
    for (version, home) in [("1.0", "one"), ("2.0rc1", "candidate"), ("1.1", "eleven")] {
        upload(&larder, "root/public", version, home).await;
    }
    // Without a first page it counts as none.
    let empty = docs(&[("readme.txt", "x")]);
    let answer = send(&larder, "root/public", &form("3.0", empty)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    for (version, expected) in [
        ("latest", "candidate"),
        ("stable", "eleven"),
        ("1.0.0", "one"),
    ] {
        let path = format!("/root/public/demo/{version}/+doc/index.html");
        assert_eq!(larder.get(&path).send().await.text(), expected, "{version}");
    }
}

#[tokio::test]
async fn an_archive_is_linked_overwritten_and_deleted_like_a_file() {
    let larder = larder().await;
    upload(&larder, "root/public", "1.0", "old").await;
    let before = links(&larder, "1.0").await;
    assert_eq!(before[1]["rel"], "doczip");
    let href = before[1]["href"].as_str().expect("an address").to_owned();
    assert!(href.ends_with("/demo-1.0.doc.zip"), "{href}");
    let old = href
        .strip_prefix("http://larder.example:3141")
        .expect("ours")
        .to_owned();
    assert_eq!(larder.get(&old).send().await.status, StatusCode::OK);

    upload(&larder, "root/public", "1.0", "new").await;
    assert_eq!(
        links(&larder, "1.0").await.as_array().expect("links").len(),
        2
    );
    assert_eq!(larder.get(&old).send().await.status, StatusCode::GONE);
    let page = larder
        .get("/root/public/demo/1.0/+doc/index.html")
        .send()
        .await;
    assert_eq!(page.text(), "new");
    // Not on the project page.
    assert_eq!(larder.filenames("root/public", "demo").await.len(), 2);
}

#[tokio::test]
async fn documentation_of_a_final_index_does_not_change() {
    let larder = TestLarder::start().await;
    larder
        .index("root/final", &json!({"volatile": false}))
        .await;
    upload(&larder, "root/final", "1.0", "one").await;
    let same = docs(&[("index.html", "one"), ("api/a.css", "p {}")]);
    assert_eq!(
        send(&larder, "root/final", &form("1.0", same)).await.status,
        StatusCode::OK
    );
    let other = docs(&[("index.html", "two")]);
    let answer = send(&larder, "root/final", &form("1.0", other)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let sentence = "demo-docs.zip already exists in non-volatile index";
    assert_eq!(answer.reason.as_deref(), Some(sentence));
    let page = larder
        .get("/root/final/demo/1.0/+doc/index.html")
        .send()
        .await;
    assert_eq!(page.text(), "one");
}

#[tokio::test]
async fn without_a_version_it_is_the_newest_releases() {
    let larder = larder().await;
    upload(&larder, "root/public", "", "home").await;
    assert_eq!(links(&larder, "1.1").await[1]["rel"], "doczip");
    let nobody = form("", docs(&[("index.html", "x")])).set("name", "other");
    let answer = send(&larder, "root/public", &nobody).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let sentence = "doczip has no version and 'other' has no releases to derive one from";
    assert_eq!(answer.reason.as_deref(), Some(sentence));
}

#[tokio::test]
async fn f86_f92_what_cannot_be_served_is_refused_and_nothing_is_left() {
    let larder = larder().await;
    let bomb = {
        let zeros = "0".repeat(80 << 20);
        docs(&[("index.html", &zeros)])
    };
    let cases = [
        ("F90", "1.0", b"not a zip".to_vec()),
        ("F90", "1.0", Vec::new()),
        (
            "F86",
            "1.0",
            docs(&[("../slip.html", "x"), ("index.html", "x")]),
        ),
        (
            "F86",
            "1.0",
            docs(&[("/slip.html", "x"), ("index.html", "x")]),
        ),
        ("F88", "1.0", bomb),
        ("F92", "../../x", docs(&[("index.html", "x")])),
    ];
    for (id, version, archive) in cases {
        let answer = send(&larder, "root/public", &form(version, archive)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{id} {answer:?}");
    }
    let named = form("1.0", docs(&[("index.html", "x")])).set("name", "../../x");
    let answer = send(&larder, "root/public", &named).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "F92");
    let no_file = Form {
        file: None,
        ..form("1.0", Vec::new())
    };
    let answer = send(&larder, "root/public", &no_file).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(larder.spools(), 0);
    assert_eq!(
        links(&larder, "1.0").await.as_array().expect("links").len(),
        1
    );
}

#[tokio::test]
async fn f91_documentation_registers_the_release_it_is_about() {
    // As devpi does: documentation may come before the files.
    let larder = larder().await;
    upload(&larder, "root/public", "7.0", HOME).await;
    let view = larder
        .get("/root/public/demo/7.0")
        .accept("application/json")
        .send()
        .await;
    assert_eq!(view.status, StatusCode::OK, "F91 {view:?}");
    assert_eq!(links(&larder, "7.0").await[0]["rel"], "doczip", "F91");
}

#[tokio::test]
async fn p04_private_documentation_is_for_readers() {
    let larder = TestLarder::start().await;
    larder.user("carol").await;
    larder
        .index("root/priv", &json!({"acl_read": "carol"}))
        .await;
    upload(&larder, "root/priv", "1.0", "secret").await;
    for version in ["1.0", "latest"] {
        let path = format!("/root/priv/demo/{version}/+doc/index.html");
        let stranger = larder.get(&path).send().await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
        let reader = larder.get(&path).by("carol", "carol").send().await;
        assert_eq!(reader.text(), "secret");
        assert_eq!(reader.header("cache-control"), "max-age=60, private");
    }
}
