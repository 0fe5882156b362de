//! Messages to clients: who hears what, how often, and what happens to who does not listen.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use broker::{Delivery, Qos};
use bytes::Bytes;
use support::{
    World, tenant,
    wire::{Connect, V4, V5, Wire, field, frame, publish, subscribe, unsubscribe},
};

async fn listening(world: &World, connect: &Connect, filter: &str, qos: u8) -> Wire {
    let mut wire = Wire::login(world, connect).await;
    wire.send(&subscribe(connect.level, 1, &[(filter, qos)])).await;
    let suback = wire.packet().await;
    assert_eq!((suback[0], suback.last()), (0x90, Some(&qos)), "{suback:02x?}");
    wire
}

const ONE: Delivery = Delivery { queued: 1, dropped: 0 };
const NONE: Delivery = Delivery { queued: 0, dropped: 0 };

#[tokio::test]
async fn a_device_hears_its_own_name_and_no_other() {
    let world = World::obliging().await;
    let handle = world.broker.handle();
    for level in [V4, V5] {
        let mut wire = listening(&world, &Connect::new(level, "1/d1"), "commands/+/+", 1).await;
        let say = |tenant_number, topic: &str, qos| {
            handle.publish(tenant(tenant_number), topic, Bytes::from_static(b"{}"), qos)
        };
        assert!(handle.has_subscribers(tenant(1), "devices/d1/commands/reboot/7"));
        for (number, topic) in [
            (2, "devices/d1/commands/reboot/7"), // another tenant's device of the same name
            (1, "devices/d2/commands/reboot/7"),
            (1, "devices/d1/properties/desired"),
            (1, "commands/reboot/7"),
            (1, "devices/+/commands/reboot/7"),
            (1, ""),
        ] {
            assert_eq!(say(number, topic, Qos::AtLeastOnce), NONE, "{number} {topic}");
            assert!(!handle.has_subscribers(tenant(number), topic));
        }
        assert_eq!(say(1, "devices/d1/commands/reboot/7", Qos::AtLeastOnce), ONE);
        wire.expect(&publish(level, "commands/reboot/7", 1, b"{}")).await;
        assert_eq!(say(1, "devices/d1/commands/reboot/8", Qos::AtMostOnce), ONE);
        wire.expect(&publish(level, "commands/reboot/8", 0, b"{}")).await;

        wire.send(&unsubscribe(level, 3, "commands/+/+")).await;
        let unsuback: &[u8] = if level == V5 { &[0xB0, 4, 0, 3, 0, 0] } else { &[0xB0, 2, 0, 3] };
        wire.expect(unsuback).await;
        assert_eq!(say(1, "devices/d1/commands/reboot/9", Qos::AtMostOnce), NONE);
        if level == V5 {
            wire.send(&unsubscribe(level, 4, "commands/+/+")).await;
            wire.expect(&[0xB0, 4, 0, 4, 0, 0x11]).await;
        }
    }
}

#[tokio::test]
async fn every_subscriber_hears_at_its_own_version_and_qos() {
    let world = World::obliging().await;
    let named = |level, name: &str| Connect { client_id: name.into(), ..Connect::new(level, "1/app") };
    let mut clients = Vec::new();
    for (level, qos) in [(V4, 0), (V4, 1), (V5, 0), (V5, 1)] {
        let wire = listening(&world, &named(level, &format!("{level}-{qos}")), "feed/#", qos).await;
        clients.push((level, qos, wire));
    }
    let _other_tenant = listening(&world, &Connect::new(V5, "2/app"), "feed/#", 0).await;
    let topic = "feed/alarms/high/a1";
    let delivery =
        world.broker.handle().publish(tenant(1), topic, Bytes::from_static(b"{}"), Qos::AtLeastOnce);
    assert_eq!(delivery, Delivery { queued: 4, dropped: 0 });
    for (level, qos, wire) in &mut clients {
        wire.expect(&publish(*level, topic, u16::from(*qos), b"{}")).await;
        wire.expect_nothing_more().await;
    }
    assert_eq!(world.metric("mqtt_messages_sent_total"), 4);
}

#[tokio::test]
async fn who_shares_a_subscription_takes_turns_and_stands_in_for_who_is_gone() {
    let world = World::obliging().await;
    let named = |level, name: &str| Connect { client_id: name.into(), ..Connect::new(level, "1/app") };
    let mut first = listening(&world, &named(V5, "first"), "$share/ehr/feed/#", 1).await;
    let mut second = listening(&world, &named(V4, "second"), "$share/ehr/feed/#", 1).await;
    let mut alone = listening(&world, &named(V5, "alone"), "$share/archive/feed/+", 1).await;
    // The same names in another tenant are others.
    let mut other = listening(&world, &Connect::new(V5, "2/app"), "$share/ehr/feed/#", 1).await;
    let say = |number: usize| {
        let payload = Bytes::from(number.to_string());
        world.broker.handle().publish(tenant(1), "feed/x", payload, Qos::AtLeastOnce)
    };
    let two = Delivery { queued: 2, dropped: 0 };
    for number in 0..4 {
        assert_eq!(say(number), two, "one of the pair, and the one alone");
    }
    for (id, number) in (1..).zip(["0", "2"]) {
        first.expect(&publish(V5, "feed/x", id, number.as_bytes())).await;
    }
    for (id, number) in (1..).zip(["1", "3"]) {
        second.expect(&publish(V4, "feed/x", id, number.as_bytes())).await;
    }
    for (id, number) in (1..).zip(["0", "1", "2", "3"]) {
        alone.expect(&publish(V5, "feed/x", id, number.as_bytes())).await;
    }
    second.send(&unsubscribe(V4, 3, "$share/ehr/feed/#")).await;
    second.expect(&[0xB0, 2, 0, 3]).await;
    drop(second);
    for (id, number) in (3..).zip([4, 5]) {
        assert_eq!(say(number), two);
        first.expect(&publish(V5, "feed/x", id, number.to_string().as_bytes())).await;
    }
    other.expect_nothing_more().await;
    // MQTT-3.8.3-4: nobody shares and leaves out what is their own.
    first.send(&subscribe(V5, 9, &[("$share/ehr/feed/x", 1 | 4)])).await;
    first.expect_disconnect(0x82).await;
}

#[tokio::test]
async fn qos_1_in_flight_is_bounded_by_what_the_client_can_take() {
    let world = World::obliging().await;
    let handle = world.broker.handle();
    let two_at_once = vec![0x21, 0, 2]; // Receive Maximum 2
    let connect = Connect { properties: two_at_once, ..Connect::new(V5, "1/app") };
    let mut wire = listening(&world, &connect, "feed/#", 1).await;
    for text in ["a", "b", "c", "d"] {
        assert_eq!(
            handle.publish(tenant(1), "feed/x", Bytes::from_static(text.as_bytes()), Qos::AtLeastOnce),
            ONE
        );
    }
    wire.expect(&publish(V5, "feed/x", 1, b"a")).await;
    wire.expect(&publish(V5, "feed/x", 2, b"b")).await;
    wire.expect_nothing_more().await;
    wire.send(&[0x40, 2, 0, 2]).await; // acknowledged out of order
    wire.expect(&publish(V5, "feed/x", 3, b"c")).await;
    wire.send(&frame(0x40, &[0, 1, 0x00, 0])).await; // with a reason and properties
    wire.expect(&publish(V5, "feed/x", 4, b"d")).await;
    wire.send(&[0x40, 2, 0, 99]).await; // never sent
    wire.expect_nothing_more().await;
}

#[tokio::test]
async fn who_does_not_acknowledge_is_a_slow_consumer() {
    let world = World::with(true, |config| {
        config.clients.in_flight = 1;
        config.clients.queued_messages = 2;
    })
    .await;
    let handle = world.broker.handle();
    let mut wire = listening(&world, &Connect::new(V5, "1/app"), "feed/#", 1).await;
    let say = || handle.publish(tenant(1), "feed/x", Bytes::new(), Qos::AtLeastOnce);
    assert_eq!(say(), ONE);
    wire.expect(&publish(V5, "feed/x", 1, b"")).await;
    assert_eq!([say(), say()], [ONE, ONE], "these wait");
    assert_eq!(say(), Delivery { queued: 0, dropped: 1 });
    wire.expect_disconnect(0x97).await;
    world.until_metric("mqtt_drops_total{reason=\"slow_consumer\"}", 1).await;
    world.until_metric("mqtt_drops_total{reason=\"disconnected\"}", 2).await;
    assert_eq!(say(), NONE);
}

#[tokio::test]
async fn qos_0_to_a_full_queue_is_dropped_and_counted() {
    let world = World::with(true, |config| config.clients.queued_messages = 3).await;
    let handle = world.broker.handle();
    let mut wire = listening(&world, &Connect::new(V4, "1/app"), "feed/#", 0).await;
    // This task does not yield, so the session cannot send in between.
    let said: Vec<_> =
        (0..5).map(|_| handle.publish(tenant(1), "feed/x", Bytes::new(), Qos::AtLeastOnce).queued).collect();
    assert_eq!(said, [1, 1, 1, 0, 0]);
    for _ in 0..3 {
        wire.expect(&publish(V4, "feed/x", 0, b"")).await;
    }
    wire.expect_nothing_more().await;
    assert_eq!(world.metric("mqtt_drops_total{reason=\"queue_full\"}"), 2);
}

#[tokio::test]
async fn what_is_larger_than_the_client_takes_is_not_sent() {
    let world = World::obliging().await;
    let handle = world.broker.handle();
    let connect = Connect { properties: vec![0x27, 0, 0, 0, 64], ..Connect::new(V5, "1/app") };
    let mut wire = listening(&world, &connect, "feed/#", 0).await;
    let large = Bytes::from_static(&[b'x'; 64]);
    let dropped = handle.publish(tenant(1), "feed/x", large, Qos::AtMostOnce);
    assert_eq!(dropped, Delivery { queued: 0, dropped: 1 });
    assert_eq!(handle.publish(tenant(1), "feed/x", Bytes::from_static(b"small"), Qos::AtMostOnce), ONE);
    wire.expect(&publish(V5, "feed/x", 0, b"small")).await;
    assert_eq!(world.metric("mqtt_drops_total{reason=\"too_large\"}"), 1);
}

#[tokio::test]
async fn who_reads_nothing_is_closed() {
    let world = World::with(true, |config| {
        config.write_timeout = std::time::Duration::from_millis(100);
        config.outbox_bytes = 64 * 1024 * 1024;
    })
    .await;
    let _deaf = listening(&world, &Connect::new(V4, "1/app"), "feed/#", 0).await;
    let large = Bytes::from(vec![b'x'; 200_000]);
    for _ in 0..200 {
        world.broker.handle().publish(tenant(1), "feed/x", large.clone(), Qos::AtMostOnce);
    }
    world.until_metric("mqtt_disconnects_total{reason=\"slow_consumer\"}", 1).await;
}

#[tokio::test]
async fn qos_2_is_handed_over_in_two_steps() {
    let world = World::with(true, |config| config.clients.in_flight = 1).await;
    let say = |payload| world.broker.handle().publish(tenant(1), "feed/x", payload, Qos::ExactlyOnce);
    for level in [V4, V5] {
        let mut wire = listening(&world, &Connect::new(level, "1/app"), "feed/#", 2).await;
        assert_eq!([say(Bytes::from_static(b"1")), say(Bytes::from_static(b"2"))], [ONE; 2]);
        let mut first = publish(level, "feed/x", 1, b"1");
        first[0] = 0x34;
        wire.expect(&first).await;
        wire.send(&[0x40, 2, 0, 1]).await; // a PUBACK is no answer to it
        wire.expect_nothing_more().await;
        for _ in 0..2 {
            wire.send(&[0x50, 2, 0, 1]).await;
            wire.expect(&[0x62, 2, 0, 1]).await;
        }
        wire.expect_nothing_more().await;
        wire.send(&[0x70, 2, 0, 1]).await;
        let mut second = publish(level, "feed/x", 2, b"2");
        second[0] = 0x34;
        wire.expect(&second).await;
        if level == V5 {
            wire.send(&[0x50, 4, 0, 2, 0x97, 0]).await; // refused: there is nothing to release
        } else {
            wire.send(&[0x50, 2, 0, 2]).await;
            wire.expect(&[0x62, 2, 0, 2]).await;
            wire.send(&[0x70, 2, 0, 2]).await;
        }
        wire.expect_nothing_more().await;
        wire.send(&[0x50, 2, 0, 9]).await;
        let nothing_of_it: &[u8] = if level == V5 { &[0x62, 3, 0, 9, 0x92] } else { &[0x62, 2, 0, 9] };
        wire.expect(nothing_of_it).await;
        assert_eq!(say(Bytes::from_static(b"3")), ONE);
        assert_eq!(wire.packet().await.last(), Some(&b'3'));
    }
}

#[tokio::test]
async fn a_v5_client_is_told_which_subscriptions_matched_and_topics_by_alias() {
    let world = World::obliging().await;
    let connect = Connect { properties: vec![0x22, 0, 1], ..Connect::new(V5, "1/app") };
    let mut wire = Wire::login(&world, &connect).await;
    let subscribe = |id: u8, filter: &str| {
        frame(0x82, &[&[0, 1, 2, 0x0B, id][..], &field(filter.as_bytes()), &[0]].concat())
    };
    for (id, filter) in [(5, "feed/#"), (6, "feed/+/x"), (7, "feed/+/x")] {
        wire.send(&subscribe(id, filter)).await;
        wire.expect(&[0x90, 4, 0, 1, 0, 0]).await;
    }
    let say =
        |topic| world.broker.handle().publish(tenant(1), topic, Bytes::from_static(b"{}"), Qos::AtMostOnce);
    let heard = |topic: &str, properties: &[u8]| {
        let length = u8::try_from(properties.len()).unwrap();
        frame(0x30, &[&field(topic.as_bytes())[..], &[length], properties, b"{}"].concat())
    };
    assert_eq!(["feed/a/x", "feed/a/x", "feed/b"].map(say), [ONE; 3], "once, however many match");
    wire.expect(&heard("feed/a/x", &[0x0B, 5, 0x0B, 7, 0x23, 0, 1])).await;
    wire.expect(&heard("", &[0x0B, 5, 0x0B, 7, 0x23, 0, 1])).await;
    wire.expect(&heard("feed/b", &[0x0B, 5])).await;
}
