//! Enrolling identity providers. Whoever maps groups to roles gives roles, so both rights are asked for.

use async_graphql::{Context, ID, InputObject, Object};
use tenants::{
    ProviderId, RoleName, TenantId,
    access::{Action, Object as Thing},
    identity_provider::{self as domain, ProviderError},
};

use crate::{
    Services, arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::{IdentityProvider, IdentityProviderCheck},
};

#[derive(InputObject)]
pub(super) struct SaveIdentityProviderInput {
    /// Omit to add one.
    id: Option<ID>,
    /// That was edited; with id only.
    version: Option<u32>,
    /// 1 to 60 characters, for the button of the sign-in page.
    name: String,
    /// As its discovery document says it, to the letter; cannot be changed later.
    issuer: String,
    client_id: String,
    /// Omit to keep the one that there is; empty for a client without one.
    client_secret: Option<String>,
    /// Omit to take no access tokens of it.
    api_audience: Option<String>,
    scopes: Vec<String>,
    /// A path with dots leads into objects.
    group_claim: String,
    roles: Vec<GroupRoleInput>,
    /// Omit to let only people in of whom a group is known.
    default_role: Option<String>,
    enabled: bool,
}

#[derive(InputObject)]
pub(super) struct GroupRoleInput {
    group: String,
    /// One of roleNames.
    role: String,
    /// Where, and everywhere below it.
    unit: ID,
}

impl From<ProviderError> for ApiError {
    fn from(error: ProviderError) -> Self {
        // All of them are for whoever enrols a provider.
        Self::new(error.kind(), error.to_string())
    }
}

#[derive(Default)]
pub(super) struct IdentityProviderMutation;

#[Object]
impl IdentityProviderMutation {
    /// Adds an identity provider, or replaces the version that was edited. One that is enabled must answer. Where it is
    /// switched off, the sessions that came through it end.
    async fn save_identity_provider(
        &self,
        ctx: &Context<'_>,
        input: SaveIdentityProviderInput,
    ) -> Result<IdentityProvider> {
        let scope = ctx.grant(Thing::IdentityProvider, Action::Write).await?;
        ctx.grant(Thing::Role, Action::Write).await?;
        let (services, tenant) = (ctx.services()?, scope.tenant());
        let known = services.providers.all(&scope).await?;
        let before = match &input.id {
            None => None,
            Some(id) => {
                let id: ProviderId = arguments::id(id)?;
                let found = known.into_iter().find(|provider| provider.id == id);
                Some(found.ok_or_else(|| ApiError::not_found("identity provider"))?)
            }
        };
        let provider = provider(services, tenant, before, input).await?;
        if provider.enabled {
            services.enrolment.discover(&provider.issuer).await?;
        }
        let (subject, detail) = (format!("identity_provider:{}", provider.id), provider.issuer.clone());
        let entry = ctx.audit(&scope, "identity_provider.save", subject, detail)?;
        services.providers.save(&scope, &provider, &entry).await?;
        services.revocations.tell(tenant);
        let units = services.access.units(tenant).await?;
        Ok(IdentityProvider::new(provider, &units))
    }

    /// Removes an identity provider. The sessions that came through it end; its people keep their accounts, and have
    /// no way in.
    async fn delete_identity_provider(&self, ctx: &Context<'_>, id: ID) -> Result<ID> {
        let scope = ctx.grant(Thing::IdentityProvider, Action::Write).await?;
        let provider: ProviderId = arguments::id(&id)?;
        let subject = format!("identity_provider:{provider}");
        let entry = ctx.audit(&scope, "identity_provider.remove", subject, String::new())?;
        let services = ctx.services()?;
        services.providers.remove(&scope, provider, &entry).await?;
        services.revocations.tell(scope.tenant());
        Ok(id)
    }

    /// Asks a provider about itself, and says what is wrong.
    async fn test_identity_provider(
        &self,
        ctx: &Context<'_>,
        issuer: String,
    ) -> Result<IdentityProviderCheck> {
        ctx.grant(Thing::IdentityProvider, Action::Write).await?;
        Ok(ctx.services()?.enrolment.discover(issuer.trim()).await?.into())
    }
}

async fn provider(
    services: &Services,
    tenant: TenantId,
    before: Option<domain::IdentityProvider>,
    input: SaveIdentityProviderInput,
) -> Result<domain::IdentityProvider> {
    let issuer = input.issuer.trim().to_owned();
    let (id, version, kept) = match before {
        None => (ProviderId::new(&*services.clock), 1, None),
        Some(before) if before.issuer != issuer => {
            let problem =
                "issuer: cannot be changed, as people are known by it; add another identity provider";
            return Err(ApiError::bad_input(problem));
        }
        Some(before) => {
            let edited =
                input.version.ok_or_else(|| ApiError::bad_input("version: must be that which was edited"))?;
            (before.id, edited.saturating_add(1), before.client_secret)
        }
    };
    let client_secret = match input.client_secret.as_deref().map(str::trim) {
        None => kept,
        Some("") => None,
        Some(secret) => Some(services.enrolment.seal_secret(tenant, id, secret).await?),
    };
    let names = services.access.role_names(tenant).await?;
    let role = |field: &str, name: &str| {
        let known = RoleName::parse(name).ok().filter(|role| names.contains(role));
        let expected = || names.iter().map(RoleName::as_str).collect::<Vec<_>>().join(", ");
        known.ok_or_else(|| ApiError::bad_input(format!("{field}: expected one of {}", expected())))
    };
    let mut roles = Vec::with_capacity(input.roles.len());
    for entry in &input.roles {
        let (group, unit) = (entry.group.trim().to_owned(), arguments::id(&entry.unit)?);
        roles.push(domain::GroupRole { group, role: role("roles", &entry.role)?, unit });
    }
    let provider = domain::IdentityProvider {
        id,
        name: input.name.trim().to_owned(),
        issuer,
        client_id: input.client_id.trim().to_owned(),
        client_secret,
        api_audience: input.api_audience.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        scopes: input.scopes,
        group_claim: input.group_claim.trim().to_owned(),
        roles,
        default_role: input.default_role.as_deref().map(|name| role("defaultRole", name)).transpose()?,
        enabled: input.enabled,
        version,
    };
    provider.check()?;
    Ok(provider)
}
