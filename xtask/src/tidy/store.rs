//! Rules about the database layer: migrations in pairs, every function in a contract test.
//!
//! Invariant: SQL has no compile-time check here, so a function that no test calls is a finding.
//! Left out: whether the two schemas agree, which a test of `store` asks the databases themselves.

use std::collections::BTreeSet;

use super::{Finding, Tree};

const MIGRATIONS: &str = "crates/store/migrations/";

pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    check_migrations(tree, findings);
    check_contract(tree, findings);
}

fn check_migrations(tree: &Tree, findings: &mut Vec<Finding>) {
    let names = |engine: &str| -> BTreeSet<String> {
        let folder = format!("{MIGRATIONS}{engine}/");
        let files = tree.below(MIGRATIONS, ".sql");
        files
            .filter_map(|file| file.path.strip_prefix(&folder).map(str::to_owned))
            .collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    for name in sqlite.symmetric_difference(&postgres) {
        let missing = if sqlite.contains(name) {
            "postgres"
        } else {
            "sqlite"
        };
        let message = format!("{name} has no twin in {MIGRATIONS}{missing}");
        findings.push(Finding::at(MIGRATIONS, 0, message));
    }
}

fn check_contract(tree: &Tree, findings: &mut Vec<Finding>) {
    let tests: Vec<&str> = tree
        .below("crates/store/tests/", ".rs")
        .map(|f| f.text.as_str())
        .collect();
    for file in tree.below("crates/store/src/", ".rs") {
        for (number, line) in file.lines_without_tests() {
            let Some(name) = public_async_fn(line) else {
                continue;
            };
            let (method, path) = (format!(".{name}("), format!("::{name}("));
            if !tests
                .iter()
                .any(|text| text.contains(&method) || text.contains(&path))
            {
                let message = format!("no contract test in crates/store/tests calls {name}");
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
}

/// The name in `pub async fn name(` or `pub async fn name<…>(`.
fn public_async_fn(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub async fn ")?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_public_async_fn_is_recognised() {
        assert_eq!(
            public_async_fn("    pub async fn find_user(&self) {"),
            Some("find_user")
        );
        assert_eq!(
            public_async_fn("    pub(crate) async fn find_user(&self) {"),
            None
        );
        assert_eq!(public_async_fn("    pub fn find_user(&self) {"), None);
    }

    #[test]
    fn lone_migrations_and_untested_functions_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("crates/store/migrations/sqlite/0001_start.sql", "");
        write("crates/store/migrations/postgres/0001_start.sql", "");
        write("crates/store/migrations/sqlite/0002_more.sql", "");
        write(
            "crates/store/src/lib.rs",
            "pub async fn called() {}\npub async fn forgotten() {}\n",
        );
        write("crates/store/tests/contract.rs", "store.called().await\n");
        let mut findings = Vec::new();
        check(&Tree::read(folder.path()).unwrap(), &mut findings);
        let messages: Vec<String> = findings
            .into_iter()
            .map(|finding| finding.message)
            .collect();
        assert_eq!(
            messages,
            [
                "0002_more.sql has no twin in crates/store/migrations/postgres",
                "no contract test in crates/store/tests calls forgotten",
            ]
        );
    }
}
