//! Rules about the text of single files.
//!
//! Invariant: forbidden words are put together from halves here, so that this file passes too.
//! Left out: anything that needs to understand Rust; a rule is a line that contains something.

use super::tree::SourceFile;
use super::{Finding, Tree};

const MAX_LINES: usize = 500;

/// Files that may be longer, each with the reason. Empty is the goal.
const LONG_FILES: &[(&str, &str)] = &[];

/// Marks of unfinished work.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("HACK", ":"),
];

/// Paths of one particular machine.
const MACHINE_PATHS: &[&str] = &[
    concat!("/work", "/main"),
    concat!("/work", "/shared"),
    concat!("/work", "/target"),
    concat!("/work", "/."),
    concat!("/tmp", "/plan"),
    concat!("/root", "/.cargo"),
    concat!("/root", "/.pyenv"),
];

/// Hosts of package registries: the tree says "PyPI" and tests use loopback or example.com.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("crates", ".io"),
    concat!("debian", ".org"),
    concat!("npmjs", ".org"),
    concat!("docker", ".io"),
];

/// What code without I/O does not mention.
const IMPURE_WORDS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "SystemTime",
    "Instant::now",
];

/// How a statement starts, in lower case.
const SQL_STARTS: &[&str] = &[
    "\"select ",
    "\"insert into ",
    "\"update ",
    "\"delete from ",
    "\"create table ",
    "\"pragma ",
];

pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.files() {
        check_words(file, findings);
        if file.is_rust() {
            check_opening(file, findings);
            check_length(file, findings);
            check_layer(file, findings);
            check_expectations(file, findings);
        }
    }
}

fn check_words(file: &SourceFile, findings: &mut Vec<Finding>) {
    for (number, line) in file.lines() {
        for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
            findings.push(Finding::at(
                &file.path,
                number,
                format!("{word}: finish it or drop it"),
            ));
        }
        for path in MACHINE_PATHS.iter().filter(|path| line.contains(**path)) {
            findings.push(Finding::at(
                &file.path,
                number,
                format!("{path} is one machine's path"),
            ));
        }
        for host in REGISTRY_HOSTS.iter().filter(|host| line.contains(**host)) {
            let message = format!("{host}: the tree names no package registry's host");
            findings.push(Finding::at(&file.path, number, message));
        }
    }
}

/// Every module but a `tests.rs`, whose name says it all.
fn check_opening(file: &SourceFile, findings: &mut Vec<Finding>) {
    if !file.path.ends_with("/tests.rs") && !file.text.starts_with("//! ") {
        let message = "open with `//!`: what it is, its invariant, what it leaves out";
        findings.push(Finding::at(&file.path, 1, message));
    }
}

fn check_length(file: &SourceFile, findings: &mut Vec<Finding>) {
    if file.is_test() || LONG_FILES.iter().any(|(path, _)| *path == file.path) {
        return;
    }
    let lines = file.lines_without_tests().len();
    if lines > MAX_LINES {
        let message = format!("{lines} lines without tests, at most {MAX_LINES}: make it a folder");
        findings.push(Finding::at(&file.path, 0, message));
    }
}

/// SQL in `store` only; no files, clock or environment in the pure crates.
fn check_layer(file: &SourceFile, findings: &mut Vec<Finding>) {
    if !file.path.starts_with("crates/") || file.is_test() {
        return;
    }
    let in_store = file.path.starts_with("crates/store/");
    let is_pure = file.path.starts_with("crates/pypi/") || file.path.starts_with("crates/model/");
    for (number, line) in file.lines_without_tests() {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        let lower = code.to_ascii_lowercase();
        if !in_store && SQL_STARTS.iter().any(|start| lower.contains(start)) {
            findings.push(Finding::at(
                &file.path,
                number,
                "SQL belongs to crates/store",
            ));
        }
        if !in_store && code.contains("sqlx::") {
            findings.push(Finding::at(
                &file.path,
                number,
                "sqlx is not seen outside crates/store",
            ));
        }
        if is_pure && let Some(word) = IMPURE_WORDS.iter().find(|word| code.contains(**word)) {
            let message = format!("{word}: this crate does no I/O and has no clock");
            findings.push(Finding::at(&file.path, number, message));
        }
    }
}

/// `expect` says why it cannot fail; anything that can is an error.
fn check_expectations(file: &SourceFile, findings: &mut Vec<Finding>) {
    let is_ours = file.path.starts_with("crates/") && !file.path.starts_with("crates/testkit/");
    if !is_ours || file.is_test() {
        return;
    }
    let lines = file.lines_without_tests();
    for (at, (number, line)) in lines.iter().enumerate() {
        let Some((_, reason)) = line.split_once(".expect(") else {
            continue;
        };
        let next = lines.get(at + 1).map_or("", |(_, next)| next.trim_start());
        let reason = if reason.is_empty() { next } else { reason };
        if !reason.starts_with("\"invariant: ") {
            let message = "an expect outside tests begins with \"invariant: \"";
            findings.push(Finding::at(&file.path, *number, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings_of(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let mut findings = Vec::new();
        check_words(&file, &mut findings);
        check_opening(&file, &mut findings);
        check_length(&file, &mut findings);
        check_layer(&file, &mut findings);
        check_expectations(&file, &mut findings);
        findings
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn a_plain_module_passes() {
        assert!(findings_of("crates/app/src/x.rs", "//! What it is.\n\nfn f() {}\n").is_empty());
    }

    #[test]
    fn a_module_without_opening_is_found() {
        assert_eq!(findings_of("crates/app/src/x.rs", "fn f() {}\n").len(), 1);
    }

    #[test]
    fn unfinished_work_machine_paths_and_registry_hosts_are_found() {
        for word in UNFINISHED.iter().chain(MACHINE_PATHS).chain(REGISTRY_HOSTS) {
            let text = format!("//! Doc.\n// {word}\n");
            assert_eq!(findings_of("crates/app/src/x.rs", &text).len(), 1, "{word}");
        }
    }

    #[test]
    fn sql_is_found_outside_the_store_and_allowed_in_it() {
        let text = "//! Doc.\nconst Q: &str = \"SELECT 1\";\n";
        assert_eq!(
            findings_of("crates/app/src/x.rs", text),
            ["SQL belongs to crates/store"]
        );
        assert!(findings_of("crates/store/src/x.rs", text).is_empty());
    }

    #[test]
    fn pure_crates_touch_no_file_and_no_clock() {
        let text = "//! Doc.\nuse std::fs;\n";
        assert_eq!(findings_of("crates/model/src/x.rs", text).len(), 1);
        let tested = "//! Doc.\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert!(findings_of("crates/model/src/x.rs", tested).is_empty());
    }

    #[test]
    fn an_expect_without_an_invariant_is_found() {
        let found = |code: &str| findings_of("crates/app/src/x.rs", &format!("//! Doc.\n{code}"));
        assert!(found("fn f() { g().expect(\"invariant: set above\"); }\n").is_empty());
        assert!(
            found("fn f() {\n    g().expect(\n        \"invariant: x\",\n    );\n}\n").is_empty()
        );
        assert_eq!(found("fn f() { g().expect(\"surely\"); }\n").len(), 1);
    }

    #[test]
    fn length_counts_lines_outside_tests() {
        let code = format!("//! Doc.\n{}", "fn f() {}\n".repeat(MAX_LINES));
        assert_eq!(findings_of("crates/app/src/x.rs", &code).len(), 1);
        let tests = format!(
            "//! Doc.\n#[cfg(test)]\nmod tests {{\n{}}}\n",
            "    // x\n".repeat(600)
        );
        assert!(findings_of("crates/app/src/x.rs", &tests).is_empty());
    }
}
