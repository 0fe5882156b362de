//! Keeps everything that must outlive the process: tenants and accounts, devices and patients, rules and
//! alarms, the message log with its twins' snapshots, outbox and audit trail. SQLite and PostgreSQL, from
//! the same migrations.
//!
//! It implements the store traits of `tenants` and `twins` on [`Database`]; entities and connections never
//! leave it. It decides nothing: what a message means is for `twins`, who may see a row is in the `Scope`.
//! It reads no clock. A tenant's rows are reached through `tenant_tx::TenantTx` only, which sets the tenant
//! that PostgreSQL's row level security compares with.
//!
//! Start reading at `database.rs`, then `tenant_tx.rs`; the log is in `segments/`.

mod access_rules;
mod accounts;
mod alarms;
mod api_tokens;
mod audit;
mod columns;
mod commit;
mod compaction;
mod connections;
mod credentials;
mod database;
mod departures;
mod device_authorities;
mod device_certificates;
mod devices;
mod elevations;
mod enrolment;
mod entities;
mod errors;
mod expiry;
mod export;
mod external_logins;
mod folds;
mod history;
mod identity_providers;
mod journal;
mod mailboxes;
mod masks;
mod migrations;
mod one_trip;
mod openings;
mod org;
mod outbox;
mod paging;
mod patients;
mod placements;
mod policy_effects;
mod predicate;
mod quotas;
mod roles;
mod row_security;
mod rules;
mod sealed;
mod second_factors;
mod segments;
mod service_clients;
mod tenant_tx;
mod tenants;

#[cfg(test)]
mod contract;

pub use compaction::Compaction;
pub use database::{Database, DatabaseOptions};
pub use errors::StorageError;
pub use export::{ExportError, ExportSink, Exported};
pub use sealed::Resealed;
