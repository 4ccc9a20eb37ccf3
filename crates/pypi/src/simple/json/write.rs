//! Writing JSON: structs that mirror the keys of the standard, filled by reference.
//!
//! Invariant: a key without a value is left out, never `null` (S-14).

use serde::{Serialize, Serializer};

use crate::simple::{
    API_VERSION, CoreMetadata, PageFile, ProjectPage, ProjectStatus, order, safe_url, upload_time,
};
use crate::{Hashes, ProjectName};

/// Writes a project page (S-08, S-09, S-14 to S-20), in time linear in its
/// length but for the sorting.
pub fn write_json(page: &ProjectPage) -> Vec<u8> {
    let out = PageOut {
        meta: MetaOut {
            api_version: api_version(page),
            last_serial: page.last_serial,
        },
        name: page.name.as_str(),
        status: page
            .status
            .as_ref()
            .filter(|status| !status.status.is_empty())
            .map(StatusOut::from),
        versions: order::versions(page),
        files: FilesOut(order::files(page)),
    };
    serialize(
        &out,
        256 + page.files.len() * 512 + page.versions.len() * 12,
    )
}

/// Writes a project list, in the order given (S-05: names are valid by their type).
pub fn write_project_list_json<'a>(
    names: impl Iterator<Item = &'a ProjectName>,
    last_serial: Option<u64>,
) -> Vec<u8> {
    let meta = MetaOut {
        api_version: API_VERSION,
        last_serial,
    };
    let mut out = br#"{"meta":"#.to_vec();
    out.extend(serialize(&meta, 64));
    out.extend(br#","projects":["#);
    for (at, name) in names.enumerate() {
        out.extend(if at == 0 {
            br#"{"name":""#.as_slice()
        } else {
            br#",{"name":""#
        });
        // A project name is ASCII letters, digits and `-`: nothing to escape.
        out.extend(name.as_str().as_bytes());
        out.extend(br#""}"#);
    }
    out.extend(b"]}");
    out
}

/// S-09: 1.1 and later demand a size for each file, so without one the page says
/// 1.0, and keeps every other key.
fn api_version(page: &ProjectPage) -> &'static str {
    if page.files.iter().all(|file| file.size.is_some()) {
        API_VERSION
    } else {
        "1.0"
    }
}

#[expect(
    clippy::expect_used,
    reason = "only a failing writer or a key that is no text could fail"
)]
fn serialize(value: &impl Serialize, capacity: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut out, value)
        .expect("invariant: memory takes all bytes and keys are text");
    out
}

#[derive(Serialize)]
struct PageOut<'a> {
    meta: MetaOut,
    name: &'a str,
    #[serde(rename = "project-status", skip_serializing_if = "Option::is_none")]
    status: Option<StatusOut<'a>>,
    versions: Vec<&'a str>,
    files: FilesOut<'a>,
}

#[derive(Serialize)]
struct MetaOut {
    #[serde(rename = "api-version")]
    api_version: &'static str,
    /// S-19: an integer.
    #[serde(rename = "_last-serial", skip_serializing_if = "Option::is_none")]
    last_serial: Option<u64>,
}

#[derive(Serialize)]
struct StatusOut<'a> {
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> From<&'a ProjectStatus> for StatusOut<'a> {
    fn from(status: &'a ProjectStatus) -> Self {
        Self {
            status: &status.status,
            reason: status.reason.as_deref(),
        }
    }
}

struct FilesOut<'a>(Vec<&'a PageFile>);

impl Serialize for FilesOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|file| FileOut::from(*file)))
    }
}

/// S-14: a key that has nothing to say is not there.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct FileOut<'a> {
    filename: &'a str,
    url: UrlOut<'a>,
    hashes: HashesOut<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_time: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yanked: Option<YankedOut<'a>>,
    /// Without the old key `dist-info-metadata` beside it, against S-18: pip
    /// before 23.2 (Debian 12 has 23.0) ends with a `TypeError` on its hashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    core_metadata: Option<SidecarOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpg_sig: Option<bool>,
}

impl<'a> From<&'a PageFile> for FileOut<'a> {
    fn from(file: &'a PageFile) -> Self {
        let sidecar = match file.core_metadata {
            CoreMetadata::Absent => None,
            announced => Some(SidecarOut(announced)),
        };
        Self {
            filename: &file.filename,
            url: UrlOut(&file.url),
            hashes: HashesOut(&file.hashes),
            requires_python: file
                .requires_python
                .as_deref()
                .filter(|text| !text.is_empty()),
            size: file.size,
            upload_time: file
                .upload_time
                .as_deref()
                .filter(|text| upload_time::is_valid(text)),
            yanked: file.yanked.as_deref().map(YankedOut),
            core_metadata: sidecar,
            provenance: file.provenance.as_deref(),
            gpg_sig: file.gpg_sig,
        }
    }
}

struct UrlOut<'a>(&'a str);

impl Serialize for UrlOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = safe_url(self.0);
        match (parts.next(), parts.next()) {
            (Some(whole), None) => serializer.serialize_str(whole),
            _ => serializer.serialize_str(&safe_url(self.0).collect::<String>()),
        }
    }
}

/// S-16: sha256 alone; another only as long as the sha256 is not known.
struct HashesOut<'a>(&'a Hashes);

impl Serialize for HashesOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.get("sha256") {
            Some(hex) => serializer.collect_map([("sha256", hex)]),
            None => serializer.collect_map(self.0.iter()),
        }
    }
}

/// S-15: the reason, or `true` when there is none.
struct YankedOut<'a>(&'a str);

impl Serialize for YankedOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() {
            serializer.serialize_bool(true)
        } else {
            serializer.serialize_str(self.0)
        }
    }
}

#[derive(Clone, Copy)]
struct SidecarOut(CoreMetadata);

impl Serialize for SidecarOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            CoreMetadata::Sha256(digest) => serializer.collect_map([("sha256", digest)]),
            announced => serializer.serialize_bool(announced == CoreMetadata::Present),
        }
    }
}
