//! Uploads: what is taken, what is refused with which words, what is left
//! behind. Forms that cannot be right are in `bad_input`.

mod common;

use common::{Answer, Form, ROOT, TestLarder};
use futures_util::future::join_all;
use http::{Method, StatusCode};
use larder_testkit::{Dist, DistBuilder};
use serde_json::json;

fn wheel() -> Dist {
    DistBuilder::wheel("demo", "1.0")
        .requires_python(">=3.9")
        .build()
}

/// A Larder with a volatile and a non-volatile index that root uploads to.
async fn larder() -> TestLarder {
    let larder = TestLarder::start().await;
    larder
        .index("root/fixed", &json!({"volatile": false}))
        .await;
    larder
}

async fn send(larder: &TestLarder, index: &str, form: &Form) -> Answer {
    larder.post_form(index, ("root", ROOT), form).await
}

/// Nothing of a refused upload is left: no page, no spool.
async fn assert_nothing_stored(larder: &TestLarder, what: &str) {
    assert_eq!(
        larder.page("root/public", "demo").await.status,
        StatusCode::NOT_FOUND,
        "{what}"
    );
    assert_eq!(larder.spools(), 0, "{what}");
}

#[tokio::test]
async fn an_upload_is_listed_with_what_its_metadata_says() {
    let larder = larder().await;
    let dist = wheel();
    // The form knows nothing of requires-python: the artifact is the truth (U-03).
    let answer = send(&larder, "root/public", &Form::of(&dist)).await;
    assert_eq!(
        (answer.status, answer.body.len()),
        (StatusCode::OK, 0),
        "{answer:?}"
    );
    let file = larder.page("root/public", "demo").await.json()["files"][0].clone();
    assert_eq!(file["requires-python"], ">=3.9");
    assert_eq!(file["hashes"]["sha256"], dist.sha256);
    assert_eq!(file["size"], dist.bytes.len());
    assert_eq!(file["upload-time"], "2026-11-23T10:00:00.000000Z");
    let path = larder.file_path("root/public", "demo").await;
    assert_eq!(
        larder.get(&path).send().await.body.as_slice(),
        &dist.bytes[..]
    );
    assert_eq!(
        larder
            .get(&format!("{path}.metadata"))
            .send()
            .await
            .body
            .as_slice(),
        &dist.metadata[..],
        "S-27"
    );
}

#[tokio::test]
async fn fields_come_in_any_order_and_spelling() {
    let larder = larder().await;
    let dist = wheel();
    let first = Form {
        file_first: true,
        ..Form::of(&dist)
    };
    assert_eq!(
        send(&larder, "root/public", &first).await.status,
        StatusCode::OK,
        "distutils sends the file first"
    );
    let sdist = DistBuilder::sdist("Demo.Pkg", "2.0").build();
    let odd = Form::of(&sdist)
        .set("name", "Demo.Pkg")
        .set("license_files", "LICENSE")
        .set("attestations", "[]")
        .set("home_page", "UNKNOWN")
        .set("unheard_of", "x");
    assert_eq!(
        send(&larder, "root/public", &odd).await.status,
        StatusCode::OK,
        "U-04, U-14"
    );
    assert_eq!(larder.filenames("root/public", "demo-pkg").await.len(), 1);
}

#[tokio::test]
async fn both_spellings_of_the_address_take_uploads_without_a_redirect() {
    let larder = larder().await;
    for (path, version) in [("/root/public", "1.0"), ("/root/public/", "1.1")] {
        let form = Form::of(&DistBuilder::wheel("demo", version).build());
        let answer = larder
            .ask(Method::POST, path)
            .by("root", ROOT)
            .form(&form)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    let larder = larder().await;
    let form = Form::of(&wheel());
    for index in ["root/public", "root/fixed"] {
        assert_eq!(send(&larder, index, &form).await.status, StatusCode::OK);
        let before = larder.page(index, "demo").await;
        let again = send(&larder, index, &form).await;
        assert_eq!(again.status, StatusCode::OK, "U-08");
        let after = larder.page(index, "demo").await;
        assert_eq!(
            (after.header("etag"), after.header("x-devpi-serial")),
            (before.header("etag"), before.header("x-devpi-serial"))
        );
    }
}

#[tokio::test]
async fn other_bytes_under_the_same_name_are_refused_or_replace() {
    let larder = larder().await;
    let (old, new) = (
        wheel(),
        DistBuilder::wheel("demo", "1.0")
            .file("demo/more.py", b"1")
            .build(),
    );
    assert_eq!(old.filename, new.filename);
    for index in ["root/public", "root/fixed"] {
        assert_eq!(
            send(&larder, index, &Form::of(&old)).await.status,
            StatusCode::OK
        );
    }
    let old_path = larder.file_path("root/public", "demo").await;
    let refused = send(&larder, "root/fixed", &Form::of(&new)).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let reason = refused.reason.clone().unwrap_or_default();
    assert!(
        reason.starts_with(&format!(
            "{} already exists in non-volatile index",
            old.filename
        )),
        "{reason}"
    );
    assert!(
        refused.text().contains("File already exists"),
        "{}",
        refused.text()
    );
    let replaced = send(&larder, "root/public", &Form::of(&new)).await;
    assert_eq!(replaced.status, StatusCode::OK);
    let page = larder.page("root/public", "demo").await.json();
    assert_eq!(page["files"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["files"][0]["hashes"]["sha256"], new.sha256);
    assert_eq!(
        larder.get(&old_path).send().await.status,
        StatusCode::GONE,
        "devpi: 410 at the old address"
    );
    assert_eq!(
        larder
            .file_path("root/fixed", "demo")
            .await
            .rsplit('/')
            .next(),
        old_path.rsplit('/').next()
    );
}

#[tokio::test]
async fn uv_reads_refusals_as_json_and_twine_in_the_reason() {
    let larder = larder().await;
    send(&larder, "root/fixed", &Form::of(&wheel())).await;
    let form = Form::of(&DistBuilder::wheel("demo", "1.0").file("x.py", b"").build());
    let (kind, body) = form.encode();
    let uv = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7";
    let answer = larder
        .ask(Method::POST, "/root/fixed/")
        .by("root", ROOT)
        .accept(uv)
        .header("content-type", &kind)
        .body(body)
        .send()
        .await;
    assert_eq!(answer.header("content-type"), "application/json");
    let problem = answer.json();
    assert!(
        problem["message"]
            .as_str()
            .is_some_and(|text| text.contains("File already exists")),
        "U-05: {problem}"
    );
    assert!(
        problem["code"]
            .as_str()
            .is_some_and(|code| code.starts_with("409 "))
    );
}

#[tokio::test]
async fn strangers_are_asked_who_they_are_before_their_bytes_are_kept() {
    let larder = larder().await;
    larder.user("bob").await;
    let form = Form::of(&wheel());
    let (kind, body) = form.encode();
    let anonymous = larder
        .ask(Method::POST, "/root/public/")
        .header("content-type", &kind)
        .body(body)
        .send()
        .await;
    assert_eq!(
        (anonymous.status, anonymous.header("www-authenticate")),
        (StatusCode::UNAUTHORIZED, "Basic realm=\"pypi\""),
        "A-01"
    );
    let wrong = larder
        .post_form("root/public", ("root", "wrong"), &form)
        .await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "A-02");
    let bob = larder.post_form("root/public", ("bob", "bob"), &form).await;
    assert_eq!(
        (bob.status, bob.reason.as_deref()),
        (StatusCode::FORBIDDEN, Some("no permission to submit")),
        "A-03"
    );
    assert_nothing_stored(&larder, "strangers").await;
}

#[tokio::test]
async fn uploads_to_mirrors_and_missing_indexes_are_refused_in_devpis_words() {
    let upstream = larder_testkit::FakeIndex::start().await;
    let larder = TestLarder::mirroring(&upstream).await;
    let mirror = send(&larder, "root/pypi", &Form::of(&wheel())).await;
    assert_eq!(
        (mirror.status, mirror.reason.as_deref()),
        (StatusCode::NOT_FOUND, Some("cannot submit to mirror index"))
    );
    let missing = send(&larder, "root/nope", &Form::of(&wheel())).await;
    assert_eq!(
        (missing.status, missing.reason.as_deref()),
        (
            StatusCode::NOT_FOUND,
            Some("The stage root/nope could not be found.")
        )
    );
}

#[tokio::test]
async fn versions_that_are_equal_are_one_release() {
    let larder = larder().await;
    send(
        &larder,
        "root/public",
        &Form::of(&DistBuilder::wheel("demo", "1.0").build()),
    )
    .await;
    let answer = send(
        &larder,
        "root/public",
        &Form::of(&DistBuilder::sdist("demo", "1.0.0").build()),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(
        larder.page("root/public", "demo").await.json()["versions"],
        json!(["1.0"]),
        "M-06"
    );
}

#[tokio::test]
async fn racing_uploads_of_one_release_lose_no_file_and_one_name_has_one_winner() {
    let larder = larder().await;
    let forms: Vec<Form> = (0..8)
        .map(|tag| {
            Form::of(
                &DistBuilder::wheel("demo", "1.0")
                    .tag(&format!("py3-none-win{tag}"))
                    .build(),
            )
        })
        .collect();
    for answer in join_all(forms.iter().map(|form| send(&larder, "root/fixed", form))).await {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    assert_eq!(larder.filenames("root/fixed", "demo").await.len(), 8);
    let rivals: Vec<Form> = (0..8_u8)
        .map(|i| {
            Form::of(
                &DistBuilder::wheel("race", "1.0")
                    .file("race.py", &[i + 48])
                    .build(),
            )
        })
        .collect();
    let answers = join_all(rivals.iter().map(|form| send(&larder, "root/fixed", form))).await;
    let won = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .count();
    let lost = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::CONFLICT)
        .count();
    assert_eq!((won, lost), (1, 7));
}

#[tokio::test]
async fn a_name_deleted_from_a_fixed_index_stays_taken() {
    let larder = larder().await;
    for (index, expected) in [
        ("root/public", StatusCode::OK),
        ("root/fixed", StatusCode::CONFLICT),
    ] {
        send(&larder, index, &Form::of(&wheel())).await;
        let removed = larder
            .ask(Method::DELETE, &format!("/{index}/demo/1.0?force"))
            .by("root", ROOT)
            .send()
            .await;
        assert_eq!(removed.status, StatusCode::OK, "{removed:?}");
        let other = DistBuilder::wheel("demo", "1.0")
            .file("other.py", b"")
            .build();
        assert_eq!(
            send(&larder, index, &Form::of(&other)).await.status,
            expected,
            "{index}"
        );
    }
}

#[tokio::test]
async fn an_upload_over_the_limit_is_refused_with_the_limit() {
    let settings = larder_app::Settings {
        max_body_bytes: 100_000,
        ..common::Setup::default().settings
    };
    let larder = TestLarder::start_with(common::Setup {
        settings,
        ..common::Setup::default()
    })
    .await;
    let big = DistBuilder::wheel("demo", "1.0")
        .ballast("big.bin", 1 << 20)
        .build();
    let answer = send(&larder, "root/public", &Form::of(&big)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().contains("100000"), "{}", answer.text());
    let (kind, body) = Form::of(&big).encode();
    let unannounced = larder
        .ask(Method::POST, "/root/public/")
        .by("root", ROOT)
        .header("content-type", &kind)
        .body(body)
        .send()
        .await;
    assert_eq!(unannounced.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_nothing_stored(&larder, "over the limit").await;
}

#[tokio::test]
async fn posting_to_a_simple_page_says_which_methods_it_answers() {
    let larder = larder().await;
    let answer = larder
        .ask(Method::POST, "/root/public/+simple/")
        .form(&Form::of(&wheel()))
        .await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"),
        "U-10"
    );
}

#[tokio::test]
async fn what_a_later_file_does_not_say_stays_as_it_was() {
    let larder = TestLarder::start().await;
    let wheel = DistBuilder::wheel("demo", "1.0")
        .requires("one")
        .summary("of the wheel")
        .build();
    let sdist = DistBuilder::sdist("demo", "1.0")
        .summary("of the sdist")
        .build();
    for dist in [wheel, sdist] {
        let answer = larder.upload("root/public", &dist).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let view = larder
        .get("/root/public/demo/1.0")
        .accept("application/json")
        .send()
        .await
        .json();
    assert_eq!(view["result"]["requires_dist"], json!(["one"]));
    assert_eq!(view["result"]["summary"], "of the sdist");
}
