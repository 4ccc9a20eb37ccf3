//! All users and indexes, as one immutable value held in memory: small,
//! asked for by every request, and replaced whole when a user or an index changes.
//!
//! Invariant: a directory shows one moment, `serial`. An index whose stored
//! configuration cannot be read is left out with a log line, so that one
//! tenant's data never stops the others.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use larder_model::{IndexConfig, IndexKind, IndexName, UserName, resolution_order};
use larder_store::{Serial, Tx, User};

use crate::Result;

/// An index as the verbs see it. Verbs get one only through [`crate::Grant`].
#[derive(Debug)]
pub struct Index {
    /// The row's id.
    pub id: i64,
    /// `user/index`.
    pub name: IndexName,
    /// Its configuration.
    pub config: IndexConfig,
    /// Whether its upstream may lie on a private or loopback address.
    pub private_upstream: bool,
}

impl Index {
    /// Stage or mirror.
    pub fn kind(&self) -> IndexKind {
        self.config.kind()
    }
}

/// Users and indexes at one serial.
#[derive(Debug)]
pub struct Directory {
    /// The moment it shows.
    pub serial: Serial,
    users: BTreeMap<UserName, Arc<User>>,
    indexes: BTreeMap<IndexName, Arc<Index>>,
    /// Resolution orders that were asked for.
    orders: RwLock<HashMap<IndexName, Arc<[Arc<Index>]>>>,
}

impl Directory {
    /// Reads everything in the transaction's snapshot.
    pub(crate) async fn load(tx: &mut Tx) -> Result<Self> {
        let serial = tx.serial().await?;
        let users = tx
            .users()
            .await?
            .into_iter()
            .map(|user| (user.name.clone(), Arc::new(user)))
            .collect();
        let mut indexes = BTreeMap::new();
        for row in tx.indexes().await? {
            match IndexConfig::from_stored(&row.config) {
                Ok(config) => {
                    let index = Index {
                        id: row.id,
                        name: row.name.clone(),
                        config,
                        private_upstream: row.private_upstream,
                    };
                    indexes.insert(row.name, Arc::new(index));
                }
                Err(error) => {
                    tracing::error!(index = %row.name, %error, "the index is left out: its stored configuration cannot be read");
                }
            }
        }
        Ok(Self {
            serial,
            users,
            indexes,
            orders: RwLock::default(),
        })
    }

    /// A user by name.
    pub fn user(&self, name: &UserName) -> Option<&Arc<User>> {
        self.users.get(name)
    }

    /// All users, by name.
    pub fn users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.values()
    }

    /// An index by name, without a right: for rules about the directory itself.
    pub(crate) fn find(&self, name: &IndexName) -> Option<&Arc<Index>> {
        self.indexes.get(name)
    }

    /// The indexes of a user, by name.
    pub fn indexes_of(&self, user: &UserName) -> impl Iterator<Item = &Arc<Index>> {
        self.indexes
            .values()
            .filter(move |index| index.name.user() == user)
    }

    /// The resolution order of an index: itself first, mirrors last.
    pub(crate) fn order(&self, index: &Arc<Index>) -> Arc<[Arc<Index>]> {
        let known = self
            .orders
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&index.name)
            .cloned();
        if let Some(order) = known {
            return order;
        }
        let names = resolution_order(&index.name, |name| {
            self.indexes
                .get(name)
                .map(|index| (index.kind(), index.config.bases()))
        });
        let order: Arc<[Arc<Index>]> = names
            .iter()
            .filter_map(|name| self.indexes.get(name).cloned())
            .collect();
        let mut orders = self.orders.write().unwrap_or_else(PoisonError::into_inner);
        orders.insert(index.name.clone(), order.clone());
        order
    }
}
