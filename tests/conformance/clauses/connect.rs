//! CONNECT: what comes first, and what its header asks for (chapters 3.1.0 to 3.1.2; wills are in `wills.rs`).
use std::time::Duration;

use tests::mqtt::Version;

use crate::clause::{Clause, clause, of_clients, run};
use crate::client::Client;
use crate::packet::{
    ALIAS_MAXIMUM, MAXIMUM_PACKET_SIZE, PINGREQ, Publish, REASON_STRING, REQUEST_PROBLEMS, REQUEST_RESPONSE,
    RESPONSE_INFORMATION, Said, TOPIC_ALIAS, USER_PROPERTY, Value, all_of, field, frame, property, subscribe,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(&["3.1.0-1"], &["3.1.0-1"], "the first packet of a connection is CONNECT", run!(first_packet)),
    clause(&["3.1.0-2"], &["3.1.0-2"], "a second CONNECT ends the connection", run!(second_connect)),
    clause(&["3.1.2-1"], &["3.1.2-1"], "another protocol's name is not served as MQTT", run!(protocol_name)),
    clause(
        &["3.1.2-2"],
        &["3.1.2-2"],
        "a version that is not spoken is told so and not served",
        run!(protocol_version),
    ),
    clause(&["3.1.2-3"], &["3.1.2-3"], "the reserved flag of CONNECT is 0", run!(reserved_flag)),
    clause(
        &["3.1.2-4"],
        &["3.1.2-5", "3.1.2-6"],
        "without a clean start the session goes on, or begins where there is none",
        run!(session_goes_on),
    ),
    clause(
        &["3.1.2-5"],
        &["3.1.2-23"],
        "a session that is kept keeps what comes at QoS 1 and 2 while its client is away",
        run!(session_keeps_messages),
    ),
    clause(&["3.1.2-6"], &["3.1.2-4"], "a clean start discards the session before it", run!(clean_start)),
    clause(
        &["3.1.2-18", "3.1.2-19"],
        &["3.1.2-16", "3.1.2-17"],
        "a user name is there if and only if its flag is set",
        run!(user_name_flag),
    ),
    clause(
        &["3.1.2-20", "3.1.2-21"],
        &["3.1.2-18", "3.1.2-19"],
        "a password is there if and only if its flag is set",
        run!(password_flag),
    ),
    clause(&["3.1.2-22"], &[], "no password without a user name", run!(password_alone)),
    of_clients(&["3.1.2-23"], &["3.1.2-20"], "a client says something within its keep-alive"),
    of_clients(&[], &["3.1.2-21"], "a client uses the keep-alive that the server names"),
    clause(
        &["3.1.2-24"],
        &["3.1.2-22"],
        "silence of one and a half times the keep-alive ends the connection",
        run!(keep_alive),
    ),
    clause(
        &[],
        &["3.1.2-24"],
        "no packet is larger than the client's Maximum Packet Size",
        run!(nothing_too_large),
    ),
    clause(
        &[],
        &["3.1.2-25"],
        "a message that is too large for a client counts as delivered, and others follow",
        run!(what_is_too_large_is_left_out),
    ),
    clause(
        &[],
        &["3.1.2-26", "3.1.2-27"],
        "no topic alias above the client's Topic Alias Maximum, none without one",
        run!(aliases_within_the_maximum),
    ),
    clause(
        &[],
        &["3.1.2-28"],
        "no Response Information for a client that does not ask",
        run!(response_information),
    ),
    clause(
        &[],
        &["3.1.2-29"],
        "a client that wants no problem information gets reasons in CONNACK and DISCONNECT only",
        run!(no_problem_information),
    ),
    of_clients(
        &[],
        &["3.1.2-30"],
        "a client with an Authentication Method says nothing but AUTH and DISCONNECT before its CONNACK",
    ),
];

async fn first_packet(scene: Scene) {
    let firsts = [
        Publish::new("telemetry", "{}").qos(1).id(1).frame(scene.version),
        subscribe(scene.version, 1, &[("a", 0)], &Vec::new()),
        PINGREQ.to_vec(),
        vec![0x00, 0x00],
        vec![0x20, 0x02, 0x00, 0x00],
        vec![0xB0, 0x02, 0x00, 0x01],
        vec![0xE0, 0x00],
        vec![0xF0, 0x00],
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
    ];
    for first in firsts {
        scene.open().await.is_hung_up_on("no CONNECT", &first).await;
    }
}

async fn second_connect(scene: Scene) {
    for connect in [scene.program(), scene.device()] {
        scene.login(&connect).await.is_hung_up_on("a second CONNECT", &connect.frame()).await;
    }
}

async fn protocol_name(scene: Scene) {
    let connect = scene.program();
    let level = if scene.is_v5() { 5 } else { 4 };
    for name in ["MQTt", "MQT", "MQTTT", "", "HTTP"] {
        let strange = connect.frame_from(name, level, connect.flags(), &connect.payload());
        scene.open().await.is_hung_up_on(name, &strange).await;
    }
}

async fn protocol_version(scene: Scene) {
    let connect = scene.program();
    for level in [0, 1, 2, 3, 6, 9, 255] {
        let strange = connect.frame_from("MQTT", level, connect.flags(), &connect.payload());
        // A later version's CONNACK is like that of 5.0, an earlier one's like that of 3.1.1.
        let (version, code) = if level > 5 { (Version::V5, 0x84) } else { (Version::V311, 0x01) };
        let mut client = Client::open(scene.mqtt(), version).await;
        client.send(&strange).await;
        let words = client.last_words().await;
        assert!(
            matches!(words[..], [Said::Connack { flags: 0, code: said, .. }] if said == code),
            "version {level}: {words:?}"
        );
    }
}

async fn reserved_flag(scene: Scene) {
    let connect = scene.program();
    let strange = connect.frame_of(connect.flags() | 0x01, &connect.payload());
    scene.open().await.is_hung_up_on("the reserved flag", &strange).await;
}

async fn session_goes_on(scene: Scene) {
    let (kept, topic) = (scene.program().kept(), scene.topic("kept"));
    let (mut client, flags, _) = scene.greeted(&kept).await;
    assert_eq!(flags, 0, "there was none before");
    assert_eq!(client.subscribe(&[(&topic, 1)]).await, [1]);
    client.vanish();
    let (mut client, flags, _) = scene.greeted(&kept).await;
    assert_eq!(flags, 1, "it goes on");
    // Its subscription is there.
    scene.connected().await.say(Publish::new(&topic, "again").qos(1)).await;
    assert_eq!(client.taken().await.said(), "again");
    client.leave().await;
    let (client, flags, _) = scene.greeted(&kept).await;
    assert_eq!(flags, 1, "and after a DISCONNECT");
    client.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn session_keeps_messages(scene: Scene) {
    let (kept, topic) = (scene.program().kept(), scene.topic("stored"));
    let mut client = scene.login(&kept).await;
    assert_eq!(client.subscribe(&[(&topic, 2)]).await, [2]);
    client.leave().await;
    let mut speaker = scene.connected().await;
    for number in 0..6u8 {
        speaker.say(Publish::new(&topic, &number.to_string()).qos(1 + number % 2)).await;
    }
    let mut client = scene.login(&kept).await;
    let mut of_qos = [Vec::new(), Vec::new()];
    for _ in 0..6 {
        let heard = client.taken().await;
        of_qos[usize::from(heard.qos) - 1].push(heard.said());
    }
    assert_eq!(of_qos, [["0", "2", "4"], ["1", "3", "5"]], "in order at each QoS");
    client.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn clean_start(scene: Scene) {
    let (kept, topic) = (scene.program().kept(), scene.topic("discarded"));
    let mut client = scene.login(&kept).await;
    assert_eq!(client.subscribe(&[(&topic, 1)]).await, [1]);
    client.leave().await;
    let mut speaker = scene.connected().await;
    speaker.say(Publish::new(&topic, "for the old session").qos(1)).await;
    let (mut client, flags, _) = scene.greeted(&kept.clone().afresh()).await;
    assert_eq!(flags, 0);
    // Neither its messages nor its subscriptions are left.
    speaker.say(Publish::new(&topic, "for nobody").qos(1)).await;
    let own = scene.topic("own");
    client.subscribe(&[(&own, 0)]).await;
    speaker.say(Publish::new(&own, "for the new one")).await;
    assert_eq!(client.heard().await.said(), "for the new one");
    client.leave().await;
    let (client, flags, _) = scene.greeted(&kept).await;
    assert_eq!(flags, 0, "a clean session is not kept");
    client.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

/// The flag without the field, and the field without the flag. `at` is the field's place in the payload.
async fn field_and_flag(scene: &Scene, flag: u8, at: usize) {
    let connect = scene.program();
    let mut missing = connect.payload();
    missing.remove(at);
    // The other field remains, which the server must not take for it: what follows is cut short.
    missing.truncate(at);
    scene.open().await.is_hung_up_on("the flag alone", &connect.frame_of(connect.flags(), &missing)).await;
    let flags = connect.flags() & !flag;
    scene.open().await.is_hung_up_on("the field alone", &connect.frame_of(flags, &connect.payload())).await;
}

async fn user_name_flag(scene: Scene) {
    field_and_flag(&scene, 0x80, 1).await;
}

async fn password_flag(scene: Scene) {
    field_and_flag(&scene, 0x40, 2).await;
}

async fn password_alone(scene: Scene) {
    let connect = scene.program();
    let fields = [connect.payload()[0].clone(), field(connect.login.password.as_bytes())];
    scene.open().await.is_hung_up_on("a password alone", &connect.frame_of(0x42, &fields)).await;
}

async fn keep_alive(scene: Scene) {
    for connect in [scene.program().keep_alive(1), scene.device().keep_alive(1)] {
        let silence = scene.login(&connect).await.time_to_hang_up().await;
        assert!(silence >= Duration::from_millis(1_400), "one and a half times, not {silence:?}");
        assert!(silence < Duration::from_secs(15), "{silence:?}");
    }
    // Whoever says something stays; 0 is no limit.
    let mut lively = scene.login(&scene.program().keep_alive(1)).await;
    let mut free = scene.login(&scene.program().keep_alive(0)).await;
    let began = tests::time::instant();
    while began.elapsed() < Duration::from_millis(2_500) {
        lively.is_served().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    free.is_served().await;
}

/// A client that takes packets of this size, subscribed to a topic.
async fn small(scene: &Scene, bytes: u32, topic: &str) -> Client {
    let connect = scene.program().with(MAXIMUM_PACKET_SIZE, Value::Four(bytes));
    let mut client = scene.login(&connect).await;
    assert_eq!(client.subscribe(&[(topic, 1)]).await, [1]);
    client
}

async fn nothing_too_large(scene: Scene) {
    let topic = scene.topic("s");
    let most = 100;
    let mut client = small(&scene, most, &topic).await;
    let mut speaker = scene.connected().await;
    // Around the message are its header of 2 bytes, the topic with 2, the identifier with 2 and no properties with 1.
    let room = usize::try_from(most).unwrap() - 7 - topic.len();
    for length in [room + 1, room, 5_000, 1] {
        speaker.say(Publish { payload: vec![b'x'; length], ..Publish::new(&topic, "").qos(1) }).await;
    }
    for length in [room, 1] {
        assert_eq!(client.taken().await.payload.len(), length);
    }
}

async fn what_is_too_large_is_left_out(scene: Scene) {
    let topic = scene.topic("s");
    let kept = scene.program().with(MAXIMUM_PACKET_SIZE, Value::Four(100)).kept();
    let mut client = scene.login(&kept).await;
    assert_eq!(client.subscribe(&[(&topic, 2)]).await, [2]);
    let mut speaker = scene.connected().await;
    for qos in [0, 1, 2] {
        speaker.say(Publish { payload: vec![b'x'; 200], ..Publish::new(&topic, "").qos(qos) }).await;
        speaker.say(Publish::new(&topic, "small").qos(qos)).await;
        assert_eq!(client.taken().await.said(), "small");
    }
    client.leave().await;
    // It is not waited for either.
    let mut client = scene.login(&kept).await;
    speaker.say(Publish::new(&topic, "later").qos(1)).await;
    assert_eq!(client.taken().await.said(), "later");
    client.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn aliases_within_the_maximum(scene: Scene) {
    for most in [None, Some(0), Some(2)] {
        let mut connect = scene.program();
        connect.properties.extend(most.map(|most| (ALIAS_MAXIMUM, Value::Two(most))));
        let mut client = scene.login(&connect).await;
        client.subscribe(&[(&scene.topic("#"), 0)]).await;
        let mut speaker = scene.connected().await;
        let mut used = 0;
        for number in 0..20 {
            let topic = scene.topic(&format!("a/rather/long/topic/with/the/number/{}", number % 5));
            speaker.say(Publish::new(&topic, "x")).await;
            match property(&client.heard().await.properties, TOPIC_ALIAS) {
                Some(Value::Two(alias)) => {
                    used += 1;
                    assert!((1..=most.unwrap_or(0)).contains(alias), "{alias} of {most:?}");
                }
                _ => continue,
            }
        }
        assert_eq!(used > 0, most == Some(2), "with {most:?}, {used} of 20 messages came with an alias");
    }
}

async fn response_information(scene: Scene) {
    for asked in [None, Some(0)] {
        let mut connect = scene.program();
        connect.properties.extend(asked.map(|asked| (REQUEST_RESPONSE, Value::Byte(asked))));
        let (_, _, properties) = scene.greeted(&connect).await;
        assert_eq!(property(&properties, RESPONSE_INFORMATION), None);
    }
}

async fn no_problem_information(scene: Scene) {
    let connect = scene.program().with(REQUEST_PROBLEMS, Value::Byte(0));
    let mut client = scene.login(&connect).await;
    // Every answer that says no.
    client.send(&subscribe(scene.version, 1, &[("test/nosubscribe", 0), ("a/#/b", 0)], &Vec::new())).await;
    client.send(&Publish::new("feed/x", "no").qos(1).id(2).frame(scene.version)).await;
    client.send(&Publish::new("feed/x", "no").qos(2).id(3).frame(scene.version)).await;
    client.send(&crate::packet::acknowledge(crate::packet::PUBREL, 9)).await;
    client.send(&crate::packet::unsubscribe(scene.version, 4, &["never/subscribed"])).await;
    for _ in 0..5 {
        let properties = match client.answer().await {
            Said::Suback { properties, .. } | Said::Unsuback { properties, .. } => properties,
            Said::Ack { reason, properties, .. } if reason >= 0x80 => properties,
            other => panic!("{other:?}"),
        };
        assert!(all_of(&properties, REASON_STRING).is_empty(), "{properties:?}");
        assert!(all_of(&properties, USER_PROPERTY).is_empty(), "{properties:?}");
    }
    // DISCONNECT may have one all the same.
    client.send(&frame(0xF0, &[])).await;
    client.last_words().await;
}
