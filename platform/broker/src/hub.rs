//! What all connections of a broker share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tenants::{
    CorrelationId, TenantId,
    clock::Clock,
    messaging::{Mailboxes, Traffic},
};

use crate::{
    config::BrokerConfig,
    exchange::Exchange,
    fan_out::{Delivery, NOBODY},
    gate::{Attendant, Gatekeeper, Ingest},
    kept::Kept,
    mailbox::Mailbox,
    message::{Message, Publication},
    metrics::BrokerMetrics,
    protocol::Qos,
    registry::Registry,
    retained::Retained,
    session::outbox::Outbox,
    topics::Space,
    tree::Tree,
};

pub(crate) struct Hub {
    pub(crate) config: BrokerConfig,
    pub(crate) gatekeeper: Arc<dyn Gatekeeper>,
    pub(crate) ingest: Arc<dyn Ingest>,
    pub(crate) attendant: Arc<dyn Attendant>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: BrokerMetrics,
    pub(crate) correlations: Correlations,
    pub(crate) tree: Tree<Reach>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) store: Arc<dyn Mailboxes>,
    pub(crate) exchange: Exchange,
    pub(crate) kept: Kept,
    pub(crate) retained: Retained,
    /// When the process began to serve.
    pub(crate) since: Timestamp,
}

impl Hub {
    /// What was done for a tenant, and what is held for it.
    pub(crate) fn traffic(&self, tenant: TenantId) -> Traffic {
        self.metrics.tenants.of(tenant).traffic(self.retained.count(tenant))
    }

    /// Says something in the platform's own name space. It is kept for subscribers whose sessions are.
    pub(crate) fn say(&self, tenant: TenantId, saying: Said<'_>) -> Delivery {
        let Said { topic, payload, qos, expires_at } = saying;
        let space = Space::Platform;
        let message = Message { space, topic: topic.into(), payload, properties: Bytes::new(), expires_at };
        let publication = Publication { message: Arc::new(message), qos, retain: false };
        let addressed = self.address(tenant, publication, NOBODY);
        let delivery = Delivery { queued: addressed.count(), dropped: 0 };
        if !addressed.is_kept() {
            return self.hand_out(&addressed, None);
        }
        match self.exchange.publish(addressed) {
            Ok(()) => delivery,
            Err(addressed) => self.hand_out(&addressed, None),
        }
    }

    /// How long it is until then; nothing where that has passed.
    pub(crate) fn until(&self, then: Timestamp) -> Duration {
        Duration::try_from(then.duration_since(self.clock.now())).unwrap_or_default()
    }

    /// When a message ends that lasts so many seconds from now on.
    pub(crate) fn expiry(&self, seconds: u32) -> Timestamp {
        self.clock.now().checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(Timestamp::MAX)
    }
}

/// What the platform says.
pub(crate) struct Said<'a> {
    /// In the tenant's name space; a topic.
    pub(crate) topic: &'a str,
    pub(crate) payload: Bytes,
    pub(crate) qos: Qos,
    pub(crate) expires_at: Option<Timestamp>,
}

/// How a subscriber is reached.
#[derive(Clone)]
pub(crate) enum Reach {
    /// Through its connection, with which its session ends.
    Live(Arc<Outbox>),
    /// Through a session that is kept.
    Kept(Arc<Mailbox>),
}

/// Hands out correlation ids: unique within the process, and not used again by the next one.
pub(crate) struct Correlations(AtomicU64);

impl Correlations {
    /// Starts at the time of day in units of 1/4,096 microseconds, so that ids move on faster than any
    /// broker can use them up and a restarted process starts behind its predecessor's last.
    pub(crate) fn starting(now: Timestamp) -> Self {
        let microseconds = u64::try_from(now.as_microsecond()).unwrap_or_default();
        Self(AtomicU64::new(microseconds.wrapping_shl(12)))
    }

    /// The first of `count` consecutive ids.
    pub(crate) fn take(&self, count: usize) -> CorrelationId {
        CorrelationId(self.0.fetch_add(count as u64, Ordering::Relaxed))
    }
}
