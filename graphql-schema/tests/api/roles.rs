//! Which role gets what, as a table that is read in review.

use std::fmt::Write;

use serde_json::{Value, json};
use tenants::{
    DeviceId, TenantId,
    access::{Caller, Principal, Role},
};

use crate::{
    answers::code,
    hospital::{Hospital, MONITOR},
};

const ROLES: &[Role] = Role::ALL;

/// What is asked, in the name under which it stands in the table.
const QUESTIONS: [(&str, &str); 68] = [
    ("identityProviders", "{ identityProviders { name issuer hasClientSecret roles { group role unit { name } } } }"),
    (
        "saveIdentityProv.",
        "mutation { saveIdentityProvider(input: { name: \"P\", issuer: \"https://login.example.org\", clientId: \"c\",
            scopes: [], groupClaim: \"groups\", roles: [], enabled: false }) { id } }",
    ),
    (
        "deleteIdentityProv.",
        "mutation { deleteIdentityProvider(id: \"00000000-0000-7000-8000-000000000000\") }",
    ),
    (
        "testIdentityProvid.",
        "mutation { testIdentityProvider(issuer: \"https://login.example.org\") { keys } }",
    ),
    (
        "viewer",
        "{ viewer { id email displayName roles { role until unit { id name kind parentId } } permissions tenant { id slug name } } }",
    ),
    ("secondFactor", "{ secondFactor { since recoveryCodes } }"),
    ("sessions", "{ sessions { id createdAt current address } }"),
    ("endSession", "mutation ($id: ID!) { endSession(id: $id) }"),
    ("endOtherSessions", "mutation { endOtherSessions }"),
    ("endSessionsOf", "mutation ($id: ID!) { endSessionsOf(user: $id) }"),
    ("pairAuthenticator", "mutation { pairAuthenticator { secret uri } }"),
    ("enrolAuthenticator", "mutation { enrolAuthenticator(code: \"1\") }"),
    ("renewRecoveryCodes", "mutation { renewRecoveryCodes(code: \"1\") }"),
    ("removeSecondFactor", "mutation { removeSecondFactor(code: \"1\") { since } }"),
    ("resetSecondFactor", "mutation ($id: ID!) { resetSecondFactor(user: $id) }"),
    ("tenants", "{ tenants { id slug name } }"),
    (
        "devices",
        "{ devices { edges { cursor node { id } } nodes { id name template connected } totalCount } }",
    ),
    (
        "device twin",
        "query ($device: ID!) { device(id: $device) { lastSeenAt messageCount setAsideCount quarantine readings { path value unit modeled } setAside { reason } } }",
    ),
    (
        "device.messages",
        "query ($device: ID!) { device(id: $device) { messages { sequence receivedAt topic size payload } } }",
    ),
    ("device.patient", "query ($device: ID!) { device(id: $device) { patient { id } } }"),
    ("patients", "{ patients { nodes { id ward bed birthYear } totalCount } }"),
    ("patient.name", "query ($patient: ID!) { patient(id: $patient) { name mrn } }"),
    (
        "patient.vitals",
        "query ($patient: ID!) { patient(id: $patient) { vitals { sign value } news2 { score } } }",
    ),
    ("patient.devices", "query ($patient: ID!) { patient(id: $patient) { devices { id } } }"),
    ("patient.openAlarms", "query ($patient: ID!) { patient(id: $patient) { openAlarms { id } } }"),
    (
        "patient.trend",
        "query ($patient: ID!) { patient(id: $patient) { trend(sign: HEART_RATE) { value } } }",
    ),
    ("alarms", "{ alarms { nodes { id state } totalCount } }"),
    ("alarm.note", "query ($alarm: ID!) { alarm(id: $alarm) { acknowledgedBy note } }"),
    ("alarm.device", "query ($alarm: ID!) { alarm(id: $alarm) { device { id } } }"),
    ("alarm.patient", "query ($alarm: ID!) { alarm(id: $alarm) { patient { name } } }"),
    ("alarm.rule", "query ($alarm: ID!) { alarm(id: $alarm) { rule { name } } }"),
    ("rules", "{ rules { id name version } }"),
    (
        "auditLog",
        "{ auditLog { nodes { at actor actorName action subject outcome detail channel address correlationId } totalCount } }",
    ),
    (
        "patientAccessReport",
        "query ($patient: ID!) { patientAccessReport(patient: $patient) { nodes { at name roles kind reason refused } totalCount } }",
    ),
    ("openRecords", "{ openRecords { id until patient { name } } }"),
    ("recordOpenings", "{ recordOpenings { nodes { id userName reason review { note } } totalCount } }"),
    ("unreviewedOpenings", "{ unreviewedOpenings }"),
    (
        "openRecord",
        "mutation { openRecord(input: { patient: \"nobody\", reason: \"an emergency\", minutes: 5, code: \"0\" }) { id } }",
    ),
    ("closeRecord", "mutation ($id: ID!) { closeRecord(id: $id) { id } }"),
    ("reviewOpening", "mutation ($id: ID!) { reviewOpening(id: $id, note: \"right\") { id } }"),
    ("acknowledgeAlarm", "mutation ($alarm: ID!) { acknowledgeAlarm(input: { id: $alarm }) { state } }"),
    ("saveRule", "mutation ($rule: SaveRuleInput!) { saveRule(input: $rule) { version } }"),
    ("releaseDevice", "mutation ($device: ID!) { releaseDevice(id: $device) { id } }"),
    (
        "createTenant",
        "mutation ($tenant: CreateTenantInput!) { createTenant(input: $tenant) { created invitationToken tenant { slug } } }",
    ),
    ("suspendTenant", "mutation ($id: ID!) { suspendTenant(id: $id, reason: \"unpaid\") { suspendedSince } }"),
    ("resumeTenant", "mutation ($id: ID!) { resumeTenant(id: $id) { suspendedSince } }"),
    ("apiTokens", "{ apiTokens { id name prefix role lastUsedAt } }"),
    ("apiTokens of others", "query ($id: ID!) { apiTokens(user: $id) { id } }"),
    (
        "createApiToken",
        "mutation ($token: CreateApiTokenInput!) { createApiToken(input: $token) { secret } }",
    ),
    ("revokeApiToken", "mutation ($id: ID!) { revokeApiToken(id: $id) }"),
    ("orgUnits", "{ orgUnits { id name kind parentId } }"),
    ("users", "{ users { id email displayName secondFactorSince roles { role } } }"),
    ("roleNames", "{ roleNames }"),
    ("roles", "{ roles { name title builtIn version holders policies { object action rows hiddenColumns } } }"),
    ("policyObjects", "{ policyObjects { name actions testableColumns { name } hideableColumns } }"),
    (
        "effectiveAccess",
        "query ($device: ID!, $id: ID!) { effectiveAccess(user: $id, row: DEVICE, id: $device) { actions { allowed } } }",
    ),
    ("previewRole", "query ($newRole: SaveRoleInput!) { previewRole(input: $newRole) { people } }"),
    ("saveRole", "mutation ($newRole: SaveRoleInput!) { saveRole(input: $newRole) { version } }"),
    ("deleteRole", "mutation { deleteRole(name: \"no-such-role\") }"),
    ("saveOrgUnit", "mutation ($unit: SaveOrgUnitInput!) { saveOrgUnit(input: $unit) { name } }"),
    ("removeOrgUnit", "mutation ($id: ID!) { removeOrgUnit(id: $id) }"),
    (
        "inviteUser",
        "mutation ($invite: InviteUserInput!) { inviteUser(input: $invite) { email invitationToken } }",
    ),
    ("grantRole", "mutation ($role: RoleInput!) { grantRole(input: $role) { id } }"),
    ("placeDevice", "mutation ($device: ID!, $id: ID!) { placeDevice(id: $device, unit: $id) { id } }"),
    ("placePatient", "mutation ($place: PlacePatientInput!) { placePatient(input: $place) { id } }"),
    ("setCareTeam", "mutation ($patient: ID!) { setCareTeam(patient: $patient, users: []) { id } }"),
    ("subscribe vitals", "subscription { vitals { patientId } }"),
    ("subscribe alarms", "subscription { alarms { id } }"),
];

/// The id of nothing: what may be done with it is refused, but not as forbidden.
const NOWHERE: &str = "00000000-0000-0000-0000-00000000dead";

fn variables(hospital: &Hospital, alarm: &str) -> Value {
    json!({ "device": MONITOR, "patient": hospital.patient.to_string(), "alarm": alarm,
        "id": NOWHERE, "unit": { "name": "X", "kind": "WARD", "parentId": NOWHERE },
        "token": { "name": "export", "role": "nurse", "unit": NOWHERE },
        "invite": { "email": "x@y", "role": "nurse", "unit": NOWHERE },
        "role": { "user": NOWHERE, "role": "nurse", "unit": NOWHERE },
        "newRole": { "name": "new-role", "title": "New", "policies": [
            { "object": "device", "action": "read", "rows": "all", "hiddenColumns": [] }] },
        "place": { "id": hospital.patient.to_string(), "unit": NOWHERE },
        "tenant": { "slug": "new", "name": "New", "adminEmail": "ada@new.example" }, "rule": {
        "name": "Tachycardia", "path": "heartRate", "raiseWhen": "ABOVE", "raiseValue": 130, "holdSeconds": 10,
        "clearWhen": "BELOW", "clearValue": 120, "clearHoldSeconds": 10, "unit": "/min", "priority": "MEDIUM",
        "enabled": true } })
}

async fn ask(hospital: &Hospital, caller: Option<Caller>, document: &str, variables: &Value) -> Value {
    // Only what a document declares may be given.
    let given =
        variables.as_object().unwrap().iter().filter(|(name, _)| document.contains(&format!("${name}:")));
    let variables = Value::Object(given.map(|(name, value)| (name.clone(), value.clone())).collect());
    if document.starts_with("subscription") {
        hospital.follow(caller, document, variables).next().await
    } else {
        hospital.answer(caller, document, variables).await
    }
}

/// Whether the column that is asked for, and that has a value, came back empty.
fn masked(answer: &Value) -> bool {
    ["/data/patient/name", "/data/alarm/note"].iter().any(|at| answer.pointer(at).is_some_and(Value::is_null))
}

#[tokio::test]
async fn the_role_and_field_matrix() {
    let hospital = Hospital::open().await;
    let alarm = hospital.raise_alarm().await;
    let acknowledge =
        "mutation ($id: ID!) { acknowledgeAlarm(input: { id: $id, note: \"Ada again\" }) { note } }";
    hospital.data(Role::Nurse, acknowledge, json!({ "id": alarm })).await;
    let variables = variables(&hospital, &alarm);

    let mut table = format!("{:20}", "");
    for &role in ROLES {
        write!(table, "{:13}", role.as_str()).unwrap();
    }
    for (name, document) in QUESTIONS {
        write!(table, "\n{name:20}").unwrap();
        for &role in ROLES {
            let answer = ask(&hospital, Some(hospital.caller(role)), document, &variables).await;
            let shown = match code(&answer) {
                Some(code) => code.to_lowercase(),
                None if masked(&answer) => "masked".to_owned(),
                None => "yes".to_owned(),
            };
            write!(table, "{shown:13}").unwrap();
        }
    }
    let lines: Vec<_> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn without_a_caller_or_as_a_device_there_is_nothing() {
    let hospital = Hospital::open().await;
    let variables = variables(&hospital, "00000000-0000-0000-0000-000000000000");
    let device = Principal::Device(DeviceId::parse(MONITOR).unwrap());
    let device = Caller { principal: device, ..hospital.caller(Role::Nurse) };
    for (name, document) in QUESTIONS {
        let answer = ask(&hospital, None, document, &variables).await;
        assert_eq!(code(&answer).as_deref(), Some("UNAUTHENTICATED"), "{name}: {answer:#}");
        let answer = ask(&hospital, Some(device.clone()), document, &variables).await;
        assert_eq!(code(&answer).as_deref(), Some("FORBIDDEN"), "{name}: {answer:#}");
    }
}

#[tokio::test]
async fn another_hospital_is_as_if_it_were_not_there() {
    let hospital = Hospital::open().await;
    let alarm = hospital.raise_alarm().await;
    let variables = variables(&hospital, &alarm);
    let stranger = hospital.stranger();
    assert_ne!(stranger.tenant, TenantId::PLATFORM);
    for (name, document) in QUESTIONS {
        if document.starts_with("subscription") || name == "saveRule" || name == "viewer" {
            continue;
        }
        let text = ask(&hospital, Some(stranger.clone()), document, &variables).await["data"].to_string();
        for known in [MONITOR, "3 East", "Low oxygen", alarm.as_str(), &hospital.patient.to_string()] {
            assert!(!text.contains(known), "{name}: {text}");
        }
    }
    let waveform = "subscription ($patient: ID!) { waveform(patient: $patient) { channel } }";
    let vitals = "subscription ($patient: ID!) { vitals(patients: [$patient]) { patientId } }";
    for document in [waveform, vitals] {
        let mut following = hospital.follow(
            Some(stranger.clone()),
            document,
            json!({ "patient": hospital.patient.to_string() }),
        );
        assert_eq!(code(&following.next().await).as_deref(), Some("NOT_FOUND"), "{document}");
        assert!(following.ends().await);
    }
}
