//! What a change of a role would come to, before it is made.

use std::collections::HashMap;

use async_graphql::{Context, Object};
use tenants::{
    UserId,
    access::{Action, Change, Object as Thing, Rows, Scope},
};

use crate::{
    Services,
    context::RequestContext,
    errors::Result,
    types::{AccessChange, AccessExtent, RolePreview, SaveRoleInput, ServiceClient, User, names},
};

/// People and service clients whose changes are told in a preview, with numbers of rows.
const TOLD: usize = 20;

#[derive(Default)]
pub(super) struct RolePreviewQuery;

#[Object]
impl RolePreviewQuery {
    /// Whose access would change how if a role were saved so. Changes nothing.
    #[graphql(complexity = "50 + child_complexity")]
    async fn preview_role(&self, ctx: &Context<'_>, input: SaveRoleInput) -> Result<RolePreview> {
        let scope = ctx.grant(Thing::Role, Action::Write).await?;
        let of_people = ctx.grant(Thing::User, Action::Read).await?;
        let services = ctx.services()?;
        let changes = services.access.preview(&scope, &input.checked()?).await?;
        preview(services, &scope, &of_people, changes).await
    }
}

async fn preview(
    services: &Services,
    scope: &Scope,
    of_people: &Scope,
    changes: Vec<Change>,
) -> Result<RolePreview> {
    let mut holders: Vec<UserId> = changes.iter().map(|change| change.user).collect();
    holders.dedup();
    let users = services.accounts.users(of_people).await?;
    let users: HashMap<_, _> = users.into_iter().map(|user| (user.id, user)).collect();
    let clients = services.clients.clients(scope).await?;
    let clients: HashMap<_, _> = clients.into_iter().map(|client| (client.id.as_holder(), client)).collect();
    let units = services.access.units(scope.tenant()).await?;
    let held = services.access.grants(scope.tenant()).await?;
    let enrolled = services.authenticators.enrolled(of_people).await?;
    let told = holders.get(..TOLD).unwrap_or(&holders);
    let mut shown = Vec::new();
    for change in changes.into_iter().filter(|change| told.contains(&change.user)) {
        let user = users.get(&change.user).cloned().map(|user| {
            let grants = held.get(&change.user).cloned().unwrap_or_default();
            User::new(user, grants, enrolled.get(&change.user).copied(), &units)
        });
        let client = clients.get(&change.user).cloned();
        shown.push(AccessChange {
            user,
            client: client.map(|client| ServiceClient::new(client, &units)),
            permission: change.permission.to_string(),
            before: extent(services, scope, &change, change.before.as_deref()).await?,
            after: extent(services, scope, &change, change.after.as_deref()).await?,
        });
    }
    let of_clients = holders.iter().filter(|holder| clients.contains_key(holder)).count();
    Ok(RolePreview { people: holders.len() - of_clients, clients: of_clients, changes: shown })
}

async fn extent(
    services: &Services,
    scope: &Scope,
    change: &Change,
    rows: Option<&Rows>,
) -> Result<Option<AccessExtent>> {
    let Some(rows) = rows else { return Ok(None) };
    let mut hidden: Vec<_> = rows.clauses().iter().flat_map(|clause| &clause.masked).collect();
    hidden.sort_unstable();
    hidden.dedup();
    let count = services.effects.count(scope, change.permission.object, rows).await?;
    Ok(Some(AccessExtent { rows: count, hidden_columns: names(hidden.into_iter()) }))
}
