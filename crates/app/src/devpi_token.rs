//! Logins that a devpi server issued, so that they go on working after a
//! migration for as long as they would have (devpi: 2.2).
//!
//! Such a token is `PAYLOAD.TIME.SIGNATURE`: a JSON list of user, groups and a
//! flag; seconds since 1970, big-endian, in base64; and an HMAC-SHA1 whose key
//! comes from the secret file by way of argon2.
//!
//! Invariants: without a secret file none counts; the key is derived at most
//! once, when the first token comes that could count; a token never outlives
//! ten hours, the password it was got for, or its user. Its groups are ignored.

use std::sync::{Arc, OnceLock};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use larder_model::{Timestamp, UserName};
use larder_store::User;
use sha1::{Digest, Sha1};
use tokio::sync::Mutex;

use crate::error::Error;
use crate::{App, Result};

/// Longest token looked at.
const MAX_TOKEN_BYTES: usize = 2048;
/// How long devpi's logins last, in seconds.
const LIFETIME_SECS: i64 = 36_000;
/// Salts of the two derivations.
const ARGON2_SALT: &[u8] = b"devpi-server-auth";
const SIGNER_SALT: &[u8] = b"itsdangerous";

type Key = [u8; 20];

/// The secret that a devpi server signed its logins with, and how it made a
/// key of it (`--argon2-…`). Never shown.
#[derive(Clone)]
pub struct DevpiSecret {
    bytes: Arc<[u8]>,
    params: Params,
}

impl std::fmt::Debug for DevpiSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DevpiSecret(…)")
    }
}

impl DevpiSecret {
    /// From the content of the secret file; `None` if argon2 takes no such numbers.
    pub fn new(bytes: &[u8], memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let params = Params::new(memory_kib, passes, lanes, Some(16)).ok()?;
        Some(Self {
            bytes: bytes.into(),
            params,
        })
    }

    /// Takes seconds and half a gigabyte with devpi's own numbers.
    fn derive(&self) -> Result<Key> {
        let mut secret = [0; 16];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
            .hash_password_into(&self.bytes, ARGON2_SALT, &mut secret)
            .map_err(|error| Error::internal(std::io::Error::other(error.to_string())))?;
        let key = Sha1::new()
            .chain_update(SIGNER_SALT)
            .chain_update(b"signer")
            .chain_update(secret)
            .finalize();
        Ok(key.into())
    }
}

/// The key, once it was needed.
#[derive(Debug, Default)]
pub(crate) struct DevpiKey {
    key: Arc<OnceLock<Key>>,
    turn: Arc<Mutex<()>>,
}

impl DevpiKey {
    /// Those who come while it is derived wait for it; that they leave stops nothing.
    async fn get(&self, secret: &DevpiSecret) -> Result<Key> {
        if let Some(key) = self.key.get() {
            return Ok(*key);
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        if let Some(key) = self.key.get() {
            return Ok(*key);
        }
        let (slot, secret) = (Arc::clone(&self.key), secret.clone());
        let derived = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            tracing::info!("deriving the key of devpi's login tokens from the secret file");
            let key = secret.derive()?;
            Ok::<_, Error>(*slot.get_or_init(|| key))
        });
        derived.await.map_err(Error::internal)?
    }
}

/// A token of devpi's shape, not yet believed.
#[derive(Debug, PartialEq, Eq)]
struct DevpiToken<'a> {
    signed: &'a str,
    user: String,
    issued_secs: i64,
    signature: Vec<u8>,
}

/// Whether a secret looks like one of devpi's tokens: no password does.
pub(crate) fn has_shape(secret: &str) -> bool {
    DevpiToken::parse(secret).is_some()
}

impl<'a> DevpiToken<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if !text.starts_with('[') || text.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (payload, time) = signed.rsplit_once('.')?;
        let (user, _groups, _own): (String, Vec<String>, bool) =
            serde_json::from_str(payload).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let time = URL_SAFE_NO_PAD.decode(time).ok()?;
        let has_sizes = signature.len() == 20 && matches!(time.len(), 1..=7);
        let add = |sum: i64, byte: &u8| (sum << 8) | i64::from(*byte);
        has_sizes.then(|| Self {
            signed,
            user,
            issued_secs: time.iter().fold(0, add),
            signature,
        })
    }

    /// Everything but the signature, which costs more to look at: in time, and
    /// got with the password that the user still has.
    fn may_count(&self, user: &User, now: Timestamp) -> bool {
        let age = now.as_secs() - self.issued_secs;
        (0..=LIFETIME_SECS).contains(&age)
            && user.epoch == 0
            && user.created.as_secs() <= self.issued_secs
    }

    fn is_signed_with(&self, key: &Key) -> bool {
        let mut mac =
            <Hmac<Sha1> as KeyInit>::new_from_slice(key).expect("invariant: any key length fits");
        mac.update(self.signed.as_bytes());
        mac.verify_slice(&self.signature).is_ok()
    }
}

impl App {
    /// The user a devpi server's token stands for, if it still counts.
    pub(crate) async fn devpi_token_user(&self, token: &str) -> Result<Option<Arc<User>>> {
        let (Some(secret), Some(token)) = (&self.settings.devpi_secret, DevpiToken::parse(token))
        else {
            return Ok(None);
        };
        let directory = self.directory().await?;
        let user = token
            .user
            .parse::<UserName>()
            .ok()
            .and_then(|name| directory.user(&name).cloned())
            .filter(|user| token.may_count(user, self.clock.now()));
        let Some(user) = user else {
            return Ok(None);
        };
        let key = self.memory.devpi_key.get(secret).await?;
        Ok(token.is_signed_with(&key).then_some(user))
    }
}

#[cfg(test)]
mod tests {
    use larder_model::Timestamp;
    use larder_store::User;
    use serde_json::Map;

    use super::{DevpiKey, DevpiSecret, DevpiToken, LIFETIME_SECS, has_shape};

    const ISSUED: i64 = 1_795_428_000;
    /// Made by devpi's own libraries from the secret below, at `ISSUED`.
    const ALICE: &str = r#"["alice", [], true].awQOoA.0xpRl-bASKUIzgdiiD-nQikRLBw"#;
    const ZOE: &str = r#"["zo\u00eb", ["a b"], false].awQOoA.sa4Ol4JwSg_Bs3zxM6jKjXlRh3g"#;

    fn secret() -> DevpiSecret {
        DevpiSecret::new(b"a secret of at least thirty-two bytes", 64, 1, 2).expect("good numbers")
    }

    fn user(epoch: i64, created_secs: i64) -> User {
        User {
            id: 1,
            name: "alice".parse().expect("a name"),
            pwhash: None,
            epoch,
            created: Timestamp::from_micros(0).plus_secs(created_secs),
            modified: None,
            profile: Map::new(),
        }
    }

    #[test]
    fn tokens_of_a_devpi_server_are_read_and_verified() {
        let key = secret().derive().expect("a key");
        for (text, name) in [(ALICE, "alice"), (ZOE, "zo\u{eb}")] {
            let token = DevpiToken::parse(text).expect("devpi's shape");
            assert_eq!((token.user.as_str(), token.issued_secs), (name, ISSUED));
            assert!(token.is_signed_with(&key), "{text}");
        }
    }

    #[test]
    fn any_change_ends_a_token() {
        let key = secret().derive().expect("a key");
        for position in 0..ALICE.len() {
            let mut bent = ALICE.to_owned().into_bytes();
            bent[position] ^= 1;
            let bent = String::from_utf8(bent).expect("still ASCII");
            let holds = DevpiToken::parse(&bent).is_some_and(|token| token.is_signed_with(&key));
            assert!(!holds, "position {position}");
        }
        let other = DevpiSecret::new(b"a secret of at least thirty-two bytez", 64, 1, 2);
        let other = other.expect("good numbers").derive().expect("a key");
        let token = DevpiToken::parse(ALICE).expect("devpi's shape");
        assert!(!token.is_signed_with(&other));
    }

    #[test]
    fn passwords_and_our_tokens_have_another_shape() {
        let others = [
            "",
            "secret",
            "[a.b.c]",
            "ldt1.eyJpZCI6MX0.AAAA",
            r#"["alice", [], true]"#,
            r#"["alice", [], true].awQOoA.AAAA"#,
            r#"["alice"].awQOoA.0xpRl-bASKUIzgdiiD-nQikRLBw"#,
            r#"["alice", [], true]..0xpRl-bASKUIzgdiiD-nQikRLBw"#,
            r#"["alice", [], true].awQOoAAAAAAAAAAA.0xpRl-bASKUIzgdiiD-nQikRLBw"#,
        ];
        for text in others {
            assert!(!has_shape(text), "{text}");
        }
        assert!(!has_shape(&ALICE.replace("alice", &"a".repeat(3000))));
    }

    #[test]
    fn a_token_counts_for_ten_hours_and_its_password_and_user() {
        let token = DevpiToken::parse(ALICE).expect("devpi's shape");
        let at = |secs: i64| Timestamp::from_micros(0).plus_secs(secs);
        let table = [
            (user(0, ISSUED), ISSUED, true),
            (user(0, 0), ISSUED + LIFETIME_SECS, true),
            (user(0, 0), ISSUED + LIFETIME_SECS + 1, false),
            (user(0, 0), ISSUED - 1, false),
            (user(1, 0), ISSUED, false),
            (user(0, ISSUED + 1), ISSUED + 2, false),
        ];
        for (user, now, counts) in table {
            assert_eq!(token.may_count(&user, at(now)), counts, "{user:?} at {now}");
        }
    }

    #[tokio::test]
    async fn the_key_is_derived_once() {
        let (key, secret) = (DevpiKey::default(), secret());
        let (one, two) = tokio::join!(key.get(&secret), key.get(&secret));
        assert_eq!(one.expect("a key"), two.expect("a key"));
        // Another secret would give another key, if it were asked again.
        let other = DevpiSecret::new(b"another secret of at least 32 bytes", 64, 1, 2);
        let again = key.get(&other.expect("good numbers")).await;
        assert_eq!(again.expect("a key"), secret.derive().expect("a key"));
    }
}
