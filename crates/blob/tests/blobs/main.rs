//! Tests of the crate from outside, in one program.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests"
)]

mod common;
mod contract;
#[cfg(feature = "failpoints")]
mod crash;
mod follow;
mod fsync;
mod local;
