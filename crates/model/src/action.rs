//! Who may do what (devpi: 2.6).
//!
//! Invariants: an allow-list, so that what no line allows is refused; decided
//! on plain data alone. Whether the thing exists, and what a refusal sounds
//! like, is not decided here.

use crate::{Acl, IndexConfig, IndexName, UserName};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody is logged in.
    Anonymous,
    /// Somebody who has proved to be this user.
    User {
        /// The user.
        name: UserName,
        /// Groups, without the colon that marks them in access lists.
        groups: Vec<String>,
    },
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Action<'a> {
    /// Create any user.
    CreateUser,
    /// Change a user, apart from a change of only the password.
    ModifyUser(&'a UserName),
    /// Change only the password of a user.
    ChangePassword(&'a UserName),
    /// Delete a user with everything below.
    DeleteUser(&'a UserName),
    /// Create an index of this user.
    CreateIndex(&'a UserName),
    /// Change the configuration of an index.
    ModifyIndex(&'a IndexName),
    /// Delete an index with everything below.
    DeleteIndex(&'a IndexName),
    /// Register releases and store files.
    Upload {
        /// The index.
        index: &'a IndexName,
        /// Its configuration.
        config: &'a IndexConfig,
    },
    /// Delete files, releases, projects.
    Remove {
        /// The index.
        index: &'a IndexName,
        /// Its configuration.
        config: &'a IndexConfig,
    },
    /// Store a test result.
    UploadToxresult {
        /// The index.
        index: &'a IndexName,
        /// Its configuration.
        config: &'a IndexConfig,
    },
    /// See pages and files.
    Read {
        /// The index.
        index: &'a IndexName,
        /// Its configuration.
        config: &'a IndexConfig,
    },
    /// Ask the upstreams again.
    Refresh {
        /// The index.
        index: &'a IndexName,
        /// Its configuration.
        config: &'a IndexConfig,
    },
}

/// What the operator decided for the whole server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// `--restrict-modify`: only these may change users and indexes. Root has
    /// no place on it unless listed.
    pub restrict_modify: Option<Acl>,
    /// Anybody may create a user, as devpi allows; without it only root.
    pub open_registration: bool,
}

impl Caller {
    /// The user's name, if somebody is logged in.
    pub fn name(&self) -> Option<&UserName> {
        match self {
            Self::Anonymous => None,
            Self::User { name, .. } => Some(name),
        }
    }

    fn is(&self, user: &UserName) -> bool {
        self.name() == Some(user)
    }

    fn is_root(&self) -> bool {
        self.name().is_some_and(UserName::is_root)
    }
}

impl Policy {
    /// Whether the caller may change what belongs to this user: the listed
    /// ones under `--restrict-modify`, else the user and root.
    fn is_in_charge(&self, caller: &Caller, owner: &UserName) -> bool {
        match &self.restrict_modify {
            Some(listed) => listed.allows(caller),
            None => caller.is(owner) || caller.is_root(),
        }
    }

    fn lets_create_users(&self, caller: &Caller) -> bool {
        match &self.restrict_modify {
            Some(listed) => listed.allows(caller),
            None => self.open_registration || caller.is_root(),
        }
    }

    /// Nobody deletes root; under `--restrict-modify` nobody deletes themselves.
    fn lets_delete(&self, caller: &Caller, user: &UserName) -> bool {
        let deletes_themselves = self.restrict_modify.is_some() && caller.is(user);
        !user.is_root() && !deletes_themselves && self.is_in_charge(caller, user)
    }
}

/// Whether the caller may.
pub fn may(caller: &Caller, action: Action<'_>, policy: &Policy) -> bool {
    match action {
        Action::CreateUser => policy.lets_create_users(caller),
        Action::ModifyUser(user) | Action::CreateIndex(user) => policy.is_in_charge(caller, user),
        // devpi: users keep the right to their own password.
        Action::ChangePassword(user) => caller.is(user) || policy.is_in_charge(caller, user),
        Action::DeleteUser(user) => policy.lets_delete(caller, user),
        Action::ModifyIndex(index) | Action::DeleteIndex(index) => {
            policy.is_in_charge(caller, index.user())
        }
        Action::Upload { config, .. } => may_upload(caller, config),
        Action::Remove { index, config } => {
            let in_charge = policy.is_in_charge(caller, index.user());
            may_upload(caller, config) || (!config.is_read_only() && in_charge)
        }
        Action::UploadToxresult { config, .. } => {
            writable_acl(config, |stage| &stage.acl_toxresult_upload)
                .is_some_and(|acl| acl.allows(caller))
        }
        // devpi: the client's `refresh` sends no credentials; who may read may refresh.
        Action::Read { index, config } | Action::Refresh { index, config } => {
            let listed = config.acl_read.as_ref();
            listed.is_none_or(|acl| acl.allows(caller))
                || caller.is(index.user())
                || policy.is_in_charge(caller, index.user())
        }
    }
}

/// Whether an upstream named by this caller may lie on a private or loopback
/// address (reliability: E48-E52): only those who run the server.
pub fn may_use_private_upstreams(caller: &Caller, policy: &Policy, devpi_compat: bool) -> bool {
    let listed = policy
        .restrict_modify
        .as_ref()
        .is_some_and(|listed| listed.allows(caller));
    devpi_compat || caller.is_root() || listed
}

/// devpi: neither the owner nor root may upload unless listed.
fn may_upload(caller: &Caller, config: &IndexConfig) -> bool {
    writable_acl(config, |stage| &stage.acl_upload).is_some_and(|acl| acl.allows(caller))
}

/// An access list of a stage that takes writes; mirrors have none.
fn writable_acl(config: &IndexConfig, acl: impl Fn(&crate::StageConfig) -> &Acl) -> Option<&Acl> {
    config.stage().filter(|_| !config.is_read_only()).map(acl)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Action, Caller, Policy, may, may_use_private_upstreams};
    use crate::{Acl, IndexConfig, IndexName, UserName};

    fn user(name: &str, groups: &[&str]) -> Caller {
        let groups = groups.iter().map(ToString::to_string).collect();
        Caller::User {
            name: name.parse().unwrap(),
            groups,
        }
    }

    /// Everybody there is, by a letter.
    fn callers() -> Vec<(char, Caller)> {
        vec![
            ('-', Caller::Anonymous),
            ('o', user("alice", &[])), // the owner
            ('r', user("root", &[])),
            ('u', user("bob", &["staff"])), // listed in acl_upload
            ('t', user("tim", &[])),        // listed in acl_toxresult_upload
            ('s', user("eve", &[])),        // a stranger
            ('a', user("adam", &["admins"])),
            ('d', user("dana", &[])), // adam's group and dana are listed by --restrict-modify
        ]
    }

    const EVERYBODY: &str = "-orutsad";
    const NOBODY: &str = "";

    fn policies() -> [Policy; 4] {
        let listed = Some(Acl::parse(":admins,dana"));
        [
            (None, false),
            (None, true),
            (listed.clone(), false),
            (listed, true),
        ]
        .map(|(restrict_modify, open_registration)| Policy {
            restrict_modify,
            open_registration,
        })
    }

    fn config(stored: &Value) -> IndexConfig {
        IndexConfig::from_stored(stored.as_object().unwrap()).unwrap()
    }

    fn allowed(action: Action<'_>, policy: &Policy) -> String {
        let callers = callers().into_iter();
        callers
            .filter(|(_, caller)| may(caller, action, policy))
            .map(|(letter, _)| letter)
            .collect()
    }

    /// `free` without `--restrict-modify`, `restricted` with it; registration does not matter.
    fn check(action: Action<'_>, free: &str, restricted: &str) {
        let expected = [free, free, restricted, restricted];
        for (policy, expected) in policies().iter().zip(expected) {
            assert_eq!(allowed(action, policy), expected, "{action:?} {policy:?}");
        }
    }

    #[test]
    fn users_are_created_by_root_unless_registration_is_open() {
        let expected = ["r", EVERYBODY, "ad", "ad"];
        for (policy, expected) in policies().iter().zip(expected) {
            assert_eq!(allowed(Action::CreateUser, policy), expected, "{policy:?}");
        }
        assert_eq!(allowed(Action::CreateUser, &Policy::default()), "r");
    }

    #[test]
    fn users_and_indexes_are_changed_by_their_owner_and_root_or_by_those_listed() {
        let [alice, root, dana]: [UserName; 3] =
            ["alice", "root", "dana"].map(|name| name.parse().unwrap());
        let index: IndexName = "alice/dev".parse().unwrap();
        check(Action::ModifyUser(&alice), "or", "ad");
        check(Action::ModifyUser(&root), "r", "ad");
        check(Action::ChangePassword(&alice), "or", "oad");
        check(Action::ChangePassword(&root), "r", "rad");
        check(Action::DeleteUser(&alice), "or", "ad");
        check(Action::DeleteUser(&root), NOBODY, NOBODY);
        check(Action::DeleteUser(&dana), "rd", "a");
        check(Action::CreateIndex(&alice), "or", "ad");
        check(Action::ModifyIndex(&index), "or", "ad");
        check(Action::DeleteIndex(&index), "or", "ad");
    }

    #[test]
    fn content_is_changed_by_those_the_index_lists() {
        let name: &IndexName = &"alice/dev".parse().unwrap();
        let stage = json!({"acl_upload": ["bob"], "acl_toxresult_upload": ["tim"]});
        let open = json!({"acl_upload": [":ANONYMOUS:"], "acl_toxresult_upload": [":ANONYMOUS:"]});
        let closed = json!({"acl_upload": [], "acl_toxresult_upload": []});
        let by_group =
            json!({"acl_upload": [":staff"], "acl_toxresult_upload": [":AUTHENTICATED:"]});
        let mirror = json!({"type": "mirror"});
        let foreign =
            json!({"type": "plugin", "acl_upload": ["bob"], "acl_toxresult_upload": ["tim"]});
        for (stored, upload, remove, restricted_remove, toxresult) in [
            (stage, "u", "oru", "uad", "t"),
            (open, EVERYBODY, EVERYBODY, EVERYBODY, EVERYBODY),
            (closed, NOBODY, "or", "ad", NOBODY),
            (by_group, "u", "oru", "uad", "orutsad"),
            (mirror, NOBODY, "or", "ad", NOBODY),
            (foreign, NOBODY, NOBODY, NOBODY, NOBODY),
        ] {
            let config = &config(&stored);
            check(
                Action::Upload {
                    index: name,
                    config,
                },
                upload,
                upload,
            );
            check(
                Action::Remove {
                    index: name,
                    config,
                },
                remove,
                restricted_remove,
            );
            check(
                Action::UploadToxresult {
                    index: name,
                    config,
                },
                toxresult,
                toxresult,
            );
            check(
                Action::Read {
                    index: name,
                    config,
                },
                EVERYBODY,
                EVERYBODY,
            );
            check(
                Action::Refresh {
                    index: name,
                    config,
                },
                EVERYBODY,
                EVERYBODY,
            );
        }
    }

    #[test]
    fn an_index_is_read_by_its_readers_its_owner_and_those_in_charge() {
        let name: &IndexName = &"alice/dev".parse().unwrap();
        for (acl, read, restricted) in [
            (json!([":ANONYMOUS:"]), EVERYBODY, EVERYBODY),
            (json!([":AUTHENTICATED:"]), "orutsad", "orutsad"),
            (json!([":staff"]), "oru", "ouad"),
            (json!(["eve"]), "ors", "osad"),
            (json!([]), "or", "oad"),
        ] {
            for kind in ["stage", "mirror"] {
                let stored = json!({"type": kind, "acl_read": acl});
                let (index, config) = (name, &config(&stored));
                check(Action::Read { index, config }, read, restricted);
                check(Action::Refresh { index, config }, read, restricted);
            }
        }
    }

    #[test]
    fn private_upstreams_are_for_those_who_run_the_server() {
        for (policy, compat, expected) in [
            (&policies()[0], false, "r"),
            (&policies()[1], false, "r"),
            (&policies()[2], false, "rad"),
            (&policies()[0], true, EVERYBODY),
        ] {
            let callers = callers().into_iter();
            let allowed =
                callers.filter(|(_, caller)| may_use_private_upstreams(caller, policy, compat));
            let allowed: String = allowed.map(|(letter, _)| letter).collect();
            assert_eq!(allowed, expected, "{policy:?} {compat}");
        }
    }
}
