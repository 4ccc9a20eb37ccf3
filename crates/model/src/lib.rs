//! The nouns and rules Larder owns: users, indexes, who may do what, which
//! index answers for which project.
//!
//! Invariant: pure. No I/O, no clock, no HTTP. Everything here is decided on
//! plain data and can be tested by table or property.

mod acl;
mod action;
mod index;
mod merge;
mod mirror_url;
pub mod names;
mod order;
mod outline;
mod push;
mod time;
mod user;
mod whitelist;

pub use acl::{Acl, AclEntry};
pub use action::{Action, Caller, Policy, may, may_use_private_upstreams};
pub use index::{
    ConfigError, Defaults, IndexConfig, IndexKind, KindConfig, MirrorConfig, StageConfig,
    check_bases,
};
pub use merge::{Admission, Layer, admit, merge_pages};
pub use mirror_url::MirrorUrl;
pub use names::{IndexName, InvalidIndexName, InvalidUserName, UserName};
pub use order::resolution_order;
pub use outline::{MAX_DEPTH, MAX_VALUES, Outline};
pub use push::{PushAddress, PushError, PushPart, PushRequest, PushTarget};
pub use time::Timestamp;
pub use user::{PasswordChange, UserChange, UserError, UserProfile};
pub use whitelist::{Inheritance, Whitelist};
