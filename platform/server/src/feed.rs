//! Passes live changes on to MQTT subscribers: `feed/patients/<id>/vitals` and
//! `feed/alarms/<priority>/<id>`, of patients whose records are not restricted, to each what its rows allow.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use broker::{Handle, Qos};
use bytes::Bytes;
use care::Alarm;
use parking_lot::Mutex;
use serde::Serialize;
use tenants::{
    PatientId, StoreError, TenantId,
    access::{Cell, Column, Scope},
    clock::Stopwatch,
    credentials::SecretHash,
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;
use twins::{
    Twins,
    feed::VitalsChanged,
    patient::Vital,
    store::directory::{Alarms, Patients},
};

/// The name of the feed of those who may see every patient whose record is not restricted.
const WHOLE: &str = "whole";
/// How often it is looked whose records are restricted.
const RESTRICTED_EVERY: Duration = Duration::from_millis(500);

/// How long a relay that nobody hears goes on: programs come back.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// Changes that are looked at together.
const TOGETHER: usize = 256;

/// Starts a relay when the first application connects that may see certain rows of a tenant.
pub(crate) struct FeedRelay {
    twins: Twins,
    patients: Arc<dyn Patients>,
    alarms: Arc<dyn Alarms>,
    broker: Handle,
    relayed: Mutex<HashMap<(TenantId, Arc<str>), Relayed>>,
    shutdown: CancellationToken,
}

/// A relay that runs.
struct Relayed {
    /// Since somebody was admitted to it.
    since: Stopwatch,
    end: CancellationToken,
}

/// Whom a relay is for.
struct Audience {
    patients: Scope,
    alarms: Scope,
    /// What stands before its topics.
    prefix: Arc<str>,
    /// They may see all patients whose records are not restricted.
    is_whole: bool,
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
        (patients, alarms): (Arc<dyn Patients>, Arc<dyn Alarms>),
        broker: Handle,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self { twins, patients, alarms, broker, relayed: Mutex::default(), shutdown })
    }

    /// An application of the tenant was admitted; `patients` and `alarms` are what it may read. Returns what stands before the
    /// topics of its feed: those who may read the same have one.
    pub(crate) fn admitted(self: &Arc<Self>, patients: &Scope, alarms: &Scope) -> Arc<str> {
        let is_whole = [patients, alarms].into_iter().all(is_whole);
        let name = if is_whole { WHOLE.to_owned() } else { name_of(patients, alarms) };
        let prefix: Arc<str> = format!("feeds/{name}/").into();
        let key = (patients.tenant(), Arc::clone(&prefix));
        let mut relayed = self.relayed.lock();
        if let Some(known) = relayed.get_mut(&key) {
            known.since = Stopwatch::start();
            return prefix;
        }
        let end = self.shutdown.child_token();
        relayed.insert(key, Relayed { since: Stopwatch::start(), end: end.clone() });
        let feed = self.twins.feed();
        let (vitals, changes) = (feed.all_vitals(patients), feed.alarms(alarms));
        let audience = Audience {
            patients: patients.clone(),
            alarms: alarms.clone(),
            prefix: Arc::clone(&prefix),
            is_whole,
        };
        tokio::spawn(end.run_until_cancelled_owned(self.clone().run(audience, vitals, changes)));
        prefix
    }

    /// Ends the relays that nobody hears any more; `heard`: those that somebody does.
    pub(crate) fn keep(&self, heard: &HashSet<(TenantId, Arc<str>)>) {
        self.relayed.lock().retain(|key, relayed| {
            let stays = heard.contains(key) || relayed.since.elapsed() < KEPT_FOR;
            if !stays {
                relayed.end.cancel();
            }
            stays
        });
    }

    /// Until the feed ends. A relay that lags goes on with what is newest: a feed tells changes, and every vitals
    /// message holds the whole state.
    async fn run(
        self: Arc<Self>,
        audience: Audience,
        mut vitals: Receiver<VitalsChanged>,
        mut alarms: Receiver<Arc<Alarm>>,
    ) {
        let mut restricted = None;
        let mut due = tokio::time::interval(RESTRICTED_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let missed = tokio::select! {
                biased;
                _ = due.tick() => {
                    restricted = self.restricted(&audience.patients).await;
                    continue;
                }
                change = vitals.recv() => match change {
                    Ok(change) => {
                        let mut changes = vec![change];
                        while changes.len() < TOGETHER && let Ok(change) = vitals.try_recv() {
                            changes.push(change);
                        }
                        changes.retain(|change| is_open(restricted.as_ref(), Some(change.patient)));
                        self.tell(&audience, changes).await;
                        Ok(())
                    }
                    Err(missed) => Err(missed),
                },
                alarm = alarms.recv() => match alarm {
                    Ok(alarm) if is_open(restricted.as_ref(), alarm.patient) => {
                        self.alarm(&audience, &alarm).await;
                        Ok(())
                    }
                    other => other.map(drop),
                },
            };
            match missed {
                Ok(()) => {}
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "the MQTT feed lags behind"),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Passes on what is about patients that the audience may see.
    async fn tell(&self, audience: &Audience, changes: Vec<VitalsChanged>) {
        let visible = if audience.is_whole {
            None
        } else {
            let ids: HashSet<PatientId> = changes.iter().map(|change| change.patient).collect();
            let ids: Vec<_> = ids.into_iter().collect();
            match self.patients.by_ids(&audience.patients, &ids).await {
                Ok(visible) => Some(visible.into_iter().map(|patient| patient.id).collect::<HashSet<_>>()),
                Err(error) => return unreadable(&error),
            }
        };
        for change in changes {
            if visible.as_ref().is_none_or(|visible| visible.contains(&change.patient)) {
                self.vitals(audience, &change);
            }
        }
    }

    /// Whose records are kept to their care teams, which no feed for all may tell of; `None` when that is not known.
    async fn restricted(&self, scope: &Scope) -> Option<HashSet<PatientId>> {
        match self.patients.restricted(scope).await {
            Ok(patients) => Some(patients.into_iter().collect()),
            Err(error) => {
                unreadable(&error);
                None
            }
        }
    }

    fn vitals(&self, Audience { patients, prefix, .. }: &Audience, change: &VitalsChanged) {
        let topic = format!("{prefix}feed/patients/{}/vitals", change.patient);
        if !self.broker.has_subscribers(patients.tenant(), &topic) {
            return;
        }
        let vitals = change.state.vitals.iter().map(|(sign, vital)| VitalMessage {
            sign: sign.key(),
            vital,
            unit: sign.unit().map(|unit| unit.to_string()),
        });
        self.publish(patients.tenant(), &topic, &vitals.collect::<Vec<_>>());
    }

    async fn alarm(&self, Audience { alarms, prefix, is_whole, .. }: &Audience, alarm: &Alarm) {
        if !is_whole {
            match self.alarms.by_ids(alarms, &[alarm.id]).await {
                Ok(visible) if visible.is_empty() => return,
                Ok(_) => {}
                Err(error) => return unreadable(&error),
            }
        }
        let topic = format!("{prefix}feed/alarms/{}/{}", alarm.priority.key(), alarm.id);
        self.publish(alarms.tenant(), &topic, alarm);
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

fn unreadable(error: &StoreError) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(error, "the MQTT feed is silent: whom it may tell of cannot be read");
}

/// Whether a scope covers everything that a feed tells of at all.
fn is_whole(scope: &Scope) -> bool {
    let unrestricted = |column| (column == Column::PatientRestricted).then_some(Some(Cell::Flag(false)));
    scope.rows().cover_partly(&unrestricted) == Some(true)
}

/// The same for all who may see the same rows, and nobody else.
fn name_of(patients: &Scope, alarms: &Scope) -> String {
    let rows = format!("{} / {}", patients.rows().canonical(), alarms.rows().canonical());
    let hash = SecretHash::of(rows.as_bytes());
    hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether any feed may tell of the patient.
fn is_open(restricted: Option<&HashSet<PatientId>>, patient: Option<PatientId>) -> bool {
    restricted.is_some_and(|restricted| patient.is_none_or(|patient| !restricted.contains(&patient)))
}
