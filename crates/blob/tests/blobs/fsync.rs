//! A disk that does not confirm a write: the process ends before it
//! acknowledges anything (X07, X08).
//!
//! A child process runs with a small C library in front of libc, made here by
//! the same compiler that links Rust programs, that lets the n-th `fsync` fail.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bytes::Bytes;
use larder_blob::{Blobs, Location};
use larder_pypi::Digest;

use crate::common::files_below;

const SHIM: &str = r#"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>

static int calls;

int fsync(int file) {
    if (++calls == atoi(getenv("FSYNC_FAILS_AT"))) {
        errno = atoi(getenv("FSYNC_ERRNO"));
        return -1;
    }
    return syscall(SYS_fsync, file);
}
"#;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

fn make_shim(dir: &Path) -> PathBuf {
    let (source, library) = (dir.join("shim.c"), dir.join("shim.so"));
    std::fs::write(&source, SHIM).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let made = Command::new(compiler)
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .status();
    assert!(made.unwrap().success());
    library
}

/// Runs [`child_publishes`] in a process whose n-th fsync fails.
fn run_child(place: &Path, fails_at: u32, errno: i32) -> Output {
    let shim = make_shim(place);
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "fsync::child_publishes",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("LARDER_TEST_CHILD", place)
        .env("LD_PRELOAD", shim)
        .env("FSYNC_FAILS_AT", fails_at.to_string())
        .env("FSYNC_ERRNO", errno.to_string())
        .output()
        .unwrap()
}

#[tokio::test]
#[ignore = "the child of the other tests"]
async fn child_publishes() {
    let Some(place) = std::env::var_os("LARDER_TEST_CHILD").map(PathBuf::from) else {
        return;
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let blobs = Blobs::at(Location::Local(place.join("data")), &place.join("spool"))
        .await
        .unwrap();
    println!("opened");
    match blobs.publish_bytes(Bytes::from_static(b"blob")).await {
        Ok(_) => println!("acknowledged"),
        Err(error) => println!("refused, no space: {}", error.is_no_space()),
    }
}

/// Folders made beforehand, so that the first fsync is the one of the spool.
async fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    Blobs::at(
        Location::Local(dir.path().join("data")),
        &dir.path().join("spool"),
    )
    .await
    .unwrap();
    dir
}

#[tokio::test]
async fn a_failed_fsync_ends_the_process_without_an_acknowledgement() {
    // the spool, sha256/, sha256/ab/, sha256/ab/cd/
    for fails_at in 1..=4 {
        let dir = prepared().await;
        let output = run_child(dir.path(), fails_at, EIO);
        let (stdout, stderr) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert_eq!(
            output.status.signal(),
            Some(6),
            "{fails_at}: {stdout}{stderr}"
        );
        assert!(
            stdout.contains("opened") && !stdout.contains("acknowledged"),
            "{fails_at}: {stdout}"
        );
        assert!(
            stderr.contains("ERROR") && stderr.contains("fsync failed"),
            "{fails_at}: {stderr}"
        );
    }
}

#[tokio::test]
async fn without_a_failure_the_child_acknowledges() {
    let dir = prepared().await;
    let output = run_child(dir.path(), 5, EIO);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains("acknowledged"),
        "{stdout}"
    );
}

#[tokio::test]
async fn a_spool_that_does_not_fit_is_given_up_and_nothing_else() {
    let dir = prepared().await;
    let output = run_child(dir.path(), 1, ENOSPC);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains("refused, no space: true"),
        "{stdout}"
    );
    let blobs = Blobs::at(
        Location::Local(dir.path().join("data")),
        &dir.path().join("spool"),
    )
    .await
    .unwrap();
    assert!(!blobs.exists(&Digest::of(b"blob")).await.unwrap());
    assert!(files_below(&dir.path().join("spool")).is_empty());
}
