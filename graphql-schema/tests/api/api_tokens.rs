//! What a person gives to a program, and takes away again.

use serde_json::{Value, json};
use tenants::access::Role;

use crate::{answers::code, hospital::Hospital};

const CREATE: &str = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) {
    secret token { id name prefix role unit { name } createdAt lastUsedAt expiresAt } } }";
const OWN: &str = "{ apiTokens { id name } }";
const REVOKE: &str = "mutation ($id: ID!) { revokeApiToken(id: $id) }";

fn input(hospital: &Hospital, changes: &Value) -> Value {
    let mut input = json!({ "name": " Ward export ", "role": "nurse", "unit": hospital.ward() });
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    json!({ "input": input })
}

async fn create(hospital: &Hospital, role: Role) -> Value {
    let made = hospital
        .in_session(hospital.caller(role), CREATE, input(hospital, &json!({ "role": role.as_str() })))
        .await["data"]["createApiToken"]
        .take();
    assert!(made["secret"].is_string(), "{made}");
    made
}

#[tokio::test]
async fn a_token_can_what_it_was_given_and_no_more() {
    let hospital = Hospital::open().await;
    let made = create(&hospital, Role::Nurse).await;
    let (secret, token) = (made["secret"].as_str().unwrap(), &made["token"]);
    assert_eq!((&token["name"], &token["role"]), (&json!("Ward export"), &json!("nurse")));
    assert_eq!((&token["unit"]["name"], &token["lastUsedAt"]), (&json!("3 East"), &Value::Null));
    assert_eq!(token["expiresAt"], "2026-04-02T03:04:05Z", "90 days");
    assert!(secret.contains(token["prefix"].as_str().unwrap()));

    let program = hospital.program(secret).await.unwrap();
    let seen = "{ viewer { roles { role unit { name } } } patients { totalCount } }";
    let seen = hospital.answer(Some(program.clone()), seen, json!({})).await["data"].take();
    assert_eq!(seen["viewer"]["roles"], json!([{ "role": "nurse", "unit": { "name": "3 East" } }]));
    assert_eq!(seen["patients"]["totalCount"], 1);

    // A token makes no tokens and revokes none, not even through the address of a session.
    let again = input(&hospital, &json!({}));
    let refused = hospital.answer(Some(program.clone()), CREATE, again).await;
    assert_eq!(code(&refused).as_deref(), Some("FORBIDDEN"), "{refused}");
    let refused = hospital.answer(Some(program.clone()), REVOKE, json!({ "id": token["id"] })).await;
    assert_eq!(code(&refused).as_deref(), Some("FORBIDDEN"), "{refused}");
    let whole = input(&hospital, &json!({ "unit": program.tenant.to_string() }));
    let refused = hospital.in_session(program, CREATE, whole).await;
    assert_eq!(code(&refused).as_deref(), Some("FORBIDDEN"), "{refused}");
}

#[tokio::test]
async fn what_no_token_is_made_for() {
    let hospital = Hospital::open().await;
    for (changes, expected) in [
        (json!({ "name": " " }), "BAD_INPUT"),
        (json!({ "name": "x".repeat(101) }), "BAD_INPUT"),
        (json!({ "name": "a\nb" }), "BAD_INPUT"),
        (json!({ "days": 0 }), "BAD_INPUT"),
        (json!({ "days": 366 }), "BAD_INPUT"),
        (json!({ "role": "admin" }), "BAD_INPUT"),
        (json!({ "unit": "x" }), "BAD_INPUT"),
        (json!({ "unit": "00000000-0000-0000-0000-00000000dead" }), "FORBIDDEN"),
    ] {
        let answer =
            hospital.in_session(hospital.caller(Role::Nurse), CREATE, input(&hospital, &changes)).await;
        assert_eq!(code(&answer).as_deref(), Some(expected), "{changes}: {answer}");
    }
    let own = hospital.data(Role::Nurse, OWN, json!({})).await;
    assert_eq!(own["apiTokens"], json!([]));
}

#[tokio::test]
async fn a_token_says_which_topics_its_program_may_use() {
    let hospital = Hospital::open().await;
    let whole = hospital.caller(Role::Integrator).tenant.to_string();
    let query = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) {
        secret token { topics { allow deny } } } }";
    let ask = async |changes: Value| {
        let mut all = json!({ "role": "integrator", "unit": whole });
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        hospital.in_session(hospital.caller(Role::Integrator), query, input(&hospital, &all)).await
    };
    let made = ask(json!({ "topics": { "allow": ["lab/#", "+/orders"], "deny": ["lab/private"] } })).await;
    let expected = json!({ "allow": ["lab/#", "+/orders"], "deny": ["lab/private"] });
    assert_eq!(made["data"]["createApiToken"]["token"]["topics"], expected, "{made}");
    let none = ask(json!({})).await;
    assert_eq!(none["data"]["createApiToken"]["token"]["topics"], Value::Null, "{none}");
    for (topics, at) in [
        (json!({ "allow": [] }), "topics.allow"),
        (json!({ "allow": ["a", "a#"] }), "topics.allow[1]"),
        (json!({ "allow": ["a"], "deny": ["feed/#"] }), "topics.deny[0]"),
        (json!({ "allow": vec!["a"; 33] }), "topics.allow"),
    ] {
        let refused = ask(json!({ "topics": topics })).await;
        assert_eq!(code(&refused).as_deref(), Some("BAD_INPUT"), "{refused}");
        let message = refused["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{at}: ")), "{message}");
    }
    let of_nurse = json!({ "topics": { "allow": ["#"] } });
    let refused = hospital.in_session(hospital.caller(Role::Nurse), query, input(&hospital, &of_nurse)).await;
    assert_eq!(code(&refused).as_deref(), Some("FORBIDDEN"), "{refused}");
}

#[tokio::test]
async fn its_owner_or_an_admin_revokes_a_token_and_that_is_audited() {
    let hospital = Hospital::open().await;
    let (first, second) = (create(&hospital, Role::Nurse).await, create(&hospital, Role::Nurse).await);
    let told = hospital.revocations.subscribe();
    let id = json!({ "id": first["token"]["id"] });
    let other = hospital.in_session(hospital.caller(Role::Clinician), REVOKE, id.clone()).await;
    assert_eq!(code(&other).as_deref(), Some("FORBIDDEN"));
    let stranger = hospital.in_session(hospital.stranger(), REVOKE, id.clone()).await;
    assert!(code(&stranger).is_some(), "{stranger}");
    assert!(!told.has_changed().unwrap());

    let done = hospital.in_session(hospital.caller(Role::Nurse), REVOKE, id.clone()).await;
    assert_eq!(done["data"]["revokeApiToken"], first["token"]["id"], "{done}");
    assert!(told.has_changed().unwrap(), "open connections are looked at");
    assert!(hospital.program(first["secret"].as_str().unwrap()).await.is_none());

    let of_nurse = "query ($user: ID!) { apiTokens(user: $user) { id } }";
    let user = json!({ "user": hospital.user_of(Role::Nurse) });
    let seen = hospital.data(Role::Admin, of_nurse, user.clone()).await;
    assert_eq!(seen["apiTokens"], json!([{ "id": second["token"]["id"] }]));
    assert_eq!(hospital.refusal(Role::Clinician, of_nurse, user).await, "FORBIDDEN");
    hospital.data(Role::Admin, REVOKE, json!({ "id": second["token"]["id"] })).await;
    assert_eq!(hospital.refusal(Role::Admin, REVOKE, id).await, "NOT_FOUND");

    let trail = "{ auditLog(filter: { action: \"token.\" }) { nodes { action actorName subject detail } } }";
    let trail = hospital.data(Role::Admin, trail, json!({})).await["auditLog"]["nodes"].take();
    let told: Vec<_> =
        trail.as_array().unwrap().iter().map(|entry| (&entry["action"], &entry["actorName"])).collect();
    let (create, revoke) = (json!("token.create"), json!("token.revoke"));
    let (nurse, admin) = (json!("A nurse"), json!("A admin"));
    assert_eq!(told, [(&revoke, &admin), (&revoke, &nurse), (&create, &nurse), (&create, &nurse)]);
    assert!(!trail.to_string().contains(first["secret"].as_str().unwrap()));
}
