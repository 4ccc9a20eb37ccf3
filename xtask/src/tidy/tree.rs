//! The text files of the checkout, read once.
//!
//! Invariant: paths are relative to the root and use `/`. Left out: what tools generate (`target`,
//! caches, lock files) and whatever is not UTF-8.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Folders that tools fill.
const SKIPPED_FOLDERS: &[&str] = &[
    "target",
    ".git",
    ".cache",
    ".venv",
    "__pycache__",
    ".pytest_cache",
];

/// Generated files: one names registries by its nature, the other is what a second checkout has
/// in place of the folder.
const SKIPPED_FILES: &[&str] = &["Cargo.lock", ".git"];

#[derive(Debug)]
pub(crate) struct Tree {
    files: Vec<SourceFile>,
}

#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        read_folder(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }

    pub(crate) fn find(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Files whose path starts with `prefix` and ends with `suffix`.
    pub(crate) fn below<'a>(
        &'a self,
        prefix: &'a str,
        suffix: &'a str,
    ) -> impl Iterator<Item = &'a SourceFile> {
        self.files()
            .filter(move |file| file.path.starts_with(prefix) && file.path.ends_with(suffix))
    }
}

impl SourceFile {
    /// Lines with their number, counted from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(i, line)| (i + 1, line))
    }

    /// The lines that are not inside a `#[cfg(test)] mod … { … }` block. Relies on rustfmt: the
    /// block's closing brace stands at the indentation of its `mod`.
    pub(crate) fn lines_without_tests(&self) -> Vec<(usize, &str)> {
        let mut kept = Vec::new();
        let mut closing: Option<String> = None;
        let mut lines = self.lines().peekable();
        while let Some((number, line)) = lines.next() {
            if let Some(brace) = &closing {
                if line == brace {
                    closing = None;
                }
                continue;
            }
            if line.trim() == "#[cfg(test)]"
                && let Some((_, next)) = lines.peek()
                && next.trim_start().starts_with("mod ")
                && next.trim_end().ends_with('{')
            {
                let indent = next.len() - next.trim_start().len();
                closing = Some(format!("{}}}", " ".repeat(indent)));
                continue;
            }
            kept.push((number, line));
        }
        kept
    }

    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    /// Whether the file holds tests only: an integration test or a `tests` module of its own.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

fn read_folder(root: &Path, below: &str, files: &mut Vec<SourceFile>) -> Result<()> {
    let folder = root.join(below);
    for entry in fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        let path = if below.is_empty() {
            name.clone()
        } else {
            format!("{below}/{name}")
        };
        if entry.file_type()?.is_dir() {
            if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                read_folder(root, &path, files)?;
            }
        } else if !SKIPPED_FILES.contains(&name.as_str())
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.push(SourceFile { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_test_modules_are_left_out() {
        let text = "a\n#[cfg(test)]\nmod tests {\n    fn x() {\n    }\n}\nb\n";
        let file = SourceFile {
            path: "crates/x/src/lib.rs".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(file.lines_without_tests(), [(1, "a"), (7, "b")]);
    }

    #[test]
    fn a_test_module_in_its_own_file_does_not_hide_what_follows() {
        let text = "#[cfg(test)]\nmod tests;\nb\n";
        let file = SourceFile {
            path: "crates/x/src/lib.rs".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(file.lines_without_tests().len(), 3);
    }
}
