//! Who may import whom: the arrows between the crates, read from their `Cargo.toml`.
//!
//! Invariant: every crate of the workspace has a row here, so that a new one is a decision.
//! Left out: dev-dependencies, which build tests only, but for the two pure crates.

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

pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.files() {
        if let Some(folder) = file.path.strip_suffix("/Cargo.toml") {
            check_manifest(folder, &file.text, findings);
        }
    }
}

fn check_manifest(folder: &str, manifest: &str, findings: &mut Vec<Finding>) {
    let path = format!("{folder}/Cargo.toml");
    let Some(row) = CRATES.iter().find(|row| row.folder == folder) else {
        findings.push(Finding::at(
            &path,
            0,
            "this crate has no row in xtask/src/tidy/crates.rs",
        ));
        return;
    };
    for (line, section, name) in dependencies(manifest) {
        let mut find = |message: String| findings.push(Finding::at(&path, line, message));
        if PURE.contains(&folder) && IMPURE.contains(&name) {
            find(format!(
                "{folder} does no I/O and must not depend on {name}"
            ));
        }
        if section != "dependencies" {
            continue;
        }
        if let Some(other) = name.strip_prefix("larder-") {
            if !row.imports.contains(&other) {
                find(format!("{folder} must not import {name}"));
            }
        } else if let Some((_, owners)) = OWNED.iter().find(|(owned, _)| *owned == name)
            && !owners.contains(&folder)
        {
            find(format!(
                "{name} belongs to {}: ask that crate",
                owners.join(", ")
            ));
        }
    }
}

/// Line, section and name of every dependency. Reads the one form used here, a line
/// `name.workspace = true` or `name = …` under a heading that ends with `dependencies]`.
fn dependencies(manifest: &str) -> Vec<(usize, &str, &str)> {
    let mut found = Vec::new();
    let mut section = "";
    for (number, line) in manifest.lines().enumerate() {
        if let Some(heading) = line.strip_prefix('[') {
            let heading = heading.trim_end().trim_end_matches(']');
            section = heading.rsplit('.').next().unwrap_or(heading);
        } else if section.ends_with("dependencies")
            && let Some(end) = line.find(['.', ' ', '='])
            && end > 0
        {
            found.push((number + 1, section, &line[..end]));
        }
    }
    found.retain(|(_, _, name)| !name.starts_with('#'));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings_of(folder: &str, manifest: &str) -> Vec<String> {
        let mut findings = Vec::new();
        check_manifest(folder, manifest, &mut findings);
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
    fn every_form_of_dependency_is_read() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\n# c.d\nb = { version = \"1\",\n  features = [] }\n[target.'cfg(unix)'.dev-dependencies]\ne = \"1\"\n";
        let names: Vec<&str> = dependencies(manifest)
            .into_iter()
            .map(|(_, _, name)| name)
            .collect();
        assert_eq!(names, ["a", "b", "e"]);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert_eq!(findings_of("crates/util", "").len(), 1);
    }
}
