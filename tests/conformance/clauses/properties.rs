//! What a PUBLISH carries besides its payload (chapter 3.3.2.3 of 5.0).
use std::time::Duration;

use tokio::time::sleep;

use crate::clause::{Clause, clause, of_clients, run};
use crate::packet::{
    ALIAS_MAXIMUM, CONTENT_TYPE, CORRELATION_DATA, MESSAGE_EXPIRY, PAYLOAD_FORMAT, PUBACK, Properties,
    Publish, RESPONSE_TOPIC, Said, TOPIC_ALIAS, USER_PROPERTY, Value, all_of, pair, property, text,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(&[], &["3.3.2-4"], "the Payload Format Indicator is passed on as it came", run!(payload_format)),
    clause(
        &[],
        &["3.3.2-5"],
        "a message that waits longer than its Message Expiry Interval is not delivered any more",
        run!(expired),
    ),
    clause(
        &[],
        &["3.3.2-6"],
        "the time that a message has waited is taken off its interval",
        run!(remaining),
    ),
    clause(&[], &["3.3.2-7"], "a topic alias is forgotten with its connection", run!(alias_of_a_connection)),
    clause(&[], &["3.3.2-8"], "a topic alias is not 0", run!(alias_of_zero)),
    clause(&[], &["3.3.2-9"], "an alias above the server's maximum is told 0x94", run!(alias_too_high)),
    of_clients(&[], &["3.3.2-10"], "a client takes every alias up to its maximum"),
    clause(&[], &["3.3.2-11"], "the server does not exceed the client's maximum", run!(alias_of_the_server)),
    clause(&[], &["3.3.2-12"], "the server takes every alias up to its maximum", run!(every_alias)),
    clause(&[], &["3.3.2-13"], "the Response Topic is UTF-8", run!(response_topic_is_text)),
    clause(&[], &["3.3.2-14"], "the Response Topic has no wildcards", run!(response_topic_has_no_wildcards)),
    clause(&[], &["3.3.2-15"], "the Response Topic is passed on as it came", run!(response_topic)),
    clause(&[], &["3.3.2-16"], "the Correlation Data are passed on as they came", run!(correlation_data)),
    clause(
        &[],
        &["3.3.2-17", "3.3.2-18"],
        "user properties are passed on as they came, in their order",
        run!(user_properties),
    ),
    clause(&[], &["3.3.2-19"], "the Content Type is UTF-8", run!(content_type_is_text)),
    clause(&[], &["3.3.2-20"], "the Content Type is passed on as it came", run!(content_type)),
];

/// Says a message with these properties, and what it arrives with: at once, retained, and to a session that was away.
async fn passed_on(scene: &Scene, own: &Properties) -> [Properties; 3] {
    let topic = scene.topic("properties");
    let kept = scene.program().kept();
    let mut away = scene.login(&kept).await;
    away.subscribe(&[(&topic, 1)]).await;
    away.leave().await;
    let mut listener = scene.listening(&topic, 1).await;
    let message = Publish { properties: own.clone(), ..Publish::new(&topic, "x").qos(1).retained() };
    let mut speaker = scene.connected().await;
    speaker.say(message).await;
    let at_once = listener.taken().await.properties;
    let retained = scene.listening(&topic, 1).await.taken().await.properties;
    let mut back = scene.login(&kept).await;
    let later = back.taken().await.properties;
    back.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
    speaker.say(Publish::new(&topic, "").retained()).await;
    [at_once, retained, later]
}

async fn is_passed_on(scene: &Scene, own: Properties) {
    for found in passed_on(scene, &own).await {
        assert_eq!(found, own);
    }
}

async fn payload_format(scene: Scene) {
    for indicator in [0, 1] {
        is_passed_on(&scene, vec![(PAYLOAD_FORMAT, Value::Byte(indicator))]).await;
    }
}

async fn expired(scene: Scene) {
    let topic = scene.topic("expires");
    let kept = scene.program().kept();
    let mut client = scene.login(&kept).await;
    client.subscribe(&[(&topic, 1)]).await;
    client.leave().await;
    let mut speaker = scene.connected().await;
    speaker.say(Publish::new(&topic, "short").qos(1).with(MESSAGE_EXPIRY, Value::Four(1)).retained()).await;
    speaker.say(Publish::new(&topic, "long").qos(1).with(MESSAGE_EXPIRY, Value::Four(600))).await;
    sleep(Duration::from_millis(2_100)).await; // its lifetime is what is tested
    let mut client = scene.login(&kept).await;
    assert_eq!(client.taken().await.said(), "long");
    client.leave().await;
    let mut late = scene.listening(&topic, 1).await;
    speaker.say(Publish::new(&topic, "now").qos(1)).await;
    assert_eq!(late.taken().await.said(), "now", "the retained one has expired, too");
    scene.login(&kept.afresh()).await.leave().await;
}

async fn remaining(scene: Scene) {
    let topic = scene.topic("waits");
    let kept = scene.program().kept();
    let mut client = scene.login(&kept).await;
    client.subscribe(&[(&topic, 1)]).await;
    client.leave().await;
    scene
        .connected()
        .await
        .say(Publish::new(&topic, "x").qos(1).with(MESSAGE_EXPIRY, Value::Four(600)))
        .await;
    sleep(Duration::from_millis(2_100)).await; // the time that it waits is what is tested
    let mut client = scene.login(&kept).await;
    let heard = client.taken().await;
    let remaining = property(&heard.properties, MESSAGE_EXPIRY);
    assert!(matches!(remaining, Some(Value::Four(500..=598))), "{remaining:?}");
    client.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

/// A message under an alias alone.
fn by_alias(alias: u16) -> Publish {
    Publish::new("", "by alias").with(TOPIC_ALIAS, Value::Two(alias))
}

async fn alias_of_a_connection(scene: Scene) {
    let (kept, topic) = (scene.program().kept(), scene.topic("alias"));
    let mut listener = scene.listening(&topic, 0).await;
    let mut client = scene.login(&kept).await;
    client.say(Publish::new(&topic, "in full").with(TOPIC_ALIAS, Value::Two(1))).await;
    client.say(by_alias(1)).await;
    for said in ["in full", "by alias"] {
        assert_eq!(listener.heard().await.said(), said);
    }
    client.leave().await;
    let mut client = scene.login(&kept).await;
    client.is_hung_up_on("an alias of the connection before", &by_alias(1).frame(scene.version)).await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn alias_of_zero(scene: Scene) {
    let flawed = Publish::new(&scene.topic("x"), "x").with(TOPIC_ALIAS, Value::Two(0));
    scene.connected().await.is_hung_up_on("alias 0", &flawed.frame(scene.version)).await;
}

/// The server's own maximum.
async fn maximum(scene: &Scene) -> u16 {
    let (_, _, properties) = scene.greeted(&scene.program()).await;
    match property(&properties, ALIAS_MAXIMUM) {
        Some(Value::Two(most)) => *most,
        other => panic!("{other:?}"),
    }
}

async fn alias_too_high(scene: Scene) {
    let flawed =
        Publish::new(&scene.topic("x"), "x").with(TOPIC_ALIAS, Value::Two(maximum(&scene).await + 1));
    let mut client = scene.connected().await;
    client.send(&flawed.frame(scene.version)).await;
    let words = client.last_words().await;
    assert!(matches!(words[..], [Said::Disconnect { reason: 0x94, .. }]), "{words:?}");
}

async fn alias_of_the_server(scene: Scene) {
    let mut client = scene.login(&scene.program().with(ALIAS_MAXIMUM, Value::Two(1))).await;
    let (a, b) = (scene.topic("a/long/topic/name"), scene.topic("another/long/topic/name"));
    client.subscribe(&[(&a, 0), (&b, 0)]).await;
    let mut speaker = scene.connected().await;
    for topic in [&a, &b, &a, &b, &a] {
        speaker.say(Publish::new(topic, "x")).await;
        let alias = client.heard().await.properties;
        assert!(matches!(property(&alias, TOPIC_ALIAS), None | Some(Value::Two(1))), "{alias:?}");
    }
}

async fn every_alias(scene: Scene) {
    let mut listener = scene.listening(&scene.topic("alias/+"), 0).await;
    let mut client = scene.connected().await;
    let most = maximum(&scene).await;
    for alias in 1..=most {
        let topic = scene.topic(&format!("alias/{alias}"));
        client.say(Publish::new(&topic, "in full").with(TOPIC_ALIAS, Value::Two(alias))).await;
        assert_eq!(listener.heard().await.topic, topic);
    }
    for alias in 1..=most {
        client.say(by_alias(alias)).await;
        assert_eq!(listener.heard().await.topic, scene.topic(&format!("alias/{alias}")));
    }
    // An alias may be given another topic.
    let other = scene.topic("alias/other");
    client.say(Publish::new(&other, "in full").with(TOPIC_ALIAS, Value::Two(1))).await;
    client.say(by_alias(1)).await;
    for _ in 0..2 {
        assert_eq!(listener.heard().await.topic, other);
    }
}

/// A message with a property whose text was made something else.
async fn text_that_is_none(scene: &Scene, id: u8) {
    let mut bytes = Publish::new(&scene.topic("x"), "x").with(id, text("marked")).frame(scene.version);
    let at = bytes.windows(6).position(|bytes| bytes == b"marked").unwrap();
    bytes[at] = 0xFF;
    scene.connected().await.is_hung_up_on("no text", &bytes).await;
}

async fn response_topic_is_text(scene: Scene) {
    text_that_is_none(&scene, RESPONSE_TOPIC).await;
}

async fn response_topic_has_no_wildcards(scene: Scene) {
    for wild in ["a/#", "+", "a/+/b"] {
        let flawed = Publish::new(&scene.topic("x"), "x").qos(1).id(1).with(RESPONSE_TOPIC, text(wild));
        let mut client = scene.connected().await;
        client.send(&flawed.frame(scene.version)).await;
        let said = client.hear().await;
        let refused = match &said {
            None | Some(Said::Disconnect { reason: 0x80.., .. }) => true,
            Some(Said::Ack { first, reason, .. }) => *first == PUBACK && *reason >= 0x80,
            _ => false,
        };
        assert!(refused, "{wild}: {said:?}");
    }
}

async fn response_topic(scene: Scene) {
    is_passed_on(&scene, vec![(RESPONSE_TOPIC, text("answers/\u{FEFF}é"))]).await;
}

async fn correlation_data(scene: Scene) {
    is_passed_on(&scene, vec![(CORRELATION_DATA, Value::Binary(vec![0, 0xFF, 1, 0xC0]))]).await;
}

async fn user_properties(scene: Scene) {
    let own = vec![pair("b", "1"), pair("a", "2"), pair("b", "1"), pair("", ""), pair("a", "1")];
    for found in passed_on(&scene, &own).await {
        let expected: Vec<_> = own.iter().map(|(_, value)| value).collect();
        assert_eq!(all_of(&found, USER_PROPERTY), expected);
    }
}

async fn content_type_is_text(scene: Scene) {
    text_that_is_none(&scene, CONTENT_TYPE).await;
}

async fn content_type(scene: Scene) {
    is_passed_on(&scene, vec![(CONTENT_TYPE, text("application/fhir+json; charset=utf-8"))]).await;
}
