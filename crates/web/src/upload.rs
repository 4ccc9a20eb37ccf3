//! `POST /{user}/{index}`: uploads (devpi: 4, standards U).

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use larder_app::{Arrived, Uploaded};
use larder_pypi::upload_form::UploadForm;

use crate::body::{Body, RequestBody};
use crate::error::{Refusal, put_reason};
use crate::multipart::{self, Form, SharedBody, too_large};
use crate::request::{Ask, index_name};

/// How much of a refused body is read, so that the client reads the answer.
const DRAIN_BYTES: u64 = 256 << 20;

/// RFC 2046, 5.1.1.
const MAX_BOUNDARY: usize = 70;

pub(crate) async fn post(
    ask: &Ask,
    user: &str,
    index: &str,
    body: RequestBody,
) -> Result<Response<Body>, Refusal> {
    let limit = ask.app().settings().max_body_bytes;
    let announced = ask
        .header(&CONTENT_LENGTH)
        .and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > limit) {
        return Err(too_large(limit).in_reason());
    }
    let body = SharedBody::new(body);
    match receive(ask, user, index, body.clone(), limit).await {
        Ok(uploaded) => Ok(accepted(uploaded)),
        Err(refusal) => {
            if refusal.status() != StatusCode::PAYLOAD_TOO_LARGE {
                body.drain(limit.min(DRAIN_BYTES)).await;
            }
            Err(refusal.in_reason())
        }
    }
}

async fn receive(
    ask: &Ask,
    user: &str,
    index: &str,
    body: SharedBody,
    limit: u64,
) -> Result<Uploaded, Refusal> {
    let name = index_name(user, index)?;
    let kind = kind(ask)?;
    let caller = ask.caller().await?;
    // Before the body: a stranger's bytes are not even spooled.
    let grant = ask.app().begin_upload(&caller, &name).await?;
    let form = match kind {
        Kind::Multipart(boundary) => multipart::read(ask.app(), body, boundary, limit).await?,
        Kind::UrlEncoded => multipart::read_urlencoded(body).await?,
    };
    let Form { fields, file } = form;
    let form =
        UploadForm::from_fields(fields).map_err(|error| Refusal::bad_request(error.to_string()))?;
    Ok(ask
        .app()
        .finish_upload(&grant, Arrived { form, file })
        .await?)
}

enum Kind {
    Multipart(String),
    UrlEncoded,
}

fn kind(ask: &Ask) -> Result<Kind, Refusal> {
    let header = ask.header(&CONTENT_TYPE).unwrap_or_default();
    if header
        .trim()
        .to_ascii_lowercase()
        .starts_with("application/x-www-form-urlencoded")
    {
        return Ok(Kind::UrlEncoded);
    }
    match multer::parse_boundary(header) {
        Ok(boundary) if boundary.len() <= MAX_BOUNDARY => Ok(Kind::Multipart(boundary)),
        Ok(_) => Err(Refusal::bad_request("the boundary of the form is too long")),
        Err(_) => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "an upload is sent as multipart/form-data",
        )),
    }
}

/// 200 in every case: clients take it for success.
fn accepted(uploaded: Uploaded) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=UTF-8"),
    );
    if uploaded == Uploaded::Identical {
        put_reason(&mut response, "Upload of identical file, nothing changed.");
    }
    response
}
