//! The path of an archive's member, as every extractor understands it.
//!
//! Invariant: relative, inside, with `/` between its parts, and in one
//! spelling, so that `a//b` and `./a/b` are found to be `a/b`.

use super::ArchiveError;

/// The path in its one spelling; empty for the archive's own folder.
pub(super) fn normal_path(name: &str) -> Result<String, ArchiveError> {
    const OUTSIDE: ArchiveError = ArchiveError::Unsafe("a path that leads outside");
    if name.starts_with('/') {
        return Err(OUTSIDE);
    }
    // A backslash is a letter to some and a separator to others.
    if name.contains(|c: char| c == '\\' || c.is_control()) {
        return Err(ArchiveError::Unsafe(
            "a path with a character that no path has",
        ));
    }
    let mut path = String::with_capacity(name.len());
    for part in name.split('/') {
        match part {
            ".." => return Err(OUTSIDE),
            "" | "." => {}
            part => {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(part);
            }
        }
    }
    // Only now, since `./C:/x` has one too.
    if has_drive(&path) {
        return Err(OUTSIDE);
    }
    Ok(path)
}

/// Whether a link's target stays inside. A symbolic link starts from the folder
/// of its own path, a hard link from the archive's.
pub(super) fn check_link(from: &str, target: &str) -> Result<(), ArchiveError> {
    const OUTSIDE: ArchiveError = ArchiveError::Unsafe("a link that leads outside");
    if target.starts_with('/') || target.contains('\\') {
        return Err(OUTSIDE);
    }
    let mut depth = from.matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => depth = depth.checked_sub(1).ok_or(OUTSIDE)?,
            part if has_drive(part) => return Err(OUTSIDE),
            _ => depth += 1,
        }
    }
    Ok(())
}

/// `C:` in front.
fn has_drive(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        let cases = [
            ("a/b", "a/b"),
            ("./a//b/", "a/b"),
            ("a/./b", "a/b"),
            ("./", ""),
            ("", ""),
            ("a..b/...", "a..b/..."),
            ("data/http:__x", "data/http:__x"),
            ("ünï/é", "ünï/é"),
        ];
        for (name, expected) in cases {
            assert_eq!(normal_path(name).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn paths_that_lead_outside_are_refused() {
        let bad = [
            "/a",
            "//a",
            "../a",
            "a/../../b",
            "a/..",
            "..",
            "C:/a",
            "./C:/a",
            "//C:",
            "c:a",
            "a\\b",
            "..\\a",
            "a\0b",
            "a\nb",
            "a\u{85}b",
        ];
        for name in bad {
            assert!(
                matches!(normal_path(name), Err(ArchiveError::Unsafe(_))),
                "{name:?}"
            );
        }
    }

    #[test]
    fn links_that_lead_outside_are_refused() {
        let inside = [
            ("top/a", "b"),
            ("top/x/a", "../b"),
            ("top/a", "./x/../b"),
            ("top/a", "../top/b"),
        ];
        for (from, target) in inside {
            assert!(check_link(from, target).is_ok(), "{from} {target}");
        }
        let outside = [
            ("top/a", "../../b"),
            ("top/a", "/etc/passwd"),
            ("a", ".."),
            ("top/a", "x/../../../b"),
            ("top/a", "C:/b"),
            ("top/a", "./C:/b"),
            ("top/a", "..\\b"),
        ];
        for (from, target) in outside {
            assert!(check_link(from, target).is_err(), "{from} {target}");
        }
    }

    proptest! {
        #[test]
        fn normalising_is_idempotent_and_never_leaves(name in "[a./\\\\:C]{0,12}") {
            if let Ok(path) = normal_path(&name) {
                prop_assert_eq!(&normal_path(&path).unwrap(), &path);
                prop_assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."));
            }
        }
    }
}
