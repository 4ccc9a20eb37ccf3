//! Files and their small companions (P-08, P-09).
//!
//! Invariant: the bytes are those on the wire, never decoded, and start where
//! the caller wants them to start. Left out: hashes and sizes that a page
//! announces, which the caller checks.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LAST_MODIFIED, RANGE,
};
use url::Url;

use crate::body::{collect, follow};
use crate::endpoint::Endpoint;
use crate::error::{Error, host_of};
use crate::headers::{content_range, put, text};
use crate::page::{refused, within};
use crate::transport::{Reply, Upstreams};

/// The least time for the headers of a file.
const MIN_HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait while too many files come from the same host.
const QUEUE_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a body may be silent.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A file that has begun to come.
pub struct FileAnswer {
    /// Bytes of the whole file, however much of it was asked for, if known.
    pub len: Option<u64>,
    /// `Last-Modified`, as sent.
    pub last_modified: Option<String>,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// The bytes from where it was asked for. Ends in an error if the file
    /// does not come to its end, or nothing comes for 30 s.
    pub body: BoxStream<'static, Result<Bytes, Error>>,
}

impl fmt::Debug for FileAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileAnswer")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl Upstreams {
    /// Opens a file, from the byte `resume` on if that is given. Waits for the
    /// headers at most the request timeout or 5 s, whichever is longer.
    ///
    /// # Errors
    /// Every [`Error`] but [`Error::Setup`]; a file that is not there
    /// [is missing](Error::is_missing).
    pub async fn open_file(
        &self,
        endpoint: &Endpoint,
        url: &Url,
        resume: Option<u64>,
    ) -> Result<FileAnswer, Error> {
        let waiting = async { Ok(self.0.files.take(url).await) };
        let slot = within(QUEUE_TIMEOUT, url, waiting).await?;
        let mut headers = plain_headers();
        put(
            &mut headers,
            RANGE,
            resume.map(|first| format!("bytes={first}-")).as_deref(),
        );
        let patience = self.0.settings.request_timeout.max(MIN_HEADER_TIMEOUT);
        let reply = within(patience, url, self.get(endpoint, url, &headers)).await?;
        let (len, skip) = placed(&reply, resume)?;
        let headers = reply.response.headers();
        let (last_modified, content_type) =
            (text(headers, LAST_MODIFIED), text(headers, CONTENT_TYPE));
        Ok(FileAnswer {
            len,
            last_modified: last_modified.map(str::to_owned),
            content_type: content_type.map(str::to_owned),
            body: follow(
                Box::pin(reply.response.bytes_stream()),
                host_of(&reply.url),
                skip,
                READ_TIMEOUT,
                slot,
            ),
        })
    }

    /// Fetches something small, like a `.metadata` sidecar, whole. Takes at
    /// most the request timeout or 5 s, whichever is longer.
    ///
    /// # Errors
    /// As [`Self::open_file`], and [`Error::TooLarge`] beyond `limit` bytes.
    pub async fn fetch_small(
        &self,
        endpoint: &Endpoint,
        url: &Url,
        limit: u64,
    ) -> Result<Bytes, Error> {
        let patience = self.0.settings.request_timeout.max(MIN_HEADER_TIMEOUT);
        let fetching = async {
            let _slot = self.0.pages.take(url).await;
            let reply = self.get(endpoint, url, &plain_headers()).await?;
            if reply.response.status() != 200 {
                return Err(refused(&reply));
            }
            collect(reply.response, &reply.url, limit).await
        };
        within(patience, url, fetching).await
    }
}

fn plain_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("*/*")),
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
    ])
}

/// The length of the whole file, and how many bytes of the body to skip
/// because the upstream started before the place that was asked for.
fn placed(reply: &Reply, resume: Option<u64>) -> Result<(Option<u64>, u64), Error> {
    let response = &reply.response;
    match (response.status().as_u16(), resume) {
        (200, resume) => Ok((response.content_length(), resume.unwrap_or_default())),
        (206, Some(wanted)) => match content_range(response.headers()) {
            Some((first, len)) if first == wanted => Ok((len, 0)),
            _ => Err(Error::bad_answer(
                &reply.url,
                "it is another part of the file than was asked for",
            )),
        },
        _ => Err(refused(reply)),
    }
}
