//! Bodies on a real socket: in chunks, too large, without a length.

use larder_testkit::DistBuilder;

use crate::common::Form;
use crate::wire::{Wire, root, statuses};

#[tokio::test]
async fn b33_chunks_have_limits_too() {
    let wire = Wire::start().await;
    let head = format!(
        "PUT /root/new HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        root()
    );
    let long = "x".repeat(1 << 20);
    let many = "2;x\r\n{}\r\n".repeat(200_000);
    let trailers = "X: 1\r\n".repeat(20_000);
    for (id, body) in [
        ("B33", format!("2;{long}\r\n{{}}\r\n0\r\n\r\n")),
        ("B33, many", format!("{many}0\r\n\r\n")),
        ("B33, trailers", format!("2\r\n{{}}\r\n0\r\n{trailers}\r\n")),
        (
            "B33, a trailer",
            format!("2\r\n{{}}\r\n0\r\nX: {long}\r\n\r\n"),
        ),
    ] {
        let replies = wire.exchange(format!("{head}{body}").as_bytes()).await;
        let refused = replies
            .iter()
            .all(|reply| matches!(reply.status, 400 | 413));
        assert!(refused, "{id}: {replies:?}");
        let index = wire
            .larder
            .get("/root/new")
            .accept("application/json")
            .send()
            .await;
        assert_eq!(index.status, 404, "{id}");
    }
}

#[tokio::test]
async fn c07_e31_a_body_that_is_too_large_is_refused_in_words() {
    let wire = Wire::start().await;
    for (id, line) in [
        ("C07", "POST /+login"),
        ("E31", "PUT /root/new"),
        ("E31, a change", "PATCH /root/public"),
        ("D32", "PATCH /root"),
    ] {
        let size = 20 << 20;
        let head = format!(
            "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nAccept: application/json\r\n\
             Content-Type: application/json\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n",
            root()
        );
        let bytes = [head.into_bytes(), vec![b' '; size]].concat();
        let replies = wire.exchange(&bytes).await;
        assert_eq!(statuses(&replies), [413], "{id}: {replies:?}");
        let text = String::from_utf8_lossy(&replies[0].body).into_owned();
        assert!(text.contains("message"), "{id}: {text}");
    }
}

#[tokio::test]
async fn f67_an_upload_in_chunks_without_a_length_is_taken() {
    let wire = Wire::start().await;
    let dist = DistBuilder::wheel("demo", "2.0")
        .ballast("big.bin", 300_000)
        .build();
    let (kind, body) = Form::of(&dist).encode();
    let mut bytes = format!(
        "POST /root/public/ HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Type: {kind}\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        root()
    )
    .into_bytes();
    for chunk in body.chunks(7001) {
        bytes.extend_from_slice(format!("{:x};a=b\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    let replies = wire.exchange(&bytes).await;
    assert_eq!(statuses(&replies), [200], "F67: {replies:?}");
    let page = wire.larder.page("root/public", "demo").await.json();
    let hashes: Vec<_> = page["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["hashes"]["sha256"].clone())
        .collect();
    assert!(hashes.contains(&dist.sha256.into()), "F67: {hashes:?}");
}
