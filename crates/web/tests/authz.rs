//! The authorisation matrix: every route, every method, every kind of caller.
//! A route without a row fails; so does one that lets more or fewer through.

mod common;

use std::collections::BTreeSet;

use common::{Form, ROOT, TestLarder};
use http::{Method, StatusCode};
use larder_app::{FilePath, Settings};
use larder_model::{Acl, Policy};
use larder_testkit::DistBuilder;
use larder_web::ROUTES;
use serde_json::json;

/// Who asks.
const CALLERS: [&str; 5] = ["anonymous", "stranger", "uploader", "owner", "root"];

/// What a caller is told: let through, or 401, or 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Login,
    Closed,
}
use Gate::{Closed, Login, Open};

/// Pattern of the route, method, path, and the gate for each of [`CALLERS`]
/// without and with `--restrict-modify root`.
struct Row {
    pattern: &'static str,
    method: &'static str,
    path: &'static str,
    gates: [Gate; 5],
    restricted: [Gate; 5],
}

const EVERYBODY: [Gate; 5] = [Open; 5];
const NOBODY_BUT_ROOT: [Gate; 5] = [Closed, Closed, Closed, Closed, Open];
const OWNER_AND_ROOT: [Gate; 5] = [Closed, Closed, Closed, Open, Open];
/// Uploaders, and who may change the index, may remove.
const REMOVERS: [Gate; 5] = [Closed, Closed, Open, Open, Open];
const REMOVERS_RESTRICTED: [Gate; 5] = [Closed, Closed, Open, Closed, Open];
/// The access list for test results alone; strangers are told 403 (devpi: 2.3).
const TESTERS: [Gate; 5] = [Closed, Closed, Open, Closed, Closed];
/// Of an index that only its uploader may read: also its owner, and root.
const READERS: [Gate; 5] = [Login, Closed, Open, Open, Open];
/// The access list alone: neither owner nor root are on it by themselves.
const UPLOADERS: [Gate; 5] = [Login, Closed, Open, Closed, Closed];

/// What kind of world the callers meet.
#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    /// `--restrict-modify root`.
    restricted: bool,
    /// The index has an `acl_read`.
    private: bool,
}
/// devpi: who may not push is told 401, logged in or not. What is asked for is
/// the right to read the source and to upload to the target.
const PUSHERS: [Gate; 5] = [Login, Login, Open, Login, Login];

const fn read(pattern: &'static str, path: &'static str) -> Row {
    Row {
        pattern,
        method: "GET",
        path,
        gates: EVERYBODY,
        restricted: EVERYBODY,
    }
}

const fn closed(pattern: &'static str, method: &'static str, path: &'static str) -> Row {
    row(pattern, method, path, [Closed; 5], [Closed; 5])
}

const fn row(
    pattern: &'static str,
    method: &'static str,
    path: &'static str,
    gates: [Gate; 5],
    restricted: [Gate; 5],
) -> Row {
    Row {
        pattern,
        method,
        path,
        gates,
        restricted,
    }
}

const MATRIX: &[Row] = &[
    read("/", "/"),
    read("/+api", "/+api"),
    read("/{user}/+api", "/owner/+api"),
    read("/{user}/{index}/+api", "/owner/dev/+api"),
    row("/+login", "POST", "/+login", EVERYBODY, EVERYBODY),
    read("/+status", "/+status"),
    read("/+openapi.json", "/+openapi.json"),
    // From a peer that no proxy is; what a proxy is told is in `authcheck.rs`.
    closed("/+authcheck", "GET", "/+authcheck"),
    closed("/+authcheck", "POST", "/+authcheck"),
    closed("/+authcheck", "PUT", "/+authcheck"),
    closed("/+authcheck", "PATCH", "/+authcheck"),
    closed("/+authcheck", "DELETE", "/+authcheck"),
    closed("/+changelog/{serial}", "GET", "/+changelog/1"),
    read("/{user}", "/owner"),
    row(
        "/{user}",
        "PUT",
        "/newcomer",
        NOBODY_BUT_ROOT,
        NOBODY_BUT_ROOT,
    ),
    row(
        "/{user}",
        "PATCH",
        "/owner",
        OWNER_AND_ROOT,
        NOBODY_BUT_ROOT,
    ),
    row(
        "/{user}",
        "DELETE",
        "/owner",
        OWNER_AND_ROOT,
        NOBODY_BUT_ROOT,
    ),
    read("/{user}/{index}", "/owner/dev"),
    row(
        "/{user}/{index}",
        "PUT",
        "/owner/new",
        OWNER_AND_ROOT,
        NOBODY_BUT_ROOT,
    ),
    row(
        "/{user}/{index}",
        "PATCH",
        "/owner/dev",
        OWNER_AND_ROOT,
        NOBODY_BUT_ROOT,
    ),
    row(
        "/{user}/{index}",
        "DELETE",
        "/owner/dev",
        OWNER_AND_ROOT,
        NOBODY_BUT_ROOT,
    ),
    row(
        "/{user}/{index}",
        "POST",
        "/owner/dev",
        UPLOADERS,
        UPLOADERS,
    ),
    row("/{user}/{index}", "PUSH", "/owner/dev", PUSHERS, PUSHERS),
    read("/{user}/{index}/+simple/", "/owner/dev/+simple/"),
    read(
        "/{user}/{index}/+simple/{project}/",
        "/owner/dev/+simple/demo/",
    ),
    row(
        "/{user}/{index}/+simple/{project}/refresh",
        "POST",
        "/owner/dev/+simple/demo/refresh",
        EVERYBODY,
        EVERYBODY,
    ),
    read("/{user}/{index}/+f/{path}", "FILE"),
    row(
        "/{user}/{index}/+f/{path}",
        "DELETE",
        "FILE",
        REMOVERS,
        REMOVERS_RESTRICTED,
    ),
    row(
        "/{user}/{index}/+f/{path}",
        "POST",
        "FILE",
        TESTERS,
        TESTERS,
    ),
    read(
        "/{user}/{index}/+e/{path}",
        "/owner/dev/+e/http_x/nope-1.0.zip",
    ),
    row(
        "/{user}/{index}/+e/{path}",
        "DELETE",
        "/owner/dev/+e/http_x/nope-1.0.zip",
        REMOVERS,
        REMOVERS_RESTRICTED,
    ),
    read("/{user}/{index}/{project}", "/owner/dev/demo"),
    row(
        "/{user}/{index}/{project}",
        "DELETE",
        "/owner/dev/demo",
        REMOVERS,
        REMOVERS_RESTRICTED,
    ),
    read("/{user}/{index}/{project}/{version}", "/owner/dev/demo/1.0"),
    row(
        "/{user}/{index}/{project}/{version}",
        "DELETE",
        "/owner/dev/demo/1.0",
        REMOVERS,
        REMOVERS_RESTRICTED,
    ),
    read(
        "/{user}/{index}/{project}/{version}/+doc/{path}",
        "/owner/dev/demo/1.0/+doc/index.html",
    ),
    // A redirect, which tells nothing.
    read(
        "/{user}/{index}/{project}/{version}/+d/{path}",
        "/owner/dev/demo/1.0/+d/index.html",
    ),
    row(
        "/{user}/{index}/{project}/{version}/+yank",
        "PUT",
        "/owner/dev/demo/1.0/+yank",
        REMOVERS,
        REMOVERS_RESTRICTED,
    ),
    row(
        "/{user}/{index}/{project}/{version}/+yank",
        "DELETE",
        "/owner/dev/demo/1.0/+yank",
        REMOVERS,
        REMOVERS_RESTRICTED,
    ),
    row(
        "/{user}/{index}/{project}/{version}/+yank/{filename}",
        "PUT",
        "/owner/dev/demo/1.0/+yank/demo-1.0-py3-none-any.whl",
        REMOVERS,
        REMOVERS_RESTRICTED,
    ),
    row(
        "/{user}/{index}/{project}/{version}/+yank/{filename}",
        "DELETE",
        "/owner/dev/demo/1.0/+yank/demo-1.0-py3-none-any.whl",
        REMOVERS,
        REMOVERS_RESTRICTED,
    ),
];

#[test]
fn every_route_and_method_has_a_row() {
    let listed: BTreeSet<(&str, &str)> =
        MATRIX.iter().map(|row| (row.pattern, row.method)).collect();
    for route in ROUTES {
        for method in route.methods.iter().filter(|method| **method != "HEAD") {
            assert!(
                listed.contains(&(route.pattern, *method)),
                "{method} {} has no row",
                route.pattern
            );
        }
    }
}

/// The row's gates for an index that only its uploader may read, and those in charge.
fn private_gates(row: &Row, gates: [Gate; 5]) -> [Gate; 5] {
    let reads = row.method == "GET" || row.pattern.ends_with("/refresh");
    let tells_nothing = row.pattern.ends_with("/+api") || row.pattern.contains("/+d/");
    let of_index = row.pattern.starts_with("/{user}/{index}") && !tells_nothing;
    if row.pattern.ends_with("/+f/{path}") && row.method == "POST" {
        // Who may not see the file learns that first.
        return [Login, Closed, Open, Closed, Closed];
    }
    if row.method == "PUSH" {
        // Of those who may read, devpi's 401 for those who may not upload.
        return [Login, Closed, Open, Login, Login];
    }
    if reads && of_index { READERS } else { gates }
}

async fn larder(world: Kind) -> (TestLarder, String) {
    let restrict_modify = world.restricted.then(|| Acl::parse("root"));
    let policy = Policy {
        restrict_modify,
        open_registration: false,
    };
    let settings = Settings {
        policy,
        ..common::Setup::default().settings
    };
    let larder = TestLarder::start_with(common::Setup {
        settings,
        ..common::Setup::default()
    })
    .await;
    for user in ["stranger", "uploader", "owner"] {
        larder.user(user).await;
    }
    let acl_read = if world.private {
        "uploader"
    } else {
        ":ANONYMOUS:"
    };
    larder
        .index(
            "owner/dev",
            &json!({
                "acl_upload": "uploader",
                "acl_toxresult_upload": "uploader",
                "acl_read": acl_read,
            }),
        )
        .await;
    larder
        .index("owner/final", &json!({"acl_upload": "uploader"}))
        .await;
    let dist = DistBuilder::wheel("demo", "1.0").build();
    let answer = larder
        .post_form("owner/dev", ("uploader", "uploader"), &Form::of(&dist))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let path = FilePath::of_upload(&dist.sha256.parse().expect("a digest"), &dist.filename);
    let file = format!("/owner/dev/{path}");
    (larder, file)
}

/// The body that makes the request succeed for who may.
fn body(row: &Row) -> (&'static str, String) {
    match (row.pattern, row.method) {
        ("/+login", _) => (
            "application/json",
            json!({"user": "owner", "password": "owner"}).to_string(),
        ),
        ("/{user}", "PUT") => ("application/json", json!({"password": "x"}).to_string()),
        ("/{user}" | "/{user}/{index}", "PUT" | "PATCH") => {
            ("application/json", json!({"title": "t"}).to_string())
        }
        ("/{user}/{index}/+f/{path}", "POST") | (_, "PUT") => ("application/json", "{}".to_owned()),
        ("/{user}/{index}", "POST") => (
            "application/x-www-form-urlencoded",
            ":action=submit&name=other&version=1.0".to_owned(),
        ),
        ("/{user}/{index}", "PUSH") => (
            "application/json",
            json!({"name": "demo", "version": "1.0", "targetindex": "owner/final"}).to_string(),
        ),
        _ => ("", String::new()),
    }
}

/// A Larder that is made anew only after somebody was let through to change it.
struct World {
    kind: Kind,
    current: Option<(TestLarder, String)>,
}

impl World {
    async fn check(&mut self, row: &Row, caller: &str, gate: Gate) {
        if self.current.is_none() {
            self.current = Some(larder(self.kind).await);
        }
        let (larder, file) = self.current.as_ref().expect("made above");
        check(larder, file, row, caller, gate).await;
        if gate == Open && row.method != "GET" {
            self.current = None;
        }
    }
}

async fn check(larder: &TestLarder, file: &str, row: &Row, caller: &str, gate: Gate) {
    let path = if row.path == "FILE" { file } else { row.path };
    let (kind, body) = body(row);
    let method = Method::from_bytes(row.method.as_bytes()).expect("a method");
    let mut ask = larder
        .ask(method, path)
        .accept("application/json")
        .header("content-type", kind)
        .body(body);
    ask = match caller {
        "anonymous" => ask,
        "root" => ask.by("root", ROOT),
        name => ask.by(name, name),
    };
    let answer = ask.send().await;
    let seen = match answer.status {
        StatusCode::UNAUTHORIZED => Login,
        StatusCode::FORBIDDEN => Closed,
        status => {
            assert!(
                !status.is_server_error(),
                "{} {path} by {caller}: {answer:?}",
                row.method
            );
            Open
        }
    };
    assert_eq!(seen, gate, "{} {path} by {caller}: {answer:?}", row.method);
    if gate == Login {
        // devpi: a push asks for no credentials.
        let challenge = if row.method == "PUSH" {
            ""
        } else {
            "Basic realm=\"pypi\""
        };
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
}

async fn check_all(kind: Kind, gates: impl Fn(&Row) -> [Gate; 5]) {
    let mut world = World {
        kind,
        current: None,
    };
    for row in MATRIX {
        for (caller, gate) in CALLERS.into_iter().zip(gates(row)) {
            world.check(row, caller, gate).await;
        }
    }
}

#[tokio::test]
async fn everyone_gets_what_the_matrix_says() {
    check_all(Kind::default(), |row| row.gates).await;
}

#[tokio::test]
async fn restrict_modify_leaves_changes_to_those_listed() {
    let kind = Kind {
        restricted: true,
        ..Kind::default()
    };
    check_all(kind, |row| row.restricted).await;
}

#[tokio::test]
async fn a_private_index_is_read_by_its_readers_alone() {
    let kind = Kind {
        private: true,
        ..Kind::default()
    };
    check_all(kind, |row| private_gates(row, row.gates)).await;
}

#[tokio::test]
async fn restrict_modify_leaves_a_private_index_private() {
    let kind = Kind {
        restricted: true,
        private: true,
    };
    check_all(kind, |row| private_gates(row, row.restricted)).await;
}
