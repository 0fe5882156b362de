//! What identity writes down: who signed in, who was refused.

use std::sync::Arc;

use tenants::{
    CorrelationId, StoreError, TenantId,
    audit::{AuditEntry, Channel, Outcome},
    clock::Clock,
    stores::AuditTrail,
};

use crate::throttle::Throttle;

/// Longest name of a program that is kept, in characters: what browsers say of themselves fits.
const MAX_AGENT: usize = 200;

/// Somebody of whom nothing is known yet but where they come from.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// Network address, empty when there is none.
    pub address: String,
    /// What their program says it is, without control characters; empty when it says nothing.
    pub agent: String,
    /// Leads to the traces.
    pub correlation: CorrelationId,
}

impl Visitor {
    /// `agent` is cut to 200 characters.
    pub fn new(address: impl Into<String>, agent: &str, correlation: CorrelationId) -> Self {
        let agent = agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect();
        Self { address: address.into(), agent, correlation }
    }
}

/// Where somebody comes from, and through what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) channel: Channel,
    pub(crate) visitor: &'a Visitor,
}

impl Origin<'_> {
    /// As entries have it.
    pub(crate) fn noted(&self) -> tenants::audit::Origin {
        tenants::audit::Origin::new(self.channel, &self.visitor.address, &self.visitor.agent)
    }
}

pub(crate) struct Audit {
    trail: Arc<dyn AuditTrail>,
    clock: Arc<dyn Clock>,
    /// By tenant and subject.
    refusals: Throttle<(TenantId, String)>,
}

impl Audit {
    pub(crate) fn new(trail: Arc<dyn AuditTrail>, clock: Arc<dyn Clock>) -> Self {
        Self { trail, clock, refusals: Throttle::new() }
    }

    /// Somebody got in. When that cannot be written down, they do not.
    pub(crate) async fn success(
        &self,
        tenant: TenantId,
        actor: String,
        action: &str,
        origin: Origin<'_>,
    ) -> Result<(), StoreError> {
        let detail = String::new();
        let entry = self.entry((tenant, actor.clone()), actor, action, Outcome::Success, detail, origin);
        self.trail.append(&[entry]).await
    }

    /// Somebody was refused. `subject` must not be what they typed: people type passwords into name fields.
    pub(crate) async fn refusal(
        &self,
        tenant: TenantId,
        subject: String,
        action: &str,
        reason: &str,
        origin: Origin<'_>,
    ) {
        let Some(suppressed) = self.refusals.pass((tenant, subject.clone()), self.clock.now()) else {
            return;
        };
        let further = match suppressed {
            0 => String::new(),
            n => format!("; {n} more were refused since the last entry"),
        };
        let detail = format!("{reason}{further}");
        let actor = "anonymous".to_owned();
        let entry = self.entry((tenant, subject), actor, action, Outcome::Denied, detail, origin);
        if let Err(error) = self.trail.append(&[entry]).await {
            // They stay refused either way.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                action,
                "a refusal could not be audited"
            );
        }
    }

    pub(crate) fn entry(
        &self,
        (tenant, subject): (TenantId, String),
        actor: String,
        action: &str,
        outcome: Outcome,
        detail: String,
        origin: Origin<'_>,
    ) -> AuditEntry {
        AuditEntry {
            outcome,
            detail,
            origin: origin.noted(),
            correlation: origin.visitor.correlation,
            ..AuditEntry::new(tenant, self.clock.now(), actor, action, subject)
        }
    }
}
