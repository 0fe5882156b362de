//! Loads, guards, folds and publishes; what the twin thinks stands in [`super::fold`].

use std::sync::{Arc, atomic::Ordering};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, Supervised, WrapFuture,
};
use readings::VitalSign;
use tenants::{DeviceId, PatientId, Sequence, TenantId};

use super::{PatientState, Vital, merge};
use crate::{
    feed::VitalsChanged,
    loading::{self, Retry},
    roster::{Activity, Ticket},
    shared::{PatientKey, Shared},
    snapshot,
    store::journal::{Fold, TwinKey},
};

/// Vitals of a device assigned to the patient, which stood in the log up to `sequence`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct TakeVitals {
    pub(crate) device: DeviceId,
    pub(crate) sequence: Sequence,
    pub(crate) vitals: Vec<(VitalSign, Vital)>,
    pub(crate) _ticket: Ticket,
}

/// Asks for the state.
#[derive(Message)]
#[rtype(result = "Arc<PatientState>")]
pub(crate) struct Inspect {
    pub(crate) _ticket: Ticket,
}

/// Asks for a snapshot, which is queued for the writer; answers whether one could be taken.
#[derive(Message)]
#[rtype(result = "bool")]
pub(crate) struct TakeSnapshot;

/// Asks the twin to leave memory if nothing is on its way to it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Passivate;

pub(crate) struct PatientActor {
    shared: Arc<Shared>,
    tenant: TenantId,
    patient: PatientId,
    activity: Arc<Activity>,
    state: PatientState,
}

impl PatientActor {
    pub(crate) fn new(shared: Arc<Shared>, (tenant, patient): PatientKey, activity: Arc<Activity>) -> Self {
        Self { shared, tenant, patient, activity, state: PatientState::default() }
    }

    fn load(&mut self, ctx: &mut Context<Self>, retry: Retry) {
        let load = loading::patient(self.shared.clone(), self.tenant, self.patient, retry);
        ctx.wait(load.into_actor(self).map(|state, twin, _| twin.state = state));
    }

    fn publish(&self) {
        if self.shared.feed.wants_vitals(self.tenant, self.patient) {
            let state = Arc::new(self.state.clone());
            self.shared.feed.publish_vitals(self.tenant, VitalsChanged { patient: self.patient, state });
        }
    }
}

impl Actor for PatientActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.shared.metrics.active_twins.inc();
        self.load(ctx, Retry::First);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.shared.metrics.active_twins.dec();
    }
}

impl Supervised for PatientActor {
    fn restarting(&mut self, ctx: &mut Self::Context) {
        self.load(ctx, Retry::AfterPanic);
    }
}

impl Handler<TakeVitals> for PatientActor {
    type Result = ();

    fn handle(&mut self, news: TakeVitals, _: &mut Self::Context) {
        let changed = merge(&mut self.state, &news.device, news.sequence, news.vitals);
        self.activity.dirty.store(true, Ordering::Release);
        if changed {
            self.publish();
        }
    }
}

impl Handler<Inspect> for PatientActor {
    type Result = Arc<PatientState>;

    fn handle(&mut self, _: Inspect, _: &mut Self::Context) -> Self::Result {
        Arc::new(self.state.clone())
    }
}

impl Handler<TakeSnapshot> for PatientActor {
    type Result = bool;

    fn handle(&mut self, _: TakeSnapshot, _: &mut Self::Context) -> bool {
        // A patient's cursor is the newest of its devices'; merging makes a too-new one harmless.
        let cursor = self.state.cursors.values().copied().max().unwrap_or_default();
        let Some(snapshot) = snapshot::encode(cursor, &self.state, None) else { return false };
        self.activity.dirty.store(false, Ordering::Release);
        let fold = Fold::snapshot_only(self.tenant, TwinKey::Patient(self.patient), snapshot);
        self.shared.folds.commit(fold, None);
        true
    }
}

impl Handler<Passivate> for PatientActor {
    type Result = ();

    fn handle(&mut self, _: Passivate, ctx: &mut Self::Context) {
        let dirty = self.activity.dirty.load(Ordering::Acquire);
        if !dirty && self.shared.patients.retire(&(self.tenant, self.patient)) {
            ctx.stop();
        }
    }
}
