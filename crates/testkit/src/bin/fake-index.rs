//! `fake-index --port 0 --dir DIR [--workers N] [--forgetful]`: a folder of
//! distributions as a simple index, with faults on demand.
//!
//! Prints its URL on stdout, then serves until it is killed. The routes for
//! tests (`/_hits`, `/_fault`, …) stand in the crate's `control` module.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool"
)]

use std::process::ExitCode;

use larder_testkit::{FakeIndex, Options};

const USAGE: &str = "usage: fake-index --dir DIR [--port PORT] [--workers N] [--forgetful]";

fn main() -> ExitCode {
    let options = match read_options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime.block_on(serve(options)),
        Err(error) => {
            eprintln!("fake-index: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> ExitCode {
    match FakeIndex::start_with(options).await {
        Ok(index) => {
            println!("{}", index.url);
            std::future::pending().await
        }
        Err(error) => {
            eprintln!("fake-index: cannot listen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read_options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(name) = arguments.next() {
        if name == "--forgetful" {
            options.forgetful = true;
            continue;
        }
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        let number = |value: String| value.parse().map_err(|_| format!("{name} needs a number"));
        match name.as_str() {
            "--dir" => options.folder = Some(value.into()),
            "--port" => {
                options.port = value
                    .parse()
                    .map_err(|_| "--port needs a port".to_owned())?;
            }
            "--workers" => options.workers = number(value)?,
            _ => return Err(format!("{name} is not an option")),
        }
    }
    Ok(options)
}
