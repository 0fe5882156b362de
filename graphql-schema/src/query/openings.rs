//! Records that are opened in an emergency, and what nobody has reviewed of them.

use std::collections::HashMap;

use async_graphql::{Context, Object};
use tenants::{
    UserId,
    access::{Action, Object as Thing, Scope},
    paging::Page,
};

use crate::{
    Services,
    arguments::DEFAULT_PAGE,
    context::RequestContext,
    errors::{ApiError, Result},
    limits,
    types::{NamedOpening, OpeningConnection, RecordOpening},
};

#[derive(Default)]
pub(super) struct OpeningQuery;

#[Object]
impl OpeningQuery {
    /// What the caller has open in an emergency, the first to end first.
    #[graphql(complexity = "limits::OPEN_RECORDS * child_complexity + 1")]
    async fn open_records(&self, ctx: &Context<'_>) -> Result<Vec<RecordOpening>> {
        let scope = ctx.grant(Thing::Patient, Action::BreakGlass).await?;
        let services = ctx.services()?;
        let user = scope.caller().user().ok_or_else(|| ApiError::not_found("user"))?;
        let open = services.openings.open_now(&scope, user, services.clock.now()).await?;
        let names = HashMap::from([(user, scope.caller().name())]);
        Ok(open.into_iter().map(|opening| NamedOpening::new(opening, &names).into()).collect())
    }

    /// Records that people opened in an emergency, newest first: those that somebody has reviewed, those that nobody
    /// has, or both.
    #[graphql(complexity = "limits::rows(first, DEFAULT_PAGE, child_complexity)")]
    async fn record_openings(
        &self,
        ctx: &Context<'_>,
        reviewed: Option<bool>,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<OpeningConnection> {
        let page = ctx.page(first, after, None)?;
        let scope = ctx.grant(Thing::Audit, Action::Read).await?;
        let services = ctx.services()?;
        let found = services.openings.openings(&scope, reviewed, &page).await?;
        let names = names(services, &scope).await?;
        let named = |(cursor, opening)| (cursor, NamedOpening::new(opening, &names));
        let rows = found.rows.into_iter().map(named).collect();
        Ok(Page { rows, has_next: found.has_next, total: found.total }.into())
    }

    /// How many of them nobody has reviewed.
    async fn unreviewed_openings(&self, ctx: &Context<'_>) -> Result<u64> {
        let scope = ctx.grant(Thing::Audit, Action::Read).await?;
        Ok(ctx.services()?.openings.unreviewed(&scope).await?)
    }
}

/// What the hospital's people are called now.
pub(crate) async fn names(services: &Services, scope: &Scope) -> Result<HashMap<UserId, String>> {
    let users = services.accounts.users(scope).await?;
    Ok(users.into_iter().map(|user| (user.id, user.display_name)).collect())
}
