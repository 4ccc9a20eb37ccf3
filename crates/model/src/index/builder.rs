//! A configuration on its way from a request.
//!
//! Invariant: it comes out only when every key meant something and the whole
//! is not too large.

use serde_json::{Map, Value};

use super::error::{ConfigError, cut, plain};
use super::{IndexConfig, Source};
use crate::mirror_url::hide_credentials;

/// Largest stored form: every node keeps all configurations in memory.
pub(super) const MAX_CONFIG_BYTES: usize = 256 << 10;

/// A configuration that a request is changing.
pub(super) struct Builder {
    pub(super) config: IndexConfig,
    /// Keys that mean nothing, to be named all at once.
    unknown: Vec<String>,
}

impl Builder {
    pub(super) fn of(config: IndexConfig) -> Self {
        Self {
            config,
            unknown: Vec::new(),
        }
    }

    pub(super) fn set_all(mut self, body: &Map<String, Value>) -> Result<Self, ConfigError> {
        for (key, value) in body {
            self.set(key, value)?;
        }
        Ok(self)
    }

    pub(super) fn set(&mut self, key: &str, value: &Value) -> Result<(), ConfigError> {
        let word = self.config.in_older_words(key, value)?;
        let (key, value) = word
            .as_ref()
            .map_or((key, value), |(key, value)| (*key, value));
        if self.config.is_ignored(key) || self.config.set(key, value, Source::Request)? {
            return Ok(());
        }
        // Clients that send back all they were shown change nothing.
        let kept = self.config.extra.get(key);
        let is_kept = kept.is_some_and(|kept| kept == value || without_secrets(kept) == *value);
        // A message about a handful says enough.
        if !is_kept && self.unknown.len() < 10 {
            self.unknown.push(format!("{}={}", cut(key), plain(value)));
        }
        Ok(())
    }

    /// The outcome. It may be too large only if it was larger before.
    pub(super) fn finish(self, bytes_before: usize) -> Result<IndexConfig, ConfigError> {
        if !self.unknown.is_empty() {
            return Err(ConfigError::UnknownKeys(self.unknown));
        }
        let bytes = self.config.stored_bytes();
        if bytes > MAX_CONFIG_BYTES && bytes > bytes_before {
            return Err(ConfigError::TooLarge);
        }
        Ok(self.config)
    }
}

/// The value with the credentials hidden in every text.
pub(super) fn without_secrets(value: &Value) -> Value {
    match value {
        Value::String(text) => hide_credentials(text).into(),
        Value::Array(entries) => entries.iter().map(without_secrets).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), without_secrets(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
