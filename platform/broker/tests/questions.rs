//! What devices ask and answer, and what they are told, each in its own words.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use broker::{CommandAnswer, Happened, Saying, TwinView};
use serde_json::{Value, json};
use support::{
    PATIENCE, World, device, tenant,
    wire::{Connect, V4, V5, Wire, publish, subscribe},
};
use tokio::time::timeout;

fn twin() -> TwinView {
    TwinView {
        desired: json!({ "rate": 5 }).as_object().cloned().unwrap(),
        desired_version: 2,
        confirmed_version: 1,
        ..TwinView::default()
    }
}

/// A device of tenant 1 that has subscribed to a filter, at QoS 1.
async fn listening(world: &World, level: u8, name: &str, filter: &str) -> Wire {
    let mut wire = Wire::login(world, &Connect::new(level, &format!("1/{name}"))).await;
    wire.send(&subscribe(level, 1, &[(filter, 1)])).await;
    let suback = wire.packet().await;
    assert_eq!((suback[0], *suback.last().unwrap()), (0x90, 1), "{suback:02x?}");
    wire
}

fn frame(level: u8, topic: &str, id: u16, payload: &Value) -> Vec<u8> {
    publish(level, topic, id, payload.to_string().as_bytes())
}

#[tokio::test]
async fn a_device_asks_for_its_twin_and_is_answered_after_its_messages_were_taken() {
    let world = World::obliging().await;
    *world.desk.twin.lock().await = Some(twin());
    for level in [V4, V5] {
        let mut wire = listening(&world, level, "d1", "properties/result/+").await;
        wire.send(&publish(level, "properties/get/a1", 0, b"")).await;
        let answer = json!({ "desired": { "$version": 2, "rate": 5 }, "reported": {} });
        wire.expect(&frame(level, "properties/result/a1", 0, &answer)).await;
        // Whoever does not listen hears nothing.
        wire.send(&publish(level, "properties/get/a/b", 8, b"")).await;
        match level {
            V4 => wire.expect_closed().await,
            _ => wire.expect(&[0x40, 3, 0, 8, 0x87]).await,
        }
    }
}

#[tokio::test]
async fn who_subscribes_to_desired_properties_hears_what_it_has_not_confirmed() {
    let world = World::obliging().await;
    *world.desk.twin.lock().await = Some(twin());
    let desired = json!({ "$version": 2, "rate": 5 });
    let mut passing = listening(&world, V5, "d1", "properties/desired").await;
    passing.expect(&frame(V5, "properties/desired", 0, &desired)).await;
    // A session that is kept makes its subscription first.
    let kept = Connect { properties: vec![0x11, 0, 0, 0, 60], ..Connect::new(V5, "1/d2") };
    let mut kept = Wire::login(&world, &kept).await;
    kept.send(&subscribe(V5, 1, &[("properties/desired", 1)])).await;
    kept.expect(&[0x90, 4, 0, 1, 0, 1]).await;
    kept.expect(&frame(V5, "properties/desired", 0, &desired)).await;

    world.desk.twin.lock().await.as_mut().unwrap().confirmed_version = 2;
    let mut knows = listening(&world, V5, "d3", "properties/desired").await;
    knows.expect_nothing_more().await;
}

#[tokio::test]
async fn a_command_reaches_its_device_only_and_its_answer_whoever_waits() {
    let world = World::obliging().await;
    let mut monitor = listening(&world, V4, "d1", "commands/#").await;
    let mut board = listening(&world, V4, "tb-1", "v1/devices/me/rpc/request/+").await;
    let until = "2026-11-21T03:01:00Z".parse().unwrap();
    let command = |id| Saying::Command { id, name: "reboot".into(), body: json!({ "in": 5 }), until };
    let handle = world.broker.handle();
    assert_eq!(handle.tell(tenant(1), &device("d1"), None, &command(1)), 1);
    assert_eq!(handle.tell(tenant(1), &device("tb-1"), None, &command(2)), 1);
    assert_eq!(handle.tell(tenant(1), &device("nobody"), None, &command(3)), 0);
    assert_eq!(handle.tell(tenant(2), &device("d1"), None, &command(4)), 0, "of another hospital");
    monitor.expect(&frame(V4, "commands/reboot/1", 1, &json!({ "in": 5 }))).await;
    let rpc = json!({ "method": "reboot", "params": { "in": 5 } });
    board.expect(&frame(V4, "v1/devices/me/rpc/request/2", 1, &rpc)).await;

    let busy = json!({ "status": 503, "body": "busy" });
    monitor.send(&frame(V4, "commands/reboot/1/result", 9, &busy)).await;
    monitor.expect(&[0x40, 2, 0, 9]).await;
    board.send(&publish(V4, "v1/devices/me/rpc/response/2", 9, br#"{"done":true}"#)).await;
    board.expect(&[0x40, 2, 0, 9]).await;
    let answers = async {
        while world.desk.answers.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, answers).await.unwrap();
    let answer =
        |of: &str, id, status, body| (tenant(1), device(of), id, Some(CommandAnswer { status, body }));
    let expected = [answer("d1", 1, 503, json!("busy")), answer("tb-1", 2, 200, json!({ "done": true }))];
    assert_eq!(*world.desk.answers.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_device_made_for_thingsboard_is_told_in_its_own_words() {
    let world = World::obliging().await;
    *world.desk.twin.lock().await = Some(twin());
    let mut wire = listening(&world, V5, "tb-1", "v1/devices/me/attributes").await;
    let object = |value: Value| value.as_object().cloned().unwrap();
    let saying = Saying::Desired {
        patch: object(json!({ "rate": 6 })),
        properties: object(json!({ "rate": 6, "on": true })),
        version: 3,
    };
    assert_eq!(world.broker.handle().tell(tenant(1), &device("tb-1"), None, &saying), 1);
    wire.expect(&frame(V5, "v1/devices/me/attributes", 1, &json!({ "rate": 6 }))).await;
    wire.send(&[0x40, 2, 0, 1]).await;

    wire.send(&subscribe(V5, 2, &[("v1/devices/me/rpc/response/+", 0), ("properties/desired", 0)])).await;
    wire.expect(&[0x90, 5, 0, 2, 0, 0, 0x87]).await;
    wire.send(&publish(V5, "v1/devices/me/rpc/request/1", 0, br#"{"method":"getSessionLimits"}"#)).await;
    let packet = wire.packet().await;
    assert!(String::from_utf8_lossy(&packet).contains(r#""maxInflightMessages":1024"#), "{packet:02x?}");
}

#[tokio::test]
async fn who_signed_for_a_while_is_sent_away_when_it_is_over() {
    let world = World::obliging().await;
    let mut wire = Wire::login(&world, &Connect::new(V5, "1/brief")).await;
    assert_eq!(world.next_episode().await.1, Happened::Connected);
    let disconnect = wire.packet().await;
    assert_eq!((disconnect[0], disconnect[2]), (0xE0, 0x87), "{disconnect:02x?}");
    wire.expect_closed().await;
    let why = "what the client presented counts no longer; it may come back with a new one";
    assert_eq!(world.next_episode().await, (device("brief"), Happened::Ended, why));
}

#[tokio::test]
async fn a_device_asks_where_it_belongs() {
    let world = World::obliging().await;
    let mut wire = listening(&world, V4, "dps-1", "$dps/registrations/res/#").await;
    let register = "$dps/registrations/PUT/iotdps-register/?$rid=1";
    wire.send(&publish(V4, register, 0, b"{}")).await;
    let answer = String::from_utf8_lossy(&wire.packet().await).into_owned();
    assert!(
        answer.contains("res/200/?$rid=1") && answer.contains(r#""assignedHub":"127.0.0.1""#),
        "{answer}"
    );
    wire.send(&publish(V4, register, 0, br#"{"payload":{"modelId":"dtmi:a;1"}}"#)).await;
    let answer = String::from_utf8_lossy(&wire.packet().await).into_owned();
    assert!(answer.contains(r#""errorMessage":"dps-1 is no dtmi:a;1""#), "{answer}");
    // It says nothing else here, and hears nothing.
    wire.send(&subscribe(V4, 2, &[("commands/#", 0), ("$iothub/methods/POST/#", 0)])).await;
    wire.expect(&[0x90, 4, 0, 2, 0x80, 0x80]).await;
    wire.send(&publish(V4, "telemetry", 1, b"{}")).await;
    wire.expect_closed().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_told_to_whoever_looks_after_the_device() {
    let world = World::obliging().await;
    for (level, expected) in [(V4, &[0x40, 2, 0, 5][..]), (V5, &[0x40, 3, 0, 5, 0x99])] {
        let mut wire = Wire::login(&world, &Connect::new(level, "1/tb-1")).await;
        assert_eq!(world.next_episode().await.1, Happened::Connected);
        wire.send(&publish(level, "v1/devices/me/attributes/request/1", 5, b"no json")).await;
        wire.expect(expected).await;
        let (_, happened, why) = world.next_episode().await;
        assert_eq!((happened, why), (Happened::Denied, "it asked in a way that cannot be read"));
        wire.send(&publish(level, "v1/devices/me/rpc/request/1", 0, b"")).await;
        drop(wire);
        assert_eq!(world.next_episode().await.1, Happened::Ended);
    }
    world.until_metric("mqtt_drops_total{reason=\"not_understood\"}", 3).await;
}

#[tokio::test]
async fn a_device_that_asks_faster_than_it_is_answered_is_not_read() {
    let world = World::obliging().await;
    let answers = world.desk.twin.lock().await;
    let mut wire = listening(&world, V5, "d1", "properties/result/+").await;
    for id in 1..=200 {
        wire.send(&publish(V5, "properties/get/x", id, b"")).await;
    }
    // It reads on, and so does everybody else, once there are answers again.
    let mut other = listening(&world, V5, "d2", "commands/#").await;
    other.expect_nothing_more().await;
    drop(answers);
    let mut acknowledged = 0;
    while acknowledged < 200 {
        if wire.packet().await[0] == 0x40 {
            acknowledged += 1;
        }
    }
}
