//! Pushing a release from one index of the server to another (devpi: 5.1).

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Answer, Form, ROOT, TestLarder};
use futures_util::future::join_all;
use http::{Method, StatusCode};
use larder_pypi::Hashes;
use larder_store::{FileRole, NewFile, Tx};
use larder_testkit::{Dist, DistBuilder};
use serde_json::{Value, json};

/// alice has a volatile and a fixed index, bob one that is only his.
async fn larder() -> TestLarder {
    let larder = TestLarder::start().await;
    for user in ["alice", "bob"] {
        larder.user(user).await;
    }
    let alice = json!({"acl_upload": ["alice"]});
    larder.index("alice/dev", &alice).await;
    larder.index("alice/open", &alice).await;
    let fixed = json!({"acl_upload": ["alice"], "volatile": false});
    larder.index("alice/prod", &fixed).await;
    larder
        .index("bob/dev", &json!({"acl_upload": ["bob"]}))
        .await;
    larder
}

fn wheel() -> Dist {
    DistBuilder::wheel("demo", "1.0")
        .requires_python(">=3.9")
        .summary("A demo")
        .build()
}

fn sdist() -> Dist {
    DistBuilder::sdist("demo", "1.0").build()
}

async fn upload(larder: &TestLarder, dist: &Dist) {
    let answer = larder
        .post_form("alice/dev", ("alice", "alice"), &Form::of(dist))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

async fn push_by(larder: &TestLarder, user: &str, source: &str, body: &Value) -> Answer {
    let method = Method::from_bytes(b"PUSH").expect("a method");
    let password = if user == "root" { ROOT } else { user };
    larder
        .ask(method, &format!("/{source}"))
        .by(user, password)
        .json(body)
        .await
}

async fn push(larder: &TestLarder, target: &str) -> Answer {
    let body = json!({"name": "demo", "version": "1.0", "targetindex": target});
    push_by(larder, "alice", "alice/dev", &body).await
}

/// Where a file with this content lies.
fn path(index: &str, dist: &Dist) -> String {
    let hex = &dist.sha256;
    format!("{index}/+f/{}/{}/{}", &hex[..3], &hex[3..16], dist.filename)
}

/// The release as devpi-client sees it.
async fn release(larder: &TestLarder, index: &str) -> Value {
    let answer = larder
        .get(&format!("/{index}/demo/1.0"))
        .accept("application/json")
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["result"].clone()
}

async fn serial(larder: &TestLarder) -> u64 {
    larder.store.current_serial().await.expect("a serial")
}

/// A test result about a file, or documentation, as another verb would record it.
async fn add_to_release(larder: &TestLarder, about: &Dist, kind: FileRole, name: &str, text: &str) {
    let digest = larder
        .blobs
        .publish_bytes(Bytes::from(text.to_owned()))
        .await;
    let digest = digest.expect("a blob");
    let hex = if kind == FileRole::Toxresult {
        about.sha256.clone()
    } else {
        digest.to_string()
    };
    let mut tx = larder.store.write().await.expect("a writer");
    let file = NewFile {
        index_id: index_id(&mut tx, "alice/dev").await,
        project: about.project.clone(),
        version: about.version.clone(),
        filename: name.to_owned(),
        kind,
        area: larder_store::Area::Hash,
        dir: format!("{}/{}", &hex[..3], &hex[3..16]),
        digest,
        size: text.len() as u64,
        hashes: Hashes::of(digest),
        requires_python: None,
        yanked: None,
        metadata_digest: None,
        uploaded: larder.clock.now(),
        last_modified: None,
        url: None,
        log: vec![json!({"what": "upload", "who": "alice", "dst": "alice/dev"})],
    };
    tx.insert_file(file, larder.clock.now(), None)
        .await
        .expect("a file");
    tx.commit().await.expect("a commit");
}

async fn index_id(tx: &mut Tx, name: &str) -> i64 {
    let row = tx.find_index(&name.parse().expect("a name")).await;
    row.expect("an answer").expect("an index").id
}

/// A wheel with two test results, an sdist, and documentation.
async fn whole_release(larder: &TestLarder) -> (Dist, Dist) {
    let (wheel, sdist) = (wheel(), sdist());
    upload(larder, &wheel).await;
    upload(larder, &sdist).await;
    for number in 0..2 {
        let name = format!("{}.toxresult-20250101000000-{number}", wheel.filename);
        let text = format!("{{\"run\": {number}}}");
        add_to_release(larder, &wheel, FileRole::Toxresult, &name, &text).await;
    }
    add_to_release(larder, &wheel, FileRole::DocZip, "demo-1.0.doc.zip", "docs").await;
    (wheel, sdist)
}

#[tokio::test]
async fn a_push_brings_files_test_results_and_documentation() {
    let larder = larder().await;
    let (wheel, sdist) = whole_release(&larder).await;
    larder.clock.advance(Duration::from_hours(26));
    let answer = push(&larder, "alice/prod").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let stored = path("alice/prod", &wheel);
    let expected = json!({
        "result": [
            [200, "register", "demo", "1.0", "->", "alice/prod"],
            [200, "store_releasefile", stored],
            [200, "store_toxresult", format!("{stored}.toxresult-20261124120000-0")],
            [200, "store_toxresult", format!("{stored}.toxresult-20261124120000-1")],
            [200, "store_releasefile", path("alice/prod", &sdist)],
            [200, "store_doczip", "demo", "1.0", "->", "alice/prod"],
        ],
        "type": "actionlog",
    });
    assert_eq!(answer.json(), expected);
    let links = release(&larder, "alice/prod").await["+links"].clone();
    let rels: Vec<&str> = links
        .as_array()
        .expect("links")
        .iter()
        .map(|link| link["rel"].as_str().expect("a rel"))
        .collect();
    assert_eq!(
        rels,
        [
            "releasefile",
            "toxresult",
            "toxresult",
            "releasefile",
            "doczip"
        ]
    );
    for (number, text) in [(0, "{\"run\": 0}"), (1, "{\"run\": 1}")] {
        let result = format!("/{stored}.toxresult-20261124120000-{number}");
        assert_eq!(larder.get(&result).send().await.text(), text);
    }
}

#[tokio::test]
async fn a_pushed_file_is_the_same_file_with_its_history() {
    let larder = larder().await;
    let wheel = wheel();
    upload(&larder, &wheel).await;
    let before = release(&larder, "alice/dev").await;
    larder.clock.advance(Duration::from_hours(26));
    assert_eq!(push(&larder, "alice/prod").await.status, StatusCode::OK);
    let page = |index: &'static str| {
        let page = larder.page(index, "demo");
        async { page.await.json()["files"][0].clone() }
    };
    let (old, new) = (page("alice/dev").await, page("alice/prod").await);
    assert_eq!(new["upload-time"], "2026-11-23T10:00:00.000000Z");
    for key in [
        "filename",
        "hashes",
        "size",
        "requires-python",
        "core-metadata",
        "upload-time",
    ] {
        assert_eq!(new[key], old[key], "{key}");
    }
    let stored = format!("/{}", path("alice/prod", &wheel));
    let file = larder.get(&stored).send().await;
    assert_eq!(file.body.as_slice(), &wheel.bytes[..]);
    let sidecar = larder.get(&format!("{stored}.metadata")).send().await;
    assert_eq!(sidecar.body.as_slice(), &wheel.metadata[..]);
    let after = release(&larder, "alice/prod").await;
    assert_eq!(after["summary"], "A demo");
    let log = &after["+links"][0]["log"];
    assert_eq!(
        log[0], before["+links"][0]["log"][0],
        "what happened before"
    );
    let pushed = json!({
        "what": "push",
        "who": "alice",
        "when": [2026, 11, 24, 12, 0, 0],
        "src": "alice/dev",
        "dst": "alice/prod",
    });
    assert_eq!(log[1], pushed);
}

#[tokio::test]
async fn documentation_is_left_out_or_pushed_alone() {
    let larder = larder().await;
    let (wheel, _) = whole_release(&larder).await;
    let flagged = |flag: &str, target: &str| {
        let body = json!({"name": "Demo", "version": "1.0", "targetindex": target, flag: true});
        let larder = &larder;
        async move { push_by(larder, "alice", "alice/dev", &body).await.json()["result"].clone() }
    };
    let without = flagged("no_docs", "alice/prod").await;
    assert_eq!(without.as_array().map(Vec::len), Some(5), "{without}");
    assert_eq!(without[1][2], path("alice/prod", &wheel));
    let only = json!([
        [200, "register", "Demo", "1.0", "->", "alice/open"],
        [200, "store_doczip", "Demo", "1.0", "->", "alice/open"],
    ]);
    assert_eq!(flagged("only_docs", "alice/open").await, only);
    let links = release(&larder, "alice/open").await["+links"].clone();
    assert_eq!(links.as_array().map(Vec::len), Some(1));
    assert_eq!(links[0]["rel"], "doczip");
}

#[tokio::test]
async fn json_that_is_posted_is_a_push_and_forms_are_uploads() {
    let larder = larder().await;
    upload(&larder, &wheel()).await;
    let body = json!({"name": "demo", "version": "1.0", "targetindex": "alice/prod"});
    for (slash, expected) in [("", StatusCode::OK), ("/", StatusCode::OK)] {
        let answer = larder
            .ask(Method::POST, &format!("/alice/dev{slash}"))
            .by("alice", "alice")
            .json(&body)
            .await;
        assert_eq!(
            (answer.status, answer.json()["type"].as_str()),
            (expected, Some("actionlog"))
        );
    }
    let push = Method::from_bytes(b"PUSH").expect("a method");
    for (method, kind) in [
        (Method::POST, "text/xml"),
        (push.clone(), "text/plain"),
        (push, ""),
    ] {
        let answer = larder
            .ask(method.clone(), "/alice/dev")
            .by("alice", "alice")
            .header("content-type", kind)
            .body(body.to_string())
            .send()
            .await;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{method} {kind}"
        );
    }
    let anonymous = larder.ask(Method::POST, "/alice/dev").json(&body).await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
}

/// The body of a push to `alice/prod`, with these keys.
fn with(changes: Value) -> Value {
    let mut body = json!({"name": "demo", "version": "1.0", "targetindex": "alice/prod"});
    let (Some(object), Value::Object(changes)) = (body.as_object_mut(), changes) else {
        panic!("objects")
    };
    object.extend(changes);
    body
}

async fn refused(larder: &TestLarder, source: &str, body: Value, status: u16, sentence: &str) {
    let before = serial(larder).await;
    let answer = push_by(larder, "alice", source, &body).await;
    let found = (answer.status.as_u16(), answer.message());
    assert_eq!(found, (status, sentence.to_owned()), "{body}");
    assert_eq!(serial(larder).await, before, "{body}");
}

#[tokio::test]
async fn what_is_not_there_is_said_and_changes_nothing() {
    let larder = larder().await;
    upload(&larder, &wheel()).await;
    let submit = Form {
        file: None,
        ..Form::of(&DistBuilder::wheel("empty", "1").build())
    };
    let submit = submit.set(":action", "submit").without("sha256_digest");
    let answer = larder
        .post_form("alice/dev", ("alice", "alice"), &submit)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    larder
        .index("alice/upper", &json!({"bases": "alice/dev"}))
        .await;
    let dev = "alice/dev";
    let absent =
        |what: &str, stage: &str| format!("there are no files for {what} on stage {stage}");
    let other = with(json!({"version": "9.0"}));
    refused(&larder, dev, other, 400, &absent("demo 9.0", dev)).await;
    let other = with(json!({"name": "other"}));
    refused(&larder, dev, other, 400, &absent("other 1.0", dev)).await;
    // Only the index itself counts.
    let upper = "alice/upper";
    refused(
        &larder,
        upper,
        with(json!({})),
        400,
        &absent("demo 1.0", upper),
    )
    .await;
    let empty = with(json!({"name": "empty", "version": "1"}));
    refused(
        &larder,
        dev,
        empty,
        404,
        "no release/files found for empty 1",
    )
    .await;
    let docs = with(json!({"only_docs": true}));
    refused(
        &larder,
        dev,
        docs,
        404,
        "no release/files found for demo 1.0",
    )
    .await;
    let missing = "The stage alice/nope could not be found.";
    let nowhere = with(json!({"targetindex": "alice/nope"}));
    refused(&larder, dev, nowhere, 404, missing).await;
    refused(&larder, "alice/nope", with(json!({})), 404, missing).await;
    let itself = with(json!({"targetindex": dev}));
    let sentence = "the target alice/dev is the index that is pushed from";
    refused(&larder, dev, itself, 400, sentence).await;
}

/// G01 to G13; the whole table stands beside the reader of the body.
#[tokio::test]
async fn bad_bodies_are_refused_with_a_sentence() {
    let larder = larder().await;
    upload(&larder, &wheel()).await;
    let form = "targetindex not in format user/index";
    for (body, sentence) in [
        (json!({}), "the push has no 'name'"),
        (json!([]), "Bad request: the body must be a JSON object"),
        (with(json!({"targetindex": "x"})), form),
        (with(json!({"targetindex": "a/b/c"})), form),
        (
            with(json!({"targetindex": {"a": 1}})),
            "'targetindex' must be a text",
        ),
        (
            with(json!({"foo": 1, "bar": 1})),
            "unknown additional options: bar, foo",
        ),
        (with(json!({"name": 1})), "'name' must be a text"),
        (
            with(json!({"no_docs": true, "only_docs": true})),
            "can't use 'no_docs' and 'only_docs' together",
        ),
    ] {
        refused(&larder, "alice/dev", body, 400, sentence).await;
    }
}

#[tokio::test]
async fn the_target_decides_who_pushes() {
    let larder = larder().await;
    upload(&larder, &wheel()).await;
    larder
        .index("root/mirror", &json!({"type": "mirror"}))
        .await;
    let before = serial(&larder).await;
    let body = |target: &str| json!({"name": "demo", "version": "1.0", "targetindex": target});
    for (user, target) in [
        ("alice", "bob/dev"),
        ("root", "bob/dev"),
        ("bob", "alice/prod"),
        ("root", "root/mirror"),
    ] {
        let answer = push_by(&larder, user, "alice/dev", &body(target)).await;
        let sentence = format!("user '{user}' cannot upload to '{target}'");
        assert_eq!(
            (answer.status, answer.message()),
            (StatusCode::UNAUTHORIZED, sentence),
            "G05"
        );
        assert_eq!(answer.header("www-authenticate"), "", "devpi: no challenge");
    }
    let method = Method::from_bytes(b"PUSH").expect("a method");
    let anonymous = larder
        .ask(method, "/alice/dev")
        .json(&body("bob/dev"))
        .await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        anonymous.message(),
        "nobody is logged in: cannot upload to 'bob/dev'"
    );
    assert_eq!(anonymous.header("www-authenticate"), "");
    assert_eq!(serial(&larder).await, before);
    let pulled = push_by(&larder, "bob", "alice/dev", &body("bob/dev")).await;
    assert_eq!(
        pulled.status,
        StatusCode::OK,
        "who may upload may pull: {pulled:?}"
    );
}

#[tokio::test]
async fn what_is_there_already_stays_as_it_is() {
    let larder = larder().await;
    whole_release(&larder).await;
    for target in ["alice/prod", "alice/open"] {
        let first = push(&larder, target).await;
        assert_eq!(first.status, StatusCode::OK, "{first:?}");
        let before = serial(&larder).await;
        larder.clock.advance(Duration::from_hours(1));
        let again = push(&larder, target).await;
        assert_eq!(again.status, StatusCode::OK, "{again:?}");
        assert_eq!(again.json(), first.json(), "the same paths");
        assert_eq!(serial(&larder).await, before);
    }
    let name = format!("{}.toxresult-20250101000000-7", sdist().filename);
    add_to_release(&larder, &sdist(), FileRole::Toxresult, &name, "{}").await;
    let more = push(&larder, "alice/prod").await.json()["result"].clone();
    assert_eq!(
        more.as_array().map(Vec::len),
        Some(7),
        "a new test result comes along: {more}"
    );
    let links = release(&larder, "alice/prod").await["+links"].clone();
    assert_eq!(links.as_array().map(Vec::len), Some(6));
}

#[tokio::test]
async fn other_content_is_refused_whole_or_replaces() {
    let larder = larder().await;
    let (wheel, sdist) = (wheel(), sdist());
    upload(&larder, &wheel).await;
    for target in ["alice/prod", "alice/open"] {
        assert_eq!(push(&larder, target).await.status, StatusCode::OK);
    }
    let changed = DistBuilder::wheel("demo", "1.0").summary("Changed").build();
    assert_eq!(changed.filename, wheel.filename);
    upload(&larder, &sdist).await;
    upload(&larder, &changed).await;
    let before = serial(&larder).await;
    let refused = push(&larder, "alice/prod").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let sentence = format!("{} already exists in non-volatile index", wheel.filename);
    assert!(
        refused.message().starts_with(&sentence),
        "{}",
        refused.message()
    );
    assert_eq!(
        serial(&larder).await,
        before,
        "neither the sdist nor the metadata came"
    );
    assert_eq!(release(&larder, "alice/prod").await["summary"], "A demo");
    assert_eq!(
        larder.filenames("alice/prod", "demo").await,
        std::slice::from_ref(&wheel.filename)
    );

    let replaced = push(&larder, "alice/open").await;
    assert_eq!(replaced.status, StatusCode::OK, "{replaced:?}");
    let after = release(&larder, "alice/open").await;
    assert_eq!(after["summary"], "Changed");
    assert_eq!(larder.filenames("alice/open", "demo").await.len(), 2);
    let old = larder
        .get(&format!("/{}", path("alice/open", &wheel)))
        .send()
        .await;
    assert_eq!(old.status, StatusCode::GONE);
    let links = after["+links"].as_array().expect("links").clone();
    let link = links
        .iter()
        .find(|link| link["hash_spec"] == format!("sha256={}", changed.sha256));
    let log = link.expect("the new file")["log"].clone();
    let whats: Vec<&str> = log
        .as_array()
        .expect("a log")
        .iter()
        .filter_map(|entry| entry["what"].as_str())
        .collect();
    assert_eq!(
        whats,
        ["overwrite", "upload", "push"],
        "the source's overwrite stays there"
    );
}

#[tokio::test]
async fn a_name_deleted_from_a_fixed_index_is_not_pushed_to_it_again() {
    let larder = larder().await;
    upload(&larder, &wheel()).await;
    for (target, expected) in [
        ("alice/open", StatusCode::OK),
        ("alice/prod", StatusCode::CONFLICT),
    ] {
        assert_eq!(push(&larder, target).await.status, StatusCode::OK);
        let removed = larder
            .ask(Method::DELETE, &format!("/{target}/demo/1.0?force"))
            .by("alice", "alice")
            .send()
            .await;
        assert_eq!(removed.status, StatusCode::OK, "{removed:?}");
        assert_eq!(push(&larder, target).await.status, expected, "{target}");
    }
}

#[tokio::test]
async fn a_release_has_one_spelling_on_its_target() {
    let larder = larder().await;
    upload(&larder, &wheel()).await;
    let other = DistBuilder::sdist("demo", "1.0.0").build();
    let answer = larder
        .post_form("alice/prod", ("alice", "alice"), &Form::of(&other))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let body = json!({"name": "demo", "version": "1.0.0", "targetindex": "alice/prod"});
    let answer = push_by(&larder, "alice", "alice/dev", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let listed = larder
        .get("/alice/prod/demo")
        .accept("application/json")
        .send()
        .await
        .json();
    let versions = listed["result"].as_object().expect("versions");
    assert_eq!(versions.keys().collect::<Vec<_>>(), ["1.0.0"], "M-06");
    assert_eq!(larder.filenames("alice/prod", "demo").await.len(), 2);
}

#[tokio::test]
async fn of_pushes_at_once_each_is_whole_and_none_is_lost() {
    let larder = larder().await;
    whole_release(&larder).await;
    let targets = ["alice/prod", "alice/open"];
    let pushes = (0..8).map(|number| push(&larder, targets[number % 2]));
    for answer in join_all(pushes).await {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.json()["result"].as_array().map(Vec::len), Some(6));
    }
    for target in targets {
        let links = release(&larder, target).await["+links"].clone();
        assert_eq!(links.as_array().map(Vec::len), Some(5), "{target}: {links}");
    }
}

#[tokio::test]
async fn a_push_beside_a_deletion_is_whole_or_not_there() {
    for round in 0..4 {
        let larder = larder().await;
        whole_release(&larder).await;
        let remove = larder
            .ask(Method::DELETE, "/alice/dev/demo")
            .by("alice", "alice")
            .send();
        let (pushed, removed) = if round % 2 == 0 {
            tokio::join!(push(&larder, "alice/prod"), remove)
        } else {
            let (removed, pushed) = tokio::join!(remove, push(&larder, "alice/prod"));
            (pushed, removed)
        };
        assert_eq!(removed.status, StatusCode::OK, "{removed:?}");
        let page = larder.page("alice/prod", "demo").await;
        if pushed.status == StatusCode::OK {
            let links = release(&larder, "alice/prod").await["+links"].clone();
            assert_eq!(links.as_array().map(Vec::len), Some(5), "{links}");
        } else {
            assert_eq!(pushed.status, StatusCode::BAD_REQUEST, "{pushed:?}");
            assert_eq!(page.status, StatusCode::NOT_FOUND);
        }
    }
}

#[tokio::test]
async fn of_a_push_and_an_upload_of_one_name_exactly_one_wins() {
    for round in 0..4 {
        let larder = larder().await;
        upload(&larder, &wheel()).await;
        let other = Form::of(&DistBuilder::wheel("demo", "1.0").file("x.py", b"").build());
        let uploading = larder.post_form("alice/prod", ("alice", "alice"), &other);
        let (pushed, uploaded) = if round % 2 == 0 {
            tokio::join!(push(&larder, "alice/prod"), uploading)
        } else {
            let (uploaded, pushed) = tokio::join!(uploading, push(&larder, "alice/prod"));
            (pushed, uploaded)
        };
        let mut statuses = [pushed.status.as_u16(), uploaded.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{pushed:?} {uploaded:?}");
        assert_eq!(larder.filenames("alice/prod", "demo").await.len(), 1);
    }
}
