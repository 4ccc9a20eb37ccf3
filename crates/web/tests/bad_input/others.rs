//! Section G as far as no other file has it: removals, refreshes, addresses
//! that devpi has and Larder has not, headers of pages.
//!
//! G15 to G19 are in `toxresults.rs`.

use larder_testkit::DistBuilder;
use larder_web::ROUTES;

use crate::sweep::good_path;
use crate::world::World;

#[tokio::test]
async fn removals_that_may_not_be_are_refused() {
    let world = World::new().await;
    for (id, path, allowed) in [
        ("G20", "/alice/prod/demo/1.0", &[403][..]),
        ("G20, all", "/alice/prod/demo", &[403]),
        ("G20, spelled otherwise", "/alice/prod/Demo/1.0.0", &[403]),
        ("G23", "/alice/dev/+f/../../../x", &[400, 404]),
        ("G23, encoded", "/alice/dev/+f/%2e%2e/%2e%2e/x", &[400, 404]),
        (
            "G23, nothing there",
            "/alice/dev/+f/aaa/bbbbbbbbbbbbb/x-1.0.zip",
            &[404],
        ),
        ("G24", "/alice/dev/demo/no-such", &[404]),
        ("G24, a version", "/alice/dev/demo/9.9", &[404]),
        ("G24, a project", "/alice/dev/nope", &[404]),
        ("G24, an index", "/alice/nope/demo", &[404]),
        ("G24, through a base", "/alice/dev/public", &[404]),
    ] {
        let ask = world.by_alice("DELETE", path).accept("application/json");
        world.refused(id, ask, allowed).await;
    }
    let file = world.file.clone();
    for (id, path) in [
        ("G21", "/alice/dev/demo"),
        ("G21, a release", "/alice/dev/demo/1.0"),
        ("G21, forced", "/alice/dev/demo/1.0?force"),
        ("G21, a file", file.as_str()),
        ("G21, of a mirror", "/root/pypi/public"),
    ] {
        world
            .refused(id, world.by_bob("DELETE", path), &[403])
            .await;
        world
            .refused(id, world.ask("DELETE", path), &[401, 403])
            .await;
    }
}

#[tokio::test]
async fn g25_refreshes_by_hand_reach_the_upstream_once_in_a_while() {
    // devpi's clients refresh without logging in, so anybody may: at the rate
    // that the upstream can bear.
    let world = World::new().await;
    for _ in 0..100 {
        let ask = world.ask("POST", "/root/pypi/+simple/public/refresh");
        assert_eq!(world.answer("G25", ask).await.status, 302, "G25");
    }
    assert!(
        world.upstream.all_hits() <= 2,
        "G25: {}",
        world.upstream.all_hits()
    );
    world.upstream.forget_hits();
    for name in ["%2e%2e", "dem%D0%BE", "a%20b", "%00", "-x"] {
        let path = format!("/root/pypi/+simple/{name}/refresh");
        world
            .refused("G25", world.ask("POST", &path), &[400, 404])
            .await;
    }
}

#[tokio::test]
async fn g27_g33_addresses_that_are_not_here_answer_404() {
    let world = World::new().await;
    let stars = "*".repeat(1000);
    for (id, path) in [
        ("G27", "/+changelog/99999999999999999999-".to_owned()),
        ("G27, none", "/+changelog/-1".to_owned()),
        (
            "G28",
            "/+search?query=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        ),
        ("G29", format!("/+search?query={stars}")),
        ("G31", "/+search?query=a&page=999999999999".to_owned()),
        ("G32", "/+search?query=a&page=x".to_owned()),
        ("G33", "/+search?query=%22unbalanced+AND+(((".to_owned()),
        ("P12", "/+files".to_owned()),
        ("P12", "/+export".to_owned()),
        ("P12", "/metrics".to_owned()),
        ("P12", "/debug/pprof".to_owned()),
    ] {
        for accept in ["text/html", "application/json", "*/*"] {
            world
                .refused(id, world.larder.get(&path).accept(accept), &[403, 404])
                .await;
        }
    }
}

#[tokio::test]
async fn g35_the_status_says_little_to_strangers() {
    let world = World::new().await;
    let answer = world.answer("G35", world.larder.get("/+status")).await;
    assert_eq!(answer.status, 200);
    for word in [
        "sqlite",
        "/tmp",
        "postgres",
        "example",
        "localhost",
        "127.0.0.1",
    ] {
        assert!(
            !answer.text().contains(word),
            "G35: {word} in {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn g36_what_depends_on_a_header_says_so() {
    let world = World::new().await;
    for path in [
        "/alice/dev",
        "/alice/dev/demo",
        "/alice/dev/+simple/",
        "/alice/dev/+simple/demo/",
    ] {
        for accept in [
            "text/html",
            "application/json",
            "application/vnd.pypi.simple.v1+json",
        ] {
            let ask = world.larder.get(path).accept(accept);
            let answer = world.answer("G36", ask).await;
            assert!(
                answer.header("vary").contains("Accept"),
                "G36 {path} {accept}: {answer:?}"
            );
        }
    }
    for path in ["/alice/dev", "/alice/dev/demo"] {
        let ask = world.larder.get(path).header("user-agent", "pip/26.0");
        let answer = world.answer("G36", ask).await;
        assert!(
            answer.header("vary").contains("User-Agent"),
            "G36 {path}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn g37_no_page_runs_anything_or_stands_in_a_frame() {
    let world = World::new().await;
    let mut pages = 0;
    let paths = ROUTES
        .iter()
        .map(|route| good_path(route.pattern, &world.file));
    for path in paths.chain(["/%3Cscript%3E/a/b/c".to_owned(), "/%zz".to_owned()]) {
        for method in ["GET", "POST", "TRACE"] {
            let ask = world.ask(method, &path).accept("text/html,*/*");
            let answer = world.answer("G37", ask).await;
            assert_eq!(
                answer.header("x-content-type-options"),
                "nosniff",
                "G37 {path}"
            );
            if answer.header("content-type").starts_with("text/html") && !answer.body.is_empty() {
                pages += 1;
                let policy = answer.header("content-security-policy");
                assert!(
                    policy.contains("default-src 'none'"),
                    "G37 {path}: {policy}"
                );
                assert!(
                    policy.contains("frame-ancestors 'none'"),
                    "G37 {path}: {policy}"
                );
                assert_eq!(
                    answer.header("referrer-policy"),
                    "no-referrer",
                    "G37 {path}"
                );
            }
        }
    }
    assert!(pages > 5, "G37: {pages}");
}

#[tokio::test]
async fn h22_markup_in_names_from_an_upstream_is_text() {
    let world = World::new().await;
    let wheel = DistBuilder::wheel("markup", "1.0")
        .requires_python(">=3<script>alert(1)</script>")
        .build();
    world.upstream.add(&wheel);
    let ask = world
        .larder
        .get("/root/pypi/+simple/markup/")
        .accept("text/html");
    let page = world.answer("H22", ask).await;
    assert!(!page.text().contains("<script"), "H22: {}", page.text());
}
