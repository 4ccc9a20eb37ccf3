//! Where a blob lies: all paths of this crate but those of spools.
//!
//! Invariant: a key is made from a digest alone, so no text of a client ever
//! becomes part of a path.

use std::path::{Path, PathBuf};

use larder_pypi::Digest;

/// The folder of a data folder that belongs to this crate; in a bucket the prefix takes its place.
const HOME: &str = "blobs";

/// What holds blobs by sha256.
const FAMILY: &str = "sha256";

/// Where blobs with wrong bytes are moved to.
const QUARANTINE: &str = "quarantine";

/// `sha256/ab/cd/<64 hex digits>`: in a folder, and under a prefix of a bucket.
pub(crate) fn relative(digest: &Digest) -> String {
    let hex = digest.to_string();
    format!("{FAMILY}/{}/{}/{hex}", &hex[..2], &hex[2..4])
}

/// The first two bytes, which name the two levels of folders.
pub(crate) fn shard(digest: &Digest) -> [u8; 2] {
    let bytes = digest.as_bytes();
    [bytes[0], bytes[1]]
}

/// The folder of all shards in a data folder.
pub(crate) fn family_dir(data: &Path) -> PathBuf {
    data.join(HOME).join(FAMILY)
}

/// The file of a blob in a data folder.
pub(crate) fn path(data: &Path, digest: &Digest) -> PathBuf {
    data.join(HOME).join(relative(digest))
}

/// The two folders of a shard, outer first.
pub(crate) fn shard_dirs(data: &Path, [outer, inner]: [u8; 2]) -> (PathBuf, PathBuf) {
    let outer = family_dir(data).join(format!("{outer:02x}"));
    let inner = outer.join(format!("{inner:02x}"));
    (outer, inner)
}

/// The folder for blobs with wrong bytes.
pub(crate) fn quarantine(data: &Path) -> PathBuf {
    data.join(HOME).join(QUARANTINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_spread_over_two_levels() {
        let mut bytes = [0; 32];
        bytes[..3].copy_from_slice(&[0xab, 0x0c, 0xef]);
        let digest = Digest::from_bytes(bytes);
        let key = relative(&digest);
        assert_eq!(key, format!("sha256/ab/0c/ab0cef{}", "00".repeat(29)));
        let (_, inner) = shard_dirs(Path::new("/b"), shard(&digest));
        assert_eq!(
            path(Path::new("/b"), &digest),
            Path::new("/b/blobs").join(key)
        );
        assert_eq!(
            path(Path::new("/b"), &digest).parent(),
            Some(inner.as_path())
        );
    }
}
