//! Loads, guards, folds and publishes; what the twin thinks stands in [`super::decide`].

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, atomic::Ordering},
};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, Supervised, WrapFuture,
};
use jiff::{SignedDuration, Timestamp};
use rules::RuleSet;
use tenants::{AlarmId, DeviceId, PatientId, Sequence, TenantId};

use super::{
    DeviceState, Effects, FoldContext, SetAsideReason,
    fold::{self, Decoder},
};
use crate::{
    backlog::Credit,
    loading::{self, LoadedDevice, Retry},
    message::LogMessage,
    metrics::ReasonLabel,
    roster::{Activity, Ticket},
    shared::{DeviceKey, Shared},
    snapshot,
    store::journal::{Fold, TwinKey},
};

/// Times a message may make the handler panic before it is set aside: once may be the moment's fault.
const STRIKES: u32 = 2;
/// So many panics within [`QUARANTINE_WINDOW`] put the twin in quarantine.
const QUARANTINE_PANICS: usize = 8;
/// See [`QUARANTINE_PANICS`].
const QUARANTINE_WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// Committed messages, in order. The credit is given back when they are folded.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Deliver {
    pub(crate) messages: Vec<LogMessage>,
    pub(crate) credit: Option<Credit>,
    pub(crate) ticket: Ticket,
}

/// Asks for the state.
#[derive(Message)]
#[rtype(result = "Arc<DeviceState>")]
pub(crate) struct Inspect {
    pub(crate) _ticket: Ticket,
}

/// Asks how an alarm stands.
#[derive(Message)]
#[rtype(result = "Option<care::Alarm>")]
pub(crate) struct FindAlarm {
    pub(crate) alarm: AlarmId,
    pub(crate) _ticket: Ticket,
}

/// Asks for a snapshot, for the caller to commit after those of the patients.
#[derive(Message)]
#[rtype(result = "Option<Fold>")]
pub(crate) struct TakeSnapshot;

/// The tenant's rules have changed.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct ChangeRules(pub(crate) Arc<RuleSet>);

/// Lifts the quarantine.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Release {
    pub(crate) _ticket: Ticket,
}

/// Asks the twin to leave memory if nothing is on its way to it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Passivate;

pub(crate) struct DeviceActor {
    shared: Arc<Shared>,
    tenant: TenantId,
    device: DeviceId,
    activity: Arc<Activity>,
    state: DeviceState,
    patient: Option<PatientId>,
    decoder: Option<Arc<dyn Decoder>>,
    rules: Arc<RuleSet>,
    effects: Effects,
    guard: Guard,
}

/// Remembers what panicked.
#[derive(Default)]
struct Guard {
    /// The message that is being folded; still here after a panic.
    in_flight: Option<Sequence>,
    struck: Option<(Sequence, u32)>,
    poison: BTreeSet<Sequence>,
    panics: VecDeque<Timestamp>,
}

impl Guard {
    /// Notes a panic at `now`; true when there were too many.
    fn note_panic(&mut self, now: Timestamp) -> bool {
        if let Some(sequence) = self.in_flight.take() {
            let strikes = match self.struck {
                Some((struck, strikes)) if struck == sequence => strikes + 1,
                _ => 1,
            };
            self.struck = Some((sequence, strikes));
            if strikes >= STRIKES {
                self.poison.insert(sequence);
            }
        }
        self.panics.push_back(now);
        while self.panics.front().is_some_and(|first| now.duration_since(*first) > QUARANTINE_WINDOW) {
            self.panics.pop_front();
        }
        self.panics.len() >= QUARANTINE_PANICS
    }
}

impl DeviceActor {
    pub(crate) fn new(shared: Arc<Shared>, (tenant, device): DeviceKey, activity: Arc<Activity>) -> Self {
        Self {
            shared,
            tenant,
            device,
            activity,
            state: DeviceState::default(),
            patient: None,
            decoder: None,
            rules: Arc::default(),
            effects: Effects::default(),
            guard: Guard::default(),
        }
    }

    fn load(&mut self, ctx: &mut Context<Self>, retry: Retry, quarantine: Option<String>) {
        let load = loading::device(self.shared.clone(), self.tenant, self.device.clone(), retry);
        let install = |loaded: LoadedDevice, twin: &mut Self, _: &mut Context<Self>| {
            twin.install(loaded, quarantine);
        };
        ctx.wait(load.into_actor(self).map(install));
    }

    fn install(&mut self, loaded: LoadedDevice, quarantine: Option<String>) {
        self.state = loaded.state;
        self.patient = loaded.patient;
        self.decoder = loaded.decoder;
        self.rules = loaded.rules;
        self.guard.poison.extend(loaded.poison);
        self.effects = Effects::default();
        let mut rest = loaded.rest;
        if quarantine.is_some() {
            // What came before the fault was good and stays visible.
            rest.retain(|message| self.guard.struck.is_none_or(|(struck, _)| message.sequence < struck));
        }
        self.fold(&rest, None);
        if quarantine.is_some() {
            self.state.quarantine = quarantine;
            self.activity.dirty.store(true, Ordering::Release);
        }
        let now = self.shared.clock.now();
        fold::retire(&mut self.state, &self.rules, now, &mut self.effects);
        self.publish(None);
    }

    fn fold(&mut self, messages: &[LogMessage], credit: Option<Credit>) {
        if self.state.quarantine.is_some() {
            // They stay in the log; a release folds them.
            return;
        }
        let (mut folded, before) = (0, self.state.cursor);
        let context = FoldContext {
            tenant: self.tenant,
            device: &self.device,
            patient: self.patient,
            decoder: self.decoder.as_deref(),
            rules: &self.rules,
        };
        for message in messages {
            self.guard.in_flight = Some(message.sequence);
            if self.guard.poison.contains(&message.sequence) && message.sequence > self.state.cursor {
                let (reason, detail) = (SetAsideReason::HandlerPanicked, "the twin failed on this message");
                fold::pass_over(&mut self.state, &context, message, reason, detail, &mut self.effects);
            } else {
                fold::fold(&mut self.state, &context, message, &mut self.effects);
            }
            folded += 1;
        }
        self.guard.in_flight = None;
        self.shared.metrics.folded.inc_by(folded);
        if self.state.cursor > before {
            self.activity.dirty.store(true, Ordering::Release);
        }
        self.publish(credit);
    }

    /// Sends what the fold left behind: to the writer, the patient, and whoever watches.
    fn publish(&mut self, credit: Option<Credit>) {
        let effects = &mut self.effects;
        for set_aside in &effects.set_aside {
            let label = ReasonLabel { reason: set_aside.reason.clone() };
            self.shared.metrics.set_aside.get_or_create(&label).inc();
        }
        if let Some(patient) = self.patient {
            if !effects.vitals.is_empty() {
                let vitals = std::mem::take(&mut effects.vitals);
                let (key, device) = ((self.tenant, patient), self.device.clone());
                self.shared.tell_patient(key, device, self.state.cursor, vitals);
            }
            let watched =
                !effects.waveforms.is_empty() && self.shared.feed.wants_waveform(self.tenant, patient);
            for chunk in effects.waveforms.drain(..).filter(|_| watched) {
                self.shared.feed.publish_waveform(self.tenant, patient, chunk);
            }
        }
        if effects.is_empty() {
            return;
        }
        self.shared.metrics.alarm_changes.inc_by(effects.alarms.len() as u64);
        let fold = Fold {
            tenant: self.tenant,
            twin: TwinKey::Device(self.device.clone()),
            snapshot: None,
            alarms: std::mem::take(&mut effects.alarms),
            set_aside: std::mem::take(&mut effects.set_aside),
            outbox: std::mem::take(&mut effects.outbox),
            audit: std::mem::take(&mut effects.audit),
        };
        self.shared.folds.commit(fold, credit);
    }
}

impl Actor for DeviceActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.shared.metrics.active_twins.inc();
        self.load(ctx, Retry::First, None);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.shared.metrics.active_twins.dec();
    }
}

impl Supervised for DeviceActor {
    fn restarting(&mut self, ctx: &mut Self::Context) {
        let too_many = self.guard.note_panic(self.shared.clock.now());
        let reason = too_many.then(|| {
            tracing::error!(tenant = %self.tenant, "a device twin panics again and again: quarantine");
            format!("the twin failed {} times within a minute", self.guard.panics.len())
        });
        self.load(ctx, Retry::AfterPanic, reason);
    }
}

impl Handler<Deliver> for DeviceActor {
    type Result = ();

    fn handle(&mut self, delivery: Deliver, _: &mut Self::Context) {
        self.fold(&delivery.messages, delivery.credit);
        drop(delivery.ticket);
    }
}

impl Handler<Inspect> for DeviceActor {
    type Result = Arc<DeviceState>;

    fn handle(&mut self, _: Inspect, _: &mut Self::Context) -> Self::Result {
        Arc::new(self.state.clone())
    }
}

impl Handler<FindAlarm> for DeviceActor {
    type Result = Option<care::Alarm>;

    fn handle(&mut self, question: FindAlarm, _: &mut Self::Context) -> Self::Result {
        self.state.alarm(question.alarm).cloned()
    }
}

impl Handler<TakeSnapshot> for DeviceActor {
    type Result = Option<Fold>;

    fn handle(&mut self, _: TakeSnapshot, _: &mut Self::Context) -> Self::Result {
        let quarantine = self.state.quarantine.clone();
        let snapshot = snapshot::encode(self.state.cursor, &self.state, quarantine)?;
        self.activity.dirty.store(false, Ordering::Release);
        Some(Fold::snapshot_only(self.tenant, TwinKey::Device(self.device.clone()), snapshot))
    }
}

impl Handler<ChangeRules> for DeviceActor {
    type Result = ();

    fn handle(&mut self, ChangeRules(rules): ChangeRules, _: &mut Self::Context) {
        self.rules = rules;
        let now = self.shared.clock.now();
        fold::retire(&mut self.state, &self.rules, now, &mut self.effects);
        self.activity.dirty.store(true, Ordering::Release);
        self.publish(None);
    }
}

impl Handler<Release> for DeviceActor {
    type Result = ();

    fn handle(&mut self, _: Release, ctx: &mut Self::Context) {
        if self.state.quarantine.is_some() {
            self.guard.panics.clear();
            self.activity.dirty.store(true, Ordering::Release);
            self.load(ctx, Retry::AfterQuarantine, None);
        }
    }
}

impl Handler<Passivate> for DeviceActor {
    type Result = ();

    fn handle(&mut self, _: Passivate, ctx: &mut Self::Context) {
        let dirty = self.activity.dirty.load(Ordering::Acquire);
        if !dirty && self.shared.devices.retire(&(self.tenant, self.device.clone())) {
            ctx.stop();
        }
    }
}
