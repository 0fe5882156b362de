//! Wills (chapters 3.1.2.5 to 3.1.2.7, 3.1.3.2 to 3.1.3.4).
use crate::clause::{Clause, clause, run};
use crate::client::Client;
use crate::packet::{Connect, Publish, Value, WILL_DELAY, all_of, pair};
use crate::packet::{USER_PROPERTY, field};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(
        &["3.1.2-8"],
        &["3.1.2-7", "3.1.2-8"],
        "a will is stored, and published when the connection ends without a DISCONNECT",
        run!(published),
    ),
    clause(
        &["3.1.2-9"],
        &["3.1.2-9"],
        "with the will flag, the will's topic and payload are there",
        run!(fields_are_there),
    ),
    clause(
        &["3.1.2-10"],
        &["3.1.2-10"],
        "a will is gone once it was published, or the client has left in order",
        run!(published_once),
    ),
    clause(
        &["3.1.2-11", "3.1.2-13", "3.1.2-15"],
        &["3.1.2-11", "3.1.2-13"],
        "without the will flag, the will's QoS and retain flag are 0",
        run!(flags_without_a_will),
    ),
    clause(&["3.1.2-12"], &[], "without the will flag no will is published", run!(no_will)),
    clause(&["3.1.2-14"], &["3.1.2-12"], "a will's QoS is not 3", run!(qos_of_three)),
    clause(
        &["3.1.2-16"],
        &["3.1.2-14"],
        "a will without the retain flag is not retained",
        run!(not_retained),
    ),
    clause(&["3.1.2-17"], &["3.1.2-15"], "a will with the retain flag is retained", run!(retained)),
    clause(
        &[],
        &["3.1.3-9"],
        "a client that is back before the Will Delay Interval has passed takes its will back",
        run!(back_in_time),
    ),
    clause(&[], &["3.1.3-10"], "a will's user properties keep their order", run!(properties_in_order)),
    clause(&["3.1.3-10"], &["3.1.3-11"], "a will's topic is UTF-8", run!(topic_is_text)),
];

/// A client that leaves this will, and another that hears it.
async fn with_will(scene: &Scene, will: Publish) -> (Connect, Client, Client) {
    let listener = scene.listening(&will.topic, 2).await;
    let connect = scene.program().will(will);
    let client = scene.login(&connect).await;
    (connect, client, listener)
}

/// The next message is this one, so nothing came before it.
async fn hears_only(scene: &Scene, listener: &mut Client, topic: &str) {
    scene.connected().await.say(Publish::new(topic, "nothing before this")).await;
    assert_eq!(listener.taken().await.said(), "nothing before this");
}

async fn published(scene: Scene) {
    let topic = scene.topic("will");
    for qos in 0..3 {
        let (_, client, mut listener) = with_will(&scene, Publish::new(&topic, "gone").qos(qos)).await;
        client.vanish();
        let heard = listener.taken().await;
        assert_eq!((heard.said().as_str(), heard.qos), ("gone", qos));
    }
    // An error in the protocol is no farewell either, nor is silence.
    let (_, mut client, mut listener) = with_will(&scene, Publish::new(&topic, "wrong")).await;
    client.send(&[0x00, 0x00]).await;
    assert_eq!(listener.heard().await.said(), "wrong");
    let silent = scene.program().keep_alive(1).will(Publish::new(&topic, "silent"));
    let _silent = scene.login(&silent).await;
    assert_eq!(listener.heard().await.said(), "silent");
    if scene.is_v5() {
        let (_, mut client, mut listener) = with_will(&scene, Publish::new(&topic, "on purpose")).await;
        client.send(&[0xE0, 1, 0x04]).await;
        assert_eq!(listener.heard().await.said(), "on purpose");
    }
}

async fn fields_are_there(scene: Scene) {
    let connect = scene.program().will(Publish::new(&scene.topic("will"), "x"));
    let with = connect.payload();
    let without = Connect { will: None, ..connect.clone() }.payload();
    scene
        .open()
        .await
        .is_hung_up_on("no topic, no payload", &connect.frame_of(connect.flags(), &without[..1]))
        .await;
    scene.open().await.is_hung_up_on("no payload", &connect.frame_of(connect.flags(), &with[..2])).await;
}

async fn published_once(scene: Scene) {
    let topic = scene.topic("will");
    let (connect, client, mut listener) = with_will(&scene, Publish::new(&topic, "once").qos(1)).await;
    client.vanish();
    assert_eq!(listener.taken().await.said(), "once");
    hears_only(&scene, &mut listener, &topic).await;
    let client = scene.login(&connect).await;
    client.leave().await;
    hears_only(&scene, &mut listener, &topic).await;
}

async fn flags_without_a_will(scene: Scene) {
    let connect = scene.program();
    for flag in [0x08, 0x10, 0x18, 0x20] {
        let strange = connect.frame_of(connect.flags() | flag, &connect.payload());
        scene.open().await.is_hung_up_on(&format!("flag {flag:#04x}"), &strange).await;
    }
}

async fn no_will(scene: Scene) {
    let mut listener = scene.listening(&scene.topic("#"), 0).await;
    scene.connected().await.vanish();
    hears_only(&scene, &mut listener, &scene.topic("will")).await;
}

async fn qos_of_three(scene: Scene) {
    let connect = scene.program().will(Publish::new(&scene.topic("will"), "x"));
    let strange = connect.frame_of(connect.flags() | 0x18, &connect.payload());
    scene.open().await.is_hung_up_on("a will of QoS 3", &strange).await;
}

async fn not_retained(scene: Scene) {
    let topic = scene.topic("will");
    let (_, client, mut listener) = with_will(&scene, Publish::new(&topic, "passing").qos(1)).await;
    client.vanish();
    assert!(!listener.taken().await.retain);
    let mut late = scene.listening(&topic, 1).await;
    hears_only(&scene, &mut late, &topic).await;
}

async fn retained(scene: Scene) {
    let topic = scene.topic("will");
    let (_, client, mut listener) = with_will(&scene, Publish::new(&topic, "stays").qos(1).retained()).await;
    client.vanish();
    assert_eq!(listener.taken().await.said(), "stays");
    let heard = scene.listening(&topic, 1).await.taken().await;
    assert!(heard.retain && heard.said() == "stays", "{heard:?}");
    scene.connected().await.say(Publish::new(&topic, "").retained()).await;
}

async fn back_in_time(scene: Scene) {
    let topic = scene.topic("will");
    let mut listener = scene.listening(&topic, 1).await;
    let patient =
        scene.program().kept().will(Publish::new(&topic, "late").with(WILL_DELAY, Value::Four(300)));
    scene.login(&patient).await.vanish();
    let back = scene.login(&patient).await;
    hears_only(&scene, &mut listener, &topic).await;
    back.leave().await;
    // Whoever is not back in time has left it; here the session ends first.
    let hasty = scene.program().will(Publish::new(&topic, "said").with(WILL_DELAY, Value::Four(300)));
    scene.login(&hasty).await.vanish();
    assert_eq!(listener.taken().await.said(), "said");
    let soon = scene.program().kept().will(Publish::new(&topic, "soon").with(WILL_DELAY, Value::Four(1)));
    scene.login(&soon).await.vanish();
    assert_eq!(listener.taken().await.said(), "soon");
    for connect in [patient, soon] {
        scene.login(&Connect { will: None, ..connect }.afresh()).await.leave().await;
    }
}

async fn properties_in_order(scene: Scene) {
    let topic = scene.topic("will");
    let own = [pair("b", "1"), pair("a", "2"), pair("b", "1"), pair("", "")];
    let will = Publish { properties: own.to_vec(), ..Publish::new(&topic, "x") };
    let (_, client, mut listener) = with_will(&scene, will).await;
    client.vanish();
    let heard = listener.heard().await;
    let expected: Vec<_> = own.iter().map(|(_, value)| value).collect();
    assert_eq!(all_of(&heard.properties, USER_PROPERTY), expected);
}

async fn topic_is_text(scene: Scene) {
    let connect = scene.program().will(Publish::new("t", "x"));
    let mut fields = connect.payload();
    let topic_at = if scene.is_v5() { 2 } else { 1 };
    fields[topic_at] = field(&[0xFF]);
    scene.open().await.is_hung_up_on("no text", &connect.frame_of(connect.flags(), &fields)).await;
}
