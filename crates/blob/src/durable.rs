//! Making files and folders survive a power cut.
//!
//! Invariant: after a failed `fsync` the kernel may have dropped the bytes and
//! says "ok" the next time, so such a failure is never retried and nothing is
//! acknowledged after it: the process logs and aborts. The one exception is a
//! spool that does not fit on the disk: nothing refers to it yet, so it is
//! simply given up.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::error::{Error, Result};
use crate::failpoint::failpoint;

/// Brings a spool's bytes to the disk.
pub(crate) fn sync_spool(file: &File, path: &Path) -> Result<()> {
    match failpoint("blob.fsync").and_then(|()| file.sync_all()) {
        Ok(()) => Ok(()),
        Err(source) if is_full(&source) => Err(Error::Io {
            action: "write a spool to the disk",
            source,
        }),
        Err(error) => die(path, &error),
    }
}

/// Brings a folder's entries to the disk.
pub(crate) fn sync_dir(path: &Path) -> Result<()> {
    let folder = File::open(path).map_err(Error::io("open a blob folder"))?;
    match failpoint("blob.fsync_dir").and_then(|()| folder.sync_all()) {
        Ok(()) => Ok(()),
        Err(error) => die(path, &error),
    }
}

/// Makes a folder and its missing parents, for this user only, durably.
pub(crate) fn make_dir_all(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_dir_all(parent)?;
    make_dir(path)?;
    sync_dir(parent)
}

/// Makes a folder for this user only; one that exists is fine.
pub(crate) fn make_dir(path: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.map_err(Error::io("make a folder")),
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

fn die(path: &Path, error: &io::Error) -> ! {
    tracing::error!(
        path = %path.display(),
        %error,
        "fsync failed: what is on the disk is unknown, so this process ends without acknowledging anything more"
    );
    std::process::abort()
}
