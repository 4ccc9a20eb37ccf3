//! Local blobs on their way out.
//!
//! A blob in demand and not large is one piece of memory. A large one is mapped
//! and loaded slice by slice where it may block, so that a cold disk holds up
//! nobody else. One whose bytes were not checked yet is checked first, or, if it
//! is large and wanted whole, while it is sent.
//!
//! Invariant: bytes are served only from a file that was found right, or whose
//! end is held back until it is.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, try_unfold};
use larder_pypi::Digest;

use crate::blocking::{READ_BYTES, blocking, read_at};
use crate::body::{Body, OnVerdict, SLICE_BYTES, check_while_read, resolve_range};
use crate::error::{Error, Result};
use crate::known::{Fingerprint, KEPT_BYTES};
use crate::local::Local;
use crate::map::Map;

/// Blobs up to this size are checked before the first byte is sent: a few milliseconds.
const CHECK_FIRST_BYTES: u64 = 16 << 20;

/// What is at a blob's path.
enum Found {
    Nothing,
    Kept(Bytes),
    Large(Checked),
    Unchecked(Arc<File>, Fingerprint),
}

/// A large file that was found right.
struct Checked {
    file: File,
    fingerprint: Fingerprint,
}

/// Opens a blob, or a part of it; `None` if there is no such blob.
pub(crate) async fn open(
    local: &Arc<Local>,
    digest: &Digest,
    range: Option<&Range<u64>>,
) -> Result<Option<Body>> {
    let found = match local.known.bytes(digest) {
        Some(bytes) => Found::Kept(bytes),
        None => find(local, *digest, range.is_none()).await?,
    };
    match found {
        Found::Nothing => Ok(None),
        Found::Kept(bytes) => Body::part_of(digest, range, &bytes).map(Some),
        Found::Large(checked) => {
            let total = checked.fingerprint.len;
            let part = resolve_range(digest, range, total)?;
            let len = part.end - part.start;
            Ok(Some(Body::stream(
                total,
                len,
                mapped_slices(checked, *digest, part)?,
            )))
        }
        Found::Unchecked(file, fingerprint) => {
            let len = fingerprint.len;
            let on_verdict = remember(Arc::clone(local), *digest, fingerprint);
            let bytes = check_while_read(file_slices(file, len), *digest, len, on_verdict);
            Ok(Some(Body::stream(len, len, bytes)))
        }
    }
}

async fn find(local: &Arc<Local>, digest: Digest, is_whole: bool) -> Result<Found> {
    let local = Arc::clone(local);
    blocking(move || {
        let file = match File::open(local.path(&digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                local.known.forget(&digest);
                return Ok(Found::Nothing);
            }
            Err(source) => {
                return Err(Error::Io {
                    action: "open a blob",
                    source,
                });
            }
        };
        let read = Error::io("read a blob");
        let fingerprint = Fingerprint::of(&file).map_err(Error::io("look at a blob"))?;
        if !local.known.is_right(&digest, fingerprint) {
            if is_whole && fingerprint.len > CHECK_FIRST_BYTES {
                return Ok(Found::Unchecked(Arc::new(file), fingerprint));
            }
            if !local
                .known
                .verify(&file, &digest)
                .map_err(Error::io("read a blob"))?
                .is_right
            {
                local.quarantine(&digest)?;
                return Err(Error::Corrupt { digest });
            }
        }
        if fingerprint.len > KEPT_BYTES {
            return Ok(Found::Large(Checked { file, fingerprint }));
        }
        local
            .known
            .keep(&file, &digest, fingerprint)
            .map(Found::Kept)
            .map_err(read)
    })
    .await
}

/// Once a blob was read to its end: it is right, or it goes to quarantine.
fn remember(local: Arc<Local>, digest: Digest, fingerprint: Fingerprint) -> OnVerdict {
    Box::new(move |is_right| {
        if is_right {
            local.known.mark_right(&digest, fingerprint);
        } else if let Err(error) = local.quarantine(&digest) {
            tracing::error!(%digest, %error, cause = ?error, "a blob with wrong bytes cannot be moved to quarantine");
        }
    })
}

fn file_slices(file: Arc<File>, len: u64) -> BoxStream<'static, Result<Bytes>> {
    let slices = try_unfold(0, move |at| {
        let file = Arc::clone(&file);
        async move {
            let step = (len - at).min(READ_BYTES);
            if step == 0 {
                return Ok(None);
            }
            match blocking(move || Ok(read_at(&file, at, step))).await? {
                Ok(bytes) => Ok(Some((bytes, at + step))),
                // The check says the rest.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                Err(source) => Err(Error::Io {
                    action: "read a blob",
                    source,
                }),
            }
        }
    });
    slices.boxed()
}

/// Slices of a mapping, each in memory before it is handed out.
fn mapped_slices(
    Checked { file, fingerprint }: Checked,
    digest: Digest,
    part: Range<u64>,
) -> Result<BoxStream<'static, Result<Bytes>>> {
    let map = Map::new(&file, fingerprint.len).map_err(Error::io("map a blob"))?;
    map.expect_sequential();
    let source = Arc::new((map, file));
    let slices = try_unfold(part, move |part| {
        let source = Arc::clone(&source);
        async move {
            if part.is_empty() {
                return Ok(None);
            }
            let next = part.end.min(part.start + SLICE_BYTES);
            let slice = to_usize(&(part.start..next))?;
            let bytes = blocking(move || {
                let (map, file) = &*source;
                // A file cut by hand since: the mapping would end in zeros, or in a signal.
                let is_whole = Fingerprint::of(file).is_ok_and(|now| now.len == fingerprint.len);
                match map.load(&slice) {
                    Ok(()) if is_whole => Ok(map.slice(slice)),
                    _ if !is_whole => Err(Error::Corrupt { digest }),
                    loaded => loaded
                        .map(|()| Bytes::new())
                        .map_err(Error::io("read a blob")),
                }
            })
            .await?;
            Ok(Some((bytes, next..part.end)))
        }
    });
    Ok(slices.boxed())
}

fn to_usize(range: &Range<u64>) -> Result<Range<usize>> {
    let convert = |at: u64| usize::try_from(at).map_err(|_| io::ErrorKind::FileTooLarge.into());
    let part = convert(range.start).and_then(|start| Ok(start..convert(range.end)?));
    part.map_err(Error::io("map a blob"))
}
