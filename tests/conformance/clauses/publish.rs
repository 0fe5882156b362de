//! PUBLISH: its flags, its topic, and who gets it (chapters 3.3.1, 3.3.2.1, 3.3.4 and 3.3.5; retained messages are in
//! `retained.rs`, properties in `properties.rs`).
use crate::clause::{Clause, clause, of_clients, run};
use crate::packet::{
    ALIAS_MAXIMUM, PUBACK, PUBREC, PUBREL, Publish, RECEIVE_MAXIMUM, SUBSCRIPTION_ID, Said, Value,
    acknowledge, all_of, frame,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(&["3.3.1-1"], &["3.3.1-1"], "a message that is sent again has its DUP flag set", run!(sent_again)),
    clause(&["3.3.1-2"], &["3.3.1-2"], "the DUP flag is 0 at QoS 0", run!(not_again_at_qos_0)),
    clause(
        &["3.3.1-3"],
        &["3.3.1-3"],
        "the DUP flag of a publisher is not passed on",
        run!(dup_is_not_passed_on),
    ),
    clause(&["3.3.1-4"], &["3.3.1-4"], "QoS 3 ends the connection", run!(qos_of_three)),
    clause(
        &["3.3.2-1"],
        &["3.3.2-1"],
        "the topic name is there, first, and UTF-8",
        run!(topic_name_is_there),
    ),
    clause(&["3.3.2-2"], &["3.3.2-2"], "a topic name has no wildcards", run!(no_wildcards)),
    clause(
        &["3.3.2-3"],
        &["3.3.2-3"],
        "the topic name that a subscriber gets matches its filter",
        run!(topic_matches_filter),
    ),
    clause(
        &["3.3.4-1"],
        &["3.3.4-1"],
        "a PUBLISH is answered as its QoS asks: nothing, PUBACK, PUBREC",
        run!(answered_by_qos),
    ),
    clause(
        &["3.3.5-1"],
        &["3.3.4-2"],
        "a message that several subscriptions of a client match comes at the highest of their QoS",
        run!(highest_qos),
    ),
    clause(
        &["3.3.5-2"],
        &[],
        "a message that may not be published is acknowledged all the same, or ends the connection",
        run!(not_allowed),
    ),
    clause(
        &[],
        &["3.3.4-3", "3.3.4-4"],
        "a message has the identifiers of all subscriptions that it matches",
        run!(subscription_identifiers),
    ),
    clause(
        &[],
        &["3.3.4-5"],
        "each copy of a message has the identifier of its subscription",
        run!(identifier_of_a_copy),
    ),
    clause(
        &[],
        &["3.3.4-6"],
        "a PUBLISH to the server has no subscription identifier, or the connection ends",
        run!(no_subscription_identifier),
    ),
    clause(
        &[],
        &["3.3.4-7"],
        "a client that exceeds the server's Receive Maximum is told 0x93",
        run!(receive_maximum_of_the_server),
    ),
    of_clients(&[], &["3.3.4-8"], "a client delays nothing but PUBLISH for the Receive Maximum"),
    clause(
        &[],
        &["3.3.4-9"],
        "no more messages above QoS 0 are under way than the client's Receive Maximum",
        run!(receive_maximum_of_the_client),
    ),
    clause(
        &[],
        &["3.3.4-10"],
        "nothing but PUBLISH waits for the client's Receive Maximum",
        run!(nothing_else_waits),
    ),
];

async fn sent_again(scene: Scene) {
    let (kept, topic) = (scene.program().kept(), scene.topic("again"));
    let mut client = scene.login(&kept).await;
    client.subscribe(&[(&topic, 2)]).await;
    let mut speaker = scene.connected().await;
    for qos in [1, 2] {
        speaker.say(Publish::new(&topic, "x").qos(qos)).await;
        assert!(!client.heard().await.dup, "the first time");
    }
    client.vanish();
    let mut client = scene.login(&kept).await;
    for qos in [1, 2] {
        let heard = client.taken().await;
        assert_eq!((heard.dup, heard.qos), (true, qos));
    }
    client.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn not_again_at_qos_0(scene: Scene) {
    // A client's own are refused, the server's are held to it when they are read, see `packet::publish_of`.
    let topic = scene.topic("qos0");
    let flawed = Publish::new(&topic, "x").again().frame(scene.version);
    scene.connected().await.is_hung_up_on("DUP at QoS 0", &flawed).await;
    let mut listener = scene.listening(&topic, 0).await;
    let mut speaker = scene.connected().await;
    speaker.send(&Publish::new(&topic, "x").qos(1).id(1).again().frame(scene.version)).await;
    speaker.expect_ack(PUBACK, 1).await;
    let heard = listener.heard().await;
    assert_eq!((heard.qos, heard.dup), (0, false));
}

async fn dup_is_not_passed_on(scene: Scene) {
    let topic = scene.topic("dup");
    let mut listener = scene.listening(&topic, 2).await;
    let mut speaker = scene.connected().await;
    for (qos, answer) in [(1, PUBACK), (2, PUBREC)] {
        speaker.send(&Publish::new(&topic, "x").qos(qos).id(7).again().frame(scene.version)).await;
        speaker.expect_ack(answer, 7).await;
        let heard = listener.taken().await;
        assert_eq!((heard.qos, heard.dup), (qos, false));
    }
}

async fn qos_of_three(scene: Scene) {
    for connect in [scene.program(), scene.device()] {
        let mut flawed = Publish::new("telemetry", "{}").qos(1).id(1).frame(scene.version);
        flawed[0] |= 0x06;
        scene.login(&connect).await.is_hung_up_on("QoS 3", &flawed).await;
    }
}

async fn topic_name_is_there(scene: Scene) {
    let flawed =
        [frame(0x30, &[]), frame(0x30, &[0]), frame(0x30, &[0, 9, b'a']), frame(0x32, &[0, 1, b'a'])];
    for bytes in flawed {
        scene.connected().await.is_hung_up_on("no topic name", &bytes).await;
    }
    let ill_formed = Publish::new("", "x").frame_to(scene.version, &[b'a', 0xFF]);
    scene.connected().await.is_hung_up_on("no text", &ill_formed).await;
}

/// A message that is not taken: 5.0 may say so and go on, 3.1.1 can only hang up.
pub(super) async fn is_not_taken(scene: &Scene, connect: &crate::packet::Connect, topic: &str) {
    let mut client = scene.login(connect).await;
    client.send(&Publish::new(topic, "{}").qos(1).id(1).frame(scene.version)).await;
    match client.hear().await {
        None | Some(Said::Disconnect { reason: 0x80.., .. }) => {}
        Some(Said::Ack { first: PUBACK, id: 1, reason: 0x80.., .. }) if scene.is_v5() => {}
        other => panic!("{topic}: {other:?}"),
    }
}

async fn no_wildcards(scene: Scene) {
    for topic in ["#", "+", "a/#", "a/+/b", "telemetry/#", "telemetry/+", "a#", "a+"] {
        is_not_taken(&scene, &scene.program(), topic).await;
        is_not_taken(&scene, &scene.device(), topic).await;
    }
}

async fn topic_matches_filter(scene: Scene) {
    let mut client = scene.listening(&scene.topic("+/b/#"), 0).await;
    for (topic, matches) in
        [("a/b", true), ("a/b/c/d", true), ("/b", true), ("b/b/b", true), ("a/c", false), ("b", false)]
    {
        client.say(Publish::new(&scene.topic(topic), "x")).await;
        if matches {
            assert_eq!(client.heard().await.topic, scene.topic(topic));
        }
    }
    client.is_served().await;
}

async fn answered_by_qos(scene: Scene) {
    let topic = scene.topic("answered");
    for (connect, topic) in [(scene.program(), topic.as_str()), (scene.device(), "telemetry")] {
        let mut client = scene.login(&connect).await;
        client.send(&Publish::new(topic, "{}").frame(scene.version)).await;
        client.is_served().await;
        client.send(&Publish::new(topic, "{}").qos(1).id(3).frame(scene.version)).await;
        client.expect_ack(PUBACK, 3).await;
        client.send(&Publish::new(topic, "{}").qos(2).id(4).frame(scene.version)).await;
        client.expect_ack(PUBREC, 4).await;
        client.is_served().await;
    }
}

async fn highest_qos(scene: Scene) {
    let topic = scene.topic("overlap/x");
    let mut client = scene.connected().await;
    let (wide, narrow) = (scene.topic("overlap/#"), scene.topic("overlap/+"));
    client.subscribe(&[(&wide, 0), (&topic, 2), (&narrow, 1)]).await;
    let mut speaker = scene.connected().await;
    for qos in [2, 1, 0] {
        speaker.say(Publish::new(&topic, "x").qos(qos)).await;
        assert_eq!(client.taken().await.qos, qos);
    }
    client.is_served().await;
}

async fn not_allowed(scene: Scene) {
    for (connect, topic) in [(scene.program(), "feed/of/the/platform"), (scene.device(), "somebody/else")] {
        let mut client = scene.login(&connect).await;
        client.send(&Publish::new(topic, "x").qos(1).id(1).frame(scene.version)).await;
        let said = client.hear().await;
        assert!(matches!(said, None | Some(Said::Ack { first: PUBACK, id: 1, .. })), "{said:?}");
    }
}

/// Subscribes to filters, each with the identifier beside it.
async fn identified(scene: &Scene, filters: &[(&str, u32)]) -> crate::client::Client {
    let mut client = scene.connected().await;
    for (filter, id) in filters {
        client.subscribe_with(&[(filter, 1)], &vec![(SUBSCRIPTION_ID, Value::Variable(*id))]).await;
    }
    client
}

async fn subscription_identifiers(scene: Scene) {
    let topic = scene.topic("id/x");
    let (wide, narrow, other) = (scene.topic("id/#"), scene.topic("id/+"), scene.topic("other"));
    let mut client = identified(&scene, &[(&wide, 1), (&narrow, 268_435_455), (&other, 3)]).await;
    client.subscribe(&[(&topic, 0)]).await;
    let mut speaker = scene.connected().await;
    for qos in 0..3 {
        speaker.say(Publish::new(&topic, "x").qos(qos)).await;
        let heard = client.taken().await;
        let mut ids = all_of(&heard.properties, SUBSCRIPTION_ID);
        ids.sort_by_key(|id| format!("{id:?}"));
        assert_eq!(ids, [&Value::Variable(1), &Value::Variable(268_435_455)]);
    }
    // Whoever subscribed without one gets none.
    let mut plain = scene.listening(&topic, 0).await;
    speaker.say(Publish::new(&topic, "x")).await;
    assert!(all_of(&plain.heard().await.properties, SUBSCRIPTION_ID).is_empty());
}

async fn identifier_of_a_copy(scene: Scene) {
    // A shared subscription gets a copy of its own.
    let topic = scene.topic("copy");
    let shared = format!("$share/group/{topic}");
    let mut client = identified(&scene, &[(&topic, 5), (&shared, 6)]).await;
    scene.connected().await.say(Publish::new(&topic, "x").qos(1)).await;
    let mut ids = Vec::new();
    while ids.len() < 2 {
        let heard = client.taken().await;
        ids.extend(all_of(&heard.properties, SUBSCRIPTION_ID).into_iter().cloned());
    }
    ids.sort_by_key(|id| format!("{id:?}"));
    assert_eq!(ids, [Value::Variable(5), Value::Variable(6)]);
}

async fn no_subscription_identifier(scene: Scene) {
    let flawed = Publish::new(&scene.topic("x"), "x").with(SUBSCRIPTION_ID, Value::Variable(1));
    scene.connected().await.is_hung_up_on("a subscription identifier", &flawed.frame(scene.version)).await;
}

async fn receive_maximum_of_the_server(scene: Scene) {
    let (mut client, _, properties) = scene.greeted(&scene.program()).await;
    let Some(Value::Two(most)) = crate::packet::property(&properties, RECEIVE_MAXIMUM) else {
        panic!("no Receive Maximum in {properties:?}");
    };
    let topic = scene.topic("many");
    let message = |id: u16| Publish::new(&topic, "x").qos(2).id(id).frame(scene.version);
    for id in 1..=*most {
        client.send(&message(id)).await;
    }
    for id in 1..=*most {
        client.expect_ack(PUBREC, id).await;
    }
    // None is released, so one more is too many.
    client.send(&message(most + 1)).await;
    let words = client.last_words().await;
    assert!(matches!(words[..], [Said::Disconnect { reason: 0x93, .. }]), "{words:?}");
}

/// A client that takes two messages at a time, and has them.
async fn full(scene: &Scene, topic: &str) -> (crate::client::Client, [Publish; 2]) {
    let connect = scene.program().with(RECEIVE_MAXIMUM, Value::Two(2)).with(ALIAS_MAXIMUM, Value::Two(0));
    let mut client = scene.login(&connect).await;
    client.subscribe(&[(topic, 2)]).await;
    let mut speaker = scene.connected().await;
    for number in 0..6u8 {
        speaker.say(Publish::new(topic, &number.to_string()).qos(1 + number % 2)).await;
    }
    let under_way = [client.heard().await, client.heard().await];
    client.is_served().await; // and no third one before the answer
    (client, under_way)
}

async fn receive_maximum_of_the_client(scene: Scene) {
    let (mut client, [first, second]) = full(&scene, &scene.topic("window")).await;
    client.take(&first).await;
    let third = client.heard().await;
    assert_eq!(third.said(), "2");
    client.is_served().await;
    // A PUBREC alone makes no room; a PUBCOMP does.
    client.send(&acknowledge(PUBREC, second.id)).await;
    client.expect_ack(PUBREL, second.id).await;
    client.is_served().await;
    client.send(&acknowledge(crate::packet::PUBCOMP, second.id)).await;
    assert_eq!(client.heard().await.said(), "3");
    client.is_served().await;
}

async fn nothing_else_waits(scene: Scene) {
    let topic = scene.topic("window");
    let (mut client, _) = full(&scene, &topic).await;
    assert_eq!(client.subscribe(&[(&scene.topic("other"), 1)]).await, [1]);
    client.say(Publish::new(&scene.topic("elsewhere"), "x").qos(2)).await;
    assert_eq!(client.unsubscribe(&[&topic]).await, [0]);
    client.is_served().await;
}
