//! The chart's cells, each at both of its bounds, and what the score makes of them.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn now() -> Timestamp {
    "2026-01-02T12:00:00Z".parse().unwrap()
}

fn text(code: &str) -> Value {
    Value::Text(code.into())
}

type Snapshot = BTreeMap<VitalSign, (Value, Timestamp)>;

fn score_of(snapshot: &Snapshot, scale: Spo2Scale) -> News2 {
    score(|sign| snapshot.get(&sign).map(|(value, at)| (value, *at)), now(), scale)
}

/// All seven, each with 0 points.
fn well() -> Snapshot {
    let values = [
        (VitalSign::RespiratoryRate, Value::Number(16.0)),
        (VitalSign::OxygenSaturation, Value::Number(97.0)),
        (VitalSign::SupplementalOxygen, Value::Flag(false)),
        (VitalSign::SystolicPressure, Value::Number(120.0)),
        (VitalSign::HeartRate, Value::Number(72.0)),
        (VitalSign::Consciousness, text("A")),
        (VitalSign::Temperature, Value::Number(37.0)),
    ];
    values.into_iter().map(|(sign, value)| (sign, (value, now()))).collect()
}

fn well_but(changes: &[(VitalSign, Value)]) -> Snapshot {
    let mut snapshot = well();
    snapshot.extend(changes.iter().cloned().map(|(sign, value)| (sign, (value, now()))));
    snapshot
}

fn points_of(news2: &News2, sign: VitalSign) -> Option<u8> {
    news2.parameters.iter().find(|parameter| parameter.sign == sign).unwrap().points
}

/// Chart 1, transcribed a second time and independently of `chart.rs`: lowest and highest value of each cell.
#[test]
fn every_numeric_cell_scores_at_both_of_its_bounds() {
    use VitalSign::{HeartRate, RespiratoryRate, SystolicPressure, Temperature};
    let rows: [(VitalSign, f64, f64, u8); 21] = [
        (RespiratoryRate, 0.0, 8.0, 3),
        (RespiratoryRate, 9.0, 11.0, 1),
        (RespiratoryRate, 12.0, 20.0, 0),
        (RespiratoryRate, 21.0, 24.0, 2),
        (RespiratoryRate, 25.0, 200.0, 3),
        (SystolicPressure, 0.0, 90.0, 3),
        (SystolicPressure, 91.0, 100.0, 2),
        (SystolicPressure, 101.0, 110.0, 1),
        (SystolicPressure, 111.0, 219.0, 0),
        (SystolicPressure, 220.0, 360.0, 3),
        (HeartRate, 0.0, 40.0, 3),
        (HeartRate, 41.0, 50.0, 1),
        (HeartRate, 51.0, 90.0, 0),
        (HeartRate, 91.0, 110.0, 1),
        (HeartRate, 111.0, 130.0, 2),
        (HeartRate, 131.0, 350.0, 3),
        (Temperature, 0.0, 35.0, 3),
        (Temperature, 35.1, 36.0, 1),
        (Temperature, 36.1, 38.0, 0),
        (Temperature, 38.1, 39.0, 1),
        (Temperature, 39.1, 50.0, 2),
    ];
    for (sign, lowest, highest, points) in rows {
        for value in [lowest, highest] {
            let news2 = score_of(&well_but(&[(sign, Value::Number(value))]), Spo2Scale::One);
            assert_eq!(points_of(&news2, sign), Some(points), "{sign} {value}");
            assert_eq!(news2.total, Some(points), "{sign} {value}");
        }
    }
}

#[test]
fn every_saturation_cell_scores_at_both_of_its_bounds() {
    use Spo2Scale::{One, Two};
    // scale, on oxygen, lowest, highest, points
    let rows: [(Spo2Scale, bool, f64, f64, u8); 19] = [
        (One, false, 0.0, 91.0, 3),
        (One, false, 92.0, 93.0, 2),
        (One, false, 94.0, 95.0, 1),
        (One, false, 96.0, 100.0, 0),
        (One, true, 0.0, 91.0, 3),
        (One, true, 92.0, 93.0, 2),
        (One, true, 94.0, 95.0, 1),
        (One, true, 96.0, 100.0, 0),
        (Two, false, 0.0, 83.0, 3),
        (Two, false, 84.0, 85.0, 2),
        (Two, false, 86.0, 87.0, 1),
        (Two, false, 88.0, 100.0, 0),
        (Two, true, 0.0, 83.0, 3),
        (Two, true, 84.0, 85.0, 2),
        (Two, true, 86.0, 87.0, 1),
        (Two, true, 88.0, 92.0, 0),
        (Two, true, 93.0, 94.0, 1),
        (Two, true, 95.0, 96.0, 2),
        (Two, true, 97.0, 100.0, 3),
    ];
    for (scale, on_oxygen, lowest, highest, points) in rows {
        for value in [lowest, highest] {
            let snapshot = well_but(&[
                (VitalSign::OxygenSaturation, Value::Number(value)),
                (VitalSign::SupplementalOxygen, Value::Flag(on_oxygen)),
            ]);
            let news2 = score_of(&snapshot, scale);
            assert_eq!(
                points_of(&news2, VitalSign::OxygenSaturation),
                Some(points),
                "{scale:?} {on_oxygen} {value}"
            );
            let oxygen = if on_oxygen { 2 } else { 0 };
            assert_eq!(points_of(&news2, VitalSign::SupplementalOxygen), Some(oxygen));
            assert_eq!(news2.total, Some(points + oxygen));
        }
    }
}

#[test]
fn consciousness_is_alert_or_three() {
    for (code, points) in [("A", 0), ("C", 3), ("V", 3), ("P", 3), ("U", 3)] {
        let news2 = score_of(&well_but(&[(VitalSign::Consciousness, text(code))]), Spo2Scale::One);
        assert_eq!(points_of(&news2, VitalSign::Consciousness), Some(points), "{code}");
    }
    for unknown in [text("a"), text(""), text("alert"), Value::Number(0.0), Value::Flag(true)] {
        let news2 = score_of(&well_but(&[(VitalSign::Consciousness, unknown.clone())]), Spo2Scale::One);
        assert_eq!(points_of(&news2, VitalSign::Consciousness), None, "{unknown:?}");
        assert_eq!((news2.complete, news2.risk), (false, None));
    }
}

#[test]
fn values_between_cells_are_rounded_as_they_are_written_down() {
    use VitalSign::{HeartRate, OxygenSaturation, RespiratoryRate, Temperature};
    let rows = [
        (Temperature, 38.04, 0),
        (Temperature, 38.05, 1),
        (Temperature, 35.04, 3),
        (Temperature, 35.05, 1),
        // What 100.4 [degF] may become on its way through binary fractions.
        (Temperature, 38.000_000_000_000_01, 0),
        (RespiratoryRate, 20.4, 0),
        (RespiratoryRate, 20.5, 2),
        (HeartRate, 130.49, 2),
        (HeartRate, 130.5, 3),
        (OxygenSaturation, 95.4, 1),
        (OxygenSaturation, 95.5, 0),
    ];
    for (sign, value, points) in rows {
        let news2 = score_of(&well_but(&[(sign, Value::Number(value))]), Spo2Scale::One);
        assert_eq!(points_of(&news2, sign), Some(points), "{sign} {value}");
    }
}

#[test]
fn chart_2_gives_the_risk() {
    use VitalSign::{
        Consciousness, HeartRate, OxygenSaturation, RespiratoryRate, SupplementalOxygen, Temperature,
    };
    type Row<'r> = (&'r [(VitalSign, Value)], u8, Risk);
    let rows: [Row<'_>; 8] = [
        (&[], 0, Risk::Low),
        (&[(HeartRate, Value::Number(120.0)), (RespiratoryRate, Value::Number(22.0))], 4, Risk::Low),
        (&[(Consciousness, text("V"))], 3, Risk::LowMedium),
        (&[(Consciousness, text("V")), (Temperature, Value::Number(38.5))], 4, Risk::LowMedium),
        (&[(Consciousness, text("V")), (HeartRate, Value::Number(120.0))], 5, Risk::Medium),
        (
            &[
                (HeartRate, Value::Number(120.0)),
                (RespiratoryRate, Value::Number(22.0)),
                (SupplementalOxygen, Value::Flag(true)),
            ],
            6,
            Risk::Medium,
        ),
        (
            &[
                (HeartRate, Value::Number(120.0)),
                (RespiratoryRate, Value::Number(22.0)),
                (SupplementalOxygen, Value::Flag(true)),
                (OxygenSaturation, Value::Number(95.0)),
            ],
            7,
            Risk::High,
        ),
        (
            &[
                (HeartRate, Value::Number(140.0)),
                (RespiratoryRate, Value::Number(30.0)),
                (Consciousness, text("P")),
            ],
            9,
            Risk::High,
        ),
    ];
    for (changes, total, expected) in rows {
        let news2 = score_of(&well_but(changes), Spo2Scale::One);
        assert_eq!(
            (news2.total, news2.risk, news2.complete),
            (Some(total), Some(expected), true),
            "{changes:?}"
        );
    }
}

#[test]
fn what_is_missing_is_missing_and_never_zero() {
    let nothing = score_of(&Snapshot::new(), Spo2Scale::One);
    assert_eq!((nothing.total, nothing.risk, nothing.complete), (None, None, false));
    assert_eq!(nothing.missing, PARAMETERS);
    for sign in PARAMETERS {
        let mut snapshot = well();
        snapshot.remove(&sign);
        let news2 = score_of(&snapshot, Spo2Scale::One);
        assert_eq!((points_of(&news2, sign), news2.total, news2.risk), (None, Some(0), None), "{sign}");
        assert_eq!(news2.missing, [sign]);
    }
}

#[test]
fn seven_points_are_high_whatever_is_missing_and_six_are_not_known() {
    let mut snapshot = well_but(&[
        (VitalSign::HeartRate, Value::Number(140.0)),
        (VitalSign::RespiratoryRate, Value::Number(30.0)),
        (VitalSign::Temperature, Value::Number(38.5)),
    ]);
    snapshot.remove(&VitalSign::Consciousness);
    assert_eq!(score_of(&snapshot, Spo2Scale::One).risk, Some(Risk::High));
    snapshot.insert(VitalSign::Temperature, (Value::Number(37.0), now()));
    let six = score_of(&snapshot, Spo2Scale::One);
    assert_eq!((six.total, six.risk), (Some(6), None));
}

#[test]
fn a_stale_value_is_missing_one_microsecond_after_its_validity() {
    for sign in PARAMETERS {
        let mut snapshot = well();
        let entry = snapshot.get_mut(&sign).unwrap();
        entry.1 = now() - sign.stale_after();
        let at_limit = score_of(&snapshot, Spo2Scale::One);
        assert!(at_limit.complete, "{sign} at its limit");
        snapshot.get_mut(&sign).unwrap().1 = now() - sign.stale_after() - SignedDuration::from_micros(1);
        let beyond = score_of(&snapshot, Spo2Scale::One);
        let parameter = beyond.parameters.iter().find(|parameter| parameter.sign == sign).unwrap();
        assert_eq!((parameter.points, beyond.complete), (None, false));
        assert_eq!(parameter.age, Some(sign.stale_after() + SignedDuration::from_micros(1)));
        assert!(parameter.reason.starts_with("stale: "), "{}", parameter.reason);
    }
}

#[test]
fn a_value_from_the_future_is_not_scored() {
    let mut snapshot = well();
    snapshot.get_mut(&VitalSign::HeartRate).unwrap().1 = now() + SignedDuration::from_secs(60);
    assert!(score_of(&snapshot, Spo2Scale::One).complete);
    snapshot.get_mut(&VitalSign::HeartRate).unwrap().1 = now() + SignedDuration::from_hours(5);
    let news2 = score_of(&snapshot, Spo2Scale::One);
    assert_eq!(news2.missing, [VitalSign::HeartRate]);
    assert!(news2.parameters[4].reason.contains("5h in the future"), "{}", news2.parameters[4].reason);
}

#[test]
fn scale_2_without_knowing_about_oxygen_scores_only_where_it_makes_no_difference() {
    for (value, points) in [(83.0, Some(3)), (87.0, Some(1)), (92.0, Some(0)), (93.0, None), (100.0, None)] {
        let mut snapshot = well_but(&[(VitalSign::OxygenSaturation, Value::Number(value))]);
        snapshot.remove(&VitalSign::SupplementalOxygen);
        let news2 = score_of(&snapshot, Spo2Scale::Two);
        assert_eq!(points_of(&news2, VitalSign::OxygenSaturation), points, "{value}");
    }
}

#[test]
fn reasons_are_written_for_a_clinician() {
    let snapshot = well_but(&[
        (VitalSign::RespiratoryRate, Value::Number(22.0)),
        (VitalSign::OxygenSaturation, Value::Number(91.0)),
        (VitalSign::HeartRate, Value::Number(131.0)),
        (VitalSign::Temperature, Value::Number(38.1)),
    ]);
    let news2 = score_of(&snapshot, Spo2Scale::One);
    let reasons: Vec<&str> = news2.parameters.iter().map(|parameter| parameter.reason.as_str()).collect();
    let expected = [
        "22 /min is 21 to 24",
        "91 % is 91 or less",
        "on air",
        "120 mmHg is 111 to 219",
        "131 /min is 131 or more",
        "alert",
        "38.1 °C is 38.1 to 39.0",
    ];
    assert_eq!(reasons, expected);
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let value = prop_oneof![
        prop::num::f64::ANY.prop_map(Value::Number),
        (-10_f64..400.0).prop_map(Value::Number),
        any::<bool>().prop_map(Value::Flag),
        prop::sample::select(vec!["A", "C", "V", "P", "U", "x", ""]).prop_map(text),
    ];
    let entry = (prop::sample::select(VitalSign::ALL.to_vec()), (value, -100_000_i64..1000));
    prop::collection::vec(entry, 0..12).prop_map(|entries| {
        let at = |second| now() + SignedDuration::from_secs(second);
        entries.into_iter().map(|(sign, (value, second))| (sign, (value, at(second)))).collect()
    })
}

fn any_scale() -> impl Strategy<Value = Spo2Scale> {
    prop_oneof![Just(Spo2Scale::One), Just(Spo2Scale::Two)]
}

proptest! {
    #[test]
    fn the_parts_add_up_whatever_comes(snapshot in any_snapshot(), scale in any_scale()) {
        let news2 = score_of(&snapshot, scale);
        let known: Vec<u8> = news2.parameters.iter().filter_map(|parameter| parameter.points).collect();
        prop_assert_eq!(news2.total, (!known.is_empty()).then(|| known.iter().sum()));
        prop_assert!(known.iter().all(|points| *points <= 3) && news2.total.unwrap_or(0) <= 20);
        prop_assert_eq!(news2.complete, known.len() == 7);
        prop_assert_eq!(news2.missing.len() + known.len(), 7);
        prop_assert_eq!(news2.risk.is_some(), news2.complete || news2.total >= Some(7));
        prop_assert!(news2.parameters.iter().all(|p| !p.reason.is_empty() && p.age.is_none_or(|age| !age.is_negative())));
    }

    #[test]
    fn learning_more_never_lowers_the_score(snapshot in any_snapshot(), gone in prop::sample::select(PARAMETERS.to_vec())) {
        let full = score_of(&snapshot, Spo2Scale::One);
        let mut less = snapshot;
        less.remove(&gone);
        let less = score_of(&less, Spo2Scale::One);
        prop_assert!(less.total <= full.total);
        // A risk that was told without the missing sign still stands when it comes.
        prop_assert!(less.risk.is_none() || less.risk == full.risk);
    }
}
