//! Devices of other platforms, unchanged: programs written with those platforms' own clients, against the real server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so and fails; there is nobody to hand the error to"
)]

mod gate;
mod iothub;
mod sdk;
mod thingsboard;
