//! A message on its way to subscribers.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tenants::clock::Clock;

use crate::{protocol::Qos, topics::Space};

/// What somebody says, shared by all who receive it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Among whose names its topic is.
    pub(crate) space: Space,
    /// In the tenant's name space.
    pub(crate) topic: Arc<str>,
    pub(crate) payload: Bytes,
    /// Properties that go to v5 subscribers as they came: encoded, without their length.
    pub(crate) properties: Bytes,
    /// It is not delivered from then on.
    pub(crate) expires_at: Option<Timestamp>,
}

/// A message that a program says.
#[derive(Debug, Clone)]
pub(crate) struct Publication {
    pub(crate) message: Arc<Message>,
    pub(crate) qos: Qos,
    /// Whether it was sent to be retained.
    pub(crate) retain: bool,
}

/// A message as one subscriber receives it. It is encoded when it is sent: only then is it known which packet identifier
/// and which topic alias it has, and how long it has left.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) message: Arc<Message>,
    /// The lower of the message's QoS and the subscription's.
    pub(crate) qos: Qos,
    /// How its RETAIN flag is sent.
    pub(crate) retain: bool,
    /// Where it stands in the publication log, where its subscriber's session is kept.
    pub(crate) position: Option<u64>,
    /// Whether it is what was retained when its subscriber subscribed.
    pub(crate) stored: bool,
    /// Identifiers of the subscriptions that match, of a v5 client that gave them some.
    pub(crate) subscription_ids: Vec<u32>,
}

impl Outgoing {
    /// Seconds that it has left, where its sender set it an end; `None` where that has passed.
    pub(crate) fn expires_in(&self, clock: &dyn Clock) -> Option<Option<u32>> {
        let Some(end) = self.message.expires_at else { return Some(None) };
        let left = end.duration_since(clock.now());
        // A second that has begun counts, so that what is passed on at once keeps its interval.
        let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
        (seconds > 0).then(|| Some(u32::try_from(seconds).unwrap_or(u32::MAX)))
    }

    /// Bytes that are counted for it while it waits.
    pub(crate) fn size(&self) -> usize {
        self.message.topic.len() + self.message.payload.len() + self.message.properties.len()
    }
}
