//! Where a hospital's people sign in outside the platform.

use async_graphql::{Context, Object};
use tenants::access::{Action, Object as Thing};

use crate::{context::RequestContext, errors::Result, types::IdentityProvider};

#[derive(Default)]
pub(super) struct IdentityProviderQuery;

#[Object]
impl IdentityProviderQuery {
    /// The hospital's identity providers, by name.
    #[graphql(complexity = "10 * child_complexity")]
    async fn identity_providers(&self, ctx: &Context<'_>) -> Result<Vec<IdentityProvider>> {
        let scope = ctx.grant(Thing::IdentityProvider, Action::Read).await?;
        let services = ctx.services()?;
        let units = services.access.units(scope.tenant()).await?;
        let all = services.providers.all(&scope).await?.into_iter();
        Ok(all.map(|provider| IdentityProvider::new(provider, &units)).collect())
    }
}
