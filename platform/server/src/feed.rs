//! Passes live changes on to MQTT subscribers: `feed/patients/<id>/vitals` and
//! `feed/alarms/<priority>/<id>`.

use std::{collections::HashSet, sync::Arc};

use broker::{Handle, Qos};
use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tenants::{TenantId, access::Scope};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use twins::{Twins, feed::VitalsChanged, patient::Vital};

/// Starts one relay per tenant, when the tenant's first application connects.
pub(crate) struct FeedRelay {
    twins: Twins,
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
    pub(crate) fn new(twins: Twins, broker: Handle, shutdown: CancellationToken) -> Arc<Self> {
        Arc::new(Self { twins, broker, relayed: Mutex::default(), shutdown })
    }

    /// An application of the tenant was admitted; `patients` and `alarms` are what it may read.
    pub(crate) fn admitted(self: &Arc<Self>, patients: &Scope, alarms: &Scope) {
        if !self.relayed.lock().insert(patients.tenant()) {
            return;
        }
        let (relay, vitals) = (self.clone(), self.twins.feed().all_vitals(patients));
        let tenant = patients.tenant();
        tokio::spawn(self.shutdown.clone().run_until_cancelled_owned(async move {
            relay_all(vitals, |change| relay.vitals(tenant, &change)).await;
        }));
        let (relay, changes) = (self.clone(), self.twins.feed().alarms(alarms));
        tokio::spawn(self.shutdown.clone().run_until_cancelled_owned(async move {
            relay_all(changes, |alarm| relay.alarm(tenant, &alarm)).await;
        }));
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

    fn alarm(&self, tenant: TenantId, alarm: &care::Alarm) {
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

/// Until the feed ends. A relay that lags goes on with what is newest; the broker counts nothing lost here,
/// because a feed tells changes, and every vitals message holds the whole state.
async fn relay_all<T: Clone>(mut changes: tokio::sync::broadcast::Receiver<T>, relay: impl Fn(T) + Send) {
    loop {
        match changes.recv().await {
            Ok(change) => relay(change),
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "the MQTT feed lags behind"),
            Err(RecvError::Closed) => return,
        }
    }
}
