//! What must hold when the machine does its worst: sudden death, and a disk without room.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot go on says so and fails; there is nobody to hand the error to"
)]

mod conversation;
mod full_disk;
mod ledger;
mod sudden_death;
