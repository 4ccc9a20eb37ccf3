//! Logins: old hashes, devpi's tokens, and too many wrong passwords.

mod common;

use std::net::IpAddr;
use std::time::Duration;

use common::{Answer, Setup, TestLarder};
use http::{Method, StatusCode};
use larder_app::{DevpiSecret, Settings};
use larder_store::NewUser;
use larder_web::WebSettings;
use serde_json::{Map, Value, json};

/// The hash of `password` with other parameters than ours.
const DEVPI: &str = "$argon2id$v=19$m=512,t=2,p=2$VWpNyblXqnUOgZByznmvlQ$g3yctJn/kllJWgHQfqZJGJwydxo7b3p4N6W+l4ChrNM";
/// Of `secret`, as devpi servers before 4.2 stored it.
const LEGACY: &str = "$devpi-sha256$c2FsdHNhbHRzYWx0c2FsdA==$e8fec00708568fa979c1db94a47af4db2af580ebb1248c35219398820db72ec4";

/// A user as an import makes one.
async fn import(larder: &TestLarder, name: &str, pwhash: &str) {
    let user = NewUser {
        name: name.parse().expect("a name"),
        pwhash: Some(pwhash.to_owned()),
        profile: Map::new(),
    };
    let mut tx = larder.store.write().await.expect("a transaction");
    let made = tx.insert_user(user, larder.clock.now(), None).await;
    made.expect("a new user");
    tx.commit().await.expect("committed");
}

async fn stored(larder: &TestLarder, name: &str) -> larder_store::User {
    let name = name.parse().expect("a name");
    let mut tx = larder.store.read().await.expect("a transaction");
    let found = tx.find_user(&name).await.expect("a row");
    found.expect("the user")
}

async fn login(larder: &TestLarder, user: &str, password: &str) -> Answer {
    larder
        .ask(Method::POST, "/+login")
        .json(&json!({"user": user, "password": password}))
        .await
}

fn counted(larder: &TestLarder, name: &str) -> u64 {
    let samples = larder.app.samples();
    let sample = samples.iter().find(|sample| sample.name == name);
    sample.expect("a known number").value
}

fn hashes(larder: &TestLarder) -> u64 {
    counted(larder, "larder_password_hashes_total")
}

async fn who(ask: common::Ask<'_>) -> Value {
    ask.accept("application/json").send().await.json()["result"]["authstatus"].clone()
}

#[tokio::test]
async fn an_old_hash_is_renewed_by_a_login_and_by_nothing_else() {
    let larder = TestLarder::start().await;
    for (name, password, old) in [("alice", "password", DEVPI), ("bob", "secret", LEGACY)] {
        import(&larder, name, old).await;
        let before = larder.store.current_serial().await.expect("a serial");
        let status = who(larder.get("/+api").by(name, password)).await;
        assert_eq!(status, json!(["ok", name, []]));
        let wrong = login(&larder, name, "Password").await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert_eq!(stored(&larder, name).await.pwhash.as_deref(), Some(old));

        let good = login(&larder, name, password).await;
        assert_eq!(good.status, StatusCode::OK, "{good:?}");
        let user = stored(&larder, name).await;
        let new = user.pwhash.expect("a hash");
        assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
        assert_eq!((user.epoch, user.modified), (0, None));
        assert_eq!(
            larder.store.current_serial().await.expect("a serial"),
            before
        );

        let token = good.json()["result"]["password"].clone();
        let status = who(larder
            .get("/+api")
            .by(name, token.as_str().expect("a token")))
        .await;
        assert_eq!(
            status,
            json!(["ok", name, []]),
            "the token outlives the change"
        );
        assert_eq!(login(&larder, name, password).await.status, StatusCode::OK);
        assert_eq!(
            stored(&larder, name).await.pwhash,
            Some(new),
            "once is enough"
        );
    }
}

#[tokio::test]
async fn a_hash_that_asks_for_too_much_is_not_computed() {
    let larder = TestLarder::start().await;
    import(
        &larder,
        "alice",
        &DEVPI.replace("m=512,t=2", "m=4194304,t=3"),
    )
    .await;
    let before = hashes(&larder);
    let answer = login(&larder, "alice", "password").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    assert_eq!(hashes(&larder) - before, 1, "as much as for anybody");
}

#[tokio::test]
async fn unknown_users_cost_as_much_as_known_ones() {
    let larder = TestLarder::start().await;
    larder.user("alice").await;
    let mut answers = Vec::new();
    for name in ["alice", "nobody", "no such name", "app"] {
        let before = hashes(&larder);
        let answer = login(&larder, name, "wrong").await;
        assert_eq!(hashes(&larder) - before, 1, "{name}");
        answers.push((answer.status, answer.text().replace(name, "…")));
    }
    let first = answers[0].clone();
    assert!(answers.iter().all(|answer| *answer == first), "{answers:?}");
}

/// Made by devpi's own libraries at 1795428000, which is when the tests' clock stands.
const TOKEN: &str = r#"["alice", [], true].awQOoA.0xpRl-bASKUIzgdiiD-nQikRLBw"#;

fn keeping_the_secret() -> Setup<'static> {
    let secret = DevpiSecret::new(b"a secret of at least thirty-two bytes", 64, 1, 2);
    Setup {
        settings: Settings {
            devpi_secret: secret,
            ..Setup::default().settings
        },
        ..Setup::default()
    }
}

#[tokio::test]
async fn logins_of_a_devpi_server_go_on_where_its_secret_is_kept() {
    let larder = TestLarder::start_with(keeping_the_secret()).await;
    import(&larder, "alice", DEVPI).await;
    larder.user("bob").await;
    let as_alice = || larder.get("/+api").by("alice", TOKEN);
    assert_eq!(who(as_alice()).await, json!(["ok", "alice", []]));
    let as_bob = larder.get("/+api").by("bob", TOKEN);
    assert_eq!(who(as_bob).await, json!(["noauth", "", []]));
    larder.clock.advance(Duration::from_hours(10));
    assert_eq!(who(as_alice()).await, json!(["ok", "alice", []]));
    larder.clock.advance(Duration::from_secs(1));
    assert_eq!(who(as_alice()).await, json!(["noauth", "", []]));
}

#[tokio::test]
async fn a_devpi_token_ends_with_the_password_it_was_got_for() {
    let larder = TestLarder::start_with(keeping_the_secret()).await;
    import(&larder, "alice", DEVPI).await;
    let changed = larder
        .ask(Method::PATCH, "/alice")
        .by("alice", TOKEN)
        .json(&json!({"password": "another"}))
        .await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    let status = who(larder.get("/+api").by("alice", TOKEN)).await;
    assert_eq!(status, json!(["noauth", "", []]));
}

#[tokio::test]
async fn without_the_secret_a_devpi_token_is_nothing_and_costs_nothing() {
    let larder = TestLarder::start().await;
    import(&larder, "alice", DEVPI).await;
    let before = hashes(&larder);
    for _ in 0..20 {
        let status = who(larder.get("/+api").by("alice", TOKEN)).await;
        assert_eq!(status, json!(["noauth", "", []]));
    }
    assert_eq!(hashes(&larder), before);
    assert_eq!(
        login(&larder, "alice", "password").await.status,
        StatusCode::OK
    );
}

fn behind_a_proxy() -> Setup<'static> {
    Setup {
        web: WebSettings {
            trusted_proxies: "127.0.0.1".parse().expect("a list"),
            ..WebSettings::default()
        },
        ..Setup::default()
    }
}

/// A login from this address.
async fn login_from(larder: &TestLarder, from: &str, user: &str, password: &str) -> Answer {
    larder
        .ask(Method::POST, "/+login")
        .header("x-real-ip", from)
        .json(&json!({"user": user, "password": password}))
        .await
}

#[tokio::test]
async fn wrong_passwords_come_to_an_end_and_good_tokens_do_not() {
    let larder = TestLarder::start_with(behind_a_proxy()).await;
    larder.user("alice").await;
    let good = login_from(&larder, "192.0.2.1", "alice", "alice").await;
    let token = good.json()["result"]["password"].clone();
    let token = token.as_str().expect("a token");
    for _ in 0..10 {
        let answer = login_from(&larder, "192.0.2.2", "alice", "wrong").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    }
    let before = hashes(&larder);
    let refused = login_from(&larder, "192.0.2.2", "alice", "alice").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{refused:?}");
    assert_eq!(refused.header("retry-after"), "300");
    assert_eq!(
        refused.message(),
        "too many wrong passwords; try again in 300 seconds"
    );
    let change = larder
        .ask(Method::PUT, "/alice/new")
        .header("x-real-ip", "192.0.2.2")
        .by("alice", "wrong")
        .json(&json!({}))
        .await;
    assert_eq!(change.status, StatusCode::TOO_MANY_REQUESTS, "{change:?}");
    let page = larder
        .get("/")
        .header("x-real-ip", "192.0.2.2")
        .by("alice", "wrong")
        .send()
        .await;
    assert_eq!(
        page.status,
        StatusCode::OK,
        "who may read needs no credentials"
    );
    assert_eq!(hashes(&larder), before, "and nothing was computed");

    let with_token = larder
        .get("/+api")
        .header("x-real-ip", "192.0.2.2")
        .by("alice", token);
    assert_eq!(who(with_token).await, json!(["ok", "alice", []]));
    let elsewhere = login_from(&larder, "192.0.2.1", "alice", "alice").await;
    assert_eq!(elsewhere.status, StatusCode::OK);
    larder.clock.advance(Duration::from_mins(5));
    let later = login_from(&larder, "192.0.2.2", "alice", "alice").await;
    assert_eq!(later.status, StatusCode::OK, "{later:?}");
}

#[tokio::test]
async fn many_addresses_do_not_lock_the_owner_out() {
    let larder = TestLarder::start_with(behind_a_proxy()).await;
    larder.user("alice").await;
    let known = login_from(&larder, "192.0.2.1", "alice", "alice").await;
    assert_eq!(known.status, StatusCode::OK);
    // No upload session remembers the password any longer.
    larder.clock.advance(Duration::from_mins(6));
    for number in 0..50 {
        let from = format!("198.51.100.{number}");
        let answer = login_from(&larder, &from, "alice", "wrong").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    }
    let stranger = login_from(&larder, "203.0.113.1", "alice", "guess").await;
    assert_eq!(stranger.status, StatusCode::TOO_MANY_REQUESTS);
    let owner = login_from(&larder, "192.0.2.1", "alice", "alice").await;
    assert_eq!(owner.status, StatusCode::OK, "{owner:?}");
}

#[tokio::test]
async fn parallel_guesses_are_no_way_around() {
    let larder = TestLarder::start().await;
    larder.user("alice").await;
    let before = hashes(&larder);
    let guesses: Vec<String> = (0..40).map(|number| format!("guess {number}")).collect();
    let logins = guesses.iter().map(|guess| login(&larder, "alice", guess));
    let answers = futures_util::future::join_all(logins).await;
    let refused = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS)
        .count();
    assert!(refused >= 29, "{refused}");
    // Two are computed at once, so one more may be on its way.
    assert!(hashes(&larder) - before <= 11);
    let root = login(&larder, "root", common::ROOT).await;
    assert_eq!(root.status, StatusCode::OK, "{root:?}");
}

#[tokio::test]
async fn a_forged_address_counts_for_nothing() {
    let larder = TestLarder::start().await;
    larder.user("alice").await;
    for number in 0..10 {
        let from = format!("198.51.100.{number}");
        let answer = login_from(&larder, &from, "alice", "wrong").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    }
    let answer = login_from(&larder, "198.51.100.77", "alice", "wrong").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    let mut elsewhere = larder;
    elsewhere.peer = IpAddr::from([192, 0, 2, 9]);
    assert_eq!(
        login(&elsewhere, "alice", "alice").await.status,
        StatusCode::OK
    );
}
