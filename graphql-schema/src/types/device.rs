//! A device and its twin.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use readings::Reading;
use tenants::access::{Action, Object as Thing};
use twins::{
    device::DeviceState,
    store::{directory::DeviceRecord, journal},
};

use super::Patient;
use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    limits,
    loaders::DeviceTwin,
    scalars::DateTime,
};

/// Messages shown when `first` is null.
const DEFAULT_SET_ASIDE: i32 = 20;

/// The newest reading of one telemetry path.
#[derive(SimpleObject)]
pub(crate) struct LatestReading {
    path: String,
    /// For people: a number, a text, yes or no, or how long a waveform is.
    value: String,
    unit: Option<String>,
    measured_at: DateTime,
    received_at: DateTime,
    /// False when the device's template does not know the path.
    modeled: bool,
}

impl From<&Reading> for LatestReading {
    fn from(reading: &Reading) -> Self {
        Self {
            path: reading.path.to_string(),
            value: reading.value.to_string(),
            unit: reading.unit.as_ref().map(ToString::to_string),
            measured_at: reading.measured_at.into(),
            received_at: reading.received_at.into(),
            modeled: reading.modeled,
        }
    }
}

/// A message that was stored but could not be understood; the twin lives on.
#[derive(SimpleObject)]
pub(crate) struct SetAside {
    /// Position in the hospital's log.
    sequence: String,
    received_at: DateTime,
    /// Machine-readable, e.g. not_json, too_deep, too_large, not_finite, time_out_of_range, unknown_unit, handler_panicked
    reason: String,
    detail: String,
    /// First bytes of the payload, made printable.
    excerpt: String,
}

impl From<journal::SetAside> for SetAside {
    fn from(message: journal::SetAside) -> Self {
        Self {
            sequence: message.sequence.to_string(),
            received_at: message.received_at.into(),
            reason: message.reason,
            detail: message.detail,
            excerpt: message.excerpt,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Device(pub(crate) Arc<DeviceRecord>);

impl From<DeviceRecord> for Device {
    fn from(record: DeviceRecord) -> Self {
        Self(Arc::new(record))
    }
}

impl Device {
    async fn state(&self, ctx: &Context<'_>) -> Result<Arc<DeviceState>> {
        let twin = ctx.rows()?.load_one(DeviceTwin(self.0.id.clone())).await?;
        twin.ok_or_else(|| ApiError::not_found("device"))?
    }
}

/// A device and its twin.
#[Object]
impl Device {
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn template(&self) -> &str {
        &self.0.template
    }

    async fn connected(&self, ctx: &Context<'_>) -> Result<bool> {
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        Ok(ctx.services()?.twins.presence().is_connected(scope.tenant(), &self.0.id))
    }

    /// When its last message was received.
    async fn last_seen_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(self.state(ctx).await?.last_seen.map(DateTime))
    }

    async fn message_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(self.state(ctx).await?.messages)
    }

    async fn set_aside_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(self.state(ctx).await?.set_aside)
    }

    /// Why the twin was put in quarantine; null when it works.
    async fn quarantine(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.state(ctx).await?.quarantine.clone())
    }

    /// Whom it measures now.
    async fn patient(&self, ctx: &Context<'_>) -> Result<Option<Patient>> {
        ctx.grant(Thing::Patient, Action::Read).await?;
        let Some(patient) = self.0.patient else { return Ok(None) };
        Ok(ctx.rows()?.load_one(patient).await?.map(Patient))
    }

    /// The newest reading of each path, by path.
    async fn readings(&self, ctx: &Context<'_>) -> Result<Vec<LatestReading>> {
        let state = self.state(ctx).await?;
        let mut latest: Vec<_> = state.latest.values().collect();
        latest.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(latest.into_iter().map(Into::into).collect())
    }

    /// Newest first.
    #[graphql(complexity = "limits::rows(first, DEFAULT_SET_ASIDE, child_complexity)")]
    async fn set_aside(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(DEFAULT_SET_ASIDE)")] first: Option<i32>,
    ) -> Result<Vec<SetAside>> {
        let first = arguments::count("first", first, DEFAULT_SET_ASIDE)?;
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let messages = ctx.services()?.devices.set_aside(&scope, &self.0.id, first).await?;
        Ok(messages.into_iter().map(Into::into).collect())
    }
}
