//! Lifting a quarantine, and sending a device away.

use async_graphql::{Context, ID, Object};
use tenants::{
    DeviceId,
    access::{Action, Object as Thing, Scope},
};
use twins::store::directory::DeviceRecord;

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
        let (scope, device) = device(ctx, &id, Action::Write).await?;
        ctx.services()?.twins.release(&scope, &device.id, ctx.correlation()).await?;
        Ok(device.into())
    }

    /// Ends the MQTT sessions of a device with the server that answers, and says how many there were. It may come back at
    /// once: for a device that hangs.
    async fn disconnect_device(&self, ctx: &Context<'_>, id: ID) -> Result<usize> {
        let (scope, device) = device(ctx, &id, Action::Write).await?;
        let services = ctx.services()?;
        let (subject, live) =
            (format!("device:{}", device.id), services.sessions.of(scope.tenant(), &device.id));
        let from: Vec<String> = live.iter().map(|session| session.address.to_string()).collect();
        let entry = ctx.audit(&scope, "device.disconnect", subject, from.join(", "))?;
        services.audit.append(&[entry]).await?;
        Ok(services.sessions.end(scope.tenant(), &device.id))
    }
}

/// A device with which the caller may do that.
pub(super) async fn device(ctx: &Context<'_>, id: &ID, action: Action) -> Result<(Scope, DeviceRecord)> {
    let scope = ctx.grant(Thing::Device, action).await?;
    let id: DeviceId = arguments::id(id)?;
    let visible = ctx.services()?.devices.by_ids(&scope, std::slice::from_ref(&id)).await?;
    let device = visible.into_iter().next().ok_or_else(|| ApiError::not_found("device"))?;
    Ok((scope, device))
}
