//! Topic names, filters and shared subscriptions (chapters 4.7 and 4.8).
use crate::clause::{Clause, clause, run};
use crate::clauses::{format::text_ends_the_connection, publish::is_not_taken};
use crate::client::Client;
use crate::packet::{
    PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, Said, acknowledge, acknowledge_with, subscribe,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(&["4.7.1-1"], &["4.7.0-1"], "wildcards are for filters, not for topic names", run!(no_wildcards)),
    clause(
        &["4.7.1-2"],
        &["4.7.1-1"],
        "the multi-level wildcard stands alone or behind a slash, and last",
        run!(multi_level),
    ),
    clause(&["4.7.1-3"], &["4.7.1-2"], "the single-level wildcard is a whole level", run!(single_level)),
    clause(
        &["4.7.2-1"],
        &["4.7.2-1"],
        "filters that begin with a wildcard do not match topics that begin with $",
        run!(dollar_topics),
    ),
    clause(
        &["4.7.3-1"],
        &["4.7.3-1"],
        "topic names and filters have at least one character",
        run!(not_empty),
    ),
    clause(&["4.7.3-2"], &["4.7.3-2"], "topic names and filters have no U+0000", run!(no_null)),
    clause(
        &["4.7.3-3"],
        &["4.7.3-3"],
        "topic names and filters of up to 65,535 bytes do no harm",
        run!(longest),
    ),
    clause(
        &["4.7.3-4"],
        &["4.7.3-4"],
        "topics are compared as they are: case, spaces, slashes, other scripts",
        run!(as_they_are),
    ),
    clause(
        &[],
        &["4.8.2-1", "4.8.2-2"],
        "a shared subscription is $share, a name without wildcards, and a filter",
        run!(shape_of_a_share),
    ),
    clause(
        &[],
        &["4.8.2-3"],
        "a shared message comes at the QoS that its client was granted",
        run!(qos_of_a_share),
    ),
    clause(
        &[],
        &["4.8.2-4", "4.8.2-5"],
        "a QoS 2 message that was sent to a client of a share is completed with that one, and sent to no other",
        run!(completed_with_the_same),
    ),
    clause(
        &[],
        &["4.8.2-6"],
        "a shared message that its client refuses is sent to no other",
        run!(refused_by_its_client),
    ),
];

async fn no_wildcards(scene: Scene) {
    for topic in ["sport/+", "sport/#", "#"] {
        is_not_taken(&scene, &scene.program(), topic).await;
    }
}

/// Filters that are refused: with a code of failure or the end of the connection.
async fn are_refused(scene: &Scene, filters: &[&str]) {
    for filter in filters {
        let mut client = scene.connected().await;
        client.send(&subscribe(scene.version, 1, &[(filter, 0)], &Vec::new())).await;
        match client.hear().await {
            None | Some(Said::Disconnect { reason: 0x80.., .. }) => {}
            Some(Said::Suback { codes, .. }) => assert!(codes[0] >= 0x80, "{filter}: {codes:02x?}"),
            other => panic!("{filter}: {other:?}"),
        }
    }
}

/// Which of these topics a filter matches; both below the topics of the test.
async fn matched(scene: &Scene, filter: &str, topics: &[&str]) -> Vec<String> {
    let mut client = scene.listening(&scene.topic(filter), 0).await;
    let mut speaker = scene.connected().await;
    for topic in topics {
        speaker.say(Publish::new(&scene.topic(topic), topic)).await;
    }
    let last = scene.topic("the/last/of/all");
    client.subscribe(&[(&last, 0)]).await;
    speaker.say(Publish::new(&last, "")).await;
    let mut found = Vec::new();
    loop {
        let heard = client.heard().await;
        if heard.topic == last {
            return found;
        }
        found.push(heard.said());
    }
}

async fn multi_level(scene: Scene) {
    are_refused(&scene, &["a/#/b", "a#", "#a", "a/b#", "##"]).await;
    let topics = ["sport", "sport/", "sport/tennis", "sport/tennis/score/1", "sports"];
    assert_eq!(
        matched(&scene, "sport/#", &topics).await,
        ["sport", "sport/", "sport/tennis", "sport/tennis/score/1"]
    );
}

async fn single_level(scene: Scene) {
    are_refused(&scene, &["a+", "+a", "a/b+/c", "++"]).await;
    let topics = ["sport/tennis", "sport/", "sport", "sport/tennis/score"];
    assert_eq!(matched(&scene, "sport/+", &topics).await, ["sport/tennis", "sport/"]);
    assert_eq!(matched(&scene, "+/tennis/#", &topics).await, ["sport/tennis", "sport/tennis/score"]);
    assert_eq!(matched(&scene, "+/+/score", &topics).await, ["sport/tennis/score"]);
}

async fn dollar_topics(scene: Scene) {
    // What the server itself says below $SYS comes to those who name it.
    let mut named = scene.connected().await;
    named.subscribe(&[("$SYS/#", 0)]).await;
    let heard = named.heard().await;
    assert!(heard.topic.starts_with("$SYS/") && heard.retain, "{heard:?}");
    let mut wild = scene.connected().await;
    wild.subscribe(&[("#", 0), ("+/#", 0)]).await;
    let marked = scene.topic("marked");
    scene.connected().await.say(Publish::new(&marked, "")).await;
    loop {
        let heard = wild.heard().await;
        assert!(!heard.topic.starts_with('$'), "{heard:?}");
        if heard.topic == marked {
            break;
        }
    }
    // Nobody says anything there but the server.
    is_not_taken(&scene, &scene.program(), "$SYS/broker/version").await;
}

async fn not_empty(scene: Scene) {
    is_not_taken(&scene, &scene.program(), "").await;
    is_not_taken(&scene, &scene.device(), "").await;
    are_refused(&scene, &[""]).await;
}

async fn no_null(scene: Scene) {
    text_ends_the_connection(&scene, b"a/\0").await;
}

async fn longest(scene: Scene) {
    let long = "x".repeat(65_535);
    let packets = [
        Publish::new(&long, "x").qos(1).id(1).frame(scene.version),
        subscribe(scene.version, 1, &[(&long, 1)], &Vec::new()),
        subscribe(scene.version, 1, &[(&"+/".repeat(32_767), 1)], &Vec::new()),
    ];
    for packet in packets {
        for connect in [scene.program(), scene.device()] {
            let mut client = scene.login(&connect).await;
            client.send(&packet).await;
            // It may be taken or refused; whoever is refused is told so.
            client.hear().await;
        }
    }
    scene.connected().await.is_served().await;
    // One of a thousand bytes in sixteen levels is an ordinary one.
    let topic = scene.topic(&format!("{}last", format!("{}/", "x".repeat(60)).repeat(13)));
    let mut client = scene.listening(&topic, 1).await;
    client.say(Publish::new(&topic, "x").qos(1)).await;
    assert_eq!(client.taken().await.topic, topic);
}

async fn as_they_are(scene: Scene) {
    let topics =
        ["Accounts", "accounts", "a b", " a b", "/x", "x/", "x", "//", "/", "心/拍", "e\u{301}", "\u{e9}"];
    for topic in topics {
        assert_eq!(matched(&scene, topic, &topics).await, [topic]);
    }
}

async fn shape_of_a_share(scene: Scene) {
    are_refused(
        &scene,
        &["$share", "$share/", "$share/group", "$share/group/", "$share//a", "$share/g+/a", "$share/#/a"],
    )
    .await;
    let topic = scene.topic("shared");
    let mut client = scene.connected().await;
    assert_eq!(client.subscribe(&[(&format!("$share/group 1/{topic}"), 1)]).await, [1]);
    client.say(Publish::new(&topic, "x").qos(1)).await;
    assert_eq!(client.taken().await.topic, topic);
}

/// Two clients that share a topic at these QoS.
async fn sharing(scene: &Scene, topic: &str, qos: [u8; 2]) -> [Client; 2] {
    let filter = format!("$share/group/{topic}");
    [scene.listening(&filter, qos[0]).await, scene.listening(&filter, qos[1]).await]
}

async fn qos_of_a_share(scene: Scene) {
    let topic = scene.topic("shared");
    let clients = sharing(&scene, &topic, [0, 2]).await;
    let mut speaker = scene.connected().await;
    for _ in 0..10 {
        speaker.say(Publish::new(&topic, "x").qos(2)).await;
    }
    for (mut client, qos) in clients.into_iter().zip([0, 2]) {
        let mark = scene.topic(&format!("mark/{qos}"));
        client.subscribe(&[(&mark, 0)]).await;
        speaker.say(Publish::new(&mark, "")).await;
        let mut shared = 0;
        loop {
            let heard = client.taken().await;
            if heard.topic == mark {
                break;
            }
            assert_eq!(heard.qos, qos);
            shared += 1;
        }
        assert!(shared > 0, "each of them gets some");
    }
}

/// One message to two that share it: who got it, and who did not.
async fn one_of_two(scene: &Scene, topic: &str, clients: [Client; 2], qos: u8) -> (Client, Client, Publish) {
    scene.connected().await.say(Publish::new(topic, "for one").qos(qos)).await;
    let [mut first, mut second] = clients;
    tokio::select! {
        heard = first.heard() => (first, second, heard),
        heard = second.heard() => (second, first, heard),
    }
}

async fn completed_with_the_same(scene: Scene) {
    let (topic, filter) = (scene.topic("shared"), format!("$share/group/{}", scene.topic("shared")));
    let kept = [scene.program().kept(), scene.program().kept()];
    let mut clients = Vec::new();
    for connect in &kept {
        let mut client = scene.login(connect).await;
        client.subscribe(&[(&filter, 2)]).await;
        clients.push(client);
    }
    let [first, second] = <[Client; 2]>::try_from(clients).ok().unwrap();
    scene.connected().await.say(Publish::new(&topic, "for one").qos(2)).await;
    let (mut first, mut second) = (first, second);
    let (at, heard) = tokio::select! {
        heard = first.heard() => (0, heard),
        heard = second.heard() => (1, heard),
    };
    let (owner, mut other) = if at == 0 { (first, second) } else { (second, first) };
    owner.vanish();
    other.is_served().await;
    let mut owner = scene.login(&kept[at]).await;
    let again = owner.heard().await;
    assert_eq!((again.id, again.dup), (heard.id, true));
    owner.send(&acknowledge(PUBREC, again.id)).await;
    owner.expect_ack(PUBREL, again.id).await;
    owner.vanish();
    let mut owner = scene.login(&kept[at]).await;
    owner.expect_ack(PUBREL, again.id).await;
    owner.send(&acknowledge(PUBCOMP, again.id)).await;
    owner.is_served().await;
    // The session of one that was sent a message ends: nobody else gets it.
    scene.connected().await.say(Publish::new(&topic, "for one more").qos(2)).await;
    let at_owner = tokio::select! {
        _ = owner.heard() => true,
        _ = other.heard() => false,
    };
    let (ending, mut left) = if at_owner { (owner, other) } else { (other, owner) };
    let of_ending = if at_owner { at } else { 1 - at };
    ending.vanish();
    scene.login(&kept[of_ending].clone().afresh()).await.leave().await;
    left.is_served().await;
    scene.connected().await.say(Publish::new(&topic, "for the one that is left").qos(2)).await;
    assert_eq!(left.taken().await.said(), "for the one that is left");
    left.leave().await;
    for connect in kept {
        scene.login(&connect.afresh()).await.leave().await;
    }
}

async fn refused_by_its_client(scene: Scene) {
    let topic = scene.topic("shared");
    for (qos, answer) in [(1, PUBACK), (2, PUBREC)] {
        let clients = sharing(&scene, &topic, [2, 2]).await;
        let (mut owner, mut other, heard) = one_of_two(&scene, &topic, clients, qos).await;
        owner.send(&acknowledge_with(answer, heard.id, 0x97)).await;
        owner.is_served().await;
        other.is_served().await;
    }
}
