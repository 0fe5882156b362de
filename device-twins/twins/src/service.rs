//! The handle through which everything else speaks to the twins.

use std::{future::Future, sync::Arc};

use actix::ArbiterHandle;
use bytes::Bytes;
use care::{Acknowledgement, Alarm, AlarmError};
use tenants::{
    CorrelationId, DeviceId, ErrorKind, PatientId, StoreError, TenantId,
    access::{Action, Cell, Column, Object, Scope},
    audit::AuditEntry,
    clock::Clock,
    messaging::Received,
};

use uuid::Uuid;

use crate::{
    checkpoint,
    device::{
        DeviceState,
        actor::{ChangeRules, FindAlarm, Inspect, Release},
    },
    feed::Feed,
    ingest::{Closed, IngestQueue, Receipt, Unsequenced, Writer, queues},
    message::{Acknowledge, Channel, Desire},
    metrics::{Health, TwinMetrics},
    patient::{PatientState, actor as patient},
    presence::Presence,
    recovery::{self, RecoveryError},
    shared::{Decoders, Parts, Shared},
    store::journal::{Fold, Journal, LogHead, TwinKey},
};

/// Why a twin could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// The scope does not cover it.
    #[error("{what} not found")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
    },
    /// A newer alarm of the same rule has taken its place.
    #[error("the alarm is over and a newer one has taken its place; reload the list")]
    Superseded,
    /// The device's twin is in quarantine.
    #[error("the device's twin is in quarantine; release it first")]
    Quarantined,
    /// An input that cannot be taken.
    #[error(transparent)]
    Alarm(#[from] AlarmError),
    /// The platform is shutting down or recovering.
    #[error("the twins cannot be reached right now; try again")]
    Unavailable,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TwinError {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Superseded | Self::Quarantined => ErrorKind::Conflict,
            Self::Alarm(error) => error.kind(),
            Self::Unavailable => ErrorKind::Unavailable,
            Self::Store(error) => error.kind(),
        }
    }
}

impl From<Closed> for TwinError {
    fn from(_: Closed) -> Self {
        Self::Unavailable
    }
}

impl From<actix::MailboxError> for TwinError {
    fn from(_: actix::MailboxError) -> Self {
        Self::Unavailable
    }
}

/// All twins of this node.
#[derive(Clone)]
pub struct Twins {
    shared: Arc<Shared>,
    queue: IngestQueue,
    presence: Arc<Presence>,
    heads: Arc<[LogHead]>,
}

impl Twins {
    /// Takes the log over and returns the handle and the writer, which the caller has to run (this crate
    /// spawns nothing but actors). Then [`Twins::recover`], before any message is taken.
    ///
    /// Twins live on `arbiters`, of which there must be at least one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        decoders: Decoders,
        arbiters: Vec<ArbiterHandle>,
        node: &str,
    ) -> Result<(Self, impl Future<Output = ()> + Send + use<>), StoreError> {
        let epoch = journal.claim(node).await?;
        let heads: Arc<[LogHead]> = journal.heads().await?.into();
        tracing::info!(node, epoch, tenants = heads.len(), "the log is ours");
        let (queue, folds, inlet) = queues();
        let shared = Arc::new(Shared::new(Parts { journal, clock, decoders, folds, arbiters }));
        let ends = heads.iter().map(|head| (head.tenant, head.head)).collect();
        let writer = Writer::new(shared.clone(), inlet, ends);
        Ok((Self { shared, queue, presence: Arc::default(), heads }, writer.run()))
    }

    /// Folds what the log holds beyond the last checkpoint; from then on messages are taken.
    ///
    /// # Errors
    /// When the database fails or the writer is not running.
    pub async fn recover(&self) -> Result<(), RecoveryError> {
        recovery::recover(&self.shared, &self.heads).await
    }

    /// Takes snapshots from time to time; for the caller to run, until dropped.
    pub fn checkpoints(&self) -> impl Future<Output = ()> + Send + use<> {
        checkpoint::run(self.shared.clone())
    }

    /// Waits until every message taken so far is folded, takes snapshots, and ends the writer. Senders must
    /// have stopped before.
    pub async fn shut_down(&self) {
        self.shared.backlog.drained().await;
        if let Err(error) = checkpoint::checkpoint_all(&self.shared).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "no checkpoint at shutdown");
        }
        self.shared.folds.stop().await;
        self.shared.devices.clear();
        self.shared.patients.clear();
    }

    /// Queues messages of one device for the log; waits while the platform is behind (back-pressure). The
    /// receipt resolves after the durable commit.
    ///
    /// # Errors
    /// [`Closed`] while the platform takes no messages.
    pub async fn append(
        &self,
        tenant: TenantId,
        device: DeviceId,
        messages: Vec<Unsequenced>,
    ) -> Result<Receipt, Closed> {
        self.append_once(tenant, device, messages, Vec::new()).await
    }

    /// The same, and writes with the messages by which packet identifiers they were received, so that the sender's session
    /// knows them again.
    ///
    /// # Errors
    /// As for [`Twins::append`].
    pub async fn append_once(
        &self,
        tenant: TenantId,
        device: DeviceId,
        messages: Vec<Unsequenced>,
        received: Vec<Received>,
    ) -> Result<Receipt, Closed> {
        self.queue.append(tenant, device, messages, received).await
    }

    /// The state of a device's twin, which wakes if it sleeps. That the device is within the scope is for the
    /// store to tell, which knows the device's columns.
    ///
    /// # Errors
    /// [`TwinError::NotFound`] outside the scope; [`TwinError::Unavailable`] when the twin does not answer.
    pub async fn device(&self, scope: &Scope, id: &DeviceId) -> Result<Arc<DeviceState>, TwinError> {
        covers(scope, id)?;
        let ask = |address: &actix::Addr<_>, ticket| address.send(Inspect { _ticket: ticket });
        let answer = self.shared.with_device(&(scope.tenant(), id.clone()), ask);
        Ok(answer.ok_or(TwinError::Unavailable)?.await?)
    }

    /// The state of a patient's twin, which wakes if it sleeps. That the patient is within the scope is for
    /// the store to tell, which knows the patient's columns.
    ///
    /// # Errors
    /// [`TwinError::Unavailable`] when the twin does not answer.
    pub async fn patient(&self, scope: &Scope, id: PatientId) -> Result<Arc<PatientState>, TwinError> {
        let ask = |address: &actix::Addr<_>, ticket| address.send(patient::Inspect { _ticket: ticket });
        let answer = self.shared.with_patient(&(scope.tenant(), id), ask);
        Ok(answer.ok_or(TwinError::Unavailable)?.await?)
    }

    /// Notes that the caller has seen an alarm: through the log, so that it survives like any message.
    /// Returns the alarm as it then stands, committed together with its audit row.
    ///
    /// # Errors
    /// [`TwinError::Superseded`] when a newer alarm of the rule exists; [`TwinError::Quarantined`];
    /// [`TwinError::Alarm`] when the note is too long.
    pub async fn acknowledge(
        &self,
        scope: &Scope,
        alarm: &Alarm,
        note: Option<String>,
        correlation: CorrelationId,
    ) -> Result<Alarm, TwinError> {
        let permission = scope.permission();
        if (permission.object, permission.action) != (Object::Alarm, Action::Acknowledge) {
            return Err(TwinError::NotFound { what: "alarm" });
        }
        let caller = scope.caller();
        let by = caller.holder().ok_or(TwinError::NotFound { what: "alarm" })?;
        let received_at = self.shared.clock.now();
        let by_name = caller.name();
        let entry = Acknowledge { alarm: alarm.id, by, by_name: by_name.clone(), note: note.clone() };
        // Checked before it goes into the log: the fold passes over what it cannot take.
        let check = Acknowledgement { by, by_name, at: received_at, note };
        alarm.decide(care::AlarmCommand::Acknowledge(check))?;

        let payload = serde_json::to_vec(&entry).map_err(|_| TwinError::Unavailable)?;
        let message = Unsequenced {
            received_at,
            correlation,
            channel: Channel::Acknowledge,
            user_properties: None,
            payload: Bytes::from(payload),
        };
        let receipt = self.append(scope.tenant(), alarm.device.clone(), vec![message]).await?;
        receipt.await.map_err(|_| Closed)?;
        self.acknowledged(scope, alarm).await
    }

    /// Changes the desired properties of a device: through the log, with its audit entry. Returns the twin as it then stands;
    /// where the patch could not be taken its version is the same as before. That the device is within the scope is for the
    /// store to tell.
    ///
    /// # Errors
    /// [`TwinError::NotFound`] outside the scope; [`TwinError::Quarantined`], and the change is made with its release.
    pub async fn desire(
        &self,
        scope: &Scope,
        id: &DeviceId,
        patch: serde_json::Map<String, serde_json::Value>,
        audit: AuditEntry,
    ) -> Result<Arc<DeviceState>, TwinError> {
        covers(scope, id)?;
        let correlation = audit.correlation;
        let payload = serde_json::to_vec(&Desire { patch, audit }).map_err(|_| TwinError::Unavailable)?;
        let message = Unsequenced {
            received_at: self.shared.clock.now(),
            correlation,
            channel: Channel::Desired,
            user_properties: None,
            payload: Bytes::from(payload),
        };
        self.append(scope.tenant(), id.clone(), vec![message]).await?.await.map_err(|_| Closed)?;
        let state = self.device(scope, id).await?;
        if state.quarantine.is_some() {
            return Err(TwinError::Quarantined);
        }
        self.shared.folds.barrier().await?; // its audit entry
        Ok(state)
    }

    /// The twin of a device that asks for its own, once everything that it has said before is folded.
    ///
    /// # Errors
    /// [`TwinError::Unavailable`] when the twin does not answer.
    pub async fn own(&self, tenant: TenantId, id: &DeviceId) -> Result<Arc<DeviceState>, TwinError> {
        self.append(tenant, id.clone(), Vec::new()).await?.await.map_err(|_| Closed)?;
        let ask = |address: &actix::Addr<_>, ticket| address.send(Inspect { _ticket: ticket });
        let answer = self.shared.with_device(&(tenant, id.clone()), ask);
        Ok(answer.ok_or(TwinError::Unavailable)?.await?)
    }

    /// The alarm after its acknowledgement was handed to the twin, once what came of it is committed.
    async fn acknowledged(&self, scope: &Scope, alarm: &Alarm) -> Result<Alarm, TwinError> {
        let key = (scope.tenant(), alarm.device.clone());
        let ask =
            |address: &actix::Addr<_>, ticket| address.send(FindAlarm { alarm: alarm.id, _ticket: ticket });
        let answer = self.shared.with_device(&key, ask).ok_or(TwinError::Unavailable)?.await?;
        self.shared.folds.barrier().await?;
        match answer {
            Some(alarm) if alarm.acknowledged.is_some() => Ok(alarm),
            Some(_) => Err(TwinError::Quarantined),
            None => Err(TwinError::Superseded),
        }
    }

    /// Lifts a device's quarantine: its twin folds what it has missed. Returns once the audit row is
    /// committed.
    ///
    /// # Errors
    /// [`TwinError::NotFound`] outside the scope.
    pub async fn release(
        &self,
        scope: &Scope,
        id: &DeviceId,
        correlation: CorrelationId,
    ) -> Result<(), TwinError> {
        covers(scope, id)?;
        let key = (scope.tenant(), id.clone());
        let ask = |address: &actix::Addr<_>, ticket| address.send(Release { _ticket: ticket });
        self.shared.with_device(&key, ask).ok_or(TwinError::Unavailable)?.await?;
        let (at, subject) = (self.shared.clock.now(), format!("device:{id}"));
        let entry =
            AuditEntry { correlation, ..AuditEntry::by(scope.caller(), at, "device.release", subject) };
        let name = format!("{} {} {}", entry.action, entry.subject, entry.at);
        let entry_id = Uuid::new_v5(scope.tenant().as_uuid(), name.as_bytes());
        self.shared.folds.commit(Fold::audit_only(TwinKey::Device(id.clone()), entry_id, entry), None);
        Ok(self.shared.folds.barrier().await?)
    }

    /// Reads a tenant's rules anew and hands them to its twins.
    ///
    /// # Errors
    /// When the database fails; the twins then go on with the rules they have.
    pub async fn rules_changed(&self, tenant: TenantId) -> Result<(), TwinError> {
        let rules = self.shared.reload_rules(tenant).await?;
        for seen in self.shared.devices.look(|(of, _)| *of == tenant) {
            seen.address.do_send(ChangeRules(rules.clone()));
        }
        Ok(())
    }

    /// Lets go of a hospital's twins without another snapshot. Nothing of theirs is written once this returns, if no
    /// message of theirs was taken for a while: the hospital is cut off before.
    ///
    /// # Errors
    /// [`TwinError::Unavailable`] while the platform takes no messages.
    pub async fn dismiss(&self, tenant: TenantId) -> Result<(), TwinError> {
        let _held = self.shared.checkpointing.lock().await;
        self.shared.dismiss(tenant);
        Ok(self.shared.folds.barrier().await?)
    }

    /// Live changes.
    pub fn feed(&self) -> &Feed {
        &self.shared.feed
    }
    /// Which devices are connected.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }
    /// Whether messages are taken.
    pub fn health(&self) -> &Health {
        &self.shared.health
    }
    /// Counters and gauges.
    pub fn metrics(&self) -> &TwinMetrics {
        &self.shared.metrics
    }
}

/// What can be told of the id alone; the rest is for the store, which knows the device's other columns.
fn covers(scope: &Scope, device: &DeviceId) -> Result<(), TwinError> {
    let id = |column| (column == Column::DeviceId).then_some(Some(Cell::Text(device.as_str())));
    match scope.rows().cover_partly(&id) {
        Some(false) => Err(TwinError::NotFound { what: "device" }),
        Some(true) | None => Ok(()),
    }
}
