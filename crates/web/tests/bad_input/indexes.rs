//! Section E: the configuration of indexes.

use std::time::{Duration, Instant};

use http::StatusCode;
use larder_testkit::DistBuilder;
use serde_json::{Value, json};

use crate::common::{Ask, TestLarder};
use crate::world::{World, shown, with};

fn put<'a>(world: &'a World, path: &str, body: &Value) -> Ask<'a> {
    world.by_alice("PUT", path).with_json(body.to_string())
}

fn patch<'a>(world: &'a World, body: &Value) -> Ask<'a> {
    world
        .by_alice("PATCH", "/alice/dev")
        .with_json(body.to_string())
}

#[tokio::test]
async fn configurations_that_cannot_be_are_refused() {
    let world = World::new().await;
    let many: Vec<String> = (0..10_000).map(|i| format!("a/b{i}")).collect();
    for (id, body) in [
        ("E01", json!({"bases": ["alice/new"]})),
        ("E04", json!({"bases": ["no/such"]})),
        ("E05", json!({"bases": {"a": 1}})),
        ("E07", json!({"bases": [["root/pypi"]]})),
        ("E07, a number", json!({"bases": [1]})),
        ("E08", json!({"bases": ["a/b/c"]})),
        ("E08, one part", json!({"bases": ["x"]})),
        ("E08, dots", json!({"bases": ["../.."]})),
        ("E08, a NUL", json!({"bases": ["root/pypi\0"]})),
        ("E09", json!({"type": "evil"})),
        ("E09, null", json!({"type": null})),
        ("E11", json!({"volatile": "maybe"})),
        ("E12", json!({"volatile": 1})),
        ("E12, null", json!({"volatile": null})),
        ("E13", json!({"acl_upload": {"bob": true}})),
        ("E13, of readers", json!({"acl_read": {"bob": true}})),
        ("E13, of results", json!({"acl_toxresult_upload": 1})),
        ("E21", json!({"frobnicate": 1})),
        ("E29", json!([])),
        ("E29, a text", json!("x")),
        ("E29, null", json!(null)),
        ("E32", json!({"bases": many})),
        ("E43", json!({"_keep_unknown": true})),
        ("E43", json!({"self": 1})),
        ("E43", json!({"__class__": "x", "kw": {}})),
        ("E44", json!({"index": "root/pypi"})),
        ("E45", json!({"user": "bob"})),
        ("E45", json!({"private_upstream": true})),
        ("E45", json!({"mirror_whitelist_inheritance": "both"})),
        ("E45", json!({"mirror_whitelist": ["../x"]})),
        ("E45", json!({"mirror_url": "https://example.com/"})),
    ] {
        let what = format!("{id}: {}", shown(body.to_string().as_bytes()));
        world
            .refused(&what, put(&world, "/alice/new", &body), &[400])
            .await;
    }
    let huge = json!({"title": "x".repeat(20 << 20)});
    world
        .refused("E31", put(&world, "/alice/new", &huge), &[413])
        .await;
    let huge = json!({"custom_data": vec![0; 400_000]});
    world
        .refused("E31, many", put(&world, "/alice/new", &huge), &[400, 413])
        .await;
}

#[tokio::test]
async fn names_and_owners_that_cannot_be_are_refused() {
    let world = World::new().await;
    let long = format!("/alice/{}", "i".repeat(300));
    for (id, path) in [
        ("E33", "/alice/%2e%2e"),
        ("E33, one", "/alice/%2e"),
        ("E33, of a user", "/%2e%2e/dev"),
        ("E35", "/alice/a%20b"),
        ("E35, behind", "/alice/dev%20"),
        ("E36", long.as_str()),
        ("E37", "/alice/a%2fb"),
        ("E37, a backslash", "/alice/a%5cb"),
        ("E39", "/alice/d%D0%B5v"),
        ("E39, a NUL", "/alice/dev%00"),
        ("E39, markup", "/alice/%3Cb%3E"),
        ("E39, a plus", "/alice/+x"),
    ] {
        world
            .refused(id, put(&world, path, &json!({})), &[400, 404])
            .await;
    }
    world
        .refused("E40", put(&world, "/alice/dev", &json!({})), &[409])
        .await;
    world
        .refused("E19", put(&world, "/bob/x", &json!({})), &[403])
        .await;
    world
        .refused("E19, of root", put(&world, "/root/x", &json!({})), &[403])
        .await;
    world
        .refused(
            "E19, of nobody",
            put(&world, "/nobody/x", &json!({})),
            &[404],
        )
        .await;
    let anonymous = world.ask("PUT", "/alice/x").with_json("{}");
    world.refused("E20", anonymous, &[401, 403]).await;
    world
        .refused("E41", world.by_alice("DELETE", "/alice/prod"), &[403])
        .await;
    world
        .refused(
            "E41, by root",
            world.by_root("DELETE", "/alice/prod"),
            &[403],
        )
        .await;
    world
        .refused(
            "E41, another's",
            world.by_bob("DELETE", "/alice/dev"),
            &[403],
        )
        .await;
}

#[tokio::test]
async fn upstreams_that_cannot_be_are_refused() {
    let world = World::new().await;
    for (id, url) in [
        ("E47", "file:///etc/passwd"),
        ("E47, a path", "/etc/passwd"),
        ("E48", "http://169.254.169.254/simple/"),
        ("E48, IPv6", "http://[fe80::1]/"),
        ("E48, of a cloud", "http://[fd00:ec2::254]/"),
        ("E49", "http://127.0.0.1:1/"),
        ("E49, by name", "http://localhost:1/"),
        ("E49, below it", "http://x.localhost/"),
        ("E49, IPv6", "http://[::1]:1/"),
        ("E49, nothing", "http://0.0.0.0/"),
        ("E49, unspecified", "http://[::]/"),
        ("E49, mapped", "http://[::ffff:127.0.0.1]/"),
        ("E49, translated", "http://[64:ff9b::7f00:1]/"),
        ("E49, private", "http://10.0.0.1/"),
        ("E49, shared", "http://100.64.0.1/"),
        ("E49, multicast", "http://224.0.0.1/"),
        ("E51", "http://0x7f000001/"),
        ("E51, a number", "http://2130706433/"),
        ("E51, octal", "http://0177.0.0.1/"),
        ("E51, short", "http://127.1/"),
        ("E51, wide digits", "http://\u{ff11}27.0.0.1/"),
        ("E52", "http://localhost.localdomain@127.0.0.1/"),
        ("E53", "javascript:alert(1)"),
        ("E53, data", "data:text/html,x"),
        ("E56", "gopher://127.0.0.1:6379/_"),
        ("E56, ftp", "ftp://example.com/"),
        ("E57", ""),
        ("E57, no host", "http://"),
        ("E57, a space", "http://exa mple.com/"),
        ("E57, a port", "http://example.com:99999/"),
        ("E57, a line", "http://example.com/\r\nX: y"),
    ] {
        let body = json!({"type": "mirror", "mirror_url": url});
        world
            .refused(
                &format!("{id}: {url}"),
                put(&world, "/alice/m", &body),
                &[400],
            )
            .await;
    }
    let base = json!({"type": "mirror", "mirror_url": "https://example.com/simple/"});
    for (id, key, value) in [
        ("E60", "mirror_cache_expiry", json!(-1)),
        ("E60, huge", "mirror_cache_expiry", json!(1e300)),
        ("E61", "mirror_cache_expiry", json!("abc")),
        ("E61, a list", "mirror_cache_expiry", json!([1])),
        (
            "E63",
            "mirror_web_url_fmt",
            json!("{name.__class__.__mro__}"),
        ),
        (
            "E63, another",
            "mirror_web_url_fmt",
            json!("https://x/{name}/{0}"),
        ),
        (
            "E64",
            "mirror_web_url_fmt",
            json!("javascript:alert(1)//{name}"),
        ),
        ("E21, of a mirror", "frobnicate", json!(1)),
        (
            "E11, of a mirror",
            "mirror_use_external_urls",
            json!("maybe"),
        ),
    ] {
        let body = with(base.clone(), key, value);
        world
            .refused(id, put(&world, "/alice/m", &body), &[400])
            .await;
    }
    // E55: what the credentials of an upstream are, nobody is told: see D31, E59.
    let body = json!({"type": "mirror", "mirror_url": "http://u:secretpw@127.0.0.1:1/simple/"});
    let answer = world
        .refused("E55", put(&world, "/alice/m", &body), &[400])
        .await;
    assert!(!answer.text().contains("secretpw"), "E55: {answer:?}");
    let body = json!({"type": "mirror", "mirror_url": "https://u:secretpw@example.com/simple/"});
    let answer = world.answer("E55", put(&world, "/alice/m", &body)).await;
    assert_eq!(answer.status, StatusCode::OK, "E55: {answer:?}");
    for ask in [
        world.by_alice("GET", "/alice/m"),
        world.ask("GET", "/alice/m"),
    ] {
        let answer = world.answer("E59", ask.accept("application/json")).await;
        assert!(!answer.text().contains("secretpw"), "E59: {answer:?}");
        assert!(answer.text().contains("example.com"), "E59: {answer:?}");
    }
}

#[tokio::test]
async fn changes_that_cannot_be_are_refused() {
    let world = World::new().await;
    for (id, body) in [
        ("E03", json!({"bases": ["alice/dev"]})),
        ("E03, as an operation", json!(["bases+=alice/dev"])),
        ("E09, a change", json!({"type": "mirror"})),
        ("E23", json!(["bases-=no/such"])),
        ("E24", json!(["nokey-=x"])),
        ("E24, to set", json!(["nokey=x"])),
        ("E25", json!(["no operator"])),
        ("E25, empty", json!([""])),
        ("E25, only one", json!(["="])),
        ("E25, a number", json!([1])),
        ("E25, an object", json!([{"a": 1}])),
        ("E25, a list", json!([["bases=root/pypi"]])),
        ("E25, many", json!(vec!["title=x"; 10_000])),
        ("E27", json!(null)),
        ("E28", json!("x")),
        ("E28, a number", json!(1)),
        ("E11, an operation", json!(["volatile=maybe"])),
        ("E13, an operation", json!(["acl_upload-="])),
        ("E12, a list", json!(["title+=x"])),
        ("E43, an operation", json!(["self=1"])),
    ] {
        let what = format!("{id}: {}", shown(body.to_string().as_bytes()));
        world.refused(&what, patch(&world, &body), &[400]).await;
    }
    for (id, body) in [
        ("E16", json!({"acl_upload": ["bob"]})),
        ("E16, an operation", json!(["acl_upload+=bob"])),
        ("E16, malformed", json!({"acl_upload": 1})),
        ("E17", json!({"mirror_whitelist": ["*"]})),
        ("E17, of bases", json!({"bases": []})),
    ] {
        let ask = world
            .by_bob("PATCH", "/alice/dev")
            .with_json(body.to_string());
        world.refused(id, ask, &[403]).await;
    }
    let good = world
        .answer(
            "E15",
            patch(&world, &json!({"acl_upload": [":anonymous:"]})),
        )
        .await;
    assert_eq!(
        good.json()["result"]["acl_upload"],
        json!([":ANONYMOUS:"]),
        "E15"
    );
}

#[tokio::test]
async fn e65_deep_bases_cost_one_pass() {
    let larder = TestLarder::start().await;
    let mut base = "root/public".to_owned();
    let started = Instant::now();
    for level in 0..200 {
        let name = format!("root/l{level}");
        larder.index(&name, &json!({"bases": base})).await;
        base = name;
    }
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "E65: {:?}",
        started.elapsed()
    );
    larder
        .upload("root/public", &DistBuilder::wheel("demo", "1.0").build())
        .await;
    let started = Instant::now();
    assert_eq!(larder.filenames(&base, "demo").await.len(), 1);
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "E65: {:?}",
        started.elapsed()
    );
}
