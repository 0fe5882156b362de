//! Fits the broker's traits onto twins. Translation only: no decisions are made here.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use broker::{Chunk, Client, Episode, Handle, Ingest, NotTaken, Receipt, SessionInfo};
use jiff::Timestamp;
use tenants::{
    DeviceId, TenantId,
    messaging::Traffic,
    quotas::{Meter, TooMuch, Who},
};
use twins::{
    Twins, Unsequenced,
    connections::{ConnectionEvent, Happened},
    downlink::ToDevice,
    message::Channel,
    presence::{Carrier, DeviceSession, DeviceSessions},
};

use crate::{attendant, connection_log::Notes};

/// How long messages wait at most for their device's rate and their hospital's. A device that waits is silent: longer than
/// this it would give the connection up by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// Hands what devices send to the log, no faster than they and their hospital may.
pub(crate) struct ToLog {
    pub(crate) twins: Twins,
    pub(crate) meter: Arc<Meter>,
}

impl ToLog {
    /// Until so many messages may be taken.
    async fn wait(
        &self,
        tenant: TenantId,
        device: Option<&DeviceId>,
        messages: usize,
    ) -> Result<(), NotTaken> {
        let wait = self.meter.messages(tenant, device, messages as u64, PATIENCE);
        let wait = wait.map_err(|TooMuch { who, .. }| match who {
            Who::Hospital => NotTaken::OverQuota,
            Who::Device => NotTaken::TooFast,
        })?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }
}

#[async_trait]
impl Ingest for ToLog {
    async fn pace(&self, tenant: TenantId, messages: usize) -> Result<(), NotTaken> {
        self.wait(tenant, None, messages).await
    }

    async fn submit(&self, chunk: Chunk) -> Result<Receipt, NotTaken> {
        self.wait(chunk.tenant, Some(&chunk.device), chunk.messages.len()).await?;
        let messages = chunk.messages.into_iter().map(|message| Unsequenced {
            received_at: message.received_at,
            correlation: message.correlation,
            channel: match message.channel {
                broker::Channel::Telemetry { component } => Channel::Telemetry { component },
                broker::Channel::Reported => Channel::Reported,
            },
            user_properties: message.user_properties,
            payload: message.payload,
        });
        let (messages, received) = (messages.collect(), chunk.received);
        let receipt = self.twins.append_once(chunk.tenant, chunk.device, messages, received).await;
        receipt.map_err(|_| NotTaken::Closed)
    }
}

/// Tells of the sessions of devices, and ends them.
pub(crate) struct ToSessions(pub(crate) Handle);

impl DeviceSessions for ToSessions {
    fn of(&self, tenant: TenantId, device: &DeviceId) -> Vec<DeviceSession> {
        let session = |info: SessionInfo| DeviceSession {
            client_id: info.client_id,
            address: info.peer.ip(),
            carrier: carrier(info.carrier),
            version: info.version,
            since: info.since,
        };
        self.0.sessions(tenant, &Client::Device(device.clone())).into_iter().map(session).collect()
    }

    fn tell(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        gateway: Option<&DeviceId>,
        what: &ToDevice,
    ) -> usize {
        self.0.tell(tenant, device, gateway, &attendant::saying(what))
    }

    fn end(&self, tenant: TenantId, device: &DeviceId) -> usize {
        self.0.disconnect(tenant, &Client::Device(device.clone()))
    }

    fn cut_off(&self, tenant: TenantId, device: &DeviceId) -> usize {
        self.0.end(tenant, &Client::Device(device.clone()))
    }

    fn traffic(&self, tenant: TenantId) -> Traffic {
        self.0.traffic(tenant)
    }
}

const fn carrier(of: broker::Carrier) -> Carrier {
    match of {
        broker::Carrier::Tcp => Carrier::Tcp,
        broker::Carrier::Tls => Carrier::Tls,
        broker::Carrier::WebSocket => Carrier::WebSocket,
    }
}

/// Notes who is connected, and what becomes of connections.
pub(crate) struct ToPresence {
    pub(crate) twins: Twins,
    pub(crate) notes: Notes,
}

impl broker::Presence for ToPresence {
    fn connected(&self, tenant: TenantId, device: &DeviceId, _: Timestamp) {
        self.twins.presence().connected(tenant, device);
    }

    fn disconnected(&self, tenant: TenantId, device: &DeviceId, _: Timestamp) {
        self.twins.presence().disconnected(tenant, device);
    }

    fn happened(&self, tenant: TenantId, device: &DeviceId, episode: Episode) {
        let Episode { at, what, why, session } = episode;
        let event = ConnectionEvent {
            at,
            what: match what {
                broker::Happened::Connected => Happened::Connected,
                broker::Happened::Refused => Happened::Refused,
                broker::Happened::Denied => Happened::Denied,
                broker::Happened::Ended => Happened::Ended,
            },
            why: why.to_owned(),
            client_id: session.client_id.to_string(),
            address: session.peer.ip(),
            carrier: Some(carrier(session.carrier)),
            version: session.version.to_owned(),
        };
        self.notes.note(tenant, device.clone(), event);
    }
}
