//! A folder of distributions whose content is the fake index's content.
//!
//! Invariant: looked at again for every page, so that a test may add, replace
//! and remove files while the index runs.

use std::collections::HashMap;
use std::fs::DirEntry;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use larder_pypi::archive::read_wheel;
use larder_pypi::filename::{self, DistFilename, FileKind};

use crate::catalog::{Catalog, FileEntry};

/// How a file looked when it was read.
type Stamp = (u64, Option<SystemTime>);

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    known: HashMap<String, Stamp>,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            known: HashMap::new(),
        }
    }

    /// Makes the catalog hold what the folder holds.
    pub(crate) fn sync(&mut self, catalog: &mut Catalog) {
        let present = listing(&self.path);
        self.known.retain(|filename, _| {
            let stays = present.contains_key(filename);
            if !stays {
                catalog.remove(filename);
            }
            stays
        });
        for (filename, stamp) in present {
            if self.known.get(&filename) == Some(&stamp) {
                continue;
            }
            if let Some((project, file)) = read_entry(&self.path, &filename) {
                catalog.insert(&project, file);
                self.known.insert(filename, stamp);
            }
        }
    }
}

fn listing(path: &Path) -> HashMap<String, Stamp> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let stamp = |entry: DirEntry| {
        let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let filename = entry.file_name().into_string().ok()?;
        Some((filename, (metadata.len(), metadata.modified().ok())))
    };
    entries.filter_map(stamp).collect()
}

/// The file and the name of its project; `None` for what is no distribution.
fn read_entry(folder: &Path, filename: &str) -> Option<(String, FileEntry)> {
    let parsed = filename::parse(filename, None).ok()?;
    let path = folder.join(filename);
    let mut file = FileEntry::new(filename, std::fs::read(&path).ok()?.into());
    add_metadata(&mut file, &parsed);
    Some((parsed.name, file))
}

/// A wheel's metadata; one that cannot be read is served without.
fn add_metadata(file: &mut FileEntry, parsed: &DistFilename) {
    if parsed.kind != FileKind::Wheel {
        return;
    }
    if let Ok(artifact) = read_wheel(Cursor::new(&file.bytes), parsed) {
        file.requires_python = artifact.parsed.requires_python().map(str::to_owned);
        file.metadata = Some(artifact.metadata.into());
    }
}
