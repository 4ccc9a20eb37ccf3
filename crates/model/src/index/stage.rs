//! The configuration of an index that holds uploads (devpi: 3.1).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::error::{ConfigError, repr};
use super::{Source, value};
use crate::{Acl, AclEntry, IndexName, Inheritance, UserName, Whitelist};

/// What only stages have. The names are devpi's keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageConfig {
    /// Parents, nearest first; one may be gone since.
    pub bases: Vec<IndexName>,
    /// Who may upload: neither the owner nor root unless listed.
    pub acl_upload: Acl,
    /// Who may store test results.
    pub acl_toxresult_upload: Acl,
    /// Projects that mirrors may answer for although a stage has them.
    pub mirror_whitelist: Whitelist,
    /// What the lists of bases do to this one.
    pub mirror_whitelist_inheritance: Inheritance,
}

impl StageConfig {
    pub(super) const DEFAULTS: &[&str] = &[
        "acl_upload",
        "acl_toxresult_upload",
        "bases",
        "mirror_whitelist",
        "mirror_whitelist_inheritance",
    ];

    pub(super) fn of_owner(owner: &UserName, open_toxresults: bool) -> Self {
        let toxresults = open_toxresults.then_some(AclEntry::Anonymous);
        Self {
            acl_upload: Acl::from_iter([AclEntry::User(owner.to_string())]),
            acl_toxresult_upload: toxresults.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Sets a key; false when stages have no such key.
    pub(super) fn set(
        &mut self,
        key: &str,
        given: &Value,
        source: Source,
    ) -> Result<bool, ConfigError> {
        match key {
            "bases" => self.bases = bases(&value::texts(given)?, source)?,
            "acl_upload" => self.acl_upload = acl(given)?,
            "acl_toxresult_upload" => self.acl_toxresult_upload = acl(given)?,
            "mirror_whitelist" => self.mirror_whitelist = whitelist(given, source)?,
            "mirror_whitelist_inheritance" => {
                let known = given.as_str().and_then(Inheritance::parse);
                self.mirror_whitelist_inheritance =
                    known.ok_or_else(|| ConfigError::Inheritance(repr(given)))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `key+=entry`; false when `key` is no list of stages.
    pub(super) fn add(&mut self, key: &str, text: &str) -> Result<bool, ConfigError> {
        let text = text.trim();
        match key {
            "bases" | "acl_upload" | "acl_toxresult_upload" | "mirror_whitelist"
                if text.is_empty() => {}
            "bases" => {
                let base = bases(&[text], Source::Request)?;
                let new: Vec<_> = base
                    .into_iter()
                    .filter(|base| !self.bases.contains(base))
                    .collect();
                self.bases.extend(new);
            }
            "acl_upload" => self.acl_upload.add(text),
            "acl_toxresult_upload" => self.acl_toxresult_upload.add(text),
            "mirror_whitelist" => self
                .mirror_whitelist
                .add(text)
                .map_err(ConfigError::Whitelist)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `key-=entry`: whether it was there; `None` when `key` is no list of stages.
    pub(super) fn remove(&mut self, key: &str, text: &str) -> Option<bool> {
        let text = text.trim();
        Some(match key {
            "bases" => {
                let before = self.bases.len();
                let base = text.parse::<IndexName>().ok();
                self.bases.retain(|other| Some(other) != base.as_ref());
                self.bases.len() < before
            }
            "acl_upload" => self.acl_upload.remove(text),
            "acl_toxresult_upload" => self.acl_toxresult_upload.remove(text),
            "mirror_whitelist" => self.mirror_whitelist.remove(text),
            _ => return None,
        })
    }

    pub(super) fn write(&self, map: &mut Map<String, Value>) {
        let inheritance = self.mirror_whitelist_inheritance.as_str();
        let entries = [
            ("bases", value::list(&self.bases)),
            ("acl_upload", value::list(self.acl_upload.entries())),
            (
                "acl_toxresult_upload",
                value::list(self.acl_toxresult_upload.entries()),
            ),
            (
                "mirror_whitelist",
                value::list(self.mirror_whitelist.entries()),
            ),
            ("mirror_whitelist_inheritance", inheritance.into()),
        ];
        map.extend(entries.map(|(key, value)| (key.to_owned(), value)));
    }
}

pub(super) fn acl(given: &Value) -> Result<Acl, ConfigError> {
    Ok(value::texts(given)?
        .into_iter()
        .filter_map(AclEntry::parse)
        .collect())
}

fn whitelist(given: &Value, source: Source) -> Result<Whitelist, ConfigError> {
    let texts = value::texts(given)?;
    match source {
        Source::Request => Whitelist::strict(&texts).map_err(ConfigError::Whitelist),
        Source::Store => Ok(Whitelist::lenient(&texts)),
    }
}

/// Whether they exist is checked by [`super::check_bases`]. A stored text that
/// is no index name could never be found, so it is dropped.
fn bases(texts: &[&str], source: Source) -> Result<Vec<IndexName>, ConfigError> {
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for text in texts {
        match text.parse::<IndexName>() {
            Ok(name) => names.extend(seen.insert(name.clone()).then_some(name)),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    // A message about a handful says enough.
    wrong.truncate(5);
    if wrong.is_empty() || source == Source::Store {
        Ok(names)
    } else {
        Err(ConfigError::Bases(wrong))
    }
}
