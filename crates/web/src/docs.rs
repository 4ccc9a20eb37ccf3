//! `…/{version}/+doc/{path}`: the pages of documentation (devpi: 6.2).

use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH,
    LAST_MODIFIED,
};
use http::{HeaderMap, Response, StatusCode};
use larder_app::{DocReply, DocVersion};

use crate::body::Body;
use crate::conditional::matches_none;
use crate::error::Refusal;
use crate::files::body;
use crate::request::{Ask, index_name, project_name};
use crate::simple::redirect;

/// Which documentation: project and version as in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DocAddress<'a> {
    pub(crate) user: &'a str,
    pub(crate) index: &'a str,
    pub(crate) project: &'a str,
    pub(crate) version: &'a str,
}

/// Uploaded pages never run as this site: an origin of their own, no cookies
/// (L28). Scripts may run there, for the search of documentation.
const SANDBOX: HeaderValue =
    HeaderValue::from_static("sandbox allow-scripts allow-popups allow-forms");

pub(crate) async fn get(
    ask: &Ask,
    address: DocAddress<'_>,
    path: &[&str],
) -> Result<Response<Body>, Refusal> {
    let name = index_name(address.user, address.index)?;
    let project = project_name(address.project)?;
    let version = DocVersion::parse(address.version);
    let path = path.join("/");
    let caller = ask.reader(&name).await?;
    let page = ask
        .app()
        .documentation(&caller, &name, &project, &version, &path)
        .await?;
    let etag = format!("\"{}\"", page.digest);
    let unchanged = ask
        .header(&IF_NONE_MATCH)
        .is_some_and(|tags| matches_none(tags, &etag));
    let mut response = if unchanged || ask.is_head() {
        Response::new(Body::empty())
    } else {
        Response::new(body(page.open().await?))
    };
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else if ask.is_head() {
        let size = HeaderValue::from(page.size);
        response.headers_mut().insert(CONTENT_LENGTH, size);
    }
    put_headers(response.headers_mut(), &page, &etag, &path);
    Ok(response)
}

fn put_headers(headers: &mut HeaderMap, page: &DocReply, etag: &str, path: &str) {
    let texts = [
        (ETAG, etag),
        (LAST_MODIFIED, page.last_modified.as_str()),
        (CONTENT_TYPE, &content_type(path)),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    }
    let cacheable = if page.is_open {
        "max-age=60, public"
    } else {
        "max-age=60, private"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cacheable));
    headers.insert(HeaderName::from_static("content-security-policy"), SANDBOX);
}

/// By the name of the page.
fn content_type(path: &str) -> String {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    if kind.type_() == mime_guess::mime::TEXT {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_string()
    }
}

/// The first page (devpi: 6.2). `+d`, devpi's framed view, leads here too.
pub(crate) fn to_pages(ask: &Ask, address: DocAddress<'_>, path: &[&str]) -> Response<Body> {
    let path = match path {
        [] | [""] => larder_app::DOC_INDEX.to_owned(),
        path => path.join("/"),
    };
    let DocAddress {
        user,
        index,
        project,
        version,
    } = address;
    let encoded = larder_app::encoded_path(&[user, index, project, version, "+doc", &path]);
    redirect(ask, &encoded)
}
