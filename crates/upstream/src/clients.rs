//! The HTTP clients, and which of them may connect to a target.
//!
//! Invariant: a target that must be public is either an IP literal that was
//! checked, a name whose addresses are checked when it is resolved, or a name
//! that a proxy resolves.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Client, ClientBuilder};
use url::{Host, Url};

use crate::address::check_public_host;
use crate::endpoint::{Addresses, Endpoint};
use crate::error::Error;
use crate::resolver::{ProxyResolver, PublicResolver, resolves_to_private};
use crate::transport::Settings;

/// Shorter than what servers allow, so that fewer requests meet a closing connection.
const KEEP_IDLE: Duration = Duration::from_secs(30);

/// One client per way to connect, so that no pooled connection crosses over.
pub(crate) struct Clients {
    /// To any address, through a proxy if the environment says so.
    any: Client,
    /// To public addresses, never through a proxy.
    public: Client,
    /// Through a proxy, which resolves the target's name itself.
    proxied: Client,
    proxies: Matcher,
}

impl Clients {
    pub(crate) fn new(settings: &Settings) -> reqwest::Result<Self> {
        let proxies = Matcher::from_system();
        let own = ProxyResolver {
            proxies: proxy_hosts(&proxies),
        };
        Ok(Self {
            any: builder(settings).build()?,
            public: builder(settings)
                .no_proxy()
                .dns_resolver(PublicResolver)
                .build()?,
            proxied: builder(settings).dns_resolver(own).build()?,
            proxies,
        })
    }

    /// The client for a target, if the endpoint may lead there. Who may lie
    /// anywhere may also lead anywhere; but what is public and leads to a
    /// private address is an attack, whoever configured it (H11, H21).
    pub(crate) async fn allowed(&self, endpoint: &Endpoint, url: &Url) -> Result<&Client, Error> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::bad_answer(
                url,
                "the address is neither http nor https",
            ));
        }
        let base = endpoint.list_url();
        if endpoint.addresses() == Addresses::Any
            && (url.host() == base.host() || self.is_private(base).await)
        {
            return Ok(&self.any);
        }
        check_public_host(url)?;
        Ok(if goes_through(&self.proxies, url) {
            &self.proxied
        } else {
            &self.public
        })
    }

    /// Whether a host is reached on no public address.
    async fn is_private(&self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Domain(name)) if check_public_host(url).is_ok() => {
                !goes_through(&self.proxies, url) && resolves_to_private(name).await
            }
            _ => check_public_host(url).is_err(),
        }
    }
}

fn builder(settings: &Settings) -> ClientBuilder {
    Client::builder()
        .user_agent(&settings.user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // Bodies are inflated here, up to a limit; files not at all.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .connect_timeout(settings.request_timeout)
        .pool_idle_timeout(KEEP_IDLE)
}

fn goes_through(proxies: &Matcher, url: &Url) -> bool {
    url.as_str()
        .parse::<Uri>()
        .is_ok_and(|target| proxies.intercept(&target).is_some())
}

/// The hosts of the proxies for both schemes.
fn proxy_hosts(proxies: &Matcher) -> BTreeSet<String> {
    let targets = [
        Uri::from_static("http://host.invalid/"),
        Uri::from_static("https://host.invalid/"),
    ];
    let hosts = targets
        .iter()
        .filter_map(|target| proxies.intercept(target)?.uri().host().map(str::to_owned));
    hosts.collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;
    use crate::transport::send;

    /// What a name is on its face is checked elsewhere; this is what it resolves to.
    #[tokio::test]
    async fn a_name_that_resolves_to_a_private_address_is_not_connected_to() {
        let canary = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        canary.set_nonblocking(true).unwrap();
        let settings = Settings {
            request_timeout: Duration::from_secs(10),
            user_agent: "Larder/test".to_owned(),
            max_page_bytes: 1,
        };
        let clients = Clients::new(&settings).unwrap();
        let url = format!("http://localhost:{}/", canary.local_addr().unwrap().port());
        let url = Url::parse(&url).unwrap();
        let headers = HeaderMap::new();
        let sending = send(&clients.public, &url, &headers, None);
        let answer = tokio::time::timeout(settings.request_timeout, sending).await;
        let error = answer.expect("nobody is waited for").unwrap_err();
        assert!(matches!(error, Error::ForbiddenAddress { .. }), "{error:?}");
        let nobody = canary.accept().unwrap_err();
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    }
}
