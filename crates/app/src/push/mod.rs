//! Pushing a release from an index to another one, here or elsewhere (devpi: 5).
//!
//! [`App::push`] asks for the right to read the source, [`source`] brings what
//! is to be pushed here and reads it, [`internal`] records it on an index of
//! this server, [`external`] sends it to another server.
//!
//! Invariants: only the index itself counts, not its bases; between indexes
//! of this server a push happens whole or not at all; bytes are never copied,
//! since a digest names them everywhere.

mod external;
mod internal;
mod mirrored;
mod source;

use larder_model::{Caller, IndexName, PushRequest, PushTarget};

use crate::authorize::Right;
use crate::{App, Result};

/// One line of the log that a push answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushAction {
    /// The release was registered on the target.
    Registered {
        /// As the client spelled it.
        name: String,
        /// As the client spelled it.
        version: String,
        /// The target.
        target: IndexName,
    },
    /// A distribution file is on the target.
    Stored {
        /// Where, without a slash at its beginning.
        path: String,
    },
    /// A test result is on the target.
    StoredToxresult {
        /// Where, without a slash at its beginning.
        path: String,
    },
    /// The documentation is on the target.
    StoredDocs {
        /// As the client spelled it.
        name: String,
        /// As the client spelled it.
        version: String,
        /// The target.
        target: IndexName,
    },
    /// Another server was asked to register the release.
    Submitted {
        /// Its HTTP status.
        code: u16,
        /// As the client spelled it.
        name: String,
        /// As the client spelled it.
        version: String,
    },
    /// A distribution file was sent to another server.
    Sent {
        /// Its HTTP status.
        code: u16,
        /// Which, on the source.
        path: String,
        /// What it said.
        text: String,
    },
    /// The documentation was sent to another server.
    SentDocs {
        /// Its HTTP status.
        code: u16,
        /// As the client spelled it.
        name: String,
        /// What it said.
        text: String,
    },
    /// Another server did not answer.
    Unanswered {
        /// What it was asked for.
        what: &'static str,
        /// Why.
        message: String,
    },
}

impl PushAction {
    /// Whether this went well.
    pub fn is_done(&self) -> bool {
        match self {
            Self::Registered { .. }
            | Self::Stored { .. }
            | Self::StoredToxresult { .. }
            | Self::StoredDocs { .. } => true,
            // devpi: an index that takes no registrations any more says 410.
            Self::Submitted { code, .. } => matches!(code, 200 | 201 | 410),
            Self::Sent { code, .. } | Self::SentDocs { code, .. } => matches!(code, 200 | 201),
            Self::Unanswered { .. } => false,
        }
    }
}

impl App {
    /// Pushes a release of an index. An error means that nothing was done;
    /// what another server made of it stands in the log.
    pub async fn push(
        &self,
        caller: &Caller,
        source: &IndexName,
        request: &PushRequest,
    ) -> Result<Vec<PushAction>> {
        let from = self.grant(caller, source, Right::Read).await?;
        match &request.target {
            PushTarget::Index(target) => self.push_here(&from, target, request).await,
            PushTarget::Elsewhere(address) => self.push_elsewhere(&from, address, request).await,
        }
    }
}
