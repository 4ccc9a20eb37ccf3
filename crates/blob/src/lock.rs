//! One process per data folder, and only on a disk of this machine.
//!
//! Invariant: the lock is the kernel's and goes with the process, so nothing
//! stale is ever left behind. Network file systems are refused: their locks and
//! their `fsync` do not keep what the database relies on (X18).

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::durable::make_dir_all;
use crate::error::Error;

/// The lock's file, in the data folder. Holds the process id, for people to read.
const FILE_NAME: &str = ".lock";

/// Held as long as this process works on the data folder.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "the data folder {} is in use by another process{holder}; \
         one folder serves one process, so stop that one first or give this one another folder",
        folder.display()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// " (process 123)", or nothing if the other did not say.
        holder: String,
    },
    /// It is not on a disk of this machine.
    #[error(
        "the data folder {} is on a network file system ({kind}), where neither locks nor flushed \
         writes can be relied on; use a local disk, or PostgreSQL and S3 for several machines",
        folder.display()
    )]
    NetworkFilesystem {
        /// The folder.
        folder: PathBuf,
        /// The file system's name.
        kind: String,
    },
    /// It cannot be made, read or written.
    #[error("the data folder {} cannot be used", folder.display())]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Takes the data folder for this process, making it if need be. Never waits.
pub fn lock_data_dir(folder: &Path) -> Result<DataDirLock, LockError> {
    let unusable = |source| LockError::Unusable {
        folder: folder.to_owned(),
        source,
    };
    make_dir_all(folder).map_err(|error| unusable(unwrap_io(error)))?;
    let name = filesystem(folder).map_err(|error| unusable(error.into()))?;
    if let Some(kind) = name {
        return Err(LockError::NetworkFilesystem {
            folder: folder.to_owned(),
            kind,
        });
    }
    let path = folder.join(FILE_NAME);
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    let mut file = opened.map_err(|error| unusable(error.into()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(LockError::InUse {
                folder: folder.to_owned(),
                holder: holder(&mut file),
            });
        }
        Err(TryLockError::Error(error)) => return Err(unusable(error.into())),
    }
    // For people only, so a disk that is full does not stop the start.
    let _ = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(DataDirLock { _file: file })
}

/// Without our own layer: the sentence of [`LockError::Unusable`] says enough.
fn unwrap_io(error: Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        Error::Io { source, .. } => source.into(),
        other => other.into(),
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(20).read_to_string(&mut text);
    match text.trim().parse::<u32>() {
        Ok(process) if read.is_ok() => format!(" (process {process})"),
        _ => String::new(),
    }
}

/// The name of the file system if it is a network one.
fn filesystem(folder: &Path) -> io::Result<Option<String>> {
    let magic = u64::from_ne_bytes(rustix::fs::statfs(folder)?.f_type.to_ne_bytes()) & 0xffff_ffff;
    if let Some(name) = network_by_magic(magic) {
        return Ok(Some(name.to_owned()));
    }
    if magic != FUSE {
        return Ok(None);
    }
    let device = folder.metadata()?.dev();
    let device = format!(
        "{}:{}",
        rustix::fs::major(device),
        rustix::fs::minor(device)
    );
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    Ok(fuse_type(&mounts, &device)
        .filter(|name| is_network_fuse(name))
        .map(str::to_owned))
}

/// `FUSE_SUPER_MAGIC`: the mount table says which one it is.
const FUSE: u64 = 0x6573_5546;

/// Numbers of `statfs(2)` and linux/magic.h.
fn network_by_magic(magic: u64) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "nfs",
        0x517b => "smb",
        0xff53_4d42 => "cifs",
        0xfe53_4d42 => "smb2",
        0x0102_1997 => "9p",
        0x00c3_6400 => "ceph",
        0x5346_414f => "afs",
        0x0bd0_0bd0 => "lustre",
        0x7375_7245 => "coda",
        _ => return None,
    })
}

fn is_network_fuse(name: &str) -> bool {
    let kind = name.strip_prefix("fuse.").unwrap_or(name);
    [
        "sshfs",
        "s3fs",
        "gcsfuse",
        "rclone",
        "glusterfs",
        "ceph",
        "davfs",
        "curlftpfs",
        "juicefs",
        "goofys",
        "blobfuse",
        "mount-s3",
        "nfs",
    ]
    .iter()
    .any(|network| kind.starts_with(network))
}

/// The type of the mount with this `major:minor`, from the text of proc(5) mountinfo.
fn fuse_type<'a>(mounts: &'a str, device: &str) -> Option<&'a str> {
    let line = mounts
        .lines()
        .rev()
        .find(|line| line.split(' ').nth(2) == Some(device))?;
    let (_, after) = line.split_once(" - ")?;
    after.split(' ').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_filesystems_are_known_by_number_and_local_ones_are_not() {
        for network in [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x517b, 0x0102_1997] {
            assert!(network_by_magic(network).is_some(), "{network:x}");
        }
        let (ext4, tmpfs, xfs, btrfs, overlay) =
            (0xef53, 0x0102_1994, 0x5846_5342, 0x9123_683e, 0x794c_7630);
        for local in [ext4, tmpfs, xfs, btrfs, overlay, FUSE] {
            assert_eq!(network_by_magic(local), None, "{local:x}");
        }
    }

    #[test]
    fn fuse_mounts_are_told_apart_by_the_mount_table() {
        let mounts = "22 1 254:0 / / rw - ext4 /dev/root rw\n\
                      40 22 0:45 / /mnt/a rw,nosuid shared:3 - fuse.sshfs host:/x rw\n\
                      41 22 0:46 / /mnt/b rw - fuse.mergerfs a:b rw\n";
        assert_eq!(fuse_type(mounts, "0:45"), Some("fuse.sshfs"));
        assert!(is_network_fuse("fuse.sshfs") && is_network_fuse("fuse.glusterfs"));
        assert_eq!(fuse_type(mounts, "0:46"), Some("fuse.mergerfs"));
        assert!(
            !is_network_fuse("fuse.mergerfs")
                && !is_network_fuse("fuseblk")
                && !is_network_fuse("virtiofs")
        );
        assert_eq!(fuse_type(mounts, "0:47"), None);
    }

    #[test]
    fn a_second_taker_is_refused_with_a_sentence_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let lock = lock_data_dir(&path).unwrap();
        let refused = lock_data_dir(&path).unwrap_err();
        assert!(matches!(refused, LockError::InUse { .. }));
        let process = format!("(process {})", std::process::id());
        assert!(refused.to_string().contains(&process), "{refused}");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(
            fs::metadata(path.join(FILE_NAME)).unwrap().mode() & 0o777,
            0o600
        );
        drop(lock);
        lock_data_dir(&path).unwrap();
    }

    #[test]
    fn a_file_in_place_of_the_folder_is_unusable() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = lock_data_dir(file.path()).unwrap_err();
        assert!(matches!(error, LockError::Unusable { .. }), "{error}");
    }
}
