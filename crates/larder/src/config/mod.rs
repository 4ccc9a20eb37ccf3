//! The configuration: command line before environment before file before default.
//!
//! Options carry devpi-server's names (devpi: 9.2). Each is also a variable
//! `LARDER_…` or `DEVPISERVER_…` and a key of the configuration file. Values
//! from file and environment are put before the command line's own words, and
//! the last word wins.

mod options;
mod sources;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use larder_app::{FirstStart, RootPassword};
use larder_blob::Location;
use larder_model::{Acl, Policy};
use larder_web::{OutsideUrl, TrustedProxies};

pub(crate) use options::LogFormat;
use options::Options;
use sources::Sources;

/// Everything the operator decided.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct Config {
    pub(crate) serverdir: PathBuf,
    pub(crate) database: Database,
    pub(crate) storage: Location,
    pub(crate) listen: Vec<String>,
    pub(crate) outside_url: Option<OutsideUrl>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) absolute_urls: bool,
    pub(crate) policy: Policy,
    pub(crate) devpi_compat: bool,
    pub(crate) offline: bool,
    pub(crate) mirror_cache_expiry: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) max_body_bytes: u64,
    pub(crate) secretfile: Option<PathBuf>,
    pub(crate) devpi_argon2: DevpiArgon2,
    pub(crate) first_start: FirstStart,
    pub(crate) log_format: LogFormat,
    pub(crate) debug: bool,
    /// To be logged once logging works.
    pub(crate) warnings: Vec<String>,
}

/// Where the metadata lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file below the server directory.
    Sqlite(PathBuf),
    /// A URL; it may hold a password, so it is never shown.
    Postgres(Hidden),
}

/// How a devpi server made a key of its secret file (devpi: 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DevpiArgon2 {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden(pub(crate) String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// Why the program ends before it begins.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Help, version or a usage error was printed.
    Said(ExitCode),
    /// To be printed.
    Fatal(String),
}

impl Config {
    /// From the arguments and the environment of this process.
    pub(crate) fn from_process() -> Result<Self, Stop> {
        let args: Vec<String> = std::env::args_os()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        Self::resolve(&args, &|name| std::env::var(name).ok())
    }

    fn resolve(args: &[String], env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Stop> {
        let (program, own) = args
            .split_first()
            .map_or(("larder", &[][..]), |(program, own)| {
                (program.as_str(), own)
            });
        let own = skip(skip(own, &PROGRAMS), &["serve"]);
        let command = options::command();
        let sources = Sources::read(&command, own, env).map_err(Stop::Fatal)?;
        let words = std::iter::once(program.to_owned())
            .chain(sources.words)
            .chain(own.iter().cloned());
        let matches = command
            .try_get_matches_from(words)
            .map_err(|error| said(&error))?;
        let options = Options::from_arg_matches(&matches).map_err(|error| said(&error))?;
        let mut warnings = sources.warnings;
        warnings.extend(options::ignored(&matches));
        Self::judge(&options, own, env, warnings).map_err(Stop::Fatal)
    }

    fn judge(
        options: &Options,
        own: &[String],
        env: &dyn Fn(&str) -> Option<String>,
        warnings: Vec<String>,
    ) -> Result<Self, String> {
        let serverdir = options
            .serverdir
            .clone()
            .unwrap_or_else(|| default_serverdir(env));
        let database = match options.database.as_deref() {
            None => Database::Sqlite(serverdir.join("larder.sqlite")),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Database::Postgres(Hidden(url.to_owned()))
            }
            Some(_) => {
                return Err("--database is a URL such as postgres://user@host/database".to_owned());
            }
        };
        let storage = match options.storage.as_deref() {
            // devpi's name for its own default
            None | Some("sqlite") => Location::Local(serverdir.clone()),
            Some(text) => Location::parse(text).map_err(|error| format!("--storage: {error}"))?,
        };
        let parse_outside = |text: &String| {
            text.parse()
                .map_err(|error| format!("--outside-url: {error}"))
        };
        let parse_proxies = |text: &String| {
            text.parse()
                .map_err(|error| format!("--trusted-proxy: {error}"))
        };
        let restrict_modify = options.restrict_modify.as_deref().map(Acl::parse);
        let open_registration = options.devpi_compat && restrict_modify.is_none();
        Ok(Self {
            listen: options.addresses(),
            outside_url: options
                .outside_url
                .as_ref()
                .map(parse_outside)
                .transpose()?,
            trusted_proxies: options
                .trusted_proxy
                .as_ref()
                .map(parse_proxies)
                .transpose()?
                .unwrap_or_default(),
            policy: Policy {
                restrict_modify,
                open_registration,
            },
            absolute_urls: options.absolute_urls,
            devpi_compat: options.devpi_compat,
            offline: options.offline_mode,
            mirror_cache_expiry: Duration::from_secs(options.mirror_cache_expiry),
            request_timeout: Duration::from_secs(options.request_timeout),
            max_body_bytes: options.max_request_body_size,
            secretfile: options.secretfile.clone(),
            devpi_argon2: DevpiArgon2 {
                memory_kib: options.argon2_memory_cost,
                passes: options.argon2_time_cost,
                lanes: options.argon2_parallelism,
            },
            first_start: first_start(options, own, env)?,
            log_format: options.log_format,
            debug: options.debug,
            serverdir,
            database,
            storage,
            warnings,
        })
    }
}

/// Names that may stand before the options: `docker run IMAGE larder --version`.
const PROGRAMS: [&str; 3] = ["larder", "devpi", "devpi-server"];

fn skip<'a>(words: &'a [String], names: &[&str]) -> &'a [String] {
    match words.split_first() {
        Some((first, rest)) if names.contains(&first.as_str()) => rest,
        _ => words,
    }
}

fn said(error: &clap::Error) -> Stop {
    // Help and version are no failure; where they cannot be printed, nothing can.
    let _ = error.print();
    let fine = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    Stop::Said(if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}

/// devpi's older variable wins over the newer one; else below the home directory.
fn default_serverdir(env: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let home = || {
        env("HOME")
            .filter(|home| !home.is_empty())
            .map_or_else(|| ".".into(), PathBuf::from)
    };
    env("DEVPI_SERVERDIR")
        .filter(|dir| !dir.is_empty())
        .map_or_else(|| home().join(".larder"), PathBuf::from)
}

/// Root's password on the first start: the option, the containers' variables, or a made one.
fn first_start(
    options: &Options,
    own: &[String],
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<FirstStart, String> {
    let explicit = own
        .iter()
        .any(|word| word == "--root-passwd" || word.starts_with("--root-passwd="));
    let given = |text: String| {
        if text.is_empty() {
            None
        } else {
            Some(RootPassword::Given(text))
        }
    };
    let from_option = match options.root_passwd.clone() {
        Some(text) if text.is_empty() && explicit => Some(RootPassword::Empty),
        Some(text) => given(text),
        None => None,
    };
    let password = match from_option {
        Some(password) => password,
        None => variables(env)?
            .and_then(given)
            .unwrap_or(RootPassword::Generate),
    };
    let upstream = options
        .mirror_url
        .clone()
        .filter(|url| !url.is_empty())
        .unwrap_or_else(larder_default_index::default_index_url);
    Ok(FirstStart {
        password,
        upstream: (!options.no_root_pypi).then_some(upstream),
    })
}

/// `DEVPI_PASSWORD`, or the first line of the file that `DEVPI_PASSWORD_FILE` names.
fn variables(env: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, String> {
    for name in ["DEVPI_PASSWORD", "DEVPI_ROOT_PASSWORD"] {
        if let Some(text) = env(name).filter(|text| !text.is_empty()) {
            return Ok(Some(text));
        }
        let Some(path) = env(&format!("{name}_FILE")).filter(|path| !path.is_empty()) else {
            continue;
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{name}_FILE: {path} cannot be read: {error}"))?;
        return Ok(Some(text.lines().next().unwrap_or_default().to_owned()));
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
