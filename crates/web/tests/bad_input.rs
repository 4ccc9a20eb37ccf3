//! Rows A to E of the bad-input catalogue, for the routes that exist: every
//! answer is a client error with a sentence, and nothing changes.
#![expect(clippy::too_many_lines, reason = "tables")]

mod common;

use std::time::{Duration, Instant};

use common::{Answer, Form, ROOT, Setup, TestLarder};
use http::{Method, StatusCode};
use larder_testkit::{DistBuilder, FakeIndex};
use serde_json::{Value, json};

struct World {
    larder: TestLarder,
    upstream: FakeIndex,
    file: String,
}

async fn world() -> World {
    let upstream = FakeIndex::start().await;
    upstream.add(&DistBuilder::wheel("public", "1.0").build());
    let larder = TestLarder::mirroring(&upstream).await;
    for user in ["alice", "bob"] {
        larder.user(user).await;
    }
    larder
        .index("alice/dev", &json!({"bases": "root/pypi"}))
        .await;
    larder
        .index("alice/prod", &json!({"volatile": false}))
        .await;
    let dist = DistBuilder::sdist("demo", "1.0").build();
    for index in ["alice/dev", "alice/prod"] {
        assert_eq!(
            larder
                .post_form(index, ("alice", "alice"), &Form::of(&dist))
                .await
                .status,
            StatusCode::OK
        );
    }
    let file = larder.file_path("alice/dev", "demo").await;
    upstream.forget_hits();
    World {
        larder,
        upstream,
        file,
    }
}

impl World {
    /// Everything that may not change: the serial stands for all tables.
    async fn state(&self) -> String {
        self.larder.get("/+status").send().await.json()["result"]["serial"].to_string()
    }

    /// Asks, and checks what holds after every bad request.
    async fn refused(
        &self,
        what: &str,
        answer: impl Future<Output = Answer>,
        allowed: &[u16],
    ) -> Answer {
        let before = self.state().await;
        let started = Instant::now();
        let answer = Box::pin(answer).await;
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{what} took {:?}",
            started.elapsed()
        );
        assert!(
            allowed.contains(&answer.status.as_u16()),
            "{what}: {answer:?}"
        );
        assert_eq!(self.state().await, before, "{what} changed something");
        assert_eq!(self.larder.spools(), 0, "{what}");
        let text = answer.text();
        for leak in ["/spool", ".sqlite", "panicked", "SELECT", "select ", ROOT] {
            assert!(!text.contains(leak), "{what} leaks {leak}: {text}");
        }
        answer
    }
}

#[tokio::test]
async fn crooked_paths_find_nothing_and_ask_no_upstream() {
    let world = world().await;
    let file = &world.file;
    let long_name = format!("/alice/dev/+simple/{}/", "a".repeat(5000));
    let deep = format!("/{}", "a/".repeat(4000));
    let table: Vec<(String, &[u16])> = vec![
        ("/../../../../etc/passwd".into(), &[400, 404]),
        ("/%2e%2e/%2e%2e/%2e%2e/etc/passwd".into(), &[400, 404]),
        ("/..%2f..%2f..%2fetc%2fpasswd".into(), &[400, 404]),
        (
            "/alice/dev/+f/../../../../../../etc/passwd".into(),
            &[400, 404],
        ),
        (
            "/alice/dev/+f/%2e%2e/%2e%2e/%2e%2e/larder.sqlite".into(),
            &[400, 404],
        ),
        (
            "/alice/dev/+f/..%5c..%5c..%5clarder.sqlite".into(),
            &[400, 404],
        ),
        ("/alice/dev/+f//etc/passwd".into(), &[400, 404]),
        ("/alice/dev/+f/%00".into(), &[400, 404]),
        (format!("{file}%00.html"), &[400, 404]),
        (
            format!("{file}/../../../../../../larder.sqlite"),
            &[400, 404],
        ),
        (format!("{file}%20"), &[400, 404]),
        ("/alice/dev/+simple/%ff%fe/".into(), &[400]),
        ("/alice/dev/+simple/%E2%80%AEomed/".into(), &[400, 404]),
        ("/alice/dev/+simple/dem%D0%BE/".into(), &[400, 404]),
        (long_name, &[404, 414]),
        (
            "/alice/dev/+simple/demo%0d%0aSet-Cookie:%20x=1".into(),
            &[400, 404],
        ),
        ("/alice/dev/+simple/DEMO%0d%0aX-Inj:1/".into(), &[400, 404]),
        ("/%5cevil.example.com/".into(), &[404]),
        (
            "/alice/dev/+simple/..%2f..%2froot%2fpypi/".into(),
            &[400, 404],
        ),
        ("/alice%2fdev/+simple/demo/".into(), &[404]),
        ("/+static/..%2f..%2f..%2fetc/passwd".into(), &[404]),
        ("/alice/dev/+simple/%zz/".into(), &[400]),
        (
            "/root/pypi/+e/http%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data".into(),
            &[404],
        ),
        (deep, &[404, 414]),
        ("/alice/dev/+simple/demo./".into(), &[400, 404]),
        ("/alice/dev/+simple/-demo/".into(), &[400, 404]),
    ];
    for (path, allowed) in table {
        let shown: String = path.chars().take(60).collect();
        let answer = world
            .refused(&shown, world.larder.get(&path).send(), allowed)
            .await;
        assert!(answer.headers.get("location").is_none(), "{shown}");
        assert!(
            answer.headers.get("set-cookie").is_none() && answer.headers.get("x-inj").is_none(),
            "{shown}"
        );
    }
    assert_eq!(world.upstream.all_hits(), 0, "no upstream was asked");
}

#[tokio::test]
async fn unusual_but_right_paths_are_answered() {
    let world = world().await;
    for (path, status) in [
        (world.file.clone(), 200),
        (format!("{}/", world.file), 200),
        (world.file.replace("/+f/", "/%2bf/"), 200),
        (
            format!("/alice/dev/+simple/demo/?x={}", "y".repeat(3000)),
            200,
        ),
        ("/alice/dev/+simple/con/".into(), 404),
        ("/alice/dev/+simple/De.-_Mo/".into(), 404),
        ("/alice/dev/+simple/DEMO/".into(), 200),
    ] {
        assert_eq!(
            world.larder.get(&path).send().await.status.as_u16(),
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn headers_from_strangers_shape_no_link() {
    let world = world().await;
    let ask = |name: &'static str, value: &'static str| {
        world
            .larder
            .get("/alice/dev/+api")
            .accept("application/json")
            .header(name, value)
            .send()
    };
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "javascript"),
        ("x-outside-url", "https://evil.example/"),
        ("x-outside-url", "javascript:alert(1)//"),
    ] {
        let answer = ask(name, value).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            answer.json()["result"]["login"],
            "http://larder.example:3141/+login",
            "{name}: {value}"
        );
    }
    let tags = (0..10_000)
        .map(|i| format!("\"{i}\""))
        .collect::<Vec<_>>()
        .join(", ");
    assert_eq!(
        world
            .larder
            .get(&world.file)
            .header("if-none-match", &tags)
            .send()
            .await
            .status,
        StatusCode::OK
    );
    let accept = "application/x;q=0.1,".repeat(1500);
    assert_eq!(
        world
            .larder
            .get("/alice/dev/+simple/demo/")
            .accept(&accept)
            .send()
            .await
            .status,
        StatusCode::OK
    );
    let ranges = format!("bytes={}", "0-0,".repeat(1000));
    assert_eq!(
        world
            .larder
            .get(&world.file)
            .header("range", ranges.trim_end_matches(','))
            .send()
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn other_methods_are_told_which_ones_there_are() {
    let world = world().await;
    for method in ["TRACE", "PROPFIND", "PUSH", "PUT", "DELETE"] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = world
            .refused(
                method.as_str(),
                world
                    .larder
                    .ask(method.clone(), "/alice/dev/+simple/demo/")
                    .send(),
                &[405],
            )
            .await;
        assert_eq!(answer.header("allow"), "GET, HEAD");
    }
}

#[tokio::test]
async fn logins_that_cannot_be_right_are_refused_in_words() {
    let world = world().await;
    let post = |body: Vec<u8>| {
        world
            .larder
            .ask(Method::POST, "/+login")
            .accept("application/json")
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    let huge = json!({"user": "root", "password": "x".repeat(900_000)}).to_string();
    let table: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("a string", b"\"root\"".to_vec(), &[400]),
        ("nothing", Vec::new(), &[400]),
        ("a number", br#"{"user":1,"password":"x"}"#.to_vec(), &[400]),
        (
            "an object",
            br#"{"user":{"a":1},"password":["x"]}"#.to_vec(),
            &[400],
        ),
        (
            "null",
            br#"{"user":"root","password":null}"#.to_vec(),
            &[400],
        ),
        ("a list", b"[]".to_vec(), &[400]),
        (
            "a lone surrogate",
            br#"{"user":"root","password":"\ud800"}"#.to_vec(),
            &[400, 401],
        ),
        ("deep nesting", "[".repeat(100_000).into_bytes(), &[400]),
        ("invalid UTF-8", b"{\"user\":\"\xff\"}".to_vec(), &[400]),
        (
            "UTF-16",
            "{\"user\""
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
            &[400],
        ),
        ("a huge password", huge.into_bytes(), &[401]),
        ("ten megabytes", vec![b' '; 10 << 20], &[413]),
        (
            "a wrong password",
            br#"{"user":"root","password":"wrong"}"#.to_vec(),
            &[401],
        ),
        (
            "an unknown user",
            br#"{"user":"nobody","password":"wrong"}"#.to_vec(),
            &[401],
        ),
        (
            "a user who cannot log in",
            br#"{"user":"app","password":""}"#.to_vec(),
            &[401],
        ),
    ];
    for (what, body, allowed) in table {
        let answer = world.refused(what, post(body), allowed).await;
        assert_eq!(answer.header("content-type"), "application/json", "{what}");
        assert!(!answer.message().is_empty(), "{what}");
    }
    let form = world
        .larder
        .ask(Method::POST, "/+login")
        .header("content-type", "text/plain")
        .body(r#"{"user":"root","password":"root-password"}"#)
        .send();
    world.refused("a foreign site's form", form, &[415]).await;
}

#[tokio::test]
async fn tokens_are_bound_to_user_and_password() {
    let world = world().await;
    let login = async |user: &str, password: &str| {
        let body = json!({"user": user, "password": password});
        let answer = world.larder.ask(Method::POST, "/+login").json(&body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()["result"]["password"]
            .as_str()
            .expect("a token")
            .to_owned()
    };
    let status = async |user: &str, token: &str| {
        let answer = world
            .larder
            .get("/+api")
            .by(user, token)
            .accept("application/json")
            .send()
            .await;
        answer.json()["result"]["authstatus"][0]
            .as_str()
            .expect("a word")
            .to_owned()
    };
    let bobs = login("bob", "bob").await;
    assert_eq!(status("bob", &bobs).await, "ok");
    assert_eq!(status("__token__", &bobs).await, "ok", "A-05");
    assert_eq!(status("alice", &bobs).await, "noauth", "C18");
    assert_eq!(status("bob", &format!("{bobs}x")).await, "noauth");
    let change = world
        .larder
        .ask(Method::PATCH, "/bob")
        .by("bob", &bobs)
        .json(&json!({"password": "new"}))
        .await;
    assert_eq!(change.json()["type"], "userpassword");
    let fresh = change.json()["result"]["password"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(status("bob", &bobs).await, "noauth", "C22");
    assert_eq!(status("bob", &fresh).await, "ok");
    world
        .larder
        .ask(Method::DELETE, "/bob")
        .by("root", ROOT)
        .send()
        .await;
    assert_eq!(status("bob", &fresh).await, "noauth", "C23");
    world.larder.user("bob").await;
    assert_eq!(status("bob", &fresh).await, "noauth", "C24");
    world.larder.clock.advance(Duration::from_secs(36_001));
    let old = login("alice", "alice").await;
    world.larder.clock.advance(Duration::from_secs(36_001));
    assert_eq!(status("alice", &old).await, "noauth", "expired");
}

#[tokio::test]
async fn wrong_credentials_are_ignored_where_all_may_read_and_refused_elsewhere() {
    let world = world().await;
    let page = world
        .larder
        .get("/alice/dev/+simple/demo/")
        .by("alice", "wrong")
        .send()
        .await;
    assert_eq!(page.status, StatusCode::OK, "A-06");
    for auth in ["!!!notbase64", "YWxpY2U6d3Jvbmc="] {
        let change = world
            .larder
            .ask(Method::PATCH, "/alice")
            .header("x-devpi-auth", auth)
            .json_owned(json!({"title": "x"}));
        world.refused(auth, change, &[401]).await;
    }
}

#[tokio::test]
async fn users_that_cannot_be_are_refused() {
    let world = world().await;
    let put = |path: &str, body: Value| {
        let path = path.to_owned();
        let larder = &world.larder;
        async move {
            larder
                .ask(Method::PUT, &path)
                .by("root", ROOT)
                .json(&body)
                .await
        }
    };
    let password = || json!({"password": "x"});
    let long = format!("/{}", "u".repeat(300));
    for path in [
        "/%2e",
        "/%2e%2e",
        "/+admin",
        "/%00",
        long.as_str(),
        "/r%D0%BE%D0%BEt",
        "/%20root",
        "/%F0%9F%92%A9",
        "/a%2fb",
        "/a%20b",
    ] {
        world
            .refused(path, put(path, password()), &[400, 404])
            .await;
    }
    for (what, body) in [
        ("no password", json!({})),
        ("an empty password", json!({"password": ""})),
        (
            "indexes",
            json!({"password": "x", "indexes": {"dev": {"type": "stage"}}}),
        ),
        ("another name", json!({"password": "x", "username": "root"})),
        (
            "a hash",
            json!({"password": "x", "pwhash": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"}),
        ),
        ("a number as password", json!({"password": 5})),
        ("a list", json!([1, 2])),
    ] {
        world.refused(what, put("/dan", body), &[400]).await;
    }
    world
        .refused("an existing user", put("/alice", password()), &[409])
        .await;
    let many: serde_json::Map<String, Value> =
        (0..10_000).map(|i| (format!("k{i}"), json!(1))).collect();
    world
        .refused(
            "ten thousand keys",
            put("/dan", Value::Object(many)),
            &[400, 413],
        )
        .await;
    for path in ["/CON", "/-rf", "/__init__"] {
        assert_eq!(
            put(path, password()).await.status,
            StatusCode::CREATED,
            "{path}"
        );
    }
    let patch = |path: &'static str, user: &'static str, secret: &'static str, body: Value| {
        world
            .larder
            .ask(Method::PATCH, path)
            .by(user, secret)
            .json_owned(body)
    };
    world
        .refused(
            "alice changes root",
            patch("/root", "alice", "alice", json!({"email": "x"})),
            &[403],
        )
        .await;
    world
        .refused(
            "a list",
            patch("/alice", "alice", "alice", json!([1, 2])),
            &[400],
        )
        .await;
    world
        .refused(
            "deleting root",
            world
                .larder
                .ask(Method::DELETE, "/root")
                .by("root", ROOT)
                .send(),
            &[403],
        )
        .await;
    let alice = world
        .larder
        .ask(Method::DELETE, "/alice")
        .by("alice", "alice")
        .send();
    world
        .refused("a user with a fixed index", alice, &[403])
        .await;
    assert_eq!(
        world.larder.page("alice/dev", "demo").await.status,
        StatusCode::OK,
        "nothing of hers is gone"
    );
}

#[tokio::test]
async fn a_planted_hash_does_not_change_a_login() {
    let world = world().await;
    let body =
        json!({"pwhash": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "password_hash": "x"});
    let answer = world
        .larder
        .ask(Method::PATCH, "/alice")
        .by("alice", "alice")
        .json(&body)
        .await;
    assert!(
        matches!(answer.status.as_u16(), 200 | 400),
        "D24: {answer:?}"
    );
    let login = world
        .larder
        .ask(Method::POST, "/+login")
        .json(&json!({"user": "alice", "password": "alice"}))
        .await;
    assert_eq!(login.status, StatusCode::OK);
}

#[tokio::test]
async fn listings_show_no_secret() {
    let world = world().await;
    world
        .larder
        .ask(Method::PATCH, "/alice")
        .by("alice", "alice")
        .json(&json!({"email": "alice@example.com"}))
        .await;
    let mirror = json!({"type": "mirror", "mirror_url": "http://user:hunter2@127.0.0.1:1/simple/"});
    let created = world
        .larder
        .ask(Method::PUT, "/root/m")
        .by("root", ROOT)
        .json(&mirror)
        .await;
    assert_eq!(created.status, StatusCode::OK, "{created:?}");
    for path in ["/", "/root", "/root/m", "/root/m?no_projects=", "/alice"] {
        let text = world
            .larder
            .get(path)
            .accept("application/json")
            .send()
            .await
            .text();
        for secret in ["hunter2", "alice@example.com", "argon2"] {
            assert!(!text.contains(secret), "{path} shows {secret}");
        }
    }
    let own = world
        .larder
        .get("/alice")
        .accept("application/json")
        .by("alice", "alice")
        .send()
        .await;
    assert_eq!(own.json()["result"]["email"], "alice@example.com");
}

#[tokio::test]
async fn index_configurations_that_cannot_be_are_refused() {
    let world = world().await;
    let put = |path: &str, body: Value| {
        let path = path.to_owned();
        let larder = &world.larder;
        async move {
            larder
                .ask(Method::PUT, &path)
                .by("alice", "alice")
                .json(&body)
                .await
        }
    };
    let many_bases: Vec<String> = (0..10_000).map(|i| format!("a/b{i}")).collect();
    for body in [
        json!({"bases": ["alice/new"]}),
        json!({"bases": ["no/such"]}),
        json!({"bases": {"a": 1}}),
        json!({"bases": [["root/pypi"]]}),
        json!({"bases": ["a/b/c"]}),
        json!({"bases": ["x"]}),
        json!({"bases": many_bases}),
        json!({"type": "evil"}),
        json!({"volatile": "maybe"}),
        json!({"volatile": 1}),
        json!({"acl_upload": {"bob": true}}),
        json!({"frobnicate": 1}),
        json!({"_keep_unknown": true}),
        json!({"self": 1}),
        json!({"user": "bob"}),
        json!({"mirror_whitelist_inheritance": "both"}),
        json!({"volatile": null}),
        json!([]),
        json!("x"),
        json!(null),
    ] {
        let shown: String = body.to_string().chars().take(60).collect();
        world.refused(&shown, put("/alice/new", body), &[400]).await;
    }
    for path in [
        "/alice/%2e%2e",
        "/alice/a%20b",
        "/alice/a%2fb",
        "/alice/d%D0%B5v",
    ] {
        world.refused(path, put(path, json!({})), &[400, 404]).await;
    }
    world
        .refused(
            "a long name",
            put(&format!("/alice/{}", "i".repeat(300)), json!({})),
            &[400],
        )
        .await;
    world
        .refused("an existing index", put("/alice/dev", json!({})), &[409])
        .await;
    world
        .refused("another's index", put("/bob/x", json!({})), &[403])
        .await;
    world
        .refused("nobody's index", put("/nobody/x", json!({})), &[404])
        .await;
    world
        .refused(
            "twenty megabytes",
            put("/alice/new", json!({"title": "x".repeat(20 << 20)})),
            &[413],
        )
        .await;
    for url in [
        "file:///etc/passwd",
        "http://169.254.169.254/simple/",
        "http://127.0.0.1:1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://[::1]:1/",
        "http://localhost.localdomain@127.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://10.0.0.1/",
        "javascript:alert(1)",
        "gopher://127.0.0.1:6379/_",
        "",
        "http://",
    ] {
        world
            .refused(
                url,
                put("/alice/m", json!({"type": "mirror", "mirror_url": url})),
                &[400],
            )
            .await;
    }
    for body in [
        json!({"mirror_cache_expiry": -1}),
        json!({"mirror_cache_expiry": "abc"}),
        json!({"mirror_web_url_fmt": "{name.__class__}"}),
        json!({"mirror_web_url_fmt": "javascript:alert(1)//{name}"}),
    ] {
        let mut config = json!({"type": "mirror", "mirror_url": "https://example.com/simple/"});
        config
            .as_object_mut()
            .expect("an object")
            .extend(body.as_object().expect("an object").clone());
        world
            .refused(&body.to_string(), put("/alice/m", config), &[400])
            .await;
    }
}

#[tokio::test]
async fn index_changes_that_cannot_be_are_refused() {
    let world = world().await;
    let patch = |user: &'static str, body: Value| {
        world
            .larder
            .ask(Method::PATCH, "/alice/dev")
            .by(user, user)
            .json_owned(body)
    };
    for body in [
        json!({"bases": ["alice/dev"]}),
        json!({"type": "mirror"}),
        json!(["bases-=no/such"]),
        json!(["nokey-=x"]),
        json!(["no operator"]),
        json!(null),
        json!("x"),
        json!([1]),
        json!([{"a": 1}]),
        json!(["volatile=maybe"]),
        json!(["acl_upload-="]),
        json!(["title+=x"]),
    ] {
        world
            .refused(&body.to_string(), patch("alice", body), &[400])
            .await;
    }
    world
        .refused(
            "bob opens the door",
            patch("bob", json!({"acl_upload": ["bob"]})),
            &[403],
        )
        .await;
    world
        .refused(
            "bob moves the guard",
            patch("bob", json!({"mirror_whitelist": ["*"]})),
            &[403],
        )
        .await;
    let fixed = world
        .larder
        .ask(Method::DELETE, "/alice/prod")
        .by("alice", "alice")
        .send();
    world.refused("a fixed index", fixed, &[403]).await;
    let good = patch("alice", json!({"acl_upload": [":anonymous:"]})).await;
    assert_eq!(
        good.json()["result"]["acl_upload"],
        json!([":ANONYMOUS:"]),
        "E15"
    );
}

#[tokio::test]
async fn removals_that_may_not_be_are_refused() {
    let world = world().await;
    let delete = |path: &'static str, user: &'static str| {
        world
            .larder
            .ask(Method::DELETE, path)
            .by(user, user)
            .accept("application/json")
            .send()
    };
    for (path, user, allowed) in [
        ("/alice/prod/demo/1.0", "alice", 403),
        ("/alice/prod/demo", "alice", 403),
        ("/alice/dev/demo", "bob", 403),
        ("/alice/dev/demo/9.9", "alice", 404),
        ("/alice/dev/nope", "alice", 404),
        ("/alice/dev/+f/aaa/bbbbbbbbbbbbb/x-1.0.zip", "alice", 404),
        ("/alice/dev/+f/../../../x", "alice", 404),
    ] {
        let answer = world.refused(path, delete(path, user), &[allowed]).await;
        assert!(!answer.message().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn deep_bases_cost_one_pass() {
    let larder = TestLarder::start_with(Setup::default()).await;
    let mut base = "root/public".to_owned();
    for level in 0..60 {
        let name = format!("root/l{level}");
        larder.index(&name, &json!({"bases": base})).await;
        base = name;
    }
    larder
        .upload("root/public", &DistBuilder::wheel("demo", "1.0").build())
        .await;
    let started = Instant::now();
    assert_eq!(larder.filenames(&base, "demo").await.len(), 1);
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}
