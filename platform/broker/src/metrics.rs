//! What the broker counts. Labels are reasons, versions and tenants, never devices or who uses them.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tenants::TenantId;

use crate::tally::Tallies;

/// Why something happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Why {
    pub(crate) reason: &'static str,
}

/// Which protocol version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Spoken {
    pub(crate) version: &'static str,
}

/// Why a message to or from a client went no further.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Loss {
    /// QoS 0 from a client to a topic outside its rights (v5 only; v3.1.1 is disconnected).
    NotAuthorized,
    /// QoS 0 of a device that asked in a way that cannot be read, or for what cannot be.
    NotUnderstood,
    /// QoS 0 that was to be retained when there are as many as there may be.
    TooManyRetained,
    /// QoS 0 to a subscriber whose queue is full.
    QueueFull,
    /// QoS 1 or 2 to a subscriber that was disconnected for being too slow.
    SlowConsumer,
    /// Still queued when the subscriber's connection ended.
    Disconnected,
    /// Larger than the subscriber's v5 Maximum Packet Size, or than the protocol can express.
    TooLarge,
    /// Older than its sender wanted when it could be sent.
    Expired,
    /// For a session that is kept: more behind than it may be, or gone from the log.
    Backlog,
    /// In the log, but not as it was written.
    Damaged,
    /// Published by the platform to something that is no topic.
    InvalidTopic,
}

impl Loss {
    pub(crate) const ALL: [Self; 11] = [
        Self::NotAuthorized,
        Self::NotUnderstood,
        Self::TooManyRetained,
        Self::QueueFull,
        Self::SlowConsumer,
        Self::Disconnected,
        Self::TooLarge,
        Self::Expired,
        Self::Backlog,
        Self::Damaged,
        Self::InvalidTopic,
    ];

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::NotAuthorized => "not_authorized",
            Self::NotUnderstood => "not_understood",
            Self::TooManyRetained => "too_many_retained",
            Self::QueueFull => "queue_full",
            Self::SlowConsumer => "slow_consumer",
            Self::Disconnected => "disconnected",
            Self::TooLarge => "too_large",
            Self::Expired => "expired",
            Self::Backlog => "backlog",
            Self::Damaged => "damaged",
            Self::InvalidTopic => "invalid_topic",
        }
    }
}

/// The broker's metrics. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct BrokerMetrics {
    pub(crate) connections: Gauge,
    pub(crate) subscriptions: Gauge,
    pub(crate) connects: Family<Spoken, Counter>,
    pub(crate) refusals: Family<Why, Counter>,
    pub(crate) disconnects: Family<Why, Counter>,
    pub(crate) messages_in: Counter,
    pub(crate) publications: Counter,
    pub(crate) publications_kept: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) acks: Counter,
    pub(crate) messages_out: Counter,
    drops: Family<Why, Counter>,
    pub(crate) tenants: Tallies,
}

impl BrokerMetrics {
    /// Adds the metrics to a registry, all named `mqtt_...`.
    pub fn register(&self, registry: &mut Registry) {
        let mqtt = registry.sub_registry_with_prefix("mqtt");
        mqtt.register("connections", "Open connections", self.connections.clone());
        mqtt.register("subscriptions", "Subscriptions", self.subscriptions.clone());
        mqtt.register("connects", "Clients let in, by protocol version", self.connects.clone());
        mqtt.register("refusals", "Connections refused, by reason", self.refusals.clone());
        mqtt.register("disconnects", "Sessions ended, by reason", self.disconnects.clone());
        mqtt.register("messages_received", "Messages handed to ingest", self.messages_in.clone());
        mqtt.register(
            "publications",
            "Messages of applications taken for the topic space",
            self.publications.clone(),
        );
        mqtt.register(
            "publications_kept",
            "Messages written to the publication log, as a session that is kept hears them",
            self.publications_kept.clone(),
        );
        mqtt.register("bytes_received", "Bytes read from clients", self.bytes_in.clone());
        mqtt.register("acks_sent", "PUBACKs and PUBRECs sent after the commit", self.acks.clone());
        mqtt.register("messages_sent", "Messages sent to subscribers", self.messages_out.clone());
        mqtt.register("drops", "Messages dropped, by reason", self.drops.clone());
        self.tenants.register(mqtt);
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Why { reason }).inc();
    }

    pub(crate) fn disconnected(&self, reason: &'static str) {
        self.disconnects.get_or_create(&Why { reason }).inc();
    }

    pub(crate) fn dropped(&self, tenant: TenantId, loss: Loss, messages: usize) {
        if messages > 0 {
            self.drops.get_or_create(&Why { reason: loss.label() }).inc_by(messages as u64);
            self.tenants.of(tenant).dropped(loss, messages as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_exposed_and_none_names_a_device() {
        let metrics = BrokerMetrics::default();
        metrics.refused("bad_credentials");
        metrics.dropped(TenantId::PLATFORM, Loss::QueueFull, 3);
        metrics.dropped(TenantId::PLATFORM, Loss::SlowConsumer, 0);
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(text.contains("mqtt_refusals_total{reason=\"bad_credentials\"} 1"), "{text}");
        assert!(text.contains("mqtt_drops_total{reason=\"queue_full\"} 3"), "{text}");
        assert!(!text.contains("slow_consumer") && !text.contains("device"), "{text}");
    }
}
