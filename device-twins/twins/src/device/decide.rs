//! What a command means for a device twin. Pure: the same state and command always give the same events.

use care::{Acknowledgement, Alarm, AlarmCommand, AlarmEvent, AlarmState, nth_alarm_id};
use jiff::Timestamp;
use readings::Reading;
use rules::{Phase, Rule, RuleSet, Verdict, evaluate};
use tenants::{AlarmId, DeviceId, PatientId, Sequence, TenantId};

use super::{event::DeviceEvent, state::DeviceState};

/// Paths of which the newest reading is kept: a device that makes up names must not fill the memory. Paths
/// that its template knows are always kept.
const MAX_PATHS: usize = 256;

/// What is true around a command.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Whose device.
    pub tenant: TenantId,
    /// Which device.
    pub device: &'a DeviceId,
    /// Whom it measures.
    pub patient: Option<PatientId>,
    /// What judges its readings.
    pub rules: &'a RuleSet,
    /// The message that is being folded.
    pub sequence: Sequence,
    /// When it was received.
    pub received_at: Timestamp,
}

/// What a device twin is asked to do.
#[derive(Debug)]
pub enum DeviceCommand {
    /// Take a reading in.
    Measure(Reading),
    /// Note that a person has seen an alarm.
    Acknowledge {
        /// Which.
        alarm: AlarmId,
        /// Who, when, and what they wrote.
        acknowledgement: Acknowledgement,
    },
    /// Replace the reported properties.
    Report {
        /// All of them.
        properties: serde_json::Map<String, serde_json::Value>,
        /// Up to which version the device says that it has taken the desired ones on, if it says so.
        confirmed: Option<u64>,
    },
    /// Replace the desired properties.
    Desire(serde_json::Map<String, serde_json::Value>),
    /// Count a message that could not be understood.
    SetAside,
    /// Go past the message.
    Complete {
        /// Whether the device itself said it.
        by_device: bool,
    },
}

/// Appends the events that `command` leads to.
///
/// A command that changes nothing leads to none: a late reading never moves the twin backwards, and an
/// acknowledgement of an alarm that is not known (any more) is passed over.
pub fn decide(
    state: &DeviceState,
    command: DeviceCommand,
    around: &Circumstances<'_>,
    events: &mut Vec<DeviceEvent>,
) {
    match command {
        DeviceCommand::Measure(reading) => measure(state, reading, around, events),
        DeviceCommand::Acknowledge { alarm, acknowledgement } => {
            if let Some(known) = state.alarm(alarm) {
                change(known, AlarmCommand::Acknowledge(acknowledgement), events);
            }
        }
        DeviceCommand::Report { properties, confirmed } => {
            events.push(DeviceEvent::Reported(properties));
            // A version that there never was confirms nothing.
            let known =
                |version: &u64| (state.confirmed_version + 1..=state.desired_version).contains(version);
            events.extend(confirmed.filter(known).map(DeviceEvent::Confirmed));
        }
        DeviceCommand::Desire(properties) => events.push(DeviceEvent::Desired(properties)),
        DeviceCommand::SetAside => events.push(DeviceEvent::SetAside),
        DeviceCommand::Complete { by_device } => {
            let heard_at = by_device.then_some(around.received_at);
            events.push(DeviceEvent::Folded { sequence: around.sequence, heard_at });
        }
    }
}

fn measure(state: &DeviceState, reading: Reading, around: &Circumstances<'_>, events: &mut Vec<DeviceEvent>) {
    match state.latest.get(&reading.path) {
        Some(known) if known.credible_at() > reading.credible_at() => return,
        Some(_) => {}
        // It is in the log and was acknowledged; only the summary of the newest has no room for it.
        None if !reading.modeled && state.latest.len() >= MAX_PATHS => return,
        None => {}
    }
    let rules = around.rules.for_path(&reading.path);
    if !rules.is_empty() {
        let judged = Reading { measured_at: reading.credible_at(), ..reading.clone() };
        for rule in rules {
            judge(state, rule, &judged, around, events);
        }
    }
    events.push(DeviceEvent::Measured(reading));
}

fn judge(
    state: &DeviceState,
    rule: &Rule,
    reading: &Reading,
    around: &Circumstances<'_>,
    events: &mut Vec<DeviceEvent>,
) {
    let before = state.phases.get(&rule.id).copied().unwrap_or_default();
    let (phase, verdict) = evaluate(rule, &before, reading);
    match verdict {
        Some(Verdict::Raise { value }) => {
            let alarm = Box::new(raise(state, rule, reading, value, around));
            events.push(DeviceEvent::AlarmRaised { alarm, sequence: around.sequence });
        }
        Some(Verdict::Clear { value }) => {
            if let Some(alarm) = state.alarms.get(&rule.id) {
                change(alarm, AlarmCommand::Clear { at: reading.measured_at, value }, events);
            }
        }
        Some(Verdict::Hold) | None => {}
    }
    if phase != before {
        events.push(DeviceEvent::Judged { rule: rule.id, phase });
    }
}

fn raise(
    state: &DeviceState,
    rule: &Rule,
    reading: &Reading,
    value: f64,
    around: &Circumstances<'_>,
) -> Alarm {
    let Circumstances { tenant, device, sequence, .. } = *around;
    // One message may raise, clear and raise again.
    let before = state.raises.get(&rule.id).filter(|(on, _)| *on == sequence);
    let earlier = before.map_or(0, |(_, raises)| *raises);
    Alarm {
        id: nth_alarm_id(tenant, device, rule.id, sequence, earlier),
        rule: rule.id,
        title: rule.name.clone(),
        device: device.clone(),
        patient: around.patient,
        priority: rule.priority,
        state: AlarmState::Raised,
        path: reading.path.clone(),
        value,
        // The verdict's value is in the rule's unit where the rule has one.
        unit: rule.unit.clone().or_else(|| reading.unit.clone()),
        raised_at: reading.measured_at,
        acknowledged: None,
        cleared_at: None,
        version: 1,
    }
}

fn change(alarm: &Alarm, command: AlarmCommand, events: &mut Vec<DeviceEvent>) {
    // A refused command (a note that is too long) was checked before it went into the log; passing it
    // over here keeps the fold total.
    let decided: Vec<AlarmEvent> = alarm.decide(command).unwrap_or_default();
    let changed = |event| DeviceEvent::AlarmChanged { rule: alarm.rule, alarm: alarm.id, event };
    events.extend(decided.into_iter().map(changed));
}

/// A rule that has gone or was disabled can no longer clear what it raised: the events that end it.
pub(super) fn retire_rules(
    state: &DeviceState,
    rules: &RuleSet,
    at: Timestamp,
    events: &mut Vec<DeviceEvent>,
) {
    for alarm in state.alarms.values().filter(|alarm| alarm.state.is_open()) {
        if !rules.get(alarm.rule).is_some_and(|rule| rule.enabled) {
            change(alarm, AlarmCommand::Clear { at, value: alarm.value }, events);
            events.push(DeviceEvent::Judged { rule: alarm.rule, phase: Phase::default() });
        }
    }
}
