//! Whole exchanges, as clients see them: status, the headers they read, body.

mod common;

use std::fmt::Write as _;

use common::{Answer, Form, ROOT, SIMPLE_JSON, TestLarder};
use http::Method;
use larder_testkit::DistBuilder;
use serde_json::json;

/// Headers that clients read; what differs from run to run is left out.
const SHOWN: [&str; 11] = [
    "content-type",
    "cache-control",
    "vary",
    "etag",
    "last-modified",
    "location",
    "allow",
    "www-authenticate",
    "retry-after",
    "x-devpi-api-version",
    "x-larder-cache",
];

fn show(answer: &Answer) -> String {
    let mut shown = format!("{}", answer.status.as_u16());
    if let Some(reason) = &answer.reason {
        let _ = write!(shown, " {reason}");
    }
    shown.push('\n');
    for name in SHOWN {
        if answer.headers.contains_key(name) {
            let _ = writeln!(shown, "{name}: {}", answer.header(name));
        }
    }
    shown.push('\n');
    shown.push_str(&answer.text());
    shown
}

async fn world() -> TestLarder {
    let larder = TestLarder::start().await;
    let dist = DistBuilder::wheel("demo", "1.0")
        .requires_python(">=3.9")
        .summary("A demo")
        .build();
    assert!(
        larder
            .upload("root/public", &dist)
            .await
            .status
            .is_success()
    );
    larder
}

#[tokio::test]
async fn what_devpi_client_asks_first() {
    let larder = world().await;
    let ask = |path: &'static str| larder.get(path).accept("application/json").send();
    insta::assert_snapshot!("api_of_an_index", show(&ask("/app/dev/+api").await));
    insta::assert_snapshot!(
        "config_of_an_index",
        show(&ask("/app/dev?no_projects=").await)
    );
    insta::assert_snapshot!("all_users", show(&ask("/").await));
}

#[tokio::test]
async fn what_devpi_client_lists() {
    let larder = world().await;
    let ask = |path: &'static str| larder.get(path).accept("application/json").send();
    insta::assert_snapshot!("an_index_with_projects", show(&ask("/root/public").await));
    insta::assert_snapshot!(
        "releases_of_a_project",
        show(&ask("/root/public/demo").await)
    );
    insta::assert_snapshot!(
        "a_release_that_is_not_there",
        show(&ask("/root/public/demo/9.9").await)
    );
}

#[tokio::test]
async fn what_installers_read() {
    let larder = world().await;
    insta::assert_snapshot!("page_in_json", show(&larder.page("app/dev", "demo").await));
    insta::assert_snapshot!(
        "page_in_html",
        show(
            &larder
                .get("/app/dev/+simple/demo/")
                .accept("text/html")
                .send()
                .await
        )
    );
    insta::assert_snapshot!(
        "list_in_json",
        show(
            &larder
                .get("/app/dev/+simple/")
                .accept(SIMPLE_JSON)
                .send()
                .await
        )
    );
    insta::assert_snapshot!(
        "list_in_html",
        show(
            &larder
                .get("/app/dev/+simple/")
                .accept("text/html")
                .send()
                .await
        )
    );
    insta::assert_snapshot!(
        "page_of_nothing",
        show(&larder.page("app/dev", "nothing").await)
    );
}

#[tokio::test]
async fn what_refusals_look_like() {
    let larder = world().await;
    larder
        .index("root/fixed", &json!({"volatile": false}))
        .await;
    let dist = DistBuilder::wheel("demo", "1.0").build();
    larder.upload("root/fixed", &dist).await;
    let other = DistBuilder::wheel("demo", "1.0")
        .file("demo/other.py", b"")
        .build();
    insta::assert_snapshot!(
        "upload_conflict",
        show(&larder.upload("root/fixed", &other).await)
    );
    insta::assert_snapshot!(
        "upload_again",
        show(&larder.upload("root/fixed", &dist).await)
    );
    let (kind, body) = Form::of(&dist).encode();
    let anonymous = larder
        .ask(Method::POST, "/root/fixed/")
        .header("content-type", &kind)
        .body(body)
        .send()
        .await;
    insta::assert_snapshot!("upload_anonymous", show(&anonymous));
    let login = larder
        .ask(Method::POST, "/+login")
        .json(&json!({"user": "root", "password": "x"}))
        .await;
    insta::assert_snapshot!("login_refused", show(&login));
    let browser = larder
        .get("/%3Cscript%3E/a/b/c/d")
        .accept("text/html,*/*")
        .send()
        .await;
    insta::assert_snapshot!("nothing_for_a_browser", show(&browser));
    let method = larder
        .ask(Method::PUT, "/root/public/+simple/demo/")
        .by("root", ROOT)
        .send()
        .await;
    insta::assert_snapshot!("wrong_method", show(&method));
}
