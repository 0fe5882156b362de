//! Who gets in, how, and what the others are told.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::time::Duration;

use support::{
    World, device, tenant,
    wire::{Connect, V4, V5, Wire, in_words, publish, subscribe},
};

#[tokio::test]
async fn a_v311_client_is_let_in_without_a_session() {
    let world = World::obliging().await;
    let mut wire = Wire::open(world.broker.local_addr()).await;
    let connect = Connect { clean: false, ..Connect::new(V4, "1/d1") };
    wire.send(&connect.frame()).await;
    wire.expect(&[0x20, 2, 0, 0]).await;
    assert_eq!(world.next_presence().await, (true, tenant(1), device("d1")));
    assert_eq!(world.metric("mqtt_connects_total{version=\"3.1.1\"}"), 1);
    assert_eq!(world.metric("mqtt_connections "), 1);
}

#[tokio::test]
async fn a_v5_client_is_told_every_limit() {
    let world = World::with(true, |config| config.clients.receive_maximum = 77).await;
    let mut wire = Wire::open(world.broker.local_addr()).await;
    let connect = Connect { client_id: String::new(), ..Connect::new(V5, "1/d1") };
    wire.send(&connect.frame()).await;
    let connack = wire.packet().await;
    assert_eq!(connack[..1], [0x20]);
    assert_eq!(connack[2..4], [0, 0], "no session present, success");
    let properties = &connack[5..];
    let max_packet = world_max_packet();
    for (name, expected) in [
        ("session expiry interval 0", &[0x11, 0, 0, 0, 0][..]),
        ("receive maximum", &[0x21, 0, 77]),
        ("retain not available", &[0x25, 0]),
        ("maximum packet size", &max_packet),
        ("topic alias maximum", &[0x22, 0, 16]),
        ("subscription identifiers available", &[0x29, 1]),
        ("shared subscriptions available", &[0x2A, 1]),
        ("assigned client identifier", b"\x12\x00\x15auto-"),
    ] {
        assert!(properties.windows(expected.len()).any(|found| found == expected), "{name}: {connack:02x?}");
    }
    assert!(!properties.windows(2).any(|found| found == [0x24, 1]), "no maximum QoS: {connack:02x?}");
}

fn world_max_packet() -> Vec<u8> {
    let max = broker::BrokerConfig::default().clients.packet_bytes;
    [&[0x27][..], &max.to_be_bytes()].concat()
}

#[tokio::test]
async fn refusals_say_why_in_the_words_of_each_version() {
    let world = World::with(true, |config| config.admit_timeout = Duration::from_millis(50)).await;
    let base = |level, user: &str| Connect::new(level, user);
    let wrong = |level| Connect { password: Some(b"wrong".to_vec()), ..base(level, "1/d1") };
    let anonymous = |level| Connect { user_name: None, password: None, ..base(level, "") };
    let named = |level, id: &str| Connect { client_id: id.into(), ..base(level, "1/d1") };
    let will = |level, topic: &str, bits| Connect {
        will: Some((topic.into(), b"gone".to_vec(), bits)),
        ..base(level, "1/d1")
    };
    let property = |bytes: &[u8]| Connect { properties: bytes.to_vec(), ..base(V5, "1/d1") };
    let cases = [
        (wrong(V4), Some(5), "bad_credentials"),
        (wrong(V5), Some(0x86), "bad_credentials"),
        (anonymous(V4), Some(5), "bad_credentials"),
        (anonymous(V5), Some(0x86), "bad_credentials"),
        (base(V4, "1/suspended"), Some(5), "not_authorized"),
        (base(V5, "1/suspended"), Some(0x87), "not_authorized"),
        (base(V4, "1/flood"), Some(3), "busy"),
        (base(V5, "1/flood"), Some(0x89), "busy"),
        (base(V4, "1/misnamed"), Some(2), "client_id"),
        (base(V5, "1/misnamed"), Some(0x85), "client_id"),
        (base(V4, "1/never"), Some(3), "unavailable"),
        (base(V5, "1/never"), Some(0x88), "unavailable"),
        (Connect { clean: false, ..named(V4, "") }, Some(2), "client_id"),
        (named(V4, &"x".repeat(257)), Some(2), "client_id"),
        (named(V5, "a\u{7}b"), Some(0x85), "client_id"),
        (base(3, "1/d1"), Some(1), "unsupported_version"),
        (will(V4, "devices/d2/telemetry", 0), Some(5), "will_topic"),
        (will(V5, "commands/x/1", 0), Some(0x87), "will_topic"),
        (will(V5, "telemetry", 0x20), Some(0x9A), "will_retain"),
        (Connect { user_name: None, ..base(V4, "") }, None, "malformed"),
        (property(b"\x15\x00\x05SCRAM"), Some(0x8C), "auth_method"),
        (property(b"\x21\x00\x00"), Some(0x81), "malformed"), // receive maximum 0
        (property(b"\x7F\x00"), Some(0x81), "malformed"),
    ];
    // Who takes small packets only is not told in words, and not let in where the CONNACK would not fit.
    for (bytes, password, code) in [(64, &b"wrong"[..], 0x86), (63, b"secret", 0x95), (5, b"secret", 0x95)] {
        let properties = vec![0x27, 0, 0, 0, bytes];
        let small = Connect { properties, password: Some(password.to_vec()), ..base(V5, "1/d1") };
        let mut wire = Wire::open(world.broker.local_addr()).await;
        wire.send(&small.frame()).await;
        let told = wire.packet().await;
        assert!(told[3] == code && told.len() <= usize::from(bytes), "{bytes}: {told:02x?}");
        wire.expect_closed().await;
    }
    for (connect, code, reason) in cases {
        let metric = format!("mqtt_refusals_total{{reason=\"{reason}\"}}");
        let before = world.metric(&metric);
        let mut wire = Wire::open(world.broker.local_addr()).await;
        wire.send(&connect.frame()).await;
        match code {
            Some(code) if connect.level == V5 => {
                let told = wire.packet().await;
                assert_eq!((told[0], told[2], told[3]), (0x20, 0, code), "{reason}: {told:02x?}");
                assert!(in_words(&told[4..]).len() > 10, "{reason}: {told:02x?}");
            }
            Some(code) => wire.expect(&[0x20, 2, 0, code]).await,
            None => {}
        }
        wire.expect_closed().await;
        world.until_metric(&metric, before + 1).await;
    }
    world.until_metric("mqtt_connections ", 0).await;
}

#[tokio::test]
async fn what_is_no_connect_is_closed_without_a_word() {
    let world = World::obliging().await;
    let connack = [0x20, 2, 0, 0];
    let unsuback = [0xB0, 2, 0, 1];
    let reserved_flag = [0x11, 2, 0, 0];
    let mqtt_4_on_a_wrong_name = b"\x10\x0c\x00\x04MQTX\x04\x02\x00\x00\x00\x00";
    for first in [
        &connack[..],
        &unsuback,
        &[0xC0, 0],
        &[0xF0, 0],
        &reserved_flag,
        &publish(V4, "telemetry", 1, b"{}"),
        b"GET / HTTP/1.1\r\n\r\n",
        mqtt_4_on_a_wrong_name,
        &[0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    ] {
        let mut wire = Wire::open(world.broker.local_addr()).await;
        wire.send(first).await;
        wire.expect_closed().await;
    }
    world.until_metric("mqtt_refusals_total{reason=\"not_connect\"}", 9).await;
    Wire::device(&world, V5, "d1").await.expect_nothing_more().await;
}

#[tokio::test]
async fn a_connect_larger_than_any_honest_one_is_refused_by_its_length() {
    let world = World::obliging().await;
    let mut wire = Wire::open(world.broker.local_addr()).await;
    wire.send(b"\x10\xFF\xFF\xFF\x7F\x00\x04MQTT\x04").await;
    wire.expect_closed().await;
    world.until_metric("mqtt_refusals_total{reason=\"packet_too_large\"}", 1).await;
}

#[tokio::test]
async fn who_sends_no_connect_is_closed_in_time() {
    let world = World::with(true, |config| config.connect_timeout = Duration::from_millis(50)).await;
    let mut wire = Wire::open(world.broker.local_addr()).await;
    wire.send(&Connect::new(V4, "1/d1").frame()[..9]).await;
    wire.expect_closed().await;
    world.until_metric("mqtt_refusals_total{reason=\"timeout\"}", 1).await;
}

#[tokio::test]
async fn a_connect_may_come_byte_by_byte_and_with_the_first_message_behind_it() {
    let world = World::obliging().await;
    let mut wire = Wire::open(world.broker.local_addr()).await;
    let bytes = [Connect::new(V5, "1/d1").frame(), publish(V5, "telemetry", 7, b"{}")].concat();
    for byte in &bytes {
        wire.send(&[*byte]).await;
    }
    assert_eq!(wire.packet().await[..1], [0x20]);
    wire.expect(&[0x40, 2, 0, 7]).await;

    let mut wire = Wire::open(world.broker.local_addr()).await;
    wire.send(&bytes).await;
    assert_eq!(wire.packet().await[..1], [0x20]);
    wire.expect(&[0x40, 2, 0, 7]).await;
}

#[tokio::test]
async fn clients_are_held_to_what_their_tenant_allows() {
    let world = World::obliging().await;
    let mut wire = Wire::open(world.broker.local_addr()).await;
    wire.send(&Connect::new(V5, "9/d1").frame()).await;
    let connack = wire.packet().await;
    for (name, told) in [("receive maximum", &[0x21, 0, 3][..]), ("packet size", &[0x27, 0, 0, 4, 0])] {
        assert!(connack.windows(told.len()).any(|found| found == told), "{name}: {connack:02x?}");
    }
    let (two, large) = (
        subscribe(V5, 1, &[("commands/a/+", 0), ("commands/b/+", 0)]),
        publish(V5, "telemetry", 2, &[b'x'; 1_100]),
    );
    wire.send(&two).await;
    wire.expect(&[0x90, 5, 0, 1, 0, 0, 0x97]).await;
    let _second = Wire::login(&world, &Connect::new(V4, "9/d2")).await;
    let mut third = Wire::open(world.broker.local_addr()).await;
    third.send(&Connect::new(V5, "9/d3").frame()).await;
    assert_eq!(third.packet().await[3], 0x97, "a third connection");
    wire.send(&large).await;
    wire.expect_disconnect(0x95).await;

    let mut elsewhere = Wire::device(&world, V5, "d1").await;
    elsewhere.send(&two).await;
    elsewhere.expect(&[0x90, 5, 0, 1, 0, 0, 0]).await;
    elsewhere.send(&large).await;
    elsewhere.expect(&[0x40, 2, 0, 2]).await;
}

#[tokio::test]
async fn neither_a_device_nor_a_hospital_takes_all_places() {
    let world = World::with(true, |config| {
        config.max_device_connections = 2;
        config.max_tenant_connections = 4;
    })
    .await;
    let called = |level, who: &str, client_id: &str| Connect {
        client_id: client_id.to_owned(),
        ..Connect::new(level, who)
    };
    let mut first = Wire::login(&world, &called(V4, "1/d1", "a")).await;
    let second = Wire::login(&world, &called(V5, "1/d1", "b")).await;
    let refused = async |connect: Connect| {
        let mut wire = Wire::open(world.broker.local_addr()).await;
        wire.send(&connect.frame()).await;
        let connack = wire.packet().await;
        wire.expect_closed().await;
        connack[3]
    };
    assert_eq!(refused(called(V4, "1/d1", "c")).await, 3);
    assert_eq!(refused(called(V5, "1/d1", "c")).await, 0x97);
    // Whoever takes its own place needs no other.
    let again = Wire::login(&world, &called(V4, "1/d1", "a")).await;
    first.expect_closed().await;
    let others = [
        Wire::login(&world, &called(V4, "1/d2", "a")).await,
        Wire::login(&world, &called(V4, "1/app", "a")).await,
    ];
    assert_eq!(refused(called(V5, "1/app", "b")).await, 0x97);
    assert_eq!(refused(called(V5, "1/d3", "a")).await, 0x97);
    Wire::login(&world, &called(V5, "2/d1", "a")).await.expect_nothing_more().await;
    assert_eq!(world.metric("mqtt_refusals_total{reason=\"too_many_connections\"}"), 4);
    drop((again, second));
    drop(others);
    world.until_metric("mqtt_connections ", 0).await;
    Wire::login(&world, &called(V5, "1/d3", "a")).await.expect_nothing_more().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_unread() {
    let world = World::with(true, |config| config.max_connections = 1).await;
    let mut first = Wire::device(&world, V4, "d1").await;
    Wire::open(world.broker.local_addr()).await.expect_closed().await;
    assert_eq!(world.metric("mqtt_refusals_total{reason=\"max_connections\"}"), 1);
    first.expect_nothing_more().await;
    drop(first);
    world.until_metric("mqtt_connections ", 0).await;
    Wire::device(&world, V4, "d1").await.expect_nothing_more().await;
}

#[tokio::test]
async fn behind_a_load_balancer_each_connection_says_where_it_comes_from() {
    let world = World::with(true, |config| config.proxied = true).await;
    let announced =
        [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C", &[192, 0, 2, 7, 198, 51, 100, 1, 1, 0, 7, 91][..]].concat();
    let mut wire = Wire::open(world.broker.local_addr()).await;
    wire.send(&announced).await;
    wire.greeted(&Connect::new(V5, "1/d1")).await.expect_nothing_more().await;
    let mut without = Wire::open(world.broker.local_addr()).await;
    without.send_unheard(&Connect::new(V5, "1/d1").frame()).await;
    without.packet_or_end().await;
    world.until_metric("mqtt_refusals_total{reason=\"proxy_protocol\"}", 1).await;
}

#[tokio::test]
async fn a_second_login_takes_the_session_over() {
    let world = World::obliging().await;
    let mut first = Wire::device(&world, V5, "d1").await;
    let mut other_device = Wire::device(&world, V5, "d2").await;
    let mut other_tenant = Wire::login(&world, &Connect::new(V5, "2/d1")).await;
    let second = Wire::device(&world, V4, "d1").await;
    first.expect_disconnect(0x8E).await;
    // All have the same client id; only the same client's session was taken over.
    other_device.expect_nothing_more().await;
    other_tenant.expect_nothing_more().await;
    // A device that is taken over was never gone.
    for expected in [(1, "d1"), (1, "d2"), (2, "d1")] {
        assert_eq!(world.next_presence().await, (true, tenant(expected.0), device(expected.1)));
    }
    world.until_metric("mqtt_disconnects_total{reason=\"taken_over\"}", 1).await;
    drop(second);
    assert_eq!(world.next_presence().await, (false, tenant(1), device("d1")));
}

#[tokio::test]
async fn a_silent_client_is_closed_after_one_and_a_half_keep_alives() {
    let world = World::obliging().await;
    let connect = Connect { keep_alive: 1, ..Connect::new(V5, "1/d1") };
    let mut silent = Wire::login(&world, &connect).await;
    let patient = Connect { client_id: "other".into(), keep_alive: 0, ..connect };
    let mut patient = Wire::login(&world, &patient).await;
    let started = tenants::clock::Stopwatch::start();
    silent.expect_disconnect(0x8D).await;
    let elapsed = started.elapsed();
    assert!(elapsed > Duration::from_millis(1_400), "closed too early: {elapsed:?}");
    patient.expect_nothing_more().await;
}

#[tokio::test]
async fn whoever_looks_after_a_device_is_told_what_becomes_of_its_connections() {
    let world = World::obliging().await;
    let mut told = Vec::new();
    let mut wire = Wire::device(&world, V5, "d1").await;
    for _ in 0..2 {
        wire.send(&publish(V5, "not/its/own", 1, b"x")).await;
        wire.packet().await;
    }
    wire.send(&[0xE0, 0]).await;
    for _ in 0..3 {
        told.push(world.next_episode().await);
    }
    drop(Wire::device(&world, V4, "d1").await);
    let mut silent = Wire::login(&world, &Connect { keep_alive: 1, ..Connect::new(V4, "1/d1") }).await;
    silent.expect_closed().await;
    let mut old = Wire::device(&world, V4, "d1").await;
    old.send(&publish(V4, "not/its/own", 1, b"x")).await;
    let will = Connect { will: Some(("not/its/own".into(), b"x".to_vec(), 0)), ..Connect::new(V5, "1/d1") };
    Wire::open(world.broker.local_addr()).await.send(&will.frame()).await;
    for _ in 0..8 {
        told.push(world.next_episode().await);
    }
    // A program has no such log.
    drop(Wire::login(&world, &Connect::new(V5, "1/app")).await);
    let words: Vec<String> = told.iter().map(|(_, what, why)| format!("{what:?}: {why}")).collect();
    let outside = "it published to a topic outside its rights";
    let mut expected = vec![
        "Connected: ".to_owned(),
        format!("Denied: {outside}"),
        "Ended: it said goodbye".to_owned(),
        "Connected: ".to_owned(),
        "Ended: the connection broke without a goodbye".to_owned(),
        "Connected: ".to_owned(),
        "Ended: nothing was heard for one and a half times the keep-alive".to_owned(),
        "Connected: ".to_owned(),
        format!("Denied: {outside}"),
        format!("Ended: {outside}"),
        "Refused: the will's topic is outside the client's rights".to_owned(),
    ];
    let mut words = words;
    // One connection's end and the next one's beginning have no order.
    words.sort();
    expected.sort();
    assert_eq!(words, expected);
}
