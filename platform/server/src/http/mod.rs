//! HTTP: the admin UI, GraphQL over requests and over WebSockets, signing in, telemetry from devices that
//! speak no MQTT, probes and metrics.
//!
//! A request is answered by actix-web's workers, but whatever touches a store runs on the platform's own
//! runtime (`Site::run`): a database connection belongs to the runtime that opened it, and the
//! workers' runtimes end first at shutdown.
//!
//! Start reading at `app.rs`, the table of routes; `wrap.rs` is what happens to every request, `caller.rs`
//! how a request proves who sends it.

mod app;
mod auth;
mod body;
mod caller;
mod cookie;
mod graphql;
mod graphql_document;
mod headers;
mod health;
mod metrics;
mod mqtt_socket;
mod oauth;
mod oidc;
mod openapi;
mod origin;
mod problem;
mod serve;
mod site;
mod socket;
mod telemetry;
#[cfg(test)]
mod tests;
mod ui;
mod wrap;

pub(crate) use health::{Health, Probe};
pub(crate) use metrics::HttpMetrics;
pub(crate) use openapi::DESCRIPTION as OPENAPI;
pub(crate) use serve::{Handle, serve, serve_metrics};
pub(crate) use site::Parts;
pub(crate) use ui::is_built as ui_is_built;
