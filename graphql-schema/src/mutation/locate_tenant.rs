//! Where a hospital is.

use async_graphql::{Context, ID, InputObject, Object};
use tenants::{
    TenantId,
    access::{Action, Object as Thing},
    locality::{Locality, LocalityError},
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::Tenant,
};

#[derive(InputObject)]
pub(super) struct LocalityInput {
    /// ISO 3166-1 country code, e.g. DE; null when it is not to be said.
    region: Option<String>,
    /// BCP 47 language tag, e.g. de-DE; null for that of whoever looks.
    locale: Option<String>,
    /// IANA time zone, e.g. Europe/Berlin; null for that of whoever looks.
    time_zone: Option<String>,
}

impl LocalityInput {
    pub(super) fn read(&self) -> Result<Locality> {
        let [region, locale, time_zone] =
            [&self.region, &self.locale, &self.time_zone].map(|word| word.as_deref().unwrap_or_default());
        Ok(Locality::new(region, locale, time_zone)?)
    }
}

impl From<LocalityError> for ApiError {
    fn from(error: LocalityError) -> Self {
        Self::bad_input(error.to_string())
    }
}

#[derive(Default)]
pub(super) struct LocalityMutation;

#[Object]
impl LocalityMutation {
    /// Operators only. Says where a hospital is, and so how its people see times and dates.
    async fn locate_tenant(&self, ctx: &Context<'_>, id: ID, locality: LocalityInput) -> Result<Tenant> {
        let scope = ctx.grant(Thing::Tenant, Action::Write).await?;
        let tenant: TenantId = arguments::id(&id)?;
        let locality = locality.read()?;
        let services = ctx.services()?;
        let entry = ctx.initiator(&scope).entry(
            tenant,
            services.clock.now(),
            "tenant.locate",
            format!("tenant:{tenant}"),
        );
        services.tenants.locate(tenant, &locality, &entry.with("locality", &locality)).await?;
        let tenant = services.tenants.by_id(tenant).await?;
        Ok(tenant.ok_or_else(|| ApiError::not_found("hospital"))?.into())
    }
}
