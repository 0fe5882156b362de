//! Stopping in good order, and starting again where one stopped.
use serde_json::json;
use tests::mqtt::{Publisher, Version};
use tests::{Options, Postgres, Server, rules};

use crate::bedside::{Seconds, device, folded};

const STATE: &str = "{ patients { nodes { id name vitals { sign value code measuredAt } } }
    alarms { nodes { id state raisedAt value } } rules { id version enabled } }";

#[tokio::test]
async fn a_restart_changes_nothing_on_sqlite() {
    journey(None).await;
}

#[tokio::test]
async fn a_restart_changes_nothing_on_postgresql() {
    if let Some(postgres) = Postgres::start().await {
        journey(Some(postgres.database("iomt").await)).await;
    }
}

async fn journey(database: Option<String>) {
    let mut server = Server::start(Options::new(2).on(database)).await;
    rules::only(&server.graphql_as("admin"), rules::low_oxygen(3, 3)).await;
    let tenant = server.first_tenant().clone();
    let monitor = tenant.monitor(0);
    let login = server.login(&tenant, monitor);
    let mut publisher = Publisher::connect(server.mqtt(), &login, Version::V5, 10).await.unwrap();
    let mut seconds = Seconds::ago(60);
    for (number, message) in seconds.repeat(20, &json!({ "spo2": 85, "heartRate": 110 })).iter().enumerate() {
        publisher.publish("telemetry", message.as_bytes(), number as u64).await.unwrap();
    }
    publisher.settle().await.unwrap();
    assert_eq!(publisher.account().acknowledged.len(), 20);
    folded(&server.graphql_as("nurse"), &monitor.id, 20).await;
    assert_eq!(device(&server.graphql_as("nurse"), &monitor.id).await["connected"], true);
    let before = server.graphql_as("admin").data(STATE, json!({})).await;
    assert_eq!(before["alarms"]["nodes"].as_array().unwrap().len(), 1);

    let status = server.terminate().await;
    assert!(status.success(), "a graceful shutdown ends with {status}");
    assert!(!publisher.ping().await, "connections are closed");
    server.restart().await;

    let twin = folded(&server.graphql_as("nurse"), &monitor.id, 20).await;
    assert_eq!(twin["connected"], false);
    assert_eq!(server.graphql_as("admin").data(STATE, json!({})).await, before);
}
