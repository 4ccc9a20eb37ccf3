//! `/+openapi.json` held against the table of routes and against real answers.

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod document;

use serde_json::Value;

const JSON: &str = "application/json";

fn file() -> Value {
    serde_json::from_str(include_str!("../../openapi.json")).expect("JSON")
}

/// The thing itself, if this is a reference to one.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(target) => document
            .pointer(target.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{target} leads nowhere")),
        None => value,
    }
}
