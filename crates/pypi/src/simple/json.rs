//! PEP 691 JSON, written as 1.4 and read from anything that says 1.x.
//!
//! Invariant: no `null` is ever written (S-14: each of them fails the page in
//! some client), and equal pages are equal bytes (S-20).

mod loose;
mod read;
mod write;

pub use read::{read_json, read_project_list_json};
pub use write::{write_json, write_project_list_json};
