//! What devices and programs may take up that are connected.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{QuotaError, Quotas};

/// What a hospital allows of them. All but the first is of each one, told to it where the protocol has words for it, and counts
/// from its next connection on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientQuotas {
    /// That are connected at once.
    pub connections: u32,
    /// Largest packet that it sends, in bytes, fixed header included.
    pub packet_bytes: u32,
    /// Messages that it sends before the first is acknowledged.
    pub receive_maximum: u32,
    /// Messages of QoS 1 and 2 that it is sent before it acknowledges the first.
    pub in_flight: u32,
    /// Messages that wait for it while it is connected: those of QoS 0, and as many others.
    pub queued_messages: u32,
    /// Filters that it subscribes to.
    pub subscriptions: u32,
}

impl Default for ClientQuotas {
    /// What a bedside device or a program of a hospital does not reach.
    fn default() -> Self {
        Self {
            connections: 50_000,
            packet_bytes: Self::MOST_PACKET_BYTES,
            receive_maximum: 1_024,
            in_flight: 64,
            queued_messages: 1_000,
            subscriptions: 64,
        }
    }
}

impl ClientQuotas {
    /// The largest payload that device templates accept, 256 KiB, with its header, topic and properties.
    pub const MOST_PACKET_BYTES: u32 = (256 + 4) * 1024;
    /// Anything smaller has no room for what the platform itself has to hear.
    pub const LEAST_PACKET_BYTES: u32 = 1024;
    /// As many as there are packet identifiers.
    pub const MOST_UNACKNOWLEDGED: u32 = 65_535;
    /// What is still found through quickly, and written down when it is kept.
    pub const MOST_QUEUED: u32 = 100_000;
    /// As the last.
    pub const MOST_SUBSCRIPTIONS: u32 = 1_000;

    /// The first that is not in its bounds.
    pub(super) fn fault(&self) -> Option<QuotaError> {
        let Self { connections, packet_bytes, receive_maximum, in_flight, queued_messages, subscriptions } =
            *self;
        [
            ("clients.connections", connections, 1, Quotas::MOST),
            ("clients.packetBytes", packet_bytes, Self::LEAST_PACKET_BYTES, Self::MOST_PACKET_BYTES),
            ("clients.receiveMaximum", receive_maximum, 1, Self::MOST_UNACKNOWLEDGED),
            ("clients.inFlight", in_flight, 1, Self::MOST_UNACKNOWLEDGED),
            ("clients.queuedMessages", queued_messages, 1, Self::MOST_QUEUED),
            ("clients.subscriptions", subscriptions, 1, Self::MOST_SUBSCRIPTIONS),
        ]
        .into_iter()
        .find(|(_, value, least, most)| !(least..=most).contains(&value))
        .map(|(quota, _, least, most)| QuotaError { quota, least, most })
    }
}

impl fmt::Display for ClientQuotas {
    /// For audit trails.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, packet_bytes, receive_maximum, in_flight, queued_messages, subscriptions } =
            self;
        write!(f, "{connections} connected at once, each with packets of {packet_bytes} bytes, ")?;
        write!(f, "{receive_maximum} unacknowledged, {in_flight} in flight, {queued_messages} queued, ")?;
        write!(f, "{subscriptions} subscriptions")
    }
}
