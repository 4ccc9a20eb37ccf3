//! Documentation of releases (devpi: 6.2): one zip for each, never unpacked.

mod serve;
mod upload;

pub(crate) use serve::DocCache;
pub use serve::{DocReply, DocVersion};
