//! Passwords: argon2id, computed on blocking threads, two at a time.
//!
//! Invariant: an unknown user costs as much as a wrong password; a password is
//! in memory only while it is checked, and its success is remembered only as a
//! keyed digest.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::Sha256;
use tokio::sync::Semaphore;

use crate::error::{Error, Kind};
use crate::{App, Result};

/// Longest password looked at, in bytes: checked before any hashing.
pub(crate) const MAX_PASSWORD_BYTES: usize = 4096;

/// How long a verified password need not be verified again: one upload
/// session sends it with every file.
const REMEMBER_FOR: Duration = Duration::from_mins(5);

/// Callers that may wait for a hashing slot before the next is refused.
const MAX_WAITING: usize = 64;

/// The hashing slots, and the successes of the last minutes.
#[derive(Debug)]
pub(crate) struct Passwords {
    slots: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    verified: Cache<[u8; 32], Duration>,
    key: [u8; 32],
    /// A hash nobody's password has, for users that do not exist.
    dummy: String,
}

impl Default for Passwords {
    fn default() -> Self {
        let mut key = [0; 32];
        rand::fill(&mut key);
        Self {
            slots: Arc::new(Semaphore::new(2)),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            verified: Cache::new(1000),
            key,
            dummy: DUMMY_HASH.to_owned(),
        }
    }
}

/// Same parameters as [`hasher`]; the password was random and thrown away.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$RpNGkYUa2cjJbDvGcaLNcg$gM6ZyqF7g8e1n1cdG3FQw0y3l3Q4b1gqJ0oH7mJrZ0w";

/// argon2id at 19 MiB, which devpi verifies too.
fn hasher() -> Argon2<'static> {
    let params = Params::new(19_456, 2, 1, Some(32)).expect("invariant: the parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

impl App {
    /// Hashes a new password.
    pub(crate) async fn hash_password(&self, password: String) -> Result<String> {
        check_length(&password)?;
        self.with_slot(move || {
            let mut salt = [0; 16];
            rand::fill(&mut salt);
            let hash = hasher()
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map_err(|error| Error::internal(std::io::Error::other(error.to_string())))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password belongs to the hash; `None` (no such user, or one
    /// that cannot log in) takes as long and says no.
    pub(crate) async fn verify_password(
        &self,
        pwhash: Option<&str>,
        password: &str,
    ) -> Result<bool> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        let remembered = pwhash.map(|hash| self.memory.passwords.fingerprint(hash, password));
        if let Some(until) = remembered.and_then(|print| self.memory.passwords.verified.get(&print))
            && self.clock.elapsed() < until
        {
            return Ok(true);
        }
        let (known, password) = (pwhash.is_some(), password.to_owned());
        let pwhash = pwhash.unwrap_or(&self.memory.passwords.dummy).to_owned();
        let matches = self
            .with_slot(move || Ok(matches(&pwhash, &password)))
            .await?
            && known;
        if let (true, Some(print)) = (matches, remembered) {
            self.memory
                .passwords
                .verified
                .insert(print, self.clock.elapsed() + REMEMBER_FOR);
        }
        Ok(matches)
    }

    async fn with_slot<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let busy = || {
            Error::new(
                Kind::Unavailable,
                "too many logins at the same moment; try again in a few seconds",
            )
        };
        let _place = Arc::clone(&self.memory.passwords.waiting)
            .try_acquire_owned()
            .map_err(|_| busy())?;
        let slot = Arc::clone(&self.memory.passwords.slots)
            .acquire_owned()
            .await
            .map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let _slot = slot;
            work()
        })
        .await
        .map_err(Error::internal)?
    }
}

/// Refuses a password no one could mean.
pub(crate) fn check_length(password: &str) -> Result<()> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(Error::invalid(format!(
            "a password has at most {MAX_PASSWORD_BYTES} bytes"
        )));
    }
    Ok(())
}

/// Verifies any argon2 hash: the parameters are in the text (devpi: 2.4).
fn matches(pwhash: &str, password: &str) -> bool {
    PasswordHash::new(pwhash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

impl Passwords {
    fn fingerprint(&self, pwhash: &str, password: &str) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key)
            .expect("invariant: any key length fits");
        mac.update(&(pwhash.len() as u64).to_le_bytes());
        mac.update(pwhash.as_bytes());
        mac.update(password.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::{DUMMY_HASH, matches};
    use argon2::password_hash::phc::PasswordHash;

    #[test]
    fn hashes_that_devpi_made_are_verified() {
        let devpi = "$argon2id$v=19$m=512,t=2,p=2$VWpNyblXqnUOgZByznmvlQ$g3yctJn/kllJWgHQfqZJGJwydxo7b3p4N6W+l4ChrNM";
        assert!(matches(devpi, "password"));
        assert!(!matches(devpi, "Password"));
        assert!(!matches("not a hash", "password"));
    }

    #[test]
    fn the_dummy_costs_what_a_real_hash_costs() {
        let dummy = PasswordHash::new(DUMMY_HASH).expect("a valid hash");
        let real = super::hasher();
        assert_eq!(dummy.params.get_decimal("m"), Some(real.params().m_cost()));
        assert_eq!(dummy.params.get_decimal("t"), Some(real.params().t_cost()));
    }
}
