//! Programs that act for the hospital itself.

use serde_json::{Value, json};
use tenants::{
    ClientId,
    access::{Caller, Principal, Role},
};

use crate::{answers::code, hospital::Hospital};

const CREATE: &str = "mutation ($input: CreateServiceClientInput!) { createServiceClient(input: $input) {
    secret client { id name role unit { name } prefix lastUsedAt expiresAt disabledAt } } }";
const RENEW: &str = "mutation ($id: ID!) { renewServiceClient(id: $id) { secret client { prefix } } }";
const DISABLE: &str = "mutation ($id: ID!, $disabled: Boolean!) {
    disableServiceClient(id: $id, disabled: $disabled) { disabledAt } }";
const REMOVE: &str = "mutation ($id: ID!) { removeServiceClient(id: $id) }";

fn input(hospital: &Hospital, changes: &Value) -> Value {
    let mut input = json!({ "name": " EHR ", "role": "nurse", "unit": hospital.ward(), "days": 90 });
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    json!({ "input": input })
}

/// The caller that a client is once it has a token.
fn acting(hospital: &Hospital, client: &Value) -> Caller {
    let id: ClientId = client["id"].as_str().unwrap().parse().unwrap();
    let principal = Principal::Client { id, name: client["name"].as_str().unwrap().into() };
    Caller { tenant: hospital.caller(Role::Admin).tenant, principal }
}

#[tokio::test]
async fn a_client_acts_with_its_role_until_it_is_disabled_or_removed() {
    let hospital = Hospital::open().await;
    let admin = Role::Admin;
    let made = hospital.data(admin, CREATE, input(&hospital, &json!({}))).await["createServiceClient"].take();
    let (secret, client) = (made["secret"].as_str().unwrap(), &made["client"]);
    assert_eq!((&client["name"], &client["unit"]["name"]), (&json!("EHR"), &json!("3 East")));
    assert_eq!(client["expiresAt"], "2026-04-02T03:04:05Z", "90 days");
    assert!(secret.contains(client["prefix"].as_str().unwrap()));

    let acting = acting(&hospital, client);
    let seen = "{ viewer { displayName email roles { role unit { name } } } patients { totalCount } }";
    let seen = hospital.answer(Some(acting.clone()), seen, json!({})).await["data"].take();
    assert_eq!((&seen["viewer"]["displayName"], &seen["viewer"]["email"]), (&json!("EHR"), &json!("")));
    assert_eq!(seen["viewer"]["roles"], json!([{ "role": "nurse", "unit": { "name": "3 East" } }]));
    assert_eq!(seen["patients"]["totalCount"], 1);
    let own = hospital.answer(Some(acting.clone()), "{ sessions { id } }", json!({})).await;
    assert_eq!(code(&own).as_deref(), Some("FORBIDDEN"), "{own}");

    let id = json!({ "id": client["id"] });
    let renewed = hospital.data(admin, RENEW, id.clone()).await["renewServiceClient"].take();
    assert_ne!(renewed["secret"], secret);
    assert_ne!(renewed["client"]["prefix"], client["prefix"]);
    let disable = |disabled: bool| json!({ "id": client["id"], "disabled": disabled });
    let disabled = hospital.data(admin, DISABLE, disable(true)).await;
    assert_eq!(disabled["disableServiceClient"]["disabledAt"], "2026-01-02T03:04:05Z");
    let patients = "{ patients { totalCount } }";
    let refused = hospital.answer(Some(acting.clone()), patients, json!({})).await;
    assert_eq!(code(&refused).as_deref(), Some("FORBIDDEN"), "{refused}");
    hospital.data(admin, DISABLE, disable(false)).await;
    let again = hospital.answer(Some(acting.clone()), patients, json!({})).await;
    assert_eq!(again["data"]["patients"]["totalCount"], 1, "{again}");
    hospital.data(admin, REMOVE, id.clone()).await;
    let refused = hospital.answer(Some(acting), patients, json!({})).await;
    assert_eq!(code(&refused).as_deref(), Some("FORBIDDEN"), "{refused}");
    for gone in [RENEW, REMOVE] {
        assert_eq!(hospital.refusal(admin, gone, id.clone()).await, "NOT_FOUND");
    }
    let trail = hospital.data(admin, "{ auditLog { nodes { action subject } } }", json!({})).await;
    let trail = trail["auditLog"]["nodes"].as_array().unwrap();
    for action in ["client.create", "client.renew", "client.disable", "client.enable", "client.remove"] {
        let lines: Vec<_> = trail.iter().filter(|line| line["action"] == action).collect();
        assert_eq!(lines.len(), 1, "{action}");
        assert_eq!(lines[0]["subject"], format!("client:{}", client["id"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn what_no_client_is_made_for() {
    let hospital = Hospital::open().await;
    hospital.data(Role::Admin, CREATE, input(&hospital, &json!({}))).await;
    for (changes, expected) in [
        (json!({ "name": " " }), "BAD_INPUT"),
        (json!({ "name": "x".repeat(101) }), "BAD_INPUT"),
        (json!({ "name": "Lab", "days": 0 }), "BAD_INPUT"),
        (json!({ "name": "Lab", "days": 3_651 }), "BAD_INPUT"),
        (json!({ "name": "Lab", "role": "surgeon" }), "BAD_INPUT"),
        (json!({ "name": "Lab", "role": "operator" }), "BAD_INPUT"),
        (json!({ "name": "Lab", "unit": "0" }), "BAD_INPUT"),
        (json!({ "name": "Lab", "unit": hospital.user_of(Role::Nurse) }), "NOT_FOUND"),
        (json!({}), "CONFLICT"),
    ] {
        let refused = hospital.refusal(Role::Admin, CREATE, input(&hospital, &changes)).await;
        assert_eq!(refused, expected, "{changes}");
    }
    for role in [Role::Clinician, Role::Technician, Role::Auditor, Role::Integrator] {
        let refused = hospital.refusal(role, CREATE, input(&hospital, &json!({ "name": "Lab" }))).await;
        assert_eq!(refused, "FORBIDDEN", "{role}");
    }
}
