//! One request, read far enough for every handler: who asks, how the server
//! looks from there, and what form of answer is wanted.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, HOST, HeaderName, TRANSFER_ENCODING, USER_AGENT,
};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};
use larder_app::{App, Credentials, Error, Identified, LinkStyle};
use larder_model::{Caller, IndexName, UserName};
use larder_pypi::ProjectName;

use crate::body::Body;
use crate::error::{Refusal, Style};
use crate::outside::{OutsideUrl, Sender, outside_url};
use crate::{Web, WebSettings};

/// A request as handlers see it.
#[derive(Debug)]
pub(crate) struct Ask {
    web: Web,
    head: Parts,
    sender: Sender,
    outside: Option<OutsideUrl>,
    path: String,
}

impl Ask {
    pub(crate) fn new(web: &Web, head: Parts, sender: Sender) -> Result<Self, Refusal> {
        let hosts = head.headers.get_all(HOST).iter().count();
        if hosts > 1
            || (hosts == 0 && head.version == Version::HTTP_11 && head.uri.host().is_none())
        {
            return Err(Refusal::bad_request("a request names exactly one host"));
        }
        check_codings(&head)?;
        let configured = web.settings.outside_url.as_ref();
        let outside = outside_url(configured, sender.trusted, &head.headers);
        let path = inner_path(head.uri.path(), outside.as_ref());
        Ok(Self {
            web: web.clone(),
            head,
            sender,
            outside,
            path,
        })
    }

    pub(crate) fn settings(&self) -> &WebSettings {
        &self.web.settings
    }

    pub(crate) fn app(&self) -> &App {
        &self.web.app
    }

    /// Who sent it.
    pub(crate) fn sender(&self) -> Sender {
        self.sender
    }

    pub(crate) fn method(&self) -> &Method {
        &self.head.method
    }

    pub(crate) fn is_head(&self) -> bool {
        self.head.method == Method::HEAD
    }

    /// Without the prefix of the outside URL.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn accept(&self) -> Option<&str> {
        self.header(&ACCEPT)
    }

    pub(crate) fn agent(&self) -> Option<&str> {
        self.header(&USER_AGENT)
    }

    /// Whether a query key is there, with any value or none (devpi: 1.1).
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.query_pairs().any(|(name, _)| name == key)
    }

    /// The value of a query key.
    pub(crate) fn query(&self, key: &str) -> Option<String> {
        self.query_pairs()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.into_owned())
    }

    fn query_pairs(&self) -> url::form_urlencoded::Parse<'_> {
        url::form_urlencoded::parse(self.head.uri.query().unwrap_or_default().as_bytes())
    }

    /// An absolute URL as this client sees it; `path` begins with a slash.
    pub(crate) fn absolute(&self, path: &str) -> String {
        match &self.outside {
            Some(outside) => format!("{}{path}", outside.base()),
            None => path.to_owned(),
        }
    }

    /// A path as the server knows it, out of one that this client sees.
    pub(crate) fn below_prefix(&self, path: &str) -> String {
        inner_path(path, self.outside.as_ref())
    }

    /// How files are linked by whole URLs, if they shall be (devpi: 0.7).
    pub(crate) fn absolute_links(&self) -> Option<LinkStyle> {
        let told = self.head.headers.contains_key("x-devpi-absolute-urls");
        let outside = self.outside.as_ref()?;
        (told || self.settings().absolute_urls).then(|| LinkStyle::Absolute {
            base: outside.base().into(),
            // Of any other there are as many as strangers can think of.
            keep: self.settings().outside_url.is_some() || self.sender.trusted,
        })
    }

    /// The path below which the server lies for this client: empty, or `/prefix`.
    pub(crate) fn prefix(&self) -> std::sync::Arc<str> {
        self.outside
            .as_ref()
            .map_or_else(|| "".into(), |outside| outside.prefix().clone())
    }

    /// The credentials that were sent (devpi: 2.1; A-05).
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        let devpi = self.head.headers.get("x-devpi-auth");
        let of = |(user, secret)| Credentials::new(user, secret, self.sender.address);
        // `X-Devpi-Auth` wins: `requests` adds the other by itself from `~/.netrc`.
        if let Some(read) = devpi.and_then(|value| basic(value.as_bytes())) {
            return Some(of(read));
        }
        let Some(value) = self.head.headers.get(AUTHORIZATION) else {
            return devpi.map(|_| of(Default::default()));
        };
        let value = value.as_bytes();
        let (scheme, rest) = split_scheme(value)?;
        match scheme.to_ascii_lowercase().as_slice() {
            b"basic" => Some(of(basic(rest).unwrap_or_default())),
            b"bearer" | b"token" => {
                let token = String::from_utf8_lossy(rest).trim().to_owned();
                Some(of((String::new(), token)))
            }
            _ => None,
        }
    }

    /// Who asks. Costs a password check; public reads do without.
    pub(crate) async fn identify(&self) -> Result<Identified, Refusal> {
        Ok(self.app().identify(self.credentials().as_ref()).await?)
    }

    /// Who asks, where wrong credentials are an error and not a stranger.
    pub(crate) async fn caller(&self) -> Result<Caller, Refusal> {
        match self.identify().await? {
            Identified::Rejected => Err(Refusal::rejected_credentials()),
            Identified::Throttled(wait) => Err(Error::throttled(wait).into()),
            identified => Ok(identified.caller()),
        }
    }

    /// Who reads an index. Where that makes no difference credentials are not
    /// looked at: clients send them along with everything.
    pub(crate) async fn reader(&self, index: &IndexName) -> Result<Caller, Refusal> {
        // Who sends none is nobody, without asking the database twice.
        if self.credentials().is_none() || self.app().is_open(index).await? {
            return Ok(Caller::Anonymous);
        }
        let identified = self.identify().await?;
        if let Identified::Throttled(wait) = identified
            && !self.app().may_see(&Caller::Anonymous, index).await?
        {
            return Err(Error::throttled(wait).into());
        }
        Ok(identified.caller())
    }

    /// The form in which this client reads errors.
    pub(crate) fn style(&self) -> Style {
        Style::of(self.accept(), self.agent())
    }

    pub(crate) fn refuse(&self, refusal: &Refusal) -> Response<Body> {
        let mut refusal = refusal.clone();
        if self.is_read_by_devpi_client() && self.credentials().is_none() {
            refusal = refusal.without_asking();
        }
        refusal.into_response(self.style(), self.is_head())
    }

    /// devpi-client sends the login that it has with its first request and
    /// answers no challenge; its advice to log in comes at 403 (devpi: 1.5).
    fn is_read_by_devpi_client(&self) -> bool {
        let reads = self.head.method == Method::GET || self.is_head();
        reads
            && self
                .agent()
                .is_some_and(|agent| agent.starts_with("devpi-client/"))
    }
}

/// Bodies are never unpacked: chunks are the only transfer coding, and there is
/// no content coding (reliability: B03, B34).
fn check_codings(head: &Parts) -> Result<(), Refusal> {
    let mut transfer = head.headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    if transfer.next().is_some_and(|value| !is_chunked(value)) || transfer.next().is_some() {
        return Err(Refusal::bad_request(
            "the only transfer coding that is understood is chunked",
        ));
    }
    let is_plain = |value: &http::HeaderValue| {
        value
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"identity")
    };
    if head.headers.get_all(CONTENT_ENCODING).iter().all(is_plain) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "send the body as it is, without a Content-Encoding",
    ))
}

/// devpi: the prefix is stripped if the proxy left it in.
fn inner_path(path: &str, outside: Option<&OutsideUrl>) -> String {
    let prefix = outside.map_or("", |outside| outside.prefix());
    match path.strip_prefix(prefix) {
        Some("") => "/".to_owned(),
        Some(rest) if !prefix.is_empty() && rest.starts_with('/') => rest.to_owned(),
        _ => path.to_owned(),
    }
}

fn split_scheme(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    Some((&value[..space], &value[space + 1..]))
}

/// `user:secret` in base64, UTF-8 or else latin-1; the first colon splits.
fn basic(encoded: &[u8]) -> Option<(String, String)> {
    let decoded = STANDARD.decode(encoded.trim_ascii()).ok()?;
    let text = String::from_utf8(decoded)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
    let (user, secret) = text.split_once(':')?;
    Some((user.to_owned(), secret.to_owned()))
}

/// The index that a path names.
pub(crate) fn index_name(user: &str, index: &str) -> Result<IndexName, Refusal> {
    IndexName::from_parts(user, index).map_err(|_| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            format!("The stage {user}/{index} could not be found."),
        )
    })
}

/// The user that a path names.
pub(crate) fn user_name(user: &str) -> Result<UserName, Refusal> {
    user.parse()
        .map_err(|_| Refusal::new(StatusCode::NOT_FOUND, format!("no user '{user}'")))
}

/// The project that a path names, whatever its spelling (S-03); nothing else is looked for.
pub(crate) fn project_name(project: &str) -> Result<ProjectName, Refusal> {
    ProjectName::from_str(project)
        .map_err(|error| Refusal::new(StatusCode::NOT_FOUND, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::inner_path;

    #[test]
    fn a_prefix_is_stripped_only_where_it_stands() {
        let outside = "https://example.com/devpi".parse().expect("a URL");
        assert_eq!(inner_path("/devpi/root/pypi", Some(&outside)), "/root/pypi");
        assert_eq!(inner_path("/devpi", Some(&outside)), "/");
        assert_eq!(inner_path("/devpi2/x", Some(&outside)), "/devpi2/x");
        assert_eq!(inner_path("/root/pypi", Some(&outside)), "/root/pypi");
        assert_eq!(inner_path("/root/pypi", None), "/root/pypi");
    }
}
