//! What tests of Larder need from the outside world: an upstream index that
//! misbehaves on demand, and distributions small enough to make by hand.
//!
//! Invariant: the same calls give the same bytes; nothing leaves loopback.
//! Left out: everything about Larder itself, which the tests start on their own.
#![expect(
    clippy::missing_panics_doc,
    reason = "a test double that is used wrongly should panic where it is used"
)]

mod body;
mod catalog;
mod control;
mod dist;
mod fake_index;
mod fault;
mod folder;
mod page;
mod posted;
mod respond;
mod sdist;
mod server;
mod shared;
mod zip;

pub use catalog::FileEntry;
pub use dist::{Dist, DistBuilder};
pub use fake_index::{FakeIndex, Options};
pub use fault::{Answer, Fault};
pub use posted::Posted;
pub use shared::Seen;
pub use zip::zip_archive;
