use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const ONSET: Course = Course::Deteriorating { onset: Duration::from_secs(60) };

fn started() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn decoded(message: &Message) -> Value {
    serde_json::from_slice(&message.payload).unwrap()
}

/// The value of every message that has it, with the second in which it was sent.
fn series(seed: u64, course: Course, cadence: Cadence, seconds: u64, name: &str) -> Vec<(u64, Value)> {
    let mut patient = Patient::new(seed, course, cadence);
    (0..seconds)
        .flat_map(|second| {
            patient.messages(started(), second).into_iter().map(move |message| (second, message))
        })
        .filter_map(|(second, message)| Some((second, decoded(&message)["values"].get(name)?.clone())))
        .collect()
}

#[test]
fn the_first_second_has_every_sign_and_the_second_its_waveform() {
    let mut patient = Patient::new(1, Course::Stable, Cadence::default());
    let first = patient.messages(started(), 0);
    assert_eq!(first.len(), 1);
    let first = decoded(&first[0]);
    assert_eq!(first["ts"], "2026-01-02T03:04:05Z");
    let names: Vec<&String> = first["values"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "consciousness",
            "diastolicPressure",
            "heartRate",
            "respiratoryRate",
            "spo2",
            "supplementalOxygen",
            "systolicPressure",
            "temperature"
        ]
    );
    let second = patient.messages(started(), 1);
    let ecg = decoded(&second[1]);
    assert_eq!(ecg["ts"], "2026-01-02T03:04:05Z", "the time of the first sample");
    assert_eq!(ecg["values"]["ecg"]["rate"], 125);
    assert_eq!(ecg["values"]["ecg"]["samples"].as_array().unwrap().len(), 125);
    assert!(second[1].payload.len() < 1_500);
}

#[test]
fn cadences_are_kept() {
    let cadence = Cadence { cuff_s: 60, temperature_s: 30, observation_s: 60 };
    for (name, every) in [("systolicPressure", 60), ("temperature", 30), ("consciousness", 60), ("spo2", 1)] {
        let seconds: Vec<u64> =
            series(3, Course::Stable, cadence, 181, name).into_iter().map(|(second, _)| second).collect();
        let expected: Vec<u64> = (0..181).step_by(every).collect();
        assert_eq!(seconds, expected, "{name}");
    }
    let mut due = Due::every(60);
    let asked: Vec<u64> =
        [0, 59, 61, 119, 120, 500, 501].into_iter().filter(|second| due.is_due(*second)).collect();
    assert_eq!(asked, [0, 61, 120, 500], "a second that was left out delays, but does not skip");
}

#[test]
fn a_deteriorating_patient_raises_and_clears_the_alarm_when_promised() {
    for seed in 0..300 {
        let patient = Physiology::new(seed, ONSET);
        let spo2: Vec<(u64, i64)> =
            (0..2_000).map(|second| (second, patient.sample(second as f64).spo2.round() as i64)).collect();
        let held_since = |from: u64, seconds: u64, holds: fn(i64) -> bool| {
            let mut since = None;
            spo2.iter().filter(|(second, _)| *second >= from).find_map(|(second, value)| {
                since = if holds(*value) { since.or(Some(*second)) } else { None };
                since.filter(|since| second - since >= seconds).map(|_| *second)
            })
        };
        let raised = held_since(0, 10, |value| value < 90).unwrap();
        assert!((88..=100).contains(&raised), "seed {seed}: raised after {raised} s");
        let cleared = held_since(raised, 30, |value| value >= 92).unwrap();
        assert!((180..=360).contains(&cleared), "seed {seed}: cleared after {cleared} s");
        let again = held_since(cleared, 10, |value| value < 90).unwrap();
        assert!((1_580..=1_610).contains(&again), "seed {seed}: raised again after {again} s");
    }
}

#[test]
fn oxygen_is_given_and_taken_away() {
    let given: Vec<u64> = series(9, ONSET, Cadence::default(), 900, "supplementalOxygen")
        .into_iter()
        .filter(|(_, value)| value == &Value::Bool(true))
        .map(|(second, _)| second)
        .collect();
    assert_eq!(given, [180, 240, 300, 360, 420, 480]);
}

#[test]
fn a_stable_patient_stays_plausible_for_a_whole_day() {
    for seed in 0..12 {
        let patient = Physiology::new(seed, Course::Stable);
        for second in 0..86_400u32 {
            let vitals = patient.sample(f64::from(second));
            let message = || format!("seed {seed}, second {second}: {vitals:?}");
            assert!((50.0..100.0).contains(&vitals.heart_rate), "{}", message());
            assert!((94.0..=100.0).contains(&vitals.spo2), "{}", message());
            assert!((11.0..20.5).contains(&vitals.respiratory_rate), "{}", message());
            assert!((100.0..146.0).contains(&vitals.systolic_pressure), "{}", message());
            assert!((50.0..103.0).contains(&vitals.diastolic_pressure), "{}", message());
            assert!((36.0..37.6).contains(&vitals.temperature), "{}", message());
            assert!(vitals.systolic_pressure - vitals.diastolic_pressure > 20.0, "{}", message());
            assert!(!vitals.supplemental_oxygen);
        }
    }
}

#[test]
fn patients_differ() {
    let resting: Vec<u64> =
        (0..12).map(|seed| (Physiology::new(seed, Course::Stable).heart_rate(0.0) * 10.0) as u64).collect();
    let mut distinct = resting.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() >= 10, "{resting:?}");
}

#[test]
fn a_seed_keeps_its_patient_over_releases() {
    let first = &Patient::new(1, Course::Stable, Cadence::default()).messages(started(), 0)[0];
    let values = decoded(first)["values"].take();
    let expected = serde_json::json!({
        "heartRate": 68, "spo2": 98, "respiratoryRate": 14, "systolicPressure": 125, "diastolicPressure": 75,
        "temperature": 37.1, "supplementalOxygen": false, "consciousness": "A",
    });
    assert_eq!(values, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_same_seed_gives_the_same_patient(seed: u64, deteriorates: bool, seconds in 2u64..90) {
        let course = if deteriorates { ONSET } else { Course::Stable };
        let mut first = Patient::new(seed, course, Cadence::default());
        let mut second = Patient::new(seed, course, Cadence::default());
        for at in 0..seconds {
            prop_assert_eq!(first.messages(started(), at), second.messages(started(), at));
        }
    }

    #[test]
    fn any_patient_at_any_time_is_within_the_range_of_the_living(seed: u64, at in 0.0f64..1e7, onset in 0u64..5_000) {
        let vitals = Physiology::new(seed, Course::Deteriorating { onset: Duration::from_secs(onset) }).sample(at);
        prop_assert!((40.0..150.0).contains(&vitals.heart_rate));
        prop_assert!((80.0..=100.0).contains(&vitals.spo2));
        prop_assert!((8.0..40.0).contains(&vitals.respiratory_rate));
        prop_assert!((70.0..160.0).contains(&vitals.systolic_pressure));
        prop_assert!((30.0..vitals.systolic_pressure).contains(&vitals.diastolic_pressure));
        prop_assert!((35.5..38.5).contains(&vitals.temperature));
    }
}
