//! Section F: the form of an upload, cut, doubled, and without end.

use bytes::Bytes;
use http::StatusCode;

use crate::common::{Answer, Form};
use crate::uploads::{refused, wheel};
use crate::world::World;

const BOUNDARY: &str = "frontier";

/// A form out of parts, each with its head lines and its content.
fn parts(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Sent by alice, who may.
async fn post(world: &World, id: &str, kind: &str, body: impl Into<Bytes>) -> Answer {
    let ask = world.by_alice("POST", "/alice/dev/");
    let ask = ask.header("content-type", kind).body(body);
    world.refused(id, ask, &[400, 413, 415]).await
}

async fn post_parts(world: &World, id: &str, list: &[(&str, &[u8])]) -> Answer {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    post(world, id, &kind, parts(list)).await
}

const ACTION: (&str, &[u8]) = (
    "Content-Disposition: form-data; name=\":action\"",
    b"file_upload",
);
const NAME: (&str, &[u8]) = ("Content-Disposition: form-data; name=\"name\"", b"demo");
const VERSION: (&str, &[u8]) = ("Content-Disposition: form-data; name=\"version\"", b"3.0");
const FILE: &str =
    "Content-Disposition: form-data; name=\"content\"; filename=\"demo-3.0-py3-none-any.whl\"";

#[tokio::test]
async fn fields_that_are_missing_doubled_or_of_the_wrong_kind() {
    let world = World::new().await;
    let form = Form::of(&wheel());
    let no_file = Form {
        file: None,
        ..form.clone()
    };
    let twice = |name: &str, value: &str| {
        let mut form = form.clone();
        form.fields.push((name.to_owned(), value.to_owned()));
        form
    };
    for (id, form) in [
        ("F04", form.clone().without(":action")),
        ("F04, empty", form.clone().set(":action", "")),
        ("F04, another", form.clone().set(":action", "verify")),
        ("F04, markup", form.clone().set(":action", "<script>\0")),
        ("F06", no_file.clone()),
        ("F07", no_file.clone().set("content", "x")),
        ("F55, a field and a file", form.clone().set("content", "x")),
        ("F56", twice("name", "other")),
        ("F56, a version", twice("version", "2.0")),
        ("F56, an action", twice(":action", "doc_upload")),
        ("F80", form.clone().set("protocol_version", "2")),
        ("F62", form.clone().set(&"n".repeat(1 << 20), "x")),
        ("F18, of a field", form.clone().set("summary", "a\0b")),
        ("F18, of a field's name", form.clone().set("a\0b", "x")),
    ] {
        refused(&world, id, &form).await;
    }
    let file = (FILE, &wheel().bytes[..]);
    let as_file = "Content-Disposition: form-data; name=\"name\"; filename=\"demo\"";
    post_parts(&world, "F11", &[ACTION, (as_file, b"demo"), VERSION, file]).await;
    post_parts(&world, "F55", &[ACTION, NAME, VERSION, file, file]).await;
    let prefix = (
        "Content-Disposition: form-data; name=\"name2\"",
        &b"demo"[..],
    );
    post_parts(&world, "F56, a prefix", &[ACTION, prefix, VERSION, file]).await;
}

#[tokio::test]
async fn f64_a_file_has_its_name_in_one_place() {
    let world = World::new().await;
    let bytes = &wheel().bytes[..];
    for head in [
        "Content-Disposition: form-data; name=\"content\"; filename*=UTF-8''..%2f..%2fx",
        "Content-Disposition: form-data; name=\"content\"; filename*=UTF-8''demo-3.0-py3-none-any.whl",
        "Content-Disposition: form-data; name=\"content\"; filename*0=\"demo\"",
        "Content-Disposition: form-data; name=\"content\"; filename=\"../x.whl\"; filename*=UTF-8''y",
        "Content-Disposition: form-data; filename=\"demo-3.0-py3-none-any.whl\"",
        "Content-Disposition: attachment",
        "X: y",
        "Content-Disposition",
    ] {
        post_parts(&world, "F64", &[ACTION, NAME, VERSION, (head, bytes)]).await;
    }
}

#[tokio::test]
async fn f58_f66_forms_that_are_cut_or_none() {
    let world = World::new().await;
    let (kind, body) = Form::of(&wheel()).encode();
    let long = format!("multipart/form-data; boundary={}", "b".repeat(10 << 10));
    let end = body.len();
    for (id, kind, body) in [
        ("F58", kind.as_str(), body.slice(..end - 40)),
        ("F58, the last line", kind.as_str(), body.slice(..end - 4)),
        ("F58, the first line", kind.as_str(), body.slice(..5)),
        ("F58, nothing", kind.as_str(), Bytes::new()),
        (
            "F58, another boundary",
            "multipart/form-data; boundary=other",
            body.clone(),
        ),
        ("F59", "multipart/form-data", body.clone()),
        ("F59, empty", "multipart/form-data; boundary=", body.clone()),
        (
            "F59, quoted",
            "multipart/form-data; boundary=\"\"",
            body.clone(),
        ),
        ("F60", long.as_str(), body.clone()),
        ("F66, JSON", "application/json", body.clone()),
        (
            "F66, mixed",
            "multipart/mixed; boundary=frontier-0123456789",
            body.clone(),
        ),
        ("F66, no type", "", body.clone()),
        (
            "F66, as if",
            "application/x-www-form-urlencoded",
            body.clone(),
        ),
        (
            "F66",
            "application/x-www-form-urlencoded",
            ":action=file_upload&name=demo&version=3.0&content=x".into(),
        ),
        (
            "F66, broken",
            "application/x-www-form-urlencoded",
            ":action=submit&name=%ff%00&version=%zz".into(),
        ),
    ] {
        post(&world, id, kind, body).await;
    }
    let every = (0..end).step_by(97);
    for cut in every {
        let ask = world
            .by_alice("POST", "/alice/dev/")
            .header("content-type", &kind);
        let answer = world.answer("F58", ask.body(body.slice(..cut))).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "F58 at {cut}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn f63_heads_of_parts_and_what_stands_before_them_have_an_end() {
    let world = World::new().await;
    let long = "x".repeat(1 << 20);
    let many = "X: y\r\n".repeat(1000);
    for (id, head) in [
        ("F63", format!("{FILE}\r\nX: {long}")),
        (
            "F63, a name",
            format!("Content-Disposition: form-data; name=\"{long}\""),
        ),
        (
            "F63, a file's",
            format!("Content-Disposition: form-data; name=\"content\"; filename=\"{long}\""),
        ),
        ("F63, many", format!("{many}{FILE}")),
    ] {
        post_parts(&world, id, &[ACTION, (&head, b"x"), NAME, VERSION]).await;
    }
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    post(&world, "F63, a preamble", &kind, "x".repeat(4 << 20)).await;
    let padded = format!("--{BOUNDARY}{}\r\n", " ".repeat(4 << 20));
    post(&world, "F63, padding", &kind, padded).await;
}

#[tokio::test]
async fn forms_have_few_fields() {
    let world = World::new().await;
    let mut many = Form::of(&wheel());
    let field = || ("classifiers".to_owned(), "x".to_owned());
    many.fields.extend((0..50_000).map(|_| field()));
    refused(&world, "F62, fifty thousand", &many).await;
    let empty = (
        "Content-Disposition: form-data; name=\"x\"; filename=\"x\"",
        &b""[..],
    );
    let answer = post_parts(&world, "F62, files", &vec![empty; 5000]).await;
    assert!(answer.text().contains("too many fields"), "{answer:?}");
    let urlencoded = "a=b&".repeat(50_000);
    post(
        &world,
        "F66, fifty thousand",
        "application/x-www-form-urlencoded",
        urlencoded,
    )
    .await;
    let urlencoded = format!(":action=submit&name=demo&version={}", "1".repeat(11 << 20));
    post(
        &world,
        "F66, long",
        "application/x-www-form-urlencoded",
        urlencoded,
    )
    .await;
}

/// Fields of core metadata, and values that fit none of them.
#[tokio::test]
async fn no_field_breaks_an_upload() {
    let world = World::new().await;
    let fields = [
        "metadata_version",
        "name",
        "version",
        "summary",
        "description",
        "description_content_type",
        "keywords",
        "home_page",
        "author",
        "author_email",
        "license",
        "classifiers",
        "platform",
        "requires_python",
        "requires_dist",
        "provides_extra",
        "project_urls",
        "dynamic",
        "license_file",
        "comment",
        "pyversion",
        "filetype",
        "md5_digest",
        "attestations",
        "gpg_signature",
        "blake2_256_digest",
    ];
    let values = [
        "",
        " ",
        "\u{202e}",
        "\u{fffd}",
        "\u{1}\u{7f}",
        "<script>",
        "%00%0d%0a",
        "a\nb",
        "{\"a\": [1]}",
        "-1",
        "../../x",
        "'; drop table files; --",
    ];
    for field in fields {
        for value in values {
            let what = format!("F80: {field}={value:?}");
            // Without a file, so that what is taken is cheap to take.
            let form = Form {
                file: None,
                ..Form::of(&wheel())
            };
            let form = form.set(":action", "submit").set(field, value);
            let answer = world.answer(&what, world.upload(&form)).await;
            assert!(
                matches!(answer.status.as_u16(), 200 | 400),
                "{what}: {answer:?}"
            );
        }
        let mut latin = Vec::from(&b"--frontier\r\nContent-Disposition: form-data; name=\":action\"\r\n\r\nsubmit\r\n--frontier\r\nContent-Disposition: form-data; name=\""[..]);
        latin.extend_from_slice(field.as_bytes());
        latin.extend_from_slice(b"\"\r\n\r\n\xff\xfe\xe9\r\n--frontier--\r\n");
        let ask = world.by_alice("POST", "/alice/dev/");
        let ask = ask
            .header("content-type", "multipart/form-data; boundary=frontier")
            .body(latin);
        let answer = world.answer(field, ask).await;
        assert!(
            matches!(answer.status.as_u16(), 200 | 400),
            "{field}: {answer:?}"
        );
    }
    let page = world
        .answer(
            "F74",
            world
                .larder
                .get("/alice/dev/+simple/demo/")
                .accept("text/html"),
        )
        .await;
    assert_eq!(page.status, StatusCode::OK);
}
