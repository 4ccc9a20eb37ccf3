//! The configuration of an index (devpi: 3): read from requests and from the
//! database, changed, and written for either.
//!
//! Invariants: what a request gives is valid as a whole or refused; what the
//! database holds is read as far as possible, and keys that only a devpi plugin
//! knew survive every change. Secrets are in the stored form only.
//! Left out: whether the caller may (`may`), and whether an upstream's address
//! may be connected to.

mod bases;
mod builder;
mod error;
mod mirror;
mod patch;
mod stage;
mod value;
mod vocabulary;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub use bases::check_bases;
pub use error::ConfigError;
pub use mirror::MirrorConfig;
pub use stage::StageConfig;

use crate::{Acl, IndexName, UserName};
use builder::{Builder, without_secrets};
use error::repr;

/// The two kinds of index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IndexKind {
    /// Holds uploads.
    Stage,
    /// Follows an upstream.
    Mirror,
}

/// The configuration of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexConfig {
    /// Whether releases may be overwritten and removed.
    pub volatile: bool,
    /// Any JSON but null.
    pub title: Option<Value>,
    /// Any JSON but null.
    pub description: Option<Value>,
    /// Any JSON but null.
    pub custom_data: Option<Value>,
    /// Who may see the index besides its owner and those in charge of it;
    /// `None`: everybody. devpi has no such key, so it is written only where it
    /// was given.
    pub acl_read: Option<Acl>,
    /// What depends on the kind.
    pub kind: KindConfig,
    /// The type's name when only a devpi plugin knew it: a stage that takes no
    /// changes (devpi: 3.7).
    foreign_type: Option<String>,
    /// Stored keys that nobody here knows.
    extra: Map<String, Value>,
}

/// What depends on the kind of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KindConfig {
    /// Holds uploads.
    Stage(StageConfig),
    /// Follows an upstream.
    Mirror(MirrorConfig),
}

/// Defaults that the operator chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaults {
    /// A new stage takes test results from everybody, as devpi's do.
    pub open_toxresults: bool,
}

/// Where a value comes from: requests are held to the rules, stored ones are taken as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Request,
    Store,
}

/// Who reads what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Public,
    Stored,
}

impl IndexConfig {
    /// The configuration of a new index, from a request's body (devpi: 3.2).
    pub fn create(
        owner: &UserName,
        body: &Map<String, Value>,
        defaults: &Defaults,
    ) -> Result<Self, ConfigError> {
        let kind = match body.get("type").map(vocabulary::type_value).as_ref() {
            None => KindConfig::Stage(StageConfig::of_owner(owner, defaults.open_toxresults)),
            Some(Value::String(name)) if name == "stage" => {
                KindConfig::Stage(StageConfig::of_owner(owner, defaults.open_toxresults))
            }
            Some(Value::String(name)) if name == "mirror" => {
                KindConfig::Mirror(MirrorConfig::default())
            }
            Some(other) => return Err(ConfigError::UnknownType(repr(other))),
        };
        Builder::of(Self::empty(kind)).set_all(body)?.finish(0)
    }

    /// The given keys replace (devpi: 3.3). A body that looks like an answer,
    /// `{"type": "indexconfig", "result": {…}}`, is unwrapped.
    pub fn patch_object(&self, body: &Map<String, Value>) -> Result<Self, ConfigError> {
        let is_answer = body.get("type").is_some_and(|name| name == "indexconfig");
        let body = match body.get("result") {
            Some(Value::Object(result)) if is_answer => result,
            _ => body,
        };
        self.writable()?;
        Builder::of(self.clone())
            .set_all(body)?
            .finish(self.stored_bytes())
    }

    /// The operations `key=value`, `key+=entry`, `key-=entry` and `key-=`, in
    /// order (devpi: 3.4).
    pub fn patch_list(&self, operations: &[Value]) -> Result<Self, ConfigError> {
        self.writable()?;
        patch::apply(self.clone(), operations)?.finish(self.stored_bytes())
    }

    /// What everybody may see: no secrets. Keys in devpi's order.
    pub fn to_json(&self) -> Map<String, Value> {
        self.to_map(View::Public)
    }

    /// What the database holds: everything, with secrets.
    pub fn to_stored(&self) -> Map<String, Value> {
        self.to_map(View::Stored)
    }

    /// Reads what [`Self::to_stored`] or any devpi wrote. Fails only where
    /// guessing would widen a right or drop a guard.
    pub fn from_stored(stored: &Map<String, Value>) -> Result<Self, ConfigError> {
        let type_name = stored
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("stage");
        // devpi 7 trusts no base unless told so.
        let is_new = type_name == "local";
        let type_name = vocabulary::type_name(type_name);
        let kind = match type_name {
            "stage" if is_new => KindConfig::Stage(StageConfig::default()),
            "mirror" => KindConfig::Mirror(MirrorConfig::default()),
            _ => KindConfig::Stage(StageConfig {
                // devpi: data older than this key behaves as `union`.
                mirror_whitelist_inheritance: crate::Inheritance::Union,
                ..StageConfig::default()
            }),
        };
        let mut config = Self::empty(kind);
        if !matches!(type_name, "stage" | "mirror") {
            config.foreign_type = Some(type_name.to_owned());
        }
        for (key, value) in stored {
            // A rule that cannot be said here opens nothing when it is left out.
            let Ok(word) = config.in_older_words(key, value) else {
                continue;
            };
            let (key, value) = word
                .as_ref()
                .map_or((key.as_str(), value), |(key, value)| (*key, value));
            let is_known = config.set(key, value, Source::Store)?;
            if !is_known && !config.is_ignored(key) {
                config.extra.insert(key.to_owned(), value.clone());
            }
        }
        if let (Some(list), None) = (stored.get("pypi_whitelist"), stored.get("mirror_whitelist")) {
            config.set("mirror_whitelist", list, Source::Store)?;
        }
        Ok(config)
    }

    /// Stage or mirror.
    pub fn kind(&self) -> IndexKind {
        match &self.kind {
            KindConfig::Stage(_) => IndexKind::Stage,
            KindConfig::Mirror(_) => IndexKind::Mirror,
        }
    }

    /// Parents, nearest first; mirrors have none.
    pub fn bases(&self) -> &[IndexName] {
        self.stage().map_or(&[], |stage| &stage.bases)
    }

    /// The stage's part.
    pub fn stage(&self) -> Option<&StageConfig> {
        match &self.kind {
            KindConfig::Stage(stage) => Some(stage),
            KindConfig::Mirror(_) => None,
        }
    }

    /// The mirror's part.
    pub fn mirror(&self) -> Option<&MirrorConfig> {
        match &self.kind {
            KindConfig::Mirror(mirror) => Some(mirror),
            KindConfig::Stage(_) => None,
        }
    }

    /// An index of a type that only a devpi plugin knew: it can be read and
    /// deleted, nothing else (devpi: 3.7).
    pub fn is_read_only(&self) -> bool {
        self.foreign_type.is_some()
    }

    fn empty(kind: KindConfig) -> Self {
        Self {
            volatile: true,
            title: None,
            description: None,
            custom_data: None,
            acl_read: None,
            kind,
            foreign_type: None,
            extra: Map::new(),
        }
    }

    fn writable(&self) -> Result<(), ConfigError> {
        if self.is_read_only() {
            Err(ConfigError::ReadOnly)
        } else {
            Ok(())
        }
    }

    fn type_name(&self) -> &str {
        match (&self.foreign_type, &self.kind) {
            (Some(name), _) => name,
            (None, KindConfig::Stage(_)) => "stage",
            (None, KindConfig::Mirror(_)) => "mirror",
        }
    }

    /// The key and value as devpi 6 writes them, where devpi 7 writes others.
    fn in_older_words<'a>(
        &self,
        key: &'a str,
        value: &Value,
    ) -> Result<Option<(&'a str, Value)>, ConfigError> {
        if key == "type" {
            return Ok(Some((key, vocabulary::type_value(value))));
        }
        if let Some(stage) = self.stage()
            && let Some(setting) = vocabulary::setting(stage, key, value)?
        {
            return Ok(Some(setting));
        }
        let older = vocabulary::key(self.kind(), key);
        Ok((older != key).then(|| (older, value.clone())))
    }

    /// Sets a key; false when this kind of index has no such key.
    fn set(&mut self, key: &str, value: &Value, source: Source) -> Result<bool, ConfigError> {
        if let Some((name, note)) = self.note(key) {
            if value.is_null() && source == Source::Request {
                return Err(ConfigError::Null(name));
            }
            *note = Some(value.clone()).filter(|value| !value.is_null());
            return Ok(true);
        }
        match key {
            "type" if source == Source::Request && value != self.type_name() => {
                return Err(ConfigError::TypeChanged);
            }
            "type" => return Ok(true),
            "volatile" => {
                self.volatile = value::boolean(value)?;
                return Ok(true);
            }
            "acl_read" => {
                self.acl_read = Some(stage::acl(value)?);
                return Ok(true);
            }
            _ => {}
        }
        match &mut self.kind {
            KindConfig::Stage(stage) => stage.set(key, value, source),
            KindConfig::Mirror(mirror) => mirror.set(key, value, source),
        }
    }

    /// The keys that may hold anything.
    fn note(&mut self, key: &str) -> Option<(&'static str, &mut Option<Value>)> {
        match key {
            "title" => Some(("title", &mut self.title)),
            "description" => Some(("description", &mut self.description)),
            "custom_data" => Some(("custom_data", &mut self.custom_data)),
            _ => None,
        }
    }

    /// Keys that old clients and old data have and that mean nothing (devpi: 3.1).
    fn is_ignored(&self, key: &str) -> bool {
        match self.kind() {
            IndexKind::Stage => matches!(key, "projects" | "pypi_whitelist"),
            IndexKind::Mirror => {
                matches!(
                    key,
                    "projects" | "pypi_whitelist" | "bases" | "acl_upload" | "mirror_whitelist"
                )
            }
        }
    }

    fn to_map(&self, view: View) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("type".to_owned(), self.type_name().into());
        map.insert("volatile".to_owned(), self.volatile.into());
        match &self.kind {
            KindConfig::Stage(stage) => stage.write(&mut map),
            KindConfig::Mirror(mirror) => mirror.write(&mut map, view),
        }
        if let Some(acl) = &self.acl_read {
            map.insert("acl_read".to_owned(), value::list(acl.entries()));
        }
        let notes = [
            ("title", &self.title),
            ("description", &self.description),
            ("custom_data", &self.custom_data),
        ];
        map.extend(
            notes
                .into_iter()
                .filter_map(|(key, note)| Some((key.to_owned(), note.clone()?))),
        );
        let extra = self.extra.iter().map(|(key, value)| match view {
            // Plugins kept addresses with passwords here, too.
            View::Public => (key.clone(), without_secrets(value)),
            View::Stored => (key.clone(), value.clone()),
        });
        map.extend(extra);
        map
    }

    fn stored_bytes(&self) -> usize {
        Value::Object(self.to_stored()).to_string().len()
    }
}
