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
