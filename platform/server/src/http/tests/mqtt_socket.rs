//! MQTT over WebSockets, through a real listener.

use std::time::Duration;

use actix_web::http::StatusCode;
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Bytes, Message, client::IntoClientRequest},
};

use super::world::{DEVICE, World};
use crate::http::{Handle, serve};

const BOUND: Duration = Duration::from_secs(20);
/// A PINGREQ, and what answers it.
const PING: [u8; 2] = [0xC0, 0];
const PONG: [u8; 2] = [0xD0, 0];

struct Listening {
    world: World,
    handle: Handle,
    address: std::net::SocketAddr,
}

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Listening {
    async fn start() -> Self {
        let world = World::new().await;
        let (address, handle) = serve(&world.config.http, BOUND, world.parts.clone()).unwrap();
        Self { world, handle, address }
    }

    async fn connect(&self, protocol: &str) -> Result<Client, StatusCode> {
        let mut request = format!("ws://{}/mqtt", self.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        match connect_async(request).await {
            Ok((socket, answer)) => {
                assert_eq!(answer.headers()["sec-websocket-protocol"], "mqtt");
                Ok(Client(socket))
            }
            Err(tungstenite::Error::Http(answer)) => {
                Err(StatusCode::from_u16(answer.status().as_u16()).unwrap())
            }
            Err(error) => panic!("{error}"),
        }
    }

    async fn client(&self) -> Client {
        self.connect("mqtt").await.unwrap_or_else(|status| panic!("{status}"))
    }

    /// A CONNECT of version 5.
    fn hello(&self, token: &str) -> Vec<u8> {
        let mut body = field("MQTT");
        body.extend([5, 0xC2, 0, 0, 0]);
        body.extend([field("c"), field(&format!("st-elsewhere/{DEVICE}")), field(token)].concat());
        frame(0x10, &body)
    }
}

impl Client {
    async fn send(&mut self, bytes: impl Into<Bytes>) {
        self.0.send(Message::binary(bytes.into())).await.unwrap();
    }

    /// Whatever frames it comes in.
    async fn expect(&mut self, expected: &[u8]) {
        let mut heard = Vec::new();
        while heard.len() < expected.len() {
            match self.next().await {
                Message::Binary(bytes) => heard.extend(bytes),
                other => panic!("{other:?} after {heard:02x?}"),
            }
        }
        assert_eq!(heard, expected, "{heard:02x?}");
    }

    async fn next(&mut self) -> Message {
        let frame = timeout(BOUND, self.0.next()).await.expect("the server answers in time");
        frame.expect("the connection ends with a reason").unwrap()
    }

    /// Of a CONNACK.
    async fn reason(&mut self) -> u8 {
        match self.next().await {
            Message::Binary(bytes) if bytes[0] == 0x20 => bytes[3],
            other => panic!("no CONNACK but {other:?}"),
        }
    }

    async fn close_code(&mut self) -> u16 {
        loop {
            match self.next().await {
                Message::Close(Some(reason)) => return reason.code.into(),
                Message::Binary(_) => {}
                other => panic!("not closed but {other:?}"),
            }
        }
    }
}

fn field(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
}

fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    let mut length = body.len();
    loop {
        let digit = u8::try_from(length % 128).unwrap();
        length /= 128;
        frame.push(if length > 0 { digit | 0x80 } else { digit });
        if length == 0 {
            break;
        }
    }
    frame.extend(body);
    frame
}

fn publish(id: u8, payload: &[u8]) -> Vec<u8> {
    frame(0x32, &[&field("telemetry")[..], &[0, id, 0], payload].concat())
}

#[actix_web::test]
async fn packets_pass_whatever_frames_they_come_in() {
    let server = Listening::start().await;
    let mut client = server.client().await;
    let hello = server.hello(&server.world.device_token);
    for piece in hello.chunks(7) {
        client.send(piece.to_vec()).await;
    }
    assert_eq!(client.reason().await, 0);
    client.send([publish(1, b"{}"), publish(2, b"{}"), PING.to_vec()].concat()).await;
    let mut heard = Vec::new();
    while heard.len() < 10 {
        let Message::Binary(bytes) = client.next().await else { panic!("no packet") };
        heard.extend(bytes);
    }
    // The answer to the ping does not wait for the commits.
    for expected in [&[0x40, 2, 0, 1][..], &[0x40, 2, 0, 2], &PONG] {
        assert!(heard.windows(expected.len()).any(|part| part == expected), "{heard:02x?}");
    }
    let large = vec![b' '; 250 * 1024];
    for piece in publish(3, &large).chunks(60_000) {
        client.send(piece.to_vec()).await;
    }
    client.expect(&[0x40, 2, 0, 3]).await;
    client.0.send(Message::Ping(Bytes::from_static(b"still there?"))).await.unwrap();
    assert_eq!(client.next().await, Message::Pong(Bytes::from_static(b"still there?")));
    client.send([0xE0, 0].to_vec()).await;
    assert_eq!(client.close_code().await, 1000);
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn what_is_no_mqtt_is_refused() {
    let server = Listening::start().await;
    for protocol in ["graphql-transport-ws", "mqttv3.1"] {
        assert_eq!(server.connect(protocol).await.err(), Some(StatusCode::BAD_REQUEST), "{protocol}");
    }
    let mut wrong = server.client().await;
    wrong.send(server.hello("wrong")).await;
    assert_eq!((wrong.reason().await, wrong.close_code().await), (0x86, 1000));
    let mut text = server.client().await;
    text.send(server.hello(&server.world.device_token)).await;
    assert_eq!(text.reason().await, 0);
    text.0.send(Message::text("hello")).await.unwrap();
    assert_eq!(text.close_code().await, 1003);
    let mut other = server.client().await;
    other.send(b"GET / HTTP/1.1\r\n\r\n".to_vec()).await;
    assert_eq!(other.close_code().await, 1000);
    server.handle.stop(false).await;
}
