//! The neighbours of section A: every part of every route filled with what it
//! was not made for, by every method.

use larder_web::ROUTES;

use crate::world::World;

/// Parts of a path that name nothing. An empty one would shorten the path.
const SEGMENTS: [&str; 36] = [
    "..",
    ".",
    "%2e%2e",
    "...",
    "..%2f..%2fx",
    "%2fetc%2fpasswd",
    "..%5c..%5cx",
    "%5c%5cevil.example",
    "%00",
    "x%00.html",
    "%0d%0aX-Inj:%201",
    "%1b%5b31m",
    "%7f",
    "%c2%85",
    "%ff%fe",
    "%c0%ae%c0%ae",
    "%ed%a0%80",
    "%f4%90%80%80",
    "%zz",
    "%",
    "%2",
    "%25%32%65",
    "%E2%80%AEomed",
    "dem%D0%BE",
    "%F0%9F%92%A9",
    "de%CC%81mo",
    "%20demo",
    "demo%20",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "%27%20or%20%271%27=%271",
    "%24%7Bjndi:ldap%7D",
    "%7Bname.__class__%7D",
    ";x=y",
    "*",
    "+x",
    "%2bx",
];

const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PUSH",
];

/// The route with good values everywhere.
pub(crate) fn good_path(pattern: &str, file: &str) -> String {
    let file = file.split_once("/+f/").map_or("", |(_, path)| path);
    let path = if pattern.contains("/+f/") {
        file
    } else {
        "index.html"
    };
    pattern
        .replace("{serial}", "9-")
        .replace("{user}", "alice")
        .replace("{index}", "dev")
        .replace("{project}", "demo")
        .replace("{version}", "1.0")
        .replace("{filename}", "demo-1.0.tar.gz")
        .replace("{path}", path)
}

/// The route with good values, but for one place.
fn fill(pattern: &str, file: &str, place: usize, value: &str) -> Option<String> {
    let mut places = pattern.split('/').filter(|part| part.starts_with('{'));
    let bent = pattern.replacen(places.nth(place)?, value, 1);
    Some(good_path(&bent, file))
}

/// Every route with one bad part, in all places.
fn paths(file: &str) -> Vec<String> {
    let long = "a".repeat(2000);
    let mut paths = Vec::new();
    for route in ROUTES {
        for value in SEGMENTS.into_iter().chain([long.as_str()]) {
            paths.extend((0..8).map_while(|place| fill(route.pattern, file, place, value)));
            if route.pattern.ends_with("{path}") {
                for path in [
                    format!("aaa/{value}/x-1.0.tar.gz"),
                    format!("{value}/x/{value}"),
                ] {
                    paths.push(good_path(&route.pattern.replace("{path}", &path), file));
                }
            }
        }
    }
    paths
}

#[tokio::test]
async fn no_part_of_a_route_takes_what_is_no_name() {
    let world = World::new().await;
    let before = world.state().await;
    let paths = paths(&world.file);
    assert!(paths.len() > 1500, "{}", paths.len());
    for path in &paths {
        for method in METHODS {
            let what = format!("{method} {path}");
            let ask = world.by_alice(method, path).with_json("{}");
            let answer = world.answer(&what, ask).await;
            assert!(answer.headers.get("x-inj").is_none(), "{what}");
            // `+api` tells everybody the same, `+d` leads where it was asked to.
            let is_harmless = path.ends_with("/+api") || path.contains("/+d/");
            let is_read = matches!(method, "GET" | "HEAD");
            let is_refused = answer.status.is_client_error();
            assert!(is_refused || (is_harmless && is_read), "{what}: {answer:?}");
        }
    }
    assert_eq!(world.state().await, before, "something changed");
    assert_eq!(world.upstream.all_hits(), 0, "no upstream was asked");
}

#[tokio::test]
async fn b25_b27_every_route_says_which_methods_it_answers() {
    let world = World::new().await;
    for route in ROUTES {
        let path = good_path(route.pattern, &world.file);
        let methods = [
            "TRACE", "PROPFIND", "PUSH", "OPTIONS", "CONNECT", "get", "GETS", "A.B",
        ];
        for method in methods {
            // A proxy passes on any method with its question.
            if route.methods.contains(&method) || route.pattern == "/+authcheck" {
                continue;
            }
            let what = format!("B25 B26 B27: {method} {path}");
            let ask = world.ask(method, &path);
            let answer = world.refused(&what, ask, &[405]).await;
            assert_eq!(answer.header("allow"), route.methods.join(", "), "{what}");
        }
    }
}
