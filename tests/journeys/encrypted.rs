//! A device that speaks MQTT over TLS.
use serde_json::json;
use tests::mosquitto::Publisher;
use tests::{Options, Server};

use crate::bedside::{Seconds, folded};

#[tokio::test]
async fn a_device_is_heard_over_tls_by_whom_it_trusts_and_by_nobody_else() {
    let server = Server::start(Options::new(3)).await;
    let tenant = server.first_tenant();
    let monitor = tenant.monitor(0);
    let login = server.login(tenant, monitor);
    let Some(publisher) = Publisher::new(server.mqtts(), login.clone()) else { return };
    let publisher = publisher.trusting(&server.credentials.ca_pem);
    let mut seconds = Seconds::ago(30);
    for _ in 0..3 {
        publisher.lines("telemetry", &[seconds.message(&json!({ "heartRate": 72 }))]).await.unwrap();
    }
    folded(&server.graphql_as("nurse"), &monitor.id, 3).await;

    let elsewhere = Server::start(Options::new(1)).await;
    let stranger = Publisher::new(server.mqtts(), login.clone()).unwrap();
    let stranger = stranger.trusting(&elsewhere.credentials.ca_pem);
    let refused = stranger.message("telemetry", b"{}").await.unwrap_err();
    assert!(refused.contains("TLS error"), "{refused}");
    let plain = Publisher::new(server.mqtts(), login).unwrap();
    plain.message("telemetry", b"{}").await.unwrap_err();
    assert!(server.metric("iomt_mqtt_refusals_total", "reason=\"tls\"").await >= 2.0);
}
