//! Requests as tables, by the rows of contract/reliability.md (E) and the
//! paragraphs of contract/devpi-api.md; then laws over arbitrary requests.

mod bases;
mod laws;
mod operations;
mod requests;
mod stored;

use serde_json::json;

use super::*;

const SAFE: Defaults = Defaults {
    open_toxresults: false,
};

/// The lines of a table, cut into the cells that ` | ` parts.
fn rows<const N: usize>(table: &str) -> impl Iterator<Item = [&str; N]> {
    let lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| {
        let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
        cells
            .try_into()
            .unwrap_or_else(|cells| panic!("not {N} cells: {cells:?}"))
    })
}

#[expect(clippy::needless_pass_by_value, reason = "called with json!(…)")]
fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn parse(text: &str) -> Map<String, Value> {
    object(serde_json::from_str(text).unwrap())
}

fn create(body: &Map<String, Value>) -> Result<IndexConfig, ConfigError> {
    IndexConfig::create(&"alice".parse().unwrap(), body, &SAFE)
}

fn stage() -> IndexConfig {
    create(&Map::new()).unwrap()
}

fn mirror() -> IndexConfig {
    let url = "https://u:secretpw@example.com/simple/";
    create(&object(json!({"type": "mirror", "mirror_url": url}))).unwrap()
}

/// A stage as an import brings it, with a plugin's keys.
fn imported() -> IndexConfig {
    let stored = json!({
        "type": "stage", "volatile": true, "bases": ["alice/gone"], "acl_upload": ["alice"],
        "mirror_whitelist": ["odd*"], "trigger": "http://u:secretpw@ci.example.com/job", "hooks": ["x"],
    });
    IndexConfig::from_stored(&object(stored)).unwrap()
}

fn patch_list(config: &IndexConfig, operations: &[&str]) -> Result<IndexConfig, ConfigError> {
    let operations: Vec<Value> = operations.iter().map(|text| Value::from(*text)).collect();
    config.patch_list(&operations)
}

fn key(config: &IndexConfig, key: &str) -> Value {
    config.to_json().get(key).cloned().unwrap_or_default()
}
