//! Indexes: create, modify, delete (devpi: 3).

use larder_model::{
    Action, Caller, Defaults, IndexConfig, IndexName, UserName, check_bases, may,
    may_use_private_upstreams,
};
use larder_store::NewIndex;
use larder_upstream::check_public_host;
use serde_json::{Map, Value};

use crate::authorize::Right;
use crate::directory::Directory;
use crate::error::Error;
use crate::mirror_refresh::url_of;
use crate::sight::may_read;
use crate::users::{no_permission, no_user};
use crate::{App, Result};

/// A change to an index (devpi: 3.3, 3.4).
#[derive(Debug, Clone)]
pub enum IndexPatch {
    /// Given keys replace.
    Object(Map<String, Value>),
    /// `key=value`, `key+=value`, `key-=value`, `key-=`, in order.
    List(Vec<Value>),
}

impl App {
    /// Creates an index; never replaces one.
    pub async fn create_index(
        &self,
        caller: &Caller,
        user: &str,
        index: &str,
        body: &Map<String, Value>,
    ) -> Result<IndexConfig> {
        let directory = self.directory().await?;
        let owner: UserName = user
            .parse()
            .map_err(|_| Error::not_found(format!("no user '{user}'")))?;
        directory.user(&owner).ok_or_else(|| no_user(&owner))?;
        if IndexName::from_parts(user, index).is_ok_and(|name| directory.find(&name).is_some()) {
            return Err(Error::conflict(format!("index '{user}/{index}' exists")));
        }
        let name = IndexName::new_strict(owner.clone(), index)
            .map_err(|error| Error::invalid(error.to_string()))?;
        if !may(caller, Action::CreateIndex(&owner), &self.settings.policy) {
            return Err(no_permission(caller, &format!("create index {name}")));
        }
        let defaults = Defaults {
            open_toxresults: self.settings.devpi_compat,
        };
        let config = IndexConfig::create(&owner, body, &defaults)
            .map_err(|error| Error::invalid(error.to_string()))?;
        check_bases(&name, config.bases(), |base| {
            self.is_base_for(&directory, caller, base)
        })
        .map_err(|error| Error::invalid(error.to_string()))?;
        let private_upstream = self.upstream_allowed(caller, &config)?;
        self.insert_index(name, &config, private_upstream, caller.name())
            .await?;
        Ok(config)
    }

    /// Stores a new index as it is. The caller's right and the bases are checked.
    pub(crate) async fn insert_index(
        &self,
        name: IndexName,
        config: &IndexConfig,
        private_upstream: bool,
        who: Option<&UserName>,
    ) -> Result<()> {
        let new = NewIndex {
            name: name.clone(),
            config: config.to_stored(),
            private_upstream,
        };
        let mut tx = self.store.write().await?;
        tx.insert_index(new, self.clock.now(), who)
            .await
            .map_err(|error| {
                if error.is_conflict() {
                    Error::conflict(format!("index '{name}' exists"))
                } else {
                    error.into()
                }
            })?;
        tx.commit().await?;
        tracing::info!(index = %name, by = ?who, "index created");
        Ok(())
    }

    /// Changes an index. `error_on_noop`: refuse a change that changes nothing.
    pub async fn modify_index(
        &self,
        caller: &Caller,
        name: &IndexName,
        patch: &IndexPatch,
        error_on_noop: bool,
    ) -> Result<IndexConfig> {
        let grant = self.grant(caller, name, Right::Modify).await?;
        let mut tx = self.store.write().await?;
        // Under the write lock, so that two changes at once are both kept.
        let directory = Directory::load(&mut tx).await?;
        let index = directory
            .find(name)
            .filter(|index| index.id == grant.index().id);
        let index = index.ok_or_else(|| crate::authorize::no_index(name))?;
        let (config, checked) = match patch {
            IndexPatch::Object(body) => {
                (index.config.patch_object(body), body.contains_key("bases"))
            }
            IndexPatch::List(operations) => (index.config.patch_list(operations), true),
        };
        let config = config.map_err(|error| Error::invalid(error.to_string()))?;
        if error_on_noop && config == index.config {
            return Err(Error::invalid(
                "The requested modifications resulted in no changes",
            ));
        }
        if config == index.config {
            return Ok(config);
        }
        // devpi: an object without `bases` leaves a dangling base alone, a list revalidates everything.
        if checked {
            let kept = index.config.bases();
            check_bases(name, config.bases(), |base| {
                self.is_base_for(&directory, caller, base)
                    || (kept.contains(base) && directory.find(base).is_some())
            })
            .map_err(|error| Error::invalid(error.to_string()))?;
        }
        let same_upstream = url_of(&config) == url_of(&index.config);
        if !same_upstream {
            tx.forget_pages(index.id).await?;
        }
        let private_upstream = if same_upstream {
            index.private_upstream
        } else {
            self.upstream_allowed(caller, &config)?
        };
        tx.update_index(
            index.id,
            &config.to_stored(),
            private_upstream,
            self.clock.now(),
            caller.name(),
        )
        .await?;
        tx.commit().await?;
        tracing::info!(index = %name, by = ?caller.name(), "index modified");
        Ok(config)
    }

    /// Deletes a volatile index with all its files.
    pub async fn delete_index(&self, caller: &Caller, name: &IndexName) -> Result<()> {
        let grant = self.grant(caller, name, Right::Delete).await?;
        let mut tx = self.store.write().await?;
        if !self.regrant(&mut tx, &grant).await?.volatile {
            return Err(Error::forbidden(format!(
                "index {name} non-volatile, cannot delete"
            )));
        }
        tx.delete_index(grant.index().id, self.clock.now(), caller.name())
            .await?;
        tx.commit().await?;
        tracing::info!(index = %name, by = ?caller.name(), "index deleted");
        Ok(())
    }

    /// The names of the projects of this index alone: uploaded ones of a
    /// stage, known ones of a mirror. Sorted.
    pub async fn own_projects(
        &self,
        caller: &Caller,
        name: &IndexName,
    ) -> Result<Vec<larder_pypi::ProjectName>> {
        let grant = self.grant(caller, name, Right::Read).await?;
        let mut tx = self.store.read().await?;
        let index = grant.index();
        Ok(match index.config.mirror() {
            Some(_) => tx.mirror_projects(index.id).await?,
            None => tx.projects(index.id).await?,
        })
    }

    /// Whether an index can become a base: it exists, and the caller may read
    /// it. Another one is not there for the caller (P05).
    fn is_base_for(&self, directory: &Directory, caller: &Caller, base: &IndexName) -> bool {
        directory
            .find(base)
            .is_some_and(|index| may_read(index, caller, &self.settings.policy))
    }

    /// Whether the upstream may lie on a private address: decided by who sets
    /// it. Anyone else is refused an address that is private on its face; what
    /// a name resolves to is checked at every connection.
    fn upstream_allowed(&self, caller: &Caller, config: &IndexConfig) -> Result<bool> {
        let trusted =
            may_use_private_upstreams(caller, &self.settings.policy, self.settings.devpi_compat);
        let url = config
            .mirror()
            .and_then(|mirror| mirror.mirror_url.as_ref());
        match url {
            Some(url) if !trusted => {
                check_public_host(url.base()).map_err(|error| {
                    Error::invalid(format!("'mirror_url': {}", error.sentence()))
                })?;
                Ok(false)
            }
            _ => Ok(trusted),
        }
    }
}
