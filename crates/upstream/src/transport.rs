//! Sending one question and following its redirects by hand.
//!
//! Invariant: at every hop the target is checked before it is connected to,
//! and credentials that were left behind once do not come back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Response};
use url::Url;

use crate::clients::Clients;
use crate::endpoint::{Credentials, Endpoint, without_secrets};
use crate::error::{Error, host_of};
use crate::redirect::{MAX_REDIRECTS, is_redirect, next_hop};
use crate::slots::Slots;

/// Files from one host at a time.
const FILES_PER_HOST: usize = 32;
/// Pages from one host at a time.
const PAGES_PER_HOST: usize = 16;

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
    pub(crate) clients: Clients,
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
            let client = self.0.clients.allowed(endpoint, &url).await?;
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

/// One request; a second one if the connection broke before the answer, as an
/// idle connection does when the upstream closes it at that moment.
pub(crate) async fn send(
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
