//! Digests: the sha256 that names a blob, the set of hashes a page gives for
//! a file, and the computing of both while bytes pass by.
//!
//! Invariant: a hash in here is lower-case hex of the right length for its
//! algorithm, and the algorithm is one that Python's hashlib always has.
//! Left out: comparing in constant time, which is for secrets.

mod computed;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

pub use computed::{Algorithms, Computed, Hasher};

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

    /// The sha256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
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
        hex::encode(digest.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The hashes a page gives for one file: algorithm name to lower-case hex.
///
/// Kept as a short sorted list: there are a hundred thousand of these for the
/// largest projects, nearly all with one entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hashes(Vec<(&'static str, Box<str>)>);

/// What hashlib always has and pages may name (S-16), with the number of hex digits.
const KNOWN: [(&str, usize); 5] = [
    ("md5", 32),
    ("sha224", 56),
    ("sha256", 64),
    ("sha384", 96),
    ("sha512", 128),
];

impl Hashes {
    /// Just this sha256.
    pub fn of(digest: Digest) -> Self {
        Self(vec![("sha256", digest.to_string().into())])
    }

    /// Adds a hash if hashlib knows the algorithm and the hex has its length
    /// (S-16, S-24: everything else breaks some client's page); says whether it did.
    pub fn insert(&mut self, algorithm: &str, hex: &str) -> bool {
        let known = KNOWN
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(algorithm));
        let Some(&(name, digits)) = known else {
            return false;
        };
        if hex.len() != digits || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return false;
        }
        let hex = hex.to_ascii_lowercase().into_boxed_str();
        match self.0.binary_search_by_key(&name, |(name, _)| name) {
            Ok(at) => self.0[at].1 = hex,
            Err(at) => {
                self.0.reserve_exact(1);
                self.0.insert(at, (name, hex));
            }
        }
        true
    }

    /// The hash of this algorithm as hex, if given.
    pub fn get(&self, algorithm: &str) -> Option<&str> {
        self.iter()
            .find(|(name, _)| *name == algorithm)
            .map(|(_, hex)| hex)
    }

    /// The sha256, if given.
    pub fn sha256(&self) -> Option<Digest> {
        self.get("sha256").and_then(|hex| hex.parse().ok())
    }

    /// The hash devpi puts into a file's URL: sha256 if there is one, else any
    /// other, as (algorithm, hex).
    pub fn preferred(&self) -> Option<(&str, &str)> {
        let sha256 = self.get("sha256").map(|hex| ("sha256", hex));
        sha256.or_else(|| self.iter().last())
    }

    /// All of them, by algorithm name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, hex)| (*name, &**hex))
    }

    /// No hash at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Hashes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Hashes {
    /// Entries that no page may carry are left out.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut hashes = Self::default();
        for (algorithm, hex) in BTreeMap::<String, String>::deserialize(deserializer)? {
            hashes.insert(&algorithm, &hex);
        }
        Ok(hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn digest_reads_upper_case_and_shows_lower_case() {
        let digest: Digest = SHA256.to_uppercase().parse().unwrap();
        assert_eq!(digest.to_string(), SHA256);
        assert_eq!(digest, Digest::of(b""));
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    }

    #[test]
    fn digest_of_another_length_is_refused() {
        let long = format!("{SHA256}00");
        for text in ["", "e3", &SHA256[..63], &long, &SHA256.replace('e', "g")] {
            assert_eq!(text.parse::<Digest>(), Err(InvalidDigest), "{text}");
        }
    }

    #[test]
    fn s16_only_hashlib_algorithms_of_the_right_length_are_kept() {
        let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        let cases = [
            ("sha256", SHA256, true),
            ("SHA256", SHA256, true),
            ("md5", MD5, true),
            ("sha1", sha1, false),
            ("sha256", MD5, false),
            ("blake2b", SHA256, false),
            ("md5", "zz1d8cd98f00b204e9800998ecf8427e", false),
            ("", "", false),
        ];
        for (algorithm, hex, kept) in cases {
            let mut hashes = Hashes::default();
            assert_eq!(hashes.insert(algorithm, hex), kept, "{algorithm}={hex}");
            assert_eq!(hashes.is_empty(), !kept);
        }
    }

    #[test]
    fn preferred_hash_is_sha256_then_the_strongest() {
        let mut hashes = Hashes::default();
        assert_eq!(hashes.preferred(), None);
        hashes.insert("sha512", &"a".repeat(128));
        hashes.insert("md5", MD5);
        assert_eq!(hashes.preferred().unwrap().0, "sha512");
        hashes.insert("sha256", SHA256);
        assert_eq!(hashes.preferred(), Some(("sha256", SHA256)));
        let names: Vec<_> = hashes.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["md5", "sha256", "sha512"]);
    }

    #[test]
    fn inserting_twice_replaces() {
        let mut hashes = Hashes::of(Digest::from_bytes([1; 32]));
        hashes.insert("sha256", SHA256);
        assert_eq!(hashes, Hashes::of(Digest::of(b"")));
    }

    #[test]
    fn hashes_are_a_json_object() {
        let hashes = Hashes::of(Digest::of(b""));
        let json = serde_json::to_string(&hashes).unwrap();
        assert_eq!(json, format!("{{\"sha256\":\"{SHA256}\"}}"));
        assert_eq!(serde_json::from_str::<Hashes>(&json).unwrap(), hashes);
    }
}
