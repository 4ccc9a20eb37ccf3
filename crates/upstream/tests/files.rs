//! Files: whole, resumed, broken off; and their sidecars.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{drain, endpoint, index_with_wheel, upstreams, with_timeout};
use futures_util::FutureExt;
use larder_testkit::{Answer, Fault};
use larder_upstream::{Addresses, Endpoint, Error};
use url::Url;

#[tokio::test]
async fn a_file_comes_as_it_is() {
    let (index, bytes, url) = index_with_wheel().await;
    let answer = upstreams()
        .open_file(&endpoint(&index), &url, None)
        .await
        .unwrap();
    assert_eq!(answer.len, Some(bytes.len() as u64));
    assert_eq!(
        answer.last_modified.as_deref(),
        Some("Tue, 02 Jan 2024 03:04:05 GMT")
    );
    assert_eq!(
        answer.content_type.as_deref(),
        Some("application/octet-stream")
    );
    let (whole, failed) = drain(answer).await;
    assert!(failed.is_none() && whole == bytes, "{failed:?}");
    let request = &index.seen()[0];
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert_eq!(request.header("range"), None);
}

#[tokio::test]
async fn a_file_without_length_comes_to_its_end() {
    let (index, bytes, url) = index_with_wheel().await;
    index.fault(url.path(), Fault::NoLength);
    let answer = upstreams()
        .open_file(&endpoint(&index), &url, None)
        .await
        .unwrap();
    assert_eq!(answer.len, None);
    assert_eq!(drain(answer).await.0, bytes);
}

#[tokio::test]
async fn bytes_that_look_packed_are_left_alone() {
    let (index, _, url) = index_with_wheel().await;
    let headers = vec![("content-encoding".to_owned(), "gzip".to_owned())];
    index.fault(
        url.path(),
        Fault::Answer(Answer {
            status: 200,
            headers,
            body: "raw".to_owned(),
        }),
    );
    let answer = upstreams()
        .open_file(&endpoint(&index), &url, None)
        .await
        .unwrap();
    assert_eq!(drain(answer).await.0, b"raw");
}

#[tokio::test]
async fn a_file_that_breaks_off_ends_in_an_error() {
    let (index, bytes, url) = index_with_wheel().await;
    index.fault(url.path(), Fault::CutAfter(1000));
    for shape in ["with length", "in chunks"] {
        let answer = upstreams()
            .open_file(&endpoint(&index), &url, None)
            .await
            .unwrap();
        let (part, failed) = drain(answer).await;
        assert_eq!(part, bytes[..part.len()], "{shape}");
        assert!(part.len() <= 1000, "{shape}");
        assert!(
            matches!(failed, Some(Error::Cut { .. })),
            "{shape}: {failed:?}"
        );
        index.fault(url.path(), Fault::NoLength);
    }
}

#[tokio::test]
async fn a_file_is_resumed_where_it_broke_off() {
    let (index, bytes, url) = index_with_wheel().await;
    let len = Some(bytes.len() as u64);
    let answer = upstreams()
        .open_file(&endpoint(&index), &url, Some(1000))
        .await
        .unwrap();
    assert_eq!(answer.len, len, "of the whole file");
    assert_eq!(drain(answer).await.0, bytes[1000..]);
    assert_eq!(index.seen()[0].header("range"), Some("bytes=1000-"));

    index.fault(url.path(), Fault::NoRange);
    let answer = upstreams()
        .open_file(&endpoint(&index), &url, Some(1000))
        .await
        .unwrap();
    assert_eq!(answer.len, len);
    assert_eq!(
        drain(answer).await.0,
        bytes[1000..],
        "also from an upstream that starts over"
    );
}

#[tokio::test]
async fn another_part_than_asked_for_is_refused() {
    let (index, bytes, url) = index_with_wheel().await;
    let part = |range: &str| {
        let headers = vec![("content-range".to_owned(), range.to_owned())];
        Fault::Answer(Answer {
            status: 206,
            headers,
            body: "x".to_owned(),
        })
    };
    for range in ["bytes 0-0/10", "bytes 1001-1001/2000", "x"] {
        index.fault(url.path(), part(range));
        let error = upstreams()
            .open_file(&endpoint(&index), &url, Some(1000))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::BadAnswer { .. }),
            "{range}: {error:?}"
        );
        index.clear_faults();
    }
    index.fault(url.path(), part("bytes 0-0/10"));
    let error = upstreams()
        .open_file(&endpoint(&index), &url, None)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Status { code: 206, .. }),
        "nobody asked for a part: {error:?}"
    );
    index.clear_faults();
    let beyond = Some(bytes.len() as u64);
    let error = upstreams()
        .open_file(&endpoint(&index), &url, beyond)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Status { code: 416, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_file_that_is_gone_is_missing() {
    let (index, _, url) = index_with_wheel().await;
    for (code, missing) in [(404, true), (410, true), (403, false), (500, false)] {
        index.fault(url.path(), Fault::Status(code));
        let error = upstreams()
            .open_file(&endpoint(&index), &url, None)
            .await
            .unwrap_err();
        assert_eq!(error.is_missing(), missing, "{code}");
        index.clear_faults();
    }
}

#[tokio::test]
async fn other_schemes_are_not_opened() {
    let (index, _, _) = index_with_wheel().await;
    for addresses in [Addresses::Any, Addresses::PublicOnly] {
        let endpoint = Endpoint::new(index.url.clone(), None, addresses);
        for url in [
            "file:///etc/passwd",
            "ftp://example.com/x",
            "data:text/plain,x",
        ] {
            let url = Url::parse(url).unwrap();
            let error = upstreams()
                .open_file(&endpoint, &url, None)
                .await
                .unwrap_err();
            assert!(matches!(error, Error::BadAnswer { .. }), "{url}: {error:?}");
        }
    }
}

#[tokio::test]
async fn one_client_that_is_slow_to_read_holds_up_no_other() {
    let (index, bytes, url) = index_with_wheel().await;
    let upstreams = upstreams();
    let unread = upstreams
        .open_file(&endpoint(&index), &url, None)
        .await
        .unwrap();
    let answer = upstreams
        .open_file(&endpoint(&index), &url, None)
        .await
        .unwrap();
    assert_eq!(drain(answer).await.0, bytes);
    assert_eq!(drain(unread).await.0, bytes);
}

#[tokio::test]
async fn files_from_one_host_wait_for_each_other_beyond_a_number() {
    let (index, bytes, url) = index_with_wheel().await;
    let upstreams = upstreams();
    index.fault(url.path(), Fault::StallAfter(0));
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(
            upstreams
                .open_file(&endpoint(&index), &url, None)
                .await
                .unwrap(),
        );
    }
    let endpoint = endpoint(&index);
    let mut waiting = Box::pin(upstreams.open_file(&endpoint, &url, None));
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(index.hits(url.path()), 32);
    index.clear_faults();
    assert_eq!(drain(open.pop().unwrap()).await.0, bytes);
    assert_eq!(drain(waiting.await.unwrap()).await.0, bytes);
}

#[tokio::test]
async fn sidecars_come_whole_or_not_at_all() {
    let (index, _, url) = index_with_wheel().await;
    let sidecar = Url::parse(&format!("{url}.metadata")).unwrap();
    let upstreams = upstreams();
    let endpoint = endpoint(&index);
    let metadata = upstreams
        .fetch_small(&endpoint, &sidecar, 1000)
        .await
        .unwrap();
    assert!(metadata.starts_with(b"Metadata-Version: 2.1\n"));
    let limit = metadata.len() as u64;
    assert!(
        upstreams
            .fetch_small(&endpoint, &sidecar, limit)
            .await
            .is_ok()
    );
    let error = upstreams
        .fetch_small(&endpoint, &sidecar, limit - 1)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    index.fault(sidecar.path(), Fault::CutAfter(5));
    let error = upstreams
        .fetch_small(&endpoint, &sidecar, limit)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error:?}");
    index.remove_file("demo-1.0-py3-none-any.whl");
    index.clear_faults();
    assert!(
        upstreams
            .fetch_small(&endpoint, &sidecar, limit)
            .await
            .unwrap_err()
            .is_missing()
    );
}

#[tokio::test]
async fn an_upstream_that_is_down_is_told_at_once() {
    let (index, _, url) = index_with_wheel().await;
    index.set_down(true).await;
    let error = with_timeout(Duration::from_mins(1))
        .open_file(&endpoint(&index), &url, None)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}
