//! `larder yank`: yanks on a running server, over its JSON route.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use clap::error::ErrorKind;
use http::Method;
use larder_app::encoded_path;
use larder_model::IndexName;
use larder_upstream::{Addresses, Endpoint, Settings, Submitted, Upstreams};
use url::Url;

/// Answers are short; a page would be something else.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// Yank a release, or some of its files: installers pass over them unless they are pinned exactly
#[derive(Debug, Parser)]
#[command(name = "larder yank")]
struct Options {
    /// The index, as user/index
    index: String,
    /// The release, as project==version
    release: String,
    /// File names; without any, all files of the release
    files: Vec<String>,
    /// Why; pip and uv show it
    #[arg(long, value_name = "TEXT", default_value = "", conflicts_with = "undo")]
    reason: String,
    /// Take the yank back
    #[arg(long)]
    undo: bool,
    /// The server
    #[arg(
        long,
        value_name = "URL",
        env = "LARDER_SERVER",
        default_value = "http://localhost:3141"
    )]
    server: Url,
    /// Who yanks
    #[arg(long, env = "LARDER_USER", default_value = "root")]
    user: String,
    /// Password or login token
    #[arg(long, env = "LARDER_PASSWORD", hide_env_values = true, hide = true)]
    password: Option<String>,
    /// File with the password or a login token; without it LARDER_PASSWORD is taken
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Runs the command; `words` are those after `yank`.
pub(crate) fn run(words: &[String]) -> anyhow::Result<ExitCode> {
    let name = ["larder yank".to_owned()];
    let options = match Options::try_parse_from(name.iter().chain(words)) {
        Ok(options) => options,
        Err(error) => {
            let wrong = !matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            error.print()?;
            return Ok(if wrong {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            });
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(yank(&options))?;
    Ok(ExitCode::SUCCESS)
}

async fn yank(options: &Options) -> anyhow::Result<()> {
    let index: IndexName = options
        .index
        .parse()
        .with_context(|| format!("'{}' is no index: give user/index", options.index))?;
    let Some((project, version)) = options.release.split_once("==") else {
        bail!("'{}' is no release: give project==version", options.release);
    };
    let upstreams = Upstreams::new(Settings {
        request_timeout: Duration::from_mins(1),
        user_agent: concat!("Larder/", env!("CARGO_PKG_VERSION")).to_owned(),
        max_page_bytes: MAX_ANSWER_BYTES,
    })?;
    let credentials = (options.user.clone(), password(options)?);
    let endpoint = Endpoint::new(options.server.clone(), Some(credentials), Addresses::Any);
    let (user, name) = (index.user().as_str(), index.index());
    let release = [user, name, project, version, "+yank"];
    let paths = if options.files.is_empty() {
        vec![encoded_path(&release)]
    } else {
        let path = |file: &String| format!("{}{}", encoded_path(&release), encoded_path(&[file]));
        options.files.iter().map(path).collect()
    };
    for path in paths {
        let base = options.server.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}{path}"))?;
        let (method, body) = if options.undo {
            (Method::DELETE, None)
        } else {
            let body = serde_json::json!({"reason": options.reason});
            (Method::PUT, Some(body.to_string()))
        };
        say(&upstreams.send_json(&endpoint, method, &url, body).await?)?;
    }
    Ok(())
}

fn password(options: &Options) -> anyhow::Result<String> {
    if let Some(path) = &options.password_file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    let given = options.password.clone();
    given.context("no password: give --password-file, or LARDER_PASSWORD in the environment")
}

#[expect(clippy::print_stdout, reason = "what the command is run for")]
fn say(answer: &Submitted) -> anyhow::Result<()> {
    let json: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
    let message = json
        .as_ref()
        .and_then(|json| json.get("message")?.as_str())
        .unwrap_or("the server's answer has no message: is this Larder?");
    if answer.code != 200 {
        bail!("{}: {message}", answer.code);
    }
    println!("{message}");
    Ok(())
}
