//! A hospital's own roles. Whoever writes roles can give any right of the hospital, their own included.

use async_graphql::{Context, Object};
use tenants::{
    RoleName,
    access::{Action, Object as Thing, StoredPolicy},
};

use crate::{
    context::RequestContext,
    errors::Result,
    types::{Role, SaveRoleInput},
};

#[derive(Default)]
pub(super) struct RoleMutation;

#[Object]
impl RoleMutation {
    /// Adds a role, or replaces the version that was edited. It counts within a second, in open subscriptions, too.
    async fn save_role(&self, ctx: &Context<'_>, input: SaveRoleInput) -> Result<Role> {
        let scope = ctx.grant(Thing::Role, Action::Write).await?;
        let services = ctx.services()?;
        let role = input.checked()?;
        let detail = role.policies.iter().map(in_words).collect::<Vec<_>>().join("; ");
        let entry = ctx.audit(&scope, "role.save", format!("role:{}", role.name), detail)?;
        services.roles.save(&scope, &role, &entry).await?;
        services.access.changed(scope.tenant());
        let grants = services.access.grants(scope.tenant()).await?;
        let holders = grants.values().filter(|held| held.iter().any(|grant| grant.role == role.name)).count();
        Ok(Role::of_own(role, holders))
    }

    /// Removes a role that nobody holds.
    async fn delete_role(&self, ctx: &Context<'_>, name: String) -> Result<String> {
        let scope = ctx.grant(Thing::Role, Action::Write).await?;
        let services = ctx.services()?;
        let role = RoleName::parse(&name)?;
        let entry = ctx.audit(&scope, "role.remove", format!("role:{role}"), String::new())?;
        services.roles.remove(&scope, &role, &entry).await?;
        services.access.changed(scope.tenant());
        Ok(role.to_string())
    }
}

fn in_words(policy: &StoredPolicy) -> String {
    let StoredPolicy { object, action, rows, masked, .. } = policy;
    let without = if masked.is_empty() { String::new() } else { format!(" without {}", masked.join(", ")) };
    format!("{object}:{action} {rows}{without}")
}
