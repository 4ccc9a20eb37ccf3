//! Chores that need Rust rather than a shell: `cargo run -p xtask -- tidy`.
//!
//! Invariant: a chore reads the tree, prints what it found and exits; it never changes a file.
//! Left out: building, testing and installing, which are the Makefile's and `scripts/`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool"
)]

mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

fn main() -> ExitCode {
    let chore = std::env::args().nth(1);
    if chore.as_deref() == Some("tidy") {
        return report(tidy::check(&workspace_root()));
    }
    eprintln!("usage: cargo run -p xtask -- tidy");
    ExitCode::from(2)
}

fn report(findings: Result<Vec<tidy::Finding>>) -> ExitCode {
    match findings {
        Ok(findings) if findings.is_empty() => {
            println!("tidy: nothing found");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            for finding in &findings {
                println!("{finding}");
            }
            println!("tidy: {} found", findings.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tidy: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the root `Cargo.toml`: this crate's folder is directly below it.
fn workspace_root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent()
        .map_or_else(|| own.to_path_buf(), Path::to_path_buf)
}
