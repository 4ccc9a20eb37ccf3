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
        // devpi: the client's `refresh` sends no credentials.
        Action::Read { .. } | Action::Refresh { .. } => true,
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
