//! Saying what a hospital may use.

use async_graphql::{Context, ID, Object};
use tenants::{
    TenantId,
    access::{Action, Object as Thing},
    audit::AuditEntry,
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::{Quotas, QuotasInput},
};

#[derive(Default)]
pub(super) struct QuotaMutation;

#[Object]
impl QuotaMutation {
    /// Operators only. Counts at once, and in other processes within two seconds. What there is already stays, also where it is more; only
    /// messages that shall not be kept so long are deleted.
    async fn set_quotas(&self, ctx: &Context<'_>, tenant: ID, input: QuotasInput) -> Result<Quotas> {
        let scope = ctx.grant(Thing::Tenant, Action::Write).await?;
        let services = ctx.services()?;
        let (id, quotas): (TenantId, _) = (arguments::id(&tenant)?, input.checked()?);
        if id == TenantId::PLATFORM {
            return Err(ApiError::not_found("hospital"));
        }
        let now = services.clock.now();
        let entry = ctx.initiator(&scope).entry(id, now, "tenant.quotas", format!("tenant:{id}"));
        let entry = AuditEntry { detail: quotas.to_string(), ..entry };
        services.quotas.set_quotas(id, &quotas, &entry).await?;
        services.meter.allow(id, quotas);
        Ok(quotas.into())
    }
}
