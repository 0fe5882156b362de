//! Retained messages (chapters 3.1.2.5 and 3.3.1.3).
use crate::clause::{Clause, clause, run};
use crate::client::Client;
use crate::packet::Publish;
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(
        &["3.1.2-7"],
        &[],
        "retained messages outlive the session that has published them",
        run!(outlives),
    ),
    clause(
        &["3.3.1-5"],
        &["3.3.1-5"],
        "a message with the retain flag is stored in place of the one before it",
        run!(stored_in_place),
    ),
    clause(
        &["3.3.1-6"],
        &["3.3.1-9"],
        "a new subscription gets the retained message of each topic that it matches",
        run!(new_subscription),
    ),
    clause(&["3.3.1-7"], &[], "a retained message at QoS 0 discards the one before it", run!(qos_0_discards)),
    clause(
        &["3.3.1-8"],
        &[],
        "what is sent because of a new subscription has the retain flag",
        run!(flag_for_a_new_subscription),
    ),
    clause(
        &["3.3.1-9"],
        &["3.3.1-12"],
        "what is sent to a subscription that there was has no retain flag",
        run!(no_flag_otherwise),
    ),
    clause(
        &["3.3.1-10"],
        &["3.3.1-6"],
        "an empty retained message removes the one of its topic, and is passed on",
        run!(empty_removes),
    ),
    clause(&["3.3.1-11"], &["3.3.1-7"], "an empty retained message is not stored", run!(empty_is_not_stored)),
    clause(
        &["3.3.1-12"],
        &["3.3.1-8"],
        "a message without the retain flag neither stores nor removes one",
        run!(without_the_flag),
    ),
    clause(
        &[],
        &["3.3.1-10"],
        "with Retain Handling 1, only a subscription that is new gets retained messages",
        run!(only_when_new),
    ),
    clause(&[], &["3.3.1-11"], "with Retain Handling 2, no subscription gets them", run!(never)),
    clause(
        &[],
        &["3.3.1-13"],
        "with Retain As Published, the retain flag is passed on as it came",
        run!(as_published),
    ),
];

const ONLY_WHEN_NEW: u8 = 0x10;
const NEVER: u8 = 0x20;
const AS_PUBLISHED: u8 = 0x08;

/// Retains messages and sees that they are.
async fn retain(scene: &Scene, messages: &[(&str, &str, u8)]) -> Client {
    let mut client = scene.connected().await;
    for (topic, payload, qos) in messages {
        client.say(Publish::new(topic, payload).qos(*qos).retained()).await;
    }
    client.is_served().await;
    client
}

/// What a new subscription gets, up to a message that is sent to it afterwards.
async fn stored(scene: &Scene, filter: &str, options: u8) -> Vec<Publish> {
    let mut client = scene.listening(filter, options).await;
    let marked = scene.topic("the/end/of/what/was/stored");
    client.subscribe(&[(&marked, 0)]).await;
    scene.connected().await.say(Publish::new(&marked, "")).await;
    let mut found = Vec::new();
    loop {
        let heard = client.taken().await;
        if heard.topic == marked {
            return found;
        }
        found.push(heard);
    }
}

async fn texts(scene: &Scene, filter: &str) -> Vec<String> {
    stored(scene, filter, 1).await.iter().map(Publish::said).collect()
}

/// Leaves nothing behind.
async fn clear(scene: &Scene, topics: &[&str]) {
    let mut client = scene.connected().await;
    for topic in topics {
        client.say(Publish::new(topic, "").qos(1).retained()).await;
    }
}

async fn outlives(scene: Scene) {
    let topic = scene.topic("r");
    retain(&scene, &[(&topic, "stays", 1)]).await.leave().await;
    assert_eq!(texts(&scene, &topic).await, ["stays"]);
    clear(&scene, &[&topic]).await;
}

async fn stored_in_place(scene: Scene) {
    let topic = scene.topic("r");
    for (payload, qos) in [("one", 1), ("two", 2), ("three", 0), ("four", 1)] {
        retain(&scene, &[(&topic, payload, qos)]).await;
        let found = stored(&scene, &topic, 2).await;
        assert_eq!((found.len(), found[0].said().as_str(), found[0].qos), (1, payload, qos), "with its QoS");
    }
    clear(&scene, &[&topic]).await;
}

async fn new_subscription(scene: Scene) {
    let (a, b, other) = (scene.topic("r/a"), scene.topic("r/b/c"), scene.topic("s"));
    retain(&scene, &[(&a, "a", 1), (&b, "b", 1), (&other, "other", 1)]).await;
    let mut found = texts(&scene, &scene.topic("r/#")).await;
    found.sort();
    assert_eq!(found, ["a", "b"]);
    assert_eq!(texts(&scene, &scene.topic("r/+")).await, ["a"]);
    clear(&scene, &[&a, &b, &other]).await;
}

async fn qos_0_discards(scene: Scene) {
    let topic = scene.topic("r");
    retain(&scene, &[(&topic, "old", 1), (&topic, "new", 0)]).await;
    assert_eq!(texts(&scene, &topic).await, ["new"]);
    clear(&scene, &[&topic]).await;
}

async fn flag_for_a_new_subscription(scene: Scene) {
    let topic = scene.topic("r");
    retain(&scene, &[(&topic, "x", 1)]).await;
    assert!(stored(&scene, &topic, 1).await[0].retain);
    clear(&scene, &[&topic]).await;
}

async fn no_flag_otherwise(scene: Scene) {
    let topic = scene.topic("r");
    let mut listener = scene.listening(&topic, 1).await;
    retain(&scene, &[(&topic, "x", 1)]).await;
    let heard = listener.taken().await;
    assert!(!heard.retain && heard.said() == "x", "{heard:?}");
    clear(&scene, &[&topic]).await;
}

async fn empty_removes(scene: Scene) {
    let topic = scene.topic("r");
    retain(&scene, &[(&topic, "x", 1)]).await;
    let mut listener = scene.listening(&topic, 1).await;
    assert_eq!(listener.taken().await.said(), "x");
    clear(&scene, &[&topic]).await;
    assert_eq!(listener.taken().await.said(), "", "passed on");
    assert_eq!(texts(&scene, &topic).await, [""; 0]);
}

async fn empty_is_not_stored(scene: Scene) {
    let topic = scene.topic("r");
    for qos in 0..3 {
        retain(&scene, &[(&topic, "", qos)]).await;
        assert_eq!(stored(&scene, &topic, 2).await, []);
    }
}

async fn without_the_flag(scene: Scene) {
    let topic = scene.topic("r");
    let mut client = scene.connected().await;
    client.say(Publish::new(&topic, "passing").qos(1)).await;
    assert_eq!(texts(&scene, &topic).await, [""; 0]);
    retain(&scene, &[(&topic, "stays", 1)]).await;
    client.say(Publish::new(&topic, "passing").qos(1)).await;
    client.say(Publish::new(&topic, "").qos(1)).await;
    assert_eq!(texts(&scene, &topic).await, ["stays"]);
    clear(&scene, &[&topic]).await;
}

/// Subscribes twice; how many retained messages came each time.
async fn twice(scene: &Scene, options: u8) -> [usize; 2] {
    let topic = scene.topic("r");
    retain(scene, &[(&topic, "x", 1)]).await;
    let mut client = scene.connected().await;
    let mut counts = [0; 2];
    for count in &mut counts {
        client.subscribe(&[(&topic, 1 | options)]).await;
        scene.connected().await.say(Publish::new(&topic, "then").qos(1)).await;
        while client.taken().await.said() != "then" {
            *count += 1;
        }
    }
    clear(scene, &[&topic]).await;
    counts
}

async fn only_when_new(scene: Scene) {
    assert_eq!(twice(&scene, ONLY_WHEN_NEW).await, [1, 0]);
    assert_eq!(twice(&scene, 0).await, [1, 1], "with 0, each of them does");
}

async fn never(scene: Scene) {
    assert_eq!(twice(&scene, NEVER).await, [0, 0]);
}

async fn as_published(scene: Scene) {
    let topic = scene.topic("r");
    let mut as_published = scene.listening(&topic, 1 | AS_PUBLISHED).await;
    let mut plain = scene.listening(&topic, 1).await;
    let mut speaker = scene.connected().await;
    speaker.say(Publish::new(&topic, "retained").qos(1).retained()).await;
    speaker.say(Publish::new(&topic, "not").qos(1)).await;
    for retain in [true, false] {
        assert_eq!(as_published.taken().await.retain, retain);
        assert!(!plain.taken().await.retain);
    }
    clear(&scene, &[&topic]).await;
}
