//! The words of devpi 7 for what devpi 6 has, too: taken from requests and
//! dumps, never given in answers.
//!
//! Invariant: a word is taken only where it means the same as the older one;
//! rules that have no counterpart are refused, never guessed at.

use serde_json::{Value, json};

use super::error::{ConfigError, repr};
use super::{IndexKind, StageConfig, value};

/// What devpi 7 calls the rule that a whitelist with `*` is.
const ALLOW_ALL: &str = "allow all";
/// And the one that a whitelist without `*` is.
const BLOCK_REMOTES: &str = "block type:remote if local_exists";

/// The type in devpi 6's word.
pub(super) fn type_name(name: &str) -> &str {
    match name {
        "local" => "stage",
        "remote" => "mirror",
        other => other,
    }
}

/// The same for any value.
pub(super) fn type_value(given: &Value) -> Value {
    given
        .as_str()
        .map_or_else(|| given.clone(), |name| type_name(name).into())
}

/// The key in devpi 6's word, where only the word is another.
pub(super) fn key(kind: IndexKind, key: &str) -> &str {
    match (kind, key) {
        (IndexKind::Mirror, "remote_url") => "mirror_url",
        (IndexKind::Mirror, "remote_refresh_delay") => "mirror_cache_expiry",
        (IndexKind::Mirror, "remote_no_project_list") => "mirror_no_project_list",
        (IndexKind::Mirror, "remote_use_external_urls") => "mirror_use_external_urls",
        (IndexKind::Mirror, "remote_web_url_fmt") => "mirror_web_url_fmt",
        (_, key) => key,
    }
}

/// Whether the key holds rules, to be set as a whole.
pub(super) fn is_rules(key: &str) -> bool {
    key == "project_inheritance_rules"
}

/// Whether the key says whose rules count.
pub(super) fn is_trust(key: &str) -> bool {
    key == "trust_inheritance_rules_from"
}

/// A stage's setting whose values are other words as well: the older key and
/// its value. `None`: it is no such setting.
pub(super) fn setting(
    stage: &StageConfig,
    key: &str,
    given: &Value,
) -> Result<Option<(&'static str, Value)>, ConfigError> {
    if is_rules(key) {
        return Ok(Some(("mirror_whitelist", whitelist(stage, given)?)));
    }
    if is_trust(key) {
        return Ok(Some(("mirror_whitelist_inheritance", inheritance(given)?)));
    }
    Ok(None)
}

/// Names that the whitelist has besides `*` are devpi 7's rules of single
/// projects, which a rule of the index leaves alone.
fn whitelist(stage: &StageConfig, given: &Value) -> Result<Value, ConfigError> {
    let names = stage.mirror_whitelist.entries().iter();
    let names = names.filter(|entry| *entry != "*").map(String::as_str);
    match value::texts(given).as_deref() {
        Ok([ALLOW_ALL]) => Ok(["*"].into_iter().chain(names).collect()),
        Ok([BLOCK_REMOTES]) => Ok(names.collect()),
        _ => Err(ConfigError::Rules(repr(given))),
    }
}

fn inheritance(given: &Value) -> Result<Value, ConfigError> {
    let known = given.as_str().map(str::to_ascii_lowercase);
    match known.as_deref() {
        Some("none" | "") => Ok(json!("intersection")),
        Some("type:not remote") => Ok(json!("union")),
        _ => Err(ConfigError::Trust(repr(given))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use crate::index::Defaults;
    use crate::{ConfigError, IndexConfig};

    const DEFAULTS: Defaults = Defaults {
        open_toxresults: false,
    };

    fn object(value: &Value) -> &Map<String, Value> {
        value.as_object().unwrap()
    }

    fn made(body: &Value) -> IndexConfig {
        let owner = "alice".parse().unwrap();
        IndexConfig::create(&owner, object(body), &DEFAULTS).unwrap()
    }

    #[test]
    fn both_vocabularies_make_the_same_index() {
        let table = [
            (json!({"type": "local"}), json!({"type": "stage"})),
            (
                json!({"type": "local", "project_inheritance_rules": "allow all"}),
                json!({"mirror_whitelist": "*"}),
            ),
            (
                json!({"project_inheritance_rules": ["block type:remote if local_exists"]}),
                json!({"mirror_whitelist": []}),
            ),
            (
                json!({"trust_inheritance_rules_from": "type:not remote"}),
                json!({"mirror_whitelist_inheritance": "union"}),
            ),
            (
                json!({"trust_inheritance_rules_from": "None"}),
                json!({"mirror_whitelist_inheritance": "intersection"}),
            ),
            (
                json!({
                    "type": "remote", "remote_url": "https://example.com/simple/",
                    "remote_refresh_delay": "60", "remote_no_project_list": "True",
                    "remote_use_external_urls": true, "remote_web_url_fmt": "https://example.com/{name}",
                }),
                json!({
                    "type": "mirror", "mirror_url": "https://example.com/simple/",
                    "mirror_cache_expiry": 60, "mirror_no_project_list": true,
                    "mirror_use_external_urls": "yes", "mirror_web_url_fmt": "https://example.com/{name}",
                }),
            ),
        ];
        for (newer, older) in table {
            let (newer_made, older_made) = (made(&newer), made(&older));
            assert_eq!(newer_made, older_made, "{newer}");
            let shown = newer_made.to_json();
            let is_new = |key: &str| key.contains("remote") || key.contains("rules");
            assert!(!shown.keys().any(|key| is_new(key)), "{shown:?}");
            // The index that an older word made takes the newer one, and a dump holds either.
            assert_eq!(
                older_made.patch_object(object(&newer)),
                Ok(older_made.clone())
            );
            let mut stored = older_made.to_stored();
            for key in object(&older).keys() {
                stored.shift_remove(key);
            }
            stored.shift_remove("mirror_whitelist_inheritance");
            let is_stage = older_made.stage().is_some();
            let kind = if is_stage { "local" } else { "remote" };
            stored.insert("type".to_owned(), json!(kind));
            stored.extend(object(&newer).clone());
            assert_eq!(IndexConfig::from_stored(&stored), Ok(older_made), "{newer}");
        }
    }

    #[test]
    fn a_rule_of_the_index_leaves_single_projects_alone() {
        let config = made(&json!({"mirror_whitelist": "*,Foo"}));
        let patched = |operation: &str| {
            let config = config.patch_list(&[json!(operation)])?;
            Ok::<_, ConfigError>(config.to_json()["mirror_whitelist"].clone())
        };
        let block = "project_inheritance_rules=block type:remote if local_exists";
        assert_eq!(patched(block), Ok(json!(["foo"])));
        assert_eq!(
            patched("project_inheritance_rules=allow all"),
            Ok(json!(["*", "foo"]))
        );
    }

    #[test]
    fn operations_know_both_vocabularies() {
        let mirror = made(&json!({"type": "mirror", "mirror_url": "https://example.com/simple/"}));
        let slower = mirror.patch_list(&[json!("remote_refresh_delay=60"), json!("remote_url-=")]);
        let slower = slower.unwrap();
        assert_eq!(slower.to_json()["mirror_cache_expiry"], json!(60));
        assert!(!slower.to_json().contains_key("mirror_url"));
        let stage = made(&json!({"mirror_whitelist_inheritance": "union"}));
        let patched = stage
            .patch_list(&[json!("trust_inheritance_rules_from-=")])
            .unwrap();
        assert_eq!(
            patched.to_json()["mirror_whitelist_inheritance"],
            json!("intersection")
        );
        let dropped = stage.patch_list(&[json!("project_inheritance_rules-=")]);
        assert_eq!(dropped, Err(ConfigError::DefaultRemoved));
    }

    #[test]
    fn rules_without_a_counterpart_are_refused_in_words() {
        let stage = made(&json!({}));
        let sentence = |key: &str, value: Value| {
            let body = json!({key: value});
            stage.patch_object(object(&body)).unwrap_err().to_string()
        };
        let rules = |value| sentence("project_inheritance_rules", value);
        for value in [
            json!("block all"),
            json!(["allow all", "x"]),
            json!([]),
            json!(1),
            json!(null),
        ] {
            assert!(
                rules(value.clone()).starts_with("project_inheritance_rules takes"),
                "{value}"
            );
        }
        let trust = sentence("trust_inheritance_rules_from", json!("all"));
        assert!(trust.contains("'none' or 'type:not remote'"), "{trust}");
        for operation in [
            "project_inheritance_rules+=allow all",
            "project_inheritance_rules-=allow all",
        ] {
            let error = stage
                .patch_list(&[json!(operation)])
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with("project_inheritance_rules takes"),
                "{error}"
            );
        }
        // Each word belongs to its own kind of index.
        assert!(
            stage
                .patch_object(object(&json!({"remote_url": "https://x.example/"})))
                .is_err()
        );
        let mirror = made(&json!({"type": "remote"}));
        assert!(
            mirror
                .patch_object(object(&json!({"project_inheritance_rules": "allow all"})))
                .is_err()
        );
    }

    #[test]
    fn a_dump_of_devpi_7_is_read_without_opening_anything() {
        let read = |stored: Value| IndexConfig::from_stored(object(&stored)).unwrap();
        let stage = read(json!({"type": "local", "project_inheritance_rules": ["new rule"]}));
        let shown = stage.to_json();
        assert_eq!(shown["type"], json!("stage"));
        assert_eq!(shown["mirror_whitelist"], json!([]));
        assert_eq!(shown["mirror_whitelist_inheritance"], json!("intersection"));
        assert!(!stage.is_read_only());
    }
}
