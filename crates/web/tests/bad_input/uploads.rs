//! Section F: what an upload says of itself: names, versions, file names,
//! digests, archives. The form that carries it is in [`crate::forms`].
//!
//! F46 to F50, archives that readers disagree about, are tests of the crate
//! that reads them; F85 to F94 are in `documentation.rs`; F70 and F71 are also
//! in `uploads.rs`, where the right answers are.

use http::StatusCode;
use larder_testkit::{Dist, DistBuilder};

use crate::common::{Answer, Form};
use crate::world::World;

pub(crate) fn wheel() -> Dist {
    DistBuilder::wheel("demo", "3.0").build()
}

pub(crate) fn sdist() -> Dist {
    DistBuilder::sdist("demo", "3.0").build()
}

/// Refused in words that upload clients show: reason phrase and body (U-06).
pub(crate) async fn refused(world: &World, id: &str, form: &Form) -> Answer {
    let answer = world.refused(id, world.upload(form), &[400, 413]).await;
    let reason = answer.reason.clone().unwrap_or_default();
    assert!(
        !reason.is_empty() && reason.is_ascii(),
        "U-06, {id}: {answer:?}"
    );
    answer
}

#[tokio::test]
async fn file_names_that_cannot_be_are_refused() {
    let world = World::new().await;
    let (wheel, sdist) = (Form::of(&wheel()), Form::of(&sdist()));
    let long = format!("demo-3.0-{}.tar.gz", "x".repeat(2000));
    for (id, name) in [
        ("F12", "other-3.0.tar.gz"),
        ("F15", "../../../../etc/cron.d/demo-3.0.tar.gz"),
        ("F15, encoded", "..%2f..%2fdemo-3.0.tar.gz"),
        ("F15, backslashes", "..\\..\\demo-3.0.tar.gz"),
        ("F16", "/etc/demo-3.0.tar.gz"),
        ("F16, a drive", "C:\\demo-3.0.tar.gz"),
        ("F16, a folder", "x/demo-3.0.tar.gz"),
        ("F18", "demo-3.0.tar.gz\0.exe"),
        ("F19", "demo-3.0.tar.gz\r\nX-I: 1"),
        ("F19, a tab", "demo\t-3.0.tar.gz"),
        ("F19, an escape", "demo-\u{1b}[31m3.0.tar.gz"),
        ("F20", "demo-<img src=x onerror=alert(1)>-3.0.tar.gz"),
        ("F20, a quote", "demo-3.0'onload='.tar.gz"),
        ("F22", "d\u{e9}mo-3.0.tar.gz"),
        ("F23", "de\u{301}mo-3.0.tar.gz"),
        ("F23, right to left", "demo-3.0\u{202e}zg.rat.tar.gz"),
        ("F24", "demo-3.0.exe"),
        ("F24, an egg", "demo-3.0-py3.11.egg"),
        ("F24, an rpm", "demo-3.0.rpm"),
        ("F24, a page", "demo-3.0.html"),
        ("F26", "demo-3.0.tar.gz.asc"),
        ("F26, metadata", "demo-3.0-py3-none-any.whl.metadata"),
        (
            "F26, a result",
            "demo-3.0.tar.gz.toxresult-20261123100000-0",
        ),
        ("F27", "demo-3.0"),
        ("F28", ".demo-3.0.tar.gz"),
        ("F28, dots", ".."),
        ("F30", "demo-3.0.TAR.GZ"),
        ("F31", ""),
        ("F31, a space", " "),
        ("F31, spaces around", " demo-3.0.tar.gz "),
        ("F31, long", long.as_str()),
        ("F40", "demo-3.0.whl"),
        ("F40, three parts", "demo-3.0-py3.whl"),
        ("F40, seven parts", "demo-3.0-1-2-py3-none-any.whl"),
    ] {
        refused(&world, id, &sdist.clone().named(name)).await;
        refused(&world, id, &wheel.clone().named(name)).await;
    }
}

#[tokio::test]
async fn names_and_versions_that_cannot_be_are_refused() {
    let world = World::new().await;
    let form = Form::of(&sdist());
    for (id, name) in [
        ("F08", ""),
        ("F10", "../../x"),
        ("F10, dots", ".."),
        ("F10, a slash", "de/mo"),
        ("F12", "other"),
        ("F14", "de"),
        ("F14, longer", "demo-3"),
        ("F14, look-alike", "dem\u{43e}"),
        ("F84", "x y"),
        ("F20, of a name", "<script>"),
        ("F18, of a name", "demo\0"),
        ("F22, of a name", "d\u{e9}mo"),
        ("F36, of a name", &"d".repeat(5000)),
        ("F08, UNKNOWN", "UNKNOWN"),
        ("F14, a mark", "-demo"),
    ] {
        refused(&world, id, &form.clone().set("name", name)).await;
    }
    for (id, version) in [
        ("F32", ""),
        ("F34", "1.0<script>"),
        ("F35", "banana"),
        ("F35, dots", "3..0"),
        ("F36", &"1".repeat(5000)),
        ("F36, parts", &"1.".repeat(2000)),
        ("F36, an epoch", &format!("{}!3.0", "9".repeat(100))),
        ("F38", "2.0"),
        ("F38, a path", "../3.0"),
        ("F38, a local one", "3.0+x"),
        ("F38, a NUL", "3.0\0"),
        ("F38, a line", "3.0\r\nX: y"),
        ("F38, wide digits", "\u{ff13}.0"),
    ] {
        refused(&world, id, &form.clone().set("version", version)).await;
    }
    refused(&world, "F08", &form.clone().without("name")).await;
    refused(&world, "F32", &form.clone().without("version")).await;
    for action in ["submit", "doc_upload"] {
        let only = Form {
            file: None,
            ..form.clone()
        }
        .set(":action", action);
        refused(
            &world,
            "F83",
            &only.clone().without("name").set("version", "1"),
        )
        .await;
        refused(&world, "F84", &only.clone().set("name", "x y")).await;
        refused(&world, "F92", &only.clone().set("name", "../../x")).await;
    }
    let submit = Form {
        file: None,
        ..form.clone()
    }
    .set(":action", "submit");
    refused(&world, "F83", &submit.without("version")).await;
}

#[tokio::test]
async fn digests_that_are_wrong_are_refused_and_the_right_ones_taken() {
    let world = World::new().await;
    let form = Form::of(&wheel());
    let good = wheel().sha256;
    for (id, field, wrong) in [
        ("F51", "sha256_digest", "0".repeat(64)),
        ("F51, of another", "sha256_digest", sdist().sha256),
        ("F52", "md5_digest", "0".repeat(32)),
        ("F52, the third", "blake2_256_digest", "0".repeat(64)),
        ("F54", "sha256_digest", "zz".to_owned()),
        ("F54, cut", "sha256_digest", good[..63].to_owned()),
        ("F54, more", "sha256_digest", format!("{good}0")),
        ("F54, a NUL", "sha256_digest", format!("{good}\0")),
        ("F54, another's length", "md5_digest", good.clone()),
        ("F54, not ASCII", "sha256_digest", "\u{ff10}".repeat(64)),
    ] {
        refused(&world, id, &form.clone().set(field, &wrong)).await;
    }
    let mut two = form.clone();
    two.fields.push(("sha256_digest".into(), "0".repeat(64)));
    refused(&world, "F51, two", &two).await;
    let upper = form.set("sha256_digest", &good.to_uppercase());
    let answer = world
        .answer("F51, and then the right one", world.upload(&upper))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "F51: {answer:?}");
}

#[tokio::test]
async fn archives_that_cannot_be_read_are_refused() {
    let world = World::new().await;
    let (wheel, sdist) = (wheel(), sdist());
    let of = |dist: &Dist| Form::of(dist);
    let other = DistBuilder::wheel("demo", "4.0").build();
    let named = "demo-3.0-py3-none-any.whl";
    for (id, form) in [
        ("F42", of(&other).set("version", "3.0").named(named)),
        (
            "F42, another project",
            of(&DistBuilder::wheel("other", "3.0").build())
                .set("name", "demo")
                .named(named),
        ),
        (
            "F42, of an sdist",
            of(&DistBuilder::sdist("demo", "4.0").build())
                .set("version", "3.0")
                .named(&sdist.filename),
        ),
        ("F44", of(&wheel).content("this is no zip")),
        ("F44, an sdist", of(&wheel).content(sdist.bytes.clone())),
        ("F44, cut", of(&wheel).content(wheel.bytes.slice(..100))),
        (
            "F44, its end alone",
            of(&wheel).content(wheel.bytes.slice(wheel.bytes.len() - 22..)),
        ),
        ("F44, no tar", of(&sdist).content("this is no tar")),
        (
            "F44, a wheel as sdist",
            of(&sdist).content(wheel.bytes.clone()),
        ),
        (
            "F44, a cut tar",
            of(&sdist).content(sdist.bytes.slice(..50)),
        ),
        (
            "F47",
            of(&wheel).content([b"#!/bin/sh\n", &wheel.bytes[..]].concat()),
        ),
        (
            "F47, behind",
            of(&wheel).content([&wheel.bytes[..], &[b'x'; 100]].concat()),
        ),
        ("F68", of(&wheel).content("")),
        ("F68, an sdist", of(&sdist).content("")),
    ] {
        refused(&world, id, &form).await;
    }
}

#[tokio::test]
async fn f02_f03_who_may_not_upload_is_told_before_the_body_counts() {
    let world = World::new().await;
    let form = Form::of(&wheel());
    for form in [
        form.clone(),
        form.clone().set(":action", "submit"),
        form.clone().content("no zip"),
    ] {
        let post = |path: &str| world.by_bob("POST", path).with_form(&form);
        world.refused("F02", post("/alice/dev/"), &[403]).await;
        world
            .refused("F03", post("/root/pypi/"), &[403, 404, 405])
            .await;
        world
            .refused("F03, nowhere", post("/alice/nope/"), &[404])
            .await;
        world
            .refused("F03, a project", post("/alice/dev/demo/"), &[405])
            .await;
        world
            .refused("F03, a page", post("/alice/dev/+simple/"), &[405])
            .await;
        let anonymous = world.ask("POST", "/alice/dev/").with_form(&form);
        let answer = world.refused("F02", anonymous, &[401]).await;
        assert_eq!(
            answer.header("www-authenticate"),
            "Basic realm=\"pypi\"",
            "A-01"
        );
    }
}

#[tokio::test]
async fn f75_metadata_has_an_end() {
    let world = World::new().await;
    let form = Form::of(&wheel());
    for field in ["description", "summary", "classifiers", "unheard_of"] {
        let large = form.clone().set(field, &"x".repeat(11 << 20));
        let answer = world.refused("F75", world.upload(&large), &[413]).await;
        assert!(answer.text().contains("10485760"), "F75: {answer:?}");
    }
}
