//! `/+status`, whole for root and bare for everybody else.

mod common;

use common::{ROOT, Setup, TestLarder};
use http::{Method, StatusCode};
use larder_app::Settings;
use larder_testkit::{DistBuilder, FakeIndex};
use larder_web::{Place, WebSettings};
use serde_json::{Value, json};

/// Every key that a devpi server of its own has.
const KEYS: [&str; 15] = [
    "event-serial",
    "event-serial-in-sync-at",
    "event-serial-timestamp",
    "host",
    "last-commit-timestamp",
    "metrics",
    "outside-url",
    "polling_replicas",
    "port",
    "role",
    "serial",
    "server-code",
    "serverdir",
    "uuid",
    "versioninfo",
];

fn setup(devpi_compat: bool) -> Setup<'static> {
    Setup {
        settings: Settings {
            devpi_compat,
            ..Setup::default().settings
        },
        web: WebSettings {
            outside_url: Some("https://example.com".parse().expect("a URL")),
            place: Some(Place {
                serverdir: "/srv/larder".to_owned(),
                program: "/usr/bin/larder".to_owned(),
                host: "127.0.0.1".to_owned(),
                port: 3141,
            }),
            ..WebSettings::default()
        },
        ..Setup::default()
    }
}

async fn status(larder: &TestLarder, by: Option<(&str, &str)>) -> Value {
    let mut ask = larder.get("/+status").accept("application/json");
    if let Some((user, password)) = by {
        ask = ask.by(user, password);
    }
    let answer = ask.send().await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["type"], "status");
    answer.json()["result"].clone()
}

fn keys(result: &Value) -> Vec<String> {
    let mut keys: Vec<String> = result
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    keys.sort_unstable();
    keys
}

fn metric(result: &Value, name: &str) -> u64 {
    let metrics = result["metrics"].as_array().expect("a list");
    let found = metrics.iter().find(|metric| metric[0] == name);
    found.expect("a known name")[2].as_u64().expect("a number")
}

#[tokio::test]
async fn root_sees_all_and_others_the_same_keys_without_places() {
    let larder = TestLarder::start_with(setup(false)).await;
    larder.user("alice").await;
    let root = status(&larder, Some(("root", ROOT))).await;
    assert_eq!(keys(&root), KEYS);
    assert_eq!(root["serverdir"], "/srv/larder");
    assert_eq!(root["server-code"], "/usr/bin/larder");
    assert_eq!(
        (&root["host"], &root["port"]),
        (&json!("127.0.0.1"), &json!(3141))
    );
    assert_eq!(root["outside-url"], "https://example.com");
    for by in [None, Some(("alice", "alice")), Some(("root", "wrong"))] {
        let bare = status(&larder, by).await;
        assert_eq!(keys(&bare), KEYS);
        for key in ["serverdir", "server-code", "host", "port", "outside-url"] {
            assert_eq!(bare[key], Value::Null, "{key} by {by:?}");
        }
        assert_eq!(bare["metrics"], json!([]));
        for key in [
            "role",
            "uuid",
            "serial",
            "versioninfo",
            "last-commit-timestamp",
        ] {
            assert_eq!(bare[key], root[key], "{key} by {by:?}");
        }
    }
    assert_eq!(root["role"], "MASTER");
    assert_eq!(root["polling_replicas"], json!({}));
}

#[tokio::test]
async fn with_devpis_open_defaults_everybody_sees_all() {
    let larder = TestLarder::start_with(setup(true)).await;
    let anonymous = status(&larder, None).await;
    assert_eq!(anonymous["serverdir"], "/srv/larder");
    assert!(metric(&anonymous, "larder_requests_total") < 10);
}

#[tokio::test]
async fn the_serial_and_its_time_are_those_of_the_last_change() {
    let larder = TestLarder::start_with(setup(false)).await;
    let before = status(&larder, None).await;
    assert_eq!(before["last-commit-timestamp"], json!(1_795_428_000.0));
    larder.clock.advance(std::time::Duration::from_millis(2500));
    larder.user("alice").await;
    let after = status(&larder, None).await;
    let serial = before["serial"].as_u64().expect("a number") + 1;
    for key in ["serial", "event-serial"] {
        assert_eq!(after[key], json!(serial), "{key}");
    }
    for key in [
        "last-commit-timestamp",
        "event-serial-timestamp",
        "event-serial-in-sync-at",
    ] {
        assert_eq!(after[key], json!(1_795_428_002.5), "{key}");
    }
}

#[tokio::test]
async fn what_happens_is_counted() {
    let upstream = FakeIndex::start().await;
    upstream.add(&DistBuilder::wheel("cold", "1.0").build());
    let larder = TestLarder::mirroring(&upstream).await;
    let own = DistBuilder::wheel("own", "1.0").build();
    assert_eq!(
        larder.upload("root/public", &own).await.status,
        StatusCode::OK
    );
    for _ in 0..3 {
        larder.page("root/pypi", "cold").await;
    }
    for (index, project) in [("root/pypi", "cold"), ("root/public", "own")] {
        let file = larder.file_path(index, project).await;
        let answer = larder.get(&file).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let wrong = larder
        .ask(Method::POST, "/+login")
        .json(&json!({"user": "root", "password": "wrong"}))
        .await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let seen = status(&larder, Some(("root", ROOT))).await;
    let count = |name| metric(&seen, name);
    assert_eq!(count("larder_uploads_total"), 1);
    assert_eq!(count("larder_page_cache_misses_total"), 2);
    assert_eq!(count("larder_page_cache_hits_total"), 3);
    assert_eq!(count("larder_pages_stale_total"), 0);
    assert_eq!(count("larder_file_fetches_total"), 1);
    assert_eq!(count("larder_file_hits_total"), 1);
    assert_eq!(count("larder_passwords_rejected_total"), 1);
    assert_eq!(count("larder_page_cache_entries"), 2);
    assert!(count("larder_requests_total") >= 8);
    assert!(count("larder_bytes_sent_total") > 1000);
    let names = seen["metrics"].as_array().expect("a list");
    for metric in names {
        let kind = if metric[0]
            .as_str()
            .is_some_and(|name| name.ends_with("_total"))
        {
            "counter"
        } else {
            "gauge"
        };
        assert_eq!(metric[1], kind, "{metric}");
    }
}
