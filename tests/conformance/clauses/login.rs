//! CONNECT: who connects, and what the server does about it (chapters 3.1.3 and 3.1.4).
use tests::mqtt::Login;

use crate::clause::{Clause, clause, of_clients, run};
use crate::client::Client;
use crate::packet::{ASSIGNED_ID, AUTH_METHOD, Connect, Publish, Said, Value, field, frame, property, text};
use crate::scene::Scene;

pub(crate) const CLAUSES: &[Clause] = &[
    clause(
        &["3.1.3-1"],
        &["3.1.3-1"],
        "the payload's fields come in their order: client identifier, will, user name, password",
        run!(fields_in_order),
    ),
    clause(
        &["3.1.3-2"],
        &["3.1.3-2"],
        "the client identifier names the session",
        run!(identifier_names_the_session),
    ),
    clause(&["3.1.3-3"], &["3.1.3-3"], "the client identifier is there", run!(identifier_is_there)),
    clause(&["3.1.3-4"], &["3.1.3-4"], "the client identifier is UTF-8", run!(identifier_is_text)),
    clause(
        &["3.1.3-5"],
        &["3.1.3-5"],
        "identifiers of 1 to 23 letters and digits are taken",
        run!(identifiers_that_must_do),
    ),
    clause(
        &["3.1.3-6"],
        &["3.1.3-6", "3.1.3-7"],
        "a client without an identifier gets one that nobody else has, and 5.0 tells it",
        run!(nameless),
    ),
    of_clients(&["3.1.3-7"], &[], "a client without an identifier asks for a clean session"),
    clause(
        &["3.1.3-8"],
        &[],
        "a client without an identifier that wants its session kept is refused with 0x02",
        run!(nameless_and_kept),
    ),
    clause(
        &["3.1.3-9"],
        &["3.1.3-8"],
        "an identifier that the server does not take is refused, and the connection ends",
        run!(identifier_refused),
    ),
    clause(&["3.1.3-11"], &["3.1.3-12"], "the user name is UTF-8", run!(user_name_is_text)),
    clause(
        &["3.1.4-1"],
        &["3.1.4-1"],
        "a CONNECT that is not as the standard writes it ends the connection",
        run!(written_wrongly),
    ),
    clause(
        &[],
        &["3.1.4-2"],
        "a CONNECT that the server's own checks turn down ends the connection",
        run!(turned_down),
    ),
    clause(
        &["3.1.4-2"],
        &["3.1.4-3"],
        "who connects under an identifier that is connected takes its place, and the older is told 0x8E",
        run!(taken_over),
    ),
    clause(&["3.1.4-3"], &["3.1.4-4"], "the clean start flag is heeded", run!(clean_start_is_heeded)),
    clause(
        &["3.1.4-4"],
        &["3.1.4-5"],
        "a CONNECT that is taken is answered with a CONNACK of 0",
        run!(answered_with_success),
    ),
    clause(
        &["3.1.4-5"],
        &["3.1.4-6"],
        "what a client sends behind a CONNECT that is refused is not processed",
        run!(nothing_behind_a_refusal),
    ),
];

async fn fields_in_order(scene: Scene) {
    let topic = scene.topic("will");
    let mut listener = scene.listening(&topic, 0).await;
    let connect = scene.program().will(Publish::new(&topic, "the payload"));
    scene.login(&connect).await.vanish();
    assert_eq!(listener.heard().await.said(), "the payload");
    let mut fields = connect.payload();
    let last = fields.len() - 1;
    fields.swap(last - 1, last);
    scene
        .open()
        .await
        .is_hung_up_on("password before name", &connect.frame_of(connect.flags(), &fields))
        .await;
}

async fn identifier_names_the_session(scene: Scene) {
    let (first, second) = (scene.program().kept(), scene.program().kept());
    scene.login(&first).await.leave().await;
    let (other, flags, _) = scene.greeted(&second).await;
    assert_eq!(flags, 0, "another identifier, another session");
    other.leave().await;
    let (own, flags, _) = scene.greeted(&first).await;
    assert_eq!(flags, 1);
    own.leave().await;
    for connect in [first, second] {
        scene.login(&connect.afresh()).await.leave().await;
    }
}

async fn identifier_is_there(scene: Scene) {
    let connect = scene.program();
    scene.open().await.is_hung_up_on("no payload", &connect.frame_of(0x02, &[])).await;
    let fields = connect.payload();
    scene
        .open()
        .await
        .is_hung_up_on("a user name first", &connect.frame_of(connect.flags(), &fields[1..]))
        .await;
}

async fn identifier_is_text(scene: Scene) {
    let connect = scene.program();
    let mut fields = connect.payload();
    fields[0] = field(&[0xC3, 0x28]);
    scene.open().await.is_hung_up_on("no text", &connect.frame_of(connect.flags(), &fields)).await;
}

async fn identifiers_that_must_do(scene: Scene) {
    const ALPHABET: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let of =
        |at: usize, length: usize| -> String { ALPHABET.chars().cycle().skip(at).take(length).collect() };
    for length in 1..=23 {
        scene.login(&scene.program().named(&of(length * 7, length))).await.leave().await;
    }
    for at in (0..ALPHABET.len()).step_by(23) {
        scene.login(&scene.device().named(&of(at, 23))).await.leave().await;
    }
}

async fn nameless(scene: Scene) {
    let mut clients = Vec::new();
    let mut names = Vec::new();
    for connect in [scene.program(), scene.program(), scene.device(), scene.device()] {
        let (client, _, properties) = scene.greeted(&connect.named("")).await;
        names.push(property(&properties, ASSIGNED_ID).cloned());
        clients.push(client);
    }
    // Nobody took another's place.
    for client in &mut clients {
        client.is_served().await;
    }
    if scene.is_v5() {
        assert!(names.iter().all(Option::is_some), "{names:?}");
        names.sort_by_key(|name| format!("{name:?}"));
        names.dedup();
        assert_eq!(names.len(), 4);
    }
}

/// What a client is told whose identifier is not taken.
fn identifier_rejected(scene: &Scene) -> u8 {
    if scene.is_v5() { 0x85 } else { 0x02 }
}

async fn is_refused(scene: &Scene, bytes: &[u8], code: u8) {
    let mut client = scene.open().await;
    client.send(bytes).await;
    let words = client.last_words().await;
    assert!(
        matches!(words[..], [Said::Connack { flags: 0, code: said, .. }] if said == code),
        "{code:#04x} is not {words:?}"
    );
}

async fn nameless_and_kept(scene: Scene) {
    let connect = scene.program().named("").kept();
    is_refused(&scene, &connect.frame(), identifier_rejected(&scene)).await;
}

async fn identifier_refused(scene: Scene) {
    let long = "x".repeat(300);
    for name in [long.as_str(), "a\u{7}b"] {
        is_refused(&scene, &scene.program().named(name).frame(), identifier_rejected(&scene)).await;
    }
}

async fn user_name_is_text(scene: Scene) {
    let connect = scene.program();
    let mut fields = connect.payload();
    fields[1] = field(&[0xFF, 0xFE]);
    scene.open().await.is_hung_up_on("no text", &connect.frame_of(connect.flags(), &fields)).await;
}

async fn written_wrongly(scene: Scene) {
    let connect = scene.program();
    let whole = connect.frame();
    let body = &whole[2..];
    let mut wrong = vec![frame(0x10, &[]), frame(0x10, &body[..4]), frame(0x10, &body[..9])];
    wrong.push(frame(0x10, &body[..body.len() - 1]));
    wrong.push(frame(0x10, &[body, b"and more"].concat()));
    if scene.is_v5() {
        // A property twice, one that belongs to another packet, and a length beyond the packet.
        let receive = (crate::packet::RECEIVE_MAXIMUM, Value::Two(9));
        let twice = Connect { properties: vec![receive.clone(), receive], ..connect.clone() };
        wrong.push(twice.frame());
        wrong.push(connect.clone().with(crate::packet::TOPIC_ALIAS, Value::Two(1)).frame());
        let mut long = whole.clone();
        long[12] = 0x7F;
        wrong.push(long);
    }
    for bytes in wrong {
        let mut client = scene.open().await;
        client.send(&bytes).await;
        let words = client.last_words().await;
        if scene.is_v5() {
            assert!(
                matches!(words[..], [] | [Said::Connack { code: 0x80.., .. }]),
                "{bytes:02x?}: {words:?}"
            );
        } else {
            assert!(words.is_empty(), "without a CONNACK, not {words:?} for {bytes:02x?}");
        }
    }
}

async fn turned_down(scene: Scene) {
    let connect = scene.program();
    let wrong =
        Connect { login: Login { password: "wrong".into(), ..connect.login.clone() }, ..connect.clone() };
    is_refused(&scene, &wrong.frame(), 0x86).await;
    is_refused(&scene, &connect.with(AUTH_METHOD, text("SCRAM-SHA-256")).frame(), 0x8C).await;
}

async fn taken_over(scene: Scene) {
    for connect in [scene.program(), scene.device(), scene.program().kept()] {
        let mut older = scene.login(&connect).await;
        let mut newer = scene.login(&connect).await;
        let words = older.last_words().await;
        if scene.is_v5() {
            assert!(matches!(words[..], [Said::Disconnect { reason: 0x8E, .. }]), "{words:?}");
        } else {
            assert!(words.is_empty(), "{words:?}");
        }
        newer.is_served().await;
        newer.leave().await;
        scene.login(&connect.afresh()).await.leave().await;
    }
}

async fn clean_start_is_heeded(scene: Scene) {
    let kept = scene.program().kept();
    for (connect, present) in [
        (kept.clone(), 0),
        (kept.clone(), 1),
        (kept.clone().afresh(), 0),
        (kept.clone(), 0),
        (kept.afresh(), 0),
    ] {
        let (client, flags, _) = scene.greeted(&connect).await;
        assert_eq!(flags, present);
        client.leave().await;
    }
}

async fn answered_with_success(scene: Scene) {
    for connect in [scene.program(), scene.device(), scene.program().kept()] {
        let mut client = scene.open().await;
        client.send(&connect.frame()).await;
        assert!(matches!(client.hear().await, Some(Said::Connack { code: 0, .. })));
        client.leave().await;
        scene.login(&connect.afresh()).await.leave().await;
    }
}

async fn nothing_behind_a_refusal(scene: Scene) {
    let topic = scene.topic("refused");
    let mut listener = scene.listening(&topic, 0).await;
    let connect = scene.program();
    let wrong = Connect { login: Login { password: "wrong".into(), ..connect.login.clone() }, ..connect };
    let mut client = Client::open(scene.mqtt(), scene.version).await;
    let message = Publish::new(&topic, "from nobody").frame(scene.version);
    client.send(&[wrong.frame(), message].concat()).await;
    let words = client.last_words().await;
    assert!(matches!(words[..], [Said::Connack { code: 1.., .. }]), "{words:?}");
    scene.connected().await.say(Publish::new(&topic, "from somebody")).await;
    assert_eq!(listener.heard().await.said(), "from somebody");
}
