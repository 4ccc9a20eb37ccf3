//! Which index is asked, as whom, and where it may lie.
//!
//! Invariant: credentials are held apart from the URL and shown by nothing.

use std::fmt;

use larder_pypi::ProjectName;
use reqwest::header::{ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use url::Url;

use crate::headers::{put, text};

/// Validators longer than this are dropped: they are kept with every page.
const MAX_VALIDATOR_BYTES: usize = 1024;

/// Which addresses an upstream may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// Only those of the public internet.
    PublicOnly,
    /// All, private networks and this machine included. An upstream that is
    /// public itself may still not lead to a private address, by link or redirect.
    Any,
}

/// An index to talk to.
#[derive(Debug, Clone)]
pub struct Endpoint {
    base: Url,
    credentials: Option<Credentials>,
    addresses: Addresses,
}

/// User and password for HTTP Basic.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(****)")
    }
}

impl Endpoint {
    /// The index at `base`, an http or https URL whose path ends where project
    /// names begin; a missing slash is added. User and password in the URL are
    /// ignored: they come as `credentials`.
    pub fn new(mut base: Url, credentials: Option<(String, String)>, addresses: Addresses) -> Self {
        base = without_secrets(base);
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        let credentials = credentials.map(|(user, password)| Credentials { user, password });
        Self {
            base,
            credentials,
            addresses,
        }
    }

    /// P-01: the page of a project, with the slash that avoids a redirect.
    pub(crate) fn page_url(&self, project: &ProjectName) -> Url {
        let mut url = self.base.clone();
        url.set_query(None);
        url.set_path(&format!("{}{project}/", self.base.path()));
        url
    }

    pub(crate) fn list_url(&self) -> &Url {
        &self.base
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The credentials, for their own origin only (P-03).
    pub(crate) fn credentials_for(&self, url: &Url) -> Option<&Credentials> {
        self.credentials
            .as_ref()
            .filter(|_| self.base.origin() == url.origin())
    }
}

/// The URL without user, password and fragment.
pub(crate) fn without_secrets(mut url: Url) -> Url {
    // Both fail for URLs without a host only; those hold no credentials and are refused later.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    url
}

/// What makes the next request for the same page a conditional one (P-04).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`, quotes included.
    pub etag: Option<String>,
    /// `Last-Modified`, as sent.
    pub last_modified: Option<String>,
}

impl Validators {
    pub(crate) fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }

    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let read = |name| text(headers, name).filter(|text| text.len() <= MAX_VALIDATOR_BYTES);
        Self {
            etag: read(ETAG).map(str::to_owned),
            last_modified: read(LAST_MODIFIED).map(str::to_owned),
        }
    }

    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        put(headers, IF_NONE_MATCH, self.etag.as_deref());
        put(headers, IF_MODIFIED_SINCE, self.last_modified.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(base: &str) -> Endpoint {
        let credentials = Some(("user".to_owned(), "hunter2".to_owned()));
        Endpoint::new(
            Url::parse(base).unwrap(),
            credentials,
            Addresses::PublicOnly,
        )
    }

    #[test]
    fn pages_lie_below_the_base() {
        for base in ["https://example.com/simple", "https://example.com/simple/"] {
            let url = endpoint(base).page_url(&"Demo.Pkg".parse().unwrap());
            assert_eq!(url.as_str(), "https://example.com/simple/demo-pkg/");
        }
        let url = endpoint("https://example.com").page_url(&"demo".parse().unwrap());
        assert_eq!(url.as_str(), "https://example.com/demo/");
    }

    #[test]
    fn credentials_belong_to_one_origin() {
        let endpoint = endpoint("https://example.com/simple/");
        let has = |url: &str| {
            endpoint
                .credentials_for(&Url::parse(url).unwrap())
                .is_some()
        };
        assert!(has("https://example.com/files/x"));
        assert!(has("https://example.com:443/files/x"));
        for url in [
            "http://example.com/",
            "https://example.com:444/",
            "https://files.example.com/",
            "https://example.com.evil/",
        ] {
            assert!(!has(url), "{url}");
        }
    }

    #[test]
    fn credentials_are_shown_by_nothing() {
        let endpoint = endpoint("https://user:hunter2@example.com/simple/");
        assert!(!format!("{endpoint:?}").contains("hunter2"));
        assert_eq!(endpoint.list_url().as_str(), "https://example.com/simple/");
    }
}
