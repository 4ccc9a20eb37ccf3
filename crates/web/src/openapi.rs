//! `/+openapi.json`: this interface described for programs (OpenAPI 3.1).
//!
//! Invariant: what is sent is the file beside this crate, with two things filled
//! in: the version, and the address under which this client sees the server.
//! `tests/openapi.rs` holds the file against the table of routes and against
//! real answers. Left out: other pages that show it.

use std::sync::LazyLock;

use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use larder_pypi::Digest;
use serde_json::{Value, json};

use crate::body::Body;
use crate::files::whole;
use crate::headers::LARDER_VERSION;
use crate::request::Ask;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(include_str!("../openapi.json"))
        .expect("invariant: a test reads the file");
    document["info"]["version"] = json!(LARDER_VERSION);
    document
});

/// For everybody alike, but by the address that was asked.
const CACHEABLE: HeaderValue = HeaderValue::from_static("max-age=300, public");

pub(crate) fn get(ask: &Ask) -> Response<Body> {
    let mut document = DOCUMENT.clone();
    let base = ask.absolute("");
    // A client of HTTP/1.0 need not say which host it asked.
    let base = if base.is_empty() { "/" } else { &base };
    document["servers"] = json!([{"url": base}]);
    let text = document.to_string();
    let etag = format!("\"{}\"", Digest::of(text.as_bytes()));
    let mut response = whole(ask, &etag, text.into(), CACHEABLE);
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
