//! A platform without sockets: real SQLite, real actors, a clock that stands still.

use std::{future::Future, sync::Arc, time::Duration};

use actix::Arbiter;
use bytes::Bytes;
use care::{Priority, news2::Spo2Scale};
use jiff::{SignedDuration, Timestamp};
use readings::{Path, Reading};
use rules::{Comparison, Condition, Rule};
use storage::Database;
use templates::{Defect, RawMessage, Template, builtin};
use tenants::{
    CorrelationId, DeviceId, PatientId, RuleId, Tenant, TenantId, TenantSlug, UnitId, UserId,
    access::{Access, Action, Caller, FixedRules, Object, Principal, Role, Scope},
    audit::AuditEntry,
    clock::{Clock, ManualClock},
    credentials::SecretHash,
    stores::Tenants,
};
use tokio::task::JoinHandle;
use twins::{
    Receipt, Twins, Unsequenced,
    device::Decoder,
    message::Channel,
    store::directory::{DeviceRecord, Devices, PatientRecord, Patients, Rules},
};

pub(crate) const MONITOR: &str = "dtmi:iomt:PatientMonitor;1";

/// Decodes like the monitor's template, but panics on a payload that says so: the fault a real decoder
/// might have.
struct Fragile(&'static Template);

impl Decoder for Fragile {
    fn decode(&self, message: RawMessage<'_>, readings: &mut Vec<Reading>) -> Result<(), Defect> {
        let text = String::from_utf8_lossy(message.payload);
        assert!(!text.contains("panic"), "a fault in the decoder");
        self.0.decode(message, readings)
    }
}

/// A running platform on a database in a temporary folder.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) database: Database,
    pub(crate) access: Access,
    pub(crate) tenant: TenantId,
    pub(crate) twins: Twins,
    pub(crate) patient: PatientId,
    arbiters: Vec<Arbiter>,
    writer: JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl World {
    /// One tenant with the devices `m-1` and `m-2`, which measure one patient, and a rule: spo2 < 90 for 10 s.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap());
        let database = open(&folder).await;
        let rules = FixedRules::of_each_role(|role| UserId::from_uuid(uuid::Uuid::from_u128(role as u128)));
        let access = Access::new(Arc::new(rules), Arc::new(clock.clone()));
        let tenant = TenantId::new(&clock);
        let slug = TenantSlug::parse("st-elsewhere").unwrap();
        let hospital = Tenant::new(tenant, slug, "St. Elsewhere");
        Tenants::create(&database, &hospital, &entry(tenant, &clock)).await.unwrap();
        let patient = PatientId::new(&clock);
        let (twins, writer, arbiters) = start(&database, &clock).await;
        let world = Self { clock, database, access, tenant, twins, patient, arbiters, writer, folder };
        world.seed().await;
        world
    }

    async fn seed(&self) {
        let entry = entry(self.tenant, &self.clock);
        let record = PatientRecord {
            id: self.patient,
            name: Some("Ada Abbott".into()),
            mrn: Some("SE-1".into()),
            birth_date: None,
            birth_year: Some(1950),
            unit: UnitId::root(self.tenant),
            ward: String::new(),
            bed: "01".into(),
            spo2_scale: Spo2Scale::One,
            restricted: false,
        };
        let scope = self.scope(Role::Admin, Object::Patient, Action::Write).await;
        Patients::create(&self.database, &scope, &record, &entry).await.unwrap();
        let scope = self.scope(Role::Admin, Object::Device, Action::Write).await;
        for id in ["m-1", "m-2"] {
            let record = DeviceRecord {
                id: device(id),
                name: id.into(),
                template: MONITOR.into(),
                patient: Some(self.patient),
                unit: UnitId::root(self.tenant),
                blocked_since: None,
                gateway: None,
            };
            let hash = SecretHash::of(id.as_bytes());
            Devices::create(&self.database, &scope, &record, &hash, &entry).await.unwrap();
        }
        let scope = self.scope(Role::Admin, Object::Rule, Action::Write).await;
        self.database.save(&scope, &low_saturation(&self.clock), &entry).await.unwrap();
    }

    pub(crate) async fn scope(&self, role: Role, object: Object, action: Action) -> Scope {
        let principal = Principal::User {
            id: UserId::from_uuid(uuid::Uuid::from_u128(role as u128)),
            restricted_to: None,
            name: "Nora Nurse".into(),
            email: "nora@st-elsewhere.example".into(),
        };
        self.access.grant(&Caller { tenant: self.tenant, principal }, object, action).await.unwrap()
    }

    /// Sends one message per payload, a second apart, and returns the receipt.
    pub(crate) async fn send(&self, id: &str, payloads: &[&str]) -> Receipt {
        let messages = payloads.iter().map(|payload| {
            self.clock.advance(Duration::from_secs(1));
            Unsequenced {
                received_at: self.clock.now(),
                correlation: CorrelationId(0),
                channel: Channel::Telemetry { component: None },
                user_properties: None,
                payload: Bytes::copy_from_slice(payload.as_bytes()),
            }
        });
        self.twins.append(self.tenant, device(id), messages.collect()).await.unwrap()
    }

    pub(crate) async fn device(&self, id: &str) -> Arc<twins::device::DeviceState> {
        let scope = self.scope(Role::Nurse, Object::Device, Action::Read).await;
        self.twins.device(&scope, &device(id)).await.unwrap()
    }

    pub(crate) async fn vitals(&self) -> Arc<twins::patient::PatientState> {
        let scope = self.scope(Role::Nurse, Object::Patient, Action::Read).await;
        self.twins.patient(&scope, self.patient).await.unwrap()
    }

    /// Ends everything without a word, as `kill -9` would, and starts anew on the same files.
    pub(crate) async fn crash_and_restart(mut self) -> Self {
        self.writer.abort();
        let _aborted = (&mut self.writer).await;
        for arbiter in self.arbiters.drain(..) {
            arbiter.stop();
        }
        drop(self.database);
        self.database = open(&self.folder).await;
        (self.twins, self.writer, self.arbiters) = start(&self.database, &self.clock).await;
        self
    }
}

async fn open(folder: &tempfile::TempDir) -> Database {
    let url = format!("sqlite://{}", folder.path().join("iomt.db").display());
    let database = Database::connect(&url, &storage::DatabaseOptions::default()).await.unwrap();
    database.migrate().await.unwrap();
    database
}

async fn start(database: &Database, clock: &ManualClock) -> (Twins, JoinHandle<()>, Vec<Arbiter>) {
    let arbiters = vec![Arbiter::new(), Arbiter::new()];
    let handles = arbiters.iter().map(Arbiter::handle).collect();
    let decoders: twins::Decoders = Arc::new(|id| {
        let template = (id == MONITOR).then(builtin::patient_monitor)?;
        Some(Arc::new(Fragile(template)) as Arc<dyn Decoder>)
    });
    let (journal, clock) = (Arc::new(database.clone()), Arc::new(clock.clone()));
    let (twins, writer) = Twins::open(journal, clock, decoders, handles, "test").await.unwrap();
    let writer = tokio::spawn(writer);
    twins.recover().await.unwrap();
    (twins, writer, arbiters)
}

pub(crate) fn device(id: &str) -> DeviceId {
    DeviceId::parse(id).unwrap()
}

fn low_saturation(clock: &ManualClock) -> Rule {
    Rule {
        id: RuleId::new(clock),
        name: "Low oxygen saturation".into(),
        path: Path::parse("spo2").unwrap(),
        raise: Condition { comparison: Comparison::Below, value: 90.0 },
        hold: SignedDuration::from_secs(10),
        clear: Condition { comparison: Comparison::AtLeast, value: 92.0 },
        clear_hold: SignedDuration::ZERO,
        unit: None,
        priority: Priority::High,
        enabled: true,
        version: 1,
    }
}

/// Waits until a condition holds, for ten seconds at most.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// `n` readings of one path, as payloads.
pub(crate) fn payloads(path: &str, values: impl IntoIterator<Item = i64>) -> Vec<String> {
    values.into_iter().map(|value| format!(r#"{{"{path}":{value}}}"#)).collect()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn entry(tenant: TenantId, clock: &ManualClock) -> AuditEntry {
    AuditEntry::new(tenant, clock.now(), "system", "test.seed", "test")
}
