//! All that belongs to a release comes along with a push, and what is private
//! stays where it is.

mod common;

use common::{Answer, Form, ROOT, SIMPLE_JSON, TestLarder};
use http::{Method, StatusCode};
use larder_testkit::{Dist, DistBuilder, zip_archive};
use serde_json::{Value, json};

async fn push(larder: &TestLarder, user: &str, source: &str, target: &str) -> Answer {
    let method = Method::from_bytes(b"PUSH").expect("a method");
    let password = if user == "root" { ROOT } else { user };
    larder
        .ask(method, &format!("/{source}"))
        .by(user, password)
        .json(&json!({"name": "demo", "version": "1.0", "targetindex": target}))
        .await
}

/// `root/dev` with a wheel, and `root/final`, where nothing is replaced.
async fn larder() -> (TestLarder, Dist) {
    let larder = TestLarder::start().await;
    larder.index("root/dev", &json!({})).await;
    let fixed = json!({"volatile": false});
    larder.index("root/final", &fixed).await;
    let wheel = DistBuilder::wheel("demo", "1.0").build();
    let answer = larder.upload("root/dev", &wheel).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    (larder, wheel)
}

async fn upload_docs(larder: &TestLarder, home: &str) {
    let archive = zip_archive(&[("index.html", home.as_bytes())]);
    let form = Form {
        fields: vec![
            (":action".to_owned(), "doc_upload".to_owned()),
            ("name".to_owned(), "demo".to_owned()),
            ("version".to_owned(), "1.0".to_owned()),
        ],
        file: Some(("docs.zip".to_owned(), archive.into())),
        file_first: false,
    };
    let answer = larder.post_form("root/dev", ("root", ROOT), &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

async fn shown(larder: &TestLarder, index: &str) -> Answer {
    larder
        .get(&format!("/{index}/demo/1.0/+doc/index.html"))
        .send()
        .await
}

#[tokio::test]
async fn documentation_is_served_from_the_target() {
    let (larder, _) = larder().await;
    upload_docs(&larder, "first").await;
    assert_eq!(
        push(&larder, "root", "root/dev", "root/final").await.status,
        StatusCode::OK
    );
    let (here, there) = (
        shown(&larder, "root/dev").await,
        shown(&larder, "root/final").await,
    );
    assert_eq!(
        (there.status, there.text()),
        (StatusCode::OK, "first".to_owned())
    );
    assert_eq!(there.header("etag"), here.header("etag"));

    upload_docs(&larder, "second").await;
    let refused = push(&larder, "root", "root/dev", "root/final").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
    assert!(
        refused
            .message()
            .starts_with("demo-1.0.doc.zip already exists"),
        "{refused:?}"
    );
    assert_eq!(shown(&larder, "root/final").await.text(), "first");

    assert_eq!(
        push(&larder, "root", "root/dev", "root/public")
            .await
            .status,
        StatusCode::OK
    );
    upload_docs(&larder, "third").await;
    assert_eq!(
        push(&larder, "root", "root/dev", "root/public")
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(
        shown(&larder, "root/public").await.text(),
        "third",
        "volatile"
    );
}

#[tokio::test]
async fn test_results_are_found_beside_their_file() {
    let (larder, _) = larder().await;
    let file = larder.file_path("root/dev", "demo").await;
    let result = json!({"testenvs": {}});
    let acl = json!({"acl_toxresult_upload": ["root"]});
    for index in ["root/dev", "root/final"] {
        let answer = larder
            .ask(Method::PATCH, &format!("/{index}"))
            .by("root", ROOT)
            .json(&acl)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let post = async |path: &str| {
        let answer = larder
            .ask(Method::POST, path)
            .by("root", ROOT)
            .json(&result)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    };
    post(&file).await;
    let pushed = push(&larder, "root", "root/dev", "root/final").await;
    assert_eq!(
        pushed.json()["result"][2][1],
        "store_toxresult",
        "{pushed:?}"
    );
    post(&file.replace("root/dev", "root/final")).await;
    let release = larder
        .get("/root/final/demo/1.0")
        .accept("application/json")
        .send()
        .await;
    let links = release.json()["result"]["+links"].clone();
    let links = links.as_array().expect("links");
    let results: Vec<&Value> = links
        .iter()
        .filter(|link| link["rel"] == "toxresult")
        .collect();
    assert_eq!(
        results.len(),
        2,
        "the pushed one is in nobody's way: {links:?}"
    );
    for link in results {
        assert_eq!(link["for_href"], links[0]["href"]);
    }
}

#[tokio::test]
async fn a_yanked_file_is_yanked_on_the_target() {
    let (larder, _) = larder().await;
    let answer = larder
        .ask(Method::PUT, "/root/dev/demo/1.0/+yank")
        .by("root", ROOT)
        .json(&json!({"reason": "broken"}))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(
        push(&larder, "root", "root/dev", "root/final").await.status,
        StatusCode::OK
    );
    let page = larder.page("root/final", "demo").await.json();
    assert_eq!(page["files"][0]["yanked"], "broken");
}

#[tokio::test]
async fn p09_nothing_is_pushed_from_an_index_that_the_caller_may_not_read() {
    let larder = TestLarder::start().await;
    for user in ["alice", "bob"] {
        larder.user(user).await;
    }
    larder
        .index("alice/priv", &json!({"acl_read": "alice"}))
        .await;
    larder
        .index("alice/open", &json!({"bases": "alice/priv"}))
        .await;
    larder.index("bob/dev", &json!({})).await;
    let wheel = DistBuilder::wheel("demo", "1.0").build();
    let answer = larder
        .post_form("alice/priv", ("alice", "alice"), &Form::of(&wheel))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let refused = push(&larder, "bob", "alice/priv", "bob/dev").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:?}");
    let through = push(&larder, "bob", "alice/open", "bob/dev").await;
    assert_eq!(
        through.status,
        StatusCode::BAD_REQUEST,
        "bases do not count: {through:?}"
    );
    let method = Method::from_bytes(b"PUSH").expect("a method");
    let elsewhere = larder
        .ask(method, "/alice/priv")
        .by("bob", "bob")
        .json(&json!({
            "name": "demo",
            "version": "1.0",
            "posturl": "https://index.example.com/",
            "username": "x",
            "password": "y",
        }))
        .await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN, "{elsewhere:?}");
    let page = larder
        .get("/bob/dev/+simple/demo/")
        .by("bob", "bob")
        .accept(SIMPLE_JSON)
        .send()
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "{page:?}");

    let hidden = json!({"acl_read": "alice", "acl_upload": "alice"});
    larder.index("alice/other", &hidden).await;
    let moved = push(&larder, "alice", "alice/priv", "alice/other").await;
    assert_eq!(moved.status, StatusCode::OK, "{moved:?}");
}
