//! PEP 503 HTML, frozen at 1.4 (PEP 833), read from whatever indexes have
//! written over the years.
//!
//! Invariant: nothing foreign is written unescaped (S-23), and there is one
//! anchor per file and no other (S-26).

mod read;
mod tags;
mod write;

pub use read::{read_html, read_project_list_html};
pub use write::{write_html, write_project_list_html};
