//! Reading single values, which clients send as JSON or as text: devpi's
//! client sends every value as text.

use serde_json::Value;

use super::error::{ConfigError, repr};

/// A boolean, or true, yes, false, no in any case.
pub(super) fn boolean(value: &Value) -> Result<bool, ConfigError> {
    let known = match value {
        Value::Bool(known) => Some(*known),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" => Some(true),
            "false" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    };
    known.ok_or_else(|| ConfigError::Boolean(repr(value)))
}

/// A list of texts, or one text with commas; trimmed, empty ones dropped.
pub(super) fn texts(value: &Value) -> Result<Vec<&str>, ConfigError> {
    let unknown = |value| ConfigError::List(repr(value));
    let texts = match value {
        Value::String(text) => text.split(',').collect(),
        Value::Array(entries) => entries
            .iter()
            .map(|entry| entry.as_str().ok_or_else(|| unknown(entry)))
            .collect::<Result<Vec<_>, _>>()?,
        other => return Err(unknown(other)),
    };
    Ok(texts
        .into_iter()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect())
}

/// Texts as a JSON list.
pub(super) fn list<T: ToString>(entries: &[T]) -> Value {
    entries.iter().map(ToString::to_string).collect()
}
