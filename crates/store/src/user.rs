//! Users.
//!
//! Invariant: a user's id is never given to another, and the epoch rises with
//! every change of the password, so that id and epoch in a login token say
//! whether it still counts.

use std::fmt;

use larder_model::{Timestamp, UserName};
use serde_json::{Map, Value};

use crate::changelog::log_config;
use crate::{Error, Result, Tx};

/// A user.
#[derive(Clone, PartialEq)]
pub struct User {
    /// Never used twice.
    pub id: i64,
    /// Unique, case-sensitive.
    pub name: UserName,
    /// As the password module writes it; `None`: nobody can log in.
    pub pwhash: Option<String>,
    /// Raised when the password changes; starts at 0.
    pub epoch: i64,
    /// When the user was made.
    pub created: Timestamp,
    /// When profile or password last changed.
    pub modified: Option<Timestamp>,
    /// `email`, `title`, `description`, `custom_data` (devpi: 2.5).
    pub profile: Map<String, Value>,
}

/// A user to be made.
#[derive(Clone, PartialEq)]
pub struct NewUser {
    /// Unique, case-sensitive.
    pub name: UserName,
    /// As the password module writes it; `None`: nobody can log in.
    pub pwhash: Option<String>,
    /// `email`, `title`, `description`, `custom_data` (devpi: 2.5).
    pub profile: Map<String, Value>,
}

#[derive(sqlx::FromRow)]
struct UserRow {
    id: i64,
    name: String,
    pwhash: Option<String>,
    epoch: i64,
    created: i64,
    modified: Option<i64>,
    profile: String,
}

impl Tx {
    /// All users, by name. One that cannot be read is left out with a log
    /// line: it must not lock out the others.
    pub async fn users(&mut self) -> Result<Vec<User>> {
        let rows = sql!(
            self,
            fetch_all as UserRow,
            "select id, name, pwhash, epoch, created, modified, profile from users order by name",
        )?;
        let readable = rows.into_iter().filter_map(|row| {
            User::try_from(row)
                .inspect_err(|error| tracing::error!(%error, "a user is left out"))
                .ok()
        });
        Ok(readable.collect())
    }

    /// A user by name.
    pub async fn find_user(&mut self, name: &UserName) -> Result<Option<User>> {
        let row = sql!(
            self,
            fetch_optional as UserRow,
            "select id, name, pwhash, epoch, created, modified, profile from users where name = $1",
            name.as_str(),
        )?;
        row.map(TryInto::try_into).transpose()
    }

    /// Makes a user. [`Error::Conflict`] (`users_name_key`) if the name is taken.
    pub async fn insert_user(
        &mut self,
        new: NewUser,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<User> {
        let row = sql!(
            self,
            fetch_optional as (i64,),
            "insert into users (name, pwhash, epoch, created, profile) values ($1, $2, 0, $3, $4) \
             on conflict (name) do nothing returning id",
            new.name.as_str(),
            new.pwhash.as_deref(),
            at.as_micros(),
            Value::Object(new.profile.clone()).to_string(),
        )?;
        let (id,) = row.ok_or(Error::Conflict {
            what: "users_name_key",
        })?;
        log_config(self, (at, who), "user created", "user", &new.name).await?;
        let NewUser {
            name,
            pwhash,
            profile,
        } = new;
        Ok(User {
            id,
            name,
            pwhash,
            epoch: 0,
            created: at,
            modified: None,
            profile,
        })
    }

    /// Replaces a user's profile. [`Error::Missing`] if the user is gone.
    pub async fn update_user(
        &mut self,
        id: i64,
        profile: &Map<String, Value>,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<()> {
        let row = sql!(
            self,
            fetch_optional as (String,),
            "update users set profile = $2, modified = $3 where id = $1 returning name",
            id,
            serde_json::to_string(profile)
                .map_err(|_| Error::inconsistent("users", "profile", id))?,
            at.as_micros(),
        )?;
        let (name,) = row.ok_or(Error::Missing { what: "user" })?;
        log_config(self, (at, who), "user changed", "user", &name).await
    }

    /// Sets or takes away a password and raises the epoch, which ends all
    /// logins. [`Error::Missing`] if the user is gone.
    pub async fn set_password(
        &mut self,
        id: i64,
        pwhash: Option<&str>,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<()> {
        let row = sql!(
            self,
            fetch_optional as (String,),
            "update users set pwhash = $2, epoch = epoch + 1, modified = $3 where id = $1 returning name",
            id,
            pwhash,
            at.as_micros(),
        )?;
        let (name,) = row.ok_or(Error::Missing { what: "user" })?;
        log_config(self, (at, who), "password changed", "user", &name).await
    }

    /// Stores the same password under a better hash, unless the password was
    /// changed meanwhile; says whether it did. No change anybody can see:
    /// neither epoch nor serial rise.
    pub async fn rehash_password(&mut self, id: i64, old: &str, new: &str) -> Result<bool> {
        let touched = sql!(
            self,
            execute,
            "update users set pwhash = $3 where id = $1 and pwhash = $2",
            id,
            old,
            new,
        )?;
        Ok(touched == 1)
    }

    /// Deletes a user with all indexes; their files leave tombstones.
    /// [`Error::Missing`] if the user is gone already.
    pub async fn delete_user(
        &mut self,
        id: i64,
        at: Timestamp,
        who: Option<&UserName>,
    ) -> Result<()> {
        self.allow_long().await?;
        self.bury_files_of_user(id, at).await?;
        let row = sql!(
            self,
            fetch_optional as (String,),
            "delete from users where id = $1 returning name",
            id,
        )?;
        let (name,) = row.ok_or(Error::Missing { what: "user" })?;
        log_config(self, (at, who), "user deleted", "user", &name).await
    }
}

impl TryFrom<UserRow> for User {
    type Error = Error;

    fn try_from(row: UserRow) -> Result<Self> {
        let unreadable = |column| Error::inconsistent("users", column, row.id);
        Ok(Self {
            id: row.id,
            name: row.name.parse().map_err(|_| unreadable("name"))?,
            pwhash: row.pwhash,
            epoch: row.epoch,
            created: Timestamp::from_micros(row.created),
            modified: row.modified.map(Timestamp::from_micros),
            profile: serde_json::from_str(&row.profile).map_err(|_| unreadable("profile"))?,
        })
    }
}

// Hashes stay out of logs.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("epoch", &self.epoch)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser")
            .field("name", &self.name)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
