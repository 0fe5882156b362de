//! `$SYS`: what a hospital's programs can read about the broker's work for their hospital; nothing of any other's.
//!
//! The topics are those that brokers commonly have. They are not stored: who subscribes is told the figures of the moment,
//! and every ten seconds from then on.

use std::sync::Arc;

use bytes::Bytes;
use tenants::{TenantId, topics::matches};

use crate::{
    fan_out::NOBODY,
    hub::Hub,
    message::{Message, Publication},
    protocol::Qos,
    topics::{SYS, Space},
};

/// The figures of this moment whose topics a filter matches.
pub(crate) fn matching(hub: &Hub, tenant: TenantId, filter: &str) -> Vec<Publication> {
    if !filter.starts_with(SYS) {
        return Vec::new();
    }
    let all = figures(hub, tenant).into_iter();
    all.filter(|(topic, _)| matches(filter, topic)).map(|(topic, value)| publication(topic, value)).collect()
}

/// Tells everybody who listens.
pub(crate) fn tell(hub: &Hub) {
    for tally in hub.metrics.tenants.all() {
        let tenant = tally.tenant();
        let is_heard = |topic: &str| hub.tree.has_subscribers((tenant, Space::Topics), topic);
        for (topic, value) in figures(hub, tenant).into_iter().filter(|(topic, _)| is_heard(topic)) {
            let addressed = hub.address(tenant, publication(topic, value), NOBODY);
            hub.hand_out(&addressed, None);
        }
    }
}

fn figures(hub: &Hub, tenant: TenantId) -> Vec<(&'static str, String)> {
    let traffic = hub.traffic(tenant);
    let uptime = hub.clock.now().duration_since(hub.since).as_secs();
    let dropped: u64 = traffic.drops.iter().map(|(_, count)| count).sum();
    let number = |topic, value: u64| (topic, value.to_string());
    vec![
        ("$SYS/broker/version", concat!("iomt ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("$SYS/broker/uptime", format!("{uptime} seconds")),
        number("$SYS/broker/clients/connected", traffic.sessions),
        number("$SYS/broker/clients/kept", traffic.kept_sessions),
        number("$SYS/broker/subscriptions/count", traffic.subscriptions),
        number("$SYS/broker/retained messages/count", traffic.retained),
        number("$SYS/broker/store/messages/count", traffic.kept_messages),
        number("$SYS/broker/messages/received", traffic.received),
        number("$SYS/broker/messages/sent", traffic.sent),
        number("$SYS/broker/messages/dropped", dropped),
    ]
}

fn publication(topic: &str, value: String) -> Publication {
    let (space, payload, properties) = (Space::Topics, Bytes::from(value), Bytes::new());
    let message = Message { space, topic: topic.into(), payload, properties, expires_at: None };
    Publication { message: Arc::new(message), qos: Qos::AtMostOnce, retain: true }
}
