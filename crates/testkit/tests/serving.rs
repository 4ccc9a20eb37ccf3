//! What the fake index serves when all is well, and how each fault looks on
//! the wire. Requests are written by hand, so that no client hides anything.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use larder_testkit::{Answer, DistBuilder, FakeIndex, Fault};
use serde_json::Value;

const JSON: &str = "Accept: application/vnd.pypi.simple.v1+json";

/// An answer as it came over the wire; `broken` when the connection was reset.
struct Reply {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self
            .headers
            .lines()
            .filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn exchange(
    index: &FakeIndex,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", index.url.port().unwrap()))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: fake\r\nConnection: close\r\n");
    for header in headers {
        let _ = write!(request, "{header}\r\n");
    }
    let _ = write!(request, "Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes())?;
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw)?;
    let end = raw
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or(ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8(raw[..end].to_vec()).unwrap();
    let (first, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Reply {
        status,
        headers: headers.to_owned(),
        body: raw[end + 4..].to_vec(),
    })
}

fn get(index: &FakeIndex, path: &str, headers: &[&str]) -> Reply {
    exchange(index, "GET", path, headers, "").unwrap()
}

async fn index_with_demo() -> (FakeIndex, larder_testkit::Dist) {
    let index = FakeIndex::start().await;
    let dist = DistBuilder::wheel("demo", "1.0")
        .requires_python(">=3.9")
        .build();
    index.add(&dist);
    (index, dist)
}

#[tokio::test]
async fn a_page_says_everything_about_a_file() {
    let (index, dist) = index_with_demo().await;
    let reply = get(&index, "/simple/demo/", &[JSON]);
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("application/vnd.pypi.simple.v1+json")
    );
    let page = reply.json();
    assert_eq!(page["meta"]["api-version"], "1.4");
    assert_eq!(page["versions"], serde_json::json!(["1.0"]));
    let file = &page["files"][0];
    assert_eq!(file["filename"], dist.filename.as_str());
    assert_eq!(file["url"], index.file_url(&dist.filename).as_str());
    assert_eq!(file["hashes"]["sha256"], dist.sha256.as_str());
    assert_eq!(file["size"], dist.bytes.len());
    assert_eq!(file["requires-python"], ">=3.9");
    assert!(file["core-metadata"]["sha256"].is_string());
}

#[tokio::test]
async fn html_is_served_to_those_who_ask_for_it() {
    let (index, dist) = index_with_demo().await;
    let reply = get(&index, "/simple/demo/", &["Accept: text/html"]);
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let html = String::from_utf8(reply.body).unwrap();
    assert!(
        html.contains(&format!("#sha256={}\"", dist.sha256)),
        "{html}"
    );
    assert!(html.contains("data-requires-python=\"&gt;=3.9\""), "{html}");
}

#[tokio::test]
async fn pages_are_revalidated_by_etag_and_change_with_their_files() {
    let (index, dist) = index_with_demo().await;
    let etag = get(&index, "/simple/demo/", &[JSON])
        .header("etag")
        .unwrap()
        .to_owned();
    let known = format!("If-None-Match: {etag}");
    assert_eq!(get(&index, "/simple/demo/", &[JSON, &known]).status, 304);
    index.edit(&dist.filename, |file| {
        file.yanked = Some("broken".to_owned());
    });
    let reply = get(&index, "/simple/demo/", &[JSON, &known]);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["files"][0]["yanked"], "broken");
}

#[tokio::test]
async fn pages_carry_serial_age_and_status_when_set() {
    let (index, _) = index_with_demo().await;
    index.set_serial("demo", Some(42));
    index.set_max_age(Some(600));
    index.set_status("demo", Some(("quarantined", Some("malware"))));
    let reply = get(&index, "/simple/demo/", &[JSON]);
    assert_eq!(reply.header("x-pypi-last-serial"), Some("42"));
    assert_eq!(reply.header("cache-control"), Some("max-age=600, public"));
    let page = reply.json();
    assert_eq!(page["project-status"]["status"], "quarantined");
    assert_eq!(page["files"], serde_json::json!([]));
}

#[tokio::test]
async fn names_and_slashes_are_redirected() {
    let (index, _) = index_with_demo().await;
    for path in ["/simple/Demo/", "/simple/demo"] {
        let reply = get(&index, path, &[JSON]);
        assert_eq!(
            (reply.status, reply.header("location")),
            (301, Some("/simple/demo/"))
        );
    }
    assert_eq!(get(&index, "/simple/nothing/", &[JSON]).status, 404);
    let list = get(&index, "/simple/", &[JSON]).json();
    assert_eq!(list["projects"], serde_json::json!([{ "name": "demo" }]));
}

#[tokio::test]
async fn files_and_sidecars_are_served_with_ranges() {
    let (index, dist) = index_with_demo().await;
    let path = index.file_path(&dist.filename);
    assert_eq!(get(&index, &path, &[]).body, dist.bytes);
    assert_eq!(
        get(&index, &format!("{path}.metadata"), &[]).body,
        dist.metadata
    );
    let part = get(&index, &path, &["Range: bytes=10-19"]);
    assert_eq!(
        (part.status, part.body.as_slice()),
        (206, &dist.bytes[10..20])
    );
    let beyond = format!("Range: bytes={}-", dist.bytes.len());
    assert_eq!(get(&index, &path, &[&beyond]).status, 416);
    assert_eq!(index.hits(&path), 3);
    assert_eq!(
        index.seen().last().unwrap().header("range").unwrap(),
        &beyond[7..]
    );
}

#[tokio::test]
async fn local_versions_are_found_encoded_or_not() {
    let (index, _) = index_with_demo().await;
    let dist = DistBuilder::wheel("demo", "1.0+local.1").build();
    index.add(&dist);
    let path = index.file_path(&dist.filename);
    assert_eq!(get(&index, &path, &[]).body, dist.bytes);
    assert_eq!(get(&index, &path.replace('+', "%2B"), &[]).body, dist.bytes);
}

#[tokio::test]
async fn credentials_are_asked_for() {
    let (index, _) = index_with_demo().await;
    index.require_credentials("user", "pass");
    assert_eq!(get(&index, "/simple/demo/", &[JSON]).status, 401);
    assert_eq!(
        get(
            &index,
            "/simple/demo/",
            &[JSON, "Authorization: Basic dXNlcjpwYXNz"]
        )
        .status,
        200
    );
}

#[tokio::test]
async fn faults_decide_the_answer() {
    let (index, _) = index_with_demo().await;
    let answer = Answer {
        status: 418,
        headers: vec![("x-tea".to_owned(), "yes".to_owned())],
        body: "pot".to_owned(),
    };
    let table = [
        (Fault::Status(503), 503, "Service Unavailable"),
        (
            Fault::Redirect("http://127.0.0.1:1/".to_owned()),
            302,
            "Found",
        ),
        (Fault::EmptyBody, 200, ""),
        (Fault::Answer(answer), 418, "pot"),
        (Fault::NotAcceptable, 406, "Not Acceptable"),
    ];
    for (fault, status, body) in table {
        index.fault("/simple/demo/", fault.clone());
        let reply = get(&index, "/simple/demo/", &[JSON]);
        assert_eq!(
            (reply.status, reply.body.as_slice()),
            (status, body.as_bytes()),
            "{fault:?}"
        );
        index.clear_faults();
    }
    index.fault_times("/simple/demo/", 1, Fault::Status(500));
    assert_eq!(get(&index, "/simple/demo/", &[JSON]).status, 500);
    assert_eq!(get(&index, "/simple/demo/", &[JSON]).status, 200);
}

#[tokio::test]
async fn faults_decide_how_a_page_is_written() {
    let (index, _) = index_with_demo().await;
    index.fault("*", Fault::NoHash);
    let page = get(&index, "/simple/demo/", &[JSON]).json();
    assert_eq!(page["files"][0]["hashes"], serde_json::json!({}));
    index.fault("*", Fault::HtmlOnly);
    index.fault("*", Fault::NoValidators);
    let reply = get(&index, "/simple/demo/", &[JSON]);
    assert_eq!(
        (reply.header("content-type"), reply.header("etag")),
        (Some("text/html; charset=utf-8"), None)
    );
}

#[tokio::test]
async fn a_gzip_bomb_is_small_on_the_wire() {
    let (index, _) = index_with_demo().await;
    index.fault("/simple/demo/", Fault::GzipBomb(20_000_000));
    let reply = get(&index, "/simple/demo/", &[JSON]);
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert!(reply.body.len() < 100_000);
    let mut decoder = flate2::read::GzDecoder::new(reply.body.as_slice());
    let inflated = std::io::copy(&mut decoder, &mut std::io::sink()).unwrap();
    assert_eq!(inflated, 20_000_000);
}

#[tokio::test]
async fn faults_decide_how_bytes_come() {
    let (index, dist) = index_with_demo().await;
    let path = index.file_path(&dist.filename);
    index.fault(&path, Fault::CutAfter(100));
    let reply = get(&index, &path, &[]);
    assert_eq!(
        reply.header("content-length"),
        Some(dist.bytes.len().to_string().as_str())
    );
    assert_eq!(reply.body, dist.bytes[..100]);

    index.fault(&path, Fault::NoLength);
    let reply = get(&index, &path, &[]);
    assert_eq!(
        (
            reply.header("content-length"),
            reply.header("transfer-encoding")
        ),
        (None, Some("chunked"))
    );
    assert!(
        !reply.body.ends_with(b"0\r\n\r\n"),
        "a cut body has no last chunk"
    );

    index.clear_faults();
    index.fault(&path, Fault::WrongBytes);
    let reply = get(&index, &path, &[]);
    assert_eq!(reply.body.len(), dist.bytes.len());
    assert_ne!(reply.body, dist.bytes);

    index.clear_faults();
    index.fault(&path, Fault::Drip(10_000));
    assert_eq!(get(&index, &path, &[]).body, dist.bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_goes_on_when_the_fault_is_cleared() {
    let (index, dist) = index_with_demo().await;
    let path = index.file_path(&dist.filename);
    for fault in [Fault::Hang, Fault::StallAfter(10)] {
        index.forget_hits();
        index.fault(&path, fault);
        let (url, asked) = (index.url.clone(), path.clone());
        let waiting = std::thread::spawn(move || {
            let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).unwrap();
            write!(
                stream,
                "GET {asked} HTTP/1.1\r\nHost: fake\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            let mut raw = Vec::new();
            stream.read_to_end(&mut raw).unwrap();
            raw
        });
        index.until_hits(&path, 1).await;
        assert!(!waiting.is_finished());
        index.clear_fault(&path);
        assert!(waiting.join().unwrap().ends_with(&dist.bytes));
    }
}

#[tokio::test]
async fn a_reset_is_a_reset_and_down_is_refused() {
    let (index, _) = index_with_demo().await;
    index.fault("*", Fault::Reset);
    let error = exchange(&index, "GET", "/simple/demo/", &[], "")
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    index.clear_faults();
    index.set_down(true).await;
    let error = exchange(&index, "GET", "/simple/demo/", &[], "")
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    index.set_down(false).await;
    assert_eq!(get(&index, "/simple/demo/", &[]).status, 200);
}

#[tokio::test]
async fn control_routes_do_what_the_methods_do() {
    let (index, dist) = index_with_demo().await;
    let post = |path: &str, body: &str| exchange(&index, "POST", path, &[], body).unwrap().status;
    assert_eq!(
        post(
            "/_fault",
            "{\"path\": \"/simple/demo/\", \"fault\": {\"status\": 500}, \"times\": 1}"
        ),
        200
    );
    assert_eq!(get(&index, "/simple/demo/", &[JSON]).status, 500);
    assert_eq!(
        get(&index, "/_hits", &[]).json(),
        serde_json::json!({ "/simple/demo/": 1 })
    );
    assert_eq!(
        get(&index, "/_seen", &[]).json()[0]["path"],
        "/simple/demo/"
    );
    assert_eq!(
        post("/_fault", "{\"path\": \"*\", \"fault\": \"reset\"}"),
        200
    );
    assert_eq!(post("/_clear", ""), 200);
    assert_eq!(post("/_down", ""), 200);
    assert!(exchange(&index, "GET", "/simple/demo/", &[], "").is_err());
    assert_eq!(post("/_up", ""), 200);
    let yank = format!("{{\"filename\": \"{}\", \"reason\": \"\"}}", dist.filename);
    assert_eq!(post("/_yank", &yank), 200);
    assert_eq!(
        get(&index, "/simple/demo/", &[JSON]).json()["files"][0]["yanked"],
        true
    );
    assert_eq!(
        post("/_project", "{\"name\": \"demo\", \"serial\": 7}"),
        200
    );
    assert_eq!(
        post(
            "/_settings",
            "{\"max_age\": 5, \"authorization\": \"Basic eA==\"}"
        ),
        200
    );
    assert_eq!(get(&index, "/simple/demo/", &[JSON]).status, 401);
    assert_eq!(post("/_reset", ""), 200);
    assert_eq!(get(&index, "/_hits", &[]).json(), serde_json::json!({}));
    assert_eq!(post("/_nothing", ""), 400);
    assert_eq!(
        post("/_fault", "{\"path\": \"*\", \"fault\": \"no such\"}"),
        400
    );
}
