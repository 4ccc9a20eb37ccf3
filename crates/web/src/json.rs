//! devpi's JSON: the envelope of answers, the bodies of requests.

use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, VARY};
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use larder_model::{Caller, MAX_VALUES, Outline};
use serde_json::{Map, Value, json};

use crate::body::{Body, RequestBody};
use crate::error::Refusal;
use crate::headers::NOT_SHARED;
use crate::request::Ask;

/// Largest JSON body looked at, in bytes: read, it takes many times as much.
const MAX_JSON_BYTES: usize = 1 << 20;
/// The same of somebody unknown: a login, a registration.
const MAX_STRANGERS_BYTES: usize = 64 << 10;
/// How much of a body that is too large is read, so that the client reads the answer.
const DRAIN_BYTES: usize = 32 << 20;

/// `{"result": …, "type": …, "message": …}` (devpi: 0.2).
pub(crate) fn reply(
    ask: &Ask,
    status: StatusCode,
    kind: &str,
    result: &Value,
    message: Option<&str>,
) -> Response<Body> {
    let mut envelope = json!({"result": result, "type": kind});
    if let (Some(message), Some(envelope)) = (message, envelope.as_object_mut()) {
        envelope.insert("message".to_owned(), json!(message));
    }
    write(ask, status, &envelope)
}

/// `{"message": …}`.
pub(crate) fn message(ask: &Ask, status: StatusCode, text: &str) -> Response<Body> {
    write(ask, status, &json!({"message": text}))
}

fn write(ask: &Ask, status: StatusCode, envelope: &Value) -> Response<Body> {
    let body = format!("{envelope:#}\n");
    let mut response = Response::new(if ask.is_head() {
        Body::empty()
    } else {
        body.into()
    });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // Exactly this: devpi-client compares it.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let cacheable = if ask.credentials().is_some() {
        NOT_SHARED
    } else {
        HeaderValue::from_static("max-age=0, must-revalidate")
    };
    headers.insert(CACHE_CONTROL, cacheable);
    headers.insert(VARY, HeaderValue::from_static("Accept, User-Agent"));
    response
}

/// Whether the body is said to be JSON.
pub(crate) fn is_json(ask: &Ask) -> bool {
    let kind = ask.header(&CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// Who asks, and a JSON body. Who comes first, since strangers get less room.
pub(crate) async fn read(ask: &Ask, body: RequestBody) -> Result<(Caller, Value), Refusal> {
    let caller = match ask.caller().await {
        Ok(caller) => caller,
        Err(refusal) => {
            drain(body).await;
            return Err(refusal);
        }
    };
    let limit = match caller {
        Caller::Anonymous => MAX_STRANGERS_BYTES,
        Caller::User { .. } => MAX_JSON_BYTES,
    };
    let body = parse(&read_bytes(ask, body, limit).await?)?;
    Ok((caller, body))
}

/// Who asks, and a JSON body that must be an object.
pub(crate) async fn read_object(
    ask: &Ask,
    body: RequestBody,
) -> Result<(Caller, Map<String, Value>), Refusal> {
    let (caller, body) = read(ask, body).await?;
    Ok((caller, object(body)?))
}

/// A JSON object from anybody, whatever credentials come along.
pub(crate) async fn read_strangers_object(
    ask: &Ask,
    body: RequestBody,
) -> Result<Map<String, Value>, Refusal> {
    object(parse(&read_bytes(ask, body, MAX_STRANGERS_BYTES).await?)?)
}

/// What would take far more memory than its text is not even begun.
fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    if Outline::of(bytes).is_too_much() {
        return Err(Refusal::bad_request(format!(
            "Bad request: more than {MAX_VALUES} values"
        )));
    }
    serde_json::from_slice(bytes)
        .map_err(|_| Refusal::bad_request("Bad request: could not decode json"))
}

fn object(body: Value) -> Result<Map<String, Value>, Refusal> {
    match body {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal::bad_request(
            "Bad request: the body must be a JSON object",
        )),
    }
}

/// The type is required, so that no form of a foreign site can send JSON.
pub(crate) fn require(ask: &Ask) -> Result<(), Refusal> {
    if is_json(ask) {
        return Ok(());
    }
    let message = "send the body as JSON, with the header Content-Type: application/json";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// A JSON body as it was sent.
async fn read_bytes(ask: &Ask, body: RequestBody, limit: usize) -> Result<Bytes, Refusal> {
    if let Err(refusal) = require(ask) {
        drain(body).await;
        return Err(refusal);
    }
    let mut chunks = Chunks::new(body, limit);
    let mut bytes = BytesMut::new();
    while let Some(chunk) = chunks.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// A body piece by piece, up to a limit.
pub(crate) struct Chunks {
    body: RequestBody,
    limit: usize,
    left: usize,
}

impl Chunks {
    pub(crate) fn new(body: RequestBody, limit: usize) -> Self {
        Self {
            body,
            limit,
            left: limit,
        }
    }

    /// The next piece; past the limit a refusal, once the client listens to it.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|_| Refusal::bad_request("the body broke off"))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if let Some(left) = self.left.checked_sub(data.len()) {
                self.left = left;
                return Ok(Some(data));
            }
            drop(data);
            drain_rest(&mut self.body).await;
            return Err(Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is larger than {} bytes", self.limit),
            ));
        }
        Ok(None)
    }
}

/// Reads a body to its end, unless that is far: a client that is still sending
/// does not read the answer.
pub(crate) async fn drain(mut body: RequestBody) {
    drain_rest(&mut body).await;
}

async fn drain_rest(body: &mut RequestBody) {
    let mut left = DRAIN_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else {
            return;
        };
        left = rest;
    }
}
