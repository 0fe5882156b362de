//! Live changes, pushed to whoever listens: GraphQL subscriptions and MQTT subscribers.
//!
//! The feed is a convenience, never the truth: a listener that lags is told so and reads the state anew.

use std::sync::Arc;

use ahash::RandomState;
use care::Alarm;
use dashmap::DashMap;
use tenants::{PatientId, TenantId, access::Scope};
use tokio::sync::broadcast;

use crate::patient::{PatientState, WaveformChunk};

/// Changes a slow listener may fall behind before it is told that it lags (`RecvError::Lagged`) and has
/// to read the state anew. The oldest are dropped.
pub const LISTENER_BACKLOG: usize = 1_024;

/// A patient's vital signs have changed.
#[derive(Debug, Clone)]
pub struct VitalsChanged {
    /// Whose.
    pub patient: PatientId,
    /// All of them as they now stand.
    pub state: Arc<PatientState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Topic {
    AllVitals(TenantId),
    Vitals(TenantId, PatientId),
    Waveform(TenantId, PatientId),
}

/// Channels by what is listened to; one exists only while somebody listens.
struct Channels<K, T>(DashMap<K, broadcast::Sender<T>, RandomState>);

impl<K: std::hash::Hash + Eq + Clone, T: Clone> Channels<K, T> {
    fn subscribe(&self, key: K) -> broadcast::Receiver<T> {
        // Channels that lost their last listener are swept here, where the cost is not on the hot path.
        self.0.retain(|_, sender| sender.receiver_count() > 0);
        self.0.entry(key).or_insert_with(|| broadcast::channel(LISTENER_BACKLOG).0).subscribe()
    }

    fn listened(&self, key: &K) -> bool {
        !self.0.is_empty() && self.0.get(key).is_some_and(|sender| sender.receiver_count() > 0)
    }

    fn publish(&self, key: &K, change: T) {
        if let Some(sender) = self.0.get(key) {
            // An error only says that the last listener has just left.
            drop(sender.send(change));
        }
    }
}

/// Where twins publish and listeners subscribe.
pub struct Feed {
    vitals: Channels<Topic, VitalsChanged>,
    waveforms: Channels<Topic, Arc<WaveformChunk>>,
    alarms: Channels<TenantId, Arc<Alarm>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            vitals: Channels(DashMap::default()),
            waveforms: Channels(DashMap::default()),
            alarms: Channels(DashMap::default()),
        }
    }
}

impl Feed {
    /// Vitals of all patients of the scope's tenant; the listener filters by `scope.rows()`.
    pub fn all_vitals(&self, scope: &Scope) -> broadcast::Receiver<VitalsChanged> {
        self.vitals.subscribe(Topic::AllVitals(scope.tenant()))
    }
    /// Vitals of one patient, who must be within the scope.
    pub fn vitals(&self, scope: &Scope, patient: PatientId) -> broadcast::Receiver<VitalsChanged> {
        self.vitals.subscribe(Topic::Vitals(scope.tenant(), patient))
    }
    /// Waveforms of one patient, who must be within the scope.
    pub fn waveforms(&self, scope: &Scope, patient: PatientId) -> broadcast::Receiver<Arc<WaveformChunk>> {
        self.waveforms.subscribe(Topic::Waveform(scope.tenant(), patient))
    }
    /// Alarms of the scope's tenant, each after its change is committed.
    pub fn alarms(&self, scope: &Scope) -> broadcast::Receiver<Arc<Alarm>> {
        self.alarms.subscribe(scope.tenant())
    }

    /// Whether anybody listens to a patient's vitals, so that a state is only copied for someone.
    pub(crate) fn wants_vitals(&self, tenant: TenantId, patient: PatientId) -> bool {
        self.vitals.listened(&Topic::AllVitals(tenant))
            || self.vitals.listened(&Topic::Vitals(tenant, patient))
    }

    pub(crate) fn publish_vitals(&self, tenant: TenantId, change: VitalsChanged) {
        let patient = change.patient;
        self.vitals.publish(&Topic::AllVitals(tenant), change.clone());
        self.vitals.publish(&Topic::Vitals(tenant, patient), change);
    }

    pub(crate) fn wants_waveform(&self, tenant: TenantId, patient: PatientId) -> bool {
        self.waveforms.listened(&Topic::Waveform(tenant, patient))
    }

    pub(crate) fn publish_waveform(&self, tenant: TenantId, patient: PatientId, chunk: WaveformChunk) {
        self.waveforms.publish(&Topic::Waveform(tenant, patient), Arc::new(chunk));
    }

    pub(crate) fn publish_alarm(&self, tenant: TenantId, alarm: Alarm) {
        self.alarms.publish(&tenant, Arc::new(alarm));
    }
}
