//! Trip D: who is asking.
//!
//! Invariant: absent and rejected credentials are different things; rejected
//! ones never make a caller somebody.

use std::sync::Arc;

use larder_model::{Caller, UserName};
use larder_store::User;
use secrecy_text::Secret;

use crate::error::Error;
use crate::token::{Claims, Tokens};
use crate::{App, Result};

/// A user name with a password or a token. The secret is never shown.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// As sent; `__token__` or empty when the token says who it is.
    pub user: String,
    secret: Secret,
}

impl Credentials {
    /// Credentials out of a header.
    pub fn new(user: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            secret: Secret(secret.into()),
        }
    }
}

/// Text that does not appear in logs.
mod secrecy_text {
    use std::fmt;

    #[derive(Clone)]
    pub(super) struct Secret(pub(super) String);

    impl fmt::Debug for Secret {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("…")
        }
    }
}

/// What the credentials of a request turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identified {
    /// None were sent.
    Nobody,
    /// Good ones.
    User(Caller),
    /// Sent, but wrong or expired: on a public page the caller is anonymous
    /// anywhere else it is told so.
    Rejected,
}

impl Identified {
    /// Who the request counts as.
    pub fn caller(&self) -> Caller {
        match self {
            Self::User(caller) => caller.clone(),
            Self::Nobody | Self::Rejected => Caller::Anonymous,
        }
    }
}

/// A fresh login.
#[derive(Debug, Clone)]
pub struct Login {
    /// To be used as a password from now on.
    pub token: String,
    /// Seconds until it expires.
    pub expires_in_secs: u64,
}

impl App {
    /// Finds out who is asking.
    pub async fn identify(&self, credentials: Option<&Credentials>) -> Result<Identified> {
        let Some(credentials) = credentials else {
            return Ok(Identified::Nobody);
        };
        let secret = &credentials.secret.0;
        // Azure- and GitLab-style URLs carry the token as the user name.
        let token = if Tokens::is_token(secret) {
            secret
        } else {
            &credentials.user
        };
        if Tokens::is_token(token) {
            let user = self
                .token_user(token)
                .await?
                .filter(|user| names(credentials, user, token));
            return Ok(user.map_or(Identified::Rejected, |user| caller(&user)));
        }
        Ok(
            match self.check_password(&credentials.user, secret).await? {
                Some(user) => caller(&user),
                None => Identified::Rejected,
            },
        )
    }

    /// Exchanges a password for a token (devpi: 2.2).
    pub async fn login(&self, user: &str, password: &str) -> Result<Login> {
        match self.check_password(user, password).await? {
            Some(user) => Ok(self.issue_token(&user)),
            None => Err(Error::unauthenticated(format!(
                "user '{}' could not be authenticated",
                cut(user)
            ))),
        }
    }

    /// A token for this user, as they are now.
    pub(crate) fn issue_token(&self, user: &User) -> Login {
        let lifetime = self.settings.token_lifetime.as_secs();
        let expires = self
            .clock
            .now()
            .plus_secs(i64::try_from(lifetime).unwrap_or(i64::MAX));
        let token = self.memory.tokens.sign(&Claims {
            id: user.id,
            epoch: user.epoch,
            expires,
        });
        Login {
            token,
            expires_in_secs: lifetime,
        }
    }

    async fn token_user(&self, token: &str) -> Result<Option<Arc<User>>> {
        let Some(claims) = self.memory.tokens.read(token) else {
            return Ok(None);
        };
        if claims.expires <= self.clock.now() {
            return Ok(None);
        }
        let directory = self.directory().await?;
        let user = directory
            .users()
            .find(|user| user.id == claims.id && user.epoch == claims.epoch);
        Ok(user.cloned())
    }

    async fn check_password(&self, name: &str, password: &str) -> Result<Option<Arc<User>>> {
        let directory = self.directory().await?;
        let user = name
            .parse::<UserName>()
            .ok()
            .and_then(|name| directory.user(&name).cloned());
        let pwhash = user.as_ref().and_then(|user| user.pwhash.as_deref());
        Ok(if self.verify_password(pwhash, password).await? {
            user
        } else {
            None
        })
    }
}

/// A token counts only for its own user, or where no user is named.
fn names(credentials: &Credentials, user: &User, token: &str) -> bool {
    let named = credentials.user.as_str();
    named == user.name.as_str() || named == token || named.is_empty() || named == "__token__"
}

fn caller(user: &User) -> Identified {
    Identified::User(Caller::User {
        name: user.name.clone(),
        groups: Vec::new(),
    })
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
