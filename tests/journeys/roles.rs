//! Who may see and do what, through the API.
use serde_json::{Value, json};
use tests::mqtt::{Publisher, Version};
use tests::{GraphQl, Options, Server, rules};

use crate::bedside::{Seconds, folded};

const PATIENTS: &str = "{ patients { nodes { id name mrn ward vitals { sign value } } } }";
const VIEWER: &str = "{ viewer { roles { role } tenant { slug } permissions } }";
const ACKNOWLEDGE: &str = "mutation ($id: ID!) { acknowledgeAlarm(input: { id: $id }) { state } }";
const SAVE: &str = "mutation ($input: SaveRuleInput!) { saveRule(input: $input) { id } }";
const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn roles_see_and_do_what_is_theirs() {
    let server = Server::start(Options::new(4)).await;
    let alarm = raise_an_alarm(&server).await;
    // (persona, sees names, may acknowledge, may edit rules)
    for (persona, names, acknowledges, edits_rules) in [
        ("researcher", false, false, false),
        ("integrator", true, false, false),
        ("admin", true, false, true),
        ("clinician", true, true, true),
        ("nurse", true, true, false),
    ] {
        let api = server.graphql_as(persona);
        let viewer = api.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!(viewer["roles"], json!([{ "role": persona }]));
        assert_eq!(viewer["tenant"]["slug"], server.first_tenant().slug.as_str());
        let permissions = viewer["permissions"].as_array().unwrap();
        assert_eq!(
            permissions.contains(&json!("alarm:acknowledge")),
            acknowledges,
            "{persona}: {permissions:?}"
        );
        assert_eq!(permissions.contains(&json!("rule:write")), edits_rules, "{persona}: {permissions:?}");

        for patient in patients(&api).await {
            assert_eq!(patient["name"].is_string(), names, "{persona}: {patient}");
            assert_eq!(patient["mrn"].is_string(), names, "{persona}: {patient}");
            assert!(patient["ward"].is_string());
        }
        let acknowledged = api.run(ACKNOWLEDGE, json!({ "id": alarm })).await;
        allowed_or_forbidden(persona, acknowledges, &acknowledged.errors);
        let saved = api.run(SAVE, json!({ "input": rules::low_oxygen(60, 60) })).await;
        allowed_or_forbidden(persona, edits_rules, &saved.errors);
        let refused = api.run("{ tenants { slug } }", json!({})).await;
        allowed_or_forbidden(persona, false, &refused.errors);
    }
}

#[tokio::test]
async fn an_operator_sees_hospitals_and_no_patients() {
    let server = Server::start(Options::new(4)).await;
    let operator = server.graphql(&server.credentials.operator.token);
    let data = operator.data("{ viewer { roles { role } } tenants { slug } }", json!({})).await;
    assert_eq!(data["viewer"]["roles"], json!([{ "role": "operator" }]));
    let slugs: Vec<&str> =
        data["tenants"].as_array().unwrap().iter().filter_map(|row| row["slug"].as_str()).collect();
    let expected = [server.first_tenant().slug.as_str(), server.second_tenant().slug.as_str()];
    assert!(expected.iter().all(|slug| slugs.contains(slug)), "{slugs:?}");
    for document in ["{ patients { totalCount } }", "{ alarms { totalCount } }", "{ devices { totalCount } }"]
    {
        assert_eq!(operator.refusal(document, json!({})).await, "FORBIDDEN", "{document}");
    }
    let patient = patients(&server.graphql_as("nurse")).await[0]["id"].clone();
    let answer = operator.run("query ($id: ID!) { patient(id: $id) { id } }", json!({ "id": patient })).await;
    assert!(answer.data.is_null() || answer.data["patient"].is_null(), "{answer:?}");
}

#[tokio::test]
async fn nobody_is_let_in_without_a_token() {
    let server = Server::start(Options::new(2)).await;
    for token in ["", "not-a-token", &server.first_tenant().monitor(0).token] {
        let code = server.graphql(token).refusal(VIEWER, json!({})).await;
        assert_eq!(code, "UNAUTHENTICATED", "with {token:?}");
    }
    let nurse = server.graphql_as("nurse");
    assert_eq!(nurse.refusal(ACKNOWLEDGE, json!({ "id": UNKNOWN })).await, "NOT_FOUND");
    assert_eq!(nurse.refusal(ACKNOWLEDGE, json!({ "id": "no id" })).await, "BAD_INPUT");
}

async fn raise_an_alarm(server: &Server) -> String {
    rules::only(&server.graphql_as("admin"), rules::low_oxygen(0, 0)).await;
    let tenant = server.first_tenant();
    let monitor = tenant.monitor(0);
    let login = server.login(tenant, monitor);
    let mut publisher = Publisher::connect(server.mqtt(), &login, Version::V311, 1).await.unwrap();
    let message = Seconds::ago(5).message(&json!({ "spo2": 80 }));
    publisher.publish("telemetry", message.as_bytes(), 0).await.unwrap();
    publisher.settle().await.unwrap();
    let nurse = server.graphql_as("nurse");
    folded(&nurse, &monitor.id, 1).await;
    let data = nurse.data("{ alarms { nodes { id } } }", json!({})).await;
    data["alarms"]["nodes"][0]["id"].as_str().unwrap().to_owned()
}

async fn patients(api: &GraphQl) -> Vec<Value> {
    let patients = api.data(PATIENTS, json!({})).await["patients"]["nodes"].as_array().unwrap().clone();
    assert!(!patients.is_empty());
    patients
}

fn allowed_or_forbidden(persona: &str, allowed: bool, errors: &[Value]) {
    if allowed {
        assert!(errors.is_empty(), "{persona}: {errors:?}");
    } else {
        let code = errors.first().map(|error| &error["extensions"]["code"]);
        assert_eq!(code, Some(&json!("FORBIDDEN")), "{persona}: {errors:?}");
    }
}
