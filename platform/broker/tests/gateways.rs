//! Devices that speak through another one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use broker::{CommandAnswer, Saying, TwinView};
use serde_json::{Value, json};
use support::{
    World, device, tenant,
    wire::{Connect, V4, V5, Wire, publish, subscribe},
};

async fn gateway(world: &World, level: u8) -> Wire {
    Wire::login(world, &Connect::new(level, "1/gateway")).await
}

#[tokio::test]
async fn what_is_said_for_others_is_acknowledged_when_all_of_it_is_stored() {
    let world = World::deliberate().await;
    let mut wire = gateway(&world, V5).await;
    let frames = [
        publish(V5, "telemetry", 1, b"own"),
        publish(V5, "devices/pump-1/telemetry", 2, b"a"),
        publish(V5, "devices/pump-2/telemetry/flow", 3, b"b"),
        publish(V5, "devices/pump-1/properties/reported", 4, b"{}"),
        publish(V5, "devices/pump-3/telemetry", 5, b"c"),
    ];
    wire.send(&frames.concat()).await;
    let chunks = [world.next_chunk().await, world.next_chunk().await, world.next_chunk().await];
    let said: Vec<_> = chunks.iter().map(|of| (of.chunk.device.as_str(), of.payloads())).collect();
    let expected = [
        ("gateway", vec![&b"own"[..]]),
        ("pump-1", vec![&b"a"[..], &b"{}"[..]]),
        ("pump-2", vec![&b"b"[..]]),
    ];
    assert_eq!(said, expected);
    let [own, first, second] = chunks;
    own.commit.send(()).unwrap();
    second.commit.send(()).unwrap();
    wire.expect_nothing_more().await;
    first.commit.send(()).unwrap();
    for id in 1..=4 {
        wire.expect(&[0x40, 2, 0, id]).await;
    }
    wire.expect(&[0x40, 3, 0, 5, 0x87]).await;
}

#[tokio::test]
async fn nobody_speaks_for_a_device_that_is_not_behind_it() {
    let world = World::obliging().await;
    for (name, topic) in [("gateway", "devices/pump-3/telemetry"), ("d1", "devices/pump-1/telemetry")] {
        let mut wire = Wire::login(&world, &Connect::new(V4, &format!("1/{name}"))).await;
        wire.send(&publish(V4, topic, 1, b"x")).await;
        wire.expect_closed().await;
    }
    let mut wire = gateway(&world, V5).await;
    let filters = [("devices/pump-3/commands/#", 0), ("devices/#", 0), ("devices/+/commands/#", 1)];
    wire.send(&subscribe(V5, 1, &filters)).await;
    wire.expect(&[0x90, 6, 0, 1, 0, 0x87, 0x87, 1]).await;
}

#[tokio::test]
async fn a_gateway_hears_what_is_for_those_behind_it_and_answers_for_them() {
    let world = World::obliging().await;
    let mut wire = gateway(&world, V4).await;
    wire.send(&subscribe(V4, 1, &[("devices/+/commands/#", 1), ("devices/+/properties/result/+", 0)])).await;
    wire.expect(&[0x90, 4, 0, 1, 1, 0]).await;
    let until = "2026-11-21T03:01:00Z".parse().unwrap();
    let command = |id| Saying::Command { id, name: "stop".into(), body: Value::Null, until };
    let handle = world.broker.handle();
    let through = device("gateway");
    assert_eq!(handle.tell(tenant(1), &device("pump-1"), Some(&through), &command(7)), 1);
    assert_eq!(handle.tell(tenant(1), &device("pump-9"), None, &command(8)), 0);
    assert_eq!(handle.tell(tenant(2), &device("pump-1"), Some(&through), &command(9)), 0);
    wire.expect(&publish(V4, "devices/pump-1/commands/stop/7", 1, b"null")).await;
    wire.send(&[0x40, 2, 0, 1]).await;
    wire.send(&publish(V4, "devices/pump-1/commands/stop/7/result", 0, br#"{"status":200}"#)).await;
    *world.desk.twin.lock().await = Some(TwinView::default());
    wire.send(&publish(V4, "devices/pump-2/properties/get/r", 0, b"")).await;
    let twin = json!({ "desired": { "$version": 0 }, "reported": {} }).to_string();
    wire.expect(&publish(V4, "devices/pump-2/properties/result/r", 0, twin.as_bytes())).await;
    let answer = CommandAnswer { status: 200, body: Value::Null };
    let answers = world.desk.answers.lock().unwrap().clone();
    assert_eq!(answers, [(tenant(1), device("pump-1"), 7, Some(answer))]);
}
