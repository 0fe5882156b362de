//! A device that speaks MQTT over TLS.
use serde_json::json;
use tests::mosquitto::Publisher;
use tests::mqtt::{self, Version};
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

#[tokio::test]
async fn a_device_may_name_the_protocol_that_it_speaks() {
    let server = Server::start(Options::new(1)).await;
    let tenant = server.first_tenant();
    let login = server.login(tenant, tenant.monitor(0));
    for protocol in ["mqtt", "x-amzn-mqtt-ca"] {
        let stream = server.secured_for(protocol).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
        let mut device = mqtt::Publisher::over(stream, &login, Version::V5, 1).await.unwrap();
        assert!(device.ping().await, "{protocol}");
    }
    let refused = server.secured_for("h2").await.unwrap_err().to_string();
    assert!(refused.contains("NoApplicationProtocol"), "{refused}");
}
