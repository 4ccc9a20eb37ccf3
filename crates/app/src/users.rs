//! Users: create, modify, delete (devpi: 2.5).

use larder_model::{Action, Caller, PasswordChange, UserChange, UserName, may};
use larder_store::{NewUser, User};
use serde_json::{Map, Value};

use crate::directory::Directory;
use crate::error::Error;
use crate::password::check_length;
use crate::{App, Login, Result};

/// What became of a change to a user.
#[derive(Debug)]
pub enum UserModified {
    /// The password is new, and so is the token: older ones are dead.
    Password(Login),
    /// Something else, or nothing.
    Profile,
}

impl App {
    /// Creates a user from a request's body.
    pub async fn create_user(
        &self,
        caller: &Caller,
        name: &str,
        body: &Map<String, Value>,
    ) -> Result<User> {
        let directory = self.directory().await?;
        if name
            .parse()
            .ok()
            .and_then(|name: UserName| directory.user(&name).cloned())
            .is_some()
        {
            return Err(Error::conflict("user already exists"));
        }
        let name = UserName::new_strict(name).map_err(|error| Error::invalid(error.to_string()))?;
        if !may(caller, Action::CreateUser, &self.settings.policy) {
            return Err(no_permission(caller, "create users"));
        }
        let change = UserChange::create(body).map_err(|error| Error::invalid(error.to_string()))?;
        let pwhash = self.hash_change(change.password.as_ref()).await?;
        let new = NewUser {
            name: name.clone(),
            pwhash,
            profile: change.profile.to_json(),
        };
        let mut tx = self.store.write().await?;
        let user = tx
            .insert_user(new, self.clock.now(), caller.name())
            .await
            .map_err(|error| {
                if error.is_conflict() {
                    Error::conflict("user already exists")
                } else {
                    error.into()
                }
            })?;
        tx.commit().await?;
        tracing::info!(user = %name, by = ?caller.name(), "user created");
        Ok(user)
    }

    /// Changes a user from a request's body.
    pub async fn modify_user(
        &self,
        caller: &Caller,
        name: &UserName,
        body: &Map<String, Value>,
    ) -> Result<UserModified> {
        let only_password = body.len() == 1 && body.contains_key("password");
        let action = if only_password {
            Action::ChangePassword(name)
        } else {
            Action::ModifyUser(name)
        };
        if !may(caller, action, &self.settings.policy) {
            let what = if only_password {
                "change password for"
            } else {
                "modify"
            };
            return Err(no_permission(caller, &format!("{what} user {name}")));
        }
        let user = self.existing_user(name).await?;
        let change = UserChange::modify(body).map_err(|error| Error::invalid(error.to_string()))?;
        let pwhash = self.hash_change(change.password.as_ref()).await?;
        let (now, who) = (self.clock.now(), caller.name());
        let mut tx = self.store.write().await?;
        // Read again: somebody may have changed or deleted the user meanwhile.
        let current = tx
            .find_user(name)
            .await?
            .filter(|u| u.id == user.id)
            .ok_or_else(|| no_user(name))?;
        if change.changes_profile() {
            tx.update_user(current.id, &change.apply_to(&current.profile), now, who)
                .await?;
        }
        if change.password.is_some() {
            tx.set_password(current.id, pwhash.as_deref(), now, who)
                .await?;
        }
        let changed = tx.find_user(name).await?.ok_or_else(|| no_user(name))?;
        tx.commit().await?;
        Ok(match change.password {
            Some(PasswordChange::Set(_)) => UserModified::Password(self.issue_token(&changed)),
            Some(PasswordChange::Unset) | None => UserModified::Profile,
        })
    }

    /// Deletes a user with all indexes and files, unless one of the indexes is not volatile.
    pub async fn delete_user(&self, caller: &Caller, name: &UserName) -> Result<()> {
        if !may(caller, Action::DeleteUser(name), &self.settings.policy) {
            return Err(no_permission(caller, &format!("delete user {name}")));
        }
        let mut tx = self.store.write().await?;
        // Under the write lock: nothing is added or made lasting meanwhile.
        let directory = Directory::load(&mut tx).await?;
        let user = directory.user(name).ok_or_else(|| no_user(name))?;
        let fixed: Vec<&str> = directory
            .indexes_of(name)
            .filter(|index| !index.config.volatile)
            .map(|index| index.name.index())
            .collect();
        if !fixed.is_empty() {
            return Err(Error::forbidden(format!(
                "user '{name}' has non-volatile index: {}",
                fixed.join(", ")
            )));
        }
        tx.delete_user(user.id, self.clock.now(), caller.name())
            .await?;
        tx.commit().await?;
        tracing::info!(user = %name, by = ?caller.name(), "user deleted");
        Ok(())
    }

    async fn existing_user(&self, name: &UserName) -> Result<std::sync::Arc<User>> {
        self.directory()
            .await?
            .user(name)
            .cloned()
            .ok_or_else(|| no_user(name))
    }

    async fn hash_change(&self, change: Option<&PasswordChange>) -> Result<Option<String>> {
        match change {
            Some(PasswordChange::Set(password))
                if password.is_empty() && !self.settings.devpi_compat =>
            {
                Err(Error::invalid(
                    "an empty password lets everybody in: choose another one",
                ))
            }
            Some(PasswordChange::Set(password)) => {
                check_length(password)?;
                Ok(Some(self.hash_password(password.clone()).await?))
            }
            Some(PasswordChange::Unset) | None => Ok(None),
        }
    }
}

/// devpi's words for a user who is not there.
pub(crate) fn no_user(name: &UserName) -> Error {
    Error::not_found(format!("no user '{name}'"))
}

pub(crate) fn no_permission(caller: &Caller, what: &str) -> Error {
    let hint = if caller.name().is_none() {
        ": log in first"
    } else {
        ""
    };
    Error::forbidden(format!("no permission to {what}{hint}"))
}
