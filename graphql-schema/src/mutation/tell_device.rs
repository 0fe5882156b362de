//! What devices are told: what they are to be like, and what they are to do.

use std::time::Duration;

use async_graphql::{Context, ID, InputObject, Json, Object, SimpleObject};
use serde_json::Value;
use tenants::access::Action;
use twins::{
    device::properties::PropertiesError,
    downlink::{DownlinkError, Order, USUAL_WAIT},
};

use super::release_device::device;
use crate::{context::RequestContext, errors::Result, types::Device};

/// A command for a device.
#[derive(InputObject)]
struct CommandDeviceInput {
    device: ID,
    /// As the device knows it: letters, digits, `_`, `-`, `.`; what a component is to do stands behind its name and a `*`.
    name: String,
    /// What else the device has to know: any JSON, null where there is nothing.
    body: Option<Json<Value>>,
    /// How many seconds its answer is waited for: 1 to 300, 30 where nothing is said.
    wait_seconds: Option<u32>,
}

/// What a device answered.
#[derive(SimpleObject)]
struct CommandAnswer {
    /// As in HTTP: 200 where all went well.
    status: i32,
    body: Json<Value>,
}

#[derive(Default)]
pub(super) struct DownlinkMutation;

#[Object]
impl DownlinkMutation {
    /// Changes what a device is to be like by a merge patch (RFC 7396): null takes a property away. The device is told at once
    /// if it is connected, else when it comes back. At most 32 KiB together, of 8 levels.
    async fn set_desired_properties(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "device")] id: ID,
        patch: Json<Value>,
    ) -> Result<Device> {
        let (scope, device) = device(ctx, &id, Action::Write).await?;
        let Value::Object(patch) = patch.0 else {
            return Err(DownlinkError::from(PropertiesError::NotAnObject).into());
        };
        let names: Vec<&str> = patch.keys().map(String::as_str).collect();
        let detail = names.join(", ").chars().take(MAX_DETAIL).collect();
        let audit = ctx.audit(&scope, "device.desire", format!("device:{}", device.id), detail)?;
        ctx.services()?.downlink.desire(&scope, &device.id, patch, audit).await?;
        Ok(device.into())
    }

    /// Has a device do something and waits for its answer. Where none comes, whether it did it is not known.
    async fn command_device(&self, ctx: &Context<'_>, input: CommandDeviceInput) -> Result<CommandAnswer> {
        let (scope, device) = device(ctx, &input.device, Action::Command).await?;
        let services = ctx.services()?;
        let wait = input.wait_seconds.map_or(USUAL_WAIT, |seconds| Duration::from_secs(seconds.into()));
        let body = input.body.map(|body| body.0).unwrap_or_default();
        let order = Order { name: input.name, body, wait };
        order.check()?;
        // Before it goes out: whatever becomes of it, it can have been done.
        let subject = format!("device:{}", device.id);
        let entry = ctx.audit(&scope, "device.command", subject, order.name.clone())?;
        services.audit.append(&[entry]).await?;
        let answer = services.downlink.command(&scope, &device.id, order).await?;
        Ok(CommandAnswer { status: answer.status, body: Json(answer.body) })
    }
}

/// Characters of the names of properties in the trail.
const MAX_DETAIL: usize = 200;
