//! A client of the `graphql-transport-ws` protocol.
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::time::{BOUND, instant};

/// One open subscription on its own connection.
pub struct Subscription {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Subscription {
    /// Connects, is acknowledged and subscribes.
    pub async fn open(url: &str, token: &str, document: &str, variables: Value) -> Subscription {
        let mut request = url.into_client_request().expect("the address of the server is well formed");
        let headers = request.headers_mut();
        headers.insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().expect("a header"));
        headers
            .insert("Authorization", format!("Bearer {token}").parse().expect("a token is a header's value"));
        let (socket, response) = connect_async(request).await.expect("the server takes WebSockets");
        let protocol = response.headers().get("Sec-WebSocket-Protocol").and_then(|value| value.to_str().ok());
        assert_eq!(protocol, Some("graphql-transport-ws"));
        let mut subscription = Subscription { socket };
        subscription.send(json!({ "type": "connection_init" })).await;
        let acknowledged = subscription.frame(BOUND).await.expect("connection_init is answered");
        assert_eq!(acknowledged["type"], "connection_ack", "{acknowledged}");
        let payload = json!({ "query": document, "variables": variables });
        subscription.send(json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
        subscription
    }

    /// The data of the next event; an error or an early end fails the test.
    pub async fn next(&mut self) -> Value {
        self.next_within(BOUND).await.expect("an event within the bound")
    }

    /// The data of the next event, or `None` when the bound passes without one.
    pub async fn next_within(&mut self, bound: Duration) -> Option<Value> {
        let mut frame = self.frame(bound).await?;
        assert_eq!(frame["type"], "next", "{frame}");
        let mut payload = frame["payload"].take();
        assert!(payload["errors"].is_null(), "{payload}");
        Some(payload["data"].take())
    }

    /// Whether the server ends it within the bound: by an error, its completion, or by closing the socket.
    pub async fn ended(&mut self, bound: Duration) -> bool {
        let began = instant();
        while let Some(left) = bound.checked_sub(began.elapsed()) {
            let Ok(message) = timeout(left, self.socket.next()).await else { return false };
            let Some(Ok(Message::Text(text))) = message else {
                if matches!(message, Some(Ok(Message::Ping(_) | Message::Pong(_)))) {
                    continue;
                }
                return true;
            };
            let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
            match frame["type"].as_str() {
                Some("error" | "complete") => return true,
                Some("next") if !frame["payload"]["errors"].is_null() => return true,
                _ => {}
            }
        }
        false
    }

    /// The first event that fits, with the others before it forgotten.
    pub async fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let began = instant();
        let mut last = Value::Null;
        while let Some(left) = BOUND.checked_sub(began.elapsed()) {
            let Some(event) = self.next_within(left).await else { break };
            if fits(&event) {
                return event;
            }
            last = event;
        }
        panic!("no event: {what}; the last was {last:#}");
    }

    async fn send(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.expect("the socket is open");
    }

    /// The next frame that is not a ping.
    async fn frame(&mut self, bound: Duration) -> Option<Value> {
        let began = instant();
        loop {
            let left = bound.checked_sub(began.elapsed())?;
            let message = timeout(left, self.socket.next()).await.ok()?;
            match message.expect("the server keeps the socket open").expect("the frames are well formed") {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                    if frame["type"] == "ping" {
                        self.send(json!({ "type": "pong" })).await;
                    } else if frame["type"] != "pong" {
                        return Some(frame);
                    }
                }
                Message::Close(reason) => panic!("the server closed the socket: {reason:?}"),
                _ => {}
            }
        }
    }
}
