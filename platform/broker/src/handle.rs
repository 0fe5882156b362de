//! How the rest of the platform speaks to connected clients.

use std::sync::Arc;

use bytes::Bytes;
use tenants::{TenantId, topics::is_topic};

use crate::{
    fan_out::{Delivery, NOBODY},
    gate::Client,
    hub::Hub,
    message::{Message, Publication},
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
    /// at the lower of `qos` and the QoS of its subscription. It is not kept for later subscribers.
    pub fn publish(&self, tenant: TenantId, topic: &str, payload: Bytes, qos: Qos) -> Delivery {
        if !is_topic(topic) {
            self.0.metrics.dropped(Loss::InvalidTopic, 1);
            return Delivery::default();
        }
        if !self.has_subscribers(tenant, topic) {
            return Delivery::default();
        }
        let space = Space::Platform;
        let message =
            Message { space, topic: topic.into(), payload, properties: Bytes::new(), expires_at: None };
        let publication = Publication { message: Arc::new(message), qos, retain: false };
        self.0.deliver(tenant, &publication, NOBODY)
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

    /// Whether anybody would hear `topic`. Ask before encoding an expensive payload.
    pub fn has_subscribers(&self, tenant: TenantId, topic: &str) -> bool {
        self.0.tree.has_subscribers((tenant, Space::Platform), topic)
    }
}
