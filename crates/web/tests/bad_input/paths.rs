//! Section A: paths and encodings.

use crate::world::World;

type Row = (&'static str, String, &'static [u16]);

const NOT_THERE: &[u16] = &[400, 404];
const TOO_LONG: &[u16] = &[404, 414];

/// The rows that are paths to nothing.
fn rows(file: &str) -> Vec<Row> {
    let long_name = "a".repeat(5000);
    let fixed: [(&str, &str, &[u16]); 32] = [
        ("A01", "/../../../../etc/passwd", NOT_THERE),
        ("A02", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", NOT_THERE),
        ("A03", "/..%2f..%2f..%2fetc%2fpasswd", NOT_THERE),
        (
            "A03, twice encoded",
            "/..%252f..%252fetc%252fpasswd",
            NOT_THERE,
        ),
        ("A03, overlong", "/%c0%ae%c0%ae/%c0%afetc", NOT_THERE),
        (
            "A05",
            "/alice/dev/+f/../../../../../../etc/passwd",
            NOT_THERE,
        ),
        (
            "A06",
            "/alice/dev/+f/%2e%2e/%2e%2e/%2e%2e/larder.sqlite",
            NOT_THERE,
        ),
        (
            "A06, of +e",
            "/alice/dev/+e/%2e%2e/%2e%2e/larder.sqlite",
            NOT_THERE,
        ),
        (
            "A07",
            "/alice/dev/+f/..%5c..%5c..%5clarder.sqlite",
            NOT_THERE,
        ),
        ("A09", "/alice/dev/+f//etc/passwd", NOT_THERE),
        ("A09, before", "//etc//passwd", NOT_THERE),
        ("A10", "/alice/dev/+f/%00", NOT_THERE),
        ("A17", "/alice/dev/+simple/%ff%fe/", &[400]),
        ("A17, a surrogate", "/alice/dev/+simple/%ed%a0%80/", &[400]),
        ("A18", "/alice/dev/+simple/%E2%80%AEomed/", NOT_THERE),
        ("A19", "/alice/dev/+simple/dem%D0%BE/", NOT_THERE),
        (
            "A22",
            "/alice/dev/+simple/demo%0d%0aSet-Cookie:%20x=1",
            NOT_THERE,
        ),
        ("A23", "/alice/dev/+simple/DEMO%0d%0aX-Inj:1/", NOT_THERE),
        (
            "A23, of an index",
            "/alice/dev%0d%0aX-Inj:1/+simple",
            NOT_THERE,
        ),
        ("A25", "/%5cevil.example.com/", &[404]),
        ("A25, two slashes", "//evil.example.com/", &[404]),
        ("A25, encoded", "/%2fevil.example.com/+simple", &[404]),
        (
            "A26",
            "/alice/dev/+simple/..%2f..%2froot%2fpypi/",
            NOT_THERE,
        ),
        ("A27", "/alice%2fdev/+simple/demo/", &[404]),
        ("A27, of a marker", "/alice/dev%2f%2bsimple/demo/", &[404]),
        (
            "A29",
            "/alice/dev/demo/1.0/+d/%2e%2e%2f%2e%2e%2flarder.sqlite",
            &[404],
        ),
        (
            "A29, of +doc",
            "/alice/dev/demo/1.0/+doc/%2e%2e/%2e%2e/larder.sqlite",
            &[404],
        ),
        ("A30", "/+static/..%2f..%2f..%2fetc/passwd", &[404]),
        ("A31", "/alice/dev/+simple/%zz/", &[400]),
        (
            "A33",
            "/root/pypi/+e/http%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data",
            &[404],
        ),
        ("A41", "/alice/dev/+simple/demo./", NOT_THERE),
        ("A41, at the front", "/alice/dev/+simple/-demo/", NOT_THERE),
    ];
    let mut rows: Vec<Row> = fixed
        .map(|(id, path, allowed)| (id, path.to_owned(), allowed))
        .into();
    rows.extend([
        ("A11", format!("{file}%00.html"), NOT_THERE),
        (
            "A13",
            format!("{file}/../../../../../../larder.sqlite"),
            NOT_THERE,
        ),
        ("A15", format!("{file}%20"), NOT_THERE),
        ("A15, a dot", format!("{file}."), NOT_THERE),
        ("A15, a parameter", format!("{file};x=y"), NOT_THERE),
        ("A21", format!("/alice/dev/+simple/{long_name}/"), TOO_LONG),
        (
            "A21, shorter",
            format!("/alice/dev/+simple/{}/", "a".repeat(300)),
            NOT_THERE,
        ),
        ("A35", format!("/{}", "a/".repeat(4000)), TOO_LONG),
        ("A35, shorter", format!("/{}", "a/".repeat(1000)), &[404]),
    ]);
    rows
}

#[tokio::test]
async fn crooked_paths_find_nothing_and_ask_no_upstream() {
    let world = World::new().await;
    for (id, path, allowed) in rows(&world.file) {
        for accept in ["application/json", "text/html,*/*", "*/*"] {
            for method in ["GET", "HEAD"] {
                let ask = world.by_alice(method, &path).accept(accept);
                let answer = world.refused(id, ask, allowed).await;
                for header in ["location", "set-cookie", "x-inj"] {
                    assert!(answer.headers.get(header).is_none(), "{id}");
                }
            }
        }
        for method in ["PUT", "PATCH", "DELETE", "POST"] {
            let also: Vec<u16> = [allowed, &[400, 403, 405]].concat();
            let ask = world.by_alice(method, &path).with_json("{}");
            world.refused(id, ask, &also).await;
        }
    }
    assert_eq!(world.upstream.all_hits(), 0, "no upstream was asked");
}

#[tokio::test]
async fn unusual_but_right_paths_are_answered() {
    let world = World::new().await;
    let rows = [
        ("A14", format!("{}/", world.file), 200),
        (
            "A14, the marker encoded",
            world.file.replace("/+f/", "/%2bf/"),
            200,
        ),
        (
            "A39",
            format!("/alice/dev/+simple/demo/?x={}", "y".repeat(60_000)),
            200,
        ),
        // A42: a name is looked up by its normal form, without a redirect.
        ("A42", "/alice/dev/+simple/De.-_Mo/".into(), 404),
        ("A42, of a project", "/alice/dev/+simple/DEMO/".into(), 200),
        ("A43", "/alice/dev/+simple/con/".into(), 404),
        ("A43, of a user", "/CON".into(), 404),
    ];
    for (id, path, status) in rows {
        let answer = world.answer(id, world.larder.get(&path)).await;
        assert_eq!(answer.status.as_u16(), status, "{id}: {answer:?}");
    }
}

#[tokio::test]
async fn a34_an_unknown_file_is_looked_for_on_its_projects_page_alone() {
    // Lock files name files that this server has never seen: the page of the
    // project says whether there is one. No other address is asked.
    let world = World::new().await;
    for (path, project) in [
        ("/root/pypi/+f/aaa/bbbbbbbbbbbbb/nope-1.0.tar.gz", "nope"),
        ("/alice/dev/+f/aaa/bbbbbbbbbbbbb/public-9.0.tar.gz", ""),
    ] {
        for _ in 0..3 {
            let answer = world.answer("A34", world.larder.get(path)).await;
            assert_eq!(answer.status, 404, "A34: {answer:?}");
        }
        let page = world.upstream.page_path(project);
        let (all, pages) = (world.upstream.all_hits(), world.upstream.hits(&page));
        assert!(
            all == pages && all <= 1,
            "A34: {all} of which {pages} for {page}"
        );
        world.upstream.forget_hits();
    }
}
