//! Numbers that operators watch: `/+status` shows them.
//!
//! Invariant: counting costs one relaxed addition and waits for nothing; a
//! number never says who did what. They begin at zero with the process.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::App;

/// Whether a number only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It does, until the process ends.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl MetricKind {
    /// devpi's word (devpi: 1.4).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// One number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// `larder_…`.
    pub name: &'static str,
    /// Whether it only rises.
    pub kind: MetricKind,
    /// As it is now.
    pub value: u64,
}

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// This many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $field:ident => $name:literal;)*) => {
        /// All counters of a node.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $($(#[$doc])* pub $field: Counter,)*
        }

        impl Metrics {
            fn samples(&self) -> Vec<Sample> {
                vec![$(Sample { name: $name, kind: MetricKind::Counter, value: self.$field.get() }),*]
            }
        }
    };
}

counters! {
    /// Requests answered.
    requests => "larder_requests_total";
    /// Bytes of bodies whose length was known when they were begun.
    bytes_sent => "larder_bytes_sent_total";
    /// Project pages out of memory.
    pages_hit => "larder_page_cache_hits_total";
    /// Project pages made for a request.
    pages_missed => "larder_page_cache_misses_total";
    /// Project pages served although an upstream failed.
    pages_stale => "larder_pages_stale_total";
    /// Files opened that were here.
    files_hit => "larder_file_hits_total";
    /// Downloads begun from an upstream.
    files_fetched => "larder_file_fetches_total";
    /// Files taken in.
    uploads => "larder_uploads_total";
    /// Passwords that were right.
    logins => "larder_passwords_accepted_total";
    /// Passwords that were wrong.
    logins_failed => "larder_passwords_rejected_total";
    /// Passwords that were not looked at, after too many wrong ones.
    logins_throttled => "larder_passwords_throttled_total";
    /// Password hashes computed.
    hashes => "larder_password_hashes_total";
}

impl App {
    /// The counters, to count with.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Every number, in a fixed order.
    pub fn samples(&self) -> Vec<Sample> {
        let gauge = |name, value| Sample {
            name,
            kind: MetricKind::Gauge,
            value,
        };
        let mut samples = self.metrics.samples();
        samples.push(gauge(
            "larder_page_cache_entries",
            self.memory.pages.entries() as u64,
        ));
        samples.push(gauge("larder_page_cache_bytes", self.memory.pages.bytes()));
        samples
    }
}
