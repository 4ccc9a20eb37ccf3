//! Rendered project pages, ready to be sent: one entry per page, media type,
//! content coding and style of links.
//!
//! Invariant: an entry is used only after [`crate::memory::Memory::holds`] said
//! so in the same request, and before `fresh_until`; its bytes are never copied.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use larder_model::IndexName;
use larder_pypi::ProjectName;
use larder_pypi::negotiate::{Coding, PageFormat};
use larder_store::Serial;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::flight::Flights;
use crate::sight::Readable;
use crate::{Error, LinkStyle};

/// A page as a client wants it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// The index that is asked.
    pub index: IndexName,
    /// The project.
    pub project: ProjectName,
    /// JSON or HTML.
    pub format: PageFormat,
    /// How the bytes are compressed.
    pub coding: Coding,
    /// How files are linked.
    pub links: LinkStyle,
}

/// What an entry is kept under.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PageKey {
    pub(crate) request: PageRequest,
    /// Callers who may read the same indexes share an entry.
    pub(crate) readable: Readable,
}

/// Why a page is what it is; for the log and a debug header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// From memory.
    Hit,
    /// Made now.
    Miss,
    /// Made now from what was known, since the upstream failed.
    Stale,
}

impl Served {
    /// The word for log and header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
        }
    }
}

/// A page, ready to be sent.
#[derive(Debug, Clone)]
pub struct PageReply {
    /// In the format and coding asked for.
    pub body: Bytes,
    /// Strong, quoted; differs by format and coding (C-01).
    pub etag: Arc<str>,
    /// Seconds a client may keep it; `None`: must ask again (C-02).
    pub max_age: Option<u64>,
    /// The upstream's serial, on the page of a mirror.
    pub last_serial: Option<u64>,
    /// How it came about.
    pub served: Served,
    /// Anybody gets the same; otherwise it is nothing for a shared cache (P10).
    pub is_open: bool,
}

/// What is kept.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) body: Bytes,
    pub(crate) etag: Arc<str>,
    pub(crate) last_serial: Option<u64>,
    /// The directory whose rules it follows.
    pub(crate) rules: Serial,
    /// The snapshot it was made from.
    pub(crate) serial: Serial,
    /// On the clock of [`crate::Clock::elapsed`]; `None`: no mirror is involved.
    pub(crate) fresh_until: Option<Duration>,
    /// The index is a mirror, so clients may keep the page while it is fresh.
    pub(crate) keepable: bool,
    /// Anybody gets the same.
    pub(crate) is_open: bool,
    pub(crate) stale: bool,
}

/// C-02: the longest a client may keep the page of a mirror, in seconds.
const MAX_KEEP_SECS: u64 = 600;

impl Entry {
    pub(crate) fn reply(&self, now: Duration, served: Served) -> PageReply {
        let remaining = self
            .fresh_until
            .map(|until| until.saturating_sub(now).as_secs().min(MAX_KEEP_SECS));
        PageReply {
            body: self.body.clone(),
            etag: self.etag.clone(),
            max_age: remaining.filter(|secs| self.keepable && !self.stale && *secs > 0),
            last_serial: self.last_serial,
            served: if self.stale { Served::Stale } else { served },
            is_open: self.is_open,
        }
    }
}

/// The cache itself, bounded in bytes, and the pages being made.
#[derive(Debug)]
pub(crate) struct PageCache {
    entries: Cache<PageKey, Arc<Entry>, ByBytes>,
    pub(crate) making: Flights<PageKey, Made>,
}

/// A page just made, or why there is none.
pub(crate) type Made = crate::Result<Arc<Entry>, Arc<Error>>;

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<PageKey, Arc<Entry>> for ByBytes {
    fn weight(&self, _: &PageKey, entry: &Arc<Entry>) -> u64 {
        entry.body.len() as u64 + 512
    }
}

impl PageCache {
    pub(crate) fn new(bytes: u64) -> Self {
        Self {
            entries: Cache::with_weighter(10_000, bytes, ByBytes),
            making: Flights::default(),
        }
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.entries.weight()
    }

    pub(crate) fn get(&self, key: &PageKey) -> Option<Arc<Entry>> {
        self.entries.get(key)
    }

    pub(crate) fn insert(&self, key: PageKey, entry: Arc<Entry>) {
        if key.request.links.is_kept() {
            self.entries.insert(key, entry);
        }
    }
}
