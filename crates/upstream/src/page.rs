//! Project pages and the project list (P-01 to P-05).
//!
//! Invariant: one deadline for everything, from waiting for a slot to having
//! read the last byte, so that an upstream that drips is no slower than one
//! that hangs (H02, H03). A page counts only if all of it was understood.

use std::time::Duration;

use bytes::Bytes;
use larder_pypi::ProjectName;
use larder_pypi::simple::{PageError, ProjectPage, html, json};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue,
};
use url::Url;

use crate::body::collect;
use crate::endpoint::{Endpoint, Validators};
use crate::error::{Error, host_of};
use crate::headers::{max_age, media_type, number, retry_after, text};
use crate::inflate::{InflateError, inflate};
use crate::transport::{Reply, Upstreams};

/// P-01.
const ACCEPT_PAGE: HeaderValue = HeaderValue::from_static(
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",
);
const ACCEPT_HTML: HeaderValue = HeaderValue::from_static("text/html");
const SERIAL: HeaderName = HeaderName::from_static("x-pypi-last-serial");
/// The least time for a project list, which may be tens of megabytes (devpi: 7.1).
const LIST_TIMEOUT: Duration = Duration::from_secs(30);
/// Longer pages are read on a thread that may block.
const MAX_INLINE_BYTES: usize = 256 * 1024;

/// What an upstream says about a project page.
#[derive(Debug)]
pub enum PageAnswer {
    /// This.
    Fresh(Box<FreshPage>),
    /// What the validators stand for.
    NotModified {
        /// How long that may be taken as fresh.
        max_age: Option<Duration>,
    },
    /// There is no such project (404, 410).
    Missing,
}

/// A project page, fetched and understood.
#[derive(Debug)]
pub struct FreshPage {
    /// The page; URLs are absolute.
    pub page: ProjectPage,
    /// For the next request.
    pub validators: Validators,
    /// `X-PyPI-Last-Serial`, or what the page itself says. That it may go
    /// backwards is the caller's business (P-06).
    pub serial: Option<u64>,
    /// What is left of the upstream's `max-age`.
    pub max_age: Option<Duration>,
}

impl Upstreams {
    /// Asks for a project page, conditionally if there are validators. Takes
    /// at most the request timeout.
    ///
    /// # Errors
    /// Every [`Error`] but [`Error::Setup`]; a project that is not there is an answer.
    pub async fn project_page(
        &self,
        endpoint: &Endpoint,
        project: &ProjectName,
        validators: &Validators,
    ) -> Result<PageAnswer, Error> {
        let url = endpoint.page_url(project);
        let asking = self.ask_page(endpoint, &url, project, validators);
        within(self.0.settings.request_timeout, &url, asking).await
    }

    /// Asks for the names of all projects, in the upstream's order. May be
    /// large; takes at most the request timeout or 30 s, whichever is longer.
    ///
    /// # Errors
    /// Every [`Error`] but [`Error::Setup`].
    pub async fn project_list(&self, endpoint: &Endpoint) -> Result<Vec<ProjectName>, Error> {
        let url = endpoint.list_url();
        let asking = async {
            let _slot = self.0.pages.take(url).await;
            let reply = self.get_page(endpoint, url, HeaderMap::new()).await?;
            if reply.response.status() != 200 {
                return Err(refused(&reply));
            }
            self.read(reply, |document| match document.format {
                Format::Json => json::read_project_list_json(&document.text),
                Format::Html => html::read_project_list_html(&document.text),
            })
            .await
        };
        within(
            self.0.settings.request_timeout.max(LIST_TIMEOUT),
            url,
            asking,
        )
        .await
    }

    async fn ask_page(
        &self,
        endpoint: &Endpoint,
        url: &Url,
        project: &ProjectName,
        validators: &Validators,
    ) -> Result<PageAnswer, Error> {
        let _slot = self.0.pages.take(url).await;
        let mut headers = HeaderMap::new();
        validators.add_to(&mut headers);
        let mut reply = self.get_page(endpoint, url, headers).await?;
        if reply.response.status() == 304 && validators.is_empty() {
            // H43: somebody between us answers for a copy that we do not have.
            let past_caches =
                HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-cache"))]);
            reply = self.get_page(endpoint, url, past_caches).await?;
        }
        match reply.response.status().as_u16() {
            200 => self.read_page(reply, project).await,
            304 if !validators.is_empty() => Ok(PageAnswer::NotModified {
                max_age: max_age(reply.response.headers()),
            }),
            404 | 410 => Ok(PageAnswer::Missing),
            _ => Err(refused(&reply)),
        }
    }

    /// Asks for a document of the simple API, once more for plain HTML if the
    /// upstream knows nothing better (P-01).
    async fn get_page(
        &self,
        endpoint: &Endpoint,
        url: &Url,
        mut headers: HeaderMap,
    ) -> Result<Reply, Error> {
        headers.insert(ACCEPT, ACCEPT_PAGE);
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let reply = self.get(endpoint, url, &headers).await?;
        if reply.response.status() != 406 {
            return Ok(reply);
        }
        headers.insert(ACCEPT, ACCEPT_HTML);
        self.get(endpoint, url, &headers).await
    }

    async fn read_page(&self, reply: Reply, project: &ProjectName) -> Result<PageAnswer, Error> {
        let headers = reply.response.headers();
        let (validators, max_age) = (Validators::of(headers), max_age(headers));
        let serial = number(headers, SERIAL);
        let (project, base) = (project.clone(), reply.url.clone());
        let page = self
            .read(reply, move |document| match document.format {
                Format::Json => json::read_json(&document.text, &project, &base),
                Format::Html => html::read_html(&document.text, &project, &base),
            })
            .await?;
        let serial = serial.or(page.last_serial);
        Ok(PageAnswer::Fresh(Box::new(FreshPage {
            page,
            validators,
            serial,
            max_age,
        })))
    }

    /// Takes in the body, inflates it and reads it, off the runtime if that may take long.
    async fn read<T: Send + 'static>(
        &self,
        Reply { response, url }: Reply,
        reader: impl FnOnce(Document) -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, Error> {
        let limit = self.0.settings.max_page_bytes;
        let (format, packed) = (
            Format::of(&response, &url)?,
            is_packed(response.headers(), &url)?,
        );
        let body = collect(response, &url, limit).await?;
        let long = packed || body.len() > MAX_INLINE_BYTES;
        let work = move || {
            let text = if packed {
                unpack(&body, &url, limit)?
            } else {
                body
            };
            reader(Document { format, text }).map_err(|error| Error::bad_page(&url, error))
        };
        if !long {
            return work();
        }
        match tokio::task::spawn_blocking(work).await {
            Ok(read) => read,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}

/// A body as text of a known format.
struct Document {
    format: Format,
    text: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Html,
}

impl Format {
    fn of(response: &reqwest::Response, url: &Url) -> Result<Self, Error> {
        let found = media_type(response.headers());
        match found.as_deref() {
            Some("application/vnd.pypi.simple.v1+json") => Ok(Self::Json),
            Some("application/vnd.pypi.simple.v1+html" | "text/html") => Ok(Self::Html),
            Some("application/json") => {
                tracing::warn!(upstream = %host_of(url), "the upstream calls its page application/json, which installers do not read");
                Ok(Self::Json)
            }
            _ => Err(Error::bad_answer(
                url,
                "it is neither JSON nor HTML of the simple API",
            )),
        }
    }
}

fn is_packed(headers: &HeaderMap, url: &Url) -> Result<bool, Error> {
    match text(headers, CONTENT_ENCODING)
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None | Some("" | "identity") => Ok(false),
        Some("gzip" | "x-gzip") => Ok(true),
        Some(_) => Err(Error::bad_answer(
            url,
            "it has an encoding that was not asked for",
        )),
    }
}

fn unpack(body: &[u8], url: &Url, limit: u64) -> Result<Bytes, Error> {
    inflate(body, limit)
        .map(Bytes::from)
        .map_err(|error| match error {
            InflateError::TooLarge => Error::TooLarge {
                host: host_of(url),
                limit,
            },
            InflateError::Broken => Error::bad_answer(url, "its gzip is broken"),
        })
}

pub(crate) fn refused(reply: &Reply) -> Error {
    Error::Status {
        host: host_of(&reply.url),
        code: reply.response.status().as_u16(),
        retry_after: retry_after(reply.response.headers()),
    }
}

/// The outcome of asking, or [`Error::Timeout`].
pub(crate) async fn within<T>(
    limit: Duration,
    url: &Url,
    asking: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, asking)
        .await
        .unwrap_or_else(|_| Err(Error::timeout(url)))
}
