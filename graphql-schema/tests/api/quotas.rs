//! What a hospital may use, and what it uses.

use serde_json::{Value, json};
use tenants::{Tenant, access::Role, quotas::Quotas, stores::Tenants};

use crate::{answers::code, hospital::Hospital};

const SET: &str =
    "mutation ($tenant: ID!, $input: QuotasInput!) { setQuotas(tenant: $tenant, input: $input) {
    devices users messagesPerSecond deviceMessagesPerSecond queryCostPerMinute storedDays
    clients { connections packetBytes receiveMaximum inFlight queuedMessages subscriptions } } }";
const USAGE: &str = "query ($tenant: ID) { usage(tenant: $tenant) {
    quotas { devices users messagesPerSecond deviceMessagesPerSecond queryCostPerMinute storedDays
    clients { connections packetBytes receiveMaximum inFlight queuedMessages subscriptions } }
    devices users messages bytes days { date messages }
    messagesPerSecond busiestSecond queryCost heldBack refusedMessages refusedQueries } }";

fn wanted(hospital: &Hospital, changes: &Value) -> Value {
    let mut input = json!({ "devices": 10, "users": 20, "messagesPerSecond": 30, "deviceMessagesPerSecond": 3, "queryCostPerMinute": 40_000,
        "storedDays": 90, "clients": { "connections": 50, "packetBytes": 2_048, "receiveMaximum": 60, "inFlight": 7,
        "queuedMessages": 80, "subscriptions": 9 } });
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    json!({ "tenant": hospital.tenant.to_string(), "input": input })
}

#[tokio::test]
async fn operators_say_what_a_hospital_may_use_and_its_admins_see_it() {
    let hospital = Hospital::open().await;
    let set = hospital.data(Role::Operator, SET, wanted(&hospital, &json!({}))).await["setQuotas"].take();
    assert_eq!(set, wanted(&hospital, &json!({}))["input"]);
    let unsaid = wanted(&hospital, &json!({ "deviceMessagesPerSecond": null }));
    let usual = hospital.data(Role::Operator, SET, unsaid).await["setQuotas"].take();
    assert_eq!(usual["deviceMessagesPerSecond"], 10_000);
    let unsaid = wanted(&hospital, &json!({ "clients": { "inFlight": 5, "connections": null } }));
    let usual = hospital.data(Role::Operator, SET, unsaid).await["setQuotas"].take();
    let expected = json!({ "connections": 50_000, "packetBytes": 266_240, "receiveMaximum": 1_024, "inFlight": 5,
        "queuedMessages": 1_000, "subscriptions": 64 });
    assert_eq!(usual["clients"], expected);
    let set = hospital.data(Role::Operator, SET, wanted(&hospital, &json!({}))).await["setQuotas"].take();
    hospital.send("monitor-01", json!({ "heartRate": 72 })).await;
    let own = hospital.data(Role::Admin, USAGE, json!({})).await["usage"].take();
    assert_eq!(own["quotas"], set);
    assert_eq!((&own["devices"], &own["messages"]), (&json!(2), &json!(1)));
    assert_eq!(own["days"], json!([{ "date": "2026-01-02", "messages": 1 }]));
    assert!(own["users"].as_u64().unwrap() > 5 && own["bytes"].as_u64().unwrap() > 0, "{own}");
    let named = json!({ "tenant": hospital.tenant.to_string() });
    let theirs = hospital.data(Role::Operator, USAGE, named.clone()).await["usage"].take();
    assert_eq!(theirs["devices"], own["devices"]);

    for role in [Role::Nurse, Role::Technician, Role::Auditor] {
        assert_eq!(hospital.refusal(role, USAGE, json!({})).await, "FORBIDDEN", "{role}");
    }
    assert_eq!(
        hospital.refusal(Role::Admin, USAGE, named).await,
        "FORBIDDEN",
        "whoever names one asks as an operator"
    );
    assert_eq!(hospital.refusal(Role::Admin, SET, wanted(&hospital, &json!({}))).await, "FORBIDDEN");
    let nowhere = json!({ "tenant": tenants::TenantId::PLATFORM.to_string() });
    assert_eq!(hospital.refusal(Role::Operator, USAGE, nowhere).await, "NOT_FOUND");
    let trail = hospital.data(Role::Admin, "{ auditLog { nodes { action detail } } }", json!({})).await;
    let line = json!({ "action": "tenant.quotas",
        "detail": "10 devices, 20 users, 30 messages/s, 3 messages/s of one device, query cost 40000/min, \
            50 connected at once, each with packets of 2048 bytes, 60 unacknowledged, 7 in flight, 80 queued, 9 subscriptions, \
            messages kept 90 days" });
    assert!(trail["auditLog"]["nodes"].as_array().unwrap().contains(&line), "{trail}");
}

#[tokio::test]
async fn what_is_no_quota_is_refused() {
    let hospital = Hospital::open().await;
    for wrong in [
        json!({ "devices": 0 }),
        json!({ "users": 1_000_000_001 }),
        json!({ "messagesPerSecond": -1 }),
        json!({ "deviceMessagesPerSecond": 0 }),
        json!({ "queryCostPerMinute": 0 }),
        json!({ "storedDays": 36_501 }),
        json!({ "clients": { "packetBytes": 1_023 } }),
        json!({ "clients": { "subscriptions": 1_001 } }),
    ] {
        let refused = hospital.refusal(Role::Operator, SET, wanted(&hospital, &wrong)).await;
        assert_eq!(refused, "BAD_INPUT", "{wrong}");
    }
}

#[tokio::test]
async fn a_hospital_that_has_used_up_its_minute_is_told_when_to_ask_again() {
    let hospital = Hospital::open().await;
    let tenant = Tenants::by_id(&hospital.database, hospital.tenant).await.unwrap().unwrap();
    let quotas = Quotas { query_cost_per_minute: 1_000, ..Quotas::default() };
    hospital.meter.know(&[Tenant { quotas, ..tenant }]);
    let patients = "{ patients(first: 200) { nodes { id name mrn } } }";
    hospital.data(Role::Nurse, patients, json!({})).await;
    let refused = hospital.answer(Some(hospital.caller(Role::Nurse)), patients, json!({})).await;
    assert_eq!(code(&refused).as_deref(), Some("RATE_LIMITED"), "{refused}");
    let error = &refused["errors"][0];
    let seconds = error["extensions"]["retryAfterSeconds"].as_u64().unwrap();
    assert!((1..=60).contains(&seconds), "{error}");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("the hospital has used up its 1000 query cost a minute")
    );
    // What is small still fits, operators are in no hospital, and whoever is nobody costs nobody anything.
    hospital.data(Role::Nurse, "{ viewer { id } }", json!({})).await;
    hospital.data(Role::Operator, "{ tenants { id } }", json!({})).await;
    let anonymous = hospital.answer(None, patients, json!({})).await;
    assert_eq!(code(&anonymous).as_deref(), Some("UNAUTHENTICATED"), "{anonymous}");
    assert_eq!(hospital.meter.seen(hospital.tenant).refused_queries, 1);
}
