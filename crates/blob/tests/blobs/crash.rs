//! Stopped dead at any step of publishing, the next process finds a complete
//! blob or none, and no litter. Needs the feature `failpoints`.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{drain, files_below, noise};
use larder_blob::{Blobs, Error, Location};
use larder_pypi::Digest;
use larder_pypi::hashes::Algorithms;

async fn open(place: &Path) -> Blobs {
    Blobs::at(Location::Local(place.join("data")), &place.join("spool"))
        .await
        .unwrap()
}

fn run_child(place: &Path, points: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::child_publishes",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("LARDER_TEST_CHILD", place)
        .env("FAILPOINTS", points)
        .output()
        .unwrap()
}

#[tokio::test]
#[ignore = "the child of the other tests"]
async fn child_publishes() {
    let Some(place) = std::env::var_os("LARDER_TEST_CHILD").map(PathBuf::from) else {
        return;
    };
    let blobs = open(&place).await;
    match publish(&blobs).await {
        Ok(_) => println!("acknowledged"),
        Err(error) => println!("refused, no space: {}", error.is_no_space()),
    }
}

async fn publish(blobs: &Blobs) -> Result<Digest, Error> {
    let mut spool = blobs.spool(Algorithms::default()).await?;
    spool.append(noise(1_000_000).into()).await?;
    blobs.publish(spool.finish().await?).await
}

/// Which points are passed, the n-th time each.
const STEPS: [&str; 6] = [
    "blob.spool.append=return(abort)",
    "blob.fsync_dir=return(abort)",
    "blob.fsync_dir=1*off->return(abort)",
    "blob.fsync=return(abort)",
    "blob.link=return(abort)",
    "blob.fsync_dir=2*off->return(abort)",
];

#[tokio::test]
async fn a_process_that_dies_at_a_step_leaves_all_or_nothing() {
    for step in STEPS {
        let dir = tempfile::tempdir().unwrap();
        let before = open(dir.path()).await;
        drop(before);
        let output = run_child(dir.path(), step);
        assert_eq!(output.status.signal(), Some(6), "{step}: {output:?}");
        assert!(
            !String::from_utf8_lossy(&output.stdout).contains("acknowledged"),
            "{step}"
        );
        assert_eq!(
            files_below(&dir.path().join("spool")).len(),
            1,
            "{step}: the child had a spool"
        );

        let blobs = open(dir.path()).await;
        assert!(files_below(&dir.path().join("spool")).is_empty(), "{step}");
        let digest = Digest::of(&noise(1_000_000));
        if let Some(body) = blobs.open(&digest, None).await.unwrap() {
            let (got, error) = drain(body).await;
            assert!(error.is_none() && got == noise(1_000_000), "{step}");
            assert!(step.contains("2*off"), "{step}: linked too early");
        }
        assert_eq!(publish(&blobs).await.unwrap(), digest);
        assert!(blobs.open(&digest, None).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_full_disk_at_a_step_is_said_and_leaves_nothing() {
    for step in ["blob.spool.append", "blob.fsync", "blob.link"] {
        let dir = tempfile::tempdir().unwrap();
        let output = run_child(dir.path(), &format!("{step}=return(ENOSPC)"));
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && stdout.contains("refused, no space: true"),
            "{step}: {output:?}"
        );
        assert!(files_below(dir.path()).is_empty(), "{step}");
    }
}
