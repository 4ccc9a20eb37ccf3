//! The formats the Python packaging standards own: names, versions, file
//! names, hashes, core metadata, the simple repository API and the legacy
//! upload form.
//!
//! Invariant: pure. No I/O beyond readers handed in, no clock, no randomness,
//! no HTTP types. Parsing is lenient where clients are, writing is strict.

pub mod archive;
pub mod filename;
pub mod hashes;
pub mod metadata;
pub mod name;
pub mod negotiate;
pub mod simple;
pub mod upload_form;
pub mod version;
mod version_data;

pub use hashes::{Digest, Hashes};
pub use name::ProjectName;
pub use version::Version;
