//! Payloads and what they are read as, row by row.

use super::*;
use crate::builtin;
use jiff::SignedDuration;
use readings::{Value, VitalSign};

fn received_at() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn decode_with(template: &Template, component: Option<&str>, payload: &str) -> Result<Vec<Reading>, Defect> {
    let mut out = Vec::new();
    let message = RawMessage { component, payload: payload.as_bytes(), received_at: received_at() };
    template.decode(message, &mut out).map(|()| out)
}

fn decode(payload: &str) -> Result<Vec<Reading>, Defect> {
    decode_with(builtin::patient_monitor(), None, payload)
}

/// One line per reading: path, `*` if unmodeled, value, unit.
fn lines(readings: &[Reading]) -> Vec<String> {
    let line = |reading: &Reading| {
        let mark = if reading.modeled { "" } else { "*" };
        let unit = reading.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        format!("{}{mark} {}{unit}", reading.path, reading.value)
    };
    readings.iter().map(line).collect()
}

#[test]
fn values_become_readings() {
    let rows: [(&str, &[&str]); 24] = [
        (r#"{"heartRate":72,"spo2":97}"#, &["heartRate 72 /min", "spo2 97 %"]),
        (r#" { "temperature" : 36.6 } "#, &["temperature 36.6 Cel"]),
        (
            r#"{"supplementalOxygen":true,"consciousness":"A"}"#,
            &["supplementalOxygen yes", "consciousness A"],
        ),
        (r#"{"temperature":{"value":38.2}}"#, &["temperature 38.2 Cel"]),
        (r#"{"temperature":{"value":311.35,"unit":"K"}}"#, &["temperature 38.2 Cel"]),
        (r#"{"temperature":{"unit":"Cel","value":38.2}}"#, &["temperature 38.2 Cel"]),
        (r#"{"systolicPressure":{"value":16.665250,"unit":"kPa"}}"#, &["systolicPressure 125 mm[Hg]"]),
        (r#"{"spo2":{"value":0.97,"unit":"1"}}"#, &["spo2 97 %"]),
        (r#"{"ecg":{"rate":125,"samples":[0.1,-0.2,3]}}"#, &["ecg 3 samples at 125 Hz mV"]),
        (r#"{"heartRate":null,"spo2":97}"#, &["spo2 97 %"]),
        (r#"{"battery":80}"#, &["battery* 80"]),
        (r#"{"battery":{"value":3.7,"unit":"V"}}"#, &["battery* 3.7 V"]),
        (r#"{"firmware":"1.2","charging":false}"#, &["firmware* 1.2", "charging* no"]),
        (r#"{"pleth":{"rate":62.5,"samples":[1],"unit":"mV"}}"#, &["pleth* 1 samples at 62.5 Hz mV"]),
        (r#"{"position":{"x":1,"y":{"z":2},"w":null}}"#, &["position.x* 1", "position.y.z* 2"]),
        (r#"{"alarm":{"value":1,"limit":2}}"#, &["alarm.value* 1", "alarm.limit* 2"]),
        (r#"{"odd":{"rate":"fast","samples":[1]}}"#, &["odd.rate* fast", "odd.samples* [1]"]),
        (
            r#"{"leads":["I",{"n":2.5}],"raw":[1,2.5],"none":[]}"#,
            &[r#"leads* ["I",{"n":2.5}]"#, "raw* [1,2.5]", "none* []"],
        ),
        (r#"{"heart\u0052ate":72}"#, &["heartRate 72 /min"]),
        (r#"{"note":"a\"b"}"#, &[r#"note* a"b"#]),
        (r#"{"pump/rate":5}"#, &["pump/rate* 5"]),
        (r#"{"values":{"heartRate":72},"battery":80}"#, &["heartRate 72 /min", "battery* 80"]),
        (r#"[{"heartRate":72},{"heartRate":73}]"#, &["heartRate 72 /min", "heartRate 73 /min"]),
        (
            r#"{"heartRate":0,"spo2":100,"temperature":50}"#,
            &["heartRate 0 /min", "spo2 100 %", "temperature 50 Cel"],
        ),
    ];
    for (payload, expected) in rows {
        let mut readings = decode(payload).unwrap_or_else(|defect| panic!("{payload}: {defect}"));
        for reading in &mut readings {
            // What a unit conversion leaves in the last binary digits is not the subject here.
            if let Value::Number(number) = &mut reading.value {
                *number = (*number * 1e9).round() / 1e9;
            }
        }
        assert_eq!(lines(&readings), expected, "{payload}");
    }
}

#[test]
fn a_defect_names_its_reason_and_leaves_nothing_behind() {
    use DefectReason::{
        BadPath, Empty, NotFinite, NotJson, TooDeep, TooLarge, TooManyValues, UnknownUnit, WrongType,
    };
    let samples =
        |count: usize| format!(r#"{{"ecg":{{"rate":125,"samples":[{}]}}}}"#, vec!["0"; count].join(","));
    let named = |count: usize| {
        let values: Vec<String> = (0..count).map(|n| format!(r#""v{n}":1"#)).collect();
        format!("{{{}}}", values.join(","))
    };
    let batch = |count: usize| format!("[{}]", vec![r#"{"heartRate":72}"#; count].join(","));
    let deep = |depth: usize| format!(r#"{}"a":{}1{}"#, "{", r#"{"a":"#.repeat(depth - 1), "}".repeat(depth));
    let text = |length: usize| format!(r#"{{"note":"{}"}}"#, "x".repeat(length));
    for good in [samples(5000), named(256), batch(1000), deep(8), text(4096)] {
        assert!(decode(&good).is_ok(), "{:.60}", good);
    }
    let rows: Vec<(String, DefectReason)> = [
        ("", Empty),
        ("  \n", Empty),
        ("{}", Empty),
        ("[]", Empty),
        ("[{}]", Empty),
        (r#"{"ts":1767323045000}"#, Empty),
        (r#"{"values":{}}"#, Empty),
        (r#"{"heartRate":null}"#, Empty),
        (r#"{"ecg":{"rate":125,"samples":[]}}"#, Empty),
        (r#"[{"heartRate":72},{}]"#, Empty),
        ("hello", NotJson),
        ("{\"heartRate\":72", NotJson),
        (r#"{"heartRate":72}x"#, NotJson),
        (r#"{"heartRate":72,}"#, NotJson),
        (r#"{'heartRate':72}"#, NotJson),
        (r#"{"heartRate":072}"#, NotJson),
        ("\u{feff}{\"heartRate\":72}", NotJson),
        (r#"{"heartRate":NaN}"#, NotFinite),
        (r#"{"heartRate": -Infinity}"#, NotFinite),
        ("{\n\"heartRate\":\nnan}", NotFinite),
        (r#"{"heartRate":1e999}"#, NotFinite),
        (r#"{"battery":-1e999}"#, NotFinite),
        (r#"{"heartRate":"NaN"}"#, NotFinite),
        (r#"{"ecg":{"rate":125,"samples":[1e39]}}"#, NotFinite),
        ("72", WrongType),
        ("null", WrongType),
        (r#""heartRate""#, WrongType),
        ("[72]", WrongType),
        ("[[{}]]", WrongType),
        (r#"{"values":72}"#, WrongType),
        (r#"{"values":null}"#, WrongType),
        (r#"{"values":[1]}"#, WrongType),
        (r#"{"heartRate":"72"}"#, WrongType),
        (r#"{"heartRate":true}"#, WrongType),
        (r#"{"heartRate":[72]}"#, WrongType),
        (r#"{"heartRate":{"rate":1,"samples":[1]}}"#, WrongType),
        (r#"{"heartRate":{"value":72,"unit":5}}"#, WrongType),
        (r#"{"heartRate":{"value":null,"unit":"/min"}}"#, WrongType),
        (r#"{"supplementalOxygen":1}"#, WrongType),
        (r#"{"supplementalOxygen":"true"}"#, WrongType),
        (r#"{"consciousness":"a"}"#, WrongType),
        (r#"{"consciousness":"alert"}"#, WrongType),
        (r#"{"ecg":[0.1]}"#, WrongType),
        (r#"{"ecg":{"rate":0,"samples":[1]}}"#, WrongType),
        (r#"{"ecg":{"rate":100001,"samples":[1]}}"#, WrongType),
        (r#"{"ecg":{"rate":125,"samples":[null]}}"#, WrongType),
        (r#"{"heartRate":350.1}"#, WrongType),
        (r#"{"heartRate":-1}"#, WrongType),
        (r#"{"spo2":100.5}"#, WrongType),
        (r#"{"temperature":98.6}"#, WrongType),
        (r#"{"temperature":{"value":38.2,"unit":"celsius"}}"#, UnknownUnit),
        (r#"{"temperature":{"value":38.2,"unit":""}}"#, UnknownUnit),
        (r#"{"temperature":{"value":38.2,"unit":"%"}}"#, UnknownUnit),
        (r#"{"supplementalOxygen":{"value":true,"unit":"1"}}"#, UnknownUnit),
        (r#"{"battery":{"value":3.7,"unit":"volts"}}"#, UnknownUnit),
        (r#"{"":1}"#, BadPath),
        (r#"{"heart rate":1}"#, BadPath),
        (r#"{"a":{"b c":1}}"#, BadPath),
        (r#"{"a b":{"c":1}}"#, BadPath),
    ]
    .into_iter()
    .map(|(payload, reason)| (payload.to_owned(), reason))
    .chain([
        (samples(5001), TooManyValues),
        (named(257), TooManyValues),
        (batch(1001), TooManyValues),
        (deep(9), TooDeep),
        (deep(500), TooDeep),
        ("[".repeat(9), WrongType),
        (format!(r#"{{"a":{}"#, "[".repeat(100_000)), TooDeep),
        (text(4097), TooLarge),
        (text(RawMessage::MAX_BYTES), TooLarge),
        (format!(r#"{{"{}":1}}"#, "x".repeat(129)), BadPath),
        (format!(r#"{{"{}":{{"y":1}}}}"#, "x".repeat(100_000)), BadPath),
        (format!(r#"{{"{}":{{"{}":1}}}}"#, "x".repeat(100), "y".repeat(100)), BadPath),
    ])
    .collect();
    for (payload, reason) in rows {
        let defect = decode(&payload).expect_err(&payload);
        assert_eq!(defect.reason, reason, "{payload:.80}: {defect}");
        assert!(defect.detail.len() < 300, "{defect}");
    }
}

#[test]
fn invalid_utf_8_is_not_json() {
    let mut out = Vec::new();
    let message = RawMessage { component: None, payload: b"{\"note\":\"\xff\"}", received_at: received_at() };
    let defect = builtin::patient_monitor().decode(message, &mut out).unwrap_err();
    assert_eq!((defect.reason, out.len()), (DefectReason::NotJson, 0));
}

#[test]
fn ts_gives_the_time_of_measurement() {
    let hour_before = received_at() - SignedDuration::from_hours(1);
    let milliseconds = hour_before.as_millisecond();
    let rows = [
        (r#""2026-01-02T02:04:05Z""#.to_owned(), hour_before),
        (r#""2026-01-02T03:04:05+01:00""#.to_owned(), hour_before),
        (r#""2026-01-02t02:04:05.000001z""#.to_owned(), hour_before + SignedDuration::from_micros(1)),
        (milliseconds.to_string(), hour_before),
        (format!("{milliseconds}.25"), hour_before + SignedDuration::from_micros(250)),
        ("946684800000".to_owned(), "2000-01-01T00:00:00Z".parse().unwrap()),
        (r#""2026-01-03T03:04:05Z""#.to_owned(), received_at() + SignedDuration::from_hours(24)),
        ("null".to_owned(), received_at()),
    ];
    for (ts, expected) in rows {
        for payload in [
            format!(r#"{{"ts":{ts},"values":{{"heartRate":72,"battery":1}}}}"#),
            format!(r#"{{"values":{{"heartRate":72,"battery":1}},"ts":{ts}}}"#),
            format!(r#"{{"heartRate":72,"ts":{ts},"battery":1}}"#),
        ] {
            let readings = decode(&payload).unwrap_or_else(|defect| panic!("{payload}: {defect}"));
            assert_eq!(readings.len(), 2);
            for reading in readings {
                assert_eq!(
                    (reading.measured_at, reading.received_at),
                    (expected, received_at()),
                    "{payload}"
                );
            }
        }
    }
    let batch = r#"[{"ts":"2026-01-02T02:04:05Z","values":{"heartRate":72}},{"heartRate":73}]"#;
    let times: Vec<_> = decode(batch).unwrap().iter().map(|reading| reading.measured_at).collect();
    assert_eq!(times, [hour_before, received_at()]);
}

#[test]
fn a_time_out_of_range_or_no_time_is_a_defect() {
    use DefectReason::{TimeOutOfRange, WrongType};
    let rows = [
        ("946684799999", TimeOutOfRange),
        ("0", TimeOutOfRange),
        ("-1", TimeOutOfRange),
        ("1767323045", TimeOutOfRange), // seconds, not milliseconds
        ("1e300", TimeOutOfRange),
        (r#""1999-12-31T23:59:59Z""#, TimeOutOfRange),
        (r#""2026-01-03T03:04:05.000001Z""#, TimeOutOfRange),
        (r#""30000-01-01T00:00:00Z""#, TimeOutOfRange),
        (r#""+030000-01-01T00:00:00Z""#, TimeOutOfRange),
        (r#""2026-13-01T00:00:00Z""#, TimeOutOfRange),
        (r#""2026-01-02T03:04:05""#, WrongType), // no offset
        (r#""2026-01-02""#, WrongType),
        (r#""yesterday""#, WrongType),
        (r#""""#, WrongType),
        ("true", WrongType),
        (r#"{"value":1}"#, WrongType),
    ];
    for (ts, reason) in rows {
        for payload in [
            format!(r#"{{"ts":{ts},"values":{{"heartRate":72}}}}"#),
            format!(r#"{{"heartRate":72,"ts":{ts}}}"#),
        ] {
            let defect = decode(&payload).expect_err(&payload);
            assert_eq!(defect.reason, reason, "{payload}: {defect}");
        }
    }
}

#[test]
fn a_defect_late_in_a_batch_undoes_it_but_not_what_was_there_before() {
    let mut out = decode(r#"{"heartRate":72}"#).unwrap();
    let before = out.clone();
    let payload = br#"[{"heartRate":73},{"ts":0,"values":{"heartRate":74}}]"#;
    let message = RawMessage { component: None, payload, received_at: received_at() };
    assert!(builtin::patient_monitor().decode(message, &mut out).is_err());
    assert_eq!(out, before);
}

#[test]
fn signs_and_times_come_with_every_reading() {
    let readings = decode(r#"{"spo2":97,"battery":1}"#).unwrap();
    assert_eq!(readings[0].sign, Some(VitalSign::OxygenSaturation));
    assert_eq!(readings[0].unit, VitalSign::OxygenSaturation.unit());
    assert_eq!((readings[1].sign, readings[1].modeled), (None, false));
    assert_eq!((readings[0].measured_at, readings[0].received_at), (received_at(), received_at()));
}

#[test]
fn no_defect_tells_what_was_measured() {
    for payload in [r#"{"heartRate":987654}"#, r#"{"consciousness":"987654"}"#, r#"{"heartRate":"987654"}"#] {
        let defect = decode(payload).unwrap_err();
        assert!(!defect.detail.contains("987654"), "{defect}");
    }
}

const ASSEMBLY: &str = r#"[
  {"@context": "dtmi:dtdl:context;2", "@id": "dtmi:test:Bed;1", "@type": "Interface", "contents": [
    {"@type": "Component", "name": "scale", "schema": "dtmi:test:Scale;1"},
    {"@type": "Component", "name": "lamp", "schema": "dtmi:test:Lamp;1"},
    {"@type": ["Telemetry", "Temperature"], "name": "skin", "schema": "double", "unit": "degreeFahrenheit", "vitalSign": "temperature"},
    {"@type": "Telemetry", "name": "shake", "schema": {"@type": "Object", "fields": [
      {"name": "x", "schema": "double", "ucum": "[g]"}, {"name": "y", "schema": "integer"}]}},
    {"@type": "Telemetry", "name": "mode", "schema": {"@type": "Enum", "valueSchema": "integer", "enumValues": [{"name": "off", "enumValue": 0}]}},
    {"@type": "Telemetry", "name": "ts", "schema": "string"},
    {"@type": "Telemetry", "name": "map", "schema": {"@type": "Map"}},
    {"@type": "Telemetry", "name": "count", "schema": "long"}
  ]},
  {"@context": "dtmi:dtdl:context;2", "@id": "dtmi:test:Scale;1", "@type": "Interface", "contents":
    {"@type": "Telemetry", "name": "weight", "schema": "double", "unit": "kilogram"}}
]"#;

#[test]
fn components_and_objects_are_found_in_every_form() {
    let template = Template::parse(ASSEMBLY).unwrap();
    assert_eq!(template.unresolved().collect::<Vec<_>>(), ["dtmi:test:Lamp;1"]);
    let rows: [(Option<&str>, &str, &[&str]); 14] = [
        (Some("scale"), r#"{"weight":70}"#, &["scale/weight 70 kg"]),
        (Some("scale"), r#"{"values":{"weight":{"value":70000,"unit":"g"}}}"#, &["scale/weight 70 kg"]),
        (None, r#"{"scale/weight":70}"#, &["scale/weight 70 kg"]),
        (None, r#"{"scale":{"weight":70,"tare":1}}"#, &["scale/weight 70 kg", "scale/tare* 1"]),
        (None, r#"{"weight":70}"#, &["weight* 70"]),
        (Some("scale"), r#"{"skin":70}"#, &["scale/skin* 70"]),
        (Some("lamp"), r#"{"on":true}"#, &["lamp/on* yes"]),
        (Some("other"), r#"{"on":{"since":"noon"}}"#, &["other/on.since* noon"]),
        (None, r#"{"skin":98.6}"#, &["skin 37 Cel"]),
        (None, r#"{"shake":{"x":1.5,"y":2,"z":3}}"#, &["shake.x 1.5 [g]", "shake.y 2", "shake.z* 3"]),
        (None, r#"{"mode":0}"#, &["mode 0"]),
        (None, r#"{"ts":"the template's own"}"#, &["ts the template's own"]),
        (None, r#"{"map":{"value":1,"unit":"m"}}"#, &[r#"map {"value":1,"unit":"m"}"#]),
        (None, r#"{"count":4294967296}"#, &["count 4294967296"]),
    ];
    for (component, payload, expected) in rows {
        let mut readings =
            decode_with(&template, component, payload).unwrap_or_else(|defect| panic!("{payload}: {defect}"));
        if let Some(Value::Number(number)) = readings.first_mut().map(|reading| &mut reading.value) {
            *number = (*number * 1e9).round() / 1e9;
        }
        assert_eq!(lines(&readings), expected, "{payload}");
    }
    let rows = [
        (None, r#"{"shake":{"y":2.5}}"#, DefectReason::WrongType),
        (None, r#"{"shake":{"y":2147483648}}"#, DefectReason::WrongType),
        (None, r#"{"count":9223372036854775808}"#, DefectReason::WrongType),
        (None, r#"{"mode":1}"#, DefectReason::WrongType),
        (None, r#"{"mode":"off"}"#, DefectReason::WrongType),
        (None, r#"{"map":1}"#, DefectReason::WrongType),
        (None, r#"{"shake":{"y":{"value":2,"unit":"m"}}}"#, DefectReason::UnknownUnit),
        (None, r#"{"skin":{"value":1e308,"unit":"YK"}}"#, DefectReason::NotFinite),
        (Some("a b"), r#"{"on":true}"#, DefectReason::BadPath),
        (Some(""), r#"{"on":true}"#, DefectReason::BadPath),
    ];
    for (component, payload, reason) in rows {
        let defect = decode_with(&template, component, payload).expect_err(payload);
        assert_eq!(defect.reason, reason, "{payload}: {defect}");
    }
}
