//! `/+authcheck`: what a proxy may give out by itself.

mod common;

use common::{Answer, Setup, TestLarder};
use http::{Method, StatusCode};
use larder_web::WebSettings;
use serde_json::json;

async fn behind_a_proxy(outside: Option<&str>) -> TestLarder {
    let larder = TestLarder::start_with(Setup {
        web: WebSettings {
            trusted_proxies: "127.0.0.1".parse().expect("a list"),
            outside_url: outside.map(|url| url.parse().expect("a URL")),
            ..WebSettings::default()
        },
        ..Setup::default()
    })
    .await;
    for user in ["owner", "reader", "stranger"] {
        larder.user(user).await;
    }
    larder.index("owner/open", &json!({})).await;
    larder
        .index("owner/closed", &json!({"acl_read": ["reader"]}))
        .await;
    larder
}

async fn check(larder: &TestLarder, uri: &str, user: Option<&str>) -> Answer {
    let ask = larder.get("/+authcheck").header("x-original-uri", uri);
    let ask = match user {
        Some(user) => ask.by(user, user),
        None => ask,
    };
    ask.send().await
}

#[tokio::test]
async fn an_address_is_judged_by_the_right_to_read_its_index() {
    let larder = behind_a_proxy(None).await;
    let everybody = [None, Some("stranger"), Some("reader"), Some("owner")];
    let table: [(&str, [u16; 4]); 22] = [
        ("/", [200; 4]),
        ("/+api", [200; 4]),
        ("/owner/closed/+api", [200; 4]),
        ("/+login", [200; 4]),
        ("/+status", [200; 4]),
        ("/owner", [200; 4]),
        ("/owner/open/+simple/demo/", [200; 4]),
        ("/owner/missing/+simple/demo/", [200; 4]),
        ("/owner/closed", [401, 403, 200, 200]),
        ("/owner/closed/+simple/", [401, 403, 200, 200]),
        ("/owner/closed/%2Bsimple/demo/?x=1", [401, 403, 200, 200]),
        (
            "/owner/closed/+f/abc/0123456789abc/x-1.0.zip",
            [401, 403, 200, 200],
        ),
        (
            "//owner/closed/+f/abc/0123456789abc/x-1.0.zip",
            [401, 403, 200, 200],
        ),
        ("/owner/closed/demo/1.0", [401, 403, 200, 200]),
        (
            "/owner/closed/demo/1.0/+doc/index.html",
            [401, 403, 200, 200],
        ),
        (
            "http://example.com:3141/owner/closed/demo",
            [401, 403, 200, 200],
        ),
        // What a proxy may make another address of.
        (
            "/owner/open/+f/../../../owner/closed/+f/abc/01/x-1.0.zip",
            [403; 4],
        ),
        (
            "/owner/open/+f/..%2f..%2f..%2fowner/closed/+f/abc/x",
            [403; 4],
        ),
        ("/owner/open/+f/a//b", [403; 4]),
        ("/owner/open/+f/..%5c/b", [403; 4]),
        ("/+nothing", [403; 4]),
        ("no address at all", [403; 4]),
    ];
    for (uri, expected) in table {
        for (user, expected) in everybody.into_iter().zip(expected) {
            let answer = check(&larder, uri, user).await;
            assert_eq!(
                answer.status.as_u16(),
                expected,
                "{uri} by {user:?}: {answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn devpi_client_is_told_403_and_browsers_are_asked_for_a_password() {
    let larder = behind_a_proxy(None).await;
    let anonymous = check(&larder, "/owner/closed", None).await;
    assert_eq!(anonymous.header("www-authenticate"), "Basic realm=\"pypi\"");
    let client = larder
        .get("/+authcheck")
        .header("x-original-uri", "/owner/closed")
        .header("user-agent", "devpi-client/7.3.0 (py3.11)")
        .send()
        .await;
    assert_eq!(client.status, StatusCode::FORBIDDEN);
    let wrong = larder
        .get("/+authcheck")
        .header("x-original-uri", "/owner/open")
        .by("owner", "wrong")
        .send()
        .await;
    assert_eq!(
        wrong.status,
        StatusCode::OK,
        "who may read needs no credentials"
    );
}

#[tokio::test]
async fn any_method_and_the_outside_prefix_are_understood() {
    let larder = behind_a_proxy(Some("https://example.com/devpi")).await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = larder
            .ask(method.clone(), "/+authcheck")
            .header("x-original-uri", "/devpi/owner/closed/")
            .send()
            .await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{method}: {answer:?}"
        );
    }
    let open = check(&larder, "/devpi/owner/open/", None).await;
    assert_eq!(open.status, StatusCode::OK);
}

#[tokio::test]
async fn only_a_trusted_proxy_may_ask() {
    let forged = TestLarder::start().await;
    let answer = check(&forged, "/+login", None).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text().contains("--trusted-proxy"), "{answer:?}");
    let larder = behind_a_proxy(None).await;
    let answer = larder.get("/+authcheck").send().await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text().contains("X-Original-URI"), "{answer:?}");
}

#[tokio::test]
async fn nobody_replicates_from_here() {
    let larder = TestLarder::start().await;
    for path in ["/+changelog/0", "/+changelog/7-"] {
        let answer = larder.get(path).by("root", common::ROOT).send().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.text(), "Replication protocol disabled\n");
    }
}
