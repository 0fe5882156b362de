//! Certificate authorities whose devices a hospital lets in.

use serde_json::{Value, json};
use tenants::access::Role;

use crate::{authority::Authority, hospital::Hospital};

const ALL: &str = "{ deviceAuthorities { id subject fingerprint notAfter challenge provenAt
    revocationList { entries issuedAt nextAt } } }";
const ADD: &str =
    "mutation ($pem: String!) { addDeviceAuthority(certificate: $pem) { id challenge provenAt } }";
const PROVE: &str = "mutation ($id: ID!, $pem: String!) {
    proveDeviceAuthority(id: $id, certificate: $pem) { provenAt } }";
const REVOKE: &str = "mutation ($id: ID!, $pem: String!) {
    setRevocationList(id: $id, list: $pem) { revocationList { entries } } }";
const REMOVE: &str = "mutation ($id: ID!) { removeDeviceAuthority(id: $id) }";

fn with(id: &Value, pem: &str) -> Value {
    json!({ "id": id, "pem": pem })
}

#[tokio::test]
async fn an_authority_is_added_proven_heard_and_removed() {
    let hospital = Hospital::open().await;
    let (admin, authority) = (Role::Admin, Authority::new("Our devices"));
    let pem = json!({ "pem": authority.pem });
    let added = hospital.data(admin, ADD, pem.clone()).await["addDeviceAuthority"].take();
    assert_eq!(added["provenAt"], Value::Null);
    assert_eq!(hospital.refusal(admin, ADD, pem).await, "CONFLICT", "it is there");
    let (id, challenge) = (&added["id"], added["challenge"].as_str().unwrap());

    let before = hospital.revocations.generation(hospital.tenant);
    let wrong = with(id, &authority.sign("something else").pem());
    assert_eq!(hospital.refusal(admin, PROVE, wrong).await, "BAD_INPUT");
    let proven = hospital.data(admin, PROVE, with(id, &authority.sign(challenge).pem())).await;
    assert_eq!(proven["proveDeviceAuthority"]["provenAt"], "2026-01-02T03:04:05Z");

    let revoked = hospital.data(admin, REVOKE, with(id, &authority.takes_back(3, 6))).await;
    assert_eq!(revoked["setRevocationList"]["revocationList"]["entries"], 3);
    let older = with(id, &authority.takes_back(1, 5));
    assert_eq!(hospital.refusal(admin, REVOKE, older).await, "CONFLICT", "nobody goes back to an older one");
    assert_ne!(
        hospital.revocations.generation(hospital.tenant),
        before,
        "who is connected is looked at again"
    );

    let all = hospital.data(admin, ALL, json!({})).await["deviceAuthorities"].take();
    let shown = &all[0];
    assert_eq!(
        (&shown["subject"], &shown["notAfter"]),
        (&json!("CN=Our devices"), &json!("2035-01-01T00:00:00Z"))
    );
    assert_eq!(shown["fingerprint"].as_str().map(str::len), Some(95));
    let list = json!({ "entries": 3, "issuedAt": "2025-06-02T00:00:00Z", "nextAt": "2025-06-20T00:00:00Z" });
    assert_eq!(shown["revocationList"], list);

    hospital.data(admin, REMOVE, json!({ "id": id })).await;
    assert_eq!(hospital.data(admin, ALL, json!({})).await["deviceAuthorities"], json!([]));
    for (what, variables) in
        [(REMOVE, json!({ "id": id })), (PROVE, with(id, &authority.pem)), (REVOKE, with(id, &authority.pem))]
    {
        assert_eq!(hospital.refusal(admin, what, variables).await, "NOT_FOUND");
    }
    let trail = hospital.trail_entries().await;
    for action in ["authority.add", "authority.prove", "authority.revoke", "authority.remove"] {
        let lines: Vec<_> = trail.iter().filter(|line| line.action == action).collect();
        assert_eq!(lines.len(), 1, "{action}");
        assert_eq!(lines[0].subject, format!("authority:{}", id.as_str().unwrap()));
        assert_eq!(lines[0].detail, "CN=Our devices");
    }
}

#[tokio::test]
async fn authorities_are_for_those_who_may_register_any_device() {
    let hospital = Hospital::open().await;
    let authority = Authority::new("Our devices");
    let pem = json!({ "pem": authority.pem });
    for role in [Role::Nurse, Role::Clinician, Role::Auditor, Role::Integrator] {
        assert_eq!(hospital.refusal(role, ADD, pem.clone()).await, "FORBIDDEN", "{role}");
        assert_eq!(hospital.refusal(role, ALL, json!({})).await, "FORBIDDEN", "{role}");
    }
    assert_eq!(hospital.refusal(Role::Admin, ADD, json!({ "pem": "x" })).await, "BAD_INPUT");
}
