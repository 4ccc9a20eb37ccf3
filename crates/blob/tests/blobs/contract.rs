//! What every place for blobs does, a folder and a bucket alike.
//!
//! Without `LARDER_TEST_S3` the bucket's half is skipped, except in CI.

use std::io::{Read, Seek, SeekFrom};

use crate::common::{Place, drain, noise};
use bytes::Bytes;
use larder_blob::Error;
use larder_pypi::Digest;
use larder_pypi::hashes::Algorithms;

/// Each test twice: `local::name` and `s3::name`.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod local {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Place::local().await).await;
            })+
        }

        mod s3 {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(place) = super::Place::s3().await {
                    super::$name(place).await;
                }
            })+
        }
    };
}

on_both!(
    what_was_published_is_read_back,
    an_empty_blob_is_a_blob,
    bytes_in_memory_are_published_too,
    ranges_are_exact_at_every_boundary,
    ranges_outside_are_refused,
    a_blob_is_read_at_any_place,
    a_missing_blob_is_none,
    publishing_again_changes_nothing,
    many_publish_one_digest_at_once,
    a_deleted_blob_is_gone_and_deleting_again_is_fine,
    every_asked_hash_is_computed,
    a_finished_spool_can_be_read_and_searched,
    a_dropped_spool_leaves_nothing,
    a_body_is_not_collected_beyond_the_limit,
);

/// Around the sizes at which the way changes: copied, mapped, sliced, checked while sent, in parts.
const SIZES: [usize; 8] = [
    1,
    65_536,
    65_537,
    4 << 20,
    (4 << 20) + 1,
    16 << 20,
    (16 << 20) + 1,
    (24 << 20) + 5,
];

async fn what_was_published_is_read_back(place: Place) {
    for size in SIZES {
        let bytes = noise(size);
        let digest = place.publish(&bytes).await;
        assert_eq!(digest, Digest::of(&bytes));
        let fresh = place.reopened().await;
        for blobs in [&place.blobs, &fresh, &fresh] {
            let body = blobs.open(&digest, None).await.unwrap().expect("published");
            assert_eq!((body.len(), body.total()), (size as u64, size as u64));
            let (got, error) = drain(body).await;
            assert!(error.is_none() && got == bytes, "{size}: {error:?}");
        }
        assert!(place.spools().is_empty());
    }
}

async fn a_blob_is_read_at_any_place(place: Place) {
    let bytes = noise(600_000);
    let digest = place.publish(&bytes).await;
    let mut reader = place
        .blobs
        .reader(&digest)
        .await
        .unwrap()
        .expect("published");
    let read = tokio::task::spawn_blocking(move || {
        let mut parts = Vec::new();
        for (from, len) in [(0, 10), (262_140, 8), (599_990, 10), (5, 600_000)] {
            reader.seek(SeekFrom::Start(from)).unwrap();
            let mut part = Vec::new();
            reader.by_ref().take(len).read_to_end(&mut part).unwrap();
            parts.push((usize::try_from(from).unwrap(), part));
        }
        assert_eq!(reader.seek(SeekFrom::End(-3)).unwrap(), 599_997);
        assert!(reader.seek(SeekFrom::Current(-600_000)).is_err());
        parts
    });
    for (from, part) in read.await.unwrap() {
        assert_eq!(part, bytes[from..from + part.len()], "{from}");
    }
    let nobody = Digest::of(b"nobody stored this");
    for missing in [nobody, Digest::of(b"")] {
        assert!(place.blobs.reader(&missing).await.unwrap().is_none());
    }
}

async fn an_empty_blob_is_a_blob(place: Place) {
    let digest = place.publish(b"").await;
    assert_eq!(digest, Digest::of(b""));
    for range in [None, Some(0..0)] {
        let body = place
            .reopened()
            .await
            .open(&digest, range)
            .await
            .unwrap()
            .expect("published");
        assert!(body.is_empty());
        assert_eq!(drain(body).await.0, b"");
    }
    assert!(place.blobs.exists(&digest).await.unwrap());
}

async fn bytes_in_memory_are_published_too(place: Place) {
    let digest = place
        .blobs
        .publish_bytes(Bytes::from_static(b"Name: demo\n"))
        .await
        .unwrap();
    let body = place
        .blobs
        .open(&digest, None)
        .await
        .unwrap()
        .expect("published");
    assert_eq!(&body.collect(1000).await.unwrap()[..], b"Name: demo\n");
    assert!(place.spools().is_empty());
}

async fn ranges_are_exact_at_every_boundary(place: Place) {
    for size in [100_000_usize, (5 << 20) + 3, (17 << 20) + 1] {
        let bytes = noise(size);
        let digest = place.publish(&bytes).await;
        let blobs = place.reopened().await;
        let slice = 1 << 20;
        let ranges = [
            0..1,
            0..size,
            size - 1..size,
            1..size - 1,
            size..size,
            7..7,
            65_535..65_537,
            slice - 1..(slice + 1).min(size),
        ];
        for range in ranges.into_iter().filter(|range| range.start <= range.end) {
            let asked = range.start as u64..range.end as u64;
            let body = blobs
                .open(&digest, Some(asked))
                .await
                .unwrap()
                .expect("published");
            assert_eq!(
                (body.len(), body.total()),
                (range.len() as u64, size as u64),
                "{range:?}"
            );
            let (got, error) = drain(body).await;
            assert!(
                error.is_none() && got == bytes[range.clone()],
                "{range:?} of {size}: {error:?}"
            );
        }
    }
}

async fn ranges_outside_are_refused(place: Place) {
    for size in [10_u64, (5 << 20) + 3] {
        let digest = place.publish(&noise(usize::try_from(size).unwrap())).await;
        #[expect(clippy::reversed_empty_ranges, reason = "a client may ask for it")]
        for range in [
            0..size + 1,
            size..size + 1,
            size + 5..size + 9,
            size + 1..size + 1,
            6..5,
        ] {
            let error = place
                .reopened()
                .await
                .open(&digest, Some(range.clone()))
                .await
                .unwrap_err();
            assert!(
                matches!(error, Error::OutOfRange { len, .. } if len == size),
                "{range:?}: {error:?}"
            );
        }
    }
}

async fn a_missing_blob_is_none(place: Place) {
    let digest = Digest::of(b"nobody published this");
    assert!(place.blobs.open(&digest, None).await.unwrap().is_none());
    assert!(
        place
            .blobs
            .open(&digest, Some(0..1))
            .await
            .unwrap()
            .is_none()
    );
    assert!(!place.blobs.exists(&digest).await.unwrap());
}

async fn publishing_again_changes_nothing(place: Place) {
    for size in [1000, (16 << 20) + 1] {
        let bytes = noise(size);
        let digest = place.publish(&bytes).await;
        assert_eq!(place.publish(&bytes).await, digest);
        assert_eq!(
            place
                .blobs
                .publish_bytes(bytes.clone().into())
                .await
                .unwrap(),
            digest
        );
        let body = place
            .reopened()
            .await
            .open(&digest, None)
            .await
            .unwrap()
            .expect("published");
        assert_eq!(drain(body).await.0, bytes);
    }
    assert!(place.spools().is_empty());
}

async fn many_publish_one_digest_at_once(place: Place) {
    let bytes = noise(200_000);
    let mut finished = Vec::new();
    for _ in 0..16 {
        finished.push(place.finished(&bytes, 64_000).await);
    }
    let published = finished
        .into_iter()
        .map(|finished| place.blobs.publish(finished));
    for digest in futures_util::future::join_all(published).await {
        assert_eq!(digest.unwrap(), Digest::of(&bytes));
    }
    let body = place
        .reopened()
        .await
        .open(&Digest::of(&bytes), None)
        .await
        .unwrap()
        .expect("published");
    assert_eq!(drain(body).await.0, bytes);
    assert!(place.spools().is_empty());
}

async fn a_deleted_blob_is_gone_and_deleting_again_is_fine(place: Place) {
    let bytes = noise(5 << 20);
    let digest = place.publish(&bytes).await;
    let reading = place
        .blobs
        .open(&digest, None)
        .await
        .unwrap()
        .expect("published");
    let small = place.publish(b"small").await;
    assert!(place.blobs.open(&small, None).await.unwrap().is_some());
    for digest in [digest, small, digest] {
        place.blobs.delete(&digest).await.unwrap();
        assert!(!place.blobs.exists(&digest).await.unwrap());
        assert!(place.blobs.open(&digest, None).await.unwrap().is_none());
    }
    assert_eq!(drain(reading).await.0, bytes, "who had it open reads on");
    assert_eq!(place.publish(&bytes).await, digest);
    assert!(place.blobs.open(&digest, None).await.unwrap().is_some());
}

async fn every_asked_hash_is_computed(place: Place) {
    let wanted = Algorithms {
        md5: true,
        blake2_256: true,
        sha512: true,
        ..Algorithms::default()
    };
    let mut spool = place.blobs.spool(wanted).await.unwrap();
    for piece in [&b"ab"[..], b"", b"c"] {
        spool.append(Bytes::from_static(piece)).await.unwrap();
    }
    let finished = spool.finish().await.unwrap();
    let computed = finished.computed();
    assert_eq!(computed.len, 3);
    assert_eq!(computed.sha256, Digest::of(b"abc"));
    assert_eq!(
        computed.md5.as_deref(),
        Some("900150983cd24fb0d6963f7d28e17f72")
    );
    assert!(
        computed
            .blake2_256
            .as_deref()
            .is_some_and(|hex| hex.starts_with("bddd813c634239723171ef3fee98579b"))
    );
    let sha512 = computed.hashes.iter().find(|(name, _)| *name == "sha512");
    assert!(sha512.is_some_and(|(_, hex)| hex.starts_with("ddaf35a193617aba")));
}

async fn a_finished_spool_can_be_read_and_searched(place: Place) {
    let bytes = noise(700_000);
    let finished = place.finished(&bytes, 1000).await;
    let (mut first, mut second) = (finished.reader().unwrap(), finished.reader().unwrap());
    let mut got = Vec::new();
    first.read_to_end(&mut got).unwrap();
    assert_eq!(got, bytes);
    second.seek(SeekFrom::End(-4)).unwrap();
    let mut end = Vec::new();
    second.read_to_end(&mut end).unwrap();
    assert_eq!(
        end,
        bytes[bytes.len() - 4..],
        "readers have a position of their own"
    );
    place.blobs.publish(finished).await.unwrap();
}

async fn a_dropped_spool_leaves_nothing(place: Place) {
    let mut spool = place.blobs.spool(Algorithms::default()).await.unwrap();
    spool.append(noise(100_000).into()).await.unwrap();
    assert_eq!(place.spools().len(), 1);
    drop(spool);
    assert!(place.spools().is_empty());
    let finished = place.finished(b"checked and found wrong", 100).await;
    assert_eq!(place.spools().len(), 1);
    drop(finished);
    assert!(place.spools().is_empty());
    assert!(
        !place
            .blobs
            .exists(&Digest::of(b"checked and found wrong"))
            .await
            .unwrap()
    );
}

async fn a_body_is_not_collected_beyond_the_limit(place: Place) {
    let bytes = noise(5 << 20);
    let digest = place.publish(&bytes).await;
    let open = async || {
        place
            .blobs
            .open(&digest, None)
            .await
            .unwrap()
            .expect("published")
    };
    let size = bytes.len() as u64;
    assert_eq!(open().await.collect(size).await.unwrap(), bytes);
    let error = open().await.collect(size - 1).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { len, limit } if len == size && limit == size - 1),
        "{error:?}"
    );
}
