//! The three qualities of service, receipt, order and flow control (chapters 4.3, 4.5, 4.6 and 4.9).
use std::time::Duration;

use tokio::time::sleep;

use crate::clause::{Clause, clause, of_clients, run};
use crate::client::Client;
use crate::packet::{
    MESSAGE_EXPIRY, PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, RECEIVE_MAXIMUM, Value, acknowledge,
    acknowledge_with,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(&["4.3.1-1"], &["4.3.1-1"], "QoS 0: sent with QoS 0 and DUP 0", run!(at_most_once)),
    clause(
        &["4.3.2-1"],
        &["4.3.2-1", "4.3.2-2", "4.3.2-3"],
        "QoS 1: sent with an unused identifier, DUP 0, and open until its PUBACK",
        run!(at_least_once_from_the_server),
    ),
    clause(
        &["4.3.2-2"],
        &["4.3.2-4", "4.3.2-5"],
        "QoS 1: answered with PUBACK; after it the identifier names a new message",
        run!(at_least_once_to_the_server),
    ),
    clause(
        &["4.3.3-1"],
        &["4.3.3-1", "4.3.3-2", "4.3.3-3", "4.3.3-4", "4.3.3-5", "4.3.3-6"],
        "QoS 2: sent with an unused identifier and DUP 0; PUBREL for each PUBREC, then never PUBLISH again",
        run!(exactly_once_from_the_server),
    ),
    clause(
        &[],
        &["4.3.3-7"],
        "QoS 2: a message that was sent does not expire",
        run!(does_not_expire_once_sent),
    ),
    clause(
        &["4.3.3-2"],
        &["4.3.3-8", "4.3.3-10", "4.3.3-11", "4.3.3-12"],
        "QoS 2: answered with PUBREC, once delivered until its PUBREL, which PUBCOMP answers; then the identifier is free",
        run!(exactly_once_to_the_server),
    ),
    clause(
        &[],
        &["4.3.3-9"],
        "QoS 2: after a PUBREC that refuses, the identifier names a new message",
        run!(free_after_a_refusal),
    ),
    clause(
        &[],
        &["4.3.3-13"],
        "QoS 2: a message that has expired is acknowledged to the end",
        run!(expired_and_acknowledged),
    ),
    clause(
        &["4.5.0-1"],
        &["4.5.0-1"],
        "a message is added to the session of each client with a subscription that matches",
        run!(added_to_each_session),
    ),
    of_clients(&["4.5.0-2"], &["4.5.0-2"], "a client acknowledges what it gets, whatever it makes of it"),
    clause(
        &["4.6.0-1"],
        &["4.6.0-1"],
        "messages are sent again in the order in which they were sent",
        run!(again_in_order),
    ),
    clause(&["4.6.0-2"], &["4.6.0-2"], "PUBACKs come in the order of their messages", run!(pubacks_in_order)),
    clause(&["4.6.0-3"], &["4.6.0-3"], "PUBRECs come in the order of their messages", run!(pubrecs_in_order)),
    clause(&["4.6.0-4"], &["4.6.0-4"], "PUBRELs come in the order of their PUBRECs", run!(pubrels_in_order)),
    clause(
        &["4.6.0-5", "4.6.0-6"],
        &["4.6.0-5", "4.6.0-6"],
        "messages of a client on a topic reach each subscriber in their order",
        run!(in_order),
    ),
    clause(
        &[],
        &["4.9.0-1", "4.9.0-2"],
        "the send quota is not 0 at first, at most the Receive Maximum, and at 0 nothing more is sent",
        run!(send_quota),
    ),
    clause(
        &[],
        &["4.9.0-3"],
        "at a send quota of 0 every other packet is answered",
        run!(answered_at_a_quota_of_zero),
    ),
];

/// A subscriber at QoS 2 and a publisher.
async fn pair(scene: &Scene, topic: &str) -> (Client, Client) {
    (scene.listening(topic, 2).await, scene.connected().await)
}

async fn at_most_once(scene: Scene) {
    let topic = scene.topic("q");
    let (mut listener, mut speaker) = pair(&scene, &topic).await;
    speaker.say(Publish::new(&topic, "x")).await;
    let heard = listener.heard().await;
    assert_eq!((heard.qos, heard.dup, heard.id), (0, false, 0));
}

async fn at_least_once_from_the_server(scene: Scene) {
    let (topic, kept) = (scene.topic("q"), scene.program().kept());
    let mut listener = scene.login(&kept).await;
    listener.subscribe(&[(&topic, 1)]).await;
    let mut speaker = scene.connected().await;
    for payload in ["one", "two"] {
        speaker.say(Publish::new(&topic, payload).qos(1)).await;
    }
    let (one, two) = (listener.heard().await, listener.heard().await);
    assert_eq!((one.qos, one.dup, two.qos, two.dup), (1, false, 1, false));
    assert_ne!(one.id, two.id);
    listener.send(&acknowledge(PUBACK, one.id)).await;
    listener.is_served().await;
    listener.vanish();
    let mut listener = scene.login(&kept).await;
    assert_eq!(listener.taken().await.said(), "two", "the one that is still open");
    listener.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn at_least_once_to_the_server(scene: Scene) {
    let topic = scene.topic("q");
    let (mut listener, mut speaker) = pair(&scene, &topic).await;
    for payload in ["one", "two"] {
        speaker.send(&Publish::new(&topic, payload).qos(1).id(5).frame(scene.version)).await;
        speaker.expect_ack(PUBACK, 5).await;
        assert_eq!(listener.taken().await.said(), payload);
    }
    speaker.send(&Publish::new(&topic, "three").qos(1).id(5).again().frame(scene.version)).await;
    speaker.expect_ack(PUBACK, 5).await;
    assert_eq!(listener.taken().await.said(), "three", "a new message, whatever its DUP flag says");
}

async fn exactly_once_from_the_server(scene: Scene) {
    let (topic, kept) = (scene.topic("q"), scene.program().kept());
    let mut listener = scene.login(&kept).await;
    listener.subscribe(&[(&topic, 2)]).await;
    let mut speaker = scene.connected().await;
    for payload in ["one", "two"] {
        speaker.say(Publish::new(&topic, payload).qos(2)).await;
    }
    let (one, two) = (listener.heard().await, listener.heard().await);
    assert_eq!((one.qos, one.dup, two.qos, two.dup), (2, false, 2, false));
    assert_ne!(one.id, two.id);
    // A PUBREC that comes again is answered again.
    for _ in 0..2 {
        listener.send(&acknowledge(PUBREC, one.id)).await;
        listener.expect_ack(PUBREL, one.id).await;
    }
    listener.is_served().await;
    listener.vanish();
    // Its PUBREL is open until PUBCOMP, its PUBLISH is not sent again; the other's is.
    let mut listener = scene.login(&kept).await;
    listener.expect_ack(PUBREL, one.id).await;
    listener.send(&acknowledge(PUBCOMP, one.id)).await;
    let heard = listener.taken().await;
    assert_eq!((heard.id, heard.said().as_str()), (two.id, "two"));
    listener.is_served().await;
    listener.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn does_not_expire_once_sent(scene: Scene) {
    let (topic, kept) = (scene.topic("q"), scene.program().kept());
    let mut listener = scene.login(&kept).await;
    listener.subscribe(&[(&topic, 2)]).await;
    let brief = Publish::new(&topic, "brief").qos(2).with(MESSAGE_EXPIRY, Value::Four(1));
    scene.connected().await.say(brief).await;
    let first = listener.heard().await;
    listener.vanish();
    sleep(Duration::from_millis(2_100)).await; // its lifetime is what is tested
    let mut listener = scene.login(&kept).await;
    let again = listener.taken().await;
    assert_eq!((again.id, again.said().as_str(), again.dup), (first.id, "brief", true));
    listener.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn exactly_once_to_the_server(scene: Scene) {
    let topic = scene.topic("q");
    let (mut listener, mut speaker) = pair(&scene, &topic).await;
    for payload in ["one", "two"] {
        let mut message = Publish::new(&topic, payload).qos(2).id(9);
        for _ in 0..3 {
            speaker.send(&message.frame(scene.version)).await;
            speaker.expect_ack(PUBREC, 9).await;
            message = message.again();
        }
        speaker.send(&acknowledge(PUBREL, 9)).await;
        speaker.expect_ack(PUBCOMP, 9).await;
        assert_eq!(listener.taken().await.said(), payload);
    }
    listener.is_served().await;
    // The same of a device, into the hospital's record.
    let mut device = scene.login(&scene.device()).await;
    for again in [false, true] {
        let reading = Publish { dup: again, ..Publish::new("telemetry", "{\"heartRate\":72}").qos(2).id(9) };
        device.send(&reading.frame(scene.version)).await;
        device.expect_ack(PUBREC, 9).await;
    }
    device.send(&acknowledge(PUBREL, 9)).await;
    device.expect_ack(PUBCOMP, 9).await;
}

async fn free_after_a_refusal(scene: Scene) {
    let topic = scene.topic("q");
    let (mut listener, mut speaker) = pair(&scene, &topic).await;
    speaker.send(&Publish::new("feed/x", "refused").qos(2).id(4).frame(scene.version)).await;
    assert!(matches!(
        speaker.answer().await,
        crate::packet::Said::Ack { first: PUBREC, id: 4, reason: 0x80.., .. }
    ));
    speaker.send(&Publish::new(&topic, "taken").qos(2).id(4).frame(scene.version)).await;
    speaker.expect_ack(PUBREC, 4).await;
    assert_eq!(listener.taken().await.said(), "taken");
    // The other way: what a client refuses leaves its identifier and its place free.
    let narrow = scene.program().with(RECEIVE_MAXIMUM, Value::Two(1));
    let mut client = scene.login(&narrow).await;
    client.subscribe(&[(&topic, 2)]).await;
    for payload in ["one", "two", "three"] {
        speaker.say(Publish::new(&topic, payload).qos(2)).await;
        let heard = client.heard().await;
        assert_eq!(heard.said(), payload);
        client.send(&acknowledge_with(PUBREC, heard.id, 0x83)).await;
    }
}

async fn expired_and_acknowledged(scene: Scene) {
    let topic = scene.topic("q");
    let (mut listener, mut speaker) = pair(&scene, &topic).await;
    let brief = Publish::new(&topic, "brief").qos(2).id(3).with(MESSAGE_EXPIRY, Value::Four(1));
    speaker.send(&brief.frame(scene.version)).await;
    speaker.expect_ack(PUBREC, 3).await;
    let heard = listener.heard().await;
    sleep(Duration::from_millis(1_600)).await; // its lifetime is what is tested
    speaker.send(&acknowledge(PUBREL, 3)).await;
    speaker.expect_ack(PUBCOMP, 3).await;
    listener.take(&heard).await;
    listener.is_served().await;
}

async fn added_to_each_session(scene: Scene) {
    let (topic, kept) = (scene.topic("q/x"), scene.program().kept());
    let mut away = scene.login(&kept).await;
    away.subscribe(&[(&topic, 1)]).await;
    away.leave().await;
    let (mut listener, mut speaker) = pair(&scene, &topic).await;
    let mut wide = scene.listening(&scene.topic("q/#"), 1).await;
    let mut other = scene.listening(&scene.topic("q"), 1).await;
    speaker.say(Publish::new(&topic, "x").qos(1)).await;
    let mut back = scene.login(&kept).await;
    for client in [&mut listener, &mut wide, &mut back] {
        assert_eq!(client.taken().await.said(), "x");
    }
    other.is_served().await;
    speaker.say(Publish::new(&scene.topic("q"), "own").qos(1)).await;
    assert_eq!(other.taken().await.said(), "own");
    back.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

/// Numbers in their order.
fn counted(count: u16) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

async fn again_in_order(scene: Scene) {
    let (topic, kept) = (scene.topic("q"), scene.program().kept());
    let mut listener = scene.login(&kept).await;
    listener.subscribe(&[(&topic, 2)]).await;
    let mut speaker = scene.connected().await;
    for number in counted(15) {
        let qos = if number.len() == 1 { 1 } else { 2 };
        speaker.say(Publish::new(&topic, &number).qos(qos)).await;
    }
    for number in counted(15) {
        assert_eq!(listener.heard().await.said(), number);
    }
    listener.vanish();
    let mut listener = scene.login(&kept).await;
    for number in counted(15) {
        let heard = listener.taken().await;
        assert_eq!((heard.said(), heard.dup), (number, true));
    }
    listener.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

/// Sends 200 messages in one write, under identifiers in no order, cut in two; their answers come in the order of the messages.
async fn answers_in_order(scene: &Scene, qos: u8, answer: u8) {
    let own = scene.topic("q");
    for (connect, topic) in [(scene.device(), "telemetry"), (scene.program(), own.as_str())] {
        let mut client = scene.login(&connect).await;
        let ids: Vec<u16> = (1..=200u16).map(|number| number.wrapping_mul(32_003) | 1).collect();
        let message =
            |id: &u16| Publish::new(topic, "{\"heartRate\":72}").qos(qos).id(*id).frame(scene.version);
        let bytes: Vec<u8> = ids.iter().flat_map(message).collect();
        let (most, rest) = bytes.split_at(bytes.len() - 7);
        client.send(most).await;
        client.send(rest).await;
        for id in ids {
            client.expect_ack(answer, id).await;
        }
    }
}

async fn pubacks_in_order(scene: Scene) {
    answers_in_order(&scene, 1, PUBACK).await;
}

async fn pubrecs_in_order(scene: Scene) {
    answers_in_order(&scene, 2, PUBREC).await;
}

async fn pubrels_in_order(scene: Scene) {
    let topic = scene.topic("q");
    let (mut listener, mut speaker) = pair(&scene, &topic).await;
    let mut ids = Vec::new();
    for number in counted(20) {
        speaker.say(Publish::new(&topic, &number).qos(2)).await;
        ids.push(listener.heard().await.id);
    }
    ids.rotate_left(7);
    let received: Vec<u8> = ids.iter().flat_map(|id| acknowledge(PUBREC, *id)).collect();
    listener.send(&received).await;
    for id in ids {
        listener.expect_ack(PUBREL, id).await;
    }
}

async fn in_order(scene: Scene) {
    let (topic, kept) = (scene.topic("q"), scene.program().kept());
    let mut durable = scene.login(&kept).await;
    durable.subscribe(&[(&topic, 2)]).await;
    let (mut listener, mut speaker) = pair(&scene, &topic).await;
    for qos in 0..3 {
        let numbers = counted(100);
        for (id, number) in (1..).zip(&numbers) {
            speaker.send(&Publish::new(&topic, number).qos(qos).id(id).frame(scene.version)).await;
        }
        for (id, number) in (1..).zip(&numbers) {
            for client in [&mut listener, &mut durable] {
                let heard = client.taken().await;
                assert_eq!((&heard.said(), heard.qos), (number, qos));
            }
            match qos {
                0 => {}
                1 => speaker.expect_ack(PUBACK, id).await,
                _ => speaker.expect_ack(PUBREC, id).await,
            }
        }
    }
    durable.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn send_quota(scene: Scene) {
    let topic = scene.topic("q");
    for most in [1u16, 3] {
        let mut client = scene.login(&scene.program().with(RECEIVE_MAXIMUM, Value::Two(most))).await;
        client.subscribe(&[(&topic, 2)]).await;
        let mut speaker = scene.connected().await;
        for number in counted(most + 2) {
            speaker.say(Publish::new(&topic, &number).qos(1)).await;
        }
        let mut under_way = Vec::new();
        for number in counted(most) {
            let heard = client.heard().await;
            assert_eq!(heard.said(), number);
            under_way.push(heard);
        }
        client.is_served().await;
        for heard in under_way {
            client.take(&heard).await;
        }
        for number in [most + 1, most + 2] {
            assert_eq!(client.taken().await.said(), number.to_string());
        }
    }
}

async fn answered_at_a_quota_of_zero(scene: Scene) {
    let topic = scene.topic("q");
    let mut client = scene.login(&scene.program().with(RECEIVE_MAXIMUM, Value::Two(1))).await;
    client.subscribe(&[(&topic, 2)]).await;
    let mut speaker = scene.connected().await;
    for number in counted(3) {
        speaker.say(Publish::new(&topic, &number).qos(2)).await;
    }
    let heard = client.heard().await;
    client.send(&acknowledge(PUBREC, heard.id)).await;
    client.expect_ack(PUBREL, heard.id).await;
    client.subscribe(&[(&scene.topic("other"), 0)]).await;
    client.say(Publish::new(&scene.topic("elsewhere"), "x").qos(2)).await;
    client.unsubscribe(&[&scene.topic("other")]).await;
    client.is_served().await;
    client.send(&acknowledge(PUBCOMP, heard.id)).await;
    assert_eq!(client.taken().await.said(), "2");
}
