//! What a hospital uses.

use async_graphql::{Context, ID, Object};
use tenants::{
    TenantId,
    access::{Action, Object as Thing},
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::Usage,
};

#[derive(Default)]
pub(super) struct UsageQuery;

#[Object]
impl UsageQuery {
    /// Of the caller's own hospital, for its administrators; of any that is named, for operators.
    #[graphql(complexity = "100 + child_complexity")]
    async fn usage(&self, ctx: &Context<'_>, tenant: Option<ID>) -> Result<Usage> {
        let services = ctx.services()?;
        let id: TenantId = match tenant {
            Some(tenant) => {
                ctx.grant(Thing::Tenant, Action::Read).await?;
                arguments::id(&tenant)?
            }
            None => ctx.grant(Thing::Settings, Action::Read).await?.tenant(),
        };
        let aboard = services.tenants.by_id(id).await?.filter(|tenant| tenant.id != TenantId::PLATFORM);
        let tenant = aboard.ok_or_else(|| ApiError::not_found("hospital"))?;
        let stored = services.quotas.stored(id, services.clock.now()).await?;
        let (seen, traffic) = (services.meter.seen(id), services.sessions.traffic(id));
        Ok(Usage::new(tenant.quotas, stored, seen, traffic))
    }
}
