//! Lines of the audit trail.

use async_graphql::SimpleObject;
use tenants::audit;

use super::{AuditOutcome, PatientAccessKind};
use crate::scalars::DateTime;

/// Who did what, when, and how it ended. It holds no secret and no patient's data.
#[derive(SimpleObject, Clone)]
pub(crate) struct AuditEntry {
    at: DateTime,
    /// user:<id>, operator:<id>, device:<id>, system, or anonymous for a refused sign-in
    actor: String,
    /// What that user is called now; of an operator who was let in, by whom and why; null where there is no name.
    actor_name: Option<String>,
    /// <object>.<verb>, e.g. alarm.acknowledge
    action: String,
    /// <object>:<id>
    subject: String,
    outcome: AuditOutcome,
    detail: String,
    /// Through what: ui, graphql, rest, mqtt, cli, or system for the platform itself
    channel: String,
    /// Network address; empty where there is none.
    address: String,
    /// Leads to the traces.
    correlation_id: String,
}

/// A line, with the name of who did it.
pub(crate) struct NamedEntry {
    pub(crate) entry: audit::AuditEntry,
    pub(crate) actor_name: Option<String>,
}

impl From<NamedEntry> for AuditEntry {
    fn from(NamedEntry { entry, actor_name }: NamedEntry) -> Self {
        Self {
            at: entry.at.into(),
            actor: entry.actor,
            actor_name: actor_name.or(Some(entry.actor_name).filter(|name| !name.is_empty())),
            action: entry.action,
            subject: entry.subject,
            outcome: entry.outcome.into(),
            detail: entry.detail,
            channel: entry.origin.channel.as_str().to_owned(),
            address: entry.origin.address.to_string(),
            correlation_id: entry.correlation.to_string(),
        }
    }
}

/// Somebody had to do with a patient's data.
#[derive(SimpleObject, Clone)]
pub(crate) struct PatientAccess {
    at: DateTime,
    /// user:<id>, or system for the platform itself
    actor: String,
    /// What that user was called then; null where there is no name.
    name: Option<String>,
    /// The roles that allowed it, e.g. nurse; null where none did or where it is not known.
    roles: Option<String>,
    kind: PatientAccessKind,
    /// The same as the trail has it, e.g. vitals.read
    action: String,
    /// In the words of whoever did it; empty when they gave none.
    reason: String,
    /// Whether it was refused: nothing was shown.
    refused: bool,
}

impl From<NamedEntry> for PatientAccess {
    fn from(NamedEntry { entry, actor_name }: NamedEntry) -> Self {
        let kind = PatientAccessKind::of(&entry.action);
        Self {
            at: entry.at.into(),
            actor: entry.actor,
            name: Some(entry.actor_name).filter(|name| !name.is_empty()).or(actor_name),
            roles: entry.policy.filter(|roles| !roles.is_empty()),
            kind,
            action: entry.action,
            // Of a change the trail has ids there, which are no reason.
            reason: if kind == PatientAccessKind::Change { String::new() } else { entry.detail },
            refused: entry.outcome == audit::Outcome::Denied,
        }
    }
}
