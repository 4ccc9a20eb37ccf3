//! Which links of an upstream's page are files of the project (devpi: 7.2,
//! M-07, M-08): lenient, so that no file vanishes, yet never another project's.

use super::{FilenameError, is_safe_filename, parse, split, split_extension};
use crate::ProjectName;

/// Whether a file name on an upstream's page is listed under `project`.
pub(crate) fn is_listed(filename: &str, project: &ProjectName) -> bool {
    match parse(filename, Some(project)) {
        // M-07: wheels with names that no installer reads stay listed.
        Ok(_) | Err(FilenameError::NotAWheel(_)) => true,
        Err(_) => is_variants_json(filename, project),
    }
}

/// M-08: `name-version-variants.json` is listed beside the wheels it describes.
fn is_variants_json(filename: &str, project: &ProjectName) -> bool {
    filename.ends_with("-variants.json")
        && is_safe_filename(filename)
        && names_project(filename, project)
}

/// Whether a text begins like a file of `project`, whatever its extension.
pub(crate) fn names_project(filename: &str, project: &ProjectName) -> bool {
    let stem = split_extension(filename).map_or(filename, |(stem, ..)| stem);
    split::project_prefix(stem, project).is_some()
}
