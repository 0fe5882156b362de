//! What people gave to programs.

use async_graphql::{Context, ID, Object};
use tenants::{
    UserId,
    access::{Action, Object as Thing},
};

use crate::{arguments, context::RequestContext, errors::Result, types::ApiToken};

#[derive(Default)]
pub(super) struct ApiTokenQuery;

#[Object]
impl ApiTokenQuery {
    /// One's own API tokens, or with `user` somebody else's, newest first.
    #[graphql(complexity = "50 * child_complexity")]
    async fn api_tokens(&self, ctx: &Context<'_>, user: Option<ID>) -> Result<Vec<ApiToken>> {
        let services = ctx.services()?;
        let (own, caller) = (ctx.person()?, ctx.caller()?);
        let user = user.as_ref().map(arguments::id::<UserId>).transpose()?;
        let tokens = match user.filter(|user| *user != own) {
            None => services.tokens.own_tokens(caller).await?,
            Some(user) => {
                let scope = ctx.grant(Thing::Token, Action::Read).await?;
                services.tokens.tokens_of(&scope, user).await?
            }
        };
        let units = services.access.units(caller.tenant).await?;
        Ok(tokens.into_iter().map(|token| ApiToken::new(token, &units)).collect())
    }
}
