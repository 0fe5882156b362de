//! Certificates that are one device's own.

use serde_json::{Value, json};
use tenants::access::Role;

use crate::{
    authority::Authority,
    hospital::{Hospital, MONITOR},
};

const ADD: &str = "mutation ($id: ID!, $pem: String!) {
    addDeviceCertificate(device: $id, certificate: $pem) { certificates { fingerprint notAfter provenAt } } }";
const REMOVE: &str = "mutation ($id: ID!, $fingerprint: String!) {
    removeDeviceCertificate(device: $id, fingerprint: $fingerprint) { certificates { fingerprint } } }";

#[tokio::test]
async fn a_device_has_two_certificates_of_its_own_at_most() {
    let hospital = Hospital::open().await;
    let somebody = Authority::new("Somebody");
    let with = |id: &str, name: &str| json!({ "id": id, "pem": somebody.sign(name).pem() });
    let before = hospital.revocations.generation(hospital.tenant);
    let first = hospital.data(Role::Technician, ADD, with(MONITOR, MONITOR)).await;
    let first = first["addDeviceCertificate"]["certificates"].clone();
    assert_eq!(first[0]["notAfter"], "2035-01-01T00:00:00Z");
    assert_eq!(first[0]["provenAt"], Value::Null, "the device has not shown it");
    let second = hospital.data(Role::Technician, ADD, with(MONITOR, MONITOR)).await;
    assert_eq!(second["addDeviceCertificate"]["certificates"].as_array().map(Vec::len), Some(2));
    assert_ne!(hospital.revocations.generation(hospital.tenant), before, "every session is looked at again");
    let refusal = async |role, variables| hospital.refusal(role, ADD, variables).await;
    assert_eq!(refusal(Role::Technician, with(MONITOR, MONITOR)).await, "CONFLICT", "a third");
    assert_eq!(refusal(Role::Technician, with(MONITOR, "monitor-99")).await, "BAD_INPUT", "another's");
    assert_eq!(refusal(Role::Technician, json!({ "id": MONITOR, "pem": "none" })).await, "BAD_INPUT");
    assert_eq!(refusal(Role::Technician, with("monitor-99", "monitor-99")).await, "NOT_FOUND");
    for role in [Role::Nurse, Role::Clinician, Role::Auditor] {
        assert_eq!(refusal(role, with(MONITOR, MONITOR)).await, "FORBIDDEN", "{role}");
    }

    let gone = json!({ "id": MONITOR, "fingerprint": first[0]["fingerprint"] });
    let left = hospital.data(Role::Technician, REMOVE, gone.clone()).await;
    let left = left["removeDeviceCertificate"]["certificates"].as_array().cloned().unwrap();
    assert!(left.len() == 1 && left[0]["fingerprint"] != first[0]["fingerprint"], "{left:?}");
    assert_eq!(hospital.refusal(Role::Technician, REMOVE, gone).await, "NOT_FOUND");
    let nonsense = json!({ "id": MONITOR, "fingerprint": "AB:CD" });
    assert_eq!(hospital.refusal(Role::Technician, REMOVE, nonsense).await, "BAD_INPUT");
    let trail = hospital.trail_entries().await;
    let told: Vec<_> = trail.iter().filter(|entry| entry.action.ends_with("_certificate")).collect();
    let words: Vec<Value> = told.iter().map(|entry| json!([entry.action, entry.subject])).collect();
    let (added, removed) = ("device.add_certificate", "device.remove_certificate");
    let subject = format!("device:{MONITOR}");
    assert_eq!(words, [json!([added, subject]), json!([added, subject]), json!([removed, subject])]);
    assert_eq!(json!(told[2].detail), first[0]["fingerprint"]);
}
