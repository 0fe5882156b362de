//! A hospital's own roles, what they would change, and why somebody sees a row.

use serde_json::{Value, json};
use tenants::access::Role;

use crate::hospital::{Hospital, MONITOR};

const SAVE: &str = "mutation ($input: SaveRoleInput!) {
    saveRole(input: $input) { name title builtIn version holders policies { object action rows hiddenColumns } } }";
const PREVIEW: &str = "query ($input: SaveRoleInput!) { previewRole(input: $input) { people clients changes {
    user { displayName } client { name } permission before { rows hiddenColumns } after { rows hiddenColumns } } } }";
const GRANT: &str = "mutation ($input: RoleInput!) { grantRole(input: $input) { id } }";
const CLIENT: &str = "mutation ($input: CreateServiceClientInput!) {
    createServiceClient(input: $input) { client { id } } }";
const WHY: &str = "query ($user: ID!, $row: PolicyRowKind!, $id: ID!) { effectiveAccess(user: $user, row: $row, id: $id) {
    roles { role } actions { action allowed hiddenColumns reasons { role { role unit { name } } rows covers hiddenColumns } } } }";

fn policy(object: &str, action: &str, rows: &str, hidden: &[&str]) -> Value {
    json!({ "object": object, "action": action, "rows": rows, "hiddenColumns": hidden })
}

fn role(version: Option<u32>, policies: &[Value]) -> Value {
    json!({ "input": { "name": "night-nurse", "version": version, "title": "Night nurse", "policies": policies } })
}

#[tokio::test]
async fn a_role_of_the_hospitals_own_counts_at_once() {
    let hospital = Hospital::open().await;
    let admin = Role::Admin;
    let first = [policy("patient", "read", "not  patient.restricted", &["patient.mrn"])];
    let saved = hospital.data(admin, SAVE, role(None, &first)).await["saveRole"].take();
    assert_eq!(
        (&saved["version"], &saved["holders"], &saved["builtIn"]),
        (&json!(1), &json!(0), &json!(false))
    );
    assert_eq!(saved["policies"][0]["rows"], "not patient.restricted", "as it is kept");
    let root = hospital.data(admin, "{ orgUnits { id } }", json!({})).await["orgUnits"][0]["id"].take();
    let technician = hospital.user_of(Role::Technician);
    let grant = json!({ "input": { "user": technician, "role": "night-nurse", "unit": root } });
    hospital.data(admin, GRANT, grant.clone()).await;
    let client = json!({ "input": { "name": "EHR", "role": "night-nurse", "unit": root } });
    let client = hospital.data(admin, CLIENT, client).await["createServiceClient"]["client"].take();
    let patients = "{ patients { nodes { name mrn } } }";
    let seen = hospital.data(Role::Technician, patients, json!({})).await["patients"]["nodes"].take();
    assert!(seen[0]["name"].is_string() && seen[0]["mrn"].is_null(), "{seen}");

    let wider = [policy("patient", "read", "all", &[]), policy("device", "read", "all", &[])];
    let told = hospital.data(admin, PREVIEW, role(Some(1), &wider)).await["previewRole"].take();
    assert_eq!((&told["people"], &told["clients"]), (&json!(1), &json!(1)));
    assert_eq!(told["changes"].as_array().unwrap().len(), 3, "a person saw devices before: {told:#}");
    let masked = json!({ "rows": 1, "hiddenColumns": ["patient.mrn"] });
    let whole = json!({ "rows": 1, "hiddenColumns": [] });
    let of = |user: Value, client: Value, permission: &str, before: &Value, after: &Value| json!({ "user": user, "client": client, "permission": permission, "before": before, "after": after });
    let (person, program) = (json!({ "displayName": "A technician" }), json!({ "name": "EHR" }));
    let devices = json!({ "rows": 2, "hiddenColumns": [] });
    for expected in [
        of(person, Value::Null, "patient:read", &masked, &whole),
        of(Value::Null, program.clone(), "patient:read", &masked, &whole),
        of(Value::Null, program, "device:read", &Value::Null, &devices),
    ] {
        assert!(told["changes"].as_array().unwrap().contains(&expected), "{expected:#} in {told:#}");
    }
    let seen = hospital.data(Role::Technician, patients, json!({})).await["patients"]["nodes"].take();
    assert!(seen[0]["mrn"].is_null(), "a preview changes nothing");
    assert_eq!(hospital.data(admin, SAVE, role(Some(1), &wider)).await["saveRole"]["version"], 2);
    let seen = hospital.data(Role::Technician, patients, json!({})).await["patients"]["nodes"].take();
    assert!(seen[0]["mrn"].is_string(), "{seen}");

    let roles =
        hospital.data(Role::Auditor, "{ roles { name title builtIn version holders } }", json!({})).await;
    let roles = roles["roles"].as_array().unwrap();
    assert_eq!(roles.len(), Role::ALL.len(), "the operator's is not the hospital's to give");
    assert_eq!(
        roles.last().unwrap(),
        &json!({ "name": "night-nurse", "title": "Night nurse", "builtIn": false, "version": 2, "holders": 2 })
    );
    let delete = "mutation { deleteRole(name: \"night-nurse\") }";
    assert_eq!(hospital.refusal(admin, delete, json!({})).await, "CONFLICT", "somebody holds it");
    hospital.data(admin, "mutation ($input: RoleInput!) { revokeRole(input: $input) { id } }", grant).await;
    assert_eq!(hospital.refusal(admin, delete, json!({})).await, "CONFLICT", "a service client has it");
    hospital.data(admin, "mutation ($id: ID!) { removeServiceClient(id: $id) }", client).await;
    hospital.data(admin, delete, json!({})).await;
    assert_eq!(hospital.refusal(Role::Technician, patients, json!({})).await, "FORBIDDEN");
    let trail = hospital.data(admin, "{ auditLog { nodes { action detail } } }", json!({})).await;
    let trail = trail["auditLog"]["nodes"].as_array().unwrap();
    let of = |action: &str| trail.iter().filter(|line| line["action"] == action).collect::<Vec<_>>();
    assert_eq!((of("role.save").len(), of("role.remove").len()), (2, 1));
    assert_eq!(of("role.save")[1]["detail"], "patient:read not patient.restricted without patient.mrn");
}

#[tokio::test]
async fn what_is_no_role_is_refused() {
    let hospital = Hospital::open().await;
    let read = || policy("patient", "read", "all", &[]);
    let named = |name: &str| json!({ "input": { "name": name, "title": "X", "policies": [read()] } });
    for (wrong, code) in [
        (named("nurse"), "BAD_INPUT"),
        (named("Night nurse"), "BAD_INPUT"),
        (role(None, &[]), "BAD_INPUT"),
        (role(None, &[policy("ward", "read", "all", &[])]), "BAD_INPUT"),
        (role(None, &[policy("patient", "publish", "all", &[])]), "BAD_INPUT"),
        (role(None, &[policy("patient", "read", "patient.shoe = 1", &[])]), "BAD_INPUT"),
        (role(None, &[policy("patient", "read", "all", &["patient.shoe"])]), "BAD_INPUT"),
        (role(None, &[policy("tenant", "write", "all", &[])]), "BAD_INPUT"),
        (role(None, &[read(), read()]), "BAD_INPUT"),
        (role(Some(1), &[read()]), "CONFLICT"),
    ] {
        assert_eq!(hospital.refusal(Role::Admin, SAVE, wrong.clone()).await, code, "{wrong}");
        assert_eq!(hospital.refusal(Role::Auditor, SAVE, wrong.clone()).await, "FORBIDDEN", "{wrong}");
    }
    let objects = "{ policyObjects { name actions testableColumns { name kind } hideableColumns } }";
    let objects = hospital.data(Role::Admin, objects, json!({})).await["policyObjects"].take();
    assert!(!objects.to_string().contains("tenant"));
    let patient = objects.as_array().unwrap().iter().find(|object| object["name"] == "patient").unwrap();
    assert!(
        patient["testableColumns"]
            .as_array()
            .unwrap()
            .contains(&json!({ "name": "patient.ward", "kind": "a text" }))
    );
}

#[tokio::test]
async fn why_somebody_sees_a_row_is_explained() {
    let hospital = Hospital::open().await;
    let ask = async |who: Role, row: &str, id: &str| {
        let question = json!({ "user": hospital.user_of(who), "row": row, "id": id });
        hospital.data(Role::Auditor, WHY, question).await["effectiveAccess"].take()
    };
    let patient = hospital.patient.to_string();
    let researcher = ask(Role::Researcher, "PATIENT", &patient).await;
    let read = &researcher["actions"][0];
    assert_eq!((&read["action"], &read["allowed"]), (&json!("read"), &json!(true)));
    assert_eq!(read["hiddenColumns"], json!(["patient.name", "patient.mrn", "patient.birth_date"]));
    assert_eq!(read["reasons"][0]["rows"], "not patient.restricted");
    assert_eq!(researcher["actions"][1]["allowed"], false, "none of their roles writes patients");
    assert_eq!(researcher["actions"][1]["reasons"], json!([]));

    let place = "mutation ($input: PlacePatientInput!) { placePatient(input: $input) { id } }";
    let ward = hospital.data(Role::Admin, "{ orgUnits { id } }", json!({})).await["orgUnits"][1]["id"].take();
    let restricted = json!({ "input": { "id": patient, "unit": ward, "restricted": true } });
    hospital.data(Role::Admin, place, restricted).await;
    let read = ask(Role::Researcher, "PATIENT", &patient).await["actions"][0].take();
    assert_eq!((&read["allowed"], &read["reasons"][0]["covers"]), (&json!(false), &json!(false)));
    let device = ask(Role::Technician, "DEVICE", MONITOR).await;
    let actions: Vec<_> =
        device["actions"].as_array().unwrap().iter().map(|action| &action["action"]).collect();
    assert_eq!(actions, ["read", "write", "command"], "people do not publish");

    for (user, row, id, code) in [
        (hospital.user_of(Role::Nurse), "PATIENT", "00000000-0000-7000-8000-000000000000", "NOT_FOUND"),
        (hospital.user_of(Role::Nurse), "PATIENT", "no id", "BAD_INPUT"),
        ("00000000-0000-7000-8000-000000000000".to_owned(), "PATIENT", patient.as_str(), "NOT_FOUND"),
    ] {
        let question = json!({ "user": user, "row": row, "id": id });
        assert_eq!(hospital.refusal(Role::Admin, WHY, question.clone()).await, code, "{question}");
        assert_eq!(hospital.refusal(Role::Nurse, WHY, question).await, "FORBIDDEN");
    }
}
