//! What can go wrong with an upstream.
//!
//! Invariant: no text of an error holds more of a URL than host and port, so
//! credentials, tokens in queries and paths stay out of logs and answers.

use std::error::Error as StdError;
use std::time::Duration;

use larder_pypi::simple::PageError;
use url::Url;

use crate::resolver::NotPublic;

/// Why an upstream gave no usable answer. `host` is `name[:port]`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke before the answer: DNS, TCP, TLS, proxy.
    #[error("the upstream {host} cannot be reached")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// Carries no URL.
        #[source]
        source: reqwest::Error,
    },
    /// The answer, or its next byte, did not come in time.
    #[error("the upstream {host} did not answer in time")]
    Timeout {
        /// Who was asked.
        host: String,
    },
    /// A status that is no answer to the question.
    #[error("the upstream {host} answered with status {code}")]
    Status {
        /// Who was asked.
        host: String,
        /// HTTP status.
        code: u16,
        /// `Retry-After`, if it came in seconds (P-04).
        retry_after: Option<Duration>,
    },
    /// An answer that is not what was asked for.
    #[error("the upstream {host} sent an answer that cannot be used: {reason}")]
    BadAnswer {
        /// Who was asked.
        host: String,
        /// In words.
        reason: String,
        /// What the reader of pages says.
        #[source]
        source: Option<PageError>,
    },
    /// More bytes than will be read.
    #[error("the upstream {host} sent more than {limit} bytes")]
    TooLarge {
        /// Who was asked.
        host: String,
        /// Bytes, after decompression.
        limit: u64,
    },
    /// The host, or everything it resolves to, is not on the public internet.
    #[error("the address of {host} is not a public one")]
    ForbiddenAddress {
        /// Who was to be asked.
        host: String,
    },
    /// A redirect that is not followed.
    #[error("the upstream {host} redirects to where it must not: {reason}")]
    BadRedirect {
        /// Who was asked.
        host: String,
        /// In words.
        reason: &'static str,
    },
    /// The body ended before its end.
    #[error("the upstream {host} broke off in the middle of its answer")]
    Cut {
        /// Who was asked.
        host: String,
        /// Carries no URL; absent when the connection ended in order.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The HTTP client cannot be made: unusable TLS roots or user agent.
    #[error("the HTTP client for upstreams cannot be set up")]
    Setup(#[source] reqwest::Error),
}

impl Error {
    /// One sentence for a client or an administrator.
    pub fn sentence(&self) -> String {
        match self {
            Self::Unreachable { source, .. } => format!("{self}: {}", root_cause(source)),
            Self::Status {
                code: 401 | 403, ..
            } => format!("{self}; it may want other credentials"),
            _ => self.to_string(),
        }
    }

    /// The upstream was too slow.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Status { code: 504, .. })
    }

    /// The upstream says that there is no such thing (404, 410).
    pub fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::Status {
                code: 404 | 410,
                ..
            }
        )
    }

    /// How long the upstream wants to be left alone (P-04).
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn timeout(url: &Url) -> Self {
        Self::Timeout { host: host_of(url) }
    }

    pub(crate) fn bad_answer(url: &Url, reason: &str) -> Self {
        Self::BadAnswer {
            host: host_of(url),
            reason: reason.to_owned(),
            source: None,
        }
    }

    pub(crate) fn bad_page(url: &Url, source: PageError) -> Self {
        Self::BadAnswer {
            host: host_of(url),
            reason: source.to_string(),
            source: Some(source),
        }
    }

    /// A request that got no answer.
    pub(crate) fn unanswered(url: &Url, error: reqwest::Error) -> Self {
        let (host, source) = (host_of(url), error.without_url());
        if causes(&source).any(<dyn StdError>::is::<NotPublic>) {
            Self::ForbiddenAddress { host }
        } else if source.is_timeout() {
            Self::Timeout { host }
        } else {
            Self::Unreachable { host, source }
        }
    }

    /// A body that did not come to its end.
    pub(crate) fn cut(host: &str, error: Option<reqwest::Error>) -> Self {
        Self::Cut {
            host: host.to_owned(),
            source: error.map(reqwest::Error::without_url),
        }
    }
}

/// Host and port, the only parts of a URL that are told.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

fn root_cause(error: &reqwest::Error) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}
