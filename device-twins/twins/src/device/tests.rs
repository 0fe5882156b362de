//! The fold as a whole: pure, so it is tested without actors and without a database.

use bytes::Bytes;
use care::{AlarmState, Priority};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use readings::{Path, Unit};
use rules::{Comparison, Condition, Rule, RuleSet};
use templates::{Template, builtin};
use tenants::{CorrelationId, DeviceId, RuleId, Sequence, TenantId};
use uuid::Uuid;

use super::{DeviceState, Effects, FoldContext, fold};
use crate::message::{Channel, LogMessage};

fn start() -> Timestamp {
    "2026-03-01T08:00:00Z".parse().unwrap()
}

/// A message received `second` seconds after the start.
fn message(sequence: u64, second: i64, payload: impl Into<Vec<u8>>) -> LogMessage {
    LogMessage {
        sequence: Sequence(sequence),
        received_at: start() + SignedDuration::from_secs(second),
        correlation: CorrelationId(sequence),
        channel: Channel::Telemetry { component: None },
        user_properties: None,
        payload: Bytes::from(payload.into()),
    }
}

fn rule(path: &str, above: f64, hold_s: i64, unit: Option<&str>) -> Rule {
    Rule {
        id: RuleId::from_uuid(Uuid::from_u128(1)),
        name: "Test".into(),
        path: Path::parse(path).unwrap(),
        raise: Condition { comparison: Comparison::Above, value: above },
        hold: SignedDuration::from_secs(hold_s),
        clear: Condition { comparison: Comparison::AtMost, value: above - 2.0 },
        clear_hold: SignedDuration::ZERO,
        unit: unit.map(|unit| Unit::parse(unit).unwrap()),
        priority: Priority::Medium,
        enabled: true,
        version: 1,
    }
}

fn run(rules: &RuleSet, state: &mut DeviceState, messages: &[LogMessage]) -> Effects {
    let device = DeviceId::parse("m-1").unwrap();
    let template: &'static Template = builtin::patient_monitor();
    let context = FoldContext {
        tenant: TenantId::from_uuid(Uuid::from_u128(1)),
        device: &device,
        patient: None,
        decoder: Some(&template),
        rules,
    };
    let mut effects = Effects::default();
    for message in messages {
        fold(state, &context, message, &mut effects);
    }
    effects
}

#[test]
fn an_alarm_carries_the_value_in_the_unit_of_its_rule() {
    let rules = RuleSet::new([rule("temperature", 100.4, 0, Some("[degF]"))]);
    let mut state = DeviceState::default();
    let effects = run(&rules, &mut state, &[message(1, 0, r#"{"temperature":39}"#)]);
    let alarm = &effects.alarms[0];
    assert_eq!(alarm.unit.as_ref().map(Unit::code), Some("[degF]"));
    assert!((alarm.value - 102.2).abs() < 1e-9, "{}", alarm.value);
}

#[test]
fn a_clock_that_was_once_far_ahead_does_not_make_later_readings_late() {
    let ahead = r#"{"ts":"2026-03-01T20:00:00Z","values":{"heartRate":70}}"#;
    let right = r#"{"ts":"2026-03-01T08:00:05Z","values":{"heartRate":80}}"#;
    let mut state = DeviceState::default();
    run(&RuleSet::default(), &mut state, &[message(1, 0, ahead), message(2, 5, right)]);
    let path = Path::parse("heartRate").unwrap();
    assert_eq!(state.latest[&path].value.as_number(), Some(80.0));
}

#[test]
fn one_message_may_raise_more_than_once_and_each_is_an_alarm_of_its_own() {
    let rules = RuleSet::new([rule("heartRate", 130.0, 0, None)]);
    let batch = r#"[{"heartRate":140},{"heartRate":100},{"heartRate":141},{"heartRate":99}]"#;
    let mut state = DeviceState::default();
    let effects = run(&rules, &mut state, &[message(1, 0, batch)]);
    let raised = effects.alarms.iter().filter(|alarm| alarm.state == AlarmState::Raised);
    let ids: std::collections::BTreeSet<_> = raised.map(|alarm| alarm.id).collect();
    assert_eq!(ids.len(), 2);
    assert!(state.alarms.values().all(|alarm| alarm.state == AlarmState::Cleared));
}

#[test]
fn made_up_paths_do_not_fill_the_memory_and_known_ones_still_get_in() {
    let mut state = DeviceState::default();
    let messages: Vec<_> = (1..=600).map(|n| message(n, 0, format!(r#"{{"made-up-{n}":{n}}}"#))).collect();
    run(&RuleSet::default(), &mut state, &messages);
    assert_eq!((state.latest.len(), state.messages), (256, 600));
    run(&RuleSet::default(), &mut state, &[message(601, 0, r#"{"heartRate":70}"#)]);
    assert!(state.latest.contains_key(&Path::parse("heartRate").unwrap()));
}

fn any_payload() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (40_u8..200, 0_i64..120).prop_map(|(value, second)| {
            let at = start() + SignedDuration::from_secs(second);
            format!(r#"{{"ts":"{at}","values":{{"heartRate":{value}}}}}"#)
        }),
        2 => (70_u8..100).prop_map(|value| format!(r#"{{"spo2":{value}}}"#)),
        1 => Just("not json".to_owned()),
    ]
}

proptest! {
    /// A crash anywhere, with any part of the log handed over twice, ends in the same state with the same alarms.
    #[test]
    fn folding_again_changes_nothing(
        payloads in prop::collection::vec(any_payload(), 1..40),
        cut in any::<prop::sample::Index>(),
        back in 0_usize..10,
    ) {
        let rules = RuleSet::new([rule("heartRate", 130.0, 5, None)]);
        let messages: Vec<_> = payloads.into_iter().enumerate()
            .map(|(n, payload)| message(n as u64 + 1, n as i64, payload)).collect();
        let mut whole = DeviceState::default();
        let once = run(&rules, &mut whole, &messages);

        let cut = cut.index(messages.len());
        let mut state = DeviceState::default();
        let first = run(&rules, &mut state, &messages[..cut]);
        let stored = serde_json::to_vec(&state).unwrap();
        let mut state: DeviceState = serde_json::from_slice(&stored).unwrap();
        let second = run(&rules, &mut state, &messages[cut.saturating_sub(back)..]);

        prop_assert_eq!(&state, &whole);
        let alarms: Vec<_> = first.alarms.into_iter().chain(second.alarms).collect();
        prop_assert_eq!(alarms, once.alarms);
        let ids = |effects: &[crate::store::journal::OutboxEntry]| effects.iter().map(|e| e.id).collect::<Vec<_>>();
        prop_assert_eq!([ids(&first.outbox), ids(&second.outbox)].concat(), ids(&once.outbox));
    }

    #[test]
    fn the_newest_reading_wins_in_whatever_order_they_come(payloads in prop::collection::vec(any_payload(), 1..40)) {
        let messages: Vec<_> = payloads.into_iter().enumerate()
            .map(|(n, payload)| message(n as u64 + 1, n as i64, payload)).collect();
        let mut state = DeviceState::default();
        let mut newest: Option<Timestamp> = None;
        for message in &messages {
            run(&RuleSet::default(), &mut state, std::slice::from_ref(message));
            let known = state.latest.get(&Path::parse("heartRate").unwrap()).map(readings::Reading::credible_at);
            prop_assert!(known >= newest);
            newest = known;
        }
        prop_assert_eq!(state.messages, messages.len() as u64);
    }
}
