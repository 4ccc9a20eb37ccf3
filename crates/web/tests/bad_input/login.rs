//! Section C: logins, tokens, credentials.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};

use crate::common::{Ask, ROOT};
use crate::world::World;

fn login<'a>(world: &'a World, body: impl Into<bytes::Bytes>) -> Ask<'a> {
    world.ask("POST", "/+login").with_json(body)
}

#[tokio::test]
async fn logins_that_cannot_be_right_are_refused_in_words() {
    let world = World::new().await;
    let long = |key: &str| json!({"user": "root", "password": "x", key: "x".repeat(900_000)});
    let utf16 = "{\"user\":\"root\"}".encode_utf16();
    let table: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("C02", b"\"root\"".to_vec(), &[400]),
        ("C02, null", b"null".to_vec(), &[400]),
        ("C02, a list", b"[]".to_vec(), &[400]),
        ("C03", Vec::new(), &[400]),
        ("C03, spaces", b" \r\n".to_vec(), &[400]),
        ("C04", br#"{"user":1,"password":"x"}"#.to_vec(), &[400]),
        (
            "C04, null",
            br#"{"user":"root","password":null}"#.to_vec(),
            &[400],
        ),
        ("C04, no user", br#"{"password":"x"}"#.to_vec(), &[400]),
        (
            "C04, true",
            br#"{"user":true,"password":true}"#.to_vec(),
            &[400],
        ),
        (
            "C06",
            br#"{"user":{"a":1},"password":["x"]}"#.to_vec(),
            &[400],
        ),
        (
            "C07, a password",
            long("password").to_string().into(),
            &[401, 413],
        ),
        (
            "C07, a user",
            long("user").to_string().into(),
            &[400, 401, 413],
        ),
        (
            "C07, another key",
            long("more").to_string().into(),
            &[400, 401, 413],
        ),
        ("C12, longer", "[".repeat(100_000).into_bytes(), &[413]),
        ("C07, ten megabytes", vec![b' '; 10 << 20], &[413]),
        (
            "C08",
            br#"{"user":"root","password":"\ud800"}"#.to_vec(),
            &[400, 401],
        ),
        (
            "C08, a user",
            br#"{"user":"\udfff","password":"x"}"#.to_vec(),
            &[400, 401],
        ),
        (
            "C08, a NUL",
            br#"{"user":"root\u0000","password":"x\u0000"}"#.to_vec(),
            &[400, 401],
        ),
        ("C12", "[".repeat(60_000).into_bytes(), &[400]),
        (
            "C12, objects",
            "{\"user\":".repeat(100_000).into_bytes(),
            &[400, 413],
        ),
        (
            "C12, closed",
            format!("{{\"user\":{}{}}}", "[".repeat(5000), "]".repeat(5000)).into(),
            &[400],
        ),
        ("C14", b"{\"user\":\"\xff\"}".to_vec(), &[400]),
        (
            "C14, overlong",
            b"{\"user\":\"\xc0\xaf\",\"password\":\"x\"}".to_vec(),
            &[400],
        ),
        (
            "C15",
            utf16.clone().flat_map(u16::to_le_bytes).collect(),
            &[400],
        ),
        (
            "C15, the other way",
            utf16.flat_map(u16::to_be_bytes).collect(),
            &[400],
        ),
        (
            "C15, a mark",
            b"\xef\xbb\xbf{\"user\":\"root\",\"password\":\"x\"}".to_vec(),
            &[400],
        ),
        (
            "C10, wrong",
            br#"{"user":"root","password":"wrong"}"#.to_vec(),
            &[401],
        ),
        (
            "C10, unknown",
            br#"{"user":"nobody","password":"wrong"}"#.to_vec(),
            &[401],
        ),
        (
            "C10, no password",
            br#"{"user":"app","password":""}"#.to_vec(),
            &[401],
        ),
        (
            "C10, twice",
            br#"{"user":"root","user":"bob","password":"x"}"#.to_vec(),
            &[400, 401],
        ),
    ];
    for (id, body, allowed) in table {
        let answer = world.refused(id, login(&world, body), allowed).await;
        assert!(answer.headers.get("www-authenticate").is_none(), "{id}");
    }
    let body = json!({"user": "root", "password": ROOT}).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "text/json",
    ] {
        let form = world.ask("POST", "/+login").header("content-type", kind);
        world.refused("C11", form.body(body.clone()), &[415]).await;
    }
}

async fn token(world: &World, user: &str, password: &str) -> String {
    let body = json!({"user": user, "password": password}).to_string();
    let answer = world.answer(user, login(world, body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["result"]["password"]
        .as_str()
        .expect("a token")
        .to_owned()
}

/// What `+api` says of credentials.
async fn standing(world: &World, user: &str, secret: &str) -> Value {
    let ask = world.larder.get("/+api").by(user, secret);
    let answer = world.answer("+api", ask.accept("application/json")).await;
    answer.json()["result"]["authstatus"].clone()
}

/// Unknown, or (after many tries) not even looked at.
async fn assert_rejected(world: &World, id: &str, user: &str, secret: &str) {
    let standing = standing(world, user, secret).await;
    assert!(
        standing.is_null() || standing[0] == "noauth",
        "{id}: {standing}"
    );
    let ask = world.ask("PATCH", "/alice").by(user, secret);
    world
        .refused(id, ask.with_json(r#"{"title":"x"}"#), &[401, 429])
        .await;
}

#[tokio::test]
async fn c18_c20_a_token_is_whole_and_its_users_or_nothing() {
    let world = World::new().await;
    let bobs = token(&world, "bob", "bob").await;
    assert_eq!(
        standing(&world, "bob", &bobs).await,
        json!(["ok", "bob", []])
    );
    assert_eq!(standing(&world, "__token__", &bobs).await[0], "ok", "A-05");
    for user in ["alice", "root", "Bob", "bob ", "nobody"] {
        assert_rejected(&world, "C18", user, &bobs).await;
    }
    let mut count = 0;
    for (at, byte) in bobs.bytes().enumerate() {
        let mut bytes = bobs.clone().into_bytes();
        bytes[at] = if byte == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bytes).expect("ASCII");
        // The last letter holds bits that mean nothing.
        if at + 1 < bobs.len() {
            let standing = standing(&world, "bob", &bent).await;
            let is_nobody = standing.is_null() || standing[0] == "noauth";
            assert!(is_nobody, "C19 at {at}: {bent}: {standing}");
            count += 1;
        }
    }
    assert!(count > 20, "C19");
    for bent in [
        bobs[..bobs.len() / 2].to_owned(),
        bobs[..bobs.len() - 1].to_owned(),
        bobs.rsplit_once(['.', ':'])
            .map_or_else(String::new, |(start, _)| start.to_owned()),
        format!("{bobs}x"),
        format!("{bobs}{bobs}"),
        format!("{bobs}{}", "x".repeat(60_000)),
        format!("\u{e9}{bobs}"),
    ] {
        assert_rejected(&world, "C20", "bob", &bent).await;
    }
}

#[tokio::test]
async fn c22_c24_a_token_ends_with_its_password_and_its_user() {
    let world = World::new().await;
    let old = token(&world, "bob", "bob").await;
    let change = world.ask("PATCH", "/bob").by("bob", &old);
    let change = world
        .answer("a new password", change.with_json(r#"{"password":"new"}"#))
        .await;
    assert_eq!(change.json()["type"], "userpassword");
    let fresh = change.json()["result"]["password"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_rejected(&world, "C22", "bob", &old).await;
    assert_eq!(standing(&world, "bob", &fresh).await[0], "ok");
    let delete = world.answer("C23", world.by_root("DELETE", "/bob")).await;
    assert_eq!(delete.status, StatusCode::OK, "{delete:?}");
    assert_rejected(&world, "C23", "bob", &fresh).await;
    world.larder.user("bob").await;
    assert_rejected(&world, "C24", "bob", &fresh).await;
    let alices = token(&world, "alice", "alice").await;
    world.larder.clock.advance(Duration::from_secs(36_001));
    assert_rejected(&world, "expired", "alice", &alices).await;
}

#[tokio::test]
async fn c16_c31_wrong_credentials_are_ignored_where_all_may_read_and_refused_elsewhere() {
    let world = World::new().await;
    let page = world
        .larder
        .get("/alice/dev/+simple/demo/")
        .by("alice", "wrong");
    assert_eq!(world.answer("A-06", page).await.status, StatusCode::OK);
    let alice = STANDARD.encode("alice:alice");
    for (id, text) in [
        ("C16", "!!!notbase64".to_owned()),
        ("C16, nothing", String::new()),
        ("C16, no colon", STANDARD.encode("alice")),
        ("C16, two lines", STANDARD.encode("alice:alice\n")),
        ("C16, a NUL", STANDARD.encode("alice\0:alice")),
        ("C16, cut", alice[..alice.len() - 3].to_owned()),
        ("C31", STANDARD.encode("alice:alice:alice")),
        ("C31, only colons", STANDARD.encode(":::")),
        ("C31, of the user", STANDARD.encode(":alice:alice")),
        ("C10", STANDARD.encode("alice:wrong")),
    ] {
        let change = || world.ask("PATCH", "/alice").with_json(r#"{"title":"x"}"#);
        world
            .refused(id, change().header("x-devpi-auth", &text), &[401, 429])
            .await;
        let basic = change().header("authorization", &format!("Basic {text}"));
        world.refused(id, basic, &[401, 429]).await;
    }
    // C31: the first colon splits, the rest is the password.
    let colon = world
        .by_root("PATCH", "/bob")
        .with_json(r#"{"password":"a:b"}"#);
    assert_eq!(world.answer("C31", colon).await.status, StatusCode::OK);
    assert_eq!(standing(&world, "bob", "a:b").await[0], "ok", "C31");
}

#[tokio::test]
async fn c26_of_two_identities_one_counts_and_never_a_mix() {
    let world = World::new().await;
    let both = |devpi: &str| {
        let ask = world.by_bob("GET", "/+api").accept("application/json");
        ask.header("x-devpi-auth", &STANDARD.encode(devpi))
    };
    let answer = world.answer("C26", both("alice:alice")).await;
    assert_eq!(
        answer.json()["result"]["authstatus"],
        json!(["ok", "alice", []]),
        "C26"
    );
    let wrong = world.answer("C26", both("alice:bob")).await;
    assert_eq!(
        wrong.json()["result"]["authstatus"][0],
        "noauth",
        "C26: no second try"
    );
    let two = world.by_bob("PATCH", "/alice").by("alice", "alice");
    let two = two.with_json(r#"{"title":"x"}"#);
    let answer = world.answer("C26, twice", two).await;
    assert!(
        matches!(answer.status.as_u16(), 400 | 401 | 403),
        "C26: {answer:?}"
    );
}

#[tokio::test]
async fn c10_unknown_and_known_users_are_refused_alike() {
    let world = World::new().await;
    // The least of many tries: what the machine does beside it only adds.
    let mut least = [Duration::MAX; 2];
    let mut texts = [String::new(), String::new()];
    for round in 0..5 {
        for (at, user) in ["alice", "nobody"].into_iter().enumerate() {
            let body = json!({"user": user, "password": format!("wrong-{round}")});
            let started = Instant::now();
            let answer = login(&world, body.to_string()).send().await;
            least[at] = least[at].min(started.elapsed());
            // Attempts may be limited, then alike.
            assert!(
                matches!(answer.status.as_u16(), 401 | 429),
                "C10: {answer:?}"
            );
            texts[at] = answer.text().replace(user, "NAME");
        }
    }
    assert_eq!(texts[0], texts[1], "C10");
    let (low, high) = (least[0].min(least[1]), least[0].max(least[1]));
    assert!(high < low * 2, "C10: {least:?}");
}

#[tokio::test]
async fn c28_many_wrong_passwords_leave_the_others_in_peace() {
    let world = World::new().await;
    let wrong = |i: usize| {
        let body = json!({"user": "alice", "password": format!("wrong-{i}")});
        login(&world, body.to_string()).send()
    };
    let flood = join_all((0..100).map(wrong));
    let reads = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let started = Instant::now();
            let page = world.larder.page("alice/prod", "demo").await;
            assert_eq!(page.status, StatusCode::OK, "C28");
            slowest = slowest.max(started.elapsed());
        }
        slowest
    };
    let (answers, slowest) = tokio::join!(flood, reads);
    for answer in answers {
        let status = answer.status.as_u16();
        assert!(matches!(status, 401 | 429 | 503), "C28: {answer:?}");
        let says_when = !answer.header("retry-after").is_empty();
        assert!(says_when || status == 401, "C28: {answer:?}");
    }
    assert!(slowest < Duration::from_secs(2), "C28: {slowest:?}");
}

#[tokio::test]
async fn c30_a_forged_header_opens_no_gate() {
    let world = World::new().await;
    for path in ["/+authcheck", "/%2bauthcheck", "/alice/dev/+authcheck"] {
        for header in ["x-original-uri", "x-original-url", "x-rewrite-url"] {
            for target in ["/+login", "/+api", "/alice/dev/+simple/", "http://x/+login"] {
                let ask = world.ask("GET", path).header(header, target);
                world.refused("C30", ask, &[400, 401, 403, 404]).await;
            }
        }
    }
}
