//! What can be set about the broker, and every bound it keeps.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::ServerConfig;
use tenants::quotas::ClientQuotas;

/// How TLS is spoken; asked for each connection, so that a renewed certificate counts from the next one on.
pub trait TlsSettings: Send + Sync {
    /// What counts now.
    fn current(&self) -> Arc<ServerConfig>;
}

/// Where TLS is spoken, and how.
#[derive(Clone)]
pub struct TlsListen {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How.
    pub settings: Arc<dyn TlsSettings>,
}

impl fmt::Debug for TlsListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsListen").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// Settings of one broker. Every queue in the broker is bounded by a field of this struct.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where to listen for TLS; `None` for nowhere.
    pub tls: Option<TlsListen>,
    /// Whether a load balancer stands before both and says in a PROXY protocol header, version 2, where each connection
    /// comes from. One without it is refused then.
    pub proxied: bool,
    /// How long a connection may take to send its CONNECT, and before that for its TLS handshake.
    pub connect_timeout: Duration,
    /// How long the gatekeeper may take; after it the client is told that the server is unavailable.
    pub admit_timeout: Duration,
    /// Open connections, those not yet authenticated included. Beyond it a new one is closed unread.
    pub max_connections: usize,
    /// What the clients of a tenant may take up of whom the gatekeeper says nothing. A packet that is larger: DISCONNECT 0x95.
    /// A v5 client is told how many messages it may send before one is acknowledged, or of QoS 2 completed, and disconnected
    /// (0x93) when it sends more; from a v3.1.1 client the broker reads no further, and disconnects it when it leaves so many of
    /// QoS 2 unreleased. What is queued to one beyond its bound is dropped and counted where it is of QoS 0, else disconnects the slow
    /// consumer (0x97). Further connections and filters are refused (0x97).
    pub clients: ClientQuotas,
    /// Sessions of any one tenant that are connected, whatever it is allowed; another client is refused (0x97), so that no hospital
    /// takes the others' places.
    pub max_tenant_connections: usize,
    /// Sessions of one device that are connected, which may call itself anything; another one is refused (0x97).
    pub max_device_connections: usize,
    /// Connections of devices that nobody knows yet, of all hospitals together; another one is refused (0x97).
    pub max_newcomers: usize,
    /// Those of one address, of IPv6 of one network of 64 bits: nobody takes the others' places.
    pub max_network_newcomers: usize,
    /// Messages queued to one client, in bytes.
    pub outbox_bytes: usize,
    /// How long a client may take to receive anything at all before it counts as a slow consumer.
    pub write_timeout: Duration,
    /// Longest keep-alive of a v5 client, which is told so; a v3.1.1 client's is as it says.
    pub max_keep_alive: Duration,
    /// How long a session is kept at most while its client is away; also of a v3.1.1 client, which cannot say.
    pub max_session_expiry: Duration,
    /// Sessions that are kept of one device or application, which may call itself anything: none takes the others' places.
    /// Another one is refused (0x97).
    pub max_kept_sessions_of_one: usize,
    /// Sessions of a tenant that are kept; another client that wants one is refused (0x97).
    pub max_kept_sessions: usize,
    /// Messages of a tenant's log that a session that is kept may be behind. What is older is dropped and counted.
    pub max_backlog: u64,
    /// Retained messages of a tenant; further ones are refused (0x97).
    pub max_retained: usize,
    /// The same bound in bytes.
    pub max_retained_bytes: usize,
}

/// A quota as what is there is counted.
pub(crate) fn count(quota: u32) -> usize {
    usize::try_from(quota).unwrap_or(usize::MAX)
}

impl BrokerConfig {
    /// How long a session is kept whose client asks for so many seconds.
    pub(crate) fn session_expiry(&self, seconds: u32) -> Duration {
        Duration::from_secs(seconds.into()).min(self.max_session_expiry)
    }
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 1883)),
            tls: None,
            proxied: false,
            clients: ClientQuotas::default(),
            connect_timeout: Duration::from_secs(10),
            admit_timeout: Duration::from_secs(5),
            max_connections: 100_000,
            max_tenant_connections: 50_000,
            max_device_connections: 100,
            max_newcomers: 1_000,
            max_network_newcomers: 100,
            outbox_bytes: 4 * 1024 * 1024,
            write_timeout: Duration::from_secs(20),
            max_keep_alive: Duration::from_secs(60),
            max_session_expiry: Duration::from_secs(7 * 24 * 3_600),
            max_kept_sessions_of_one: 100,
            max_kept_sessions: 20_000,
            max_backlog: 1_000_000,
            max_retained: 10_000,
            max_retained_bytes: 64 * 1024 * 1024,
        }
    }
}
