//! The caller itself, and hospitals.

use async_graphql::{Context, ID, Object};
use tenants::{
    ErrorKind, TenantId,
    access::{Action, Caller, Object as Thing, Principal},
};

use crate::{
    Services,
    context::RequestContext,
    errors::{ApiError, Result},
    types::{RoleGrant, Tenant, Viewer},
};

#[derive(Default)]
pub(super) struct ViewerQuery;

async fn roles(services: &Services, caller: &Caller) -> Result<Vec<RoleGrant>> {
    let units = services.access.units(caller.tenant).await?;
    Ok(RoleGrant::all(services.access.roles(caller).await?, &units))
}

#[Object]
impl ViewerQuery {
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        // No scope: a caller may always see themselves.
        let caller = ctx.caller()?;
        let Some(id) = caller.holder() else {
            return Err(ApiError::new(ErrorKind::Forbidden, "devices have no access to this API"));
        };
        let email = match &caller.principal {
            Principal::User { email, .. } => email.to_string(),
            // Theirs is of the platform and tells this hospital nothing.
            _ => String::new(),
        };
        let services = ctx.services()?;
        let tenant = match caller.tenant {
            TenantId::PLATFORM => None,
            tenant => services.tenants.by_id(tenant).await?.map(Into::into),
        };
        let permissions = services.access.permissions(caller).await?;
        Ok(Viewer {
            id: ID(id.to_string()),
            email,
            display_name: caller.name(),
            roles: roles(services, caller).await?,
            tenant,
            permissions: permissions.iter().map(ToString::to_string).collect(),
            acting: caller.elevated().map(Into::into),
        })
    }

    /// All hospitals; operators only.
    async fn tenants(&self, ctx: &Context<'_>) -> Result<Vec<Tenant>> {
        ctx.grant(Thing::Tenant, Action::Read).await?;
        let all = ctx.services()?.tenants.all().await?;
        // The platform is where operators are, not a hospital.
        let hospitals = all.into_iter().filter(|tenant| tenant.id != TenantId::PLATFORM);
        Ok(hospitals.map(Into::into).collect())
    }
}
