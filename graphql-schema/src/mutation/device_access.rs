//! Whether a device may connect, and with what.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use tenants::{
    DeviceId,
    access::{Action, Scope},
    audit::AuditEntry,
    credentials::BearerToken,
    device_certificate::{Fingerprint, NoFingerprint},
};
use twins::store::directory::DeviceRecord;

use super::release_device::device;
use crate::{
    context::RequestContext,
    errors::{ApiError, Result},
    types::Device,
};

/// Characters of a reason.
const MAX_REASON: usize = 500;

/// A device that is not to connect.
#[derive(InputObject)]
struct BlockDeviceInput {
    id: ID,
    /// Why, 1 to 500 characters; stands in the audit trail.
    reason: String,
}

/// A device and its new token.
#[derive(SimpleObject)]
struct DeviceToken {
    device: Device,
    /// Shown only now.
    token: String,
}

#[derive(Default)]
pub(super) struct DeviceAccessMutation;

#[Object]
impl DeviceAccessMutation {
    /// The device may not connect any more, nor does its gateway speak for it; where it is connected it is cut off at once. What it said stays. Asked for again it
    /// changes nothing.
    async fn block_device(&self, ctx: &Context<'_>, input: BlockDeviceInput) -> Result<Device> {
        let reason = input.reason.trim();
        if reason.is_empty() || reason.chars().count() > MAX_REASON {
            return Err(ApiError::bad_input(format!("reason: expected 1 to {MAX_REASON} characters")));
        }
        let (scope, found) = device(ctx, &input.id, Action::Write).await?;
        let services = ctx.services()?;
        let entry = entry(ctx, &scope, &found, "device.block", reason)?;
        services.devices.block(&scope, &found.id, Some(services.clock.now()), &entry).await?;
        changed(ctx, &scope, &found)?;
        again(ctx, &input.id).await
    }

    /// The device may connect again.
    async fn unblock_device(&self, ctx: &Context<'_>, id: ID) -> Result<Device> {
        let (scope, found) = device(ctx, &id, Action::Write).await?;
        let services = ctx.services()?;
        let entry = entry(ctx, &scope, &found, "device.unblock", "")?;
        services.devices.block(&scope, &found.id, None, &entry).await?;
        services.revocations.tell(scope.tenant());
        come_again(ctx, &scope, found.gateway.as_ref())?;
        again(ctx, &id).await
    }

    /// From now on the device speaks through a gateway, or for itself only where that is null. Gateways that this concerns
    /// have to connect again, which they are told by a DISCONNECT.
    async fn set_gateway(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "device")] id: ID,
        #[graphql(name = "gateway")] through: Option<ID>,
    ) -> Result<Device> {
        let (scope, found) = device(ctx, &id, Action::Write).await?;
        let through = match &through {
            Some(through) => Some(device(ctx, through, Action::Write).await?.1.id),
            None => None,
        };
        let detail =
            through.as_ref().map_or_else(|| "for itself".to_owned(), |of| format!("through device:{of}"));
        let entry = entry(ctx, &scope, &found, "device.set_gateway", &detail)?;
        let services = ctx.services()?;
        services.devices.set_gateway(&scope, &found.id, through.as_ref(), &entry).await?;
        services.revocations.tell(scope.tenant());
        come_again(ctx, &scope, found.gateway.as_ref())?;
        come_again(ctx, &scope, through.as_ref())?;
        again(ctx, &id).await
    }

    /// The device is let in with this certificate, in PEM, whoever has signed it, also if it has signed itself: its common name is the
    /// device's id. The first time it has to name the hospital (id scope, host or user name): it alone can prove to have the key. A
    /// device has two at most: the one that it shows, and the next one.
    async fn add_device_certificate(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "device")] id: ID,
        certificate: String,
    ) -> Result<Device> {
        let (scope, found) = device(ctx, &id, Action::Write).await?;
        let services = ctx.services()?;
        let certificate = services.certificates.device(&found.id, &certificate)?;
        let detail = certificate.fingerprint.to_string();
        let entry = entry(ctx, &scope, &found, "device.add_certificate", &detail)?;
        services.device_certificates.add_device_certificate(&scope, &found.id, &certificate, &entry).await?;
        services.revocations.tell(scope.tenant());
        Ok(found.into())
    }

    /// The device is not let in with that certificate any more; where it is connected with it, it is cut off at once.
    async fn remove_device_certificate(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "device")] id: ID,
        fingerprint: String,
    ) -> Result<Device> {
        let (scope, found) = device(ctx, &id, Action::Write).await?;
        let services = ctx.services()?;
        let fingerprint: Fingerprint =
            fingerprint.parse().map_err(|error: NoFingerprint| ApiError::bad_input(error.to_string()))?;
        let detail = fingerprint.to_string();
        let entry = entry(ctx, &scope, &found, "device.remove_certificate", &detail)?;
        services
            .device_certificates
            .remove_device_certificate(&scope, &found.id, fingerprint, &entry)
            .await?;
        services.revocations.tell(scope.tenant());
        Ok(found.into())
    }

    /// Gives the device another token. The one before counts no more: where the device is connected it is cut off at once.
    async fn renew_device_token(&self, ctx: &Context<'_>, id: ID) -> Result<DeviceToken> {
        let (scope, found) = device(ctx, &id, Action::Write).await?;
        let token = BearerToken::generate(scope.tenant()).map_err(ApiError::internal)?;
        let entry = entry(ctx, &scope, &found, "device.renew_token", "")?;
        ctx.services()?.devices.renew_token(&scope, &found.id, &token.hash(), &entry).await?;
        changed(ctx, &scope, &found)?;
        Ok(DeviceToken { device: found.into(), token: token.reveal().to_owned() })
    }
}

fn entry(
    ctx: &Context<'_>,
    scope: &Scope,
    device: &DeviceRecord,
    action: &str,
    detail: &str,
) -> Result<AuditEntry> {
    ctx.audit(scope, action, format!("device:{}", device.id), detail.to_owned())
}

/// What was known of the device counts no more, nor does what it is connected with.
fn changed(ctx: &Context<'_>, scope: &Scope, device: &DeviceRecord) -> Result<()> {
    let services = ctx.services()?;
    services.revocations.tell(scope.tenant());
    services.sessions.cut_off(scope.tenant(), &device.id);
    come_again(ctx, scope, device.gateway.as_ref())
}

/// A gateway has to connect again, to be told for whom it speaks.
fn come_again(ctx: &Context<'_>, scope: &Scope, gateway: Option<&DeviceId>) -> Result<()> {
    if let Some(gateway) = gateway {
        ctx.services()?.sessions.end(scope.tenant(), gateway);
    }
    Ok(())
}

async fn again(ctx: &Context<'_>, id: &ID) -> Result<Device> {
    Ok(device(ctx, id, Action::Write).await?.1.into())
}
