//! `mirror_whitelist`: the projects that mirrors may answer for although a
//! stage has them (devpi: 8.3).
//!
//! Invariant: an entry is `*` or a normalised project name; an entry of old
//! data that is neither is kept as it is and matches nothing.

use std::collections::HashSet;

use larder_pypi::ProjectName;
use larder_pypi::name::InvalidName;

/// Everything is listed.
const ALL: &str = "*";

/// A whitelist, in the order given, without repetitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whitelist(Vec<String>);

/// `mirror_whitelist_inheritance` of the requested index: what the lists of
/// its bases do to its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Inheritance {
    /// A base's list can only take away.
    #[default]
    Intersection,
    /// A base's list adds.
    Union,
}

impl Whitelist {
    /// Whether the entry `*` is there.
    pub fn lists_all(&self) -> bool {
        self.0.iter().any(|entry| entry == ALL)
    }

    /// Whether the project itself is an entry; `*` does not count.
    pub fn lists(&self, project: &ProjectName) -> bool {
        self.0.iter().any(|entry| entry == project.as_str())
    }

    /// The entries, in order.
    pub fn entries(&self) -> &[String] {
        &self.0
    }

    /// The list of a request: every entry must be `*` or a project name.
    pub(crate) fn strict(texts: &[&str]) -> Result<Self, InvalidName> {
        texts
            .iter()
            .map(|text| Self::entry(text))
            .collect::<Result<_, _>>()
            .map(Self::unique)
    }

    /// A stored list: keeps what it does not understand.
    pub(crate) fn lenient(texts: &[&str]) -> Self {
        let keep = |text: &&str| Self::entry(text).unwrap_or_else(|_| (*text).to_owned());
        Self::unique(texts.iter().map(keep).collect())
    }

    /// Adds an entry unless it is there.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), InvalidName> {
        let entry = Self::entry(text)?;
        if !self.0.contains(&entry) {
            self.0.push(entry);
        }
        Ok(())
    }

    /// Removes an entry, written as it is or not normalised; says whether it was there.
    pub(crate) fn remove(&mut self, text: &str) -> bool {
        let normalised = Self::entry(text).ok();
        let before = self.0.len();
        self.0
            .retain(|entry| entry != text && Some(entry) != normalised.as_ref());
        self.0.len() < before
    }

    fn entry(text: &str) -> Result<String, InvalidName> {
        if text == ALL {
            Ok(ALL.to_owned())
        } else {
            text.parse::<ProjectName>().map(String::from)
        }
    }

    fn unique(entries: Vec<String>) -> Self {
        let mut seen = HashSet::new();
        Self(
            entries
                .into_iter()
                .filter(|entry| seen.insert(entry.clone()))
                .collect(),
        )
    }
}

impl Inheritance {
    /// `intersection` or `union`, in any case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "intersection" => Some(Self::Intersection),
            "union" => Some(Self::Union),
            _ => None,
        }
    }

    /// devpi's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intersection => "intersection",
            Self::Union => "union",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Whitelist;

    #[test]
    fn entries_are_normalised_and_the_star_is_kept() {
        let list = Whitelist::strict(&["Foo_Bar", "*", "foo-bar", "a"]).unwrap();
        assert_eq!(list.entries(), ["foo-bar", "*", "a"]);
        assert!(list.lists_all());
        assert!(list.lists(&"foo.bar".parse().unwrap()));
        assert!(!list.lists(&"b".parse().unwrap()));
    }

    #[test]
    fn requests_are_held_to_names_and_old_data_is_kept() {
        assert!(Whitelist::strict(&["foo*"]).is_err());
        let old = Whitelist::lenient(&["foo*", "A_b"]);
        assert_eq!(old.entries(), ["foo*", "a-b"]);
        assert!(!old.lists_all());
    }

    #[test]
    fn an_entry_is_removed_in_any_spelling() {
        let mut list = Whitelist::lenient(&["foo*", "a-b", "c"]);
        assert!(list.remove("A_B"));
        assert!(list.remove("foo*"));
        assert!(!list.remove("d"));
        assert_eq!(list.entries(), ["c"]);
    }
}
