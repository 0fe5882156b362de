//! Cutting a hospital off, and serving it again.

use async_graphql::{Context, ID, Object};
use jiff::Timestamp;
use tenants::{
    TenantId,
    access::{Action, Object as Thing},
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::Tenant,
};

/// Longest reason, in characters.
const MAX_REASON: usize = 500;

#[derive(Default)]
pub(super) struct SuspensionMutation;

#[Object]
impl SuspensionMutation {
    /// Operators only. Devices and people of the hospital are cut off within seconds; its data is kept. The reason, 1 to
    /// 500 characters, stands in the hospital's audit trail.
    async fn suspend_tenant(&self, ctx: &Context<'_>, id: ID, reason: String) -> Result<Tenant> {
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > MAX_REASON {
            return Err(ApiError::bad_input(format!("reason: expected 1 to {MAX_REASON} characters")));
        }
        let since = ctx.services()?.clock.now();
        set(ctx, &id, Some(since), "tenant.suspend", reason.to_owned()).await
    }

    /// Operators only. The hospital is served again within seconds.
    async fn resume_tenant(&self, ctx: &Context<'_>, id: ID) -> Result<Tenant> {
        set(ctx, &id, None, "tenant.resume", String::new()).await
    }
}

/// Asked for again it changes nothing.
async fn set(
    ctx: &Context<'_>,
    id: &ID,
    since: Option<Timestamp>,
    action: &str,
    detail: String,
) -> Result<Tenant> {
    let scope = ctx.grant(Thing::Tenant, Action::Write).await?;
    let services = ctx.services()?;
    let tenant: TenantId = arguments::id(id)?;
    if tenant == TenantId::PLATFORM {
        return Err(ApiError::not_found("hospital"));
    }
    let mut entry = ctx.audit(&scope, action, format!("tenant:{tenant}"), detail)?;
    // It is the hospital's to know.
    entry.tenant = tenant;
    services.tenants.suspend(tenant, since, &entry).await?;
    services.access.changed(tenant);
    let tenant = services.tenants.by_id(tenant).await?;
    Ok(tenant.ok_or_else(|| ApiError::not_found("hospital"))?.into())
}
