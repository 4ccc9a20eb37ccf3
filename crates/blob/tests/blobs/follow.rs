//! Followers of a spool: at their own pace, never past what may turn out
//! wrong, never to a clean end that is none.

use std::time::Duration;

use crate::common::{Place, drain_follower, noise};
use bytes::Bytes;
use futures_util::StreamExt;
use larder_blob::{Error, Follower, HOLD_BACK, Spool};
use larder_pypi::hashes::Algorithms;

/// Enough that an append is written at once, not left waiting for its batch.
const STEP: usize = 1 << 20;

async fn spool_of(place: &Place, bytes: &[u8]) -> Spool {
    let mut spool = place.blobs.spool(Algorithms::default()).await.unwrap();
    for piece in bytes.chunks(STEP) {
        spool.append(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    spool
}

/// Long enough for bytes that can be had to arrive.
const A_WHILE: Duration = Duration::from_millis(60);

/// Reads what can be had without the writer doing anything more: exactly this much.
async fn read_exactly(follower: &mut Follower, count: usize) -> Vec<u8> {
    let mut got = Vec::new();
    while got.len() < count {
        let slice = follower.next().await.expect("more to come").unwrap();
        got.extend_from_slice(&slice);
    }
    assert_eq!(got.len(), count);
    let more = tokio::time::timeout(A_WHILE, follower.next()).await;
    assert!(more.is_err(), "nothing more may come before the verdict");
    got
}

#[tokio::test]
async fn the_end_is_held_back_until_the_blob_is_published() {
    let place = Place::local().await;
    let bytes = noise(3 * STEP);
    let finished = spool_of(&place, &bytes).await;
    let (early, late) = (finished.following(), finished.following());
    let mut follower = early.follow();
    let finished = finished.finish().await.unwrap();
    let visible = bytes.len() - usize::try_from(HOLD_BACK).unwrap();
    let mut got = read_exactly(&mut follower, visible).await;
    place.blobs.publish(finished).await.unwrap();
    let (rest, error) = drain_follower(follower).await;
    got.extend(rest);
    assert!(error.is_none() && got == bytes, "{error:?}");
    assert_eq!(
        drain_follower(late.follow()).await.0,
        bytes,
        "who comes after the end gets all of it"
    );
}

#[tokio::test]
async fn bytes_can_be_had_while_they_come() {
    let place = Place::local().await;
    let bytes = noise(4 * STEP);
    let mut spool = place.blobs.spool(Algorithms::default()).await.unwrap();
    let mut follower = spool.following().follow();
    let mut got = Vec::new();
    for piece in bytes.chunks(STEP) {
        spool.append(Bytes::copy_from_slice(piece)).await.unwrap();
        let slice = follower.next().await.unwrap().unwrap();
        got.extend_from_slice(&slice);
    }
    place
        .blobs
        .publish(spool.finish().await.unwrap())
        .await
        .unwrap();
    got.extend(drain_follower(follower).await.0);
    assert_eq!(got, bytes);
}

#[tokio::test]
async fn a_body_shorter_than_the_hold_back_is_invisible_until_the_verdict() {
    let place = Place::local().await;
    let bytes = noise(usize::try_from(HOLD_BACK).unwrap());
    let spool = spool_of(&place, &bytes).await;
    let mut follower = spool.following().follow();
    let finished = spool.finish().await.unwrap();
    assert!(read_exactly(&mut follower, 0).await.is_empty());
    finished.accept();
    assert_eq!(drain_follower(follower).await.0, bytes);
}

#[tokio::test]
async fn an_empty_body_ends_cleanly_once_it_is_right() {
    let place = Place::local().await;
    let spool = spool_of(&place, b"").await;
    let mut follower = spool.following().follow();
    assert!(read_exactly(&mut follower, 0).await.is_empty());
    place
        .blobs
        .publish(spool.finish().await.unwrap())
        .await
        .unwrap();
    let (got, error) = drain_follower(follower).await;
    assert!(got.is_empty() && error.is_none());
}

#[tokio::test]
async fn a_failure_reaches_every_follower_with_its_reason_and_the_end_never_comes() {
    let place = Place::local().await;
    let bytes = noise(2 * STEP);
    for when in ["while writing", "when finished"] {
        let spool = spool_of(&place, &bytes).await;
        let following = spool.following();
        let followers = [following.follow(), following.follow()];
        if when == "while writing" {
            spool.fail(when);
        } else {
            spool.finish().await.unwrap().fail(when);
        }
        for follower in followers.into_iter().chain([following.follow()]) {
            let (got, error) = drain_follower(follower).await;
            assert!(got.len() < bytes.len());
            assert!(matches!(error, Some(Error::Failed { reason }) if &*reason == when));
        }
        assert!(place.spools().is_empty());
    }
}

#[tokio::test]
async fn a_writer_that_leaves_is_an_error_not_an_end() {
    let place = Place::local().await;
    for is_finished in [false, true] {
        for bytes in [noise(0), noise(100), noise(2 * STEP)] {
            let spool = spool_of(&place, &bytes).await;
            let following = spool.following();
            let follower = following.follow();
            if is_finished {
                drop(spool.finish().await.unwrap());
            } else {
                drop(spool);
            }
            let (got, error) = drain_follower(follower).await;
            assert!(got.is_empty() || got.len() < bytes.len());
            assert!(matches!(error, Some(Error::Abandoned)), "{error:?}");
            let (_, error) = drain_follower(following.follow()).await;
            assert!(matches!(error, Some(Error::Abandoned)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_slow_follower_reads_on_after_publishing_and_deleting() {
    let place = Place::local().await;
    let bytes = noise(3 * STEP);
    let spool = spool_of(&place, &bytes).await;
    let mut follower = spool.following().follow();
    let first = follower.next().await.unwrap().unwrap();
    let digest = place
        .blobs
        .publish(spool.finish().await.unwrap())
        .await
        .unwrap();
    place.blobs.delete(&digest).await.unwrap();
    let (rest, error) = drain_follower(follower).await;
    assert!(error.is_none() && [&first[..], &rest].concat() == bytes);
}

#[tokio::test]
async fn the_first_verdict_stands() {
    let place = Place::local().await;
    let spool = spool_of(&place, b"right").await;
    let following = spool.following();
    let finished = spool.finish().await.unwrap();
    finished.accept();
    finished.fail("too late");
    let (got, error) = drain_follower(following.follow()).await;
    assert!(got == b"right" && error.is_none());
}

#[tokio::test]
async fn a_window_gives_its_bytes_and_holds_back_its_end() {
    let place = Place::local().await;
    let bytes = noise(3 * STEP);
    let spool = spool_of(&place, &bytes).await;
    let window = |range| spool.following().follow().window(range);
    let mut inner = window(100..1_000_000);
    let (mut tiny, beyond) = (window(5..50), window(3_000_000..3 * STEP as u64 + 1));
    let (nothing, past) = (window(7..7), window(9_999_999..9_999_999));
    let finished = spool.finish().await.unwrap();
    let visible = 1_000_000 - 100 - usize::try_from(HOLD_BACK).unwrap();
    let mut got = read_exactly(&mut inner, visible).await;
    assert!(
        read_exactly(&mut tiny, 0).await.is_empty(),
        "a part is no more certain than the whole"
    );
    place.blobs.publish(finished).await.unwrap();
    got.extend(drain_follower(inner).await.0);
    assert_eq!(got, bytes[100..1_000_000]);
    assert_eq!(drain_follower(tiny).await.0, bytes[5..50]);
    let (got, error) = drain_follower(nothing).await;
    assert!(got.is_empty() && error.is_none());
    for (follower, end) in [(beyond, 3 * STEP as u64 + 1), (past, 9_999_999)] {
        let (_, error) = drain_follower(follower).await;
        assert!(
            matches!(error, Some(Error::Truncated { expected, .. }) if expected == end),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_trickle_reaches_followers_before_a_batch_is_full() {
    let place = Place::local().await;
    let mut spool = place.blobs.spool(Algorithms::default()).await.unwrap();
    let mut follower = spool.following().follow();
    spool.append(noise(100_000).into()).await.unwrap();
    let waited = tokio::time::timeout(A_WHILE, follower.next()).await;
    assert!(waited.is_err(), "one piece waits for its batch");
    spool.append(Bytes::from_static(b".")).await.unwrap();
    let slice = follower.next().await.unwrap().unwrap();
    assert_eq!(slice.len() as u64, 100_001 - HOLD_BACK);
}
