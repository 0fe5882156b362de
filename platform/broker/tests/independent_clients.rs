//! A client library that is not ours, in both versions: login, telemetry, a command, an application.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::time::Duration;

use broker::Qos;
use bytes::Bytes;
use support::{PATIENCE, World, tenant};
use tokio::time::timeout;

/// Polls until an event is what is looked for.
macro_rules! until {
    ($events:expr, $pattern:pat) => {
        until!($events, $pattern => {})
    };
    ($events:expr, $pattern:pat => $found:expr) => {
        timeout(PATIENCE, async {
            loop {
                if let $pattern = $events.poll().await.unwrap() {
                    break $found;
                }
            }
        })
        .await
        .unwrap()
    };
}

#[tokio::test]
async fn v311() {
    use rumqttc::{AsyncClient, Event::Incoming, MqttOptions, Packet, QoS};

    let world = World::obliging().await;
    let mut options = MqttOptions::new("monitor", "127.0.0.1", world.broker.local_addr().port());
    options.set_credentials("1/d1", "secret").set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(options, 10);
    until!(events, Incoming(Packet::ConnAck(_)));
    client.subscribe("commands/+/+", QoS::AtLeastOnce).await.unwrap();
    until!(events, Incoming(Packet::SubAck(_)));
    client.publish("telemetry", QoS::AtLeastOnce, false, r#"{"heartRate":72}"#).await.unwrap();
    until!(events, Incoming(Packet::PubAck(_)));
    assert_eq!(world.next_message().await.payload, r#"{"heartRate":72}"#);
    let command = Bytes::from_static(b"{}");
    world.broker.handle().publish(tenant(1), "devices/d1/commands/reboot/1", command, Qos::AtLeastOnce);
    let heard = until!(events, Incoming(Packet::Publish(heard)) => heard);
    assert_eq!((heard.topic.as_str(), &heard.payload[..]), ("commands/reboot/1", &b"{}"[..]));
}

#[tokio::test]
async fn v5() {
    use rumqttc::v5::{
        AsyncClient,
        Event::Incoming,
        MqttOptions,
        mqttbytes::{QoS, v5::Packet},
    };

    let world = World::obliging().await;
    let port = world.broker.local_addr().port();
    let login = |name: &str, user: &str| {
        let mut options = MqttOptions::new(name, "127.0.0.1", port);
        options.set_credentials(user, "secret").set_keep_alive(Duration::from_secs(5));
        AsyncClient::new(options, 10)
    };
    let (application, mut heard) = login("ehr", "1/app");
    application.subscribe("feed/#", QoS::AtLeastOnce).await.unwrap();
    until!(heard, Incoming(Packet::SubAck(_)));
    let (device, mut events) = login("monitor", "1/d1");
    let connack = until!(events, Incoming(Packet::ConnAck(connack)) => connack);
    assert_eq!(connack.properties.unwrap().max_qos, None, "both QoS 1 and 2 are taken");
    for n in 0..20 {
        device.publish("telemetry", QoS::AtLeastOnce, false, format!("{n}")).await.unwrap();
        until!(events, Incoming(Packet::PubAck(_)));
        assert_eq!(world.next_message().await.payload, format!("{n}"));
    }
    let alarm = Bytes::from_static(b"{\"priority\":\"high\"}");
    world.broker.handle().publish(tenant(1), "feed/alarms/high/a1", alarm, Qos::AtLeastOnce);
    let alarm = until!(heard, Incoming(Packet::Publish(alarm)) => alarm);
    assert_eq!(alarm.topic, "feed/alarms/high/a1");
}
