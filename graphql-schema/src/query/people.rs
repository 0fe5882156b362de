//! Departments, wards, and the people who work in them.

use async_graphql::{Context, Object};
use tenants::access::{Action, Object as Thing};

use crate::{
    context::RequestContext,
    errors::Result,
    types::{OrgUnit, User},
};

#[derive(Default)]
pub(super) struct PeopleQuery;

#[Object]
impl PeopleQuery {
    /// The tree of units: each behind what it belongs to, those of one parent by name.
    #[graphql(complexity = "100 * child_complexity")]
    async fn org_units(&self, ctx: &Context<'_>) -> Result<Vec<OrgUnit>> {
        let scope = ctx.grant(Thing::OrgUnit, Action::Read).await?;
        let tree = ctx.services()?.access.units(scope.tenant()).await?;
        Ok(tree.in_order().into_iter().cloned().map(Into::into).collect())
    }

    /// Everybody who signs in to the hospital, by e-mail address.
    #[graphql(complexity = "100 * child_complexity")]
    async fn users(&self, ctx: &Context<'_>) -> Result<Vec<User>> {
        let scope = ctx.grant(Thing::User, Action::Read).await?;
        let services = ctx.services()?;
        let units = services.access.units(scope.tenant()).await?;
        let mut held = services.access.grants(scope.tenant()).await?;
        let enrolled = services.authenticators.enrolled(&scope).await?;
        let users = services.accounts.users(&scope).await?.into_iter();
        Ok(users
            .map(|user| {
                let grants = held.remove(&user.id).unwrap_or_default();
                let since = enrolled.get(&user.id).copied();
                User::new(user, grants, since, &units)
            })
            .collect())
    }
}
