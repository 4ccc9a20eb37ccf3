//! Places for blobs that tests run on, and bytes to put there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::StreamExt;
use larder_blob::{Blobs, Body, Error, Finished, Follower, Location};
use larder_pypi::Digest;
use larder_pypi::hashes::Algorithms;
use tempfile::TempDir;

/// A fresh place for blobs.
pub(crate) struct Place {
    pub(crate) blobs: Blobs,
    pub(crate) location: Location,
    dir: TempDir,
}

impl Place {
    pub(crate) async fn local() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let location = Location::Local(dir.path().join("data"));
        Self::new(dir, location).await
    }

    /// A new bucket of the server that `LARDER_TEST_S3` names; none without it,
    /// which CI does not accept.
    pub(crate) async fn s3() -> Option<Self> {
        let Ok(endpoint) = std::env::var("LARDER_TEST_S3") else {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "CI needs LARDER_TEST_S3"
            );
            println!("skipped: LARDER_TEST_S3 names no S3 server");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        // The folder's name is unique, but not a bucket's name.
        let unique = Digest::of(dir.path().as_os_str().as_encoded_bytes()).to_string();
        let bucket = format!("blobs-{}", &unique[..24]);
        make_bucket(&endpoint, &bucket);
        let location = Location::parse(&format!("s3://{bucket}/some/prefix")).unwrap();
        Some(Self::new(dir, location).await)
    }

    async fn new(dir: TempDir, location: Location) -> Self {
        let blobs = Blobs::at(location.clone(), &dir.path().join("spool"))
            .await
            .unwrap();
        Self {
            blobs,
            location,
            dir,
        }
    }

    /// The same blobs as another process would see them, with nothing in memory.
    pub(crate) async fn reopened(&self) -> Blobs {
        Blobs::at(self.location.clone(), &self.spool_dir())
            .await
            .unwrap()
    }

    pub(crate) fn spool_dir(&self) -> PathBuf {
        self.dir.path().join("spool")
    }

    /// The local file of a blob.
    pub(crate) fn path_of(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        self.dir
            .path()
            .join("data/blobs/sha256")
            .join(&hex[..2])
            .join(&hex[2..4])
            .join(hex)
    }

    pub(crate) fn spools(&self) -> Vec<PathBuf> {
        files_below(&self.spool_dir())
    }

    /// A finished spool of these bytes, given in pieces of `step`.
    pub(crate) async fn finished(&self, bytes: &[u8], step: usize) -> Finished {
        let mut spool = self.blobs.spool(Algorithms::default()).await.unwrap();
        for piece in bytes.chunks(step) {
            spool.append(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        assert_eq!(spool.len(), bytes.len() as u64);
        spool.finish().await.unwrap()
    }

    pub(crate) async fn publish(&self, bytes: &[u8]) -> Digest {
        let finished = self.finished(bytes, 100_000).await;
        self.blobs.publish(finished).await.unwrap()
    }
}

/// All files below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Bytes that look random and are the same every time.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ len as u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// What a body gives before its end or its error.
pub(crate) async fn drain(body: Body) -> (Vec<u8>, Option<Error>) {
    collect(body.into_stream()).await
}

/// What a follower gets before the end or the error.
pub(crate) async fn drain_follower(follower: Follower) -> (Vec<u8>, Option<Error>) {
    collect(follower).await
}

async fn collect(
    mut stream: impl futures_util::Stream<Item = Result<Bytes, Error>> + Unpin,
) -> (Vec<u8>, Option<Error>) {
    let mut got = Vec::new();
    loop {
        match stream.next().await {
            None => return (got, None),
            Some(Ok(bytes)) => got.extend_from_slice(&bytes),
            Some(Err(error)) => return (got, Some(error)),
        }
    }
}

/// moto asks for no signature to make a bucket.
fn make_bucket(endpoint: &str, bucket: &str) {
    let host = endpoint
        .strip_prefix("http://")
        .expect("an http:// endpoint")
        .trim_end_matches('/');
    let mut connection = TcpStream::connect(host).unwrap();
    let request = format!(
        "PUT /{bucket} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
