//! Sessions that outlive their connections, and retained messages: what is there when a client, or the broker, comes back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::{sync::Arc, time::Duration};

use broker::Qos;
use bytes::Bytes;
use support::{
    World, tenant,
    wire::{Connect, V4, V5, Wire, field, frame, publish, subscribe, unsubscribe},
};

/// A program of tenant 1 whose session is kept.
fn staying(level: u8, name: &str) -> Connect {
    let properties = if level == V5 { vec![0x11, 0, 0, 1, 0] } else { Vec::new() };
    Connect { clean: false, properties, ..Connect::new(level, &format!("1/{name}")) }
}

/// Connects; the CONNACK says whether a session goes on.
async fn login(world: &World, connect: &Connect, goes_on: bool) -> Wire {
    let mut wire = Wire::open(world.broker.local_addr()).await;
    wire.send(&connect.frame()).await;
    let connack = wire.packet().await;
    assert_eq!((connack[0], connack[2], connack[3]), (0x20, u8::from(goes_on), 0), "{connack:02x?}");
    wire
}

async fn listen(wire: &mut Wire, level: u8, filter: &str, options: u8) {
    wire.send(&subscribe(level, 1, &[(filter, options)])).await;
    let suback = wire.packet().await;
    assert_eq!((suback[0], *suback.last().unwrap()), (0x90, options & 0b11), "{suback:02x?}");
}

async fn leave(mut wire: Wire) {
    wire.send(&[0xE0, 0]).await;
    wire.expect_closed().await;
}

/// Says something with QoS 1 and waits until it is taken.
async fn say(wire: &mut Wire, topic: &str, payload: &str) {
    wire.send(&publish(V4, topic, 7, payload.as_bytes())).await;
    wire.expect(&[0x40, 2, 0, 7]).await;
}

async fn restarted(world: World) -> World {
    let memory = Arc::clone(&world.memory);
    world.broker.shutdown(Duration::from_secs(5)).await;
    World::that_found(memory, true, |_| {}).await
}

fn with(first: u8, level: u8, topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = publish(level, topic, id, payload);
    packet[0] = first;
    packet
}

#[tokio::test]
async fn what_was_said_meanwhile_is_there_when_the_client_comes_back() {
    for level in [V4, V5] {
        let world = World::obliging().await;
        let mut speaker = Wire::login(&world, &Connect::new(V4, "1/app-s")).await;
        let connect = staying(level, "app-l");
        let mut wire = login(&world, &connect, false).await;
        listen(&mut wire, level, "lab/#", 1).await;
        say(&mut speaker, "lab/1", "before").await;
        wire.expect(&publish(level, "lab/1", 1, b"before")).await;
        wire.send(&[0x40, 2, 0, 1]).await;
        leave(wire).await;
        for number in 0..3 {
            say(&mut speaker, "lab/1", &number.to_string()).await;
        }
        speaker.send(&publish(V4, "lab/1", 0, b"QoS 0 is not kept")).await;
        speaker.expect_nothing_more().await;
        let mut wire = login(&world, &connect, true).await;
        for (id, number) in (1..).zip(["0", "1", "2"]) {
            wire.expect(&publish(level, "lab/1", id, number.as_bytes())).await;
        }
        say(&mut speaker, "lab/1", "now").await;
        wire.expect(&publish(level, "lab/1", 4, b"now")).await;
        // Not acknowledged: it comes again, and says so.
        drop(wire);
        let mut wire = login(&world, &connect, true).await;
        for (id, payload) in (1..).zip(["0", "1", "2", "now"]) {
            wire.expect(&with(0x3A, level, "lab/1", id, payload.as_bytes())).await;
        }
        wire.send(&unsubscribe(level, 3, "lab/#")).await;
        assert_eq!(wire.packet().await[0], 0xB0);
        say(&mut speaker, "lab/1", "unheard").await;
        wire.expect_nothing_more().await;
    }
}

#[tokio::test]
async fn a_broker_that_starts_again_takes_up_what_was_kept() {
    let world = World::obliging().await;
    let mut speaker = Wire::login(&world, &Connect::new(V4, "1/app-s")).await;
    let connect = staying(V5, "app-l");
    let mut wire = login(&world, &connect, false).await;
    listen(&mut wire, V5, "lab/#", 2).await;
    // A device's session, too: what it is told waits for it.
    let device = Connect { clean: false, ..Connect::new(V4, "1/d1") };
    let mut monitor = login(&world, &device, false).await;
    listen(&mut monitor, V4, "commands/#", 1).await;
    drop(monitor);
    say(&mut speaker, "lab/1", "sent").await;
    wire.expect(&publish(V5, "lab/1", 1, b"sent")).await;
    drop(wire);
    say(&mut speaker, "lab/1", "waiting").await;
    let payload = Bytes::from_static(b"{}");
    world.broker.handle().publish(tenant(1), "devices/d1/commands/reboot/1", payload, Qos::AtLeastOnce);
    drop(speaker);

    let world = restarted(world).await;
    let mut speaker = Wire::login(&world, &Connect::new(V4, "1/app-s")).await;
    say(&mut speaker, "lab/1", "later").await;
    let mut wire = login(&world, &connect, true).await;
    wire.expect(&with(0x3A, V5, "lab/1", 1, b"sent")).await;
    wire.expect(&publish(V5, "lab/1", 2, b"waiting")).await;
    wire.expect(&publish(V5, "lab/1", 3, b"later")).await;
    let mut monitor = login(&world, &device, true).await;
    monitor.expect(&publish(V4, "commands/reboot/1", 1, b"{}")).await;
}

#[tokio::test]
async fn qos_2_arrives_once_whatever_happens_in_between() {
    let world = World::obliging().await;
    let mut speaker = Wire::login(&world, &Connect::new(V4, "1/app-s")).await;
    let connect = staying(V5, "app-l");
    let mut wire = login(&world, &connect, false).await;
    listen(&mut wire, V5, "lab/#", 2).await;
    for payload in ["one", "two"] {
        speaker.send(&with(0x34, V4, "lab/1", 9, payload.as_bytes())).await;
        speaker.expect(&[0x50, 2, 0, 9]).await;
        speaker.send(&[0x62, 2, 0, 9]).await;
        speaker.expect(&[0x70, 2, 0, 9]).await;
    }
    wire.expect(&with(0x34, V5, "lab/1", 1, b"one")).await;
    wire.expect(&with(0x34, V5, "lab/1", 2, b"two")).await;
    wire.send(&[0x50, 2, 0, 1]).await;
    wire.expect(&[0x62, 2, 0, 1]).await;
    drop(wire);
    // The first is the client's already; only the end of it is said again. The second is sent again as what it was.
    let mut wire = login(&world, &connect, true).await;
    wire.expect(&[0x62, 2, 0, 1]).await;
    wire.expect(&with(0x3C, V5, "lab/1", 2, b"two")).await;
    wire.send(&[0x70, 2, 0, 1]).await;
    wire.send(&[0x50, 2, 0, 2]).await;
    wire.expect(&[0x62, 2, 0, 2]).await;
    drop((wire, speaker));
    let world = restarted(world).await;
    let mut wire = login(&world, &connect, true).await;
    wire.expect(&[0x62, 2, 0, 2]).await;
    wire.send(&[0x70, 2, 0, 2]).await;
    wire.expect_nothing_more().await;
}

#[tokio::test]
async fn a_message_of_qos_2_is_taken_once_whatever_happens_in_between() {
    let world = World::obliging().await;
    let mut listener = Wire::login(&world, &Connect::new(V4, "1/app-l")).await;
    listen(&mut listener, V4, "lab/#", 0).await;
    let connect = staying(V5, "app-s");
    let once = with(0x34, V5, "lab/1", 9, b"once");
    let mut wire = login(&world, &connect, false).await;
    wire.send(&once).await;
    wire.expect(&[0x50, 2, 0, 9]).await;
    listener.expect(&publish(V4, "lab/1", 0, b"once")).await;
    for world in [&world, &world] {
        drop(wire);
        wire = login(world, &connect, true).await;
        wire.send(&once).await;
        wire.expect(&[0x50, 2, 0, 9]).await;
    }
    listener.expect_nothing_more().await;
    drop((wire, listener));
    let world = restarted(world).await;
    let mut listener = Wire::login(&world, &Connect::new(V4, "1/app-l")).await;
    listen(&mut listener, V4, "lab/#", 0).await;
    let mut wire = login(&world, &connect, true).await;
    wire.send(&once).await;
    wire.expect(&[0x50, 2, 0, 9]).await;
    wire.send(&[0x62, 2, 0, 9]).await;
    wire.expect(&[0x70, 2, 0, 9]).await;
    wire.send(&[0x62, 2, 0, 9]).await;
    wire.expect(&[0x70, 3, 0, 9, 0x92]).await;
    listener.expect_nothing_more().await;
    wire.send(&once).await; // the identifier is free: another message
    wire.expect(&[0x50, 2, 0, 9]).await;
    listener.expect(&publish(V4, "lab/1", 0, b"once")).await;
}

#[tokio::test]
async fn a_devices_message_of_qos_2_is_stored_once_over_two_connections() {
    let world = World::deliberate().await;
    let device = Connect { clean: false, ..Connect::new(V4, "1/d1") };
    let once = with(0x34, V4, "telemetry", 9, b"{}");
    let mut wire = login(&world, &device, false).await;
    wire.send(&once).await;
    let first = world.next_chunk().await;
    assert_eq!(first.chunk.received.len(), 1, "written with the message");
    // The next connection waits until it is known what became of it.
    drop(wire);
    let address = world.broker.local_addr();
    let frame = device.frame();
    let next = tokio::spawn(async move {
        let mut wire = Wire::open(address).await;
        wire.send(&frame).await;
        wire.expect(&[0x20, 2, 1, 0]).await;
        wire
    });
    first.commit.send(()).unwrap();
    let mut wire = next.await.unwrap();
    wire.send(&once).await;
    wire.expect(&[0x50, 2, 0, 9]).await;
    assert!(!world.has_chunk().await);
    // One that never is committed is taken when it is sent again.
    let other = with(0x34, V4, "telemetry", 10, b"{}");
    wire.send(&other).await;
    drop(world.next_chunk().await);
    wire.expect_closed().await;
    let mut wire = login(&world, &device, true).await;
    wire.send(&other).await;
    world.next_chunk().await.commit.send(()).unwrap();
    wire.expect(&[0x50, 2, 0, 10]).await;
}

#[tokio::test]
async fn who_subscribes_hears_what_was_retained() {
    let mut world = World::obliging().await;
    for round in 0..2 {
        let mut speaker = Wire::login(&world, &Connect::new(V5, "1/app-s")).await;
        let mut live = Wire::login(&world, &Connect::new(V5, "1/app-live")).await;
        listen(&mut live, V5, "other/#", 1 | 8).await;
        if round == 0 {
            for (topic, payload) in [("lab/1", "old"), ("lab/1", "new"), ("lab/2", "x"), ("lab/2", "")] {
                speaker.send(&with(0x33, V5, topic, 7, payload.as_bytes())).await;
                speaker.expect(&[0x40, 2, 0, 7]).await;
            }
            speaker.send(&with(0x33, V5, "other/1", 7, b"said now")).await;
            speaker.expect(&[0x40, 2, 0, 7]).await;
            live.expect(&with(0x33, V5, "other/1", 1, b"said now")).await;
        } else {
            live.expect(&with(0x33, V5, "other/1", 1, b"said now")).await;
        }
        // Each time, when it is new, never; never where it is shared.
        for (filter, options, hears) in [
            ("lab/+", 1, [true, true]),
            ("lab/1", 1 | 16, [true, false]),
            ("lab/#", 1 | 32, [false, false]),
            ("$share/g/lab/1", 1, [false, false]),
        ] {
            let mut wire = Wire::login(&world, &Connect::new(V5, "1/app-w")).await;
            for (id, hears) in (1..).zip(hears) {
                listen(&mut wire, V5, filter, options).await;
                if hears {
                    wire.expect(&with(0x33, V5, "lab/1", id, b"new")).await;
                }
                wire.expect_nothing_more().await;
            }
        }
        drop((speaker, live));
        world = restarted(world).await;
    }
}

#[tokio::test]
async fn a_kept_session_gets_retained_messages_even_if_it_leaves_at_once() {
    let world = World::obliging().await;
    let mut speaker = Wire::login(&world, &Connect::new(V5, "1/app-s")).await;
    speaker.send(&with(0x33, V5, "lab/1", 7, b"kept")).await;
    speaker.expect(&[0x40, 2, 0, 7]).await;
    let connect = staying(V5, "app-l");
    let mut wire = login(&world, &connect, false).await;
    listen(&mut wire, V5, "lab/#", 1).await;
    drop((wire, speaker));
    let world = restarted(world).await;
    let mut wire = login(&world, &connect, true).await;
    let packet = wire.packet().await;
    assert!([0x33, 0x3B].contains(&packet[0]), "{packet:02x?}");
    assert_eq!(packet[1..], publish(V5, "lab/1", 1, b"kept")[1..]);
}

#[tokio::test]
async fn a_session_ends_with_a_clean_start_or_when_its_time_is_over() {
    let world = World::obliging().await;
    let connect = staying(V5, "app-l"); // 256 seconds
    let mut wire = login(&world, &connect, false).await;
    listen(&mut wire, V5, "lab/#", 1).await;
    leave(wire).await;
    let mut wire = login(&world, &Connect { clean: true, ..connect.clone() }, false).await;
    let mut speaker = Wire::login(&world, &Connect::new(V4, "1/app-s")).await;
    say(&mut speaker, "lab/1", "unheard").await;
    wire.expect_nothing_more().await;
    listen(&mut wire, V5, "lab/#", 1).await;
    leave(wire).await;
    leave(login(&world, &connect, true).await).await;
    world.clock.advance(Duration::from_secs(257));
    world.until_metric("mqtt_subscriptions", 0).await;
    let mut wire = login(&world, &connect, false).await;
    // The last word counts: with this DISCONNECT the session ends at once.
    listen(&mut wire, V5, "lab/#", 1).await;
    wire.send(&[0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0]).await;
    wire.expect_closed().await;
    login(&world, &connect, false).await;
    // One that was to end with its connection is not kept after all.
    let mut brief = Wire::login(&world, &Connect::new(V5, "1/app-b")).await;
    brief.send(&[0xE0, 7, 0, 5, 0x11, 0, 0, 0, 9]).await;
    brief.expect_disconnect(0x82).await;
}

#[tokio::test]
async fn a_session_that_ends_with_its_connection_does_not_take_the_next_one_with_it() {
    let world = World::obliging().await;
    let mut speaker = Wire::login(&world, &Connect::new(V4, "1/app-s")).await;
    let (staying, brief) = (staying(V5, "app-l"), Connect::new(V5, "1/app-l"));
    drop(login(&world, &staying, false).await);
    let wire = login(&world, &Connect { clean: false, ..brief.clone() }, true).await;
    // The store is slow, and has something to do when the session ends and when the next one begins.
    let slow = world.memory.hold.lock().await;
    speaker.send(&with(0x33, V4, "other", 7, b"x")).await;
    speaker.expect_nothing_more().await;
    leave(wire).await;
    let address = world.broker.local_addr();
    let next = tokio::spawn(async move {
        let mut wire = Wire::open(address).await;
        wire.send(&staying.frame()).await;
        let connack = wire.packet().await;
        assert_eq!((connack[2], connack[3]), (0, 0), "{connack:02x?}");
        wire
    });
    world.until_metric("mqtt_connections", 2).await;
    for _ in 0..20 {
        speaker.expect_nothing_more().await; // the CONNECT is read meanwhile, and waits
    }
    drop(slow);
    let mut wire = next.await.unwrap();
    speaker.expect(&[0x40, 2, 0, 7]).await;
    listen(&mut wire, V5, "lab/#", 1).await;
    say(&mut speaker, "lab/1", "x").await;
    wire.expect(&publish(V5, "lab/1", 1, b"x")).await;
}

#[tokio::test]
async fn a_stalled_client_of_a_kept_session_misses_nothing() {
    let world = World::with(true, |config| {
        config.clients.in_flight = 2;
        config.clients.queued_messages = 4;
    })
    .await;
    let mut speaker = Wire::login(&world, &Connect::new(V4, "1/app-s")).await;
    let mut wire = login(&world, &staying(V4, "app-l"), false).await;
    listen(&mut wire, V4, "lab/#", 1).await;
    for number in 0..50 {
        say(&mut speaker, "lab/1", &number.to_string()).await;
    }
    for number in 0..50_u16 {
        let id = number + 1;
        wire.expect(&publish(V4, "lab/1", id, number.to_string().as_bytes())).await;
        let [high, low] = id.to_be_bytes();
        wire.send(&[0x40, 2, high, low]).await;
    }
    wire.expect_nothing_more().await;
    assert_eq!(world.metric("mqtt_drops_total{reason=\"queue_full\"}"), 0);
}

#[tokio::test]
async fn the_same_client_goes_on_where_its_other_connection_was() {
    let world = World::obliging().await;
    let connect = staying(V5, "app-l");
    let mut first = login(&world, &connect, false).await;
    listen(&mut first, V5, "lab/#", 1).await;
    let mut second = login(&world, &connect, true).await;
    first.expect_disconnect(0x8E).await;
    let mut speaker = Wire::login(&world, &Connect::new(V4, "1/app-s")).await;
    say(&mut speaker, "lab/1", "x").await;
    second.expect(&publish(V5, "lab/1", 1, b"x")).await;
}

#[tokio::test]
async fn a_will_waits_for_the_client_to_come_back() {
    let world = World::obliging().await;
    let mut listener = Wire::login(&world, &Connect::new(V5, "1/app-l")).await;
    listen(&mut listener, V5, "lab/#", 0).await;
    let with_delay = |seconds: u8| {
        let connect = staying(V5, "app-w");
        let mut will = field(connect.client_id.as_bytes());
        will.extend([5, 0x18, 0, 0, 0, seconds]);
        will.extend(field(b"lab/gone"));
        will.extend(field(b"bye"));
        will.extend(field(b"1/app-w"));
        will.extend(field(b"secret"));
        let mut body = field(b"MQTT");
        body.extend([V5, 0xC4, 0, 0, 5, 0x11, 0, 0, 1, 0]);
        body.extend(will);
        frame(0x10, &body)
    };
    let open = async |packet: &[u8]| {
        let mut wire = Wire::open(world.broker.local_addr()).await;
        wire.send(packet).await;
        assert_eq!(wire.packet().await[3], 0);
        wire
    };
    // It comes back in time.
    drop(open(&with_delay(60)).await);
    let wire = open(&with_delay(60)).await;
    listener.expect_nothing_more().await;
    // It does not.
    drop(wire);
    drop(open(&with_delay(1)).await);
    listener.expect(&publish(V5, "lab/gone", 0, b"bye")).await;
    // The session ends before.
    drop(open(&with_delay(60)).await);
    login(&world, &Connect { clean: true, ..Connect::new(V5, "1/app-w") }, false).await;
    listener.expect(&publish(V5, "lab/gone", 0, b"bye")).await;
}

#[tokio::test]
async fn a_group_prefers_who_is_connected_and_keeps_for_who_is_not() {
    let world = World::obliging().await;
    let mut speaker = Wire::login(&world, &Connect::new(V4, "1/app-s")).await;
    let connect = staying(V5, "app-l");
    let mut away = login(&world, &connect, false).await;
    listen(&mut away, V5, "$share/g/lab/#", 1).await;
    leave(away).await;
    let mut here = Wire::login(&world, &Connect::new(V5, "1/app-h")).await;
    listen(&mut here, V5, "$share/g/lab/#", 1).await;
    for id in [1, 2] {
        say(&mut speaker, "lab/1", "who is here").await;
        here.expect(&publish(V5, "lab/1", id, b"who is here")).await;
    }
    leave(here).await;
    world.until_metric("mqtt_subscriptions", 1).await;
    say(&mut speaker, "lab/1", "who is away").await;
    let mut away = login(&world, &connect, true).await;
    away.expect(&publish(V5, "lab/1", 1, b"who is away")).await;
    away.expect_nothing_more().await;
}

#[tokio::test]
async fn sessions_and_retained_messages_are_bounded_for_each_tenant() {
    let world = World::with(true, |config| {
        config.max_kept_sessions = 1;
        config.max_retained = 1;
    })
    .await;
    let mut wire = login(&world, &staying(V5, "app-a"), false).await;
    for (level, code) in [(V5, 0x97), (V4, 3)] {
        let mut refused = Wire::open(world.broker.local_addr()).await;
        refused.send(&staying(level, "app-b").frame()).await;
        assert_eq!(refused.packet().await[3], code);
    }
    let elsewhere = Connect { user_name: Some("2/app-a".into()), ..staying(V5, "app-a") };
    login(&world, &elsewhere, false).await;
    for (topic, answer) in
        [("a", &[0x40, 2, 0, 7][..]), ("b", &[0x40, 3, 0, 7, 0x97]), ("a", &[0x40, 2, 0, 7])]
    {
        wire.send(&with(0x33, V5, topic, 7, b"x")).await;
        wire.expect(answer).await;
    }
}

#[tokio::test]
async fn nobody_takes_the_places_of_the_others_sessions() {
    let world = World::with(true, |config| config.max_kept_sessions_of_one = 2).await;
    let named = |user: &str, client_id: &str| Connect {
        client_id: client_id.into(),
        user_name: Some(user.into()),
        ..staying(V5, "app-a")
    };
    login(&world, &named("1/app-a", "one"), false).await;
    login(&world, &named("1/app-a", "two"), false).await;
    let mut refused = Wire::open(world.broker.local_addr()).await;
    refused.send(&named("1/app-a", "three").frame()).await;
    assert_eq!(refused.packet().await[3], 0x97);
    login(&world, &named("1/app-a", "two"), true).await;
    login(&world, &named("1/app-b", "three"), false).await;
}

#[tokio::test]
async fn a_long_keep_alive_is_shortened_and_told() {
    let world = World::obliging().await;
    let mut wire = Wire::open(world.broker.local_addr()).await;
    wire.send(&Connect { keep_alive: 120, ..Connect::new(V5, "1/app-a") }.frame()).await;
    let connack = wire.packet().await;
    assert!(connack.windows(3).any(|property| property == [0x13, 0, 60]), "{connack:02x?}");
}
