//! Certificate authorities whose devices the hospital lets in.

use async_graphql::{Context, Object};

use crate::{context::RequestContext, errors::Result, types::DeviceAuthority};

#[derive(Default)]
pub(super) struct DeviceAuthorityQuery;

#[Object]
impl DeviceAuthorityQuery {
    /// By name; for whoever may register any device.
    #[graphql(complexity = "32 * child_complexity")]
    async fn device_authorities(&self, ctx: &Context<'_>) -> Result<Vec<DeviceAuthority>> {
        let scope = ctx.any_device().await?;
        let found = ctx.services()?.authorities.authorities(&scope).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }
}
