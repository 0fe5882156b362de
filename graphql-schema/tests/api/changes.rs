//! What mutations do, and refuse.

use serde_json::{Value, json};
use tenants::{DeviceId, access::Role, credentials::SecretHash, stores::DeviceCredentials};
use twins::{
    connections::{ConnectionEvent, ConnectionLog, Happened},
    presence::Carrier,
};

use crate::{
    hospital::{Hospital, MONITOR, SPARE},
    second_factor::CODE,
};

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
        created invitationToken tenant { slug name region locale timeZone } } }";
    let hospital = Hospital::open().await;
    let input = |slug: &str, name: &str, email: &str| json!({ "input": { "slug": slug, "name": name, "adminEmail": email } });
    let new = || input("county", " County General ", "Ada@county.example");
    let first = hospital.data(Role::Operator, CREATE, new()).await["createTenant"].take();
    assert_eq!(first["created"], true);
    let there = json!({ "slug": "county", "name": "County General", "region": null, "locale": null, "timeZone": null });
    assert_eq!(first["tenant"], there);
    const LOCATE: &str =
        "mutation ($id: ID!, $locality: LocalityInput!) { locateTenant(id: $id, locality: $locality) {
        region locale timeZone } }";
    let all = hospital.data(Role::Operator, "{ tenants { id slug } }", json!({})).await;
    let id = &all["tenants"].as_array().unwrap().iter().find(|one| one["slug"] == "county").unwrap()["id"];
    let place =
        |zone: &str| json!({ "id": id, "locality": { "region": "de", "locale": "DE-de", "timeZone": zone } });
    let located = hospital.data(Role::Operator, LOCATE, place("europe/berlin")).await["locateTenant"].take();
    assert_eq!(located, json!({ "region": "DE", "locale": "de-DE", "timeZone": "Europe/Berlin" }));
    assert_eq!(hospital.refusal(Role::Operator, LOCATE, place("Berlin")).await, "BAD_INPUT");
    assert_eq!(hospital.refusal(Role::Admin, LOCATE, place("UTC")).await, "FORBIDDEN");
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
    assert_eq!(
        all["tenants"],
        json!([{ "slug": "county" }, { "slug": "county-general" }, { "slug": "st-elsewhere" }])
    );
}

#[tokio::test]
async fn a_suspended_hospital_is_let_go_once_it_was_exported() {
    const OFFBOARD: &str = "mutation ($input: OffboardTenantInput!) { offboardTenant(input: $input) {
        departedSince exportedAt erasedAt } }";
    const ROTATE: &str = "mutation ($tenant: ID!) { rotateDataKey(tenant: $tenant) { dataKey { version } } }";
    let hospital = Hospital::open().await;
    let id = hospital.tenant;
    let tenant = json!({ "tenant": id.to_string() });
    let rotated = hospital.data(Role::Operator, ROTATE, tenant.clone()).await;
    assert_eq!(rotated["rotateDataKey"]["dataKey"]["version"], 2);
    assert_eq!(hospital.refusal(Role::Admin, ROTATE, tenant.clone()).await, "FORBIDDEN");
    let whose = "{ viewer { tenant { slug dataKey { version } } } }";
    assert_eq!(hospital.refusal(Role::Admin, whose, json!({})).await, "FORBIDDEN");

    let farewell = |slug: &str, code: &str| {
        json!({ "input": { "id": id.to_string(), "confirmation": slug,
        "reason": "Contract ended", "code": code } })
    };
    let refused = async |input| hospital.refusal(Role::Operator, OFFBOARD, input).await;
    assert_eq!(refused(farewell("st-elsewhere", "000000")).await, "BAD_INPUT");
    assert_eq!(refused(farewell("county-general", CODE)).await, "BAD_INPUT");
    assert_eq!(refused(farewell("st-elsewhere", CODE)).await, "CONFLICT", "it is served");
    assert_eq!(hospital.refusal(Role::Admin, OFFBOARD, farewell("st-elsewhere", CODE)).await, "FORBIDDEN");
    let suspend = "mutation ($id: ID!) { suspendTenant(id: $id, reason: \"Contract ended\") { id } }";
    hospital.data(Role::Operator, suspend, json!({ "id": id.to_string() })).await;
    assert_eq!(refused(farewell("st-elsewhere", CODE)).await, "CONFLICT", "nothing was exported");
    hospital.export().await;
    let gone = hospital.data(Role::Operator, OFFBOARD, farewell("st-elsewhere", CODE)).await;
    assert!(gone["offboardTenant"]["departedSince"].is_string(), "{gone}");
    let resume = "mutation ($id: ID!) { resumeTenant(id: $id) { id } }";
    assert_eq!(hospital.refusal(Role::Operator, resume, json!({ "id": id.to_string() })).await, "CONFLICT");
}

#[tokio::test]
async fn an_admin_orders_the_hospital_and_its_people() {
    const SAVE: &str =
        "mutation ($input: SaveOrgUnitInput!) { saveOrgUnit(input: $input) { id name kind parentId } }";
    const UNITS: &str = "{ orgUnits { id name parentId } }";
    const GRANT: &str =
        "mutation ($input: RoleInput!) { grantRole(input: $input) { roles { role unit { name } } } }";
    const REVOKE: &str = "mutation ($input: RoleInput!) { revokeRole(input: $input) { roles { role } } }";
    let hospital = Hospital::open().await;
    let admin = Role::Admin;
    let units = hospital.data(Role::Nurse, UNITS, json!({})).await["orgUnits"].take();
    let root = units[0]["id"].clone();
    assert_eq!(units[1]["name"], "3 East");
    let department = json!({ "input": { "name": " Heart ", "kind": "DEPARTMENT", "parentId": root } });
    let department = hospital.data(admin, SAVE, department).await["saveOrgUnit"].take();
    assert_eq!(department["name"], "Heart");
    let moved = json!({ "input": { "id": units[1]["id"], "name": "4 East", "kind": "WARD",
        "parentId": department["id"] } });
    hospital.data(admin, SAVE, moved).await;
    let names = hospital.data(admin, UNITS, json!({})).await;
    assert_eq!(names["orgUnits"][2]["name"], "4 East", "{names:#}");
    let patients = hospital.data(Role::Nurse, "{ patients { nodes { ward } } }", json!({})).await;
    assert_eq!(patients["patients"]["nodes"][0]["ward"], "4 East");
    for (wrong, code) in [
        (json!({ "name": "heart", "kind": "WARD", "parentId": root }), "CONFLICT"),
        (json!({ "name": "", "kind": "WARD", "parentId": root }), "BAD_INPUT"),
        (json!({ "name": "X", "kind": "WARD", "parentId": null }), "NOT_FOUND"),
        (
            json!({ "id": department["id"], "name": "X", "kind": "WARD", "parentId": units[1]["id"] }),
            "BAD_INPUT",
        ),
    ] {
        assert_eq!(hospital.refusal(admin, SAVE, json!({ "input": wrong })).await, code, "{wrong}");
    }
    let remove = "mutation ($id: ID!) { removeOrgUnit(id: $id) }";
    let used = hospital.refusal(admin, remove, json!({ "id": units[1]["id"] })).await;
    assert_eq!(used, "CONFLICT", "patients lie there");
    assert_eq!(hospital.refusal(Role::Nurse, remove, json!({ "id": department["id"] })).await, "FORBIDDEN");

    let names = hospital.data(admin, "{ roleNames }", json!({})).await;
    assert!(names["roleNames"].as_array().unwrap().contains(&json!("nurse")), "{names}");
    assert!(!names.to_string().contains("operator"));
    for (role, unit, code) in [
        ("operator", &root, "BAD_INPUT"),
        ("matron", &root, "BAD_INPUT"),
        ("nurse", &json!("00000000-0000-0000-0000-000000000009"), "NOT_FOUND"),
        ("nurse", &root, "NOT_FOUND"),
    ] {
        let nobody = "00000000-0000-0000-0000-00000000beef";
        let input = json!({ "input": { "user": nobody, "role": role, "unit": unit } });
        assert_eq!(hospital.refusal(admin, GRANT, input.clone()).await, code, "{input}");
        assert_eq!(hospital.refusal(Role::Clinician, GRANT, input).await, "FORBIDDEN");
    }
    let last = json!({ "input": { "user": hospital.user_of(admin), "role": "admin", "unit": root } });
    assert_eq!(hospital.refusal(admin, REVOKE, last).await, "CONFLICT", "the last administrator");

    let invite = "mutation ($input: InviteUserInput!) { inviteUser(input: $input) { email invitationToken expiresAt } }";
    let input =
        |email: &str| json!({ "input": { "email": email, "role": "nurse", "unit": department["id"] } });
    let invited = hospital.data(admin, invite, input(" Nina@Ward.example")).await["inviteUser"].take();
    assert_eq!(
        (&invited["email"], &invited["expiresAt"]),
        (&json!("nina@ward.example"), &json!("2026-01-09T03:04:05Z"))
    );
    assert_eq!(hospital.refusal(admin, invite, input("nobody")).await, "BAD_INPUT");
    let users = hospital.data(admin, "{ users { email roles { role } } }", json!({})).await;
    let users = users["users"].as_array().unwrap();
    assert_eq!(users.len(), Role::ALL.len() - 1, "all but the operator; who is invited is nobody yet");
    assert_eq!(users[0], json!({ "email": "admin@st-elsewhere.example", "roles": [{ "role": "admin" }] }));

    let nurse = hospital.user_of(Role::Nurse);
    let ward = json!({ "input": { "user": nurse, "role": "clinician", "unit": department["id"] } });
    let held = hospital.data(admin, GRANT, ward.clone()).await["grantRole"]["roles"].take();
    assert_eq!(held[0], json!({ "role": "clinician", "unit": { "name": "Heart" } }));
    let save_rule = "mutation ($rule: SaveRuleInput!) { saveRule(input: $rule) { version } }";
    let refused = hospital.refusal(Role::Nurse, save_rule, rule(&json!({}))).await;
    assert_eq!(refused, "FORBIDDEN", "rules are the whole hospital's");
    let left = hospital.data(admin, REVOKE, ward.clone()).await["revokeRole"]["roles"].take();
    assert_eq!(left, json!([{ "role": "nurse" }]));
    assert_eq!(hospital.refusal(admin, REVOKE, ward).await, "NOT_FOUND");
}

#[tokio::test]
async fn patients_and_devices_are_moved() {
    let hospital = Hospital::open().await;
    let units = hospital.data(Role::Admin, "{ orgUnits { id name } }", json!({})).await["orgUnits"].take();
    let root = units[0]["id"].clone();
    let place =
        "mutation ($input: PlacePatientInput!) { placePatient(input: $input) { ward bed restricted } }";
    let patient = hospital.patient.to_string();
    let input = json!({ "input": { "id": patient, "unit": root, "bed": " 7 " } });
    let placed = hospital.data(Role::Admin, place, input.clone()).await["placePatient"].take();
    assert_eq!(placed, json!({ "ward": "St. Elsewhere", "bed": "7", "restricted": false }));
    let restricted = json!({ "input": { "id": patient, "unit": units[1]["id"], "restricted": true } });
    let placed = hospital.data(Role::Admin, place, restricted).await["placePatient"].take();
    assert_eq!(placed, json!({ "ward": "3 East", "bed": "7", "restricted": true }));
    let see = "query ($id: ID!) { patient(id: $id) { id } }";
    let seen = hospital.data(Role::Nurse, see, json!({ "id": patient })).await;
    assert_eq!(seen["patient"], Value::Null, "the nurse is not of the care team");
    assert_eq!(hospital.refusal(Role::Nurse, place, input).await, "FORBIDDEN");
    let team =
        "mutation ($patient: ID!, $users: [ID!]!) { setCareTeam(patient: $patient, users: $users) { id } }";
    let nobody = json!({ "patient": patient, "users": ["00000000-0000-0000-0000-00000000beef"] });
    assert_eq!(hospital.refusal(Role::Admin, team, nobody).await, "NOT_FOUND");
    hospital.data(Role::Admin, team, json!({ "patient": patient, "users": [] })).await;

    let place = "mutation ($id: ID!, $unit: ID!) { placeDevice(id: $id, unit: $unit) { id } }";
    hospital.data(Role::Technician, place, json!({ "id": SPARE, "unit": root })).await;
    let unknown = json!({ "id": SPARE, "unit": "00000000-0000-0000-0000-000000000009" });
    assert_eq!(hospital.refusal(Role::Technician, place, unknown).await, "NOT_FOUND");
    assert_eq!(hospital.refusal(Role::Nurse, place, json!({ "id": SPARE, "unit": root })).await, "FORBIDDEN");
}

#[tokio::test]
async fn an_identity_provider_is_enrolled_and_its_secret_never_told() {
    const SAVE: &str = "mutation ($input: SaveIdentityProviderInput!) { saveIdentityProvider(input: $input) {
        id version issuer hasClientSecret apiAudience roles { group role unit { name } } } }";
    let (hospital, admin) = (Hospital::open().await, Role::Admin);
    let units = hospital.data(admin, "{ orgUnits { id } }", json!({})).await["orgUnits"].take();
    let input = |changes: Value| {
        let mut input = json!({ "name": " Hospital ", "issuer": "https://login.example.org", "clientId": "iomt",
            "clientSecret": "hunter2", "scopes": ["email"], "groupClaim": "groups", "enabled": true,
            "roles": [{ "group": "Nurses", "role": "nurse", "unit": units[1]["id"] }] });
        input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({ "input": input })
    };
    let first = hospital.data(admin, SAVE, input(json!({}))).await["saveIdentityProvider"].take();
    assert_eq!((&first["version"], &first["hasClientSecret"]), (&json!(1), &json!(true)));
    assert_eq!(first["roles"], json!([{ "group": "Nurses", "role": "nurse", "unit": { "name": "3 East" } }]));
    assert!(!first.to_string().contains("hunter2"));

    let edit = |version: u32, changes: Value| {
        let mut input = input(json!({ "id": first["id"], "version": version }));
        input["input"].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        input
    };
    let kept = edit(1, json!({ "clientSecret": null, "apiAudience": " api " }));
    let kept = hospital.data(admin, SAVE, kept).await["saveIdentityProvider"].take();
    assert_eq!(
        (&kept["version"], &kept["hasClientSecret"], &kept["apiAudience"]),
        (&json!(2), &json!(true), &json!("api"))
    );
    let none = hospital.data(admin, SAVE, edit(2, json!({ "clientSecret": "" }))).await;
    assert_eq!(none["saveIdentityProvider"]["hasClientSecret"], false);
    for (wrong, code) in [
        (edit(2, json!({})), "CONFLICT"),
        (edit(3, json!({ "issuer": "https://other.example" })), "BAD_INPUT"),
        (edit(3, json!({ "version": null })), "BAD_INPUT"),
        (
            edit(3, json!({ "roles": [{ "group": "A", "role": "operator", "unit": units[0]["id"] }] })),
            "BAD_INPUT",
        ),
        (edit(3, json!({ "defaultRole": "matron" })), "BAD_INPUT"),
        (edit(3, json!({ "roles": [{ "group": "A", "role": "nurse", "unit": NOBODY }] })), "NOT_FOUND"),
        (edit(3, json!({ "apiAudience": "iomt" })), "BAD_INPUT"),
        (input(json!({ "id": NOBODY, "version": 1 })), "NOT_FOUND"),
        (input(json!({ "issuer": "https://unreachable.example" })), "BAD_INPUT"),
        (input(json!({})), "CONFLICT"),
    ] {
        assert_eq!(hospital.refusal(admin, SAVE, wrong.clone()).await, code, "{wrong}");
    }
    let off = input(json!({ "issuer": "https://unreachable.example", "enabled": false }));
    hospital.data(admin, SAVE, off).await;
    assert_eq!(hospital.refusal(Role::Nurse, SAVE, input(json!({}))).await, "FORBIDDEN");
    let test = "mutation ($issuer: String!) { testIdentityProvider(issuer: $issuer) { keys endsSessions tellsOfLogout } }";
    let found = hospital.data(admin, test, json!({ "issuer": " https://login.example.org " })).await;
    assert_eq!(
        found["testIdentityProvider"],
        json!({ "keys": 2, "endsSessions": true, "tellsOfLogout": false })
    );
    assert_eq!(hospital.refusal(admin, test, json!({ "issuer": "https://x.example" })).await, "BAD_INPUT");
    let remove = "mutation ($id: ID!) { deleteIdentityProvider(id: $id) }";
    hospital.data(admin, remove, json!({ "id": first["id"] })).await;
    assert_eq!(hospital.refusal(admin, remove, json!({ "id": first["id"] })).await, "NOT_FOUND");
    let left = hospital.data(admin, "{ identityProviders { issuer enabled } }", json!({})).await;
    assert_eq!(
        left["identityProviders"],
        json!([{ "issuer": "https://unreachable.example", "enabled": false }])
    );
}

#[tokio::test]
async fn what_became_of_a_devices_connections_is_told_to_whoever_sees_the_device() {
    const LOG: &str = "query ($id: ID!) { device(id: $id) { connectionLog { at kind reason clientId address carrier version } } }";
    let hospital = Hospital::open().await;
    let device = json!({ "id": MONITOR });
    let seen = hospital.data(Role::Nurse, LOG, device.clone()).await["device"]["connectionLog"].take();
    assert_eq!(seen, json!([]));
    let event = |why: &str, carrier| ConnectionEvent {
        at: "2026-01-02T03:00:00Z".parse().unwrap(),
        what: Happened::Refused,
        why: why.into(),
        client_id: "c".into(),
        address: [192, 0, 2, 7].into(),
        carrier,
        version: String::new(),
    };
    let events =
        [event("the password is wrong", None), event("the will cannot be retained", Some(Carrier::Tls))];
    let events = events.map(|event| (DeviceId::parse(MONITOR).unwrap(), event));
    ConnectionLog::add_events(&hospital.database, hospital.tenant, &events).await.unwrap();
    let seen = hospital.data(Role::Technician, LOG, device.clone()).await["device"]["connectionLog"].take();
    let shown = |reason: &str, carrier: Option<&str>| {
        json!({ "at": "2026-01-02T03:00:00Z", "kind": "REFUSED", "reason": reason, "clientId": "c",
            "address": "192.0.2.7", "carrier": carrier, "version": "" })
    };
    let newest_first =
        json!([shown("the will cannot be retained", Some("TLS")), shown("the password is wrong", None)]);
    assert_eq!(seen, newest_first);
}

#[tokio::test]
async fn a_device_is_sent_away_by_whoever_keeps_devices_working() {
    const SENT_AWAY: &str = "mutation ($id: ID!) { disconnectDevice(id: $id) }";
    let hospital = Hospital::open().await;
    let sessions =
        "query ($id: ID!) { device(id: $id) { sessions { clientId address carrier version since } } }";
    let device = json!({ "id": MONITOR });
    let seen = hospital.data(Role::Nurse, sessions, device.clone()).await["device"]["sessions"].take();
    assert_eq!(
        seen,
        json!([{ "clientId": MONITOR, "address": "192.0.2.7", "carrier": "TLS", "version": "5",
            "since": "2026-01-02T03:00:00Z" }])
    );
    let away = hospital.data(Role::Technician, SENT_AWAY, device.clone()).await;
    assert_eq!(away["disconnectDevice"], 1);
    for role in [Role::Nurse, Role::Clinician, Role::Auditor] {
        assert_eq!(hospital.refusal(role, SENT_AWAY, device.clone()).await, "FORBIDDEN", "{role}");
    }
    let unknown = json!({ "id": "monitor-99" });
    assert_eq!(hospital.refusal(Role::Technician, SENT_AWAY, unknown).await, "NOT_FOUND");
    let trail =
        hospital.data(Role::Admin, "{ auditLog { nodes { action subject detail } } }", json!({})).await;
    let line = json!({ "action": "device.disconnect", "subject": format!("device:{MONITOR}"),
        "detail": "192.0.2.7" });
    assert!(trail["auditLog"]["nodes"].as_array().unwrap().contains(&line), "{trail}");
}

#[tokio::test]
async fn a_device_is_blocked_and_gets_another_token() {
    const BLOCK: &str =
        "mutation ($input: BlockDeviceInput!) { blockDevice(input: $input) { blockedSince } }";
    const AGAIN: &str = "mutation ($id: ID!) { unblockDevice(id: $id) { blockedSince } }";
    const RENEW: &str = "mutation ($id: ID!) { renewDeviceToken(id: $id) { token device { id } } }";
    let hospital = Hospital::open().await;
    let (device, id) = (json!({ "id": MONITOR }), DeviceId::parse(MONITOR).unwrap());
    let login = async || {
        let found = hospital.database.device_logins(hospital.tenant, std::slice::from_ref(&id)).await;
        found.unwrap().pop().unwrap()
    };
    let block = |reason: &str| json!({ "input": { "id": MONITOR, "reason": reason } });
    for reason in ["", "  ", &"x".repeat(501)] {
        assert_eq!(hospital.refusal(Role::Technician, BLOCK, block(reason)).await, "BAD_INPUT");
    }
    for role in [Role::Nurse, Role::Clinician, Role::Auditor] {
        assert_eq!(hospital.refusal(role, BLOCK, block("lost")).await, "FORBIDDEN", "{role}");
        assert_eq!(hospital.refusal(role, RENEW, device.clone()).await, "FORBIDDEN", "{role}");
    }
    let blocked = hospital.data(Role::Technician, BLOCK, block("lost on 4 West")).await;
    assert_eq!(blocked["blockDevice"]["blockedSince"], "2026-01-02T03:04:05Z");
    assert!(login().await.blocked);
    let before = login().await.token;
    let renewed = hospital.data(Role::Technician, RENEW, device.clone()).await["renewDeviceToken"].take();
    let token = renewed["token"].as_str().unwrap();
    assert!(login().await.token == SecretHash::of(token.as_bytes()) && login().await.token != before);
    assert!(login().await.blocked, "another token does not let it in");
    let again = hospital.data(Role::Technician, AGAIN, device).await;
    assert_eq!(again["unblockDevice"]["blockedSince"], Value::Null);
    assert!(!login().await.blocked);
    let trail = hospital.trail_entries().await;
    let lines: Vec<_> = trail
        .iter()
        .filter(|entry| entry.subject == "device:monitor-1" && entry.action != "test.set_up")
        .map(|entry| (entry.action.as_str(), entry.detail.as_str()))
        .collect();
    assert_eq!(
        lines,
        [("device.block", "lost on 4 West"), ("device.renew_token", ""), ("device.unblock", "")]
    );
}

#[tokio::test]
async fn a_device_speaks_through_a_gateway() {
    const SET: &str =
        "mutation ($device: ID!, $gateway: ID) { setGateway(device: $device, gateway: $gateway) {
        gateway { id behind { id } } } }";
    let hospital = Hospital::open().await;
    let set = |device: &str, gateway: Option<&str>| json!({ "device": device, "gateway": gateway });
    let through = hospital.data(Role::Technician, SET, set(MONITOR, Some(SPARE))).await;
    assert_eq!(through["setGateway"]["gateway"], json!({ "id": SPARE, "behind": [{ "id": MONITOR }] }));
    for (device, gateway, code) in [
        (SPARE, Some(MONITOR), "CONFLICT"),
        (SPARE, Some(SPARE), "CONFLICT"),
        (MONITOR, Some("monitor-99"), "NOT_FOUND"),
        ("monitor-99", None, "NOT_FOUND"),
    ] {
        assert_eq!(hospital.refusal(Role::Technician, SET, set(device, gateway)).await, code, "{device}");
    }
    assert_eq!(hospital.refusal(Role::Nurse, SET, set(MONITOR, None)).await, "FORBIDDEN");
    let alone = hospital.data(Role::Technician, SET, set(MONITOR, None)).await;
    assert_eq!(alone["setGateway"]["gateway"], Value::Null);
    let trail = hospital.trail_entries().await;
    let details: Vec<_> = trail
        .iter()
        .filter(|entry| entry.action == "device.set_gateway")
        .map(|entry| entry.detail.as_str())
        .collect();
    assert_eq!(details, [&format!("through device:{SPARE}"), "for itself"]);
}
