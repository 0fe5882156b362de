//! SUBSCRIBE and SUBACK (chapters 3.8 and 3.9).
use crate::clause::{Clause, clause, elsewhere, run};
use crate::client::Client;
use crate::packet::{
    MAXIMUM_PACKET_SIZE, Publish, SUBSCRIPTION_ID, Said, Value, field, frame, properties, subscribe,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(
        &["3.8.1-1"],
        &["3.8.1-1"],
        "the flags of SUBSCRIBE are 0010, or the connection ends",
        run!(flags_of_subscribe),
    ),
    clause(&["3.8.3-1"], &["3.8.3-1"], "topic filters are UTF-8", run!(filters_are_text)),
    elsewhere(
        &["3.8.3-2"],
        &[],
        "a server without wildcards refuses filters that have them",
        "wildcards are supported",
    ),
    clause(&["3.8.3-3"], &["3.8.3-2"], "a SUBSCRIBE has at least one filter", run!(at_least_one)),
    clause(
        &["3.8.3-4"],
        &["3.8.3-5"],
        "the reserved bits of a filter's options are 0, or the connection ends",
        run!(reserved_options),
    ),
    clause(&[], &["3.8.3-3"], "with No Local a client does not get what it has said itself", run!(no_local)),
    clause(
        &[],
        &["3.8.3-4"],
        "No Local with a shared subscription ends the connection",
        run!(no_local_and_shared),
    ),
    clause(
        &["3.8.4-1", "3.8.4-2"],
        &["3.8.4-1", "3.8.4-2"],
        "a SUBSCRIBE is answered with a SUBACK of its identifier",
        run!(answered),
    ),
    clause(
        &["3.8.4-3"],
        &["3.8.4-3", "3.8.4-4"],
        "a filter that there is replaces its subscription, and no message is lost for it",
        run!(replaced),
    ),
    clause(
        &["3.8.4-4"],
        &["3.8.4-5"],
        "several filters count like as many SUBSCRIBEs, answered by one SUBACK",
        run!(several_filters),
    ),
    clause(
        &["3.8.4-5"],
        &["3.8.4-6", "3.8.4-7"],
        "a SUBACK has for each filter the QoS granted, or says that it failed",
        run!(a_code_for_each),
    ),
    clause(
        &["3.8.4-6"],
        &["3.8.4-8"],
        "a message comes at the lower of its QoS and the QoS granted",
        run!(lower_qos),
    ),
    clause(
        &[],
        &["3.9.2-1", "3.9.2-2"],
        "no Reason String or user property that makes a SUBACK too large for the client",
        run!(small_suback),
    ),
    clause(
        &["3.9.3-1"],
        &["3.9.3-1"],
        "the codes of a SUBACK are in the filters' order",
        run!(codes_in_order),
    ),
    clause(
        &["3.9.3-2"],
        &["3.9.3-2"],
        "the codes of a SUBACK are among those that the standard has for it",
        run!(codes_of_the_standard),
    ),
];

const NO_LOCAL: u8 = 0x04;

async fn flags_of_subscribe(scene: Scene) {
    for flags in (0..16u8).filter(|flags| *flags != 0b0010) {
        let mut packet = subscribe(scene.version, 1, &[("a", 0)], &Vec::new());
        packet[0] = 0x80 | flags;
        scene.connected().await.is_hung_up_on("flags of SUBSCRIBE", &packet).await;
    }
}

/// A SUBSCRIBE with this behind its header.
fn with_payload(scene: &Scene, payload: &[u8]) -> Vec<u8> {
    frame(0x82, &[&[0, 1][..], &properties(scene.version, &Vec::new()), payload].concat())
}

async fn filters_are_text(scene: Scene) {
    let payload = [&field(&[b'a', 0xFF])[..], &[0]].concat();
    scene.connected().await.is_hung_up_on("no text", &with_payload(&scene, &payload)).await;
}

async fn at_least_one(scene: Scene) {
    for connect in [scene.program(), scene.device()] {
        scene.login(&connect).await.is_hung_up_on("no filter", &with_payload(&scene, &[])).await;
    }
    // A filter without its options is none either.
    scene.connected().await.is_hung_up_on("no options", &with_payload(&scene, &field(b"a"))).await;
}

async fn reserved_options(scene: Scene) {
    let reserved: &[u8] = if scene.is_v5() {
        &[0x40, 0x80, 0xC0, 0x03, 0x30]
    } else {
        &[0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x03]
    };
    for options in reserved {
        for connect in [scene.program(), scene.device()] {
            let packet = subscribe(scene.version, 1, &[("a", *options)], &Vec::new());
            scene.login(&connect).await.is_hung_up_on(&format!("options {options:#04x}"), &packet).await;
        }
    }
}

async fn no_local(scene: Scene) {
    let topic = scene.topic("local");
    let mut client = scene.listening(&topic, 1 | NO_LOCAL).await;
    let mut other = scene.listening(&topic, 1).await;
    client.say(Publish::new(&topic, "own").qos(1)).await;
    other.say(Publish::new(&topic, "another's").qos(1)).await;
    assert_eq!(client.taken().await.said(), "another's");
    for said in ["own", "another's"] {
        assert_eq!(other.taken().await.said(), said);
    }
}

async fn no_local_and_shared(scene: Scene) {
    let filter = format!("$share/group/{}", scene.topic("x"));
    let packet = subscribe(scene.version, 1, &[(&filter, NO_LOCAL)], &Vec::new());
    scene.connected().await.is_hung_up_on("No Local and shared", &packet).await;
}

async fn answered(scene: Scene) {
    for (connect, filter) in
        [(scene.program(), scene.topic("a")), (scene.device(), "commands/+/+".to_owned())]
    {
        let mut client = scene.login(&connect).await;
        for id in [9, 8, 0xFFFF] {
            client.send(&subscribe(scene.version, id, &[(&filter, 1)], &Vec::new())).await;
            let said = client.answer().await;
            assert!(matches!(said, Said::Suback { id: of, .. } if of == id), "{said:?}");
        }
    }
}

async fn replaced(scene: Scene) {
    let topic = scene.topic("replaced");
    let mut client = scene.connected().await;
    let mut speaker = scene.connected().await;
    speaker.say(Publish::new(&topic, "retained").qos(1).retained()).await;
    // One subscription at a time, so one copy; its options are the last ones; stored messages come again.
    for options in [0, 2, 1] {
        assert_eq!(client.subscribe(&[(&topic, options)]).await, [options]);
        speaker.say(Publish::new(&topic, "x").qos(2)).await;
        let stored = client.taken().await;
        assert_eq!((stored.said().as_str(), stored.qos), ("retained", options.min(1)));
        let heard = client.taken().await;
        assert_eq!((heard.said().as_str(), heard.qos), ("x", options));
        client.is_served().await;
    }
    speaker.say(Publish::new(&topic, "").retained()).await;
    // Messages that come while subscriptions are replaced arrive, each once.
    let busy = scene.topic("busy");
    client.subscribe(&[(&busy, 1)]).await;
    let of_version = scene.version;
    for id in 100..130 {
        speaker.send(&Publish::new(&busy, &id.to_string()).qos(1).id(id).frame(of_version)).await;
        client.send(&subscribe(of_version, id, &[(&busy, 1)], &Vec::new())).await;
    }
    let mut numbers = Vec::new();
    while numbers.len() < 30 {
        let heard = hears(&mut client).await;
        numbers.extend(heard.filter(|heard| heard.topic == busy).map(|heard| heard.said()));
    }
    assert_eq!(numbers, (100..130).map(|id| id.to_string()).collect::<Vec<_>>());
}

/// The next message, acknowledged; `None` for another packet.
async fn hears(client: &mut Client) -> Option<Publish> {
    match client.hear().await {
        Some(Said::Publish(message)) => {
            client.take(&message).await;
            Some(message)
        }
        Some(_) => None,
        None => panic!("the server has hung up"),
    }
}

async fn several_filters(scene: Scene) {
    let (a, b) = (scene.topic("a"), scene.topic("b"));
    let mut client = scene.connected().await;
    // The last one of equal filters counts.
    assert_eq!(client.subscribe(&[(&a, 2), (&b, 1), (&a, 0)]).await, [2, 1, 0]);
    client.is_served().await;
    let mut speaker = scene.connected().await;
    for (topic, qos) in [(&a, 0), (&b, 1)] {
        speaker.say(Publish::new(topic, "x").qos(2)).await;
        let heard = client.taken().await;
        assert_eq!((&heard.topic, heard.qos), (topic, qos));
    }
}

async fn a_code_for_each(scene: Scene) {
    let (a, b) = (scene.topic("a"), scene.topic("b"));
    let filters = [(a.as_str(), 0), ("test/nosubscribe", 1), (b.as_str(), 2), ("a/#/b", 1), ("feed", 1)];
    let codes = scene.connected().await.subscribe(&filters).await;
    assert!(matches!(codes[..], [0, 0x80, 2, 0x80..=0xFF, _]), "{codes:02x?}");
}

async fn lower_qos(scene: Scene) {
    let mut speaker = scene.connected().await;
    for granted in 0..3 {
        let topic = scene.topic(&format!("granted/{granted}"));
        let mut client = scene.listening(&topic, granted).await;
        for qos in 0..3 {
            speaker.say(Publish::new(&topic, "x").qos(qos)).await;
            assert_eq!(client.taken().await.qos, qos.min(granted));
        }
    }
}

async fn small_suback(scene: Scene) {
    // Larger packets fail the test, see `Client::next`.
    let mut client = scene.login(&scene.program().with(MAXIMUM_PACKET_SIZE, Value::Four(64))).await;
    assert_eq!(client.subscribe(&[("test/nosubscribe", 0), ("a/#/b", 0)]).await.len(), 2);
}

async fn codes_in_order(scene: Scene) {
    let topics: Vec<String> = (0..30).map(|number| scene.topic(&number.to_string())).collect();
    let filters: Vec<(&str, u8)> =
        topics.iter().zip((0..3).cycle()).map(|(topic, qos)| (topic.as_str(), qos)).collect();
    let expected: Vec<u8> = filters.iter().map(|(_, qos)| *qos).collect();
    assert_eq!(scene.connected().await.subscribe(&filters).await, expected);
}

async fn codes_of_the_standard(scene: Scene) {
    let codes_of_version: &[u8] = if scene.is_v5() {
        &[0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2]
    } else {
        &[0, 1, 2, 0x80]
    };
    let filters = [
        ("ok", 1),
        ("test/nosubscribe", 1),
        ("a/#/b", 1),
        ("a+", 1),
        ("$share//x", 1),
        ("$share/g", 1),
        ("$SYS/#", 1),
    ];
    for connect in [scene.program(), scene.device()] {
        let codes = scene.login(&connect).await.subscribe(&filters).await;
        assert_eq!(codes.len(), filters.len());
        assert!(codes.iter().all(|code| codes_of_version.contains(code)), "{codes:02x?}");
    }
    if scene.is_v5() {
        let zero = vec![(SUBSCRIPTION_ID, Value::Variable(0))];
        let packet = subscribe(scene.version, 1, &[("a", 0)], &zero);
        scene.connected().await.is_hung_up_on("a subscription identifier of 0", &packet).await;
    }
}
