//! Bodies that are lists of operations (devpi: 3.4).

use super::*;

/// `;` parts the operations.
fn apply(config: &IndexConfig, operations: &str) -> Result<IndexConfig, ConfigError> {
    patch_list(config, &operations.split("; ").collect::<Vec<_>>())
}

#[test]
fn operations_change_one_thing_each() {
    let table = r#"
        title=x=y                                             | title                | "x=y"
        title=                                                | title                | ""
        title                                                 | title                | ""
        title=x; title-=                                      | title                | null
        volatile=no                                           | volatile             | false
        bases=a/b,c/d; bases-=a/b                             | bases                | ["c/d"]
        bases+=/a/b/                                          | bases                | ["a/b"]
        bases=a/b; bases=                                     | bases                | []
        acl_upload+=bob; acl_upload+=bob                      | acl_upload           | ["alice", "bob"]
        acl_upload=a,b; acl_upload+=:anonymous:               | acl_upload           | ["a", "b", ":ANONYMOUS:"]
        acl_upload+=x,y                                       | acl_upload           | ["alice", "x,y"]
        acl_upload+=                                          | acl_upload           | ["alice"]
        acl_upload-=alice                                     | acl_upload           | []
        acl_toxresult_upload+=:x                              | acl_toxresult_upload | [":x"]
        acl_toxresult_upload+=:x; acl_toxresult_upload-=:x    | acl_toxresult_upload | []
        mirror_whitelist+=Foo_Bar                             | mirror_whitelist     | ["foo-bar"]
        mirror_whitelist=a,*; mirror_whitelist-=A             | mirror_whitelist     | ["*"]
        mirror_whitelist_inheritance=union                    | mirror_whitelist_inheritance | "union"
        acl_read=bob,:staff                                   | acl_read             | ["bob", ":staff"]
        acl_read+=bob                                         | acl_read             | [":ANONYMOUS:", "bob"]
        acl_read-=:anonymous:                                 | acl_read             | []
        acl_read=                                             | acl_read             | []
        acl_read=bob; acl_read-=                              | acl_read             | null
        nokey-=                                               | nokey                | null
        pypi_whitelist=x; projects=y                          | pypi_whitelist       | null
        type=stage                                            | type                 | "stage"
    "#;
    for [operations, name, expected] in rows(table) {
        let config = apply(&stage(), operations).unwrap();
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(key(&config, name), expected, "{operations}");
    }
    assert_eq!(stage().patch_list(&[]), Ok(stage()));
}

#[test]
fn operations_that_make_no_sense_are_refused() {
    let table = "
        E23 | bases-=no/such        | The 'bases' setting doesn't have value 'no/such'
        E23 | bases-=x              | The 'bases' setting doesn't have value 'x'
        3.4 | acl_upload-=zzz       | The 'acl_upload' setting doesn't have value 'zzz'
        3.4 | mirror_whitelist-=*   | The 'mirror_whitelist' setting doesn't have value '*'
        E24 | nokey-=x              | The 'nokey' setting doesn't have value 'x'
        3.4 | title-=x              | The 'title' setting doesn't have value 'x'
        3.4 | acl_read-=bob         | The 'acl_read' setting doesn't have value 'bob'
        3.4 | title=x; title-=x     | The 'title' setting is not a list.
        3.4 | title=x; title+=y     | The 'title' setting is not a list.
        3.4 | title+=y              | The 'title' setting is not a list.
        3.4 | volatile-=true        | The 'volatile' setting is not a list.
        3.4 | volatile+=true        | The 'volatile' setting is not a list.
        3.4 | nokey+=x              | The 'nokey' setting is not a list.
        3.4 | mirror_whitelist_inheritance+=union | The 'mirror_whitelist_inheritance' setting is not a list.
        3.4 | type-=                | Default values can't be removed.
        3.4 | volatile-=            | Default values can't be removed.
        3.4 | bases-=               | Default values can't be removed.
        3.4 | acl_upload-=          | Default values can't be removed.
        3.4 | acl_toxresult_upload-= | Default values can't be removed.
        3.4 | mirror_whitelist-=    | Default values can't be removed.
        3.4 | mirror_whitelist_inheritance-= | Default values can't be removed.
        3.1 | type=mirror           | the 'type' of an index can't be changed
        3.4 | nokey=x; other=y      | indexconfig got unexpected keyword arguments: nokey=x, other=y
        3.4 | nokey=x; nokey-=      | indexconfig got unexpected keyword arguments: nokey=x
        3.4 | bases+=a/b,c/d        | invalid base index spec: 'a/b,c/d'
        3.4 | bases=x               | invalid base index spec: 'x'
        3.4 | volatile=maybe        | Unknown boolean value 'maybe'.
    ";
    for [row, operations, message] in rows(table) {
        assert_eq!(
            apply(&stage(), operations).unwrap_err().to_string(),
            message,
            "{row} {operations}"
        );
    }
}

#[test]
fn what_is_no_operation_is_refused() {
    for text in ["=x", "+=x", "-=", "-=x", ""] {
        let message = patch_list(&stage(), &[text]).unwrap_err().to_string();
        let expected = format!("'{text}' is none of key=value, key+=value, key-=value and key-=");
        assert_eq!(message, expected);
    }
    // E25: a key that nobody knows, set to nothing.
    let message = patch_list(&stage(), &["no operator"])
        .unwrap_err()
        .to_string();
    let expected = "indexconfig got unexpected keyword arguments: no operator=";
    assert_eq!(message, expected);
    for value in [json!(null), json!(1), json!({}), json!(["a=b"])] {
        let refused = stage().patch_list(std::slice::from_ref(&value));
        assert!(matches!(refused, Err(ConfigError::Operation(_))), "{value}");
    }
    let many = vec![json!("title=x"); 1001];
    assert_eq!(
        stage().patch_list(&many),
        Err(ConfigError::TooManyOperations)
    );
}

#[test]
fn operations_on_mirrors() {
    let patched = apply(
        &mirror(),
        "mirror_cache_expiry=60; bases=x; mirror_no_project_list=yes",
    )
    .unwrap();
    assert_eq!(key(&patched, "mirror_cache_expiry"), json!(60));
    assert_eq!(key(&patched, "mirror_no_project_list"), json!(true));
    assert_eq!(key(&patched, "bases"), Value::Null);
    let drops =
        "mirror_url-=; mirror_cache_expiry-=; mirror_no_project_list-=; mirror_web_url_fmt-=";
    assert_eq!(
        apply(&patched, drops),
        create(&parse(r#"{"type": "mirror"}"#))
    );
    for operation in ["bases+=a/b", "mirror_url+=x", "mirror_url-=x"] {
        let refused = apply(&mirror(), operation);
        assert!(
            matches!(refused, Err(ConfigError::NotAList(_))),
            "{operation}"
        );
    }
    assert_eq!(
        apply(&mirror(), "volatile-="),
        Err(ConfigError::DefaultRemoved)
    );
    // An empty format is none.
    assert_eq!(apply(&mirror(), "mirror_web_url_fmt="), Ok(mirror()));
}

#[test]
fn the_mask_of_a_secret_means_no_change() {
    let shown = "mirror_url=https://u:****@example.com/simple/";
    assert_eq!(patch_list(&mirror(), &[shown]), Ok(mirror()));
    // Taken away and given again in one change, the mask stands for nothing.
    assert_eq!(
        patch_list(&mirror(), &["mirror_url-=", shown]),
        Err(ConfigError::MaskedSecret)
    );
}

#[test]
fn keys_of_plugins_survive_and_are_not_set() {
    let config = imported();
    assert_eq!(
        key(&config, "trigger"),
        json!("http://****@ci.example.com/job")
    );
    assert!(
        !Value::Object(config.to_json())
            .to_string()
            .contains("secretpw")
    );
    let patched = apply(&config, "acl_upload+=bob; hooks+=y; hooks-=x").unwrap();
    assert_eq!(
        patched.to_stored()["trigger"],
        config.to_stored()["trigger"]
    );
    assert_eq!(key(&patched, "hooks"), json!(["y"]));
    for refused in [
        r#"{"trigger": "http://evil.example.com/"}"#,
        r#"{"hooks": []}"#,
    ] {
        assert!(matches!(
            config.patch_object(&parse(refused)),
            Err(ConfigError::UnknownKeys(_))
        ));
    }
    assert!(matches!(
        apply(&config, "trigger+=x"),
        Err(ConfigError::NotAList(_))
    ));
    assert_eq!(
        key(&apply(&config, "trigger-=").unwrap(), "trigger"),
        Value::Null
    );
}

#[test]
fn what_today_is_refused_can_be_taken_away() {
    let repaired = apply(&imported(), "bases-=alice/gone; mirror_whitelist-=odd*").unwrap();
    assert_eq!(repaired.bases(), []);
    assert_eq!(key(&repaired, "mirror_whitelist"), json!([]));
}
