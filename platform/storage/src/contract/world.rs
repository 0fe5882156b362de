//! A database with two hospitals, and what cases need to fill it.

use std::{sync::Arc, time::Duration};

use ::tenants::{
    AlarmId, CorrelationId, DeviceId, PatientId, RuleId, Sequence, Tenant, TenantId, TenantSlug, UnitId,
    UserId,
    access::{Access, Action, Caller, FixedRules, Object, Principal, Role, Scope},
    audit::AuditEntry,
    clock::ManualClock,
    credentials::SecretHash,
    org::{OrgUnit, UnitKind},
    stores::{OrgUnits, Tenants},
};
use bytes::Bytes;
use care::{Alarm, AlarmState, Priority, news2::Spo2Scale};
use jiff::Timestamp;
use keys::{Keys, MasterKms};
use readings::{Path, Unit};
use twins::{
    message::{Channel, DeviceRun, LogMessage},
    store::{
        directory::{DeviceRecord, Devices, PatientRecord, Patients},
        journal::{Commit, Fold, Journal, Segment, TwinKey},
    },
};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::database::{Database, DatabaseOptions};

/// Two hospitals in a database of their own.
pub(super) struct World {
    pub(super) database: Database,
    pub(super) url: String,
    pub(super) access: Arc<Access>,
    pub(super) keys: Arc<Keys>,
    /// Of the keys.
    pub(super) clock: ManualClock,
    /// The hospitals, "ash" and "birch".
    pub(super) a: TenantId,
    pub(super) b: TenantId,
    /// Kept for as long as the case runs.
    pub(super) _folder: Option<tempfile::TempDir>,
}

/// As usual, but on a machine that does much else meanwhile.
pub(super) fn unhurried() -> DatabaseOptions {
    DatabaseOptions { busy_timeout: Duration::from_secs(30), ..DatabaseOptions::default() }
}

impl World {
    pub(super) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("store.db").display());
        let database = Database::connect(&url, &DatabaseOptions::default()).await.unwrap();
        database.migrate().await.unwrap();
        Self::of(database, url, Some(folder)).await
    }

    pub(super) async fn of(database: Database, url: String, folder: Option<tempfile::TempDir>) -> Self {
        let (a, b) = (tenant_id(0xa), tenant_id(0xb));
        let clock = ManualClock::new(at(0));
        let kms = Arc::new(MasterKms::new(&Zeroizing::new([7; 32]), &[], None).unwrap());
        let keys = Arc::new(Keys::new(Arc::new(database.clone()), kms, Arc::new(clock.clone()), &[]));
        let database = database.with_keys(keys.clone());
        for (id, slug) in [(b, "birch"), (a, "ash")] {
            let slug = TenantSlug::parse(slug).unwrap();
            Tenants::create(&database, &Tenant::new(id, slug.clone(), slug.to_string()), &entry(id))
                .await
                .unwrap();
        }
        let rules = Arc::new(FixedRules::of_each_role(|role| user_id(role as u128)));
        let access = Arc::new(Access::new(rules, Arc::new(ManualClock::new(at(0)))));
        Self { database, url, access, keys, clock, a, b, _folder: folder }
    }

    /// What a role may do with an object in a tenant.
    pub(super) async fn scope(&self, tenant: TenantId, role: Role, object: Object, action: Action) -> Scope {
        let (id, name, email) = (user_id(role as u128), "N. N.".into(), "n@example.org".into());
        let principal = Principal::User { id, name, email, restricted_to: None };
        self.access.grant(&Caller { tenant, principal }, object, action).await.unwrap()
    }

    pub(super) async fn read(&self, tenant: TenantId, object: Object) -> Scope {
        self.scope(tenant, Role::Admin, object, Action::Read).await
    }

    pub(super) async fn write(&self, tenant: TenantId, object: Object) -> Scope {
        self.scope(tenant, Role::Admin, object, Action::Write).await
    }

    pub(super) async fn claim(&self) -> i64 {
        self.database.claim("node-1").await.unwrap()
    }

    pub(super) async fn commit(&self, segments: Vec<Segment>) {
        self.database.commit(&Commit { segments, ..Commit::default() }).await.unwrap();
    }

    pub(super) async fn fold(&self, fold: Fold) {
        self.database.commit(&Commit { folds: vec![fold], ..Commit::default() }).await.unwrap();
    }

    pub(super) async fn add_device(
        &self,
        tenant: TenantId,
        id: &str,
        name: &str,
        patient: Option<PatientId>,
    ) {
        let (unit, template) = (UnitId::root(tenant), "dtmi:test;1".into());
        let record = DeviceRecord {
            id: device(id),
            name: name.into(),
            template,
            patient,
            unit,
            blocked_since: None,
            gateway: None,
        };
        let scope = self.write(tenant, Object::Device).await;
        let token = SecretHash::of(id.as_bytes());
        Devices::create(&self.database, &scope, &record, &token, &entry(tenant)).await.unwrap();
    }

    /// Adds a unit below the hospital, or finds the one of this name.
    pub(super) async fn ward(&self, tenant: TenantId, name: &str) -> UnitId {
        let id = ward_id(tenant, name);
        let parent = Some(UnitId::root(tenant));
        let unit = OrgUnit { id, parent, name: name.into(), kind: UnitKind::Ward };
        let scope = self.write(tenant, Object::OrgUnit).await;
        OrgUnits::save(&self.database, &scope, &unit, &entry(tenant)).await.unwrap();
        id
    }

    /// Adds a patient to the ward that the record names.
    pub(super) async fn add_patient(&self, tenant: TenantId, patient: &PatientRecord) {
        let unit = self.ward(tenant, &patient.ward).await;
        let patient = &PatientRecord { unit, ..patient.clone() };
        let scope = self.write(tenant, Object::Patient).await;
        Patients::create(&self.database, &scope, patient, &entry(tenant)).await.unwrap();
    }
}

/// The unit that [`World::ward`] makes.
pub(super) fn ward_id(tenant: TenantId, name: &str) -> UnitId {
    UnitId::from_uuid(Uuid::new_v5(tenant.as_uuid(), name.as_bytes()))
}

pub(super) fn tenant_id(n: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(n))
}

pub(super) fn user_id(n: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(n))
}

pub(super) fn patient_id(n: u128) -> PatientId {
    PatientId::from_uuid(Uuid::from_u128(n))
}

pub(super) fn device(id: &str) -> DeviceId {
    DeviceId::parse(id).unwrap()
}

/// So many milliseconds after a fixed moment.
pub(super) fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_767_000_000_000 + milliseconds).unwrap()
}

pub(super) fn entry(tenant: TenantId) -> AuditEntry {
    let entry = AuditEntry::new(tenant, at(0), "system", "device.create", "device:x");
    AuditEntry { correlation: CorrelationId(u64::MAX), ..entry }
}

pub(super) fn patient(id: u128, name: &str, mrn: &str, place: (&str, &str)) -> PatientRecord {
    PatientRecord {
        id: patient_id(id),
        name: Some(name.into()),
        mrn: Some(mrn.into()),
        birth_date: Some(jiff::civil::date(1950, 2, 28)),
        birth_year: Some(1950),
        unit: UnitId::from_uuid(Uuid::nil()),
        ward: place.0.into(),
        bed: place.1.into(),
        spo2_scale: Spo2Scale::Two,
        restricted: false,
    }
}

/// A segment of runs, each a device and its messages' times in milliseconds; a payload names its position.
pub(super) fn segment(tenant: TenantId, first: u64, runs: &[(&str, &[i64])]) -> Segment {
    let mut sequence = first;
    let mut run = |(id, times): &(&str, &[i64])| {
        let message = |time: &i64| {
            let message = message(sequence, *time);
            sequence += 1;
            message
        };
        DeviceRun { device: device(id), messages: times.iter().map(message).collect() }
    };
    Segment { tenant, first: Sequence(first), runs: runs.iter().map(&mut run).collect() }
}

pub(super) fn message(sequence: u64, time: i64) -> LogMessage {
    LogMessage {
        sequence: Sequence(sequence),
        received_at: at(time),
        correlation: CorrelationId(sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        channel: match sequence % 4 {
            0 => Channel::Telemetry { component: Some("ecg".into()) },
            1 => Channel::Reported,
            2 => Channel::Acknowledge,
            _ => Channel::Telemetry { component: None },
        },
        user_properties: sequence.is_multiple_of(3).then(|| "ward=4+West&alert=yes".into()),
        payload: Bytes::from(format!("{{\"position\":{sequence}}}")),
    }
}

pub(super) fn fold(tenant: TenantId, twin: TwinKey) -> Fold {
    Fold {
        tenant,
        twin,
        snapshot: None,
        alarms: Vec::new(),
        set_aside: Vec::new(),
        outbox: Vec::new(),
        audit: Vec::new(),
    }
}

pub(super) fn alarm(id: u128, device_id: &str, priority: Priority, raised: i64) -> Alarm {
    Alarm {
        id: AlarmId::from_uuid(Uuid::from_u128(id)),
        rule: RuleId::from_uuid(Uuid::from_u128(1)),
        title: format!("Alarm {id}"),
        device: device(device_id),
        patient: Some(patient_id(1)),
        priority,
        state: AlarmState::Raised,
        path: Path::parse("heartRate").unwrap(),
        value: 131.5,
        unit: Some(Unit::parse("/min").unwrap()),
        raised_at: at(raised),
        acknowledged: None,
        cleared_at: None,
        version: 1,
    }
}

/// Every message with its device, in the order of the runs.
pub(super) fn flat(runs: &[DeviceRun]) -> Vec<(DeviceId, LogMessage)> {
    let of_run =
        |run: &DeviceRun| run.messages.iter().map(|m| (run.device.clone(), m.clone())).collect::<Vec<_>>();
    runs.iter().flat_map(of_run).collect()
}

pub(super) fn positions(runs: &[DeviceRun]) -> Vec<u64> {
    flat(runs).iter().map(|(_, message)| message.sequence.0).collect()
}
