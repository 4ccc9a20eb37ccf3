//! The order in which a page lists things (S-20): deterministic, so that equal
//! pages have equal bytes.

use super::{PageFile, ProjectPage};
use crate::{ProjectName, Version, filename};

/// The versions, each once: legacy first (M-07), then ascending by PEP 440.
pub(super) fn versions(page: &ProjectPage) -> Vec<&str> {
    let read = |raw: &String| Version::lenient(raw);
    let mut sorted: Vec<(Version, &str)> = page
        .versions
        .iter()
        .map(|raw| (read(raw), raw.as_str()))
        .collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.into_iter().map(|(_, raw)| raw).collect()
}

/// The files by version, then by name.
pub(super) fn files(page: &ProjectPage) -> Vec<&PageFile> {
    let mut keyed: Vec<(Version, &PageFile)> = page
        .files
        .iter()
        .map(|file| (version_of(file, &page.name), file))
        .collect();
    // Stable, so that what has one name keeps its order.
    keyed
        .sort_by(|(a, left), (b, right)| a.cmp(b).then_with(|| left.filename.cmp(&right.filename)));
    keyed.into_iter().map(|(_, file)| file).collect()
}

/// A file whose name says no version sorts first, with the legacy ones.
fn version_of(file: &PageFile, project: &ProjectName) -> Version {
    let parsed = filename::parse(&file.filename, Some(project));
    Version::lenient(parsed.as_ref().map_or("", |parsed| &parsed.version))
}
