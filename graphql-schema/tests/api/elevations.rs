//! Operators who act in a hospital for a while.

use std::time::Duration;

use serde_json::{Value, json};
use tenants::access::{Caller, Role};

use crate::{answers::code, hospital::Hospital};

const ASK: &str = "mutation ($input: RequestElevationInput!) { requestElevation(input: $input) {
    id standing operatorName role reason hours until } }";
const ANSWER: &str = "mutation ($id: ID!, $grant: Boolean!) { answerElevation(id: $id, grant: $grant) {
    standing answeredByName until } }";
const END: &str = "mutation ($id: ID!, $tenant: ID) { endElevation(id: $id, tenant: $tenant) { standing } }";
const ALL: &str = "{ waitingElevations elevations { nodes { id operatorName reason standing } totalCount } }";
const OWN: &str = "{ ownElevations { id tenantId standing } }";
const PATIENTS: &str = "{ patients { nodes { name } } }";
const REASON: &str = "Alarms of ward 3 are late";

impl Hospital {
    fn wish(&self, role: &str, reason: &str, hours: u32) -> Value {
        json!({ "input": { "tenant": self.tenant.to_string(), "role": role, "reason": reason, "hours": hours } })
    }

    async fn asked(&self, role: &str) -> Value {
        let asked =
            self.data(Role::Operator, ASK, self.wish(role, REASON, 2)).await["requestElevation"].take();
        assert_eq!(asked["standing"], "WAITING");
        asked["id"].clone()
    }

    async fn granted(&self, role: &str) -> Value {
        let id = self.asked(role).await;
        let answer = self.data(Role::Admin, ANSWER, json!({ "id": id, "grant": true })).await;
        assert_eq!(answer["answerElevation"]["standing"], "IN_FORCE");
        id
    }

    /// As the operator who acts here, if that is so.
    async fn acting(&self) -> Option<Caller> {
        self.access.acting(&self.caller(Role::Operator), self.tenant).await.ok()
    }

    async fn as_operator(&self, acting: &Caller, document: &str) -> Value {
        self.answer(Some(acting.clone()), document, json!({})).await
    }
}

#[tokio::test]
async fn an_operator_is_let_in_and_everything_says_so() {
    let hospital = Hospital::open().await;
    assert_eq!(
        hospital.refusal(Role::Operator, PATIENTS, json!({})).await,
        "FORBIDDEN",
        "no standing access"
    );
    assert!(hospital.acting().await.is_none());
    let id = hospital.asked("clinician").await;
    assert!(hospital.acting().await.is_none(), "asking lets nobody in");
    let seen = hospital.data(Role::Admin, ALL, json!({})).await;
    let row = json!({ "id": id, "operatorName": "A operator", "reason": REASON, "standing": "WAITING" });
    assert_eq!((&seen["waitingElevations"], &seen["elevations"]["nodes"]), (&json!(1), &json!([row])));

    let answer = hospital.data(Role::Admin, ANSWER, json!({ "id": id, "grant": true })).await;
    assert_eq!(answer["answerElevation"]["answeredByName"], "A admin");
    let acting = hospital.acting().await.unwrap();
    let viewer =
        "{ viewer { email displayName tenant { slug } permissions acting { reason grantedBy until } } }";
    let viewer = hospital.as_operator(&acting, viewer).await["data"]["viewer"].take();
    assert_eq!((&viewer["email"], &viewer["displayName"]), (&json!(""), &json!("A operator (operator)")));
    assert_eq!(
        (&viewer["acting"]["reason"], &viewer["acting"]["grantedBy"]),
        (&json!(REASON), &json!("A admin"))
    );
    let patients = hospital.as_operator(&acting, PATIENTS).await;
    assert_eq!(patients["data"]["patients"]["nodes"].as_array().unwrap().len(), 1, "{patients:#}");

    let entries = hospital.trail_entries().await;
    let actor = format!("operator:{}", hospital.user_of(Role::Operator));
    let read = entries.iter().find(|entry| entry.actor == actor && entry.action == "patient.read").unwrap();
    assert!(read.actor_name.contains("elevated by A admin") && read.actor_name.contains(REASON), "{read:?}");
    assert_eq!(read.facts["elevation"], id.as_str().unwrap());
    for (action, by) in
        [("elevation.request", &actor), ("elevation.grant", &hospital.caller(Role::Admin).actor())]
    {
        assert!(
            entries.iter().any(|entry| entry.action == action && &entry.actor == by),
            "{action}: {entries:#?}"
        );
    }
    let log =
        hospital.data(Role::Admin, "{ auditLog(first: 50) { nodes { actor actorName } } }", json!({})).await;
    assert!(log.to_string().contains("elevated by A admin because: Alarms of ward 3"), "{log:#}");
}

#[tokio::test]
async fn it_ends_by_itself_and_by_either_side_in_open_subscriptions_too() {
    let hospital = Hospital::open().await;
    let tenant = hospital.tenant.to_string();
    for how in ["time", "hospital", "operator"] {
        let id = hospital.granted("clinician").await;
        let acting = hospital.acting().await.unwrap();
        let subscription = "subscription { vitals { patientId } }";
        let mut open = hospital.follow(Some(acting.clone()), subscription, json!({}));
        let standing = match how {
            "time" => {
                hospital.clock.advance(Duration::from_secs(2 * 3600));
                let own = hospital.data(Role::Operator, OWN, json!({})).await;
                own["ownElevations"][0]["standing"].clone()
            }
            "hospital" => {
                hospital.data(Role::Admin, END, json!({ "id": id })).await["endElevation"]["standing"].take()
            }
            _ => {
                let own = json!({ "id": id, "tenant": tenant });
                hospital.data(Role::Operator, END, own).await["endElevation"]["standing"].take()
            }
        };
        assert_eq!(standing, "OVER", "{how}");
        hospital.look_at_rights().await;
        assert!(hospital.acting().await.is_none(), "{how}");
        assert_eq!(
            code(&hospital.as_operator(&acting, PATIENTS).await).as_deref(),
            Some("FORBIDDEN"),
            "{how}"
        );
        // What says that it is over may come first.
        while !open.ends().await {}
        assert_eq!(hospital.refusal(Role::Admin, END, json!({ "id": id })).await, "CONFLICT", "{how}");
    }
}

#[tokio::test]
async fn what_stays_with_the_hospitals_people() {
    let hospital = Hospital::open().await;
    hospital.granted("admin").await;
    let acting = hospital.acting().await.unwrap();
    let invite = "mutation { inviteUser(input: { email: \"x@example.org\", role: \"admin\", unit: \"UNIT\" }) { invitationToken } }";
    let unit = hospital.ward();
    for document in [
        invite.replace("UNIT", &unit),
        format!(
            "mutation {{ grantRole(input: {{ user: \"{}\", role: \"nurse\", unit: \"{unit}\" }}) {{ id }} }}",
            hospital.user_of(Role::Operator)
        ),
        format!(
            "mutation {{ createApiToken(input: {{ name: \"x\", role: \"admin\", unit: \"{unit}\" }}) {{ secret }} }}"
        ),
        "mutation { saveRole(input: { name: \"x\", title: \"x\", policies: [] }) { name } }".to_owned(),
    ] {
        let answer = hospital.as_operator(&acting, &document).await;
        assert!(matches!(code(&answer).as_deref(), Some("FORBIDDEN")), "{document}: {answer:#}");
    }
    let permissions = hospital.as_operator(&acting, "{ viewer { permissions } }").await;
    let held = permissions["data"]["viewer"]["permissions"].to_string();
    assert!(
        held.contains("rule:write") && !held.contains("user:write") && !held.contains("elevation:write"),
        "{held}"
    );
}

#[tokio::test]
async fn nobody_is_let_in_who_was_not_asked_for_or_lets_themselves_in() {
    let hospital = Hospital::open().await;
    let refused = async |role, document, input| hospital.refusal(role, document, input).await;
    for (role, reason, hours) in [
        ("clinician", "late", 1),
        ("clinician", REASON, 0),
        ("clinician", REASON, 9),
        ("operator", REASON, 1),
        ("nobody", REASON, 1),
    ] {
        assert_eq!(
            refused(Role::Operator, ASK, hospital.wish(role, reason, hours)).await,
            "BAD_INPUT",
            "{role} {reason} {hours}"
        );
    }
    assert_eq!(refused(Role::Admin, ASK, hospital.wish("clinician", REASON, 1)).await, "FORBIDDEN");
    let elsewhere = json!({ "input": { "tenant": "00000000-0000-7000-8000-000000000000", "role": "nurse", "reason": REASON, "hours": 1 } });
    assert_eq!(refused(Role::Operator, ASK, elsewhere).await, "NOT_FOUND");

    let id = hospital.asked("technician").await;
    assert_eq!(
        refused(Role::Operator, ASK, hospital.wish("nurse", REASON, 1)).await,
        "CONFLICT",
        "one at a time"
    );
    let grant = json!({ "id": id, "grant": true });
    for role in [Role::Operator, Role::Clinician, Role::Nurse, Role::Auditor] {
        assert_eq!(refused(role, ANSWER, grant.clone()).await, "FORBIDDEN", "{role}");
    }
    let no = json!({ "id": id, "grant": false });
    let answer = hospital.data(Role::Admin, ANSWER, no).await["answerElevation"].take();
    assert_eq!((&answer["standing"], &answer["until"]), (&json!("REFUSED"), &Value::Null));
    assert_eq!(refused(Role::Admin, ANSWER, grant).await, "CONFLICT", "an answer stands");
    assert!(hospital.acting().await.is_none());

    let lapsed = hospital.asked("technician").await;
    hospital.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(
        refused(Role::Admin, ANSWER, json!({ "id": lapsed, "grant": true })).await,
        "CONFLICT",
        "too late"
    );
    let withdrawn = hospital.asked("technician").await;
    let end = json!({ "id": withdrawn, "tenant": hospital.tenant.to_string() });
    assert_eq!(hospital.data(Role::Operator, END, end).await["endElevation"]["standing"], "WITHDRAWN");
    assert_eq!(hospital.data(Role::Admin, ALL, json!({})).await["waitingElevations"], 0);
    // An admin is no operator, wherever they ask.
    assert!(hospital.access.acting(&hospital.caller(Role::Admin), hospital.tenant).await.is_err());
}
