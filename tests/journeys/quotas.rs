//! A hospital at its quotas.
use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::{Value, json};
use tests::mqtt::{Login, Publisher, Refused, Version};
use tests::{GraphQl, Options, Postgres, Server, eventually, time};
use tokio::time::timeout;

use crate::bedside::{Seconds, folded};

const SET: &str = "mutation ($tenant: ID!, $input: QuotasInput!) { setQuotas(tenant: $tenant, input: $input) { messagesPerSecond } }";
const LOG: &str = "query ($id: ID!) { device(id: $id) { connectionLog { reason } } }";
const USAGE: &str =
    "{ usage { quotas { messagesPerSecond clients { connections packetBytes subscriptions } } devices messages heldBack refusedMessages refusedQueries
    days { messages } } }";

#[tokio::test]
async fn a_hospital_at_its_quotas_waits_or_is_refused_and_another_does_not_on_sqlite() {
    journey(None).await;
}

#[tokio::test]
async fn a_hospital_at_its_quotas_waits_or_is_refused_and_another_does_not_on_postgresql() {
    if let Some(postgres) = Postgres::start().await {
        journey(Some(postgres.database("iomt").await)).await;
    }
}

/// Says what the first hospital may, and waits until the server keeps it to that.
async fn set(server: &Server, changes: Value) {
    let operator = server.graphql(&server.credentials.operator.token);
    let all = operator.data("{ tenants { id slug } }", json!({})).await["tenants"].take();
    let slug = server.first_tenant().slug.as_str();
    let tenant = all.as_array().unwrap().iter().find(|tenant| tenant["slug"] == slug).unwrap();
    let mut input = json!({ "devices": 100, "users": 100, "messagesPerSecond": 1_000_000,
        "queryCostPerMinute": 100_000_000, "storedDays": null });
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    operator.data(SET, json!({ "tenant": tenant["id"], "input": input })).await;
}

async fn usage(admin: &GraphQl) -> Value {
    admin.data(USAGE, json!({})).await["usage"].take()
}

async fn journey(database: Option<String>) {
    let server = Server::start(Options { extra_devices: 12, ..Options::new(4) }.on(database)).await;
    let (theirs, others) = (server.first_tenant(), server.second_tenant());
    let (admin, nurse) = (server.graphql_as("admin"), server.graphql_as("nurse"));
    let monitor = theirs.monitor(0);
    let login = server.login(theirs, monitor);
    let message = Seconds::ago(5).message(&json!({ "heartRate": 72 }));

    // Somewhat over its rate, a device waits for its acknowledgements and gets all of them.
    set(&server, json!({ "messagesPerSecond": 5 })).await;
    let mut held = 0;
    let mut sent = 0;
    eventually("messages are held back", time::BOUND, async || {
        let mut publisher = Publisher::connect(server.mqtt(), &login, Version::V5, 50).await.unwrap();
        for _ in 0..8 {
            publisher.publish("telemetry", message.as_bytes(), sent).await.unwrap();
            sent += 1;
        }
        publisher.settle().await.unwrap();
        held = usage(&admin).await["heldBack"].as_u64().unwrap();
        if held > 0 { Ok(()) } else { Err("none is".to_owned()) }
    })
    .await;
    folded(&nurse, &monitor.id, sent).await;
    let now = usage(&admin).await;
    assert_eq!((&now["messages"], &now["devices"]), (&json!(sent), &json!(theirs.devices.len())));
    assert_eq!(now["quotas"]["messagesPerSecond"], 5);

    // So far over it that one would wait for more than half a minute, it is sent away, and is not acknowledged what it sent.
    set(&server, json!({ "messagesPerSecond": 1 })).await;
    let mut crowd = Vec::new();
    let mut devices = theirs.devices.iter().filter(|device| device.id != monitor.id).cycle();
    eventually("messages are refused", time::BOUND, async || {
        let login = server.login(theirs, devices.next().unwrap());
        let mut publisher = Publisher::connect(server.mqtt(), &login, Version::V5, 50).await.unwrap();
        for number in 0..10 {
            publisher.publish("telemetry", message.as_bytes(), number).await.unwrap();
        }
        crowd.push(publisher);
        let now = usage(&admin).await;
        if now["refusedMessages"].as_u64().unwrap() > 0 { Ok(()) } else { Err(now.to_string()) }
    })
    .await;
    let mut settling: FuturesUnordered<_> = crowd
        .iter_mut()
        .map(async |publisher| publisher.settle().await.err().map(|_| publisher.account().acknowledged.len()))
        .collect();
    let sent_away = async {
        while let Some(settled) = settling.next().await {
            if let Some(acknowledged) = settled {
                return acknowledged;
            }
        }
        panic!("nobody was sent away")
    };
    let acknowledged = timeout(time::BOUND, sent_away).await.expect("somebody is sent away");
    assert!(acknowledged < 10, "{acknowledged}");

    // One device at its own limit keeps nobody waiting but itself.
    set(&server, json!({ "deviceMessagesPerSecond": 1 })).await;
    let mut crowd = Vec::new();
    for number in 0..8 {
        let login = Login { client_id: format!("{}-{number}", login.client_id), ..login.clone() };
        let mut publisher = Publisher::connect(server.mqtt(), &login, Version::V5, 50).await.unwrap();
        for number in 0..10 {
            publisher.publish("telemetry", message.as_bytes(), number).await.unwrap();
        }
        crowd.push(publisher);
    }
    eventually("a device is sent away for its own sake", time::BOUND, async || {
        let seen = admin.data(LOG, json!({ "id": monitor.id })).await.to_string();
        if seen.contains("this device sends far more than one may") { Ok(()) } else { Err(seen) }
    })
    .await;
    let beside = server.login(theirs, theirs.monitor(1));
    let mut beside = Publisher::connect(server.mqtt(), &beside, Version::V5, 1).await.unwrap();
    beside.publish("telemetry", message.as_bytes(), 0).await.unwrap();
    beside.settle().await.unwrap();
    assert!(server.metric("iomt_quota_device_messages_refused_total", "").await > 0.0);

    // What its devices and programs may take up counts from their next connection on.
    let another = Login { client_id: "another".to_owned(), ..server.login(theirs, theirs.monitor(2)) };
    set(&server, json!({ "clients": { "connections": 1 } })).await;
    let refused = Publisher::connect(server.mqtt(), &another, Version::V5, 1).await.unwrap_err();
    assert_eq!(refused, Refused::Code(0x97), "others are connected");
    set(&server, json!({ "clients": { "packetBytes": 1_024, "subscriptions": 1 } })).await;
    let clients = usage(&admin).await["quotas"]["clients"].take();
    assert_eq!(clients, json!({ "connections": 50_000, "packetBytes": 1_024, "subscriptions": 1 }));
    let mut another = Publisher::connect(server.mqtt(), &another, Version::V5, 1).await.unwrap();
    assert_eq!(another.subscribe("commands/#").await, Some(1));
    assert_eq!(another.subscribe("properties/desired").await, Some(0x97));
    another.publish("telemetry", &[b' '; 1_100], 0).await.unwrap();
    assert!(another.settle().await.is_err(), "it is too large");
    set(&server, json!({})).await;

    // The other hospital is not concerned.
    let monitor = others.monitor(0);
    let mut other =
        Publisher::connect(server.mqtt(), &server.login(others, monitor), Version::V5, 500).await.unwrap();
    for number in 0..500 {
        other.publish("telemetry", message.as_bytes(), number).await.unwrap();
    }
    other.settle().await.unwrap();
    let theirs_now = usage(&server.graphql(&others.user("admin").token)).await;
    assert_eq!((&theirs_now["heldBack"], &theirs_now["refusedMessages"]), (&json!(0), &json!(0)));

    // Queries likewise: refused with the time after which there is room, and again answered once there is more.
    set(&server, json!({ "queryCostPerMinute": 2_000 })).await;
    eventually("queries are refused", time::BOUND, async || {
        let answer = nurse.run("{ patients(first: 200) { nodes { id } } }", json!({})).await;
        let refused =
            answer.errors.first().is_some_and(|error| error["extensions"]["code"] == "RATE_LIMITED");
        if refused { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    server.graphql(&others.user("nurse").token).data("{ patients { totalCount } }", json!({})).await;
    set(&server, json!({})).await;
    eventually("queries are answered", time::BOUND, async || {
        let answer = nurse.run("{ patients { totalCount } }", json!({})).await;
        if answer.errors.is_empty() { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .await;
    assert!(usage(&admin).await["refusedQueries"].as_u64().unwrap() > 0);
}
