//! Simple pages: negotiation, validators, inheritance, freshness, and what
//! remains when the upstream fails.

mod common;

use std::io::Read;
use std::time::Duration;

use common::{Form, ROOT, SIMPLE_JSON, Setup, TestLarder, resolve};
use http::{Method, StatusCode};
use larder_app::Settings;
use larder_testkit::{DistBuilder, FakeIndex, Fault};
use serde_json::json;

/// An upstream with two releases of `demo`, and a Larder that mirrors it.
async fn mirrored() -> (FakeIndex, TestLarder) {
    let upstream = FakeIndex::start().await;
    upstream.add(
        &DistBuilder::wheel("demo", "1.0")
            .requires_python(">=3.9")
            .build(),
    );
    upstream.add(&DistBuilder::sdist("demo", "2.0").build());
    let larder = TestLarder::mirroring(&upstream).await;
    (upstream, larder)
}

#[tokio::test]
async fn the_format_follows_accept_and_the_type_is_exact() {
    let (_upstream, larder) = mirrored().await;
    let page = "/root/pypi/+simple/demo/";
    // (Accept, Content-Type): S-10, S-11
    let table = [
        (
            Some(
                "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
            ),
            SIMPLE_JSON,
        ),
        (
            Some(
                "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",
            ),
            SIMPLE_JSON,
        ),
        (
            Some("application/vnd.pypi.simple.v1+json, */*;q=0.1"),
            SIMPLE_JSON,
        ),
        (Some("application/vnd.pypi.simple.latest+json"), SIMPLE_JSON),
        (Some("APPLICATION/VND.PYPI.SIMPLE.V1+JSON"), SIMPLE_JSON),
        (
            Some("application/vnd.pypi.simple.v1+html"),
            "application/vnd.pypi.simple.v1+html",
        ),
        (
            Some("application/vnd.pypi.simple.v1+json;q=0, text/html"),
            "text/html; charset=utf-8",
        ),
        (
            Some("text/html,application/xhtml+xml,*/*;q=0.8"),
            "text/html; charset=utf-8",
        ),
        (Some("*/*"), "text/html; charset=utf-8"),
        (Some("application/xml"), "text/html; charset=utf-8"),
        (
            Some("application/vnd.pypi.simple.v9+json"),
            "text/html; charset=utf-8",
        ),
        (Some("junk;;;q=x,,"), "text/html; charset=utf-8"),
        (None, "text/html; charset=utf-8"),
    ];
    for (accept, expected) in table {
        let ask = larder.get(page);
        let answer = match accept {
            Some(accept) => ask.accept(accept).send().await,
            None => ask.send().await,
        };
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::OK, expected),
            "{accept:?}"
        );
        assert_eq!(answer.header("vary"), "Accept, Accept-Encoding", "S-12");
    }
    let forced = larder
        .get(&format!(
            "{page}?format=application/vnd.pypi.simple.v1%2Bjson"
        ))
        .accept("text/html")
        .send()
        .await;
    assert_eq!(forced.header("content-type"), SIMPLE_JSON);
    let unknown = larder.get(&format!("{page}?format=text/xml")).send().await;
    assert_eq!(unknown.status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn json_pages_hold_what_installers_need_and_never_null() {
    let (_upstream, larder) = mirrored().await;
    let page = larder.page("root/pypi", "demo").await.json();
    assert_eq!(page["meta"]["api-version"], "1.4", "S-08");
    assert_eq!(page["name"], "demo");
    assert_eq!(page["versions"], json!(["1.0", "2.0"]), "S-20");
    let wheel = &page["files"][0];
    assert_eq!(wheel["filename"], "demo-1.0-py3-none-any.whl");
    assert_eq!(wheel["requires-python"], ">=3.9");
    assert_eq!(
        wheel["upload-time"], "2024-01-02T03:04:05.000006Z",
        "unchanged from the upstream"
    );
    assert!(
        wheel["size"].is_u64() && wheel["hashes"]["sha256"].is_string(),
        "S-14"
    );
    assert!(wheel["core-metadata"]["sha256"].is_string(), "S-27");
    assert!(
        !larder
            .page("root/pypi", "demo")
            .await
            .text()
            .contains("null"),
        "S-14"
    );
}

#[tokio::test]
async fn compressed_pages_are_the_same_pages_with_tags_of_their_own() {
    let (_upstream, larder) = mirrored().await;
    let ask = |coding: &'static str| {
        larder
            .get("/root/pypi/+simple/demo/")
            .accept(SIMPLE_JSON)
            .header("accept-encoding", coding)
            .send()
    };
    let (plain, gzip, zstd) = (
        ask("identity").await,
        ask("gzip, deflate").await,
        ask("gzip, deflate, zstd").await,
    );
    assert_eq!(
        (
            gzip.header("content-encoding"),
            zstd.header("content-encoding")
        ),
        ("gzip", "zstd")
    );
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(gzip.body.as_slice())
        .read_to_end(&mut unpacked)
        .expect("gzip");
    assert_eq!(unpacked, plain.body);
    assert_eq!(
        zstd::decode_all(zstd.body.as_slice()).expect("zstd"),
        plain.body
    );
    let tags = [
        plain.header("etag"),
        gzip.header("etag"),
        zstd.header("etag"),
    ];
    assert!(
        tags.iter()
            .all(|tag| tag.starts_with('"') && tag.ends_with('"')),
        "strong: {tags:?}"
    );
    assert!(
        tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2],
        "C-01: {tags:?}"
    );
}

#[tokio::test]
async fn an_unchanged_page_is_a_304_with_the_same_headers() {
    let (_upstream, larder) = mirrored().await;
    let first = larder.page("root/pypi", "demo").await;
    let again = larder
        .get("/root/pypi/+simple/demo/")
        .accept(SIMPLE_JSON)
        .header("if-none-match", first.header("etag"))
        .send()
        .await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert!(again.body.is_empty());
    for name in ["etag", "vary", "cache-control"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let (_upstream, larder) = mirrored().await;
    let get = larder.page("root/pypi", "demo").await;
    let head = larder
        .ask(Method::HEAD, "/root/pypi/+simple/demo/")
        .accept(SIMPLE_JSON)
        .send()
        .await;
    assert_eq!(head.status, StatusCode::OK);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert_eq!(head.header("etag"), get.header("etag"), "S-07");
}

#[tokio::test]
async fn every_spelling_of_a_page_answers_directly_with_links_that_work() {
    let (_upstream, larder) = mirrored().await;
    let canonical = larder.file_path("root/pypi", "demo").await;
    // S-03, S-04
    for path in [
        "/root/pypi/+simple/Demo/",
        "/root/pypi/+simple/demo",
        "/root/pypi/%2Bsimple/DEMO",
        "/root/pypi/demo/",
        "/root/pypi/demo",
    ] {
        let answer = larder
            .get(path)
            .accept(SIMPLE_JSON)
            .header("user-agent", "pip/26.3")
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        let link = answer.json()["files"][0]["url"]
            .as_str()
            .expect("a URL")
            .to_owned();
        assert_eq!(resolve(path, &link), canonical, "{path}");
    }
}

#[tokio::test]
async fn pages_of_a_mirror_may_be_kept_while_fresh_and_own_pages_may_not() {
    let (_upstream, larder) = mirrored().await;
    assert_eq!(
        larder
            .page("root/pypi", "demo")
            .await
            .header("cache-control"),
        "max-age=600, public",
        "C-02"
    );
    larder
        .upload("root/public", &DistBuilder::wheel("mine", "1.0").build())
        .await;
    // root is not on the list of app/dev, but inherits to it
    assert_eq!(
        larder
            .page("root/public", "mine")
            .await
            .header("cache-control"),
        "max-age=0, must-revalidate"
    );
    larder.clock.advance(Duration::from_secs(1795));
    assert_eq!(
        larder
            .page("root/pypi", "demo")
            .await
            .header("cache-control"),
        "max-age=5, public"
    );
}

#[tokio::test]
async fn a_page_hit_asks_neither_upstream_nor_renders_again() {
    let (upstream, larder) = mirrored().await;
    assert_eq!(
        larder
            .page("root/pypi", "demo")
            .await
            .header("x-larder-cache"),
        "miss"
    );
    assert_eq!(
        larder
            .page("root/pypi", "demo")
            .await
            .header("x-larder-cache"),
        "hit"
    );
    assert_eq!(upstream.hits(&upstream.page_path("demo")), 1);
    larder.clock.advance(Duration::from_secs(1801));
    larder.page("root/pypi", "demo").await;
    assert_eq!(
        upstream.hits(&upstream.page_path("demo")),
        2,
        "expired, so it asks"
    );
    let conditional = upstream
        .seen()
        .into_iter()
        .filter(|seen| seen.header("if-none-match").is_some())
        .count();
    assert_eq!(conditional, 1, "with its validator");
}

#[tokio::test]
async fn an_upload_is_on_the_next_page_of_every_heir() {
    let (_upstream, larder) = mirrored().await;
    for version in ["1.0", "1.1", "1.2"] {
        larder.page("app/dev", "mine").await;
        let answer = larder
            .upload("root/public", &DistBuilder::wheel("mine", version).build())
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let names = larder.filenames("app/dev", "mine").await;
        assert!(
            names.contains(&format!("mine-{version}-py3-none-any.whl")),
            "U-09: {names:?}"
        );
    }
}

#[tokio::test]
async fn an_own_name_hides_the_mirrors_unless_it_is_whitelisted() {
    let (_upstream, larder) = mirrored().await;
    larder
        .index("root/closed", &json!({"bases": "root/pypi"}))
        .await;
    let own = DistBuilder::wheel("demo", "9.0").build();
    assert_eq!(
        larder.upload("root/closed", &own).await.status,
        StatusCode::OK
    );
    assert_eq!(
        larder.filenames("root/closed", "demo").await,
        ["demo-9.0-py3-none-any.whl"]
    );
    // root/public whitelists everything
    assert_eq!(
        larder.upload("root/public", &own).await.status,
        StatusCode::OK
    );
    assert_eq!(larder.filenames("root/public", "demo").await.len(), 3);
    let patch = json!(["mirror_whitelist+=demo"]);
    let answer = larder
        .ask(Method::PATCH, "/root/closed")
        .by("root", ROOT)
        .json(&patch)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(
        larder.filenames("root/closed", "demo").await.len(),
        3,
        "at once"
    );
}

#[tokio::test]
async fn a_name_that_is_private_is_never_asked_of_the_upstream() {
    let (upstream, larder) = mirrored().await;
    larder
        .index("root/closed", &json!({"bases": "root/pypi"}))
        .await;
    larder
        .upload(
            "root/closed",
            &DistBuilder::wheel("secret-project", "1.0").build(),
        )
        .await;
    upstream.forget_hits();
    assert_eq!(
        larder
            .filenames("root/closed", "secret-project")
            .await
            .len(),
        1
    );
    assert_eq!(upstream.all_hits(), 0, "L17");
}

#[tokio::test]
async fn a_known_page_outlives_its_upstream() {
    for fault in [
        Fault::Status(500),
        Fault::Status(404),
        Fault::Status(403),
        Fault::BadJson,
        Fault::EmptyBody,
        Fault::CaptivePortal,
        Fault::CutAfter(40),
        Fault::GzipBomb(200 << 20),
        Fault::DeepJson,
        Fault::Hang,
    ] {
        let (upstream, larder) = mirrored().await;
        let good = larder.page("root/pypi", "demo").await;
        upstream.fault(&upstream.page_path("demo"), fault.clone());
        larder.clock.advance(Duration::from_hours(1));
        let stale = larder.page("root/pypi", "demo").await;
        assert_eq!(
            (stale.status, &stale.body),
            (StatusCode::OK, &good.body),
            "{fault:?}"
        );
        upstream.clear_faults();
        larder.clock.advance(Duration::from_hours(1));
        let fresh = larder.page("root/pypi", "demo").await;
        assert_eq!(
            (fresh.status, &fresh.body),
            (StatusCode::OK, &good.body),
            "{fault:?} and then well again"
        );
    }
}

#[tokio::test]
async fn an_unknown_page_of_a_failing_upstream_is_a_gateway_error_never_a_404() {
    for (fault, status) in [
        (Fault::Status(500), StatusCode::BAD_GATEWAY),
        (Fault::Status(401), StatusCode::BAD_GATEWAY),
        (Fault::Reset, StatusCode::BAD_GATEWAY),
        (Fault::BadJson, StatusCode::BAD_GATEWAY),
        (Fault::DeepJson, StatusCode::BAD_GATEWAY),
        (Fault::GzipBomb(200 << 20), StatusCode::BAD_GATEWAY),
        (Fault::EmptyBody, StatusCode::BAD_GATEWAY),
        (Fault::CaptivePortal, StatusCode::BAD_GATEWAY),
        (Fault::CutAfter(40), StatusCode::BAD_GATEWAY),
        (Fault::Hang, StatusCode::GATEWAY_TIMEOUT),
        (Fault::Drip(2), StatusCode::GATEWAY_TIMEOUT),
        (Fault::Status(404), StatusCode::NOT_FOUND),
    ] {
        let (upstream, larder) = mirrored().await;
        upstream.fault(&upstream.page_path("demo"), fault.clone());
        for index in ["root/pypi", "app/dev"] {
            let answer = larder.page(index, "demo").await;
            assert_eq!(answer.status, status, "{fault:?} on {index}: {answer:?}");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
}

#[tokio::test]
async fn own_files_are_served_whatever_the_upstream_does() {
    let (upstream, larder) = mirrored().await;
    larder
        .upload("root/public", &DistBuilder::wheel("demo", "9.0").build())
        .await;
    upstream.fault(&upstream.page_path("demo"), Fault::Status(503));
    assert_eq!(
        larder.filenames("app/dev", "demo").await,
        ["demo-9.0-py3-none-any.whl"],
        "S-44"
    );
}

#[tokio::test]
async fn many_clients_of_a_cold_page_ask_the_upstream_once() {
    let (upstream, larder) = mirrored().await;
    upstream.fault(
        &upstream.page_path("demo"),
        Fault::Delay(Duration::from_millis(200)),
    );
    let pages = (0..50).map(|_| larder.page("app/dev", "demo"));
    for page in futures_util::future::join_all(pages).await {
        assert_eq!(page.status, StatusCode::OK);
    }
    assert_eq!(upstream.hits(&upstream.page_path("demo")), 1);
}

#[tokio::test]
async fn offline_lists_what_is_here_and_asks_nobody() {
    let (upstream, larder) = mirrored().await;
    let file = larder.file_path("root/pypi", "demo").await;
    assert_eq!(larder.get(&file).send().await.status, StatusCode::OK);
    upstream.forget_hits();
    let settings = Settings {
        offline: true,
        ..larder.app.settings().clone()
    };
    let offline = TestLarder::start_with(Setup {
        settings,
        ..Setup::default()
    })
    .await;
    assert_eq!(
        offline.page("root/public", "demo").await.status,
        StatusCode::NOT_FOUND,
        "nothing is here"
    );
    assert_eq!(upstream.all_hits(), 0);
}

#[tokio::test]
async fn html_from_upstreams_and_uploads_is_escaped() {
    let upstream = FakeIndex::start().await;
    let mut entry =
        larder_testkit::FileEntry::new("demo-1.0.tar.gz", bytes::Bytes::from_static(b"x"));
    entry.requires_python = Some(">=3\"><script>alert(1)</script>".to_owned());
    entry.yanked = Some("<img src=x onerror=alert(1)>".to_owned());
    upstream.add_entry("demo", entry);
    let larder = TestLarder::mirroring(&upstream).await;
    let page = larder
        .get("/root/pypi/+simple/demo/")
        .accept("text/html")
        .send()
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        !page.text().contains("<script") && !page.text().contains("<img"),
        "S-23: {}",
        page.text()
    );
}

#[tokio::test]
async fn the_project_list_is_the_union_of_all_layers() {
    let (_upstream, larder) = mirrored().await;
    larder.page("root/pypi", "demo").await;
    larder
        .upload("root/public", &DistBuilder::wheel("mine", "1.0").build())
        .await;
    let list = larder
        .get("/app/dev/+simple/")
        .accept(SIMPLE_JSON)
        .send()
        .await;
    assert_eq!(list.header("content-type"), SIMPLE_JSON);
    assert_eq!(
        list.json()["projects"],
        json!([{"name": "demo"}, {"name": "mine"}])
    );
    let html = larder
        .get("/app/dev/+simple/")
        .accept("text/html")
        .send()
        .await;
    assert!(
        html.text().contains("<a href=\"mine/\">mine</a>"),
        "{}",
        html.text()
    );
}

#[tokio::test]
async fn refresh_asks_the_upstream_again() {
    let (upstream, larder) = mirrored().await;
    larder.page("app/dev", "demo").await;
    upstream.add(&DistBuilder::wheel("demo", "3.0").build());
    assert_eq!(
        larder.filenames("app/dev", "demo").await.len(),
        2,
        "still fresh"
    );
    let answer = larder
        .ask(Method::POST, "/app/dev/+simple/demo/refresh")
        .send()
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (
            StatusCode::FOUND,
            "http://larder.example:3141/app/dev/+simple/demo/"
        )
    );
    assert_eq!(larder.filenames("app/dev", "demo").await.len(), 3);
}

#[tokio::test]
async fn a_registered_release_without_files_is_an_empty_page() {
    let larder = TestLarder::start().await;
    let form = Form {
        fields: vec![
            (":action".into(), "submit".into()),
            ("name".into(), "mine".into()),
            ("version".into(), "0.1".into()),
        ],
        file: None,
        file_first: false,
    };
    assert_eq!(
        larder
            .post_form("root/public", ("root", ROOT), &form)
            .await
            .status,
        StatusCode::OK
    );
    let page = larder.page("root/public", "mine").await.json();
    assert_eq!(
        (&page["files"], &page["versions"]),
        (&json!([]), &json!(["0.1"]))
    );
    assert_eq!(
        larder.page("root/public", "unknown").await.status,
        StatusCode::NOT_FOUND,
        "S-06"
    );
}

#[tokio::test]
async fn a_change_of_rules_while_an_upstream_answers_is_not_undone() {
    let (upstream, larder) = mirrored().await;
    upstream.add(&DistBuilder::wheel("secret", "9.9").build());
    larder
        .index(
            "root/open",
            &json!({"bases": "root/pypi", "mirror_whitelist": "*"}),
        )
        .await;
    let own = DistBuilder::wheel("secret", "1.0").build();
    larder.upload("root/open", &own).await;
    let page = upstream.page_path("secret");
    upstream.fault(&page, Fault::Hang);
    let change = async {
        upstream.until_hits(&page, 1).await;
        let patch = json!({"mirror_whitelist": []});
        let ask = larder.ask(Method::PATCH, "/root/open").by("root", ROOT);
        assert_eq!(ask.json(&patch).await.status, StatusCode::OK);
        upstream.clear_faults();
    };
    let (_, ()) = futures_util::join!(larder.page("root/open", "secret"), change);
    assert_eq!(
        larder.filenames("root/open", "secret").await,
        ["secret-1.0-py3-none-any.whl"]
    );
}

#[tokio::test]
async fn another_upstream_leaves_nothing_of_the_old_one() {
    let (old, larder) = mirrored().await;
    old.set_serial("demo", Some(100));
    assert_eq!(larder.filenames("root/pypi", "demo").await.len(), 2);
    let new = FakeIndex::start().await;
    new.add(&DistBuilder::wheel("demo", "5.0").build());
    new.set_serial("demo", Some(5));
    let patch = json!({"mirror_url": new.url.as_str()});
    let ask = larder.ask(Method::PATCH, "/root/pypi").by("root", ROOT);
    assert_eq!(ask.json(&patch).await.status, StatusCode::OK);
    assert_eq!(
        larder.filenames("root/pypi", "demo").await,
        ["demo-5.0-py3-none-any.whl"]
    );
}

#[tokio::test]
async fn an_upstream_that_forbids_keeping_is_asked_once_by_a_crowd() {
    let (upstream, larder) = mirrored().await;
    upstream.set_max_age(Some(0));
    upstream.fault(
        &upstream.page_path("demo"),
        Fault::Delay(Duration::from_millis(200)),
    );
    let pages = (0..24).map(|_| larder.page("app/dev", "demo"));
    for page in futures_util::future::join_all(pages).await {
        assert_eq!(page.status, StatusCode::OK);
    }
    assert_eq!(upstream.hits(&upstream.page_path("demo")), 1);
}

#[tokio::test]
async fn a_refresh_by_hand_asks_no_upstream_for_a_private_name() {
    let (upstream, larder) = mirrored().await;
    larder
        .index("root/closed", &json!({"bases": "root/pypi"}))
        .await;
    let own = DistBuilder::wheel("secret-project", "1.0").build();
    larder.upload("root/closed", &own).await;
    upstream.forget_hits();
    let path = "/root/closed/+simple/secret-project/refresh";
    let answer = larder.ask(Method::POST, path).send().await;
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(upstream.all_hits(), 0, "L17");
}

#[tokio::test]
async fn links_are_whole_urls_for_who_asks_for_them() {
    let larder = TestLarder::start().await;
    let wheel = DistBuilder::wheel("demo", "1.0").build();
    assert_eq!(
        larder.upload("root/public", &wheel).await.status,
        StatusCode::OK
    );
    let absolute = || {
        larder
            .get("/root/public/+simple/demo/")
            .accept(SIMPLE_JSON)
            .header("x-devpi-absolute-urls", "")
    };
    for _ in 0..2 {
        let page = absolute().send().await;
        let url = page.json()["files"][0]["url"].clone();
        let url = url.as_str().expect("a URL");
        let start = "http://larder.example:3141/root/public/+f/";
        assert!(url.starts_with(start), "{url}");
        let path = url.trim_start_matches("http://larder.example:3141");
        assert_eq!(larder.get(path).send().await.status, StatusCode::OK);
        // The address comes from a header, so such a page is not kept.
        assert_eq!(page.header("x-larder-cache"), "miss");
    }
    let plain = larder.page("root/public", "demo").await;
    let url = plain.json()["files"][0]["url"].clone();
    assert!(
        url.as_str().expect("a URL").starts_with("../../+f/"),
        "{url}"
    );
}

#[tokio::test]
async fn the_operator_may_want_whole_urls_everywhere() {
    let larder = TestLarder::start_with(Setup {
        web: larder_web::WebSettings {
            outside_url: Some("https://example.com/devpi".parse().expect("a URL")),
            absolute_urls: true,
            ..larder_web::WebSettings::default()
        },
        ..Setup::default()
    })
    .await;
    let wheel = DistBuilder::wheel("demo", "1.0").build();
    assert_eq!(
        larder.upload("root/public", &wheel).await.status,
        StatusCode::OK
    );
    let addresses = [
        "/root/public/+simple/demo/",
        "/devpi/root/public/+simple/demo",
    ];
    for (address, cache) in addresses.into_iter().zip(["miss", "hit"]) {
        let page = larder.get(address).accept("text/html").send().await;
        let link = "href=\"https://example.com/devpi/root/public/+f/";
        assert!(page.text().contains(link), "{}", page.text());
        assert_eq!(
            page.header("x-larder-cache"),
            cache,
            "there is one address only"
        );
    }
}
