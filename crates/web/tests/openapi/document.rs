//! The file: the same routes as the router, whole, and sent with the server's address.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use larder_web::{ROUTES, WebSettings};
use serde_json::{Value, json};

use crate::common::{Setup, TestLarder};
use crate::{JSON, file, resolved};

const METHODS: [&str; 7] = ["get", "head", "put", "patch", "delete", "post", "options"];

fn paths(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    document["paths"].as_object().expect("paths").iter()
}

/// Pattern and method of everything that is described.
pub(crate) fn described(document: &Value) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for (pattern, item) in paths(document) {
        let item = item.as_object().expect("an object");
        let usual = item.keys().filter(|key| METHODS.contains(&key.as_str()));
        let others = item.get("x-methods").and_then(Value::as_object);
        let others = others.into_iter().flat_map(|others| others.keys());
        all.extend(
            usual
                .map(|method| method.to_uppercase())
                .chain(others.cloned())
                .map(|method| (pattern.clone(), method)),
        );
    }
    all
}

#[test]
fn what_is_described_is_what_is_routed() {
    let routed: BTreeSet<(String, String)> = ROUTES
        .iter()
        .flat_map(|route| {
            let methods = route.methods.iter();
            methods.map(|method| (route.pattern.to_owned(), (*method).to_owned()))
        })
        .collect();
    assert_eq!(described(&file()), routed);
}

fn placeholders(pattern: &str) -> BTreeSet<&str> {
    let parts = pattern.split('{').skip(1);
    parts.filter_map(|part| part.split('}').next()).collect()
}

#[test]
fn every_part_of_a_path_is_a_declared_parameter() {
    let document = file();
    for (pattern, item) in paths(&document) {
        let declared = item.get("parameters").and_then(Value::as_array);
        let declared: BTreeSet<&str> = declared
            .into_iter()
            .flatten()
            .map(|parameter| resolved(&document, parameter))
            .filter(|parameter| parameter["in"] == "path" && parameter["required"] == true)
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(declared, placeholders(pattern), "{pattern}");
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            found.extend(
                object
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_nothing_lies_about_unused() {
    let document = file();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    let mut there = BTreeSet::new();
    for kind in ["parameters", "headers", "responses", "schemas"] {
        let of_kind = document["components"][kind].as_object().expect("an object");
        there.extend(
            of_kind
                .keys()
                .map(|name| format!("#/components/{kind}/{name}")),
        );
    }
    assert_eq!(used, there);
}

#[test]
fn names_of_operations_are_unique() {
    let document = file();
    let mut seen = BTreeSet::new();
    for (pattern, item) in paths(&document) {
        for method in METHODS {
            if let Some(id) = item.pointer(&format!("/{method}/operationId")) {
                assert!(seen.insert(id.to_string()), "{pattern}: {id} twice");
            }
        }
    }
}

#[tokio::test]
async fn the_document_names_the_server_as_the_client_sees_it() {
    let larder = TestLarder::start().await;
    let answer = larder.get("/+openapi.json").send().await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let document = answer.json();
    assert_eq!(
        document["servers"],
        json!([{"url": "http://larder.example:3141"}])
    );
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(answer.header("content-type"), JSON);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cache-control"), "max-age=300, public");
    let etag = answer.header("etag").to_owned();

    let again = larder.get("/+openapi.json").header("if-none-match", &etag);
    let again = again.send().await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert!(again.body.is_empty());

    let head = larder.ask(Method::HEAD, "/+openapi.json").send().await;
    assert_eq!(head.header("content-length"), answer.body.len().to_string());
    assert!(head.body.is_empty());

    let outside = "https://example.com/devpi".parse().expect("a URL");
    let web = WebSettings {
        outside_url: Some(outside),
        ..WebSettings::default()
    };
    let other = TestLarder::start_with(Setup {
        web,
        ..Setup::default()
    });
    let other = other.await;
    let answer = other.get("/devpi/+openapi.json").send().await;
    assert_eq!(
        answer.json()["servers"],
        json!([{"url": "https://example.com/devpi"}])
    );
    assert_ne!(answer.header("etag"), etag);
}
