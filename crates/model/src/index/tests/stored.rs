//! What the database or a dump holds (devpi: 3.7, 10.2, 10.3).

use super::*;
use crate::{Acl, Inheritance};

#[test]
fn old_data_is_read_as_it_was_meant() {
    let read = |stored| IndexConfig::from_stored(&object(stored)).unwrap();
    let old = read(json!({"bases": "a/b", "pypi_whitelist": ["A_b"], "projects": {}}));
    assert_eq!((old.kind(), old.volatile), (IndexKind::Stage, true));
    let stage = old.stage().unwrap();
    assert_eq!(stage.mirror_whitelist_inheritance, Inheritance::Union);
    assert_eq!(stage.mirror_whitelist.entries(), ["a-b"]);
    assert_eq!(
        (&stage.acl_upload, &stage.acl_toxresult_upload),
        (&Acl::default(), &Acl::default())
    );
    let shown = old.to_json();
    assert!(!shown.contains_key("projects") && !shown.contains_key("pypi_whitelist"));
    let newer = read(json!({"mirror_whitelist": ["b"], "pypi_whitelist": ["a"]}));
    assert_eq!(key(&newer, "mirror_whitelist"), json!(["b"]));
    // A name that no index can have is dropped, a dangling one is kept.
    let odd = read(json!({"bases": ["x", "a/b", "a/b/c", "a/gone"]}));
    assert_eq!(key(&odd, "bases"), json!(["a/b", "a/gone"]));
}

#[test]
fn settings_of_old_mirrors_that_today_are_refused_count_as_not_given() {
    let stored = json!({
        "type": "mirror", "bases": ["a/b"], "mirror_url": "file:///x", "mirror_cache_expiry": -1, "title": null,
        "mirror_web_url_fmt": "javascript:{name}", "mirror_use_external_urls": "maybe", "plugin": 1,
    });
    let config = IndexConfig::from_stored(&object(stored)).unwrap();
    let expected = json!({"type": "mirror", "volatile": true, "plugin": 1});
    assert_eq!(Value::Object(config.to_json()), expected);
}

#[test]
fn stored_data_that_would_widen_a_right_is_refused() {
    for stored in [
        r#"{"acl_upload": 5}"#,
        r#"{"mirror_whitelist": {"*": 1}}"#,
        r#"{"mirror_whitelist_inheritance": "both"}"#,
        r#"{"bases": 1}"#,
        r#"{"volatile": "maybe"}"#,
    ] {
        assert!(
            IndexConfig::from_stored(&parse(stored)).is_err(),
            "{stored}"
        );
    }
}

#[test]
fn an_index_of_a_type_that_a_plugin_knew_is_kept_and_not_changed() {
    let stored =
        json!({"type": "constrained", "volatile": true, "bases": ["a/b"], "constraints": "x<2"});
    let config = IndexConfig::from_stored(&object(stored)).unwrap();
    assert!(config.is_read_only() && !stage().is_read_only());
    assert_eq!(key(&config, "type"), json!("constrained"));
    assert_eq!((config.kind(), config.bases().len()), (IndexKind::Stage, 1));
    assert_eq!(
        IndexConfig::from_stored(&config.to_stored()),
        Ok(config.clone())
    );
    assert_eq!(config.patch_object(&Map::new()), Err(ConfigError::ReadOnly));
    assert_eq!(
        patch_list(&config, &["type=constrained"]),
        Err(ConfigError::ReadOnly)
    );
}
