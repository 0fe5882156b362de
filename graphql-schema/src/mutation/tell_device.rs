//! What devices are told: what they are to be like, and what they are to do.

use std::time::Duration;

use async_graphql::{Context, ID, InputObject, Json, Object, SimpleObject};
use serde_json::Value;
use tenants::{
    access::{Action, Scope},
    audit::AuditEntry,
};
use twins::{
    device::properties::PropertiesError,
    downlink::{DownlinkError, Message, Order, USUAL_WAIT},
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

/// A message for a device.
#[derive(InputObject)]
struct MessageDeviceInput {
    device: ID,
    /// At most 128 KiB of text; what it means is between you and the device.
    payload: String,
    /// What else is said about it; all of it at most 256 bytes.
    #[graphql(default)]
    properties: Vec<MessagePropertyInput>,
}

/// Something that is said about a message.
#[derive(InputObject)]
struct MessagePropertyInput {
    name: String,
    value: String,
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
        ctx.services()?.downlink.desire(&scope, &device, patch, audit).await?;
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
        let answer = services.downlink.command(&scope, &device, order).await?;
        Ok(CommandAnswer { status: answer.status, body: Json(answer.body) })
    }

    /// Says something to a device that listens for messages, as those do that were made for Azure IoT Hub, and returns the
    /// message's id. A device that is away and whose session is kept hears it when it comes back.
    async fn message_device(&self, ctx: &Context<'_>, input: MessageDeviceInput) -> Result<ID> {
        let (scope, device) = device(ctx, &input.device, Action::Command).await?;
        let services = ctx.services()?;
        let id = ctx.correlation().to_string();
        let properties = input.properties.into_iter().map(|of| (of.name, of.value)).collect();
        let message = Message { id: id.clone(), payload: input.payload, properties };
        let entry = ctx.audit(&scope, "device.message", format!("device:{}", device.id), id.clone())?;
        services.audit.append(&[entry]).await?;
        services.downlink.message(&scope, &device, message)?;
        Ok(ID(id))
    }

    /// The symmetric key of a device, in base64, with which a device signs that was made for Azure IoT Hub. It is always the
    /// same; that it was shown is in the audit trail.
    async fn reveal_device_key(&self, ctx: &Context<'_>, id: ID) -> Result<String> {
        let (scope, device) = device(ctx, &id, Action::Write).await?;
        let made = shown(ctx, &scope, "device.reveal_key", format!("device:{}", device.id)).await?;
        Ok(ctx.services()?.device_keys.symmetric_key(scope.tenant(), &device.id, &made).await?)
    }

    /// The hospital's own key, in base64, for those who may register any device: the HMAC-SHA256 of a device's id with it is
    /// the device's key, by which one that is not registered yet registers itself. It is always the same; that it was shown is
    /// in the audit trail.
    async fn reveal_enrolment_key(&self, ctx: &Context<'_>) -> Result<String> {
        let scope = ctx.any_device().await?;
        let subject = format!("tenant:{}", scope.tenant());
        let made = shown(ctx, &scope, "enrolment_key.reveal", subject).await?;
        Ok(ctx.services()?.device_keys.enrolment_key(scope.tenant(), &made).await?)
    }

    /// What a device shows as `provisionDeviceSecret` that was made for ThingsBoard and that nobody knows yet, for those who may
    /// register any device. Its `provisionDeviceKey` is the hospital's `idScope`, with `/` and a template behind it where
    /// devices are to be registered that are not yet. It is always the same and tells nothing of the enrolment key; that it
    /// was shown is in the audit trail.
    async fn reveal_newcomer_secret(&self, ctx: &Context<'_>) -> Result<String> {
        let scope = ctx.any_device().await?;
        let subject = format!("tenant:{}", scope.tenant());
        let made = shown(ctx, &scope, "newcomer_secret.reveal", subject).await?;
        Ok(ctx.services()?.device_keys.newcomer_secret(scope.tenant(), &made).await?)
    }
}

/// Writes down that a key is about to be shown; returns the entry about one that may have to be made.
async fn shown(ctx: &Context<'_>, scope: &Scope, action: &str, subject: String) -> Result<AuditEntry> {
    let entry = ctx.audit(scope, action, subject, String::new())?;
    ctx.services()?.audit.append(&[entry]).await?;
    ctx.audit(scope, "enrolment_key.create", format!("tenant:{}", scope.tenant()), String::new())
}

/// Characters of the names of properties in the trail.
const MAX_DETAIL: usize = 200;
