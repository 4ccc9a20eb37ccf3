//! What a proxy asks before it answers from its own disk.

use larder_model::{Caller, IndexName};

use crate::{App, Kind, Result, Right};

impl App {
    /// Whether the caller may see what is below an address of this index. An
    /// index that is not there has nothing to hide.
    pub async fn may_see(&self, caller: &Caller, name: &IndexName) -> Result<bool> {
        if self.directory().await?.find(name).is_none() {
            return Ok(true);
        }
        match self.grant(caller, name, Right::Read).await {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                Kind::Unauthenticated | Kind::Forbidden | Kind::NotFound => Ok(false),
                _ => Err(error),
            },
        }
    }
}
