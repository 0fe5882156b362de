//! Journeys through the real server: each starts its own on free ports, and none knows of another.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so and fails; there is nobody to hand the error to"
)]

mod bad_input;
mod bedside;
mod certificates;
mod connection;
mod demo;
mod encrypted;
mod feed;
mod isolation;
mod lifecycle;
mod login;
mod offboarding;
mod operators;
mod quotas;
mod reading;
mod roles;
mod simulator;
mod suspension;
mod two_processes;
