//! The rules about bases that need to know the other indexes.
//!
//! Invariant: decided on names alone. Cycles are no error: the resolution
//! order ends all the same.

use super::ConfigError;
use crate::IndexName;

/// Most bases of an index (reliability: E32).
pub(super) const MAX_BASES: usize = 64;

/// Checks what needs to know the other indexes: every base exists, none is the
/// index itself, and there are at most 64. Cycles are harmless
/// ([`crate::resolution_order`]).
pub fn check_bases(
    name: &IndexName,
    bases: &[IndexName],
    exists: impl Fn(&IndexName) -> bool,
) -> Result<(), ConfigError> {
    if bases.len() > MAX_BASES {
        return Err(ConfigError::TooManyBases);
    }
    let wrong: Vec<String> = bases
        .iter()
        .filter_map(|base| {
            if base == name {
                Some(format!("base index '{base}' is the index itself"))
            } else if exists(base) {
                None
            } else {
                Some(format!("base index '{base}' does not exist"))
            }
        })
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(ConfigError::Bases(wrong))
    }
}
