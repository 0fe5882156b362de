//! Transports, enhanced authentication, errors, WebSocket and conformance (chapters 4.2, 4.8, 4.12, 4.13, 6 and 7).
use futures_util::{SinkExt, StreamExt};
use tests::time;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::clause::{Clause, clause, elsewhere, of_clients, run};
use crate::client::Client;
use crate::packet::{AUTH_METHOD, PINGREQ, Publish, Said, TOPIC_ALIAS, Value, frame, property, text};
use crate::scene::Scene;

const NO_METHOD: &str = "no Authentication Method is offered: who asks for one is refused with 0x8C";

pub(crate) const CLAUSES: &[Clause] = &[
    clause(
        &["7.1.1-1"],
        &["4.2-1"],
        "MQTT is spoken over a transport that is ordered and lossless: TCP, TLS, WebSocket",
        run!(transports),
    ),
    clause(
        &["4.8.0-1"],
        &["4.13.1-1"],
        "an error in the protocol ends the connection",
        run!(protocol_errors),
    ),
    elsewhere(
        &["4.8.0-2"],
        &[],
        "a packet that cannot be processed for the moment ends the connection",
        "a message is held back until there is room, or refused; the tests of the broker and of full disks show it",
    ),
    clause(
        &[],
        &["4.12.0-1"],
        "an Authentication Method that is not offered is refused",
        run!(no_such_method),
    ),
    elsewhere(
        &[],
        &["4.12.0-2", "4.12.0-4", "4.12.0-5"],
        "AUTH packets of the server, and how an enhanced authentication fails",
        NO_METHOD,
    ),
    of_clients(&[], &["4.12.0-3", "4.12.0-7"], "AUTH packets of the client"),
    clause(
        &[],
        &["4.12.0-6"],
        "without an Authentication Method in CONNECT there is none in CONNACK, and no AUTH",
        run!(no_method),
    ),
    of_clients(&[], &["4.12.1-1"], "a client authenticates again by the method it began with"),
    elsewhere(&[], &["4.12.1-2"], "authenticating again that fails ends the connection", NO_METHOD),
    clause(
        &[],
        &["4.13.2-1"],
        "a CONNACK or DISCONNECT of 0x80 or more is the connection's end",
        run!(the_end_after_a_reason),
    ),
    clause(
        &["6.0.0-1"],
        &["6.0.0-1"],
        "over WebSocket, any frame but a binary one ends the connection",
        run!(binary_frames_only),
    ),
    clause(
        &["6.0.0-2"],
        &["6.0.0-2"],
        "packets need not begin or end with WebSocket frames",
        run!(frames_and_packets),
    ),
    of_clients(&["6.0.0-3"], &["6.0.0-3"], "a client offers the subprotocol mqtt"),
    clause(&["6.0.0-4"], &["6.0.0-4"], "the subprotocol that the server selects is mqtt", run!(subprotocol)),
    elsewhere(
        &["7.0.0-1"],
        &[],
        "a server that connects to other servers is a good client, too",
        "it connects to none",
    ),
    clause(&["7.0.0-2"], &[], "no extension is required of a client", run!(no_extension)),
    of_clients(&["7.1.2-1"], &[], "a client speaks over a transport that is ordered and lossless"),
];

async fn transports(scene: Scene) {
    let topic = scene.topic("transports");
    let mut listener = scene.listening(&topic, 1).await;
    let mut over_tls = Client::over(scene.over_tls().await, scene.version);
    over_tls.greet(&scene.program()).await;
    over_tls.say(Publish::new(&topic, "over TLS").qos(1)).await;
    assert_eq!(listener.taken().await.said(), "over TLS");
    let mut socket = websocket(&scene).await;
    let message = Publish::new(&topic, "over WebSocket").qos(1).id(1).frame(scene.version);
    socket.send(Message::Binary([scene.program().frame(), message].concat().into())).await.unwrap();
    assert_eq!(listener.taken().await.said(), "over WebSocket");
}

async fn protocol_errors(scene: Scene) {
    for connect in [scene.program(), scene.device()] {
        let errors = [
            connect.frame(),
            vec![0x00, 0x00],
            vec![0x20, 0x03, 0x00, 0x00, 0x00],
            vec![0x90, 0x03, 0x00, 0x01, 0x00],
            vec![0xB0, 0x04, 0x00, 0x01, 0x00, 0x00],
            vec![0xD0, 0x00],
            vec![0xF0, 0x00],
            vec![0xC0, 0x01, 0x00],
            vec![0x40, 0x01, 0x00],
            vec![0x32, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            frame(0x32, &[0, 9, b't']),
        ];
        for error in errors {
            scene.login(&connect).await.is_hung_up_on(&format!("{error:02x?}"), &error).await;
        }
    }
}

async fn no_such_method(scene: Scene) {
    let connect = scene.program().with(AUTH_METHOD, text("GS2-KRB5"));
    let mut client = scene.open().await;
    client.send(&connect.frame()).await;
    let words = client.last_words().await;
    assert!(matches!(words[..], [Said::Connack { code: 0x8C, .. }]), "{words:?}");
}

async fn no_method(scene: Scene) {
    let (mut client, _, properties) = scene.greeted(&scene.program()).await;
    assert_eq!(property(&properties, AUTH_METHOD), None);
    client.is_served().await;
}

async fn the_end_after_a_reason(scene: Scene) {
    let mut wrong = scene.program();
    wrong.login.password = "wrong".into();
    let mut client = scene.open().await;
    client.send(&wrong.frame()).await;
    assert!(matches!(client.last_words().await[..], [Said::Connack { code: 0x80.., .. }]));
    let mut client = scene.connected().await;
    client.send(&Publish::new("a", "x").with(TOPIC_ALIAS, Value::Two(999)).frame(scene.version)).await;
    assert!(matches!(client.last_words().await[..], [Said::Disconnect { reason: 0x80.., .. }]));
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn opened(scene: &Scene, subprotocols: &str) -> (Socket, Option<HeaderValue>) {
    let mut request = scene.websocket_address().into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", subprotocols.parse().unwrap());
    let (socket, response) = connect_async(request).await.unwrap();
    (socket, response.headers().get("sec-websocket-protocol").cloned())
}

async fn websocket(scene: &Scene) -> Socket {
    opened(scene, "mqtt").await.0
}

/// The next bytes that come over a WebSocket; `None` at its end.
async fn bytes_of(socket: &mut Socket) -> Option<Vec<u8>> {
    loop {
        match timeout(time::BOUND, socket.next()).await.expect("the server says something or hangs up") {
            Some(Ok(Message::Binary(bytes))) => return Some(bytes.to_vec()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(other)) => panic!("{other:?}"),
        }
    }
}

async fn binary_frames_only(scene: Scene) {
    let mut socket = websocket(&scene).await;
    socket.send(Message::Binary(scene.program().frame().into())).await.unwrap();
    let connack = bytes_of(&mut socket).await.expect("a CONNACK");
    assert_eq!(connack[0], 0x20);
    socket.send(Message::Text("\u{0}".into())).await.unwrap();
    assert_eq!(bytes_of(&mut socket).await, None);
}

async fn frames_and_packets(scene: Scene) {
    let mut socket = websocket(&scene).await;
    // The CONNECT byte by byte, then many packets in one frame that ends within the last.
    for byte in scene.program().frame() {
        socket.send(Message::Binary(vec![byte].into())).await.unwrap();
    }
    let connack = bytes_of(&mut socket).await.expect("a CONNACK");
    assert_eq!(connack[0], 0x20);
    let many: Vec<u8> = PINGREQ.into_iter().cycle().take(2 * 10 + 1).collect();
    socket.send(Message::Binary(many.into())).await.unwrap();
    socket.send(Message::Binary(vec![PINGREQ[1]].into())).await.unwrap();
    let mut answers = Vec::new();
    while answers.len() < 22 {
        answers.extend(bytes_of(&mut socket).await.expect("answers"));
    }
    assert_eq!(answers, [0xD0, 0].repeat(11));
}

async fn subprotocol(scene: Scene) {
    for offered in ["mqtt", "mqttv3.1, mqtt", "other, mqtt"] {
        let (_, selected) = opened(&scene, offered).await;
        assert_eq!(selected, Some(HeaderValue::from_static("mqtt")), "{offered}");
    }
}

async fn no_extension(scene: Scene) {
    // A client that uses nothing but what the standard gives it, from CONNECT to DISCONNECT.
    let topic = scene.topic("plain");
    let mut client = scene.connected().await;
    client.subscribe(&[(&topic, 2)]).await;
    for qos in 0..3 {
        client.say(Publish::new(&topic, "x").qos(qos)).await;
        assert_eq!(client.taken().await.qos, qos);
    }
    client.unsubscribe(&[&topic]).await;
    client.is_served().await;
    client.leave().await;
}
