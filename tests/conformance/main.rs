//! What the MQTT standards demand of a server, clause by clause, at our listener, with frames written by hand.
//!
//! Clauses are those of MQTT 3.1.1 (OASIS standard, 2014) and MQTT 5.0 (OASIS standard, 2019), which mostly share them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so and fails; there is nobody to hand the error to"
)]

mod mqtt;
mod wire;
