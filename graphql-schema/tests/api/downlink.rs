//! What devices are told through the API.

use serde_json::{Value, json};
use tenants::access::Role;
use twins::message::Channel;

use crate::hospital::{Hospital, MONITOR};

const DESIRE: &str = "mutation ($patch: JSON!) { setDesiredProperties(device: \"monitor-1\", patch: $patch) {
    properties { desired desiredVersion confirmedVersion reported reportedVersion } lastSeenAt } }";

const COMMAND: &str =
    "mutation ($input: CommandDeviceInput!) { commandDevice(input: $input) { status body } }";

async fn desire(hospital: &Hospital, patch: Value) -> Value {
    let mut answer = hospital.data(Role::Technician, DESIRE, json!({ "patch": patch })).await;
    answer["setDesiredProperties"]["properties"].take()
}

fn order(name: &str, body: &Value) -> Value {
    json!({ "input": { "device": MONITOR, "name": name, "body": body, "waitSeconds": 1 } })
}

#[tokio::test]
async fn what_a_device_is_to_be_like_is_merged_counted_and_audited() {
    assert_eq!(MONITOR, "monitor-1");
    let hospital = Hospital::open().await;
    let first = desire(&hospital, json!({ "rate": 5, "display": { "dim": true, "lines": 2 } })).await;
    assert_eq!(first["desiredVersion"], 1);
    let second = desire(&hospital, json!({ "rate": null, "display": { "dim": false } })).await;
    let expected = json!({ "desired": { "display": { "dim": false, "lines": 2 } }, "desiredVersion": 2,
        "confirmedVersion": 0, "reported": {}, "reportedVersion": 0 });
    assert_eq!(second, expected);
    let report = json!({ "firmware": "1.2", "$version": 2 });
    hospital.send_on(Channel::Reported, &hospital.caller(Role::Admin), MONITOR, [report]).await;
    let third = desire(&hospital, json!({ "rate": 6 })).await;
    let versions = ["desiredVersion", "confirmedVersion", "reportedVersion"].map(|of| third[of].as_u64());
    assert_eq!((versions, &third["reported"]), ([Some(3), Some(2), Some(1)], &json!({ "firmware": "1.2" })));

    let trail = hospital.trail_entries().await;
    let told: Vec<_> = trail.iter().filter(|entry| entry.action == "device.desire").collect();
    let details: Vec<_> = told.iter().map(|entry| entry.detail.as_str()).collect();
    assert_eq!(details, ["display, rate", "display, rate", "rate"]);
    assert!(told.iter().all(|entry| entry.subject == "device:monitor-1" && entry.actor.starts_with("user:")));
}

#[tokio::test]
async fn what_is_told_to_a_device_is_not_heard_from_it() {
    let hospital = Hospital::open().await;
    let patch = json!({ "patch": { "rate": 5 } });
    let answer = hospital.data(Role::Technician, DESIRE, patch).await;
    assert_eq!(answer["setDesiredProperties"]["lastSeenAt"], Value::Null);
    let sent = "{ device(id: \"monitor-1\") { messages { topic } } }";
    let messages = hospital.data(Role::Technician, sent, json!({})).await;
    assert_eq!(messages["device"]["messages"], json!([]));
}

#[tokio::test]
async fn properties_that_cannot_be_are_refused_and_change_nothing() {
    let hospital = Hospital::open().await;
    let mut deep = json!(1);
    for _ in 0..9 {
        deep = json!({ "a": deep });
    }
    for patch in [json!([1]), json!("x"), json!({ "$version": 7 }), deep, json!({ "a": "x".repeat(33_000) })]
    {
        let refusal = hospital.refusal(Role::Technician, DESIRE, json!({ "patch": patch })).await;
        assert_eq!(refusal, "BAD_INPUT", "{}", patch.to_string().chars().take(60).collect::<String>());
    }
    for role in [Role::Nurse, Role::Clinician, Role::Auditor, Role::Researcher] {
        let refusal = hospital.refusal(role, DESIRE, json!({ "patch": { "rate": 5 } })).await;
        assert_eq!(refusal, "FORBIDDEN", "{role}");
    }
    assert_eq!(desire(&hospital, json!({})).await["desiredVersion"], 1, "nothing before");
}

#[tokio::test]
async fn who_sees_no_names_sees_no_properties() {
    let hospital = Hospital::open().await;
    desire(&hospital, json!({ "bedLabel": "Ada" })).await;
    let properties = "{ device(id: \"monitor-1\") { properties { desired } } }";
    let seen = async |role| hospital.data(role, properties, json!({})).await["device"]["properties"].take();
    assert_eq!(seen(Role::Nurse).await, json!({ "desired": { "bedLabel": "Ada" } }));
    assert_eq!(seen(Role::Researcher).await, Value::Null);
}

#[tokio::test]
async fn a_command_is_written_down_and_answered() {
    let hospital = Hospital::open().await;
    let body = json!({ "in": [5, null] });
    let answer = hospital.data(Role::Technician, COMMAND, order("reboot", &body)).await;
    assert_eq!(answer["commandDevice"], json!({ "status": 200, "body": body }));
    for (name, code) in
        [("sleep", "UNAVAILABLE"), ("mumble", "UNAVAILABLE"), ("ignore", "CONFLICT"), ("a/b", "BAD_INPUT")]
    {
        assert_eq!(
            hospital.refusal(Role::Technician, COMMAND, order(name, &Value::Null)).await,
            code,
            "{name}"
        );
    }
    for role in [Role::Nurse, Role::Clinician, Role::Auditor] {
        assert_eq!(
            hospital.refusal(role, COMMAND, order("reboot", &Value::Null)).await,
            "FORBIDDEN",
            "{role}"
        );
    }
    let elsewhere = json!({ "input": { "device": "monitor-99", "name": "reboot" } });
    assert_eq!(hospital.refusal(Role::Technician, COMMAND, elsewhere).await, "NOT_FOUND");

    let trail = hospital.trail_entries().await;
    let told = trail.iter().filter(|entry| entry.action == "device.command");
    let details: Vec<_> = told.map(|entry| entry.detail.as_str()).collect();
    assert_eq!(details, ["reboot", "sleep", "mumble", "ignore"], "each that can have been done");
}

#[tokio::test]
async fn a_message_is_for_a_device_that_listens() {
    const MESSAGE: &str = "mutation ($input: MessageDeviceInput!) { messageDevice(input: $input) }";
    let hospital = Hospital::open().await;
    let said = |payload: &str| {
        json!({ "input": { "device": MONITOR, "payload": payload,
        "properties": [{ "name": "for", "value": "ward" }] } })
    };
    let id = hospital.data(Role::Technician, MESSAGE, said("wash your hands")).await["messageDevice"].take();
    assert_eq!(hospital.refusal(Role::Technician, MESSAGE, said("ignore")).await, "CONFLICT");
    assert_eq!(hospital.refusal(Role::Technician, MESSAGE, said(&"x".repeat(140_000))).await, "TOO_LARGE");
    assert_eq!(hospital.refusal(Role::Nurse, MESSAGE, said("x")).await, "FORBIDDEN");
    let trail = hospital.trail_entries().await;
    let entry = trail.iter().find(|entry| entry.action == "device.message").unwrap();
    assert_eq!(
        (entry.subject.as_str(), &json!(entry.detail)),
        ("device:monitor-1", &id),
        "not what was said"
    );
}

#[tokio::test]
async fn keys_are_shown_to_whoever_registers_devices_and_that_is_written_down() {
    const REVEAL: &str = "mutation ($id: ID!) { revealDeviceKey(id: $id) }";
    const ALL: &str = "mutation { revealEnrolmentKey }";
    const NEWCOMERS: &str = "mutation { revealNewcomerSecret }";
    let hospital = Hospital::open().await;
    let monitor = json!({ "id": MONITOR });
    let key = hospital.data(Role::Technician, REVEAL, monitor.clone()).await;
    assert_eq!(key["revealDeviceKey"], "9 letters make it");
    let unknown = json!({ "id": "monitor-99" });
    assert_eq!(hospital.refusal(Role::Technician, REVEAL, unknown).await, "NOT_FOUND");
    let key = hospital.data(Role::Admin, ALL, json!({})).await;
    assert_eq!(key["revealEnrolmentKey"], "letters make it");
    let secret = hospital.data(Role::Admin, NEWCOMERS, json!({})).await;
    assert_eq!(secret["revealNewcomerSecret"], "letters make that, too");
    // An integrator does not see all devices.
    for role in [Role::Nurse, Role::Clinician, Role::Auditor, Role::Integrator] {
        for query in [ALL, NEWCOMERS] {
            assert_eq!(hospital.refusal(role, query, json!({})).await, "FORBIDDEN", "{role}");
        }
    }
    let trail = hospital.trail_entries().await;
    let shown = |action| trail.iter().filter(move |entry| entry.action == action).count();
    let revealed = ["device.reveal_key", "enrolment_key.reveal", "newcomer_secret.reveal"];
    assert_eq!(revealed.map(shown), [1, 1, 1]);
    assert!(trail.iter().all(|entry| !entry.detail.contains("letters")));
}
