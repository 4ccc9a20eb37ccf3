//! The first start: root, and the three indexes that everything hangs on.
//!
//! Invariant: runs in one transaction and only in an empty database, so that a
//! second node or a second start finds either nothing or everything.

use std::net::{IpAddr, Ipv4Addr};

use larder_model::{Defaults, IndexConfig, IndexName, UserName};
use larder_store::{NewIndex, NewUser, Tx};
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::password::Checked;
use crate::{App, Result};

/// Where root's password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootPassword {
    /// Given by the operator.
    Given(String),
    /// None was given, or an empty one in the environment: make a strong one.
    Generate,
    /// `--root-passwd ''`: the one way to an empty password.
    Empty,
}

/// What the first start creates.
#[derive(Debug, Clone)]
pub struct FirstStart {
    /// Root's password.
    pub password: RootPassword,
    /// The upstream of `root/pypi`; `None` with `--no-root-pypi`.
    pub upstream: Option<String>,
}

/// What the start found or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// Created everything; the generated password of root, if one was made.
    Initialised {
        /// To be shown once.
        generated_password: Option<String>,
    },
    /// There was data already. Whether the given password is root's.
    Found {
        /// `None` when no password was given.
        password_matches: Option<bool>,
    },
}

impl App {
    /// Initialises an empty database; leaves any other alone.
    pub async fn first_start(&self, wanted: &FirstStart) -> Result<Started> {
        if let Some(root) = self.directory().await?.user(&root_name()).cloned() {
            let password_matches = match &wanted.password {
                RootPassword::Given(password) => {
                    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
                    let attempt = self.memory.attempts.of(root.name.as_str(), here);
                    let pwhash = root.pwhash.as_deref();
                    let checked = self.verify_password(pwhash, password, attempt).await?;
                    Some(checked == Checked::Right)
                }
                RootPassword::Empty | RootPassword::Generate => None,
            };
            return Ok(Started::Found { password_matches });
        }
        let (password, generated_password) = match &wanted.password {
            RootPassword::Given(password) => (password.clone(), None),
            RootPassword::Empty => (String::new(), None),
            RootPassword::Generate => {
                let password = strong_password();
                (password.clone(), Some(password))
            }
        };
        let pwhash = self.hash_password(password).await?;
        let mut tx = self.store.write().await?;
        if tx.find_user(&root_name()).await?.is_some() {
            return Ok(Started::Found {
                password_matches: None,
            });
        }
        self.create_all(&mut tx, pwhash, wanted.upstream.as_deref())
            .await?;
        tx.commit().await?;
        Ok(Started::Initialised { generated_password })
    }

    async fn create_all(&self, tx: &mut Tx, pwhash: String, upstream: Option<&str>) -> Result<()> {
        let (now, root) = (self.clock.now(), root_name());
        let app = UserName::new_strict("app").expect("invariant: a valid name");
        for (name, pwhash) in [(&root, Some(pwhash)), (&app, None)] {
            let user = NewUser {
                name: name.clone(),
                pwhash,
                profile: Map::new(),
            };
            tx.insert_user(user, now, Some(&root)).await?;
        }
        let mut indexes = Vec::new();
        if let Some(url) = upstream {
            indexes.push((
                &root,
                "pypi",
                json!({"type": "mirror", "volatile": false, "title": "PyPI", "mirror_url": url}),
            ));
        }
        let public_bases = if upstream.is_some() {
            json!(["root/pypi"])
        } else {
            json!([])
        };
        indexes.push((
            &root,
            "public",
            json!({"bases": public_bases, "mirror_whitelist": ["*"]}),
        ));
        indexes.push((&app, "dev", json!({"bases": ["root/public"]})));
        for (owner, index, body) in indexes {
            self.create_default(tx, owner, index, &body).await?;
        }
        Ok(())
    }

    async fn create_default(
        &self,
        tx: &mut Tx,
        owner: &UserName,
        index: &str,
        body: &Value,
    ) -> Result<()> {
        let defaults = Defaults {
            open_toxresults: self.settings.devpi_compat,
        };
        let body = body.as_object().expect("invariant: an object");
        let config = IndexConfig::create(owner, body, &defaults)
            .map_err(|error| Error::invalid(error.to_string()))?;
        let name = IndexName::from_parts(owner.as_str(), index).expect("invariant: a valid name");
        // The operator chose the address, so it may be a private one.
        let new = NewIndex {
            name,
            config: config.to_stored(),
            private_upstream: true,
        };
        tx.insert_index(new, self.clock.now(), Some(&root_name()))
            .await?;
        Ok(())
    }
}

fn root_name() -> UserName {
    UserName::new_strict("root").expect("invariant: a valid name")
}

/// 24 characters without look-alikes: more than 130 bits.
fn strong_password() -> String {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut password = String::with_capacity(24);
    while password.len() < 24 {
        let byte: u8 = rand::random();
        // Rejecting the tail keeps every letter equally likely.
        if usize::from(byte) < LETTERS.len() * 4 {
            password.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        }
    }
    password
}

#[cfg(test)]
mod tests {
    use super::strong_password;

    #[test]
    fn generated_passwords_are_long_and_never_the_same() {
        let (one, two) = (strong_password(), strong_password());
        assert_eq!(one.len(), 24);
        assert_ne!(one, two);
    }
}
