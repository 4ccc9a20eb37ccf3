//! Bytes in flight: a file that is written, hashed and followed at once, and
//! not a blob yet.
//!
//! Invariant: a spool's file is removed when the spool goes, however it goes;
//! what a killed process leaves behind is removed by the next one. Blobs keep
//! their bytes by a link of their own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use larder_pypi::hashes::{Algorithms, Computed, Hasher};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::follow::{Following, Report, report_on};
use crate::map::Map;

/// Bytes written and hashed in one go.
const BATCH_BYTES: usize = 512 << 10;

/// Pieces written in one go, should they be tiny. Below the kernel's limit for one call.
const BATCH_PIECES: usize = 512;

/// Bytes wait for their batch no longer than this while more are arriving, so
/// that a slow upstream still feeds its followers.
const BATCH_TIME: Duration = Duration::from_millis(50);

/// Space that spools leave free on a disk, so that the database can still
/// record (X11); a twentieth of a disk smaller than 1.25 GiB.
const RESERVE_BYTES: u64 = 64 << 20;

/// The names of our spools start like this; nothing else is ever cleaned up.
const NAME_START: &str = "spool-";

/// Bytes on their way in. Made by [`Blobs::spool`](crate::Blobs::spool).
///
/// Dropped without [`Spool::finish`], the bytes are gone, and whoever follows
/// them gets an error.
#[derive(Debug)]
pub struct Spool {
    file: SpoolFile,
    report: Report,
    following: Following,
    writer: Option<Lane>,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    last_batch: Instant,
    len: u64,
}

/// A complete spool, ready for [`Blobs::publish`](crate::Blobs::publish).
///
/// Dropped without, the bytes are gone, and whoever follows them gets an error.
#[derive(Debug)]
pub struct Finished {
    pub(crate) file: SpoolFile,
    pub(crate) computed: Computed,
    pub(crate) report: Report,
}

/// The file of a spool; unlinked on drop. Locked while its process lives.
#[derive(Debug)]
pub(crate) struct SpoolFile {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<File>,
}

/// The writer is here, or away with a batch.
#[derive(Debug)]
enum Lane {
    Idle(Box<Writer>),
    Away(JoinHandle<Result<Box<Writer>>>),
}

struct Writer {
    file: Arc<File>,
    report: Report,
    hasher: Hasher,
    written: u64,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} bytes)", self.written)
    }
}

impl Spool {
    pub(crate) fn new(file: SpoolFile, algorithms: Algorithms) -> Self {
        let (report, following) = report_on(Arc::clone(&file.file));
        let writer = Writer {
            file: Arc::clone(&file.file),
            report: report.clone(),
            hasher: Hasher::new(algorithms),
            written: 0,
        };
        Self {
            file,
            report,
            following,
            writer: Some(Lane::Idle(Box::new(writer))),
            waiting: Vec::new(),
            waiting_bytes: 0,
            last_batch: Instant::now(),
            len: 0,
        }
    }

    /// Adds bytes. They are written and hashed in the background, one batch at
    /// a time; an error may come with a later call than the bytes it is about.
    /// After an error, or when a call was given up half-way, the spool is of no use.
    pub async fn append(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.len += bytes.len() as u64;
        self.waiting_bytes += bytes.len();
        self.waiting.push(bytes);
        let is_full = self.waiting_bytes >= BATCH_BYTES || self.waiting.len() >= BATCH_PIECES;
        if is_full || self.last_batch.elapsed() >= BATCH_TIME {
            self.send_batch().await?;
        }
        Ok(())
    }

    /// Writes what was added so far without waiting for more: called when the
    /// source pauses, so that followers get all that came before the pause.
    pub async fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.send_batch().await
    }

    /// Bytes added so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Nothing was added so far.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lets others read the bytes while they arrive.
    pub fn following(&self) -> Following {
        self.following.clone()
    }

    /// Tells the followers that the rest will not come, or that the bytes are wrong.
    /// The reason may reach a log, and must hold no secret.
    pub fn fail(self, reason: &str) {
        self.report.fail(reason);
    }

    /// All bytes were added: writes the last of them, and computes the hashes.
    /// Followers still wait for the verdict.
    pub async fn finish(mut self) -> Result<Finished> {
        if !self.waiting.is_empty() {
            self.send_batch().await?;
        }
        let writer = self.writer_back().await?;
        Ok(Finished {
            file: self.file,
            computed: writer.hasher.finish(),
            report: self.report,
        })
    }

    async fn send_batch(&mut self) -> Result<()> {
        let writer = self.writer_back().await?;
        let batch = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        self.last_batch = Instant::now();
        self.writer = Some(Lane::Away(tokio::task::spawn_blocking(move || {
            writer.write(&batch)
        })));
        Ok(())
    }

    async fn writer_back(&mut self) -> Result<Box<Writer>> {
        match self.writer.take() {
            Some(Lane::Idle(writer)) => Ok(writer),
            Some(Lane::Away(handle)) => match handle.await {
                Ok(writer) => writer,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Err(Error::Abandoned),
                },
            },
            // An earlier call failed or was given up half-way.
            None => Err(Error::Abandoned),
        }
    }
}

impl Writer {
    fn write(mut self: Box<Self>, batch: &[Bytes]) -> Result<Box<Self>> {
        let action = Error::io("write a spool");
        self.write_all(batch).map_err(action)?;
        self.written += batch.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        // Followers need not wait for the hashes of what they may have already.
        self.report.written(self.written);
        for bytes in batch {
            self.hasher.update(bytes);
        }
        Ok(self)
    }

    fn write_all(&self, batch: &[Bytes]) -> io::Result<()> {
        failpoint("blob.spool.append")?;
        refuse_full_disk(&self.file)?;
        let mut slices: Vec<_> = batch.iter().map(|bytes| IoSlice::new(bytes)).collect();
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            match (&*self.file).write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn refuse_full_disk(file: &File) -> io::Result<()> {
    let disk = rustix::fs::fstatvfs(file)?;
    let reserve = RESERVE_BYTES.min(disk.f_blocks.saturating_mul(disk.f_frsize) / 20);
    if disk.f_bavail.saturating_mul(disk.f_frsize) < reserve {
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(())
}

impl Finished {
    /// The hashes and the length of the bytes.
    pub fn computed(&self) -> &Computed {
        &self.computed
    }

    /// The bytes from the beginning, for checks before publishing. Each reader
    /// has a position of its own.
    pub fn reader(&self) -> Result<File> {
        File::open(&self.file.path).map_err(Error::io("open a spool"))
    }

    /// The bytes are right: lets the followers have the end before the bytes are
    /// published. Publishing says so too.
    pub fn accept(&self) {
        self.report.accept();
    }

    /// Tells the followers that the bytes are wrong, and throws the bytes away.
    /// The reason may reach a log, and must hold no secret.
    pub fn fail(self, reason: &str) {
        self.report.fail(reason);
    }
}

impl SpoolFile {
    /// A new, empty file that only this user can read.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{NAME_START}{}-{number}", std::process::id()));
            let made = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path);
            match made {
                Ok(file) => {
                    let file = Self {
                        path,
                        file: Arc::new(file),
                    };
                    file.file.lock().map_err(Error::io("lock a spool"))?;
                    return Ok(file);
                }
                // Another process had our number, and its spool is still there.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => {
                    return Err(Error::Io {
                        action: "make a spool",
                        source,
                    });
                }
            }
        }
    }

    /// All its bytes, mapped, not read. Blocks.
    pub(crate) fn bytes(&self, len: u64) -> Result<Bytes> {
        if len == 0 {
            return Ok(Bytes::new());
        }
        Map::new(&self.file, len)
            .map(Map::into_bytes)
            .map_err(Error::io("map a spool"))
    }

    pub(crate) fn write_all(&self, bytes: &Bytes) -> Result<()> {
        let writing = refuse_full_disk(&self.file).and_then(|()| (&*self.file).write_all(bytes));
        writing.map_err(Error::io("write a spool"))
    }
}

impl Drop for SpoolFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a spool cannot be removed");
        }
    }
}

/// A spool in `folder`, made where it may block.
pub(crate) async fn new_spool(folder: PathBuf, algorithms: Algorithms) -> Result<Spool> {
    let file = blocking(move || SpoolFile::create(&folder)).await?;
    Ok(Spool::new(file, algorithms))
}

/// Removes the spools of processes that are gone. A living process holds a lock on each of its own.
pub(crate) fn remove_leftovers(folder: &Path) -> Result<()> {
    let action = || Error::io("clean the spool folder");
    for entry in fs::read_dir(folder).map_err(action())? {
        let entry = entry.map_err(action())?;
        if !entry.file_name().to_str().is_some_and(is_spool_name) {
            continue;
        }
        let path = entry.path();
        if is_abandoned(&path) {
            fs::remove_file(&path).map_err(action())?;
            tracing::info!(path = %path.display(), "removed a spool that an earlier process left");
        }
    }
    Ok(())
}

/// What cannot be opened is left alone.
fn is_abandoned(path: &Path) -> bool {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(rustix_nofollow())
        .open(path);
    opened.is_ok_and(|file| {
        file.metadata().is_ok_and(|meta| meta.is_file()) && file.try_lock().is_ok()
    })
}

/// Never through a link to somewhere else.
fn rustix_nofollow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

fn is_spool_name(name: &str) -> bool {
    let Some((process, number)) = name
        .strip_prefix(NAME_START)
        .and_then(|rest| rest.split_once('-'))
    else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number(process) && is_number(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_spools() {
        assert!(is_spool_name("spool-1-0") && is_spool_name("spool-4294967-12"));
        for other in [
            "spool-",
            "spool-1",
            "spool-1-",
            "spool--1",
            "spool-1-0.txt",
            "spool-a-1",
            "x",
            "spool-1-0-1",
        ] {
            assert!(!is_spool_name(other), "{other}");
        }
    }
}
