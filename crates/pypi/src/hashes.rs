//! Digests: the sha256 that names a blob, and the set of hashes a page gives
//! for a file.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A sha256: the name of a blob. Displayed as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Not 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sha256 is 64 hex digits")]
pub struct InvalidDigest;

impl Digest {
    /// The digest of these raw bytes of a sha256.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidDigest)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The hashes a page gives for one file: algorithm name to lower-case hex.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hashes(BTreeMap<String, String>);

impl Hashes {
    /// Just this sha256.
    pub fn of(digest: Digest) -> Self {
        Self(BTreeMap::from([("sha256".to_owned(), digest.to_string())]))
    }

    /// Adds a hash if hashlib knows the algorithm and the hex has its length
    /// (S-16, S-24: everything else breaks some client's page); says whether it did.
    pub fn insert(&mut self, algorithm: &str, hex: &str) -> bool {
        let algorithm = algorithm.to_ascii_lowercase();
        let hex = hex.to_ascii_lowercase();
        let digits = match algorithm.as_str() {
            "md5" => 32,
            "sha224" => 56,
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return false,
        };
        if hex.len() != digits || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return false;
        }
        self.0.insert(algorithm, hex);
        true
    }

    /// The sha256, if given.
    pub fn sha256(&self) -> Option<Digest> {
        self.0.get("sha256").and_then(|hex| hex.parse().ok())
    }

    /// The hash devpi puts into a file's URL: sha256 if there is one, else any
    /// other, as (algorithm, hex).
    pub fn preferred(&self) -> Option<(&str, &str)> {
        self.0
            .get_key_value("sha256")
            .or_else(|| self.0.iter().next_back())
            .map(|(algorithm, hex)| (algorithm.as_str(), hex.as_str()))
    }

    /// All of them, by algorithm name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(a, h)| (a.as_str(), h.as_str()))
    }

    /// No hash at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
