//! Where the name ends and the version begins (devpi: A.3, made strict where a
//! file of another project would be taken for one of this).

use super::FileKind;
use crate::{ProjectName, Version};

/// The parts of a name without its extension.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// A platform follows the version, as in `demo-1.0.linux-x86_64`.
    pub(super) has_platform: bool,
}

#[derive(Debug)]
pub(super) enum Refusal {
    OtherProject,
    NotAWheel,
}

/// `name-version(-build)?-python-abi-platform(-variant)?` (M-08).
pub(super) fn wheel<'a>(
    stem: &'a str,
    project: Option<&ProjectName>,
) -> Result<Parts<'a>, Refusal> {
    let name_len = match project {
        Some(project) => project_prefix(stem, project).ok_or(Refusal::OtherProject)?,
        None => stem.find('-').ok_or(Refusal::NotAWheel)?,
    };
    let (name, rest) = stem.split_at(name_len);
    let rest = rest.strip_prefix('-').ok_or(Refusal::NotAWheel)?;
    let fields: Vec<&str> = rest.split('-').collect();
    let (version, mut tags) = fields.split_first().ok_or(Refusal::NotAWheel)?;
    if tags.len() > 3 && starts_with_digit(tags[0]) {
        tags = &tags[1..];
    }
    let complete = (3..=4).contains(&tags.len()) && !starts_with_digit(tags[0]);
    if name.is_empty() || !complete || fields.iter().any(|field| field.is_empty()) {
        return Err(Refusal::NotAWheel);
    }
    Ok(Parts {
        name,
        version,
        has_platform: false,
    })
}

/// Everything that is not a wheel.
pub(super) fn archive<'a>(
    stem: &'a str,
    project: Option<&ProjectName>,
    kind: FileKind,
) -> Result<Parts<'a>, Refusal> {
    let Some(project) = project else {
        let (stem, has_platform) = without_tail(stem, kind);
        let (name, version) = guess(stem);
        return Ok(Parts {
            name,
            version,
            has_platform,
        });
    };
    let name_len = project_prefix(stem, project).ok_or(Refusal::OtherProject)?;
    let (name, rest) = stem.split_at(name_len);
    if rest.is_empty() {
        return Ok(Parts {
            name,
            version: "",
            has_platform: false,
        });
    }
    let rest = rest.strip_prefix('-').ok_or(Refusal::OtherProject)?;
    let (version, has_platform) = without_tail(rest, kind);
    if !looks_like_version(version) {
        return Err(Refusal::OtherProject);
    }
    Ok(Parts {
        name,
        version,
        has_platform,
    })
}

/// How many bytes of `stem` are a spelling of `project`; what follows is not
/// part of the same word.
pub(super) fn project_prefix(stem: &str, project: &ProjectName) -> Option<usize> {
    let bytes = stem.as_bytes();
    let mut at = 0;
    for expected in project.as_str().bytes() {
        if expected == b'-' {
            let run = bytes[at..].iter().take_while(|b| is_separator(**b)).count();
            if run == 0 {
                return None;
            }
            at += run;
        } else {
            if bytes.get(at)?.to_ascii_lowercase() != expected {
                return None;
            }
            at += 1;
        }
    }
    match bytes.get(at) {
        Some(next) if !is_separator(*next) => None,
        _ => Some(at),
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.')
}

fn starts_with_digit(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// Whether what follows `project-` is a version rather than the rest of a
/// longer project name, as in `project-extra-1.0`.
fn looks_like_version(text: &str) -> bool {
    let numbered = text.strip_prefix(['v', 'V', 'r', 'R']).unwrap_or(text);
    starts_with_digit(numbered) || !text.contains('-') || !Version::lenient(text).is_legacy()
}

/// The shortest name that leaves a PEP 440 version, else up to the last `-`.
fn guess(stem: &str) -> (&str, &str) {
    let split = |at: usize| (&stem[..at], &stem[at + 1..]);
    let mut dashes = stem.match_indices('-').map(|(at, _)| at);
    dashes
        .find(|at| !Version::lenient(&stem[at + 1..]).is_legacy())
        .or_else(|| stem.rfind('-'))
        .map_or((stem, ""), split)
}

/// Cuts what installers for one platform or Python put behind the version, and
/// says whether it was a platform.
fn without_tail(stem: &str, kind: FileKind) -> (&str, bool) {
    const PLATFORMS: [&str; 4] = [".linux-", ".macosx-", ".win32", ".win-"];
    const PYTHONS: [&str; 5] = ["-py", "-cp", "-pp", "-ip", "-jy"];
    let lower = stem.to_ascii_lowercase();
    let platform = PLATFORMS.iter().filter_map(|tail| lower.find(tail)).min();
    if let Some(at) = platform {
        return (&stem[..at], true);
    }
    if matches!(kind, FileKind::Egg | FileKind::Other) {
        let pythons = PYTHONS.iter().filter_map(|tail| {
            let at = lower.rfind(tail)?;
            starts_with_digit(&lower[at + tail.len()..]).then_some(at)
        });
        if let Some(at) = pythons.max() {
            return (&stem[..at], false);
        }
        // The release number and architecture of an rpm.
        if let Some((rest, tail)) = stem.rsplit_once('-')
            && let Some((release, arch)) = tail.split_once('.')
            && release.bytes().all(|b| b.is_ascii_digit())
            && arch.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            return (rest, false);
        }
    }
    (stem, false)
}
