//! Reading an upload's form: text fields into memory, the file into a spool.
//!
//! Invariant: memory is bounded whatever is sent: fields, their names and
//! their sum have limits, and the file never lies in memory.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::Stream;
use http::StatusCode;
use http_body::Body as _;
use larder_app::{App, IncomingFile};
use multer::{Field, Multipart};

use crate::body::RequestBody;
use crate::error::Refusal;

/// contract/reliability.md, "multipart abuse".
const MAX_FIELDS: usize = 1000;
const MAX_NAME_BYTES: usize = 200;
const MAX_TEXT_BYTES: usize = 10 << 20;
const MAX_FILENAME_BYTES: usize = 1024;
/// Bytes after which a part's head has to be over. The parser would keep all
/// of them.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// What a form brought.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// In the order sent.
    pub(crate) fields: Vec<(String, String)>,
    /// The field `content`.
    pub(crate) file: Option<IncomingFile>,
}

/// The request's body, shared so that what the parser leaves can still be read to the end.
#[derive(Clone)]
pub(crate) struct SharedBody(Arc<Mutex<RequestBody>>);

impl SharedBody {
    pub(crate) fn new(body: RequestBody) -> Self {
        Self(Arc::new(Mutex::new(body)))
    }

    /// Reads what is left, up to a limit: a client that is still sending does
    /// not read the answer (U-02).
    pub(crate) async fn drain(self, limit: u64) {
        let mut left = limit;
        let mut stream = Gentle::new(self);
        while let Some(Ok(chunk)) = stream.next().await {
            stream.unread.reset();
            let Some(rest) = left.checked_sub(chunk.len() as u64) else {
                return;
            };
            left = rest;
        }
    }
}

/// The body as a stream that pauses after every chunk: the multipart parser
/// polls its source until it is pending, and would buffer a whole fast upload.
struct Gentle {
    body: SharedBody,
    pause: bool,
    unread: Unread,
}

/// Bytes that the parser was given since it last gave something back.
#[derive(Clone, Default)]
struct Unread(Arc<AtomicUsize>);

impl Unread {
    fn add(&self, count: usize) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn is_too_much(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MAX_HEAD_BYTES
    }
}

impl Gentle {
    fn new(body: SharedBody) -> Self {
        Self {
            body,
            pause: false,
            unread: Unread::default(),
        }
    }
}

impl Stream for Gentle {
    type Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.unread.is_too_much() {
            return Poll::Ready(Some(Err("the head of a part has no end".into())));
        }
        let shared = self.body.clone();
        let mut body = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match std::task::ready!(Pin::new(&mut *body).poll_frame(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.pause = true;
                        self.unread.add(data.len());
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}

/// Reads a multipart form to its end.
pub(crate) async fn read(
    app: &App,
    body: SharedBody,
    boundary: String,
    max_file: u64,
) -> Result<Form, Refusal> {
    let stream = Gentle::new(body);
    let unread = stream.unread.clone();
    let mut parts = Multipart::new(stream, boundary);
    let (mut form, mut text_left, mut count) = (Form::default(), MAX_TEXT_BYTES, 0);
    while let Some(field) = parts.next_field().await.map_err(malformed)? {
        unread.reset();
        let part = Part {
            field,
            unread: &unread,
        };
        let name = part.field.name().unwrap_or_default().to_owned();
        count += 1;
        if name.len() > MAX_NAME_BYTES || count > MAX_FIELDS {
            return Err(Refusal::bad_request(
                "the form has too many fields, or one with too long a name",
            ));
        }
        if name == "content" {
            if form.file.is_some() {
                return Err(Refusal::bad_request("the form has two 'content' fields"));
            }
            form.file = Some(read_file(app, part, max_file).await?);
        } else if part.field.file_name().is_some() {
            // A signature or the like: nothing that is kept.
            skip(part, max_file).await?;
        } else {
            let text = read_text(part, &mut text_left).await?;
            form.fields.push((name, text));
        }
    }
    Ok(form)
}

/// A part of the form, its content to come.
struct Part<'a> {
    field: Field<'a>,
    unread: &'a Unread,
}

impl Part<'_> {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Refusal> {
        let chunk = self.field.chunk().await.map_err(malformed)?;
        self.unread.reset();
        Ok(chunk)
    }
}

async fn read_file(app: &App, mut part: Part<'_>, limit: u64) -> Result<IncomingFile, Refusal> {
    let filename = part
        .field
        .file_name()
        .map(str::to_owned)
        .unwrap_or_default();
    if filename.is_empty() || filename.len() > MAX_FILENAME_BYTES {
        return Err(Refusal::bad_request(
            "content file field not found: 'content' must be a file with a name",
        ));
    }
    let mut spool = app.upload_spool().await?;
    while let Some(chunk) = part.chunk().await? {
        if spool.len() + chunk.len() as u64 > limit {
            return Err(too_large(limit));
        }
        spool.append(chunk).await.map_err(larder_app::Error::from)?;
    }
    let finished = spool.finish().await.map_err(larder_app::Error::from)?;
    Ok(IncomingFile { filename, finished })
}

async fn read_text(mut part: Part<'_>, left: &mut usize) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await? {
        *left = left.checked_sub(chunk.len()).ok_or_else(|| {
            Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the text fields are larger than {MAX_TEXT_BYTES} bytes"),
            )
        })?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

async fn skip(mut part: Part<'_>, limit: u64) -> Result<(), Refusal> {
    let mut left = limit;
    while let Some(chunk) = part.chunk().await? {
        left = left
            .checked_sub(chunk.len() as u64)
            .ok_or_else(|| too_large(limit))?;
    }
    Ok(())
}

pub(crate) fn too_large(limit: u64) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the upload is larger than the server's limit of {limit} bytes"),
    )
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err wants"
)]
fn malformed(error: multer::Error) -> Refusal {
    tracing::debug!(%error, "an upload's form is malformed");
    Refusal::bad_request("the form is malformed or broke off")
}

/// Reads an `application/x-www-form-urlencoded` form: old clients register so.
pub(crate) async fn read_urlencoded(body: SharedBody) -> Result<Form, Refusal> {
    let mut bytes = Vec::new();
    let mut stream = Gentle::new(body);
    while let Some(chunk) = stream.next().await {
        stream.unread.reset();
        let chunk = chunk.map_err(|_| Refusal::bad_request("the form broke off"))?;
        if bytes.len() + chunk.len() > MAX_TEXT_BYTES {
            return Err(too_large(MAX_TEXT_BYTES as u64));
        }
        bytes.extend_from_slice(&chunk);
    }
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&bytes)
        .into_owned()
        .take(MAX_FIELDS + 1)
        .collect();
    if fields.len() > MAX_FIELDS {
        return Err(Refusal::bad_request("the form has too many fields"));
    }
    Ok(Form { fields, file: None })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use futures_util::StreamExt;
    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{BodyExt, StreamBody};
    use multer::Multipart;

    use super::{Gentle, MAX_HEAD_BYTES, SharedBody};

    /// A body that goes on for ever after its start, and how much of it was read.
    fn endless(start: &'static [u8], more: &'static [u8]) -> (SharedBody, Arc<AtomicUsize>) {
        let read = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&read);
        let chunks = stream::iter([start]).chain(stream::repeat(more));
        let frames = chunks.map(move |chunk| {
            count.fetch_add(chunk.len(), Ordering::Relaxed);
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Frame::data(Bytes::from_static(
                chunk,
            )))
        });
        let body = StreamBody::new(Box::pin(frames)).boxed_unsync();
        (SharedBody::new(body), read)
    }

    #[tokio::test]
    async fn f63_a_head_without_end_is_not_kept() {
        let noise: &[u8] = &[b'x'; 4000];
        let spaces: &[u8] = &[b' '; 4000];
        for (start, more) in [
            (&b"--b\r\nX: "[..], noise),
            (b"--b\r\nContent-Disposition: form-data; name=\"", noise),
            (b"--b\r\n", b"X: y\r\n"),
            (b"a preamble", noise),
            (b"--b", spaces),
        ] {
            let (body, read) = endless(start, more);
            let mut parts = Multipart::new(Gentle::new(body), "b");
            assert!(parts.next_field().await.is_err(), "{start:?}");
            let read = read.load(Ordering::Relaxed);
            assert!(read < 2 * MAX_HEAD_BYTES, "{start:?}: {read}");
        }
    }
}
