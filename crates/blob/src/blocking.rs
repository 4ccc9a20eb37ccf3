//! File work off the threads that serve connections, and reading at an offset.
//!
//! Invariant: no file is read or written on a thread of the async runtime.

use std::fs::File;
use std::io;

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};

use crate::error::{Error, Result};

/// Most bytes read into memory at once: large enough for the disk, small enough
/// that many slow clients cost little.
pub(crate) const READ_BYTES: u64 = 256 << 10;

/// Runs `work` where it may block. The work is finished also when the caller leaves.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(_) => Err(Error::Abandoned),
        },
    }
}

/// Exactly `len` bytes from `offset`; an error of the kind `UnexpectedEof` if there are fewer.
pub(crate) fn read_at(file: &File, offset: u64, len: u64) -> io::Result<Bytes> {
    let wanted = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = Vec::with_capacity(wanted);
    while bytes.len() < wanted {
        let at = offset + bytes.len() as u64;
        match pread(file, spare_capacity(&mut bytes), at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // An allocator may give more than asked for, and the file may be longer.
    bytes.truncate(wanted);
    Ok(bytes.into())
}
