//! The API on a real database and living twins, without HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is how a failure is told")]

mod answers;
mod api_tokens;
mod authority;
mod batching;
mod changes;
mod device_authorities;
mod device_certificates;
mod downlink;
mod elevations;
mod emergencies;
mod hospital;
mod isolation;
mod live;
mod own_roles;
mod past;
mod quotas;
mod reads;
mod second_factor;
mod service_clients;
