//! How the server is, as `/+status` tells it (devpi: 1.4).

use larder_model::{Caller, Timestamp, UserName};
use larder_store::Serial;

use crate::{App, Result};

/// The state of the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Of the last change.
    pub serial: Serial,
    /// When that was; `None`: nothing ever changed.
    pub changed: Option<Timestamp>,
}

impl App {
    /// One look into the database: also says whether that can be reached.
    pub async fn status(&self) -> Result<Status> {
        self.catch_up().await?;
        let mut tx = self.store.read().await?;
        Ok(Status {
            serial: tx.serial().await?,
            changed: tx.last_change().await?,
        })
    }

    /// Whether the caller may know where and how the server runs (G35).
    pub fn may_look_inside(&self, caller: &Caller) -> bool {
        self.settings.devpi_compat || caller.name().is_some_and(UserName::is_root)
    }
}
