//! Names of distribution files: which project and version they belong to.
//!
//! Invariant: a file is never renamed (M-05); this module only reads names,
//! and reads any text without panicking. Left out: platform tags, which are
//! the installers' business.

mod listed;
mod split;
mod upload_type;

use std::fmt;

use crate::{ProjectName, Version};

pub(crate) use listed::{is_listed, names_project};
pub use upload_type::upload_type;

/// What a distribution file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `.whl`
    Wheel,
    /// A source archive.
    Sdist,
    /// `.egg`
    Egg,
    /// What installers do not take: `.exe`, `.msi`, `.rpm`, `.deb`, `.dmg`,
    /// archives with a platform in their name (`bdist_dumb`), and wheels and
    /// source archives whose extension is not in lower case.
    Other,
    /// devpi's documentation upload, `.doc.zip`.
    DocZip,
}

/// The parts of a distribution file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistFilename {
    /// The name part as it is written.
    pub name: String,
    /// The version part as it is written; empty if there is none.
    pub version: String,
    /// What the extension says.
    pub kind: FileKind,
    /// In lower case, with its leading dot, such as `.tar.gz`.
    pub extension: &'static str,
}

/// Why a text is not the name of a distribution file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilenameError {
    /// Unsafe characters or an extension that no distribution file has.
    #[error("'{0}' is not a valid archive name")]
    NotAnArchive(Shown),
    /// Not `name-version(-build)?-python-abi-platform(-variant)?.whl`.
    #[error(
        "'{0}' is not a valid wheel name: \
         NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl is expected"
    )]
    NotAWheel(Shown),
    /// A file of some other project.
    #[error("filename '{filename}' does not match project name '{project}'")]
    OtherProject {
        /// What was given.
        filename: Shown,
        /// What was expected.
        project: ProjectName,
    },
}

/// A foreign text made fit for a one-line message: ASCII, at most 120 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    pub(crate) fn new(text: &str) -> Self {
        let safe = |c: char| if is_graphic(c) { c } else { '?' };
        Self(text.chars().take(120).map(safe).collect())
    }
}

fn is_graphic(c: char) -> bool {
    c.is_ascii_graphic() || c == ' '
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The extensions that devpi knows (U-12), longest first where one ends another.
const EXTENSIONS: [(&str, FileKind); 13] = [
    (".whl", FileKind::Wheel),
    (".tar.gz", FileKind::Sdist),
    (".doc.zip", FileKind::DocZip),
    (".zip", FileKind::Sdist),
    (".tgz", FileKind::Sdist),
    (".tar.bz2", FileKind::Sdist),
    (".tar", FileKind::Sdist),
    (".egg", FileKind::Egg),
    (".exe", FileKind::Other),
    (".msi", FileKind::Other),
    (".rpm", FileKind::Other),
    (".deb", FileKind::Other),
    (".dmg", FileKind::Other),
];

/// The name before the extension, the extension and its kind.
fn split_extension(filename: &str) -> Option<(&str, &'static str, FileKind)> {
    let bytes = filename.as_bytes();
    EXTENSIONS.into_iter().find_map(|(extension, kind)| {
        let at = bytes.len().checked_sub(extension.len())?;
        if !bytes[at..].eq_ignore_ascii_case(extension.as_bytes()) {
            return None;
        }
        // pip compares `.whl` and `.tar.gz` letter by letter.
        let exact = &bytes[at..] == extension.as_bytes();
        let installable = matches!(kind, FileKind::Wheel | FileKind::Sdist);
        let kind = if installable && !exact {
            FileKind::Other
        } else {
            kind
        };
        Some((&filename[..at], extension, kind))
    })
}

/// Reads the name of a distribution file (U-12, M-05, M-07, M-08; devpi: A.3).
///
/// With the project known, the name part must be that project's (in any
/// spelling that normalises to it), which tells `foo-1-2.tar.gz` apart from a
/// file of `foo-1`. Without, wheels end their name at the first `-`, and other
/// files where the shortest name leaves a PEP 440 version, else at the last `-`.
pub fn parse(filename: &str, project: Option<&ProjectName>) -> Result<DistFilename, FilenameError> {
    let shown = || Shown::new(filename);
    if !is_safe_filename(filename) {
        return Err(FilenameError::NotAnArchive(shown()));
    }
    let (stem, extension, kind) =
        split_extension(filename).ok_or_else(|| FilenameError::NotAnArchive(shown()))?;
    let parts = if extension == ".whl" {
        split::wheel(stem, project)
    } else {
        split::archive(stem, project, kind)
    };
    let parts = parts.map_err(|refusal| match (refusal, project) {
        (split::Refusal::OtherProject, Some(project)) => FilenameError::OtherProject {
            filename: shown(),
            project: project.clone(),
        },
        _ => FilenameError::NotAWheel(shown()),
    })?;
    Ok(DistFilename {
        name: parts.name.to_owned(),
        version: parts.version.to_owned(),
        kind: if parts.has_platform && kind == FileKind::Sdist {
            FileKind::Other
        } else {
            kind
        },
        extension,
    })
}

/// Whether a text can stand as the last segment of a URL path and as a name on
/// any disk: ASCII letters, digits and the punctuation that real files have, at
/// most 255 bytes, not hidden, no space at its end.
pub fn is_safe_filename(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=255).contains(&bytes.len())
        && !matches!(bytes[0], b'.' | b' ')
        && bytes[bytes.len() - 1] != b' '
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"._+!-~@,=() ".contains(b))
}

/// Whether two names of files of `project` differ in spelling only (M-05):
/// equal after normalising name, version, build and tags.
pub fn same_file(a: &str, b: &str, project: &ProjectName) -> bool {
    a == b
        || match (canonical(a, project), canonical(b, project)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        }
}

/// Version, tags and extension in one spelling.
fn canonical(filename: &str, project: &ProjectName) -> Option<String> {
    let parsed = parse(filename, Some(project)).ok()?;
    let (stem, ..) = split_extension(filename)?;
    let version = Version::lenient(&parsed.version).normalized();
    let tags = stem.get(parsed.name.len() + 1 + parsed.version.len()..);
    let tags = tags.unwrap_or_default().to_ascii_lowercase();
    let sets = tags.split('-').map(|set| {
        let mut members: Vec<&str> = set.split('.').collect();
        members.sort_unstable();
        members.join(".")
    });
    let sets: Vec<String> = sets.collect();
    Some(format!("{version}{}{}", sets.join("-"), parsed.extension))
}

#[cfg(test)]
mod tests;
