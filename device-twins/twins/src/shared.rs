//! What ingest and all twins share, and how a committed message finds its twin.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use actix::ArbiterHandle;
use ahash::RandomState;
use dashmap::DashMap;
use readings::VitalSign;
use rules::RuleSet;
use tenants::{DeviceId, PatientId, Sequence, StoreError, TenantId, clock::Clock};

use crate::{
    backlog::Backlog,
    device::{
        Decoder,
        actor::{Deliver, DeviceActor},
    },
    feed::Feed,
    ingest::FoldQueue,
    message::{DeviceRun, LogMessage},
    metrics::{Health, TwinMetrics},
    patient::{
        Vital,
        actor::{PatientActor, TakeVitals},
    },
    roster::Roster,
    store::journal::Journal,
    supervision,
};

/// Requests (`send`) that may wait in a twin's mailbox; log messages are bounded by the fold backlog.
const MAILBOX: usize = 64;

/// Finds the decoder of a template id.
pub type Decoders = Arc<dyn Fn(&str) -> Option<Arc<dyn Decoder>> + Send + Sync>;

pub(crate) type DeviceKey = (TenantId, DeviceId);
pub(crate) type PatientKey = (TenantId, PatientId);

pub(crate) struct Shared {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) decoders: Decoders,
    pub(crate) feed: Feed,
    pub(crate) folds: FoldQueue,
    pub(crate) backlog: Backlog,
    pub(crate) metrics: TwinMetrics,
    pub(crate) health: Health,
    pub(crate) devices: Roster<DeviceKey, DeviceActor>,
    pub(crate) patients: Roster<PatientKey, PatientActor>,
    pub(crate) arbiters: Vec<ArbiterHandle>,
    rules: DashMap<TenantId, Arc<RuleSet>, RandomState>,
    marks: DashMap<TenantId, Marks, RandomState>,
    /// Held while snapshots are taken: nobody's are written after they were let go.
    pub(crate) checkpointing: tokio::sync::Mutex<()>,
    placement: RandomState,
}

/// Places in a tenant's log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks {
    /// Every message up to here is on its way to its twin, or there already.
    pub(crate) committed: Sequence,
    /// Every message up to here is in its twin's mailbox.
    pub(crate) delivered: Sequence,
    /// Every message up to here is in its twin's snapshot.
    pub(crate) checkpoint: Sequence,
}

/// What [`Shared`] is made of.
pub(crate) struct Parts {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) decoders: Decoders,
    pub(crate) folds: FoldQueue,
    pub(crate) arbiters: Vec<ArbiterHandle>,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            journal: parts.journal,
            clock: parts.clock,
            decoders: parts.decoders,
            feed: Feed::default(),
            folds: parts.folds,
            backlog: Backlog::new(),
            metrics: TwinMetrics::default(),
            health: Health::default(),
            devices: Roster::default(),
            patients: Roster::default(),
            arbiters: parts.arbiters,
            rules: DashMap::default(),
            marks: DashMap::default(),
            checkpointing: tokio::sync::Mutex::default(),
            placement: RandomState::new(),
        }
    }

    /// Hands committed messages, which go up to `last`, to their twins; waits while too many are unfolded.
    pub(crate) async fn deliver(self: &Arc<Self>, tenant: TenantId, runs: Vec<DeviceRun>, last: Sequence) {
        // Before the first is handed over: a twin that restarts reads the log up to here.
        self.mark(tenant, |marks| marks.committed = marks.committed.max(last));
        let count: usize = runs.iter().map(|run| run.messages.len()).sum();
        let mut credit = self.backlog.take(count).await;
        let mut by_device: HashMap<DeviceId, Vec<LogMessage>, RandomState> = HashMap::default();
        for run in runs {
            match by_device.get_mut(&run.device) {
                Some(messages) => messages.extend(run.messages),
                None => {
                    by_device.insert(run.device, run.messages);
                }
            }
        }
        for (device, messages) in by_device {
            let credit = credit.split(messages.len());
            self.with_device(&(tenant, device), |address, ticket| {
                address.do_send(Deliver { messages, credit: Some(credit), ticket });
            });
        }
        self.mark(tenant, |marks| marks.delivered = marks.delivered.max(last));
    }

    /// Passes a device's newest vitals on to its patient.
    pub(crate) fn tell_patient(
        self: &Arc<Self>,
        key: PatientKey,
        device: DeviceId,
        sequence: Sequence,
        vitals: Vec<(VitalSign, Vital)>,
    ) {
        self.with_patient(&key, |address, ticket| {
            address.do_send(TakeVitals { device, sequence, vitals, _ticket: ticket });
        });
    }

    pub(crate) fn with_device<T>(
        self: &Arc<Self>,
        key: &DeviceKey,
        tell: impl FnOnce(&actix::Addr<DeviceActor>, crate::roster::Ticket) -> T,
    ) -> Option<T> {
        let arbiter = self.arbiter(key)?;
        let start = |activity| {
            let (shared, key) = (self.clone(), key.clone());
            let make = move || DeviceActor::new(shared, key, activity);
            supervision::start(arbiter, MAILBOX, self.metrics.clone(), make)
        };
        Some(self.devices.tell(key, start, tell))
    }

    pub(crate) fn with_patient<T>(
        self: &Arc<Self>,
        key: &PatientKey,
        tell: impl FnOnce(&actix::Addr<PatientActor>, crate::roster::Ticket) -> T,
    ) -> Option<T> {
        let arbiter = self.arbiter(key)?;
        let start = |activity| {
            let (shared, key) = (self.clone(), *key);
            let make = move || PatientActor::new(shared, key, activity);
            supervision::start(arbiter, MAILBOX, self.metrics.clone(), make)
        };
        Some(self.patients.tell(key, start, tell))
    }

    /// The thread a twin lives on. `None` only when there are no arbiters, which [`crate::Twins`] rules out.
    fn arbiter(&self, key: &impl Hash) -> Option<&ArbiterHandle> {
        let hash = usize::try_from(self.placement.hash_one(key) >> 1).unwrap_or_default();
        self.arbiters.get(hash.checked_rem(self.arbiters.len())?)
    }

    /// The tenant's rules, read from the database the first time.
    pub(crate) async fn rules(&self, tenant: TenantId) -> Result<Arc<RuleSet>, StoreError> {
        if let Some(known) = self.rules.get(&tenant) {
            return Ok(known.clone());
        }
        self.reload_rules(tenant).await
    }

    pub(crate) async fn reload_rules(&self, tenant: TenantId) -> Result<Arc<RuleSet>, StoreError> {
        let rules = Arc::new(RuleSet::from(self.journal.rules(tenant).await?));
        self.rules.insert(tenant, rules.clone());
        Ok(rules)
    }

    pub(crate) fn marks(&self, tenant: TenantId) -> Marks {
        self.marks.get(&tenant).map(|marks| *marks).unwrap_or_default()
    }

    pub(crate) fn mark(&self, tenant: TenantId, change: impl FnOnce(&mut Marks)) {
        change(&mut self.marks.entry(tenant).or_default());
    }

    /// Lets go of a tenant's twins, rules and marks.
    pub(crate) fn dismiss(&self, tenant: TenantId) {
        self.devices.dismiss(|(of, _)| *of == tenant);
        self.patients.dismiss(|(of, _)| *of == tenant);
        self.rules.remove(&tenant);
        self.marks.remove(&tenant);
    }

    pub(crate) fn tenants(&self) -> Vec<TenantId> {
        self.marks.iter().map(|entry| *entry.key()).collect()
    }
}
