//! Blobs in a folder: how they get there and how they go.
//!
//! Invariants: a name in the folder stands for complete, flushed bytes; bytes
//! and all names on the way to them are on the disk before publishing returns;
//! an existing blob is never written to. See docs/adr/0003-blobs.md.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use larder_pypi::Digest;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};

use crate::durable::{make_dir, make_dir_all, sync_dir, sync_spool};
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::key;
use crate::known::{Fingerprint, Known};
use crate::spool::SpoolFile;

/// A folder of blobs.
#[derive(Debug)]
pub(crate) struct Local {
    root: PathBuf,
    pub(crate) known: Known,
    /// Folders of which this process knows that their names are on the disk.
    /// That a folder exists says nothing: another thread may have made it a moment ago.
    durable_shards: Mutex<HashSet<[u8; 2]>>,
    /// Held while a name is removed, or an existing one relied on.
    removals: Mutex<()>,
}

impl Local {
    pub(crate) fn open(root: PathBuf, spool_dir: &Path) -> Result<Self> {
        let home = key::family_dir(&root);
        make_dir_all(&home)?;
        let device = |path: &Path| {
            path.metadata()
                .map(|meta| meta.dev())
                .map_err(Error::io("look at a folder"))
        };
        if device(&home)? != device(spool_dir)? {
            return Err(other_filesystem(spool_dir, &home));
        }
        Ok(Self {
            root,
            known: Known::default(),
            durable_shards: Mutex::default(),
            removals: Mutex::default(),
        })
    }

    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        key::path(&self.root, digest)
    }

    /// Gives a spool's bytes their name, durably. Blocks.
    pub(crate) fn publish(&self, spool: &SpoolFile, digest: &Digest, len: u64) -> Result<()> {
        let shard = key::shard(digest);
        let (outer, inner) = key::shard_dirs(&self.root, shard);
        let is_new_shard = !self.shards().contains(&shard);
        if is_new_shard {
            make_dir(&outer)?;
            make_dir(&inner)?;
        }
        let is_there = self.keep_existing(digest, len)?;
        if !is_there {
            sync_spool(&spool.file, &spool.path)?;
        }
        // After the spool: a journal that was just flushed holds the new folders already.
        if is_new_shard {
            sync_dir(&key::family_dir(&self.root))?;
            sync_dir(&outer)?;
            self.shards().insert(shard);
        }
        if !is_there {
            self.link(spool, digest, len)?;
            // Its bytes were hashed on their way in.
            let fingerprint = Fingerprint::of(&spool.file).map_err(Error::io("look at a spool"))?;
            self.known.mark_right(digest, fingerprint);
        }
        sync_dir(&inner)
    }

    fn link(&self, spool: &SpoolFile, digest: &Digest, len: u64) -> Result<()> {
        let path = self.path(digest);
        loop {
            let linked = failpoint("blob.link").and_then(|()| fs::hard_link(&spool.path, &path));
            match linked {
                Ok(()) => return Ok(()),
                // Somebody was faster, unless what they published is wrong or gone again.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if self.keep_existing(digest, len)? {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                    let folder = spool.path.parent().unwrap_or(&spool.path);
                    return Err(other_filesystem(folder, &self.root));
                }
                Err(source) => {
                    return Err(Error::Io {
                        action: "link a blob",
                        source,
                    });
                }
            }
        }
    }

    /// Relies on the blob that is there, if there is one and it is right: its
    /// age begins anew, so that it is not swept as unused before a row names it.
    fn keep_existing(&self, digest: &Digest, len: u64) -> Result<bool> {
        let path = self.path(digest);
        let is_right = match self.known.verify_at(&path, digest)? {
            None => return Ok(false),
            Some(found) => found.is_right && found.fingerprint.len == len,
        };
        if !is_right {
            self.quarantine(digest)?;
            return Ok(false);
        }
        let _removals = self.removals.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        let times = Timestamps {
            last_access: now,
            last_modification: now,
        };
        match utimensat(CWD, &path, &times, AtFlags::empty()).map_err(io::Error::from) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => {
                return Err(Error::Io {
                    action: "renew the age of a blob",
                    source,
                });
            }
        }
        self.known.renew(&path, digest);
        Ok(true)
    }

    fn shards(&self) -> std::sync::MutexGuard<'_, HashSet<[u8; 2]>> {
        self.durable_shards
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves a blob aside if its bytes are wrong, so that the right ones can take
    /// its name; looks again first, for another may have done so. Blocks.
    pub(crate) fn quarantine(&self, digest: &Digest) -> Result<()> {
        let _removals = self.removals.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path(digest);
        self.known.forget(digest);
        if self
            .known
            .verify_at(&path, digest)?
            .is_none_or(|found| found.is_right)
        {
            return Ok(());
        }
        let folder = key::quarantine(&self.root);
        make_dir_all(&folder)?;
        let aside = folder.join(digest.to_string());
        fs::rename(&path, &aside).map_err(Error::io("move a blob to quarantine"))?;
        tracing::error!(%digest, path = %aside.display(), "a blob holds wrong bytes; it was moved to quarantine");
        Ok(())
    }

    /// Removes a blob; one that is not there is fine. Blocks.
    pub(crate) fn delete(&self, digest: &Digest) -> Result<()> {
        let _removals = self.removals.lock().unwrap_or_else(PoisonError::into_inner);
        self.known.forget(digest);
        match fs::remove_file(self.path(digest)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(Error::io("remove a blob")),
        }
    }

    /// Whether there is such a blob. Blocks.
    pub(crate) fn exists(&self, digest: &Digest) -> Result<bool> {
        let found = Fingerprint::at(&self.path(digest)).map_err(Error::io("look at a blob"))?;
        Ok(found.is_some())
    }
}

fn other_filesystem(spool: &Path, blobs: &Path) -> Error {
    Error::OtherFilesystem {
        spool: spool.to_owned(),
        blobs: blobs.to_owned(),
    }
}
