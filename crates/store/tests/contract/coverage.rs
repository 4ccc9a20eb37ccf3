//! SQL has no compile-time check here, so every public function is run.

use std::path::Path;

fn sources(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn every_public_function_is_named_in_a_contract_test() {
    let tests = sources("tests/contract");
    let source = sources("src");
    let functions: Vec<&str> = source
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("pub async fn "))
        .filter_map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
        })
        .collect();
    assert!(functions.len() > 30, "the sources were read");
    let untested: Vec<&&str> = functions
        .iter()
        .filter(|name| {
            !tests.contains(&format!(".{name}(")) && !tests.contains(&format!("::{name}("))
        })
        .collect();
    assert!(untested.is_empty(), "no contract test calls {untested:?}");
}
