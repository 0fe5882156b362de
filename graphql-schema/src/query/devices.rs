//! Devices.

use async_graphql::{Context, ID, Object};
use tenants::{
    DeviceId,
    access::{Action, Object as Thing},
};

use crate::{
    arguments::{self, DEFAULT_PAGE},
    context::RequestContext,
    errors::Result,
    limits,
    types::{Device, DeviceConnection, Template},
};

#[derive(Default)]
pub(super) struct DeviceQuery;

#[Object]
impl DeviceQuery {
    /// Ordered by id.
    #[graphql(complexity = "limits::rows(first, DEFAULT_PAGE, child_complexity)")]
    async fn devices(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
        search: Option<String>,
    ) -> Result<DeviceConnection> {
        let page = ctx.page(first, after, search)?;
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        Ok(ctx.services()?.devices.page(&scope, &page).await?.into())
    }

    /// Null when there is none, or none that the caller may see.
    async fn device(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Device>> {
        ctx.grant(Thing::Device, Action::Read).await?;
        let device = ctx.rows()?.load_one(arguments::id::<DeviceId>(&id)?).await?;
        Ok(device.map(Device))
    }

    /// What kinds of devices the platform knows.
    #[graphql(complexity = "templates::builtin::ALL.len() * child_complexity")]
    async fn templates(&self, ctx: &Context<'_>) -> Result<Vec<Template>> {
        ctx.grant(Thing::Device, Action::Read).await?;
        Ok(templates::builtin::ALL.map(|template| template().into()).into())
    }
}
