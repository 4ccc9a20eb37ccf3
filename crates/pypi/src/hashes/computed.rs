//! Hashing bytes while they pass by, with several algorithms at once.
//!
//! Invariant: sha256 is always computed; the others only when asked, since
//! each of them costs as much as writing the bytes.

use blake2::digest::consts::U32;
use sha2::Digest as _;

use super::{Digest, Hashes};

/// Which hashes to compute besides sha256.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of five, named by those who ask"
)]
pub struct Algorithms {
    /// For upload forms and for upstreams of old.
    pub md5: bool,
    /// BLAKE2b with 32 bytes, as upload forms give it; never on a page (S-16).
    pub blake2_256: bool,
    /// For upstreams whose pages give nothing else; as the next two.
    pub sha224: bool,
    /// See `sha224`.
    pub sha384: bool,
    /// See `sha224`.
    pub sha512: bool,
}

impl Algorithms {
    /// Adds an algorithm by its hashlib name; `false` if there is no such thing here.
    pub fn add(&mut self, name: &str) -> bool {
        match name {
            "sha256" => {}
            "md5" => self.md5 = true,
            "blake2_256" => self.blake2_256 = true,
            "sha224" => self.sha224 = true,
            "sha384" => self.sha384 = true,
            "sha512" => self.sha512 = true,
            _ => return false,
        }
        true
    }
}

/// Computes the hashes of bytes that are handed in piece by piece.
#[derive(Debug, Clone)]
pub struct Hasher {
    len: u64,
    sha256: sha2::Sha256,
    md5: Option<md5::Md5>,
    blake2_256: Option<blake2::Blake2b<U32>>,
    sha224: Option<sha2::Sha224>,
    sha384: Option<sha2::Sha384>,
    sha512: Option<sha2::Sha512>,
}

impl Hasher {
    /// Nothing hashed yet.
    pub fn new(want: Algorithms) -> Self {
        Self {
            len: 0,
            sha256: sha2::Sha256::default(),
            md5: want.md5.then(md5::Md5::default),
            blake2_256: want.blake2_256.then(blake2::Blake2b::default),
            sha224: want.sha224.then(sha2::Sha224::default),
            sha384: want.sha384.then(sha2::Sha384::default),
            sha512: want.sha512.then(sha2::Sha512::default),
        }
    }

    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.sha256.update(bytes);
        feed(&mut self.md5, bytes);
        feed(&mut self.blake2_256, bytes);
        feed(&mut self.sha224, bytes);
        feed(&mut self.sha384, bytes);
        feed(&mut self.sha512, bytes);
    }

    /// No more bytes.
    pub fn finish(self) -> Computed {
        let sha256 = Digest::from_bytes(self.sha256.finalize().into());
        let mut hashes = Hashes::of(sha256);
        let further = [
            ("sha224", finish(self.sha224)),
            ("sha384", finish(self.sha384)),
            ("sha512", finish(self.sha512)),
        ];
        for (name, hex) in further {
            if let Some(hex) = hex {
                hashes.insert(name, &hex);
            }
        }
        Computed {
            sha256,
            md5: finish(self.md5),
            blake2_256: finish(self.blake2_256),
            hashes,
            len: self.len,
        }
    }
}

fn feed<D: sha2::Digest>(hasher: &mut Option<D>, bytes: &[u8]) {
    if let Some(hasher) = hasher {
        hasher.update(bytes);
    }
}

fn finish<D: sha2::Digest>(hasher: Option<D>) -> Option<String> {
    hasher.map(|hasher| hex::encode(hasher.finalize()))
}

/// What was computed. All hex is lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The name of the blob.
    pub sha256: Digest,
    /// If asked for.
    pub md5: Option<String>,
    /// If asked for.
    pub blake2_256: Option<String>,
    /// sha256 and whatever of sha224, sha384 and sha512 was asked for.
    pub hashes: Hashes,
    /// Bytes.
    pub len: u64,
}

impl Computed {
    /// The hash of an algorithm in the words of [`Algorithms::add`], if it was computed.
    pub fn hex(&self, algorithm: &str) -> Option<&str> {
        match algorithm {
            "md5" => self.md5.as_deref(),
            "blake2_256" => self.blake2_256.as_deref(),
            _ => self.hashes.get(algorithm),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the bytes `abc`, from the algorithms' own standards (RFC 1321, FIPS 180-4, RFC 7693).
    const ABC: [(&str, &str); 5] = [
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
        (
            "blake2_256",
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
        ),
        (
            "sha224",
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
        ),
        (
            "sha256",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "sha512",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ];

    #[test]
    fn every_algorithm_agrees_with_its_standard() {
        let mut want = Algorithms::default();
        for name in ["md5", "blake2_256", "sha224", "sha256", "sha384", "sha512"] {
            assert!(want.add(name), "{name}");
        }
        assert!(!want.add("sha1"));
        let mut hasher = Hasher::new(want);
        hasher.update(b"a");
        hasher.update(b"");
        hasher.update(b"bc");
        let computed = hasher.finish();
        for (name, hex) in ABC {
            assert_eq!(computed.hex(name), Some(hex), "{name}");
        }
        assert_eq!(computed.hex("sha384").unwrap().len(), 96);
        assert_eq!(computed.len, 3);
        assert_eq!(computed.sha256, Digest::of(b"abc"));
    }

    #[test]
    fn only_sha256_is_computed_unasked() {
        let computed = Hasher::new(Algorithms::default()).finish();
        assert_eq!(computed.hashes, Hashes::of(Digest::of(b"")));
        for name in ["md5", "blake2_256", "sha224", "sha384", "sha512", "sha1"] {
            assert_eq!(computed.hex(name), None, "{name}");
        }
    }
}
