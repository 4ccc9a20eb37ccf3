//! TLS: which certificates are believed, and HTTP/2 by ALPN (H34).
//!
//! `SSL_CERT_FILE` is read when the clients are made, so each case runs in a
//! process of its own: this test binary again, with one ignored test.
#![expect(clippy::unwrap_used, reason = "tests")]

mod certificate;
mod common;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use certificate::Certificate;
use common::upstreams;
use http_body_util::Full;
use hyper::Response;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use larder_upstream::{Addresses, Endpoint, Error};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

const TARGET: &str = "LARDER_TEST_TARGET";
const EXPECTED: &str = "LARDER_TEST_EXPECTED";

/// A server that answers with the HTTP version of the question, and to
/// `/downgrade` with a redirect to plain HTTP. Stops when dropped.
struct Server {
    origin: String,
    _accepting: JoinSet<()>,
}

async fn serve(certificate: &Certificate) -> Server {
    let key = PrivateKeyDer::Pkcs8(certificate.key.clone().into());
    let chain = vec![CertificateDer::from(certificate.der.clone())];
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    let mut config = config.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let mut accepting = JoinSet::new();
    accepting.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn(answer(acceptor.clone(), stream));
        }
    });
    Server {
        origin,
        _accepting: accepting,
    }
}

/// Says by which version of HTTP it was asked, or leads astray.
async fn echo_version(
    request: hyper::Request<hyper::body::Incoming>,
) -> http::Result<Response<Full<Bytes>>> {
    let version = format!("{:?}", request.version());
    let response = Response::builder();
    let response = match request.uri().path() {
        "/downgrade" => response
            .status(302)
            .header("location", "http://localhost:1/"),
        _ => response,
    };
    response.body(Full::new(Bytes::from(version)))
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream) {
    // A client that does not believe the certificate goes away here.
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(echo_version);
    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    let _ = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Runs the ignored test `case`, which believes the certificates in `roots`.
fn run(case: &str, roots: &Path, target: &str, expected: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", case, "--ignored", "--nocapture"])
        .env("SSL_CERT_FILE", roots)
        .env_remove("SSL_CERT_DIR")
        .env(TARGET, target)
        .env(EXPECTED, expected)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("1 passed"), "{said}");
}

async fn asked() -> Result<Bytes, Error> {
    let url = Url::parse(&std::env::var(TARGET).unwrap()).unwrap();
    let endpoint = Endpoint::new(url.clone(), None, Addresses::Any);
    upstreams().fetch_small(&endpoint, &url, 100).await
}

#[tokio::test]
#[ignore = "a case for a process of its own"]
async fn case_answered() {
    assert_eq!(asked().await.unwrap(), std::env::var(EXPECTED).unwrap());
}

#[tokio::test]
#[ignore = "a case for a process of its own"]
async fn case_refused() {
    let error = asked().await.unwrap_err();
    let expected = std::env::var(EXPECTED).unwrap();
    assert!(error.sentence().contains(&expected), "{}", error.sentence());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_believed_by_the_roots_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let roots = |name: &str, certificate: &Certificate| {
        let path = folder.path().join(name);
        std::fs::write(&path, certificate.pem()).unwrap();
        path
    };
    let good = Certificate::new("localhost", "21240101000000Z");
    let trusted = roots("good.pem", &good);
    let server = serve(&good).await;
    run("case_answered", &trusted, &server.origin, "HTTP/2.0");
    run(
        "case_refused",
        &trusted,
        &format!("{}/downgrade", server.origin),
        "from https to http",
    );
    let other = roots(
        "other.pem",
        &Certificate::new("localhost", "21240101000000Z"),
    );
    run(
        "case_refused",
        &other,
        &server.origin,
        "invalid peer certificate",
    );

    let expired = Certificate::new("localhost", "20250101000000Z");
    let trusted = roots("expired.pem", &expired);
    let server = serve(&expired).await;
    run("case_refused", &trusted, &server.origin, "expired");

    let elsewhere = Certificate::new("files.example.com", "21240101000000Z");
    let trusted = roots("elsewhere.pem", &elsewhere);
    let server = serve(&elsewhere).await;
    run(
        "case_refused",
        &trusted,
        &server.origin,
        "not valid for name",
    );
}
