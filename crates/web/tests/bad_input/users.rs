//! Section D: users.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::common::Ask;
use crate::world::World;

fn put<'a>(world: &'a World, path: &str, body: &Value) -> Ask<'a> {
    world.by_root("PUT", path).with_json(body.to_string())
}

fn patch<'a>(world: &'a World, path: &str, body: &Value) -> Ask<'a> {
    world.by_alice("PATCH", path).with_json(body.to_string())
}

#[tokio::test]
async fn d01_d15_who_may_be_created_and_under_which_names() {
    let world = World::new().await;
    let password = json!({"password": "x"});
    let anonymous = world.ask("PUT", "/eve").with_json(password.to_string());
    world.refused("D01", anonymous, &[401, 403]).await;
    let alice = world
        .by_alice("PUT", "/eve")
        .with_json(password.to_string());
    world.refused("D01, by a user", alice, &[403]).await;
    let long = format!("/{}", "u".repeat(300));
    for (id, path) in [
        ("D03", "/%2e"),
        ("D03, two", "/%2e%2e"),
        ("D04", "/+admin"),
        ("D04, encoded", "/%2badmin"),
        ("D04, a route", "/+login"),
        ("D05", "/%00"),
        ("D05, behind", "/eve%00"),
        ("D07", long.as_str()),
        ("D08", "/r%D0%BE%D0%BEt"),
        ("D08, wide", "/%EF%BD%92oot"),
        ("D09", "/%20root"),
        ("D09, behind", "/root%20"),
        ("D09, inside", "/a%20b"),
        ("D09, no-break", "/root%C2%A0"),
        ("D09, no width", "/root%E2%80%8B"),
        ("D11", "/%F0%9F%92%A9"),
        ("D11, a slash", "/a%2fb"),
        ("D11, a backslash", "/a%5cb"),
        ("D11, a colon", "/a:b"),
        ("D11, markup", "/%3Cb%3E"),
        ("D11, a template", "/%7B%7B7*7%7D%7D"),
    ] {
        world
            .refused(id, put(&world, path, &password), &[400, 404, 405])
            .await;
    }
    world
        .refused("an existing user", put(&world, "/alice", &password), &[409])
        .await;
    for (id, path) in [
        ("D12", "/CON"),
        ("D13", "/-rf"),
        ("D15", "/__init__"),
        ("D15", "/__proto__"),
    ] {
        let answer = world.answer(id, put(&world, path, &password)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{id}: {answer:?}");
    }
}

#[tokio::test]
async fn d16_d21_what_a_new_user_cannot_be() {
    let world = World::new().await;
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA";
    for (id, body) in [
        ("D16", json!({})),
        ("D17", json!({"password": ""})),
        ("D17, too long", json!({"password": "x".repeat(5000)})),
        (
            "D19",
            json!({"password": "x", "indexes": {"dev": {"type": "stage"}}}),
        ),
        ("D20", json!({"password": "x", "username": "root"})),
        (
            "D20, a time",
            json!({"password": "x", "created": "2020-01-01T00:00:00Z"}),
        ),
        ("D20, groups", json!({"password": "x", "groups": ["admin"]})),
        ("D21", json!({"password": "x", "pwhash": hash})),
        ("D21, alone", json!({"pwhash": hash})),
        ("D21, salted", json!({"password": "x", "pwsalt": "x"})),
        ("D25, of a new one", json!([1, 2])),
        ("D25, a number", json!({"password": 5})),
        ("D25, an object", json!({"password": {"x": 1}})),
    ] {
        world.refused(id, put(&world, "/dan", &body), &[400]).await;
    }
    let many: Map<String, Value> = (0..10_000).map(|i| (format!("k{i}"), json!(1))).collect();
    let many = Value::Object(many);
    world
        .refused("D32, of a new one", put(&world, "/dan", &many), &[400, 413])
        .await;
    world
        .refused("D32", patch(&world, "/alice", &many), &[400, 413])
        .await;
    let long = json!({"title": "x".repeat(900_000)});
    world
        .refused("D32, one long", patch(&world, "/alice", &long), &[400, 413])
        .await;
}

#[tokio::test]
async fn d23_d28_what_nobody_may_do_to_a_user() {
    let world = World::new().await;
    for (id, path, body, status) in [
        ("D23", "/root", json!({"email": "x"}), 403),
        ("D23, a password", "/bob", json!({"password": "x"}), 403),
        ("D23, nobody", "/nobody", json!({"email": "x"}), 403),
        (
            "D24",
            "/alice",
            json!({"pwhash": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"}),
            400,
        ),
        (
            "D24, with more",
            "/alice",
            json!({"pwhash": "x", "title": "x"}),
            400,
        ),
        ("D25", "/alice", json!([1, 2]), 400),
        ("D25, null", "/alice", json!(null), 400),
        ("D25, a text", "/alice", json!("x"), 400),
        ("D25, a number", "/alice", json!({"password": 1.5}), 400),
        ("D17, a change", "/alice", json!({"password": ""}), 400),
    ] {
        world
            .refused(id, patch(&world, path, &body), &[status])
            .await;
    }
    world
        .refused("D27", world.by_root("DELETE", "/root"), &[403])
        .await;
    world
        .refused("D27, by another", world.by_alice("DELETE", "/root"), &[403])
        .await;
    world
        .refused("D28", world.by_alice("DELETE", "/alice"), &[403])
        .await;
    world
        .refused("D28, by another", world.by_bob("DELETE", "/alice"), &[403])
        .await;
    world
        .refused("D28, by root", world.by_root("DELETE", "/alice"), &[403])
        .await;
    // What the server maintains is ignored in a change: clients send back what they saw.
    let shown = json!({"username": "root", "created": "x", "indexes": {}, "groups": ["root"]});
    let answer = world
        .answer("D19 D20, a change", patch(&world, "/alice", &shown))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let login = world
        .ask("POST", "/+login")
        .with_json(r#"{"user":"alice","password":"alice"}"#);
    assert_eq!(world.answer("D24", login).await.status, StatusCode::OK);
    let user = world
        .larder
        .get("/alice")
        .accept("application/json")
        .send()
        .await;
    assert_eq!(user.json()["result"]["username"], "alice", "D20");
    assert_eq!(
        user.json()["result"]["indexes"].as_object().map(Map::len),
        Some(2),
        "D19"
    );
}

#[tokio::test]
async fn d29_what_a_user_says_is_shown_as_text() {
    let world = World::new().await;
    let body = json!({
        "password": "x",
        "email": "a\r\nBcc: x",
        "title": "<script>alert(1)</script>",
        "description": "\u{1b}[31m\0\u{202e}",
    });
    let answer = world.answer("D29", put(&world, "/dan4", &body)).await;
    assert!(
        matches!(answer.status.as_u16(), 201 | 400),
        "D29: {answer:?}"
    );
    for path in ["/", "/dan4"] {
        let page = world
            .answer("D29", world.larder.get(path).accept("text/html,*/*"))
            .await;
        assert_eq!(
            page.header("content-type"),
            "application/json",
            "D29: no page of it"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff", "D29");
    }
}

#[tokio::test]
async fn d31_listings_show_no_secret() {
    let world = World::new().await;
    let email = patch(&world, "/alice", &json!({"email": "alice@example.com"}));
    assert_eq!(world.answer("D31", email).await.status, StatusCode::OK);
    let mirror = json!({"type": "mirror", "mirror_url": "http://user:hunter2@127.0.0.1:1/simple/"});
    let mirror = world
        .by_root("PUT", "/root/m")
        .with_json(mirror.to_string());
    assert_eq!(world.answer("E55", mirror).await.status, StatusCode::OK);
    for path in [
        "/",
        "/root",
        "/root/m",
        "/root/m?no_projects=",
        "/alice",
        "/root/m/+api",
        "/+status",
    ] {
        for accept in ["application/json", "text/html", "*/*"] {
            let strangers = [world.ask("GET", path), world.by_bob("GET", path)];
            for ask in strangers {
                let text = world.answer("D31 E59", ask.accept(accept)).await.text();
                for secret in ["hunter2", "alice@example.com", "$argon2"] {
                    assert!(!text.contains(secret), "D31 E59: {path} shows {secret}");
                }
            }
        }
    }
    let own = world
        .by_alice("GET", "/alice")
        .accept("application/json")
        .send()
        .await;
    assert_eq!(own.json()["result"]["email"], "alice@example.com");
}
