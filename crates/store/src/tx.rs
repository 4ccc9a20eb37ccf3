//! A transaction: the only way to read or change anything.
//!
//! Invariants: dropped without a commit, it never was; after a failed
//! statement it cannot be committed; a commit once begun runs to its end even
//! when the caller goes away, so that the node knows which serial it wrote.

use std::fmt;

use crate::changelog::{Serial, to_serial};
use crate::error::Cause;
use crate::sql::{Link, SERIAL};
use crate::store::{Identity, Store};
use crate::{Error, Result, postgres};

/// An open transaction; see [`Store::read`] and [`Store::write`].
pub struct Tx {
    store: Store,
    link: Link,
    /// The serial it shows: asked for once, raised by the first change.
    serial: Option<Serial>,
    pub(crate) raised: bool,
    failed: bool,
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx")
            .field("serial", &self.serial)
            .field("raised", &self.raised)
            .finish_non_exhaustive()
    }
}

impl Tx {
    pub(crate) fn reading(store: Store, link: Link) -> Self {
        Self {
            store,
            link,
            serial: None,
            raised: false,
            failed: false,
        }
    }

    /// Takes the place in the order of writers.
    pub(crate) async fn become_writer(&mut self, statement: &'static str) -> Result<()> {
        let (serial,) = sql!(self, fetch_one as (i64,), statement)?;
        let serial = to_serial(serial)?;
        self.serial = Some(serial);
        self.store.learn(serial);
        Ok(())
    }

    /// The serial of what this transaction shows, its own change included.
    pub async fn serial(&mut self) -> Result<Serial> {
        if let Some(serial) = self.serial {
            return Ok(serial);
        }
        let (serial,) = sql!(self, fetch_one as (i64,), SERIAL)?;
        let serial = to_serial(serial)?;
        self.serial = Some(serial);
        Ok(serial)
    }

    /// The serial of this transaction's changes; raised by the first of them.
    pub(crate) async fn raise_serial(&mut self) -> Result<Serial> {
        if self.raised {
            return self.serial().await;
        }
        let text = "update serial set value = value + 1 returning value";
        let (serial,) = sql!(self, fetch_one as (i64,), text)?;
        let serial = to_serial(serial)?;
        self.serial = Some(serial);
        self.raised = true;
        Ok(serial)
    }

    /// Makes everything durable and visible, and gives the serial it shows from
    /// now on. On error nothing is known to be stored: ask again before
    /// repeating ([`Error::Unavailable`]), or stop ([`Error::Flush`]).
    pub async fn commit(mut self) -> Result<Serial> {
        let serial = self.serial().await?;
        self.link()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a commit must not be cut short by a client that leaves; it ends by itself in milliseconds"
        )]
        let ending = tokio::spawn(self.end(serial));
        ending
            .await
            .unwrap_or_else(|stopped| Err(Error::Unavailable(Cause::new(stopped))))
    }

    async fn end(self, serial: Serial) -> Result<Serial> {
        let Self { store, link, .. } = self;
        let outcome = match link {
            Link::Sqlite(link) => link.commit().await,
            Link::Postgres(link, patience) => postgres::in_time(patience, link.commit()).await,
        };
        outcome.map_err(|error| store.failed(error))?;
        store.learn(serial);
        Ok(serial)
    }

    /// Lets the statements of this transaction take minutes where the engine limits them.
    pub(crate) async fn allow_long(&mut self) -> Result<()> {
        let result = match self.link()? {
            Link::Sqlite(_) => Ok(()),
            Link::Postgres(link, patience) => {
                *patience = postgres::LONG_PATIENCE;
                postgres::allow_long(link).await
            }
        };
        result.map_err(|error| self.fail(error))
    }

    /// The open transaction, unless a statement failed.
    pub(crate) fn link(&mut self) -> Result<&mut Link> {
        if self.failed {
            Err(Error::Aborted)
        } else {
            Ok(&mut self.link)
        }
    }

    /// Names the failure of a statement; nothing may follow it.
    pub(crate) fn fail(&mut self, error: sqlx::Error) -> Error {
        self.failed = true;
        self.store.failed(error)
    }

    /// Stores this identity unless there is one already; gives the one there is.
    pub(crate) async fn make_identity(&mut self, new: &Identity) -> Result<Identity> {
        let text = "insert into identity (one, uuid, secret) values (1, $1, $2) on conflict (one) do nothing";
        sql!(self, execute, text, &new.uuid, &new.secret[..])?;
        let text = "select uuid, secret from identity";
        let (uuid, secret) = sql!(self, fetch_one as (String, Vec<u8>), text)?;
        let secret = secret
            .try_into()
            .map_err(|_| Error::inconsistent("identity", "secret", 1))?;
        Ok(Identity { uuid, secret })
    }
}
