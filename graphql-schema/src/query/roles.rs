//! Roles, what they may do, and why somebody may see a row.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object};
use tenants::{
    TenantId, UserId,
    access::{self, Action, Object as Thing, RoleGrant, built_in},
    stores::PolicyRow,
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::{EffectiveAccess, PolicyObject, PolicyRowKind, Role, User},
};

#[derive(Default)]
pub(super) struct RoleQuery;

#[Object]
impl RoleQuery {
    /// Names of the roles that can be given: the built-in ones and the hospital's own.
    async fn role_names(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        let scope = ctx.grant(Thing::Role, Action::Read).await?;
        let roles = ctx.services()?.access.role_names(scope.tenant()).await?;
        Ok(roles.iter().map(ToString::to_string).collect())
    }

    /// The roles that can be given, with what they may do: built-in ones first, then the hospital's own by name.
    #[graphql(complexity = "20 * child_complexity")]
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<Role>> {
        let scope = ctx.grant(Thing::Role, Action::Read).await?;
        let services = ctx.services()?;
        let on_platform = scope.tenant() == TenantId::PLATFORM;
        let policies = built_in(on_platform).map_err(ApiError::internal)?;
        let holders = holders(services.access.grants(scope.tenant()).await?);
        let held_by = |name: &str| holders.get(name).copied().unwrap_or_default();
        let given = access::Role::ALL.iter().filter(|role| (**role == access::Role::Operator) == on_platform);
        let mut roles: Vec<Role> =
            given.map(|role| Role::of_built_in(*role, &policies, held_by(role.as_str()))).collect();
        let own = services.roles.own(&scope).await?.into_iter();
        roles.extend(own.map(|role| {
            let holders = held_by(role.name.as_str());
            Role::of_own(role, holders)
        }));
        Ok(roles)
    }

    /// What the policies of a hospital's own role may be about, and what they may say.
    async fn policy_objects(&self, ctx: &Context<'_>) -> Result<Vec<PolicyObject>> {
        ctx.grant(Thing::Role, Action::Read).await?;
        Ok(Thing::ALL.iter().filter(|object| **object != Thing::Tenant).copied().map(Into::into).collect())
    }

    /// What somebody may do with one row, and why, or why not.
    #[graphql(complexity = "20 + child_complexity")]
    async fn effective_access(
        &self,
        ctx: &Context<'_>,
        user: ID,
        row: PolicyRowKind,
        id: ID,
    ) -> Result<EffectiveAccess> {
        let scope = ctx.grant(Thing::Role, Action::Read).await?;
        let of_people = ctx.grant(Thing::User, Action::Read).await?;
        let services = ctx.services()?;
        let user: UserId = arguments::id(&user)?;
        let account = services.accounts.user(scope.tenant(), user).await?;
        let account = account.ok_or_else(|| ApiError::not_found("user"))?;
        let row = match row {
            PolicyRowKind::Patient => {
                PolicyRow::Patient(*arguments::id::<tenants::PatientId>(&id)?.as_uuid())
            }
            PolicyRowKind::Device => PolicyRow::Device(arguments::id(&id)?),
            PolicyRowKind::Alarm => PolicyRow::Alarm(*arguments::id::<tenants::AlarmId>(&id)?.as_uuid()),
        };
        let explained = services.access.explain(&scope, user, row.object()).await?;
        let clauses: Vec<_> = explained.reasons.iter().map(|reason| reason.clause.clone()).collect();
        let covered = services.effects.covered(&scope, &row, &clauses).await?;
        let covered = covered.ok_or_else(|| ApiError::not_found(row.object().as_str()))?;
        let reasons: Vec<_> = explained.reasons.into_iter().zip(covered).collect();
        let (held, units) = (explained.held, &explained.units);
        let since = services.authenticators.enrolled(&of_people).await?.remove(&user);
        let user = User::new(account, held.clone(), since, units);
        Ok(EffectiveAccess::new(user, row.object(), held, &reasons, units))
    }
}

/// How many people and service clients hold each role.
fn holders(grants: HashMap<UserId, Vec<RoleGrant>>) -> HashMap<String, usize> {
    let mut holders = HashMap::new();
    for held in grants.into_values() {
        let mut names: Vec<_> = held.into_iter().map(|grant| grant.role.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *holders.entry(name).or_default() += 1;
        }
    }
    holders
}
