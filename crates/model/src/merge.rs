//! Which indexes of a resolution order may answer for a project, and the one
//! page made of their answers (devpi: 8.2, 8.3).
//!
//! Invariants: a name that a stage has is answered by a mirror only where a
//! whitelist says so, whatever any upstream says or fails to say; on a
//! merged page the nearest index wins each file name. Pure: who has what
//! is found out elsewhere.

use std::collections::HashSet;

use larder_pypi::ProjectName;
use larder_pypi::simple::{PageFile, ProjectPage, ProjectStatus};

use crate::{IndexKind, Inheritance, Whitelist};

/// One index of a resolution order, as far as the guard looks.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// Stage or mirror.
    pub kind: IndexKind,
    /// The stage's list; a mirror's is not looked at.
    pub whitelist: &'a Whitelist,
    /// Whether the project is registered here, with files or without.
    /// A mirror's is not looked at.
    pub has_project: bool,
}

/// Who may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// One for each layer; stages always may.
    pub admitted: Vec<bool>,
    /// Some mirror may not.
    pub blocked_mirror: bool,
}

/// The guard against dependency confusion (devpi: 8.3). `layers` is a
/// resolution order, `inheritance` is the requested index's.
pub fn admit(layers: &[Layer<'_>], project: &ProjectName, inheritance: Inheritance) -> Admission {
    let mut inherited: Option<Listing> = None;
    let (mut whitelisted, mut private_hit) = (false, false);
    let admitted: Vec<bool> = layers
        .iter()
        .map(|layer| {
            if layer.kind == IndexKind::Mirror {
                return whitelisted || !private_hit;
            }
            let own = Listing::of(layer.whitelist, project);
            let listing = inherited.map_or(own, |inherited| inherited.with(own, inheritance));
            inherited = Some(listing);
            // devpi: an index that has the project while it is listed is no hit.
            if listing.all || listing.project {
                whitelisted = true;
            } else if layer.has_project {
                private_hit = true;
            }
            true
        })
        .collect();
    Admission {
        blocked_mirror: admitted.contains(&false),
        admitted,
    }
}

/// All that matters of a whitelist for one project. `*` is an entry like any
/// other: {`*`} ∩ {`alpha`} is empty.
#[derive(Debug, Clone, Copy)]
struct Listing {
    all: bool,
    project: bool,
}

impl Listing {
    fn of(whitelist: &Whitelist, project: &ProjectName) -> Self {
        Self {
            all: whitelist.lists_all(),
            project: whitelist.lists(project),
        }
    }

    fn with(self, own: Self, inheritance: Inheritance) -> Self {
        match inheritance {
            Inheritance::Intersection => Self {
                all: self.all && own.all,
                project: self.project && own.project,
            },
            Inheritance::Union => Self {
                all: self.all || own.all,
                project: self.project || own.project,
            },
        }
    }
}

/// One page out of those of the admitted layers that have the project, each
/// with its place in the resolution order.
///
/// * Files: the nearest of each file name, with all its keys; the same name
///   further away is dropped, whatever its hash.
/// * Versions: the union, as raw text, nearest first.
/// * Status: that of the nearest page. A page that says `quarantined` gives no
///   files of its own and takes away nobody else's (S-35, S-38).
/// * Serial: kept when there is one page only; serials of different indexes
///   count different things.
pub fn merge_pages(name: &ProjectName, mut pages: Vec<(usize, ProjectPage)>) -> ProjectPage {
    pages.sort_by_key(|(layer, _)| *layer);
    let last_serial = match pages.as_slice() {
        [(_, only)] => only.last_serial,
        _ => None,
    };
    let status = pages
        .first()
        .and_then(|(_, nearest)| nearest.status.clone());
    let (mut files, mut versions) = (
        Vec::with_capacity(pages.len()),
        Vec::with_capacity(pages.len()),
    );
    for (_, page) in pages {
        versions.push(page.versions);
        if !page.status.as_ref().is_some_and(is_quarantined) {
            files.push(page.files);
        }
    }
    ProjectPage {
        name: name.clone(),
        status,
        versions: first_of_each(versions, String::as_str),
        files: first_of_each(files, |file: &PageFile| &file.filename),
        last_serial,
    }
}

fn is_quarantined(status: &ProjectStatus) -> bool {
    status.status.eq_ignore_ascii_case("quarantined")
}

/// The lists one after the other, without what has the key of something earlier.
fn first_of_each<T>(lists: Vec<Vec<T>>, key: impl Fn(&T) -> &str) -> Vec<T> {
    let mut seen = HashSet::with_capacity(lists.iter().map(Vec::len).sum());
    let is_first: Vec<bool> = lists
        .iter()
        .flatten()
        .map(|entry| seen.insert(key(entry)))
        .collect();
    let entries = lists.into_iter().flatten().zip(is_first);
    entries
        .filter_map(|(entry, is_first)| is_first.then_some(entry))
        .collect()
}

#[cfg(test)]
mod tests;
