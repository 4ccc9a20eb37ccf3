//! Reading JSON: lenient about what is missing, null or unknown, strict about
//! what would hide files (P-02, H14).
//!
//! Invariant: memory is bounded by the limits below, whatever the document says.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};
use url::Url;

use super::loose::Loose;
use crate::simple::collect::{Collector, Link, MAX_FILES, without_nul};
use crate::simple::{CoreMetadata, PageError, ProjectPage, ProjectStatus, check_api_version};
use crate::{Hashes, ProjectName};

/// More projects than any index has (PyPI: some 700 000).
const MAX_PROJECTS: usize = 2_000_000;

/// Reads a project page (P-02, P-05): unknown keys, nulls and missing keys are
/// fine, a wrong type where it would hide files is not, nor is a page of
/// another project. `base` is the page's final URL.
pub fn read_json(
    bytes: &[u8],
    expected: &ProjectName,
    base: &Url,
) -> Result<ProjectPage, PageError> {
    let page: PageIn = parse(bytes)?;
    check_api_version(page.meta.get("api-version").text().unwrap_or_default())?;
    let links = page.files.ok_or(PageError::NotAPage)?;
    if let Some(name) = page.name.text()
        && name.parse().ok().as_ref() != Some(expected)
    {
        return Err(PageError::OtherProject {
            expected: expected.clone(),
        });
    }
    let mut collector = Collector::new(expected, base);
    for link in links {
        collector.add(link)?;
    }
    let status = page
        .status
        .get("status")
        .text()
        .map(|status| ProjectStatus {
            status: status.trim().to_owned(),
            reason: page
                .status
                .get("reason")
                .text()
                .map(|text| without_nul(text.to_owned())),
        });
    let versions = page.versions.unwrap_or_default();
    let last_serial = page.meta.get("_last-serial").number();
    Ok(collector.into_page(status, versions, last_serial))
}

/// Reads a project list: valid names, normalised, sorted, each once.
pub fn read_project_list_json(bytes: &[u8]) -> Result<Vec<ProjectName>, PageError> {
    let list: ListIn = parse(bytes)?;
    check_api_version(list.meta.get("api-version").text().unwrap_or_default())?;
    let mut names = list.projects.ok_or(PageError::NotAPage)?;
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, PageError> {
    // serde_json gives up at 128 levels, so depth costs no stack (H15).
    serde_json::from_slice(bytes).map_err(PageError::NotJson)
}

#[derive(Deserialize)]
struct PageIn {
    #[serde(default)]
    meta: Loose,
    #[serde(default)]
    name: Loose,
    #[serde(default, rename = "project-status")]
    status: Loose,
    #[serde(default, deserialize_with = "versions_in")]
    versions: Option<Vec<String>>,
    /// `None` if there is no such key: then this is not a page.
    #[serde(default, deserialize_with = "files_in")]
    files: Option<Vec<Link>>,
}

#[derive(Deserialize)]
struct ListIn {
    #[serde(default)]
    meta: Loose,
    #[serde(default, deserialize_with = "projects_in")]
    projects: Option<Vec<ProjectName>>,
}

fn versions_in<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    list_in(from, MAX_FILES, |version: Loose| Ok(version.into_text()))
}

fn files_in<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Link>>, D::Error> {
    list_in(from, MAX_FILES, |file: FileIn| file.into_link().map(Some))
}

fn projects_in<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<ProjectName>>, D::Error> {
    list_in(from, MAX_PROJECTS, |project: ProjectIn| {
        Ok(project.name.text().and_then(|name| name.parse().ok()))
    })
}

#[derive(Deserialize)]
struct ProjectIn {
    #[serde(default)]
    name: Loose,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct FileIn {
    filename: Loose,
    url: Loose,
    hashes: Loose,
    requires_python: Loose,
    size: Loose,
    upload_time: Loose,
    yanked: Loose,
    core_metadata: Loose,
    dist_info_metadata: Loose,
    /// Not in any standard, but what PyPI itself has written.
    data_dist_info_metadata: Loose,
    provenance: Loose,
    gpg_sig: Loose,
}

impl FileIn {
    /// A file without a URL is no file: the page is broken, and believing the
    /// rest of it would make versions vanish (H07, H14).
    fn into_link(self) -> Result<Link, &'static str> {
        let mut hashes = Hashes::default();
        for (algorithm, hex) in self.hashes.entries() {
            hashes.insert(algorithm, hex.text().unwrap_or_default());
        }
        let announced = [
            self.core_metadata,
            self.dist_info_metadata,
            self.data_dist_info_metadata,
        ];
        let announced = announced.into_iter().find(|key| !key.is_nothing());
        Ok(Link {
            url: self.url.into_text().ok_or("a file has no url")?,
            filename: self.filename.into_text(),
            hashes,
            requires_python: self
                .requires_python
                .into_text()
                .filter(|text| !text.is_empty()),
            size: self.size.number(),
            upload_time: self.upload_time.into_text(),
            yanked: match self.yanked {
                Loose::Bool(true) => Some(String::new()),
                // pip: the empty text means not yanked.
                Loose::Text(reason) if !reason.is_empty() => Some(reason),
                _ => None,
            },
            core_metadata: announced.map_or(CoreMetadata::Absent, |key| sidecar_in(&key)),
            provenance: self.provenance.into_text(),
            gpg_sig: match self.gpg_sig {
                Loose::Bool(given) => Some(given),
                _ => None,
            },
        })
    }
}

fn sidecar_in(key: &Loose) -> CoreMetadata {
    match key {
        Loose::Bool(true) => CoreMetadata::Present,
        Loose::Map(_) => {
            let sha256 = key.get("sha256").text().and_then(|hex| hex.parse().ok());
            sha256.map_or(CoreMetadata::Present, CoreMetadata::Sha256)
        }
        _ => CoreMetadata::Absent,
    }
}

/// A list of at most `max` members, each converted as it comes, so that the
/// memory it takes is bounded; `null` is the empty list (P-02).
fn list_in<'de, D, M, T>(
    from: D,
    max: usize,
    convert: impl Fn(M) -> Result<Option<T>, &'static str>,
) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    M: Deserialize<'de>,
{
    from.deserialize_any(ListVisitor {
        max,
        convert,
        member: PhantomData,
    })
    .map(Some)
}

struct ListVisitor<F, M> {
    max: usize,
    convert: F,
    member: PhantomData<M>,
}

impl<'de, F, M, T> Visitor<'de> for ListVisitor<F, M>
where
    F: Fn(M) -> Result<Option<T>, &'static str>,
    M: Deserialize<'de>,
{
    type Value = Vec<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut members = Vec::new();
        let mut seen = 0;
        while let Some(member) = list.next_element()? {
            seen += 1;
            if seen > self.max {
                return Err(serde::de::Error::custom("too many entries"));
            }
            members.extend((self.convert)(member).map_err(serde::de::Error::custom)?);
        }
        Ok(members)
    }
}
