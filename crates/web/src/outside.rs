//! How clients see this server: the base of absolute URLs.
//!
//! Invariant: a forwarding header counts only if the peer that sent it is a
//! configured proxy; no scheme but http and https ever reaches a link.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use http::HeaderMap;
use http::header::HOST;
use http::uri::Authority;
use url::Url;

/// An http(s) URL without query, fragment, credentials or final slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideUrl {
    base: String,
    prefix: Arc<str>,
}

/// A text is no outside URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an outside URL looks like https://pypi.example.com or https://example.com/devpi")]
pub struct InvalidOutsideUrl;

impl FromStr for OutsideUrl {
    type Err = InvalidOutsideUrl;

    fn from_str(text: &str) -> Result<Self, InvalidOutsideUrl> {
        let url = Url::parse(text.trim()).map_err(|_| InvalidOutsideUrl)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return Err(InvalidOutsideUrl);
        }
        let prefix = url.path().trim_end_matches('/').into();
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            prefix,
        })
    }
}

impl OutsideUrl {
    /// Without a final slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The path part: empty, or `/prefix`.
    pub fn prefix(&self) -> &Arc<str> {
        &self.prefix
    }
}

/// Peers whose forwarding headers are believed (devpi: `--trusted-proxy`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TrustedProxies {
    /// Nobody's.
    #[default]
    None,
    /// Everybody's: only behind a proxy that overwrites the headers.
    All,
    /// Those of these addresses.
    Some(Vec<IpAddr>),
}

/// A text is no list of proxies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither an IP address nor '*'")]
pub struct InvalidProxy(String);

impl FromStr for TrustedProxies {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        if text.trim() == "*" {
            return Ok(Self::All);
        }
        let entry = |part: &str| part.parse().map_err(|_| InvalidProxy(part.to_owned()));
        let list = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(entry)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(if list.is_empty() {
            Self::None
        } else {
            Self::Some(list)
        })
    }
}

impl TrustedProxies {
    /// Whether this peer is one of them.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Some(list) => list.contains(&peer.to_canonical()),
        }
    }
}

/// Who sent a request, as far as the peer is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sender {
    /// The client's address.
    pub(crate) address: IpAddr,
    /// The peer is a proxy whose headers count.
    pub(crate) trusted: bool,
}

impl Sender {
    /// Behind a trusted proxy the client is who the proxy says it is: in
    /// `X-Real-IP` (devpi: 0.7), or as the last of `X-Forwarded-For` that is no
    /// trusted proxy itself. What stands before that came from the client.
    pub(crate) fn of(proxies: &TrustedProxies, peer: IpAddr, headers: &HeaderMap) -> Self {
        let trusted = proxies.trusts(peer);
        let real = || headers.get("x-real-ip")?.to_str().ok().and_then(address);
        let forwarded = || {
            let lists = headers.get_all("x-forwarded-for").iter();
            let named: Vec<IpAddr> = lists
                .filter_map(|list| list.to_str().ok())
                .flat_map(|list| list.split(','))
                .map_while(address)
                .collect();
            let is_client = |named: &&IpAddr| match proxies {
                TrustedProxies::All => true,
                TrustedProxies::None | TrustedProxies::Some(_) => !proxies.trusts(**named),
            };
            named.iter().rev().find(is_client).copied()
        };
        let told = if trusted {
            real().or_else(forwarded)
        } else {
            None
        };
        Self {
            address: told.unwrap_or(peer).to_canonical(),
            trusted,
        }
    }
}

/// An address as proxies write it: some add the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

/// The URL under which this client sees the server (devpi: 0.7).
pub(crate) fn outside_url(
    configured: Option<&OutsideUrl>,
    trusted: bool,
    headers: &HeaderMap,
) -> Option<OutsideUrl> {
    // Of a list the first is what the client saw.
    let first = |value: &'_ http::HeaderValue| -> Option<String> {
        let first = value.to_str().ok()?.split(',').next()?;
        Some(first.trim().to_owned())
    };
    let text = |name: &str| headers.get(name).and_then(first);
    if trusted && let Some(url) = text("x-outside-url").and_then(|url| url.parse().ok()) {
        return Some(url);
    }
    if let Some(url) = configured {
        return Some(url.clone());
    }
    let host = headers.get(HOST).and_then(first);
    if !trusted {
        return at("http", &host?);
    }
    let scheme =
        text("x-forwarded-proto").filter(|proto| matches!(proto.as_str(), "http" | "https"));
    let host = text("x-forwarded-host").or(host);
    at(scheme.as_deref().unwrap_or("http"), &host?)
}

/// The root of a host. It comes from a stranger: an authority and nothing else.
fn at(scheme: &str, host: &str) -> Option<OutsideUrl> {
    let authority: Authority = host.parse().ok()?;
    let is_plain = !authority.as_str().contains('@');
    is_plain.then(|| format!("{scheme}://{authority}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::{OutsideUrl, Sender, TrustedProxies, outside_url};
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn only_http_urls_without_secrets_are_taken() {
        let url: OutsideUrl = "https://example.com/devpi/".parse().expect("a good URL");
        assert_eq!(
            (url.base(), &**url.prefix()),
            ("https://example.com/devpi", "/devpi")
        );
        for bad in [
            "javascript:alert(1)//",
            "ftp://x/",
            "https://u:p@x/",
            "x",
            "https://x/?q",
        ] {
            assert!(bad.parse::<OutsideUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn forwarding_headers_count_only_from_a_trusted_proxy() {
        let sent = headers(&[
            ("host", "in.example:3141"),
            ("x-outside-url", "https://out.example/p"),
            ("x-forwarded-host", "evil.example"),
        ]);
        let base = |trusted| outside_url(None, trusted, &sent).map(|url| url.base().to_owned());
        assert_eq!(base(false).as_deref(), Some("http://in.example:3141"));
        assert_eq!(base(true).as_deref(), Some("https://out.example/p"));
        let bad = headers(&[
            ("host", "in.example"),
            ("x-outside-url", "javascript:alert(1)//"),
        ]);
        assert_eq!(
            outside_url(None, true, &bad)
                .map(|url| url.base().to_owned())
                .as_deref(),
            Some("http://in.example")
        );
    }

    #[test]
    fn a_host_is_an_authority_and_nothing_else() {
        for host in [
            "h.example/evil",
            "u@h.example",
            "h.example?x",
            "",
            "h ample",
        ] {
            let sent: HeaderMap = [(http::header::HOST, host.parse().expect("a value"))]
                .into_iter()
                .collect();
            assert_eq!(outside_url(None, false, &sent), None, "{host}");
        }
        let sent = headers(&[("host", "[::1]:3141")]);
        assert_eq!(
            outside_url(None, false, &sent)
                .map(|url| url.base().to_owned())
                .as_deref(),
            Some("http://[::1]:3141")
        );
        let sent = headers(&[
            ("host", "in"),
            ("x-forwarded-host", "out.example, in"),
            ("x-forwarded-proto", "https, http"),
        ]);
        assert_eq!(
            outside_url(None, true, &sent)
                .map(|url| url.base().to_owned())
                .as_deref(),
            Some("https://out.example")
        );
    }

    #[test]
    fn a_client_is_who_a_trusted_proxy_says_it_is() {
        let one: TrustedProxies = "127.0.0.1,10.0.0.1".parse().expect("a list");
        let table = [
            (&one, &[][..], "127.0.0.1", true),
            (&one, &[("x-real-ip", "192.0.2.1")], "192.0.2.1", true),
            (&one, &[("x-real-ip", "nobody")], "127.0.0.1", true),
            (
                &one,
                &[("x-forwarded-for", "192.0.2.9, 192.0.2.2, 10.0.0.1")],
                "192.0.2.2",
                true,
            ),
            (
                &one,
                &[("x-forwarded-for", "[2001:db8::1]:4711")],
                "2001:db8::1",
                true,
            ),
            (&one, &[("x-forwarded-for", "10.0.0.1")], "127.0.0.1", true),
            (
                &one,
                &[("x-forwarded-for", "192.0.2.9"), ("x-real-ip", "192.0.2.3")],
                "192.0.2.3",
                true,
            ),
            (
                &TrustedProxies::All,
                &[("x-forwarded-for", "192.0.2.9, 192.0.2.4")],
                "192.0.2.4",
                true,
            ),
            (
                &TrustedProxies::None,
                &[("x-real-ip", "192.0.2.1")],
                "127.0.0.1",
                false,
            ),
        ];
        for (proxies, sent, client, trusted) in table {
            let peer = "127.0.0.1".parse().expect("an address");
            let sender = Sender::of(proxies, peer, &headers(sent));
            let address: std::net::IpAddr = client.parse().expect("an address");
            assert_eq!(
                (sender.address, sender.trusted),
                (address, trusted),
                "{sent:?}"
            );
        }
    }

    #[test]
    fn proxies_are_listed_by_address() {
        let list: TrustedProxies = "127.0.0.1, ::1".parse().expect("a list");
        assert!(list.trusts("::1".parse().expect("an address")));
        assert!(list.trusts("::ffff:127.0.0.1".parse().expect("an address")));
        assert!(!list.trusts("10.0.0.1".parse().expect("an address")));
        assert!("example.com".parse::<TrustedProxies>().is_err());
    }
}
