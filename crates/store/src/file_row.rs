//! What a file is: the values, and how they stand in a row.

use larder_model::Timestamp;
use larder_pypi::{Digest, Hashes, ProjectName};
use serde_json::Value;

use crate::project::read_name;
use crate::{Error, Result};

/// What a file is to its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileRole {
    /// A distribution file.
    Release,
    /// The documentation, one zip per release.
    DocZip,
    /// What a test run said about one distribution file.
    Toxresult,
}

/// The first segment of a file's path below its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Area {
    /// `+f`: the directory is made from the file's hash.
    Hash,
    /// `+e`: mirrored without a hash; the directory is made from the URL.
    External,
}

/// A file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRow {
    /// Rises in the order of uploads; never used twice.
    pub id: i64,
    /// The index.
    pub index_id: i64,
    /// The project.
    pub project: ProjectName,
    /// The release's version as registered; on mirrors from the file name.
    pub version: String,
    /// As uploaded.
    pub filename: String,
    /// What it is to the release.
    pub kind: FileRole,
    /// Of a tox result: the id of the file it is about.
    pub parent: Option<i64>,
    /// First segment of the path.
    pub area: Area,
    /// Between area and file name: `aaa/bbbbbbbbbbbbb`.
    pub dir: String,
    /// Names the bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// All known hashes.
    pub hashes: Hashes,
    /// From the metadata, unchanged.
    pub requires_python: Option<String>,
    /// `Some` means yanked; the reason may be empty.
    pub yanked: Option<String>,
    /// Names the METADATA file.
    pub metadata_digest: Option<Digest>,
    /// When it came here first (`upload-time`).
    pub uploaded: Timestamp,
    /// The upstream's header, an HTTP date.
    pub last_modified: Option<String>,
    /// On mirrors: where it came from.
    pub url: Option<String>,
    /// What happened to it (devpi: 1.8).
    pub log: Vec<Value>,
}

/// A file to be recorded; fields as in [`FileRow`].
#[derive(Debug, Clone, PartialEq)]
pub struct NewFile {
    /// The index.
    pub index_id: i64,
    /// The project.
    pub project: ProjectName,
    /// The release's version as registered; on mirrors from the file name.
    pub version: String,
    /// As uploaded. A tox result's begins with the name of the file it is about and `.toxresult-`.
    pub filename: String,
    /// What it is to the release.
    pub kind: FileRole,
    /// First segment of the path.
    pub area: Area,
    /// Between area and file name: `aaa/bbbbbbbbbbbbb`.
    pub dir: String,
    /// Names the bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// All known hashes.
    pub hashes: Hashes,
    /// From the metadata, unchanged.
    pub requires_python: Option<String>,
    /// `Some` means yanked; the reason may be empty.
    pub yanked: Option<String>,
    /// Names the METADATA file.
    pub metadata_digest: Option<Digest>,
    /// When it came here first (`upload-time`).
    pub uploaded: Timestamp,
    /// The upstream's header, an HTTP date.
    pub last_modified: Option<String>,
    /// On mirrors: where it came from.
    pub url: Option<String>,
    /// What happened to it (devpi: 1.8).
    pub log: Vec<Value>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct StoredFile {
    id: i64,
    index_id: i64,
    project: String,
    version: String,
    filename: String,
    role: String,
    parent_id: Option<i64>,
    area: String,
    dir: String,
    digest: String,
    size: i64,
    hashes: String,
    requires_python: Option<String>,
    yanked: Option<String>,
    metadata_digest: Option<String>,
    uploaded: i64,
    last_modified: Option<String>,
    url: Option<String>,
    log: String,
}

impl FileRole {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::DocZip => "doczip",
            Self::Toxresult => "toxresult",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Release, Self::DocZip, Self::Toxresult]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

impl Area {
    /// `+f` or `+e`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hash => "+f",
            Self::External => "+e",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Hash, Self::External]
            .into_iter()
            .find(|area| area.as_str() == text)
    }
}

impl NewFile {
    pub(crate) fn into_row(self, id: i64, parent: Option<i64>) -> FileRow {
        FileRow {
            id,
            index_id: self.index_id,
            project: self.project,
            version: self.version,
            filename: self.filename,
            kind: self.kind,
            parent,
            area: self.area,
            dir: self.dir,
            digest: self.digest,
            size: self.size,
            hashes: self.hashes,
            requires_python: self.requires_python,
            yanked: self.yanked,
            metadata_digest: self.metadata_digest,
            uploaded: self.uploaded,
            last_modified: self.last_modified,
            url: self.url,
            log: self.log,
        }
    }
}

impl TryFrom<StoredFile> for FileRow {
    type Error = Error;

    fn try_from(row: StoredFile) -> Result<Self> {
        let unreadable = |column| Error::inconsistent("files", column, row.id);
        let metadata_digest = row.metadata_digest.map(|digest| digest.parse()).transpose();
        Ok(Self {
            id: row.id,
            index_id: row.index_id,
            project: read_name(row.id, &row.project).map_err(|_| unreadable("project_id"))?,
            version: row.version,
            filename: row.filename,
            kind: FileRole::read(&row.role).ok_or_else(|| unreadable("role"))?,
            parent: row.parent_id,
            area: Area::read(&row.area).ok_or_else(|| unreadable("area"))?,
            dir: row.dir,
            digest: row.digest.parse().map_err(|_| unreadable("digest"))?,
            size: u64::try_from(row.size).map_err(|_| unreadable("size"))?,
            hashes: serde_json::from_str(&row.hashes).map_err(|_| unreadable("hashes"))?,
            requires_python: row.requires_python,
            yanked: row.yanked,
            metadata_digest: metadata_digest.map_err(|_| unreadable("metadata_digest"))?,
            uploaded: Timestamp::from_micros(row.uploaded),
            last_modified: row.last_modified,
            url: row.url,
            log: serde_json::from_str(&row.log).map_err(|_| unreadable("log"))?,
        })
    }
}
