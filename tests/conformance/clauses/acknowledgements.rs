//! PUBACK, PUBREC, PUBREL and PUBCOMP (chapters 3.4 to 3.7).
use crate::clause::{Clause, clause, run};
use crate::client::Client;
use crate::packet::{
    MAXIMUM_PACKET_SIZE, PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, Said, Value, acknowledge, acknowledge_with,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(
        &[],
        &["3.4.2-1", "3.5.2-1"],
        "the reason is one that the standard has for PUBACK and PUBREC",
        run!(reasons_of_puback_and_pubrec),
    ),
    clause(
        &[],
        &["3.4.2-2", "3.4.2-3", "3.5.2-2", "3.5.2-3"],
        "no Reason String or user property that makes a PUBACK or PUBREC too large for the client",
        run!(small_refusals),
    ),
    clause(
        &["3.6.1-1"],
        &["3.6.1-1"],
        "the flags of PUBREL are 0010, or the connection ends",
        run!(flags_of_pubrel),
    ),
    clause(
        &[],
        &["3.6.2-1", "3.7.2-1"],
        "the reason is one that the standard has for PUBREL and PUBCOMP",
        run!(reasons_of_pubrel_and_pubcomp),
    ),
    clause(
        &[],
        &["3.6.2-2", "3.6.2-3", "3.7.2-2", "3.7.2-3"],
        "no Reason String or user property that makes a PUBREL or PUBCOMP too large for the client",
        run!(small_steps),
    ),
];

/// A program and a device, and a topic that each may publish to and one that it may not.
async fn both_kinds(scene: &Scene) -> [(Client, String, &'static str); 2] {
    let (program, device) = (scene.connected().await, scene.login(&scene.device()).await);
    [(program, scene.topic("own"), "feed/of/the/platform"), (device, "telemetry".into(), "not/its/own")]
}

async fn reasons_of_puback_and_pubrec(scene: Scene) {
    const REASONS: [u8; 9] = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
    for (mut client, own, foreign) in both_kinds(&scene).await {
        let mut id = 0;
        for (topic, taken) in [(own.as_str(), true), (foreign, false), ("$SYS/x", false)] {
            for (qos, answer) in [(1, PUBACK), (2, PUBREC)] {
                id += 1;
                client.send(&Publish::new(topic, "{}").qos(qos).id(id).frame(scene.version)).await;
                match client.answer().await {
                    Said::Ack { first, id: of, reason, .. } => {
                        assert_eq!((first, of), (answer, id));
                        assert!(
                            REASONS.contains(&reason) && (reason < 0x80) == taken,
                            "{topic}: {reason:#04x}"
                        );
                    }
                    other => panic!("{topic}: {other:?}"),
                }
            }
        }
    }
}

/// A client that takes small packets only; larger ones fail its test, see `Client::next`.
async fn narrow(scene: &Scene) -> Client {
    scene.login(&scene.program().with(MAXIMUM_PACKET_SIZE, Value::Four(64))).await
}

async fn small_refusals(scene: Scene) {
    let mut client = narrow(&scene).await;
    for (id, (qos, answer)) in (1..).zip([(1, PUBACK), (2, PUBREC)]) {
        client.send(&Publish::new("feed/x", "x").qos(qos).id(id).frame(scene.version)).await;
        let said = client.answer().await;
        assert!(matches!(said, Said::Ack { first, reason: 0x80.., .. } if first == answer), "{said:?}");
    }
}

async fn flags_of_pubrel(scene: Scene) {
    let topic = scene.topic("released");
    for flags in (0..16u8).filter(|flags| *flags != 0b0010) {
        let mut client = scene.connected().await;
        client.send(&Publish::new(&topic, "x").qos(2).id(1).frame(scene.version)).await;
        client.expect_ack(PUBREC, 1).await;
        client.is_hung_up_on("flags of PUBREL", &acknowledge(0x60 | flags, 1)).await;
    }
    // The server's own has them, see `packet::decode`.
    let mut listener = scene.listening(&topic, 2).await;
    scene.connected().await.say(Publish::new(&topic, "x").qos(2)).await;
    assert_eq!(listener.taken().await.qos, 2);
}

async fn reasons_of_pubrel_and_pubcomp(scene: Scene) {
    for (mut client, own, _) in both_kinds(&scene).await {
        // A PUBREL for what is not known, then for what is.
        client.send(&acknowledge(PUBREL, 7)).await;
        let said = client.answer().await;
        assert!(matches!(said, Said::Ack { first: PUBCOMP, id: 7, reason: 0x92, .. }), "{said:?}");
        client.say(Publish::new(&own, "{}").qos(2)).await;
        client.send(&acknowledge(PUBREC, 9)).await;
        let said = client.answer().await;
        assert!(matches!(said, Said::Ack { first: PUBREL, id: 9, reason: 0x92, .. }), "{said:?}");
    }
    // What a client says that it will not take is not released.
    let topic = scene.topic("refused");
    let mut listener = scene.listening(&topic, 2).await;
    scene.connected().await.say(Publish::new(&topic, "x").qos(2)).await;
    let heard = listener.heard().await;
    listener.send(&acknowledge_with(PUBREC, heard.id, 0x97)).await;
    listener.is_served().await;
}

async fn small_steps(scene: Scene) {
    let mut client = narrow(&scene).await;
    for (said, answer) in [(PUBREL, PUBCOMP), (PUBREC, PUBREL)] {
        client.send(&acknowledge(said, 7)).await;
        let said = client.answer().await;
        assert!(matches!(said, Said::Ack { first, reason: 0x92, .. } if first == answer), "{said:?}");
    }
}
