//! A reading, from an MQTT client that is not ours to the twins, the API and its subscriptions; an alarm that is raised by
//! it, acknowledged by a nurse and cleared.
use serde_json::{Value, json};
use tests::mosquitto::Publisher;
use tests::{GraphQl, Options, Postgres, Server, Subscription, eventually, rules, time};

use crate::bedside::{Seconds, device, folded, number, reading};

const PATIENT: &str = "query ($id: ID!) { patient(id: $id) { id name ward bed
    vitals { sign value code unit stale device }
    news2 { score complete risk missing parameters { sign points } }
    openAlarms { id state } trend(sign: OXYGEN_SATURATION) { at value } } }";
const ALARMS: &str =
    "subscription { alarms { id title state path value unit raisedAt acknowledgedAt acknowledgedBy note
    clearedAt device { id } patient { id } rule { id } } }";
const VITALS: &str = "subscription ($patients: [ID!]) { vitals(patients: $patients) { patientId
    vitals { sign value } news2 { score } } }";
const ACKNOWLEDGE: &str = "mutation ($input: AcknowledgeAlarmInput!) { acknowledgeAlarm(input: $input) {
    id state acknowledgedBy acknowledgedAt note } }";

#[tokio::test]
async fn a_reading_becomes_an_alarm_and_is_answered_on_sqlite() {
    journey(None).await;
}

#[tokio::test]
async fn a_reading_becomes_an_alarm_and_is_answered_on_postgresql() {
    if let Some(postgres) = Postgres::start().await {
        journey(Some(postgres.database("iomt").await)).await;
    }
}

async fn journey(database: Option<String>) {
    let server = Server::start(Options::new(2).on(database)).await;
    let tenant = server.first_tenant();
    let monitor = tenant.monitor(0);
    let Some(publisher) = Publisher::new(server.mqtt(), server.login(tenant, monitor)) else { return };
    let nurse = server.graphql_as("nurse");
    let rule = rules::only(&server.graphql_as("admin"), rules::low_oxygen(10, 5)).await;
    let patient = device(&nurse, &monitor.id).await["patient"]["id"].as_str().unwrap().to_owned();

    let url = server.credentials.graphql_ws.clone();
    let token = &tenant.user("nurse").token;
    let mut alarms = Subscription::open(&url, token, ALARMS, json!({})).await;
    let mut vitals = Subscription::open(&url, token, VITALS, json!({ "patients": [patient.clone()] })).await;
    assert_eq!(vitals.next().await["vitals"]["patientId"], patient.as_str(), "the current state comes first");

    let mut seconds = Seconds::ago(25);
    healthy(&publisher, &mut seconds, &nurse, &monitor.id, &patient).await;
    vitals.until("the score of a healthy patient", |event| event["vitals"]["news2"]["score"] == 0).await;

    let mut desaturated = seconds.repeat(10, &json!({ "spo2": 86 }));
    publisher.lines("telemetry", &desaturated).await.unwrap();
    folded(&nurse, &monitor.id, 11).await;
    assert!(open_alarms(&nurse, &patient).await.is_empty(), "nine seconds are not ten");
    desaturated = seconds.repeat(1, &json!({ "spo2": 85 }));
    publisher.lines("telemetry", &desaturated).await.unwrap();

    let raised = alarms.until("raised", |event| event["alarms"]["state"] == "RAISED").await["alarms"].take();
    assert_eq!(raised["device"]["id"], monitor.id.as_str());
    assert_eq!(raised["patient"]["id"], patient.as_str());
    assert_eq!(raised["rule"]["id"], rule.as_str());
    assert_eq!(
        (&raised["path"], &raised["value"], &raised["unit"]),
        (&json!("spo2"), &json!(85.0), &json!("%"))
    );
    let event =
        vitals.until("the lower saturation", |event| saturation(&event["vitals"]) == Some(85.0)).await;
    assert_eq!(event["vitals"]["news2"]["score"], 3, "91 % or less scores 3");

    acknowledge(&nurse, &raised, &patient).await;
    alarms.until("acknowledged", |event| event["alarms"]["state"] == "ACKNOWLEDGED").await;

    let recovered = seconds.repeat(6, &json!({ "spo2": 96 }));
    publisher.lines("telemetry", &recovered).await.unwrap();
    let cleared =
        alarms.until("cleared", |event| event["alarms"]["state"] == "CLEARED").await["alarms"].take();
    assert_eq!(cleared["id"], raised["id"]);
    assert!(cleared["clearedAt"].is_string() && cleared["acknowledgedAt"].is_string(), "{cleared}");
    eventually("no alarm is open", time::BOUND, async || {
        let open = open_alarms(&nurse, &patient).await;
        if open.is_empty() { Ok(()) } else { Err(format!("{open:?}")) }
    })
    .await;
    let trend = patient_of(&nurse, &patient).await["trend"].take();
    let points: Vec<f64> =
        trend.as_array().unwrap().iter().map(|point| point["value"].as_f64().unwrap()).collect();
    assert_eq!(points.len(), 18, "every reading is a point: {points:?}");
    assert_eq!(points[1..12], [86.0, 86.0, 86.0, 86.0, 86.0, 86.0, 86.0, 86.0, 86.0, 86.0, 85.0]);
}

/// All seven parameters, one of them in another unit: a complete score of 0.
async fn healthy(
    publisher: &Publisher,
    seconds: &mut Seconds,
    nurse: &GraphQl,
    monitor: &str,
    patient: &str,
) {
    let values = json!({
        "heartRate": 72, "spo2": 97, "respiratoryRate": 16, "systolicPressure": 121, "diastolicPressure": 78,
        "temperature": { "value": 98.6, "unit": "[degF]" }, "supplementalOxygen": false, "consciousness": "A",
        "pumpSerial": "X-1",
    });
    publisher.lines("telemetry", &[seconds.message(&values)]).await.unwrap();
    let twin = folded(nurse, monitor, 1).await;
    assert_eq!((&twin["setAsideCount"], &twin["quarantine"]), (&json!(0), &Value::Null));
    let temperature = reading(&twin, "temperature");
    assert!((number(temperature) - 37.0).abs() < 1e-9, "{temperature}");
    assert_eq!(temperature["unit"], "Cel");
    assert_eq!(reading(&twin, "spo2")["modeled"], true);
    assert_eq!(
        reading(&twin, "pumpSerial")["modeled"],
        false,
        "what the template does not know is shown as such"
    );
    let seen = eventually("the patient twin has a score", time::BOUND, async || {
        let seen = patient_of(nurse, patient).await;
        if seen["news2"]["complete"] == true { Ok(seen) } else { Err(format!("{seen:#}")) }
    })
    .await;
    assert_eq!((&seen["news2"]["score"], &seen["news2"]["risk"]), (&json!(0), &json!("LOW")));
    assert!(seen["name"].is_string(), "a nurse sees the name");
    assert_eq!(saturation(&seen), Some(97.0));
    let vitals = seen["vitals"].as_array().unwrap();
    assert!(vitals.iter().all(|vital| vital["stale"] == false && vital["device"] == monitor), "{vitals:#?}");
}

async fn acknowledge(nurse: &GraphQl, raised: &Value, patient: &str) {
    let open = open_alarms(nurse, patient).await;
    assert_eq!(open, [(raised["id"].clone(), json!("RAISED"))]);
    let input = json!({ "input": { "id": raised["id"], "note": "on my way" } });
    let first = nurse.data(ACKNOWLEDGE, input.clone()).await["acknowledgeAlarm"].take();
    assert_eq!((&first["state"], &first["note"]), (&json!("ACKNOWLEDGED"), &json!("on my way")));
    assert!(first["acknowledgedBy"].is_string() && first["acknowledgedAt"].is_string(), "{first}");
    let again = nurse.data(ACKNOWLEDGE, input).await["acknowledgeAlarm"].take();
    assert_eq!(again, first, "acknowledging twice changes nothing");
}

async fn patient_of(api: &GraphQl, patient: &str) -> Value {
    api.data(PATIENT, json!({ "id": patient })).await["patient"].take()
}

async fn open_alarms(api: &GraphQl, patient: &str) -> Vec<(Value, Value)> {
    let seen = patient_of(api, patient).await;
    let open = seen["openAlarms"].as_array().unwrap();
    open.iter().map(|alarm| (alarm["id"].clone(), alarm["state"].clone())).collect()
}

fn saturation(patient: &Value) -> Option<f64> {
    let mut vitals = patient["vitals"].as_array()?.iter();
    vitals.find(|vital| vital["sign"] == "OXYGEN_SATURATION")?["value"].as_f64()
}
