//! Making, renewing, disabling and removing programs that act for the hospital itself.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use tenants::{
    ClientId,
    access::{Action, Object as Thing, Restriction, RoleGrant, Scope},
    credentials::BearerToken,
    service_client as domain,
};

use super::people::grant;
use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::ServiceClient,
};

#[derive(InputObject)]
pub(super) struct CreateServiceClientInput {
    /// What it is: 1 to 100 characters.
    name: String,
    /// One of the hospital's roles.
    role: String,
    /// Where it holds it, and everywhere below it.
    unit: ID,
    /// After so many days it ends: 1 to 3650; without end when omitted.
    days: Option<u32>,
}

/// A service client with a new secret.
#[derive(SimpleObject)]
pub(super) struct ServiceClientSecret {
    client: ServiceClient,
    /// Its client_secret. It is told only now.
    secret: String,
}

#[derive(Default)]
pub(super) struct ServiceClientMutation;

#[Object]
impl ServiceClientMutation {
    /// Makes a program that acts for the hospital itself, with a role of its own.
    async fn create_service_client(
        &self,
        ctx: &Context<'_>,
        input: CreateServiceClientInput,
    ) -> Result<ServiceClientSecret> {
        let scope = writing(ctx).await?;
        let services = ctx.services()?;
        let name = arguments::name("name", &input.name, domain::ServiceClient::MAX_NAME)?;
        let most = domain::ServiceClient::MAX_DAYS;
        if input.days.is_some_and(|days| !(1..=most).contains(&days)) {
            return Err(ApiError::bad_input(format!("days: expected 1 to {most}")));
        }
        let RoleGrant { role, unit, .. } = grant(services, &scope, &input.role, &input.unit, None).await?;
        let role = Restriction { role, unit };
        let made = domain::ServiceClient::new(scope.tenant(), name, role, input.days, &*services.clock);
        let (client, secret) = made.map_err(ApiError::internal)?;
        let detail = format!("{} in org_unit:{}", client.role.role, client.role.unit);
        let entry = ctx.audit(&scope, "client.create", format!("client:{}", client.id), detail)?;
        services.clients.create_client(&scope, &client, &entry.with("name", &client.name)).await?;
        services.access.changed(scope.tenant());
        told(ctx, &scope, client, &secret).await
    }

    /// Gives it another secret. The earlier one and the access tokens that it got are refused from now on.
    async fn renew_service_client(&self, ctx: &Context<'_>, id: ID) -> Result<ServiceClientSecret> {
        let scope = writing(ctx).await?;
        let services = ctx.services()?;
        let client = found(ctx, &scope, &id).await?;
        let secret = BearerToken::generate(scope.tenant()).map_err(ApiError::internal)?;
        let entry = ctx.audit(&scope, "client.renew", format!("client:{}", client.id), String::new())?;
        let kept = (&secret.hash(), secret.prefix());
        services.clients.renew_secret(&scope, client.id, kept, &entry).await?;
        noticed(ctx, &scope)?;
        let client = domain::ServiceClient { prefix: secret.prefix().to_owned(), ..client };
        told(ctx, &scope, client, &secret).await
    }

    /// Refuses it within a second, with the access tokens that it has, or takes it again.
    async fn disable_service_client(
        &self,
        ctx: &Context<'_>,
        id: ID,
        disabled: bool,
    ) -> Result<ServiceClient> {
        let scope = writing(ctx).await?;
        let services = ctx.services()?;
        let client = found(ctx, &scope, &id).await?;
        let since = disabled.then(|| services.clock.now());
        let action = if disabled { "client.disable" } else { "client.enable" };
        let entry = ctx.audit(&scope, action, format!("client:{}", client.id), String::new())?;
        services.clients.disable_client(&scope, client.id, since, &entry).await?;
        noticed(ctx, &scope)?;
        let units = services.access.units(scope.tenant()).await?;
        Ok(ServiceClient::new(domain::ServiceClient { disabled_at: since, ..client }, &units))
    }

    /// Removes it for good. What it did stays in the audit trail.
    async fn remove_service_client(&self, ctx: &Context<'_>, id: ID) -> Result<ID> {
        let scope = writing(ctx).await?;
        let client = found(ctx, &scope, &id).await?;
        let entry = ctx.audit(&scope, "client.remove", format!("client:{}", client.id), client.name)?;
        ctx.services()?.clients.remove_client(&scope, client.id, &entry).await?;
        noticed(ctx, &scope)?;
        Ok(id)
    }
}

/// Whoever makes a client gives a role as well.
async fn writing(ctx: &Context<'_>) -> Result<Scope> {
    ctx.grant(Thing::Role, Action::Write).await?;
    ctx.grant(Thing::Token, Action::Write).await
}

async fn found(ctx: &Context<'_>, scope: &Scope, id: &ID) -> Result<domain::ServiceClient> {
    let id: ClientId = arguments::id(id)?;
    let client = ctx.services()?.clients.client(scope.tenant(), id).await?;
    client.ok_or_else(|| ApiError::not_found("service client"))
}

fn noticed(ctx: &Context<'_>, scope: &Scope) -> Result<()> {
    let services = ctx.services()?;
    services.access.changed(scope.tenant());
    services.revocations.tell(scope.tenant());
    Ok(())
}

async fn told(
    ctx: &Context<'_>,
    scope: &Scope,
    client: domain::ServiceClient,
    secret: &BearerToken,
) -> Result<ServiceClientSecret> {
    let units = ctx.services()?.access.units(scope.tenant()).await?;
    Ok(ServiceClientSecret { client: ServiceClient::new(client, &units), secret: secret.reveal().to_owned() })
}
