//! Login tokens: short-lived, checked without a database row.
//!
//! Invariant: a token is bound to a user's id and epoch, so that it dies when
//! the password changes or the user is deleted, also if the name comes back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use larder_model::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Marks a token, so that a password is never mistaken for one.
const PREFIX: &str = "ldt1.";
/// Longest token looked at.
const MAX_TOKEN_BYTES: usize = 1024;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The user's id.
    pub(crate) id: i64,
    /// The user's epoch when it was issued.
    pub(crate) epoch: i64,
    /// Microseconds since 1970.
    pub(crate) expires: Timestamp,
}

/// Signs and reads tokens.
pub(crate) struct Tokens {
    key: [u8; 32],
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

impl Tokens {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    pub(crate) fn sign(&self, claims: &Claims) -> String {
        let json = serde_json::to_vec(claims).expect("invariant: integers serialise");
        let payload = URL_SAFE_NO_PAD.encode(json);
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&payload).finalize().into_bytes());
        format!("{PREFIX}{payload}.{signature}")
    }

    /// The claims of a genuine token, whether or not it has expired; `None`
    /// for everything else.
    pub(crate) fn read(&self, token: &str) -> Option<Claims> {
        let (payload, signature) = token.strip_prefix(PREFIX)?.split_once('.')?;
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.mac(payload).verify_slice(&signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    /// Whether a secret looks like a token at all.
    pub(crate) fn is_token(secret: &str) -> bool {
        secret.starts_with(PREFIX)
    }

    fn mac(&self, payload: &str) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key)
            .expect("invariant: any key length fits");
        mac.update(b"larder login token\0");
        mac.update(payload.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::{Claims, Tokens};
    use larder_model::Timestamp;

    #[test]
    fn a_token_is_read_back_and_any_other_text_is_not_one() {
        let tokens = Tokens::new([7; 32]);
        let claims = Claims {
            id: 3,
            epoch: 1,
            expires: Timestamp::from_micros(5),
        };
        let token = tokens.sign(&claims);
        assert!(token.is_ascii());
        assert_eq!(tokens.read(&token), Some(claims));
        assert_eq!(Tokens::new([8; 32]).read(&token), None);
        for position in 0..token.len() {
            let mut bent = token.clone().into_bytes();
            bent[position] ^= 1;
            let bent = String::from_utf8(bent).expect("still ASCII");
            assert_eq!(tokens.read(&bent), None, "position {position}");
        }
        assert_eq!(tokens.read(""), None);
        assert_eq!(tokens.read(&"ldt1.".repeat(1000)), None);
    }
}
