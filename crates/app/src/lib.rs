//! The verbs: what a caller may ask of Larder, each in a file of its own. The
//! only place where the database, the blobs and the upstreams meet.
//!
//! Invariants: bytes before rows (a blob is durable before a row names it); an
//! index is reached only together with a granted right; everything held in
//! memory may vanish and is used only after the node knows that it is current.
//! HTTP stays outside: no status codes, no headers.

mod attempts;
mod authcheck;
mod authorize;
mod bootstrap;
mod clock;
mod devpi_token;
mod directory;
mod docs;
mod error;
mod failpoint;
mod fetch;
mod file;
mod file_details;
mod file_path;
mod flight;
mod indexes;
mod layers;
mod links;
mod login;
mod memory;
mod metrics;
mod mirror_refresh;
mod page_cache;
mod parts;
mod password;
mod project_list;
mod project_page;
mod push;
mod pwhash;
mod releases;
mod remove;
mod settings;
mod sidecar;
mod sight;
mod status;
mod tasks;
mod token;
mod toxresult;
mod upload;
mod users;
mod yank;

use std::sync::Arc;

use larder_blob::Blobs;
use larder_store::Store;

use larder_upstream::Upstreams;

pub use authorize::{Grant, Right};
pub use bootstrap::{FirstStart, RootPassword, Started};
pub use clock::Clock;
pub use devpi_token::DevpiSecret;
pub use directory::{Directory, Index};
pub use docs::{DocReply, DocVersion};
pub use error::{Error, Kind, Result, error_chain};
pub use file::{FileBody, FileMeta, FileReply};
pub use file_details::FileDetails;
pub use file_path::FilePath;
pub use indexes::IndexPatch;
pub use links::{LinkStyle, encoded_path};
pub use login::{Credentials, Identified, Login};
pub use metrics::{Counter, MetricKind, Metrics, Sample};
pub use page_cache::{PageReply, PageRequest, Served};
pub use project_list::ProjectListing;
pub use push::PushAction;
pub use pwhash::{UnusableHash, stored_password_hash};
pub use releases::{FileLink, ReleaseView};
pub use settings::Settings;
pub use sidecar::SidecarReply;
pub use status::Status;
pub use tasks::Tasks;
pub use upload::{Arrived, IncomingFile, Uploaded};
pub use users::UserModified;
pub use yank::YankRequest;

pub use larder_pypi::archive::INDEX_PAGE as DOC_INDEX;
pub use larder_store::{Identity, User};

/// Larder without its HTTP face. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<parts::Parts>);

impl App {
    /// Puts the parts together. Does no I/O.
    pub fn new(
        store: Store,
        blobs: Blobs,
        upstreams: Upstreams,
        settings: Settings,
        clock: Clock,
        tasks: Tasks,
    ) -> Self {
        let memory = memory::Memory::new(&store, &settings);
        let fetches = fetch::Fetches::default();
        Self(Arc::new(parts::Parts {
            store,
            blobs,
            upstreams,
            memory,
            metrics: Metrics::default(),
            fetches,
            clock,
            tasks,
            settings,
        }))
    }

    /// Who this installation is: its uuid, shared by all its nodes.
    pub fn identity(&self) -> &Identity {
        self.store.identity()
    }

    /// The settings it was started with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Resolves when the database could not be flushed to disk: the process must
    /// end, since what is on the disk is unknown. (Blobs end it themselves.)
    pub async fn until_unsafe(&self) -> Error {
        self.store.until_flush_fails().await.into()
    }

    /// Background work, to be drained at the end.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }
}

impl std::ops::Deref for App {
    type Target = parts::Parts;

    fn deref(&self) -> &parts::Parts {
        &self.0
    }
}
