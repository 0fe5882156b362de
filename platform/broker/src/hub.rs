//! What all connections of a broker share.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use jiff::{SignedDuration, Timestamp};
use tenants::{
    CorrelationId, TenantId,
    clock::Clock,
    messaging::{Mailboxes, Traffic},
};

use crate::{
    config::BrokerConfig,
    exchange::Exchange,
    gate::{Gatekeeper, Ingest},
    kept::Kept,
    mailbox::Mailbox,
    metrics::BrokerMetrics,
    registry::Registry,
    retained::Retained,
    session::outbox::Outbox,
    tree::Tree,
};

pub(crate) struct Hub {
    pub(crate) config: BrokerConfig,
    pub(crate) gatekeeper: Arc<dyn Gatekeeper>,
    pub(crate) ingest: Arc<dyn Ingest>,
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

    /// When a message ends that lasts so many seconds from now on.
    pub(crate) fn expiry(&self, seconds: u32) -> Timestamp {
        self.clock.now().checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(Timestamp::MAX)
    }
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
