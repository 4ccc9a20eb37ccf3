//! What every function of the store promises, on SQLite and on PostgreSQL.
//!
//! Each test is written once and runs as `sqlite::…` and `postgres::…`; see
//! [`bench`] for where the databases come from. `coverage` fails when a public
//! function is named in none of them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[macro_use]
mod bench;

mod changelog;
mod coverage;
mod files;
mod indexes;
mod migrations;
mod mirrors;
mod model;
mod outages;
mod projects;
mod races;
mod samples;
mod schema;
mod transactions;
mod users;
mod yanks;
