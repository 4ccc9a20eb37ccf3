//! The simple repository API: project list, project page, refresh.

use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_NONE_MATCH, LOCATION, VARY,
};
use http::{HeaderMap, Response, StatusCode};
use larder_app::{LinkStyle, PageReply, PageRequest};
use larder_pypi::negotiate::{Coding, PageFormat, coding, page_format};

use crate::body::Body;
use crate::conditional::matches_none;
use crate::error::Refusal;
use crate::headers::{CACHE, NOT_SHARED};
use crate::request::{Ask, index_name, project_name};

/// `/{user}/{index}/+simple/{project}/`, and without the slash.
pub(crate) async fn page(
    ask: &Ask,
    user: &str,
    index: &str,
    project: &str,
    slash: bool,
) -> Result<Response<Body>, Refusal> {
    let name = project_name(project)?;
    // Relative links are right only at the canonical address (S-04).
    let canonical = slash && name.as_str() == project;
    let links = if let Some(links) = ask.absolute_links() {
        links
    } else if canonical {
        LinkStyle::Relative
    } else {
        LinkStyle::Rooted(ask.prefix())
    };
    send_page(ask, user, index, name, links, "Accept, Accept-Encoding").await
}

/// `/{user}/{index}/{project}` for an installer (devpi: 0.5).
pub(crate) async fn page_elsewhere(
    ask: &Ask,
    user: &str,
    index: &str,
    project: &str,
) -> Result<Response<Body>, Refusal> {
    let name = project_name(project)?;
    send_page(
        ask,
        user,
        index,
        name,
        ask.absolute_links()
            .unwrap_or_else(|| LinkStyle::Rooted(ask.prefix())),
        "Accept, Accept-Encoding, User-Agent",
    )
    .await
}

async fn send_page(
    ask: &Ask,
    user: &str,
    index: &str,
    project: larder_pypi::ProjectName,
    links: LinkStyle,
    vary: &'static str,
) -> Result<Response<Body>, Refusal> {
    let (format, coding) = wanted(ask)?;
    let request = PageRequest {
        index: index_name(user, index)?,
        project,
        format,
        coding,
        links,
    };
    let caller = ask.reader(&request.index).await?;
    let is_absolute = matches!(request.links, LinkStyle::Absolute { .. });
    let mut page = ask.app().project_page(&caller, request).await?;
    // A shared cache would give it to clients that see the server elsewhere.
    page.max_age = page.max_age.filter(|_| !is_absolute);
    Ok(render(ask, &page, format, coding, vary))
}

fn wanted(ask: &Ask) -> Result<(PageFormat, Coding), Refusal> {
    let format = page_format(ask.accept(), ask.query("format").as_deref())
        .map_err(|error| Refusal::new(StatusCode::NOT_ACCEPTABLE, error.to_string()))?;
    Ok((format, coding(ask.header(&ACCEPT_ENCODING))))
}

fn render(
    ask: &Ask,
    page: &PageReply,
    format: PageFormat,
    coding: Coding,
    vary: &'static str,
) -> Response<Body> {
    let unchanged = ask
        .header(&IF_NONE_MATCH)
        .is_some_and(|tags| matches_none(tags, &page.etag));
    let send = !unchanged && !ask.is_head();
    let mut response = Response::new(if send {
        page.body.clone().into()
    } else {
        Body::empty()
    });
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    put_page_headers(headers, &page.etag, format, coding, vary);
    headers.insert(CACHE_CONTROL, cache_control(page));
    headers.insert(CACHE, HeaderValue::from_static(page.served.as_str()));
    if let Some(serial) = page.last_serial {
        headers.insert(
            HeaderName::from_static("x-pypi-last-serial"),
            HeaderValue::from(serial),
        );
    }
    if ask.is_head() && !unchanged {
        headers.insert(
            http::header::CONTENT_LENGTH,
            HeaderValue::from(page.body.len()),
        );
    }
    response
}

fn put_page_headers(
    headers: &mut HeaderMap,
    etag: &str,
    format: PageFormat,
    coding: Coding,
    vary: &'static str,
) {
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    headers.insert(VARY, HeaderValue::from_static(vary));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    match coding {
        Coding::Identity => {}
        Coding::Gzip => drop(headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"))),
        Coding::Zstd => drop(headers.insert(CONTENT_ENCODING, HeaderValue::from_static("zstd"))),
    }
    // S-42: micropip and the like run in browsers.
    headers.insert(
        HeaderName::from_static("access-control-allow-origin"),
        HeaderValue::from_static("*"),
    );
    headers.insert(
        HeaderName::from_static("access-control-expose-headers"),
        HeaderValue::from_static("X-PyPI-Last-Serial"),
    );
}

/// C-02.
fn cache_control(page: &PageReply) -> HeaderValue {
    match page.max_age {
        _ if !page.is_open => NOT_SHARED,
        Some(secs) => HeaderValue::from_str(&format!("max-age={secs}, public")).unwrap_or(MUST_ASK),
        None => MUST_ASK,
    }
}

const MUST_ASK: HeaderValue = HeaderValue::from_static("max-age=0, must-revalidate");

/// `/{user}/{index}/+simple/`, and without the slash.
pub(crate) async fn list(
    ask: &Ask,
    user: &str,
    index: &str,
    slash: bool,
) -> Result<Response<Body>, Refusal> {
    send_list(ask, user, index, slash, "Accept, Accept-Encoding").await
}

/// `/{user}/{index}` for an installer (devpi: 0.5).
pub(crate) async fn list_elsewhere(
    ask: &Ask,
    user: &str,
    index: &str,
    slash: bool,
) -> Result<Response<Body>, Refusal> {
    send_list(
        ask,
        user,
        index,
        slash,
        "Accept, Accept-Encoding, User-Agent",
    )
    .await
}

async fn send_list(
    ask: &Ask,
    user: &str,
    index: &str,
    slash: bool,
    vary: &'static str,
) -> Result<Response<Body>, Refusal> {
    let (format, coding) = wanted(ask)?;
    let name = index_name(user, index)?;
    // The links of an HTML list need the slash (devpi: 0.6).
    if !slash && format != PageFormat::Json {
        return Ok(redirect(ask, &format!("/{name}/+simple/")));
    }
    let caller = ask.reader(&name).await?;
    let listing = ask.app().project_list(&caller, &name).await?;
    let page = listing.render(format, coding).await?;
    Ok(render(ask, &page, format, coding, vary))
}

/// Elsewhere, for now: never kept (C-02).
pub(crate) fn redirect(ask: &Ask, path: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    if let Ok(target) = HeaderValue::from_str(&ask.absolute(path)) {
        headers.insert(LOCATION, target);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Accept, User-Agent"));
    response
}

/// `POST /{user}/{index}/+simple/{project}/refresh` (devpi: 1.13).
pub(crate) async fn refresh(
    ask: &Ask,
    user: &str,
    index: &str,
    project: &str,
) -> Result<Response<Body>, Refusal> {
    let (name, project) = (index_name(user, index)?, project_name(project)?);
    let caller = ask.identify().await?.caller();
    ask.app().refresh_project(&caller, &name, &project).await?;
    Ok(redirect(ask, &format!("/{name}/+simple/{project}/")))
}
