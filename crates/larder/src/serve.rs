//! From a configuration to a running server, and to its end.

use std::fs::DirBuilder;
use std::io::{IsTerminal, Read};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use larder_app::{App, Clock, DevpiSecret, RootPassword, Settings, Started, Tasks};
use larder_blob::{Blobs, Location, lock_data_dir};
use larder_store::Store;
use larder_upstream::Upstreams;
use larder_web::{Limits, Place, Web, WebSettings};
use rustix::fs::Access;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, Database, DevpiArgon2, Hidden, LogFormat};

/// Longest page of an upstream that is taken, inflated.
const MAX_PAGE_BYTES: u64 = 64 << 20;

/// Runs until it is told to stop.
pub(crate) fn run(config: &Config) -> anyhow::Result<()> {
    start_logging(config);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    prepare_process();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(config))
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    // Before anything is promised: a stop is never missed.
    let mut signals = Signals::new()?;
    prepare_directory(&config.serverdir)?;
    // Held until the end: one process per directory.
    let _lock = lock_data_dir(&config.serverdir)?;
    let listeners = listen(&config.listen).await?;
    let app = build(config).await?;
    first_start(config, &app).await?;
    let web = Web::new(
        app.clone(),
        WebSettings {
            outside_url: config.outside_url.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            absolute_urls: config.absolute_urls,
            place: place(config, &listeners),
        },
    );
    let tasks = app.tasks().clone();
    let limits = Limits::default();
    let mut serving = tokio::task::JoinSet::new();
    let (stop, _) = tokio::sync::watch::channel(());
    for listener in listeners {
        tracing::info!("listening on http://{}", listener.local_addr()?);
        let (web, tasks, mut stopped) = (web.clone(), tasks.clone(), stop.subscribe());
        serving.spawn(async move {
            larder_web::serve(web, listener, &tasks, limits, async move {
                drop(stopped.changed().await);
            })
            .await
        });
    }
    tokio::select! {
        () = signals.stop() => {}
        error = app.until_unsafe() => return Err(anyhow::Error::new(error).context("the data could not be flushed to disk")),
    }
    tracing::info!("stopping: requests under way are finished first");
    drop(stop);
    tokio::select! {
        all = serving.join_all() => if !all.into_iter().all(|in_time| in_time) {
            tracing::warn!("some requests did not finish in time and were cut");
        },
        () = signals.stop() => {
            tracing::warn!("told to stop twice: requests under way are cut");
            return Ok(());
        }
    }
    if !tasks.drain(Duration::from_secs(5)).await {
        tracing::warn!(
            "background work did not end in time; what it was fetching is fetched again when needed"
        );
    }
    tracing::info!("stopped");
    Ok(())
}

async fn build(config: &Config) -> anyhow::Result<App> {
    let store = match &config.database {
        Database::Sqlite(path) => Store::open_sqlite(path)
            .await
            .context("the database cannot be opened")?,
        Database::Postgres(Hidden(url)) => Store::open_postgres(url)
            .await
            .context("the database cannot be opened")?,
    };
    let blobs = Blobs::at(config.storage.clone(), &config.serverdir.join("spool"))
        .await
        .context("the file storage cannot be opened")?;
    if matches!(
        (&config.database, &config.storage),
        (Database::Postgres(_), Location::Local(_))
    ) {
        tracing::warn!(
            "the files are on this machine only: more nodes on this database need --storage s3://…"
        );
    }
    let upstreams = Upstreams::new(larder_upstream::Settings {
        request_timeout: config.request_timeout,
        user_agent: format!("Larder/{}", env!("CARGO_PKG_VERSION")),
        max_page_bytes: MAX_PAGE_BYTES,
    })?;
    let secret = config.secretfile.as_deref().map(read_secret).transpose()?;
    let devpi_secret = secret
        .as_deref()
        .map(|bytes| devpi_secret(config, bytes))
        .transpose()?;
    let settings = Settings {
        policy: config.policy.clone(),
        devpi_compat: config.devpi_compat,
        offline: config.offline,
        mirror_cache_expiry: config.mirror_cache_expiry,
        request_timeout: config.request_timeout,
        max_body_bytes: config.max_body_bytes,
        secret: secret.map(|bytes| Sha256::digest(bytes).into()),
        devpi_secret,
        ..Settings::default()
    };
    Ok(App::new(
        store,
        blobs,
        upstreams,
        settings,
        Clock::system(),
        Tasks::default(),
    ))
}

/// Where this is, for `/+status`.
fn place(config: &Config, listeners: &[TcpListener]) -> Option<Place> {
    let address = listeners.first()?.local_addr().ok()?;
    let program = std::env::current_exe().unwrap_or_default();
    Some(Place {
        serverdir: config.serverdir.display().to_string(),
        program: program.display().to_string(),
        host: address.ip().to_string(),
        port: address.port(),
    })
}

async fn first_start(config: &Config, app: &App) -> anyhow::Result<()> {
    match app.first_start(&config.first_start).await? {
        Started::Initialised {
            generated_password: Some(password),
        } => tell_password(&password),
        Started::Initialised {
            generated_password: None,
        } if config.first_start.password == RootPassword::Empty => {
            tracing::warn!(
                "ROOT HAS AN EMPTY PASSWORD: anybody can change everything; set one with: devpi login root && devpi passwd root"
            );
        }
        Started::Initialised { .. } => {
            tracing::info!("initialised: user root, indexes root/pypi, root/public and app/dev");
        }
        Started::Found {
            password_matches: Some(false),
        } => tracing::warn!(
            "the given root password is not the one in use and changes nothing: it counts on the first start only; change root's with: devpi passwd root"
        ),
        Started::Found { .. } => {}
    }
    Ok(())
}

/// Shown whatever the log filter hides: nobody can ask for it again.
#[expect(clippy::print_stderr, reason = "the log may be filtered")]
fn tell_password(password: &str) {
    let line = format!(
        "root's password is {password} — it is shown only this once; change it with: devpi login root && devpi passwd root"
    );
    if tracing::enabled!(tracing::Level::WARN) {
        tracing::warn!("{line}");
    } else {
        eprintln!("{line}");
    }
}

fn start_logging(config: &Config) {
    let default = if config.debug {
        "debug,sqlx=info,hyper=info,h2=info,rustls=info"
    } else {
        "info,sqlx=warn"
    };
    let filter = EnvFilter::try_from_env("LARDER_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A closed stderr must not stop the server.
    match config.log_format {
        LogFormat::Json => drop(builder.json().flatten_event(true).try_init()),
        LogFormat::Text => drop(builder.with_target(false).try_init()),
    }
}

/// New files are the operator's alone; a core file would hold secrets; many
/// clients need many descriptors.
fn prepare_process() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};
    umask(rustix::fs::Mode::from_bits_truncate(0o077));
    let no_core = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, no_core);
    let files = getrlimit(Resource::Nofile);
    let all_files = Rlimit {
        current: files.maximum,
        maximum: files.maximum,
    };
    let _ = setrlimit(Resource::Nofile, all_files);
}

/// Who owns what, and what to do: a volume that belongs to somebody else is
/// the first thing that goes wrong in a container.
fn owners(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let nearest = path
        .ancestors()
        .find_map(|folder| Some((folder, folder.metadata().ok()?)));
    let (user, group) = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    match nearest {
        Some((folder, meta)) if meta.uid() != user => {
            let (folder, owner) = (folder.display(), meta.uid());
            format!(
                ": {folder} belongs to user {owner} and this process runs as user {user}; \
                 chown -R {user}:{group} it, or run as its owner (docker run --user {owner}:{})",
                meta.gid()
            )
        }
        _ => String::new(),
    }
}

fn prepare_directory(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| {
            format!(
                "the server directory {shown} cannot be created{}",
                owners(path)
            )
        })?;
    rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).with_context(
        || {
            format!(
                "the server directory {shown} cannot be written to{}",
                owners(path)
            )
        },
    )?;
    let foreign = [".nodeinfo", ".serverversion", ".sqlite"]
        .iter()
        .any(|name| path.join(name).symlink_metadata().is_ok());
    if foreign && path.join("larder.sqlite").symlink_metadata().is_err() {
        bail!(
            "{shown} holds the data of a devpi-server, which stays untouched: choose another --serverdir, and bring its data over with devpi-export"
        );
    }
    Ok(())
}

/// devpi: 9.2, the rules for a secret file.
fn read_secret(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::os::unix::fs::MetadataExt;
    let shown = path.display();
    let mut file = std::fs::File::open(path)
        .with_context(|| format!("the secret file {shown} cannot be opened"))?;
    if file.metadata()?.mode() & 0o077 != 0 {
        bail!("the secret file {shown} can be read by others: chmod 600 {shown}");
    }
    let mut secret = Vec::new();
    file.by_ref()
        .take(64 << 10)
        .read_to_end(&mut secret)
        .with_context(|| format!("the secret file {shown} cannot be read"))?;
    let mut kinds = secret.clone();
    kinds.sort_unstable();
    kinds.dedup();
    if secret.len() < 32 || kinds.len() < 6 {
        bail!("the secret file {shown} is too weak: it needs at least 32 random bytes");
    }
    Ok(secret)
}

/// The same secret, for the logins of the devpi server that used it before.
fn devpi_secret(config: &Config, bytes: &[u8]) -> anyhow::Result<DevpiSecret> {
    let DevpiArgon2 {
        memory_kib,
        passes,
        lanes,
    } = config.devpi_argon2;
    DevpiSecret::new(bytes, memory_kib, passes, lanes).context(
        "--argon2-memory-cost, --argon2-time-cost and --argon2-parallelism do not fit together",
    )
}

async fn listen(addresses: &[String]) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let resolved: Vec<SocketAddr> = tokio::net::lookup_host(address)
            .await
            .with_context(|| format!("'{address}' is no address to listen on"))?
            .collect();
        // devpi's `localhost` is the IPv4 one.
        let first = resolved
            .iter()
            .find(|address| address.is_ipv4())
            .or(resolved.first());
        let chosen = first.with_context(|| format!("'{address}' is no address to listen on"))?;
        listeners.push(
            TcpListener::bind(chosen)
                .await
                .with_context(|| format!("cannot listen on {address}"))?,
        );
    }
    Ok(listeners)
}

/// The signals that ask the process to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self {
            terminate,
            interrupt,
        })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
