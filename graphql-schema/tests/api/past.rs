//! Trends, twins and what was set aside.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tenants::access::Role;

use crate::hospital::{Hospital, MONITOR, SPARE};

const TREND: &str = "query ($id: ID!, $sign: VitalSign!, $since: DateTime, $until: DateTime, $max: Int) {
    patient(id: $id) { trend(sign: $sign, since: $since, until: $until, maxPoints: $max) { at value } } }";

async fn trend(hospital: &Hospital, arguments: Value) -> Vec<f64> {
    let mut variables = json!({ "id": hospital.patient.to_string(), "sign": "TEMPERATURE" });
    variables.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    let data = hospital.data(Role::Clinician, TREND, variables).await;
    let points = data["patient"]["trend"].as_array().unwrap();
    points.iter().map(|point| point["value"].as_f64().unwrap()).collect()
}

#[tokio::test]
async fn a_trend_is_what_the_patients_devices_measured() {
    let hospital = Hospital::open().await;
    for tenth in 0..40 {
        hospital.clock.advance(Duration::from_secs(60));
        hospital.send(MONITOR, json!({ "temperature": 36.0 + f64::from(tenth) / 10.0 })).await;
        hospital.send(SPARE, json!({ "temperature": 20 })).await;
    }
    // Also in another unit, sent late, sent twice, and not to be understood.
    let measured = hospital.now() - SignedDuration::from_secs(30);
    let late = json!({ "ts": measured.to_string(), "values": { "temperature": { "value": 104, "unit": "[degF]" } } });
    hospital.send(MONITOR, late.clone()).await;
    hospital.send(MONITOR, late).await;
    hospital.send(MONITOR, json!({ "temperature": "warm" })).await;

    let half_an_hour = trend(&hospital, json!({})).await;
    assert_eq!(half_an_hour.len(), 32, "30 minutes with both ends, and one late");
    assert!((half_an_hour[30] - 40.0).abs() < 1e-9, "104 °F between the last two: {half_an_hour:?}");
    let all = trend(&hospital, json!({ "since": "2026-01-02T03:00:00Z" })).await;
    assert_eq!((all.len(), all[0]), (41, 36.0));
    let thinned = trend(&hospital, json!({ "since": "2026-01-02T03:00:00Z", "max": 10 })).await;
    assert!(
        thinned.len() <= 10 && thinned[0] == 36.0 && thinned.contains(&40.0) && thinned.ends_with(&[39.9])
    );
    let part = json!({ "since": "2026-01-02T03:06:05Z", "until": "2026-01-02T03:08:05Z" });
    assert_eq!(trend(&hospital, part).await, [36.1, 36.2]);
    assert!(trend(&hospital, json!({ "sign": "CONSCIOUSNESS" })).await.is_empty());
}

#[tokio::test]
async fn what_a_trend_cannot_be_is_refused() {
    let hospital = Hospital::open().await;
    let id = hospital.patient.to_string();
    for wrong in [
        json!({ "since": "2026-01-01T03:04:00Z" }),
        json!({ "since": "2026-01-02T03:00:00Z", "until": "2026-01-02T02:00:00Z" }),
        json!({ "since": "yesterday" }),
        json!({ "max": 9 }),
        json!({ "max": 5001 }),
    ] {
        let mut variables = json!({ "id": id, "sign": "HEART_RATE" });
        variables.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(hospital.refusal(Role::Nurse, TREND, variables).await, "BAD_INPUT", "{wrong}");
    }
}

#[tokio::test]
async fn a_device_tells_what_it_said_and_what_was_not_understood() {
    let hospital = Hospital::open().await;
    hospital.send(MONITOR, json!({ "heartRate": 72, "battery": 88 })).await;
    hospital.send(MONITOR, json!("not an object")).await;
    let document = "query ($id: ID!) { device(id: $id) { connected lastSeenAt messageCount setAsideCount
        readings { path value unit modeled } setAside(first: 5) { reason sequence } patient { bed } } }";
    let device =
        async || hospital.data(Role::Admin, document, json!({ "id": MONITOR })).await["device"].take();
    // The twin knows at once; the row of the message that was set aside is there with its next commit.
    let committed = async {
        while device().await["setAside"] == json!([]) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), committed).await.unwrap();
    let device = device().await;
    assert_eq!((&device["messageCount"], &device["setAsideCount"]), (&json!(2), &json!(1)));
    assert_eq!(device["connected"], false);
    assert_eq!(device["lastSeenAt"], hospital.now().to_string());
    assert_eq!(device["patient"]["bed"], "12");
    let expected = json!([
        { "path": "battery", "value": "88", "unit": null, "modeled": false },
        { "path": "heartRate", "value": "72", "unit": "/min", "modeled": true },
    ]);
    assert_eq!(device["readings"], expected);
    assert_eq!(device["setAside"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_value_greys_with_its_age_and_drops_out_of_the_score() {
    let hospital = Hospital::open().await;
    hospital.send(MONITOR, json!({ "heartRate": 72, "temperature": 36.6 })).await;
    let document = "query ($id: ID!) { patient(id: $id) { vitals { sign stale }
        news2 { score complete missing parameters { sign points } } } }";
    let ask = || hospital.data(Role::Nurse, document, json!({ "id": hospital.patient.to_string() }));
    let fresh = ask().await["patient"].take();
    let stale = |patient: &Value| -> Vec<bool> {
        patient["vitals"].as_array().unwrap().iter().map(|vital| vital["stale"].as_bool().unwrap()).collect()
    };
    assert_eq!(stale(&fresh), [false, false]);
    assert_eq!((&fresh["news2"]["score"], &fresh["news2"]["complete"]), (&json!(0), &json!(false)));
    hospital.clock.advance(Duration::from_secs(600));
    let later = ask().await["patient"].take();
    assert_eq!(stale(&later), [true, false], "a pulse of ten minutes ago is old, a temperature is not");
    assert!(later["news2"]["missing"].as_array().unwrap().contains(&json!("HEART_RATE")));
}

#[tokio::test]
async fn what_a_device_sent_is_told_newest_first_and_in_parts() {
    const SENT: &str = "query ($id: ID!, $first: Int, $before: String) { device(id: $id) {
        messages(first: $first, before: $before) { sequence topic size payload userProperties { name value } } } }";
    let hospital = Hospital::open().await;
    for n in 0..5 {
        hospital.send(MONITOR, json!({ "heartRate": 60 + n })).await;
        hospital.send(SPARE, json!({ "heartRate": 99 })).await;
    }
    let alarm = hospital.raise_alarm().await;
    let acknowledge =
        "mutation ($id: ID!) { acknowledgeAlarm(input: { id: $id, note: \"Ada is well\" }) { id } }";
    hospital.data(Role::Nurse, acknowledge, json!({ "id": alarm })).await;
    let page = async |before: Value| {
        let variables = json!({ "id": MONITOR, "first": 4, "before": before });
        let device = hospital.data(Role::Technician, SENT, variables).await["device"].take();
        device["messages"].as_array().unwrap().clone()
    };
    let newest = page(Value::Null).await;
    assert_eq!(newest[0]["payload"], r#"{"heartRate":72,"spo2":80}"#, "no acknowledgement is among them");
    assert_eq!((&newest[1]["payload"], &newest[1]["size"]), (&json!(r#"{"heartRate":64}"#), &json!(16)));
    assert_eq!(
        (&newest[1]["topic"], &newest[1]["userProperties"]),
        (&json!("telemetry"), &json!([{ "name": "said", "value": "beside" }]))
    );
    let older = page(newest[3]["sequence"].clone()).await;
    let payloads: Vec<_> = older.iter().map(|message| message["payload"].as_str().unwrap()).collect();
    assert_eq!(payloads, [r#"{"heartRate":61}"#, r#"{"heartRate":60}"#]);
    let device = hospital.data(Role::Researcher, SENT, json!({ "id": MONITOR })).await["device"].take();
    let [payload, beside] = ["payload", "userProperties"].map(|part| &device["messages"][0][part]);
    assert_eq!((payload, beside), (&Value::Null, &Value::Null), "they may name the patient");
    let nonsense = json!({ "id": MONITOR, "before": "yesterday" });
    assert_eq!(hospital.refusal(Role::Admin, SENT, nonsense).await, "BAD_INPUT");
}

#[tokio::test]
async fn the_audit_trail_is_told_in_parts_and_by_filter() {
    const TRAIL: &str = "query ($first: Int, $after: String, $filter: AuditFilterInput) {
        auditLog(first: $first, after: $after, filter: $filter) {
            nodes { action actor actorName subject outcome } pageInfo { hasNextPage endCursor } totalCount } }";
    let hospital = Hospital::open().await;
    let alarm = hospital.raise_alarm().await;
    let acknowledge = "mutation ($id: ID!) { acknowledgeAlarm(input: { id: $id }) { id } }";
    hospital.data(Role::Nurse, acknowledge, json!({ "id": alarm })).await;
    let ask =
        async |variables: Value| hospital.data(Role::Auditor, TRAIL, variables).await["auditLog"].take();
    let found = ask(json!({ "filter": { "action": "alarm." } })).await;
    assert_eq!(found["nodes"][0]["action"], "alarm.acknowledge");
    assert_eq!(found["nodes"][0]["subject"], format!("alarm:{alarm}"));
    let whole = ask(json!({})).await;
    let (total, mut seen, mut after) = (whole["totalCount"].as_u64().unwrap(), Vec::new(), Value::Null);
    loop {
        let mut page = ask(json!({ "first": 2, "after": after })).await;
        seen.append(page["nodes"].as_array_mut().unwrap());
        after = page["pageInfo"]["endCursor"].take();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!((seen.len() as u64, &Value::from(seen)), (total, &whole["nodes"]));
    for (filter, expected) in [
        (json!({ "outcome": "DENIED" }), 0),
        (json!({ "action": "alarm" }), 0),
        (json!({ "until": "2000-01-01T00:00:00Z" }), 0),
        (json!({ "since": "2000-01-01T00:00:00Z", "outcome": "SUCCESS" }), total),
    ] {
        assert_eq!(ask(json!({ "filter": filter })).await["totalCount"], expected, "{filter}");
    }
    let nonsense = json!({ "after": "nonsense" });
    assert_eq!(hospital.refusal(Role::Auditor, TRAIL, nonsense).await, "NOT_FOUND");
}
