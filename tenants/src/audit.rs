//! What is written down about who did what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{CorrelationId, TenantId};

/// How an audited attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused.
    Denied,
}

impl Outcome {
    /// Reads what was stored.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Success, Self::Denied].into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
        }
    }
}

/// Which lines of an audit trail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By whom, e.g. `user:<id>`.
    pub actor: Option<String>,
    /// What, e.g. `alarm.acknowledge`; a whole object's with `alarm.`.
    pub action: Option<String>,
    /// On what, e.g. `device:<id>`.
    pub subject: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// One line of a tenant's audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Whose trail.
    pub tenant: TenantId,
    /// When, by the platform's clock.
    pub at: Timestamp,
    /// Who: `user:<id>`, `device:<id>`, `system`, or `anonymous` for a refused sign-in.
    pub actor: String,
    /// What: `<object>.<verb>`, e.g. `alarm.acknowledge`, `device.connect`.
    pub action: String,
    /// On what: `<object>:<id>`.
    pub subject: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in words, without secrets and without patient data.
    pub detail: String,
    /// Leads to the traces.
    pub correlation: CorrelationId,
}
