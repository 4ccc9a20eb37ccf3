//! Test results of release files (devpi: 6.1; reliability: G15-G19).

mod common;

use common::{Answer, ROOT, TestLarder};
use http::{Method, StatusCode};
use larder_testkit::DistBuilder;
use serde_json::json;

const RESULT: &str =
    r#"{"testenvs": {"py311": {"test": [{"retcode": "0"}]}}, "platform": "linux"}"#;

/// `root/dev`, which takes results from the user `tester`, and its file's path.
async fn larder() -> (TestLarder, String) {
    let larder = TestLarder::start().await;
    larder.user("tester").await;
    larder
        .index("root/dev", &json!({"acl_toxresult_upload": "tester"}))
        .await;
    let dist = DistBuilder::wheel("demo", "1.0").build();
    assert_eq!(
        larder.upload("root/dev", &dist).await.status,
        StatusCode::OK
    );
    let path = larder.file_path("root/dev", "demo").await;
    (larder, path)
}

async fn post(larder: &TestLarder, path: &str, body: &str) -> Answer {
    larder
        .ask(Method::POST, path)
        .by("tester", "tester")
        .accept("application/json")
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
        .await
}

#[tokio::test]
async fn a_result_is_stored_byte_for_byte_and_linked_to_its_file() {
    let (larder, path) = larder().await;
    let first = post(&larder, &path, RESULT).await;
    assert_eq!(first.status, StatusCode::OK, "{first:?}");
    let answer = first.json();
    assert_eq!(answer["type"], "toxresultpath");
    let stored = answer["result"].as_str().expect("a path");
    let (stored, hash) = stored.split_once("#sha256=").expect("with a hash");
    assert_eq!(hash.len(), 64);
    assert_eq!(
        format!("/{stored}"),
        format!("{path}.toxresult-20261123100000-0")
    );

    let read = larder.get(&format!("/{stored}")).send().await;
    assert_eq!(read.text(), RESULT);
    assert_eq!(read.header("content-type"), "application/octet-stream");

    let second = post(&larder, &path, RESULT).await;
    let second = second.json()["result"].clone();
    assert!(second.as_str().expect("a path").contains("-1#sha256="));

    let view = larder
        .get("/root/dev/demo/1.0")
        .accept("application/json")
        .send()
        .await;
    let links = view.json()["result"]["+links"].clone();
    assert_eq!(links.as_array().expect("links").len(), 3);
    assert_eq!(links[1]["rel"], "toxresult");
    assert_eq!(links[1]["for_href"], links[0]["href"]);
    assert_eq!(links[1]["log"][0]["who"], "tester");
    assert_eq!(
        larder.filenames("root/dev", "demo").await.len(),
        1,
        "a result is no file of the project page"
    );
}

#[tokio::test]
async fn results_go_with_their_file() {
    let (larder, path) = larder().await;
    let stored = post(&larder, &path, RESULT).await.json()["result"].clone();
    let stored = format!(
        "/{}",
        stored
            .as_str()
            .expect("a path")
            .split('#')
            .next()
            .expect("a path")
    );
    let delete = larder
        .ask(Method::DELETE, &path)
        .by("root", ROOT)
        .send()
        .await;
    assert_eq!(delete.status, StatusCode::OK, "{delete:?}");
    assert_eq!(larder.get(&stored).send().await.status, StatusCode::GONE);
}

#[tokio::test]
async fn only_those_listed_may_store_a_result() {
    let (larder, path) = larder().await;
    for user in [None, Some(("root", ROOT))] {
        let mut ask = larder
            .ask(Method::POST, &path)
            .accept("application/json")
            .header("content-type", "application/json")
            .body(RESULT);
        if let Some((user, password)) = user {
            ask = ask.by(user, password);
        }
        let answer = ask.send().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "G16 {answer:?}");
        assert!(
            answer
                .message()
                .starts_with("No permission to upload tox results.")
        );
    }
}

#[tokio::test]
async fn g15_g19_what_is_no_result_is_refused_and_changes_nothing() {
    let (larder, path) = larder().await;
    let missing = path.replace("demo-1.0", "demo-9.9");
    let large = format!("{{\"output\": \"{}\"}}", "x".repeat(16 << 20));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let twice = RESULT.repeat(2);
    for (id, path, body, expected) in [
        ("G15", &path, "not json", 400),
        ("G15", &path, "", 400),
        ("G15", &path, twice.as_str(), 400),
        ("G19", &path, "[]", 400),
        ("G19", &path, "{\"a\": 1} {}", 400),
        ("G19", &path, "\"text\"", 400),
        ("G19", &path, &"[".repeat(100_000), 400),
        ("G19", &path, deep.as_str(), 400),
        ("G17", &path, large.as_str(), 413),
        ("G15", &missing, RESULT, 404),
    ] {
        let answer = post(&larder, path, body).await;
        assert_eq!(answer.status.as_u16(), expected, "{id} {answer:?}");
    }
    let latin = b"{\"a\": \"\xe9\"}";
    let latin = larder
        .ask(Method::POST, &path)
        .by("tester", "tester")
        .with_json(&latin[..])
        .send()
        .await;
    assert_eq!(latin.status, StatusCode::BAD_REQUEST, "G15: no UTF-8");
    let odd = post(
        &larder,
        &path,
        r#"{"testenvs": [1, null, 1.5, "x"], "a": {}}"#,
    )
    .await;
    assert_eq!(odd.status, StatusCode::OK, "G19: read by nobody here");
    let page = larder.page("root/dev", "demo").await;
    assert_eq!(page.status, StatusCode::OK, "G19 {page:?}");
    let as_form = larder
        .ask(Method::POST, &path)
        .by("tester", "tester")
        .header("content-type", "text/plain")
        .body(RESULT);
    assert_eq!(
        as_form.send().await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let view = larder
        .get("/root/dev/demo/1.0")
        .accept("application/json")
        .send()
        .await;
    assert_eq!(
        view.json()["result"]["+links"]
            .as_array()
            .expect("links")
            .len(),
        2,
        "the file and the one result"
    );
}

#[tokio::test]
async fn a_result_of_a_result_is_refused() {
    let (larder, path) = larder().await;
    let stored = post(&larder, &path, RESULT).await.json()["result"].clone();
    let stored = stored
        .as_str()
        .expect("a path")
        .split('#')
        .next()
        .expect("a path")
        .to_owned();
    let answer = post(&larder, &format!("/{stored}"), RESULT).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(
        answer.message(),
        format!("no release file found at {stored}")
    );
}
