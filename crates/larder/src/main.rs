//! The binary: reads the configuration, puts the parts together, serves.

mod config;
mod serve;
mod yank;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    if let [_, command, words @ ..] = args.as_slice()
        && command == "yank"
    {
        return yank::run(words).unwrap_or_else(|error| fatal(&format!("{error:#}")));
    }
    let config = match config::Config::from_process() {
        Ok(config) => config,
        Err(config::Stop::Said(code)) => return code,
        Err(config::Stop::Fatal(message)) => return fatal(&message),
    };
    match serve::run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fatal(&format!("{error:#}")),
    }
}

/// devpi: `fatal: MESSAGE` on stderr, exit code 1.
#[expect(
    clippy::print_stderr,
    reason = "the last word of a program that cannot go on"
)]
fn fatal(message: &str) -> ExitCode {
    eprintln!("fatal: {message}");
    ExitCode::FAILURE
}
