//! The simple repository API (PEP 503, 691, 700, 714, 740, 792): one value
//! for a project page, read from and written to JSON and HTML.
//!
//! Invariant: reading is lenient but never believes a document that does not
//! look like a page of this project; writing is strict and deterministic.
//! Left out: PEP 708, which was rejected, and which index a file comes from.

mod collect;
pub mod html;
pub mod json;
mod order;
mod upload_time;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
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

/// Why a document is not the page, or the project list, that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Not JSON, or a key of the page has a type it cannot have.
    #[error("the page is not JSON of the simple API")]
    NotJson(#[source] serde_json::Error),
    /// Nothing in the document says that it is a page of this project: a
    /// captive portal, an empty body.
    #[error("the document is not a page of the simple API")]
    NotAPage,
    /// The API's major version is newer than this (PEP 629).
    #[error("the page has an API version that is not understood")]
    UnsupportedVersion,
    /// P-05: the page is about another project.
    #[error("the page is about another project than '{expected}'")]
    OtherProject {
        /// What was asked for.
        expected: ProjectName,
    },
    /// More entries than any real page has.
    #[error("the page has too many entries")]
    TooLong,
}

/// The version that Larder's pages have (S-08; HTML stays there, PEP 833).
const API_VERSION: &str = "1.4";

/// PEP 629: a page of a newer major version is not understood; what cannot be
/// read, or is missing, counts as 1.0 (P-02).
fn check_api_version(version: &str) -> Result<(), PageError> {
    let major = version.trim().split('.').next().unwrap_or_default();
    match major.parse::<u32>() {
        Ok(2..) => Err(PageError::UnsupportedVersion),
        _ => Ok(()),
    }
}

/// What cannot stand in a URL as it is; `%` can, since URLs come encoded.
const UNSAFE_IN_URLS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The URL with everything encoded that is no part of a URL (S-17); file names
/// with spaces come as they are.
fn safe_url(url: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(url, UNSAFE_IN_URLS)
}

#[cfg(test)]
mod tests;
