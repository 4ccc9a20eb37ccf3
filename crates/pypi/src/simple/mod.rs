//! The simple repository API (PEP 503, 691, 700, 714, 740, 792): one value
//! for a project page, read from and written to JSON and HTML.

use serde::{Deserialize, Serialize};

use crate::{Digest, Hashes, ProjectName};

/// A project page: what one index says about one project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectPage {
    /// Normalised name.
    pub name: ProjectName,
    /// PEP 792 marker; `None` means active.
    pub status: Option<ProjectStatus>,
    /// PEP 700: every known version, also those without files, as raw text.
    pub versions: Vec<String>,
    /// The distribution files.
    pub files: Vec<PageFile>,
    /// `meta._last-serial` / `X-PyPI-Last-Serial`.
    pub last_serial: Option<u64>,
}

/// PEP 792 project status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectStatus {
    /// `active`, `archived`, `quarantined`, `deprecated`, or a word of the future.
    pub status: String,
    /// Free text.
    pub reason: Option<String>,
}

/// One distribution file on a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageFile {
    /// As uploaded; never renamed (M-05).
    pub filename: String,
    /// On a page read from an upstream: absolute http(s) URL without fragment.
    /// On a page to be written: whatever shall stand there.
    pub url: String,
    /// May be empty.
    pub hashes: Hashes,
    /// PEP 345 specifier as the metadata has it, unchanged (M-03).
    pub requires_python: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// RFC 3339 in UTC with `Z`, at most six fraction digits (S-14).
    pub upload_time: Option<String>,
    /// PEP 592: `Some` means yanked; the text is the reason and may be empty.
    pub yanked: Option<String>,
    /// PEP 658/714 sidecar.
    pub core_metadata: CoreMetadata,
    /// PEP 740: absolute URL.
    pub provenance: Option<String>,
    /// PEP 503.
    pub gpg_sig: Option<bool>,
}

/// Whether `FILE.metadata` is there, and its hash if known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CoreMetadata {
    /// Not announced.
    #[default]
    Absent,
    /// Announced without a usable hash.
    Present,
    /// Announced with this sha256.
    Sha256(Digest),
}
