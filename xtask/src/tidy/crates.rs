//! Who may import whom: the arrows between the crates, read from their `Cargo.toml`.
//!
//! Invariant: every crate of the workspace has a row here, so that a new one is a decision.
//! Left out: dev-dependencies, which build tests only, but for the two pure crates.

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::{Finding, Tree};

struct Crate {
    folder: &'static str,
    /// The crates of this workspace it may import.
    imports: &'static [&'static str],
}

/// Arrows point to what is imported: `pypi ← model ← store`, `pypi ← blob`, `pypi ← upstream`,
/// these ← `app` ← `web` ← `larder`.
const CRATES: &[Crate] = &[
    Crate {
        folder: "crates/pypi",
        imports: &[],
    },
    Crate {
        folder: "crates/default-index",
        imports: &[],
    },
    Crate {
        folder: "crates/model",
        imports: &["pypi"],
    },
    Crate {
        folder: "crates/store",
        imports: &["model", "pypi"],
    },
    Crate {
        folder: "crates/blob",
        imports: &["pypi"],
    },
    Crate {
        folder: "crates/upstream",
        imports: &["pypi"],
    },
    Crate {
        folder: "crates/app",
        imports: &["blob", "model", "pypi", "store", "upstream"],
    },
    Crate {
        folder: "crates/web",
        imports: &["app", "model", "pypi"],
    },
    Crate {
        folder: "crates/larder",
        imports: &[
            "app",
            "blob",
            "default-index",
            "model",
            "pypi",
            "store",
            "upstream",
            "web",
        ],
    },
    Crate {
        folder: "crates/testkit",
        imports: &["app", "blob", "model", "pypi", "store", "upstream", "web"],
    },
    Crate {
        folder: "xtask",
        imports: &[],
    },
];

/// Libraries that belong to one part of the house; everybody else asks that part.
const OWNED: &[(&str, &[&str])] = &[
    ("sqlx", &["crates/store"]),
    ("object_store", &["crates/blob"]),
    ("memmap2", &["crates/blob"]),
    ("reqwest", &["crates/upstream"]),
    ("uv-distribution-types", &["crates/default-index"]),
    ("uv-pep440", &["crates/pypi"]),
    ("uv-normalize", &["crates/pypi"]),
    ("uv-distribution-filename", &["crates/pypi"]),
    ("uv-pypi-types", &["crates/pypi"]),
    ("uv-metadata", &["crates/pypi"]),
    ("argon2", &["crates/app"]),
    ("multer", &["crates/web"]),
    ("axum", &["crates/web", "crates/testkit"]),
    (
        "http",
        &[
            "crates/web",
            "crates/larder",
            "crates/upstream",
            "crates/testkit",
        ],
    ),
    ("clap", &["crates/larder"]),
    ("anyhow", &["crates/larder", "crates/testkit", "xtask"]),
];

const PURE: &[&str] = &["crates/pypi", "crates/model", "crates/default-index"];

/// What a crate without I/O cannot depend on, in tests neither.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio-util",
    "sqlx",
    "reqwest",
    "axum",
    "hyper",
    "object_store",
    "memmap2",
    "rustix",
    "tempfile",
];

pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) -> Result<()> {
    for file in tree
        .files()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
    {
        let manifest: Table = file
            .text
            .parse()
            .with_context(|| format!("{} is not TOML", file.path))?;
        let Some(folder) = file.path.strip_suffix("/Cargo.toml") else {
            continue;
        };
        check_manifest(folder, &manifest, findings);
    }
    Ok(())
}

fn check_manifest(folder: &str, manifest: &Table, findings: &mut Vec<Finding>) {
    let path = format!("{folder}/Cargo.toml");
    let Some(row) = CRATES.iter().find(|row| row.folder == folder) else {
        findings.push(Finding::at(
            &path,
            0,
            "this crate has no row in xtask/src/tidy/crates.rs",
        ));
        return;
    };
    for name in dependencies(manifest, "dependencies") {
        if let Some(other) = name.strip_prefix("larder-") {
            if !row.imports.contains(&other) {
                findings.push(Finding::at(
                    &path,
                    0,
                    format!("{folder} must not import {name}"),
                ));
            }
        } else if let Some((_, owners)) = OWNED.iter().find(|(owned, _)| *owned == name)
            && !owners.contains(&folder)
        {
            findings.push(Finding::at(
                &path,
                0,
                format!("{name} belongs to {}: ask that crate", owners.join(", ")),
            ));
        }
    }
    if PURE.contains(&folder) {
        let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
        for name in sections
            .iter()
            .flat_map(|section| dependencies(manifest, section))
        {
            if IMPURE.contains(&name.as_str()) {
                let message = format!("{folder} does no I/O and must not depend on {name}");
                findings.push(Finding::at(&path, 0, message));
            }
        }
    }
}

fn dependencies(manifest: &Table, section: &str) -> Vec<String> {
    let table = manifest.get(section).and_then(Value::as_table);
    table
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings_of(folder: &str, manifest: &str) -> Vec<String> {
        let mut findings = Vec::new();
        check_manifest(folder, &manifest.parse().unwrap(), &mut findings);
        findings
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn an_arrow_against_the_direction_is_found() {
        let found = findings_of(
            "crates/store",
            "[dependencies]\nlarder-app.workspace = true\n",
        );
        assert_eq!(found, ["crates/store must not import larder-app"]);
    }

    #[test]
    fn tests_may_import_the_testkit_but_code_may_not() {
        let dev = "[dev-dependencies]\nlarder-testkit.workspace = true\n";
        assert!(findings_of("crates/web", dev).is_empty());
        let code = "[dependencies]\nlarder-testkit.workspace = true\n";
        assert_eq!(findings_of("crates/web", code).len(), 1);
    }

    #[test]
    fn a_library_is_used_by_its_owner_only() {
        let manifest = "[dependencies]\nsqlx.workspace = true\n";
        assert!(findings_of("crates/store", manifest).is_empty());
        assert_eq!(
            findings_of("crates/app", manifest),
            ["sqlx belongs to crates/store: ask that crate"]
        );
    }

    #[test]
    fn a_pure_crate_stays_pure_in_its_tests_too() {
        let found = findings_of(
            "crates/pypi",
            "[dev-dependencies]\ntokio.workspace = true\n",
        );
        assert_eq!(
            found,
            ["crates/pypi does no I/O and must not depend on tokio"]
        );
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(findings_of("crates/util", "").len(), 1);
    }
}
