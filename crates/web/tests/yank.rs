//! Yanking own releases and files (PEP 592; S-15, S-39).

mod common;

use common::{Answer, ROOT, TestLarder};
use http::{Method, StatusCode};
use larder_testkit::{DistBuilder, FakeIndex};
use serde_json::{Value, json};

async fn larder() -> TestLarder {
    let larder = TestLarder::start().await;
    larder
        .index("root/final", &json!({"volatile": false}))
        .await;
    for (project, version) in [("demo", "1.0"), ("demo", "1.1")] {
        for dist in [
            DistBuilder::wheel(project, version).build(),
            DistBuilder::sdist(project, version).build(),
        ] {
            let answer = larder.upload("root/final", &dist).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        }
    }
    larder
}

async fn put(larder: &TestLarder, path: &str, body: &Value) -> Answer {
    larder
        .ask(Method::PUT, path)
        .by("root", ROOT)
        .json(body)
        .await
}

async fn delete(larder: &TestLarder, path: &str) -> Answer {
    larder
        .ask(Method::DELETE, path)
        .by("root", ROOT)
        .accept("application/json")
        .send()
        .await
}

/// File name and what the page says of its yank.
async fn yanked(larder: &TestLarder) -> Vec<(String, Value)> {
    let page = larder.page("root/final", "demo").await.json();
    let files = page["files"].as_array().expect("files").clone();
    files
        .into_iter()
        .filter(|file| file.get("yanked").is_some())
        .map(|file| {
            (
                file["filename"].as_str().expect("a name").to_owned(),
                file["yanked"].clone(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_release_is_yanked_with_a_reason_and_unyanked() {
    let larder = larder().await;
    let answer = put(
        &larder,
        "/root/final/demo/1.0/+yank",
        &json!({"reason": "breaks <x> & \"y\""}),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.message(), "2 files of demo 1.0 yanked");
    let files = yanked(&larder).await;
    assert_eq!(files.len(), 2);
    assert!(
        files
            .iter()
            .all(|(name, reason)| name.contains("1.0") && *reason == json!("breaks <x> & \"y\""))
    );
    let html = larder
        .get("/root/final/+simple/demo/")
        .accept("text/html")
        .send()
        .await;
    let attribute = "data-yanked=\"breaks &lt;x&gt; &amp; &quot;y&quot;\"";
    assert!(html.text().contains(attribute), "{}", html.text());
    let view = larder
        .get("/root/final/demo/1.0")
        .accept("application/json")
        .send()
        .await;
    assert_eq!(view.json()["result"]["yanked"], "breaks <x> & \"y\"");

    let answer = delete(&larder, "/root/final/demo/1.0.0/+yank").await;
    assert_eq!(answer.message(), "2 files of demo 1.0.0 unyanked");
    assert_eq!(yanked(&larder).await, []);
    let view = larder
        .get("/root/final/demo/1.0")
        .accept("application/json")
        .send()
        .await;
    assert!(view.json()["result"].get("yanked").is_none());
}

#[tokio::test]
async fn one_file_is_yanked_without_a_reason() {
    let larder = larder().await;
    let path = "/root/final/demo/1.1/+yank/demo-1.1.tar.gz";
    for body in [json!({}), json!({"reason": null}), json!({"reason": ""})] {
        assert_eq!(put(&larder, path, &body).await.status, StatusCode::OK);
        assert_eq!(
            yanked(&larder).await,
            [("demo-1.1.tar.gz".to_owned(), json!(true))]
        );
    }
    let view = larder
        .get("/root/final/demo/1.1")
        .accept("application/json")
        .send()
        .await;
    assert!(
        view.json()["result"].get("yanked").is_none(),
        "not the whole release"
    );
    assert_eq!(delete(&larder, path).await.status, StatusCode::OK);
    assert_eq!(yanked(&larder).await, []);
}

#[tokio::test]
async fn a_file_added_to_a_yanked_release_is_yanked_like_it() {
    let larder = larder().await;
    let reason = json!({"reason": "broken"});
    put(&larder, "/root/final/demo/1.0/+yank", &reason).await;
    let more = DistBuilder::wheel("demo", "1.0")
        .tag("py2-none-any")
        .build();
    assert_eq!(
        larder.upload("root/final", &more).await.status,
        StatusCode::OK
    );
    assert_eq!(yanked(&larder).await.len(), 3);
}

#[tokio::test]
async fn a_repeated_yank_is_no_change() {
    let larder = larder().await;
    let path = "/root/final/demo/1.0/+yank";
    let first = put(&larder, path, &json!({"reason": "x"})).await;
    let again = put(&larder, path, &json!({"reason": "x"})).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(
        first.header("x-devpi-serial"),
        again.header("x-devpi-serial")
    );
}

#[tokio::test]
async fn what_cannot_be_yanked_is_refused() {
    let larder = larder().await;
    let long = json!({"reason": "x".repeat(2000)});
    for (path, body, expected) in [
        ("/root/final/demo/9.9/+yank", json!({}), 404),
        ("/root/final/other/1.0/+yank", json!({}), 404),
        ("/root/final/demo/1.0/+yank/demo-1.1.tar.gz", json!({}), 404),
        ("/root/nowhere/demo/1.0/+yank", json!({}), 404),
        ("/root/final/demo/1.0/+yank", json!({"reason": 1}), 400),
        ("/root/final/demo/1.0/+yank", json!({"why": "x"}), 400),
        ("/root/final/demo/1.0/+yank", json!({"reason": "a\nb"}), 400),
        ("/root/final/demo/1.0/+yank", json!([]), 400),
        ("/root/final/demo/1.0/+yank", long, 400),
    ] {
        let answer = put(&larder, path, &body).await;
        assert_eq!(answer.status.as_u16(), expected, "{path} {answer:?}");
    }
    assert_eq!(yanked(&larder).await, []);
    let get = larder.get("/root/final/demo/1.0/+yank").send().await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get.header("allow"), "PUT, DELETE");
}

#[tokio::test]
async fn a_mirrors_yanks_are_its_upstreams() {
    let upstream = FakeIndex::start().await;
    upstream.add(&DistBuilder::wheel("beta", "1.0").build());
    let larder = TestLarder::mirroring(&upstream).await;
    larder.page("root/pypi", "beta").await;
    let answer = put(&larder, "/root/pypi/beta/1.0/+yank", &json!({})).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
}
