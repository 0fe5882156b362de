//! The server under test, and the clients and topics of one test.
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tests::mqtt::{Login, Version};
use tests::{Options, Server};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::client::Client;
use crate::packet::{Connect, Properties};

/// What one test needs: names that no other test uses.
pub(crate) struct Scene {
    server: Arc<Server>,
    number: u64,
    pub(crate) version: Version,
    clients: AtomicU64,
}

impl Scene {
    pub(crate) fn new(server: Arc<Server>, version: Version) -> Scene {
        static SCENES: AtomicU64 = AtomicU64::new(0);
        let number = SCENES.fetch_add(1, Ordering::Relaxed);
        Scene { server, number, version, clients: AtomicU64::new(0) }
    }

    /// The server for all tests of a process: with its real durability.
    pub(crate) async fn start() -> Server {
        Server::start(Options::new(2)).await
    }

    pub(crate) fn is_v5(&self) -> bool {
        self.version == Version::V5
    }

    pub(crate) fn mqtt(&self) -> SocketAddr {
        self.server.mqtt()
    }

    /// A connection over TLS on which nothing was said.
    pub(crate) async fn over_tls(&self) -> TlsStream<TcpStream> {
        self.server.secured(None).await
    }

    /// Where MQTT is spoken over WebSocket.
    pub(crate) fn websocket_address(&self) -> String {
        let http = self.server.credentials.http.trim_end_matches('/');
        format!("{}/mqtt", http.replacen("http", "ws", 1))
    }

    /// A topic of this test.
    pub(crate) fn topic(&self, rest: &str) -> String {
        format!("scene/{}/{rest}", self.number)
    }

    fn client_id(&self) -> String {
        format!("s{}c{}", self.number, self.clients.fetch_add(1, Ordering::Relaxed))
    }

    /// A program that may use every topic. Each test takes one of four tokens, so that none has too many sessions.
    pub(crate) fn program(&self) -> Connect {
        let tenant = &self.server.credentials.tenants[usize::from(self.number % 2 == 1)];
        let persona = if self.number % 4 < 2 { "integrator" } else { "admin" };
        let login = Login {
            client_id: self.client_id(),
            user_name: format!("{}/app", tenant.slug),
            password: tenant.user(persona).token.clone(),
        };
        Connect::new(self.version, login)
    }

    /// A device: it has its own few topics, and may have nothing retained.
    pub(crate) fn device(&self) -> Connect {
        let tenant = self.server.first_tenant();
        let login = self.server.login(tenant, tenant.monitor(0));
        Connect::new(self.version, Login { client_id: self.client_id(), ..login })
    }

    /// A connection on which nothing was said.
    pub(crate) async fn open(&self) -> Client {
        Client::open(self.mqtt(), self.version).await
    }

    pub(crate) async fn login(&self, connect: &Connect) -> Client {
        self.greeted(connect).await.0
    }

    /// The same, with the flags and properties of its CONNACK.
    pub(crate) async fn greeted(&self, connect: &Connect) -> (Client, u8, Properties) {
        let mut client = self.open().await;
        let (flags, properties) = client.greet(connect).await;
        (client, flags, properties)
    }

    /// A program that is let in.
    pub(crate) async fn connected(&self) -> Client {
        self.login(&self.program()).await
    }

    /// The same, subscribed to this filter at these options.
    pub(crate) async fn listening(&self, filter: &str, options: u8) -> Client {
        let mut client = self.connected().await;
        assert_eq!(client.subscribe(&[(filter, options)]).await, [options & 0b11]);
        client
    }
}
