//! The options, with devpi-server's names.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, Parser, ValueEnum};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Larder, a Python package server and PyPI cache.
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[command(
    name = "larder",
    version = concat!(env!("CARGO_PKG_VERSION"), " (speaks devpi-server 6.20.3)"),
    about,
    args_override_self = true,
    after_help = "Every option is also a variable LARDER_… or DEVPISERVER_… (LARDER_OUTSIDE_URL) and a key of the file."
)]
pub(crate) struct Options {
    /// YAML file with a section `devpi-server` (or `larder`) of these options
    #[arg(short = 'c', long, value_name = "FILE")]
    pub(crate) configfile: Option<PathBuf>,
    /// Directory for all data; created if missing
    #[arg(long, value_name = "DIR", help_heading = "Storage")]
    pub(crate) serverdir: Option<PathBuf>,
    /// Metadata in PostgreSQL instead of SQLite: postgres://user@host/database
    #[arg(long, value_name = "URL", help_heading = "Storage")]
    pub(crate) database: Option<String>,
    /// Files in S3 instead of the server directory: s3://bucket/prefix, endpoint and keys from the AWS_… variables
    #[arg(long, value_name = "URL", help_heading = "Storage")]
    pub(crate) storage: Option<String>,
    /// Address to listen on
    #[arg(long, default_value = "localhost", help_heading = "Web")]
    host: String,
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 3141, help_heading = "Web")]
    port: u16,
    /// HOST:PORT to listen on, instead of --host and --port; may be repeated
    #[arg(long, value_name = "HOST:PORT", action = ArgAction::Append, help_heading = "Web")]
    listen: Vec<String>,
    /// The URL under which clients see the server, if a proxy stands before it
    #[arg(long, value_name = "URL", help_heading = "Web")]
    pub(crate) outside_url: Option<String>,
    /// Addresses of proxies whose X-Outside-Url and X-Forwarded-… headers count, or *
    #[arg(long, value_name = "ADDRESSES", help_heading = "Web")]
    pub(crate) trusted_proxy: Option<String>,
    /// Link to files by whole URLs on project pages
    #[arg(long, help_heading = "Web")]
    pub(crate) absolute_urls: bool,
    /// Largest upload, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30, help_heading = "Web")]
    pub(crate) max_request_body_size: u64,
    /// Only these users and :groups, separated by commas, may change users and indexes
    #[arg(long, value_name = "SPEC", help_heading = "Rights")]
    pub(crate) restrict_modify: Option<String>,
    /// Password of root, on the first start only; see also DEVPI_PASSWORD and DEVPI_PASSWORD_FILE
    #[arg(long, value_name = "PASSWORD", help_heading = "Rights")]
    pub(crate) root_passwd: Option<String>,
    /// File of at least 32 random bytes that signs logins; without it the database keeps a secret
    #[arg(long, value_name = "FILE", help_heading = "Rights")]
    pub(crate) secretfile: Option<PathBuf>,
    /// How devpi-server made a key of the secret file: memory in KiB
    #[arg(long, value_name = "KIB", default_value_t = 524_288, value_parser = clap::value_parser!(u32).range(8..=4_194_304), hide = true)]
    pub(crate) argon2_memory_cost: u32,
    /// The same: lanes
    #[arg(long, value_name = "LANES", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=255), hide = true)]
    pub(crate) argon2_parallelism: u32,
    /// The same: passes
    #[arg(long, value_name = "PASSES", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000), hide = true)]
    pub(crate) argon2_time_cost: u32,
    /// devpi's open defaults: anyone may sign up, post test results and mirror private addresses; old file types and versions
    #[arg(long, help_heading = "Rights")]
    pub(crate) devpi_compat: bool,
    /// Do not create root/pypi on the first start
    #[arg(long, help_heading = "Mirrors")]
    pub(crate) no_root_pypi: bool,
    /// Simple index that root/pypi mirrors, on the first start only [default: PyPI]
    #[arg(long, value_name = "URL", help_heading = "Mirrors")]
    pub(crate) mirror_url: Option<String>,
    /// Seconds a project page of a mirror counts as fresh
    #[arg(
        long,
        alias = "remote-refresh-delay",
        value_name = "SECS",
        default_value_t = 1800, value_parser = clap::value_parser!(u64).range(0..=315_360_000),
        help_heading = "Mirrors"
    )]
    pub(crate) mirror_cache_expiry: u64,
    /// Seconds to wait for an upstream's answer
    #[arg(long, value_name = "SECS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600), help_heading = "Mirrors")]
    pub(crate) request_timeout: u64,
    /// Ask no upstream; serve what is cached
    #[arg(long, help_heading = "Mirrors")]
    pub(crate) offline_mode: bool,
    /// How log lines look
    #[arg(long, value_enum, default_value_t = LogFormat::Text, help_heading = "Logs")]
    pub(crate) log_format: LogFormat,
    /// Log more
    #[arg(long, help_heading = "Logs")]
    pub(crate) debug: bool,
}

/// Options of devpi-server and devpi-web with a value that have no meaning here,
/// accepted so that an existing command line goes on working.
const IGNORED_VALUES: [&str; 21] = [
    "connection-limit",
    "documentation-path",
    "file-replication-skip-indexes",
    "file-replication-threads",
    "indexer-backend",
    "keyfs-cache-size",
    "log",
    "logger-cfg",
    "passwd",
    "profile-requests",
    "proxy-timeout",
    "replica-cert",
    "replica-file-search-path",
    "replica-max-retries",
    "role",
    "theme",
    "threads",
    "trusted-proxy-count",
    "trusted-proxy-headers",
    "unix-socket",
    "unix-socket-perms",
];

/// The same without a value.
const IGNORED_FLAGS: [&str; 10] = [
    "autocreate-users",
    "bypass-cdn",
    "debug-macros",
    "enable-core-metadata",
    "hard-links",
    "init",
    "keep-docs-packed",
    "no-replica-streaming",
    "recreate-search-index",
    "requests-only",
];

/// Our options, and devpi-server's others.
pub(crate) fn command() -> Command {
    let value = |name| Arg::new(name).long(name).hide(true).num_args(1);
    let flag = |name| value(name).num_args(0).action(ArgAction::SetTrue);
    Options::command()
        .args(IGNORED_VALUES.map(value))
        .args(IGNORED_FLAGS.map(flag))
}

/// A sentence for every option that was accepted without effect.
pub(crate) fn ignored(matches: &ArgMatches) -> Vec<String> {
    let given = |name: &&str| matches.value_source(name) == Some(ValueSource::CommandLine);
    let sentence = |name: &str| format!("the option --{name} of devpi-server has no effect here");
    let names = IGNORED_VALUES.iter().chain(&IGNORED_FLAGS);
    names
        .filter(|name| given(name))
        .map(|name| sentence(name))
        .collect()
}

impl Options {
    /// Where to listen.
    pub(crate) fn addresses(&self) -> Vec<String> {
        if self.listen.is_empty() {
            let host = if self.host.contains(':') {
                format!("[{}]", self.host.trim_matches(['[', ']']))
            } else {
                self.host.clone()
            };
            return vec![format!("{host}:{}", self.port)];
        }
        // devpi: `*:3141` means all addresses.
        self.listen
            .iter()
            .map(|address| {
                address
                    .strip_prefix("*:")
                    .map_or_else(|| address.clone(), |port| format!("0.0.0.0:{port}"))
            })
            .collect()
    }
}
