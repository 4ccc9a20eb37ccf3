//! Where every bad request is made, and what holds after each of them.
//!
//! Users root, alice, bob; `root/pypi` mirrors an upstream; `alice/dev`
//! (volatile, on `root/pypi`), `alice/prod` (not volatile) and `bob/dev`; a
//! wheel and an sdist of demo 1.0 in both of alice's.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use larder_testkit::{DistBuilder, FakeIndex};
use serde_json::{Value, json};

use crate::common::{Answer, Ask, Form, ROOT, TestLarder};

/// Far more than any refusal takes, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(5);

/// Largest text of a refusal: it never repeats a large input.
const MAX_REFUSAL_BYTES: usize = 16 << 10;

/// What no answer may contain.
const LEAKS: [&str; 8] = [
    "/spool", "panicked", "SELECT", "select ", "sqlx", ".rs:", "m=19456", ROOT,
];

pub(crate) struct World {
    pub(crate) larder: TestLarder,
    pub(crate) upstream: FakeIndex,
    /// The path of demo's sdist in `alice/dev`.
    pub(crate) file: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        let upstream = FakeIndex::start().await;
        upstream.add(&DistBuilder::wheel("public", "1.0").build());
        let larder = TestLarder::mirroring(&upstream).await;
        for user in ["alice", "bob"] {
            larder.user(user).await;
        }
        let indexes = [
            (
                "alice/dev",
                json!({"bases": "root/pypi", "acl_toxresult_upload": "root"}),
            ),
            ("alice/prod", json!({"volatile": false})),
            ("bob/dev", json!({})),
        ];
        for (index, config) in &indexes {
            larder.index(index, config).await;
        }
        let dists = [
            DistBuilder::sdist("demo", "1.0").build(),
            DistBuilder::wheel("demo", "1.0").build(),
        ];
        for index in ["alice/dev", "alice/prod"] {
            for dist in &dists {
                let form = Form::of(dist);
                let answer = larder.post_form(index, ("alice", "alice"), &form).await;
                assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            }
        }
        let directory = format!("{}/{}", &dists[0].sha256[..3], &dists[0].sha256[3..16]);
        let file = format!("/alice/dev/+f/{directory}/{}", dists[0].filename);
        assert_eq!(larder.get(&file).send().await.status, StatusCode::OK);
        upstream.forget_hits();
        Self {
            larder,
            upstream,
            file,
        }
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.larder.ask(method, path)
    }

    pub(crate) fn by_alice(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask(method, path).by("alice", "alice")
    }

    pub(crate) fn by_bob(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask(method, path).by("bob", "bob")
    }

    pub(crate) fn by_root(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask(method, path).by("root", ROOT)
    }

    /// Alice's upload to her volatile index.
    pub(crate) fn upload(&self, form: &Form) -> Ask<'_> {
        self.by_alice("POST", "/alice/dev/").with_form(form)
    }

    /// Everything that may not change: the serial, which every change of a
    /// table raises, what root is shown of the tables, and all stored bytes.
    pub(crate) async fn state(&self) -> String {
        let mut state = String::new();
        let paths = [
            "/",
            "/alice/dev",
            "/alice/prod",
            "/alice/dev/demo?ignore_bases",
            "/alice/prod/demo?ignore_bases",
        ];
        for path in paths {
            let answer = self
                .by_root("GET", path)
                .accept("application/json")
                .send()
                .await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
            state.push_str(&answer.text());
        }
        state.push_str(&self.mark().await);
        state
    }

    /// The serial and the stored files: enough to see that something changed.
    pub(crate) async fn mark(&self) -> String {
        let status = self.larder.get("/+status").send().await.json();
        let mut mark = status["result"]["serial"].to_string();
        list_files(self.larder.folder(), &mut mark);
        mark
    }

    /// Asks, and checks what holds after every bad request.
    pub(crate) async fn refused(&self, what: &str, ask: Ask<'_>, allowed: &[u16]) -> Answer {
        let (before, hits) = (self.state().await, self.upstream.all_hits());
        let answer = self.answer(what, ask).await;
        let status = answer.status.as_u16();
        assert!(allowed.contains(&status), "{what}: {answer:?}");
        assert!(answer.status.is_client_error(), "{what}: {answer:?}");
        assert_eq!(self.state().await, before, "{what} changed something");
        assert_eq!(self.upstream.all_hits(), hits, "{what} asked the upstream");
        answer
    }

    /// Asks, and checks what holds for every answer whatsoever.
    pub(crate) async fn answer(&self, what: &str, ask: Ask<'_>) -> Answer {
        let started = Instant::now();
        let answer = Box::pin(ask.send()).await;
        let took = started.elapsed();
        assert!(took < LIMIT, "{what} took {took:?}");
        assert!(!answer.status.is_server_error(), "{what}: {answer:?}");
        assert_eq!(self.larder.spools(), 0, "{what} left a spool");
        let text = answer.text();
        let folder = self.larder.folder().to_string_lossy();
        for leak in LEAKS.into_iter().chain([&*folder]) {
            assert!(!text.contains(leak), "{what} leaks {leak}: {text}");
        }
        if answer.status.is_client_error() {
            says_why(what, &answer);
        }
        if let Some(location) = answer.headers.get("location") {
            let location = location.to_str().expect("ASCII");
            let ours = location.starts_with("http://larder.example:3141/");
            assert!(ours, "{what} leads to {location}");
        }
        answer
    }
}

/// A sentence in the form the client reads, never kept by a cache.
fn says_why(what: &str, answer: &Answer) {
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    if answer.method == Method::HEAD || answer.header("content-range").starts_with("bytes */") {
        assert!(answer.body.is_empty(), "{what}: {answer:?}");
        return;
    }
    assert!(answer.body.len() < MAX_REFUSAL_BYTES, "{what}: {answer:?}");
    let kind = answer.header("content-type");
    if answer.accept.contains("application/json") {
        assert_eq!(kind, "application/json", "{what}");
        let sentence = answer.json()["message"].as_str().map(str::to_owned);
        assert!(sentence.is_some_and(|text| !text.is_empty()), "{what}");
    } else if answer.accept.starts_with("text/html") {
        assert_eq!(kind, "text/html; charset=utf-8", "{what}");
        assert!(!answer.text().contains("<script"), "{what}: {answer:?}");
    } else {
        assert_eq!(kind, "text/plain; charset=utf-8", "{what}");
        assert!(!answer.text().trim().is_empty(), "{what}");
    }
    match answer.status {
        StatusCode::METHOD_NOT_ALLOWED => assert_ne!(answer.header("allow"), "", "{what}"),
        StatusCode::NOT_ACCEPTABLE => assert!(answer.header("vary").contains("Accept"), "{what}"),
        _ => {}
    }
}

/// Names and sizes of everything stored but the database's own files.
fn list_files(folder: &Path, list: &mut String) {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path.to_string_lossy();
        if path.is_dir() {
            list_files(&path, list);
        } else if !name.contains("larder.sqlite") {
            let size = path.metadata().map_or(0, |metadata| metadata.len());
            let _ = write!(list, "\n{name} {size}");
        }
    }
}

/// The names of the values of a JSON object, for messages of tests.
pub(crate) fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.chars().take(70).collect()
}

/// A JSON object with one more key.
pub(crate) fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}
