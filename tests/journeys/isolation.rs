//! Two hospitals on one platform never see each other.
use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::mqtt::{Login, Publisher, Refused, Version};
use tests::{GraphQl, Options, Postgres, Server, Subscription, rules};

use crate::bedside::{Seconds, device, folded};

const PATIENTS: &str = "{ patients(first: 100) { nodes { id } totalCount } }";
const ALARMS: &str = "{ alarms(first: 100) { nodes { id } totalCount } }";
const ACKNOWLEDGE: &str = "mutation ($id: ID!) { acknowledgeAlarm(input: { id: $id }) { id } }";

#[tokio::test]
async fn two_hospitals_never_meet_on_sqlite() {
    journey(None).await;
}

#[tokio::test]
async fn two_hospitals_never_meet_on_postgresql() {
    if let Some(postgres) = Postgres::start().await {
        journey(Some(postgres.database("iomt").await)).await;
    }
}

async fn journey(database: Option<String>) {
    let server = Server::start(Options::new(6).on(database)).await;
    let (theirs, ours) = (server.first_tenant(), server.second_tenant());
    let stranger = server.graphql(&ours.user("nurse").token);
    let nurse = server.graphql(&theirs.user("nurse").token);

    // An alarm in the first hospital, while a nurse of the second listens.
    rules::only(&server.graphql(&theirs.user("admin").token), rules::low_oxygen(0, 0)).await;
    let subscription = "subscription { alarms { id } }";
    let url = &server.credentials.graphql_ws;
    let mut overheard = Subscription::open(url, &ours.user("nurse").token, subscription, json!({})).await;
    let mut heard = Subscription::open(url, &theirs.user("nurse").token, subscription, json!({})).await;
    let monitor = theirs.monitor(0);
    let login = server.login(theirs, monitor);
    let mut publisher = Publisher::connect(server.mqtt(), &login, Version::V5, 1).await.unwrap();
    let message = Seconds::ago(5).message(&json!({ "spo2": 80 }));
    publisher.publish("telemetry", message.as_bytes(), 0).await.unwrap();
    publisher.settle().await.unwrap();
    let alarm = heard.next().await["alarms"]["id"].as_str().unwrap().to_owned();
    folded(&nurse, &monitor.id, 1).await;

    // Nothing of it can be listed, named or touched from the second.
    let patients = ids(&nurse, PATIENTS, "patients").await;
    let others = ids(&stranger, PATIENTS, "patients").await;
    assert!(!patients.is_empty() && !others.is_empty());
    assert!(patients.is_disjoint(&others));
    assert_eq!(ids(&nurse, ALARMS, "alarms").await, BTreeSet::from([alarm.clone()]));
    assert!(ids(&stranger, ALARMS, "alarms").await.is_empty());
    for patient in &patients {
        invisible(&stranger, "query ($id: ID!) { patient(id: $id) { id } }", patient, "patient").await;
    }
    invisible(&stranger, "query ($id: ID!) { alarm(id: $id) { id } }", &alarm, "alarm").await;
    assert_eq!(stranger.refusal(ACKNOWLEDGE, json!({ "id": alarm })).await, "NOT_FOUND");
    let namesake = device(&stranger, &monitor.id).await;
    assert!(
        namesake.is_null() || namesake["messageCount"] == 0,
        "a device of the same name is another device"
    );
    assert!(overheard.next_within(std::time::Duration::from_millis(500)).await.is_none());
}

#[tokio::test]
async fn a_device_cannot_leave_its_tenant_or_its_topics() {
    let server = Server::start(Options::new(4)).await;
    let (theirs, ours) = (server.first_tenant(), server.second_tenant());
    let monitor = theirs.monitor(0);
    for version in [Version::V311, Version::V5] {
        let smuggled =
            Login { user_name: format!("{}/{}", ours.slug, monitor.id), ..server.login(theirs, monitor) };
        let refused = Publisher::connect(server.mqtt(), &smuggled, version, 1).await.unwrap_err();
        assert!(matches!(refused, Refused::Code(_)), "{refused:?}");

        for topic in
            ["feed/alarms/high/1", "devices/other/telemetry/x/y", "$SYS/broker", "properties/desired"]
        {
            let login = server.login(theirs, monitor);
            let mut publisher = Publisher::connect(server.mqtt(), &login, version, 1).await.unwrap();
            publisher.publish(topic, b"{}", 0).await.unwrap();
            let refused = publisher.settle().await.unwrap_err();
            assert!(publisher.account().acknowledged.is_empty(), "{topic} with {version:?}: {refused}");
        }
        for filter in ["#", "+/+", "feed/#", "telemetry"] {
            let login = server.login(theirs, monitor);
            let mut publisher = Publisher::connect(server.mqtt(), &login, version, 1).await.unwrap();
            let code = publisher.subscribe(filter).await;
            assert!(code.is_none_or(|code| code >= 0x80), "{filter} with {version:?}: {code:?}");
        }
        // Takes over nobody's session: the same client id in the other tenant is another client.
        let (mine, yours) = (server.login(theirs, monitor), server.login(ours, ours.monitor(0)));
        let yours = Login { client_id: mine.client_id.clone(), ..yours };
        let mut first = Publisher::connect(server.mqtt(), &mine, version, 1).await.unwrap();
        let mut second = Publisher::connect(server.mqtt(), &yours, version, 1).await.unwrap();
        assert!(first.ping().await && second.ping().await);
    }
}

async fn ids(api: &GraphQl, document: &str, list: &str) -> BTreeSet<String> {
    let data = api.data(document, json!({})).await;
    let nodes = data[list]["nodes"].as_array().unwrap();
    assert_eq!(data[list]["totalCount"], nodes.len());
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

/// Not there, said in the same way as for something that never was.
async fn invisible(api: &GraphQl, document: &str, id: &str, field: &str) {
    let answer = api.run(document, json!({ "id": id })).await;
    assert!(answer.data[field].is_null(), "{answer:?}");
    let code = |error: &Value| error["extensions"]["code"].clone();
    assert!(answer.errors.iter().map(code).all(|code| code == "NOT_FOUND"), "{answer:?}");
}
