//! Operators who ask hospitals to be let in.

use async_graphql::{Context, Object};
use tenants::{
    access::{Action, Object as Thing},
    paging::Page,
};

use crate::{
    arguments::DEFAULT_PAGE,
    context::RequestContext,
    errors::Result,
    limits,
    types::{Elevation, ElevationConnection, ElevationNow},
};

#[derive(Default)]
pub(super) struct ElevationQuery;

#[Object]
impl ElevationQuery {
    /// What operators of the platform asked the hospital for, newest first.
    #[graphql(complexity = "limits::rows(first, DEFAULT_PAGE, child_complexity)")]
    async fn elevations(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<ElevationConnection> {
        let page = ctx.page(first, after, None)?;
        let scope = ctx.grant(Thing::Elevation, Action::Read).await?;
        let services = ctx.services()?;
        let (found, now) = (services.elevations.elevations(&scope, &page).await?, services.clock.now());
        let rows = found.rows.into_iter().map(|(cursor, row)| (cursor, ElevationNow(row, now))).collect();
        Ok(Page { rows, has_next: found.has_next, total: found.total }.into())
    }

    /// How many of them wait for an answer.
    async fn waiting_elevations(&self, ctx: &Context<'_>) -> Result<u64> {
        let scope = ctx.grant(Thing::Elevation, Action::Read).await?;
        let services = ctx.services()?;
        Ok(services.elevations.waiting(&scope, services.clock.now()).await?)
    }

    /// What the caller, an operator, asked hospitals for last: one of each hospital.
    #[graphql(complexity = "100 * child_complexity")]
    async fn own_elevations(&self, ctx: &Context<'_>) -> Result<Vec<Elevation>> {
        let scope = ctx.grant(Thing::Tenant, Action::Read).await?;
        let (services, operator) = (ctx.services()?, ctx.person()?);
        let (asked, now) = (services.elevations.asked_by(&scope, operator).await?, services.clock.now());
        Ok(asked.into_iter().map(|elevation| Elevation::new(elevation, now)).collect())
    }
}
