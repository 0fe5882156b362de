//! A hospital is suspended and served again.
use serde_json::{Value, json};
use tests::mqtt::{Publisher, Refused, Version};
use tests::{Options, Postgres, Server, Subscription, eventually, time};

use crate::bedside::{Seconds, folded};

const SUSPEND: &str =
    "mutation ($id: ID!) { suspendTenant(id: $id, reason: \"Contract ended\") { suspendedSince } }";
const RESUME: &str = "mutation ($id: ID!) { resumeTenant(id: $id) { suspendedSince } }";

#[tokio::test]
async fn a_suspended_hospital_is_cut_off_and_keeps_its_data_on_sqlite() {
    journey(None).await;
}

#[tokio::test]
async fn a_suspended_hospital_is_cut_off_and_keeps_its_data_on_postgresql() {
    if let Some(postgres) = Postgres::start().await {
        journey(Some(postgres.database("iomt").await)).await;
    }
}

async fn journey(database: Option<String>) {
    let server = Server::start(Options::new(4).on(database)).await;
    let (theirs, others) = (server.first_tenant(), server.second_tenant());
    let operator = server.graphql(&server.credentials.operator.token);
    let all = operator.data("{ tenants { id slug } }", json!({})).await["tenants"].take();
    let of_theirs = |tenant: &&Value| tenant["slug"] == theirs.slug.as_str();
    let id = json!({ "id": all.as_array().unwrap().iter().find(of_theirs).unwrap()["id"] });

    let (nurse, admin) = (server.graphql_as("nurse"), server.graphql_as("admin"));
    assert_eq!(admin.refusal(SUSPEND, id.clone()).await, "FORBIDDEN");
    let (monitor, login) = (theirs.monitor(0), server.login(theirs, theirs.monitor(0)));
    let mut publisher = Publisher::connect(server.mqtt(), &login, Version::V5, 1).await.unwrap();
    let mut other =
        Publisher::connect(server.mqtt(), &server.login(others, others.monitor(0)), Version::V5, 1)
            .await
            .unwrap();
    let message = Seconds::ago(5).message(&json!({ "heartRate": 72 }));
    publisher.publish("telemetry", message.as_bytes(), 0).await.unwrap();
    publisher.settle().await.unwrap();
    folded(&nurse, &monitor.id, 1).await;
    let url = &server.credentials.graphql_ws;
    let token = &theirs.user("nurse").token;
    let subscription = "subscription { vitals { patientId } }";
    let mut open = Subscription::open(url, token, subscription, json!({})).await;

    let suspended = operator.data(SUSPEND, id.clone()).await["suspendTenant"].take();
    assert!(suspended["suspendedSince"].is_string());
    eventually("the device is put out", time::BOUND, async || {
        if publisher.ping().await { Err("it is answered".to_owned()) } else { Ok(()) }
    })
    .await;
    eventually("the device is not let in again", time::BOUND, async || {
        match Publisher::connect(server.mqtt(), &login, Version::V5, 1).await {
            Err(Refused::Code(0x87)) => Ok(()),
            other => Err(format!("{:?}", other.err())),
        }
    })
    .await;
    let patients = "{ patients { totalCount } }";
    assert_eq!(nurse.refusal(patients, json!({})).await, "FORBIDDEN");
    assert!(open.ended(time::BOUND).await, "an open subscription ends");
    let person = theirs.user("nurse");
    let sign_in = json!({ "email": person.email, "password": person.password });
    let login_at = format!("{}/auth/login", server.credentials.http);
    let client = tests::http::client();
    let signed_in = async || client.post(&login_at).json(&sign_in).send().await.unwrap();
    let refused = signed_in().await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("is suspended"));
    assert!(other.ping().await, "the other hospital notices nothing");
    server.graphql(&others.user("nurse").token).data(patients, json!({})).await;

    let again = operator.data(RESUME, id.clone()).await["resumeTenant"].take();
    assert!(again["suspendedSince"].is_null());
    let mut publisher = eventually("the device is let in", time::BOUND, async || {
        Publisher::connect(server.mqtt(), &login, Version::V5, 1).await.map_err(|error| format!("{error:?}"))
    })
    .await;
    publisher.publish("telemetry", message.as_bytes(), 1).await.unwrap();
    publisher.settle().await.unwrap();
    folded(&nurse, &monitor.id, 2).await;
    assert_eq!(signed_in().await.status(), 200);
    let trail = "{ auditLog(first: 200) { nodes { action detail outcome } } }";
    let trail = admin.data(trail, json!({})).await["auditLog"]["nodes"].take();
    let trail = trail.as_array().unwrap();
    for (action, detail) in [("tenant.suspend", "Contract ended"), ("tenant.resume", "")] {
        let line = json!({ "action": action, "detail": detail, "outcome": "SUCCESS" });
        assert_eq!(trail.iter().filter(|entry| **entry == line).count(), 1, "{trail:#?}");
    }
}
