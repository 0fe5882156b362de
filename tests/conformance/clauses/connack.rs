//! CONNACK (chapter 3.2).
use tests::mqtt::Login;
use tests::time;

use crate::clause::{Clause, clause, elsewhere, of_clients, run};
use crate::packet::{
    ALIAS_MAXIMUM, ASSIGNED_ID, Connect, MAXIMUM_QOS, Publish, RESPONSE_INFORMATION, RETAIN_AVAILABLE,
    SERVER_KEEP_ALIVE, SERVER_REFERENCE, Said, Value, property,
};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(&["3.2.0-1"], &["3.2.0-1"], "the server's first packet is CONNACK", run!(first_of_the_server)),
    clause(&[], &["3.2.0-2"], "there is one CONNACK in a connection", run!(only_one)),
    clause(&[], &["3.2.2-1"], "the other seven bits of the session present byte are 0", run!(one_flag)),
    clause(
        &["3.2.2-1"],
        &["3.2.2-2"],
        "after a clean start no session is present",
        run!(none_after_clean_start),
    ),
    clause(
        &["3.2.2-2", "3.2.2-3"],
        &["3.2.2-3"],
        "without a clean start, session present says whether there is one",
        run!(session_present),
    ),
    of_clients(&[], &["3.2.2-4"], "a client that knows of no session leaves where one is present"),
    of_clients(&[], &["3.2.2-5"], "a client forgets its session where none is present"),
    clause(
        &["3.2.2-4"],
        &["3.2.2-6"],
        "a CONNACK that refuses says that no session is present",
        run!(none_in_a_refusal),
    ),
    clause(&["3.2.2-5"], &["3.2.2-7"], "a CONNACK that refuses ends the connection", run!(refusals)),
    clause(
        &["3.2.2-6"],
        &[],
        "where no return code applies, the connection ends without a CONNACK",
        run!(no_code_applies),
    ),
    clause(&[], &["3.2.2-8"], "the reason code is one that the standard has for a CONNACK", run!(refusals)),
    clause(
        &[],
        &["3.2.2-9"],
        "a server that does not take QoS 1 or 2 says so; ours takes both, and says nothing",
        run!(every_qos),
    ),
    clause(&[], &["3.2.2-10"], "a SUBSCRIBE may ask for any QoS", run!(any_qos_may_be_asked_for)),
    of_clients(&[], &["3.2.2-11"], "a client does not exceed the server's Maximum QoS"),
    elsewhere(
        &[],
        &["3.2.2-12"],
        "a will of a QoS that the server does not take is refused",
        "every QoS is taken",
    ),
    clause(
        &[],
        &["3.2.2-13"],
        "a will that is to be retained is refused where nothing is: of devices",
        run!(retained_will_of_a_device),
    ),
    of_clients(&[], &["3.2.2-14"], "a client has nothing retained where it may not"),
    of_clients(&[], &["3.2.2-15"], "a client does not exceed the server's Maximum Packet Size"),
    clause(
        &[],
        &["3.2.2-16"],
        "an assigned client identifier is one that nobody else has",
        run!(assigned_once),
    ),
    of_clients(&[], &["3.2.2-17", "3.2.2-18"], "a client does not exceed the server's Topic Alias Maximum"),
    clause(
        &[],
        &["3.2.2-19", "3.2.2-20"],
        "Response Information and Server Reference do not exceed the client's Maximum Packet Size: there are none",
        run!(neither_response_nor_reference),
    ),
    of_clients(&[], &["3.2.2-21"], "a client uses the Server Keep Alive"),
    clause(
        &[],
        &["3.2.2-22"],
        "without a Server Keep Alive the client's own is used",
        run!(keep_alive_of_the_client),
    ),
];

async fn first_of_the_server(scene: Scene) {
    // A session with messages that wait for it is the one that would be tempted to begin with them.
    let (kept, topic) = (scene.program().kept(), scene.topic("waiting"));
    let mut client = scene.login(&kept).await;
    client.subscribe(&[(&topic, 1)]).await;
    client.leave().await;
    scene.connected().await.say(Publish::new(&topic, "x").qos(1)).await;
    let mut client = scene.open().await;
    client.send(&kept.frame()).await;
    assert!(matches!(client.hear().await, Some(Said::Connack { code: 0, .. })));
    client.taken().await;
    client.leave().await;
    scene.login(&kept.afresh()).await.leave().await;
}

async fn only_one(scene: Scene) {
    let connect = scene.program();
    let mut client = scene.login(&connect).await;
    client.is_served().await;
    client.send(&connect.frame()).await;
    let words = client.last_words().await;
    assert!(!words.iter().any(|said| matches!(said, Said::Connack { .. })), "{words:?}");
}

async fn one_flag(scene: Scene) {
    let kept = scene.program().kept();
    for expected in [0, 1] {
        let (client, flags, _) = scene.greeted(&kept).await;
        assert_eq!(flags, expected);
        client.leave().await;
    }
    scene.login(&kept.afresh()).await.leave().await;
}

async fn none_after_clean_start(scene: Scene) {
    let kept = scene.program().kept();
    scene.login(&kept).await.leave().await;
    for connect in [scene.program(), kept.afresh()] {
        let (_, flags, _) = scene.greeted(&connect).await;
        assert_eq!(flags, 0);
    }
}

async fn session_present(scene: Scene) {
    for connect in [scene.program().kept(), scene.device().kept()] {
        for expected in [0, 1, 1] {
            let (client, flags, _) = scene.greeted(&connect).await;
            assert_eq!(flags, expected);
            client.leave().await;
        }
        scene.login(&connect.afresh()).await.leave().await;
    }
}

/// CONNECTs that are refused.
fn refused(scene: &Scene) -> Vec<Connect> {
    let connect = scene.program().kept();
    let login = connect.login.clone();
    let with = |login: Login| Connect { login, ..connect.clone() };
    vec![
        with(Login { password: "wrong".into(), ..login.clone() }),
        with(Login { user_name: "nowhere/app".into(), ..login.clone() }),
        with(Login { user_name: "no tenant".into(), ..login.clone() }),
        with(Login { user_name: String::new(), ..login.clone() }),
        with(Login { client_id: "x".repeat(300), ..login }),
        connect.clone().will(Publish::new("feed/of/the/platform", "x")),
    ]
}

async fn none_in_a_refusal(scene: Scene) {
    // There is a session, so that present it could be.
    let kept = scene.program().kept();
    scene.login(&kept).await.leave().await;
    let wrong = Login { password: "wrong".into(), ..kept.login.clone() };
    let mut client = scene.open().await;
    client.send(&Connect { login: wrong, ..kept.clone() }.frame()).await;
    assert!(matches!(client.last_words().await[..], [Said::Connack { flags: 0, code: 1.., .. }]));
    scene.login(&kept.afresh()).await.leave().await;
}

async fn refusals(scene: Scene) {
    const CODES_OF_V5: [u8; 22] = [
        0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99,
        0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
    ];
    for connect in refused(&scene) {
        let mut client = scene.open().await;
        client.send(&connect.frame()).await;
        match client.last_words().await[..] {
            [Said::Connack { code, .. }] if scene.is_v5() => {
                assert!(code >= 0x80 && CODES_OF_V5.contains(&code), "{code:#04x} for {connect:?}");
            }
            [Said::Connack { code: 1..=5, .. }] => {}
            ref words => panic!("{words:?} for {connect:?}"),
        }
    }
}

async fn no_code_applies(scene: Scene) {
    let connect = scene.program();
    let strange = connect.frame_of(connect.flags() | 0x01, &connect.payload());
    let mut client = scene.open().await;
    client.send(&strange).await;
    assert_eq!(client.last_words().await, []);
}

async fn every_qos(scene: Scene) {
    for connect in [scene.program(), scene.device()] {
        let (mut client, _, properties) = scene.greeted(&connect).await;
        assert_eq!(property(&properties, MAXIMUM_QOS), None);
        let topic =
            if connect.login.user_name.ends_with("/app") { scene.topic("qos") } else { "telemetry".into() };
        for qos in 0..3 {
            client.say(Publish::new(&topic, "{}").qos(qos)).await;
        }
        client.is_served().await;
    }
}

async fn any_qos_may_be_asked_for(scene: Scene) {
    let mut client = scene.connected().await;
    let (a, b, c) = (scene.topic("a"), scene.topic("b"), scene.topic("c"));
    assert_eq!(client.subscribe(&[(&a, 0), (&b, 1), (&c, 2)]).await, [0, 1, 2]);
}

async fn retained_will_of_a_device(scene: Scene) {
    let (_, _, properties) = scene.greeted(&scene.device()).await;
    assert_eq!(property(&properties, RETAIN_AVAILABLE), Some(&Value::Byte(0)));
    let connect = scene.device().will(Publish::new("telemetry", "{}").retained());
    let mut client = scene.open().await;
    client.send(&connect.frame()).await;
    let words = client.last_words().await;
    assert!(matches!(words[..], [Said::Connack { code: 0x9A, .. }]), "{words:?}");
}

async fn assigned_once(scene: Scene) {
    let mut names = Vec::new();
    for _ in 0..20 {
        let (_, _, properties) = scene.greeted(&scene.program().named("")).await;
        match property(&properties, ASSIGNED_ID) {
            Some(Value::Text(name)) if !names.contains(name) => names.push(name.clone()),
            other => panic!("{other:?} besides {names:?}"),
        }
    }
}

async fn neither_response_nor_reference(scene: Scene) {
    let connect = scene.program().with(crate::packet::REQUEST_RESPONSE, Value::Byte(1));
    let (_, _, properties) = scene.greeted(&connect).await;
    assert_eq!(property(&properties, RESPONSE_INFORMATION), None);
    assert_eq!(property(&properties, SERVER_REFERENCE), None);
    assert!(property(&properties, ALIAS_MAXIMUM).is_some(), "what there is to know is told");
}

async fn keep_alive_of_the_client(scene: Scene) {
    let (mut client, _, properties) = scene.greeted(&scene.program().keep_alive(1)).await;
    assert_eq!(property(&properties, SERVER_KEEP_ALIVE), None);
    let silence = client.time_to_hang_up().await;
    assert!(silence < time::BOUND, "{silence:?}");
    let (_, _, properties) = scene.greeted(&scene.program().keep_alive(3_600)).await;
    assert_eq!(
        property(&properties, SERVER_KEEP_ALIVE),
        Some(&Value::Two(60)),
        "longer ones are not its own"
    );
}
