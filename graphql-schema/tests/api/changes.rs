//! What mutations do, and refuse.

use serde_json::{Value, json};
use tenants::access::Role;

use crate::hospital::{Hospital, MONITOR, SPARE};

const ACKNOWLEDGE: &str = "mutation ($id: ID!, $note: String) {
    acknowledgeAlarm(input: { id: $id, note: $note }) { state acknowledgedBy acknowledgedAt note } }";
const SAVE: &str =
    "mutation ($rule: SaveRuleInput!) { saveRule(input: $rule) { id name version raiseValue } }";
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn an_alarm_is_acknowledged_once() {
    let hospital = Hospital::open().await;
    let alarm = hospital.raise_alarm().await;
    let first = hospital.data(Role::Nurse, ACKNOWLEDGE, json!({ "id": alarm, "note": " on my way " })).await;
    let first = &first["acknowledgeAlarm"];
    assert_eq!((&first["state"], &first["note"]), (&json!("ACKNOWLEDGED"), &json!("on my way")));
    assert_eq!(first["acknowledgedBy"], "A nurse");
    let again = hospital.data(Role::Clinician, ACKNOWLEDGE, json!({ "id": alarm, "note": "me too" })).await;
    assert_eq!(&again["acknowledgeAlarm"], first, "as it stands");

    for (id, note, code) in [
        (NOBODY, "", "NOT_FOUND"),
        ("no id", "", "BAD_INPUT"),
        (alarm.as_str(), &"x".repeat(501), "BAD_INPUT"),
    ] {
        assert_eq!(hospital.refusal(Role::Nurse, ACKNOWLEDGE, json!({ "id": id, "note": note })).await, code);
    }
}

fn rule(changes: &Value) -> Value {
    let mut rule = json!({ "name": "Fever", "path": "temperature", "raiseWhen": "AT_LEAST", "raiseValue": 39,
        "holdSeconds": 0, "clearWhen": "BELOW", "clearValue": 38.5, "clearHoldSeconds": 0, "unit": "Cel",
        "priority": "MEDIUM", "enabled": true });
    rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    json!({ "rule": rule })
}

#[tokio::test]
async fn a_rule_is_saved_against_the_version_that_was_edited() {
    let hospital = Hospital::open().await;
    let created = hospital.data(Role::Admin, SAVE, rule(&json!({}))).await["saveRule"].take();
    assert_eq!(created["version"], 1);
    let edit = |version: u32, value: f64| {
        rule(&json!({ "id": created["id"], "version": version, "raiseValue": value }))
    };
    let saved = hospital.data(Role::Clinician, SAVE, edit(1, 39.5)).await["saveRule"].take();
    assert_eq!(
        (&saved["version"], &saved["raiseValue"], &saved["id"]),
        (&json!(2), &json!(39.5), &created["id"])
    );
    assert_eq!(hospital.refusal(Role::Admin, SAVE, edit(1, 40.0)).await, "CONFLICT");
    let unknown = rule(&json!({ "id": NOBODY, "version": 1 }));
    assert_eq!(hospital.refusal(Role::Admin, SAVE, unknown).await, "NOT_FOUND");
    for wrong in [
        json!({ "unit": "celsius" }),
        json!({ "clearValue": 40 }),
        json!({ "name": "" }),
        json!({ "version": 1 }),
    ] {
        assert_eq!(hospital.refusal(Role::Admin, SAVE, rule(&wrong)).await, "BAD_INPUT");
    }
    assert_eq!(hospital.refusal(Role::Nurse, SAVE, rule(&json!({}))).await, "FORBIDDEN");

    let mut alarms = hospital.follow(
        Some(hospital.caller(Role::Nurse)),
        "subscription { alarms { title value unit device { id } patient { name } rule { version } } }",
        json!({}),
    );
    hospital.send(MONITOR, json!({ "temperature": 39.6 })).await;
    let raised = alarms.next().await["data"]["alarms"].take();
    assert_eq!(
        (&raised["title"], &raised["value"], &raised["unit"]),
        (&json!("Fever"), &json!(39.6), &json!("Cel"))
    );
    assert_eq!((&raised["rule"]["version"], &raised["patient"]["name"]), (&json!(2), &json!("Ada of 12")));
}

#[tokio::test]
async fn a_device_is_released_by_whoever_may_change_it() {
    let hospital = Hospital::open().await;
    let release = "mutation ($id: ID!) { releaseDevice(id: $id) { id quarantine patient { id } } }";
    let released = hospital.data(Role::Admin, release, json!({ "id": SPARE })).await;
    assert_eq!(released["releaseDevice"], json!({ "id": SPARE, "quarantine": null, "patient": null }));
    assert_eq!(hospital.refusal(Role::Admin, release, json!({ "id": "unknown" })).await, "NOT_FOUND");
    assert_eq!(hospital.refusal(Role::Admin, release, json!({ "id": "no/id" })).await, "BAD_INPUT");
}

#[tokio::test]
async fn a_hospital_comes_aboard_once_and_its_administrator_is_invited() {
    const CREATE: &str = "mutation ($input: CreateTenantInput!) { createTenant(input: $input) {
        created invitationToken tenant { slug name } } }";
    let hospital = Hospital::open().await;
    let input = |slug: &str, name: &str, email: &str| json!({ "input": { "slug": slug, "name": name, "adminEmail": email } });
    let new = || input("county", " County General ", "Ada@county.example");
    let first = hospital.data(Role::Operator, CREATE, new()).await["createTenant"].take();
    assert_eq!(first["created"], true);
    assert_eq!(first["tenant"], json!({ "slug": "county", "name": "County General" }));
    let again = hospital.data(Role::Operator, CREATE, new()).await["createTenant"].take();
    assert_eq!(again["created"], false);
    assert_ne!(again["invitationToken"], first["invitationToken"], "a new link in place of the first");
    for (wrong, code) in [
        (input("County", "C", "a@b"), "BAD_INPUT"),
        (input("county", " ", "a@b"), "BAD_INPUT"),
        (input("county", "C", "nobody"), "BAD_INPUT"),
        (input("county", "Another name", "a@b"), "CONFLICT"),
        (input("platform", "Platform", "a@b"), "CONFLICT"),
    ] {
        assert_eq!(hospital.refusal(Role::Operator, CREATE, wrong.clone()).await, code, "{wrong}");
    }
    assert_eq!(hospital.refusal(Role::Admin, CREATE, new()).await, "FORBIDDEN");
    let all = hospital.data(Role::Operator, "{ tenants { slug } }", json!({})).await;
    assert_eq!(all["tenants"], json!([{ "slug": "county" }, { "slug": "st-elsewhere" }]));
}
