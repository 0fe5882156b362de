//! Programs that act for the hospital itself.

use async_graphql::{Context, Object};
use tenants::access::{Action, Object as Thing};

use crate::{context::RequestContext, errors::Result, types::ServiceClient};

#[derive(Default)]
pub(super) struct ServiceClientQuery;

#[Object]
impl ServiceClientQuery {
    /// By name; for whoever may see everybody's tokens.
    #[graphql(complexity = "50 * child_complexity")]
    async fn service_clients(&self, ctx: &Context<'_>) -> Result<Vec<ServiceClient>> {
        let scope = ctx.grant(Thing::Token, Action::Read).await?;
        let services = ctx.services()?;
        let clients = services.clients.clients(&scope).await?;
        let units = services.access.units(scope.tenant()).await?;
        Ok(clients.into_iter().map(|client| ServiceClient::new(client, &units)).collect())
    }
}
