//! What the broker needs from the rest of the platform: somebody who knows the clients, somebody who
//! stores what they say, and somebody who wants to know that they are there.

use std::{
    collections::HashSet,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock},
};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use serde_json::{Map, Value};
use tenants::{
    CorrelationId, DeviceId, TenantId, messaging::Received, quotas::ClientQuotas, topics::TopicFilters,
};
use tokio::sync::oneshot;

use crate::registry::SessionInfo;

/// What a client said about itself in its CONNECT.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The client identifier as sent; may be empty.
    pub client_id: &'a str,
    /// The user name; empty when there was none.
    pub user_name: &'a str,
    /// The password; empty when there was none. Never log it.
    pub password: &'a [u8],
    /// The certificates that it showed over TLS, its own first; it has the key of its own. Nothing is known of who signed them.
    pub certificates: &'a [CertificateDer<'a>],
    /// Where the connection comes from.
    pub peer: SocketAddr,
    /// Names this connection in traces and in the audit.
    pub correlation: CorrelationId,
}

impl fmt::Debug for Login<'_> {
    /// User name and client id may carry an access token in some dialects, so neither is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("correlation", &self.correlation).finish_non_exhaustive()
    }
}

/// A client that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The tenant in which all its topics live.
    pub tenant: TenantId,
    /// Who it is.
    pub client: Client,
    /// How it names things, where it is a device.
    pub speech: Speech,
    /// The devices that it speaks for besides itself, where it is a gateway.
    pub behind: Arc<HashSet<DeviceId>>,
    /// Until when what it presented counts: its connection ends then.
    pub until: Option<Timestamp>,
    /// What it may hear and say, where it is an application.
    pub grants: Grants,
    /// What its tenant allows of its clients; `None` for what the broker's settings say.
    pub quotas: Option<ClientQuotas>,
}

/// What an application may hear and say. What a device may comes with its dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// What stands before the topics of the feed that it hears in the tenant's name space: `None` where it hears none. Those
    /// who may see the same rows hear the same feed.
    pub feed: Option<Arc<str>>,
    /// What of the tenant's topic space it may subscribe to.
    pub subscribe: Option<Arc<TopicFilters>>,
    /// What of it it may publish to.
    pub publish: Option<Arc<TopicFilters>>,
}

/// Who a client is. It decides what the client may publish and subscribe to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Client {
    /// A device: publishes its own messages, hears what is addressed to it.
    Device(DeviceId),
    /// An integrator's program: hears the tenant's feed, and what other programs say in the topic space.
    Application {
        /// Name of the API token; tells two applications of a tenant apart.
        name: Arc<str>,
    },
    /// A device that nobody knows yet: asks to be registered, hears the answer, and nothing else. Its session is never kept.
    Newcomer {
        /// Tells its connection from all others.
        connection: CorrelationId,
    },
}

/// How a device names things: which family of devices it comes from. What it said in its CONNECT tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Speech {
    /// In the platform's own topics.
    #[default]
    Native,
    /// As a device made for ThingsBoard.
    ThingsBoard,
    /// As a device made for Azure IoT Hub.
    IotHub,
    /// As a device that asks Azure's Device Provisioning Service where it belongs.
    Provisioning,
}

impl Speech {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Native, Self::ThingsBoard, Self::IotHub, Self::Provisioning];
}

/// The devices that are behind one that speaks for itself only: one set for all of them.
pub fn nobody() -> Arc<HashSet<DeviceId>> {
    static NOBODY: LazyLock<Arc<HashSet<DeviceId>>> = LazyLock::new(Arc::default);
    Arc::clone(&NOBODY)
}

/// Why a client was not let in. Deliberately coarse: a client must not learn whether the tenant, the
/// device or the password was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Unknown client or wrong secret: CONNACK 5 on v3.1.1, 0x86 on v5.
    BadCredentials,
    /// Known, but may not connect (disabled, suspended): 5, 0x87.
    NotAuthorized,
    /// The client identifier does not suit the credentials: 2, 0x85.
    ClientIdNotValid,
    /// Too many attempts: 3, 0x89.
    Busy,
    /// It could not be found out now: 3, 0x88.
    Unavailable,
}

/// Decides who may connect.
#[async_trait]
pub trait Gatekeeper: Send + Sync {
    /// Checks the credentials. The broker awaits it for [`admit_timeout`](crate::BrokerConfig) at most.
    async fn admit(&self, login: Login<'_>) -> Result<Admission, Refusal>;
}

/// Takes the messages of all devices and stores them.
#[async_trait]
pub trait Ingest: Send + Sync {
    /// Waits until the tenant may send so many messages that are not stored, so that they count towards its rate.
    async fn pace(&self, tenant: TenantId, messages: usize) -> Result<(), NotTaken>;
    /// Queues a chunk for the next commit. Awaiting it is the back-pressure: while it waits, the
    /// broker reads nothing further from that connection.
    async fn submit(&self, chunk: Chunk) -> Result<Receipt, NotTaken>;
}

/// Resolves to `Ok` after the chunk is durably committed. `Err` means that it never will be: no PUBACK or PUBREC
/// is sent for it and the connection is closed, so that the device sends again.
pub type Receipt = oneshot::Receiver<()>;

/// Why a chunk was not taken. Its messages are not acknowledged and the connection is closed, so that the device sends them
/// again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Nothing is taken any more; the platform is shutting down.
    #[error("ingest is closed")]
    Closed,
    /// The tenant sends so much more than it may that it would have to wait too long: 0x97 on v5.
    #[error("the tenant is over its quota")]
    OverQuota,
    /// The same of the device: 0x97 on v5.
    #[error("the device is over its rate")]
    TooFast,
}

/// All messages of one socket read. They are committed together or not at all.
#[derive(Debug)]
pub struct Chunk {
    /// The tenant of the authenticated device.
    pub tenant: TenantId,
    /// The authenticated device.
    pub device: DeviceId,
    /// The messages in the order in which they were sent; never empty.
    pub messages: Vec<Inbound>,
    /// Packet identifiers of QoS 2 messages among them that are to be written with them, so that each is taken once whatever
    /// happens: of a session that is kept.
    pub received: Vec<Received>,
}

/// One message of a device.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// What kind of message it is.
    pub channel: Channel,
    /// What else the device says about it.
    pub user_properties: UserProperties,
    /// The payload as sent: a slice of the read buffer, shared with its neighbours.
    pub payload: Bytes,
    /// When the broker read it.
    pub received_at: Timestamp,
    /// Follows the message through the traces.
    pub correlation: CorrelationId,
}

/// Names and values that a device puts beside a message, as HTML forms write them (`ward=4+West&alert=true`): user properties of
/// MQTT 5, or the property bag of a topic. `None` where there are none.
pub type UserProperties = Option<Arc<str>>;

/// What kind of message a device sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// Measured values.
    Telemetry {
        /// The component of the device that measured; `None` is the device itself.
        component: Option<Arc<str>>,
    },
    /// A merge patch of the reported properties.
    Reported,
}

/// What the platform says to a device, however the device names it.
#[derive(Debug, Clone, PartialEq)]
pub enum Saying {
    /// Desired properties have changed.
    Desired {
        /// What changed: a merge patch.
        patch: Map<String, Value>,
        /// All of them as they are now.
        properties: Map<String, Value>,
        /// Which version of all of them that makes.
        version: u64,
    },
    /// It is to do something; it says what became of it under the same id.
    Command {
        /// Tells its answer from others.
        id: u32,
        /// What it is to do.
        name: String,
        /// What else it has to know.
        body: Value,
        /// It is not told any more after that.
        until: Timestamp,
    },
    /// A message of somebody, as it is.
    Message {
        /// Tells it from others.
        id: String,
        /// What it says.
        payload: String,
        /// What else is said about it.
        properties: Vec<(String, String)>,
    },
}

/// What a device says that it has done.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandAnswer {
    /// As in HTTP: 200 where all went well.
    pub status: i32,
    /// What else it says.
    pub body: Value,
}

/// What a device may know of its twin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TwinView {
    /// What it is to be like.
    pub desired: Map<String, Value>,
    /// How often that was changed.
    pub desired_version: u64,
    /// The newest version of it that it says it has taken on.
    pub confirmed_version: u64,
    /// What it said that it is like.
    pub reported: Map<String, Value>,
    /// How often it said so.
    pub reported_version: u64,
}

/// What a device that nobody knows yet says of itself, as it asks to be registered. Never log it.
pub struct Newcomer {
    /// Says of which hospital it wants to be, and as what.
    pub key: String,
    /// The one that the hospital has for newcomers.
    pub secret: String,
    /// How it is to be called; `None` leaves that to the platform.
    pub name: Option<String>,
}

/// Why a newcomer is not registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unregistered {
    /// Key and secret are no hospital's.
    NotValid,
    /// In words for whoever stands beside the device.
    Refused(String),
}

/// Answers devices.
#[async_trait]
pub trait Attendant: Send + Sync {
    /// The twin of a device, with everything in it that the device has said before. `None` while it cannot be asked.
    async fn twin(&self, tenant: TenantId, device: &DeviceId) -> Option<TwinView>;
    /// A device that may not be known yet wants to be, as one of that model (the id of its template). The error says why it
    /// cannot, in words for whoever stands beside the device.
    async fn register(&self, tenant: TenantId, device: &DeviceId, model: Option<&str>) -> Result<(), String>;
    /// A device that nobody knows yet wants to be registered; the token with which it connects from now on.
    /// `from` and `correlation`: where its connection comes from, and what names it in traces and in the audit.
    async fn enrol(
        &self,
        newcomer: Newcomer,
        from: IpAddr,
        correlation: CorrelationId,
    ) -> Result<String, Unregistered>;
    /// A device has answered a command; `None` where that cannot be read. Do not call the broker back.
    fn answered(&self, tenant: TenantId, device: &DeviceId, id: u32, answer: Option<CommandAnswer>);
}

/// One thing that became of a device's connection, for whoever looks after the device.
#[derive(Debug, Clone)]
pub struct Episode {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
    /// Why, in a few words; empty where there is nothing to say.
    pub why: &'static str,
    /// Whose connection, and how it comes.
    pub session: SessionInfo,
}

/// What can become of a connection of a device that has shown who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It was let in.
    Connected,
    /// It was not let in all the same.
    Refused,
    /// It wanted to say or hear what it may not. Told once for each connection.
    Denied,
    /// It ended.
    Ended,
}

/// Hears about devices that come and go.
///
/// Called in the order in which it happened, while the broker holds a lock: hand the news on and
/// return at once, and do not call the broker back.
pub trait Presence: Send + Sync {
    /// The first connection of the device was opened.
    fn connected(&self, tenant: TenantId, device: &DeviceId, at: Timestamp);
    /// The last connection of the device was closed.
    fn disconnected(&self, tenant: TenantId, device: &DeviceId, at: Timestamp);
    /// Something became of a connection of the device.
    fn happened(&self, tenant: TenantId, device: &DeviceId, episode: Episode);
}
