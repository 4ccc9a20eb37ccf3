//! Section B on a real socket: where a request ends, and what is no request.

use std::fmt::Write as _;

use crate::wire::{Wire, root, show, statuses};

/// Asked by root, in the body of another request: it must never be seen.
fn smuggled() -> String {
    let auth = root();
    format!("DELETE /root/public/demo HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\n\r\n")
}

/// A login whose framing is bent, with another request behind it.
fn bent(framing: &str, body: &str) -> Vec<u8> {
    let head = "POST /+login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    format!("{head}{framing}\r\n\r\n{body}{}", smuggled()).into_bytes()
}

/// Framings that must end in one refusal and a close: nothing that follows is
/// taken for a request.
const FRAMINGS: [(&str, &str, &str); 26] = [
    // B01: RFC 9112, 6.3, lets a server take the chunks and demands a close.
    (
        "B01",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "0\r\n\r\n",
    ),
    (
        "B01, other order",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "0\r\n\r\n",
    ),
    (
        "B01, equal",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "0\r\n\r\n",
    ),
    ("B02", "Content-Length: 4\r\nContent-Length: 5", "abcd"),
    ("B02, a list", "Content-Length: 4, 5", "abcd"),
    ("B03", "Transfer-Encoding : chunked", "0\r\n\r\n"),
    ("B03, a tab", "Transfer-Encoding\t: chunked", "0\r\n\r\n"),
    ("B03, folded", "Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
    (
        "B03, at the front",
        " Transfer-Encoding: chunked",
        "0\r\n\r\n",
    ),
    (
        "B03, a control",
        "Transfer-Encoding: \u{b}chunked",
        "0\r\n\r\n",
    ),
    (
        "B03, not last",
        "Transfer-Encoding: chunked, identity",
        "0\r\n\r\n",
    ),
    ("B03, another", "Transfer-Encoding: xchunked", "0\r\n\r\n"),
    ("B03, quoted", "Transfer-Encoding: \"chunked\"", "0\r\n\r\n"),
    ("B05", "Content-Length: +5", "abcde"),
    ("B05, hex", "Content-Length: 0x5", "abcde"),
    ("B05, two", "Content-Length: 5 5", "abcde"),
    ("B05, none", "Content-Length: ", "abcde"),
    ("B05, a letter", "Content-Length: 5a", "abcde"),
    ("B06", "Content-Length: -1", "abcde"),
    ("B07", "Content-Length: 99999999999999999999", "abcde"),
    ("B33, a sign", "Transfer-Encoding: chunked", "-1\r\n"),
    ("B33, hex", "Transfer-Encoding: chunked", "0x1\r\na\r\n"),
    (
        "B33, overflow",
        "Transfer-Encoding: chunked",
        "FFFFFFFFFFFFFFFFF\r\na\r\n",
    ),
    ("B33, no size", "Transfer-Encoding: chunked", "\r\na\r\n"),
    ("B33, no end", "Transfer-Encoding: chunked", "1\r\nab\r\n"),
    (
        "B33, a bare end",
        "Transfer-Encoding: chunked",
        "1\na\n0\n\n",
    ),
];

#[tokio::test]
async fn b01_b07_a_body_without_a_clear_end_ends_the_connection() {
    let wire = Wire::start().await;
    for (id, framing, body) in FRAMINGS {
        let replies = wire.exchange(&bent(framing, body)).await;
        let expected = matches!(statuses(&replies)[..], [400 | 413 | 501]);
        assert!(expected, "{id}: {replies:?}");
        wire.assert_unharmed(id).await;
    }
    let old = bent("Transfer-Encoding: chunked", "0\r\n\r\n");
    let old = String::from_utf8_lossy(&old).replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert_eq!(
        statuses(&wire.exchange(old.as_bytes()).await),
        [400],
        "HTTP/1.0"
    );
    wire.assert_unharmed("B01, HTTP/1.0").await;
}

#[tokio::test]
async fn b09_b30_what_is_no_request_is_refused_and_the_connection_closed() {
    let wire = Wire::start().await;
    let get = "GET / HTTP/1.1\r\nHost: x\r\n";
    let table: [(&str, Vec<u8>); 22] = [
        ("B09", format!("{get}X: a\0b\r\n\r\n").into()),
        ("B09, 0x10", format!("{get}X: a\u{10}b\r\n\r\n").into()),
        ("B09, in a name", format!("{get}X\0: a\r\n\r\n").into()),
        ("B09, 0x7f", format!("{get}X: a\u{7f}b\r\n\r\n").into()),
        ("B09, a bare CR", format!("{get}X: a\rY: b\r\n\r\n").into()),
        ("B09, folded", format!("{get}X: a\r\n b\r\n\r\n").into()),
        ("B09, no colon", format!("{get}X\r\n\r\n").into()),
        ("B09, no name", format!("{get}: a\r\n\r\n").into()),
        ("B09, a space", format!("{get}X Y: a\r\n\r\n").into()),
        (
            "B09, beyond ASCII",
            [get.as_bytes(), b"X\xff: a\r\n\r\n"].concat(),
        ),
        ("B29", b"GET /\r\n\r\n".to_vec()),
        ("B29, bare", b"GET /\n\n".to_vec()),
        ("B30", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n".to_vec()),
        ("B30, 1.2", b"GET / HTTP/1.2\r\nHost: x\r\n\r\n".to_vec()),
        ("B30, 2.0", b"GET / HTTP/2.0\r\nHost: x\r\n\r\n".to_vec()),
        ("B30, 11", b"GET / HTTP/11\r\nHost: x\r\n\r\n".to_vec()),
        ("B30, small", b"GET / http/1.1\r\nHost: x\r\n\r\n".to_vec()),
        (
            "B30, spaces",
            b"GET  /  HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        ),
        (
            "B30, a NUL",
            b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        ),
        (
            "B30, a method",
            b"G\xc3T / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        ),
        (
            "B30, TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
        ),
        ("B30, SMB", b"\xffSMBr\0\0\0\0\x18\r\n\r\n".to_vec()),
    ];
    for (id, bytes) in table {
        let follow = [&bytes[..], smuggled().as_bytes()].concat();
        let replies = wire.exchange(&follow).await;
        assert_eq!(statuses(&replies), [400], "{id}: {}", show(&bytes));
        wire.assert_unharmed(id).await;
    }
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let replies = wire.exchange(preface).await;
    assert!(
        replies.iter().all(|reply| reply.status == 400),
        "B30, h2: {replies:?}"
    );
}

#[tokio::test]
async fn b10_b11_heads_have_an_end() {
    let wire = Wire::start().await;
    let mut many = "GET / HTTP/1.1\r\nHost: x\r\n".to_owned();
    for i in 0..10_000 {
        let _ = write!(many, "X-{i}: 1\r\n");
    }
    let few =
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".to_owned() + &"A: 1\r\n".repeat(90);
    let long = "x".repeat(1 << 20);
    let table = [
        ("B10", many, &[400, 431][..]),
        ("B10, as many as may be", few, &[200]),
        (
            "B11",
            format!("GET / HTTP/1.1\r\nHost: x\r\nX: {long}\r\n"),
            &[400, 431],
        ),
        (
            "B11, a name",
            format!("GET / HTTP/1.1\r\nHost: x\r\n{long}: x\r\n"),
            &[400, 431],
        ),
        (
            "C27",
            format!("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {long}\r\n"),
            &[400, 431],
        ),
        (
            "A21",
            format!("GET /{long} HTTP/1.1\r\nHost: x\r\n"),
            &[400, 414, 431],
        ),
        (
            "A35",
            format!("{long} / HTTP/1.1\r\nHost: x\r\n"),
            &[400, 414, 431],
        ),
        (
            "A39",
            format!(
                "GET /?x={} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
                &long[..60_000]
            ),
            &[200, 414, 431],
        ),
    ];
    for (id, head, allowed) in table {
        let replies = wire.exchange(format!("{head}\r\n").as_bytes()).await;
        // A close while a megabyte is under way may hide the answer.
        let is_large = head.len() > 100_000;
        match statuses(&replies)[..] {
            [status] => assert!(allowed.contains(&status), "{id}: {replies:?}"),
            [] => assert!(is_large, "{id}: no answer"),
            _ => panic!("{id}: {replies:?}"),
        }
        wire.assert_unharmed(id).await;
    }
}

#[tokio::test]
async fn b31_b35_requests_are_read_at_the_right_place() {
    let wire = Wire::start().await;
    let last = "GET /root/public/+simple/demo/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let table = [
        (
            "B31",
            "GET /+api HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n\
             Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
            200,
        ),
        (
            "B31, websocket",
            "GET /+api HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            200,
        ),
        (
            "B35",
            "GET /+api HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde",
            200,
        ),
        (
            "B35, looks like one",
            "GET /+api HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\nGET / HTTP/1.1",
            200,
        ),
        (
            "B35, chunks",
            "GET /+api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            200,
        ),
        (
            "B35, refused",
            "PUT /+api HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde",
            405,
        ),
        (
            "B35, nothing there",
            "POST /a/b/c/d/e HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde",
            404,
        ),
        (
            "B35, a wrong type",
            "POST /+login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde",
            415,
        ),
        (
            "A37",
            "GET http://169.254.169.254/latest/ HTTP/1.1\r\nHost: x\r\n\r\n",
            404,
        ),
        (
            "A37, https",
            "GET https://evil.example:8443/+f/x HTTP/1.1\r\nHost: x\r\n\r\n",
            404,
        ),
        ("A42, stars", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ];
    for (id, first, status) in table {
        let replies = wire.exchange(format!("{first}{last}").as_bytes()).await;
        assert_eq!(statuses(&replies), [status, 200], "{id}: {replies:?}");
        let page = String::from_utf8_lossy(&replies[1].body);
        assert!(
            page.contains("Links for demo"),
            "{id}: the second is the page"
        );
        assert!(!replies[0].head.contains("upgrade"), "{id}: {replies:?}");
    }
    let replies = wire
        .exchange(
            b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\nConnection: close\r\n\r\n",
        )
        .await;
    assert!(
        matches!(statuses(&replies)[..], [400 | 405 | 501]),
        "A38: {replies:?}"
    );
    let three = "GET /+api HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3);
    let replies = wire.exchange(format!("{three}{last}").as_bytes()).await;
    assert_eq!(statuses(&replies), [200; 4], "pipelined");
}

#[tokio::test]
async fn b13_hosts_are_counted_on_the_wire() {
    let wire = Wire::start().await;
    for head in [
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    ] {
        let replies = wire.exchange(head.as_bytes()).await;
        assert_eq!(statuses(&replies), [400], "B13: {head}");
    }
    let old = wire.exchange(b"GET /+api HTTP/1.0\r\n\r\n").await;
    assert_eq!(statuses(&old), [200], "HTTP/1.0 needs none");
}
