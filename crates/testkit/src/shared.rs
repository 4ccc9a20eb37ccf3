//! The state of one fake index, shared by its connections and its owner.
//!
//! Invariant: the lock is never held across an await.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Method;
use http::request::Parts;
use tokio::sync::watch;

use crate::catalog::Catalog;
use crate::fault::{Fault, Faults, Installed};
use crate::folder::Folder;
use crate::posted::Posted;

/// Requests that are remembered; older ones are forgotten.
const MAX_SEEN: usize = 1000;

/// A request that reached the fake index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Lower-case names, in the order sent.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) catalog: Catalog,
    pub(crate) folder: Option<Folder>,
    pub(crate) hits: BTreeMap<String, u64>,
    pub(crate) seen: VecDeque<Seen>,
    pub(crate) posted: Vec<Posted>,
    /// Whether `seen` is kept.
    pub(crate) record: bool,
    pub(crate) max_age: Option<u64>,
    /// The `Authorization` header that is asked for.
    pub(crate) authorization: Option<String>,
    /// Resets every connection that asks for anything but control.
    pub(crate) resetting: bool,
    faults: Vec<Installed>,
    next_fault: u64,
}

impl State {
    pub(crate) fn add_fault(&mut self, path: &str, fault: Fault, times: Option<u32>) {
        self.next_fault += 1;
        self.faults.push(Installed {
            id: self.next_fault,
            path: path.to_owned(),
            fault,
            left: times,
        });
    }

    pub(crate) fn clear_faults(&mut self, path: Option<&str>) {
        self.faults
            .retain(|installed| path.is_some_and(|path| path != installed.path));
    }

    /// The faults for one more request of this path.
    pub(crate) fn take_faults(&mut self, path: &str) -> Faults {
        let mut taken = Vec::new();
        for installed in &mut self.faults {
            if installed.left == Some(0) || (installed.path != path && installed.path != "*") {
                continue;
            }
            installed.left = installed.left.map(|left| left - 1);
            taken.push(installed.clone());
        }
        Faults(taken)
    }

    /// Brings in what changed in the folder, if there is one.
    pub(crate) fn sync_folder(&mut self) {
        if let Some(folder) = &mut self.folder {
            folder.sync(&mut self.catalog);
        }
    }

    fn note(&mut self, parts: &Parts) {
        let path = parts.uri.path();
        match self.hits.get_mut(path) {
            Some(count) => *count += 1,
            None => {
                self.hits.insert(path.to_owned(), 1);
            }
        }
        if self.record {
            if self.seen.len() == MAX_SEEN {
                self.seen.pop_front();
            }
            self.seen.push_back(seen(&parts.method, parts));
        }
    }
}

fn seen(method: &Method, parts: &Parts) -> Seen {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)));
    Seen {
        method: method.to_string(),
        path: parts.uri.path().to_owned(),
        headers: headers.collect(),
    }
}

/// The state and a bell that rings when it changes.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    bell: watch::Sender<()>,
}

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(state),
            bell: watch::Sender::new(()),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes whoever waits for a change.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.bell.send_replace(());
        result
    }

    /// Counts a request and finds its faults.
    pub(crate) fn note(&self, parts: &Parts) -> Faults {
        self.change(|state| {
            state.note(parts);
            state.take_faults(parts.uri.path())
        })
    }

    /// Waits until the state answers yes.
    pub(crate) async fn until(&self, met: impl Fn(&State) -> bool) {
        let mut bell = self.bell.subscribe();
        loop {
            bell.borrow_and_update();
            if met(&self.state()) {
                return;
            }
            bell.changed().await.expect("the sender lives in self");
        }
    }

    /// Waits until a fault is cleared.
    pub(crate) async fn until_cleared(&self, id: u64) {
        self.until(|state| state.faults.iter().all(|installed| installed.id != id))
            .await;
    }
}
