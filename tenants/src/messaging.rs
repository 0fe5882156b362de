//! What outlives a connection of MQTT: sessions, the messages that wait for them, and retained messages.
//!
//! What a message or a session holds is the broker's business and stands here as bytes; what is here is whose it is
//! and in which order it came.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    errors::StoreError,
    ids::{MailboxId, TenantId},
};

/// Messages that were committed together: one row of a tenant's publication log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publications {
    /// Position of the first message; positions of a tenant begin at 1 and only grow.
    pub first: u64,
    /// Position of the last.
    pub last: u64,
    /// The messages as the broker writes them.
    pub messages: Vec<u8>,
}

/// A session that is kept while its client is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Its key.
    pub id: MailboxId,
    /// Whose it is, as the broker writes it: a device or an application of the tenant.
    pub owner: String,
    /// The client identifier.
    pub client_id: String,
    /// When the client went; `None` while it is connected.
    pub left_at: Option<Timestamp>,
    /// Subscriptions and how long it is kept, as the broker writes them.
    pub standing: Vec<u8>,
    /// What is on its way to the client, as the broker writes it.
    pub flight: Vec<u8>,
}

/// A QoS 2 message that was taken from a client and whose packet identifier the client has not released yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Received {
    /// The client's session.
    pub mailbox: MailboxId,
    /// The packet identifier.
    pub packet_id: u16,
}

/// A change of what is kept of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxChange {
    /// It is new, or all of it has changed.
    Put(Mailbox),
    /// Only what is on its way has changed.
    Flight {
        /// Which.
        id: MailboxId,
        /// As the broker writes it.
        flight: Vec<u8>,
    },
    /// It has ended; its received packet identifiers go with it.
    Gone(MailboxId),
}

/// What one tenant has in a durable write. The order of the fields is the order in which it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Share {
    /// New messages that somebody is to have later.
    pub publications: Option<Publications>,
    /// Retained messages by topic; `None` removes one. The last of a topic counts.
    pub retained: Vec<(String, Option<Vec<u8>>)>,
    /// Sessions, each at most once.
    pub mailboxes: Vec<MailboxChange>,
    /// Packet identifiers of the messages above.
    pub received: Vec<Received>,
    /// Packet identifiers that may be used for other messages from now on.
    pub released: Vec<Received>,
}

/// What is kept of a tenant, as found at start-up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Position of the last message that ever was in the log.
    pub head: u64,
    /// Sessions.
    pub mailboxes: Vec<Mailbox>,
    /// Their packet identifiers that are not released.
    pub received: Vec<Received>,
    /// Retained messages by topic.
    pub retained: Vec<(String, Vec<u8>)>,
}

/// What passed over MQTT for one tenant since the broker was started, and what it holds for it now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Clients that are connected.
    pub sessions: u64,
    /// Sessions that are kept, whether their clients are connected or away.
    pub kept_sessions: u64,
    /// Messages that are held for sessions that are kept.
    pub kept_messages: u64,
    /// Subscriptions of all sessions.
    pub subscriptions: u64,
    /// Retained messages.
    pub retained: u64,
    /// Messages taken from clients.
    pub received: u64,
    /// Messages sent to clients.
    pub sent: u64,
    /// Messages dropped, by reason; reasons that did not occur are left out.
    pub drops: Vec<(&'static str, u64)>,
}

/// Keeps it. Used by the broker for all tenants, never on behalf of a caller.
#[async_trait]
pub trait Mailboxes: Send + Sync {
    /// All that is kept, by tenant.
    async fn kept(&self) -> Result<Vec<(TenantId, Kept)>, StoreError>;
    /// Writes durably, each tenant's share whole or not at all. Writing the very same again is no error.
    /// [`StoreError::Fenced`] when another node has taken over.
    async fn keep(&self, shares: &[(TenantId, Share)]) -> Result<(), StoreError>;
    /// Messages after `after`, oldest first, about `bytes` of them and at least one row where there is one.
    async fn publications(
        &self,
        tenant: TenantId,
        after: u64,
        bytes: usize,
    ) -> Result<Vec<Publications>, StoreError>;
    /// Deletes rows of which no message is after `until`; the newest row stays, whose position is where the log goes on.
    async fn trim(&self, tenant: TenantId, until: u64) -> Result<(), StoreError>;
}
