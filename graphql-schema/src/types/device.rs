//! A device and its twin.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Json, Object, SimpleObject};
use jiff::Timestamp;
use readings::Reading;
use serde_json::{Map, Value};
use tenants::{
    ErrorKind,
    access::{Action, Column, Object as Thing, Scope},
};
use twins::{
    connections,
    device::DeviceState,
    message::{Channel, LogMessage},
    presence,
    store::{directory::DeviceRecord, journal},
};

use super::{DeviceCertificate, Patient};
use crate::{
    arguments,
    context::RequestContext,
    errors::{ApiError, Result},
    limits,
    loaders::{DeviceTwin, MeasuredBy},
    reads::Kind,
    scalars::DateTime,
};

/// Messages shown when `first` is null.
const DEFAULT_SET_ASIDE: i32 = 20;
/// The same of all messages.
const DEFAULT_MESSAGES: i32 = 20;
/// Of each message's payload.
const SHOWN_BYTES: usize = 4_096;
/// Of each message's user properties.
const SHOWN_PROPERTIES: usize = 64;

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
    /// First bytes of the payload, made printable; null where the caller may not see all names, because it may
    /// name the patient.
    excerpt: Option<String>,
}

impl SetAside {
    fn new(message: journal::SetAside, readable: bool) -> Self {
        Self {
            sequence: message.sequence.to_string(),
            received_at: message.received_at.into(),
            reason: message.reason,
            detail: message.detail,
            excerpt: Some(message.excerpt).filter(|_| readable),
        }
    }
}

/// A message as the device sent it.
#[derive(SimpleObject)]
pub(crate) struct DeviceMessage {
    /// Position in the hospital's log; to be given as `before` for what was sent earlier.
    sequence: String,
    received_at: DateTime,
    /// Topic relative to the device, e.g. telemetry, telemetry/ecg, properties/reported
    topic: String,
    /// Length of the payload in bytes.
    size: u64,
    /// The payload as text, at most its first 4,096 bytes; null where the caller may not see all names, because it
    /// may name the patient.
    payload: Option<String>,
    /// What the device said about it besides: user properties of MQTT 5, or the application properties of a message of Azure
    /// IoT. The first 64; null as the payload.
    user_properties: Option<Vec<UserProperty>>,
}

/// A name and a value that a device put beside a message.
#[derive(SimpleObject)]
pub(crate) struct UserProperty {
    name: String,
    value: String,
}

impl DeviceMessage {
    fn new(message: LogMessage, readable: bool) -> Self {
        let shown = message.payload.get(..SHOWN_BYTES).unwrap_or(&message.payload);
        let properties = message.user_properties().take(SHOWN_PROPERTIES);
        let properties =
            properties.map(|(name, value)| UserProperty { name: name.into(), value: value.into() }).collect();
        Self {
            sequence: message.sequence.to_string(),
            received_at: message.received_at.into(),
            topic: match message.channel {
                Channel::Telemetry { component: None } => "telemetry".to_owned(),
                Channel::Telemetry { component: Some(component) } => format!("telemetry/{component}"),
                Channel::Reported => "properties/reported".to_owned(),
                Channel::Acknowledge => "acknowledge".to_owned(),
                Channel::Desired => "properties/desired".to_owned(),
            },
            size: message.payload.len() as u64,
            payload: readable.then(|| String::from_utf8_lossy(shown).into_owned()),
            user_properties: readable.then_some(properties),
        }
    }
}

/// What carries a device's session.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MqttCarrier {
    Tcp,
    Tls,
    #[graphql(name = "WEBSOCKET")]
    WebSocket,
}

/// A live MQTT session of a device.
#[derive(SimpleObject)]
pub(crate) struct DeviceSession {
    /// As the device calls itself, or was called.
    client_id: String,
    /// Network address that it comes from.
    address: String,
    carrier: MqttCarrier,
    /// Of MQTT: 3.1.1 or 5
    version: String,
    since: DateTime,
}

/// What became of a connection.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionEventKind {
    /// It was let in.
    Connected,
    /// It was not let in.
    Refused,
    /// It wanted to say or hear what it may not.
    Denied,
    /// It ended.
    Ended,
}

/// One thing that became of a device's connection.
#[derive(SimpleObject)]
pub(crate) struct ConnectionEvent {
    at: DateTime,
    kind: ConnectionEventKind,
    /// Why, in a few words; empty where there is nothing to say.
    reason: String,
    /// As the device calls itself, or was called; empty where it was not asked.
    client_id: String,
    /// Network address that it comes from.
    address: String,
    /// Null where it is not known.
    carrier: Option<MqttCarrier>,
    /// Of MQTT: 3.1.1 or 5; empty where it is not known
    version: String,
}

impl From<connections::ConnectionEvent> for ConnectionEvent {
    fn from(event: connections::ConnectionEvent) -> Self {
        Self {
            at: event.at.into(),
            kind: match event.what {
                connections::Happened::Connected => ConnectionEventKind::Connected,
                connections::Happened::Refused => ConnectionEventKind::Refused,
                connections::Happened::Denied => ConnectionEventKind::Denied,
                connections::Happened::Ended => ConnectionEventKind::Ended,
            },
            reason: event.why,
            client_id: event.client_id,
            address: event.address.to_string(),
            carrier: event.carrier.map(Into::into),
            version: event.version,
        }
    }
}

impl From<presence::Carrier> for MqttCarrier {
    fn from(carrier: presence::Carrier) -> Self {
        match carrier {
            presence::Carrier::Tcp => Self::Tcp,
            presence::Carrier::Tls => Self::Tls,
            presence::Carrier::WebSocket => Self::WebSocket,
        }
    }
}

impl From<presence::DeviceSession> for DeviceSession {
    fn from(session: presence::DeviceSession) -> Self {
        Self {
            client_id: session.client_id.to_string(),
            address: session.address.to_string(),
            carrier: session.carrier.into(),
            version: session.version.to_owned(),
            since: session.since.into(),
        }
    }
}

/// What a device is to be like, and what it says that it is like.
#[derive(SimpleObject)]
pub(crate) struct DeviceProperties {
    /// What it is to be like.
    desired: Json<Map<String, Value>>,
    /// How often that was changed.
    desired_version: u64,
    /// The newest version of it that the device says it has taken on. Devices made for ThingsBoard do not say so.
    confirmed_version: u64,
    /// What it says that it is like.
    reported: Json<Map<String, Value>>,
    /// How often it said so.
    reported_version: u64,
}

impl From<&DeviceState> for DeviceProperties {
    fn from(state: &DeviceState) -> Self {
        Self {
            desired: Json(state.desired.clone()),
            desired_version: state.desired_version,
            confirmed_version: state.confirmed_version,
            reported: Json(state.reported.clone()),
            reported_version: state.reported_version,
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

    /// The caller is about to see what the device said at these times, of whomever it measured then.
    async fn saw(&self, ctx: &Context<'_>, scope: &Scope, kind: Kind, said: Vec<Timestamp>) -> Result<()> {
        if said.is_empty() {
            return Ok(());
        }
        let measured = ctx.rows()?.load_one(MeasuredBy(self.0.id.clone())).await?.unwrap_or_default();
        let shown = measured.iter().filter(|measured| said.iter().any(|at| measured.covers(*at)));
        ctx.reads()?.saw(scope, kind, shown.map(|measured| measured.patient));
        Ok(())
    }
}

/// Whoever sees patients without their names must not find them in what a device sent. Who sees no patients keeps
/// devices working, and needs to see what they say.
async fn payloads_are_readable(ctx: &Context<'_>) -> Result<bool> {
    match ctx.granted(Thing::Patient, Action::Read).await {
        Ok(scope) => Ok(!scope.may_mask(Column::PatientName)),
        Err(error) if error.kind() == ErrorKind::Forbidden => Ok(true),
        Err(error) => Err(error),
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

    /// It may not connect since then; null while it may.
    async fn blocked_since(&self) -> Option<DateTime> {
        self.0.blocked_since.map(DateTime)
    }

    /// Certificates (X.509) of its own, by which it is let in whoever has signed them.
    async fn certificates(&self, ctx: &Context<'_>) -> Result<Vec<DeviceCertificate>> {
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let found = ctx.services()?.device_certificates.device_certificates(&scope, &self.0.id).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// The device through which it speaks; null where it speaks for itself, and where that one is outside the caller's rows.
    async fn gateway(&self, ctx: &Context<'_>) -> Result<Option<Device>> {
        let Some(gateway) = &self.0.gateway else { return Ok(None) };
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let found = ctx.services()?.devices.by_ids(&scope, std::slice::from_ref(gateway)).await?;
        Ok(found.into_iter().next().map(Into::into))
    }

    /// The devices that speak through it, in the order of their ids.
    #[graphql(complexity = "limits::rows(Some(DEFAULT_MESSAGES), DEFAULT_MESSAGES, child_complexity)")]
    async fn behind(&self, ctx: &Context<'_>) -> Result<Vec<Device>> {
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let found = ctx.services()?.devices.behind(&scope, &self.0.id).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// Whether it is, or the gateway through which it speaks.
    async fn connected(&self, ctx: &Context<'_>) -> Result<bool> {
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let services = ctx.services()?;
        let is_connected = |device| services.twins.presence().is_connected(scope.tenant(), device);
        Ok(is_connected(&self.0.id) || self.0.gateway.as_ref().is_some_and(is_connected))
    }

    /// Its live MQTT sessions with the server that answers.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<DeviceSession>> {
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let live = ctx.services()?.sessions.of(scope.tenant(), &self.0.id);
        Ok(live.into_iter().map(Into::into).collect())
    }

    /// What became of its MQTT connections, newest first: at most the last hundred events. It may lag a moment behind.
    async fn connection_log(&self, ctx: &Context<'_>) -> Result<Vec<ConnectionEvent>> {
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let events = ctx.services()?.connections.events(&scope, &self.0.id).await?;
        Ok(events.into_iter().map(Into::into).collect())
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

    /// Null where the caller may not see all names, because they may name the patient.
    async fn properties(&self, ctx: &Context<'_>) -> Result<Option<DeviceProperties>> {
        if !payloads_are_readable(ctx).await? {
            return Ok(None);
        }
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let state = self.state(ctx).await?;
        self.saw(ctx, &scope, Kind::Device, state.last_seen.into_iter().collect()).await?;
        Ok(Some((&*state).into()))
    }

    /// Whom it measures now.
    async fn patient(&self, ctx: &Context<'_>) -> Result<Option<Patient>> {
        ctx.grant(Thing::Patient, Action::Read).await?;
        let Some(patient) = self.0.patient else { return Ok(None) };
        Ok(ctx.rows()?.load_one(patient).await?.map(Patient))
    }

    /// The newest reading of each path, by path.
    async fn readings(&self, ctx: &Context<'_>) -> Result<Vec<LatestReading>> {
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let state = self.state(ctx).await?;
        let received = state.latest.values().map(|reading| reading.received_at).collect();
        self.saw(ctx, &scope, Kind::Device, received).await?;
        let mut latest: Vec<_> = state.latest.values().collect();
        latest.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(latest.into_iter().map(Into::into).collect())
    }

    /// What it sent, newest first, from before a place in the log or the newest of all.
    #[graphql(complexity = "limits::rows(first, DEFAULT_MESSAGES, child_complexity)")]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(DEFAULT_MESSAGES)")] first: Option<i32>,
        before: Option<String>,
    ) -> Result<Vec<DeviceMessage>> {
        let first = arguments::count("first", first, DEFAULT_MESSAGES)?;
        let before = before.map(|before| arguments::sequence("before", &before)).transpose()?;
        let scope = ctx.grant(Thing::Device, Action::Read).await?;
        let messages = ctx.services()?.history.sent(&scope, &self.0.id, before, first).await?;
        let received = messages.iter().map(|message| message.received_at).collect();
        self.saw(ctx, &scope, Kind::Message, received).await?;
        let readable = payloads_are_readable(ctx).await?;
        Ok(messages.into_iter().map(|message| DeviceMessage::new(message, readable)).collect())
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
        let received = messages.iter().map(|message| message.received_at).collect();
        self.saw(ctx, &scope, Kind::Message, received).await?;
        let readable = payloads_are_readable(ctx).await?;
        Ok(messages.into_iter().map(|message| SetAside::new(message, readable)).collect())
    }
}
