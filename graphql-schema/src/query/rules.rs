//! Rules.

use async_graphql::{Context, Object};
use tenants::access::{Action, Object as Thing};

use crate::{context::RequestContext, errors::Result, types::Rule};

#[derive(Default)]
pub(super) struct RuleQuery;

#[Object]
impl RuleQuery {
    /// Ordered by name.
    async fn rules(&self, ctx: &Context<'_>) -> Result<Vec<Rule>> {
        let scope = ctx.grant(Thing::Rule, Action::Read).await?;
        Ok(ctx.services()?.rules.all(&scope).await?.iter().map(Into::into).collect())
    }
}
