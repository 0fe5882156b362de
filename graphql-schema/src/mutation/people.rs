//! Inviting people, and giving and taking roles.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use tenants::{
    RoleName, UserId,
    access::{Action, Object as Thing, RoleGrant, Scope},
    account::{Invitation, email_address},
};

use crate::{
    Services, arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    scalars::DateTime,
    types::User,
};

#[derive(InputObject)]
pub(super) struct RoleInput {
    user: ID,
    /// One of roleNames.
    role: String,
    /// Where, and everywhere below it.
    unit: ID,
    /// Held until then; for as long as nobody takes it away when null.
    until: Option<DateTime>,
}

#[derive(InputObject)]
pub(super) struct InviteUserInput {
    email: String,
    /// One of roleNames.
    role: String,
    /// Where, and everywhere below it.
    unit: ID,
}

/// Somebody was asked to join.
#[derive(SimpleObject)]
pub(super) struct InvitedUser {
    email: String,
    /// Completes the link /invite?token=... with which they make their account; it works once and is told only now.
    invitation_token: String,
    expires_at: DateTime,
}

#[derive(Default)]
pub(super) struct PeopleMutation;

#[Object]
impl PeopleMutation {
    /// A new invitation takes the place of an earlier one to the same address.
    async fn invite_user(&self, ctx: &Context<'_>, input: InviteUserInput) -> Result<InvitedUser> {
        let scope = ctx.grant(Thing::User, Action::Write).await?;
        ctx.grant(Thing::Role, Action::Write).await?;
        let services = ctx.services()?;
        let email = email_address(&input.email)
            .ok_or_else(|| ApiError::bad_input("email: must be an e-mail address"))?;
        let grant = grant(services, &scope, &input.role, &input.unit, None).await?;
        let detail = in_words(&grant);
        let (invitation, secret) = Invitation::new(scope.tenant(), email, grant, services.clock.now())
            .map_err(ApiError::internal)?;
        let entry = ctx.audit(&scope, "user.invite", "user:new".to_owned(), detail)?;
        services.accounts.invite(&invitation, &entry).await?;
        Ok(InvitedUser {
            email: invitation.email,
            invitation_token: secret.reveal().to_owned(),
            expires_at: invitation.expires_at.into(),
        })
    }

    /// Gives a role; again, to set another end.
    async fn grant_role(&self, ctx: &Context<'_>, input: RoleInput) -> Result<User> {
        let scope = ctx.grant(Thing::Role, Action::Write).await?;
        let services = ctx.services()?;
        let user: UserId = arguments::id(&input.user)?;
        let grant = grant(services, &scope, &input.role, &input.unit, input.until).await?;
        if grant.until.is_some_and(|until| until <= services.clock.now()) {
            return Err(ApiError::bad_input("until: lies in the past; take the role away instead"));
        }
        let entry = ctx.audit(&scope, "role.grant", format!("user:{user}"), in_words(&grant))?;
        services.roles.grant(&scope, user, &grant, &entry).await?;
        services.access.changed(scope.tenant());
        person(ctx, services, user).await
    }

    /// Takes a role away; it ends within a second, in open subscriptions, too.
    async fn revoke_role(&self, ctx: &Context<'_>, input: RoleInput) -> Result<User> {
        let scope = ctx.grant(Thing::Role, Action::Write).await?;
        let services = ctx.services()?;
        let user: UserId = arguments::id(&input.user)?;
        let grant = grant(services, &scope, &input.role, &input.unit, None).await?;
        let entry = ctx.audit(&scope, "role.revoke", format!("user:{user}"), in_words(&grant))?;
        services.roles.revoke(&scope, user, &grant, &entry).await?;
        services.access.changed(scope.tenant());
        // Their sessions end with the last role.
        services.revocations.tell(scope.tenant());
        person(ctx, services, user).await
    }
}

pub(super) async fn grant(
    services: &Services,
    scope: &Scope,
    role: &str,
    unit: &ID,
    until: Option<DateTime>,
) -> Result<RoleGrant> {
    let known = services.access.role_names(scope.tenant()).await?;
    let role = RoleName::parse(role).ok().filter(|role| known.contains(role)).ok_or_else(|| {
        let names = known.iter().map(RoleName::as_str).collect::<Vec<_>>().join(", ");
        ApiError::bad_input(format!("role: expected one of {names}"))
    })?;
    let unit = arguments::id(unit)?;
    let units = services.access.units(scope.tenant()).await?;
    units.get(unit).ok_or_else(|| ApiError::not_found("unit"))?;
    Ok(RoleGrant { role, unit, until: until.map(|until| until.0) })
}

async fn person(ctx: &Context<'_>, services: &Services, id: UserId) -> Result<User> {
    let scope = ctx.grant(Thing::User, Action::Read).await?;
    let user = services.accounts.user(scope.tenant(), id).await?;
    let user = user.ok_or_else(|| ApiError::not_found("user"))?;
    let units = services.access.units(scope.tenant()).await?;
    let held = services.access.grants(scope.tenant()).await?.remove(&id).unwrap_or_default();
    let since = services.authenticators.enrolled(&scope).await?.remove(&id);
    Ok(User::new(user, held, since, &units))
}

fn in_words(grant: &RoleGrant) -> String {
    let until = grant.until.map(|until| format!(" until {until}")).unwrap_or_default();
    format!("{} in org_unit:{}{until}", grant.role, grant.unit)
}
