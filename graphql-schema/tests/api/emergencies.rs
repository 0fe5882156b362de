//! Records that are opened in an emergency.

use std::time::Duration;

use serde_json::{Value, json};
use tenants::{access::Role, audit::Outcome};

use crate::{
    answers::code,
    hospital::{Hospital, MONITOR},
    second_factor::CODE,
};

const OPEN: &str = "mutation ($input: OpenRecordInput!) { openRecord(input: $input) {
    id userName patientId reason until patient { name } review { note } } }";
const CLOSE: &str = "mutation ($id: ID!) { closeRecord(id: $id) { until } }";
const MINE: &str = "{ openRecords { id patient { name mrn } until } }";
const REVIEW: &str = "mutation ($id: ID!, $note: String!) { reviewOpening(id: $id, note: $note) { review { byName note at } } }";
const ALL: &str = "query ($reviewed: Boolean) { unreviewedOpenings recordOpenings(reviewed: $reviewed) {
    nodes { id userName patientId reason review { byName note } } totalCount } }";
const REASON: &str = "brought in unconscious,\nno family";

fn emergency(patient: &str) -> Value {
    json!({ "input": { "patient": patient, "reason": REASON, "minutes": 30, "code": CODE } })
}

impl Hospital {
    /// The patient's record is kept to a care team that has nobody in it, and the clinician works in another ward.
    async fn keep_the_record_from_the_clinician(&self) {
        let units = self.data(Role::Admin, "{ orgUnits { id name } }", json!({})).await["orgUnits"].take();
        let (hospital, ward) = (units[0]["id"].clone(), units[1]["id"].clone());
        let place = "mutation ($input: PlacePatientInput!) { placePatient(input: $input) { restricted } }";
        let input = json!({ "input": { "id": self.patient.to_string(), "unit": ward, "restricted": true } });
        assert_eq!(self.data(Role::Admin, place, input).await["placePatient"]["restricted"], true);
        let unit = "mutation ($input: SaveOrgUnitInput!) { saveOrgUnit(input: $input) { id } }";
        let input = json!({ "input": { "name": "5 North", "kind": "WARD", "parentId": hospital } });
        let other = self.data(Role::Admin, unit, input).await["saveOrgUnit"]["id"].take();
        self.clinician_is("clinician", &other).await;
        let revoke = "mutation ($input: RoleInput!) { revokeRole(input: $input) { id } }";
        let user = self.user_of(Role::Clinician);
        let held = json!({ "input": { "user": user, "role": "clinician", "unit": hospital } });
        self.data(Role::Admin, revoke, held).await;
    }

    async fn clinician_is(&self, role: &str, unit: &Value) {
        let grant = "mutation ($input: RoleInput!) { grantRole(input: $input) { id } }";
        let user = self.user_of(Role::Clinician);
        self.data(Role::Admin, grant, json!({ "input": { "user": user, "role": role, "unit": unit } })).await;
    }

    async fn open_record(&self) -> Value {
        self.data(Role::Clinician, OPEN, emergency("MRN-12")).await["openRecord"].take()
    }

    /// How many rows each way to the patient shows the clinician.
    async fn shown(&self, alarm: &str) -> [usize; 7] {
        let all = "query ($patient: ID!, $device: ID!, $alarm: ID!) {
            patients { nodes { id } } devices { nodes { id } } alarms { nodes { id } }
            patient(id: $patient) { vitals { sign } openAlarms { id } devices { id } trend(sign: HEART_RATE) { at } }
            device(id: $device) { messages { sequence } patient { name } } alarm(id: $alarm) { patient { name } } }";
        let of = json!({ "patient": self.patient.to_string(), "device": MONITOR, "alarm": alarm });
        let found = self.data(Role::Clinician, all, of).await;
        let count = |at: &str| found.pointer(at).and_then(Value::as_array).map_or(0, Vec::len);
        let ways = ["/patients/nodes", "/devices/nodes", "/alarms/nodes"].map(count);
        let [patients, devices, alarms] = ways;
        let named = |at: &str| usize::from(found.pointer(at).is_some_and(Value::is_string));
        let below = ["vitals", "openAlarms", "devices", "trend"];
        let below = below.iter().filter(|field| count(&format!("/patient/{field}")) > 0).count();
        let by_device = named("/device/patient/name");
        [patients, devices, alarms, below, count("/device/messages"), by_device, named("/alarm/patient/name")]
    }
}

#[tokio::test]
async fn a_record_that_is_opened_is_seen_on_every_way_and_no_longer_than_it_is_open() {
    let hospital = Hospital::open().await;
    let alarm = hospital.raise_alarm().await;
    hospital.keep_the_record_from_the_clinician().await;
    // A device of nobody belongs to its ward.
    assert_eq!(hospital.shown(&alarm).await, [0; 7]);
    assert_eq!(hospital.data(Role::Clinician, MINE, json!({})).await["openRecords"], json!([]));

    let opened = hospital.open_record().await;
    assert_eq!(
        (&opened["patient"]["name"], &opened["reason"], &opened["userName"], &opened["review"]),
        (&json!("Ada of 12"), &json!(REASON), &json!("A clinician"), &Value::Null)
    );
    assert_eq!(hospital.shown(&alarm).await, [1, 1, 1, 4, 1, 1, 1]);
    let acknowledge = "mutation ($id: ID!) { acknowledgeAlarm(input: { id: $id }) { state } }";
    hospital.data(Role::Clinician, acknowledge, json!({ "id": alarm })).await;
    let mine = hospital.data(Role::Clinician, MINE, json!({})).await["openRecords"].take();
    assert_eq!((&mine[0]["id"], &mine[0]["patient"]["mrn"]), (&opened["id"], &json!("MRN-12")));
    // Nobody else's rows have become more.
    let list = "{ patients { nodes { id } } }";
    assert_eq!(hospital.data(Role::Nurse, list, json!({})).await["patients"]["nodes"], json!([]));

    let entries = hospital.trail_entries().await;
    let by = hospital.caller(Role::Clinician).actor();
    let id = opened["id"].as_str().unwrap();
    let read: Vec<_> = entries
        .iter()
        .filter(|entry| {
            entry.actor == by && entry.action.ends_with(".read") && entry.outcome == Outcome::Success
        })
        .collect();
    for kind in ["patient", "vitals", "trend", "alarm", "device", "message"] {
        let of_kind = read.iter().find(|entry| entry.action == format!("{kind}.read"));
        let entry = of_kind.unwrap_or_else(|| panic!("{kind} is not told of"));
        assert_eq!((entry.detail.as_str(), entry.facts["opening"].as_str()), (REASON, id), "{kind}");
    }
    let opening = entries.iter().find(|entry| entry.action == "record.open").unwrap();
    assert_eq!(
        (opening.detail.as_str(), &opening.subject),
        (REASON, &format!("patient:{}", hospital.patient))
    );

    hospital.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(hospital.shown(&alarm).await, [0; 7], "it ends by itself");
    let before = hospital.trail_entries().await.len();
    let one = "query ($id: ID!) { patient(id: $id) { id } }";
    let patient = json!({ "id": hospital.patient.to_string() });
    assert!(hospital.data(Role::Clinician, one, patient).await["patient"].is_null());
    let refused = hospital.trail_entries().await.pop().unwrap();
    assert!(hospital.trail_entries().await.len() >= before);
    assert_eq!((refused.outcome, refused.detail.as_str()), (Outcome::Denied, ""));
}

#[tokio::test]
async fn open_streams_end_with_the_record() {
    let hospital = Hospital::open().await;
    hospital.raise_alarm().await;
    hospital.keep_the_record_from_the_clinician().await;
    let of = json!({ "id": hospital.patient.to_string() });
    let curve = "subscription ($id: ID!) { waveform(patient: $id) { channel } }";
    let vitals = "subscription ($id: ID!) { vitals(patients: [$id]) { patientId } }";
    let alarms = "subscription { alarms { patient { name } } }";
    let clinician = || Some(hospital.caller(Role::Clinician));
    let refused = hospital.follow(clinician(), curve, of.clone()).next().await;
    assert_eq!(code(&refused).as_deref(), Some("NOT_FOUND"));

    for by_hand in [true, false] {
        let id = hospital.open_record().await["id"].take();
        let mut curves = hospital.follow(clinician(), curve, of.clone());
        let mut followed = hospital.follow(clinician(), vitals, of.clone());
        let mut raised = hospital.follow(clinician(), alarms, json!({}));
        assert_eq!(followed.next().await["data"]["vitals"]["patientId"], of["id"]);
        assert_eq!(raised.next().await["data"]["alarms"]["patient"]["name"], "Ada of 12");
        let ended = tokio::spawn(async move { curves.next().await });
        tokio::task::yield_now().await;
        if by_hand {
            hospital.data(Role::Clinician, CLOSE, json!({ "id": id })).await;
        } else {
            hospital.clock.advance(Duration::from_secs(30 * 60));
            hospital.look_at_rights().await;
        }
        assert_eq!(code(&ended.await.unwrap()).as_deref(), Some("NOT_FOUND"), "by hand: {by_hand}");
        hospital.clock.advance(Duration::from_secs(1));
        hospital.send(MONITOR, json!({ "spo2": 97, "heartRate": 61 })).await;
        hospital.clock.advance(Duration::from_secs(1));
        hospital.send(MONITOR, json!({ "spo2": 80, "heartRate": 62 })).await;
        let silent = Duration::from_millis(500);
        assert!(tokio::time::timeout(silent, followed.next()).await.is_err(), "vitals, by hand: {by_hand}");
        assert!(tokio::time::timeout(silent, raised.next()).await.is_err(), "alarms, by hand: {by_hand}");
    }
}

#[tokio::test]
async fn who_may_not_open_a_record_is_told_why() {
    let hospital = Hospital::open().await;
    let with = |field: &str, value: Value| {
        let mut input = emergency("MRN-12");
        input["input"][field] = value;
        input
    };
    let ask = async |input: Value| hospital.refusal(Role::Clinician, OPEN, input).await;
    assert_eq!(ask(emergency("MRN-12")).await, "CONFLICT", "it is theirs to see");
    hospital.keep_the_record_from_the_clinician().await;
    assert_eq!(ask(with("code", json!("000000"))).await, "BAD_INPUT");
    for (field, wrong) in [
        ("reason", json!("urgent")),
        ("reason", json!("x".repeat(501))),
        ("minutes", json!(0)),
        ("minutes", json!(61)),
    ] {
        assert_eq!(ask(with(field, wrong.clone())).await, "BAD_INPUT", "{field}: {wrong}");
    }
    for nobody in ["MRN-1", "mrn-12", "MRN-%", "Ada of 12", ""] {
        assert_eq!(ask(emergency(nobody)).await, "NOT_FOUND", "{nobody}");
    }
    // Without the second factor nobody learns whether there is such a patient.
    let mut guess = emergency("MRN-1");
    guess["input"]["code"] = json!("000000");
    assert_eq!(ask(guess).await, "BAD_INPUT");
    for role in [Role::Nurse, Role::Admin, Role::Auditor, Role::Technician, Role::Operator] {
        assert_eq!(hospital.refusal(role, OPEN, emergency("MRN-12")).await, "FORBIDDEN", "{role}");
    }
    let stranger = hospital.answer(Some(hospital.stranger()), OPEN, emergency("MRN-12")).await;
    assert_eq!(code(&stranger).as_deref(), Some("FORBIDDEN"));
    let denied = hospital.trail_entries().await.into_iter();
    let denied: Vec<_> = denied
        .filter(|entry| entry.action == "record.open")
        .map(|entry| (entry.outcome, entry.detail))
        .collect();
    assert!(denied.iter().all(|(outcome, _)| *outcome == Outcome::Denied));
    let codes: Vec<_> = denied.iter().map(|(_, detail)| detail.as_str()).collect();
    assert_eq!(
        codes,
        [
            "CONFLICT",
            "BAD_INPUT",
            "NOT_FOUND",
            "NOT_FOUND",
            "NOT_FOUND",
            "NOT_FOUND",
            "NOT_FOUND",
            "BAD_INPUT"
        ]
    );
    assert_eq!(hospital.data(Role::Auditor, ALL, json!({})).await["unreviewedOpenings"], 0);
}

#[tokio::test]
async fn a_role_that_sees_no_emergency_opens_none() {
    let hospital = Hospital::open().await;
    let units = hospital.data(Role::Admin, "{ orgUnits { id } }", json!({})).await["orgUnits"].take();
    let save = "mutation ($input: SaveRoleInput!) { saveRole(input: $input) { version } }";
    let policy = |action: &str, rows: &str| json!({ "object": "patient", "action": action, "rows": rows, "hiddenColumns": [] });
    let policies = [policy("break_glass", "all"), policy("read", "not patient.restricted")];
    let role = json!({ "input": { "name": "registrar", "title": "Registrar", "policies": policies } });
    hospital.data(Role::Admin, save, role).await;
    let grant = "mutation ($input: RoleInput!) { grantRole(input: $input) { id } }";
    let held =
        json!({ "user": hospital.user_of(Role::Technician), "role": "registrar", "unit": units[0]["id"] });
    hospital.data(Role::Admin, grant, json!({ "input": held })).await;
    let answer = hospital.answer(Some(hospital.caller(Role::Technician)), OPEN, emergency("MRN-12")).await;
    assert_eq!(code(&answer).as_deref(), Some("FORBIDDEN"));
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("user.break_glass"), "{answer}");
}

#[tokio::test]
async fn an_opening_is_closed_by_whoever_opened_it_and_reviewed_by_somebody_else() {
    let hospital = Hospital::open().await;
    hospital.keep_the_record_from_the_clinician().await;
    let first = hospital.open_record().await["id"].take();
    // A longer emergency is opened again, with a reason and a code of its own.
    let second = hospital.open_record().await["id"].take();
    assert_ne!(first, second);
    let todo = hospital.data(Role::Auditor, ALL, json!({ "reviewed": false })).await;
    assert_eq!((&todo["unreviewedOpenings"], &todo["recordOpenings"]["totalCount"]), (&json!(2), &json!(2)));
    assert_eq!(todo["recordOpenings"]["nodes"][1]["userName"], "A clinician");
    assert_eq!(hospital.refusal(Role::Clinician, ALL, json!({})).await, "FORBIDDEN");

    hospital.data(Role::Clinician, CLOSE, json!({ "id": first })).await;
    assert_eq!(hospital.refusal(Role::Clinician, CLOSE, json!({ "id": first })).await, "NOT_FOUND");
    let list = "{ patients { totalCount } }";
    assert_eq!(hospital.data(Role::Clinician, list, json!({})).await["patients"]["totalCount"], 1);
    hospital.data(Role::Clinician, CLOSE, json!({ "id": second })).await;
    assert_eq!(hospital.data(Role::Clinician, list, json!({})).await["patients"]["totalCount"], 0);

    let units = hospital.data(Role::Admin, "{ orgUnits { id } }", json!({})).await["orgUnits"].take();
    hospital.clinician_is("auditor", &units[0]["id"]).await;
    let review = |note: &str| json!({ "id": first, "note": note });
    assert_eq!(hospital.refusal(Role::Clinician, REVIEW, review("fine")).await, "CONFLICT", "their own");
    assert_eq!(hospital.refusal(Role::Nurse, REVIEW, review("fine")).await, "FORBIDDEN");
    assert_eq!(hospital.refusal(Role::Auditor, REVIEW, review(" ")).await, "BAD_INPUT");
    let done = hospital.data(Role::Auditor, REVIEW, review(" it was right ")).await["reviewOpening"].take();
    assert_eq!(
        (&done["review"]["note"], &done["review"]["byName"]),
        (&json!("it was right"), &json!("A auditor"))
    );
    assert_eq!(hospital.refusal(Role::Admin, REVIEW, review("again")).await, "CONFLICT");
    let todo = hospital.data(Role::Admin, ALL, json!({ "reviewed": false })).await;
    assert_eq!((&todo["unreviewedOpenings"], &todo["recordOpenings"]["totalCount"]), (&json!(1), &json!(1)));
    let seen = hospital.data(Role::Admin, ALL, json!({ "reviewed": true })).await["recordOpenings"].take();
    assert_eq!((&seen["nodes"][0]["id"], &seen["nodes"][0]["reason"]), (&first, &json!(REASON)));

    let report = "query ($of: ID!) { patientAccessReport(patient: $of) { nodes { kind name reason } } }";
    let of = json!({ "of": hospital.patient.to_string() });
    let told = hospital.data(Role::Auditor, report, of).await["patientAccessReport"]["nodes"].take();
    let of_kind = |kind: &str| told.as_array().unwrap().iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((of_kind("EMERGENCY"), of_kind("EMERGENCY_REVIEW")), (4, 1), "{told:#}");
}
