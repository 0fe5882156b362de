//! Courses of readings, and what a rule makes of them.

use super::*;
use crate::rule::tests::tachycardia;
use crate::{Comparison, Condition};
use proptest::prelude::*;
use readings::{Path, Unit, Value, Waveform};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_000_000 + second).unwrap()
}

fn reading(second: i64, value: Value) -> Reading {
    Reading {
        path: Path::parse("heartRate").unwrap(),
        value,
        unit: Unit::parse("/min").ok(),
        sign: None,
        modeled: true,
        measured_at: at(second),
        received_at: at(second),
    }
}

fn pulse(second: i64, value: f64) -> Reading {
    reading(second, Value::Number(value))
}

/// One letter per reading: R raise, C clear, h hold, - not judged.
fn course(rule: &Rule, readings: impl IntoIterator<Item = Reading>) -> (String, Phase) {
    let mut phase = Phase::default();
    let mut letters = String::new();
    for reading in readings {
        let (next, verdict) = evaluate(rule, &phase, &reading);
        phase = next;
        letters.push(match verdict {
            Some(Verdict::Raise { .. }) => 'R',
            Some(Verdict::Clear { .. }) => 'C',
            Some(Verdict::Hold) => 'h',
            None => '-',
        });
    }
    (letters, phase)
}

#[test]
fn courses() {
    let since = at;
    type Row<'r> = (&'r str, &'r [(i64, f64)], &'r str, Phase);
    let rows: [Row<'_>; 9] = [
        ("nothing happens", &[(0, 72.0), (10, 129.9)], "hh", Phase::Normal),
        ("held for exactly as long", &[(0, 130.0), (9, 150.0), (10, 130.0)], "hhR", Phase::Raised),
        (
            "a dip starts anew",
            &[(0, 130.0), (9, 129.0), (10, 131.0), (19, 131.0), (20, 131.0)],
            "hhhhR",
            Phase::Raised,
        ),
        (
            "between the conditions it stays raised",
            &[(0, 140.0), (10, 140.0), (20, 125.0)],
            "hRh",
            Phase::Raised,
        ),
        (
            "clears after its own hold",
            &[(0, 140.0), (10, 140.0), (20, 120.0), (24, 90.0), (25, 90.0)],
            "hRhhC",
            Phase::Normal,
        ),
        (
            "a relapse stops clearing",
            &[(0, 140.0), (10, 140.0), (20, 90.0), (24, 121.0), (25, 90.0)],
            "hRhhh",
            Phase::Clearing { since: since(25) },
        ),
        (
            "and again",
            &[(0, 140.0), (10, 140.0), (20, 90.0), (25, 90.0), (30, 140.0), (40, 140.0)],
            "hRhChR",
            Phase::Raised,
        ),
        ("silence does not delay", &[(0, 140.0), (3600, 140.0)], "hR", Phase::Raised),
        (
            "what is older than the wait is not judged",
            &[(100, 140.0), (50, 60.0), (99, 150.0), (110, 140.0)],
            "h--R",
            Phase::Raised,
        ),
    ];
    for (name, readings, letters, phase) in rows {
        let readings = readings.iter().map(|(second, value)| pulse(*second, *value));
        assert_eq!(course(&tachycardia(), readings), (letters.to_owned(), phase), "{name}");
    }
}

#[test]
fn without_holds_one_reading_is_enough() {
    let rule = Rule { hold: SignedDuration::ZERO, clear_hold: SignedDuration::ZERO, ..tachycardia() };
    let readings = [pulse(0, 130.0), pulse(1, 125.0), pulse(2, 120.0), pulse(3, 131.0)];
    assert_eq!(course(&rule, readings), ("RhCR".to_owned(), Phase::Raised));
}

#[test]
fn the_verdict_carries_the_value_in_the_rules_unit() {
    let fever = Rule {
        raise: Condition { comparison: Comparison::AtLeast, value: 100.4 },
        clear: Condition { comparison: Comparison::Below, value: 99.5 },
        hold: SignedDuration::ZERO,
        unit: Unit::parse("[degF]").ok(),
        ..tachycardia()
    };
    let celsius = |value| Reading { unit: Unit::parse("Cel").ok(), ..pulse(0, value) };
    assert_eq!(evaluate(&fever, &Phase::Normal, &celsius(37.9)).1, Some(Verdict::Hold));
    let (phase, verdict) = evaluate(&fever, &Phase::Normal, &celsius(38.0));
    let Some(Verdict::Raise { value }) = verdict else { panic!("38 Cel is 100.4 [degF]: {verdict:?}") };
    assert_eq!(phase, Phase::Raised);
    assert!((value - 100.4).abs() < 1e-9);
}

#[test]
fn what_cannot_be_compared_is_not_judged() {
    let waveform = Waveform { sample_rate_hz: 125.0, samples: vec![200.0] };
    let raises = Rule { hold: SignedDuration::ZERO, ..tachycardia() };
    let bare = Rule { unit: None, ..raises.clone() };
    let rows = [
        ("a text", &raises, reading(0, Value::Text("200".into()))),
        ("a waveform", &raises, reading(0, Value::Waveform(waveform.into()))),
        ("another path", &raises, Reading { path: Path::parse("pulse").unwrap(), ..pulse(0, 200.0) }),
        ("no unit", &raises, Reading { unit: None, ..pulse(0, 200.0) }),
        ("another quantity", &raises, Reading { unit: Unit::parse("%").ok(), ..pulse(0, 200.0) }),
        ("a unit that the device chose", &bare, Reading { modeled: false, ..pulse(0, 200.0) }),
    ];
    for (name, rule, reading) in rows {
        for phase in [
            Phase::Normal,
            Phase::Raised,
            Phase::Pending { since: at(-60) },
            Phase::Clearing { since: at(-60) },
        ] {
            assert_eq!(evaluate(rule, &phase, &reading), (phase, None), "{name}");
        }
    }
    assert_eq!(evaluate(&bare, &Phase::Normal, &pulse(0, 200.0)).0, Phase::Raised);
    let unmodeled_and_bare = Reading { unit: None, modeled: false, ..pulse(0, 200.0) };
    assert_eq!(evaluate(&bare, &Phase::Normal, &unmodeled_and_bare).0, Phase::Raised);
}

#[test]
fn a_flag_counts_as_one_or_zero() {
    let on_oxygen = Rule {
        raise: Condition { comparison: Comparison::AtLeast, value: 1.0 },
        clear: Condition { comparison: Comparison::Below, value: 1.0 },
        hold: SignedDuration::ZERO,
        clear_hold: SignedDuration::ZERO,
        unit: None,
        ..tachycardia()
    };
    let flag = |second, flag| Reading { unit: None, ..reading(second, Value::Flag(flag)) };
    let readings = [flag(0, false), flag(1, true), flag(2, true), flag(3, false)];
    assert_eq!(course(&on_oxygen, readings).0, "hRhC");
}

#[test]
fn a_disabled_rule_only_clears_what_it_raised() {
    let disabled = Rule { enabled: false, ..tachycardia() };
    let clear = Some(Verdict::Clear { value: 200.0 });
    for (phase, verdict) in [
        (Phase::Normal, None),
        (Phase::Pending { since: at(0) }, None),
        (Phase::Raised, clear),
        (Phase::Clearing { since: at(0) }, clear),
    ] {
        assert_eq!(evaluate(&disabled, &phase, &pulse(5, 200.0)), (Phase::Normal, verdict));
    }
}

#[test]
fn a_phase_is_kept_in_snapshots() {
    for phase in
        [Phase::Normal, Phase::Raised, Phase::Pending { since: at(1) }, Phase::Clearing { since: at(2) }]
    {
        let stored = serde_json::to_string(&phase).unwrap();
        assert_eq!(serde_json::from_str::<Phase>(&stored).unwrap(), phase);
    }
}

fn waits_since(phase: &Phase) -> Option<Timestamp> {
    match phase {
        Phase::Pending { since } | Phase::Clearing { since } => Some(*since),
        Phase::Normal | Phase::Raised => None,
    }
}

prop_compose! {
    fn any_rule()(hold in 0_i64..30, clear_hold in 0_i64..30, gap in 0.0_f64..20.0) -> Rule {
        Rule {
            hold: SignedDuration::from_secs(hold),
            clear_hold: SignedDuration::from_secs(clear_hold),
            clear: Condition { comparison: Comparison::Below, value: 130.0 - gap },
            ..tachycardia()
        }.validate().unwrap()
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![8 => (90.0_f64..160.0).prop_map(Value::Number), 1 => any::<bool>().prop_map(Value::Flag), 1 => Just(Value::Text("x".into()))]
}

proptest! {
    #[test]
    fn raise_and_clear_alternate_in_any_order_of_readings(
        rule in any_rule(),
        readings in prop::collection::vec((0_i64..200, any_value()), 0..100),
    ) {
        let mut phase = Phase::default();
        for (second, value) in readings {
            let (next, verdict) = evaluate(&rule, &phase, &reading(second, value));
            match verdict {
                Some(Verdict::Raise { value }) => {
                    prop_assert!(!phase.is_raised() && next == Phase::Raised && rule.raise.is_met_by(value));
                }
                Some(Verdict::Clear { value }) => {
                    prop_assert!(phase.is_raised() && next == Phase::Normal && rule.clear.is_met_by(value));
                }
                Some(Verdict::Hold) => prop_assert_eq!(phase.is_raised(), next.is_raised()),
                None => prop_assert_eq!(phase, next),
            }
            // A wait never begins before the reading that began it, nor moves backwards while it lasts.
            if let (Some(before), Some(after)) = (waits_since(&phase), waits_since(&next)) {
                prop_assert!(phase.is_raised() != next.is_raised() || after >= before);
            }
            phase = next;
        }
    }

    #[test]
    fn a_late_reading_never_undoes_a_wait(rule in any_rule(), wait in 1_i64..100, late in 1_i64..100, value in any_value()) {
        for phase in [Phase::Pending { since: at(wait) }, Phase::Clearing { since: at(wait) }] {
            prop_assert_eq!(evaluate(&rule, &phase, &reading(wait - late, value.clone())), (phase, None));
        }
    }

    #[test]
    fn nothing_is_raised_before_its_hold(rule in any_rule(), mut seconds in prop::collection::vec(0_i64..60, 1..40)) {
        seconds.sort_unstable();
        let first = seconds[0];
        let mut phase = Phase::default();
        for second in seconds {
            let (next, verdict) = evaluate(&rule, &phase, &pulse(second, 140.0));
            let long_enough = SignedDuration::from_secs(second - first) >= rule.hold;
            prop_assert_eq!(next.is_raised(), long_enough);
            prop_assert_eq!(matches!(verdict, Some(Verdict::Raise { .. })), long_enough && !phase.is_raised());
            phase = next;
        }
    }
}
