//! What is connected to, and who gets the credentials. A canary on loopback
//! counts connections that must not be made.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{drain, endpoint, index_with_wheel, page_error, upstreams};
use larder_testkit::{DistBuilder, FakeIndex, Fault};
use larder_upstream::{Addresses, Endpoint, Error, PageAnswer, Validators};
use url::Url;

const SECRET: &str = "hunter2";

fn with_credentials(base: &Url) -> Endpoint {
    Endpoint::new(
        base.clone(),
        Some(("alice".to_owned(), SECRET.to_owned())),
        Addresses::Any,
    )
}

/// The fake index under a host name or another spelling of its address.
fn spelled(index: &FakeIndex, host: &str) -> Url {
    Url::parse(&format!(
        "http://{host}:{}/simple/",
        index.url.port().unwrap()
    ))
    .unwrap()
}

#[tokio::test]
async fn private_addresses_are_refused_in_every_spelling() {
    let canary = FakeIndex::start().await;
    canary.add_project("demo");
    let hosts = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "0.0.0.0",
        "169.254.169.254",
        "[64:ff9b::7f00:1]",
    ];
    for host in hosts {
        let base = spelled(&canary, host);
        let endpoint = Endpoint::new(base.clone(), None, Addresses::PublicOnly);
        let demo = "demo".parse().unwrap();
        let error = upstreams()
            .project_page(&endpoint, &demo, &Validators::default())
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::ForbiddenAddress { .. }),
            "{host}: {error:?}"
        );
        let error = upstreams()
            .open_file(&endpoint, &base, None)
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::ForbiddenAddress { .. }),
            "{host}: {error:?}"
        );
        let error = upstreams()
            .fetch_small(&endpoint, &base, 10)
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::ForbiddenAddress { .. }),
            "{host}: {error:?}"
        );
        let error = upstreams().project_list(&endpoint).await.unwrap_err();
        assert!(
            matches!(error, Error::ForbiddenAddress { .. }),
            "{host}: {error:?}"
        );
    }
    assert_eq!(canary.all_hits(), 0);
}

#[tokio::test]
async fn a_trusted_endpoint_may_lie_anywhere() {
    let (index, bytes, _) = index_with_wheel().await;
    for host in ["localhost", "127.1"] {
        let endpoint = Endpoint::new(spelled(&index, host), None, Addresses::Any);
        let demo = "demo".parse().unwrap();
        let answer = upstreams()
            .project_page(&endpoint, &demo, &Validators::default())
            .await
            .unwrap();
        let PageAnswer::Fresh(fresh) = answer else {
            panic!("{answer:?}")
        };
        let url = Url::parse(&fresh.page.files[0].url).unwrap();
        let answer = upstreams().open_file(&endpoint, &url, None).await.unwrap();
        assert_eq!(drain(answer).await.0, bytes);
    }
}

#[tokio::test]
async fn a_public_upstream_leads_to_no_private_address() {
    let canary = FakeIndex::start().await;
    let public = Url::parse("http://192.0.1.1/simple/").unwrap();
    let endpoint = Endpoint::new(public, None, Addresses::Any);
    for host in ["127.0.0.1", "localhost", "0x7f.1"] {
        let link = spelled(&canary, host);
        let error = upstreams()
            .open_file(&endpoint, &link, None)
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::ForbiddenAddress { .. }),
            "{host}: {error:?}"
        );
    }
    assert_eq!(canary.all_hits(), 0);
}

#[tokio::test]
async fn redirects_are_followed_a_number_of_times() {
    let (index, bytes, url) = index_with_wheel().await;
    let hop = |n: u32| format!("/hop/{n}");
    for n in 0..10 {
        index.fault(&hop(n), Fault::Redirect(hop(n + 1)));
    }
    index.fault(&hop(10), Fault::Redirect(url.path().to_owned()));
    let at = |n: u32| index.url.join(&hop(n)).unwrap();
    let answer = upstreams()
        .open_file(&endpoint(&index), &at(1), None)
        .await
        .unwrap();
    assert_eq!(drain(answer).await.0, bytes, "ten hops");
    let error = upstreams()
        .open_file(&endpoint(&index), &at(0), None)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::BadRedirect { .. }),
        "eleven hops: {error:?}"
    );
}

#[tokio::test]
async fn links_are_resolved_against_where_the_page_was_found() {
    let (first, second) = (FakeIndex::start().await, FakeIndex::start().await);
    first.fault(
        "/simple/demo/",
        Fault::Redirect(format!("{}pages/demo/", second.url)),
    );
    let html = "<!DOCTYPE html><a href=\"demo-1.0.tar.gz\">demo-1.0.tar.gz</a>";
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    let answer = larder_testkit::Answer {
        status: 200,
        headers,
        body: html.to_owned(),
    };
    second.fault("/simple/pages/demo/", Fault::Answer(answer));
    let page = common::fresh(&first).await.page;
    assert_eq!(
        page.files[0].url,
        format!("{}pages/demo/demo-1.0.tar.gz", second.url)
    );
}

#[tokio::test]
async fn redirects_to_other_schemes_are_not_followed() {
    let index = FakeIndex::start().await;
    for target in [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://127.0.0.1:70/",
        "http://",
    ] {
        index.fault("/simple/demo/", Fault::Redirect(target.to_owned()));
        let error = page_error(&index).await;
        assert!(
            matches!(error, Error::BadRedirect { .. }),
            "{target}: {error:?}"
        );
        index.clear_faults();
    }
}

#[tokio::test]
async fn credentials_go_to_their_own_origin() {
    let (index, bytes, url) = index_with_wheel().await;
    index.require_credentials("alice", SECRET);
    let endpoint = with_credentials(&index.url);
    let answer = upstreams().open_file(&endpoint, &url, None).await.unwrap();
    assert_eq!(drain(answer).await.0, bytes);
    assert!(upstreams().project_list(&endpoint).await.is_ok());
    let error = page_error(&index).await;
    assert!(
        matches!(error, Error::Status { code: 401, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn credentials_go_to_nobody_else() {
    let (home, stranger) = (FakeIndex::start().await, FakeIndex::start().await);
    let dist = DistBuilder::wheel("demo", "1.0").build();
    stranger.add(&dist);
    let away = stranger.file_url(&dist.filename);
    let endpoint = with_credentials(&home.url);
    // A link to another port, and a redirect to it that comes back in the end.
    let answer = upstreams().open_file(&endpoint, &away, None).await.unwrap();
    assert_eq!(drain(answer).await.0, dist.bytes);
    home.fault("/start", Fault::Redirect(format!("{}middle", stranger.url)));
    stranger.fault(
        "/simple/middle",
        Fault::Redirect(home.url.join("/end").unwrap().to_string()),
    );
    let start = home.url.join("/start").unwrap();
    let error = upstreams()
        .open_file(&endpoint, &start, None)
        .await
        .unwrap_err();
    assert!(error.is_missing(), "{error:?}");
    for request in stranger.seen() {
        assert_eq!(request.header("authorization"), None, "{request:?}");
    }
    let at_home: Vec<_> = home
        .seen()
        .iter()
        .map(|seen| seen.header("authorization").is_some())
        .collect();
    assert_eq!(
        at_home,
        [true, false],
        "what was left behind does not come back"
    );
}

#[tokio::test]
async fn credentials_in_urls_are_not_used() {
    let (index, _, url) = index_with_wheel().await;
    let mut with_secret = url.clone();
    with_secret.set_username("alice").unwrap();
    with_secret.set_password(Some(SECRET)).unwrap();
    upstreams()
        .open_file(&endpoint(&index), &with_secret, None)
        .await
        .unwrap();
    index.fault("/hop", Fault::Redirect(with_secret.to_string()));
    upstreams()
        .open_file(&endpoint(&index), &index.url.join("/hop").unwrap(), None)
        .await
        .unwrap();
    for request in index.seen() {
        assert_eq!(request.header("authorization"), None, "{request:?}");
    }
}

#[tokio::test]
async fn errors_do_not_tell_secrets() {
    let (index, _, mut url) = index_with_wheel().await;
    url.set_query(Some("token=hunter2"));
    let endpoint = with_credentials(
        &Url::parse(&format!(
            "http://alice:{SECRET}@{}/simple/",
            index.url.authority()
        ))
        .unwrap(),
    );
    let faults = [
        Fault::Status(401),
        Fault::Status(500),
        Fault::Reset,
        Fault::EmptyBody,
        Fault::BadJson,
        Fault::CutAfter(1),
        Fault::Redirect(format!("ftp://alice:{SECRET}@example.com/")),
        Fault::GzipBomb(2 << 20),
    ];
    let demo = "demo".parse().unwrap();
    let mut errors = Vec::new();
    for fault in faults {
        index.fault("*", fault);
        errors.extend(
            upstreams()
                .project_page(&endpoint, &demo, &Validators::default())
                .await
                .err(),
        );
        match upstreams().open_file(&endpoint, &url, None).await {
            Ok(answer) => errors.extend(drain(answer).await.1),
            Err(error) => errors.push(error),
        }
        index.clear_faults();
    }
    index.set_down(true).await;
    errors.extend(upstreams().open_file(&endpoint, &url, None).await.err());
    let public = Endpoint::new(url.clone(), None, Addresses::PublicOnly);
    errors.extend(upstreams().open_file(&public, &url, None).await.err());
    assert!(errors.len() > 10);
    for error in &errors {
        let mut told = format!("{error:?} {}", error.sentence());
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            told.push_str(&error.to_string());
            cause = error.source();
        }
        // "YWxpY2U6" is how the header would begin.
        for secret in [SECRET, "alice", "token", "YWxpY2U6"] {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
    }
}
