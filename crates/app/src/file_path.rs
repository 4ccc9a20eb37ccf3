//! Where a distribution file stands under its index (devpi: 1.11): lock files
//! hold these paths, so they never change.
//!
//! `+f/AAA/BBBBBBBBBBBBB/FILENAME` from the file's hash, or
//! `+e/SCHEME_HOST_PATH/FILENAME` for mirrored files whose upstream gives none.

use std::fmt;

use larder_pypi::Digest;
use larder_pypi::simple::PageFile;
use larder_store::{Area, FileRow};

/// The path of a file below its index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FilePath {
    /// `+f` or `+e`.
    pub area: Area,
    /// The part between the area and the file name, without slashes at its ends.
    pub dir: String,
    /// The file name.
    pub filename: String,
}

impl FilePath {
    /// The path of a file that was uploaded: by its sha256.
    pub fn of_upload(digest: &Digest, filename: &str) -> Self {
        Self {
            area: Area::Hash,
            dir: hash_dir(&digest.to_string()),
            filename: filename.to_owned(),
        }
    }

    /// The path of a file that is recorded.
    pub fn of_row(file: &FileRow) -> Self {
        Self {
            area: file.area,
            dir: file.dir.clone(),
            filename: file.filename.clone(),
        }
    }

    /// The path of a mirrored file: by the hash that the upstream announces,
    /// else by its URL.
    pub fn of_mirrored(file: &PageFile) -> Self {
        let (area, dir) = match file.hashes.preferred() {
            Some((_, hex)) => (Area::Hash, hash_dir(hex)),
            None => (Area::External, external_dir(&file.url)),
        };
        Self {
            area,
            dir,
            filename: file.filename.clone(),
        }
    }

    /// Reads what stands after the index in a URL: the area (`+f`, `+e`) and
    /// the decoded segments that follow it.
    pub fn from_segments(area: &str, rest: &[&str]) -> Option<Self> {
        let area = match area {
            "+f" => Area::Hash,
            "+e" => Area::External,
            _ => return None,
        };
        let (filename, dirs) = rest.split_last()?;
        // devpi: a `#...` that a client left in the path is cut off.
        let filename = filename.split('#').next().unwrap_or_default();
        if filename.is_empty()
            || dirs.is_empty()
            || dirs
                .iter()
                .any(|dir| dir.is_empty() || matches!(*dir, "." | ".."))
        {
            return None;
        }
        Some(Self {
            area,
            dir: dirs.join("/"),
            filename: filename.to_owned(),
        })
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let area = match self.area {
            Area::Hash => "+f",
            Area::External => "+e",
        };
        write!(f, "{area}/{}/{}", self.dir, self.filename)
    }
}

/// devpi: the first three hex digits, then the next thirteen.
fn hash_dir(hex: &str) -> String {
    let end = hex.len().min(16);
    format!("{}/{}", &hex[..3.min(end)], &hex[3.min(end)..end])
}

/// devpi: the URL without its last segment, everything but `[a-zA-Z0-9_.-]` as `_`.
fn external_dir(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let dir = bare.rsplit_once('/').map_or(bare, |(dir, _)| dir);
    let dir = dir.replacen("://", "_", 1);
    let safe: String = dir
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') {
                c
            } else {
                '_'
            }
        })
        .collect();
    safe
}

#[cfg(test)]
mod tests {
    use super::{FilePath, external_dir, hash_dir};

    #[test]
    fn paths_are_laid_out_as_devpi_does() {
        assert_eq!(hash_dir("733859c1fc6b9331ffff"), "733/859c1fc6b9331");
        assert_eq!(
            external_dir("http://127.0.0.1:3159/packages/aa/bb/x-1.0.zip"),
            "http_127.0.0.1_3159_packages_aa_bb"
        );
    }

    #[test]
    fn a_path_from_a_url_is_read_back_and_a_crooked_one_is_refused() {
        let path =
            FilePath::from_segments("+f", &["733", "859c1fc6b9331", "a-1.0.tar.gz#sha256=00"])
                .expect("a path");
        assert_eq!(path.to_string(), "+f/733/859c1fc6b9331/a-1.0.tar.gz");
        for rest in [&["..", "x"][..], &["a", ""], &["x"], &[], &["a", "", "x"]] {
            assert_eq!(FilePath::from_segments("+f", rest), None, "{rest:?}");
        }
        assert_eq!(FilePath::from_segments("+x", &["a", "b"]), None);
    }
}
