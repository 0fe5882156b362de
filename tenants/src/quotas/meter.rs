//! Rates of the hospitals as this process sees them: how fast each goes, and when one has to wait.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use prometheus_client::{metrics::counter::Counter, registry::Registry};

use super::{
    ClientQuotas, Quotas, TooMuch, Who,
    pace::{Pace, Rate},
};
use crate::{
    account::Tenant,
    clock::Stopwatch,
    ids::{DeviceId, TenantId},
};

/// Seconds that are looked back on.
const LOOK_BACK: usize = 60;
/// Seconds after which devices are forgotten that say nothing.
const FORGET_EVERY: u64 = 60;
/// Over how many of them a current rate is taken.
const CURRENT: usize = 10;

/// Keeps each hospital to its rates. What is asked of it is answered from memory; nobody waits for another hospital.
pub struct Meter {
    started: Stopwatch,
    seconds: AtomicU64,
    hospitals: RwLock<HashMap<TenantId, Arc<Metered>>>,
    metrics: QuotaMetrics,
}

/// What all hospitals together were held to, since this process started. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct QuotaMetrics {
    held_back: Counter,
    refused_messages: Counter,
    refused_of_devices: Counter,
    refused_queries: Counter,
}

impl QuotaMetrics {
    /// Adds them to a registry, all named `quota_...`. None names a hospital.
    pub fn register(&self, registry: &mut Registry) {
        let quota = registry.sub_registry_with_prefix("quota");
        let help = "Messages that waited because their hospital or their device was at its rate";
        quota.register("messages_held_back", help, self.held_back.clone());
        let help = "Messages that were refused, to be sent again, because their hospital was over its rate";
        quota.register("messages_refused", help, self.refused_messages.clone());
        let help = "Messages that were refused, to be sent again, because their device was over its rate";
        quota.register("device_messages_refused", help, self.refused_of_devices.clone());
        let help = "Queries that were refused because their hospital was over its rate";
        quota.register("queries_refused", help, self.refused_queries.clone());
    }
}

/// How fast a hospital goes, as this process has seen it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Mean of the last ten seconds.
    pub messages_per_second: u64,
    /// The busiest second of the last minute.
    pub busiest_second: u64,
    /// Cost of the queries of the last minute.
    pub query_cost: u64,
    /// Messages that waited for their turn since the process started.
    pub held_back: u64,
    /// Messages that were refused since the process started, to be sent again.
    pub refused_messages: u64,
    /// Queries that were refused since the process started.
    pub refused_queries: u64,
}

struct Metered {
    quotas: RwLock<Quotas>,
    messages: Used,
    /// How fast each device goes, as far as it has said something lately.
    devices: RwLock<HashMap<DeviceId, Pace>>,
    queries: Used,
    held_back: AtomicU64,
}

/// One rate: what went through, second by second, and what did not.
#[derive(Default)]
struct Used {
    pace: Pace,
    total: AtomicU64,
    refused: AtomicU64,
    recent: Mutex<Recent>,
}

struct Recent {
    seconds: [u64; LOOK_BACK],
    next: usize,
    counted: u64,
}

impl Default for Recent {
    fn default() -> Self {
        Self { seconds: [0; LOOK_BACK], next: 0, counted: 0 }
    }
}

impl Recent {
    /// The second that ends now had what was added since the last one ended.
    fn end_second(&mut self, total: u64) {
        if let Some(second) = self.seconds.get_mut(self.next) {
            *second = total.saturating_sub(self.counted);
        }
        (self.counted, self.next) = (total, (self.next + 1) % LOOK_BACK);
    }

    fn last(&self, seconds: usize) -> u64 {
        let oldest_first = self.seconds.iter().cycle().skip(self.next).take(LOOK_BACK);
        oldest_first.skip(LOOK_BACK - seconds.min(LOOK_BACK)).sum()
    }

    fn busiest(&self) -> u64 {
        self.seconds.iter().copied().max().unwrap_or_default()
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").finish_non_exhaustive()
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            started: Stopwatch::start(),
            seconds: AtomicU64::default(),
            hospitals: RwLock::default(),
            metrics: QuotaMetrics::default(),
        }
    }
}

impl Meter {
    /// Takes note of what hospitals may use, and of hospitals that are gone. One that is not known yet has the default.
    pub fn know(&self, hospitals: &[Tenant]) {
        for tenant in hospitals {
            self.allow(tenant.id, tenant.quotas);
        }
        let aboard: HashSet<TenantId> = hospitals.iter().map(|tenant| tenant.id).collect();
        self.hospitals.write().retain(|known, _| aboard.contains(known));
    }

    /// Takes note of what one hospital may use from now on.
    pub fn allow(&self, tenant: TenantId, quotas: Quotas) {
        let metered = self.of(tenant);
        let before = std::mem::replace(&mut *metered.quotas.write(), quotas);
        // Whoever waits already goes on waiting; others find the new rate at rest.
        if before.messages_per_second != quotas.messages_per_second {
            metered.messages.pace.rest();
        }
        if before.device_messages_per_second != quotas.device_messages_per_second {
            metered.devices.write().clear();
        }
        if before.query_cost_per_minute != quotas.query_cost_per_minute {
            metered.queries.pace.rest();
        }
    }

    /// To be called once a second.
    pub fn end_second(&self) {
        let now = self.started.elapsed();
        let forgets = self.seconds.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY);
        for metered in self.hospitals.read().values() {
            for used in [&metered.messages, &metered.queries] {
                used.recent.lock().end_second(used.total.load(Ordering::Relaxed));
            }
            if forgets {
                metered.devices.write().retain(|_, pace| !pace.rests(now));
            }
        }
    }

    /// How long these messages, of a device or of a program, have to wait before they are taken; whoever comes later waits
    /// behind them.
    ///
    /// # Errors
    /// [`TooMuch`] when that would be longer than `patience`: nothing of the hospital's rate is taken then, so that a device
    /// that is refused does not use it up.
    pub fn messages(
        &self,
        tenant: TenantId,
        device: Option<&DeviceId>,
        count: u64,
        patience: Duration,
    ) -> Result<Duration, TooMuch> {
        let metered = self.of(tenant);
        let (now, quotas) = (self.started.elapsed(), *metered.quotas.read());
        let taken = match device {
            Some(device) => metered.of_device(device, now, count, (&quotas, patience)),
            None => Ok(Duration::ZERO),
        };
        let taken = taken.and_then(|own| {
            let rate = a_second(quotas.messages_per_second);
            let shared = metered.messages.take(now, count, rate, patience);
            shared.map(|shared| shared.max(own)).map_err(|wait| (Who::Hospital, rate.amount, wait))
        });
        match taken {
            Ok(wait) => {
                if !wait.is_zero() {
                    metered.held_back.fetch_add(count, Ordering::Relaxed);
                    self.metrics.held_back.inc_by(count);
                }
                Ok(wait)
            }
            Err((who, limit, retry_after)) => {
                metered.messages.refused.fetch_add(count, Ordering::Relaxed);
                match who {
                    Who::Hospital => self.metrics.refused_messages.inc_by(count),
                    Who::Device => self.metrics.refused_of_devices.inc_by(count),
                };
                Err(TooMuch { who, what: "messages a second", limit, retry_after })
            }
        }
    }

    /// Takes a query of a cost.
    ///
    /// # Errors
    /// [`TooMuch`] when the hospital has used up its minute's worth.
    pub fn query(&self, tenant: TenantId, cost: u64) -> Result<(), TooMuch> {
        let metered = self.of(tenant);
        let limit = metered.quotas.read().query_cost_per_minute;
        let rate = Rate { amount: limit, period: Duration::from_secs(60) };
        match metered.queries.take(self.started.elapsed(), cost, rate, Duration::ZERO) {
            Ok(_) => Ok(()),
            Err(retry_after) => {
                metered.queries.refused.fetch_add(1, Ordering::Relaxed);
                self.metrics.refused_queries.inc();
                Err(TooMuch { who: Who::Hospital, what: "query cost a minute", limit, retry_after })
            }
        }
    }

    /// What devices and programs of a hospital may take up that are connected.
    pub fn clients(&self, tenant: TenantId) -> ClientQuotas {
        self.of(tenant).quotas.read().clients
    }

    /// How fast a hospital goes.
    pub fn seen(&self, tenant: TenantId) -> Seen {
        let metered = self.of(tenant);
        let (messages, queries) = (metered.messages.recent.lock(), metered.queries.recent.lock());
        Seen {
            messages_per_second: messages.last(CURRENT) / CURRENT as u64,
            busiest_second: messages.busiest(),
            query_cost: queries.last(LOOK_BACK),
            held_back: metered.held_back.load(Ordering::Relaxed),
            refused_messages: metered.messages.refused.load(Ordering::Relaxed),
            refused_queries: metered.queries.refused.load(Ordering::Relaxed),
        }
    }

    /// What it counts.
    pub fn metrics(&self) -> &QuotaMetrics {
        &self.metrics
    }

    fn of(&self, tenant: TenantId) -> Arc<Metered> {
        if let Some(known) = self.hospitals.read().get(&tenant) {
            return Arc::clone(known);
        }
        Arc::clone(self.hospitals.write().entry(tenant).or_insert_with(|| {
            Arc::new(Metered {
                quotas: RwLock::default(),
                messages: Used::default(),
                devices: RwLock::default(),
                queries: Used::default(),
                held_back: AtomicU64::default(),
            })
        }))
    }
}

impl Metered {
    /// How long messages of a device have to wait for its own sake.
    fn of_device(
        &self,
        device: &DeviceId,
        now: Duration,
        count: u64,
        (quotas, patience): (&Quotas, Duration),
    ) -> Result<Duration, (Who, u32, Duration)> {
        let rate = a_second(quotas.device_messages_per_second);
        let take = |pace: &Pace| pace.take(now, count, rate, patience);
        // Bound first: the lock is not held while the other is waited for.
        let known = self.devices.read().get(device).map(take);
        let taken = known.unwrap_or_else(|| take(self.devices.write().entry(device.clone()).or_default()));
        taken.map_err(|wait| (Who::Device, rate.amount, wait))
    }
}

const fn a_second(amount: u32) -> Rate {
    Rate { amount, period: Duration::from_secs(1) }
}

impl Used {
    fn take(&self, now: Duration, amount: u64, rate: Rate, patience: Duration) -> Result<Duration, Duration> {
        let wait = self.pace.take(now, amount, rate, patience)?;
        self.total.fetch_add(amount, Ordering::Relaxed);
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::ManualClock, ids::TenantSlug};

    fn hospital(slug: &str, quotas: Quotas) -> Tenant {
        let clock = ManualClock::new("2026-01-02T03:00:00Z".parse().unwrap());
        let tenant = Tenant::new(TenantId::new(&clock), TenantSlug::parse(slug).unwrap(), slug);
        Tenant { quotas, ..tenant }
    }

    #[test]
    fn one_at_its_limit_waits_and_the_other_does_not() {
        let small = Quotas { messages_per_second: 10, query_cost_per_minute: 100, ..Quotas::default() };
        let (slow, other) = (hospital("slow", small), hospital("other", Quotas::default()));
        let meter = Meter::default();
        meter.know(&[slow.clone(), other.clone()]);
        let patience = Duration::from_secs(30);
        assert!(meter.messages(slow.id, None, 10, patience).unwrap().is_zero());
        assert!(meter.messages(slow.id, None, 10, patience).unwrap() > Duration::from_millis(900));
        let refused = meter.messages(slow.id, None, 1_000, patience).unwrap_err();
        assert_eq!((refused.limit, refused.kind()), (10, crate::ErrorKind::RateLimited));
        assert!(refused.to_string().starts_with("the hospital has used up its 10 messages a second; try"));
        assert!(meter.messages(other.id, None, 1_000, patience).unwrap().is_zero());
        assert!(meter.query(slow.id, 100).is_ok());
        let refused = meter.query(slow.id, 50).unwrap_err();
        assert!((29..=31).contains(&refused.retry_after.as_secs()), "{refused}");
        assert!(meter.query(other.id, 5_000).is_ok());

        meter.end_second();
        let seen = meter.seen(slow.id);
        assert_eq!((seen.messages_per_second, seen.busiest_second, seen.query_cost), (2, 20, 100));
        assert_eq!((seen.held_back, seen.refused_messages, seen.refused_queries), (10, 1_000, 1));
        for _ in 0..CURRENT {
            meter.end_second();
        }
        assert_eq!((meter.seen(slow.id).messages_per_second, meter.seen(slow.id).busiest_second), (0, 20));
        for _ in 0..LOOK_BACK {
            meter.end_second();
        }
        assert_eq!(meter.seen(slow.id).busiest_second, 0);
        let metrics = meter.metrics();
        assert_eq!((metrics.held_back.get(), metrics.refused_messages.get()), (10, 1_000));
        assert_eq!(metrics.refused_queries.get(), 1);

        // What it may is changed while it runs; who is gone is forgotten.
        meter.know(&[Tenant { quotas: Quotas::default(), ..slow.clone() }]);
        assert!(meter.messages(slow.id, None, 1_000, Duration::ZERO).unwrap().is_zero());
        assert_eq!(meter.seen(other.id), Seen::default());
    }

    #[test]
    fn a_device_at_its_limit_waits_and_the_others_of_its_hospital_do_not() {
        let quotas =
            Quotas { messages_per_second: 1_000, device_messages_per_second: 10, ..Quotas::default() };
        let hospital = hospital("ash", quotas);
        let meter = Meter::default();
        meter.know(std::slice::from_ref(&hospital));
        let [pump, monitor] = ["pump-1", "monitor-1"].map(|id| DeviceId::parse(id).unwrap());
        let take = |device, count| meter.messages(hospital.id, device, count, Duration::from_secs(30));
        assert!(take(Some(&pump), 10).unwrap().is_zero());
        assert!(take(Some(&pump), 10).unwrap() > Duration::from_millis(900));
        let refused = take(Some(&pump), 400).unwrap_err();
        assert_eq!((refused.who, refused.limit), (Who::Device, 10));
        assert!(refused.to_string().starts_with("the device has used up its 10 messages a second; try"));
        assert!(take(Some(&monitor), 10).unwrap().is_zero());
        assert!(take(None, 900).unwrap().is_zero(), "what was refused is not the hospital's either");
        assert!(take(None, 200).unwrap() > Duration::from_millis(50), "what was taken is");
        let metrics = meter.metrics();
        assert_eq!((metrics.refused_of_devices.get(), metrics.refused_messages.get()), (400, 0));
        assert_eq!(meter.seen(hospital.id).refused_messages, 400);

        meter.end_second();
        let kept = || meter.of(hospital.id).devices.read().keys().cloned().collect::<Vec<_>>();
        assert_eq!(kept().len(), 2, "they still pay");
        meter.allow(hospital.id, Quotas::default());
        assert!(kept().is_empty(), "what was slow is at rest");
        assert!(take(Some(&pump), 400).unwrap().is_zero());
    }
}
