//! Lines of the audit trail.

use async_graphql::SimpleObject;
use tenants::audit;

use super::AuditOutcome;
use crate::scalars::DateTime;

/// Who did what, when, and how it ended. It holds no secret and no patient's data.
#[derive(SimpleObject, Clone)]
pub(crate) struct AuditEntry {
    at: DateTime,
    /// user:<id>, device:<id>, system, or anonymous for a refused sign-in
    actor: String,
    /// What that user is called now; null for all others.
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
            actor_name,
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
