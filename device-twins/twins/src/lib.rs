//! Device and patient twins: supervised actors whose state is a fold over the tenant's message log.
//!
//! A message is appended to the log first ([`ingest`]); then its device's twin folds it: decode by
//! template, judge by rules, raise or clear alarms, pass readings on to the patient's twin. What a fold
//! leaves behind is committed by the same writer and is idempotent, so a crash, a panic and a restart are
//! one operation: load a snapshot, fold the rest.
//!
//! This crate does no I/O: databases stand behind the traits of [`store`], time behind
//! [`tenants::clock::Clock`]. It spawns nothing but actors. Start reading at [`Twins`], then
//! `device/decide.rs`.
#![warn(missing_docs)]

mod backlog;
mod checkpoint;
pub mod connections;
pub mod device;
pub mod downlink;
pub mod feed;
mod ingest;
mod loading;
pub mod message;
mod metrics;
pub mod patient;
pub mod presence;
mod recovery;
mod roster;
mod service;
mod shared;
mod snapshot;
pub mod store;
mod supervision;

pub use backlog::FOLD_BACKLOG;
pub use checkpoint::CHECKPOINT_INTERVAL;
pub use ingest::{Closed, INGEST_QUEUE, Receipt, Unsequenced};
pub use metrics::{Health, ReasonLabel, TwinMetrics};
pub use recovery::RecoveryError;
pub use service::{TwinError, Twins};
pub use shared::Decoders;
