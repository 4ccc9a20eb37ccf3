//! A change given as a list of operations, as devpi's client does (devpi: 3.4).
//!
//! Invariant: each operation is valid on its own or the whole change is refused.

use serde_json::Value;

use super::builder::Builder;
use super::error::{ConfigError, cut, repr};
use super::{IndexConfig, KindConfig, StageConfig, vocabulary};
use crate::{Acl, AclEntry, Inheritance};

/// Each operation looks through a list, so their number is bounded.
pub(super) const MAX_OPERATIONS: usize = 1000;

/// One operation.
enum Operation<'a> {
    Set { key: &'a str, value: &'a str },
    Add { key: &'a str, entry: &'a str },
    Remove { key: &'a str, entry: &'a str },
    Drop { key: &'a str },
}

impl<'a> Operation<'a> {
    fn parse(given: &'a Value) -> Result<Self, ConfigError> {
        let wrong = || ConfigError::Operation(repr(given));
        let text = given.as_str().ok_or_else(wrong)?;
        // devpi: a key alone is set to nothing.
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        let (key, sign) = match (key.strip_suffix('+'), key.strip_suffix('-')) {
            (Some(key), _) => (key, '+'),
            (_, Some(key)) => (key, '-'),
            _ => (key, '='),
        };
        match (key, sign, value) {
            ("", _, _) => Err(wrong()),
            (key, '+', entry) => Ok(Self::Add { key, entry }),
            (key, '-', "") => Ok(Self::Drop { key }),
            (key, '-', entry) => Ok(Self::Remove { key, entry }),
            (key, _, value) => Ok(Self::Set { key, value }),
        }
    }
}

/// Applies the operations in order.
pub(super) fn apply(config: IndexConfig, operations: &[Value]) -> Result<Builder, ConfigError> {
    if operations.len() > MAX_OPERATIONS {
        return Err(ConfigError::TooManyOperations);
    }
    let mut builder = Builder::of(config);
    for operation in operations {
        match Operation::parse(operation)? {
            Operation::Set { key, value } => builder.set(key, &Value::from(value))?,
            Operation::Add { key, entry } => add(&mut builder.config, key, entry)?,
            Operation::Remove { key, entry } => remove(&mut builder.config, key, entry)?,
            Operation::Drop { key } => drop_key(&mut builder.config, key)?,
        }
    }
    Ok(builder)
}

fn add(config: &mut IndexConfig, key: &str, entry: &str) -> Result<(), ConfigError> {
    refuse_rules(config, key, entry)?;
    if key == "acl_read" {
        readers(config).add(entry);
        return Ok(());
    }
    if let KindConfig::Stage(stage) = &mut config.kind
        && stage.add(key, entry)?
    {
        return Ok(());
    }
    match config.free_list(key) {
        Some(list) if list.iter().any(|other| other == entry) => Ok(()),
        Some(list) => {
            list.push(entry.into());
            Ok(())
        }
        None => Err(ConfigError::NotAList(cut(key))),
    }
}

fn remove(config: &mut IndexConfig, key: &str, entry: &str) -> Result<(), ConfigError> {
    refuse_rules(config, key, entry)?;
    let removed = match &mut config.kind {
        _ if key == "acl_read" => Some(readers(config).remove(entry)),
        KindConfig::Stage(stage) => stage.remove(key, entry),
        KindConfig::Mirror(_) => None,
    };
    let removed = match removed {
        Some(removed) => removed,
        None if config.has_no_list(key) => return Err(ConfigError::NotAList(cut(key))),
        None => config.free_list(key).is_some_and(|list| {
            let before = list.len();
            list.retain(|other| other != entry);
            list.len() < before
        }),
    };
    let missing = || ConfigError::NoSuchValue {
        key: cut(key),
        value: cut(entry),
    };
    removed.then_some(()).ok_or_else(missing)
}

/// The readers as a list to be changed: everybody, unless somebody is named.
fn readers(config: &mut IndexConfig) -> &mut Acl {
    let everybody = || Acl::from_iter([AclEntry::Anonymous]);
    config.acl_read.get_or_insert_with(everybody)
}

/// Single rules of devpi 7 have no counterpart.
fn refuse_rules(config: &IndexConfig, key: &str, entry: &str) -> Result<(), ConfigError> {
    if config.stage().is_some() && vocabulary::is_rules(key) {
        return Err(ConfigError::Rules(repr(&Value::from(entry))));
    }
    Ok(())
}

/// An unknown key is gone already.
fn drop_key(config: &mut IndexConfig, key: &str) -> Result<(), ConfigError> {
    let key = vocabulary::key(config.kind(), key);
    if let KindConfig::Stage(stage) = &mut config.kind {
        if vocabulary::is_trust(key) {
            stage.mirror_whitelist_inheritance = Inheritance::default();
            return Ok(());
        }
        if vocabulary::is_rules(key) {
            return Err(ConfigError::DefaultRemoved);
        }
    }
    let is_default = match &config.kind {
        KindConfig::Stage(_) => StageConfig::DEFAULTS.contains(&key),
        KindConfig::Mirror(_) => false,
    };
    if is_default || matches!(key, "type" | "volatile") {
        return Err(ConfigError::DefaultRemoved);
    }
    let dropped = match &mut config.kind {
        _ if key == "acl_read" => config.acl_read.take().is_some(),
        KindConfig::Mirror(mirror) => mirror.unset(key),
        KindConfig::Stage(_) => false,
    };
    if dropped {
        return Ok(());
    }
    match config.note(key) {
        Some((_, note)) => *note = None,
        None => drop(config.extra.shift_remove(key)),
    }
    Ok(())
}

impl IndexConfig {
    /// A list under one of the keys that may hold anything.
    fn free_list(&mut self, key: &str) -> Option<&mut Vec<Value>> {
        let value = if self.note(key).is_some() {
            self.note(key).and_then(|(_, note)| note.as_mut())
        } else {
            self.extra.get_mut(key)
        };
        value.and_then(Value::as_array_mut)
    }

    /// Whether the key is there and holds something else than a list.
    fn has_no_list(&mut self, key: &str) -> bool {
        self.free_list(key).is_none() && self.to_stored().contains_key(key)
    }
}
