//! How the rest of the platform speaks to connected clients.

use std::sync::Arc;

use bytes::Bytes;
use tenants::TenantId;

use crate::{
    gate::Client,
    hub::{Hub, Target},
    message::{Message, Outgoing},
    metrics::Loss,
    protocol::{Qos, Reason},
    registry::SessionInfo,
    session::outbox::Offer,
    topics,
    tree::{Audience, Subscriber},
};

/// Publishes to subscribers. Cheap to clone.
///
/// Topics are the tenant's: `devices/<id>/...` is what the device with that id knows as `...`, and
/// `feed/...` is what applications hear.
#[derive(Clone)]
pub struct Handle(pub(crate) Arc<Hub>);

/// What became of a message, counted in subscribers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Queued for sending.
    pub queued: usize,
    /// Dropped; the metrics say why.
    pub dropped: usize,
}

impl Handle {
    /// Queues a message for every subscriber of `topic` and returns at once. A subscriber receives it
    /// at the lower of `qos` and the QoS of its subscription. It is not kept for later subscribers.
    pub fn publish(&self, tenant: TenantId, topic: &str, payload: Bytes, qos: Qos) -> Delivery {
        let metrics = &self.0.metrics;
        let mut delivery = Delivery::default();
        if !topics::is_topic(topic) {
            metrics.dropped(Loss::InvalidTopic, 1);
            return delivery;
        }
        let Audience { each, groups } = self.0.tree.matching(tenant, topic);
        if each.is_empty() && groups.is_empty() {
            return delivery;
        }
        let fan_out = FanOut { message: Arc::new(Message { topic: topic.into(), payload }), qos };
        let of_each = each.iter().map(|subscriber| fan_out.offer(subscriber));
        let of_groups = groups.iter().map(|members| fan_out.offer_one_of(members));
        for outcome in of_each.into_iter().chain(of_groups) {
            match outcome {
                Ok(()) => delivery.queued += 1,
                Err(loss) => {
                    metrics.dropped(loss, 1);
                    delivery.dropped += 1;
                }
            }
        }
        delivery
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
        self.0.tree.has_subscribers(tenant, topic)
    }
}

/// A message for all its subscribers, who share it.
struct FanOut {
    message: Arc<Message>,
    qos: Qos,
}

impl FanOut {
    /// Queues the message for a subscriber.
    fn offer(&self, subscriber: &Subscriber<Target>) -> Result<(), Loss> {
        let outgoing = Outgoing {
            message: Arc::clone(&self.message),
            qos: self.qos.min(subscriber.qos),
            prefix_bytes: subscriber.target.prefix_bytes,
            subscription_ids: subscriber.ids.clone(),
        };
        match subscriber.target.outbox.offer(outgoing) {
            Offer::Queued => Ok(()),
            Offer::QueueFull => Err(Loss::QueueFull),
            Offer::SlowConsumer => Err(Loss::SlowConsumer),
            Offer::Disconnected => Err(Loss::Disconnected),
            Offer::TooLarge => Err(Loss::TooLarge),
        }
    }

    /// Queues it for the first of a group that takes it; where none does, for the reason of the one whose turn it was.
    fn offer_one_of(&self, members: &[Subscriber<Target>]) -> Result<(), Loss> {
        let mut first = None;
        for member in members {
            match self.offer(member) {
                Ok(()) => return Ok(()),
                Err(loss) => first = first.or(Some(loss)),
            }
        }
        Err(first.unwrap_or(Loss::Disconnected))
    }
}
