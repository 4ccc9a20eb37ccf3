//! Behind a proxy from the environment: it is used although its address is
//! private, and targets are judged all the same.
//!
//! The environment is read when the clients are made, so each case runs in a
//! process of its own: this test binary again, with one ignored test.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::process::Command;

use common::{drain, upstreams};
use larder_testkit::{DistBuilder, FakeIndex, Fault};
use larder_upstream::{Addresses, Endpoint, Error};
use url::Url;

const TARGET: &str = "LARDER_TEST_TARGET";

/// Runs the ignored test `case` with the proxy and a target.
fn run(case: &str, proxy: &str, no_proxy: &str, target: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", case, "--ignored", "--nocapture"])
        .env("HTTP_PROXY", proxy)
        .env("NO_PROXY", no_proxy)
        .env(TARGET, target)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("1 passed"), "{said}");
}

async fn proxy_with_file() -> (FakeIndex, String) {
    let proxy = FakeIndex::start().await;
    let dist = DistBuilder::wheel("demo", "1.0").build();
    proxy.add(&dist);
    let path = proxy.file_path(&dist.filename);
    (proxy, path)
}

fn target() -> (Endpoint, Url) {
    let url = Url::parse(&std::env::var(TARGET).unwrap()).unwrap();
    (Endpoint::new(url.clone(), None, Addresses::PublicOnly), url)
}

#[tokio::test]
#[ignore = "a case for a process of its own"]
async fn case_the_file_comes() {
    let (endpoint, url) = target();
    let answer = upstreams().open_file(&endpoint, &url, None).await.unwrap();
    let (bytes, failed) = drain(answer).await;
    assert!(failed.is_none() && bytes.starts_with(b"PK"));
}

#[tokio::test]
#[ignore = "a case for a process of its own"]
async fn case_the_address_is_refused() {
    let (endpoint, url) = target();
    let error = upstreams()
        .open_file(&endpoint, &url, None)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ForbiddenAddress { .. }), "{error:?}");
}

#[tokio::test]
#[ignore = "a case for a process of its own"]
async fn case_nothing_tells_the_proxys_password() {
    let (endpoint, url) = target();
    let upstreams = upstreams();
    let error = upstreams
        .open_file(&endpoint, &url, None)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    let told = format!("{upstreams:?} {error:?} {}", error.sentence());
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn a_private_proxy_leads_to_public_hosts() {
    let (proxy, path) = proxy_with_file().await;
    let port = proxy.url.port().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let own = format!("http://{host}:{port}");
        run(
            "case_the_file_comes",
            &own,
            "",
            &format!("http://files.example.com{path}"),
        );
    }
    assert_eq!(proxy.hits(&path), 2);
}

#[tokio::test]
async fn a_proxy_is_no_way_round_the_check() {
    let (proxy, path) = proxy_with_file().await;
    let port = proxy.url.port().unwrap();
    let (by_address, by_name) = (
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
    );
    for target in [
        "http://127.0.0.1",
        "http://localhost",
        "http://169.254.169.254",
        "http://[::1]",
        "http://0x7f.1",
    ] {
        run(
            "case_the_address_is_refused",
            &by_address,
            "",
            &format!("{target}:{port}{path}"),
        );
    }
    // Not sent through the proxy, but to the proxy itself.
    run(
        "case_the_address_is_refused",
        &by_name,
        "localhost",
        &format!("http://localhost:{port}{path}"),
    );
    assert_eq!(proxy.all_hits(), 0);
}

#[tokio::test]
async fn a_redirect_inwards_is_not_followed() {
    let (proxy, canary) = (FakeIndex::start().await, FakeIndex::start().await);
    let own = format!("http://127.0.0.1:{}", proxy.url.port().unwrap());
    for (target, no_proxy) in [
        (canary.url.as_str(), ""),
        (canary.url.as_str(), "127.0.0.1"),
    ] {
        proxy.fault("/hop", Fault::Redirect(target.to_owned()));
        run(
            "case_the_address_is_refused",
            &own,
            no_proxy,
            "http://files.example.com/hop",
        );
        proxy.clear_faults();
    }
    assert_eq!((proxy.hits("/hop"), canary.all_hits()), (2, 0));
}

#[tokio::test]
async fn the_proxys_password_is_told_to_nobody() {
    let (proxy, path) = proxy_with_file().await;
    proxy.set_down(true).await;
    let own = format!(
        "http://alice:hunter2@127.0.0.1:{}",
        proxy.url.port().unwrap()
    );
    run(
        "case_nothing_tells_the_proxys_password",
        &own,
        "",
        &format!("http://files.example.com{path}"),
    );
}
