//! What is counted of each tenant, for whoever looks after its fleet and its programs.

use std::{collections::HashMap, sync::Arc};

use ahash::RandomState;
use parking_lot::Mutex;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tenants::{TenantId, messaging::Traffic};

use crate::metrics::Loss;

/// Whose.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    tenant: String,
}

/// Whose, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lost {
    tenant: String,
    reason: &'static str,
}

/// The tallies of all tenants, by tenant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tallies {
    known: Arc<Mutex<HashMap<TenantId, Arc<Tally>, RandomState>>>,
    families: Families,
}

#[derive(Debug, Clone, Default)]
struct Families {
    sessions: Family<Of, Gauge>,
    kept_sessions: Family<Of, Gauge>,
    kept_messages: Family<Of, Gauge>,
    subscriptions: Family<Of, Gauge>,
    received: Family<Of, Counter>,
    sent: Family<Of, Counter>,
    drops: Family<Lost, Counter>,
}

/// What is counted of one tenant since the process began.
#[derive(Debug)]
pub(crate) struct Tally {
    tenant: TenantId,
    pub(crate) sessions: Gauge,
    pub(crate) kept_sessions: Gauge,
    pub(crate) kept_messages: Gauge,
    pub(crate) subscriptions: Gauge,
    pub(crate) received: Counter,
    pub(crate) sent: Counter,
    drops: Family<Lost, Counter>,
}

impl Tallies {
    pub(crate) fn register(&self, mqtt: &mut Registry) {
        let of = mqtt.sub_registry_with_prefix("tenant");
        let families = &self.families;
        of.register("sessions", "Clients connected, by tenant", families.sessions.clone());
        of.register("kept_sessions", "Sessions that are kept, by tenant", families.kept_sessions.clone());
        of.register(
            "kept_messages",
            "Messages that the publication log holds for sessions that are kept, by tenant",
            families.kept_messages.clone(),
        );
        of.register("subscriptions", "Subscriptions, by tenant", families.subscriptions.clone());
        of.register("messages_received", "Messages taken from clients, by tenant", families.received.clone());
        of.register("messages_sent", "Messages sent to clients, by tenant", families.sent.clone());
        of.register("drops", "Messages dropped, by tenant and reason", families.drops.clone());
    }

    pub(crate) fn of(&self, tenant: TenantId) -> Arc<Tally> {
        let make = || {
            let (of, families) = (Of { tenant: tenant.to_string() }, &self.families);
            Arc::new(Tally {
                tenant,
                sessions: families.sessions.get_or_create_owned(&of),
                kept_sessions: families.kept_sessions.get_or_create_owned(&of),
                kept_messages: families.kept_messages.get_or_create_owned(&of),
                subscriptions: families.subscriptions.get_or_create_owned(&of),
                received: families.received.get_or_create_owned(&of),
                sent: families.sent.get_or_create_owned(&of),
                drops: families.drops.clone(),
            })
        };
        Arc::clone(self.known.lock().entry(tenant).or_insert_with(make))
    }

    pub(crate) fn all(&self) -> Vec<Arc<Tally>> {
        self.known.lock().values().cloned().collect()
    }

    /// The tenant has left: nothing is shown of it any more.
    pub(crate) fn forget(&self, tenant: TenantId) {
        if self.known.lock().remove(&tenant).is_none() {
            return;
        }
        let (of, families) = (Of { tenant: tenant.to_string() }, &self.families);
        for gauges in
            [&families.sessions, &families.kept_sessions, &families.kept_messages, &families.subscriptions]
        {
            gauges.remove(&of);
        }
        families.received.remove(&of);
        families.sent.remove(&of);
        for reason in Loss::ALL.map(Loss::label) {
            families.drops.remove(&Lost { tenant: of.tenant.clone(), reason });
        }
    }
}

impl Tally {
    pub(crate) const fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(crate) fn dropped(&self, loss: Loss, messages: u64) {
        let lost = Lost { tenant: self.tenant.to_string(), reason: loss.label() };
        self.drops.get_or_create(&lost).inc_by(messages);
    }

    /// All of it; `retained`: how many messages are.
    pub(crate) fn traffic(&self, retained: usize) -> Traffic {
        let tenant = self.tenant.to_string();
        let drops = Loss::ALL.map(|loss| {
            let lost = Lost { tenant: tenant.clone(), reason: loss.label() };
            (loss.label(), self.drops.get(&lost).map_or(0, |counter| counter.get()))
        });
        Traffic {
            sessions: now(&self.sessions),
            kept_sessions: now(&self.kept_sessions),
            kept_messages: now(&self.kept_messages),
            subscriptions: now(&self.subscriptions),
            retained: retained as u64,
            received: self.received.get(),
            sent: self.sent.get(),
            drops: drops.into_iter().filter(|(_, count)| *count > 0).collect(),
        }
    }
}

fn now(gauge: &Gauge) -> u64 {
    gauge.get().try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenant_has_its_own_and_takes_it_along() {
        let tallies = Tallies::default();
        let (one, other) = (TenantId::from_uuid(uuid::Uuid::from_u128(1)), TenantId::PLATFORM);
        tallies.of(one).received.inc_by(3);
        tallies.of(one).dropped(Loss::QueueFull, 2);
        tallies.of(other).sessions.inc();
        let traffic = tallies.of(one).traffic(7);
        assert_eq!((traffic.received, traffic.retained, traffic.sessions), (3, 7, 0));
        assert_eq!(traffic.drops, [("queue_full", 2)]);
        assert_eq!(tallies.of(other).traffic(0).sessions, 1);
        let shown = || {
            let (mut registry, mut text) = (Registry::default(), String::new());
            tallies.register(&mut registry);
            prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
            text
        };
        assert!(shown().contains(&one.to_string()));
        tallies.forget(one);
        assert!(!shown().contains(&one.to_string()) && shown().contains(&other.to_string()));
        assert_eq!(tallies.of(one).traffic(0).received, 0);
    }
}
