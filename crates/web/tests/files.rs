//! Files: ranges, conditions, cold streams, wrong upstreams, sidecars.

mod common;

use std::time::Duration;

use common::{Setup, TestLarder};
use futures_util::future::join_all;
use http::{Method, StatusCode};
use larder_testkit::{Dist, DistBuilder, FakeIndex, Fault};
use sha2::{Digest, Sha256};

/// An upstream with one wheel of about a megabyte, and a Larder that mirrors it.
async fn mirrored() -> (FakeIndex, TestLarder, Dist, String) {
    let upstream = FakeIndex::start().await;
    let dist = DistBuilder::wheel("demo", "1.0")
        .ballast("demo/big.bin", 1 << 20)
        .build();
    upstream.add(&dist);
    let larder = TestLarder::mirroring(&upstream).await;
    let path = larder.file_path("root/pypi", "demo").await;
    (upstream, larder, dist, path)
}

#[tokio::test]
async fn a_cold_file_is_streamed_cached_and_then_served_from_here() {
    let (upstream, larder, dist, path) = mirrored().await;
    let expected = format!(
        "/root/pypi/+f/{}/{}/{}",
        &dist.sha256[..3],
        &dist.sha256[3..16],
        dist.filename
    );
    assert_eq!(path, expected, "devpi's layout");
    let cold = larder.get(&path).send().await;
    assert_eq!(
        (cold.status, cold.body.as_slice()),
        (StatusCode::OK, &dist.bytes[..])
    );
    larder.app.tasks().idle().await;
    let warm = larder.get(&path).send().await;
    assert_eq!(warm.body.as_slice(), &dist.bytes[..]);
    assert_eq!(upstream.hits(&upstream.file_path(&dist.filename)), 1);
    assert_eq!(larder.spools(), 0);
    for (name, value) in [
        ("cache-control", "max-age=365000000, immutable, public"),
        ("accept-ranges", "bytes"),
        ("content-type", "application/octet-stream"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(warm.header(name), value, "{name}");
    }
    assert_eq!(warm.header("etag"), format!("\"{}\"", dist.sha256));
    assert!(warm.headers.get("content-encoding").is_none(), "F-02");
}

#[tokio::test]
async fn ranges_work_warm_and_cold() {
    for cold in [true, false] {
        let (_upstream, larder, dist, path) = mirrored().await;
        if !cold {
            larder.get(&path).send().await;
            larder.app.tasks().idle().await;
        }
        let len = dist.bytes.len();
        let part = larder
            .get(&path)
            .header("range", "bytes=10-19")
            .send()
            .await;
        assert_eq!(
            (part.status, part.body.as_slice()),
            (StatusCode::PARTIAL_CONTENT, &dist.bytes[10..20]),
            "cold: {cold}"
        );
        assert_eq!(part.header("content-range"), format!("bytes 10-19/{len}"));
        let tail = larder.get(&path).header("range", "bytes=-7").send().await;
        assert_eq!(
            (tail.status, tail.body.as_slice()),
            (StatusCode::PARTIAL_CONTENT, &dist.bytes[len - 7..])
        );
        let beyond = larder
            .get(&path)
            .header("range", &format!("bytes={len}-"))
            .send()
            .await;
        assert_eq!(
            (beyond.status, beyond.header("content-range")),
            (
                StatusCode::RANGE_NOT_SATISFIABLE,
                &*format!("bytes */{len}")
            )
        );
        let many = larder
            .get(&path)
            .header("range", "bytes=0-0,5-6")
            .send()
            .await;
        assert_eq!((many.status, many.body.len()), (StatusCode::OK, len));
        let other = larder
            .get(&path)
            .header("range", "bytes=0-0")
            .header("if-range", "\"other\"")
            .send()
            .await;
        assert_eq!((other.status, other.body.len()), (StatusCode::OK, len));
    }
}

#[tokio::test]
async fn head_of_a_cold_file_does_not_fetch_it() {
    let (upstream, larder, dist, path) = mirrored().await;
    let head = larder.ask(Method::HEAD, &path).send().await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (StatusCode::OK, &*dist.bytes.len().to_string())
    );
    assert!(head.body.is_empty());
    assert_eq!(upstream.hits(&upstream.file_path(&dist.filename)), 0);
}

#[tokio::test]
async fn a_condition_that_holds_is_a_304() {
    let (_upstream, larder, dist, path) = mirrored().await;
    let answer = larder
        .get(&path)
        .header("if-none-match", &format!("\"{}\"", dist.sha256))
        .send()
        .await;
    assert_eq!(
        (answer.status, answer.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
}

#[tokio::test]
async fn many_clients_of_a_cold_file_cause_one_download() {
    let (upstream, larder, dist, path) = mirrored().await;
    upstream.fault(
        &upstream.file_path(&dist.filename),
        Fault::Delay(Duration::from_millis(100)),
    );
    for answer in join_all((0..50).map(|_| larder.get(&path).send())).await {
        assert_eq!(hex::encode(Sha256::digest(&answer.body)), dist.sha256);
    }
    assert_eq!(upstream.hits(&upstream.file_path(&dist.filename)), 1, "L21");
}

#[tokio::test]
async fn a_client_that_leaves_does_not_end_the_download() {
    let (upstream, larder, dist, path) = mirrored().await;
    upstream.fault(&upstream.file_path(&dist.filename), Fault::StallAfter(1000));
    let leaving = tokio::time::timeout(Duration::from_millis(300), larder.get(&path).send()).await;
    assert!(leaving.is_err(), "the upstream stalls");
    upstream.clear_faults();
    larder.app.tasks().idle().await;
    assert_eq!(larder.get(&path).send().await.body.len(), dist.bytes.len());
    assert_eq!(upstream.hits(&upstream.file_path(&dist.filename)), 1);
}

#[tokio::test]
async fn a_wrong_body_is_never_complete_and_never_kept() {
    for fault in [Fault::WrongBytes, Fault::CutAfter(500_000), Fault::NoLength] {
        let (upstream, larder, dist, path) = mirrored().await;
        let file = upstream.file_path(&dist.filename);
        upstream.fault(&file, fault.clone());
        if fault == Fault::NoLength {
            upstream.fault(&file, Fault::CutAfter(500_000));
        }
        let answer = larder.get(&path).send().await;
        assert!(
            answer.broken || answer.status.is_server_error(),
            "{fault:?}: {} bytes",
            answer.body.len()
        );
        assert!(answer.body.len() < dist.bytes.len(), "L8, {fault:?}");
        larder.app.tasks().idle().await;
        assert_eq!(larder.spools(), 0, "{fault:?}");
        upstream.clear_faults();
        larder.clock.advance(Duration::from_secs(61));
        let again = larder.get(&path).send().await;
        assert_eq!(
            again.body.as_slice(),
            &dist.bytes[..],
            "{fault:?} and then well again"
        );
    }
}

#[tokio::test]
async fn a_small_wrong_body_is_held_back_whole() {
    let upstream = FakeIndex::start().await;
    let dist = DistBuilder::wheel("tiny", "1.0").build();
    upstream.add(&dist);
    upstream.fault(&upstream.file_path(&dist.filename), Fault::WrongBytes);
    let larder = TestLarder::mirroring(&upstream).await;
    let path = larder.file_path("root/pypi", "tiny").await;
    let answer = larder.get(&path).send().await;
    assert!(answer.broken && answer.body.is_empty(), "{answer:?}");
}

#[tokio::test]
async fn an_upstream_without_the_file_is_a_404_and_a_broken_one_a_502() {
    for (fault, status) in [
        (Fault::Status(404), 404),
        (Fault::Status(410), 404),
        (Fault::Status(500), 502),
        (Fault::Reset, 502),
        (Fault::Redirect("file:///etc/passwd".into()), 502),
    ] {
        let (upstream, larder, dist, path) = mirrored().await;
        upstream.fault(&upstream.file_path(&dist.filename), fault.clone());
        assert_eq!(
            larder.get(&path).send().await.status.as_u16(),
            status,
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_link_from_a_lock_file_works_on_an_empty_cache() {
    let (upstream, _larder, dist, path) = mirrored().await;
    let fresh = TestLarder::mirroring(&upstream).await;
    let answer = fresh.get(&path.replace("/+f/", "/%2Bf/")).send().await;
    assert_eq!(
        (answer.status, answer.body.len()),
        (StatusCode::OK, dist.bytes.len()),
        "S-01"
    );
    let unknown = fresh
        .get("/root/pypi/+f/aaa/bbbbbbbbbbbbb/nope-1.0.tar.gz")
        .send()
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn files_without_a_hash_have_devpis_other_path_and_gain_a_hash() {
    let upstream = FakeIndex::start().await;
    let dist = DistBuilder::wheel("bare", "1.0").build();
    upstream.add(&dist);
    upstream.edit(&dist.filename, |entry| {
        entry.sha256 = None;
        entry.size = None;
    });
    let larder = TestLarder::mirroring(&upstream).await;
    let path = larder.file_path("root/pypi", "bare").await;
    assert!(path.starts_with("/root/pypi/+e/http_127.0.0.1_"), "{path}");
    assert_eq!(
        larder.get(&path).send().await.body.as_slice(),
        &dist.bytes[..]
    );
    larder.app.tasks().idle().await;
    let page = larder.page("root/pypi", "bare").await.json();
    assert_eq!(page["files"][0]["hashes"]["sha256"], dist.sha256, "S-16");
    assert_eq!(
        larder.file_path("root/pypi", "bare").await,
        path,
        "the address stays"
    );
}

#[tokio::test]
async fn sidecars_are_the_upstreams_checked_and_kept() {
    let (upstream, larder, dist, path) = mirrored().await;
    let sidecar = format!("{path}.metadata");
    let first = larder.get(&sidecar).send().await;
    assert_eq!(
        (first.status, first.body.as_slice()),
        (StatusCode::OK, &dist.metadata[..]),
        "S-27"
    );
    upstream.set_down(true).await;
    assert_eq!(
        larder.get(&sidecar).send().await.body.as_slice(),
        &dist.metadata[..]
    );
}

#[tokio::test]
async fn a_sidecar_that_is_gone_or_wrong_is_read_from_the_wheel() {
    for fault in [Fault::Status(404), Fault::WrongBytes] {
        let (upstream, larder, dist, path) = mirrored().await;
        upstream.fault(
            &format!("{}.metadata", upstream.file_path(&dist.filename)),
            fault.clone(),
        );
        let answer = larder.get(&format!("{path}.metadata")).send().await;
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (StatusCode::OK, &dist.metadata[..]),
            "S-28, {fault:?}"
        );
    }
}

#[tokio::test]
async fn a_file_url_describes_itself_to_who_prefers_json() {
    let (_upstream, larder, dist, path) = mirrored().await;
    let answer = larder.get(&path).accept("application/json").send().await;
    assert_eq!(answer.json()["type"], "releasefilemeta");
    assert_eq!(answer.json()["result"]["hashes"]["sha256"], dist.sha256);
    let bytes = larder
        .get(&path)
        .accept("application/octet-stream, application/json;q=0.1")
        .send()
        .await;
    assert_eq!(bytes.body.len(), dist.bytes.len());
}

#[tokio::test]
async fn a_removed_file_is_gone_not_unknown() {
    let larder = TestLarder::start_with(Setup::default()).await;
    larder
        .upload("root/public", &DistBuilder::wheel("mine", "1.0").build())
        .await;
    let path = larder.file_path("root/public", "mine").await;
    let answer = larder
        .ask(Method::DELETE, &path)
        .by("root", common::ROOT)
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(larder.get(&path).send().await.status, StatusCode::GONE);
    let page = larder.page("root/public", "mine").await;
    assert_eq!(
        page.status,
        StatusCode::NOT_FOUND,
        "release and project went with it"
    );
}

#[tokio::test]
async fn many_clients_of_a_cold_sidecar_cause_one_request() {
    let (upstream, larder, dist, path) = mirrored().await;
    let sidecar = format!("{}.metadata", upstream.file_path(&dist.filename));
    upstream.fault(&sidecar, Fault::Delay(Duration::from_millis(100)));
    let path = format!("{path}.metadata");
    for answer in join_all((0..24).map(|_| larder.get(&path).send())).await {
        assert_eq!(answer.body.as_slice(), &dist.metadata[..]);
    }
    assert_eq!(upstream.hits(&sidecar), 1);
}

#[tokio::test]
async fn a_file_that_came_wrong_is_left_alone_for_a_minute() {
    let (upstream, larder, dist, path) = mirrored().await;
    let file = upstream.file_path(&dist.filename);
    upstream.fault(&file, Fault::WrongBytes);
    for _ in 0..4 {
        let answer = larder.get(&path).send().await;
        assert!(answer.broken || answer.status == StatusCode::BAD_GATEWAY);
        larder.app.tasks().idle().await;
    }
    assert_eq!(upstream.hits(&file), 1);
    upstream.clear_faults();
    larder.clock.advance(Duration::from_secs(61));
    let answer = larder.get(&path).send().await;
    assert_eq!(answer.body.as_slice(), &dist.bytes[..]);
}
