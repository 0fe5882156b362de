//! How the rest of the platform speaks to connected clients.

use std::sync::Arc;

use bytes::Bytes;
use tenants::{DeviceId, TenantId, messaging::Traffic, topics::is_topic};

use crate::{
    dialect::{self, Frame},
    exchange::Note,
    fan_out::Delivery,
    gate::{Client, Saying, Speech},
    hub::{Hub, Said},
    metrics::Loss,
    protocol::{Qos, Reason},
    registry::SessionInfo,
    topics::Space,
};

/// Publishes to subscribers. Cheap to clone.
///
/// Topics are the tenant's: `devices/<id>/...` is what the device with that id knows as `...`, and
/// `feed/...` is what applications hear.
#[derive(Clone)]
pub struct Handle(pub(crate) Arc<Hub>);

impl Handle {
    /// Queues a message for every subscriber of `topic` and returns at once. A subscriber receives it
    /// at the lower of `qos` and the QoS of its subscription. It is kept for subscribers whose sessions are, not for later
    /// subscribers.
    pub fn publish(&self, tenant: TenantId, topic: &str, payload: Bytes, qos: Qos) -> Delivery {
        if !is_topic(topic) {
            self.0.metrics.dropped(tenant, Loss::InvalidTopic, 1);
            return Delivery::default();
        }
        self.0.say(tenant, Said { topic, payload, qos, expires_at: None })
    }

    /// Says something to a device, in the words of every family of devices: it hears those that it has subscribed to. Returns
    /// how many of its sessions do: of a command those that are connected, as it is for nobody else.
    ///
    /// `gateway`: through which the device speaks; it hears it, too.
    pub fn tell(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        gateway: Option<&DeviceId>,
        saying: &Saying,
    ) -> usize {
        let expires_at = match saying {
            Saying::Command { until, .. } => Some(*until),
            Saying::Desired { .. } | Saying::Message { .. } => None,
        };
        let mut listening = 0;
        let dialects = || Speech::ALL.iter().map(|speech| dialect::of(*speech));
        let own = dialects().filter_map(|dialect| Some((device, dialect.frame(device, saying)?)));
        let through = gateway.into_iter().flat_map(|gateway| {
            dialects().filter_map(move |dialect| Some((gateway, dialect.frame_behind(device, saying)?)))
        });
        for (listener, Frame { topic, payload }) in own.chain(through) {
            let topic = format!("devices/{listener}/{topic}");
            let is_heard = expires_at.is_none() || self.0.is_heard(tenant, &topic);
            if is_heard {
                let qos = Qos::AtLeastOnce;
                let said = Said { topic: &topic, payload: payload.into(), qos, expires_at };
                listening += self.0.say(tenant, said).queued;
            }
        }
        listening
    }

    /// The tenant has left: its sessions that are kept and its retained messages are forgotten. What is written of them is
    /// deleted by whoever deletes the rest.
    pub fn forget(&self, tenant: TenantId) {
        self.0.retained.forget(tenant);
        self.0.metrics.tenants.forget(tenant);
        for mailbox in self.0.kept.all(Some(tenant)) {
            self.0.exchange.note(Note::Over(mailbox));
        }
    }

    /// Ends all sessions of a tenant that is cut off, without the PUBACKs that are outstanding; says how many. Those who
    /// come back are the gatekeeper's to refuse.
    pub fn expel(&self, tenant: TenantId) -> usize {
        self.0.registry.expel(tenant)
    }

    /// The live sessions of a client.
    pub fn sessions(&self, tenant: TenantId, client: &Client) -> Vec<SessionInfo> {
        self.0.registry.of(tenant, client)
    }

    /// Ends the sessions of a client that may not be connected any more (0x87 on v5), and says how many there were.
    pub fn end(&self, tenant: TenantId, client: &Client) -> usize {
        self.0.registry.end(tenant, client, Reason::NotAuthorized)
    }

    /// Ends the sessions of a client because somebody wants it (0x98 on v5), and says how many there were. It may come back.
    pub fn disconnect(&self, tenant: TenantId, client: &Client) -> usize {
        self.0.registry.end(tenant, client, Reason::Administrative)
    }

    /// What was done for a tenant since the process began, and what is held for it now.
    pub fn traffic(&self, tenant: TenantId) -> Traffic {
        self.0.traffic(tenant)
    }

    /// Whether anybody would hear `topic`. Ask before encoding an expensive payload.
    pub fn has_subscribers(&self, tenant: TenantId, topic: &str) -> bool {
        self.0.tree.has_subscribers((tenant, Space::Platform), topic)
    }
}
