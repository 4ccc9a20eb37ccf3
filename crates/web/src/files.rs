//! `+f` and `+e`: files and their metadata sidecars.

use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE, VARY,
};
use http::{Response, StatusCode};
use larder_app::{FileBody, FileDetails, FilePath, FileReply};
use larder_pypi::negotiate::prefers_json_api;
use serde_json::{Map, Value, json};

use crate::body::Body;
use crate::conditional::{Part, matches_none, part, range_stands};
use crate::error::Refusal;
use crate::json;
use crate::request::{Ask, index_name};

/// C-02: the bytes at such an address never change.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("max-age=365000000, immutable, public");
/// The same for whoever was allowed to have them, and no cache between (P10).
const IMMUTABLE_PRIVATE: HeaderValue =
    HeaderValue::from_static("max-age=365000000, immutable, private");

fn immutable(is_open: bool) -> HeaderValue {
    if is_open {
        IMMUTABLE
    } else {
        IMMUTABLE_PRIVATE
    }
}

pub(crate) async fn get(
    ask: &Ask,
    user: &str,
    index: &str,
    area: &str,
    path: &[&str],
) -> Result<Response<Body>, Refusal> {
    let name = index_name(user, index)?;
    let path = FilePath::from_segments(area, path).ok_or_else(no_file)?;
    let caller = ask.reader(&name).await?;
    let sidecar = path
        .filename
        .strip_suffix(".metadata")
        .map(|filename| FilePath {
            filename: filename.to_owned(),
            ..path.clone()
        });
    if let Some(path) = sidecar {
        let reply = Box::pin(ask.app().sidecar(&caller, &name, &path)).await?;
        let cacheable = immutable(reply.is_open);
        let mut response = whole(ask, &format!("\"{}\"", reply.digest), reply.body, cacheable);
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        );
        return Ok(response);
    }
    if prefers_json_api(ask.accept()) {
        let details = ask.app().file_details(&caller, &name, &path).await?;
        return Ok(describe(ask, &details));
    }
    let file = ask.app().file(&caller, &name, &path).await?;
    match file.external_url() {
        Some(url) => Ok(elsewhere(&url)),
        None => send(ask, &file).await,
    }
}

/// devpi: `mirror_use_external_urls`, for files that are not here.
fn elsewhere(url: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    if let Ok(url) = HeaderValue::from_str(url) {
        headers.insert(LOCATION, url);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(crate) async fn delete(
    ask: &Ask,
    user: &str,
    index: &str,
    area: &str,
    path: &[&str],
) -> Result<Response<Body>, Refusal> {
    let name = index_name(user, index)?;
    let path = FilePath::from_segments(area, path).ok_or_else(no_file)?;
    let caller = ask.caller().await?;
    ask.app()
        .remove_file(&caller, &name, &path, ask.flag("force"))
        .await?;
    Ok(json::message(
        ask,
        StatusCode::OK,
        &format!("package '{name}/{path}' deleted"),
    ))
}

pub(crate) fn no_file() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "no such file")
}

/// devpi's metadata of a file (devpi: 1.11), for clients that prefer JSON.
fn describe(ask: &Ask, file: &FileDetails) -> Response<Body> {
    let hashes: Map<String, Value> = file
        .hashes
        .iter()
        .map(|(algorithm, hex)| (algorithm.to_owned(), json!(hex)))
        .collect();
    let mut result = json!({
        "hash_spec": file.hash_spec,
        "hashes": hashes,
        "project": file.project,
        "version": file.version,
    });
    let more = [("last_modified", &file.last_modified), ("url", &file.url)];
    if let Some(result) = result.as_object_mut() {
        for (key, value) in more {
            if let Some(value) = value {
                result.insert(key.to_owned(), json!(value));
            }
        }
    }
    json::reply(ask, StatusCode::OK, "releasefilemeta", &result, None)
}

async fn send(ask: &Ask, file: &FileReply) -> Result<Response<Body>, Refusal> {
    let meta = &file.meta;
    let etag = meta.digest.map(|digest| format!("\"{digest}\""));
    let unchanged = ask
        .header(&IF_NONE_MATCH)
        .zip(etag.as_deref())
        .is_some_and(|(tags, etag)| matches_none(tags, etag));
    if unchanged {
        return Ok(answer(
            file,
            etag.as_deref(),
            StatusCode::NOT_MODIFIED,
            Body::empty(),
        ));
    }
    let stands = range_stands(
        ask.header(&IF_RANGE),
        etag.as_deref(),
        meta.last_modified.as_deref(),
    );
    let range = ask.header(&RANGE).filter(|_| stands);
    match (
        meta.size.map(|size| (part(range, size), size)),
        ask.is_head(),
    ) {
        (Some((Part::Beyond, size)), _) => Ok(beyond(file, etag.as_deref(), size)),
        // RFC 9110: ranges are defined for GET alone.
        (Some((_, size)), true) => {
            let mut response = answer(file, etag.as_deref(), StatusCode::OK, Body::empty());
            response
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from(size));
            Ok(response)
        }
        (Some((Part::Bytes(range), size)), false) => {
            let shown = format!(
                "bytes {}-{}/{size}",
                range.start,
                range.end.saturating_sub(1)
            );
            let body = body(file.open(Some(range)).await?);
            let mut response = answer(file, etag.as_deref(), StatusCode::PARTIAL_CONTENT, body);
            if let Ok(shown) = HeaderValue::from_str(&shown) {
                response.headers_mut().insert(CONTENT_RANGE, shown);
            }
            Ok(response)
        }
        (_, head) => {
            let opened = body(file.open(None).await?);
            Ok(answer(
                file,
                etag.as_deref(),
                StatusCode::OK,
                if head { headless(opened) } else { opened },
            ))
        }
    }
}

pub(crate) fn body(opened: FileBody) -> Body {
    match opened {
        FileBody::Whole(bytes) => bytes.into(),
        FileBody::Stream { len, bytes } => Body::Stream { left: len, bytes },
    }
}

/// A `HEAD` whose length only the upstream knows: the length stays, the bytes go.
fn headless(body: Body) -> Body {
    match body {
        Body::Stream { left, .. } => Body::Stream {
            left,
            bytes: Box::pin(futures_util::stream::empty()),
        },
        Body::Whole(_) => body,
    }
}

fn answer(file: &FileReply, etag: Option<&str>, status: StatusCode, body: Body) -> Response<Body> {
    let meta = &file.meta;
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(content_type(&meta.filename)),
    );
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, immutable(file.is_open));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        headers.insert(ETAG, etag);
    }
    if let Some(date) = meta
        .last_modified
        .as_deref()
        .and_then(|date| HeaderValue::from_str(date).ok())
    {
        headers.insert(LAST_MODIFIED, date);
    }
    // What was uploaded never runs as this site (L28).
    headers.insert(
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    headers.insert(
        HeaderName::from_static("access-control-allow-origin"),
        HeaderValue::from_static("*"),
    );
    response
}

fn beyond(file: &FileReply, etag: Option<&str>, size: u64) -> Response<Body> {
    let mut response = answer(file, etag, StatusCode::RANGE_NOT_SATISFIABLE, Body::empty());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(shown) = HeaderValue::from_str(&format!("bytes */{size}")) {
        headers.insert(CONTENT_RANGE, shown);
    }
    response
}

/// Bytes at hand, or that the client has them.
pub(crate) fn whole(
    ask: &Ask,
    etag: &str,
    bytes: bytes::Bytes,
    cacheable: HeaderValue,
) -> Response<Body> {
    let unchanged = ask
        .header(&IF_NONE_MATCH)
        .is_some_and(|tags| matches_none(tags, etag));
    let size = bytes.len();
    let mut response = Response::new(if unchanged || ask.is_head() {
        Body::empty()
    } else {
        bytes.into()
    });
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, cacheable);
    headers.insert(
        HeaderName::from_static("access-control-allow-origin"),
        HeaderValue::from_static("*"),
    );
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    if ask.is_head() && !unchanged {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
    }
    response
}

/// devpi's types by name; never a `Content-Encoding`, or clients unpack what
/// they are about to hash (F-02).
fn content_type(filename: &str) -> &'static str {
    let lower = filename.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|end| lower.ends_with(end));
    if ends(&[".zip"]) {
        "application/zip"
    } else if ends(&[".tar.gz", ".tgz", ".tar.bz2", ".tar"]) {
        "application/x-tar"
    } else {
        "application/octet-stream"
    }
}
