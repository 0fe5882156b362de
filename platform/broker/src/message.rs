//! A message on its way to subscribers.

use std::sync::Arc;

use bytes::Bytes;

use crate::protocol::Qos;

/// What the platform says, shared by all who receive it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// In the tenant's name space.
    pub(crate) topic: Arc<str>,
    pub(crate) payload: Bytes,
}

/// A message as one subscriber receives it. It is encoded when it is sent: only then is it known which packet identifier
/// and which topic alias it has.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) message: Arc<Message>,
    /// The lower of the message's QoS and the subscription's.
    pub(crate) qos: Qos,
    /// How many bytes at the start of the topic the client does not see.
    pub(crate) prefix_bytes: usize,
    /// Identifiers of the subscriptions that match, of a v5 client that gave them some.
    pub(crate) subscription_ids: Vec<u32>,
}

impl Outgoing {
    /// The topic as the client sees it.
    pub(crate) fn topic(&self) -> &str {
        self.message.topic.get(self.prefix_bytes..).unwrap_or_default()
    }

    /// Bytes that are counted for it while it waits.
    pub(crate) fn size(&self) -> usize {
        self.topic().len() + self.message.payload.len()
    }
}
