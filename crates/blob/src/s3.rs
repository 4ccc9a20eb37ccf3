//! Blobs in a bucket.
//!
//! Invariant: an object is acknowledged only after the server has shown it with
//! its full length; it is created, never replaced, unless the one there has a
//! wrong length. Bytes that leave are hashed on the way (whole blobs) or counted
//! (parts).
//!
//! Left out: a cache on local disk, and moving wrong objects aside: what looks
//! wrong here may be the network's fault.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt, try_unfold};
use larder_pypi::Digest;
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, RetryConfig,
};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::body::{Body, check_while_read, counted, resolve_range};
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::key;

/// Larger blobs go up in parts.
const ONE_PUT_BYTES: usize = 16 << 20;

/// Size of a part: S3 takes 10 000 of at least 5 MiB, so blobs of up to 78 GiB.
const PART_BYTES: usize = 8 << 20;

/// Parts on their way at the same time.
const PARTS_AT_ONCE: usize = 3;

/// Tries of one upload, each with the client's own retries of single requests.
const TRIES: u32 = 3;

/// Pause after the first failure, doubled after each further one.
const PAUSE: Duration = Duration::from_millis(200);

/// Looks at an object that should be there: 1.4 s in all, for servers that
/// take a moment to show it (X47).
const LOOKS: u32 = 4;

/// No byte for this long, and a download is given up.
const STALL: Duration = Duration::from_secs(30);

/// Blobs up to this size stay in memory once read: sidecars, mostly.
const KEPT_BYTES: u64 = 64 << 10;

/// Bytes kept, at most.
const CACHE_BYTES: u64 = 32 << 20;

/// A bucket, or a part of one.
#[derive(Debug)]
pub(crate) struct S3 {
    store: AmazonS3,
    prefix: String,
    kept: Cache<Digest, Bytes, ByLength>,
}

#[derive(Debug, Clone)]
struct ByLength;

impl Weighter<Digest, Bytes> for ByLength {
    fn weight(&self, _: &Digest, bytes: &Bytes) -> u64 {
        bytes.len() as u64 + 128
    }
}

impl S3 {
    /// Configured by the `AWS_*` variables. Talks to nobody yet.
    pub(crate) fn open(bucket: &str, prefix: &str) -> Result<Self> {
        Self::configured(bucket, prefix, std::env::vars())
    }

    fn configured(
        bucket: &str,
        prefix: &str,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self> {
        let mut builder = AmazonS3Builder::new()
            .with_client_options(client_options())
            .with_retry(retry())
            .with_checksum_algorithm(Checksum::SHA256);
        for (name, value) in variables.filter(|(name, _)| name.starts_with("AWS_")) {
            if let Ok(key) = name.to_ascii_lowercase().parse() {
                builder = builder.with_config(key, value);
            }
        }
        if is_plain_http(&builder) {
            builder = builder.with_allow_http(true);
        }
        let store = builder
            .with_bucket_name(bucket)
            .build()
            .map_err(Error::object_store("set up"))?;
        Ok(Self {
            store,
            prefix: prefix.to_owned(),
            kept: Cache::with_weighter(8192, CACHE_BYTES, ByLength),
        })
    }

    fn path(&self, digest: &Digest) -> Path {
        let key = key::relative(digest);
        if self.prefix.is_empty() {
            Path::from(key)
        } else {
            Path::from(format!("{}/{key}", self.prefix))
        }
    }

    /// Puts a blob there, and sees that it is. Blocks, on purpose: signing hashes
    /// whole parts, which would hold up the connections that share a thread of
    /// the runtime.
    pub(crate) fn publish(&self, digest: &Digest, bytes: Bytes) -> Result<()> {
        tokio::runtime::Handle::current().block_on(self.upload(digest, bytes))
    }

    async fn upload(&self, digest: &Digest, bytes: Bytes) -> Result<()> {
        let path = self.path(digest);
        let len = bytes.len() as u64;
        if bytes.len() > ONE_PUT_BYTES && self.len_of(&path).await? == Some(len) {
            return Ok(());
        }
        let mut mode = PutMode::Create;
        let mut failed = None;
        for attempt in 0..TRIES {
            pause(attempt).await;
            match self.put(&path, bytes.clone(), mode.clone()).await {
                Ok(()) => {}
                Err(error) if error.is_unavailable() => {
                    tracing::warn!(%digest, attempt, cause = ?error, "an upload to the object store failed");
                    failed = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            }
            match self.look_for(&path).await? {
                Some(there) if there == len => return Ok(()),
                Some(there) => {
                    tracing::error!(%digest, there, len, "an object has a wrong length and is replaced");
                    mode = PutMode::Overwrite;
                }
                None => {}
            }
        }
        Err(failed.unwrap_or_else(|| unseen(digest)))
    }

    async fn put(&self, path: &Path, bytes: Bytes, mode: PutMode) -> Result<()> {
        failpoint("blob.s3.put").map_err(Error::io("write a blob to the object store"))?;
        if bytes.len() > ONE_PUT_BYTES {
            return self
                .put_parts(path, &bytes)
                .await
                .map_err(Error::object_store("write a blob to"));
        }
        let options = PutOptions {
            mode,
            ..PutOptions::default()
        };
        match self
            .store
            .put_opts(path, PutPayload::from_bytes(bytes), options)
            .await
        {
            // Whether it is whole is looked at next.
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(Error::object_store("write a blob to")(error)),
        }
    }

    /// S3 shows the object only when it is complete. A race with another node
    /// ends well: the last one replaces the bytes by the same bytes.
    async fn put_parts(&self, path: &Path, bytes: &Bytes) -> object_store::Result<()> {
        let mut upload = self.store.put_multipart(path).await?;
        let starts = (0..bytes.len()).step_by(PART_BYTES);
        let parts = starts.map(|start| bytes.slice(start..bytes.len().min(start + PART_BYTES)));
        let sent = stream::iter(parts)
            .map(|part| upload.put_part(PutPayload::from_bytes(part)))
            .buffered(PARTS_AT_ONCE)
            .try_collect::<()>()
            .await;
        let done = match sent {
            Ok(()) => upload.complete().await.map(drop),
            Err(error) => Err(error),
        };
        if done.is_err()
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%error, "parts of a failed upload stay in the bucket until its lifecycle rule removes them");
        }
        done
    }

    /// The blob, or a part of it; `None` if there is no such object.
    pub(crate) async fn open_blob(
        &self,
        digest: &Digest,
        range: Option<&Range<u64>>,
    ) -> Result<Option<Body>> {
        if let Some(bytes) = self.kept.get(digest) {
            return Body::part_of(digest, range, &bytes).map(Some);
        }
        match range {
            None => self.open_whole(digest).await,
            Some(range) => self.open_part(digest, range).await,
        }
    }

    async fn open_whole(&self, digest: &Digest) -> Result<Option<Body>> {
        let Some(got) = self.get(digest, GetOptions::default()).await? else {
            return Ok(None);
        };
        let len = got.meta.size;
        let digest = *digest;
        let on_verdict = Box::new(move |is_right: bool| {
            if !is_right {
                tracing::error!(%digest, "the object store gave wrong bytes for a blob");
            }
        });
        let body = Body::stream(
            len,
            len,
            check_while_read(unstalled(got.into_stream()), digest, len, on_verdict),
        );
        if len > KEPT_BYTES {
            return Ok(Some(body));
        }
        let bytes = body.collect(KEPT_BYTES).await?;
        self.kept.insert(digest, bytes.clone());
        Ok(Some(Body::whole(len, bytes)))
    }

    async fn open_part(&self, digest: &Digest, range: &Range<u64>) -> Result<Option<Body>> {
        // S3 answers neither an empty range nor one beyond the end with a length.
        if range.is_empty() {
            return match self.look_for(&self.path(digest)).await? {
                Some(len) => resolve_range(digest, Some(range), len)
                    .map(|_| Some(Body::whole(len, Bytes::new()))),
                None => Ok(None),
            };
        }
        let options = GetOptions {
            range: Some(range.clone().into()),
            ..GetOptions::default()
        };
        let got = match self.get(digest, options).await {
            Ok(None) => return Ok(None),
            Ok(Some(got)) => got,
            Err(error) => {
                if let Some(len) = self.len_of(&self.path(digest)).await? {
                    resolve_range(digest, Some(range), len)?;
                }
                return Err(error);
            }
        };
        let part = resolve_range(digest, Some(range), got.meta.size)?;
        let (total, len) = (got.meta.size, part.end - part.start);
        Ok(Some(Body::stream(
            total,
            len,
            counted(unstalled(got.into_stream()), len),
        )))
    }

    /// Only blobs that a row names are asked for, so "not there" is asked again
    /// a few times before it is believed (X47).
    async fn get(
        &self,
        digest: &Digest,
        options: GetOptions,
    ) -> Result<Option<object_store::GetResult>> {
        let path = self.path(digest);
        for look in 0..LOOKS {
            pause(look).await;
            match self.store.get_opts(&path, options.clone()).await {
                Ok(got) => return Ok(Some(got)),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(Error::object_store("read a blob from")(error)),
            }
        }
        Ok(None)
    }

    async fn look_for(&self, path: &Path) -> Result<Option<u64>> {
        for look in 0..LOOKS {
            pause(look).await;
            if let Some(len) = self.len_of(path).await? {
                return Ok(Some(len));
            }
        }
        Ok(None)
    }

    async fn len_of(&self, path: &Path) -> Result<Option<u64>> {
        match self.store.head(path).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::object_store("look for a blob in")(error)),
        }
    }

    pub(crate) async fn exists(&self, digest: &Digest) -> Result<bool> {
        Ok(self.len_of(&self.path(digest)).await?.is_some())
    }

    pub(crate) async fn delete(&self, digest: &Digest) -> Result<()> {
        self.kept.remove(digest);
        match self.store.delete(&self.path(digest)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::object_store("remove a blob from")(error)),
        }
    }
}

/// Without a limit for a whole request: a large part on a slow line takes its
/// time. Reading has its own, see [`STALL`].
fn client_options() -> ClientOptions {
    ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(Duration::from_mins(5))
}

fn retry() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(2),
        base: 2.,
    };
    RetryConfig {
        backoff,
        max_retries: 3,
        retry_timeout: Duration::from_mins(1),
    }
}

/// Who writes `http://` into the endpoint means it.
fn is_plain_http(builder: &AmazonS3Builder) -> bool {
    use object_store::aws::AmazonS3ConfigKey::{Endpoint, S3Endpoint};
    let endpoint = builder
        .get_config_value(&S3Endpoint)
        .or_else(|| builder.get_config_value(&Endpoint));
    endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"))
}

/// Nothing before the first try, then 200 ms, 400 ms, 800 ms.
async fn pause(attempt: u32) {
    if attempt > 0 {
        tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
    }
}

fn unseen(digest: &Digest) -> Error {
    Error::ObjectStore {
        action: "see a blob just written to",
        is_transient: true,
        source: format!("{digest} is not shown").into(),
    }
}

/// Gives up when nothing comes for [`STALL`].
fn unstalled(
    source: BoxStream<'static, object_store::Result<Bytes>>,
) -> BoxStream<'static, Result<Bytes>> {
    let bytes = try_unfold(source, |mut source| async {
        match tokio::time::timeout(STALL, source.try_next()).await {
            Ok(Ok(next)) => Ok(next.map(|bytes| (bytes, source))),
            Ok(Err(error)) => Err(Error::object_store("read a blob from")(error)),
            Err(stalled) => Err(Error::ObjectStore {
                action: "read a blob from",
                is_transient: true,
                source: Box::new(stalled),
            }),
        }
    });
    bytes.boxed()
}

#[cfg(test)]
mod tests;
