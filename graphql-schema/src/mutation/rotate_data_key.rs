//! Another data key for a hospital.

use async_graphql::{Context, ID, Object};
use tenants::{
    TenantId,
    access::{Action, Object as Thing},
    keys::SealError,
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::Tenant,
};

impl From<SealError> for ApiError {
    fn from(error: SealError) -> Self {
        Self::of(error.kind(), error)
    }
}

#[derive(Default)]
pub(super) struct DataKeyMutation;

#[Object]
impl DataKeyMutation {
    /// Operators only. The hospital's next data key seals from two minutes on, when every process knows it; what is there is
    /// sealed anew, and the old key is deleted. Nothing is unreadable meanwhile.
    async fn rotate_data_key(&self, ctx: &Context<'_>, tenant: ID) -> Result<Tenant> {
        let scope = ctx.grant(Thing::Tenant, Action::Write).await?;
        let services = ctx.services()?;
        let id: TenantId = arguments::id(&tenant)?;
        let aboard = services.tenants.by_id(id).await?.filter(|t| t.id != TenantId::PLATFORM);
        let tenant = aboard.ok_or_else(|| ApiError::not_found("hospital"))?;
        let now = services.clock.now();
        let entry = ctx.initiator(&scope).entry(id, now, "data_key.rotate", format!("tenant:{id}"));
        services.keys.rotate(id, &entry).await?;
        Ok(tenant.into())
    }
}
