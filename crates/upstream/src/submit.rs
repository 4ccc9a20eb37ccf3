//! Posting an upload form to another index (devpi: 5.2, standards U).
//!
//! Invariants: one request to one address, no redirect followed, since a
//! redirected upload arrives as something else; a file goes from its source to
//! the wire and is nowhere held whole. Left out: what the fields mean, and
//! what an answer means.

use std::fmt::{self, Write};
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use hyper::ext::ReasonPhrase;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Body, Method, Response};
use url::Url;

use crate::endpoint::{Credentials, Endpoint, without_secrets};
use crate::error::Error;
use crate::headers::text;
use crate::page::within;
use crate::redirect::is_redirect;
use crate::transport::Upstreams;

/// How long to wait while too many uploads go to the same host.
const QUEUE_TIMEOUT: Duration = Duration::from_mins(1);
/// The least time for an upload…
const MIN_TIMEOUT: Duration = Duration::from_mins(1);
/// …and how fast a large one has to go.
const MIN_BYTES_PER_SEC: u64 = 32 * 1024;
/// How much of an answer is read.
const MAX_ANSWER_BYTES: usize = 2048;
/// Old indexes put their words into the reason, new ones into JSON or a text.
const ACCEPT_ANSWER: &str = "application/json, text/plain;q=0.8, */*;q=0.1";

/// A form to post.
#[derive(Debug)]
pub struct Submission {
    /// Text fields, in the order they are sent; a name may be there again.
    pub fields: Vec<(String, String)>,
    /// The field `content`, sent last.
    pub file: Option<FilePart>,
}

/// A file to post.
pub struct FilePart {
    /// The name it is sent under.
    pub filename: String,
    /// Bytes.
    pub len: u64,
    /// The bytes: exactly `len` of them.
    pub bytes: BoxStream<'static, io::Result<Bytes>>,
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePart")
            .field("filename", &self.filename)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// What an index answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// HTTP status.
    pub code: u16,
    /// The reason phrase, unless it is the usual one of its status.
    pub reason: Option<String>,
    /// Where a redirect leads that was not followed.
    pub location: Option<String>,
    /// The beginning of the body, at most 2 KiB.
    pub body: String,
}

impl Upstreams {
    /// Posts a form. Takes at most a minute, or as long as the bytes need at
    /// 32 KiB a second. Any status is an answer.
    ///
    /// # Errors
    /// [`Error::ForbiddenAddress`], [`Error::Unreachable`], [`Error::Timeout`],
    /// [`Error::BadAnswer`] for a URL that is neither http nor https.
    pub async fn submit(
        &self,
        endpoint: &Endpoint,
        url: &Url,
        submission: Submission,
    ) -> Result<Submitted, Error> {
        let url = without_secrets(url.clone());
        let waiting = async { Ok(self.0.files.take(&url).await) };
        let _slot = within(QUEUE_TIMEOUT, &url, waiting).await?;
        let form = Form::of(submission);
        let patience = MIN_TIMEOUT.max(Duration::from_secs(form.len / MIN_BYTES_PER_SEC));
        within(patience, &url, self.post(endpoint, &url, form)).await
    }

    async fn post(&self, endpoint: &Endpoint, url: &Url, form: Form) -> Result<Submitted, Error> {
        let client = self.0.clients.allowed(endpoint, url).await?;
        let request = client
            .post(url.clone())
            .header(ACCEPT, ACCEPT_ANSWER)
            .header(CONTENT_TYPE, form.content_type)
            // Without it the body would come in chunks, which old servers do not read.
            .header(CONTENT_LENGTH, form.len)
            .body(form.body);
        let request = match endpoint.credentials_for(url) {
            Some(Credentials { user, password }) => request.basic_auth(user, Some(password)),
            None => request,
        };
        let answer = request.send().await;
        Ok(read(answer.map_err(|error| Error::unanswered(url, error))?).await)
    }
}

impl Upstreams {
    /// Sends JSON, or nothing, as `method`, and reads the JSON that comes back.
    /// Takes at most a minute. Any status is an answer.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn send_json(
        &self,
        endpoint: &Endpoint,
        method: Method,
        url: &Url,
        json: Option<String>,
    ) -> Result<Submitted, Error> {
        let url = without_secrets(url.clone());
        let sending = async {
            let client = self.0.clients.allowed(endpoint, &url).await?;
            let mut request = client
                .request(method, url.clone())
                .header(ACCEPT, "application/json");
            if let Some(json) = json {
                request = request.header(CONTENT_TYPE, "application/json").body(json);
            }
            if let Some(Credentials { user, password }) = endpoint.credentials_for(&url) {
                request = request.basic_auth(user, Some(password));
            }
            let answer = request.send().await;
            Ok(read(answer.map_err(|error| Error::unanswered(&url, error))?).await)
        };
        within(MIN_TIMEOUT, &url, sending).await
    }
}

/// The status and as much of the rest as came.
async fn read(mut response: Response) -> Submitted {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = response.status();
    let reason = response.extensions().get::<ReasonPhrase>();
    let reason = reason.map(|reason| lossy(reason.as_bytes()));
    let location = text(response.headers(), LOCATION).filter(|_| is_redirect(status));
    let location = location.map(str::to_owned);
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER_BYTES {
        // An answer that breaks off is an answer all the same: its status came.
        let Ok(Some(chunk)) = response.chunk().await else {
            break;
        };
        body.extend_from_slice(&chunk);
    }
    body.truncate(MAX_ANSWER_BYTES);
    Submitted {
        code: status.as_u16(),
        reason,
        location,
        body: lossy(&body),
    }
}

/// A form as it goes over the wire (RFC 7578).
struct Form {
    content_type: String,
    len: u64,
    body: Body,
}

impl Form {
    fn of(submission: Submission) -> Self {
        // No file holds it by chance, and nobody can foresee it.
        let boundary = format!("larder-{:032x}", rand::random::<u128>());
        let mut head = String::new();
        for (name, value) in &submission.fields {
            head.push_str(&part_head(&boundary, &quoted(name)));
            head.push_str("\r\n");
            head.push_str(value);
            head.push_str("\r\n");
        }
        let (mut len, mut content, mut tail) = (0, stream::empty().boxed(), String::new());
        if let Some(file) = submission.file {
            let name = format!("content\"; filename=\"{}", quoted(&file.filename));
            head.push_str(&part_head(&boundary, &name));
            head.push_str("Content-Type: application/octet-stream\r\n\r\n");
            tail.push_str("\r\n");
            (len, content) = (file.len, file.bytes);
        }
        let _ = write!(tail, "--{boundary}--\r\n");
        len += (head.len() + tail.len()) as u64;
        let whole = |text: String| stream::iter([Ok(Bytes::from(text))]);
        let body = whole(head).chain(content).chain(whole(tail));
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            len,
            body: Body::wrap_stream(body),
        }
    }
}

fn part_head(boundary: &str, name: &str) -> String {
    format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n")
}

/// As browsers write names in forms: nothing ends the quotes or the line.
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_leave_their_quotes() {
        assert_eq!(quoted("demo-1.0.tar.gz"), "demo-1.0.tar.gz");
        assert_eq!(quoted("a\"; b\r\nX: y"), "a%22; b%0D%0AX: y");
    }
}
