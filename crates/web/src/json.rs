//! devpi's JSON: the envelope of answers, the bodies of requests.

use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, VARY};
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};

use crate::body::{Body, RequestBody};
use crate::error::Refusal;
use crate::headers::NOT_SHARED;
use crate::request::Ask;

/// Largest JSON body looked at, in bytes.
const MAX_JSON_BYTES: usize = 1 << 20;

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

/// Reads a JSON body. The type is required, so that no form of a foreign site can send one.
pub(crate) async fn read(ask: &Ask, body: RequestBody) -> Result<Value, Refusal> {
    let bytes = read_bytes(ask, body, MAX_JSON_BYTES).await?;
    serde_json::from_slice(&bytes)
        .map_err(|_| Refusal::bad_request("Bad request: could not decode json"))
}

/// A JSON body as it was sent.
pub(crate) async fn read_bytes(
    ask: &Ask,
    body: RequestBody,
    limit: usize,
) -> Result<Bytes, Refusal> {
    if is_json(ask) {
        return collect(body, limit).await;
    }
    drain(body).await;
    let message = "send the body as JSON, with the header Content-Type: application/json";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// Reads a JSON body that must be an object.
pub(crate) async fn read_object(
    ask: &Ask,
    body: RequestBody,
) -> Result<Map<String, Value>, Refusal> {
    match read(ask, body).await? {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal::bad_request(
            "Bad request: the body must be a JSON object",
        )),
    }
}

/// All of a body, up to a limit.
pub(crate) async fn collect(mut body: RequestBody, limit: usize) -> Result<Bytes, Refusal> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::bad_request("the body broke off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > limit {
            return Err(Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is larger than {limit} bytes"),
            ));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// Reads a small body to its end, so that the client reads the answer.
async fn drain(mut body: RequestBody) {
    let mut left = MAX_JSON_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else {
            return;
        };
        left = rest;
    }
}
