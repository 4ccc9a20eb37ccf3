//! Talking to another index: project pages, project lists, files, uploads.
//!
//! Invariants: every address that is connected to was allowed by the
//! [`Endpoint`], at every redirect; credentials go to the origin they belong
//! to and into no text; whatever is not bounded by its nature is bounded here,
//! in time and in bytes; a body that broke off ends in an error.
//!
//! Left out: when to ask and what to do with the answer (freshness, stale
//! copies, serials that go backwards), which the caller knows.

mod address;
mod body;
mod clients;
mod endpoint;
mod error;
mod file;
mod headers;
mod inflate;
mod page;
mod redirect;
mod resolver;
mod slots;
mod submit;
mod transport;

pub use address::check_public_host;
pub use endpoint::{Addresses, Endpoint, Validators};
pub use error::Error;
pub use file::FileAnswer;
pub use page::{FreshPage, PageAnswer};
pub use submit::{FilePart, Submission, Submitted};
pub use transport::{Settings, Upstreams};
