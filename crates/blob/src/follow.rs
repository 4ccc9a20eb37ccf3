//! Reading bytes that are still arriving.
//!
//! A follower reads the spool file itself, from its beginning, at its own
//! pace, however late it comes and also after the file has become a blob.
//!
//! Invariant: before the writer's verdict no follower gets the last
//! [`HOLD_BACK`] bytes of what it asked for, so a client never completes a
//! body that turns out wrong (reliability contract, "mirror streaming"). A bad
//! verdict, and a writer that leaves without one, is an error, never an end.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt, try_unfold};
use tokio::sync::watch;

use crate::blocking::{READ_BYTES, blocking, read_at};
use crate::error::{Error, Result};

/// Bytes a follower waits for until the verdict. A shorter body is invisible until then.
pub const HOLD_BACK: u64 = 64 << 10;

/// How far the writer is.
#[derive(Debug, Clone)]
struct Progress {
    written: u64,
    verdict: Option<Verdict>,
}

#[derive(Debug, Clone)]
enum Verdict {
    Right,
    Wrong(Arc<str>),
}

/// The writer's end.
#[derive(Debug, Clone)]
pub(crate) struct Report(Arc<watch::Sender<Progress>>);

/// Bytes that can be followed from their beginning, by any number of readers.
#[derive(Clone)]
pub struct Following {
    file: Arc<File>,
    progress: watch::Receiver<Progress>,
}

/// One reader's way through the bytes: a stream that ends only after the last
/// right byte.
pub struct Follower {
    following: Following,
    bytes: BoxStream<'static, Result<Bytes>>,
}

/// Starts a report on this file, which is empty as yet.
pub(crate) fn report_on(file: Arc<File>) -> (Report, Following) {
    let (sender, progress) = watch::channel(Progress {
        written: 0,
        verdict: None,
    });
    (Report(Arc::new(sender)), Following { file, progress })
}

impl Report {
    /// This many bytes are in the file now.
    pub(crate) fn written(&self, written: u64) {
        self.0.send_modify(|progress| progress.written = written);
    }

    /// All bytes are there, and they are right.
    pub(crate) fn accept(&self) {
        self.settle(Verdict::Right);
    }

    /// The bytes are wrong, or the rest will not come.
    pub(crate) fn fail(&self, reason: &str) {
        self.settle(Verdict::Wrong(reason.into()));
    }

    /// The first verdict stands: bytes that were given away cannot be called back.
    fn settle(&self, verdict: Verdict) {
        self.0.send_if_modified(|progress| {
            let is_first = progress.verdict.is_none();
            progress.verdict.get_or_insert(verdict);
            is_first
        });
    }
}

impl Following {
    /// Follows from the first byte to the last.
    pub fn follow(&self) -> Follower {
        self.start(0, None)
    }

    fn start(&self, at: u64, end: Option<u64>) -> Follower {
        let pace = Pace {
            file: Arc::clone(&self.file),
            progress: self.progress.clone(),
            at,
            end,
        };
        let bytes = try_unfold(pace, |mut pace| async {
            let slice = pace.next().await?;
            Ok(slice.map(|slice| (slice, pace)))
        });
        Follower {
            following: self.clone(),
            bytes: bytes.boxed(),
        }
    }
}

impl Follower {
    /// Only these bytes of the body; an error if it turns out to end before
    /// them. Their end, too, is held back until the verdict.
    pub fn window(self, range: Range<u64>) -> Self {
        self.following
            .start(range.start, Some(range.end.max(range.start)))
    }
}

struct Pace {
    file: Arc<File>,
    progress: watch::Receiver<Progress>,
    at: u64,
    end: Option<u64>,
}

enum Step {
    Read(u64),
    Done,
    Wait,
}

impl Pace {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let progress = self.progress.borrow_and_update().clone();
            match self.step(&progress)? {
                Step::Read(len) => return self.read(len).await.map(Some),
                Step::Done => return Ok(None),
                Step::Wait => self
                    .progress
                    .changed()
                    .await
                    .map_err(|_| Error::Abandoned)?,
            }
        }
    }

    fn step(&self, progress: &Progress) -> Result<Step> {
        let limit = match &progress.verdict {
            Some(Verdict::Wrong(reason)) => {
                return Err(Error::Failed {
                    reason: Arc::clone(reason),
                });
            }
            Some(Verdict::Right) => match self.end {
                Some(expected) if expected > progress.written => {
                    return Err(Error::Truncated {
                        got: progress.written,
                        expected,
                    });
                }
                end => end.unwrap_or(progress.written),
            },
            None => self
                .end
                .unwrap_or(u64::MAX)
                .min(progress.written)
                .saturating_sub(HOLD_BACK),
        };
        if self.at < limit {
            return Ok(Step::Read((limit - self.at).min(READ_BYTES)));
        }
        Ok(if progress.verdict.is_some() {
            Step::Done
        } else {
            Step::Wait
        })
    }

    async fn read(&mut self, len: u64) -> Result<Bytes> {
        let (file, at) = (Arc::clone(&self.file), self.at);
        let bytes =
            blocking(move || read_at(&file, at, len).map_err(Error::io("read a spool"))).await?;
        self.at += len;
        Ok(bytes)
    }
}

impl Stream for Follower {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.bytes.poll_next_unpin(context)
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Following")
            .field(&*self.progress.borrow())
            .finish()
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follower")
    }
}
