//! One request in, one answer out: the simple API and the files behind it,
//! with whatever faults are set on the path.
//!
//! Behaves as PyPI where PyPI is well-behaved: 301 to the normalised name and
//! to the trailing slash, `ETag` and 304 on pages, gzip when accepted, single
//! ranges on files, sidecars. Takes any form that is posted to it.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION, RANGE, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use larder_pypi::ProjectName;

use crate::body::{Body, faulty, full};
use crate::catalog::{FileEntry, Found};
use crate::control;
use crate::fault::{Fault, Faults};
use crate::page::{Document, HTML, HTML_V1, JSON, Rendered, gzip, render_list};
use crate::posted::Posted;
use crate::shared::{Shared, State};

/// When every file was last modified.
const FILE_DATE: &str = "Tue, 02 Jan 2024 03:04:05 GMT";
/// Shorter pages are not worth packing.
const MIN_GZIP_BYTES: usize = 256;

/// The connection is to be reset instead of answered.
#[derive(Debug)]
pub(crate) struct ResetWanted;

/// An answer before it is turned into a body.
#[derive(Debug)]
pub(crate) struct Plain {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Bytes,
}

impl Plain {
    pub(crate) fn new(status: StatusCode, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        let plain = Self {
            status,
            headers: HeaderMap::new(),
            bytes: bytes.into(),
        };
        plain.with(CONTENT_TYPE, content_type)
    }

    fn status(status: StatusCode) -> Self {
        let text = status.canonical_reason().unwrap_or("strange").to_owned();
        Self::new(status, "text/plain", text)
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a test uses valid header values");
        self.headers.insert(name, value);
        self
    }
}

/// Answers a request, in its own time.
pub(crate) async fn respond(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, ResetWanted> {
    let (parts, body) = request.into_parts();
    if parts.uri.path().starts_with("/_") {
        let plain = control::answer(shared, &parts, body).await;
        return Ok(finish(plain, &Faults::default(), shared));
    }
    let faults = shared.note(&parts);
    if shared.state().resetting || faults.has(&Fault::Reset) {
        return Err(ResetWanted);
    }
    if parts.method == Method::POST {
        take_form(shared, &parts, body).await;
    }
    wait(shared, &faults).await;
    let plain = match made_up(&parts, &faults).await {
        Some(plain) => plain,
        None => real(&mut shared.state(), &parts, &faults),
    };
    Ok(finish(plain, &faults, shared))
}

async fn take_form(shared: &Shared, parts: &Parts, body: Incoming) {
    let Ok(body) = body.collect().await else {
        return;
    };
    if let Some(posted) = Posted::read(parts, &body.to_bytes()) {
        shared.change(|state| state.posted.push(posted));
    }
}

async fn wait(shared: &Shared, faults: &Faults) {
    for installed in &faults.0 {
        match installed.fault {
            Fault::Delay(time) => tokio::time::sleep(time).await,
            Fault::Hang => shared.until_cleared(installed.id).await,
            _ => {}
        }
    }
}

/// The answer, if a fault decides it.
async fn made_up(parts: &Parts, faults: &Faults) -> Option<Plain> {
    let own_type = if parts.uri.path().starts_with("/simple/") {
        JSON
    } else {
        "application/octet-stream"
    };
    if let Some(len) = faults.find(|fault| {
        if let Fault::GzipBomb(len) = fault {
            Some(*len)
        } else {
            None
        }
    }) {
        let bomb = tokio::task::spawn_blocking(move || gzip_bomb(len))
            .await
            .expect("packing blanks");
        return Some(Plain::new(StatusCode::OK, own_type, bomb).with(CONTENT_ENCODING, "gzip"));
    }
    faults.find(|fault| match fault {
        Fault::Status(code) => {
            Some(Plain::status(StatusCode::from_u16(*code).expect("a test uses valid statuses")))
        }
        Fault::Redirect(target) => Some(Plain::status(StatusCode::FOUND).with(LOCATION, target)),
        Fault::Answer(answer) => {
            let status = StatusCode::from_u16(answer.status).expect("a test uses valid statuses");
            let mut plain =
                Plain { status, headers: HeaderMap::new(), bytes: answer.body.clone().into() };
            for (name, value) in &answer.headers {
                plain = plain.with(name.parse().expect("a test uses valid header names"), value);
            }
            Some(plain)
        }
        Fault::CaptivePortal => {
            let page = "<html><body><form action=\"/login\">Please <a href=\"/login\">log in</a>.</form></body></html>";
            Some(Plain::new(StatusCode::OK, HTML, page))
        }
        Fault::EmptyBody => Some(Plain::new(StatusCode::OK, own_type, "")),
        Fault::BadJson => Some(Plain::new(StatusCode::OK, JSON, "{\"meta\": {\"api-version\": \"1.4\"}, \"files\": [")),
        Fault::DeepJson => Some(Plain::new(StatusCode::OK, JSON, "[".repeat(200_000) + &"]".repeat(200_000))),
        Fault::NotAcceptable if header(parts, &ACCEPT) != Some("text/html") => {
            Some(Plain::status(StatusCode::NOT_ACCEPTABLE))
        }
        _ => None,
    })
}

/// A gzipped JSON page that inflates to this many bytes, nearly all blanks.
fn gzip_bomb(len: u64) -> Bytes {
    let mut page = b"{\"meta\": {\"api-version\": \"1.4\"}, \"files\": []".to_vec();
    let len = usize::try_from(len).expect("a bomb fits into memory");
    page.resize(len.max(page.len() + 1) - 1, b' ');
    page.push(b'}');
    gzip(&page)
}

/// The answer of an index that works.
fn real(state: &mut State, parts: &Parts, faults: &Faults) -> Plain {
    if let Some(wanted) = &state.authorization
        && header(parts, &AUTHORIZATION) != Some(wanted)
    {
        return Plain::status(StatusCode::UNAUTHORIZED)
            .with(http::header::WWW_AUTHENTICATE, "Basic realm=\"fake index\"");
    }
    if parts.method == Method::POST {
        return Plain::new(StatusCode::OK, "text/plain", "");
    }
    let segments: Vec<&str> = parts.uri.path().split('/').skip(1).collect();
    match segments.as_slice() {
        ["simple", ""] => {
            state.sync_folder();
            let list = render_list(state.catalog.projects.keys());
            page(state, parts, faults, &list)
        }
        ["simple", project] => redirect(project),
        ["simple", project, ""] if !is_normalised(project) => redirect(project),
        ["simple", project, ""] => project_page(state, parts, faults, project),
        ["files", project, filename] => file(state, parts, faults, project, filename),
        _ => Plain::status(StatusCode::NOT_FOUND),
    }
}

fn project_page(state: &mut State, parts: &Parts, faults: &Faults, project: &str) -> Plain {
    state.sync_folder();
    let rendered = if faults.has(&Fault::NoHash) {
        state.catalog.page_without_hashes(project)
    } else {
        state.catalog.page(project)
    };
    match rendered {
        Some(rendered) => page(state, parts, faults, &rendered),
        None => Plain::status(StatusCode::NOT_FOUND),
    }
}

fn is_normalised(project: &str) -> bool {
    project
        .parse::<ProjectName>()
        .is_ok_and(|name| name.as_str() == project)
}

fn redirect(project: &str) -> Plain {
    match project.parse::<ProjectName>() {
        Ok(name) => {
            Plain::status(StatusCode::MOVED_PERMANENTLY).with(LOCATION, &format!("/simple/{name}/"))
        }
        Err(_) => Plain::status(StatusCode::NOT_FOUND),
    }
}

fn page(state: &State, parts: &Parts, faults: &Faults, rendered: &Rendered) -> Plain {
    let accept = header(parts, &ACCEPT).unwrap_or_default();
    let (content_type, document) = match accept {
        _ if faults.has(&Fault::HtmlOnly) => (HTML, &rendered.html),
        _ if accept.contains(JSON) => (JSON, &rendered.json),
        _ if accept.contains(HTML_V1) => (HTML_V1, &rendered.html),
        _ => (HTML, &rendered.html),
    };
    let Document { etag, plain, gzip } = document;
    let keeps_validators = !faults.has(&Fault::NoValidators);
    let known = header(parts, &IF_NONE_MATCH) == Some(etag) && keeps_validators;
    let packed = plain.len() >= MIN_GZIP_BYTES
        && header(parts, &ACCEPT_ENCODING).is_some_and(|accepted| accepted.contains("gzip"));
    let mut answer = match (known, packed) {
        (true, _) => Plain {
            status: StatusCode::NOT_MODIFIED,
            headers: HeaderMap::new(),
            bytes: Bytes::new(),
        },
        (false, true) => {
            Plain::new(StatusCode::OK, content_type, gzip.clone()).with(CONTENT_ENCODING, "gzip")
        }
        (false, false) => Plain::new(StatusCode::OK, content_type, plain.clone()),
    };
    answer = answer.with(VARY, "Accept, Accept-Encoding");
    if keeps_validators {
        answer = answer.with(ETAG, etag);
    }
    if let Some(seconds) = state.max_age {
        answer = answer.with(CACHE_CONTROL, &format!("max-age={seconds}, public"));
    }
    if let Some(serial) = rendered.serial {
        answer = answer.with(
            HeaderName::from_static("x-pypi-last-serial"),
            &serial.to_string(),
        );
    }
    answer
}

fn file(state: &mut State, parts: &Parts, faults: &Faults, project: &str, filename: &str) -> Plain {
    // The one character of file names that clients may send encoded.
    let filename = &filename.replace("%2B", "+").replace("%2b", "+");
    let mut found = state.catalog.find(project, filename);
    if found.is_none() {
        state.sync_folder();
        found = state.catalog.find(project, filename);
    }
    match found {
        Some(Found::File(entry)) => file_answer(&entry, parts, faults),
        Some(Found::Sidecar(bytes)) => {
            Plain::new(StatusCode::OK, "application/octet-stream", bytes)
        }
        None => Plain::status(StatusCode::NOT_FOUND),
    }
}

fn file_answer(entry: &FileEntry, parts: &Parts, faults: &Faults) -> Plain {
    let whole = entry.bytes.len();
    let range = header(parts, &RANGE).filter(|_| !faults.has(&Fault::NoRange));
    let mut answer = match range.map(|range| parse_range(range, whole)) {
        None => Plain::new(
            StatusCode::OK,
            "application/octet-stream",
            entry.bytes.clone(),
        ),
        Some(Some((first, end))) => {
            let part = entry.bytes.slice(first..end);
            Plain::new(
                StatusCode::PARTIAL_CONTENT,
                "application/octet-stream",
                part,
            )
            .with(CONTENT_RANGE, &format!("bytes {first}-{}/{whole}", end - 1))
        }
        Some(None) => Plain::status(StatusCode::RANGE_NOT_SATISFIABLE)
            .with(CONTENT_RANGE, &format!("bytes */{whole}")),
    };
    if !faults.has(&Fault::NoValidators) {
        answer = answer.with(LAST_MODIFIED, FILE_DATE);
        if let Some(hex) = &entry.sha256 {
            answer = answer.with(ETAG, &format!("\"{hex}\""));
        }
    }
    answer
        .with(ACCEPT_RANGES, "bytes")
        .with(CACHE_CONTROL, "max-age=365000000, immutable, public")
}

/// First byte and the byte after the last, of a single satisfiable range.
fn parse_range(range: &str, whole: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, end) = match (first, last) {
        ("", suffix) => (whole.saturating_sub(suffix.parse().ok()?), whole),
        (first, "") => (first.parse().ok()?, whole),
        (first, last) => (
            first.parse().ok()?,
            last.parse::<usize>().ok()?.saturating_add(1).min(whole),
        ),
    };
    (first < end).then_some((first, end))
}

/// Applies the faults of the body and makes the answer ready to send.
fn finish(mut plain: Plain, faults: &Faults, shared: &Arc<Shared>) -> Response<Body> {
    if let Some(content_type) = faults.find(|fault| {
        if let Fault::ContentType(text) = fault {
            Some(text)
        } else {
            None
        }
    }) {
        plain = plain.with(CONTENT_TYPE, content_type);
    }
    if faults.has(&Fault::WrongBytes) {
        plain.bytes = plain.bytes.iter().map(|byte| !byte).collect();
    }
    if !faults.has(&Fault::NoLength) && plain.status != StatusCode::NOT_MODIFIED {
        plain
            .headers
            .insert(CONTENT_LENGTH, plain.bytes.len().into());
    }
    let body = faulty(&plain.bytes, faults, shared).unwrap_or_else(|| full(plain.bytes));
    let mut response = Response::new(body);
    *response.status_mut() = plain.status;
    *response.headers_mut() = plain.headers;
    response
}

fn header<'a>(parts: &'a Parts, name: &HeaderName) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}
