//! Lifting a quarantine.

use async_graphql::{Context, ID, Object};
use tenants::{
    DeviceId,
    access::{Action, Object as Thing},
};

use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    types::Device,
};

#[derive(Default)]
pub(super) struct DeviceMutation;

#[Object]
impl DeviceMutation {
    /// Lifts the quarantine; the twin folds what it has missed from the log.
    async fn release_device(&self, ctx: &Context<'_>, id: ID) -> Result<Device> {
        let scope = ctx.grant(Thing::Device, Action::Write).await?;
        let id: DeviceId = arguments::id(&id)?;
        let services = ctx.services()?;
        let visible = services.devices.by_ids(&scope, std::slice::from_ref(&id)).await?;
        let device = visible.into_iter().next().ok_or_else(|| ApiError::not_found("device"))?;
        services.twins.release(&scope, &id, ctx.correlation()).await?;
        Ok(device.into())
    }
}
