//! Every route is documented in `docs/http.md` and stands in the authorization matrix.
//!
//! Invariant: a route is a string literal starting with `/` in `crates/web/src/routes.rs`, and the
//! other two places repeat it letter by letter. Left out: methods, which the tests compare.

use std::collections::BTreeMap;

use super::{Finding, Tree};

const ROUTES: &str = "crates/web/src/routes.rs";
const DOCUMENT: &str = "docs/http.md";
const MATRIX: &str = "crates/web/tests/authz.rs";

pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let Some(file) = tree.find(ROUTES) else {
        findings.push(Finding::at(ROUTES, 0, "the table of routes is missing"));
        return;
    };
    let mut routes = BTreeMap::new();
    for (number, line) in file.lines_without_tests() {
        if !line.trim_start().starts_with("//") {
            for route in route_literals(line) {
                routes.entry(route).or_insert(number);
            }
        }
    }
    if routes.is_empty() {
        findings.push(Finding::at(
            ROUTES,
            0,
            "no route found: has the table changed its form?",
        ));
    }
    for (place, quote) in [(DOCUMENT, '`'), (MATRIX, '"')] {
        let Some(other) = tree.find(place) else {
            findings.push(Finding::at(place, 0, "missing: it must name every route"));
            continue;
        };
        for (route, number) in &routes {
            if !other.text.contains(&format!("{route}{quote}")) {
                findings.push(Finding::at(
                    ROUTES,
                    *number,
                    format!("{route} is not in {place}"),
                ));
            }
        }
    }
}

/// The string literals of a line that start with a slash.
fn route_literals(line: &str) -> Vec<String> {
    let inside = line.split('"').skip(1).step_by(2);
    inside
        .filter(|text| text.starts_with('/'))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn findings_of(routes: &str, document: &str, matrix: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [(ROUTES, routes), (DOCUMENT, document), (MATRIX, matrix)] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut findings = Vec::new();
        check(&Tree::read(folder.path()).unwrap(), &mut findings);
        findings
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn a_route_in_all_three_places_passes() {
        let routes = ".route(\"/{user}/{index}\", get(index))\n";
        let found = findings_of(
            routes,
            "`GET /{user}/{index}`\n",
            "row(\"/{user}/{index}\")\n",
        );
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_route_that_is_only_a_prefix_of_a_documented_one_is_found() {
        let found = findings_of(".route(\"/a\", x)\n", "`/a/b`\n", "\"/a/b\"\n");
        assert_eq!(
            found,
            [
                "/a is not in docs/http.md",
                "/a is not in crates/web/tests/authz.rs"
            ]
        );
    }

    #[test]
    fn a_table_without_routes_is_found() {
        assert_eq!(findings_of("//! Nothing.\n", "", "").len(), 1);
    }
}
