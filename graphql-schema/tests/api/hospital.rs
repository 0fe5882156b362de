//! One hospital in a temporary SQLite database: a patient, two monitors, a rule, people of every role.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize},
};

use actix::ArbiterHandle;
use async_graphql::{Data, Request, Variables};
use bytes::Bytes;
use graphql_schema::{ApiMetrics, Limits, Schema, Services, schema};
use identity::CertificateReader;
use jiff::{SignedDuration, Timestamp};
use keys::{Keys, MasterKms};
use readings::{Path, Reading};
use rules::{Comparison, Condition, Rule};
use serde_json::{Value, json};
use storage::{Database, DatabaseOptions};
use tempfile::TempDir;
use templates::{Defect, RawMessage, Template};
use tenants::{
    CorrelationId, DeviceId, PatientId, ProviderId, RuleId, SessionId, Tenant, TenantId, TenantSlug, UnitId,
    UserId,
    access::{Access, Action, Caller, Object, Principal, Role, RoleGrant, Scope},
    account::{Login, User},
    audit::{AuditEntry, AuditFilter},
    clock::{Clock, ManualClock},
    credentials::{BearerToken, SecretHash},
    enrolment::{DeviceKeyError, DeviceKeys},
    identity_provider::{Discovered, Enrolment, ProviderError},
    messaging::Traffic,
    offboarding::{Departures, Offboarding},
    onboarding::Onboarding,
    org::{OrgUnit, UnitKind},
    paging::PageRequest,
    quotas::Meter,
    revocations::Revocations,
    stores::{Accounts, ApiTokens, AuditTrail, OrgUnits, Tenants},
};
use twins::{
    Decoders, Twins, Unsequenced,
    device::Decoder,
    downlink::{Answer, Command, Downlink, Message, ToDevice, Waiting},
    message::Channel,
    presence::{Carrier, DeviceSession, DeviceSessions},
    store::directory::{DeviceRecord, Devices, PatientRecord, Patients, Rules},
};
use zeroize::Zeroizing;

use crate::{
    answers::{Following, code},
    batching::Counted,
    reads::Trail,
    second_factor::FixedCode,
};

pub(crate) const MONITOR: &str = "monitor-1";
/// It measures nobody.
pub(crate) const SPARE: &str = "monitor-2";

struct BuiltIn(&'static Template);

impl Decoder for BuiltIn {
    fn decode(&self, message: RawMessage<'_>, readings: &mut Vec<Reading>) -> Result<(), Defect> {
        self.0.decode(message, readings)
    }
}

/// Knows one provider, and seals by turning texts around.
struct Provider;

#[async_trait::async_trait]
impl Enrolment for Provider {
    async fn discover(&self, issuer: &str) -> Result<Discovered, ProviderError> {
        if issuer != "https://login.example.org" {
            return Err(ProviderError::Answer { problem: format!("{issuer} cannot be reached") });
        }
        let authorization_endpoint = format!("{issuer}/auth");
        Ok(Discovered { authorization_endpoint, keys: 2, ends_sessions: true, tells_of_logout: false })
    }
    async fn seal_secret(&self, _: TenantId, _: ProviderId, secret: &str) -> Result<Vec<u8>, ProviderError> {
        Ok(secret.bytes().rev().collect())
    }
}

pub(crate) struct Hospital {
    pub(crate) clock: ManualClock,
    pub(crate) patient: PatientId,
    pub(crate) rule: RuleId,
    pub(crate) twins: Twins,
    pub(crate) devices: Arc<Counted>,
    pub(crate) trail: Arc<Trail>,
    pub(crate) database: Database,
    pub(crate) access: Arc<Access>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) tenant: TenantId,
    ward: UnitId,
    schema: Schema,
    _folder: TempDir,
}

/// Each device has one session: nothing connects here. To a command it answers with what it was told, unless it is called
/// `sleep`, and does not listen to one that is called `ignore`, nor to a message that says so.
struct Door(Arc<Waiting>);

#[async_trait::async_trait]
impl DeviceKeys for Door {
    async fn enrolment_key(&self, _: TenantId, _: &AuditEntry) -> Result<String, DeviceKeyError> {
        Ok("letters make it".to_owned())
    }

    async fn newcomer_secret(&self, _: TenantId, _: &AuditEntry) -> Result<String, DeviceKeyError> {
        Ok("letters make that, too".to_owned())
    }

    async fn symmetric_key(
        &self,
        _: TenantId,
        device: &DeviceId,
        _: &AuditEntry,
    ) -> Result<String, DeviceKeyError> {
        Ok(format!("{} letters make it", device.as_str().len()))
    }
}

impl DeviceSessions for Door {
    fn of(&self, _: TenantId, device: &DeviceId) -> Vec<DeviceSession> {
        vec![DeviceSession {
            client_id: device.as_str().into(),
            address: [192, 0, 2, 7].into(),
            carrier: Carrier::Tls,
            version: "5",
            since: "2026-01-02T03:00:00Z".parse().unwrap(),
        }]
    }

    fn tell(&self, tenant: TenantId, device: &DeviceId, _: Option<&DeviceId>, what: &ToDevice) -> usize {
        let (id, name, body) = match what {
            ToDevice::Command(Command { id, name, body, .. }) => (id, name, body),
            ToDevice::Message(Message { payload, .. }) if payload == "ignore" => return 0,
            ToDevice::Message(_) | ToDevice::Desired { .. } => return 1,
        };
        let answer = Answer { status: 200, body: body.clone() };
        match name.as_str() {
            "ignore" => return 0,
            "sleep" => {}
            name => {
                self.0.answered(tenant, device, *id, (name != "mumble").then_some(answer));
            }
        }
        1
    }

    fn end(&self, tenant: TenantId, device: &DeviceId) -> usize {
        self.of(tenant, device).len()
    }

    fn cut_off(&self, tenant: TenantId, device: &DeviceId) -> usize {
        self.of(tenant, device).len()
    }

    fn traffic(&self, _: TenantId) -> Traffic {
        Traffic { sessions: 3, sent: 7, drops: vec![("queue_full", 2)], ..Traffic::default() }
    }
}

impl Hospital {
    pub(crate) async fn open() -> Self {
        let mut hospital = Self::empty().await;
        hospital.furnish().await;
        hospital
    }

    /// The platform without anybody on it.
    pub(crate) async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("iomt.db").display());
        let database = Database::connect(&url, &DatabaseOptions::default()).await.unwrap();
        database.migrate().await.unwrap();
        let clock = ManualClock::new("2026-01-02T03:04:05Z".parse().unwrap());
        let access = Arc::new(Access::new(Arc::new(database.clone()), Arc::new(clock.clone())));
        let decoders: Decoders = Arc::new(|id| {
            templates::builtin::find(id).map(|template| Arc::new(BuiltIn(template)) as Arc<dyn Decoder>)
        });
        let (twins, writer) = Twins::open(
            Arc::new(database.clone()),
            Arc::new(clock.clone()),
            Arc::clone(&decoders),
            vec![arbiter()],
            "test",
        )
        .await
        .unwrap();
        tokio::spawn(writer);
        twins.recover().await.unwrap();
        let kms = Arc::new(
            MasterKms::new(&Zeroizing::new([7; 32]), &[], Some(folder.path().join("keys"))).unwrap(),
        );
        let keys = Arc::new(Keys::new(Arc::new(database.clone()), kms, Arc::new(clock.clone()), &[]));
        let database = database.with_keys(keys.clone());
        let stores = Arc::new(database.clone());
        let revocations = Arc::new(Revocations::new(stores.clone()));
        let devices = Arc::new(Counted(database.clone(), AtomicUsize::new(0)));
        let trail = Arc::new(Trail(database.clone(), AtomicBool::new(false)));
        let meter = Arc::new(Meter::default());
        let factors = Arc::new(FixedCode::default());
        let waiting = Arc::new(Waiting::default());
        let sessions = Arc::new(Door(Arc::clone(&waiting)));
        let services = Services {
            access: Arc::clone(&access),
            tenants: stores.clone(),
            quotas: stores.clone(),
            meter: Arc::clone(&meter),
            accounts: stores.clone(),
            units: stores.clone(),
            roles: stores.clone(),
            effects: stores.clone(),
            providers: stores.clone(),
            enrolment: Arc::new(Provider),
            second_factor: factors.clone(),
            authenticators: factors,
            elevations: stores.clone(),
            openings: stores.clone(),
            tokens: stores.clone(),
            clients: stores.clone(),
            authorities: stores.clone(),
            device_certificates: stores.clone(),
            certificates: Arc::new(CertificateReader::new(Arc::new(clock.clone()))),
            revocations: Arc::clone(&revocations),
            device_keys: Arc::new(Door(Arc::clone(&waiting))),
            downlink: Downlink::new(twins.clone(), sessions.clone(), waiting, Arc::new(clock.clone())),
            sessions,
            connections: stores.clone(),
            audit: trail.clone(),
            onboarding: Onboarding::new(stores.clone(), stores.clone(), Arc::new(clock.clone())),
            offboarding: Offboarding::new(
                stores.clone(),
                stores.clone(),
                keys.clone(),
                Arc::new(clock.clone()),
            ),
            keys,
            devices: devices.clone(),
            patients: stores.clone(),
            alarms: stores.clone(),
            rules: stores.clone(),
            history: stores,
            twins: twins.clone(),
            decoders,
            metrics: ApiMetrics::default(),
            clock: Arc::new(clock.clone()),
        };
        Self {
            patient: PatientId::new(&clock),
            rule: RuleId::new(&clock),
            tenant: TenantId::new(&clock),
            ward: UnitId::new(&clock),
            clock,
            twins,
            devices,
            trail,
            database,
            access,
            meter,
            revocations,
            schema: schema(services, Limits::default()),
            _folder: folder,
        }
    }

    async fn furnish(&mut self) {
        let slug = TenantSlug::parse("st-elsewhere").unwrap();
        let tenant = Tenant::new(self.tenant, slug, "St. Elsewhere");
        Tenants::create(&self.database, &tenant, &self.entry()).await.unwrap();
        for role in Role::ALL {
            self.add_user(self.caller(*role), *role).await;
        }
        let slug = TenantSlug::parse("county-general").unwrap();
        let other = Tenant::new(self.stranger().tenant, slug, "County General");
        Tenants::create(&self.database, &other, &self.entry()).await.unwrap();
        self.add_user(self.stranger(), Role::Nurse).await;
        let parent = Some(UnitId::root(self.tenant));
        let ward = OrgUnit { id: self.ward, parent, name: "3 East".into(), kind: UnitKind::Ward };
        let scope = self.scope(Object::OrgUnit).await;
        OrgUnits::save(&self.database, &scope, &ward, &self.entry()).await.unwrap();
        self.add_patient(self.patient, "12").await;
        self.add_device(MONITOR, Some(self.patient)).await;
        self.add_device(SPARE, None).await;
        let rule = Rule {
            id: self.rule,
            name: "Low oxygen".into(),
            path: Path::parse("spo2").unwrap(),
            raise: Condition { comparison: Comparison::Below, value: 90.0 },
            hold: SignedDuration::ZERO,
            clear: Condition { comparison: Comparison::AtLeast, value: 92.0 },
            clear_hold: SignedDuration::ZERO,
            unit: None,
            priority: care::Priority::High,
            enabled: true,
            version: 1,
        };
        let scope = self.scope(Object::Rule).await;
        Rules::save(&self.database, &scope, &rule, &self.entry()).await.unwrap();
        self.twins.rules_changed(self.tenant).await.unwrap();
        self.access.changed(self.tenant);
    }

    async fn add_user(&self, caller: Caller, role: Role) {
        let Principal::User { id, name, email, .. } = caller.principal else { return };
        let (email, display_name) = (email.to_string(), name.to_string());
        let user = User { id, tenant: caller.tenant, email, display_name };
        let login = Login { user, password_hash: String::new() };
        let grant = RoleGrant::everywhere(caller.tenant, role);
        Accounts::create_user(&self.database, &login, &[grant]).await.unwrap();
    }

    pub(crate) async fn add_patient(&self, id: PatientId, bed: &str) {
        let record = PatientRecord {
            id,
            name: Some(format!("Ada of {bed}")),
            mrn: Some(format!("MRN-{bed}")),
            birth_date: None,
            birth_year: Some(1950),
            unit: self.ward,
            ward: String::new(),
            bed: bed.into(),
            spo2_scale: care::news2::Spo2Scale::One,
            restricted: false,
        };
        let scope = self.scope(Object::Patient).await;
        Patients::create(&self.database, &scope, &record, &self.entry()).await.unwrap();
    }

    pub(crate) async fn add_device(&self, id: &str, patient: Option<PatientId>) {
        let record = DeviceRecord {
            id: DeviceId::parse(id).unwrap(),
            name: format!("Bedside {id}"),
            template: "dtmi:iomt:PatientMonitor;1".into(),
            patient,
            unit: self.ward,
            blocked_since: None,
            gateway: None,
        };
        let (hash, scope) = (SecretHash::of(id.as_bytes()), self.scope(Object::Device).await);
        Devices::create(&self.database, &scope, &record, &hash, &self.entry()).await.unwrap();
    }

    async fn scope(&self, object: Object) -> Scope {
        self.access.grant(&self.caller(Role::Admin), object, Action::Write).await.unwrap()
    }

    fn entry(&self) -> AuditEntry {
        AuditEntry::new(self.tenant, self.clock.now(), "system", "test.set_up", "test:1")
    }

    pub(crate) fn caller(&self, role: Role) -> Caller {
        let tenant = if role == Role::Operator { TenantId::PLATFORM } else { self.tenant };
        let principal = Principal::User {
            id: user(role),
            restricted_to: None,
            name: format!("A {role}").into(),
            email: format!("{role}@st-elsewhere.example").into(),
        };
        Caller { tenant, principal }
    }

    /// The caller whom a secret of an API token would make.
    pub(crate) async fn program(&self, secret: &str) -> Option<Caller> {
        let secret = BearerToken::parse(secret).unwrap();
        let token = ApiTokens::token(&self.database, secret.tenant, &secret.hash()).await.unwrap()?;
        let mut caller = self.caller(*Role::ALL.iter().find(|role| user(**role) == token.user).unwrap());
        if let Principal::User { restricted_to, .. } = &mut caller.principal {
            *restricted_to = token.restriction.map(|of| Arc::from([of]));
        }
        Some(caller)
    }

    pub(crate) fn ward(&self) -> String {
        self.ward.to_string()
    }

    pub(crate) fn user_of(&self, role: Role) -> String {
        user(role).to_string()
    }

    /// A caller of another hospital.
    pub(crate) fn stranger(&self) -> Caller {
        let principal = Principal::User {
            id: user(Role::Nurse),
            restricted_to: None,
            name: "A stranger".into(),
            email: "nurse@county-general.example".into(),
        };
        Caller { tenant: TenantId::from_uuid(uuid::Uuid::from_u128(9)), principal }
    }

    /// Sends one message as a device and waits until its twin has folded it.
    pub(crate) async fn send(&self, device: &str, payload: Value) {
        self.send_all(device, [payload]).await;
    }

    /// Sends messages at once and waits until the twin has folded the last.
    pub(crate) async fn send_all(&self, device: &str, payloads: impl IntoIterator<Item = Value>) {
        self.send_as(&self.caller(Role::Admin), device, payloads).await;
    }

    /// The same in the hospital of an administrator, who sees the device.
    pub(crate) async fn send_as(
        &self,
        admin: &Caller,
        device: &str,
        payloads: impl IntoIterator<Item = Value>,
    ) {
        self.send_on(Channel::Telemetry { component: None }, admin, device, payloads).await;
    }

    /// The same of whatever kind.
    pub(crate) async fn send_on(
        &self,
        channel: Channel,
        admin: &Caller,
        device: &str,
        payloads: impl IntoIterator<Item = Value>,
    ) {
        let device = DeviceId::parse(device).unwrap();
        let message = |payload: Value| Unsequenced {
            received_at: self.clock.now(),
            correlation: CorrelationId(1),
            channel: channel.clone(),
            user_properties: Some("said=beside".into()),
            payload: Bytes::from(payload.to_string()),
        };
        let messages: Vec<_> = payloads.into_iter().map(message).collect();
        let scope = self.access.grant(admin, Object::Device, Action::Read).await.unwrap();
        let before = self.twins.device(&scope, &device).await.unwrap().messages;
        let after = before + messages.len() as u64;
        self.twins.append(admin.tenant, device.clone(), messages).await.unwrap().await.unwrap();
        // The acknowledgement is for the log; the fold comes after it.
        while self.twins.device(&scope, &device).await.unwrap().messages < after {
            tokio::task::yield_now().await;
        }
    }

    /// Runs a document as a caller and returns the whole answer.
    pub(crate) async fn answer(&self, caller: Option<Caller>, document: &str, variables: Value) -> Value {
        let request = Request::new(document).variables(Variables::from_json(variables));
        let request = match caller {
            Some(caller) => request.data(caller).data(CorrelationId(0xabc)),
            None => request,
        };
        serde_json::to_value(self.schema.execute(request).await).unwrap()
    }

    /// The same in the session of somebody who is signed in.
    pub(crate) async fn in_session(&self, caller: Caller, document: &str, variables: Value) -> Value {
        let request = Request::new(document).variables(Variables::from_json(variables));
        let session = SessionId::from_uuid(uuid::Uuid::from_u128(77));
        let request = request.data(caller).data(CorrelationId(0xabc)).data(session);
        serde_json::to_value(self.schema.execute(request).await).unwrap()
    }

    /// Runs a document that must succeed.
    pub(crate) async fn data(&self, role: Role, document: &str, variables: Value) -> Value {
        let mut answer = self.answer(Some(self.caller(role)), document, variables).await;
        assert!(answer["errors"].is_null(), "{answer:#}");
        answer["data"].take()
    }

    /// The code with which a document is refused.
    pub(crate) async fn refusal(&self, role: Role, document: &str, variables: Value) -> String {
        let answer = self.answer(Some(self.caller(role)), document, variables).await;
        code(&answer).unwrap_or_else(|| panic!("not refused: {answer:#}"))
    }

    /// Follows a subscription, its caller known from the connection as over a WebSocket.
    pub(crate) fn follow(&self, caller: Option<Caller>, document: &str, variables: Value) -> Following {
        let mut session = Data::default();
        if let Some(caller) = caller {
            session.insert(caller);
            session.insert(CorrelationId(0xabc));
        }
        let request = Request::new(document).variables(Variables::from_json(variables));
        let answers = self.schema.execute_stream_with_session_data(request, Arc::new(session));
        Following::of(answers)
    }

    /// As the server does, about twice a second.
    pub(crate) async fn look_at_rights(&self) {
        self.access.refresh().await.unwrap();
    }

    /// The open alarm that a low saturation raises.
    pub(crate) async fn raise_alarm(&self) -> String {
        let mut alarms =
            self.follow(Some(self.caller(Role::Nurse)), "subscription { alarms { id } }", json!({}));
        self.send(MONITOR, json!({ "spo2": 80, "heartRate": 72 })).await;
        alarms.next().await["data"]["alarms"]["id"].as_str().unwrap().to_owned()
    }

    /// Everything that the trail has, oldest first.
    pub(crate) async fn trail_entries(&self) -> Vec<AuditEntry> {
        let scope =
            self.access.grant(&self.caller(Role::Auditor), Object::Audit, Action::Read).await.unwrap();
        let page = PageRequest { first: 200, ..PageRequest::default() };
        let page = AuditTrail::page(&self.database, &scope, &AuditFilter::default(), &page).await.unwrap();
        assert!(!page.has_next);
        page.rows.into_iter().rev().map(|(_, entry)| entry).collect()
    }

    /// As the command line notes that everything was handed out.
    pub(crate) async fn export(&self) {
        self.database.note_export(self.tenant, self.now(), &self.entry()).await.unwrap();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Each role is held by one user.
fn user(role: Role) -> UserId {
    UserId::from_uuid(uuid::Uuid::from_u128(role as u128))
}

/// Where twins live: an actix system on a thread of its own, which ends with the process.
fn arbiter() -> ArbiterHandle {
    let (hand, handle) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let system = actix::System::new();
        hand.send(actix::System::current().arbiter().clone()).unwrap();
        system.run().unwrap();
    });
    handle.recv().unwrap()
}
