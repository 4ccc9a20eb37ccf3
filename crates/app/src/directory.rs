//! All users and indexes, as one immutable value held in memory: small,
//! asked for by every request, and replaced whole when a user or an index changes.
//!
//! Invariant: a directory shows one moment, `serial`. An index whose stored
//! configuration cannot be read is left out with a log line, so that one
//! tenant's data never stops the others.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use larder_model::{
    Action, Caller, IndexConfig, IndexKind, IndexName, Policy, UserName, may, resolution_order,
};
use larder_store::{Serial, Tx, User};
use serde_json::{Map, Value};

use crate::Result;
use crate::sight::{Sight, may_read};

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
    orders: RwLock<HashMap<IndexName, Order>>,
}

/// A resolution order, and whether anybody may read all of it.
#[derive(Debug, Clone)]
struct Order {
    indexes: Arc<[Arc<Index>]>,
    is_open: bool,
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
    pub(crate) fn indexes_of(&self, user: &UserName) -> impl Iterator<Item = &Arc<Index>> {
        self.indexes
            .values()
            .filter(move |index| index.name.user() == user)
    }

    /// The indexes of a user that the caller may read, by name.
    pub fn indexes_for<'a>(
        &'a self,
        user: &'a UserName,
        caller: &'a Caller,
        policy: &'a Policy,
    ) -> impl Iterator<Item = &'a Arc<Index>> {
        self.indexes_of(user)
            .filter(move |index| may_read(index, caller, policy))
    }

    /// The configuration of an index as this caller may see it: those who
    /// cannot change it are not told of bases that they may not read (P06).
    pub fn config_for(
        &self,
        index: &Index,
        caller: &Caller,
        policy: &Policy,
    ) -> Map<String, Value> {
        let mut config = index.config.to_json();
        if may(caller, Action::ModifyIndex(&index.name), policy) {
            return config;
        }
        let is_hidden = |base: &Value| {
            let name = base.as_str().and_then(|base| base.parse().ok());
            let base = name.and_then(|name| self.find(&name));
            base.is_some_and(|base| !may_read(base, caller, policy))
        };
        if let Some(Value::Array(bases)) = config.get_mut("bases") {
            bases.retain(|base| !is_hidden(base));
        }
        config
    }

    /// Whether anybody sees the same of an index: it and its bases are open to
    /// all. True of one that does not exist, since nobody sees anything of it.
    pub(crate) fn is_open(&self, name: &IndexName) -> bool {
        self.find(name)
            .is_none_or(|index| self.order(index).is_open)
    }

    /// An index and its bases as this caller sees them.
    pub(crate) fn sight(&self, index: &Arc<Index>, caller: &Caller, policy: &Policy) -> Sight {
        let Order { indexes, is_open } = self.order(index);
        if is_open {
            Sight::open(indexes)
        } else {
            Sight::of(indexes, caller, policy)
        }
    }

    /// The resolution order of an index: itself first, mirrors last.
    fn order(&self, index: &Arc<Index>) -> Order {
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
        let indexes: Arc<[Arc<Index>]> = names
            .iter()
            .filter_map(|name| self.indexes.get(name).cloned())
            .collect();
        let order = Order {
            is_open: indexes.iter().all(|index| anybody_reads(index)),
            indexes,
        };
        let mut orders = self.orders.write().unwrap_or_else(PoisonError::into_inner);
        orders.insert(index.name.clone(), order.clone());
        order
    }
}

/// Whether anybody may read an index, whatever the policy.
pub(crate) fn anybody_reads(index: &Index) -> bool {
    may_read(index, &Caller::Anonymous, &Policy::default())
}
