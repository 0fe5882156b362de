//! Letting a hospital go for good.

use async_graphql::{Context, ID, InputObject, Object};
use tenants::{
    TenantId,
    access::{Action, Object as Thing},
    offboarding::{Farewell, OffboardingError},
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::Tenant,
};

#[derive(InputObject)]
pub(super) struct OffboardTenantInput {
    id: ID,
    /// The hospital's slug, so that it is not another one.
    confirmation: String,
    /// Why: 1 to 500 characters. Stands in the hospital's audit trail, which is kept.
    reason: String,
    /// The hospital wants no export. Without it one must have been made since it was suspended.
    #[graphql(default)]
    without_export: bool,
    /// Of the caller's second factor; it counts once.
    code: String,
}

impl From<OffboardingError> for ApiError {
    fn from(error: OffboardingError) -> Self {
        Self::of(error.kind(), error)
    }
}

#[derive(Default)]
pub(super) struct OffboardingMutation;

#[Object]
impl OffboardingMutation {
    /// Operators only. A suspended hospital leaves, and nothing takes that back: within seconds its keys are destroyed and
    /// everything but its name and its audit trail is deleted, see erasedAt. Asked for again it changes nothing.
    async fn offboard_tenant(&self, ctx: &Context<'_>, input: OffboardTenantInput) -> Result<Tenant> {
        let scope = ctx.grant(Thing::Tenant, Action::Write).await?;
        let tenant: TenantId = arguments::id(&input.id)?;
        let services = ctx.services()?;
        services.second_factor.confirm(scope.caller(), input.code.trim()).await?;
        let farewell = Farewell {
            confirmation: input.confirmation,
            reason: input.reason,
            without_export: input.without_export,
        };
        let leaving = services.offboarding.begin(tenant, &farewell, &ctx.initiator(&scope)).await?;
        services.access.changed(tenant);
        Ok(leaving.into())
    }
}
