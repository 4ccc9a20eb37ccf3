//! Names of users and indexes.
//!
//! Invariant: a name that exists contains no `/`, `+`, control character or
//! white space, so it can stand in a path and a log line as it is. New names
//! are held to a narrower rule ([`UserName::new_strict`]) than names that an
//! import brings along.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name of a new user or index, in bytes.
pub const MAX_NAME_LEN: usize = 100;

/// The name of a user: case-sensitive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(String);

/// `user/index`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IndexName {
    user: UserName,
    index: String,
}

/// Why a text is no user name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "username '{0}' contains characters that aren't allowed. \
     Use up to 100 ASCII letters, digits, '-', '.', '@' and '_', not only dots."
)]
pub struct InvalidUserName(pub String);

/// Why a text is no index name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIndexName {
    /// Not of the form `user/index`.
    #[error("invalid base index spec: '{0}'")]
    Form(String),
    /// A character that is not allowed, in the user's part or the index's.
    #[error(
        "indexname '{0}' contains characters that aren't allowed. \
         Use up to 100 ASCII letters, digits, '-', '.', '@' and '_', not only dots."
    )]
    Characters(String),
}

/// A name as an import may bring it: anything that is safe in a path segment.
fn is_tolerable(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 1024
        && !name.chars().any(|c| {
            c.is_control() || c.is_whitespace() || matches!(c, '/' | '\\' | '+' | '?' | '#' | '%')
        })
}

/// A name that may be given today (contract/reliability.md D, E: ASCII, bounded, no dots only).
fn is_strict(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME_LEN
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.@_".contains(&b))
        && name.bytes().any(|b| b != b'.')
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

impl UserName {
    /// A name for a new user.
    pub fn new_strict(name: &str) -> Result<Self, InvalidUserName> {
        if is_strict(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidUserName(cut(name)))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// devpi's `root`, who cannot be deleted.
    pub fn is_root(&self) -> bool {
        self.0 == "root"
    }
}

impl IndexName {
    /// A name for a new index of this user.
    pub fn new_strict(user: UserName, index: &str) -> Result<Self, InvalidIndexName> {
        if is_strict(index) {
            Ok(Self {
                user,
                index: index.to_owned(),
            })
        } else {
            Err(InvalidIndexName::Characters(cut(index)))
        }
    }

    /// A name out of two parts that exist already, e.g. from a URL.
    pub fn from_parts(user: &str, index: &str) -> Result<Self, InvalidIndexName> {
        let user = user
            .parse()
            .map_err(|InvalidUserName(name)| InvalidIndexName::Characters(name))?;
        if is_tolerable(index) {
            Ok(Self {
                user,
                index: index.to_owned(),
            })
        } else {
            Err(InvalidIndexName::Characters(cut(index)))
        }
    }

    /// The owner.
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// The part after the slash.
    pub fn index(&self) -> &str {
        &self.index
    }
}

impl FromStr for UserName {
    type Err = InvalidUserName;

    fn from_str(name: &str) -> Result<Self, InvalidUserName> {
        if is_tolerable(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidUserName(cut(name)))
        }
    }
}

impl FromStr for IndexName {
    type Err = InvalidIndexName;

    /// devpi strips slashes at both ends of a base.
    fn from_str(text: &str) -> Result<Self, InvalidIndexName> {
        match text.trim_matches('/').split_once('/') {
            Some((user, index)) => {
                Self::from_parts(user, index).map_err(|_| InvalidIndexName::Form(cut(text)))
            }
            None => Err(InvalidIndexName::Form(cut(text))),
        }
    }
}

impl TryFrom<String> for UserName {
    type Error = InvalidUserName;

    fn try_from(name: String) -> Result<Self, InvalidUserName> {
        name.parse()
    }
}

impl TryFrom<String> for IndexName {
    type Error = InvalidIndexName;

    fn try_from(text: String) -> Result<Self, InvalidIndexName> {
        text.parse()
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> Self {
        name.0
    }
}

impl From<IndexName> for String {
    fn from(name: IndexName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.user, self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::{IndexName, UserName};

    #[test]
    fn new_names_are_plain_and_short() {
        let long = "u".repeat(300);
        // Rows of contract/reliability.md: users, indexes.
        for (rows, name) in [
            ("D03", "."),
            ("E33", ".."),
            ("D04", "+admin"),
            ("D05", "\0"),
            ("D07 E36", &long),
            ("D08", "r\u{43e}\u{43e}t"),
            ("E39", "d\u{435}v"),
            ("D09", " root"),
            ("E35", "a b"),
            ("E37", "a/b"),
            ("D11", "\u{1f4a9}"),
            ("", ""),
            ("", "a:b"),
            ("", "a\u{7f}"),
        ] {
            let message = UserName::new_strict(name).unwrap_err().to_string();
            let start = format!(
                "username '{}' contains characters that aren't allowed.",
                &name[..name.len().min(80)]
            );
            assert!(message.starts_with(&start), "{rows}: {message}");
            let user = UserName::new_strict("u").unwrap();
            let message = IndexName::new_strict(user, name).unwrap_err().to_string();
            assert!(message.starts_with("indexname '"), "{rows}: {message}");
        }
    }

    #[test]
    fn odd_but_harmless_names_are_allowed() {
        for (rows, name) in [
            ("D12", "CON"),
            ("D13", "-rf"),
            ("D15", "__init__"),
            ("", "a@b.example"),
            ("", ".a"),
        ] {
            let user = UserName::new_strict(name).unwrap();
            assert!(IndexName::new_strict(user, name).is_ok(), "{rows}");
        }
    }

    #[test]
    fn names_that_exist_need_only_be_safe_in_a_path() {
        assert!("r\u{43e}\u{43e}t".parse::<UserName>().is_ok());
        assert!(IndexName::from_parts("a", "b!").is_ok());
        for name in [
            "", "a/b", "a b", "a\n", "a+b", "a%2fb", "a?b", "a#b", "a\\b",
        ] {
            assert!(name.parse::<UserName>().is_err(), "{name}");
            assert!(IndexName::from_parts("a", name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_base_is_two_names() {
        for (given, expected) in [
            ("a/b", Some("a/b")),
            ("/a/b/", Some("a/b")),
            ("a", None),
            ("", None),
            ("/", None),
            ("a/", None),
            ("a/b/c", None),
            ("a//b", None),
        ] {
            let found = given.parse::<IndexName>();
            assert_eq!(
                found.as_ref().ok().map(ToString::to_string).as_deref(),
                expected,
                "{given}"
            );
            if let Err(error) = found {
                assert_eq!(
                    error.to_string(),
                    format!("invalid base index spec: '{given}'")
                );
            }
        }
    }
}
