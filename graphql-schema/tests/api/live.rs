//! Subscriptions.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tenants::{PatientId, access::Role};

use crate::hospital::{Hospital, MONITOR};

const VITALS: &str = "subscription ($of: [ID!]) { vitals(patients: $of) { patientId vitals { sign value } news2 { score complete } } }";
const ALARMS: &str = "subscription { alarms { id state patient { id } } }";

fn heart_rate(answer: &Value) -> Option<f64> {
    let vitals = answer["data"]["vitals"]["vitals"].as_array()?;
    vitals.iter().find(|vital| vital["sign"] == "HEART_RATE")?["value"].as_f64()
}

#[tokio::test]
async fn vitals_begin_with_what_is_known_and_end_with_the_newest() {
    let hospital = Hospital::open().await;
    hospital.send(MONITOR, json!({ "heartRate": 60 })).await;
    let nurse = || Some(hospital.caller(Role::Nurse));
    let of = json!({ "of": [hospital.patient.to_string()] });
    for variables in [of, json!({})] {
        let mut vitals = hospital.follow(nurse(), VITALS, variables);
        let (first, _) = vitals.until(|answer| heart_rate(answer).is_some()).await;
        assert_eq!(first["data"]["vitals"]["patientId"], hospital.patient.to_string());
        assert!(heart_rate(&first) >= Some(60.0));

        for rate in 61..=160 {
            hospital.clock.advance(Duration::from_millis(10));
            hospital.send(MONITOR, json!({ "heartRate": rate })).await;
        }
        let (_, passed) = vitals.until(|answer| heart_rate(answer) == Some(160.0)).await;
        assert!(passed < 60, "{passed} of 100 changes in a burst were sent");
        hospital.clock.advance(Duration::from_secs(1));
        hospital.send(MONITOR, json!({ "heartRate": 60 })).await;
    }
}

#[tokio::test]
async fn a_patient_who_was_never_measured_is_sent_too_and_is_not_scored() {
    let hospital = Hospital::open().await;
    let fresh = PatientId::new(&hospital.clock);
    hospital.add_patient(fresh, "13").await;
    let mut vitals = hospital.follow(Some(hospital.caller(Role::Nurse)), VITALS, json!({}));
    let (update, _) = vitals.until(|answer| answer["data"]["vitals"]["patientId"] == fresh.to_string()).await;
    let expected = json!({ "score": null, "complete": false });
    assert_eq!(
        (&update["data"]["vitals"]["vitals"], &update["data"]["vitals"]["news2"]),
        (&json!([]), &expected)
    );
}

#[tokio::test]
async fn alarms_begin_with_the_open_ones_and_every_change_follows() {
    let hospital = Hospital::open().await;
    let alarm = hospital.raise_alarm().await;
    let mut alarms = hospital.follow(Some(hospital.caller(Role::Nurse)), ALARMS, json!({}));
    let state = |answer: Value| {
        let alarm = &answer["data"]["alarms"];
        (alarm["id"].as_str().unwrap().to_owned(), alarm["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(state(alarms.next().await), (alarm.clone(), "RAISED".into()));
    let acknowledge = "mutation ($id: ID!) { acknowledgeAlarm(input: { id: $id }) { id } }";
    hospital.data(Role::Nurse, acknowledge, json!({ "id": alarm })).await;
    assert_eq!(state(alarms.next().await), (alarm.clone(), "ACKNOWLEDGED".into()));
    hospital.send(MONITOR, json!({ "spo2": 97 })).await;
    assert_eq!(state(alarms.next().await), (alarm.clone(), "CLEARED".into()));
    hospital.send(MONITOR, json!({ "spo2": 81 })).await;
    let (second, raised) = state(alarms.next().await);
    assert!(second != alarm && raised == "RAISED", "a new occurrence is a new alarm");
}

/// More changes than a listener may fall behind.
const TOO_MANY: u32 = 1_100;

#[tokio::test]
async fn who_falls_behind_with_vitals_still_gets_the_newest() {
    let hospital = Hospital::open().await;
    let quiet = PatientId::new(&hospital.clock);
    hospital.add_patient(quiet, "13").await;
    hospital.add_device("quiet", Some(quiet)).await;
    let mut vitals = hospital.follow(Some(hospital.caller(Role::Nurse)), VITALS, json!({}));
    vitals.next().await;
    vitals.next().await;
    // One change of one patient, then too many of another: the first is no longer in the listener's backlog.
    hospital.send("quiet", json!({ "heartRate": 55 })).await;
    for change in 1..=TOO_MANY {
        hospital.clock.advance(Duration::from_millis(10));
        hospital.send(MONITOR, json!({ "heartRate": f64::from(change) / 10.0 })).await;
    }
    let (mut newest, mut updates) = (BTreeMap::new(), 0);
    while newest.values().ne(&[Some(55.0), Some(f64::from(TOO_MANY) / 10.0)])
        && newest.values().ne(&[Some(f64::from(TOO_MANY) / 10.0), Some(55.0)])
    {
        let update = vitals.next().await;
        newest.insert(update["data"]["vitals"]["patientId"].to_string(), heart_rate(&update));
        updates += 1;
    }
    assert!(updates < 10, "{updates}: older states came first");
}

#[tokio::test]
async fn who_falls_behind_with_alarms_is_told_what_is_over_and_what_is_open() {
    let hospital = Hospital::open().await;
    let first = hospital.raise_alarm().await;
    let mut alarms = hospital.follow(Some(hospital.caller(Role::Nurse)), ALARMS, json!({}));
    assert_eq!(alarms.next().await["data"]["alarms"]["id"], first.as_str());
    // Each message ends an alarm or raises one, and the last raises one.
    hospital.clock.advance(Duration::from_secs(1));
    let measured = |change: u32| hospital.now() + Duration::from_millis(change.into());
    let saturation = |change: u32| if change.is_multiple_of(2) { 80 } else { 97 };
    let message =
        |change| json!({ "ts": measured(change).to_string(), "values": { "spo2": saturation(change) } });
    hospital.send_all(MONITOR, (1..=TOO_MANY).map(message)).await;

    let (ended, passed) = alarms.until(|answer| answer["data"]["alarms"]["id"] == first.as_str()).await;
    assert_eq!((&ended["data"]["alarms"]["state"], passed), (&json!("CLEARED"), 0));
    let open = hospital.data(Role::Nurse, "{ alarms(states: [RAISED]) { nodes { id } } }", json!({})).await;
    let newest = &open["alarms"]["nodes"][0]["id"];
    let (_, passed) = alarms.until(|answer| answer["data"]["alarms"]["id"] == *newest).await;
    assert!(passed < 10, "what is long over is not told change by change: {passed}");
}

#[tokio::test]
async fn a_listener_of_another_hospital_hears_nothing() {
    let hospital = Hospital::open().await;
    let mut overheard = hospital.follow(Some(hospital.stranger()), ALARMS, json!({}));
    let waiting = tokio::spawn(async move { overheard.next().await });
    let alarm = hospital.raise_alarm().await;
    let mut own = hospital.follow(Some(hospital.caller(Role::Nurse)), ALARMS, json!({}));
    assert_eq!(own.next().await["data"]["alarms"]["id"], alarm.as_str());
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn a_waveform_comes_as_it_was_measured() {
    let hospital = Hospital::open().await;
    let document =
        "subscription ($of: ID!) { waveform(patient: $of) { channel sampleRateHz unit samples startedAt } }";
    let of = json!({ "of": hospital.patient.to_string() });
    let mut waveform = hospital.follow(Some(hospital.caller(Role::Nurse)), document, of);
    // A live curve has no past: what is sent before the stream listens is not seen, so it is sent again.
    let first = tokio::spawn(async move { waveform.next().await });
    while !first.is_finished() {
        hospital.send(MONITOR, json!({ "ecg": { "rate": 125, "samples": [0.1, -0.25, 1.3] } })).await;
    }
    let chunk = first.await.unwrap()["data"]["waveform"].take();
    assert_eq!(chunk["samples"], json!([0.1, -0.25, 1.3]));
    assert_eq!(
        (&chunk["channel"], &chunk["sampleRateHz"], &chunk["unit"]),
        (&json!("ecg"), &json!(125.0), &json!("mV"))
    );
    assert_eq!(chunk["startedAt"], hospital.now().to_string());
}
