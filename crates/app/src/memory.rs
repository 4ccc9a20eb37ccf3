//! What a node keeps in memory, and how it knows that it is still true.
//!
//! Every metadata change raises the serial in its own transaction and leaves a
//! changelog row saying what it touched: users and indexes, or one project.
//! Before answering from memory a node learns the current serial (on SQLite it
//! knows; on PostgreSQL one query serves all waiting requests) and reads the
//! rows it has not seen. An entry remembers the serial of the snapshot it was
//! made from, and is good as long as nothing it depends on changed after it.
//!
//! Invariant: an answer from memory is what the database would have said at
//! some moment after the request arrived.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use larder_pypi::ProjectName;
use larder_store::{Scope, Serial, Store};
use tokio::sync::Mutex;

use crate::attempts::Attempts;
use crate::devpi_token::DevpiKey;
use crate::directory::Directory;
use crate::docs::DocCache;
use crate::file::FileCache;
use crate::mirror_refresh::Mirrors;
use crate::page_cache::PageCache;
use crate::password::Passwords;
use crate::settings::Settings;
use crate::sidecar::Sidecars;
use crate::token::Tokens;
use crate::{App, Result};

/// Names whose last change is remembered one by one; past that the oldest
/// knowledge is given up, which costs rebuilding, never truth.
const MAX_TRACKED_PROJECTS: usize = 50_000;

/// Changelog rows read at once; a node that is further behind forgets everything instead.
const MAX_CATCH_UP: u64 = 10_000;

/// Caches, and the knowledge that keeps them honest.
#[derive(Debug)]
pub(crate) struct Memory {
    seen: RwLock<Seen>,
    catching_up: Mutex<()>,
    directory: RwLock<Option<Arc<Directory>>>,
    loading: Mutex<()>,
    pub(crate) pages: PageCache,
    pub(crate) files: FileCache,
    pub(crate) mirrors: Mirrors,
    pub(crate) sidecars: Sidecars,
    pub(crate) docs: DocCache,
    pub(crate) passwords: Passwords,
    pub(crate) attempts: Attempts,
    pub(crate) tokens: Tokens,
    pub(crate) devpi_key: DevpiKey,
}

/// What this node knows of the changelog.
#[derive(Debug, Default)]
struct Seen {
    /// Every row up to here was read.
    applied: Serial,
    /// The last change to users or indexes.
    config: Serial,
    /// The last change to a project, in any index.
    projects: HashMap<ProjectName, Serial>,
    /// Projects not listed changed no later than this.
    floor: Serial,
}

impl Seen {
    fn apply(&mut self, changes: Vec<(Serial, Scope)>, up_to: Serial) {
        for (serial, scope) in changes {
            match scope {
                Scope::Config => self.config = self.config.max(serial),
                Scope::Project { project, .. } => {
                    self.projects.insert(project, serial);
                }
            }
        }
        if self.projects.len() > MAX_TRACKED_PROJECTS {
            self.projects.clear();
            self.floor = up_to;
        }
        self.applied = self.applied.max(up_to);
    }

    fn forget(&mut self, up_to: Serial) {
        self.projects.clear();
        self.floor = up_to;
        self.config = up_to;
        self.applied = up_to;
    }

    /// The last change of the project alone, whatever happened to the configuration.
    fn last_change(&self, project: &ProjectName) -> Serial {
        self.projects.get(project).copied().unwrap_or(self.floor)
    }
}

impl Memory {
    pub(crate) fn new(store: &Store, settings: &Settings) -> Self {
        Self {
            seen: RwLock::default(),
            catching_up: Mutex::default(),
            directory: RwLock::default(),
            loading: Mutex::default(),
            pages: PageCache::new(settings.page_cache_bytes),
            files: FileCache::default(),
            mirrors: Mirrors::default(),
            sidecars: Sidecars::default(),
            docs: DocCache::default(),
            passwords: Passwords::default(),
            attempts: Attempts::default(),
            tokens: Tokens::new(settings.secret.unwrap_or(store.identity().secret)),
            devpi_key: DevpiKey::default(),
        }
    }

    fn seen(&self) -> std::sync::RwLockReadGuard<'_, Seen> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen_mut(&self) -> std::sync::RwLockWriteGuard<'_, Seen> {
        self.seen.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a value still holds that was made under the rules of the
    /// directory `rules` from the snapshot `serial`. The two are told apart,
    /// since an upstream may have been asked between them.
    /// Only meaningful after [`App::catch_up`] in the same request.
    pub(crate) fn holds(&self, rules: Serial, serial: Serial, project: &ProjectName) -> bool {
        let seen = self.seen();
        rules >= seen.config && serial >= seen.last_change(project)
    }
}

impl App {
    /// Learns of every change acknowledged before this call, by any node.
    pub(crate) async fn catch_up(&self) -> Result<Serial> {
        let current = self.store.current_serial().await?;
        let applied = self.memory.seen().applied;
        if applied >= current {
            return Ok(current);
        }
        // Boxed, here and below: what is known already needs none of its room.
        Box::pin(self.read_changes(current)).await
    }

    async fn read_changes(&self, current: Serial) -> Result<Serial> {
        let _turn = self.memory.catching_up.lock().await;
        let applied = self.memory.seen().applied;
        if applied >= current {
            return Ok(current);
        }
        if applied == 0 || current - applied > MAX_CATCH_UP {
            self.memory.seen_mut().forget(current);
            return Ok(current);
        }
        let mut tx = self.store.read().await?;
        let up_to = tx.serial().await?;
        let changes = tx.changes_since(applied).await?;
        self.memory.seen_mut().apply(changes, up_to);
        Ok(up_to)
    }

    /// The serial to tell clients, without asking the database.
    pub fn last_known_serial(&self) -> Serial {
        self.memory.seen().applied
    }

    /// The serial to tell a client that changed something: no older than its
    /// change (devpi: 0.1).
    pub async fn serial_after_write(&self) -> Serial {
        let current = self.catch_up().await;
        current.unwrap_or_else(|_| self.last_known_serial())
    }

    /// Users and indexes as they are now.
    pub async fn directory(&self) -> Result<Arc<Directory>> {
        self.catch_up().await?;
        if let Some(directory) = self.current_directory() {
            return Ok(directory);
        }
        Box::pin(self.load_directory()).await
    }

    async fn load_directory(&self) -> Result<Arc<Directory>> {
        let _turn = self.memory.loading.lock().await;
        if let Some(directory) = self.current_directory() {
            return Ok(directory);
        }
        let mut tx = self.store.read().await?;
        let directory = Arc::new(Directory::load(&mut tx).await?);
        *self
            .memory
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(directory.clone());
        Ok(directory)
    }

    /// Has users and indexes read again: what changed raised no serial.
    pub(crate) fn forget_directory(&self) {
        let directory = &self.memory.directory;
        *directory.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn current_directory(&self) -> Option<Arc<Directory>> {
        let directory = self
            .memory
            .directory
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        (directory.serial >= self.memory.seen().config).then_some(directory)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_TRACKED_PROJECTS, Seen};
    use larder_pypi::ProjectName;
    use larder_store::Scope;

    fn name(text: &str) -> ProjectName {
        text.parse().expect("a valid name")
    }

    fn project(text: &str) -> Scope {
        Scope::Project {
            index: "root/dev".parse().expect("a valid index"),
            project: name(text),
        }
    }

    #[test]
    fn a_change_ends_the_life_of_what_depends_on_it_and_nothing_else() {
        let mut seen = Seen::default();
        seen.forget(5);
        seen.apply(vec![(6, project("demo"))], 6);
        assert_eq!(seen.last_change(&name("demo")), 6);
        assert_eq!(seen.last_change(&name("other")), 5);
        seen.apply(vec![(7, Scope::Config)], 7);
        assert_eq!((seen.config, seen.applied), (7, 7));
        assert_eq!(seen.last_change(&name("other")), 5);
    }

    #[test]
    fn too_many_names_cost_rebuilding_but_never_truth() {
        let mut seen = Seen::default();
        seen.forget(1);
        let changes = (0..=MAX_TRACKED_PROJECTS)
            .map(|i| (2 + i as u64, project(&format!("p{i}"))))
            .collect();
        let last = 2 + MAX_TRACKED_PROJECTS as u64;
        seen.apply(changes, last);
        assert!(seen.projects.is_empty());
        assert_eq!(seen.last_change(&name("p0")), last);
    }
}
