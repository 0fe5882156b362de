//! Folding one message: decode, decide, apply, note what leaves the twin.

use care::{Acknowledgement, Alarm};
use jiff::Timestamp;
use readings::{Reading, Value, VitalSign};
use rules::RuleSet;
use templates::{Defect, RawMessage, Template};
use tenants::{CorrelationId, DeviceId, PatientId, TenantId, audit::AuditEntry};
use uuid::Uuid;

use super::{
    decide::{Circumstances, DeviceCommand, decide, retire_rules},
    event::DeviceEvent,
    properties::{self, PropertiesError},
    state::DeviceState,
};
use crate::{
    message::{Acknowledge, Channel, Desire, LogMessage},
    patient::{Vital, WaveformChunk},
    store::journal::{OutboxEntry, SetAside},
};

/// Turns payloads into readings. Device templates do; other dialects may.
pub trait Decoder: Send + Sync {
    /// Appends the readings of one message, all or none.
    ///
    /// # Errors
    /// [`Defect`], saying what is wrong and where.
    fn decode(&self, message: RawMessage<'_>, readings: &mut Vec<Reading>) -> Result<(), Defect>;
}

impl Decoder for &'static Template {
    fn decode(&self, message: RawMessage<'_>, readings: &mut Vec<Reading>) -> Result<(), Defect> {
        Template::decode(self, message, readings)
    }
}

/// Reasons for setting a message aside that do not come from decoding telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetAsideReason {
    /// The device's template is not known.
    TemplateMissing,
    /// The handler panicked on it, more than once.
    HandlerPanicked,
    /// A report that is not a JSON object, nests too deeply, or makes the properties too large.
    BadReport,
    /// An entry of the platform's own that cannot be read back.
    BadCommand,
}

impl SetAsideReason {
    /// As stored and counted.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TemplateMissing => "template_missing",
            Self::HandlerPanicked => "handler_panicked",
            Self::BadReport => "bad_report",
            Self::BadCommand => "bad_command",
        }
    }
}

/// What a device's messages are folded with.
#[derive(Clone, Copy)]
pub struct FoldContext<'a> {
    /// Whose device.
    pub tenant: TenantId,
    /// Which device.
    pub device: &'a DeviceId,
    /// Whom it measures.
    pub patient: Option<PatientId>,
    /// How its payloads are read; `None` when its template is not known.
    pub decoder: Option<&'a dyn Decoder>,
    /// What judges its readings.
    pub rules: &'a RuleSet,
}

/// What folding leaves behind, outside the state. Reused from batch to batch.
#[derive(Debug, Default)]
pub struct Effects {
    /// Alarms as they stand after each change.
    pub alarms: Vec<Alarm>,
    /// Messages that could not be folded.
    pub set_aside: Vec<SetAside>,
    /// For the outside.
    pub outbox: Vec<OutboxEntry>,
    /// For the trail.
    pub audit: Vec<(Uuid, AuditEntry)>,
    /// Readings that are vital signs, for the patient's twin; only the newest per sign.
    pub vitals: Vec<(VitalSign, Vital)>,
    /// Waveforms, for live display.
    pub waveforms: Vec<WaveformChunk>,
    readings: Vec<Reading>,
    events: Vec<DeviceEvent>,
}

impl Effects {
    /// Whether anything has to be committed.
    pub fn is_empty(&self) -> bool {
        self.alarms.is_empty() && self.set_aside.is_empty() && self.outbox.is_empty() && self.audit.is_empty()
    }
}

/// Folds one message into the state. Messages up to the cursor have been folded already and change
/// nothing, so a message may be given any number of times.
pub fn fold(state: &mut DeviceState, context: &FoldContext<'_>, message: &LogMessage, effects: &mut Effects) {
    if message.sequence <= state.cursor {
        return;
    }
    tracing::trace!(correlation = %message.correlation, sequence = %message.sequence, "folding");
    match &message.channel {
        Channel::Telemetry { component } => {
            telemetry(state, context, message, component.as_deref(), effects);
        }
        Channel::Reported => reported(state, context, message, effects),
        Channel::Acknowledge => acknowledge(state, context, message, effects),
        Channel::Desired => desired(state, context, message, effects),
    }
    complete(state, context, message, effects);
}

/// Goes past a message that must not be folded, and says why.
pub(super) fn pass_over(
    state: &mut DeviceState,
    context: &FoldContext<'_>,
    message: &LogMessage,
    reason: SetAsideReason,
    detail: &str,
    effects: &mut Effects,
) {
    set_aside(state, context, message, reason.code(), detail.to_owned(), effects);
    complete(state, context, message, effects);
}

/// What the platform says about a device does not count as heard from it.
fn complete(state: &mut DeviceState, context: &FoldContext<'_>, message: &LogMessage, effects: &mut Effects) {
    let by_device = message.channel.is_by_device();
    run(state, DeviceCommand::Complete { by_device }, context, message, effects);
}

fn telemetry(
    state: &mut DeviceState,
    context: &FoldContext<'_>,
    message: &LogMessage,
    component: Option<&str>,
    effects: &mut Effects,
) {
    let Some(decoder) = context.decoder else {
        let detail = "the device's template is not known; assign one that exists".to_owned();
        let reason = SetAsideReason::TemplateMissing.code();
        return set_aside(state, context, message, reason, detail, effects);
    };
    let raw = RawMessage { component, payload: &message.payload, received_at: message.received_at };
    let mut readings = std::mem::take(&mut effects.readings);
    match decoder.decode(raw, &mut readings) {
        Ok(()) => {
            for reading in readings.drain(..) {
                for_patient(context, &reading, effects);
                run(state, DeviceCommand::Measure(reading), context, message, effects);
            }
        }
        Err(defect) => {
            set_aside(state, context, message, defect.reason.code(), defect.detail, effects);
        }
    }
    readings.clear();
    effects.readings = readings;
}

fn reported(state: &mut DeviceState, context: &FoldContext<'_>, message: &LogMessage, effects: &mut Effects) {
    let report = serde_json::from_slice(&message.payload).map_err(|_| PropertiesError::NotAnObject);
    let merged = report.and_then(|mut patch| {
        let confirmed = properties::take_confirmation(&mut patch);
        Ok((properties::merged(&state.reported, patch)?, confirmed))
    });
    match merged {
        Ok((properties, confirmed)) => {
            run(state, DeviceCommand::Report { properties, confirmed }, context, message, effects);
        }
        Err(error) => {
            let detail = format!("reported properties {error}");
            set_aside(state, context, message, SetAsideReason::BadReport.code(), detail, effects);
        }
    }
}

fn desired(state: &mut DeviceState, context: &FoldContext<'_>, message: &LogMessage, effects: &mut Effects) {
    let Ok(Desire { patch, audit }) = serde_json::from_slice::<Desire>(&message.payload) else {
        let detail = "a change of desired properties in the log cannot be read".to_owned();
        return set_aside(state, context, message, SetAsideReason::BadCommand.code(), detail, effects);
    };
    match properties::merged(&state.desired, patch) {
        Ok(properties) => {
            effects.audit.push((entry_id(&audit.subject, message), audit));
            run(state, DeviceCommand::Desire(properties), context, message, effects);
        }
        // Each change was checked on its own; only together they are too much.
        Err(error) => {
            let detail = format!("desired properties {error}");
            set_aside(state, context, message, SetAsideReason::BadCommand.code(), detail, effects);
        }
    }
}

fn acknowledge(
    state: &mut DeviceState,
    context: &FoldContext<'_>,
    message: &LogMessage,
    effects: &mut Effects,
) {
    let Ok(entry) = serde_json::from_slice::<Acknowledge>(&message.payload) else {
        let detail = "an acknowledgement in the log cannot be read".to_owned();
        return set_aside(state, context, message, SetAsideReason::BadCommand.code(), detail, effects);
    };
    let acknowledgement =
        Acknowledgement { by: entry.by, by_name: entry.by_name, at: message.received_at, note: entry.note };
    let (actor, subject) = (format!("user:{}", entry.by), format!("alarm:{}", entry.alarm));
    let audit = AuditEntry {
        actor_name: acknowledgement.by_name.clone(),
        correlation: message.correlation,
        ..AuditEntry::new(context.tenant, message.received_at, actor, "alarm.acknowledge", subject)
    };
    effects.audit.push((entry_id(&audit.subject, message), audit));
    let command = DeviceCommand::Acknowledge { alarm: entry.alarm, acknowledgement };
    run(state, command, context, message, effects);
}

fn run(
    state: &mut DeviceState,
    command: DeviceCommand,
    context: &FoldContext<'_>,
    message: &LogMessage,
    effects: &mut Effects,
) {
    let around = Circumstances {
        tenant: context.tenant,
        device: context.device,
        patient: context.patient,
        rules: context.rules,
        sequence: message.sequence,
        received_at: message.received_at,
    };
    let mut events = std::mem::take(&mut effects.events);
    decide(state, command, &around, &mut events);
    apply(state, &mut events, (message.received_at, message.correlation), effects);
    effects.events = events;
}

/// The rules have changed: ends the alarms that no rule can clear any more.
pub(super) fn retire(state: &mut DeviceState, rules: &RuleSet, at: Timestamp, effects: &mut Effects) {
    let mut events = std::mem::take(&mut effects.events);
    retire_rules(state, rules, at, &mut events);
    apply(state, &mut events, (at, CorrelationId::default()), effects);
    effects.events = events;
}

fn apply(
    state: &mut DeviceState,
    events: &mut Vec<DeviceEvent>,
    cause: (Timestamp, CorrelationId),
    effects: &mut Effects,
) {
    for event in events.drain(..) {
        let rule = match &event {
            DeviceEvent::AlarmRaised { alarm, .. } => Some(alarm.rule),
            DeviceEvent::AlarmChanged { rule, .. } => Some(*rule),
            _ => None,
        };
        state.apply(event);
        if let Some(alarm) = rule.and_then(|rule| state.alarms.get(&rule)) {
            tell_alarm(alarm, cause, effects);
        }
    }
}

/// An alarm has changed: its row, and a line in the outbox under an id that a second fold gives again.
fn tell_alarm(alarm: &Alarm, (at, correlation): (Timestamp, CorrelationId), effects: &mut Effects) {
    let topic = format!("alarm.{}", alarm.state.key());
    tracing::info!(
        %correlation, alarm = %alarm.id, priority = %alarm.priority, topic, "alarm changed"
    );
    effects.outbox.push(OutboxEntry {
        id: Uuid::new_v5(alarm.id.as_uuid(), &alarm.version.to_be_bytes()),
        payload: serde_json::to_vec(alarm).unwrap_or_default(),
        topic,
        at,
        correlation,
    });
    effects.alarms.push(alarm.clone());
}

/// Keeps the newest of each sign for the patient's twin, and waveforms for whoever watches.
fn for_patient(context: &FoldContext<'_>, reading: &Reading, effects: &mut Effects) {
    if context.patient.is_none() {
        return;
    }
    if let Value::Waveform(waveform) = &reading.value {
        let channel = reading.path.as_str().rsplit('/').next().unwrap_or_default();
        effects.waveforms.push(WaveformChunk {
            channel: channel.into(),
            unit: reading.unit.as_ref().map(ToString::to_string).unwrap_or_default(),
            started_at: reading.measured_at,
            waveform: waveform.clone(),
        });
        return;
    }
    let Some(sign) = reading.sign else { return };
    let vital = Vital {
        value: reading.value.clone(),
        measured_at: reading.measured_at,
        received_at: reading.received_at,
        device: context.device.clone(),
    };
    match effects.vitals.iter_mut().find(|(known, _)| *known == sign) {
        Some((_, known)) if known.credible_at() > vital.credible_at() => {}
        Some((_, known)) => *known = vital,
        None => effects.vitals.push((sign, vital)),
    }
}

fn set_aside(
    state: &mut DeviceState,
    context: &FoldContext<'_>,
    message: &LogMessage,
    reason: &str,
    detail: String,
    effects: &mut Effects,
) {
    tracing::debug!(correlation = %message.correlation, sequence = %message.sequence, reason, "set aside");
    effects.set_aside.push(SetAside {
        device: context.device.clone(),
        sequence: message.sequence,
        received_at: message.received_at,
        reason: reason.to_owned(),
        detail,
        excerpt: excerpt(&message.payload),
    });
    run(state, DeviceCommand::SetAside, context, message, effects);
}

/// The first 200 characters, made printable.
fn excerpt(payload: &[u8]) -> String {
    let start = payload.get(..800).unwrap_or(payload);
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    String::from_utf8_lossy(start).chars().take(200).map(printable).collect()
}

fn entry_id(subject: &str, message: &LogMessage) -> Uuid {
    let name = format!("{subject}@{}", message.sequence);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}
