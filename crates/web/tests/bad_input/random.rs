//! What no table thinks of: bodies of JSON, paths and headers at random.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Number, Value};

use crate::json::check;
use crate::shapes::ENDPOINTS;
use crate::world::World;

/// Cases of each test: a few seconds' worth.
const CASES: u32 = 200;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(number.into())),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        any::<String>().prop_map(Value::String),
        "[a-z]{1,4}/[a-z]{1,4}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A body for one of the endpoints: some of its own keys, some strange ones.
fn body() -> impl Strategy<Value = (usize, Value)> {
    (0..ENDPOINTS.len()).prop_flat_map(|at| {
        let keys: Vec<&str> = ENDPOINTS[at].keys.to_vec();
        let key = prop_oneof![
            4 => prop::sample::select(keys).prop_map(str::to_owned),
            1 => any::<String>(),
        ];
        let members = prop::collection::vec((key, value()), 0..5);
        let object = members.prop_map(|members| members.into_iter().collect::<Map<_, _>>());
        let whole = prop_oneof![6 => object.prop_map(Value::Object), 1 => value()];
        (Just(at), whole)
    })
}

/// Runs a test on one world, again and again.
#[expect(clippy::needless_pass_by_value, reason = "a closure of the caller")]
fn on_one_world<S: Strategy>(strategy: &S, test: impl AsyncFn(&World, S::Value)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let world = runtime.block_on(World::new());
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let ran = TestRunner::new(config).run(strategy, |input| {
        runtime.block_on(test(&world, input));
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
}

#[test]
fn any_json_is_taken_or_refused_in_words() {
    on_one_world(&body(), async |world, (at, body)| {
        let before = world.mark().await;
        check(
            world,
            &ENDPOINTS[at],
            body.to_string().into_bytes(),
            &before,
        )
        .await;
    });
}

#[test]
fn any_bytes_are_no_json_and_no_form() {
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    on_one_world(&(0..ENDPOINTS.len(), bytes), async |world, (at, bytes)| {
        let before = world.mark().await;
        check(world, &ENDPOINTS[at], bytes.clone(), &before).await;
        let form = world.by_alice("POST", "/alice/dev/");
        let kind = "multipart/form-data; boundary=x";
        let body = [b"--x\r\n", &bytes[..], b"\r\n--x--\r\n"].concat();
        let form = form.header("content-type", kind).body(body);
        world.refused("a form of any bytes", form, &[400]).await;
    });
}

#[test]
fn any_path_is_answered() {
    let part = prop_oneof![
        "[a-z]{1,5}",
        "%[0-9a-fA-F]{2}",
        "(%[0-9a-fA-F]{2}){1,6}",
        "[!-~&&[^?#]]{0,6}",
        Just("alice".to_owned()),
        Just("dev".to_owned()),
        Just("demo".to_owned()),
        Just("+f".to_owned()),
        Just("+d".to_owned()),
        Just("+doc".to_owned()),
        Just("+api".to_owned()),
        Just("..".to_owned()),
    ];
    let path = (prop::collection::vec(part, 0..7), any::<bool>());
    on_one_world(&path, async |world, (parts, slash)| {
        let end = if slash { "/" } else { "" };
        let path = format!("/{}{end}", parts.join("/"));
        if path.parse::<http::Uri>().is_err() {
            return;
        }
        let before = world.state().await;
        for method in ["GET", "HEAD", "POST", "PATCH"] {
            world.answer(&path, world.ask(method, &path)).await;
        }
        assert_eq!(world.state().await, before, "{path}");
    });
}

#[test]
fn any_header_is_read_or_passed_over() {
    let name = prop::sample::select(vec![
        "accept",
        "accept-encoding",
        "authorization",
        "x-devpi-auth",
        "range",
        "if-range",
        "if-none-match",
        "content-type",
        "user-agent",
        "x-outside-url",
        "x-forwarded-host",
    ]);
    let bytes = prop::collection::vec(
        any::<u8>().prop_filter("a header", |byte| *byte >= 32 && *byte != 127),
        0..80,
    );
    let paths = prop::sample::select(vec![
        "/",
        "/alice/dev",
        "/alice/dev/+simple/",
        "/alice/dev/+simple/demo/",
        "/alice/dev/demo",
        "FILE",
        "/+login",
    ]);
    on_one_world(&(name, bytes, paths), async |world, (name, value, path)| {
        let path = if path == "FILE" { &world.file } else { path };
        for method in ["GET", "HEAD", "POST"] {
            let ask = world.ask(method, path).raw_header(name, &value);
            world
                .answer(&format!("{method} {path} with {name}: {value:?}"), ask)
                .await;
        }
    });
}
