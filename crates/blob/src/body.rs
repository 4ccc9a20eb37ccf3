//! The bytes of a blob on their way out.
//!
//! Invariant: a body gives exactly the bytes it announces, or an error. A whole
//! blob whose bytes were not checked lately is hashed while it is read, and its
//! end is held back until the hash is right.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt, try_unfold};
use larder_pypi::Digest;
use larder_pypi::hashes::{Algorithms, Hasher};

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::follow::HOLD_BACK;

/// Most bytes handed on at once.
pub(crate) const SLICE_BYTES: u64 = 1 << 20;

/// The bytes of a blob, or of a part of it.
pub struct Body {
    total: u64,
    len: u64,
    content: Content,
}

enum Content {
    Whole(Bytes),
    Stream(BoxStream<'static, Result<Bytes>>),
}

impl Body {
    pub(crate) fn whole(total: u64, bytes: Bytes) -> Self {
        Self {
            total,
            len: bytes.len() as u64,
            content: Content::Whole(bytes),
        }
    }

    /// A part of bytes in memory, or all of them.
    pub(crate) fn part_of(
        digest: &Digest,
        range: Option<&Range<u64>>,
        bytes: &Bytes,
    ) -> Result<Self> {
        let total = bytes.len() as u64;
        let part = resolve_range(digest, range, total)?;
        let at = |at: u64| usize::try_from(at).unwrap_or(bytes.len());
        Ok(Self::whole(
            total,
            bytes.slice(at(part.start)..at(part.end)),
        ))
    }

    pub(crate) fn stream(total: u64, len: u64, bytes: BoxStream<'static, Result<Bytes>>) -> Self {
        Self {
            total,
            len,
            content: Content::Stream(bytes),
        }
    }

    /// Bytes that will come.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// No bytes will come.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the whole blob, also when only a part was asked for.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// All bytes at once if they are in memory already; otherwise the body again.
    pub fn into_whole(self) -> Result<Bytes, Self> {
        match self.content {
            Content::Whole(bytes) => Ok(bytes),
            content @ Content::Stream(_) => Err(Self { content, ..self }),
        }
    }

    /// The bytes in slices of about a MiB at most.
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        match self.content {
            Content::Stream(bytes) => bytes,
            Content::Whole(bytes) => stream::iter(slices(bytes)).map(Ok).boxed(),
        }
    }

    /// All bytes in memory; [`Error::TooLarge`] if there are more than `limit`.
    pub async fn collect(self, limit: u64) -> Result<Bytes> {
        if self.len > limit {
            return Err(Error::TooLarge {
                len: self.len,
                limit,
            });
        }
        match self.into_whole() {
            Ok(bytes) => Ok(bytes),
            Err(body) => {
                let collected: BytesMut = body.into_stream().try_collect::<Collected>().await?.0;
                Ok(collected.freeze())
            }
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("total", &self.total)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Collected(BytesMut);

impl Extend<Bytes> for Collected {
    fn extend<T: IntoIterator<Item = Bytes>>(&mut self, pieces: T) {
        for piece in pieces {
            self.0.extend_from_slice(&piece);
        }
    }
}

fn slices(mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let len = usize::try_from(SLICE_BYTES)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        (len > 0).then(|| bytes.split_to(len))
    })
}

/// The range within a blob of `len` bytes; everything if none was asked for.
pub(crate) fn resolve_range(
    digest: &Digest,
    range: Option<&Range<u64>>,
    len: u64,
) -> Result<Range<u64>> {
    match range {
        None => Ok(0..len),
        Some(range) if range.start <= range.end && range.end <= len => Ok(range.clone()),
        Some(&Range { start, end }) => Err(Error::OutOfRange {
            digest: *digest,
            start,
            end,
            len,
        }),
    }
}

/// An end before, or bytes after, the announced length is an error.
pub(crate) fn counted(
    source: BoxStream<'static, Result<Bytes>>,
    expected: u64,
) -> BoxStream<'static, Result<Bytes>> {
    let bytes = try_unfold((source, 0), move |(mut source, got)| async move {
        match source.try_next().await? {
            Some(bytes) => {
                let got = got + bytes.len() as u64;
                if got > expected {
                    return Err(Error::Truncated { got, expected });
                }
                Ok(Some((bytes, (source, got))))
            }
            None if got < expected => Err(Error::Truncated { got, expected }),
            None => Ok(None),
        }
    });
    bytes.boxed()
}

/// Told, where it may block, whether the bytes were right.
pub(crate) type OnVerdict = Box<dyn FnOnce(bool) + Send>;

/// Hashes a whole blob while it passes, and holds its end back until the hash is right.
pub(crate) fn check_while_read(
    source: BoxStream<'static, Result<Bytes>>,
    digest: Digest,
    len: u64,
    on_verdict: OnVerdict,
) -> BoxStream<'static, Result<Bytes>> {
    let check = Check {
        source,
        digest,
        len,
        seen: 0,
        hasher: Some(Hasher::new(Algorithms::default())),
        on_verdict: Some(on_verdict),
        ready: VecDeque::new(),
        held: VecDeque::new(),
    };
    let bytes = try_unfold(check, |mut check| async {
        let slice = check.next().await?;
        Ok(slice.map(|slice| (slice, check)))
    });
    bytes.boxed()
}

struct Check {
    source: BoxStream<'static, Result<Bytes>>,
    digest: Digest,
    len: u64,
    seen: u64,
    hasher: Option<Hasher>,
    on_verdict: Option<OnVerdict>,
    ready: VecDeque<Bytes>,
    held: VecDeque<Bytes>,
}

impl Check {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(slice) = self.ready.pop_front() {
                return Ok(Some(slice));
            }
            let Some(hasher) = self.hasher.take() else {
                return Ok(None);
            };
            match self.source.try_next().await? {
                Some(bytes) if self.seen + bytes.len() as u64 <= self.len => {
                    let to_hash = bytes.clone();
                    self.hasher = Some(blocking(move || Ok(hash(hasher, &to_hash))).await?);
                    self.hold_end(bytes);
                }
                None if self.seen == self.len => self.judge(hasher).await?,
                // Too long, or too short.
                _ => return Err(self.reject().await),
            }
        }
    }

    /// Sorts bytes into those that may go at once and those at the end.
    fn hold_end(&mut self, mut bytes: Bytes) {
        let free = self.len.saturating_sub(HOLD_BACK).saturating_sub(self.seen);
        self.seen += bytes.len() as u64;
        let free = usize::try_from(free).unwrap_or(usize::MAX).min(bytes.len());
        let go = bytes.split_to(free);
        self.ready.extend((!go.is_empty()).then_some(go));
        self.held.extend((!bytes.is_empty()).then_some(bytes));
    }

    async fn judge(&mut self, hasher: Hasher) -> Result<()> {
        if hasher.finish().sha256 != self.digest {
            return Err(self.reject().await);
        }
        self.report(true).await?;
        self.ready.append(&mut self.held);
        Ok(())
    }

    async fn reject(&mut self) -> Error {
        match self.report(false).await {
            Ok(()) => Error::Corrupt {
                digest: self.digest,
            },
            Err(error) => error,
        }
    }

    async fn report(&mut self, is_right: bool) -> Result<()> {
        let on_verdict = self.on_verdict.take();
        blocking(move || {
            if let Some(tell) = on_verdict {
                tell(is_right);
            }
            Ok(())
        })
        .await
    }
}

fn hash(mut hasher: Hasher, bytes: &[u8]) -> Hasher {
    hasher.update(bytes);
    hasher
}
