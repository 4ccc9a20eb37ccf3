//! Section G: pushes that cannot be. What right ones do is in `push.rs` and
//! `push_elsewhere.rs`, beside these tests.

use serde_json::{Value, json};

use crate::world::{World, shown, with};

fn here() -> Value {
    json!({"name": "demo", "version": "1.0", "targetindex": "alice/prod"})
}

fn elsewhere(url: &str) -> Value {
    json!({"name": "demo", "version": "1.0", "posturl": url, "username": "u", "password": "p"})
}

#[tokio::test]
async fn bodies_that_are_no_push_are_refused() {
    let world = World::new().await;
    for (id, body) in [
        ("G01", json!({})),
        ("G01, no target", json!({"name": "demo", "version": "1.0"})),
        (
            "G01, no version",
            json!({"name": "demo", "targetindex": "alice/prod"}),
        ),
        ("G03", with(here(), "targetindex", json!("x"))),
        ("G03, empty", with(here(), "targetindex", json!(""))),
        ("G04", with(here(), "targetindex", json!("a/b/c"))),
        ("G04, dots", with(here(), "targetindex", json!("../.."))),
        (
            "G04, a NUL",
            with(here(), "targetindex", json!("alice/prod\0")),
        ),
        ("G07", with(here(), "more", json!(1))),
        (
            "G07, both targets",
            with(here(), "posturl", json!("https://index.example.com/")),
        ),
        ("G07, a password", with(here(), "password", json!("x"))),
        ("G11", json!([])),
        ("G11, null", json!(null)),
        ("G11, a text", json!("x")),
        ("G11, a push in a list", json!([here()])),
        ("G12", with(here(), "name", json!(1))),
        ("G12, no name", with(here(), "name", json!("../../x"))),
        ("G12, a version", with(here(), "version", json!(1.0))),
        (
            "G12, a long one",
            with(here(), "version", json!("1".repeat(5000))),
        ),
        ("G12, a flag", with(here(), "no_docs", json!("yes"))),
        ("G13", with(here(), "targetindex", json!({"a": 1}))),
        (
            "G13, a list",
            with(here(), "targetindex", json!(["alice/prod"])),
        ),
        (
            "G08, no credentials",
            json!({"name": "demo", "version": "1.0", "posturl": "https://index.example.com/"}),
        ),
    ] {
        for method in ["PUSH", "POST"] {
            let what = format!("{id}: {}", shown(body.to_string().as_bytes()));
            let ask = world
                .by_alice(method, "/alice/dev")
                .with_json(body.to_string());
            world.refused(&what, ask, &[400, 404]).await;
        }
    }
}

#[tokio::test]
async fn g08_g09_addresses_that_nothing_is_sent_to() {
    let world = World::new().await;
    for (id, url) in [
        ("G08", "http://169.254.169.254/"),
        ("G08, loopback", "http://127.0.0.1:1/"),
        ("G08, IPv6", "http://[::1]:1/"),
        ("G08, mapped", "http://[::ffff:127.0.0.1]/"),
        ("G08, hex", "http://0x7f000001/"),
        ("G08, private", "http://192.168.0.1/"),
        ("G08, an upstream", world.upstream.url.as_ref()),
        ("G08, userinfo", "http://index.example.com@127.0.0.1/"),
        ("G09", "file:///etc/passwd"),
        ("G09, gopher", "gopher://127.0.0.1:6379/_"),
        ("G09, a script", "javascript:alert(1)"),
        ("G09, nothing", ""),
        ("G09, a line", "http://index.example.com/\r\nX: y"),
    ] {
        let ask = world
            .by_alice("PUSH", "/alice/dev")
            .with_json(elsewhere(url).to_string());
        world
            .refused(&format!("{id}: {url}"), ask, &[400, 403])
            .await;
        let ask = world
            .ask("PUSH", "/alice/dev")
            .with_json(elsewhere(url).to_string());
        world
            .refused(&format!("{id}, anonymous: {url}"), ask, &[400, 401, 403])
            .await;
    }
    assert_eq!(world.upstream.all_hits(), 0);
}

#[tokio::test]
async fn g05_the_target_and_the_source_say_who_may() {
    let world = World::new().await;
    for (id, user, source, target, allowed) in [
        // devpi says 401 without a challenge, and its client acts on that.
        ("G05", "alice", "/alice/dev", "bob/dev", &[401, 403][..]),
        ("G05, bob", "bob", "/alice/dev", "alice/prod", &[401, 403]),
        (
            "G05, a mirror",
            "alice",
            "/alice/dev",
            "root/pypi",
            &[400, 401, 403, 404],
        ),
        (
            "G05, nowhere",
            "alice",
            "/alice/dev",
            "alice/nope",
            &[400, 404],
        ),
        (
            "G05, from nowhere",
            "alice",
            "/alice/nope",
            "alice/prod",
            &[404],
        ),
        (
            "G05, nothing there",
            "alice",
            "/bob/dev",
            "alice/prod",
            &[400, 404],
        ),
        (
            "G05, through a base",
            "bob",
            "/bob/dev",
            "bob/dev",
            &[400, 404],
        ),
    ] {
        let body = with(here(), "targetindex", json!(target)).to_string();
        let ask = world
            .ask("PUSH", source)
            .by(user, user)
            .with_json(body.clone());
        let answer = world.refused(id, ask, allowed).await;
        assert!(
            answer.headers.get("www-authenticate").is_none(),
            "{id}: {answer:?}"
        );
        let anonymous = world.ask("PUSH", source).with_json(body);
        world.refused(id, anonymous, &[400, 401, 403, 404]).await;
    }
    let form = world.ask("PUSH", "/alice/dev").by("alice", "alice");
    let form = form
        .header("content-type", "text/plain")
        .body(here().to_string());
    world.refused("C11, a push", form, &[415]).await;
}
