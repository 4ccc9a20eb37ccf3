//! Indexes that not everybody may read (`acl_read`): nothing of them is seen by
//! anybody else, on no way (reliability: P01-P11).

mod common;

use common::{Answer, Form, ROOT, SIMPLE_JSON, Setup, TestLarder};
use http::{Method, StatusCode};
use larder_testkit::{DistBuilder, FakeIndex};
use serde_json::json;

/// `alice/priv`, which bob may not read, with `secret` 1.0; `alice/front` on top
/// of it, which everybody may read, with `open` 1.0.
async fn larder() -> TestLarder {
    fill(TestLarder::start().await).await
}

async fn fill(larder: TestLarder) -> TestLarder {
    for user in ["alice", "bob", "carol"] {
        larder.user(user).await;
    }
    larder
        .index("alice/priv", &json!({"acl_read": "carol"}))
        .await;
    larder
        .index("alice/front", &json!({"bases": "alice/priv"}))
        .await;
    for (index, project) in [("alice/priv", "secret"), ("alice/front", "open")] {
        let dist = DistBuilder::wheel(project, "1.0").build();
        let form = Form::of(&dist);
        let answer = larder.post_form(index, ("alice", "alice"), &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    larder
}

async fn get(larder: &TestLarder, path: &str, accept: &str, user: Option<&str>) -> Answer {
    let ask = larder.get(path).accept(accept);
    match user {
        Some(user) => ask.by(user, user).send().await,
        None => ask.send().await,
    }
}

async fn secret_file(larder: &TestLarder) -> String {
    let page = get(
        larder,
        "/alice/priv/+simple/secret/",
        SIMPLE_JSON,
        Some("carol"),
    )
    .await;
    let url = page.json()["files"][0]["url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    common::resolve("/alice/priv/+simple/secret/", &url)
}

#[tokio::test]
async fn p01_pages_and_documents_are_for_readers_and_existing_names_look_like_missing_ones() {
    let larder = larder().await;
    let paths = [
        ("/alice/priv/+simple/secret/", SIMPLE_JSON),
        ("/alice/priv/+simple/nothing/", SIMPLE_JSON),
        ("/alice/priv/+simple/", SIMPLE_JSON),
        ("/alice/priv/+simple/", "text/html"),
        ("/alice/priv", "application/json"),
        ("/alice/priv?no_projects=", "application/json"),
        ("/alice/priv/secret", "application/json"),
        ("/alice/priv/nothing", "application/json"),
        ("/alice/priv/secret/1.0", "application/json"),
        ("/alice/priv/secret/9.9", "application/json"),
    ];
    let mut anonymous = Vec::new();
    for (path, accept) in paths {
        let stranger = get(&larder, path, accept, None).await;
        assert_eq!(
            stranger.status,
            StatusCode::UNAUTHORIZED,
            "{path} {stranger:?}"
        );
        assert_eq!(stranger.header("www-authenticate"), "Basic realm=\"pypi\"");
        assert_eq!(stranger.header("cache-control"), "no-store");
        anonymous.push(stranger.text().replace(['{', '}', '\n', ' '], ""));
        let bob = get(&larder, path, accept, Some("bob")).await;
        assert_eq!(bob.status, StatusCode::FORBIDDEN, "{path} {bob:?}");
        let wrong = larder.get(path).accept(accept).by("carol", "wrong").send();
        assert_eq!(wrong.await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(
        anonymous[0], anonymous[1],
        "a name that exists looks different"
    );
    let guessed = get(&larder, paths[0].0, SIMPLE_JSON, Some("carol")).await;
    assert_eq!(guessed.status, StatusCode::TOO_MANY_REQUESTS, "{guessed:?}");
    larder.clock.advance(std::time::Duration::from_mins(5));
    for user in ["alice", "carol"] {
        let page = get(
            &larder,
            "/alice/priv/+simple/secret/",
            SIMPLE_JSON,
            Some(user),
        )
        .await;
        assert_eq!(page.status, StatusCode::OK, "{user}");
        assert_eq!(page.header("cache-control"), "private, no-store");
    }
    let root = larder
        .get("/alice/priv/secret")
        .accept("application/json")
        .by("root", ROOT)
        .send()
        .await;
    assert_eq!(root.status, StatusCode::OK);
    assert_eq!(root.header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn p02_p03_p04_files_their_metadata_and_sidecars_give_no_oracle() {
    let larder = larder().await;
    let file = secret_file(&larder).await;
    let digest = {
        let answer = get(&larder, &file, "*/*", Some("carol")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            answer.header("cache-control"),
            "max-age=365000000, immutable, private"
        );
        answer.header("etag").to_owned()
    };
    for (method, header, value) in [
        (Method::GET, "accept", "*/*"),
        (Method::HEAD, "accept", "*/*"),
        (Method::GET, "range", "bytes=0-3"),
        (Method::GET, "if-none-match", digest.as_str()),
        (Method::GET, "accept", "application/json"),
    ] {
        for path in [
            file.clone(),
            format!("{file}.metadata"),
            "/alice/priv/+f/aaa/bbb/no-1.0.zip".to_owned(),
        ] {
            let ask = larder.ask(method.clone(), &path).header(header, value);
            let answer = ask.send().await;
            assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "{method} {header} {path}"
            );
            assert_eq!(answer.header("etag"), "");
        }
    }
    let sidecar = get(&larder, &format!("{file}.metadata"), "*/*", Some("carol")).await;
    assert_eq!(sidecar.status, StatusCode::OK);
    assert!(sidecar.header("cache-control").ends_with("private"));
}

#[tokio::test]
async fn p05_an_index_shows_through_another_only_to_its_readers() {
    let larder = larder().await;
    for (user, secret, open) in [
        (None, 404, 200),
        (Some("bob"), 404, 200),
        (Some("carol"), 200, 200),
        (Some("alice"), 200, 200),
    ] {
        for (project, expected) in [("secret", secret), ("open", open)] {
            let page = get(
                &larder,
                &format!("/alice/front/+simple/{project}/"),
                SIMPLE_JSON,
                user,
            )
            .await;
            assert_eq!(page.status.as_u16(), expected, "{project} {user:?}");
            let json = get(
                &larder,
                &format!("/alice/front/{project}"),
                "application/json",
                user,
            )
            .await;
            assert_eq!(json.status.as_u16(), expected, "{project} {user:?}");
        }
        let list = get(&larder, "/alice/front/+simple/", SIMPLE_JSON, user).await;
        assert_eq!(list.text().contains("secret"), secret == 200, "{user:?}");
        assert_eq!(list.header("cache-control"), "private, no-store");
    }
}

#[tokio::test]
async fn p05_what_may_not_be_read_cannot_become_a_base() {
    let larder = larder().await;
    let put = |user: &'static str| {
        let ask = larder
            .ask(Method::PUT, &format!("/{user}/mine"))
            .by(user, user);
        ask.json_owned(json!({"bases": "alice/priv"}))
    };
    let bob = put("bob").await;
    assert_eq!(bob.status, StatusCode::BAD_REQUEST, "{bob:?}");
    assert_eq!(bob.message(), "base index 'alice/priv' does not exist");
    assert_eq!(put("carol").await.status, StatusCode::OK);
    // The right goes with the caller, not with the index in between.
    let path = "/carol/mine/+simple/secret/";
    for (user, expected) in [("carol", 200), ("bob", 404)] {
        let page = get(&larder, path, SIMPLE_JSON, Some(user)).await;
        assert_eq!(page.status.as_u16(), expected, "{user}");
    }
}

#[tokio::test]
async fn p06_listings_do_not_name_what_the_caller_may_not_read() {
    let larder = larder().await;
    for path in ["/", "/alice"] {
        for (user, seen) in [
            (None, false),
            (Some("bob"), false),
            (Some("carol"), true),
            (Some("alice"), true),
        ] {
            let list = get(&larder, path, "application/json", user).await;
            assert_eq!(list.status, StatusCode::OK);
            assert_eq!(list.text().contains("priv"), seen, "{path} {user:?}");
        }
    }
}

#[tokio::test]
async fn p06_a_base_is_named_to_its_readers_and_to_who_may_change_the_index() {
    let larder = larder().await;
    for (user, seen) in [(None, false), (Some("bob"), false), (Some("carol"), true)] {
        let view = get(&larder, "/alice/front", "application/json", user).await;
        assert_eq!(view.text().contains("alice/priv"), seen, "{user:?}");
    }
    let changed = larder
        .ask(Method::PATCH, "/alice/front")
        .by("alice", "alice");
    let changed = changed.json(&json!({"title": "t"})).await;
    assert_eq!(changed.json()["result"]["bases"], json!(["alice/priv"]));
}

#[tokio::test]
async fn p08_a_hash_gives_no_access_through_another_index() {
    let larder = larder().await;
    larder.index("bob/dev", &json!({"acl_upload": "bob"})).await;
    let file = secret_file(&larder).await;
    let elsewhere = file.replace("/alice/priv/", "/bob/dev/");
    let answer = get(&larder, &elsewhere, "*/*", Some("bob")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn p11_a_right_that_is_taken_away_is_gone_with_the_next_request() {
    let larder = larder().await;
    let (page, file) = ("/alice/front/+simple/secret/", secret_file(&larder).await);
    for path in [page, file.as_str()] {
        let answer = get(&larder, path, SIMPLE_JSON, Some("carol")).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let changed = larder
        .ask(Method::PATCH, "/alice/priv")
        .by("alice", "alice")
        .json(&json!(["acl_read-=carol"]))
        .await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    assert_eq!(changed.json()["result"]["acl_read"], json!([]));
    let answer = get(&larder, page, SIMPLE_JSON, Some("carol")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let answer = get(&larder, &file, "*/*", Some("carol")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_hidden_name_is_not_answered_by_a_mirror_either() {
    let upstream = FakeIndex::start().await;
    for project in ["secret", "public"] {
        upstream.add(&DistBuilder::wheel(project, "9.0").build());
    }
    let larder = fill(
        TestLarder::start_with(Setup {
            upstream: Some(&upstream),
            ..Setup::default()
        })
        .await,
    )
    .await;
    let changed = larder
        .ask(Method::PATCH, "/alice/front")
        .by("alice", "alice")
        .json(&json!({"bases": ["alice/priv", "root/pypi"]}))
        .await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    let page = get(&larder, "/alice/front/+simple/public/", SIMPLE_JSON, None).await;
    assert_eq!(page.status, StatusCode::OK);
    let page = get(&larder, "/alice/front/+simple/secret/", SIMPLE_JSON, None).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(
        upstream.hits(&upstream.page_path("secret")),
        0,
        "the private name went out"
    );
    let path = "/alice/front/+simple/secret/";
    let page = get(&larder, path, SIMPLE_JSON, Some("carol")).await;
    let versions = page.json()["versions"].clone();
    assert_eq!(versions, json!(["1.0"]));
}

#[tokio::test]
async fn a_mirror_can_be_private_and_a_private_base_is_not_asked_for_strangers() {
    let upstream = FakeIndex::start().await;
    upstream.add(&DistBuilder::wheel("beta", "1.0").build());
    let larder = TestLarder::mirroring(&upstream).await;
    larder.user("carol").await;
    let changed = larder
        .ask(Method::PATCH, "/root/pypi")
        .by("root", ROOT)
        .json(&json!({"acl_read": [":AUTHENTICATED:"]}))
        .await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    let path = "/root/public/+simple/beta/";
    assert_eq!(
        get(&larder, path, SIMPLE_JSON, None).await.status,
        StatusCode::NOT_FOUND
    );
    let refresh = larder.ask(Method::POST, "/root/public/+simple/beta/refresh");
    assert_eq!(refresh.send().await.status, StatusCode::FOUND);
    assert_eq!(upstream.hits(&upstream.page_path("beta")), 0);
    let page = get(&larder, path, SIMPLE_JSON, Some("carol")).await;
    assert_eq!(page.status, StatusCode::OK);
    let refresh = larder.ask(Method::POST, "/root/pypi/+simple/beta/refresh");
    assert_eq!(refresh.send().await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn clients_learn_where_to_log_in_from_a_private_index() {
    let larder = larder().await;
    let api = get(&larder, "/alice/priv/+api", "application/json", None).await;
    assert_eq!(api.status, StatusCode::OK);
    assert_eq!(
        api.json()["result"]["pypisubmit"],
        "http://larder.example:3141/alice/priv/"
    );
}

#[tokio::test]
async fn devpi_client_is_told_to_log_in_by_the_status_that_it_knows() {
    let larder = larder().await;
    let read = |user: Option<&'static str>, secret: &'static str| {
        let ask = larder
            .get("/alice/priv?no_projects=")
            .accept("application/json")
            .header("user-agent", "devpi-client/7.3.0 (py3.11.7; linux)");
        match user {
            Some(user) => ask.by(user, secret).send(),
            None => ask.send(),
        }
    };
    let stranger = read(None, "").await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    assert_eq!(stranger.header("www-authenticate"), "");
    assert_eq!(
        stranger.message(),
        "index alice/priv is not public: log in first"
    );
    // a login that it has and that is no longer good is another matter
    let wrong = read(Some("carol"), "wrong").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(read(Some("carol"), "carol").await.status, StatusCode::OK);
}
