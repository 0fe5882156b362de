//! PINGREQ, DISCONNECT and AUTH (chapters 3.12 to 3.15).
use crate::clause::{Clause, clause, elsewhere, of_clients, run};
use crate::packet::{
    Connect, MAXIMUM_PACKET_SIZE, Properties, Publish, SESSION_EXPIRY, Said, TOPIC_ALIAS, Value, frame,
    properties, property,
};
use crate::scene::Scene;

const NO_AUTH: &str = "no Authentication Method is offered, so AUTH is never sent";

pub(crate) const CLAUSES: &[Clause] = &[
    clause(&["3.12.4-1"], &["3.12.4-1"], "a PINGREQ is answered with a PINGRESP", run!(ping)),
    clause(
        &[],
        &["3.14.0-1"],
        "no DISCONNECT before a CONNACK that lets the client in",
        run!(no_disconnect_before_connack),
    ),
    clause(
        &["3.14.1-1"],
        &["3.14.1-1"],
        "the flags of DISCONNECT are 0, or it is none in good order",
        run!(flags_of_disconnect),
    ),
    clause(
        &[],
        &["3.14.2-1"],
        "the reason of a DISCONNECT is one that the standard has for it",
        run!(reasons_of_the_standard),
    ),
    clause(
        &[],
        &["3.14.2-2"],
        "the server's DISCONNECT has no Session Expiry Interval",
        run!(no_session_expiry),
    ),
    clause(
        &[],
        &["3.14.2-3", "3.14.2-4"],
        "no Reason String or user property that makes a DISCONNECT too large for the client",
        run!(small_disconnect),
    ),
    of_clients(&["3.14.4-1", "3.14.4-2"], &[], "a client closes after its DISCONNECT and says nothing more"),
    clause(
        &[],
        &["3.14.4-1", "3.14.4-2"],
        "after its DISCONNECT the server says nothing more and closes",
        run!(nothing_after_disconnect),
    ),
    clause(
        &["3.14.4-3"],
        &["3.14.4-3"],
        "a client that leaves in order has its will discarded",
        run!(will_is_discarded),
    ),
    clause(&[], &["3.15.1-1"], "the flags of AUTH are 0, or the connection ends", run!(auth)),
    elsewhere(
        &[],
        &["3.15.2-1", "3.15.2-2", "3.15.2-3"],
        "an AUTH has a reason of the standard, and no words that make it too large",
        NO_AUTH,
    ),
];

async fn ping(scene: Scene) {
    for connect in [scene.program(), scene.device()] {
        let mut client = scene.login(&connect).await;
        for _ in 0..3 {
            client.is_served().await;
        }
    }
}

async fn no_disconnect_before_connack(scene: Scene) {
    let connect = scene.program();
    let mut wrong = connect.clone();
    wrong.login.password = "wrong".into();
    let firsts = [
        wrong.frame(),
        connect.frame_of(connect.flags() | 1, &connect.payload()),
        Publish::new("x", "x").frame(scene.version),
        vec![0xE0, 0],
        vec![0xF0, 0],
    ];
    for first in firsts {
        let mut client = scene.open().await;
        client.send(&first).await;
        let words = client.last_words().await;
        assert!(!words.iter().any(|said| matches!(said, Said::Disconnect { .. })), "{words:?}");
    }
}

async fn flags_of_disconnect(scene: Scene) {
    let topic = scene.topic("will");
    for flag in [1, 2, 4, 8] {
        let mut listener = scene.listening(&topic, 0).await;
        let mut client = scene.login(&scene.program().will(Publish::new(&topic, "not in order"))).await;
        client.is_hung_up_on("flags of DISCONNECT", &[0xE0 | flag, 0]).await;
        assert_eq!(listener.heard().await.said(), "not in order");
    }
}

/// Errors that the server hangs up for, each with what it says.
async fn farewells(scene: &Scene) -> Vec<(u8, Properties)> {
    let version = scene.version;
    let errors = [
        vec![0x00, 0x00],
        vec![0xF0, 0x00],
        scene.program().frame(),
        Publish::new("a/#", "x").frame(version),
        Publish::new("a", "x").with(TOPIC_ALIAS, Value::Two(0xFFFF)).frame(version),
        Publish::new("", "x").frame(version),
        vec![0x32, 0x80, 0x84, 0xAF, 0x5F, 0, 9],
        vec![0x82, 0x02, 0x00, 0x00],
    ];
    let mut found = Vec::new();
    for bytes in errors {
        let mut client = scene.connected().await;
        client.send(&bytes).await;
        for said in client.last_words().await {
            match said {
                Said::Disconnect { reason, properties } => found.push((reason, properties)),
                other => panic!("{other:?} after {bytes:02x?}"),
            }
        }
    }
    assert!(found.len() >= 6, "most of them are told why: {found:?}");
    found
}

async fn reasons_of_the_standard(scene: Scene) {
    const REASONS: [u8; 29] = [
        0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
        0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2, 0x8C,
    ];
    for (reason, _) in farewells(&scene).await {
        assert!(REASONS.contains(&reason), "{reason:#04x}");
    }
}

async fn no_session_expiry(scene: Scene) {
    for (_, properties) in farewells(&scene).await {
        assert_eq!(property(&properties, SESSION_EXPIRY), None);
    }
}

async fn small_disconnect(scene: Scene) {
    let connect = scene.program().with(MAXIMUM_PACKET_SIZE, Value::Four(64));
    let mut client = scene.login(&connect).await;
    client.send(&Publish::new("a", "x").with(TOPIC_ALIAS, Value::Two(0xFFFF)).frame(scene.version)).await;
    let words = client.last_words().await;
    assert!(matches!(&words[..], [Said::Disconnect { reason: 0x94, .. }]), "{words:?}");
}

async fn nothing_after_disconnect(scene: Scene) {
    let topic = scene.topic("busy");
    let mut client = scene.listening(&topic, 0).await;
    let mut speaker = scene.connected().await;
    for number in 0..50u8 {
        speaker.say(Publish::new(&topic, "x")).await;
        if number == 25 {
            client.send(&[0x00, 0x00]).await;
        }
    }
    speaker.is_served().await;
    let words = client.last_words().await;
    let farewell = words.iter().position(|said| matches!(said, Said::Disconnect { .. }));
    assert_eq!(farewell.map(|at| at + 1), Some(words.len()), "{words:?}");
}

async fn will_is_discarded(scene: Scene) {
    let topic = scene.topic("will");
    let mut listener = scene.listening(&topic, 0).await;
    let connect = scene.program().will(Publish::new(&topic, "not said"));
    scene.login(&connect).await.leave().await;
    if scene.is_v5() {
        let mut client = scene.login(&connect).await;
        client.send(&[&[0xE0, 2, 0x00][..], &properties(scene.version, &Vec::new())].concat()).await;
        assert_eq!(client.last_words().await, []);
    }
    // One that its client takes over leaves nothing but what it said.
    scene.login(&Connect { will: None, ..connect }).await.say(Publish::new(&topic, "said")).await;
    assert_eq!(listener.heard().await.said(), "said");
}

async fn auth(scene: Scene) {
    // Without an Authentication Method in CONNECT, AUTH is an error whatever its flags are.
    for first in [0xF0, 0xF1, 0xF2, 0xF8] {
        let packet = frame(first, &[]);
        scene.connected().await.is_hung_up_on("AUTH", &packet).await;
        let packet = frame(first, &[0x18, 0]);
        scene.connected().await.is_hung_up_on("AUTH", &packet).await;
    }
}
