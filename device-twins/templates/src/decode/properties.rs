//! What holds for any bytes at all.

use super::*;
use crate::builtin;
use proptest::prelude::*;
use readings::Value;
use serde_json::json;

fn received_at() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// Decodes behind what is there already, and checks what must hold whatever comes.
fn check(payload: &[u8], component: Option<&str>) -> Result<(), TestCaseError> {
    let template = builtin::patient_monitor();
    let mut out = Vec::new();
    let earlier = RawMessage { component: None, payload: br#"{"heartRate":60}"#, received_at: received_at() };
    template.decode(earlier, &mut out).unwrap();
    let before = out.clone();

    let result = template.decode(RawMessage { component, payload, received_at: received_at() }, &mut out);
    prop_assert_eq!(&out[..1], &before[..], "what was there before stays");
    if let Err(defect) = result {
        prop_assert_eq!(out.len(), 1, "nothing is read by half");
        prop_assert!(!defect.detail.is_empty());
        return Ok(());
    }
    prop_assert!(out.len() > 1, "a message that is read says something");
    for reading in &out[1..] {
        match &reading.value {
            Value::Number(number) => prop_assert!(number.is_finite()),
            Value::Waveform(waveform) => {
                prop_assert!(waveform.samples.iter().all(|sample| sample.is_finite()));
                prop_assert!((1..=RawMessage::MAX_SAMPLES).contains(&waveform.samples.len()));
                prop_assert!(waveform.sample_rate_hz > 0.0 && waveform.sample_rate_hz.is_finite());
            }
            Value::Text(text) => prop_assert!(text.len() <= RawMessage::MAX_TEXT),
            Value::Flag(_) => {}
        }
        if let (Some(sign), Some(number)) = (reading.sign, reading.value.as_number()) {
            prop_assert!(sign.plausible().contains(&number));
            prop_assert_eq!(&reading.unit, &sign.unit());
        }
        prop_assert!(reading.sign.is_none() || reading.modeled);
        prop_assert!(reading.measured_at.as_second() >= 946_684_800);
        prop_assert!(reading.measured_at <= received_at() + jiff::SignedDuration::from_hours(24));
        let stored = serde_json::to_string(reading).unwrap();
        prop_assert!(serde_json::from_str::<Reading>(&stored).is_ok(), "{}", stored);
    }
    Ok(())
}

fn scalar() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        (-50_f64..400.0).prop_map(|number| json!(number)),
        prop::num::f64::ANY.prop_map(|number| json!(number)),
        prop::sample::select(vec!["A", "U", "Cel", "/min", "%", "mmHg", "2026-01-02T03:04:05Z", "NaN", "72"])
            .prop_map(|text| json!(text)),
        ".{0,20}".prop_map(|text| json!(text)),
    ]
}

fn name() -> impl Strategy<Value = String> {
    let known = vec![
        "heartRate",
        "spo2",
        "temperature",
        "systolicPressure",
        "consciousness",
        "supplementalOxygen",
        "ecg",
        "ts",
        "values",
        "value",
        "unit",
        "rate",
        "samples",
    ];
    prop_oneof![4 => prop::sample::select(known).prop_map(str::to_owned), 1 => ".{0,10}", 1 => "[a-z./]{1,70}"]
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    scalar().prop_recursive(9, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
            prop::collection::vec((name(), inner), 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Pieces of which a device might put a payload together, well or badly.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\"heartRate\"",
        "\"ts\"",
        "\"values\"",
        "\"ecg\"",
        "\"rate\"",
        "\"samples\"",
        "\"value\"",
        "\"unit\"",
        "72",
        "-",
        "1e999",
        "NaN",
        "Infinity",
        "null",
        "true",
        "\\u0000",
        "\\ud800",
        "\n",
        " ",
        "é",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_bytes(payload in prop::collection::vec(any::<u8>(), 0..400)) {
        check(&payload, None)?;
    }

    #[test]
    fn any_pieces_of_json(payload in pieces()) {
        check(payload.as_bytes(), None)?;
    }

    #[test]
    fn any_value_of_json(payload in any_json(), component in prop::option::of(".{0,5}")) {
        check(payload.to_string().as_bytes(), component.as_deref())?;
    }

    #[test]
    fn any_object_of_json(fields in prop::collection::vec((name(), any_json()), 1..6)) {
        let payload: serde_json::Value = fields.into_iter().collect();
        check(payload.to_string().as_bytes(), None)?;
    }

    #[test]
    fn any_message_cut_short(pulse in 0_u16..350, cut in 0_usize..60) {
        let payload = format!(r#"{{"ts":1767323045000,"values":{{"heartRate":{pulse},"spo2":97}}}}"#);
        let cut = cut.min(payload.len());
        check(&payload.as_bytes()[..cut], None)?;
        check(&payload.as_bytes()[cut..], None)?;
    }

    #[test]
    fn what_is_sent_in_another_unit_is_the_same_reading(celsius in 0.0_f64..50.0) {
        let template = builtin::vitals_sensor();
        let read = |payload: String| {
            let mut out = Vec::new();
            template.decode(RawMessage { component: None, payload: payload.as_bytes(), received_at: received_at() }, &mut out).unwrap();
            out[0].value.as_number().unwrap()
        };
        let plain = read(format!(r#"{{"temperature":{celsius}}}"#));
        // Kept clear of the ends, where rounding may leave the plausible range.
        prop_assume!((0.001..49.999).contains(&celsius));
        let fahrenheit = read(format!(r#"{{"temperature":{{"value":{},"unit":"[degF]"}}}}"#, celsius * 1.8 + 32.0));
        prop_assert!((plain - celsius).abs() < 1e-9 && (fahrenheit - celsius).abs() < 1e-9);
    }
}
