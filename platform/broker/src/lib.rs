//! The MQTT broker: devices and applications connect here. It speaks MQTT 3.1.1 and 5 on one port, and over
//! TLS on another, authenticates, keeps tenants apart, hands what devices say to ingest, and sends what the platform
//! says to its subscribers.
//!
//! It never acknowledges a device's message before ingest reports it durably committed, never routes what a device says
//! to another client by itself, and looks into no payload but those of devices that ask or answer. What programs say in their hospital's topic space goes to
//! those who subscribe to it.
//!
//! Start reading at [`Broker`] and [`gate`] (what the broker needs from others), then follow a
//! connection: `listener` -> `connect` -> `session` (`reader` -> `inbox` -> [`Ingest`] -> `acks` ->
//! `writer`). Messages to clients come in through [`Handle`], or from another client, -> `fan_out` -> `tree` ->
//! `session/outbox`.
#![warn(missing_docs)]

mod codec;
mod config;
mod connect;
mod dialect;
mod encode;
mod entry;
mod exchange;
mod fan_out;
mod frame;
pub mod gate;
mod handle;
mod hub;
mod kept;
mod listener;
mod mailbox;
mod message;
mod metrics;
mod protocol;
mod proxied;
mod registry;
mod resume;
mod retained;
mod session;
mod standing;
mod subscriptions;
mod sys;
mod tally;
mod topics;
mod transport;
mod tree;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tenants::{StoreError, clock::Clock, messaging::Mailboxes};
use tokio::task::JoinHandle;

pub use self::{
    config::{BrokerConfig, TlsListen, TlsSettings},
    fan_out::Delivery,
    gate::{
        Admission, Attendant, Channel, Chunk, Client, CommandAnswer, Episode, Gatekeeper, Grants, Happened,
        Inbound, Ingest, Login, Newcomer, NotTaken, Presence, Receipt, Refusal, Saying, Speech, TwinView,
        Unregistered, UserProperties,
    },
    handle::Handle,
    listener::Entrance,
    metrics::BrokerMetrics,
    protocol::Qos,
    registry::SessionInfo,
    transport::Carrier,
};
use self::{
    exchange::Exchange,
    hub::{Correlations, Hub},
    kept::Kept,
    listener::Listener,
    registry::Registry,
    retained::Retained,
    tree::Tree,
};

/// Why the broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// An address cannot be listened on.
    #[error("an address cannot be listened on")]
    Listen(#[source] io::Error),
    /// The sessions that are kept cannot be read.
    #[error("the sessions of mqtt clients cannot be read")]
    Kept(#[from] StoreError),
}

/// A running broker.
pub struct Broker {
    hub: Arc<Hub>,
    listener: Listener,
    exchange: JoinHandle<()>,
}

impl Broker {
    /// Takes up the sessions that are kept, listens and starts to serve. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be listened on, or what is kept cannot be read.
    pub async fn bind(
        config: BrokerConfig,
        gatekeeper: Arc<dyn Gatekeeper>,
        ingest: Arc<dyn Ingest>,
        attendant: Arc<dyn Attendant>,
        presence: Arc<dyn Presence>,
        store: Arc<dyn Mailboxes>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BindError> {
        let since = clock.now();
        let correlations = Correlations::starting(since);
        let registry = Arc::new(Registry::new(presence, Arc::clone(&clock)));
        let (exchange, inlet) = Exchange::new();
        let hub = Arc::new(Hub {
            config,
            gatekeeper,
            ingest,
            attendant,
            clock,
            metrics: BrokerMetrics::default(),
            correlations,
            tree: Tree::default(),
            registry,
            store,
            exchange,
            kept: Kept::default(),
            retained: Retained::default(),
            since,
        });
        kept::restore(&hub).await?;
        let listener = Listener::start(&hub).map_err(BindError::Listen)?;
        let exchange = tokio::spawn(exchange::run(Arc::clone(&hub), inlet));
        tracing::info!(address = %listener.local_addr(), "mqtt listening");
        Ok(Self { hub, listener, exchange })
    }

    /// Where it listens; tells the port when the configuration said 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Where it listens for TLS; `None` where it does not.
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        self.listener.tls_addr()
    }

    /// What it counts.
    pub fn metrics(&self) -> &BrokerMetrics {
        &self.hub.metrics
    }

    /// For clients that come another way, as by WebSocket.
    pub fn entrance(&self) -> Entrance {
        self.listener.entrance()
    }

    /// For publishing to its subscribers.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.hub))
    }

    /// Stops accepting and reading, waits up to `grace` for the commits of what was read, sends their
    /// PUBACKs and a DISCONNECT to v5 clients, and closes.
    pub async fn shutdown(self, grace: Duration) {
        self.listener.shutdown(&self.hub, grace).await;
        self.hub.exchange.stop().await;
        self.exchange.await.ok(); // it ends by itself; if it panicked, that was told
    }
}
