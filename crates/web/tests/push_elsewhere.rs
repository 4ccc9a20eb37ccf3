//! Pushing a release to another server (devpi: 5.2).

mod common;

use base64::Engine as _;
use common::{Answer, ROOT, TestLarder};
use http::{Method, StatusCode};
use larder_app::Tasks;
use larder_testkit::{Dist, DistBuilder, FakeIndex, Fault};
use larder_web::{Limits, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const SECRET: &str = "hunter2-9f";

/// A Larder with a wheel and an sdist on `root/public`, and alice, who may read.
async fn larder() -> (TestLarder, Dist, Dist) {
    let larder = TestLarder::start().await;
    larder.user("alice").await;
    let wheel = DistBuilder::wheel("demo", "1.0")
        .requires_python(">=3.9")
        .summary("A demo")
        .field("Classifier", "A")
        .field("Classifier", "B")
        .ballast("demo/big.bin", 3 << 20)
        .build();
    let sdist = DistBuilder::sdist("demo", "1.0").build();
    for dist in [&wheel, &sdist] {
        let answer = larder.upload("root/public", dist).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    (larder, wheel, sdist)
}

fn body(posturl: &str) -> Value {
    json!({
        "name": "demo",
        "version": "1.0",
        "posturl": posturl,
        "username": "me",
        "password": SECRET,
    })
}

async fn push_by(larder: &TestLarder, user: &str, body: &Value) -> Answer {
    let password = if user == "root" { ROOT } else { user };
    let method = Method::from_bytes(b"PUSH").expect("a method");
    larder
        .ask(method, "/root/public")
        .by(user, password)
        .json(body)
        .await
}

async fn push(larder: &TestLarder, body: &Value) -> Answer {
    push_by(larder, "root", body).await
}

fn post_url(index: &FakeIndex) -> String {
    index.url.join("/legacy/").expect("a URL").to_string()
}

fn path(dist: &Dist) -> String {
    let hex = &dist.sha256;
    format!(
        "root/public/+f/{}/{}/{}",
        &hex[..3],
        &hex[3..16],
        dist.filename
    )
}

#[tokio::test]
async fn files_go_out_as_an_upload_client_sends_them() {
    let (larder, wheel, sdist) = larder().await;
    let index = FakeIndex::start().await;
    index.require_credentials("me", SECRET);
    let answer = push(&larder, &body(&post_url(&index))).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let expected = json!({
        "result": [
            [200, "upload", path(&wheel), ""],
            [200, "upload", path(&sdist), ""],
        ],
        "type": "actionlog",
    });
    assert_eq!(answer.json(), expected);
    let posted = index.posted();
    for (form, (dist, filetype, python)) in posted
        .iter()
        .zip([(&wheel, "bdist_wheel", "3"), (&sdist, "sdist", "source")])
    {
        assert_eq!(form.path, "/legacy/");
        for (name, value) in [
            (":action", "file_upload"),
            ("protocol_version", "1"),
            ("metadata_version", "2.1"),
            ("name", "demo"),
            ("version", "1.0"),
            ("filetype", filetype),
            ("pyversion", python),
            ("sha256_digest", &dist.sha256),
            ("home_page", ""),
        ] {
            assert_eq!(
                form.all(name),
                [value],
                "{name}: text fields even when empty"
            );
        }
        let (filename, bytes) = form.file.as_ref().expect("a file");
        assert_eq!((filename, bytes), (&dist.filename, &dist.bytes));
        assert!(form.all("requires_dist").is_empty(), "no empty lists");
    }
    assert_eq!(
        posted[0].all("classifiers").len(),
        posted[1].all("classifiers").len()
    );
    assert!(posted[0].all("summary").len() == 1 && posted.len() == 2);
    for seen in index.seen() {
        assert_eq!(seen.method, "POST");
        assert!(seen.header("content-length").is_some(), "not in chunks");
    }
}

#[tokio::test]
async fn a_release_is_registered_first_where_that_is_asked_for() {
    let (larder, wheel, _) = larder().await;
    let index = FakeIndex::start().await;
    let mut body = body(&post_url(&index));
    body["register_project"] = json!(true);
    // An index that takes no registrations any more.
    index.fault_times("/legacy/", 1, Fault::Status(410));
    let answer = push(&larder, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let result = answer.json()["result"].clone();
    assert_eq!(result[0], json!([410, "register", "demo", "1.0"]));
    assert_eq!(result[1], json!([200, "upload", path(&wheel), ""]));
    let actions: Vec<String> = index
        .posted()
        .iter()
        .filter_map(|form| form.field(":action").map(str::to_owned))
        .collect();
    assert_eq!(actions, ["submit", "file_upload", "file_upload"]);
    assert_eq!(index.posted()[0].file, None);

    index.forget_hits();
    index.fault_times("/legacy/", 1, Fault::Status(500));
    let answer = push(&larder, &body).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(
        answer.json()["result"],
        json!([[500, "register", "demo", "1.0"]])
    );
    assert_eq!(
        index.hits("/legacy/"),
        1,
        "nothing follows a failed registration"
    );
}

#[tokio::test]
async fn what_another_server_refuses_is_told() {
    let (larder, wheel, sdist) = larder().await;
    let index = FakeIndex::start().await;
    let refusal = larder_testkit::Answer {
        status: 400,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: json!({"message": "no such project"}).to_string(),
    };
    index.fault_times("/legacy/", 1, Fault::Answer(refusal));
    let answer = push(&larder, &body(&post_url(&index))).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    let result = json!([
        [400, "upload", path(&wheel), "no such project"],
        [200, "upload", path(&sdist), ""],
    ]);
    assert_eq!(answer.json()["result"], result, "the other files go on");

    index.forget_hits();
    index.require_credentials("me", "another password");
    let answer = push(&larder, &body(&post_url(&index))).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.json()["result"][0][0], 401);
    assert_eq!(
        index.hits("/legacy/"),
        1,
        "wrong credentials are tried once"
    );
    assert!(!answer.text().contains(SECRET), "{}", answer.text());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (larder, ..) = larder().await;
    let (index, canary) = (FakeIndex::start().await, FakeIndex::start().await);
    index.fault("*", Fault::Redirect(post_url(&canary)));
    let answer = push(&larder, &body(&post_url(&index))).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    let row = answer.json()["result"][0].clone();
    assert_eq!(row[0], 302);
    let text = row[3].as_str().expect("a text");
    assert!(
        text.contains("not followed") && text.contains(&post_url(&canary)),
        "{text}"
    );
    assert_eq!(canary.all_hits(), 0);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_a_line_of_the_log() {
    let (larder, ..) = larder().await;
    let index = FakeIndex::start().await;
    index.set_down(true).await;
    let answer = push(&larder, &body(&post_url(&index))).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    let json = answer.json();
    assert_eq!(json["type"], "actionlog");
    let row = json["result"][0].clone();
    assert_eq!(
        (&row[0], &row[1]),
        (&json!(-1), &json!("exception on release upload:"))
    );
    assert!(
        row[2]
            .as_str()
            .is_some_and(|text| text.contains("cannot be reached")),
        "{row}"
    );
    assert_eq!(json["result"].as_array().map(Vec::len), Some(1));
    index.set_down(false).await;
    index.fault("*", Fault::Reset);
    let answer = push(&larder, &body(&post_url(&index))).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{answer:?}");
    assert_eq!(answer.json()["result"][0][0], -1);
}

#[tokio::test]
async fn nobody_sends_requests_through_the_server_who_may_not() {
    let (larder, ..) = larder().await;
    let canary = FakeIndex::start().await;
    let port = canary.url.port().expect("a port");
    let method = Method::from_bytes(b"PUSH").expect("a method");
    let anonymous = larder
        .ask(method, "/root/public")
        .json(&body(&post_url(&canary)))
        .await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED, "{anonymous:?}");
    assert!(
        anonymous.message().contains("log in first"),
        "{anonymous:?}"
    );
    for url in [
        format!("http://127.0.0.1:{port}/legacy/"),
        format!("http://localhost:{port}/legacy/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/x".to_owned(),
    ] {
        let answer = push_by(&larder, "alice", &body(&url)).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "G08, G09: {url} {answer:?}"
        );
        assert!(
            answer.message().contains("'posturl'"),
            "{url}: {}",
            answer.message()
        );
    }
    assert_eq!(canary.all_hits(), 0);
    let trusted = push_by(&larder, "root", &body(&post_url(&canary))).await;
    assert_eq!(trusted.status, StatusCode::OK, "root may: {trusted:?}");
}

#[tokio::test]
async fn what_is_not_there_is_not_sent() {
    let (larder, ..) = larder().await;
    let index = FakeIndex::start().await;
    let mut absent = body(&post_url(&index));
    absent["version"] = json!("9");
    let answer = push(&larder, &absent).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        answer.message(),
        "there are no files for demo 9 on stage root/public"
    );
    let mut docs = body(&post_url(&index));
    docs["only_docs"] = json!(true);
    assert_eq!(push(&larder, &docs).await.status, StatusCode::NOT_FOUND);
    assert_eq!(index.all_hits(), 0);
}

/// Another Larder behind a socket, and what ends it.
async fn listening(tasks: &Tasks) -> (TestLarder, String, tokio::sync::oneshot::Sender<()>) {
    let other = TestLarder::start().await;
    other.index("root/fixed", &json!({"volatile": false})).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!(
        "http://{}/root/fixed/",
        listener.local_addr().expect("an address")
    );
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (web, all) = (other.web.clone(), tasks.clone());
    tasks.spawn(async move {
        let stop = async {
            // A sender that was dropped ends it as well.
            let _ = stopped.await;
        };
        serve(web, listener, &all, Limits::default(), stop).await;
    });
    (other, url, stop)
}

#[tokio::test]
async fn another_larder_takes_what_is_pushed() {
    let (larder, wheel, sdist) = larder().await;
    let tasks = Tasks::default();
    let (other, url, _stop) = listening(&tasks).await;
    let mut body = body(&url);
    body["register_project"] = json!(true);
    body["username"] = json!("root");
    body["password"] = json!(ROOT);
    let answer = push(&larder, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let result = answer.json()["result"].clone();
    assert_eq!(result[0], json!([200, "register", "demo", "1.0"]));
    let names = other.filenames("root/fixed", "demo").await;
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&wheel.filename) && names.contains(&sdist.filename));
    let again = push(&larder, &body).await;
    assert_eq!(
        again.status,
        StatusCode::OK,
        "identical files are fine: {again:?}"
    );

    let changed = DistBuilder::wheel("demo", "1.0").build();
    assert_eq!(
        larder.upload("root/public", &changed).await.status,
        StatusCode::OK
    );
    let refused = push(&larder, &body).await;
    assert_eq!(refused.status, StatusCode::BAD_GATEWAY);
    let row = refused.json()["result"][1].clone();
    assert_eq!(row[0], 409);
    let text = row[3].as_str().expect("a text");
    assert!(
        text.starts_with(&format!("{} already exists", wheel.filename)),
        "{text}"
    );

    body["password"] = json!(SECRET);
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("root:{SECRET}"));
    let wrong = push(&larder, &body).await;
    assert_eq!(wrong.json()["result"][0][0], 401);
    assert!(!wrong.text().contains(SECRET) && !wrong.text().contains(&encoded));
}
