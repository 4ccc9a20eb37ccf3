use std::path::PathBuf;
use std::time::Duration;

use larder_app::RootPassword;

use super::{Config, Database, Stop};

fn config(args: &[&str], env: &[(&str, &str)]) -> Result<Config, Stop> {
    let args: Vec<String> = std::iter::once("larder")
        .chain(args.iter().copied())
        .map(str::to_owned)
        .collect();
    let env: Vec<(String, String)> = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Config::resolve(&args, &|name| {
        env.iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    })
}

fn good(args: &[&str], env: &[(&str, &str)]) -> Config {
    config(args, env).expect("a good configuration")
}

fn refused(args: &[&str], env: &[(&str, &str)]) -> String {
    match config(args, env) {
        Err(Stop::Fatal(message)) => message,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn without_a_word_it_serves_sqlite_below_the_home_directory() {
    let config = good(&[], &[("HOME", "/home/me")]);
    assert_eq!(config.serverdir, PathBuf::from("/home/me/.larder"));
    assert_eq!(
        config.database,
        Database::Sqlite("/home/me/.larder/larder.sqlite".into())
    );
    assert_eq!(config.listen, ["localhost:3141"]);
    assert_eq!(config.first_start.password, RootPassword::Generate);
    assert!(config.policy.restrict_modify.is_none() && !config.policy.open_registration);
}

#[test]
fn the_command_line_beats_the_environment_and_that_the_file() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "devpi-server:\n  port: 1\n  host: 0.0.0.0\n  request-timeout: 7\n  offline-mode: true\n  strange: 1\n").expect("written");
    let path = file.path().to_str().expect("UTF-8");
    let config = good(
        &["serve", "-c", path, "--port", "3"],
        &[("DEVPISERVER_PORT", "2"), ("LARDER_REQUEST_TIMEOUT", "9")],
    );
    assert_eq!(config.listen, ["0.0.0.0:3"]);
    assert_eq!(config.request_timeout, Duration::from_secs(9));
    assert!(config.offline);
    assert!(
        config
            .warnings
            .iter()
            .any(|warning| warning.contains("'strange'")),
        "{:?}",
        config.warnings
    );
}

#[test]
fn the_file_may_be_named_by_a_variable_and_hold_lists() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(
        file.path(),
        "larder:\n  listen: ['*:3141', '[::1]:3142']\nother: 1\n",
    )
    .expect("written");
    let config = good(
        &[],
        &[(
            "DEVPISERVER_CONFIGFILE",
            file.path().to_str().expect("UTF-8"),
        )],
    );
    assert_eq!(config.listen, ["0.0.0.0:3141", "[::1]:3142"]);
}

#[test]
fn a_list_of_addresses_is_replaced_by_a_stronger_source() {
    let env = [("LARDER_LISTEN", "127.0.0.1:11")];
    assert_eq!(good(&[], &env).listen, ["127.0.0.1:11"]);
    assert_eq!(
        good(&["--listen", "127.0.0.1:12"], &env).listen,
        ["127.0.0.1:12"]
    );
}

#[test]
fn a_bad_file_variable_or_url_is_refused_with_its_name() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "- a\n- b\n").expect("written");
    let path = file.path().to_str().expect("UTF-8");
    assert!(refused(&["-c", path], &[]).contains(path));
    assert!(refused(&["-c", "/nonexistent/x.yml"], &[]).contains("/nonexistent/x.yml"));
    assert!(
        refused(&[], &[("LARDER_OFFLINE_MODE", "maybe")])
            .contains("LARDER_OFFLINE_MODE: invalid truth value 'maybe'")
    );
    assert!(refused(&["--database", "mysql://x"], &[]).contains("--database"));
    assert!(refused(&["--outside-url", "javascript:x"], &[]).contains("--outside-url"));
    assert!(refused(&["--trusted-proxy", "proxy.example"], &[]).contains("--trusted-proxy"));
}

#[test]
fn roots_password_comes_from_the_option_the_variable_or_its_file() {
    let password = |args: &[&str], env: &[(&str, &str)]| good(args, env).first_start.password;
    let given = |text: &str| RootPassword::Given(text.to_owned());
    assert_eq!(
        password(&["--root-passwd", "a"], &[("DEVPI_PASSWORD", "b")]),
        given("a")
    );
    assert_eq!(password(&[], &[("DEVPI_PASSWORD", "b")]), given("b"));
    assert_eq!(
        password(&[], &[("DEVPISERVER_ROOT_PASSWD", "c")]),
        given("c")
    );
    assert_eq!(
        password(&[], &[("DEVPI_PASSWORD", "")]),
        RootPassword::Generate
    );
    assert_eq!(
        password(&["--root-passwd", ""], &[("DEVPI_PASSWORD", "b")]),
        RootPassword::Empty
    );
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "from file\n").expect("written");
    assert_eq!(
        password(
            &[],
            &[("DEVPI_PASSWORD_FILE", file.path().to_str().expect("UTF-8"))]
        ),
        given("from file")
    );
    assert!(
        refused(&[], &[("DEVPI_PASSWORD_FILE", "/nonexistent/password")])
            .contains("DEVPI_PASSWORD_FILE")
    );
}

#[test]
fn devpis_open_sign_up_is_one_switch_and_restrict_modify_closes_it() {
    assert!(good(&["--devpi-compat"], &[]).policy.open_registration);
    let closed = good(&["--devpi-compat", "--restrict-modify", "root"], &[]);
    assert!(!closed.policy.open_registration && closed.policy.restrict_modify.is_some());
}

#[test]
fn options_of_devpi_without_meaning_are_accepted_with_a_word() {
    let config = good(
        &["--threads", "50", "--role=standalone", "--requests-only"],
        &[],
    );
    assert_eq!(config.warnings.len(), 3, "{:?}", config.warnings);
}

#[test]
fn devpi_7s_name_for_the_cache_expiry_is_taken_everywhere() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "devpi-server:\n  remote-refresh-delay: 7\n").expect("written");
    let path = file.path().to_str().expect("UTF-8");
    let env = [("DEVPISERVER_REMOTE_REFRESH_DELAY", "8")];
    let secs = |args: &[&str], env: &[(&str, &str)]| good(args, env).mirror_cache_expiry.as_secs();
    assert_eq!(secs(&["-c", path], &[]), 7);
    assert_eq!(secs(&["-c", path], &env), 8);
    assert_eq!(secs(&["-c", path, "--remote-refresh-delay", "9"], &env), 9);
    assert!(good(&["-c", path], &[]).warnings.is_empty());
}

#[test]
fn devpis_numbers_for_the_secret_are_taken() {
    let config = good(&["--argon2-memory-cost", "8", "--argon2-time-cost=1"], &[]);
    let numbers = config.devpi_argon2;
    assert_eq!(
        (numbers.memory_kib, numbers.passes, numbers.lanes),
        (8, 1, 8)
    );
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_database_url_with_a_password_is_not_shown() {
    let config = good(&["--database", "postgres://u:hunter2@h/d"], &[]);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_programs_name_may_stand_before_the_options() {
    for words in [
        &["larder", "serve", "--port", "7"][..],
        &["devpi-server", "--port=7"],
        &["serve", "--port", "7"],
    ] {
        assert_eq!(good(words, &[]).listen, ["localhost:7"], "{words:?}");
    }
}
