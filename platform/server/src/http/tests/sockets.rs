//! GraphQL over WebSockets, through a real listener.

use std::time::Duration;

use actix_web::http::StatusCode;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use super::world::{EMAIL, World, json_post};
use crate::http::{Handle, serve};

const BOUND: Duration = Duration::from_secs(20);

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What comes from the server.
#[derive(Debug, PartialEq)]
enum Heard {
    Message(Value),
    Closed(u16),
}

impl Client {
    async fn send(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn hear(&mut self) -> Heard {
        loop {
            let frame = timeout(BOUND, self.0.next()).await.expect("the server answers in time");
            match frame.expect("the connection ends with a reason").unwrap() {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] != "ping" {
                        return Heard::Message(message);
                    }
                }
                Message::Close(Some(reason)) => return Heard::Closed(reason.code.into()),
                _ => {}
            }
        }
    }

    async fn acknowledged(mut self) -> Self {
        self.send(json!({ "type": "connection_init" })).await;
        assert_eq!(self.hear().await, Heard::Message(json!({ "type": "connection_ack" })));
        self
    }
}

struct Listening {
    world: World,
    handle: Handle,
    address: std::net::SocketAddr,
}

impl Listening {
    async fn start() -> Self {
        let world = World::new().await;
        let (address, handle) = serve(&world.config.http, BOUND, world.parts.clone()).unwrap();
        Self { world, handle, address }
    }

    async fn connect(&self, headers: &[(&'static str, String)]) -> Result<Client, StatusCode> {
        let mut request = format!("ws://{}/graphql/ws", self.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Client(socket)),
            Err(tungstenite::Error::Http(answer)) => {
                Err(StatusCode::from_u16(answer.status().as_u16()).unwrap())
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn bearer(&self) -> (&'static str, String) {
        ("authorization", format!("Bearer {}", self.world.token))
    }

    async fn admitted(&self) -> Client {
        self.connect(&[self.bearer()]).await.unwrap_or_else(|status| panic!("{status}")).acknowledged().await
    }
}

fn subscribe(id: &str, query: &str) -> Value {
    json!({ "type": "subscribe", "id": id, "payload": { "query": query } })
}

#[actix_web::test]
async fn three_ways_to_prove_who_one_is() {
    let server = Listening::start().await;
    let by_header = server.admitted().await;

    let mut by_message = server.connect(&[]).await.unwrap_or_else(|status| panic!("{status}"));
    let authorization = server.bearer().1;
    by_message
        .send(json!({ "type": "connection_init", "payload": { "authorization": authorization } }))
        .await;
    assert_eq!(by_message.hear().await, Heard::Message(json!({ "type": "connection_ack" })));

    let cookie = server.world.sign_in().await.cookie();
    let origin = format!("http://{}", server.address);
    let by_cookie = server.connect(&[("cookie", cookie), ("origin", origin)]).await;
    let by_cookie = by_cookie.unwrap_or_else(|status| panic!("{status}")).acknowledged().await;

    for mut client in [by_header, by_message, by_cookie] {
        client.send(subscribe("1", "{ viewer { email } }")).await;
        let data = json!({ "data": { "viewer": { "email": EMAIL } } });
        assert_eq!(
            client.hear().await,
            Heard::Message(json!({ "type": "next", "id": "1", "payload": data }))
        );
        assert_eq!(client.hear().await, Heard::Message(json!({ "type": "complete", "id": "1" })));
        client.send(json!({ "type": "ping" })).await;
        assert_eq!(client.hear().await, Heard::Message(json!({ "type": "pong" })));
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn who_proves_nothing_hears_nothing() {
    let server = Listening::start().await;
    let cookie = server.world.sign_in().await.cookie();
    for headers in [
        vec![("cookie", cookie.clone())],
        vec![("cookie", cookie.clone()), ("origin", "https://evil.example".to_owned())],
    ] {
        assert_eq!(server.connect(&headers).await.err(), Some(StatusCode::FORBIDDEN), "{headers:?}");
    }
    let origin = ("origin", format!("http://{}", server.address));
    let init = json!({ "type": "connection_init" });
    let wrong = json!({ "type": "connection_init", "payload": { "authorization": "Bearer x" } });
    for (headers, first) in [
        (vec![], init.clone()),
        (vec![], wrong.clone()),
        (vec![("authorization", "Bearer x".to_owned())], init.clone()),
        (vec![server.bearer()], wrong),
        (vec![("cookie", "iomt_session=x".to_owned()), origin], init),
        (vec![server.bearer()], subscribe("1", "{ viewer { email } }")),
    ] {
        let mut client = server.connect(&headers).await.unwrap_or_else(|status| panic!("{status}"));
        client.send(first.clone()).await;
        assert_eq!(client.hear().await, Heard::Closed(4401), "{first}");
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn whoever_breaks_the_protocol_is_sent_away() {
    let server = Listening::start().await;
    let endless = "subscription { alarms { id } }";
    let many: Vec<Value> = (0..101).map(|n| subscribe(&n.to_string(), endless)).collect();
    for (messages, code) in [
        (vec![json!({ "type": "connection_init" })], 4429),
        (vec![subscribe("1", endless), subscribe("1", endless)], 4409),
        (many, 4400),
        (vec![json!({ "type": "nonsense" })], 4400),
        (vec![json!([])], 4400),
        (vec![subscribe("1", &"x".repeat(300_000))], 1009),
    ] {
        let mut client = server.admitted().await;
        for message in messages {
            // The server may have closed already.
            if client.0.send(Message::text(message.to_string())).await.is_err() {
                break;
            }
        }
        let mut heard = client.hear().await;
        while matches!(heard, Heard::Message(_)) {
            heard = client.hear().await;
        }
        assert_eq!(heard, Heard::Closed(code));
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn an_id_can_be_used_again_after_its_end() {
    let server = Listening::start().await;
    let mut client = server.admitted().await;
    for _ in 0..3 {
        client.send(subscribe("1", "subscription { alarms { id } }")).await;
        client.send(json!({ "type": "complete", "id": "1" })).await;
        assert_eq!(client.hear().await, Heard::Message(json!({ "type": "complete", "id": "1" })));
    }
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn whoever_signs_out_stops_hearing() {
    let server = Listening::start().await;
    let signed_in = server.world.sign_in().await;
    let origin = ("origin", format!("http://{}", server.address));
    let client = server.connect(&[("cookie", signed_in.cookie()), origin]).await;
    let mut client = client.unwrap_or_else(|status| panic!("{status}")).acknowledged().await;
    client.send(subscribe("1", "subscription { alarms { id } }")).await;
    let secret = signed_in.cookie().split_once('=').unwrap().1.to_owned();
    server.world.parts.identity.sign_out(&secret, &identity::Visitor::default()).await.unwrap();
    assert_eq!(client.hear().await, Heard::Closed(4401));
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_revoked_token_is_refused_on_the_open_connection_within_a_second() {
    let server = Listening::start().await;
    let mut client = server.admitted().await;
    client.send(subscribe("1", "subscription { alarms { id } }")).await;
    let (world, mine) = (&server.world, "{ apiTokens { id } }");
    let answer = world.send(json_post("/graphql", &json!({ "query": mine })).insert_header(world.bearer()));
    let id = answer.await.json()["data"]["apiTokens"][0]["id"].take();

    let signed_in = world.sign_in().await;
    let csrf = signed_in.json()["csrf"].as_str().unwrap().to_owned();
    let revoke =
        json!({ "query": "mutation ($id: ID!) { revokeApiToken(id: $id) }", "variables": { "id": id } });
    let revoke = json_post("/graphql", &revoke);
    let revoke = revoke.insert_header(("cookie", signed_in.cookie())).insert_header(("x-csrf-token", csrf));
    assert_eq!(world.send(revoke).await.json()["data"]["revokeApiToken"], id);
    let heard = timeout(Duration::from_secs(1), client.hear()).await;
    assert_eq!(heard.expect("within a second"), Heard::Closed(4401));
    let again = json_post("/graphql", &json!({ "query": mine })).insert_header(world.bearer());
    assert_eq!(world.send(again).await.status, StatusCode::UNAUTHORIZED);
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn open_sockets_do_not_hold_a_shutdown_up() {
    let server = Listening::start().await;
    let (mut admitted, mut waiting) =
        (server.admitted().await, server.connect(&[]).await.unwrap_or_else(|status| panic!("{status}")));
    admitted.send(subscribe("1", "subscription { alarms { id } }")).await;
    let stopping = actix_web::rt::spawn(async move { server.handle.stop(true).await });
    assert_eq!(admitted.hear().await, Heard::Closed(1001));
    assert_eq!(waiting.hear().await, Heard::Closed(1001));
    timeout(BOUND, stopping).await.expect("the server ends").unwrap();
}

#[actix_web::test]
async fn a_socket_is_closed_on_whoever_was_not_let_in() {
    let server = Listening::start().await;
    let hospital = server.world.caller.tenant.to_string();
    let mut client = server.connect(&[server.bearer()]).await.unwrap_or_else(|status| panic!("{status}"));
    client.send(json!({ "type": "connection_init", "payload": { "actIn": hospital } })).await;
    assert_eq!(client.hear().await, Heard::Closed(4403));
    server.handle.stop(false).await;
}
