//! A bucket on a server that misbehaves as told.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;

/// What the server does with one request.
enum Act {
    /// Answers: status line, headers (each with its line end), body.
    Answer(&'static str, String, Vec<u8>),
    /// Closes the connection without a word.
    Hang,
}

fn status(line: &'static str) -> Act {
    Act::Answer(line, String::new(), Vec::new())
}

/// The answer to a PUT that went well.
fn stored() -> Act {
    Act::Answer("200 OK", "etag: \"x\"\r\n".to_owned(), Vec::new())
}

/// An object as HEAD and GET show it, `body` being what really comes.
fn object(announced: usize, body: &[u8]) -> Act {
    let headers = format!(
        "last-modified: Mon, 23 Nov 2026 10:00:00 GMT\r\netag: \"x\"\r\ncontent-length: {announced}\r\n"
    );
    Act::Answer("200 OK", headers, body.to_vec())
}

/// Plays the acts in order, one per request, and notes what was asked.
struct Server {
    s3: Arc<S3>,
    asked: Arc<Mutex<Vec<String>>>,
    left: Arc<Mutex<VecDeque<Act>>>,
}

impl Server {
    fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let left = Arc::new(Mutex::new(acts.into_iter().collect::<VecDeque<_>>()));
        let (notes, script) = (Arc::clone(&asked), Arc::clone(&left));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let Some(request) = read_request(&connection) else {
                    continue;
                };
                notes.lock().unwrap().push(request);
                let act = script.lock().unwrap().pop_front();
                play(
                    connection,
                    act.unwrap_or_else(|| status("418 the script is over")),
                );
            }
        });
        let variables = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret-of-the-test"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let s3 = S3::configured("bucket", "a/b", variables.into_iter()).unwrap();
        Self {
            s3: Arc::new(s3),
            asked,
            left,
        }
    }

    async fn publish(&self, bytes: &'static [u8]) -> Result<Digest> {
        let (s3, digest) = (Arc::clone(&self.s3), Digest::of(bytes));
        crate::blocking::blocking(move || s3.publish(&digest, Bytes::from_static(bytes))).await?;
        Ok(digest)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn is_over(&self) -> bool {
        self.left.lock().unwrap().is_empty()
    }
}

/// Method and headers in lower case; the body is read and dropped.
fn read_request(connection: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(connection);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        head.push_str(&line.to_ascii_lowercase());
        line.clear();
    }
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let length = length
        .and_then(|digits| digits.trim().parse().ok())
        .unwrap_or(0);
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
    (!head.is_empty()).then_some(head)
}

fn play(mut connection: TcpStream, act: Act) {
    let Act::Answer(line, headers, body) = act else {
        return;
    };
    let length = if headers.contains("content-length") {
        String::new()
    } else {
        format!("content-length: {}\r\n", body.len())
    };
    let head = format!("HTTP/1.1 {line}\r\n{headers}{length}connection: close\r\n\r\n");
    // A client that has heard enough may be gone.
    let _ = connection
        .write_all(head.as_bytes())
        .and_then(|()| connection.write_all(&body));
}

async fn drain(body: Body) -> (usize, Option<Error>) {
    let (mut got, mut stream) = (0, body.into_stream());
    loop {
        match stream.next().await {
            None => return (got, None),
            Some(Ok(bytes)) => got += bytes.len(),
            Some(Err(error)) => return (got, Some(error)),
        }
    }
}

#[tokio::test]
async fn a_put_is_conditional_carries_a_checksum_and_is_seen_before_it_counts() {
    let server = Server::new([stored(), object(4, b"")]);
    let digest = server.publish(b"blob").await.unwrap();
    let asked = server.asked();
    assert!(
        asked[0].starts_with(&format!(
            "put /bucket/a/b/sha256/{}",
            &digest.to_string()[..2]
        )),
        "{asked:?}"
    );
    assert!(asked[0].contains("if-none-match: *\r\n"), "{asked:?}");
    assert!(asked[0].contains("x-amz-checksum-sha256: "), "{asked:?}");
    assert!(
        asked[1].starts_with("head /bucket/a/b/sha256/"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_ends_well() {
    let exists = status("412 Precondition Failed");
    let server = Server::new([Act::Hang, exists, object(4, b"")]);
    server.publish(b"blob").await.unwrap();
    assert!(server.is_over(), "{:?}", server.asked());
}

#[tokio::test]
async fn an_object_that_is_shown_late_is_waited_for() {
    let absent = || status("404 Not Found");
    let server = Server::new([stored(), absent(), absent(), object(4, b"")]);
    server.publish(b"blob").await.unwrap();
    assert!(server.is_over(), "{:?}", server.asked());
}

#[tokio::test]
async fn an_object_of_a_wrong_length_is_replaced() {
    let server = Server::new([
        status("412 Precondition Failed"),
        object(3, b""),
        stored(),
        object(4, b""),
    ]);
    server.publish(b"blob").await.unwrap();
    let asked = server.asked();
    assert!(
        asked[2].starts_with("put ") && !asked[2].contains("if-none-match"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_server_that_only_fails_is_unavailable_and_no_secret_is_told() {
    let server = Server::new((0..100).map(|_| status("503 Slow Down")));
    let error = server.publish(b"blob").await.unwrap_err();
    assert!(error.is_unavailable() && !error.is_no_space(), "{error:?}");
    assert!(!format!("{error:?}").contains("secret-of-the-test"));
    assert!(server.asked().len() < 20, "retries are bounded");
}

#[tokio::test]
async fn refused_credentials_are_not_tried_again() {
    let server = Server::new((0..10).map(|_| status("403 Forbidden")));
    let error = server.publish(b"blob").await.unwrap_err();
    assert!(!error.is_unavailable(), "{error:?}");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn wrong_bytes_are_never_completed_and_their_end_is_never_sent() {
    let mut wrong = vec![7; 300_000];
    let digest = Digest::of(&wrong);
    wrong[10] ^= 1;
    let server = Server::new([object(300_000, &wrong)]);
    let body = server.s3.open_blob(&digest, None).await.unwrap().unwrap();
    let (got, error) = drain(body).await;
    assert!(got <= 300_000 - 65_536, "{got}");
    assert!(
        matches!(error, Some(Error::Corrupt { digest: named }) if named == digest),
        "{error:?}"
    );
}

#[tokio::test]
async fn small_wrong_bytes_are_not_opened_and_not_kept() {
    let server = Server::new([object(4, b"blot"), object(4, b"blob")]);
    let digest = Digest::of(b"blob");
    let error = server.s3.open_blob(&digest, None).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    for _ in 0..2 {
        let body = server.s3.open_blob(&digest, None).await.unwrap().unwrap();
        assert_eq!(
            &body.into_whole().unwrap()[..],
            b"blob",
            "the second time from memory"
        );
    }
    assert!(server.is_over());
}

#[tokio::test]
async fn a_cut_body_is_an_error_after_bounded_retries() {
    let bytes = vec![7; 300_000];
    let digest = Digest::of(&bytes);
    let server = Server::new((0..50).map(|_| object(300_000, &bytes[..200_000])));
    let body = server.s3.open_blob(&digest, None).await.unwrap().unwrap();
    let (got, error) = drain(body).await;
    assert!(got < 300_000);
    assert!(error.is_some_and(|error| error.is_unavailable()));
    assert!(server.asked().len() < 20);
}

#[tokio::test]
async fn a_missing_object_is_asked_for_again_before_it_is_believed() {
    let absent = || status("404 Not Found");
    let server = Server::new([
        absent(),
        absent(),
        object(4, b"blob"),
        absent(),
        absent(),
        absent(),
        absent(),
    ]);
    let found = server
        .s3
        .open_blob(&Digest::of(b"blob"), None)
        .await
        .unwrap();
    assert!(found.is_some());
    let missing = server
        .s3
        .open_blob(&Digest::of(b"other"), None)
        .await
        .unwrap();
    assert!(missing.is_none());
    assert!(server.is_over(), "{:?}", server.asked());
}
