//! What twins ask of a database; `storage` implements these traits, for SQLite and PostgreSQL alike.
//!
//! [`journal`] is the platform's own side: the log, snapshots, recovery. [`directory`] is the
//! callers' side: every method takes a [`tenants::access::Scope`].

pub mod directory;
pub mod journal;
