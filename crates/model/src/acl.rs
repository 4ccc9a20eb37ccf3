//! Access lists: who is meant by an `acl_upload` or a `--restrict-modify`.
//!
//! Invariant: a list only ever allows; an empty list allows nobody. Names are
//! not checked for existence (devpi: 2.6), so a list may name a user of
//! tomorrow. What a list is about is decided in [`crate::may`].

use std::collections::HashSet;
use std::fmt;

use crate::Caller;

/// One entry of an access list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AclEntry {
    /// `:ANONYMOUS:`: everybody, logged in or not.
    Anonymous,
    /// `:AUTHENTICATED:`: everybody who is logged in.
    Authenticated,
    /// `:name`: the members of a group.
    Group(String),
    /// A user.
    User(String),
}

/// An access list, in the order given, without repetitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acl(Vec<AclEntry>);

impl AclEntry {
    /// Reads an entry: the two special names in any case, as devpi does.
    /// `None` when nothing but white space is there.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        Some(match text.strip_prefix(':') {
            Some(rest) if rest.eq_ignore_ascii_case("anonymous:") => Self::Anonymous,
            Some(rest) if rest.eq_ignore_ascii_case("authenticated:") => Self::Authenticated,
            Some(group) => Self::Group(group.to_owned()),
            None => Self::User(text.to_owned()),
        })
    }

    fn allows(&self, caller: &Caller) -> bool {
        match (self, caller) {
            (Self::Anonymous, _) | (Self::Authenticated, Caller::User { .. }) => true,
            (Self::Group(group), Caller::User { groups, .. }) => groups.contains(group),
            (Self::User(user), Caller::User { name, .. }) => name.as_str() == user,
            (Self::Authenticated | Self::Group(_) | Self::User(_), Caller::Anonymous) => false,
        }
    }
}

impl fmt::Display for AclEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str(":ANONYMOUS:"),
            Self::Authenticated => f.write_str(":AUTHENTICATED:"),
            Self::Group(group) => write!(f, ":{group}"),
            Self::User(user) => f.write_str(user),
        }
    }
}

impl Acl {
    /// Reads `alice, :admins`, the form of command line options.
    pub fn parse(text: &str) -> Self {
        text.split(',').filter_map(AclEntry::parse).collect()
    }

    /// Whether the list means this caller.
    pub fn allows(&self, caller: &Caller) -> bool {
        self.0.iter().any(|entry| entry.allows(caller))
    }

    /// The entries, in order.
    pub fn entries(&self) -> &[AclEntry] {
        &self.0
    }

    /// Adds an entry unless it is there; white space alone is none.
    pub(crate) fn add(&mut self, text: &str) {
        self.0
            .extend(AclEntry::parse(text).filter(|entry| !self.0.contains(entry)));
    }

    /// Removes an entry; says whether it was there.
    pub(crate) fn remove(&mut self, text: &str) -> bool {
        let entry = AclEntry::parse(text);
        let before = self.0.len();
        self.0.retain(|other| Some(other) != entry.as_ref());
        self.0.len() < before
    }
}

impl FromIterator<AclEntry> for Acl {
    fn from_iter<I: IntoIterator<Item = AclEntry>>(entries: I) -> Self {
        let mut seen = HashSet::new();
        Self(
            entries
                .into_iter()
                .filter(|entry| seen.insert(entry.clone()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Acl, AclEntry};
    use crate::Caller;

    fn user(name: &str, groups: &[&str]) -> Caller {
        Caller::User {
            name: name.parse().unwrap(),
            groups: groups.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn entries_are_read_and_written_alike() {
        for (given, written) in [
            (":anonymous:", ":ANONYMOUS:"),
            (":Authenticated:", ":AUTHENTICATED:"),
            (" bob ", "bob"),
            (":admins", ":admins"),
            (":admins:", ":admins:"),
            ("ANONYMOUS", "ANONYMOUS"),
            ("x,y", "x,y"),
        ] {
            let entry = AclEntry::parse(given).unwrap();
            assert_eq!(entry.to_string(), written, "{given}");
            assert_eq!(AclEntry::parse(written), Some(entry), "{given}");
        }
        assert_eq!(AclEntry::parse("  "), None);
    }

    #[test]
    fn a_list_allows_whom_it_names_and_nobody_else() {
        let (anonymous, bob, eve) = (Caller::Anonymous, user("bob", &["staff"]), user("eve", &[]));
        for (list, allowed) in [
            ("", [false, false, false]),
            (":ANONYMOUS:", [true, true, true]),
            (":AUTHENTICATED:", [false, true, true]),
            ("bob", [false, true, false]),
            ("Bob", [false, false, false]),
            (":staff", [false, true, false]),
            ("staff", [false, false, false]),
            (":bob", [false, false, false]),
            ("eve,:staff", [false, true, true]),
        ] {
            let acl = Acl::parse(list);
            let found = [&anonymous, &bob, &eve].map(|caller| acl.allows(caller));
            assert_eq!(found, allowed, "{list}");
        }
    }

    #[test]
    fn repetitions_are_dropped_and_the_order_is_kept() {
        let acl = Acl::parse("b,a,b,:anonymous:,:ANONYMOUS:");
        let texts: Vec<String> = acl.entries().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["b", "a", ":ANONYMOUS:"]);
    }
}
