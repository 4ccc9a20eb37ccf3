//! Real answers: every route driven at least once, every answer held against
//! what the document says of its status, its type and its content.

use std::collections::BTreeSet;

use http::Method;
use larder_testkit::{DistBuilder, FakeIndex, zip_archive};
use larder_web::WebSettings;
use serde_json::{Value, json};

use crate::common::{Answer, Ask, Form, ROOT, SIMPLE_JSON, Setup, TestLarder};
use crate::document::described;
use crate::{JSON, file, resolved};

const USER: &str = "/{user}";
const INDEX: &str = "/{user}/{index}";
const API: &str = "/{user}/{index}/+api";
const LIST: &str = "/{user}/{index}/+simple/";
const PAGE: &str = "/{user}/{index}/+simple/{project}/";
const REFRESH: &str = "/{user}/{index}/+simple/{project}/refresh";
const FILE: &str = "/{user}/{index}/+f/{path}";
const EXTERNAL: &str = "/{user}/{index}/+e/{path}";
const PROJECT: &str = "/{user}/{index}/{project}";
const RELEASE: &str = "/{user}/{index}/{project}/{version}";
const DOC: &str = "/{user}/{index}/{project}/{version}/+doc/{path}";
const FRAMED: &str = "/{user}/{index}/{project}/{version}/+d/{path}";
const YANK: &str = "/{user}/{index}/{project}/{version}/+yank";
const YANK_FILE: &str = "/{user}/{index}/{project}/{version}/+yank/{filename}";

/// What of an instance does not fit a schema of this document.
fn misfits(document: &Value, schema: &Value, instance: &Value) -> Vec<String> {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::new(&whole).expect("a schema");
    let errors = validator.iter_errors(instance);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn what_does_not_fit_is_seen() {
    let document = file();
    let schema = json!({"$ref": "#/components/schemas/ReleaseAnswer"});
    let fits = |version: Value, kind: &str| {
        let answer = json!({"result": {"name": "demo", "version": version}, "type": kind});
        misfits(&document, &schema, &answer).is_empty()
    };
    assert!(fits(json!("1.0"), "versiondata"));
    assert!(!fits(json!("1.0"), "projectconfig"));
    assert!(!fits(json!(1), "versiondata"));
}

/// Drives routes and holds each answer against what the document says of it.
struct Checker {
    larder: TestLarder,
    document: Value,
    driven: BTreeSet<(String, String)>,
}

impl Checker {
    fn root(&self, method: &str, path: &str) -> Ask<'_> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.larder.ask(method, path).by("root", ROOT).accept(JSON)
    }

    fn check(&mut self, method: &str, pattern: &str, status: u16, answer: &Answer) {
        let what = format!("{method} {pattern}: {answer:?}");
        assert_eq!(answer.status.as_u16(), status, "{what}");
        let operation = &self.document["paths"][pattern][method.to_lowercase()];
        let response = &operation["responses"][status.to_string()];
        assert!(response.is_object(), "the status is not described: {what}");
        let response = resolved(&self.document, response);
        let kind = answer.header("content-type").split(';').next();
        let kind = kind.unwrap_or_default();
        match response.get("content") {
            None => assert!(answer.body.is_empty(), "a body is not described: {what}"),
            Some(content) => {
                let media = content.get(kind).or_else(|| content.get("*/*"));
                let media = media.unwrap_or_else(|| panic!("the type is not described: {what}"));
                self.check_body(media, kind, answer, &what);
            }
        }
        self.driven.insert((pattern.to_owned(), method.to_owned()));
    }

    fn check_body(&self, media: &Value, kind: &str, answer: &Answer, what: &str) {
        let Some(schema) = media.get("schema") else {
            return;
        };
        let instance = if kind.ends_with("json") {
            answer.json()
        } else {
            json!(answer.text())
        };
        let misfits = misfits(&self.document, schema, &instance);
        assert!(misfits.is_empty(), "{misfits:?} {what}");
    }

    /// As root, with `Accept: application/json` and without a body.
    async fn sends(&mut self, steps: &[(&str, &str, &str, u16)]) {
        for (method, pattern, path, status) in steps {
            let answer = self.root(method, path).send().await;
            self.check(method, pattern, *status, &answer);
        }
    }

    /// As root, with a body of JSON.
    async fn posts(&mut self, steps: &[(&str, &str, &str, Value, u16)]) {
        for (method, pattern, path, body, status) in steps {
            let ask = self.root(method, path).header("content-type", JSON);
            let answer = ask.body(body.to_string()).send().await;
            self.check(method, pattern, *status, &answer);
        }
    }

    /// `GET` by a stranger who accepts this.
    async fn accepts(&mut self, accept: &str, steps: &[(&str, &str, u16)]) {
        for (pattern, path, status) in steps {
            let answer = self.larder.get(path).accept(accept).send().await;
            self.check("GET", pattern, *status, &answer);
        }
    }

    /// Uploads to `root/public`.
    async fn upload(&mut self, form: &Form, status: u16) {
        let (kind, body) = form.encode();
        let ask = self.root("POST", "/root/public/");
        let answer = ask.header("content-type", &kind).body(body).send().await;
        self.check("POST", INDEX, status, &answer);
    }
}

#[tokio::test]
async fn real_answers_are_as_described() {
    let upstream = FakeIndex::start().await;
    let mirrored = DistBuilder::wheel("mirrored", "2.0").requires_python(">=3.9");
    upstream.add(&mirrored.build());
    let web = WebSettings {
        trusted_proxies: "127.0.0.1".parse().expect("an address"),
        ..WebSettings::default()
    };
    let larder = TestLarder::start_with(Setup {
        upstream: Some(&upstream),
        web,
        ..Setup::default()
    })
    .await;
    let document = larder.get("/+openapi.json").send().await.json();
    let driven = BTreeSet::new();
    let mut checker = Checker {
        larder,
        document,
        driven,
    };
    server_and_users(&mut checker).await;
    indexes(&mut checker).await;
    authcheck(&mut checker).await;
    uploads_and_pages(&mut checker).await;
    let path = checker.larder.file_path("root/public", "demo").await;
    files(&mut checker, &path).await;
    mirrors(&mut checker).await;
    documentation(&mut checker).await;
    yanks_and_pushes(&mut checker).await;
    deletions(&mut checker, &path).await;

    let mut described = described(&checker.document);
    // `HEAD` is described by its `GET`, and `PUSH` by the `POST` of JSON.
    described.retain(|(_, method)| method != "HEAD" && method != "PUSH");
    assert_eq!(checker.driven, described);
}

async fn server_and_users(checker: &mut Checker) {
    let login = |password: &str| json!({"user": "root", "password": password});
    let alice = json!({"password": "alice", "email": "a@example.com", "custom_data": {"a": [1]}});
    let steps = [
        ("POST", "/+login", "/+login", login(ROOT), 200),
        ("POST", "/+login", "/+login", login("wrong"), 401),
        ("POST", "/+login", "/+login", json!([]), 400),
        ("PUT", USER, "/alice", alice.clone(), 201),
        ("PUT", USER, "/alice", alice, 409),
        ("PATCH", USER, "/alice", json!({"title": "Alice"}), 200),
        ("PATCH", USER, "/alice", json!({"password": "other"}), 200),
    ];
    checker.posts(&steps).await;
    let steps = [
        ("GET", "/+status", "/+status", 200),
        ("GET", "/+openapi.json", "/+openapi.json", 200),
        ("GET", "/+api", "/+api", 200),
        ("GET", "/{user}/+api", "/root/+api", 200),
        ("GET", API, "/root/public/+api", 200),
        ("GET", API, "/root/pypi/+api", 200),
        ("GET", API, "/root/nothing/+api", 404),
        ("GET", USER, "/alice", 200),
        ("GET", USER, "/nobody", 404),
    ];
    checker.sends(&steps).await;
    let anonymous = [("/+status", "/+status", 200)];
    checker.accepts(JSON, &anonymous).await;
    checker
        .accepts(
            "text/html",
            &[("/+changelog/{serial}", "/+changelog/1", 403)],
        )
        .await;
}

/// What a proxy is told.
async fn authcheck(checker: &mut Checker) {
    const AUTHCHECK: &str = "/+authcheck";
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        for (address, status) in [("/alice/dev", 200), ("/a/b/c/d/e", 403)] {
            let ask = checker.root(method, AUTHCHECK);
            let answer = ask.header("x-original-uri", address).send().await;
            checker.check(method, AUTHCHECK, status, &answer);
        }
    }
    let ask = checker.larder.get(AUTHCHECK);
    let answer = ask.header("x-original-uri", "/alice/dev").send().await;
    checker.check("GET", AUTHCHECK, 401, &answer);
}

async fn indexes(checker: &mut Checker) {
    let dev = json!({"bases": "root/public", "acl_upload": ["root"], "acl_read": ["root"]});
    let good = json!(["volatile=True", "acl_upload+=alice", "title=T"]);
    let steps = [
        ("PUT", INDEX, "/alice/dev", dev.clone(), 200),
        ("PUT", INDEX, "/alice/dev", dev, 409),
        ("PATCH", INDEX, "/alice/dev", json!(["bases-="]), 400),
        ("PATCH", INDEX, "/alice/dev", good, 200),
        ("PATCH", INDEX, "/alice/dev", json!({"acl_upload": []}), 200),
        (
            "PATCH",
            INDEX,
            "/alice/dev",
            json!({"acl_upload": ["root"]}),
            200,
        ),
    ];
    checker.posts(&steps).await;
    let steps = [
        ("GET", "/", "/", 200),
        ("GET", INDEX, "/alice/dev", 200),
        ("GET", INDEX, "/root/pypi?no_projects=", 200),
    ];
    checker.sends(&steps).await;
    checker.accepts(JSON, &[(INDEX, "/alice/dev", 401)]).await;
    for accept in ["*/*", "text/html", JSON] {
        checker
            .accepts(accept, &[(INDEX, "/nobody/dev", 404)])
            .await;
    }
}

async fn uploads_and_pages(checker: &mut Checker) {
    let wheel = DistBuilder::wheel("demo", "1.0").requires_python(">=3.9");
    let form = Form::of(&wheel.build());
    checker.upload(&form, 200).await;
    let sdist = DistBuilder::sdist("demo", "1.1").build();
    checker.upload(&Form::of(&sdist), 200).await;
    let lie = form.clone().set("sha256_digest", &"0".repeat(64));
    checker.upload(&lie, 400).await;
    checker.upload(&form.without(":action"), 400).await;
    let steps = [
        ("GET", INDEX, "/root/public", 200),
        ("GET", LIST, "/root/public/+simple/?format=odd", 406),
        ("POST", REFRESH, "/root/public/+simple/demo/refresh", 302),
    ];
    checker.sends(&steps).await;
    let pages = [
        (LIST, "/root/public/+simple/", 200),
        (PAGE, "/root/public/+simple/demo/", 200),
        (PAGE, "/root/public/+simple/nothing/", 404),
    ];
    for accept in [
        SIMPLE_JSON,
        "application/vnd.pypi.simple.v1+html",
        "text/html",
    ] {
        checker.accepts(accept, &pages).await;
    }
    let steps = [
        (INDEX, "/root/public", 200),
        (PROJECT, "/root/public/demo", 200),
    ];
    checker.accepts(SIMPLE_JSON, &steps).await;
    let slashless = [(LIST, "/root/public/+simple", 302)];
    checker.accepts("text/html", &slashless).await;
}

async fn files(checker: &mut Checker, path: &str) {
    let absent = "/root/public/+f/abc/def/no.whl";
    let sidecar = format!("{path}.metadata");
    let steps = [(FILE, path, 200), (FILE, absent, 404)];
    checker.accepts(JSON, &steps).await;
    let steps = [(FILE, path, 200), (FILE, &sidecar, 200)];
    checker.accepts("*/*", &steps).await;
    for (range, status) in [("bytes=0-9", 206), ("bytes=99999999-", 416)] {
        let answer = checker.larder.get(path).header("range", range).send().await;
        checker.check("GET", FILE, status, &answer);
    }
    let testers = json!({"acl_toxresult_upload": ["root"]});
    let steps = [
        ("POST", FILE, path, json!({"testenvs": {}}), 403),
        ("PATCH", INDEX, "/root/public", testers, 200),
        ("POST", FILE, path, json!({"testenvs": {}}), 200),
        ("POST", FILE, path, json!([]), 400),
    ];
    checker.posts(&steps).await;
    let steps = [
        ("GET", RELEASE, "/root/public/demo/1.0", 200),
        ("GET", RELEASE, "/root/public/demo/9.9", 404),
    ];
    checker.sends(&steps).await;
}

async fn mirrors(checker: &mut Checker) {
    let page = [(PAGE, "/root/pypi/+simple/mirrored/", 200)];
    checker.accepts(SIMPLE_JSON, &page).await;
    let path = checker.larder.file_path("root/pypi", "mirrored").await;
    let external = "/root/pypi/+e/http_x/no-1.0.zip";
    let steps = [
        ("GET", PROJECT, "/root/pypi/mirrored", 200),
        ("GET", RELEASE, "/root/pypi/mirrored/2.0", 200),
        ("GET", FILE, &path, 200),
        ("GET", EXTERNAL, external, 404),
        ("DELETE", EXTERNAL, external, 404),
    ];
    checker.sends(&steps).await;
}

async fn documentation(checker: &mut Checker) {
    let archive = zip_archive(&[("index.html", b"<h1>Demo</h1>")]);
    let fields = [
        (":action", "doc_upload"),
        ("name", "demo"),
        ("version", "1.0"),
    ];
    let docs = Form {
        fields: fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        file: Some(("docs.zip".to_owned(), archive.into())),
        file_first: false,
    };
    checker.upload(&docs, 200).await;
    let steps = [
        ("GET", DOC, "/root/public/demo/latest/+doc/index.html", 200),
        ("GET", DOC, "/root/public/demo/latest/+doc/", 302),
        ("GET", DOC, "/root/public/demo/latest/+doc/no.html", 404),
        ("GET", FRAMED, "/root/public/demo/1.0/+d/index.html", 302),
    ];
    checker.sends(&steps).await;
}

async fn yanks_and_pushes(checker: &mut Checker) {
    let release = "/root/public/demo/1.0/+yank";
    let of_file = &format!("{release}/demo-1.0-py3-none-any.whl");
    let views = [
        ("GET", PROJECT, "/root/public/demo", 200),
        ("DELETE", YANK, release, 200),
    ];
    let page = [(PAGE, "/root/public/+simple/demo/", 200)];
    let broken = json!({"reason": "broken"});
    let steps = [("PUT", YANK, release, broken, 200)];
    checker.posts(&steps).await;
    checker.accepts(SIMPLE_JSON, &page).await;
    checker.sends(&views).await;
    let steps = [("PUT", YANK_FILE, of_file.as_str(), json!({}), 200)];
    checker.posts(&steps).await;
    checker.accepts(SIMPLE_JSON, &page).await;
    let steps = [("DELETE", YANK_FILE, of_file.as_str(), 200)];
    checker.sends(&steps).await;

    let here = json!({"name": "demo", "version": "1.0", "targetindex": "alice/dev"});
    let nobody_there = json!({
        "name": "demo",
        "version": "1.0",
        "posturl": "http://127.0.0.1:1/",
        "username": "me",
        "password": "secret",
    });
    let steps = [
        ("POST", INDEX, "/root/public", here, 200),
        ("POST", INDEX, "/root/public", nobody_there, 502),
    ];
    checker.posts(&steps).await;
    let steps = [("GET", RELEASE, "/alice/dev/demo/1.0", 200)];
    checker.sends(&steps).await;
}

async fn deletions(checker: &mut Checker, path: &str) {
    let steps = [
        ("DELETE", FILE, path, 200),
        ("DELETE", FILE, path, 410),
        ("GET", FILE, path, 410),
        ("DELETE", RELEASE, "/root/public/demo/1.1", 200),
        ("DELETE", RELEASE, "/root/public/demo/1.1", 404),
        ("DELETE", PROJECT, "/alice/dev/demo", 200),
        ("DELETE", INDEX, "/alice/dev", 201),
        ("DELETE", INDEX, "/alice/dev", 404),
        ("DELETE", USER, "/alice", 200),
        ("DELETE", USER, "/alice", 404),
        ("DELETE", USER, "/root", 403),
    ];
    checker.sends(&steps).await;
}
