//! The nouns and rules Larder owns: users, indexes, who may do what, which
//! index answers for which project.
//!
//! Invariant: pure. No I/O, no clock, no HTTP. Everything here is decided on
//! plain data and can be tested by table or property.

pub mod names;
mod time;

pub use time::Timestamp;
pub use names::{IndexName, InvalidIndexName, InvalidUserName, UserName};
