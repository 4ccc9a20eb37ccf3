//! The handle a test holds on its fake index.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use url::Url;

use crate::catalog::FileEntry;
use crate::dist::Dist;
use crate::fault::Fault;
use crate::folder::Folder;
use crate::posted::Posted;
use crate::server::{self, Command};
use crate::shared::{Seen, Shared, State};

/// An upstream index on loopback that serves what it is given and fails as it
/// is told. Gone when dropped.
#[derive(Debug)]
pub struct FakeIndex {
    /// The simple API: `http://127.0.0.1:PORT/simple/`.
    pub url: Url,
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
}

/// How to start a [`FakeIndex`] that is not for one test only.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// On loopback; 0 is any that is free.
    pub port: u16,
    /// Threads that answer; 0 and 1 are the same.
    pub workers: usize,
    /// Serves the distributions in this folder too, as they come and go.
    pub folder: Option<PathBuf>,
    /// Does not remember the headers of requests, for the sake of speed.
    pub forgetful: bool,
}

impl FakeIndex {
    /// An empty index on a free port.
    pub async fn start() -> Self {
        Self::start_with(Options::default())
            .await
            .expect("loopback has a free port")
    }

    /// An index with options.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start_with(options: Options) -> io::Result<Self> {
        let mut state = State::default();
        state.record = !options.forgetful;
        state.folder = options.folder.map(Folder::new);
        let shared = Arc::new(Shared::new(state));
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), options.port);
        let (address, commands) =
            server::start(address, options.workers, Arc::clone(&shared)).await?;
        let origin = format!("http://{address}");
        let url = Url::parse(&format!("{origin}/simple/")).expect("an address makes a URL");
        shared.state().catalog.files_base = origin;
        Ok(Self {
            url,
            shared,
            commands,
        })
    }

    /// A project without files, if it is not there yet.
    pub fn add_project(&self, name: &str) {
        self.shared.change(|state| {
            state.catalog.project_mut(name);
        });
    }

    /// A distribution, listed on its project's page.
    pub fn add(&self, dist: &Dist) {
        self.add_entry(dist.project.as_str(), dist.into());
    }

    /// Any bytes as a file of a project.
    pub fn add_file(&self, project: &str, filename: &str, bytes: impl Into<Bytes>) {
        self.add_entry(project, FileEntry::new(filename, bytes.into()));
    }

    /// A file with whatever its page should say about it.
    pub fn add_entry(&self, project: &str, entry: FileEntry) {
        self.shared
            .change(|state| state.catalog.insert(project, entry));
    }

    /// Changes a file or what its page says about it.
    pub fn edit(&self, filename: &str, change: impl FnOnce(&mut FileEntry)) {
        let found = self
            .shared
            .change(|state| state.catalog.edit(filename, change));
        assert!(found, "there is no file {filename}");
    }

    /// Takes a file away: from its page and from its path.
    pub fn remove_file(&self, filename: &str) {
        let found = self.shared.change(|state| state.catalog.remove(filename));
        assert!(found, "there is no file {filename}");
    }

    /// Takes a project away.
    pub fn remove_project(&self, name: &str) {
        self.shared
            .change(|state| state.catalog.remove_project(name));
    }

    /// PEP 792 status with a reason; `None` is active.
    pub fn set_status(&self, project: &str, status: Option<(&str, Option<&str>)>) {
        let status = status.map(|(status, reason)| (status.to_owned(), reason.map(str::to_owned)));
        self.shared
            .change(|state| state.catalog.project_mut(project).status = status);
    }

    /// `X-PyPI-Last-Serial` and `_last-serial` of a project; `None` is neither.
    pub fn set_serial(&self, project: &str, serial: Option<u64>) {
        self.shared
            .change(|state| state.catalog.project_mut(project).serial = serial);
    }

    /// `Cache-Control: max-age` of pages, in seconds; `None` is no header.
    pub fn set_max_age(&self, seconds: Option<u64>) {
        self.shared.change(|state| state.max_age = seconds);
    }

    /// What stands before `/files/…` on pages, instead of this index's own
    /// origin: `http://other.example.com:8080`.
    pub fn set_files_origin(&self, origin: &str) {
        self.shared.change(|state| {
            origin.clone_into(&mut state.catalog.files_base);
            let names: Vec<String> = state.catalog.projects.keys().cloned().collect();
            for name in names {
                // Touching a project makes its page be written anew.
                state.catalog.project_mut(&name);
            }
        });
    }

    /// Answers 401 to everybody else.
    pub fn require_credentials(&self, user: &str, password: &str) {
        let header = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        self.shared
            .change(|state| state.authorization = Some(header));
    }

    /// Misbehaves on a path (`*` is every path) until told otherwise.
    pub fn fault(&self, path: &str, fault: Fault) {
        self.shared
            .change(|state| state.add_fault(path, fault, None));
    }

    /// Misbehaves for the next so many requests of a path.
    pub fn fault_times(&self, path: &str, times: u32, fault: Fault) {
        self.shared
            .change(|state| state.add_fault(path, fault, Some(times)));
    }

    /// Behaves again on a path; requests that hang there are answered now.
    pub fn clear_fault(&self, path: &str) {
        self.shared.change(|state| state.clear_faults(Some(path)));
    }

    /// Behaves again everywhere.
    pub fn clear_faults(&self) {
        self.shared.change(|state| state.clear_faults(None));
    }

    /// Refuses connections and drops those there are, or comes back on the same port.
    pub async fn set_down(&self, down: bool) {
        let (done, is_done) = oneshot::channel();
        self.commands
            .send(Command::SetDown(down, done))
            .expect("the server lives as long as its owner");
        is_done.await.expect("the server answers its owner");
    }

    /// The path of a project's page: `/simple/demo/`.
    pub fn page_path(&self, project: &str) -> String {
        format!("/simple/{project}/")
    }

    /// The path of a file that was added: `/files/demo/demo-1.0.tar.gz`.
    pub fn file_path(&self, filename: &str) -> String {
        let path = self.shared.state().catalog.file_path(filename);
        path.unwrap_or_else(|| panic!("there is no file {filename}"))
    }

    /// The URL of a file that was added.
    pub fn file_url(&self, filename: &str) -> Url {
        self.url
            .join(&self.file_path(filename))
            .expect("a path makes a URL")
    }

    /// Requests of a path so far.
    pub fn hits(&self, path: &str) -> u64 {
        self.shared
            .state()
            .hits
            .get(path)
            .copied()
            .unwrap_or_default()
    }

    /// Requests so far, of whatever path.
    pub fn all_hits(&self) -> u64 {
        self.shared.state().hits.values().sum()
    }

    /// Waits until a path was asked for this often.
    pub async fn until_hits(&self, path: &str, at_least: u64) {
        self.shared
            .until(|state| state.hits.get(path).copied().unwrap_or_default() >= at_least)
            .await;
    }

    /// The latest requests (at most 1000), oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.iter().cloned().collect()
    }

    /// The multipart forms posted so far, to whatever path, oldest first.
    /// Those that a fault or missing credentials turned away are among them.
    pub fn posted(&self) -> Vec<Posted> {
        self.shared.state().posted.clone()
    }

    /// Forgets hits and requests.
    pub fn forget_hits(&self) {
        self.shared.change(|state| {
            state.hits.clear();
            state.seen.clear();
            state.posted.clear();
        });
    }
}
