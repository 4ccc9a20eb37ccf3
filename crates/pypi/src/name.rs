//! Project names.
//!
//! Invariant: a [`ProjectName`] is always valid and normalised (S-02), so it
//! can be compared, stored and put into a URL as it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A project name in its normalised form: lower case, runs of `-`, `_`, `.`
/// folded to one `-` (PEP 503, rule S-02). At most [`ProjectName::MAX_LEN`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectName(String);

/// The input is not a project name under the PEP 508 grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{input}' is not a valid project name: use ASCII letters, digits, '.', '-' and '_', \
     and begin and end with a letter or digit"
)]
pub struct InvalidName {
    /// What was given, cut to 80 characters.
    pub input: String,
}

impl ProjectName {
    /// Longest accepted name, in bytes.
    pub const MAX_LEN: usize = 255;

    /// The normalised name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProjectName {
    type Err = InvalidName;

    fn from_str(input: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName {
            input: input.chars().take(80).collect(),
        };
        if input.len() > Self::MAX_LEN {
            return Err(invalid());
        }
        let name = uv_normalize::PackageName::from_str(input).map_err(|_| invalid())?;
        Ok(Self(name.to_string()))
    }
}

impl TryFrom<String> for ProjectName {
    type Error = InvalidName;

    fn try_from(input: String) -> Result<Self, InvalidName> {
        input.parse()
    }
}

impl From<ProjectName> for String {
    fn from(name: ProjectName) -> Self {
        name.0
    }
}

impl AsRef<str> for ProjectName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn s02_names_are_normalised() {
        let cases = [
            ("demo", "demo"),
            ("Foo.Bar__baz", "foo-bar-baz"),
            ("foo-bar-baz", "foo-bar-baz"),
            ("De.-_Mo", "de-mo"),
            ("0", "0"),
            ("A1", "a1"),
            ("con", "con"),
        ];
        for (input, expected) in cases {
            let name: ProjectName = input.parse().unwrap();
            assert_eq!(name.as_str(), expected, "{input}");
        }
    }

    #[test]
    fn s02_a18_to_a41_invalid_names_are_refused() {
        let long = "a".repeat(ProjectName::MAX_LEN + 1);
        let bad = [
            "",
            "demo\n",
            "demo.",
            "-demo",
            "_",
            "x y",
            "../../x",
            "a/b",
            "demo\0",
            "dem\u{43e}",
            "\u{202e}oemd",
            "demo\r\nSet-Cookie: x=1",
            "%64emo",
            "d\u{e9}mo",
            "a+b",
            &long,
        ];
        for input in bad {
            let error = input.parse::<ProjectName>().unwrap_err();
            assert!(error.input.chars().count() <= 80, "{input:?}");
        }
        assert!(long[1..].parse::<ProjectName>().is_ok());
    }

    #[test]
    fn stored_names_are_checked_again() {
        assert_eq!(
            serde_json::from_str::<ProjectName>("\"A_b\"")
                .unwrap()
                .as_str(),
            "a-b"
        );
        assert!(serde_json::from_str::<ProjectName>("\"../x\"").is_err());
    }

    proptest! {
        #[test]
        fn normalising_is_idempotent(input in "[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?") {
            let name: ProjectName = input.parse().unwrap();
            prop_assert_eq!(&name.as_str().parse::<ProjectName>().unwrap(), &name);
            let normal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            prop_assert!(name.as_str().chars().all(normal) && !name.as_str().contains("--"));
        }

        #[test]
        fn any_text_is_read_or_refused(input in ".{0,300}") {
            let _ = input.parse::<ProjectName>();
        }
    }
}
