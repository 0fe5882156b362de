//! Who saw which patient is written down before it is shown.

use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use storage::Database;
use tenants::{
    PatientId, StoreError,
    access::{Role, Scope},
    audit::{AuditEntry, AuditFilter, Outcome},
    clock::Stopwatch,
    paging::{Page, PageRequest},
    stores::AuditTrail,
};
use uuid::Uuid;

use crate::{
    answers::code,
    hospital::{Hospital, MONITOR, SPARE},
};

/// A trail that can be broken.
pub(crate) struct Trail(pub(crate) Database, pub(crate) AtomicBool);

impl Trail {
    fn works(&self) -> Result<&Database, StoreError> {
        if self.1.load(SeqCst) {
            Err(StoreError::Unavailable("broken on purpose".into()))
        } else {
            Ok(&self.0)
        }
    }
}

#[async_trait]
impl AuditTrail for Trail {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        self.works()?.append(entries).await
    }
    async fn append_once(&self, entries: &[(Uuid, AuditEntry)]) -> Result<(), StoreError> {
        self.works()?.append_once(entries).await
    }
    async fn page(
        &self,
        scope: &Scope,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>, StoreError> {
        AuditTrail::page(self.works()?, scope, filter, page).await
    }
}

/// After them a read is another entry.
const MINUTES: Duration = Duration::from_secs(300);
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// What the trail has of reads, oldest first, without those of the trail itself.
async fn noted(hospital: &Hospital) -> Vec<AuditEntry> {
    let entries = hospital.trail_entries().await.into_iter();
    entries.filter(|entry| entry.action.ends_with(".read")).collect()
}

fn lines(entries: &[AuditEntry]) -> Vec<String> {
    entries.iter().map(|entry| format!("{} {}", entry.action, entry.subject)).collect()
}

#[tokio::test]
async fn whatever_shows_a_patient_leaves_a_row() {
    let hospital = Hospital::open().await;
    hospital.send(MONITOR, json!({ "heartRate": 72 })).await;
    hospital.send(MONITOR, json!({ "heartRate": "not a number" })).await;
    hospital.send(SPARE, json!({ "heartRate": 72 })).await;
    let patient = hospital.patient.to_string();
    for (document, kinds) in [
        ("{ viewer { id } rules { id } devices { nodes { id name } } }", &[][..]),
        ("{ patients { nodes { id } } }", &["patient"]),
        ("{ patients { totalCount } }", &["patient"]),
        ("{ patients(search: \"nobody\") { totalCount } }", &[]),
        ("query ($of: ID!) { patient(id: $of) { vitals { value } } }", &["patient", "vitals"]),
        ("query ($of: ID!) { patient(id: $of) { news2 { score } } }", &["patient", "vitals"]),
        ("query ($of: ID!) { patient(id: $of) { devices { id } } }", &["patient", "device"]),
        ("query ($of: ID!) { patient(id: $of) { openAlarms { id } } }", &["patient"]),
        (
            "query ($of: ID!) { patient(id: $of) { trend(sign: HEART_RATE) { value } } }",
            &["patient", "device", "trend"],
        ),
        ("query ($by: ID!) { device(id: $by) { patient { ward } } }", &["patient"]),
        ("query ($by: ID!) { device(id: $by) { readings { value } } }", &["device"]),
        ("query ($by: ID!) { device(id: $by) { lastSeenAt messageCount connected } }", &[]),
        ("query ($by: ID!) { device(id: $by) { messages { payload } } }", &["message"]),
        ("query ($by: ID!) { device(id: $by) { setAside { excerpt } } }", &["message"]),
    ] {
        hospital.clock.advance(MINUTES);
        let before = noted(&hospital).await.len();
        let mut variables = json!({});
        if document.contains("$of") {
            variables["of"] = json!(patient);
        } else if document.contains("$by") {
            variables["by"] = json!(MONITOR);
        }
        hospital.data(Role::Nurse, document, variables).await;
        let entries = noted(&hospital).await.split_off(before);
        let mut found = lines(&entries);
        let mut expected: Vec<_> =
            kinds.iter().map(|kind| format!("{kind}.read patient:{patient}")).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{document}");
        for entry in entries {
            let by = hospital.caller(Role::Nurse).actor();
            assert_eq!((entry.actor, entry.actor_name.as_str()), (by, "A nurse"));
            assert_eq!((entry.outcome, entry.policy.as_deref()), (Outcome::Success, Some("nurse")));
        }
    }
    let alarm = hospital.raise_alarm().await;
    for document in ["{ alarms { nodes { id } } }", "query ($id: ID!) { alarm(id: $id) { state } }"] {
        hospital.clock.advance(MINUTES);
        let before = noted(&hospital).await.len();
        let variables = if document.contains("$id") { json!({ "id": alarm }) } else { json!({}) };
        hospital.data(Role::Technician, document, variables).await;
        assert_eq!(lines(&noted(&hospital).await[before..]), [format!("alarm.read patient:{patient}")]);
    }
    hospital.clock.advance(MINUTES);
    let before = noted(&hospital).await.len();
    let change = "mutation ($id: ID!) { acknowledgeAlarm(input: { id: $id }) { patient { name } } }";
    hospital.data(Role::Nurse, change, json!({ "id": alarm })).await;
    let change = "mutation ($id: ID!) { setCareTeam(patient: $id, users: []) { name } }";
    hospital.data(Role::Admin, change, json!({ "id": patient })).await;
    let mut found = lines(&noted(&hospital).await[before..]);
    found.sort();
    let kinds = ["alarm", "patient", "patient"];
    assert_eq!(found, kinds.map(|kind| format!("{kind}.read patient:{patient}")));
}

#[tokio::test]
async fn what_nobody_was_measured_by_is_nobodys() {
    let hospital = Hospital::open().await;
    hospital.send(SPARE, json!({ "heartRate": 72 })).await;
    let all = "query ($by: ID!) { device(id: $by) { readings { value } messages { payload } } }";
    hospital.data(Role::Technician, all, json!({ "by": SPARE })).await;
    hospital.data(Role::Technician, "{ devices { nodes { readings { value } } } }", json!({})).await;
    assert_eq!(noted(&hospital).await, []);
    // Of devices without their patient nobody is refused anything.
    let messages = "query ($by: ID!) { device(id: $by) { messages { payload } } }";
    hospital.send(MONITOR, json!({ "heartRate": 72 })).await;
    hospital.data(Role::Technician, messages, json!({ "by": MONITOR })).await;
    assert_eq!(lines(&noted(&hospital).await), [format!("message.read patient:{}", hospital.patient)]);
}

#[tokio::test]
async fn the_same_within_five_minutes_is_one_entry() {
    let hospital = Hospital::open().await;
    let list = "{ patients { nodes { id } } }";
    let asking = (0..20).map(|_| hospital.data(Role::Nurse, list, json!({})));
    futures_util::future::join_all(asking).await;
    assert_eq!(noted(&hospital).await.len(), 1);
    hospital.data(Role::Clinician, list, json!({})).await;
    assert_eq!(noted(&hospital).await.len(), 2, "somebody else");
    hospital.clock.advance(MINUTES);
    hospital.data(Role::Nurse, list, json!({})).await;
    hospital.data(Role::Nurse, list, json!({})).await;
    assert_eq!(noted(&hospital).await.len(), 3, "later");
}

#[tokio::test]
async fn who_is_refused_a_patient_is_written_down() {
    let hospital = Hospital::open().await;
    let one = "query ($id: ID!) { patient(id: $id) { id } }";
    let id = json!({ "id": hospital.patient.to_string() });
    assert_eq!(hospital.refusal(Role::Technician, one, id.clone()).await, "FORBIDDEN");
    assert!(hospital.data(Role::Nurse, one, json!({ "id": NOBODY })).await["patient"].is_null());
    assert_eq!(hospital.refusal(Role::Auditor, "{ patients { totalCount } }", json!({})).await, "FORBIDDEN");
    let curve = "subscription ($id: ID!) { waveform(patient: $id) { channel } }";
    let vitals = "subscription ($id: ID!) { vitals(patients: [$id]) { patientId } }";
    for (role, document, id, refused) in [
        (Role::Technician, curve, hospital.patient.to_string(), "FORBIDDEN"),
        (Role::Nurse, vitals, NOBODY.to_owned(), "NOT_FOUND"),
        (Role::Auditor, "subscription { alarms { id } }", String::new(), "FORBIDDEN"),
    ] {
        let variables = if document.contains("$id") { json!({ "id": id }) } else { json!({}) };
        let answer = hospital.follow(Some(hospital.caller(role)), document, variables).next().await;
        assert_eq!(code(&answer).as_deref(), Some(refused), "{answer}");
    }
    let entries = noted(&hospital).await;
    assert!(entries.iter().all(|entry| entry.outcome == Outcome::Denied && entry.policy.is_none()));
    let mut found = lines(&entries);
    found.sort();
    let mut expected = vec![
        format!("patient.read patient:{}", hospital.patient),
        format!("patient.read patient:{NOBODY}"),
        "patient.read patients".to_owned(),
        format!("waveform.read patient:{}", hospital.patient),
        format!("vitals.read patient:{NOBODY}"),
        "alarm.read patients".to_owned(),
    ];
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_subscription_names_each_patient_once_an_hour() {
    let hospital = Hospital::open().await;
    hospital.send(MONITOR, json!({ "heartRate": 60 })).await;
    let vitals = "subscription { vitals { patientId } }";
    let mut following = hospital.follow(Some(hospital.caller(Role::Nurse)), vitals, json!({}));
    following.next().await;
    let mut expected = vec![format!("vitals.read patient:{}", hospital.patient)];
    assert_eq!(lines(&noted(&hospital).await), expected, "before the first change is shown");
    hospital.clock.advance(MINUTES);
    hospital.send(MONITOR, json!({ "heartRate": 70 })).await;
    following.next().await;
    assert_eq!(lines(&noted(&hospital).await), expected);
    hospital.clock.advance(Duration::from_secs(3_600));
    hospital.send(MONITOR, json!({ "heartRate": 80 })).await;
    following.next().await;
    expected.extend_from_within(..);
    assert_eq!(lines(&noted(&hospital).await), expected);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_shown() {
    let hospital = Hospital::open().await;
    let list = "{ patients { nodes { name } } }";
    let vitals = "subscription { vitals { patientId } }";
    hospital.trail.1.store(true, SeqCst);
    for _ in 0..2 {
        let answer = hospital.answer(Some(hospital.caller(Role::Nurse)), list, json!({})).await;
        assert_eq!(
            (code(&answer).as_deref(), &answer["data"]),
            (Some("UNAVAILABLE"), &Value::Null),
            "{answer}"
        );
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("cannot be written down"), "{message}");
    }
    let answer = hospital.follow(Some(hospital.caller(Role::Nurse)), vitals, json!({})).next().await;
    assert_eq!(code(&answer).as_deref(), Some("UNAVAILABLE"), "{answer}");
    hospital.data(Role::Nurse, "{ rules { id } }", json!({})).await;

    hospital.trail.1.store(false, SeqCst);
    hospital.data(Role::Nurse, list, json!({})).await;
    assert_eq!(noted(&hospital).await.len(), 1);
}

#[tokio::test]
async fn a_patient_is_told_who_saw_what_and_why() {
    let hospital = Hospital::open().await;
    let patient = hospital.patient.to_string();
    hospital.data(Role::Nurse, "{ patients { nodes { id } } }", json!({})).await;
    let one = "query ($of: ID!) { patient(id: $of) { id } }";
    hospital.clock.advance(MINUTES);
    hospital.refusal(Role::Technician, one, json!({ "of": patient })).await;
    let seen_at = hospital.now();
    hospital.clock.advance(MINUTES);
    let report = "query ($of: ID!, $first: Int, $after: String, $since: DateTime, $until: DateTime) {
        patientAccessReport(patient: $of, first: $first, after: $after, since: $since, until: $until) {
            nodes { name roles kind reason refused } totalCount pageInfo { hasNextPage endCursor } } }";
    let read = async |more: Value| {
        let mut variables = json!({ "of": patient });
        variables.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hospital.data(Role::Auditor, report, variables).await["patientAccessReport"].take()
    };
    // Reading it is written down before it is shown, so it is in the next one.
    read(json!({})).await;
    let whole = read(json!({})).await;
    let line = |who: &str, roles: Option<&str>, kind: &str, refused: bool| json!({ "name": who, "roles": roles, "kind": kind, "reason": "", "refused": refused });
    let expected = json!([
        line("A auditor", Some("auditor"), "ACCESS_REPORT", false),
        line("A technician", None, "IDENTITY", true),
        line("A nurse", Some("nurse"), "IDENTITY", false),
    ]);
    assert_eq!((&whole["nodes"], &whole["totalCount"]), (&expected, &json!(3)));

    let page = read(json!({ "first": 1 })).await;
    let next = read(json!({ "first": 2, "after": page["pageInfo"]["endCursor"] })).await;
    assert_eq!((&next["nodes"][0], &next["nodes"][1]), (&expected[1], &expected[2]));
    let at = |at: jiff::Timestamp| at.to_string();
    assert_eq!(read(json!({ "since": at(seen_at) })).await["totalCount"], 2);
    assert_eq!(read(json!({ "until": at(seen_at) })).await["totalCount"], 1);
    for (role, more, refused) in [
        (Role::Nurse, json!({}), "FORBIDDEN"),
        (Role::Auditor, json!({ "of": "x" }), "BAD_INPUT"),
        (Role::Auditor, json!({ "after": "x" }), "NOT_FOUND"),
        (Role::Auditor, json!({ "since": at(seen_at), "until": at(seen_at) }), "BAD_INPUT"),
    ] {
        let mut variables = json!({ "of": patient });
        variables.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(hospital.refusal(role, report, variables).await, refused);
    }
}

/// What the entries cost: a list of 50 patients, asked for over and over, each time five minutes later (every
/// answer waits for one commit of 50 new entries) and each time at the same time (it waits for nothing).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo nextest run -p graphql-schema --run-ignored only --no-capture lists_cost"]
async fn what_a_thousand_lists_cost() {
    const LISTS: u32 = 1_000;
    let hospital = Hospital::open().await;
    for bed in 100..149 {
        hospital.add_patient(PatientId::new(&hospital.clock), &bed.to_string()).await;
    }
    let list = "{ patients(first: 50) { nodes { id name ward bed } } }";
    for (what, step) in [("five minutes later", 300), ("at the same time", 0)] {
        let watch = Stopwatch::start();
        for _ in 0..LISTS {
            hospital.clock.advance(Duration::from_secs(step));
            hospital.data(Role::Nurse, list, json!({})).await;
        }
        eprintln!("{what}: {:?} a list", watch.elapsed() / LISTS);
    }
}
