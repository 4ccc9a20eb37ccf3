//! The one place where refusals become status codes and bodies.
//!
//! The sentence is where each client looks for it: `message` in JSON for
//! devpi-client, the reason phrase for upload clients, the body for uv.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;
use larder_app::{Error, Kind, error_chain};
use larder_pypi::negotiate::is_installer;
use serde_json::json;

use crate::body::Body;

/// A refusal on its way out.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
    allow: Option<&'static str>,
    retry_after_secs: Option<u64>,
    challenge: bool,
    in_reason: bool,
}

/// The form in which a client reads errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `{"message": …}`, type exactly `application/json`.
    Json,
    /// A plain sentence.
    Text,
    /// A small page.
    Html,
}

impl Style {
    /// devpi takes JSON wherever the words occur; browsers get a page; tools a sentence.
    pub(crate) fn of(accept: Option<&str>, agent: Option<&str>) -> Self {
        let accept = accept.unwrap_or_default();
        if accept.contains("application/json") || accept.contains("application/problem+json") {
            Self::Json
        } else if accept.starts_with("text/html") && !is_installer(agent) {
            Self::Html
        } else {
            Self::Text
        }
    }
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let challenge = status == StatusCode::UNAUTHORIZED;
        let may_pass = matches!(
            status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY
        );
        Self {
            status,
            message: message.into(),
            allow: None,
            retry_after_secs: may_pass.then_some(5),
            challenge,
            in_reason: false,
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Credentials were sent, and they are wrong or expired.
    pub(crate) fn rejected_credentials() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "the credentials were rejected: wrong password, or the login has expired; log in again",
        )
    }

    /// A login that failed asks for no other kind of credentials.
    pub(crate) fn without_challenge(mut self) -> Self {
        self.challenge = false;
        self
    }

    /// A refusal of a stranger, for a client that takes no 401 as an invitation.
    pub(crate) fn without_asking(mut self) -> Self {
        if self.challenge {
            self.status = StatusCode::FORBIDDEN;
            self.challenge = false;
        }
        self
    }

    /// Upload clients print nothing but the reason phrase (U-06).
    pub(crate) fn in_reason(mut self) -> Self {
        self.in_reason = true;
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn into_response(self, style: Style, head: bool) -> Response<Body> {
        let (kind, body) = self.body(style);
        let mut response = Response::new(if head { Body::empty() } else { body.into() });
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        // C-02: a refusal that is kept hides what comes after it.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static("Accept"));
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if self.challenge {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"pypi\""),
            );
        }
        if let Some(secs) = self.retry_after_secs {
            headers.insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        if self.in_reason {
            put_reason(&mut response, &self.message);
        }
        response
    }

    fn body(&self, style: Style) -> (&'static str, String) {
        let code = format!("{} {}", self.status.as_u16(), self.message);
        match style {
            Style::Json if self.in_reason => {
                let body = json!({"message": self.message, "code": code, "title": self.message});
                ("application/json", format!("{body}\n"))
            }
            Style::Json => (
                "application/json",
                format!("{:#}\n", json!({"message": self.message})),
            ),
            Style::Text => ("text/plain; charset=utf-8", format!("{}\n", self.message)),
            Style::Html => {
                let text = escape(&code);
                let page = format!(
                    "<!DOCTYPE html><html lang=\"en\"><head><title>{text}</title></head><body><h1>{text}</h1></body></html>\n"
                );
                ("text/html; charset=utf-8", page)
            }
        }
    }
}

/// Sets the reason phrase of HTTP/1.1: ASCII, one line.
pub(crate) fn put_reason(response: &mut Response<Body>, sentence: &str) {
    let ascii: Vec<u8> = sentence
        .chars()
        .take(400)
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c as u8
            } else {
                b'?'
            }
        })
        .collect();
    if let Ok(reason) = ReasonPhrase::try_from(ascii) {
        response.extensions_mut().insert(reason);
    }
}

/// 405 with the methods that are answered.
pub(crate) fn with_allow(methods: &'static str) -> Refusal {
    let message = format!("this address answers only {methods}");
    Refusal {
        allow: Some(methods),
        ..Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message)
    }
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Gone => StatusCode::GONE,
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::NoSpace => StatusCode::INSUFFICIENT_STORAGE,
            Kind::Upstream => StatusCode::BAD_GATEWAY,
            Kind::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(error = %error_chain(&error), status = status.as_u16(), "a request failed");
        }
        let refusal = Self::new(status, error.message());
        let wait = error.retry_after().map(|wait| wait.as_secs());
        Self {
            retry_after_secs: wait.or(refusal.retry_after_secs),
            ..refusal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, Style};
    use http::StatusCode;
    use hyper::ext::ReasonPhrase;

    #[test]
    fn each_client_gets_the_form_it_reads() {
        let uv = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7";
        assert_eq!(Style::of(Some(uv), Some("uv/0.13")), Style::Json);
        assert_eq!(
            Style::of(Some("application/json"), Some("devpi-client/7.3.0")),
            Style::Json
        );
        assert_eq!(
            Style::of(Some("text/html,application/xhtml+xml"), Some("Mozilla/5.0")),
            Style::Html
        );
        assert_eq!(Style::of(Some("*/*"), Some("twine/7")), Style::Text);
    }

    #[test]
    fn an_upload_refusal_stands_in_reason_and_body() {
        let refusal = Refusal::new(StatusCode::CONFLICT, "x\u{e9}.whl already\nexists").in_reason();
        let response = refusal.into_response(Style::Text, false);
        let reason = response
            .extensions()
            .get::<ReasonPhrase>()
            .expect("a reason");
        assert_eq!(reason.as_bytes(), b"x?.whl already?exists");
    }
}
