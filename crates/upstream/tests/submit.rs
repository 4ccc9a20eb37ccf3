//! Posting upload forms: what arrives, where it may go, what comes back.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use common::upstreams;
use futures_util::{StreamExt, stream};
use larder_testkit::{Answer, FakeIndex, Fault};
use larder_upstream::{Addresses, Endpoint, Error, FilePart, Submission, Submitted};
use url::Url;

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn form(pieces: &[&'static [u8]]) -> Submission {
    let len = pieces.iter().map(|piece| piece.len() as u64).sum();
    let pieces: Vec<_> = pieces
        .iter()
        .map(|piece| Ok(Bytes::from_static(piece)))
        .collect();
    Submission {
        fields: vec![
            field(":action", "file_upload"),
            field("summary", "two\r\nlines \u{fc}"),
            field("classifiers", "A"),
            field("classifiers", "B"),
            field("comment", ""),
        ],
        file: Some(FilePart {
            filename: "demo-1.0.tar.gz".to_owned(),
            len,
            bytes: stream::iter(pieces).boxed(),
        }),
    }
}

/// With credentials for the place it posts to.
async fn submit(url: &Url, form: Submission) -> Result<Submitted, Error> {
    let credentials = Some(("alice".to_owned(), "hunter2".to_owned()));
    let endpoint = Endpoint::new(url.clone(), credentials, Addresses::Any);
    upstreams().submit(&endpoint, url, form).await
}

fn legacy(index: &FakeIndex) -> Url {
    index.url.join("/legacy").unwrap()
}

#[tokio::test]
async fn a_form_arrives_as_it_was_given() {
    let index = FakeIndex::start().await;
    let content: &[&'static [u8]] = &[b"--a\r\n", b"", b"\0\xff--\r\n"];
    let answer = submit(&legacy(&index), form(content)).await.unwrap();
    assert_eq!((answer.code, answer.body.as_str()), (200, ""));
    let posted = index.posted();
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].path, "/legacy", "no slash is added");
    assert_eq!(posted[0].fields, form(&[]).fields);
    let (name, bytes) = posted[0].file.clone().unwrap();
    assert_eq!(
        (name.as_str(), bytes),
        ("demo-1.0.tar.gz", content.concat().into())
    );
    let seen = index.seen();
    assert_eq!(seen[0].method, "POST");
    let authorization = seen[0].header("authorization").unwrap();
    assert_eq!(authorization, "Basic YWxpY2U6aHVudGVyMg==");
    assert!(seen[0].header("content-length").is_some());
    assert_eq!(seen[0].header("transfer-encoding"), None);
}

#[tokio::test]
async fn forms_without_a_file_and_with_an_empty_one_are_whole() {
    let index = FakeIndex::start().await;
    let without = Submission {
        file: None,
        ..form(&[])
    };
    submit(&legacy(&index), without).await.unwrap();
    submit(&legacy(&index), form(&[])).await.unwrap();
    let posted = index.posted();
    assert_eq!(posted.len(), 2);
    assert_eq!(posted[0].file, None);
    assert_eq!(
        posted[1].file,
        Some(("demo-1.0.tar.gz".to_owned(), Bytes::new()))
    );
}

#[tokio::test]
async fn private_addresses_are_posted_to_only_where_that_is_allowed() {
    let canary = FakeIndex::start().await;
    let port = canary.url.port().unwrap();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        let url = Url::parse(&format!("http://{host}:{port}/legacy/")).unwrap();
        let endpoint = Endpoint::new(url.clone(), None, Addresses::PublicOnly);
        let error = upstreams().submit(&endpoint, &url, form(&[])).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error, Error::ForbiddenAddress { .. }),
            "{host}: {error:?}"
        );
    }
    let url = Url::parse("ftp://127.0.0.1/").unwrap();
    let endpoint = Endpoint::new(url.clone(), None, Addresses::Any);
    assert!(
        upstreams()
            .submit(&endpoint, &url, form(&[]))
            .await
            .is_err()
    );
    assert_eq!(canary.all_hits(), 0);
}

#[tokio::test]
async fn credentials_stay_with_their_origin_and_redirects_are_not_followed() {
    let (index, canary) = (FakeIndex::start().await, FakeIndex::start().await);
    index.fault("*", Fault::Redirect(legacy(&canary).to_string()));
    let answer = submit(&legacy(&index), form(&[])).await.unwrap();
    assert_eq!(answer.code, 302);
    assert_eq!(answer.location, Some(legacy(&canary).to_string()));
    assert_eq!(canary.all_hits(), 0);

    let credentials = Some(("alice".to_owned(), "hunter2".to_owned()));
    let endpoint = Endpoint::new(index.url.clone(), credentials, Addresses::Any);
    let mut url = legacy(&canary);
    url.set_password(Some("hunter2")).unwrap();
    upstreams()
        .submit(&endpoint, &url, form(&[]))
        .await
        .unwrap();
    assert_eq!(canary.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn of_an_answer_only_the_beginning_is_read() {
    let index = FakeIndex::start().await;
    let answer = Answer {
        status: 400,
        headers: Vec::new(),
        body: "x".repeat(100_000),
    };
    index.fault("*", Fault::Answer(answer));
    let answer = submit(&legacy(&index), form(&[b"x"])).await.unwrap();
    assert_eq!((answer.code, answer.body.len()), (400, 2048));
    index.clear_faults();
    index.fault("*", Fault::CutAfter(0));
    let answer = submit(&legacy(&index), form(&[b"x"])).await.unwrap();
    assert_eq!(answer.code, 200, "the status had come");
}

#[tokio::test]
async fn a_server_that_goes_away_is_unreachable() {
    let index = FakeIndex::start().await;
    index.fault("*", Fault::Reset);
    let error = submit(&legacy(&index), form(&[b"x"])).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(!format!("{error:?} {}", error.sentence()).contains("hunter2"));
    index.set_down(true).await;
    let error = submit(&legacy(&index), form(&[b"x"])).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}

/// What waiting costs is time on the test's clock only.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let index = FakeIndex::start().await;
    index.fault("*", Fault::Hang);
    let error = submit(&legacy(&index), form(&[b"x"])).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_is_read_no_faster_than_it_is_taken() {
    const PIECE: usize = 1 << 16;
    const PIECES: u64 = 16_384;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/legacy/", listener.local_addr().unwrap());
    let url = Url::parse(&url).unwrap();
    // Reads a little, says no in its own words, and reads nothing more.
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut vec![0; PIECE]).unwrap();
        let answer = "HTTP/1.1 413 Far Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
        stream
    });
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&taken);
    let piece = Bytes::from(vec![0; PIECE]);
    let pieces = stream::iter(0..PIECES).map(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(piece.clone())
    });
    let form = Submission {
        fields: Vec::new(),
        file: Some(FilePart {
            filename: "demo-1.0.tar.gz".to_owned(),
            len: PIECES * PIECE as u64,
            bytes: pieces.boxed(),
        }),
    };
    let answer = submit(&url, form).await.unwrap();
    assert_eq!(answer.code, 413);
    assert_eq!(answer.reason.as_deref(), Some("Far Too Large"));
    let taken = taken.load(Ordering::SeqCst);
    assert!(taken < PIECES / 2, "{taken} of {PIECES} pieces were read");
    drop(server.join().unwrap());
}
