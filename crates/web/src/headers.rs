//! What every answer carries, and the one log line every request leaves.

use std::net::IpAddr;
use std::time::Duration;

use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY, SERVER,
    USER_AGENT,
};
use http::{HeaderMap, Method, Request, Response};

use crate::body::Body;
use http_body::Body as _;

/// The version of devpi-server whose interface is spoken.
pub(crate) const DEVPI_VERSION: &str = "6.20.3";
/// Ours.
pub(crate) const LARDER_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why an answer is what it is: `hit`, `miss`, `stale`, `cold`.
pub(crate) const CACHE: HeaderName = HeaderName::from_static("x-larder-cache");

/// For what not everybody may see (P10, S-12).
pub(crate) const NOT_SHARED: HeaderValue = HeaderValue::from_static("private, no-store");

/// Headers that are the same on every answer (devpi: 0.1).
#[derive(Debug)]
pub(crate) struct Standard {
    uuid: HeaderValue,
}

impl Standard {
    pub(crate) fn new(uuid: &str) -> Self {
        Self {
            uuid: HeaderValue::from_str(uuid).unwrap_or(HeaderValue::from_static("")),
        }
    }

    pub(crate) fn put(&self, response: &mut Response<Body>, serial: u64) {
        let headers = response.headers_mut();
        headers.insert(
            HeaderName::from_static("x-devpi-api-version"),
            HeaderValue::from_static("2"),
        );
        headers.insert(
            HeaderName::from_static("x-devpi-server-version"),
            HeaderValue::from_static(DEVPI_VERSION),
        );
        for name in [
            "x-devpi-uuid",
            "x-devpi-master-uuid",
            "x-devpi-primary-uuid",
        ] {
            headers.insert(HeaderName::from_static(name), self.uuid.clone());
        }
        headers.insert(
            HeaderName::from_static("x-devpi-serial"),
            HeaderValue::from(serial),
        );
        headers.insert(
            SERVER,
            HeaderValue::from_static(concat!("Larder/", env!("CARGO_PKG_VERSION"))),
        );
        headers.insert(
            HeaderName::from_static("x-content-type-options"),
            HeaderValue::from_static("nosniff"),
        );
        protect(headers);
    }
}

/// A page of ours runs nothing, loads nothing, stands in no frame and tells
/// nobody where a reader came from (L28, G37). What was uploaded brings a
/// policy of its own.
fn protect(headers: &mut HeaderMap) {
    let is_page = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !is_page || headers.contains_key(CONTENT_SECURITY_POLICY) {
        return;
    }
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    );
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

/// The canonical line of a request, begun when it arrives.
#[derive(Debug)]
pub(crate) struct LogLine {
    method: Method,
    path: String,
    agent: Option<HeaderValue>,
    peer: IpAddr,
}

/// Longest path and agent written to the log, in bytes.
const MAX_LOGGED: usize = 512;
const MAX_AGENT: usize = 64;

impl LogLine {
    pub(crate) fn of<B>(request: &Request<B>, peer: IpAddr) -> Self {
        let path = request.uri().path();
        let end = path.floor_char_boundary(MAX_LOGGED);
        Self {
            method: request.method().clone(),
            path: path[..end].to_owned(),
            agent: request.headers().get(USER_AGENT).cloned(),
            peer,
        }
    }

    pub(crate) fn write(self, response: &Response<Body>, took: Duration) {
        let status = response.status().as_u16();
        let cache = response
            .headers()
            .get(CACHE)
            .and_then(|value| value.to_str().ok());
        // pip's goes on with a kilobyte of JSON about its machine.
        let agent = self.agent.as_ref().map(|agent| {
            let name = agent
                .as_bytes()
                .split(|byte| *byte == b'{')
                .next()
                .unwrap_or_default();
            String::from_utf8_lossy(&name[..name.len().min(MAX_AGENT)])
                .trim_end()
                .to_owned()
        });
        tracing::info!(
            target: "larder::request",
            method = %self.method,
            path = ?self.path,
            status,
            size_bytes = response.body().size_hint().exact(),
            took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            cache,
            peer = %self.peer,
            agent = agent.as_deref(),
        );
    }
}
