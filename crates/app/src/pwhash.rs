//! Stored password hashes, read and written: argon2 with any parameters, and
//! the salted SHA-256 of old devpi servers (devpi: 2.4).
//!
//! The one column holds either an argon2 text as it is, or
//! `$devpi-sha256$SALT$HEX`, where HEX is SHA-256 over the salt as it was
//! written and the password.
//!
//! Invariants: what is computed is bounded, whoever wrote the hash; nothing
//! here logs or keeps a password. Left out: where and when it is computed.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Marks the legacy form.
const LEGACY: &str = "$devpi-sha256$";

/// Most memory that a stored hash may ask for, in KiB: 1 GiB.
const MAX_MEMORY_KIB: u32 = 1 << 20;
/// Most passes over it.
const MAX_PASSES: u32 = 64;
/// Most lanes.
const MAX_LANES: u32 = 64;
/// Most memory times passes, in KiB: some seconds of one processor.
const MAX_WORK_KIB: u64 = 4 << 20;

/// Bytes of our salts and digests.
const SALT_BYTES: usize = 16;
const DIGEST_BYTES: usize = 32;

/// A stored hash that no password can be checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// In none of the known forms.
    #[error("the password hash is in no known form")]
    Unreadable,
    /// Over the limits.
    #[error(
        "the password hash asks for more than 1 GiB of memory, 64 passes, 64 lanes, or 4 GiB of both together"
    )]
    TooCostly,
}

/// A hash to check passwords against.
#[derive(Clone)]
pub(crate) enum StoredHash {
    /// argon2; any variant, version and parameters within the limits.
    Argon2 {
        hasher: Argon2<'static>,
        algorithm: Algorithm,
        version: Version,
        salt: Vec<u8>,
        digest: Vec<u8>,
    },
    /// Of a devpi server before 4.2.
    Legacy { salt: String, digest: [u8; 32] },
}

impl StoredHash {
    pub(crate) fn parse(text: &str) -> Result<Self, UnusableHash> {
        if let Some(rest) = text.strip_prefix(LEGACY) {
            let (salt, digest) = rest.split_once('$').ok_or(UnusableHash::Unreadable)?;
            return Self::legacy(salt, digest).ok_or(UnusableHash::Unreadable);
        }
        Self::argon2(text)
    }

    fn argon2(text: &str) -> Result<Self, UnusableHash> {
        let unreadable = |()| UnusableHash::Unreadable;
        let hash = PasswordHash::new(text).map_err(|_| unreadable(()))?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| unreadable(()))?;
        // Texts from before the versions were counted name none.
        let version = hash
            .version
            .map_or(Ok(Version::V0x10), Version::try_from)
            .map_err(|_| unreadable(()))?;
        let params = Params::try_from(&hash).map_err(|_| unreadable(()))?;
        let (Some(salt), Some(digest)) = (hash.salt, hash.hash) else {
            return Err(UnusableHash::Unreadable);
        };
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        if params.m_cost() > MAX_MEMORY_KIB
            || params.t_cost() > MAX_PASSES
            || params.p_cost() > MAX_LANES
            || work > MAX_WORK_KIB
        {
            return Err(UnusableHash::TooCostly);
        }
        Ok(Self::Argon2 {
            hasher: Argon2::new(algorithm, version, params),
            algorithm,
            version,
            salt: salt.as_ref().to_vec(),
            digest: digest.as_bytes().to_vec(),
        })
    }

    fn legacy(salt: &str, digest: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(digest, &mut bytes).ok()?;
        let is_plain = salt.is_ascii() && !salt.contains(['$', '\0']);
        is_plain.then(|| Self::Legacy {
            salt: salt.to_owned(),
            digest: bytes,
        })
    }

    /// A hash that nobody's password has and that costs what a new one costs,
    /// to be computed for users that do not exist.
    pub(crate) fn dummy() -> Self {
        let mut salt = vec![0; SALT_BYTES];
        rand::fill(&mut salt[..]);
        Self::Argon2 {
            hasher: hasher(),
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            salt,
            digest: vec![0; DIGEST_BYTES],
        }
    }

    /// Whether it was made as [`new_hash`] makes them.
    pub(crate) fn is_current(&self) -> bool {
        let Self::Argon2 {
            hasher: stored,
            algorithm,
            version,
            salt,
            digest,
        } = self
        else {
            return false;
        };
        let (own, stored) = (ours(), stored.params());
        *algorithm == Algorithm::Argon2id
            && *version == Version::V0x13
            && stored.m_cost() == own.m_cost()
            && stored.t_cost() == own.t_cost()
            && stored.p_cost() == own.p_cost()
            && salt.len() >= SALT_BYTES
            && digest.len() == DIGEST_BYTES
    }

    /// Whether checking it costs next to nothing, which would tell users apart.
    pub(crate) fn is_cheap(&self) -> bool {
        matches!(self, Self::Legacy { .. })
    }

    pub(crate) fn matches(&self, password: &str) -> bool {
        match self {
            Self::Argon2 { digest, .. } => self
                .compute(password)
                .is_some_and(|computed| computed.ct_eq(digest).into()),
            Self::Legacy { salt, digest } => {
                let computed = Sha256::new()
                    .chain_update(salt.as_bytes())
                    .chain_update(password.as_bytes())
                    .finalize();
                computed.as_slice().ct_eq(digest).into()
            }
        }
    }

    /// `None` if the machine has not enough memory.
    fn compute(&self, password: &str) -> Option<Vec<u8>> {
        let Self::Argon2 {
            hasher,
            salt,
            digest,
            ..
        } = self
        else {
            return None;
        };
        let mut computed = vec![0; digest.len()];
        hasher
            .hash_password_into(password.as_bytes(), salt, &mut computed)
            .inspect_err(|error| tracing::error!(%error, "a password could not be hashed"))
            .ok()?;
        Some(computed)
    }
}

/// The hash of a new password: argon2id at 19 MiB, which devpi verifies too.
pub(crate) fn new_hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    let mut salt = [0; SALT_BYTES];
    rand::fill(&mut salt);
    let hash = hasher().hash_password_with_salt(password.as_bytes(), &salt)?;
    Ok(hash.to_string())
}

/// A devpi user's `pwhash`, and `pwsalt` if there is one, as the column holds
/// them (devpi: 2.4).
pub fn stored_password_hash(pwhash: &str, pwsalt: Option<&str>) -> Result<String, UnusableHash> {
    let text = match pwsalt.filter(|salt| !salt.is_empty()) {
        Some(salt) => format!("{LEGACY}{salt}${}", pwhash.to_ascii_lowercase()),
        None => pwhash.to_owned(),
    };
    StoredHash::parse(&text).map(|_| text)
}

fn ours() -> Params {
    Params::new(19_456, 2, 1, Some(DIGEST_BYTES)).expect("invariant: the parameters are valid")
}

fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, ours())
}

#[cfg(test)]
mod tests {
    use super::{StoredHash, UnusableHash, new_hash, stored_password_hash};

    const DEVPI: &str = "$argon2id$v=19$m=512,t=2,p=2$VWpNyblXqnUOgZByznmvlQ$g3yctJn/kllJWgHQfqZJGJwydxo7b3p4N6W+l4ChrNM";
    /// `sha256(b"c2FsdHNhbHRzYWx0c2FsdA==" + b"secret")`
    const LEGACY_HEX: &str = "e8fec00708568fa979c1db94a47af4db2af580ebb1248c35219398820db72ec4";

    fn parsed(text: &str) -> StoredHash {
        StoredHash::parse(text).expect("a usable hash")
    }

    #[test]
    fn hashes_that_devpi_made_are_verified() {
        let variants = [
            DEVPI,
            "$argon2i$v=19$m=512,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$jLtD07Pifz1uBhmWGGG5LA",
            "$argon2i$m=512,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$azbwFQnghULFXQFyYp93C9fFz1y29TJaEJRrHEyOLEI",
        ];
        for text in variants {
            let hash = parsed(text);
            assert!(hash.matches("password"), "{text}");
            assert!(!hash.matches("Password"), "{text}");
            assert!(!hash.is_current() && !hash.is_cheap(), "{text}");
        }
    }

    #[test]
    fn users_of_old_devpi_servers_keep_their_passwords() {
        let stored = stored_password_hash(LEGACY_HEX, Some("c2FsdHNhbHRzYWx0c2FsdA=="));
        let stored = stored.expect("a usable hash");
        assert_eq!(
            stored,
            format!("$devpi-sha256$c2FsdHNhbHRzYWx0c2FsdA==${LEGACY_HEX}")
        );
        let hash = parsed(&stored);
        assert!(hash.matches("secret") && !hash.matches("Secret"));
        assert!(!hash.is_current() && hash.is_cheap());
        assert_eq!(stored_password_hash(DEVPI, None).as_deref(), Ok(DEVPI));
        assert_eq!(stored_password_hash(DEVPI, Some("")).as_deref(), Ok(DEVPI));
    }

    #[test]
    fn what_is_no_hash_is_named_so() {
        let texts = [
            "",
            "not a hash",
            "$devpi-sha256$salt",
            "$devpi-sha256$salt$abc",
            "$devpi-sha256$sa$lt$00",
            "$argon2id$v=19$m=512,t=2,p=2$VWpNyblXqnUOgZByznmvlQ",
            "$argon2x$v=19$m=512,t=2,p=2$VWpNyblXqnUOgZByznmvlQ$g3yctJn/kllJWgHQfqZJGJwydxo7b3p4N6W+l4ChrNM",
            "$argon2id$v=20$m=512,t=2,p=2$VWpNyblXqnUOgZByznmvlQ$g3yctJn/kllJWgHQfqZJGJwydxo7b3p4N6W+l4ChrNM",
            "$2b$12$abcdefghijklmnopqrstuu",
        ];
        for text in texts {
            let error = StoredHash::parse(text).err();
            assert_eq!(error, Some(UnusableHash::Unreadable), "{text}");
        }
        assert!(stored_password_hash("xyz", Some("salt")).is_err());
        assert!(stored_password_hash(LEGACY_HEX, Some("a$b")).is_err());
    }

    #[test]
    fn a_hash_cannot_ask_for_the_whole_machine() {
        let of = |params: &str| DEVPI.replace("m=512,t=2,p=2", params);
        let table = [
            ("m=4194304,t=1,p=1", false),
            ("m=1048577,t=1,p=1", false),
            ("m=8192,t=65,p=1", false),
            ("m=8192,t=1,p=65", false),
            ("m=1048576,t=5,p=8", false),
            ("m=1048576,t=4,p=8", true),
            ("m=102400,t=2,p=8", true),
            ("m=65536,t=64,p=4", true),
        ];
        for (params, usable) in table {
            let error = StoredHash::parse(&of(params)).err();
            let expected = (!usable).then_some(UnusableHash::TooCostly);
            assert_eq!(error, expected, "{params}");
        }
    }

    #[test]
    fn the_dummy_costs_what_a_real_hash_costs_and_fits_nobody() {
        let (dummy, real) = (StoredHash::dummy(), parsed(&new_hash("x").expect("a hash")));
        assert!(real.is_current() && real.matches("x"));
        assert!(dummy.is_current(), "the same parameters");
        assert!(!dummy.matches("x"));
        // It is really computed: a refusal before that would be quick, and tell.
        assert_eq!(dummy.compute("x").map(|digest| digest.len()), Some(32));
    }
}
