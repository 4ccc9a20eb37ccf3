//! Bodies that are objects: PUT and PATCH (devpi: 3.1-3.3).

use super::*;

#[test]
fn a_new_stage_has_safe_defaults_in_devpis_order() {
    let expected = r#"{"type":"stage","volatile":true,"bases":[],"acl_upload":["alice"],"acl_toxresult_upload":[],"mirror_whitelist":[],"mirror_whitelist_inheritance":"intersection"}"#;
    assert_eq!(Value::Object(stage().to_json()).to_string(), expected);
    let open = Defaults {
        open_toxresults: true,
    };
    let config = IndexConfig::create(&"alice".parse().unwrap(), &Map::new(), &open).unwrap();
    assert_eq!(key(&config, "acl_toxresult_upload"), json!([":ANONYMOUS:"]));
}

#[test]
fn a_new_mirror_shows_only_what_was_given() {
    let bare = create(&parse(r#"{"type": "mirror"}"#)).unwrap();
    assert_eq!(
        Value::Object(bare.to_json()),
        json!({"type": "mirror", "volatile": true})
    );
    assert_eq!((bare.kind(), bare.bases()), (IndexKind::Mirror, &[][..]));
    let body = json!({
        "mirror_no_project_list": "yes", "mirror_cache_expiry": "60", "title": "T", "type": "mirror",
        "mirror_web_url_fmt": "https://example.com/project/{name}/", "volatile": "False",
        "mirror_url": "https://example.com/simple",
    });
    let expected = r#"{"type":"mirror","volatile":false,"mirror_url":"https://example.com/simple","mirror_cache_expiry":60,"mirror_web_url_fmt":"https://example.com/project/{name}/","mirror_no_project_list":true,"title":"T"}"#;
    let full = create(&object(body)).unwrap();
    assert_eq!(Value::Object(full.to_json()).to_string(), expected);
}

#[test]
fn values_are_normalised() {
    let table = r#"
        3.1  | volatile                     | "False"                      | false
        3.1  | volatile                     | "YES"                        | true
        3.6  | bases                        | "a/b, /c/d/ ,,a/b"           | ["a/b", "c/d"]
        3.6  | bases                        | ["a/b"]                      | ["a/b"]
        3.6  | bases                        | ""                           | []
        E15  | acl_upload                   | [":anonymous:"]              | [":ANONYMOUS:"]
        3.1  | acl_upload                   | "bob,:Authenticated:,:grp"   | ["bob", ":AUTHENTICATED:", ":grp"]
        3.1  | acl_toxresult_upload         | "bob"                        | ["bob"]
        3.1  | mirror_whitelist             | "Foo_Bar,*"                  | ["foo-bar", "*"]
        3.1  | mirror_whitelist_inheritance | "UNION"                      | "union"
        3.4  | title                        | ""                           | ""
        3.1  | custom_data                  | {"a": [1, null]}             | {"a": [1, null]}
    "#;
    for [row, name, given, expected] in rows(table) {
        let body = parse(&format!(r#"{{"{name}": {given}}}"#));
        let config = create(&body).unwrap();
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(key(&config, name), expected, "{row} {name} {given}");
        assert_eq!(
            stage().patch_object(&body),
            Ok(config),
            "{row} {name} {given}"
        );
    }
}

#[test]
fn stages_refuse_what_they_do_not_understand() {
    let table = r#"
        E05   | {"bases": {"a": 1}}                | Unknown list value {"a":1}.
        E07   | {"bases": [["root/mir"]]}          | Unknown list value ["root/mir"].
        E08   | {"bases": ["a/b/c"]}               | invalid base index spec: 'a/b/c'
        E08   | {"bases": ["x", "a/b", "y"]}       | invalid base index spec: 'x', invalid base index spec: 'y'
        E11   | {"volatile": "maybe"}              | Unknown boolean value 'maybe'.
        E12   | {"volatile": 1}                    | Unknown boolean value 1.
        3.1   | {"volatile": null}                 | Unknown boolean value None.
        E13   | {"acl_upload": {"bob": true}}      | Unknown list value {"bob":true}.
        3.1   | {"acl_upload": 5}                  | Unknown list value 5.
        3.1   | {"acl_toxresult_upload": [1]}      | Unknown list value 1.
        3.1   | {"mirror_whitelist": null}         | Unknown list value None.
        3.1   | {"mirror_whitelist_inheritance": "both"} | Unknown value 'both' for mirror_whitelist_inheritance, must be 'intersection' or 'union'.
        3.1   | {"mirror_whitelist_inheritance": 1} | Unknown value 1 for mirror_whitelist_inheritance, must be 'intersection' or 'union'.
        14.26 | {"title": null}                    | The 'title' setting can't be null.
        14.26 | {"custom_data": null}              | The 'custom_data' setting can't be null.
        E21   | {"frobnicate": 1}                  | indexconfig got unexpected keyword arguments: frobnicate=1
        3.1   | {"foo": "bar", "baz": [1]}         | indexconfig got unexpected keyword arguments: foo=bar, baz=[1]
        E43   | {"_keep_unknown": true}            | indexconfig got unexpected keyword arguments: _keep_unknown=True
        E43   | {"self": 1}                        | indexconfig got unexpected keyword arguments: self=1
        E44   | {"index": "root/mir"}              | indexconfig got unexpected keyword arguments: index=root/mir
        E45   | {"user": "bob"}                    | indexconfig got unexpected keyword arguments: user=bob
        L30   | {"mirror_url": "http://u:pw@h/"}   | indexconfig got unexpected keyword arguments: mirror_url=http://****@h/
    "#;
    for [row, given, message] in rows(table) {
        let body = parse(given);
        assert_eq!(
            create(&body).unwrap_err().to_string(),
            message,
            "{row} {given}"
        );
        assert_eq!(
            stage().patch_object(&body).unwrap_err().to_string(),
            message,
            "{row} {given}"
        );
    }
    let error = create(&parse(r#"{"mirror_whitelist": ["foo*"]}"#))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("invalid mirror_whitelist entry: 'foo*' is not a valid project name"),
        "{error}"
    );
}

#[test]
fn mirrors_refuse_what_they_do_not_understand() {
    let table = r#"
        E47   | {"mirror_url": "file:///etc/passwd"}          | 'mirror_url' option must be a URL.
        E53   | {"mirror_url": "javascript:alert(1)"}         | 'mirror_url' option must be a URL.
        E56   | {"mirror_url": "gopher://127.0.0.1:6379/_"}   | 'mirror_url' option must be a URL.
        E57   | {"mirror_url": ""}                            | 'mirror_url' option must be a URL.
        3.1   | {"mirror_url": null}                          | 'mirror_url' option must be a URL.
        3.1   | {"mirror_url": ["https://example.com/"]}      | 'mirror_url' option must be a URL.
        E60   | {"mirror_cache_expiry": -1}                   | 'mirror_cache_expiry' option must be an integer from 0 to 315360000
        E60   | {"mirror_cache_expiry": "-1"}                 | 'mirror_cache_expiry' option must be an integer from 0 to 315360000
        E60   | {"mirror_cache_expiry": 9000000000000}        | 'mirror_cache_expiry' option must be an integer from 0 to 315360000
        E61   | {"mirror_cache_expiry": "abc"}                | 'mirror_cache_expiry' option must be an integer
        E61   | {"mirror_cache_expiry": ""}                   | 'mirror_cache_expiry' option must be an integer
        E61   | {"mirror_cache_expiry": 1.5}                  | 'mirror_cache_expiry' option must be an integer
        E61   | {"mirror_cache_expiry": true}                 | 'mirror_cache_expiry' option must be an integer
        E61   | {"mirror_cache_expiry": null}                 | 'mirror_cache_expiry' option must be an integer
        E63   | {"mirror_web_url_fmt": "https://example.com/{name.__class__.__mro__}"} | FORMAT
        E63   | {"mirror_web_url_fmt": "https://example.com/{name}/{version}"}         | FORMAT
        E64   | {"mirror_web_url_fmt": "javascript:alert(1)//{name}"} | FORMAT
        E64   | {"mirror_web_url_fmt": "{name}://example.com"} | FORMAT
        3.1   | {"mirror_web_url_fmt": 1}                     | FORMAT
        3.1   | {"mirror_use_external_urls": "maybe"}         | Unknown boolean value 'maybe'.
        14.25 | {"acl_toxresult_upload": ["x"]}               | indexconfig got unexpected keyword arguments: acl_toxresult_upload=["x"]
        3.1   | {"mirror_whitelist_inheritance": "union"}     | indexconfig got unexpected keyword arguments: mirror_whitelist_inheritance=union
    "#;
    let format =
        "'mirror_web_url_fmt' option must be an http(s) URL with no other placeholder than {name}";
    for [row, given, message] in rows(table) {
        let message = if message == "FORMAT" { format } else { message };
        let mut body = parse(given);
        assert_eq!(
            mirror().patch_object(&body).unwrap_err().to_string(),
            message,
            "{row} {given}"
        );
        body.insert("type".to_owned(), "mirror".into());
        assert_eq!(
            create(&body).unwrap_err().to_string(),
            message,
            "{row} {given}"
        );
    }
}

#[test]
fn the_type_is_known_and_stays() {
    let table = r#"
        E09 | {"type": "evil"}    | unknown index type 'evil'
        E09 | {"type": null}      | unknown index type None
        E09 | {"type": ["stage"]} | unknown index type ["stage"]
    "#;
    for [row, given, message] in rows(table) {
        assert_eq!(
            create(&parse(given)).unwrap_err().to_string(),
            message,
            "{row}"
        );
    }
    assert_eq!(
        stage().patch_object(&parse(r#"{"type": "stage"}"#)),
        Ok(stage())
    );
    for other in [
        r#"{"type": "mirror"}"#,
        r#"{"type": null}"#,
        r#"{"type": "indexconfig"}"#,
    ] {
        assert_eq!(
            stage().patch_object(&parse(other)),
            Err(ConfigError::TypeChanged),
            "{other}"
        );
    }
}

#[test]
fn keys_of_old_clients_are_dropped() {
    let dropped = r#"{"projects": ["a"], "pypi_whitelist": 5}"#;
    assert_eq!(stage().patch_object(&parse(dropped)), Ok(stage()));
    let dropped = r#"{"projects": 1, "bases": 1, "acl_upload": 1, "mirror_whitelist": 1, "pypi_whitelist": 1}"#;
    assert_eq!(mirror().patch_object(&parse(dropped)), Ok(mirror()));
}

#[test]
fn an_answer_sent_back_changes_nothing() {
    let extras = patch_list(&imported(), &["mirror_whitelist-=odd*"]).unwrap();
    for config in [stage(), mirror(), extras] {
        let answer = object(json!({"type": "indexconfig", "result": config.to_json()}));
        assert_eq!(config.patch_object(&answer).unwrap(), config);
        assert_eq!(config.patch_object(&config.to_json()).unwrap(), config);
        assert_eq!(config.patch_object(&Map::new()).unwrap(), config);
    }
}

#[test]
fn an_object_changes_the_given_keys_only() {
    let changed = imported()
        .patch_object(&parse(r#"{"title": "T"}"#))
        .unwrap();
    let mut expected = imported().to_stored();
    expected.insert("title".to_owned(), "T".into());
    assert_eq!(Value::Object(changed.to_stored()), Value::Object(expected));
}

#[test]
fn secrets_of_mirrors_are_stored_and_never_shown() {
    // E55, E59
    let config = mirror();
    assert_eq!(
        key(&config, "mirror_url"),
        json!("https://u:****@example.com/simple/")
    );
    assert_eq!(
        config.to_stored()["mirror_url"],
        json!("https://u:secretpw@example.com/simple/")
    );
    assert!(!format!("{config:?}").contains("secretpw"));
    let elsewhere = parse(r#"{"mirror_url": "https://u:****@evil.example.com/simple/"}"#);
    assert_eq!(
        config.patch_object(&elsewhere),
        Err(ConfigError::MaskedSecret)
    );
}

#[test]
fn the_address_of_a_mirror_is_what_will_be_connected_to() {
    let table = "
        E48 | http://169.254.169.254/simple/         | 169.254.169.254
        E49 | http://127.0.0.1:1/                    | 127.0.0.1
        E51 | http://0x7f000001/                     | 127.0.0.1
        E52 | http://localhost.localdomain@127.0.0.1/ | 127.0.0.1
    ";
    for [row, url, host] in rows(table) {
        let config = create(&object(json!({"type": "mirror", "mirror_url": url}))).unwrap();
        let base = config.mirror().unwrap().mirror_url.as_ref().unwrap().base();
        assert_eq!(base.host_str(), Some(host), "{row}");
    }
}

#[test]
fn configurations_are_bounded() {
    let large = object(json!({"custom_data": "x".repeat(2 << 20)}));
    assert_eq!(create(&large), Err(ConfigError::TooLarge));
    assert_eq!(stage().patch_object(&large), Err(ConfigError::TooLarge));
    // What an import brought may be made smaller, not larger.
    let imported = IndexConfig::from_stored(&large).unwrap();
    assert!(
        imported
            .patch_object(&parse(r#"{"volatile": true}"#))
            .is_ok()
    );
    assert_eq!(
        imported.patch_object(&parse(r#"{"title": "x"}"#)),
        Err(ConfigError::TooLarge)
    );
}

#[test]
fn a_message_never_repeats_a_large_body() {
    let long = |at: usize, letter: &str| format!("{at}{}", letter.repeat(500));
    let unknown: Map<_, _> = (0..10_000)
        .map(|at| (long(at, "k"), long(at, "v").into()))
        .collect();
    let bases: Vec<String> = (0..10_000).map(|at| long(at, "b")).collect();
    for body in [
        Value::Object(unknown),
        json!({"bases": bases}),
        json!({"type": "t".repeat(9999)}),
        json!({"volatile": "v".repeat(9999)}),
    ] {
        let message = create(&object(body)).unwrap_err().to_string();
        assert!(message.len() < 2500, "{} bytes", message.len());
    }
}
