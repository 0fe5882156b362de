//! Devices, patients, alarms, rules and history, as callers see them. Every method takes the `Scope`
//! that a check has granted; rows outside it are as if they did not exist, masked columns are `None`.

use async_trait::async_trait;
use care::{Alarm, AlarmState, news2::Spo2Scale};
use jiff::{Timestamp, civil::Date};
use rules::Rule;
pub use tenants::paging::{MAX_PAGE, Page, PageRequest};
use tenants::{
    AlarmId, DeviceId, PatientId, Sequence, StoreError, UnitId, UserId, access::Scope, audit::AuditEntry,
    credentials::SecretHash,
};

use super::journal::SetAside;
use crate::message::{DeviceRun, LogMessage};

/// A device as registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRecord {
    /// Key within the tenant.
    pub id: DeviceId,
    /// For people.
    pub name: String,
    /// Id of its template.
    pub template: String,
    /// Whom it measures now.
    pub patient: Option<PatientId>,
    /// Where it belongs.
    pub unit: UnitId,
    /// It may not connect since then.
    pub blocked_since: Option<Timestamp>,
    /// The device through which it speaks, if it does.
    pub gateway: Option<DeviceId>,
}

impl DeviceRecord {
    /// What kind of device it is: the name of its template, e.g. `PatientMonitor` of
    /// `dtmi:iomt:PatientMonitor;1`.
    pub fn kind(&self) -> &str {
        let name = self.template.split_once(';').map_or(self.template.as_str(), |(name, _)| name);
        name.rsplit_once(':').map_or(name, |(_, last)| last)
    }
}

/// Devices that speak through one gateway.
pub const MOST_BEHIND: usize = 1_000;

/// A device to be registered.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// What it is.
    pub record: DeviceRecord,
    /// The hash of its token.
    pub token: SecretHash,
    /// The entry about it; from its time on the device measures its patient.
    pub audit: AuditEntry,
}

/// A stretch of time in which a device measured a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Which device.
    pub device: DeviceId,
    /// Whom.
    pub patient: PatientId,
    /// From then on.
    pub since: Timestamp,
    /// Before then; it still does when `None`.
    pub until: Option<Timestamp>,
}

impl Measured {
    /// Whether a moment lies in it.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }
}

/// A patient as registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientRecord {
    /// Key within the tenant.
    pub id: PatientId,
    /// `None` when masked.
    pub name: Option<String>,
    /// Medical record number; `None` when masked.
    pub mrn: Option<String>,
    /// `None` when not known or masked.
    pub birth_date: Option<Date>,
    /// `None` when not known. Shown also to those from whom the date is masked.
    pub birth_year: Option<i16>,
    /// Where the patient lies.
    pub unit: UnitId,
    /// That unit's name. The store knows it; what is given when a patient is registered does not count.
    pub ward: String,
    /// The bed's name within the ward.
    pub bed: String,
    /// Which SpO2 scale a clinician chose for NEWS2.
    pub spo2_scale: Spo2Scale,
    /// Whether the record is kept to the care team.
    pub restricted: bool,
}

/// Where a patient lies, and for whom the record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientPlace {
    /// The ward.
    pub unit: UnitId,
    /// The bed's name within the ward.
    pub bed: String,
    /// Whether the record is kept to the care team.
    pub restricted: bool,
}

/// Which alarms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Any of these; all when empty.
    pub states: Vec<AlarmState>,
    /// Of this patient.
    pub patient: Option<PatientId>,
    /// Of this device.
    pub device: Option<DeviceId>,
}

/// Registered devices.
#[async_trait]
pub trait Devices: Send + Sync {
    /// A page, ordered by id.
    async fn page(&self, scope: &Scope, page: &PageRequest) -> Result<Page<DeviceRecord>, StoreError>;
    /// Those of the ids that the scope covers, in any order.
    async fn by_ids(&self, scope: &Scope, ids: &[DeviceId]) -> Result<Vec<DeviceRecord>, StoreError>;
    /// The devices that measure any of the patients.
    async fn by_patients(
        &self,
        scope: &Scope,
        patients: &[PatientId],
    ) -> Result<Vec<DeviceRecord>, StoreError>;
    /// The newest set-aside messages of a device, newest first.
    async fn set_aside(
        &self,
        scope: &Scope,
        device: &DeviceId,
        first: u32,
    ) -> Result<Vec<SetAside>, StoreError>;
    /// Registers devices, all or none. [`StoreError::Conflict`] when an id is taken.
    async fn create_all(&self, scope: &Scope, devices: &[NewDevice]) -> Result<(), StoreError>;
    /// Registers a device with the hash of its token.
    async fn create(
        &self,
        scope: &Scope,
        device: &DeviceRecord,
        token: &SecretHash,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let device = NewDevice { record: device.clone(), token: *token, audit: audit.clone() };
        self.create_all(scope, &[device]).await
    }
    /// From the time of the audit entry on the device belongs to the unit; what it said before stays with the
    /// units where it was.
    async fn place(
        &self,
        scope: &Scope,
        device: &DeviceId,
        unit: UnitId,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// From `since` on a device may not connect; again with `None`. Where that is so already nothing changes.
    async fn block(
        &self,
        scope: &Scope,
        device: &DeviceId,
        since: Option<Timestamp>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Those that speak through a device, in the order of their ids.
    async fn behind(&self, scope: &Scope, gateway: &DeviceId) -> Result<Vec<DeviceRecord>, StoreError>;
    /// A device speaks through another one within the scope, or for itself only. [`StoreError::Conflict`] where that one speaks
    /// through another itself, or others speak through the device, or too many.
    async fn set_gateway(
        &self,
        scope: &Scope,
        device: &DeviceId,
        gateway: Option<&DeviceId>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// A device has another token; the one before counts no more.
    async fn renew_token(
        &self,
        scope: &Scope,
        device: &DeviceId,
        token: &SecretHash,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// Registered patients.
#[async_trait]
pub trait Patients: Send + Sync {
    /// A page, ordered by ward, bed, id.
    async fn page(&self, scope: &Scope, page: &PageRequest) -> Result<Page<PatientRecord>, StoreError>;
    /// Those of the ids that the scope covers, in any order.
    async fn by_ids(&self, scope: &Scope, ids: &[PatientId]) -> Result<Vec<PatientRecord>, StoreError>;
    /// All of the tenant whose record is kept to the care team, also those outside the scope's rows: for feeds
    /// that must leave them out.
    async fn restricted(&self, scope: &Scope) -> Result<Vec<PatientId>, StoreError>;
    /// Registers a patient. [`StoreError::Conflict`] when the record number is taken.
    async fn create(
        &self,
        scope: &Scope,
        patient: &PatientRecord,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Moves a patient, and keeps the record to the care team or not.
    async fn place(
        &self,
        scope: &Scope,
        patient: PatientId,
        place: &PatientPlace,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
    /// Who treats a patient.
    async fn care_team(&self, scope: &Scope, patient: PatientId) -> Result<Vec<UserId>, StoreError>;
    /// Says who treats a patient, all of them. [`StoreError::NotFound`] when one is no user of the hospital.
    async fn set_care_team(
        &self,
        scope: &Scope,
        patient: PatientId,
        team: &[UserId],
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;
}

/// Alarms, past and present.
#[async_trait]
pub trait Alarms: Send + Sync {
    /// A page: open ones first, then by priority (high first), then newest first.
    async fn page(
        &self,
        scope: &Scope,
        filter: &AlarmFilter,
        page: &PageRequest,
    ) -> Result<Page<Alarm>, StoreError>;
    /// Those of the ids that the scope covers, in any order.
    async fn by_ids(&self, scope: &Scope, ids: &[AlarmId]) -> Result<Vec<Alarm>, StoreError>;
    /// Alarms of the patients that are not cleared.
    async fn open_of_patients(&self, scope: &Scope, patients: &[PatientId])
    -> Result<Vec<Alarm>, StoreError>;
}

/// Rules.
#[async_trait]
pub trait Rules: Send + Sync {
    /// All of the tenant, ordered by name.
    async fn all(&self, scope: &Scope) -> Result<Vec<Rule>, StoreError>;
    /// Adds a rule (`rule.version` 1) or replaces the one with version `rule.version - 1`, and writes the
    /// audit entry in the same transaction. [`StoreError::Conflict`] when that is not the stored version.
    async fn save(&self, scope: &Scope, rule: &Rule, audit: &AuditEntry) -> Result<(), StoreError>;
}

/// The past, from the log.
#[async_trait]
pub trait History: Send + Sync {
    /// Messages received within `since..until` of the given devices, oldest first, the newest `limit` at
    /// most.
    async fn messages(
        &self,
        scope: &Scope,
        devices: &[DeviceId],
        since: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeviceRun>, StoreError>;
    /// What a device sent, newest first: those before a place in the log, or the newest of all.
    async fn sent(
        &self,
        scope: &Scope,
        device: &DeviceId,
        before: Option<Sequence>,
        first: u32,
    ) -> Result<Vec<LogMessage>, StoreError>;
    /// Whom the devices measured, in any order; whether the scope covers these patients is not asked: it is for the
    /// audit trail.
    async fn measured(&self, scope: &Scope, devices: &[DeviceId]) -> Result<Vec<Measured>, StoreError>;
}
