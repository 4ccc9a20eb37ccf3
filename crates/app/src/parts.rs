//! What a verb may use. Nobody outside gets at it: the fields are the crate's own.

use larder_blob::Blobs;
use larder_store::Store;
use larder_upstream::Upstreams;

use crate::clock::Clock;
use crate::fetch::Fetches;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::tasks::Tasks;

/// The parts of an [`crate::App`].
#[derive(Debug)]
pub struct Parts {
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) upstreams: Upstreams,
    pub(crate) memory: Memory,
    pub(crate) metrics: Metrics,
    pub(crate) fetches: Fetches,
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) settings: Settings,
}
