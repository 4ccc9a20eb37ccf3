//! Section B as far as no socket is needed: headers that lie, and headers
//! without end, on every route. The framing itself is in [`crate::framing`].

use larder_web::ROUTES;

use crate::common::{Answer, SIMPLE_JSON};
use crate::sweep::good_path;
use crate::world::World;

/// A name and the bytes that stand behind it.
type Header = (&'static str, Vec<u8>);

const PAGE: &str = "/alice/dev/+simple/demo/";

fn text(name: &'static str, value: impl AsRef<str>) -> Header {
    (name, value.as_ref().as_bytes().to_vec())
}

/// What may stand in a header that Larder reads.
fn hostile() -> Vec<Header> {
    let mut all = vec![
        text("x-devpi-auth", "!!!notbase64"),
        text("x-devpi-auth", "Og=="),
        text("authorization", "Basic"),
        text("authorization", "Basic Og=="),
        text("authorization", "Bearer x.y.z"),
        text("authorization", "Negotiate AAAA"),
        ("authorization", b"Basic \xff\xfe".to_vec()),
        text("authorization", "a".repeat(60_000)),
        text("accept", "application/x;q=0.1,".repeat(1500)),
        text("accept", "application/vnd.pypi.simple.v9+json"),
        text("accept", "*/*;q=nan, text/html;q=-1, ;;;,,,;q=99999999999"),
        ("accept", b"\xff\xfe/json".to_vec()),
        text("accept-encoding", "gzip;q=x, zstd;q=0, ,,,br;;, *;q=0"),
        text("accept-encoding", "gzip, ".repeat(8000)),
        ("user-agent", b"pip/\xff\x80{".to_vec()),
        text("user-agent", "pip/".repeat(15_000)),
        text("if-none-match", "\"x\", ".repeat(10_000)),
        text("if-none-match", "W/W/\"\"\","),
        text("if-range", "\"unclosed"),
        text("if-range", "yesterday"),
        text("if-modified-since", "Thu, 99 Foo 99999 99:99:99 GMT"),
        text("content-type", "application/json; charset=\"\x7e"),
        text("content-type", ";".repeat(30_000)),
        text("content-length", "99999999999999999999"),
        text("x-forwarded-for", "1.2.3.4, ::::, 999.1.1.1"),
        text(
            "forwarded",
            "for=\"[::1]\";host=evil.example;proto=javascript",
        ),
        text("cookie", "a=".repeat(30_000)),
        text("expect", "the-unexpected"),
        text("te", "trailers, deflate;q=0.5"),
        text("x-http-method-override", "DELETE"),
    ];
    for range in [
        "bytes=5-2",
        "bytes=-99999999999999999999",
        "bytes=99999999-",
        "bytes=99999999999999999999-99999999999999999999",
        "bytes=--1",
        "bytes=",
        "bytes=a-b",
        "octets=0-1",
        "bytes = 0-1",
    ] {
        all.push(text("range", range));
    }
    all.push(text("range", format!("bytes={}", "0-0,".repeat(1000))));
    all
}

#[tokio::test]
async fn no_header_breaks_a_route_or_changes_anything() {
    let world = World::new().await;
    let before = world.state().await;
    let headers = hostile();
    for route in ROUTES {
        let path = good_path(route.pattern, &world.file);
        for method in route.methods {
            for (name, value) in &headers {
                let shown: String = String::from_utf8_lossy(value).chars().take(40).collect();
                let what = format!("{method} {path} with {name}: {shown}");
                let ask = world.ask(method, &path).raw_header(*name, value);
                let answer = world.answer(&what, ask).await;
                let is_read = matches!(*method, "GET" | "HEAD");
                // A refresh changes nothing but the age of a page (see G25).
                let is_free = is_read || path.ends_with("/refresh");
                assert!(
                    is_free || answer.status.is_client_error(),
                    "{what}: {answer:?}"
                );
            }
        }
    }
    assert_eq!(world.state().await, before, "something changed");
}

async fn page(world: &World, name: &'static str, value: &str) -> Answer {
    let ask = world.larder.get(PAGE).header(name, value);
    world.answer(name, ask).await
}

#[tokio::test]
async fn b14_b17_headers_from_strangers_shape_no_link() {
    let world = World::new().await;
    for (id, name, value) in [
        ("B15", "x-forwarded-host", "evil.example"),
        ("B15", "forwarded", "host=evil.example;proto=https"),
        ("B15", "x-forwarded-prefix", "/evil"),
        ("B15", "x-original-url", "/evil"),
        ("B17", "x-forwarded-proto", "javascript"),
        ("B17", "x-outside-url", "https://evil.example/"),
        ("B17", "x-outside-url", "javascript:alert(1)//"),
    ] {
        let ask = world.larder.get("/alice/dev/+api").header(name, value);
        let answer = world.answer(id, ask.accept("application/json")).await;
        let login = answer.json()["result"]["login"].clone();
        let ours = "http://larder.example:3141/+login";
        assert_eq!(login, ours, "{id} {name}: {value}");
        assert!(!page(&world, name, value).await.text().contains("evil"));
    }
    // B14: a page links by relative paths, whatever the host.
    let request = http::Request::get(PAGE).header("host", "evil.example");
    let answer = world.larder.send(request).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.text().contains("evil.example"), "B14: {answer:?}");
    for host in [
        "evil.example/x",
        "a@evil.example",
        "evil\u{7f}",
        "",
        "[",
        "x:y",
    ] {
        let Ok(value) = http::HeaderValue::from_str(host) else {
            continue;
        };
        for path in ["/alice/dev/+api", "/alice/dev/+simple"] {
            let answer = world
                .larder
                .send(http::Request::get(path).header("host", &value))
                .await;
            assert!(!answer.status.is_server_error(), "B14 {host}: {answer:?}");
            assert!(!answer.text().contains("//evil"), "B14 {host}: {answer:?}");
            assert!(!answer.header("location").contains("//evil"), "B14 {host}");
        }
    }
}

#[tokio::test]
async fn b13_one_host_and_one_coding_are_all_there_may_be() {
    let world = World::new().await;
    let two = world.larder.get(PAGE).header("host", "other.example");
    world.refused("B13", two, &[400]).await;
    let none = world.larder.send(http::Request::get(PAGE)).await;
    assert_eq!(none.status, 400, "B13, none");
    for coding in ["gzip", "identity, chunked", "gzip, chunked", "xchunked"] {
        let ask = world.larder.get(PAGE).header("transfer-encoding", coding);
        world.refused("B03, codings", ask, &[400]).await;
    }
}

#[tokio::test]
async fn b18_b23_ranges_tags_and_preferences_are_read_with_limits() {
    let world = World::new().await;
    let whole = world.larder.get(&world.file).send().await;
    for (id, range, expected) in [
        ("B18", format!("bytes={}0-0", "0-0,1-1,".repeat(500)), 200),
        ("B19", "bytes=5-2".to_owned(), 200),
        ("B19", "bytes=-99999999999999999999".to_owned(), 206),
        ("B19", "bytes=99999999-".to_owned(), 416),
    ] {
        let ask = world.larder.get(&world.file).header("range", &range);
        let answer = world.answer(id, ask).await;
        assert_eq!(answer.status.as_u16(), expected, "{id} {range}");
        if expected != 416 {
            assert_eq!(answer.body, whole.body, "{id}: the whole, once");
        }
    }
    let tags: Vec<String> = (0..10_000).map(|i| format!("\"{i}\"")).collect();
    let ask = world
        .larder
        .get(&world.file)
        .header("if-none-match", &tags.join(", "));
    assert_eq!(world.answer("B21", ask).await.status, 200, "B21");
    let ask = world
        .larder
        .get(PAGE)
        .accept(&"application/x;q=0.1,".repeat(1500));
    assert_eq!(world.answer("B22", ask).await.status, 200, "B22");
    for accept in [
        "application/vnd.pypi.simple.v9+json",
        SIMPLE_JSON,
        "text/html",
    ] {
        let answer = world
            .answer("B23", world.larder.get(PAGE).accept(accept))
            .await;
        assert!(matches!(answer.status.as_u16(), 200 | 406), "B23");
        assert!(answer.header("vary").contains("Accept"), "B23 {accept}");
    }
}

#[tokio::test]
async fn b34_packed_bodies_are_not_unpacked() {
    let world = World::new().await;
    let (login, user) = (("POST", "/+login"), ("PATCH", "/alice"));
    let writes = [
        login,
        user,
        ("PUT", "/alice/new"),
        ("POST", "/alice/dev/"),
        ("POST", &world.file),
    ];
    for (method, path) in writes {
        for coding in [
            "gzip",
            "deflate",
            "br",
            "zstd",
            "gzip, gzip",
            "x-unheard-of",
        ] {
            let ask = world.by_alice(method, path).with_json(&b"\x1f\x8b\x08"[..]);
            let ask = ask.header("content-encoding", coding);
            world
                .refused(&format!("B34 {method} {path}"), ask, &[415])
                .await;
        }
    }
    let plain = world
        .ask("POST", "/+login")
        .with_json(r#"{"user":"bob","password":"bob"}"#);
    let answer = world
        .answer("B34", plain.header("content-encoding", "identity"))
        .await;
    assert_eq!(answer.status, 200, "B34, not packed");
}
