//! Passwords, computed on blocking threads, two at a time.
//!
//! Invariant: an unknown user costs as much as a wrong password; a password is
//! in memory only while it is checked, and its success is remembered only as a
//! keyed digest. What hashes look like is in `pwhash`, how many wrong
//! passwords are too many in `attempts`.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use larder_store::User;
use quick_cache::sync::Cache;
use sha2::Sha256;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::attempts::Attempt;
use crate::error::{Error, Kind, error_chain};
use crate::pwhash::{StoredHash, new_hash};
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
        }
    }
}

/// What became of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    Right,
    Wrong,
    /// Not looked at: too many were wrong. How long to wait.
    Throttled(Duration),
}

/// The right to compute one hash, until the last copy is dropped.
#[derive(Clone)]
struct Slot {
    _place: Arc<OwnedSemaphorePermit>,
    _slot: Arc<OwnedSemaphorePermit>,
}

impl App {
    /// Hashes a new password.
    pub(crate) async fn hash_password(&self, password: String) -> Result<String> {
        check_length(&password)?;
        let slot = self.hashing_slot().await?;
        self.compute(&slot, move || new_hash(&password))
            .await?
            .map_err(|error| Error::internal(std::io::Error::other(error.to_string())))
    }

    /// Whether the password belongs to the hash; `None` (no such user, or one
    /// that cannot log in) takes as long and says no.
    pub(crate) async fn verify_password(
        &self,
        pwhash: Option<&str>,
        password: &str,
        attempt: Attempt,
    ) -> Result<Checked> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(Checked::Wrong);
        }
        // First of all: also who guesses what is remembered is guessing.
        if let Some(throttled) = self.throttled(attempt) {
            return Ok(throttled);
        }
        let remembered = pwhash.map(|hash| self.memory.passwords.fingerprint(hash, password));
        if let Some(until) = remembered.and_then(|print| self.memory.passwords.verified.get(&print))
            && self.clock.elapsed() < until
        {
            return Ok(Checked::Right);
        }
        // Kept until the outcome is counted, so that the next one sees it.
        let slot = self.hashing_slot().await?;
        // Those before us in the queue may have used up what is allowed.
        if let Some(throttled) = self.throttled(attempt) {
            return Ok(throttled);
        }
        let (stored, password) = (pwhash.and_then(readable), password.to_owned());
        let matches = self
            .compute(&slot, move || matches(stored.as_ref(), &password))
            .await?;
        if !matches {
            self.memory.attempts.failed(attempt, self.clock.elapsed());
            self.metrics.logins_failed.increment();
            return Ok(Checked::Wrong);
        }
        self.memory.attempts.succeeded(attempt);
        self.metrics.logins.increment();
        if let Some(print) = remembered {
            self.memory
                .passwords
                .verified
                .insert(print, self.clock.elapsed() + REMEMBER_FOR);
        }
        Ok(Checked::Right)
    }

    fn throttled(&self, attempt: Attempt) -> Option<Checked> {
        let wait = self.memory.attempts.wait(attempt, self.clock.elapsed())?;
        self.metrics.logins_throttled.increment();
        Some(Checked::Throttled(wait))
    }

    /// Replaces a hash that was made in another way than ours, once the
    /// password is known to be right (devpi: 2.4). A login does not fail
    /// because this does.
    pub(crate) async fn upgrade_hash(&self, user: &User, password: &str) {
        let Some(old) = user.pwhash.as_deref() else {
            return;
        };
        if StoredHash::parse(old).is_ok_and(|hash| hash.is_current()) {
            return;
        }
        match self.replace_hash(user, old, password).await {
            Ok(()) => tracing::info!(user = %user.name, "the password's hash was renewed"),
            Err(error) => {
                tracing::warn!(user = %user.name, error = %error_chain(&error), "the password's hash could not be renewed; the next login tries again");
            }
        }
    }

    async fn replace_hash(&self, user: &User, old: &str, password: &str) -> Result<()> {
        let current = self.store.read().await?.find_user(&user.name).await?;
        // Another node may have done it, which raises no serial.
        if current.is_some_and(|current| current.pwhash.as_deref() == Some(old)) {
            let new = self.hash_password(password.to_owned()).await?;
            let mut tx = self.store.write().await?;
            tx.rehash_password(user.id, old, &new).await?;
            tx.commit().await?;
        }
        self.forget_directory();
        Ok(())
    }

    async fn hashing_slot(&self) -> Result<Slot> {
        let busy = || {
            Error::new(
                Kind::Unavailable,
                "too many logins at the same moment; try again in a few seconds",
            )
        };
        let place = Arc::clone(&self.memory.passwords.waiting)
            .try_acquire_owned()
            .map_err(|_| busy())?;
        let slot = Arc::clone(&self.memory.passwords.slots)
            .acquire_owned()
            .await
            .map_err(Error::internal)?;
        Ok(Slot {
            _place: Arc::new(place),
            _slot: Arc::new(slot),
        })
    }

    async fn compute<T: Send + 'static>(
        &self,
        slot: &Slot,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.metrics.hashes.increment();
        // Also when the caller leaves: the work goes on.
        let slot = slot.clone();
        tokio::task::spawn_blocking(move || {
            let _slot = slot;
            work()
        })
        .await
        .map_err(Error::internal)
    }
}

/// A stored hash, unless nothing can be checked against it.
fn readable(pwhash: &str) -> Option<StoredHash> {
    StoredHash::parse(pwhash)
        .inspect_err(
            |error| tracing::warn!(%error, "a user cannot log in until the password is set anew"),
        )
        .ok()
}

/// Without a hash, and with one that costs nothing, as much is computed as for
/// any user.
fn matches(stored: Option<&StoredHash>, password: &str) -> bool {
    if stored.is_none_or(StoredHash::is_cheap) {
        StoredHash::dummy().matches(password);
    }
    stored.is_some_and(|stored| stored.matches(password))
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
