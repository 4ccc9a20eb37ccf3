//! Versions: PEP 440, and whatever older projects called a version.
//!
//! Invariant: the raw text is kept for URLs and display (M-06); comparing
//! never looks at the text where PEP 440 has an answer.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version as it was written, with its meaning under PEP 440 if it has one.
///
/// Order: legacy versions below all valid ones (M-07), then PEP 440, then the
/// raw text, so that `1.0` and `1.0.0` are neighbours but not equal. See
/// [`Version::same_release`] for the equality that users mean.
#[derive(Debug, Clone)]
pub struct Version {
    raw: String,
    parsed: Option<uv_pep440::Version>,
}

/// Not a version under PEP 440, or longer than [`Version::MAX_LEN`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{input}' is not a valid version (PEP 440)")]
pub struct InvalidVersion {
    /// What was given, cut to 80 characters.
    pub input: String,
}

impl Version {
    /// Longest text, in bytes, that is tried as PEP 440; what is longer is legacy.
    pub const MAX_LEN: usize = 200;

    /// Any text; what PEP 440 does not know becomes a legacy version.
    pub fn lenient(raw: &str) -> Self {
        Self {
            raw: raw.to_owned(),
            parsed: parse(raw),
        }
    }

    /// PEP 440 only, without white space around it.
    pub fn strict(raw: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion {
            input: raw.chars().take(80).collect(),
        };
        if raw.contains(|c: char| c.is_whitespace()) {
            return Err(invalid());
        }
        let parsed = parse(raw).ok_or_else(invalid)?;
        Ok(Self {
            raw: raw.to_owned(),
            parsed: Some(parsed),
        })
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// Not PEP 440.
    pub fn is_legacy(&self) -> bool {
        self.parsed.is_none()
    }

    /// Alpha, beta, candidate or development release. Legacy versions are not (devpi: A.4).
    pub fn is_prerelease(&self) -> bool {
        self.parsed
            .as_ref()
            .is_some_and(uv_pep440::Version::any_prerelease)
    }

    /// Whether both name one release: `1.0` and `1.0.0` do (M-06); legacy
    /// versions only with equal text.
    pub fn same_release(&self, other: &Self) -> bool {
        match (&self.parsed, &other.parsed) {
            (Some(a), Some(b)) => a == b,
            (None, None) => self.raw == other.raw,
            _ => false,
        }
    }

    /// Of several spellings the one that means this release: the very same text
    /// if it is there, since old data may have `1.0` beside `1.0.0`.
    pub fn spelled<'a>(&self, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
        let exactly = known.clone().find(|known| *known == self.as_str());
        exactly.or_else(|| {
            known
                .into_iter()
                .find(|known| self.same_release(&Self::lenient(known)))
        })
    }

    /// PEP 440's normal form, trailing zeros kept; of a legacy version, its text.
    pub fn normalized(&self) -> String {
        match &self.parsed {
            Some(parsed) => parsed.to_string(),
            None => self.raw.clone(),
        }
    }
}

/// The length is capped before parsing, since parsing is not free.
fn parse(raw: &str) -> Option<uv_pep440::Version> {
    if raw.len() > Version::MAX_LEN {
        return None;
    }
    uv_pep440::Version::from_str(raw).ok()
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        // `None` sorts below every `Some`.
        self.parsed
            .cmp(&other.parsed)
            .then_with(|| self.raw.cmp(&other.raw))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        // Equal text has equal meaning.
        self.raw == other.raw
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn m07_order_is_legacy_then_pep440_then_text() {
        let ascending = [
            "",
            "2004d",
            "banana",
            "0.9.dev1",
            "0.9a1",
            "0.9b2",
            "0.9rc1",
            "0.9",
            "0.9+corp.1",
            "0.9+corp.10",
            "0.9.post1",
            "1.0",
            "1.0.0",
            "v1.0",
            "1.1",
            "1.10",
            "1!0.1",
        ];
        let versions = ascending.map(Version::lenient);
        for pair in versions.windows(2) {
            assert!(pair[0] < pair[1], "{} < {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn m06_versions_equal_under_pep440_are_one_release() {
        let cases = [
            ("1.0", "1.0.0", true),
            ("v1.0", "1", true),
            ("1.0-1", "1.0.post1", true),
            ("1.0+Corp_3", "1.0+corp.3", true),
            ("1.0", "1.0.1", false),
            ("1.0", "1.0rc1", false),
            ("2004d", "2004d", true),
            ("2004d", "2004D", false),
            ("2004d", "2004", false),
        ];
        for (a, b, same) in cases {
            let (left, right) = (Version::lenient(a), Version::lenient(b));
            assert_eq!(left.same_release(&right), same, "{a} {b}");
            assert_eq!(right.same_release(&left), same, "{b} {a}");
        }
    }

    #[test]
    fn strict_takes_pep440_only() {
        for good in ["1", "1.0", "1.0+corp.3", "1!2.3.dev4", "v1.0", "1.0-1"] {
            assert_eq!(Version::strict(good).unwrap().as_str(), good);
        }
        let long = "1".repeat(5000);
        let bad = [
            "",
            " ",
            "1.0 ",
            "\n1.0",
            "1.0\u{a0}",
            "banana",
            "2004d",
            "1.0<script>",
            "..",
            "1/0",
            "1.0\0",
            long.as_str(),
        ];
        for bad in bad {
            let error = Version::strict(bad).unwrap_err();
            assert!(error.input.len() <= 80, "{bad}");
            assert!(Version::lenient(bad.trim()).is_legacy() || bad.trim() == "1.0");
        }
    }

    #[test]
    fn prereleases_are_pre_or_dev() {
        let cases = [
            ("1.0a1", true),
            ("1.0.dev1", true),
            ("1.0.post1.dev1", true),
            ("1.0.post1", false),
            ("1.0", false),
            ("banana", false),
        ];
        for (raw, expected) in cases {
            assert_eq!(Version::lenient(raw).is_prerelease(), expected, "{raw}");
        }
    }

    #[test]
    fn normalized_is_pep440s_form() {
        let cases = [
            ("V1.0-ALPHA.1", "1.0a1"),
            ("1.00.0", "1.0.0"),
            ("1.0-r4", "1.0.post4"),
            ("1.0+Ubuntu_1", "1.0+ubuntu.1"),
            ("Weird--1", "Weird--1"),
        ];
        for (raw, expected) in cases {
            assert_eq!(Version::lenient(raw).normalized(), expected, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_some_version(raw in ".{0,300}") {
            let version = Version::lenient(&raw);
            prop_assert_eq!(version.as_str(), raw.as_str());
            prop_assert!(version.same_release(&version.clone()));
        }

        #[test]
        fn normalizing_is_idempotent_and_keeps_the_release(raw in "[0-9v!.abcrpostdev+_-]{1,12}") {
            let version = Version::lenient(&raw);
            let again = Version::lenient(&version.normalized());
            prop_assert!(version.same_release(&again));
            prop_assert_eq!(again.normalized(), version.normalized());
        }

        #[test]
        fn order_agrees_with_equality(a in "[0-9.]{1,4}", b in "[0-9.a]{1,4}") {
            let (a, b) = (Version::lenient(&a), Version::lenient(&b));
            prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        }
    }
}
