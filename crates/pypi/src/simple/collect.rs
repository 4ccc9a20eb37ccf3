//! What the readers of JSON and HTML have in common: links become files.
//!
//! Invariant: every file collected has a safe name of this project and an
//! absolute http(s) URL without credentials and fragment.

use percent_encoding::percent_decode_str;
use url::Url;

use super::{CoreMetadata, PageError, PageFile, ProjectPage, ProjectStatus};
use crate::{Hashes, ProjectName, filename};

/// More files than any real project has; a page beyond is refused before it fills the memory.
pub(super) const MAX_FILES: usize = 100_000;

/// Longest version that a page is believed to know.
const MAX_VERSION_BYTES: usize = 200;

/// One link of a page, as it was found.
#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) url: String,
    /// JSON says it; else it is the last segment of the URL.
    pub(super) filename: Option<String>,
    pub(super) hashes: Hashes,
    pub(super) requires_python: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) upload_time: Option<String>,
    pub(super) yanked: Option<String>,
    pub(super) core_metadata: CoreMetadata,
    pub(super) provenance: Option<String>,
    pub(super) gpg_sig: Option<bool>,
}

/// Collects the files of one project.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    project: &'a ProjectName,
    base: Url,
    files: Vec<PageFile>,
    mentioned: bool,
}

impl<'a> Collector<'a> {
    /// Relative links are resolved against `base`, the page's final URL (P-03).
    pub(super) fn new(project: &'a ProjectName, base: &Url) -> Self {
        Self {
            project,
            base: base.clone(),
            files: Vec::new(),
            mentioned: false,
        }
    }

    /// `<base href>`: links from here on are relative to it.
    pub(super) fn rebase(&mut self, href: &str) {
        if let Ok(base) = self.base.join(href.trim()) {
            self.base = base;
        }
    }

    /// Whether any link looked like this project's, listed or not.
    pub(super) fn has_mention(&self) -> bool {
        self.mentioned
    }

    /// Takes a link, or drops it: other schemes, other projects (H23), unsafe
    /// names, extensions that no distribution file has (devpi: 7.2).
    pub(super) fn add(&mut self, link: Link) -> Result<(), PageError> {
        let Some(mut url) = resolve(&self.base, &link.url) else {
            return Ok(());
        };
        let Some(filename) = link.filename.or_else(|| last_segment(&url)) else {
            return Ok(());
        };
        self.mentioned |= filename::names_project(&filename, self.project);
        if !filename::is_listed(&filename, self.project) {
            return Ok(());
        }
        if self.files.len() >= MAX_FILES {
            return Err(PageError::TooLong);
        }
        let mut hashes = link.hashes;
        if hashes.is_empty() {
            // S-24: unknown algorithms, sha1 among them, end here.
            for part in url.fragment().unwrap_or_default().split('&') {
                if let Some((algorithm, hex)) = part.split_once('=') {
                    hashes.insert(algorithm, hex);
                }
            }
        }
        url.set_fragment(None);
        self.files.push(PageFile {
            filename,
            url: url.into(),
            hashes,
            requires_python: link.requires_python.map(without_nul),
            size: link.size,
            upload_time: link
                .upload_time
                .and_then(|text| super::upload_time::read(&text)),
            yanked: link.yanked.map(without_nul),
            core_metadata: link.core_metadata,
            provenance: link.provenance.filter(|text| is_http(text)),
            gpg_sig: link.gpg_sig,
        });
        Ok(())
    }

    /// The page. Without a list of versions (before PEP 700) they are those of the files.
    pub(super) fn into_page(
        mut self,
        status: Option<ProjectStatus>,
        mut versions: Vec<String>,
        last_serial: Option<u64>,
    ) -> ProjectPage {
        drop_duplicates(&mut self.files);
        versions.retain(|version| is_plausible_version(version));
        if versions.is_empty() {
            let parsed = self
                .files
                .iter()
                .filter_map(|file| filename::parse(&file.filename, Some(self.project)).ok());
            versions.extend(
                parsed
                    .map(|parsed| parsed.version)
                    .filter(|v| !v.is_empty()),
            );
        }
        versions.sort_unstable();
        versions.dedup();
        ProjectPage {
            name: self.project.clone(),
            status: status.filter(|status| !status.status.is_empty()),
            versions,
            files: self.files,
            last_serial,
        }
    }
}

fn is_plausible_version(text: &str) -> bool {
    (1..=MAX_VERSION_BYTES).contains(&text.len()) && !text.contains(char::is_control)
}

/// A link without a fragment's meaning lost, without credentials.
fn resolve(base: &Url, href: &str) -> Option<Url> {
    let mut url = base.join(href.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url)
}

fn last_segment(url: &Url) -> Option<String> {
    let segment = url.path_segments()?.next_back()?;
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

fn is_http(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// One file per name: a link with a hash beats one without, then the first wins (devpi: 7.2).
fn drop_duplicates(files: &mut Vec<PageFile>) {
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_unstable_by(|a, b| {
        let (left, right) = (&files[*a], &files[*b]);
        let by_name = left.filename.cmp(&right.filename);
        let by_hash = left.hashes.is_empty().cmp(&right.hashes.is_empty());
        by_name.then(by_hash).then(a.cmp(b))
    });
    order.dedup_by(|later, first| files[*later].filename == files[*first].filename);
    if order.len() == files.len() {
        return;
    }
    let mut keep = vec![false; files.len()];
    for at in order {
        keep[at] = true;
    }
    let mut at = 0;
    files.retain(|_| {
        at += 1;
        keep[at - 1]
    });
}

/// NUL cannot be stored as text, and nothing that means something has one.
pub(super) fn without_nul(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text
    }
}
