//! Passes live changes on to MQTT subscribers: `feed/patients/<id>/vitals` and
//! `feed/alarms/<priority>/<id>`, of patients whose records are not restricted.

use std::{collections::HashSet, sync::Arc, time::Duration};

use broker::{Handle, Qos};
use bytes::Bytes;
use care::Alarm;
use parking_lot::Mutex;
use serde::Serialize;
use tenants::{PatientId, TenantId, access::Scope};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;
use twins::{Twins, feed::VitalsChanged, patient::Vital, store::directory::Patients};

/// How often it is looked whose records are restricted.
const RESTRICTED_EVERY: Duration = Duration::from_millis(500);

/// Starts one relay per tenant, when the tenant's first application connects.
pub(crate) struct FeedRelay {
    twins: Twins,
    patients: Arc<dyn Patients>,
    broker: Handle,
    relayed: Mutex<HashSet<TenantId>>,
    shutdown: CancellationToken,
}

#[derive(Serialize)]
struct VitalMessage<'a> {
    sign: &'static str,
    #[serde(flatten)]
    vital: &'a Vital,
    unit: Option<String>,
}

impl FeedRelay {
    pub(crate) fn new(
        twins: Twins,
        patients: Arc<dyn Patients>,
        broker: Handle,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self { twins, patients, broker, relayed: Mutex::default(), shutdown })
    }

    /// An application of the tenant was admitted; `patients` and `alarms` are what it may read.
    pub(crate) fn admitted(self: &Arc<Self>, patients: &Scope, alarms: &Scope) {
        if !self.relayed.lock().insert(patients.tenant()) {
            return;
        }
        let feed = self.twins.feed();
        let (vitals, changes) = (feed.all_vitals(patients), feed.alarms(alarms));
        let relay = self.clone();
        let relaying = relay.run(patients.clone(), vitals, changes);
        tokio::spawn(self.shutdown.clone().run_until_cancelled_owned(relaying));
    }

    /// Until the feed ends. A relay that lags goes on with what is newest: a feed tells changes, and every vitals
    /// message holds the whole state.
    async fn run(
        self: Arc<Self>,
        scope: Scope,
        mut vitals: Receiver<VitalsChanged>,
        mut alarms: Receiver<Arc<Alarm>>,
    ) {
        let tenant = scope.tenant();
        let mut restricted = None;
        let mut due = tokio::time::interval(RESTRICTED_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let missed = tokio::select! {
                biased;
                _ = due.tick() => {
                    restricted = self.restricted(&scope).await;
                    continue;
                }
                change = vitals.recv() => change.map(|change| {
                    if is_open(restricted.as_ref(), Some(change.patient)) {
                        self.vitals(tenant, &change);
                    }
                }),
                alarm = alarms.recv() => alarm.map(|alarm| {
                    if is_open(restricted.as_ref(), alarm.patient) {
                        self.alarm(tenant, &alarm);
                    }
                }),
            };
            match missed {
                Ok(()) => {}
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "the MQTT feed lags behind"),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Whose records are kept to their care teams, which no feed for all may tell of; `None` when that is not known.
    async fn restricted(&self, scope: &Scope) -> Option<HashSet<PatientId>> {
        match self.patients.restricted(scope).await {
            Ok(patients) => Some(patients.into_iter().collect()),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the MQTT feed is silent: restricted records cannot be read");
                None
            }
        }
    }

    fn vitals(&self, tenant: TenantId, change: &VitalsChanged) {
        let topic = format!("feed/patients/{}/vitals", change.patient);
        if !self.broker.has_subscribers(tenant, &topic) {
            return;
        }
        let vitals = change.state.vitals.iter().map(|(sign, vital)| VitalMessage {
            sign: sign.key(),
            vital,
            unit: sign.unit().map(|unit| unit.to_string()),
        });
        self.publish(tenant, &topic, &vitals.collect::<Vec<_>>());
    }

    fn alarm(&self, tenant: TenantId, alarm: &Alarm) {
        let topic = format!("feed/alarms/{}/{}", alarm.priority.key(), alarm.id);
        self.publish(tenant, &topic, alarm);
    }

    fn publish(&self, tenant: TenantId, topic: &str, message: &impl Serialize) {
        match serde_json::to_vec(message) {
            Ok(payload) => {
                self.broker.publish(tenant, topic, Bytes::from(payload), Qos::AtLeastOnce);
            }
            Err(error) => tracing::error!(%error, "a feed message could not be encoded"),
        }
    }
}

/// Whether a feed for all may tell of the patient.
fn is_open(restricted: Option<&HashSet<PatientId>>, patient: Option<PatientId>) -> bool {
    restricted.is_some_and(|restricted| patient.is_none_or(|patient| !restricted.contains(&patient)))
}
