//! Section F: what is unusual and taken all the same, and how it is shown.

use http::StatusCode;
use larder_testkit::{Dist, DistBuilder};

use crate::common::{Form, resolve};
use crate::uploads::refused;
use crate::world::World;

#[tokio::test]
async fn f43_f82_what_is_unusual_and_right_is_taken_as_one_thing() {
    let world = World::new().await;
    let wheel = DistBuilder::wheel("Demo.Pkg", "1.0")
        .requires("more>=2")
        .build();
    let sdist = DistBuilder::sdist("demo_pkg", "1.0.0").build();
    let extra = Form::of(&wheel)
        .set("name", "Demo.Pkg")
        .set("yanked", "yes")
        .set("unheard_of", "x");
    for (id, form) in [("F43 F80 F82", extra), ("F39", Form::of(&sdist))] {
        let answer = world.answer(id, world.upload(&form)).await;
        assert_eq!(answer.status, StatusCode::OK, "{id}: {answer:?}");
    }
    let page = world.larder.page("alice/dev", "demo-pkg").await.json();
    assert_eq!(
        page["versions"],
        serde_json::json!(["1.0"]),
        "F39: one version"
    );
    assert_eq!(
        page["files"].as_array().map(Vec::len),
        Some(2),
        "F82: one project"
    );
    assert_eq!(
        page["files"][0].get("yanked"),
        None,
        "F80: not by an upload"
    );
    let files = page["files"].as_array().expect("files");
    let link = files.iter().find_map(|file| {
        let url = file["url"].as_str().filter(|url| url.contains(".whl"))?;
        Some(resolve("/alice/dev/+simple/demo-pkg/", url))
    });
    let sidecar = format!("{}.metadata", link.expect("the wheel"));
    let metadata = world.answer("F43", world.larder.get(&sidecar)).await;
    assert_eq!(
        metadata.body,
        &wheel.metadata[..],
        "F43: the file's, byte for byte"
    );
    let protocol = Form::of(&sdist).set("protocol_version", "2");
    refused(&world, "F80", &protocol).await;
}

#[tokio::test]
async fn f70_f72_a_name_that_is_taken_stays_or_switches_whole() {
    let world = World::new().await;
    let (old, new) = (
        DistBuilder::sdist("demo", "1.0").build(),
        DistBuilder::sdist("demo", "1.0").summary("another").build(),
    );
    let to_prod = |dist: &Dist| {
        world
            .by_alice("POST", "/alice/prod/")
            .with_form(&Form::of(dist))
    };
    let before = world.state().await;
    let again = world.answer("F70", to_prod(&old)).await;
    assert_eq!(
        (again.status, world.state().await),
        (StatusCode::OK, before),
        "F70"
    );
    world.refused("F71", to_prod(&new), &[409]).await;
    let switched = world.answer("F72", world.upload(&Form::of(&new))).await;
    assert_eq!(switched.status, StatusCode::OK, "F72: {switched:?}");
    let page = world.larder.page("alice/dev", "demo").await.text();
    assert!(
        page.contains(&new.sha256) && !page.contains(&old.sha256),
        "F72: {page}"
    );
    assert_eq!(
        world.larder.get(&world.file).send().await.status,
        StatusCode::GONE,
        "F72"
    );
}

#[tokio::test]
async fn f74_f79_what_metadata_says_is_shown_as_text() {
    let world = World::new().await;
    let script = "<script>alert(1)</script>";
    let wheel = DistBuilder::wheel("markup", "1.0")
        .requires_python(&format!(">=3{script}"))
        .field("Home-page", "javascript:alert(1)")
        .field("Project-URL", "x, javascript:alert(2)")
        .summary(script)
        .description(
            "text/markdown",
            "<svg onload=alert(3)> [x](javascript:alert(4))",
        )
        .build();
    let form = Form::of(&wheel)
        .set("description", script)
        .set("home_page", "javascript:alert(1)")
        .set("project_urls", "x, javascript:alert(2)");
    let answer = world.answer("F76 F78", world.upload(&form)).await;
    assert_eq!(answer.status, StatusCode::OK, "F76 F78: {answer:?}");
    for path in [
        "/alice/dev/+simple/markup/",
        "/alice/dev/markup",
        "/alice/dev/markup/1.0",
        "/alice/dev",
    ] {
        let ask = world.larder.get(path).accept("text/html,*/*");
        let page = world.answer("F74 F79", ask).await;
        let text = page.text();
        match page.header("content-type") {
            "application/json" => {
                assert_eq!(
                    page.header("x-content-type-options"),
                    "nosniff",
                    "F79 {path}"
                );
            }
            kind => {
                assert!(kind.starts_with("text/html"), "F74 {path}: {kind}");
                assert!(
                    !text.contains("<script") && !text.contains("<svg"),
                    "F74: {text}"
                );
                assert!(!text.contains("javascript:"), "F79: {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_nul_in_metadata_is_no_failure_of_the_database() {
    let world = World::new().await;
    for build in [DistBuilder::wheel, DistBuilder::sdist] {
        for (field, value) in [
            ("Requires-Python", ">=3\0"),
            ("Summary", "a\0b"),
            ("Keywords", "\0"),
            ("Requires-Python", "\u{1}\u{1b}"),
        ] {
            let dist = build("nul", "1.0").field(field, value).build();
            let answer = world.answer(field, world.upload(&Form::of(&dist))).await;
            assert!(
                matches!(answer.status.as_u16(), 200 | 400),
                "F76: {answer:?}"
            );
            let page = world
                .larder
                .get("/alice/dev/+simple/nul/")
                .accept("text/html");
            world.answer(field, page).await;
        }
    }
}

#[tokio::test]
async fn f95_a_downloaded_file_never_runs_as_this_site() {
    let world = World::new().await;
    for ask in [
        world.larder.get(&world.file),
        world.larder.get(&world.file).accept("text/html"),
        world.larder.get(&world.file).header("range", "bytes=0-5"),
        world.ask("HEAD", &world.file),
    ] {
        let answer = world.answer("F95", ask).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "F95");
        assert_eq!(answer.header("content-type"), "application/x-tar", "F95");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("sandbox"), "F95: {policy}");
    }
}
