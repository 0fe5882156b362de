//! Drives the real `iomt` binary from outside, for the journeys, the fault tests and the benchmarks.
//!
//! What it never does: link a crate of the house. It knows the public surface and nothing else: the command line,
//! `credentials.json`, MQTT, GraphQL, `/readyz` and `/metrics`. Its MQTT frames are written out here for the same reason:
//! a codec shared with the server would agree with the server's mistakes.
//!
//! Start reading at `server.rs`, then `journeys/reading.rs`, which uses most of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot go on says so and fails; there is nobody to hand the error to"
)]

pub mod authority;
pub mod credentials;
pub mod environment;
pub mod eventually;
pub mod graphql;
pub mod http;
pub mod mosquitto;
pub mod mqtt;
pub mod postgres;
pub mod rules;
pub mod server;
pub mod subscription;
pub mod time;

pub use credentials::{Credentials, Device, Tenant, User};
pub use eventually::eventually;
pub use graphql::GraphQl;
pub use postgres::Postgres;
pub use server::{Options, Server};
pub use subscription::Subscription;
