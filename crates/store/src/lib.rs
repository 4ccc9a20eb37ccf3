//! The metadata database: users, indexes, projects, releases, files, what
//! mirrors know, and the log of every change. SQLite and PostgreSQL through
//! one SQL text.
//!
//! Invariants: a change and its row in the changelog are one transaction; the
//! serial says in which order changes became visible; write transactions run
//! one after the other, on all nodes, so that what one has read stays true
//! until it commits; `sqlx` is not seen outside this crate.
//!
//! Left out: bytes (a row only names a digest), rights, and any rule about
//! what may be stored.
//!
//! # Dialect
//!
//! Every statement runs on both engines as it is written. What that takes:
//!
//! 1. Columns are `bigint`, `text`, `boolean` or bytes. Times are
//!    microseconds since the epoch, JSON is text that Rust reads.
//! 2. Nothing follows a failed statement in its transaction: PostgreSQL would
//!    answer `commit` with a silent rollback, SQLite would keep half. A [`Tx`]
//!    enforces it. Expected conflicts are `on conflict do nothing returning`.
//! 3. `like` ignores case on SQLite only; it is not used.
//! 4. `nulls last` is written out where nulls are sorted.
//! 5. Text is compared byte by byte: `collate "C"` on PostgreSQL.
//! 6. Sums are `cast(sum(x) as bigint)`.
//! 7. PostgreSQL refuses NUL in text; the edge does so first.
//! 8. Lists are JSON: `select value from json_each($1)`, built into SQLite and
//!    defined by a migration on PostgreSQL.
//! 9. What only one engine has lives in `sqlite.rs` and `postgres.rs`.

#[macro_use]
mod sql;

mod changelog;
mod coalesce;
mod error;
mod file;
mod file_row;
mod index;
mod migrate;
mod mirror;
mod postgres;
mod project;
mod removal;
mod sqlite;
mod store;
mod tx;
mod user;
mod yank;

pub use changelog::{Change, LogEntry, Scope, Serial};
pub use error::{Cause, Error};
pub use file_row::{Area, FileRole, FileRow, NewFile};
pub use index::{IndexRow, NewIndex};
pub use mirror::{MirrorPage, NewMirrorPage};
pub use project::{NewRelease, Release};
pub use store::{Identity, Store};
pub use tx::Tx;
pub use user::{NewUser, User};
pub use yank::Yank;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
