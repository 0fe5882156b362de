//! The GraphQL API over the twins: queries, mutations, subscriptions.
//!
//! What this crate never does: no I/O of its own (stores and twins are handed in as [`Services`]), no HTTP
//! and no sign-in (a request brings its `Caller`), no decision about rights: every row comes through a
//! `Scope` that `tenants::access` has granted.
//!
//! Start reading at [`schema`], then `query/patients.rs` and `types/patient.rs`; `loaders` batch what
//! nested fields ask for, `reads` write down who saw which patient,
//! `limits` say how large a request may be, `errors` what a client is told.
//! `schema.graphql` is the snapshot of [`sdl`]; `UPDATE_SCHEMA=1 cargo test -p graphql-schema` writes it anew.

mod arguments;
mod context;
mod errors;
mod limits;
mod loaders;
mod metering;
mod metrics;
mod mutation;
mod query;
mod reads;
mod scalars;
mod schema;
mod services;
mod subscription;
mod trend;
mod types;

pub use limits::{Limits, MAX_BODY_BYTES};
pub use metrics::ApiMetrics;
pub use mutation::Mutation;
pub use query::Query;
pub use schema::{Schema, schema, sdl};
pub use services::Services;
pub use subscription::Subscription;
