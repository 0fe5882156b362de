//! The caller's own second factor.

use async_graphql::{Context, Object};

use crate::{context::RequestContext, errors::Result, types::SecondFactor};

#[derive(Default)]
pub(super) struct SecondFactorQuery;

#[Object]
impl SecondFactorQuery {
    /// The caller's own; for people who have signed in, not for API tokens.
    async fn second_factor(&self, ctx: &Context<'_>) -> Result<SecondFactor> {
        // No scope: it is about nobody but the caller.
        Ok(ctx.services()?.authenticators.standing(ctx.caller()?).await?.into())
    }
}
