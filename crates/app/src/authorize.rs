//! The only way to an index: together with a granted right.

use std::sync::Arc;

use larder_model::{Action, Caller, IndexConfig, IndexKind, IndexName, Policy, may};
use larder_store::Tx;

use crate::directory::{Directory, Index};
use crate::error::Error;
use crate::sight::Sight;
use crate::{App, Result};

/// What a caller wants to do with an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// See pages and files.
    Read,
    /// Ask the upstreams again.
    Refresh,
    /// Register releases and store files.
    Upload,
    /// Store test results of files.
    UploadToxresult,
    /// Delete files, releases, projects.
    Remove,
    /// Mark files as not to be installed.
    Yank,
    /// Change the configuration.
    Modify,
    /// Delete the index.
    Delete,
}

/// The witness that a caller may do something with an index.
#[derive(Debug, Clone)]
pub struct Grant {
    caller: Caller,
    right: Right,
    index: Arc<Index>,
    directory: Arc<Directory>,
}

impl Grant {
    /// Who it was granted to.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The index.
    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// The directory that the decision was made on.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// What was granted.
    pub fn right(&self) -> Right {
        self.right
    }

    /// The index and its bases as the caller sees them.
    pub(crate) fn sight(&self, policy: &Policy) -> Sight {
        self.directory.sight(&self.index, &self.caller, policy)
    }
}

impl App {
    /// Whether who asks makes a difference to what is seen of an index. Where
    /// it makes none, credentials need not be looked at.
    pub async fn is_open(&self, name: &IndexName) -> Result<bool> {
        Ok(self.directory().await?.is_open(name))
    }

    /// What kind of index this is. Told to everybody, like its existence, so
    /// that clients learn where to log in.
    pub async fn index_kind(&self, name: &IndexName) -> Result<IndexKind> {
        let directory = self.directory().await?;
        let index = directory.find(name).ok_or_else(|| no_index(name))?;
        Ok(index.kind())
    }

    /// The index, if it exists and the caller may.
    pub async fn grant(&self, caller: &Caller, name: &IndexName, right: Right) -> Result<Grant> {
        let directory = self.directory().await?;
        let index = directory
            .find(name)
            .cloned()
            .ok_or_else(|| no_index(name))?;
        if may(caller, action(right, &index), &self.settings.policy) {
            return Ok(Grant {
                caller: caller.clone(),
                right,
                index,
                directory,
            });
        }
        Err(refusal(caller, right, name))
    }
}

impl App {
    /// The same grant once more, under the write lock: rights and configuration
    /// may have changed since. What it returns stays true until the commit.
    pub(crate) async fn regrant(&self, tx: &mut Tx, grant: &Grant) -> Result<IndexConfig> {
        let name = &grant.index.name;
        let row = tx.find_index(name).await?;
        let row = row.filter(|row| row.id == grant.index.id);
        let row = row.ok_or_else(|| no_index(name))?;
        let config = IndexConfig::from_stored(&row.config).map_err(Error::internal)?;
        let index = Index {
            id: row.id,
            name: row.name,
            config,
            private_upstream: row.private_upstream,
        };
        let action = action(grant.right, &index);
        if may(&grant.caller, action, &self.settings.policy) {
            Ok(index.config)
        } else {
            Err(refusal(&grant.caller, grant.right, name))
        }
    }
}

/// devpi's words for an index that is not there.
pub(crate) fn no_index(name: &IndexName) -> Error {
    Error::not_found(format!("The stage {name} could not be found."))
}

fn action(right: Right, index: &Index) -> Action<'_> {
    let (name, config) = (&index.name, &index.config);
    match right {
        Right::Read => Action::Read {
            index: name,
            config,
        },
        Right::Refresh => Action::Refresh {
            index: name,
            config,
        },
        Right::Upload => Action::Upload {
            index: name,
            config,
        },
        Right::UploadToxresult => Action::UploadToxresult {
            index: name,
            config,
        },
        Right::Remove | Right::Yank => Action::Remove {
            index: name,
            config,
        },
        Right::Modify => Action::ModifyIndex(name),
        Right::Delete => Action::DeleteIndex(name),
    }
}

/// The sentence, and whether credentials could help.
fn refusal(caller: &Caller, right: Right, name: &IndexName) -> Error {
    let what = match right {
        // clients look for credentials when they are told to.
        Right::Read | Right::Refresh if caller.name().is_none() => {
            return Error::unauthenticated(format!("index {name} is not public: log in first"));
        }
        Right::Read => "read",
        Right::Refresh => "refresh",
        // devpi's words, which upload clients show.
        Right::Upload if caller.name().is_some() => {
            return Error::forbidden("no permission to submit");
        }
        Right::Upload => return Error::unauthenticated("no permission to submit: log in first"),
        // devpi's words, which its client shows; 403 for strangers too.
        Right::UploadToxresult => {
            return Error::forbidden(
                "No permission to upload tox results. You can use the devpi test --no-upload option to skip the upload.",
            );
        }
        Right::Remove => "delete from",
        Right::Yank => "yank on",
        Right::Modify => "modify",
        Right::Delete => "delete",
    };
    match caller.name() {
        Some(user) => Error::forbidden(format!(
            "user '{user}' has no permission to {what} index {name}"
        )),
        None => Error::forbidden(format!(
            "no permission to {what} index {name}: log in first"
        )),
    }
}
