//! One error for all verbs: what kind of refusal it is, the sentence the
//! client will print, and the cause for the log.
//!
//! Invariant: `message` is made for strangers' eyes: it names what the caller
//! named and what to do, never a path, a query, a credential or a cause.

use std::error::Error as StdError;
use std::time::Duration;

/// What kind of refusal. The web layer gives each its status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The caller named something wrongly or sent something unusable.
    Invalid,
    /// Not there.
    NotFound,
    /// Was there once (devpi: 410).
    Gone,
    /// No or wrong credentials where some are needed.
    Unauthenticated,
    /// Known caller without the right.
    Forbidden,
    /// It exists already, or changed meanwhile.
    Conflict,
    /// Over a limit of size.
    TooLarge,
    /// Over a limit of number; [`Error::retry_after`] says until when.
    TooManyRequests,
    /// The disk is full.
    NoSpace,
    /// The upstream failed and nothing is cached.
    Upstream,
    /// The upstream did not answer in time and nothing is cached.
    UpstreamTimeout,
    /// The database or the object store cannot be reached now.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// A refusal.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: String,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What verbs return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        impl Error {
            $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self { Self::new(Kind::$kind, message) })*
        }
    };
}

constructors! {
    /// [`Kind::Invalid`].
    invalid => Invalid;
    /// [`Kind::NotFound`].
    not_found => NotFound;
    /// [`Kind::Gone`].
    gone => Gone;
    /// [`Kind::Unauthenticated`].
    unauthenticated => Unauthenticated;
    /// [`Kind::Forbidden`].
    forbidden => Forbidden;
    /// [`Kind::Conflict`].
    conflict => Conflict;
    /// [`Kind::TooLarge`].
    too_large => TooLarge;
}

impl Error {
    /// A refusal of this kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
            source: None,
        }
    }

    /// Too many wrong passwords: the next is looked at after this long.
    pub fn throttled(wait: Duration) -> Self {
        let secs = wait.as_secs().max(1);
        Self {
            retry_after: Some(Duration::from_secs(secs)),
            ..Self::new(
                Kind::TooManyRequests,
                format!("too many wrong passwords; try again in {secs} seconds"),
            )
        }
    }

    /// A fault of ours: the client learns nothing but that.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(
            Kind::Internal,
            "something went wrong inside the server; its log has the details",
        )
        .because(source)
    }

    /// Adds the cause, for the log only.
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of refusal this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The sentence for the client.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// How long to wait before asking again, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// A second copy for another waiting client, without the cause: that was logged once.
    pub fn for_another(&self) -> Self {
        Self {
            retry_after: self.retry_after,
            ..Self::new(self.kind, self.message.clone())
        }
    }
}

impl From<larder_store::Error> for Error {
    fn from(error: larder_store::Error) -> Self {
        if error.is_no_space() {
            Self::new(
                Kind::NoSpace,
                "the server's disk is full; nothing was stored",
            )
            .because(error)
        } else if error.is_missing() {
            let message = "what this was about is gone: somebody deleted it meanwhile";
            Self::new(Kind::NotFound, message).because(error)
        } else if error.is_unavailable() {
            Self::new(
                Kind::Unavailable,
                "the database cannot be reached; try again in a moment",
            )
            .because(error)
        } else {
            Self::internal(error)
        }
    }
}

impl From<larder_blob::Error> for Error {
    fn from(error: larder_blob::Error) -> Self {
        if error.is_no_space() {
            Self::new(
                Kind::NoSpace,
                "the server's disk is full; nothing was stored",
            )
            .because(error)
        } else if error.is_unavailable() {
            Self::new(
                Kind::Unavailable,
                "the object store cannot be reached; try again in a moment",
            )
            .because(error)
        } else {
            Self::internal(error)
        }
    }
}

impl From<larder_upstream::Error> for Error {
    fn from(error: larder_upstream::Error) -> Self {
        let kind = if error.is_timeout() {
            Kind::UpstreamTimeout
        } else {
            Kind::Upstream
        };
        Self::new(kind, error.sentence()).because(error)
    }
}

/// An error and all its causes, for the log.
pub fn error_chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
