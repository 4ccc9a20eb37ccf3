//! The bad-input rows A to G of the catalogue in the project's reliability
//! contract, with their neighbours: nothing that a stranger sends is a server
//! error, changes anything, or takes long.
//!
//! Every row's id stands at its test, here or in a test named by [`coverage`],
//! which fails when one is missing.
#![expect(clippy::too_many_lines, reason = "tables")]

#[path = "../common/mod.rs"]
mod common;

mod bodies;
mod coverage;
mod forms;
mod framing;
mod headers;
mod indexes;
mod json;
mod login;
mod others;
mod paths;
mod push;
mod random;
mod shapes;
mod sweep;
mod taken;
mod uploads;
mod users;
mod wire;
mod world;
