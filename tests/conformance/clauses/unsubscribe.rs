//! UNSUBSCRIBE and UNSUBACK (chapters 3.10 and 3.11).
use crate::clause::{Clause, clause, run};
use crate::packet::{
    MAXIMUM_PACKET_SIZE, Publish, Said, Value, field, frame, properties, subscribe, unsubscribe,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(
        &["3.10.1-1"],
        &["3.10.1-1"],
        "the flags of UNSUBSCRIBE are 0010, or the connection ends",
        run!(flags_of_unsubscribe),
    ),
    clause(&["3.10.3-1"], &["3.10.3-1"], "the filters of UNSUBSCRIBE are UTF-8", run!(filters_are_text)),
    clause(&["3.10.3-2"], &["3.10.3-2"], "an UNSUBSCRIBE has at least one filter", run!(at_least_one)),
    clause(
        &["3.10.4-1"],
        &["3.10.4-1"],
        "a subscription ends whose filter is the same, character for character",
        run!(same_filter),
    ),
    clause(
        &["3.10.4-2"],
        &["3.10.4-2"],
        "after an UNSUBSCRIBE nothing new is delivered for its filter",
        run!(nothing_new),
    ),
    clause(
        &["3.10.4-3"],
        &["3.10.4-3"],
        "what was begun at QoS 1 or 2 is delivered to the end",
        run!(delivered_to_the_end),
    ),
    clause(
        &["3.10.4-4", "3.10.4-5"],
        &["3.10.4-4", "3.10.4-5"],
        "an UNSUBSCRIBE is answered with an UNSUBACK of its identifier, even where nothing ends",
        run!(answered),
    ),
    clause(
        &["3.10.4-6"],
        &["3.10.4-6"],
        "several filters count like as many UNSUBSCRIBEs, answered by one UNSUBACK",
        run!(several_filters),
    ),
    clause(
        &[],
        &["3.11.2-1", "3.11.2-2"],
        "no Reason String or user property that makes an UNSUBACK too large for the client",
        run!(small_unsuback),
    ),
    clause(
        &[],
        &["3.11.3-1", "3.11.3-2"],
        "an UNSUBACK has a code of the standard for each filter, in their order",
        run!(codes_in_order),
    ),
];

async fn flags_of_unsubscribe(scene: Scene) {
    for flags in (0..16u8).filter(|flags| *flags != 0b0010) {
        let mut packet = unsubscribe(scene.version, 1, &["a"]);
        packet[0] = 0xA0 | flags;
        scene.connected().await.is_hung_up_on("flags of UNSUBSCRIBE", &packet).await;
    }
}

fn with_payload(scene: &Scene, payload: &[u8]) -> Vec<u8> {
    frame(0xA2, &[&[0, 1][..], &properties(scene.version, &Vec::new()), payload].concat())
}

async fn filters_are_text(scene: Scene) {
    let packet = with_payload(&scene, &field(&[b'a', 0xFF]));
    scene.connected().await.is_hung_up_on("no text", &packet).await;
}

async fn at_least_one(scene: Scene) {
    for connect in [scene.program(), scene.device()] {
        scene.login(&connect).await.is_hung_up_on("no filter", &with_payload(&scene, &[])).await;
    }
}

async fn same_filter(scene: Scene) {
    let (plain, wide) = (scene.topic("u/x"), scene.topic("u/+"));
    let mut client = scene.listening(&wide, 1).await;
    let mut speaker = scene.connected().await;
    // Neither a topic that it matches, nor one that matches the same, nor another case.
    client.unsubscribe(&[&plain, &scene.topic("u/#"), &scene.topic("U/+")]).await;
    speaker.say(Publish::new(&plain, "still").qos(1)).await;
    assert_eq!(client.taken().await.said(), "still");
    client.unsubscribe(&[&wide]).await;
    let own = scene.topic("own");
    client.subscribe(&[(&own, 0)]).await;
    speaker.say(Publish::new(&plain, "no more").qos(1)).await;
    speaker.say(Publish::new(&own, "other").qos(1)).await;
    assert_eq!(client.heard().await.said(), "other");
}

async fn nothing_new(scene: Scene) {
    let topic = scene.topic("u");
    let mut client = scene.listening(&topic, 1).await;
    client.unsubscribe(&[&topic]).await;
    for qos in 0..3 {
        scene.connected().await.say(Publish::new(&topic, "x").qos(qos)).await;
    }
    client.is_served().await;
    let own = scene.topic("own");
    client.subscribe(&[(&own, 0)]).await;
    client.say(Publish::new(&own, "x")).await;
    assert_eq!(client.heard().await.topic, own);
    // Packets of one client count in their order, even all at once.
    let version = scene.version;
    let (on, off) =
        (|id| subscribe(version, id, &[(&topic, 1)], &Vec::new()), |id| unsubscribe(version, id, &[&topic]));
    for (last, is_on) in [(on(7), true), (off(7), false)] {
        let all = [on(1), off(2), on(3), off(4), on(5), off(6), last].concat();
        client.send(&all).await;
        for _ in 1..=7 {
            assert!(matches!(client.answer().await, Said::Suback { .. } | Said::Unsuback { .. }));
        }
        client.say(Publish::new(&topic, "x")).await;
        client.say(Publish::new(&own, "x")).await;
        let expected = if is_on { &topic } else { &own };
        assert_eq!(client.heard().await.topic, *expected);
        if is_on {
            assert_eq!(client.heard().await.topic, own);
        }
    }
}

async fn delivered_to_the_end(scene: Scene) {
    let (topic, kept) = (scene.topic("u"), scene.program().kept());
    let mut client = scene.login(&kept).await;
    client.subscribe(&[(&topic, 2)]).await;
    let mut speaker = scene.connected().await;
    for qos in [1, 2] {
        speaker.say(Publish::new(&topic, "x").qos(qos)).await;
    }
    let begun = [client.heard().await, client.heard().await];
    client.unsubscribe(&[&topic]).await;
    client.vanish();
    let mut client = scene.login(&kept).await;
    for first in &begun {
        let heard = client.taken().await;
        assert_eq!((heard.id, heard.qos, heard.dup), (first.id, first.qos, true));
    }
    client.is_served().await;
    client.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn answered(scene: Scene) {
    for connect in [scene.program(), scene.device()] {
        let mut client = scene.login(&connect).await;
        for id in [9, 8, 0xFFFF] {
            client.send(&unsubscribe(scene.version, id, &["never/subscribed"])).await;
            let said = client.answer().await;
            assert!(matches!(said, Said::Unsuback { id: of, .. } if of == id), "{said:?}");
        }
    }
}

async fn several_filters(scene: Scene) {
    let (a, b, c) = (scene.topic("a"), scene.topic("b"), scene.topic("c"));
    let mut client = scene.connected().await;
    client.subscribe(&[(&a, 0), (&b, 0), (&c, 0)]).await;
    client.unsubscribe(&[&a, "never/subscribed", &c]).await;
    client.is_served().await;
    let mut speaker = scene.connected().await;
    for topic in [&a, &c, &b] {
        speaker.say(Publish::new(topic, "x")).await;
    }
    assert_eq!(client.heard().await.topic, b);
}

async fn small_unsuback(scene: Scene) {
    // Larger packets fail the test, see `Client::next`.
    let mut client = scene.login(&scene.program().with(MAXIMUM_PACKET_SIZE, Value::Four(64))).await;
    assert_eq!(client.unsubscribe(&["never", "a/#/b"]).await.len(), 2);
}

async fn codes_in_order(scene: Scene) {
    for (connect, filter) in
        [(scene.program(), scene.topic("a")), (scene.device(), "commands/+/+".to_owned())]
    {
        let mut client = scene.login(&connect).await;
        client.subscribe(&[(&filter, 1)]).await;
        assert_eq!(client.unsubscribe(&["never", &filter, "a/#/b", &filter]).await, [0x11, 0, 0x8F, 0x11]);
    }
}
