//! Taking a hospital aboard.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use tenants::{
    TenantSlug,
    access::{Action, Object as Thing},
    onboarding::{NewHospital, OnboardingError},
};

use super::locate_tenant::LocalityInput;
use crate::{
    context::RequestContext,
    errors::{ApiError, Result},
    types::Tenant,
};

#[derive(InputObject)]
pub(super) struct CreateTenantInput {
    /// Its name in addresses and user names: 2 to 39 of a-z, 0-9 and -, starting with a letter.
    slug: String,
    /// 1 to 100 characters.
    name: String,
    /// Where it is, and so how its people see times and dates.
    locality: Option<LocalityInput>,
    /// Whom to invite as its first administrator.
    admin_email: String,
}

/// A hospital that is aboard.
#[derive(SimpleObject)]
pub(super) struct CreatedTenant {
    tenant: Tenant,
    /// Whether it was registered only now.
    created: bool,
    /// Completes the link /invite?token=... with which the administrator makes their account; it works once and is
    /// told only now. Null when the address has an account of this hospital already.
    invitation_token: Option<String>,
}

impl From<OnboardingError> for ApiError {
    fn from(error: OnboardingError) -> Self {
        Self::of(error.kind(), error)
    }
}

#[derive(Default)]
pub(super) struct TenantMutation;

#[Object]
impl TenantMutation {
    /// Operators only. Idempotent: asked for again it goes on where it stopped, with a new invitation in place of
    /// the earlier one.
    async fn create_tenant(&self, ctx: &Context<'_>, input: CreateTenantInput) -> Result<CreatedTenant> {
        let scope = ctx.grant(Thing::Tenant, Action::Write).await?;
        let slug = TenantSlug::parse(input.slug.trim())
            .map_err(|error| ApiError::bad_input(format!("slug: {error}")))?;
        let locality = input.locality.as_ref().map(LocalityInput::read).transpose()?.unwrap_or_default();
        let new = NewHospital { slug, name: input.name, locality, admin_email: input.admin_email };
        let by = ctx.initiator(&scope);
        let aboard = ctx.services()?.onboarding.take_aboard(&new, &by).await?;
        Ok(CreatedTenant {
            tenant: aboard.tenant.into(),
            created: aboard.is_new,
            invitation_token: aboard.invitation.map(|secret| secret.reveal().to_owned()),
        })
    }
}
