//! Messages from devices: what is stored, what is acknowledged and when, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::sync::Arc;

use broker::Channel;
use support::{
    OVER_QUOTA, World, device, tenant,
    wire::{Connect, V4, V5, Wire, field, frame, in_words, publish, subscribe},
};

#[tokio::test]
async fn a_message_arrives_as_sent_under_the_authenticated_name() {
    let world = World::deliberate().await;
    for level in [V4, V5] {
        let mut wire = Wire::device(&world, level, "d1").await;
        let frames = [
            publish(level, "telemetry", 1, br#"{"heartRate":72}"#),
            publish(level, "telemetry/ecg", 0, b""),
            publish(level, "properties/reported", 2, b"\xFF\x00"),
        ];
        wire.send(&frames.concat()).await;
        let mut messages = Vec::new();
        let mut commits = Vec::new();
        while messages.len() < 3 {
            let pending = world.next_chunk().await;
            assert_eq!((pending.chunk.tenant, &pending.chunk.device), (tenant(1), &device("d1")));
            messages.extend(pending.chunk.messages);
            commits.push(pending.commit);
        }
        let ecg = Channel::Telemetry { component: Some(Arc::from("ecg")) };
        let expected: [(Channel, &[u8]); 3] = [
            (Channel::Telemetry { component: None }, br#"{"heartRate":72}"#),
            (ecg, b""),
            (Channel::Reported, b"\xFF\x00"),
        ];
        for (message, (channel, payload)) in messages.iter().zip(expected) {
            assert_eq!((&message.channel, &message.payload[..]), (&channel, payload));
            assert_eq!(message.received_at, "2026-11-21T03:00:00Z".parse().unwrap());
        }
        assert!(messages.windows(2).all(|pair| pair[0].correlation.0 < pair[1].correlation.0));
        for commit in commits {
            commit.send(()).unwrap();
        }
        wire.expect(&[0x40, 2, 0, 1]).await;
        wire.expect(&[0x40, 2, 0, 2]).await;
        wire.expect_nothing_more().await;
    }
}

#[tokio::test]
async fn what_a_device_says_about_a_message_is_kept_beside_it() {
    let world = World::obliging().await;
    let mut native = Wire::device(&world, V5, "d1").await;
    // A content type, and two user properties of one name.
    let pair =
        |name: &str, value: &str| [&[0x26][..], &field(name.as_bytes()), &field(value.as_bytes())].concat();
    let properties =
        [&[0x03][..], &field(b"application/json"), &pair("ward", "4 West"), &pair("ward", "ä=b&c")].concat();
    let length = u8::try_from(properties.len()).unwrap();
    let body = [&field(b"telemetry")[..], &[length], &properties, b"{}"].concat();
    native.send(&frame(0x30, &body)).await;
    let said = world.next_message().await.user_properties;
    assert_eq!(said.as_deref(), Some("ward=4+West&ward=%C3%A4%3Db%26c"));
    native.send(&publish(V5, "telemetry", 0, b"{}")).await;
    assert_eq!(world.next_message().await.user_properties, None);

    let hub = Connect { client_id: "hub-1".into(), ..Connect::new(V5, "1/hub-1") };
    let mut hub = Wire::login(&world, &hub).await;
    let topic = "devices/hub-1/messages/events/%24.sub=ecg&alert=yes%21";
    let body = [&field(topic.as_bytes())[..], &[length], &properties, b"{}"].concat();
    hub.send(&frame(0x30, &body)).await;
    let message = world.next_message().await;
    assert_eq!(message.channel, Channel::Telemetry { component: Some("ecg".into()) });
    let said = message.user_properties;
    assert_eq!(said.as_deref(), Some("alert=yes%21&ward=4+West&ward=%C3%A4%3Db%26c"));
}

#[tokio::test]
async fn pubacks_wait_for_the_commit_and_keep_the_order() {
    let world = World::deliberate().await;
    let mut wire = Wire::device(&world, V5, "d1").await;
    let mut pending = Vec::new();
    for id in 1..=3 {
        wire.send(&publish(V5, "telemetry", id, b"{}")).await;
        pending.push(world.next_chunk().await);
    }
    let [first, second, third] = <[_; 3]>::try_from(pending).ok().unwrap();
    wire.expect_nothing_more().await;
    third.commit.send(()).unwrap();
    second.commit.send(()).unwrap();
    wire.expect_nothing_more().await;
    first.commit.send(()).unwrap();
    for id in 1..=3 {
        wire.expect(&[0x40, 2, 0, id]).await;
    }
    assert_eq!(world.metric("mqtt_acks_sent_total"), 3);
    assert_eq!(world.metric("mqtt_messages_received_total"), 3);
}

#[tokio::test]
async fn what_is_never_committed_is_never_acknowledged() {
    let world = World::deliberate().await;
    let mut wire = Wire::device(&world, V5, "d1").await;
    wire.send(&publish(V5, "telemetry", 1, b"lost")).await;
    let lost = world.next_chunk().await;
    wire.send(&publish(V5, "telemetry", 2, b"kept")).await;
    world.next_chunk().await.commit.send(()).unwrap();
    drop(lost);
    wire.expect_disconnect(0x89).await;
    assert_eq!(world.metric("mqtt_acks_sent_total"), 0);
}

#[tokio::test]
async fn what_is_over_the_quota_is_not_acknowledged_and_a_v5_client_is_told_why() {
    let world = World::obliging().await;
    let mut wire = Wire::device(&world, V5, "d1").await;
    wire.send(&publish(V5, "telemetry", 1, OVER_QUOTA)).await;
    wire.expect_disconnect(0x97).await;
    let mut old = Wire::device(&world, V4, "d2").await;
    old.send(&publish(V4, "telemetry", 1, OVER_QUOTA)).await;
    old.expect_closed().await;
    assert_eq!(world.metric("mqtt_acks_sent_total"), 0);
    world.until_metric("mqtt_disconnects_total{reason=\"over_quota\"}", 2).await;
}

#[tokio::test]
async fn no_more_is_read_than_may_wait_for_its_commit() {
    let world = World::with(false, |config| config.clients.receive_maximum = 2).await;
    let mut wire = Wire::device(&world, V4, "d1").await;
    let mut other = Wire::device(&world, V4, "d2").await;
    wire.send(&publish(V4, "telemetry", 1, b"1")).await;
    let first = world.next_chunk().await;
    wire.send(&publish(V4, "telemetry", 0, b"2")).await;
    let second = world.next_chunk().await;
    wire.send(&publish(V4, "telemetry", 3, b"3")).await;
    // Everything runs in one thread: when another client was answered several times, this one was polled.
    for _ in 0..5 {
        other.expect_nothing_more().await;
    }
    assert!(!world.has_chunk().await);
    first.commit.send(()).unwrap();
    wire.expect(&[0x40, 2, 0, 1]).await;
    let third = world.next_chunk().await;
    assert_eq!(third.payloads(), [b"3"]);
    drop(second);
    wire.expect_closed().await;
}

#[tokio::test]
async fn a_slow_log_loses_nothing() {
    let world = World::with(false, |config| config.clients.receive_maximum = 8).await;
    let mut wire = Wire::device(&world, V4, "d1").await;
    let messages = 300_u16;
    let sending: Vec<u8> =
        (1..=messages).flat_map(|id| publish(V4, "telemetry", id, &id.to_be_bytes())).collect();
    for piece in sending.chunks(40) {
        wire.send(piece).await;
    }
    let mut expected = 1_u16;
    while expected <= messages {
        let pending = world.next_chunk().await;
        for payload in pending.payloads() {
            assert_eq!(payload, expected.to_be_bytes());
            expected += 1;
        }
        pending.commit.send(()).unwrap();
    }
    for id in 1..=messages {
        wire.expect(&[&[0x40, 2][..], &id.to_be_bytes()].concat()).await;
    }
}

#[tokio::test]
async fn a_v5_client_that_ignores_receive_maximum_is_told_so() {
    let world = World::with(false, |config| config.clients.receive_maximum = 2).await;
    let mut wire = Wire::device(&world, V5, "d1").await;
    let frames: Vec<u8> = (1..=3).flat_map(|id| publish(V5, "telemetry", id, b"{}")).collect();
    wire.send(&frames).await;
    wire.expect_disconnect(0x93).await;
    assert_eq!(world.next_chunk().await.chunk.messages.len(), 2, "what was within the limit is stored");
}

#[tokio::test]
async fn topics_of_others_are_refused() {
    let world = World::obliging().await;
    let denied = [
        "devices/d2/telemetry",
        "commands/reboot/1",
        "properties/desired",
        "properties/result/1",
        "telemetry/a/b",
        "feed/alarms/high/1",
        "1/d2/telemetry",
        "$SYS/x",
    ];
    let mut v5 = Wire::device(&world, V5, "d1").await;
    for topic in denied {
        let frames =
            [publish(V5, topic, 9, b"{}"), publish(V5, topic, 0, b"{}"), publish(V5, "telemetry", 10, b"{}")];
        v5.send(&frames.concat()).await;
        v5.expect(&[0x40, 3, 0, 9, 0x87]).await;
        v5.expect(&[0x40, 2, 0, 10]).await;
        let mut v4 = Wire::device(&world, V4, "d1b").await;
        v4.send(&publish(V4, topic, 0, b"{}")).await;
        v4.expect_closed().await;
    }
    assert_eq!(world.metric("mqtt_drops_total{reason=\"not_authorized\"}"), denied.len() as u64);
    assert_eq!(world.metric("mqtt_messages_received_total"), denied.len() as u64);
    // What is no topic name at all ends the connection.
    for (name, reason) in [("telemetry/+", 0x90), ("#", 0x90), ("\u{0}", 0x81)] {
        for id in [0, 9] {
            let mut v5 = Wire::device(&world, V5, "d1").await;
            v5.send(&publish(V5, name, id, b"{}")).await;
            v5.expect_disconnect(reason).await;
        }
    }

    let mut application = Wire::login(&world, &Connect::new(V5, "1/app")).await;
    application.send(&publish(V5, "telemetry", 9, b"{}")).await;
    application.expect(&[0x40, 3, 0, 9, 0x87]).await;
}

#[tokio::test]
async fn subscriptions_to_what_is_others_are_refused() {
    let world = World::obliging().await;
    let filters = [
        ("commands/+/+", 2),
        ("#", 0),
        ("feed/#", 1),
        ("devices/d2/commands/#", 0),
        ("a/#/b", 0),
        ("$share/g/x", 0),
    ];
    let mut v5 = Wire::device(&world, V5, "d1").await;
    v5.send(&subscribe(V5, 5, &filters)).await;
    v5.expect(&[0x90, 9, 0, 5, 0, 2, 0x87, 0x87, 0x87, 0x8F, 0x87]).await;
    let mut v4 = Wire::device(&world, V4, "d1b").await;
    v4.send(&subscribe(V4, 5, &filters)).await;
    v4.expect(&[0x90, 8, 0, 5, 2, 0x80, 0x80, 0x80, 0x80, 0x80]).await;
    let mut application = Wire::login(&world, &Connect::new(V5, "1/app")).await;
    application
        .send(&subscribe(V5, 6, &[("feed/alarms/#", 1), ("#", 0), ("devices/d1/commands/#", 0)]))
        .await;
    application.expect(&[0x90, 6, 0, 6, 0, 1, 0x87, 0x87]).await;
    assert_eq!(world.metric("mqtt_subscriptions "), 3);
    drop((v5, v4, application));
    world.until_metric("mqtt_subscriptions ", 0).await;
}

#[tokio::test]
async fn subscriptions_are_bounded() {
    let world = World::with(true, |config| config.clients.subscriptions = 2).await;
    let mut wire = Wire::device(&world, V5, "d1").await;
    let filters = [("commands/a/+", 0), ("commands/b/+", 0), ("commands/c/+", 0), ("commands/a/+", 1)];
    wire.send(&subscribe(V5, 1, &filters)).await;
    wire.expect(&[0x90, 7, 0, 1, 0, 0, 0, 0x97, 1]).await;
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_connection_and_only_that() {
    let world = World::with(true, |config| config.clients.packet_bytes = 2_000).await;
    let with_properties = |properties: &[u8]| {
        let length = u8::try_from(properties.len()).unwrap();
        frame(0x30, &[&field(b"telemetry")[..], &[length], properties, b"{}"].concat())
    };
    let retained = frame(0x31, &[&field(b"telemetry")[..], &[0]].concat());
    let qos = |first| frame(first, &[&field(b"telemetry")[..], &[0, 1, 0]].concat());
    let subscription_id = frame(0x82, &[&[0, 1, 2, 0x0B, 0][..], &field(b"commands/#"), &[0]].concat());
    let cases: [(&str, Vec<u8>, u8); 22] = [
        ("QoS 3", qos(0x36), 0x81),
        ("retain", retained, 0x9A),
        ("oversize", publish(V5, "telemetry", 1, &[b'x'; 2_000]), 0x95),
        ("oversize, by its length alone", vec![0x30, 0xFF, 0xFF, 0xFF, 0x7F], 0x95),
        ("endless length", vec![0x30, 0xFF, 0xFF, 0xFF, 0xFF], 0x81),
        ("topic alias 0", with_properties(&[0x23, 0, 0]), 0x94),
        ("topic alias beyond what was offered", with_properties(&[0x23, 0, 17]), 0x94),
        ("two topic aliases", with_properties(&[0x23, 0, 1, 0x23, 0, 2]), 0x82),
        ("a topic alias that stands for nothing", frame(0x30, &[0, 0, 3, 0x23, 0, 1]), 0x82),
        ("unknown property", with_properties(&[0x7F, 0, 1]), 0x81),
        ("packet id 0", frame(0x32, &[&field(b"telemetry")[..], &[0, 0, 0]].concat()), 0x82),
        ("cut off in the topic", frame(0x30, &[0, 9, b't']), 0x81),
        ("second CONNECT", Connect::new(V5, "1/d1").frame(), 0x82),
        ("CONNACK", vec![0x20, 3, 0, 0, 0], 0x82),
        ("UNSUBACK", vec![0xB0, 3, 0, 1, 0], 0x82),
        ("PUBREL without its flags", vec![0x60, 2, 0, 1], 0x81),
        ("PUBREC with flags", vec![0x52, 2, 0, 1], 0x81),
        ("PUBCOMP for packet id 0", vec![0x70, 2, 0, 0], 0x82),
        ("PUBACK cut off", vec![0x40, 1, 0], 0x81),
        ("AUTH", vec![0xF0, 0], 0x82),
        ("SUBSCRIBE without a filter", frame(0x82, &[0, 1, 0]), 0x82),
        ("subscription identifier 0", subscription_id, 0x82),
    ];
    for (name, bytes, reason) in cases {
        let mut v5 = Wire::device(&world, V5, "d1").await;
        v5.send_unheard(&bytes).await;
        let told = v5.packet().await;
        assert_eq!((told[0], told[2]), (0xE0, reason), "{name}: {told:02x?}");
        assert!(in_words(&told[3..]).len() > 10, "{name}: {told:02x?}");
        v5.expect_closed().await;
    }
    for first in [0x36, 0x20, 0x60, 0x72, 0xF0] {
        let mut v4 = Wire::device(&world, V4, "d1").await;
        v4.send_unheard(&frame(first, &[&field(b"telemetry")[..], &[0, 1]].concat())).await;
        v4.expect_closed().await;
    }
    Wire::device(&world, V5, "d1").await.expect_nothing_more().await;
    assert_eq!(world.metric("mqtt_messages_received_total"), 0);
}

#[tokio::test]
async fn a_topic_has_an_alias_for_as_long_as_the_connection() {
    let world = World::obliging().await;
    let mut wire = Wire::device(&world, V5, "d1").await;
    let aliased = |id: u8, topic: &str, alias: u8, payload: &[u8]| {
        frame(0x32, &[&field(topic.as_bytes())[..], &[0, id, 3, 0x23, 0, alias], payload].concat())
    };
    let ecg = Channel::Telemetry { component: Some(Arc::from("ecg")) };
    let plain = Channel::Telemetry { component: None };
    for (id, topic, alias, expected) in [
        (1, "telemetry", 1, &plain),
        (2, "telemetry/ecg", 16, &ecg),
        (3, "", 1, &plain),
        (4, "", 16, &ecg),
        (5, "telemetry/ecg", 1, &ecg),
        (6, "", 1, &ecg),
    ] {
        wire.send(&aliased(id, topic, alias, &[id])).await;
        let message = world.next_message().await;
        assert_eq!((&message.channel, &message.payload[..]), (expected, &[id][..]), "message {id}");
        wire.expect(&[0x40, 2, 0, id]).await;
    }
    // One for a topic outside the client's rights leads there as well.
    for (id, topic) in [(7, "feed/x"), (8, "")] {
        wire.send(&aliased(id, topic, 2, b"{}")).await;
        wire.expect(&[0x40, 3, 0, id, 0x87]).await;
    }
    let mut other = Wire::device(&world, V5, "d2").await;
    other.send(&aliased(1, "", 1, b"{}")).await;
    other.expect_disconnect(0x82).await;
    wire.expect_nothing_more().await;
}

#[tokio::test]
async fn a_v311_client_cannot_know_that_nothing_is_retained() {
    let world = World::obliging().await;
    let mut wire = Wire::device(&world, V4, "d1").await;
    wire.send(&frame(0x33, &[&field(b"telemetry")[..], &[0, 1], b"{}"].concat())).await;
    wire.expect(&[0x40, 2, 0, 1]).await;
}

#[tokio::test]
async fn the_largest_packet_passes_in_small_pieces_between_small_ones() {
    let world = World::obliging().await;
    let mut wire = Wire::device(&world, V4, "d1").await;
    let payload: Vec<u8> = (0..256 * 1024_u32).map(|n| n.to_le_bytes()[0]).collect();
    let frames = [
        publish(V4, "telemetry", 1, b"{}"),
        publish(V4, "telemetry", 2, &payload),
        publish(V4, "telemetry", 3, b"{}"),
    ];
    for piece in frames.concat().chunks(7_001) {
        wire.send(piece).await;
    }
    for (id, expected) in [(1, &b"{}"[..]), (2, &payload), (3, b"{}")] {
        assert!(world.next_message().await.payload == expected, "message {id}");
        wire.expect(&[0x40, 2, 0, id]).await;
    }
}

#[tokio::test]
async fn a_will_speaks_for_who_vanishes_and_for_nobody_else() {
    let world = World::obliging().await;
    let ends: [(&str, &[u8], bool); 4] = [
        ("vanished", &[], true),
        ("disconnected", &[0xE0, 0], false),
        ("disconnected with will", &[0xE0, 2, 0x04, 0], true),
        ("broke the protocol", &[0x20, 3, 0, 0, 0], true),
    ];
    for (end, last, speaks) in ends {
        let will = Some(("telemetry/power".into(), end.as_bytes().to_vec(), 8));
        let mut wire = Wire::login(&world, &Connect { will, ..Connect::new(V5, "1/d1") }).await;
        wire.send(&publish(V5, "telemetry", 0, b"alive")).await;
        wire.send(last).await;
        drop(wire);
        assert_eq!(world.next_message().await.payload, "alive");
        world.until_metric("mqtt_connections ", 0).await;
        if speaks {
            let message = world.next_message().await;
            assert_eq!(message.payload, end);
            assert_eq!(message.channel, Channel::Telemetry { component: Some("power".into()) });
        }
    }
    assert_eq!(world.metric("mqtt_messages_received_total"), 7, "four alive, three wills");
}

/// A PUBLISH of QoS 2.
fn twice(level: u8, topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = publish(level, topic, id, payload);
    frame[0] = 0x34;
    frame
}

#[tokio::test]
async fn qos_2_is_taken_once_however_often_it_is_sent() {
    let world = World::deliberate().await;
    for level in [V4, V5] {
        let mut wire = Wire::device(&world, level, "d1").await;
        let mut again = twice(level, "telemetry", 7, b"first");
        wire.send(&again).await;
        let first = world.next_chunk().await;
        assert_eq!(first.payloads(), [b"first"]);
        wire.expect_nothing_more().await; // no PUBREC before the commit
        again[0] |= 0b1000;
        wire.send(&again).await;
        wire.expect_nothing_more().await;
        first.commit.send(()).unwrap();
        for _ in 0..2 {
            wire.expect(&[0x50, 2, 0, 7]).await;
        }
        wire.send(&again).await;
        wire.expect(&[0x50, 2, 0, 7]).await;
        assert!(!world.has_chunk().await, "it is in the log already");
        for known in [true, false] {
            wire.send(&[0x62, 2, 0, 7]).await;
            let pubcomp: &[u8] = if known || level == V4 { &[0x70, 2, 0, 7] } else { &[0x70, 3, 0, 7, 0x92] };
            wire.expect(pubcomp).await;
        }
        wire.send(&twice(level, "telemetry", 7, b"second")).await;
        let second = world.next_chunk().await;
        assert_eq!(second.payloads(), [b"second"], "the identifier was free again");
        second.commit.send(()).unwrap();
        wire.expect(&[0x50, 2, 0, 7]).await;
    }
}

#[tokio::test]
async fn qos_2_outside_the_rights_is_refused_with_its_first_answer() {
    let world = World::obliging().await;
    let mut v5 = Wire::device(&world, V5, "d1").await;
    v5.send(&twice(V5, "devices/d2/telemetry", 7, b"{}")).await;
    v5.expect(&[0x50, 3, 0, 7, 0x87]).await;
    v5.send(&twice(V5, "telemetry", 7, b"{}")).await;
    v5.expect(&[0x50, 2, 0, 7]).await;
    let mut v4 = Wire::device(&world, V4, "d2").await;
    v4.send(&twice(V4, "devices/d1/telemetry", 7, b"{}")).await;
    v4.expect_closed().await;
    assert_eq!(world.metric("mqtt_messages_received_total"), 1);
}

#[tokio::test]
async fn qos_2_that_is_never_released_costs_no_more_than_the_window() {
    let world = World::with(true, |config| config.clients.receive_maximum = 3).await;
    for level in [V4, V5] {
        let mut wire = Wire::device(&world, level, "d1").await;
        for id in 1..=3 {
            wire.send(&twice(level, "telemetry", id, b"{}")).await;
            wire.expect(&[0x50, 2, 0, u8::try_from(id).unwrap()]).await;
        }
        if level == V4 {
            wire.send(&twice(level, "telemetry", 3, b"{}")).await; // again: it needs no further place
            wire.expect(&[0x50, 2, 0, 3]).await;
        }
        wire.send(&[0x62, 2, 0, 2]).await;
        wire.expect(&[0x70, 2, 0, 2]).await;
        wire.send(&publish(level, "telemetry", 9, b"{}")).await;
        wire.expect(&[0x40, 2, 0, 9]).await;
        wire.send(&twice(level, "telemetry", 4, b"{}")).await;
        wire.expect(&[0x50, 2, 0, 4]).await;
        wire.send(&twice(level, "telemetry", 5, b"{}")).await;
        if level == V5 { wire.expect_disconnect(0x93).await } else { wire.expect_closed().await }
    }
}
