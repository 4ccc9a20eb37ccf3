//! Bringing the bytes of a mirrored file: once, however many clients wait.
//!
//! The first client starts a background fetch into a spool; every client,
//! the first too, follows the spool at its own pace. The end of the body is
//! held back until length and hashes agree with the upstream's page (C: a
//! wrong body is never complete); then the blob is published, and the row is
//! written that makes it count as cached.
//!
//! Invariants: one upstream request per file at a time; a client that leaves
//! ends nothing; a failure reaches every follower as an error.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use larder_blob::{Finished, Following, Spool};
use larder_pypi::hashes::Algorithms;
use larder_pypi::simple::PageFile;
use larder_pypi::{Digest, ProjectName, archive, filename};
use larder_store::{FileRole, NewFile};
use larder_upstream::FileAnswer;
use quick_cache::sync::Cache;
use tokio::sync::watch;
use url::Url;

use crate::directory::Index;
use crate::error::{Error, Kind, error_chain};
use crate::failpoint::reach;
use crate::file_path::FilePath;
use crate::mirror_refresh::{endpoint, still_mirrors};
use crate::{App, Result};

/// What is to be fetched.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) index: Arc<Index>,
    pub(crate) project: ProjectName,
    pub(crate) path: FilePath,
    /// As the upstream's page has it: URL, hashes, size.
    pub(crate) entry: PageFile,
}

type Key = (i64, FilePath);

/// Largest file whose upstream does not say how large it is, in bytes.
const MAX_FILE_BYTES: u64 = 16 << 30;
/// How long a file that came wrong is not asked for again.
const WRONG_FOR: Duration = Duration::from_mins(1);
/// Files that came wrong and are remembered.
const MAX_WRONG: usize = 1000;

/// The fetches under way, and the files that came wrong a moment ago.
#[derive(Debug)]
pub(crate) struct Fetches {
    running: Mutex<HashMap<Key, watch::Receiver<State>>>,
    wrong: Cache<Key, (String, String, Duration)>,
}

impl Default for Fetches {
    fn default() -> Self {
        Self {
            running: Mutex::default(),
            wrong: Cache::new(MAX_WRONG),
        }
    }
}

/// How far a fetch has come.
#[derive(Debug, Clone)]
enum State {
    /// The upstream has not answered yet.
    Asking,
    /// It was here already: somebody else's fetch ended a moment ago.
    Cached(Digest),
    /// Bytes are coming, or have all come.
    Streaming(Stream),
    /// There will be no bytes.
    Refused(Arc<Error>),
}

/// What a fetch came to.
#[derive(Debug, Clone)]
pub(crate) enum Fetched {
    /// The blob is here.
    Cached(Digest),
    /// The bytes are on their way.
    Streaming(Stream),
}

/// A body that can be followed from its beginning.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    /// Bytes in all, if the upstream or its page says so.
    pub(crate) len: Option<u64>,
    pub(crate) following: Following,
}

impl App {
    /// Joins the fetch of a file, or starts it, and waits until bytes come or
    /// the upstream refuses.
    pub(crate) async fn fetch(&self, wanted: Wanted) -> Result<Fetched> {
        let mut state = self.join_fetch(wanted);
        loop {
            match &*state.borrow_and_update() {
                State::Asking => {}
                State::Cached(digest) => return Ok(Fetched::Cached(*digest)),
                State::Streaming(stream) => return Ok(Fetched::Streaming(stream.clone())),
                State::Refused(error) => return Err(error.for_another()),
            }
            if state.changed().await.is_err() {
                return Err(Error::internal(std::io::Error::other(
                    "a fetch ended without a word",
                )));
            }
        }
    }

    fn join_fetch(&self, wanted: Wanted) -> watch::Receiver<State> {
        let key = (wanted.index.id, wanted.path.clone());
        let mut running = self
            .fetches
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = running.get(&key) {
            return state.clone();
        }
        let (report, state) = watch::channel(State::Asking);
        running.insert(key.clone(), state.clone());
        drop(running);
        self.metrics.files_fetched.increment();
        let app = self.clone();
        self.tasks.spawn(async move {
            let landing = Landing { app, key };
            if let Err(error) = landing.app.run_fetch(&wanted, &report).await {
                tracing::warn!(index = %wanted.index.name, file = %wanted.path.filename, error = %error_chain(&error), "fetching a file failed");
                report.send_if_modified(|state| {
                    let asking = matches!(state, State::Asking);
                    if asking {
                        *state = State::Refused(Arc::new(error));
                    }
                    asking
                });
            }
        });
        state
    }

    async fn run_fetch(&self, wanted: &Wanted, report: &watch::Sender<State>) -> Result<()> {
        if let Some(digest) = self.arrived(wanted).await? {
            report.send_replace(State::Cached(digest));
            return Ok(());
        }
        if let Some(error) = self.fetches.known_wrong(wanted, self.clock.elapsed()) {
            return Err(error);
        }
        let url = Url::parse(&wanted.entry.url).map_err(Error::internal)?;
        let answer = self
            .upstreams
            .open_file(&endpoint(&wanted.index)?, &url, None)
            .await
            .map_err(file_error)?;
        let len = agreed_length(wanted, &answer)?;
        let mut spool = self.blobs.spool(algorithms(&wanted.entry)).await?;
        report.send_replace(State::Streaming(Stream {
            len,
            following: spool.following(),
        }));
        reach("app.fetch.streaming");
        let last_modified = answer.last_modified.clone();
        if let Err(error) = self.receive(wanted, answer, &mut spool).await {
            spool.fail(error.message());
            return Err(error);
        }
        let finished = spool.finish().await?;
        if let Err(error) = verify(wanted, &finished) {
            finished.fail(error.message());
            self.fetches
                .remember_wrong(wanted, &error, self.clock.elapsed());
            return Err(error);
        }
        // The bytes are right: who follows them need not wait for the storage.
        finished.accept();
        self.keep(wanted, finished, last_modified).await
    }

    /// The blob, if the row was written since the caller looked.
    async fn arrived(&self, wanted: &Wanted) -> Result<Option<Digest>> {
        let (id, path) = (wanted.index.id, &wanted.path);
        let mut tx = self.store.read().await?;
        let row = tx
            .find_file(id, path.area, &path.dir, &path.filename)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(self.blobs.exists(&row.digest).await?.then_some(row.digest))
    }

    async fn receive(&self, wanted: &Wanted, answer: FileAnswer, spool: &mut Spool) -> Result<()> {
        let limit = wanted.entry.size.unwrap_or(MAX_FILE_BYTES);
        let mut body = answer.body;
        loop {
            let chunk = if let Some(chunk) = body.next().now_or_never() {
                chunk
            } else {
                // The upstream pauses: who waits gets what came so far.
                spool.flush().await?;
                tokio::select! {
                    chunk = body.next() => chunk,
                    () = self.tasks.stopping() => return Err(stopping()),
                }
            };
            let Some(chunk) = chunk else { return Ok(()) };
            spool.append(chunk?).await?;
            if spool.len() > limit {
                return Err(wrong(wanted, "is longer than its upstream's page says"));
            }
        }
    }

    /// Publishes the blob and writes the row that makes the file count as cached.
    async fn keep(
        &self,
        wanted: &Wanted,
        finished: Finished,
        last_modified: Option<String>,
    ) -> Result<()> {
        let computed = finished.computed().clone();
        let sidecar = self.extract_sidecar(wanted, &finished).await;
        reach("app.fetch.verified");
        let digest = self.blobs.publish(finished).await?;
        reach("app.fetch.published");
        let metadata_digest = match sidecar {
            Some(bytes) => Some(self.blobs.publish_bytes(bytes.into()).await?),
            None => None,
        };
        let mut hashes = computed.hashes;
        for (algorithm, hex) in wanted.entry.hashes.iter() {
            hashes.insert(algorithm, hex);
        }
        let row = NewFile {
            index_id: wanted.index.id,
            project: wanted.project.clone(),
            version: version_of(wanted),
            filename: wanted.path.filename.clone(),
            kind: FileRole::Release,
            area: wanted.path.area,
            dir: wanted.path.dir.clone(),
            digest,
            size: computed.len,
            hashes,
            requires_python: wanted.entry.requires_python.clone(),
            yanked: None,
            metadata_digest,
            uploaded: self.clock.now(),
            last_modified,
            url: Some(wanted.entry.url.clone()),
            log: Vec::new(),
        };
        let mut tx = self.store.write().await?;
        if !still_mirrors(&mut tx, &wanted.index).await? {
            return Ok(());
        }
        tx.insert_cached_file(row, self.clock.now()).await?;
        reach("app.fetch.before_commit");
        tx.commit().await?;
        tracing::info!(index = %wanted.index.name, file = %wanted.path.filename, size_bytes = computed.len, "file cached");
        Ok(())
    }

    /// The wheel's METADATA, so that its sidecar outlives the upstream's
    /// (S-28). A wheel that cannot be read is cached all the same.
    async fn extract_sidecar(&self, wanted: &Wanted, finished: &Finished) -> Option<Vec<u8>> {
        let parsed = filename::parse(&wanted.path.filename, Some(&wanted.project)).ok()?;
        if parsed.kind != filename::FileKind::Wheel {
            return None;
        }
        let file = finished.reader().ok()?;
        let read = tokio::task::spawn_blocking(move || {
            archive::read_wheel(std::io::BufReader::new(file), &parsed)
        });
        read.await.ok()?.ok().map(|artifact| artifact.metadata)
    }
}

/// Takes the fetch out of the table, also when it panics.
struct Landing {
    app: App,
    key: Key,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.app
            .fetches
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

fn stopping() -> Error {
    Error::new(
        Kind::Unavailable,
        "the server is stopping; try again in a moment",
    )
}

/// An upstream that does not have the file any more is a "not found" (devpi: 7.6).
fn file_error(error: larder_upstream::Error) -> Error {
    if error.is_missing() {
        return Error::not_found("the upstream no longer has this file").because(error);
    }
    error.into()
}

/// The length to announce; a disagreement is found before the first byte is sent.
fn agreed_length(wanted: &Wanted, answer: &FileAnswer) -> Result<Option<u64>> {
    match (wanted.entry.size, answer.len) {
        (Some(page), Some(header)) if page != header => Err(wrong(
            wanted,
            "has another length than its upstream's page says",
        )),
        (None, Some(header)) if header > MAX_FILE_BYTES => {
            Err(wrong(wanted, "is larger than any file that is taken"))
        }
        (page, header) => Ok(page.or(header)),
    }
}

/// The hashes needed to check what the page announces.
fn algorithms(entry: &PageFile) -> Algorithms {
    let mut algorithms = Algorithms::default();
    for (name, _) in entry.hashes.iter() {
        algorithms.add(name);
    }
    algorithms
}

/// F-05: size and every announced hash agree, or nothing counts as cached.
fn verify(wanted: &Wanted, finished: &Finished) -> Result<()> {
    let computed = finished.computed();
    if wanted.entry.size.is_some_and(|size| size != computed.len) {
        return Err(wrong(wanted, "is shorter than its upstream's page says"));
    }
    for (algorithm, announced) in wanted.entry.hashes.iter() {
        if computed.hex(algorithm).is_some_and(|hex| hex != announced) {
            return Err(wrong(
                wanted,
                &format!("does not have the {algorithm} that its upstream's page says"),
            ));
        }
    }
    Ok(())
}

fn wrong(wanted: &Wanted, what: &str) -> Error {
    Error::new(
        Kind::Upstream,
        format!("the file {} {what}", wanted.path.filename),
    )
}

pub(crate) fn version_of(wanted: &Wanted) -> String {
    filename::parse(&wanted.path.filename, Some(&wanted.project))
        .map(|parsed| parsed.version)
        .unwrap_or_default()
}

impl Fetches {
    /// Why this file, from this address, is not asked for just now.
    fn known_wrong(&self, wanted: &Wanted, now: Duration) -> Option<Error> {
        let key = (wanted.index.id, wanted.path.clone());
        let (url, message, until) = self.wrong.get(&key)?;
        let counts = now < until && url == wanted.entry.url;
        counts.then(|| Error::new(Kind::Upstream, message))
    }

    fn remember_wrong(&self, wanted: &Wanted, error: &Error, now: Duration) {
        let key = (wanted.index.id, wanted.path.clone());
        let reason = (
            wanted.entry.url.clone(),
            error.message().to_owned(),
            now.saturating_add(WRONG_FOR),
        );
        self.wrong.insert(key, reason);
    }

    /// Waits until the fetch of a file, if one is under way, has left the table.
    pub(crate) async fn landed(&self, index_id: i64, path: &FilePath) {
        let running = {
            let table = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            table.get(&(index_id, path.clone())).cloned()
        };
        if let Some(mut state) = running {
            // The sender lives as long as the fetch.
            while state.changed().await.is_ok() {}
        }
    }
}
