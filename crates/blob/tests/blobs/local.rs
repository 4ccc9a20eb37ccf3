//! What only a folder can show: layout, permissions, leftovers, and bytes that
//! somebody changed behind our back.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{Place, drain, files_below, noise};
use bytes::Bytes;
use futures_util::StreamExt;
use larder_blob::{Blobs, Error, Location};
use larder_pypi::Digest;
use larder_pypi::hashes::Algorithms;

/// One of each way to serve: copied, mapped, sliced, checked while it is sent.
const SIZES: [usize; 4] = [1000, 1 << 20, 5 << 20, 20 << 20];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn files_and_folders_are_for_this_user_only() {
    let place = Place::local().await;
    let spool = place.blobs.spool(Algorithms::default()).await.unwrap();
    assert_eq!(mode(&place.spools()[0]), 0o600);
    drop(spool);
    let digest = place.publish(b"private").await;
    let path = place.path_of(&digest);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&place.spool_dir()), 0o700);
    for folder in path
        .ancestors()
        .skip(1)
        .take_while(|folder| !folder.ends_with("data"))
    {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    assert_eq!(
        fs::metadata(&path).unwrap().nlink(),
        1,
        "the spool's name is gone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_publishers_of_one_digest_leave_exactly_one_file() {
    let place = Place::local().await;
    let bytes = noise(300_000);
    let mut finished = Vec::new();
    for _ in 0..32 {
        finished.push(place.finished(&bytes, 64_000).await);
    }
    // Also through handles that know nothing of each other, as two processes would.
    let other = place.reopened().await;
    let published = finished.into_iter().enumerate().map(|(i, finished)| {
        if i % 2 == 0 {
            place.blobs.publish(finished)
        } else {
            other.publish(finished)
        }
    });
    for digest in futures_util::future::join_all(published).await {
        assert_eq!(digest.unwrap(), Digest::of(&bytes));
    }
    let path = place.path_of(&Digest::of(&bytes));
    assert_eq!(
        files_below(&path.ancestors().nth(4).unwrap().join("sha256")),
        std::slice::from_ref(&path)
    );
    assert_eq!(fs::read(path).unwrap(), bytes);
}

#[tokio::test]
async fn an_existing_blob_keeps_its_file_and_gets_a_new_age() {
    let place = Place::local().await;
    let digest = place.publish(b"twice").await;
    let path = place.path_of(&digest);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let before = fs::metadata(&path).unwrap();
    place.publish(b"twice").await;
    let after = fs::metadata(&path).unwrap();
    assert_eq!(before.ino(), after.ino());
    assert_eq!(before.mtime(), 0);
    assert!(after.mtime() > 1_500_000_000, "{}", after.mtime());
    let body = place
        .blobs
        .open(&digest, None)
        .await
        .unwrap()
        .expect("published");
    assert_eq!(drain(body).await.0, b"twice");
}

#[tokio::test]
async fn spools_of_the_dead_are_removed_and_nothing_else_is() {
    let place = Place::local().await;
    let alive = place.blobs.spool(Algorithms::default()).await.unwrap();
    let living = place.spools();
    let dir = place.spool_dir();
    let strangers = ["notes.txt", "spool-x-1", "spool-1-1.bak"];
    for name in strangers
        .iter()
        .chain(&["spool-999999-0", "spool-999999-17"])
    {
        fs::write(dir.join(name), "left").unwrap();
    }
    std::os::unix::fs::symlink(dir.join("notes.txt"), dir.join("spool-999999-18")).unwrap();
    place.reopened().await;
    let mut expected: Vec<_> = strangers
        .iter()
        .map(|name| dir.join(name))
        .chain(living)
        .collect();
    expected.push(dir.join("spool-999999-18"));
    expected.sort();
    let mut left = place.spools();
    left.sort();
    assert_eq!(left, expected);
    drop(alive);
}

type Breakage = (&'static str, fn(&Path));

/// Ways to break a blob's file.
const BREAKAGES: [Breakage; 4] = [
    ("a flipped bit", |path| {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, 500).unwrap();
        file.write_all_at(&[byte[0] ^ 1], 500).unwrap();
    }),
    ("a cut end", |path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() - 1).unwrap();
    }),
    ("one byte more", |path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() + 1).unwrap();
    }),
    ("nothing left", |path| fs::write(path, b"").unwrap()),
];

#[tokio::test]
async fn broken_files_are_never_completed_and_go_to_quarantine() {
    for size in SIZES {
        for (what, break_file) in BREAKAGES {
            for range in [None, Some(10..20)] {
                let place = Place::local().await;
                let bytes = noise(size);
                let digest = place.publish(&bytes).await;
                break_file(&place.path_of(&digest));
                let blobs = place.reopened().await;
                let (got, error) = match blobs.open(&digest, range).await {
                    Ok(body) => drain(body.expect("there")).await,
                    Err(error) => (Vec::new(), Some(error)),
                };
                assert!(
                    matches!(error, Some(Error::Corrupt { digest: named }) if named == digest),
                    "{what}, {size}: {error:?}"
                );
                // One byte less is held back of a file that is one byte longer.
                assert!(
                    got.is_empty() || got.len() + 65_535 <= size,
                    "{what}, {size}: {}",
                    got.len()
                );
                assert_recovers(&place, &blobs, &bytes).await;
            }
        }
    }
}

/// After a breakage was found the blob is missing, kept aside, and can be published anew.
async fn assert_recovers(place: &Place, blobs: &Blobs, bytes: &[u8]) {
    let digest = Digest::of(bytes);
    assert!(blobs.open(&digest, None).await.unwrap().is_none());
    let home = place
        .path_of(&digest)
        .ancestors()
        .nth(4)
        .unwrap()
        .to_owned();
    let aside = home.join("quarantine").join(digest.to_string());
    assert_eq!(files_below(&home.join("quarantine")), [aside]);
    assert_eq!(place.publish(bytes).await, digest);
    let body = blobs
        .open(&digest, None)
        .await
        .unwrap()
        .expect("published again");
    let (got, error) = drain(body).await;
    assert!(error.is_none() && got == bytes);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_in_demand_is_noticed() {
    for size in [1000, 1 << 20, 5 << 20] {
        for (what, break_file) in BREAKAGES {
            let place = Place::local().await;
            let digest = place.publish(&noise(size)).await;
            for _ in 0..3 {
                let body = place
                    .blobs
                    .open(&digest, Some(0..10))
                    .await
                    .unwrap()
                    .expect("published");
                assert_eq!(drain(body).await.0, noise(size)[..10]);
            }
            break_file(&place.path_of(&digest));
            // Kept bytes are trusted for a second without a look at the file; until then they may be served.
            let broken = Instant::now();
            let error = loop {
                assert!(
                    broken.elapsed() < Duration::from_secs(10),
                    "{what}, {size}: served as if right"
                );
                match place.blobs.open(&digest, Some(0..10)).await {
                    Ok(body) => drop(body.expect("not missing before it is found wrong")),
                    Err(error) => break error,
                }
            };
            assert!(
                matches!(error, Error::Corrupt { .. }),
                "{what}, {size}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_large_file_cut_while_it_is_sent_ends_in_an_error() {
    let place = Place::local().await;
    let digest = place.publish(&noise(8 << 20)).await;
    let body = place
        .blobs
        .open(&digest, None)
        .await
        .unwrap()
        .expect("published");
    let mut stream = body.into_stream();
    stream.next().await.unwrap().unwrap();
    let file = OpenOptions::new()
        .write(true)
        .open(place.path_of(&digest))
        .unwrap();
    file.set_len(5 << 20).unwrap();
    let rest: Vec<_> = stream.collect().await;
    assert!(matches!(rest.last(), Some(Err(Error::Corrupt { .. }))));
}

#[tokio::test]
async fn publishing_over_a_broken_file_puts_the_right_bytes_there() {
    for (_, break_file) in BREAKAGES {
        let place = Place::local().await;
        let bytes = noise(100_000);
        let digest = place.publish(&bytes).await;
        break_file(&place.path_of(&digest));
        place
            .reopened()
            .await
            .publish_bytes(Bytes::from(bytes.clone()))
            .await
            .unwrap();
        assert_eq!(fs::read(place.path_of(&digest)).unwrap(), bytes);
    }
}

#[tokio::test]
async fn spools_and_blobs_on_two_file_systems_are_refused_at_the_start() {
    let shm = Path::new("/dev/shm");
    let here = tempfile::tempdir().unwrap();
    let is_other = shm
        .metadata()
        .is_ok_and(|meta| meta.dev() != here.path().metadata().unwrap().dev());
    if !is_other {
        println!("skipped: there is no second file system here");
        return;
    }
    let there = tempfile::tempdir_in(shm).unwrap();
    let error = Blobs::at(Location::Local(here.path().join("data")), there.path())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::OtherFilesystem { .. }));
    assert!(error.to_string().contains("same"), "{error}");
}
