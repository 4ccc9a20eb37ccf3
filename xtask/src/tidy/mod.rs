//! The house rules that a machine can keep.
//!
//! Invariant: a rule looks at the text of the tree only, so that it holds for code that is not
//! compiled too; what the compiler or clippy already refuses is not repeated here.
//! Left out: style (rustfmt), lints (clippy), spelling (typos), licences (cargo-deny).

mod crates;
mod routes;
mod sources;
mod store;
mod tree;

use std::fmt;
use std::path::Path;

use anyhow::Result;

pub(crate) use tree::Tree;

/// One place that breaks a rule, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Path below the workspace root.
    path: String,
    /// Line counted from 1; 0 when the finding concerns the whole file.
    line: usize,
    message: String,
}

impl Finding {
    fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// Runs every rule on the tree below `root`, findings sorted by place.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let tree = Tree::read(root)?;
    let mut findings = Vec::new();
    crates::check(&tree, &mut findings);
    sources::check(&tree, &mut findings);
    store::check(&tree, &mut findings);
    routes::check(&tree, &mut findings);
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_tree_is_tidy() {
        let findings = check(&crate::workspace_root()).unwrap();
        let list: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(list.is_empty(), "\n{}\n", list.join("\n"));
    }
}
