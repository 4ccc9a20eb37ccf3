//! Trip D: who is asking.
//!
//! Invariant: absent and rejected credentials are different things; rejected
//! ones never make a caller somebody.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use larder_model::{Caller, UserName};
use larder_store::User;
use secrecy_text::Secret;

use crate::devpi_token;
use crate::error::Error;
use crate::password::Checked;
use crate::token::{Claims, Tokens};
use crate::{App, Result};

/// A user name with a password or a token. The secret is never shown.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// As sent; `__token__` or empty when the token says who it is.
    pub user: String,
    secret: Secret,
    from: IpAddr,
}

impl Credentials {
    /// Credentials out of a header, sent from this address.
    pub fn new(user: impl Into<String>, secret: impl Into<String>, from: IpAddr) -> Self {
        Self {
            user: user.into(),
            secret: Secret(secret.into()),
            from,
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
    /// Not looked at, after too many wrong passwords: how long to wait.
    Throttled(Duration),
}

impl Identified {
    /// Who the request counts as.
    pub fn caller(&self) -> Caller {
        match self {
            Self::User(caller) => caller.clone(),
            Self::Nobody | Self::Rejected | Self::Throttled(_) => Caller::Anonymous,
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
        if devpi_token::has_shape(secret) {
            let user = self
                .devpi_token_user(secret)
                .await?
                .filter(|user| names(credentials, user, secret));
            return Ok(user.map_or(Identified::Rejected, |user| caller(&user)));
        }
        let (checked, user) = self
            .check_password(&credentials.user, secret, credentials.from)
            .await?;
        Ok(match (checked, user) {
            (Checked::Right, Some(user)) => caller(&user),
            (Checked::Throttled(wait), _) => Identified::Throttled(wait),
            _ => Identified::Rejected,
        })
    }

    /// Exchanges a password, sent from this address, for a token (devpi: 2.2).
    pub async fn login(&self, user: &str, password: &str, from: IpAddr) -> Result<Login> {
        match self.check_password(user, password, from).await? {
            (Checked::Right, Some(user)) => {
                self.upgrade_hash(&user, password).await;
                Ok(self.issue_token(&user))
            }
            (Checked::Throttled(wait), _) => Err(Error::throttled(wait)),
            _ => Err(Error::unauthenticated(format!(
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

    /// The user is `None` if there is none of that name.
    async fn check_password(
        &self,
        name: &str,
        password: &str,
        from: IpAddr,
    ) -> Result<(Checked, Option<Arc<User>>)> {
        let directory = self.directory().await?;
        let user = name
            .parse::<UserName>()
            .ok()
            .and_then(|name| directory.user(&name).cloned());
        let pwhash = user.as_ref().and_then(|user| user.pwhash.as_deref());
        let attempt = self.memory.attempts.of(name, from);
        Ok((self.verify_password(pwhash, password, attempt).await?, user))
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
