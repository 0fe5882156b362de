//! The log and what is committed with it. Used by the platform itself, never on behalf of a caller.

use async_trait::async_trait;
use care::Alarm;
use jiff::Timestamp;
use rules::Rule;
use serde::{Deserialize, Serialize};
use tenants::{
    CorrelationId, DeviceId, PatientId, Sequence, StoreError, TenantId, audit::AuditEntry,
    messaging::Received,
};
use uuid::Uuid;

use crate::message::DeviceRun;

/// Which twin of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TwinKey {
    /// The twin of a device.
    Device(DeviceId),
    /// The twin of a patient.
    Patient(PatientId),
}

impl TwinKey {
    /// `device` or `patient`, as stored.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Device(_) => "device",
            Self::Patient(_) => "patient",
        }
    }
    /// The id as text, as stored.
    pub fn id(&self) -> String {
        match self {
            Self::Device(id) => id.to_string(),
            Self::Patient(id) => id.to_string(),
        }
    }
}

/// The messages of one tenant in one commit: one row of the log.
///
/// Sequences are consecutive from `first` on, run by run.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Whose log.
    pub tenant: TenantId,
    /// Sequence of the first message.
    pub first: Sequence,
    /// The messages; a device may have more than one run.
    pub runs: Vec<DeviceRun>,
}

impl Segment {
    /// How many messages.
    pub fn count(&self) -> u64 {
        self.runs.iter().map(|run| run.messages.len() as u64).sum()
    }

    /// Sequence of the last message.
    pub fn last(&self) -> Sequence {
        Sequence(self.first.0.saturating_add(self.count()).saturating_sub(1))
    }
}

/// A twin's state as bytes. Only saves time: without it the log is folded from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Everything up to here is in the state.
    pub cursor: Sequence,
    /// The encoded state; its own first byte tells the version.
    pub state: Vec<u8>,
    /// Why the twin no longer folds, if it does not.
    pub quarantine: Option<String>,
}

/// A message that was stored but could not be folded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Whose.
    pub device: DeviceId,
    /// Which message.
    pub sequence: Sequence,
    /// When it was received.
    pub received_at: Timestamp,
    /// A code, e.g. `not_json`.
    pub reason: String,
    /// In words, naming what and where.
    pub detail: String,
    /// The first bytes of the payload, made printable; at most 200 characters.
    pub excerpt: String,
}

/// Something the outside must be told at least once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The same fold gives the same id, so that it is written once however often it is folded.
    pub id: Uuid,
    /// `alarm.raised`, `alarm.acknowledged` or `alarm.cleared`.
    pub topic: String,
    /// JSON.
    pub payload: Vec<u8>,
    /// When it came about.
    pub at: Timestamp,
    /// Leads back to the packet.
    pub correlation: CorrelationId,
}

/// What one twin's fold leaves behind; all of it is idempotent, so folding again is harmless.
#[derive(Debug, Clone)]
pub struct Fold {
    /// Whose.
    pub tenant: TenantId,
    /// Which twin.
    pub twin: TwinKey,
    /// State, when one is due. A snapshot never replaces one with a later cursor.
    pub snapshot: Option<Snapshot>,
    /// Alarms as they now stand; a row is replaced only by a higher version.
    pub alarms: Vec<Alarm>,
    /// Messages that could not be folded; kept once per (device, sequence).
    pub set_aside: Vec<SetAside>,
    /// For the outside; kept once per id.
    pub outbox: Vec<OutboxEntry>,
    /// For the trail; kept once per id.
    pub audit: Vec<(Uuid, AuditEntry)>,
}

impl Fold {
    /// A state and nothing else.
    pub fn snapshot_only(tenant: TenantId, twin: TwinKey, snapshot: Snapshot) -> Self {
        Self { snapshot: Some(snapshot), ..Self::empty(tenant, twin) }
    }

    /// A line of the trail and nothing else.
    pub fn audit_only(twin: TwinKey, id: Uuid, entry: AuditEntry) -> Self {
        let tenant = entry.tenant;
        Self { audit: vec![(id, entry)], ..Self::empty(tenant, twin) }
    }

    const fn empty(tenant: TenantId, twin: TwinKey) -> Self {
        Self {
            tenant,
            twin,
            snapshot: None,
            alarms: Vec::new(),
            set_aside: Vec::new(),
            outbox: Vec::new(),
            audit: Vec::new(),
        }
    }
}

/// One durable write: new messages of any tenants, and what earlier ones led to.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// New messages, at most one segment a tenant.
    pub segments: Vec<Segment>,
    /// Results of folds.
    pub folds: Vec<Fold>,
    /// Packet identifiers of messages of QoS 2 among the new ones, of sessions that are kept.
    pub received: Vec<(TenantId, Received)>,
}

/// A tenant's log as found at start-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// Whose.
    pub tenant: TenantId,
    /// The last message; zero when there is none.
    pub head: Sequence,
    /// Every message up to here is in its twin's snapshot.
    pub checkpoint: Sequence,
}

/// What a device twin needs to know besides its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceContext {
    /// Id of its template.
    pub template: String,
    /// Whom it measures.
    pub patient: Option<PatientId>,
}

/// The log, snapshots and recovery.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Makes this node the owner of all partitions and returns the new epoch; every other node's
    /// commits are refused from then on.
    async fn claim(&self, node: &str) -> Result<i64, StoreError>;
    /// Where each tenant's log ends.
    async fn heads(&self) -> Result<Vec<LogHead>, StoreError>;
    /// Writes durably, all or (per tenant) nothing. [`StoreError::Fenced`] when another node has taken over.
    async fn commit(&self, commit: &Commit) -> Result<(), StoreError>;
    /// Messages after `after`, up to and including `until`, oldest first, of the given devices (all when
    /// `None`). Returns at most about `limit` messages, whole segments at a time, and the sequence to go
    /// on after; the last page returns `until`.
    async fn read(
        &self,
        tenant: TenantId,
        devices: Option<&[DeviceId]>,
        after: Sequence,
        until: Sequence,
        limit: usize,
    ) -> Result<(Vec<DeviceRun>, Sequence), StoreError>;
    /// Devices with messages after `after`, each with the last of them. Reads directories, not messages.
    async fn devices_after(
        &self,
        tenant: TenantId,
        after: Sequence,
    ) -> Result<Vec<(DeviceId, Sequence)>, StoreError>;
    /// Notes that every message up to `sequence` is in its twin's snapshot; never moves back.
    async fn checkpoint(&self, tenant: TenantId, sequence: Sequence) -> Result<(), StoreError>;
    /// A twin's newest snapshot.
    async fn snapshot(&self, tenant: TenantId, twin: &TwinKey) -> Result<Option<Snapshot>, StoreError>;
    /// Template and patient of a device; `None` when it is unknown.
    async fn device(&self, tenant: TenantId, device: &DeviceId) -> Result<Option<DeviceContext>, StoreError>;
    /// The devices that measure a patient.
    async fn devices_of(&self, tenant: TenantId, patient: PatientId) -> Result<Vec<DeviceId>, StoreError>;
    /// The tenant's rules, enabled or not.
    async fn rules(&self, tenant: TenantId) -> Result<Vec<Rule>, StoreError>;
    /// Sequences of a device's messages that were set aside because they made the twin's handler panic
    /// (reason `handler_panicked`): a restarted twin skips them.
    async fn poisonous(&self, tenant: TenantId, device: &DeviceId) -> Result<Vec<Sequence>, StoreError>;
    /// Writes a byte where the log is kept and takes it back: can the next commit succeed?
    async fn probe(&self) -> Result<(), StoreError>;
}
