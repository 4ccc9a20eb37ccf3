//! Pushing a release of a mirror: its files are brought here first (devpi: 5.1).

mod common;

use common::{Answer, ROOT, Setup, TestLarder};
use http::{Method, StatusCode};
use larder_testkit::{Dist, DistBuilder, FakeIndex, Fault};
use serde_json::{Value, json};

async fn push(larder: &TestLarder, version: &str) -> Answer {
    let body = json!({"name": "demo", "version": version, "targetindex": "root/public"});
    let method = Method::from_bytes(b"PUSH").expect("a method");
    larder
        .ask(method, "/root/pypi")
        .by("root", ROOT)
        .json(&body)
        .await
}

/// An upstream with a wheel and an sdist of 1.0 and another version.
async fn mirrored() -> (FakeIndex, TestLarder, Dist, Dist) {
    let upstream = FakeIndex::start().await;
    let wheel = DistBuilder::wheel("demo", "1.0")
        .requires_python(">=3.9")
        .summary("A demo")
        .ballast("demo/big.bin", 300_000)
        .build();
    let sdist = DistBuilder::sdist("demo", "1.0")
        .summary("An archive")
        .build();
    upstream.add(&wheel);
    upstream.add(&sdist);
    upstream.add(&DistBuilder::wheel("demo", "2.0").build());
    upstream.edit(&sdist.filename, |file| {
        file.yanked = Some("broken".to_owned());
    });
    let larder = TestLarder::mirroring(&upstream).await;
    // The whitelist keeps the mirror out of the page of a private project.
    let closed = json!({"bases": [], "mirror_whitelist": []});
    let answer = larder
        .ask(Method::PATCH, "/root/public")
        .by("root", ROOT)
        .json(&closed)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    (upstream, larder, wheel, sdist)
}

async fn nothing_came(larder: &TestLarder) {
    assert_eq!(
        larder.page("root/public", "demo").await.status,
        StatusCode::NOT_FOUND
    );
    larder.app.tasks().idle().await;
    assert_eq!(larder.spools(), 0);
}

fn file<'a>(page: &'a Value, dist: &Dist) -> &'a Value {
    let mut files = page["files"].as_array().expect("files").iter();
    files
        .find(|file| file["filename"] == dist.filename)
        .expect("the file")
}

#[tokio::test]
async fn files_of_a_mirror_are_brought_here_and_keep_what_their_page_says() {
    let (upstream, larder, wheel, sdist) = mirrored().await;
    let answer = push(&larder, "1.0").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let result = answer.json()["result"].clone();
    assert_eq!(
        result[0],
        json!([200, "register", "demo", "1.0", "->", "root/public"])
    );
    let names: Vec<&str> = (1..3)
        .filter_map(|row| result[row][2].as_str()?.rsplit('/').next())
        .collect();
    assert_eq!(names, [&*wheel.filename, &*sdist.filename], "and not 2.0");
    let page = larder.page("root/public", "demo").await.json();
    let (new_wheel, new_sdist) = (file(&page, &wheel), file(&page, &sdist));
    assert_eq!(new_wheel["requires-python"], ">=3.9");
    assert_eq!(new_wheel["upload-time"], "2024-01-02T03:04:05.000006Z");
    assert_eq!(new_wheel["hashes"]["sha256"], wheel.sha256);
    assert_eq!(
        (&new_wheel["yanked"], &new_sdist["yanked"]),
        (&Value::Null, &json!("broken"))
    );
    let release = larder
        .get("/root/public/demo/1.0")
        .accept("application/json")
        .send()
        .await
        .json();
    assert_eq!(
        release["result"]["summary"], "A demo",
        "from inside of the wheel"
    );
    let asked = upstream.hits(&upstream.file_path(&wheel.filename));
    assert_eq!(push(&larder, "1.0").await.status, StatusCode::OK);
    assert_eq!(
        asked,
        upstream.hits(&upstream.file_path(&wheel.filename)),
        "fetched once"
    );
    let stored = larder.file_path("root/public", "demo").await;
    assert!(stored.starts_with("/root/public/+f/"));
    upstream.set_down(true).await;
    let bytes = larder.get(&stored).send().await;
    assert!([&wheel.bytes[..], &sdist.bytes[..]].contains(&bytes.body.as_slice()));
}

#[tokio::test]
async fn an_archive_says_what_it_is_where_there_is_no_wheel() {
    let (upstream, larder, wheel, _) = mirrored().await;
    upstream.remove_file(&wheel.filename);
    assert_eq!(push(&larder, "1.0").await.status, StatusCode::OK);
    let release = larder
        .get("/root/public/demo/1.0")
        .accept("application/json")
        .send()
        .await
        .json();
    assert_eq!(release["result"]["summary"], "An archive");
    larder.app.tasks().idle().await;
    assert_eq!(larder.spools(), 0);
}

#[tokio::test]
async fn a_file_that_says_nothing_has_name_and_version() {
    let upstream = FakeIndex::start().await;
    upstream.add_file("demo", "demo-1.0.zip", b"no archive".to_vec());
    upstream.edit("demo-1.0.zip", |file| {
        file.requires_python = Some(">=3".to_owned());
    });
    let larder = TestLarder::mirroring(&upstream).await;
    let answer = push(&larder, "1.0.0").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let release = larder
        .get("/root/public/demo/1.0")
        .accept("application/json")
        .send()
        .await
        .json();
    let result = &release["result"];
    assert_eq!(
        (&result["name"], &result["version"]),
        (&json!("demo"), &json!("1.0"))
    );
    assert_eq!(result["requires_python"], ">=3");
}

#[tokio::test]
async fn an_upstream_that_fails_lets_nothing_through() {
    let table = [
        (Fault::Status(404), "the upstream no longer has this file"),
        (Fault::Status(500), "answered with status 500"),
        (Fault::WrongBytes, "does not have the sha256"),
        (Fault::CutAfter(1000), "broke off"),
    ];
    for (fault, sentence) in table {
        let (upstream, larder, wheel, _) = mirrored().await;
        upstream.fault(&upstream.file_path(&wheel.filename), fault.clone());
        let answer = push(&larder, "1.0").await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_GATEWAY,
            "{fault:?} {answer:?}"
        );
        assert!(
            answer.message().contains(sentence),
            "{fault:?}: {}",
            answer.message()
        );
        assert!(
            !answer.message().contains("http://"),
            "{}",
            answer.message()
        );
        nothing_came(&larder).await;
        upstream.clear_faults();
    }
}

#[tokio::test]
async fn a_mirror_without_the_release_says_so_and_a_failing_one_that_it_fails() {
    let (upstream, larder, ..) = mirrored().await;
    let absent = push(&larder, "3.0").await;
    assert_eq!(absent.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        absent.message(),
        "there are no files for demo 3.0 on stage root/pypi"
    );
    upstream.set_status("demo", Some(("quarantined", Some("malware"))));
    let refreshed = larder
        .ask(Method::POST, "/root/pypi/+simple/demo/refresh")
        .send()
        .await;
    assert_eq!(refreshed.status, StatusCode::FOUND, "{refreshed:?}");
    let quarantined = push(&larder, "1.0").await;
    assert_eq!(quarantined.status, StatusCode::FORBIDDEN, "{quarantined:?}");
    nothing_came(&larder).await;

    let down = FakeIndex::start().await;
    down.set_down(true).await;
    let larder = TestLarder::mirroring(&down).await;
    let failed = push(&larder, "1.0").await;
    assert_eq!(failed.status, StatusCode::BAD_GATEWAY, "{failed:?}");
}

#[tokio::test]
async fn offline_only_what_is_here_is_pushed() {
    let upstream = FakeIndex::start().await;
    upstream.add(&DistBuilder::wheel("demo", "1.0").build());
    let settings = larder_app::Settings {
        offline: true,
        ..Setup::default().settings
    };
    let larder = TestLarder::start_with(Setup {
        upstream: Some(&upstream),
        settings,
        ..Setup::default()
    })
    .await;
    let answer = push(&larder, "1.0").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    assert_eq!(upstream.all_hits(), 0);
}
