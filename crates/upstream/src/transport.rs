//! Sending one question and following its redirects by hand.
//!
//! Invariant: at every hop the target is checked before it is connected to,
//! and credentials that were left behind once do not come back.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::HeaderMap;
use reqwest::{Client, ClientBuilder, Response};
use url::Url;

use crate::address::check_public_host;
use crate::endpoint::{Addresses, Credentials, Endpoint, without_secrets};
use crate::error::{Error, host_of};
use crate::redirect::{MAX_REDIRECTS, is_redirect, next_hop};
use crate::resolver::{ProxyResolver, PublicResolver};
use crate::slots::Slots;

/// Files from one host at a time.
const FILES_PER_HOST: usize = 32;
/// Pages from one host at a time.
const PAGES_PER_HOST: usize = 16;
/// Shorter than what servers allow, so that fewer requests meet a closing connection.
const KEEP_IDLE: Duration = Duration::from_secs(30);

/// What holds for all upstreams.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For a page in all; for the headers of a file (at least 5 s there).
    pub request_timeout: Duration,
    /// `User-Agent`, like `Larder/1.0` (P-11).
    pub user_agent: String,
    /// Longest page or project list, inflated.
    pub max_page_bytes: u64,
}

/// The way to all upstreams. Clones share connections and limits.
#[derive(Clone)]
pub struct Upstreams(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) pages: Slots,
    pub(crate) files: Slots,
    clients: Clients,
}

/// One client per way to connect, so that no pooled connection crosses over.
struct Clients {
    /// To any address, through a proxy if the environment says so.
    any: Client,
    /// To public addresses, never through a proxy.
    public: Client,
    /// Through a proxy, which resolves the target's name itself.
    proxied: Client,
    proxies: Matcher,
}

/// An answer that is not a redirect, and whose it is.
pub(crate) struct Reply {
    pub(crate) response: Response,
    pub(crate) url: Url,
}

impl fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The clients would show the proxy, credentials and all.
        f.debug_struct("Upstreams")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl Upstreams {
    /// Sets up the clients. Proxies and `SSL_CERT_FILE` are read from the
    /// environment now.
    ///
    /// # Errors
    /// [`Error::Setup`].
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let clients = Clients::new(&settings).map_err(|error| Error::Setup(error.without_url()))?;
        let (pages, files) = (Slots::new(PAGES_PER_HOST), Slots::new(FILES_PER_HOST));
        Ok(Self(Arc::new(Parts {
            settings,
            pages,
            files,
            clients,
        })))
    }

    /// Asks with GET and follows redirects. The caller sets the deadline.
    pub(crate) async fn get(
        &self,
        endpoint: &Endpoint,
        url: &Url,
        headers: &HeaderMap,
    ) -> Result<Reply, Error> {
        let mut url = without_secrets(url.clone());
        let mut credentials = endpoint.credentials_for(&url);
        for _ in 0..=MAX_REDIRECTS {
            let client = self.0.clients.allowed(endpoint.addresses(), &url)?;
            let response = send(client, &url, headers, credentials).await?;
            if !is_redirect(response.status()) {
                return Ok(Reply { response, url });
            }
            let next = next_hop(&url, response.headers())?;
            if next.origin() != url.origin() {
                credentials = None;
            }
            url = next;
        }
        Err(Error::BadRedirect {
            host: host_of(&url),
            reason: "too many hops",
        })
    }
}

impl Clients {
    fn new(settings: &Settings) -> reqwest::Result<Self> {
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

    /// The client for a target, if it may be connected to.
    fn allowed(&self, addresses: Addresses, url: &Url) -> Result<&Client, Error> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::bad_answer(
                url,
                "the address is neither http nor https",
            ));
        }
        if addresses == Addresses::Any {
            return Ok(&self.any);
        }
        check_public_host(url)?;
        Ok(if goes_through(&self.proxies, url.as_str()) {
            &self.proxied
        } else {
            &self.public
        })
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

fn goes_through(proxies: &Matcher, url: &str) -> bool {
    url.parse::<Uri>()
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

/// One request; a second one if the connection broke before the answer, as an
/// idle connection does when the upstream closes it at that moment.
async fn send(
    client: &Client,
    url: &Url,
    headers: &HeaderMap,
    credentials: Option<&Credentials>,
) -> Result<Response, Error> {
    let request = || {
        let request = client.get(url.clone()).headers(headers.clone());
        match credentials {
            Some(Credentials { user, password }) => request.basic_auth(user, Some(password)),
            None => request,
        }
    };
    let mut answer = request().send().await;
    if answer.as_ref().is_err_and(broke_off) {
        answer = request().send().await;
    }
    answer.map_err(|error| Error::unanswered(url, error))
}

fn broke_off(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let error = send(&clients.public, &url, &HeaderMap::new(), None)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::ForbiddenAddress { .. }), "{error:?}");
        let nobody = canary.accept().unwrap_err();
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    }
}
