//! A whole Larder in this process, on real parts: a database, a blob storage,
//! a fake upstream; only the socket is left out.
//!
//! `LARDER_TEST_PAIR=cluster` puts PostgreSQL and S3 in place of SQLite and
//! files (`LARDER_TEST_PG`, `LARDER_TEST_S3`, `AWS_…`).
#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "every test file uses its own part, and is a crate of its own"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::ext::ReasonPhrase;
use larder_app::{App, Clock, FirstStart, RootPassword, Settings, Tasks};
use larder_blob::{Blobs, Location};
use larder_model::Timestamp;
use larder_store::Store;
use larder_testkit::{Dist, FakeIndex};
use larder_upstream::Upstreams;
use larder_web::{Body, Web, WebSettings};
use serde_json::Value;
use tempfile::TempDir;

/// root's password in all tests.
pub const ROOT: &str = "root-password";

pub const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";

/// A Larder of its own, gone when dropped.
pub struct TestLarder {
    pub web: Web,
    pub app: App,
    pub clock: Clock,
    pub store: Store,
    pub blobs: Blobs,
    dir: TempDir,
    pub peer: IpAddr,
}

/// How to start one.
pub struct Setup<'a> {
    pub upstream: Option<&'a FakeIndex>,
    pub settings: Settings,
    pub web: WebSettings,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        let settings = Settings {
            request_timeout: Duration::from_secs(2),
            ..Settings::default()
        };
        Self {
            upstream: None,
            settings,
            web: WebSettings::default(),
        }
    }
}

impl TestLarder {
    /// Without an upstream.
    pub async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    /// With `root/pypi` mirroring this upstream.
    pub async fn mirroring(upstream: &FakeIndex) -> Self {
        Self::start_with(Setup {
            upstream: Some(upstream),
            ..Setup::default()
        })
        .await
    }

    pub async fn start_with(setup: Setup<'_>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (store, location) = parts(&dir).await;
        Self::put_together(setup, dir, store, location).await
    }

    async fn put_together(
        setup: Setup<'_>,
        dir: TempDir,
        store: Store,
        location: Location,
    ) -> Self {
        let blobs = Blobs::at(location, &dir.path().join("spool"))
            .await
            .expect("blobs");
        let upstreams = Upstreams::new(larder_upstream::Settings {
            request_timeout: setup.settings.request_timeout,
            user_agent: "Larder/test".to_owned(),
            max_page_bytes: 64 << 20,
        })
        .expect("upstreams");
        let clock = Clock::fixed(Timestamp::from_micros(1_795_428_000_000_000));
        let app = App::new(
            store.clone(),
            blobs.clone(),
            upstreams,
            setup.settings,
            clock.clone(),
            Tasks::default(),
        );
        let first = FirstStart {
            password: RootPassword::Given(ROOT.to_owned()),
            upstream: setup.upstream.map(|index| index.url.to_string()),
        };
        app.first_start(&first).await.expect("the first start");
        let web = Web::new(app.clone(), setup.web);
        Self {
            web,
            app,
            clock,
            store,
            blobs,
            dir,
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    /// Where it keeps its data.
    pub fn folder(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Files left in the spool directory.
    pub fn spools(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("spool")).map_or(0, Iterator::count)
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let builder = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "larder.example:3141");
        Ask {
            larder: self,
            builder,
            body: Bytes::new(),
        }
    }

    /// Sends a request as it is, without even a host of its own.
    pub async fn send(&self, builder: http::request::Builder) -> Answer {
        let ask = Ask {
            larder: self,
            builder,
            body: Bytes::new(),
        };
        ask.send().await
    }

    /// Creates a user with a password equal to the name.
    pub async fn user(&self, name: &str) {
        let body = serde_json::json!({"password": name});
        let answer = self
            .ask(Method::PUT, &format!("/{name}"))
            .by("root", ROOT)
            .json(&body)
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }

    /// Creates an index as root.
    pub async fn index(&self, name: &str, config: &Value) {
        let answer = self
            .ask(Method::PUT, &format!("/{name}"))
            .by("root", ROOT)
            .json(config)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }

    /// Lets root upload to `root/public` or another index of root's.
    pub async fn upload(&self, index: &str, dist: &Dist) -> Answer {
        self.post_form(index, ("root", ROOT), &Form::of(dist)).await
    }

    pub async fn post_form(
        &self,
        index: &str,
        (user, password): (&str, &str),
        form: &Form,
    ) -> Answer {
        self.ask(Method::POST, &format!("/{index}/"))
            .by(user, password)
            .form(form)
            .await
    }

    /// The simple JSON page.
    pub async fn page(&self, index: &str, project: &str) -> Answer {
        self.get(&format!("/{index}/+simple/{project}/"))
            .accept(SIMPLE_JSON)
            .send()
            .await
    }

    /// The names of the files on a page.
    pub async fn filenames(&self, index: &str, project: &str) -> Vec<String> {
        let page = self.page(index, project).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        let files = page.json()["files"].clone();
        let files = files.as_array().expect("a list of files").clone();
        files
            .iter()
            .map(|file| file["filename"].as_str().expect("a name").to_owned())
            .collect()
    }

    /// The path from the root of the first file on a page.
    pub async fn file_path(&self, index: &str, project: &str) -> String {
        let page = self.page(index, project).await;
        let url = page.json()["files"][0]["url"]
            .as_str()
            .expect("a URL")
            .to_owned();
        resolve(&format!("/{index}/+simple/{project}/"), &url)
    }
}

/// Resolves a relative link as clients do.
pub fn resolve(page: &str, link: &str) -> String {
    let base = url::Url::parse(&format!("http://larder.example{page}")).expect("a page");
    base.join(link).expect("a link").path().to_owned()
}

async fn parts(dir: &TempDir) -> (Store, Location) {
    if std::env::var("LARDER_TEST_PAIR").is_ok_and(|pair| pair == "cluster") {
        let name = fresh_name();
        let maintenance = std::env::var("LARDER_TEST_PG").expect("LARDER_TEST_PG names PostgreSQL");
        let made = Command::new("psql")
            .args([&maintenance, "-qc", &format!("create database {name}")])
            .status();
        assert!(made.expect("psql runs").success());
        let mut url = url::Url::parse(&maintenance).expect("a URL");
        url.set_path(&name);
        let store = Store::open_postgres(url.as_str())
            .await
            .expect("PostgreSQL");
        return (store, bucket(&name));
    }
    let store = Store::open_sqlite(&dir.path().join("larder.sqlite"))
        .await
        .expect("SQLite");
    (store, Location::Local(dir.path().to_owned()))
}

fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!(
        "larder_web_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A bucket on the test's S3 server, made by a plain PUT, which that server lets anyone do.
fn bucket(name: &str) -> Location {
    let endpoint = std::env::var("LARDER_TEST_S3").expect("LARDER_TEST_S3 names an S3 server");
    let bucket = name.replace('_', "-");
    let made = Command::new("curl")
        .args(["-sf", "-X", "PUT", &format!("{endpoint}/{bucket}")])
        .output();
    assert!(made.expect("curl runs").status.success());
    Location::parse(&format!("s3://{bucket}/data")).expect("a location")
}

/// A request being written.
pub struct Ask<'a> {
    larder: &'a TestLarder,
    builder: http::request::Builder,
    body: Bytes,
}

impl Ask<'_> {
    pub fn header(
        self,
        name: impl TryInto<HeaderName, Error: Into<http::Error>>,
        value: &str,
    ) -> Self {
        self.raw_header(name, value.as_bytes())
    }

    /// A header that need not be ASCII.
    pub fn raw_header(
        mut self,
        name: impl TryInto<HeaderName, Error: Into<http::Error>>,
        value: &[u8],
    ) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    pub fn accept(self, value: &str) -> Self {
        self.header(ACCEPT, value)
    }

    pub fn by(self, user: &str, secret: &str) -> Self {
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{secret}"));
        self.header(AUTHORIZATION, &format!("Basic {encoded}"))
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Any bytes as a JSON body, from who reads JSON.
    pub fn with_json(self, body: impl Into<Bytes>) -> Self {
        self.header(CONTENT_TYPE, "application/json")
            .accept("application/json")
            .body(body)
    }

    pub async fn json(self, value: &Value) -> Answer {
        self.with_json(value.to_string()).send().await
    }

    pub async fn json_owned(self, value: Value) -> Answer {
        self.json(&value).await
    }

    pub fn with_form(self, form: &Form) -> Self {
        let (kind, body) = form.encode();
        self.header(CONTENT_TYPE, &kind)
            .header(CONTENT_LENGTH, &body.len().to_string())
            .body(body)
    }

    pub async fn form(self, form: &Form) -> Answer {
        self.with_form(form).send().await
    }

    pub async fn send(self) -> Answer {
        let body = Full::new(self.body)
            .map_err(|never| match never {})
            .boxed_unsync();
        let request = self.builder.body(body).expect("a well-formed request");
        let (method, accept) = (request.method().clone(), request.headers().get(ACCEPT));
        let accept = accept.map_or_else(String::new, |accept| {
            String::from_utf8_lossy(accept.as_bytes()).into_owned()
        });
        let response = self.larder.web.handle(request, self.larder.peer).await;
        let (head, body) = response.into_parts();
        let reason = head
            .extensions
            .get::<ReasonPhrase>()
            .map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
        let (body, broken) = read(body).await;
        Answer {
            status: head.status,
            headers: head.headers,
            reason,
            body,
            broken,
            method,
            accept,
        }
    }
}

async fn read(mut body: Body) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().expect("data")),
            Err(_) => return (bytes, true),
        }
    }
    (bytes, false)
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub reason: Option<String>,
    pub body: Vec<u8>,
    /// The body broke off: a client would see a cut connection.
    pub broken: bool,
    /// How it was asked.
    pub method: Method,
    /// What was asked for; empty if nothing.
    pub accept: String,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {:?} {:?} {}",
            self.status,
            self.reason,
            self.headers,
            self.text().chars().take(2000).collect::<String>()
        )
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub fn message(&self) -> String {
        self.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// A multipart form, to be bent by tests.
#[derive(Debug, Clone)]
pub struct Form {
    pub fields: Vec<(String, String)>,
    pub file: Option<(String, Bytes)>,
    /// The file before the fields, as distutils sends it.
    pub file_first: bool,
}

impl Form {
    /// What twine would send.
    pub fn of(dist: &Dist) -> Self {
        let filetype = if dist.is_wheel() {
            "bdist_wheel"
        } else {
            "sdist"
        };
        let fields = [
            (":action", "file_upload"),
            ("protocol_version", "1"),
            ("metadata_version", "2.1"),
            ("name", dist.project.as_str()),
            ("version", &dist.version),
            ("filetype", filetype),
            ("sha256_digest", &dist.sha256),
        ];
        let fields = fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        Self {
            fields,
            file: Some((dist.filename.clone(), dist.bytes.clone())),
            file_first: false,
        }
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    pub fn named(mut self, filename: &str) -> Self {
        if let Some((name, _)) = &mut self.file {
            filename.clone_into(name);
        }
        self
    }

    pub fn content(mut self, bytes: impl Into<Bytes>) -> Self {
        if let Some((_, content)) = &mut self.file {
            *content = bytes.into();
        }
        self.without("sha256_digest")
    }

    pub fn encode(&self) -> (String, Bytes) {
        const BOUNDARY: &str = "frontier-0123456789";
        let mut body = Vec::new();
        let file = |body: &mut Vec<u8>| {
            if let Some((name, content)) = &self.file {
                let head = format!(
                    "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
                );
                body.extend_from_slice(head.as_bytes());
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
        };
        if self.file_first {
            file(&mut body);
        }
        for (name, value) in &self.fields {
            let part = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(part.as_bytes());
        }
        if !self.file_first {
            file(&mut body);
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        (
            format!("multipart/form-data; boundary={BOUNDARY}"),
            body.into(),
        )
    }
}
