//! devpi's views in devpi's words, where clients act on them (devpi: 1.8, 1.11,
//! 1.12, 7.6, 7.7).

mod common;

use common::{Answer, Form, ROOT, TestLarder};
use http::{Method, StatusCode};
use larder_testkit::{DistBuilder, FakeIndex};
use serde_json::json;

const JSON: &str = "application/json";

async fn get(larder: &TestLarder, path: &str) -> Answer {
    larder.get(path).accept(JSON).send().await
}

fn serial(answer: &Answer) -> u64 {
    answer.header("x-devpi-serial").parse().expect("a number")
}

/// Fetches a cold file and waits until its row is written, which comes after its last byte.
async fn fetch(larder: &TestLarder, path: &str) {
    let before = serial(&get(larder, "/+status").await);
    assert!(larder.get(path).send().await.status.is_success());
    while serial(&get(larder, "/+status").await) == before {
        tokio::task::yield_now().await;
    }
}

async fn delete(larder: &TestLarder, path: &str) -> Answer {
    let ask = larder.ask(Method::DELETE, path).by("root", ROOT);
    ask.accept(JSON).send().await
}

#[tokio::test]
async fn a_project_that_only_a_base_has_is_known_and_empty() {
    let larder = TestLarder::start().await;
    larder
        .index("root/top", &json!({"bases": "root/public"}))
        .await;
    larder
        .upload("root/public", &DistBuilder::wheel("demo", "1.0").build())
        .await;
    let own = get(&larder, "/root/top/demo?ignore_bases=").await;
    assert_eq!(own.status, StatusCode::OK, "{own:?}");
    assert_eq!(own.json()["result"], json!({}));
    let nothing = get(&larder, "/root/top/nothing?ignore_bases=").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    assert_eq!(nothing.message(), "no project 'nothing'");
}

#[tokio::test]
async fn what_cannot_be_deleted_is_named_as_devpi_names_it() {
    let larder = TestLarder::start().await;
    larder
        .upload("root/public", &DistBuilder::wheel("demo", "1.0").build())
        .await;
    for (path, message) in [
        (
            "/root/public/demo/9.9",
            "version '9.9' of project demo not found on stage 'root/public'",
        ),
        (
            "/root/public/other/1.0",
            "project other not found on stage 'root/public'",
        ),
        ("/root/public/other", "project not found"),
        (
            "/root/public/+f/aaa/bbb/x-1.0.zip",
            "package 'root/public/+f/aaa/bbb/x-1.0.zip' doesn't exist",
        ),
    ] {
        let answer = delete(&larder, path).await;
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (StatusCode::NOT_FOUND, message)
        );
    }
}

#[tokio::test]
async fn a_file_stays_gone_when_its_index_goes() {
    let larder = TestLarder::start().await;
    larder.index("root/gone", &json!({})).await;
    larder
        .upload("root/gone", &DistBuilder::wheel("demo", "1.0").build())
        .await;
    let path = larder.file_path("root/gone", "demo").await;
    assert_eq!(
        delete(&larder, "/root/gone").await.status,
        StatusCode::CREATED
    );
    assert_eq!(get(&larder, &path).await.status, StatusCode::GONE);
    assert_eq!(larder.get(&path).send().await.status, StatusCode::GONE);
    let never = path.replace("demo-1.0", "demo-1.1");
    assert_eq!(get(&larder, &never).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_mirrored_files_details_name_where_it_comes_from() {
    let upstream = FakeIndex::start().await;
    upstream.add(&DistBuilder::wheel("beta", "1.0").build());
    let larder = TestLarder::mirroring(&upstream).await;
    let path = larder.file_path("root/pypi", "beta").await;
    let url = upstream.file_url("beta-1.0-py3-none-any.whl").to_string();
    let cold = get(&larder, &path).await.json()["result"].clone();
    assert_eq!(cold["url"], url);
    assert!(cold.get("last_modified").is_none());
    fetch(&larder, &path).await;
    let here = get(&larder, &path).await.json()["result"].clone();
    assert_eq!(here["url"], url);
    assert!(
        here["last_modified"]
            .as_str()
            .is_some_and(|date| date.ends_with("GMT"))
    );
    assert_eq!(here["hash_spec"], cold["hash_spec"]);
    assert_eq!(
        (&here["project"], &here["version"]),
        (&json!("beta"), &json!("1.0"))
    );
}

#[tokio::test]
async fn a_mirror_may_send_clients_to_its_upstream_for_what_is_not_here() {
    let upstream = FakeIndex::start().await;
    for project in ["beta", "gamma"] {
        upstream.add(&DistBuilder::wheel(project, "1.0").build());
    }
    let larder = TestLarder::mirroring(&upstream).await;
    let here = larder.file_path("root/pypi", "gamma").await;
    fetch(&larder, &here).await;
    let changed = larder.ask(Method::PATCH, "/root/pypi").by("root", ROOT);
    let changed = changed
        .json(&json!({"mirror_use_external_urls": true}))
        .await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    let path = larder.file_path("root/pypi", "beta").await;
    for method in [Method::GET, Method::HEAD] {
        let answer = larder.ask(method, &path).send().await;
        assert_eq!(answer.status, StatusCode::FOUND);
        let url = upstream.file_url("beta-1.0-py3-none-any.whl").to_string();
        assert_eq!(answer.header("location"), url);
    }
    assert_eq!(larder.get(&here).send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn deleting_a_release_of_a_mirror_drops_what_is_cached_of_it() {
    let upstream = FakeIndex::start().await;
    let dist = DistBuilder::wheel("beta", "1.0").build();
    upstream.add(&dist);
    let larder = TestLarder::mirroring(&upstream).await;
    let path = larder.file_path("root/pypi", "beta").await;
    assert_eq!(
        delete(&larder, "/root/pypi/nothing/1.0?force=")
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        delete(&larder, "/root/pypi/beta/1.0").await.status,
        StatusCode::FORBIDDEN
    );
    // Nothing is cached yet, and that is fine.
    for version in ["1.0", "9.9"] {
        let answer = delete(&larder, &format!("/root/pypi/beta/{version}?force=")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    for round in 1..3 {
        fetch(&larder, &path).await;
        let asked = upstream.hits(&upstream.file_path(&dist.filename));
        assert_eq!(asked, round);
        delete(&larder, "/root/pypi/beta/1.0?force=").await;
    }
}

#[tokio::test]
async fn credentials_that_cannot_be_read_give_way_to_those_that_can() {
    let larder = TestLarder::start().await;
    let api = |header: &'static str| {
        let ask = larder.get("/+api").accept(JSON).by("root", ROOT);
        ask.header("x-devpi-auth", header).send()
    };
    for (header, status) in [
        ("%%%", "ok"),
        ("bm9jb2xvbg==", "ok"),
        ("cm9vdDp3cm9uZw==", "noauth"),
    ] {
        assert_eq!(
            api(header).await.json()["result"]["authstatus"][0],
            status,
            "{header}"
        );
    }
    let form = Form::of(&DistBuilder::wheel("demo", "1.0").build());
    let (kind, body) = form.encode();
    let alone = larder
        .ask(Method::POST, "/root/public/")
        .header("x-devpi-auth", "!!!notbase64")
        .header("content-type", &kind)
        .body(body);
    assert_eq!(alone.send().await.status, StatusCode::UNAUTHORIZED, "C16");
}

#[tokio::test]
async fn a_change_is_answered_with_its_own_serial() {
    let larder = TestLarder::start().await;
    let put = larder.ask(Method::PUT, "/alice").by("root", ROOT);
    let first = put.json(&json!({"password": "alice"})).await;
    let put = larder.ask(Method::PUT, "/root/dev").by("root", ROOT);
    let second = put.json(&json!({})).await;
    assert_eq!(serial(&second), serial(&first) + 1);
    let changed = larder.ask(Method::PATCH, "/root/dev").by("root", ROOT);
    let same = changed.json(&json!({"volatile": true})).await;
    assert_eq!(same.status, StatusCode::OK);
    assert_eq!(serial(&same), serial(&second), "nothing changed");
    assert_eq!(serial(&get(&larder, "/+status").await), serial(&second));
}

#[tokio::test]
async fn a_project_goes_with_its_last_file() {
    let larder = TestLarder::start().await;
    for version in ["1.0", "1.1"] {
        let dist = DistBuilder::wheel("demo", version).build();
        assert!(
            larder
                .upload("root/public", &dist)
                .await
                .status
                .is_success()
        );
    }
    for left in [StatusCode::OK, StatusCode::NOT_FOUND] {
        let path = larder.file_path("root/public", "demo").await;
        assert_eq!(delete(&larder, &path).await.status, StatusCode::OK);
        assert_eq!(larder.page("root/public", "demo").await.status, left);
    }
    let projects = get(&larder, "/root/public").await.json()["result"]["projects"].clone();
    assert_eq!(projects, json!([]));
}
