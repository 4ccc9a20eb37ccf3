//! What one caller sees of an index: its resolution order without the indexes
//! that the caller may not read.
//!
//! Invariant: an index shows through another only to those who may read it
//! itself (reliability: P05). A hidden stage gives nothing, but still keeps
//! mirrors from answering for the names it has (L17): who may not see a private
//! package does not get a stranger's of the same name instead.

use std::sync::Arc;

use larder_model::{Action, Caller, IndexKind, Policy, may};

use crate::directory::Index;

/// A resolution order and the part of it that counts for a caller.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    order: Arc<[Arc<Index>]>,
    readable: Readable,
}

/// Which indexes of an order a caller may read: part of the key of everything
/// that is made from the order and kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Readable {
    /// All of them, as anybody may.
    Everything,
    /// These ids; the answer is not for everybody.
    Only(Arc<[i64]>),
}

impl Sight {
    /// What anybody sees of an order that hides nothing.
    pub(crate) fn open(order: Arc<[Arc<Index>]>) -> Self {
        Self {
            order,
            readable: Readable::Everything,
        }
    }

    /// What this caller sees.
    pub(crate) fn of(order: Arc<[Arc<Index>]>, caller: &Caller, policy: &Policy) -> Self {
        let readable = order
            .iter()
            .filter(|index| may_read(index, caller, policy))
            .map(|index| index.id)
            .collect();
        Self {
            order,
            readable: Readable::Only(readable),
        }
    }

    /// The whole order, for rules about who has what.
    pub(crate) fn order(&self) -> &[Arc<Index>] {
        &self.order
    }

    /// The indexes that the caller sees, nearest first.
    pub(crate) fn seen(&self) -> impl Iterator<Item = &Arc<Index>> {
        self.order.iter().filter(|index| self.shows(index.id))
    }

    /// Whether this index of the order is seen.
    pub(crate) fn shows(&self, id: i64) -> bool {
        match &self.readable {
            Readable::Everything => true,
            Readable::Only(ids) => ids.contains(&id),
        }
    }

    /// As a part of a key.
    pub(crate) fn readable(&self) -> &Readable {
        &self.readable
    }

    /// The stages of the order, hidden ones included.
    pub(crate) fn stage_ids(&self) -> Vec<i64> {
        let stages = self.order.iter().filter(|i| i.kind() == IndexKind::Stage);
        stages.map(|index| index.id).collect()
    }
}

/// Whether a caller may read an index.
pub(crate) fn may_read(index: &Index, caller: &Caller, policy: &Policy) -> bool {
    let action = Action::Read {
        index: &index.name,
        config: &index.config,
    };
    may(caller, action, policy)
}
