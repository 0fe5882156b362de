//! How long sessions last (chapter 4.1), and what is sent again (chapter 4.4).
use std::time::Duration;

use tokio::time::sleep;

use crate::clause::{Clause, clause, run};
use crate::packet::{
    DISCONNECT, PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, SESSION_EXPIRY, Said, Value, acknowledge,
    acknowledge_with,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(
        &["4.1.0-1", "4.1.0-2"],
        &["4.1.0-1"],
        "a session lasts at least as long as its connection",
        run!(lasts_as_long_as_its_connection),
    ),
    clause(
        &[],
        &["4.1.0-2"],
        "a session is discarded when its Session Expiry Interval has passed after its connection",
        run!(is_discarded),
    ),
    clause(
        &["4.4.0-1"],
        &["4.4.0-1"],
        "a client that is back gets PUBLISH and PUBREL again that it has not acknowledged, under their identifiers",
        run!(sent_again),
    ),
    clause(
        &[],
        &["4.4.0-2"],
        "a message that its receiver has refused with PUBACK or PUBREC is not sent again",
        run!(refused_is_done),
    ),
];

async fn lasts_as_long_as_its_connection(scene: Scene) {
    let topic = scene.topic("session");
    for connect in [scene.program(), scene.program().kept()] {
        let mut client = scene.login(&connect).await;
        client.subscribe(&[(&topic, 1)]).await;
        let mut speaker = scene.connected().await;
        for _ in 0..5 {
            sleep(Duration::from_millis(300)).await; // time passes, that is all
            speaker.say(Publish::new(&topic, "x").qos(1)).await;
            client.taken().await;
        }
        client.leave().await;
        scene.login(&connect.afresh()).await.leave().await;
    }
}

async fn is_discarded(scene: Scene) {
    let brief = scene.program().with(SESSION_EXPIRY, Value::Four(1)).kept();
    scene.login(&brief).await.vanish();
    sleep(Duration::from_secs(4)).await; // its lifetime is what is tested
    let (client, flags, _) = scene.greeted(&brief).await;
    assert_eq!(flags, 0, "it has expired");
    client.leave().await;
    // A DISCONNECT may end it at once.
    let long = scene.program().kept();
    let mut client = scene.login(&long).await;
    client.send(&[0xE0, 7, 0, 5, SESSION_EXPIRY, 0, 0, 0, 0]).await;
    client.last_words().await;
    let (client, flags, _) = scene.greeted(&long).await;
    assert_eq!(flags, 0, "its client has ended it");
    client.leave().await;
    scene.login(&long.afresh()).await.leave().await;
}

async fn sent_again(scene: Scene) {
    let (kept, topic) = (scene.program().kept(), scene.topic("again"));
    let mut client = scene.login(&kept).await;
    client.subscribe(&[(&topic, 2)]).await;
    let mut speaker = scene.connected().await;
    for (payload, qos) in [("one", 1), ("two", 2), ("three", 2), ("four", 1)] {
        speaker.say(Publish::new(&topic, payload).qos(qos)).await;
    }
    let first = [client.heard().await, client.heard().await, client.heard().await, client.heard().await];
    // The second is received and not released to the end.
    client.send(&acknowledge(PUBREC, first[1].id)).await;
    client.expect_ack(PUBREL, first[1].id).await;
    client.is_served().await;
    client.vanish();
    let mut client = scene.login(&kept).await;
    let mut again = Vec::new();
    while again.len() < 4 {
        match client.hear().await {
            Some(Said::Publish(message)) => {
                assert!(message.dup);
                again.push((PUBACK, message.id, message.said()));
            }
            Some(Said::Ack { first: PUBREL, id, .. }) => again.push((PUBREL, id, String::new())),
            other => panic!("{other:?}"),
        }
    }
    // PUBREL and PUBLISH have no order between them; each kind keeps its own.
    let of = |kind: u8| -> Vec<(u16, &str)> {
        let own = again.iter().filter(|(first, ..)| *first == kind);
        own.map(|(_, id, said)| (*id, said.as_str())).collect()
    };
    assert_eq!(of(PUBACK), [(first[0].id, "one"), (first[2].id, "three"), (first[3].id, "four")]);
    assert_eq!(of(PUBREL), [(first[1].id, "")]);
    // Nothing is sent again for silence alone.
    client.send(&acknowledge(PUBCOMP, first[1].id)).await;
    sleep(Duration::from_millis(1_500)).await; // long enough for a timer that must not be there
    client.is_served().await;
    client.send(&DISCONNECT).await;
    assert_eq!(client.last_words().await, []);
    scene.login(&kept.afresh()).await.leave().await;
}

async fn refused_is_done(scene: Scene) {
    let (kept, topic) = (scene.program().kept(), scene.topic("refused"));
    let mut client = scene.login(&kept).await;
    client.subscribe(&[(&topic, 2)]).await;
    let mut speaker = scene.connected().await;
    for (qos, answer) in [(1, PUBACK), (2, PUBREC)] {
        speaker.say(Publish::new(&topic, "refused").qos(qos)).await;
        let heard = client.heard().await;
        client.send(&acknowledge_with(answer, heard.id, 0x97)).await;
    }
    client.is_served().await;
    client.leave().await;
    let mut client = scene.login(&kept).await;
    speaker.say(Publish::new(&topic, "later").qos(1)).await;
    assert_eq!(client.taken().await.said(), "later");
    client.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}
