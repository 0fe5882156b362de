use std::time::Duration;

use tests::mqtt::{Login, Packet, Version, connect, ping, publish, subscribe};
use tests::{Options, Server, time};

use crate::wire::{Wire, reading};

const BOTH: [Version; 2] = [Version::V311, Version::V5];

/// The first monitor's way in.
fn login(server: &Server) -> Login {
    let tenant = server.first_tenant();
    server.login(tenant, tenant.monitor(0))
}

/// A server that serves a well-behaved client was not harmed by the others.
async fn is_unharmed(server: &Server) {
    for version in BOTH {
        let mut wire = Wire::greeted(server.mqtt(), version, &login(server)).await;
        wire.send(&reading(1, version)).await;
        assert_eq!(wire.answer().await, Some(Packet::Puback { id: 1, reason: 0 }));
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_is_hung_up_on() {
    let server = Server::start(Options::new(2)).await;
    let login = login(&server);
    let reserved_flag = {
        let mut frame = connect(&login, Version::V311, 60);
        let flags = position_of_level(&frame) + 1;
        frame[flags] |= 0x01;
        frame
    };
    let before_login: [(&str, Vec<u8>); 8] = [
        ("3.1.0-1: the first packet is no CONNECT", reading(1, Version::V311)),
        ("3.1.0-1: the first packet is a PINGREQ", ping().to_vec()),
        ("3.1.2-3: the reserved flag of CONNECT is set", reserved_flag),
        ("2.2.3: five bytes of remaining length", vec![0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
        ("2.2.1: packet type 0", vec![0x00, 0x00]),
        ("only a server sends CONNACK", vec![0x20, 0x02, 0x00, 0x00]),
        ("only a server sends UNSUBACK", vec![0xB0, 0x02, 0x00, 0x01]),
        ("another protocol altogether", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
    ];
    for (clause, bytes) in &before_login {
        let mut wire = Wire::open(server.mqtt(), Version::V311).await;
        wire.send(bytes).await;
        let words = wire.last_words(clause).await;
        assert!(!words.contains(&Packet::Connack { code: 0 }), "{clause}: {words:?}");
    }
    for version in BOTH {
        let mut qos_3 = reading(1, version);
        qos_3[0] = 0x36;
        let mut no_flags = subscribe("commands/+/+", 1, version);
        no_flags[0] = 0x80;
        let after_login: [(&str, Vec<u8>); 8] = [
            ("3.1.0-2: a second CONNECT", connect(&login, version, 60)),
            ("3.3.1-4: QoS 3", qos_3),
            ("2.3.1-1: packet identifier 0", reading(0, version)),
            ("3.8.1-1: SUBSCRIBE without its flags", no_flags),
            ("only a server sends CONNACK", vec![0x20, 0x03, 0x00, 0x00, 0x00]),
            ("only a server sends SUBACK", vec![0x90, 0x03, 0x00, 0x01, 0x00]),
            ("only a server sends UNSUBACK", vec![0xB0, 0x04, 0x00, 0x01, 0x00, 0x00]),
            ("only a server sends PINGRESP", vec![0xD0, 0x00]),
        ];
        for (clause, bytes) in &after_login {
            let mut wire = Wire::greeted(server.mqtt(), version, &login).await;
            wire.send(bytes).await;
            let words = wire.last_words(clause).await;
            let promised = words.iter().any(|word| matches!(word, Packet::Puback { reason: 0, .. }));
            assert!(!promised, "{clause} with {version:?}: {words:?}");
        }
    }
    is_unharmed(&server).await;
}

#[tokio::test]
async fn a_topic_with_a_wildcard_takes_no_message() {
    let server = Server::start(Options::new(2)).await;
    for version in BOTH {
        for topic in ["telemetry/#", "telemetry/+", "#", "+"] {
            let mut wire = Wire::greeted(server.mqtt(), version, &login(&server)).await;
            wire.send(&publish(topic, b"{}", 1, version).bytes).await;
            // 5.0 lets a server refuse the message and keep the session; 3.1.1 knows no such answer.
            let answer = wire.answer().await;
            let refused = match &answer {
                None | Some(Packet::Disconnect { .. }) => true,
                Some(Packet::Puback { reason, .. }) => version == Version::V5 && *reason >= 0x80,
                _ => false,
            };
            assert!(refused, "3.3.2-2: {topic} with {version:?}: {answer:?}");
        }
    }
    is_unharmed(&server).await;
}

#[tokio::test]
async fn a_version_that_is_not_spoken_is_told_so() {
    let server = Server::start(Options::new(2)).await;
    let mut frame = connect(&login(&server), Version::V311, 60);
    let level = position_of_level(&frame);
    frame[level] = 9;
    let mut wire = Wire::open(server.mqtt(), Version::V311).await;
    wire.send(&frame).await;
    let words = wire.last_words("3.1.2-2").await;
    assert!(
        matches!(words[..], [] | [Packet::Connack { code: 1 | 0x84 }]),
        "3.1.2-2: unacceptable protocol level: {words:?}"
    );
    is_unharmed(&server).await;
}

#[tokio::test]
async fn acknowledgements_come_in_the_order_of_the_messages() {
    let server = Server::start(Options::new(2)).await;
    for version in BOTH {
        let mut wire = Wire::greeted(server.mqtt(), version, &login(&server)).await;
        // Identifiers in no order, all in one write, the last cut in two.
        let ids: Vec<u16> = (1..=200u16).map(|number| number.wrapping_mul(32_003) | 1).collect();
        let bytes: Vec<u8> = ids.iter().flat_map(|id| reading(*id, version)).collect();
        let (most, rest) = bytes.split_at(bytes.len() - 7);
        wire.send(most).await;
        wire.send(rest).await;
        for id in ids {
            assert_eq!(
                wire.answer().await,
                Some(Packet::Puback { id, reason: 0 }),
                "4.6.0-2 with {version:?}"
            );
        }
        wire.send(&ping()).await;
        assert_eq!(wire.answer().await, Some(Packet::Pingresp), "3.12.4-1");
    }
}

#[tokio::test]
async fn qos_2_is_taken_in_two_steps() {
    const PUBREC: Packet = Packet::Pubrec { id: 9, reason: 0 };
    const PUBCOMP: Packet = Packet::Pubcomp { id: 9, reason: 0 };
    let server = Server::start(Options::new(2)).await;
    for version in BOTH {
        let mut wire = Wire::greeted(server.mqtt(), version, &login(&server)).await;
        let mut message = reading(9, version);
        message[0] = 0x34;
        for attempt in 0..2 {
            wire.send(&message).await;
            assert_eq!(wire.answer().await, Some(PUBREC), "4.3.3-8 with {version:?}, attempt {attempt}");
            message[0] |= 0b1000;
        }
        wire.send(&[0x62, 2, 0, 9]).await;
        assert_eq!(wire.answer().await, Some(PUBCOMP), "4.3.3-11 with {version:?}");
        wire.send(&ping()).await;
        assert_eq!(wire.answer().await, Some(Packet::Pingresp), "and nothing else");
    }
}

#[tokio::test]
async fn silence_longer_than_the_keep_alive_ends_a_session() {
    let server = Server::start(Options::new(2)).await;
    for version in BOTH {
        let mut wire = Wire::open(server.mqtt(), version).await;
        wire.send(&connect(&login(&server), version, 1)).await;
        assert_eq!(wire.answer().await, Some(Packet::Connack { code: 0 }));
        let silence = wire.time_to_hang_up().await;
        assert!(silence >= Duration::from_millis(1_400), "3.1.2-24: one and a half times, not {silence:?}");
        assert!(silence < Duration::from_secs(10), "3.1.2-24: {silence:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_without_being_read() {
    let server = Server::start(Options::new(2)).await;
    for version in BOTH {
        let mut wire = Wire::greeted(server.mqtt(), version, &login(&server)).await;
        // The header of a PUBLISH of 200 MB, and a little of it.
        wire.send(&[0x32, 0x80, 0x84, 0xAF, 0x5F, 0, 9]).await;
        wire.send(b"telemetry").await;
        let words = wire.last_words("200 MB").await;
        let expected =
            if version == Version::V5 { vec![Packet::Disconnect { reason: 0x95 }] } else { vec![] };
        assert_eq!(words, expected, "{version:?}");
    }
    is_unharmed(&server).await;
}

#[tokio::test]
async fn a_client_may_leave_its_identifier_to_the_server_and_subscribe_to_its_own_topics() {
    let server = Server::start(Options::new(2)).await;
    for version in BOTH {
        let nameless = Login { client_id: String::new(), ..login(&server) };
        let mut first = Wire::greeted(server.mqtt(), version, &nameless).await;
        let mut second = Wire::greeted(server.mqtt(), version, &nameless).await;
        for wire in [&mut first, &mut second] {
            wire.send(&subscribe("properties/desired", 7, version)).await;
            let answer = wire.answer().await;
            assert!(
                matches!(&answer, Some(Packet::Suback { id: 7, codes }) if codes[..] == [0] || codes[..] == [1]),
                "3.8.4-1 with {version:?}: {answer:?}"
            );
        }
        // The same name again takes the session over; nameless ones stay.
        let mut named = Wire::greeted(server.mqtt(), version, &login(&server)).await;
        let _usurper = Wire::greeted(server.mqtt(), version, &login(&server)).await;
        named.last_words("3.1.4-2: taken over").await;
        first.send(&ping()).await;
        assert_eq!(first.answer().await, Some(Packet::Pingresp), "3.1.4-2 concerns its own identifier only");
        second.send(&[0xE0, 0x00]).await;
        assert!(second.last_words("3.14.4").await.is_empty(), "3.14.4: a client that leaves is hung up on");
    }
}

#[tokio::test]
async fn who_connects_and_says_nothing_keeps_nobody_waiting() {
    let server = Server::start(Options::new(2)).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(Wire::open(server.mqtt(), Version::V311).await);
    }
    let began = time::instant();
    is_unharmed(&server).await;
    assert!(began.elapsed() < Duration::from_secs(10));
    // 3.1.4: a server closes what does not send its CONNECT in a reasonable time.
    let waited = silent[0].time_to_hang_up().await;
    assert!(waited < Duration::from_secs(20), "still open after {waited:?}");
}

/// The byte of CONNECT behind the protocol's name.
fn position_of_level(connect: &[u8]) -> usize {
    connect.windows(4).position(|bytes| bytes == b"MQTT").unwrap() + 4
}
