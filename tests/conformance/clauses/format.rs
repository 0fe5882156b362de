//! How packets are written: texts, numbers, flags, identifiers (chapters 1.4, 1.5 and 2).
use crate::clause::{Clause, clause, of_clients, run};
use crate::packet::{
    Connect, PAYLOAD_FORMAT, PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, Said, acknowledge, field, frame, pair,
    properties, subscribe, unsubscribe,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(&["1.4.0-1"], &["1.5.4-1"], "text that is not UTF-8 ends the connection", run!(ill_formed_text)),
    clause(&["1.4.0-2"], &["1.5.4-2"], "text with U+0000 ends the connection", run!(null_character)),
    clause(&["1.4.0-3"], &["1.5.4-3"], "U+FEFF is a character like any other", run!(byte_order_mark)),
    clause(&[], &["1.5.5-1"], "a variable byte integer takes as few bytes as can be", run!(shortest_lengths)),
    clause(&[], &["1.5.7-1"], "both halves of a string pair are UTF-8", run!(ill_formed_pair)),
    clause(
        &["2.2.2-1", "2.2.2-2"],
        &["2.1.3-1"],
        "reserved flag bits have their value, or the connection ends",
        run!(reserved_flags),
    ),
    clause(
        &["2.3.1-1"],
        &["2.2.1-3"],
        "SUBSCRIBE, UNSUBSCRIBE and PUBLISH above QoS 0 have a packet identifier that is not 0",
        run!(identifier_of_zero),
    ),
    of_clients(&["2.3.1-2"], &[], "a new packet takes an identifier that is not in use"),
    of_clients(&["2.3.1-3"], &[], "a packet that is sent again keeps its identifier"),
    clause(
        &["2.3.1-4"],
        &["2.2.1-4"],
        "each message above QoS 0 that the server sends has an identifier of its own that is not 0",
        run!(identifiers_of_the_server),
    ),
    clause(&["2.3.1-5"], &["2.2.1-2"], "a PUBLISH at QoS 0 has no packet identifier", run!(no_identifier)),
    clause(
        &["2.3.1-6"],
        &["2.2.1-5"],
        "PUBACK, PUBREC, PUBREL and PUBCOMP have the identifier of their message",
        run!(identifiers_of_acknowledgements),
    ),
    clause(
        &["2.3.1-7"],
        &["2.2.1-6"],
        "SUBACK and UNSUBACK have the identifier of what they answer",
        run!(identifiers_of_answers),
    ),
    clause(&[], &["2.2.2-1"], "a packet without properties says that their length is 0", run!(no_properties)),
];

/// A surrogate, an overlong form, a byte that never occurs, and a character cut short.
const ILL_FORMED: [&[u8]; 4] = [&[0xED, 0xA0, 0x80], &[0xC0, 0xAF], &[0xFF], &[0xE2, 0x82]];

/// CONNECT, PUBLISH, SUBSCRIBE and UNSUBSCRIBE with this text in them.
pub(super) async fn text_ends_the_connection(scene: &Scene, text: &[u8]) {
    let connect = Connect {
        login: tests::mqtt::Login { client_id: String::new(), ..scene.program().login },
        ..scene.program()
    };
    let mut fields = connect.payload();
    fields[0] = field(text);
    let strange = connect.frame_of(connect.flags(), &fields);
    scene.open().await.is_hung_up_on("a client identifier", &strange).await;
    let publish = Publish::new("", "x").frame_to(scene.version, text);
    scene.connected().await.is_hung_up_on("a topic name", &publish).await;
    let head = [&[0, 1][..], &properties(scene.version, &Vec::new()), &field(text)].concat();
    let mut client = scene.connected().await;
    client.is_hung_up_on("a topic filter", &frame(0x82, &[&head[..], &[0]].concat())).await;
    scene.connected().await.is_hung_up_on("a filter of UNSUBSCRIBE", &frame(0xA2, &head)).await;
}

async fn ill_formed_text(scene: Scene) {
    for text in ILL_FORMED {
        text_ends_the_connection(&scene, text).await;
    }
}

async fn null_character(scene: Scene) {
    text_ends_the_connection(&scene, b"a\0b").await;
}

async fn byte_order_mark(scene: Scene) {
    let (marked, plain) = (format!("\u{FEFF}{}", scene.topic("bom")), scene.topic("bom"));
    let mut client = scene.listening(&marked, 0).await;
    client.say(Publish::new(&plain, "without")).await;
    client.say(Publish::new(&marked, "with")).await;
    let heard = client.heard().await;
    assert_eq!((heard.topic.as_str(), heard.said().as_str()), (marked.as_str(), "with"));
}

async fn shortest_lengths(scene: Scene) {
    let topic = scene.topic("length");
    let mut client = scene.listening(&topic, 0).await;
    // What is around a message is the same each time: its length passes 127 and 16,383 on the way. Every packet that a test
    // reads is held to it, see `packet::variable_of`.
    for length in (60..140).chain(16_300..16_390) {
        client.say(Publish { payload: vec![b'x'; length], ..Publish::new(&topic, "") }).await;
        assert_eq!(client.heard().await.payload.len(), length);
    }
}

async fn ill_formed_pair(scene: Scene) {
    let whole = pair("name", "value");
    for broken in [b"name", b"valu"] {
        let bytes =
            Publish::new(&scene.topic("pair"), "x").with(whole.0, whole.1.clone()).frame(scene.version);
        let at = bytes.windows(4).position(|bytes| bytes == broken).unwrap();
        let mut bytes = bytes;
        bytes[at] = 0xFF;
        scene.connected().await.is_hung_up_on("a pair that is no text", &bytes).await;
    }
}

async fn reserved_flags(scene: Scene) {
    let mut connect = scene.program().frame();
    connect[0] |= 0x01;
    scene.open().await.is_hung_up_on("CONNECT", &connect).await;
    let version = scene.version;
    let mut packets = vec![
        subscribe(version, 1, &[("a", 0)], &Vec::new()),
        unsubscribe(version, 1, &["a"]),
        acknowledge(PUBACK, 1),
        acknowledge(PUBREC, 1),
        acknowledge(PUBREL, 1),
        acknowledge(PUBCOMP, 1),
        vec![0xC0, 0],
        vec![0xE0, 0],
    ];
    for packet in &mut packets {
        for bit in 0..4 {
            let mut flawed = packet.clone();
            flawed[0] ^= 1 << bit;
            scene.connected().await.is_hung_up_on(&format!("{:#04x}", flawed[0]), &flawed).await;
        }
    }
}

async fn identifier_of_zero(scene: Scene) {
    let version = scene.version;
    let topic = scene.topic("zero");
    let packets = [
        subscribe(version, 0, &[(&topic, 0)], &Vec::new()),
        unsubscribe(version, 0, &[&topic]),
        Publish::new(&topic, "x").qos(1).frame(version),
        Publish::new(&topic, "x").qos(2).frame(version),
    ];
    for packet in packets {
        scene.connected().await.is_hung_up_on("identifier 0", &packet).await;
    }
}

async fn identifiers_of_the_server(scene: Scene) {
    let topic = scene.topic("identifiers");
    let mut listener = scene.listening(&topic, 2).await;
    let mut speaker = scene.connected().await;
    let mut in_use = Vec::new();
    for number in 0..20u8 {
        speaker.say(Publish::new(&topic, "x").qos(1 + number % 2)).await;
        let heard = listener.heard().await;
        assert!(heard.id > 0 && !in_use.contains(&heard.id), "{} besides {in_use:?}", heard.id);
        // Every third is acknowledged: its identifier may come again.
        if number % 3 == 0 {
            listener.take(&heard).await;
        } else {
            in_use.push(heard.id);
        }
    }
}

async fn no_identifier(scene: Scene) {
    let topic = scene.topic("qos0");
    let mut client = scene.listening(&topic, 2).await;
    client.say(Publish::new(&topic, "nothing before the payload")).await;
    let heard = client.heard().await;
    assert_eq!((heard.qos, heard.said().as_str()), (0, "nothing before the payload"));
}

async fn identifiers_of_acknowledgements(scene: Scene) {
    let topic = scene.topic("acknowledged");
    for (mut client, topic) in
        [(scene.login(&scene.device()).await, "telemetry"), (scene.connected().await, topic.as_str())]
    {
        for id in [1, 0x0100, 0xFFFF] {
            client.send(&Publish::new(topic, "{}").qos(1).id(id).frame(scene.version)).await;
            client.expect_ack(PUBACK, id).await;
            client.send(&Publish::new(topic, "{}").qos(2).id(id).frame(scene.version)).await;
            client.expect_ack(PUBREC, id).await;
            client.send(&acknowledge(PUBREL, id)).await;
            client.expect_ack(PUBCOMP, id).await;
        }
    }
    // The other way: PUBREL has the identifier of the message, see `Client::take`.
    let mut listener = scene.listening(&topic, 2).await;
    listener.say(Publish::new(&topic, "back").qos(2)).await;
    assert_eq!(listener.taken().await.qos, 2);
}

async fn identifiers_of_answers(scene: Scene) {
    let mut client = scene.connected().await;
    for id in [1, 0x0100, 0xFFFF] {
        client.send(&subscribe(scene.version, id, &[(&scene.topic("a"), 0)], &Vec::new())).await;
        assert!(matches!(client.answer().await, Said::Suback { id: of, .. } if of == id));
        client.send(&unsubscribe(scene.version, id, &[&scene.topic("a")])).await;
        assert!(matches!(client.answer().await, Said::Unsuback { id: of, .. } if of == id));
    }
}

async fn no_properties(scene: Scene) {
    // Reading a packet fails where the length is missing, see `packet::properties_of`.
    let topic = scene.topic("bare");
    let mut client = scene.listening(&topic, 1).await;
    client.say(Publish::new(&topic, "bare").qos(1)).await;
    assert_eq!(client.taken().await.properties, Vec::new());
    client.say(Publish::new(&topic, "one").with(PAYLOAD_FORMAT, crate::packet::Value::Byte(1))).await;
    assert_eq!(client.heard().await.properties.len(), 1);
    client.unsubscribe(&[&topic]).await;
}
