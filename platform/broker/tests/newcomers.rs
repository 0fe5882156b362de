//! Devices that nobody knows yet: what they may, and what they are answered.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use support::{
    World,
    wire::{Connect, V4, V5, Wire, frame, publish, subscribe},
};

const REQUEST: &str = "/provision/request";
const RESPONSE: &str = "/provision/response";

fn newcomer(level: u8) -> Connect {
    Connect { password: None, ..Connect::new(level, "provision") }
}

/// A newcomer that listens for its answer.
async fn listening(world: &World, level: u8) -> Wire {
    let mut wire = Wire::login(world, &newcomer(level)).await;
    wire.send(&subscribe(level, 1, &[(RESPONSE, 0)])).await;
    let suback = wire.packet().await;
    assert_eq!((suback[0], *suback.last().unwrap()), (0x90, 0), "{suback:02x?}");
    wire
}

#[tokio::test]
async fn a_newcomer_is_answered_and_nobody_else() {
    let world = World::obliging().await;
    let token = |name: &str| {
        let token = format!("token of {name}");
        json!({ "status": "SUCCESS", "credentialsType": "ACCESS_TOKEN", "credentialsValue": token })
    };
    let refused = |status: &str, why: &str| json!({ "status": status, "errorMsg": why });
    let asked = |more: Value| {
        let mut asked = json!({ "provisionDeviceKey": "key", "provisionDeviceSecret": "secret" });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked.to_string()
    };
    let unreadable = "provisionDeviceKey and provisionDeviceSecret are expected, as JSON of at most 4 KiB";
    let ours = "a device signs in with a token here, and the platform chooses it";
    let cases = [
        (asked(json!({ "deviceName": "pump-7" })), token("pump-7")),
        (
            asked(json!({ "deviceName": "pump-8", "credentialsType": "ACCESS_TOKEN", "gateway": true })),
            token("pump-8"),
        ),
        (asked(json!({})), refused("FAILURE", "it has no name")),
        (
            asked(json!({ "provisionDeviceSecret": "guess" })),
            refused("NOT_FOUND", "key or secret is not right"),
        ),
        (asked(json!({ "credentialsType": "X509_CERTIFICATE", "hash": "x" })), refused("FAILURE", ours)),
        (asked(json!({ "credentialsType": "ACCESS_TOKEN", "token": "mine" })), refused("FAILURE", ours)),
        (asked(json!({ "deviceName": "x".repeat(4_096) })), refused("FAILURE", unreadable)),
        ("{}".to_owned(), refused("FAILURE", unreadable)),
        ("not JSON".to_owned(), refused("FAILURE", unreadable)),
    ];
    for level in [V4, V5] {
        let (mut wire, mut other) = (listening(&world, level).await, listening(&world, level).await);
        for (asked, expected) in &cases {
            wire.send(&publish(level, REQUEST, 0, asked.as_bytes())).await;
            wire.expect(&publish(level, RESPONSE, 0, expected.to_string().as_bytes())).await;
        }
        other.expect_nothing_more().await;
    }
}

#[tokio::test]
async fn a_newcomer_may_do_nothing_else() {
    let world = World::obliging().await;
    for (level, denied) in [(V4, 0x80), (V5, 0x87)] {
        let mut wire = Wire::login(&world, &newcomer(level)).await;
        for filter in ["#", "/provision/+", "+/+/response", "newcomers/#", "telemetry", "feed/#", "$SYS/#"] {
            wire.send(&subscribe(level, 1, &[(filter, 0)])).await;
            assert_eq!(*wire.packet().await.last().unwrap(), denied, "{filter}");
        }
        wire.send(&publish(level, "telemetry", 9, br#"{"heartRate":72}"#)).await;
        match level {
            V4 => wire.expect_closed().await,
            _ => wire.expect(&[0x40, 3, 0, 9, 0x87]).await,
        }
    }
    let will = Some((REQUEST.into(), b"{}".to_vec(), 0));
    let mut wire = Wire::open(world.broker.local_addr()).await;
    wire.send(&Connect { will, ..newcomer(V4) }.frame()).await;
    wire.expect(&[0x20, 2, 0, 5]).await;
}

#[tokio::test]
async fn newcomers_are_few_and_not_kept() {
    let world = World::with(true, |config| config.max_newcomers = 2).await;
    let kept = Connect { clean: false, properties: vec![0x11, 0, 0, 0, 60], ..newcomer(V5) };
    let mut wires = Vec::new();
    for _ in 0..2 {
        let mut wire = Wire::open(world.broker.local_addr()).await;
        wire.send(&kept.frame()).await;
        let connack = wire.packet().await;
        assert_eq!(connack[2..4], [0, 0], "let in, with no session: {connack:02x?}");
        assert!(connack.windows(5).any(|found| found == [0x11, 0, 0, 0, 0]), "ends with it: {connack:02x?}");
        wires.push(wire); // the same client identifier takes nobody's place
    }
    let mut third = Wire::open(world.broker.local_addr()).await;
    third.send(&newcomer(V5).frame()).await;
    assert_eq!(third.packet().await[3], 0x97);
    Wire::device(&world, V5, "d1").await; // those that are known do not wait for them
}

#[tokio::test]
async fn no_network_takes_the_places_of_newcomers_of_another() {
    let world = World::with(true, |config| config.max_network_newcomers = 1).await;
    let [here, there] = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2)];
    let come = async |from| {
        let mut wire = Wire::open_from(from, world.broker.local_addr()).await;
        wire.send(&newcomer(V5).frame()).await;
        let code = wire.packet().await[3];
        (code, wire)
    };
    let (first, mut wire) = come(here).await;
    assert_eq!((first, come(here).await.0), (0, 0x97));
    assert_eq!(come(there).await.0, 0, "somebody else");
    wire.send(&frame(0xE0, &[])).await;
    wire.expect_closed().await;
    world.until_metric("mqtt_connections ", 0).await;
    assert_eq!(come(here).await.0, 0, "who has gone leaves its place");
}
