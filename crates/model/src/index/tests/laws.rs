//! What holds for every request, however odd.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const KEYS: &str = "type volatile bases acl_upload acl_toxresult_upload mirror_whitelist \
    mirror_whitelist_inheritance title custom_data mirror_url mirror_cache_expiry mirror_web_url_fmt \
    mirror_no_project_list pypi_whitelist projects hooks trigger x";

const TEXTS: &str = "a a/b a/b,c/d * true union stage mirror :anonymous: 60 -1 = += -= \
    https://u:****@example.com/simple/ https://u:secretpw@example.org/ https://example.com/{name}";

fn any_key() -> impl Strategy<Value = &'static str> {
    select(KEYS.split_whitespace().chain([""]).collect::<Vec<_>>())
}

/// Texts that mean something somewhere, and any others.
fn any_text() -> impl Strategy<Value = String> {
    let known = select(TEXTS.split_whitespace().collect::<Vec<_>>()).prop_map(str::to_owned);
    prop_oneof![4 => known, 1 => any::<String>()]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        4 => any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        let list = vec(inner.clone(), 0..4).prop_map(Value::from);
        let map = vec((any_text(), inner), 0..3).prop_map(|entries| entries.into_iter().collect());
        prop_oneof![1 => list, 1 => map]
    })
}

fn any_operation() -> impl Strategy<Value = Value> {
    let sign = select(vec!["=", "+=", "-=", ""]);
    let text = (any_key(), sign, any_text());
    let text = text.prop_map(|(key, sign, value)| format!("{key}{sign}{value}").into());
    prop_oneof![9 => text, 1 => any_value()]
}

fn any_body() -> impl Strategy<Value = Map<String, Value>> {
    let entry = (any_key(), any_value()).prop_map(|(key, value)| (key.to_owned(), value));
    vec(entry, 0..4).prop_map(Map::from_iter)
}

fn any_config() -> impl Strategy<Value = IndexConfig> {
    select(vec![stage(), mirror(), imported()])
}

/// What holds for every configuration, however it came about.
fn check_laws(config: &IndexConfig) -> Result<(), TestCaseError> {
    prop_assert_eq!(
        &IndexConfig::from_stored(&config.to_stored()).unwrap(),
        config
    );
    if let Some(url) = config
        .mirror()
        .and_then(|mirror| mirror.mirror_url.as_ref())
    {
        prop_assert_eq!(key(config, "mirror_url"), json!(url.to_string()));
        prop_assert!(!url.to_string().contains("secretpw"));
    }
    let (shown, stored) = (config.to_json(), config.to_stored());
    prop_assert_eq!(
        shown.keys().collect::<Vec<_>>(),
        stored.keys().collect::<Vec<_>>()
    );
    Ok(())
}

proptest! {
    #[test]
    fn any_list_of_operations_is_applied_or_refused(config in any_config(), operations in vec(any_operation(), 0..4)) {
        if let Ok(patched) = config.patch_list(&operations) {
            check_laws(&patched)?;
            prop_assert_eq!(patched.kind(), config.kind());
        }
    }

    #[test]
    fn any_object_is_applied_or_refused(config in any_config(), body in any_body()) {
        if let Ok(patched) = config.patch_object(&body) {
            check_laws(&patched)?;
            prop_assert_eq!(patched.kind(), config.kind());
        }
    }

    #[test]
    fn any_body_makes_an_index_or_is_refused(body in any_body()) {
        if let Ok(config) = create(&body) {
            check_laws(&config)?;
            prop_assert_eq!(config.is_read_only(), false);
        }
    }

    #[test]
    fn any_stored_map_is_read_or_refused(stored in any_body()) {
        if let Ok(config) = IndexConfig::from_stored(&stored) {
            check_laws(&config)?;
        }
    }
}
