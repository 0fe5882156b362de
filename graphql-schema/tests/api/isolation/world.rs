//! Two hospitals of two wards each, with a canary in every text and number that somebody could see: from any answer it
//! can be read whose rows it holds.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use care::news2::Spo2Scale;
use identity::CertificateReader;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tenants::{
    AuthorityId, ClientId, DeviceId, ElevationId, OpeningId, PatientId, ProviderId, RoleName, Tenant,
    TenantId, TenantSlug, TokenId, UnitId, UserId,
    access::{Action, Caller, Object, Principal, Restriction, Role, RoleGrant, Scope},
    account::{Login, Session, User},
    api_token::ApiToken,
    audit::AuditEntry,
    break_glass::{Emergency, Opening},
    clock::Clock as _,
    credentials::SecretHash,
    device_authority::{Certificates as _, DeviceAuthorities, DeviceAuthority},
    device_certificate::{DeviceCertificate, DeviceCertificates as _, Fingerprint},
    elevation::{Elevation, Wish},
    identity_provider::{GroupRole, IdentityProvider},
    org::{OrgUnit, UnitKind},
    service_client::ServiceClient,
    stores::{
        Accounts, ApiTokens, Elevations, IdentityProviders, Openings, OrgUnits, ServiceClients, Tenants,
    },
    topics::TopicFilters,
};
use twins::{
    connections::{ConnectionEvent, ConnectionLog as _, Happened},
    message::Channel,
    presence::Carrier,
    store::directory::{DeviceRecord, Devices, PatientRecord, Patients},
};
use uuid::Uuid;

use super::Asker;
use crate::{authority::Authority, hospital::Hospital, second_factor::CODE};

/// Whose eyes are looked through: a ward of a hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ward {
    hospital: u128,
    ward: u128,
}

pub(super) const ASH_EAST: Ward = Ward { hospital: 0, ward: 0 };
pub(super) const BIRCH_WEST: Ward = Ward { hospital: 1, ward: 1 };
const HOSPITALS: [&str; 2] = ["ash", "birch"];
const WARDS: [&str; 2] = ["east", "west"];
const EVERYWHERE: [Ward; 4] = [ASH_EAST, ASH_EAST.neighbour(), BIRCH_WEST.neighbour(), BIRCH_WEST];

impl Ward {
    /// The other ward of the same hospital.
    pub(super) const fn neighbour(self) -> Self {
        Self { ward: 1 - self.ward, ..self }
    }
    /// A ward of the other hospital.
    pub(super) const fn abroad(self) -> Self {
        Self { hospital: 1 - self.hospital, ..self }
    }
    const fn number(self) -> u128 {
        self.hospital * 2 + self.ward
    }
    fn key(self, kind: u128) -> Uuid {
        Uuid::from_u128(0xca11_0000_0000_7000_8000_0000_0000_0000 + kind * 0x1_0000 + self.number())
    }
    fn tenant(self) -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(0x7e0a_0000_0000_7000_8000_0000_0000_0000 + self.hospital))
    }
    fn unit(self) -> UnitId {
        UnitId::from_uuid(self.key(1))
    }
    fn patient(self) -> PatientId {
        PatientId::from_uuid(self.key(2))
    }
    fn session(self) -> Session {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        Session {
            hash: SecretHash::of(self.mark().as_bytes()),
            user: self.user(Role::Nurse),
            csrf: self.mark(),
            created_at: now,
            expires_at: now + SignedDuration::from_hours(12),
            last_used_at: now,
            address: self.mark(),
            agent: self.mark(),
        }
    }
    fn token(self) -> TokenId {
        TokenId::from_uuid(self.key(8))
    }
    fn opening(self) -> OpeningId {
        OpeningId::from_uuid(self.key(7))
    }
    fn client(self) -> ClientId {
        ClientId::from_uuid(Self { ward: 0, ..self }.key(10))
    }
    fn authority(self) -> AuthorityId {
        AuthorityId::from_uuid(Self { ward: 0, ..self }.key(12))
    }
    fn elevation(self) -> ElevationId {
        ElevationId::from_uuid(Self { ward: 0, ..self }.key(9))
    }
    fn provider(self) -> ProviderId {
        ProviderId::from_uuid(Self { ward: 0, ..self }.key(4))
    }
    fn user(self, role: Role) -> UserId {
        UserId::from_uuid(self.key(0x100 + role as u128))
    }
    fn device(self) -> String {
        format!("{}-monitor", self.mark())
    }
    /// In texts of the ward.
    fn mark(self) -> String {
        format!("z{}z{}z", HOSPITALS[self.hospital as usize], WARDS[self.ward as usize])
    }
    /// In texts of the whole hospital.
    fn house(self) -> String {
        format!("z{}zallz", HOSPITALS[self.hospital as usize])
    }
    fn heart_rate(self) -> f64 {
        61.37 + self.number() as f64
    }
    /// That raises the alarm.
    fn saturation(self) -> f64 {
        81.37 + self.number() as f64
    }
    /// That clears it.
    fn good_saturation(self) -> f64 {
        95.37 + self.number() as f64
    }
    /// Counts are whole, so that none looks like one of these.
    fn numbers(self) -> [f64; 3] {
        [self.heart_rate(), self.saturation(), self.good_saturation()]
    }
}

pub(super) struct World {
    pub(super) hospital: Hospital,
    /// Of each hospital.
    rules: [String; 2],
    /// Of each ward.
    alarms: [String; 4],
}

/// What every monitor has.
const OWN: DeviceCertificate = DeviceCertificate {
    fingerprint: Fingerprint([7; 32]),
    not_after: jiff::Timestamp::UNIX_EPOCH,
    proven_at: None,
};

/// Where operators are called after: one for each hospital.
const OPERATORS: [Ward; 2] = [ASH_EAST, BIRCH_WEST];

/// The one who has set a hospital up.
fn founder(ward: Ward) -> Caller {
    let id = UserId::from_uuid(Ward { ward: 0, ..ward }.key(6));
    person(ward.tenant(), id, &ward.house(), "founder")
}

fn person(tenant: TenantId, id: UserId, mark: &str, what: &str) -> Caller {
    let (name, email) = (format!("{mark} {what}").into(), format!("{mark}-{what}@example.org").into());
    Caller { tenant, principal: Principal::User { id, name, email, restricted_to: None } }
}

fn of_ward(tenant: TenantId, ward: Ward, role: Role) -> Caller {
    person(tenant, ward.user(role), &ward.mark(), role.as_str())
}

impl World {
    pub(super) async fn open() -> Self {
        let hospital = Hospital::empty().await;
        let mut world = Self { hospital, rules: Default::default(), alarms: Default::default() };
        for ward in OPERATORS {
            let operator = of_ward(TenantId::PLATFORM, ward, Role::Operator);
            world.add_user(&operator, Role::Operator, UnitId::root(TenantId::PLATFORM)).await;
        }
        for ward in EVERYWHERE {
            if ward.ward == 0 {
                world.found(ward).await;
            }
            world.furnish(ward).await;
        }
        world
    }

    /// Somebody who holds a role in a ward, or everywhere; an operator holds theirs on the platform.
    pub(super) fn caller(&self, ward: Ward, asker: &Asker) -> Caller {
        match (asker.role, asker.everywhere) {
            (Role::Operator, _) => of_ward(TenantId::PLATFORM, ward, Role::Operator),
            (role, true) => {
                let id = UserId::from_uuid(Ward { ward: 0, ..ward }.key(0x200 + role as u128));
                person(ward.tenant(), id, &ward.house(), role.as_str())
            }
            (role, false) => of_ward(ward.tenant(), ward, role),
        }
    }

    /// The ward's monitor, as a caller.
    pub(super) fn device(&self, ward: Ward) -> Caller {
        let device = DeviceId::parse(&ward.device()).unwrap();
        Caller { tenant: ward.tenant(), principal: Principal::Device(device) }
    }

    /// An administrator of the ward's whole hospital.
    pub(super) fn founder(&self, ward: Ward) -> Caller {
        founder(ward)
    }

    fn entry(&self, ward: Ward) -> AuditEntry {
        let (actor, subject) = (format!("user:{}", ward.house()), format!("test:{}", ward.house()));
        let entry = AuditEntry::new(ward.tenant(), self.hospital.now(), actor, "test.set_up", subject);
        AuditEntry { actor_name: ward.house(), detail: ward.house(), ..entry }
    }

    async fn scope(&self, ward: Ward, object: Object) -> Scope {
        self.hospital.access.grant(&founder(ward), object, Action::Write).await.unwrap()
    }

    async fn add_user(&self, caller: &Caller, role: Role, unit: UnitId) {
        let Principal::User { id, name, email, .. } = &caller.principal else { return };
        let (email, display_name) = (email.to_string(), name.to_string());
        let user = User { id: *id, tenant: caller.tenant, email, display_name };
        let grant = RoleGrant { role: RoleName::from(role), unit, until: None };
        let login = Login { user, password_hash: String::new() };
        Accounts::create_user(&self.hospital.database, &login, &[grant]).await.unwrap();
    }

    /// A hospital, and what it has only once.
    async fn found(&mut self, ward: Ward) {
        let (database, house) = (self.hospital.database.clone(), ward.house());
        let slug = TenantSlug::parse(&house).unwrap();
        let tenant = Tenant::new(ward.tenant(), slug, house.as_str());
        Tenants::create(&database, &tenant, &self.entry(ward)).await.unwrap();
        let root = UnitId::root(ward.tenant());
        self.add_user(&founder(ward), Role::Admin, root).await;
        for role in Role::ALL.iter().copied().filter(|role| *role != Role::Operator) {
            let asker = Asker { role, everywhere: true };
            self.add_user(&self.caller(ward, &asker), role, root).await;
        }
        let rule = json!({ "input": { "name": house, "path": "spo2", "raiseWhen": "BELOW", "raiseValue": 90,
            "holdSeconds": 0, "clearWhen": "AT_LEAST", "clearValue": 92, "clearHoldSeconds": 0, "unit": "%",
            "priority": "HIGH", "enabled": true } });
        let save = "mutation ($input: SaveRuleInput!) { saveRule(input: $input) { id } }";
        let saved = self.run(ward, save, rule).await;
        self.rules[ward.hospital as usize] = saved["saveRule"]["id"].as_str().unwrap().to_owned();
        let role = json!({ "input": { "name": house, "title": house, "policies": [
            { "object": "device", "action": "read", "rows": format!("device.kind = \"{house}\""),
              "hiddenColumns": [] }] } });
        self.run(ward, "mutation ($input: SaveRoleInput!) { saveRole(input: $input) { name } }", role).await;
        let provider = IdentityProvider {
            id: ward.provider(),
            name: house.clone(),
            issuer: format!("https://{house}.example.org"),
            client_id: house.clone(),
            client_secret: Some(house.clone().into_bytes()),
            api_audience: Some(house.clone()),
            scopes: vec![house.clone()],
            group_claim: house.clone(),
            roles: vec![GroupRole {
                group: house.clone(),
                role: RoleName::from(Role::Nurse),
                unit: UnitId::root(ward.tenant()),
            }],
            default_role: None,
            enabled: false,
            version: 1,
        };
        let scope = self.scope(ward, Object::IdentityProvider).await;
        IdentityProviders::save(&database, &scope, &provider, &self.entry(ward)).await.unwrap();
        let role = Restriction { role: RoleName::from(Role::Integrator), unit: UnitId::root(ward.tenant()) };
        let name = format!("{house} EHR");
        let (client, _) = ServiceClient::new(ward.tenant(), name, role, None, &self.hospital.clock).unwrap();
        let client = ServiceClient { id: ward.client(), ..client };
        let scope = self.scope(ward, Object::Token).await;
        ServiceClients::create_client(&database, &scope, &client, &self.entry(ward)).await.unwrap();
        let pem = Authority::new(&format!("{house} authority")).pem;
        let authority =
            CertificateReader::new(Arc::new(self.hospital.clock.clone())).authority(&pem).unwrap();
        let authority = DeviceAuthority { id: ward.authority(), ..authority };
        let scope = self.scope(ward, Object::Device).await;
        DeviceAuthorities::add_authority(&database, &scope, &authority, &self.entry(ward)).await.unwrap();
        let from = OPERATORS[ward.hospital as usize];
        let operator = of_ward(TenantId::PLATFORM, from, Role::Operator);
        let scope = self.hospital.access.grant(&operator, Object::Tenant, Action::Write).await.unwrap();
        let wish = Wish::new(Role::Technician.into(), &format!("{house} elevation"), 1).unwrap();
        let who = (from.user(Role::Operator), house);
        let asked = Elevation::new(ward.elevation(), ward.tenant(), who, wish, self.hospital.now());
        Elevations::ask(&database, &scope, &asked, &self.entry(ward)).await.unwrap();
    }

    /// A ward: its people, a patient, a monitor, and an alarm that was acknowledged with a note.
    async fn furnish(&mut self, ward: Ward) {
        let (database, mark) = (&self.hospital.database, ward.mark());
        let parent = Some(UnitId::root(ward.tenant()));
        let unit = OrgUnit { id: ward.unit(), parent, name: mark.clone(), kind: UnitKind::Ward };
        let scope = self.scope(ward, Object::OrgUnit).await;
        OrgUnits::save(database, &scope, &unit, &self.entry(ward)).await.unwrap();
        self.hospital.access.changed(ward.tenant());
        for role in Role::ALL.iter().copied().filter(|role| *role != Role::Operator) {
            self.add_user(&of_ward(ward.tenant(), ward, role), role, ward.unit()).await;
        }
        let patient = PatientRecord {
            id: ward.patient(),
            name: Some(format!("{mark} name")),
            mrn: Some(format!("{mark} mrn")),
            birth_date: Some("1950-01-02".parse().unwrap()),
            birth_year: Some(1950),
            unit: ward.unit(),
            ward: String::new(),
            bed: format!("{mark} bed"),
            spo2_scale: Spo2Scale::One,
            restricted: false,
        };
        let scope = self.scope(ward, Object::Patient).await;
        Patients::create(database, &scope, &patient, &self.entry(ward)).await.unwrap();
        let device = DeviceRecord {
            id: DeviceId::parse(&ward.device()).unwrap(),
            name: format!("{mark} device"),
            template: "dtmi:iomt:PatientMonitor;1".into(),
            patient: Some(ward.patient()),
            unit: ward.unit(),
            blocked_since: None,
            gateway: None,
        };
        let (hash, scope) = (SecretHash::of(mark.as_bytes()), self.scope(ward, Object::Device).await);
        Devices::create(database, &scope, &device, &hash, &self.entry(ward)).await.unwrap();
        database.add_device_certificate(&scope, &device.id, &OWN, &self.entry(ward)).await.unwrap();
        self.hospital.access.changed(ward.tenant());
        let event = ConnectionEvent {
            at: self.hospital.clock.now(),
            what: Happened::Connected,
            why: String::new(),
            client_id: format!("{mark} client"),
            address: [192, 0, 2, 7].into(),
            carrier: Some(Carrier::Tls),
            version: String::new(),
        };
        database.add_events(ward.tenant(), &[(device.id.clone(), event)]).await.unwrap();
        self.send(ward, json!({ "heartRate": ward.heart_rate(), "spo2": ward.saturation() })).await;
        self.send(ward, json!({ "heartRate": mark })).await;
        let properties = json!({ (mark.as_str()): format!("{mark} label") });
        let admin = of_ward(ward.tenant(), ward, Role::Admin);
        self.hospital.send_on(Channel::Reported, &admin, &ward.device(), [properties.clone()]).await;
        let desire = "mutation ($device: ID!, $patch: JSON!) {
            setDesiredProperties(device: $device, patch: $patch) { id } }";
        let patch = json!({ "device": ward.device(), "patch": properties });
        let answer = self.hospital.answer(Some(admin), desire, patch).await;
        assert!(answer["errors"].is_null(), "{answer:#}");
        self.alarms[ward.number() as usize] = self.open_alarm(ward).await;
        let restriction = Restriction { role: RoleName::from(Role::Nurse), unit: ward.unit() };
        let (owner, clock) = ((ward.tenant(), ward.user(Role::Nurse)), &self.hospital.clock);
        let (token, _) = ApiToken::new(owner, mark.clone(), restriction, 90, clock).unwrap();
        let topics = TopicFilters { allow: vec![mark.parse().unwrap()], deny: vec![mark.parse().unwrap()] };
        let token = ApiToken { id: ward.token(), topics: Some(topics), ..token };
        Accounts::create_session(database, ward.tenant(), &ward.session()).await.unwrap();
        ApiTokens::create_token(database, ward.tenant(), &token, &self.entry(ward)).await.unwrap();
        // Of a patient whom they see anyway: it must change nothing.
        let clinician = of_ward(ward.tenant(), ward, Role::Clinician);
        let (patient, now) = (Object::Patient, self.hospital.now());
        let scope = self.hospital.access.grant(&clinician, patient, Action::BreakGlass).await.unwrap();
        let emergency = Emergency::new(&format!("{mark} emergency"), 60).unwrap();
        let opening =
            Opening::new(ward.opening(), ward.user(Role::Clinician), ward.patient(), emergency, now);
        Openings::open(database, &scope, &opening, &self.entry(ward)).await.unwrap();
        self.hospital.access.changed(ward.tenant());
        let note = json!({ "input": { "id": self.alarm(ward), "note": mark } });
        let acknowledge =
            "mutation ($input: AcknowledgeAlarmInput!) { acknowledgeAlarm(input: $input) { id } }";
        let nurse = of_ward(ward.tenant(), ward, Role::Nurse);
        let answer = self.hospital.answer(Some(nurse), acknowledge, note).await;
        assert!(answer["errors"].is_null(), "{answer:#}");
    }

    /// Sends a message as the ward's monitor and waits until its twin has folded it.
    pub(super) async fn send(&self, ward: Ward, payload: Value) {
        self.hospital.send_as(&founder(ward), &ward.device(), [payload]).await;
    }

    /// A reading, a stretch of a curve, and an alarm that comes or goes.
    pub(super) async fn happen(&self, ward: Ward, step: u64) {
        self.hospital.clock.advance(Duration::from_secs(1));
        let saturation = if step.is_multiple_of(2) { ward.good_saturation() } else { ward.saturation() };
        let curve = json!({ "rate": 125, "samples": [ward.heart_rate(), ward.saturation()] });
        self.send(ward, json!({ "spo2": saturation, "ecg": curve })).await;
    }

    /// The alarm of a ward, once its row is there.
    async fn open_alarm(&self, ward: Ward) -> String {
        let document = "query ($of: ID!) { alarms(patient: $of) { nodes { id } } }";
        loop {
            let of = json!({ "of": ward.patient().to_string() });
            let found = self.run(ward, document, of).await;
            if let Some(id) = found["alarms"]["nodes"][0]["id"].as_str() {
                return id.to_owned();
            }
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn alarm(&self, ward: Ward) -> &str {
        &self.alarms[ward.number() as usize]
    }

    fn rule(&self, ward: Ward) -> &str {
        &self.rules[ward.hospital as usize]
    }

    /// Runs a document as the hospital's founder; it must succeed.
    async fn run(&self, ward: Ward, document: &str, variables: Value) -> Value {
        let mut answer = self.hospital.answer(Some(founder(ward)), document, variables).await;
        assert!(answer["errors"].is_null(), "{answer:#}");
        answer["data"].take()
    }

    /// What an argument is given that means a row of `target`, or that a field cannot do without. Whoever asks is of
    /// `own`.
    pub(super) fn argument(&self, coordinate: &str, own: Ward, target: Ward) -> Option<Value> {
        let (unit, patient, device) =
            (target.unit().to_string(), target.patient().to_string(), target.device());
        let (user, own_unit) = (target.user(Role::Nurse).to_string(), own.unit().to_string());
        let mine = own.house();
        Some(match coordinate {
            "Query.device(id)"
            | "Mutation.releaseDevice(id)"
            | "Mutation.disconnectDevice(id)"
            | "Mutation.placeDevice(id)"
            | "Mutation.setDesiredProperties(device)"
            | "Mutation.setGateway(device)"
            | "Mutation.setGateway(gateway)"
            | "Mutation.unblockDevice(id)"
            | "Mutation.renewDeviceToken(id)"
            | "Mutation.revealDeviceKey(id)"
            | "Mutation.addDeviceCertificate(device)"
            | "Mutation.removeDeviceCertificate(device)"
            | "Query.alarms(device)" => json!(device),
            "Query.patient(id)"
            | "Query.alarms(patient)"
            | "Query.patientAccessReport(patient)"
            | "Subscription.waveform(patient)"
            | "Mutation.setCareTeam(patient)"
            | "Query.effectiveAccess(id)" => {
                json!(patient)
            }
            "Subscription.vitals(patients)" => json!([patient]),
            "Query.alarm(id)" => json!(self.alarm(target)),
            "Query.effectiveAccess(user)" | "Query.apiTokens(user)" | "Mutation.resetSecondFactor(user)" => {
                json!(user)
            }
            "Mutation.setCareTeam(users)" => json!([user]),
            "Query.effectiveAccess(row)" => json!("PATIENT"),
            "Query.previewRole(input)" => {
                json!({ "name": target.house(), "title": mine, "version": 1, "policies": [
                { "object": "patient", "action": "read", "rows": "all", "hiddenColumns": [] }] })
            }
            "Mutation.blockDevice(input)" => json!({ "id": device, "reason": mine }),
            "Mutation.messageDevice(input)" => json!({ "device": device, "payload": mine }),
            "Mutation.setDesiredProperties(patch)" => json!({ "label": mine }),
            "Mutation.commandDevice(input)" => {
                json!({ "device": device, "name": "reboot", "body": own.mark() })
            }
            "Patient.trend(sign)" => json!("HEART_RATE"),
            "Mutation.acknowledgeAlarm(input)" => json!({ "id": self.alarm(target), "note": mine }),
            "Mutation.saveRule(input)" => json!({ "name": mine, "path": "spo2", "raiseWhen": "BELOW",
                "raiseValue": 50, "holdSeconds": 0, "clearWhen": "AT_LEAST", "clearValue": 92, "clearHoldSeconds": 0,
                "unit": "%", "priority": "LOW", "enabled": true, "id": self.rule(target), "version": 1 }),
            "Mutation.createTenant(input)" => {
                json!({ "slug": target.house(), "name": mine, "adminEmail": "new@example.org" })
            }
            "Mutation.suspendTenant(id)" | "Mutation.resumeTenant(id)" => json!(target.tenant().to_string()),
            "Mutation.suspendTenant(reason)" => json!(mine),
            "Mutation.locateTenant(id)" => json!(target.tenant().to_string()),
            "Mutation.locateTenant(locality)" => {
                json!({ "region": "DE", "locale": "de", "timeZone": "Europe/Berlin" })
            }
            "Mutation.setQuotas(input)" => json!({ "devices": 500, "users": 500, "messagesPerSecond": 500,
                "queryCostPerMinute": 50_000_000, "storedDays": null }),
            "Mutation.setQuotas(tenant)" | "Query.usage(tenant)" => json!(target.tenant().to_string()),
            "Mutation.rotateDataKey(tenant)" => json!(target.tenant().to_string()),
            "Mutation.saveOrgUnit(input)" => json!({ "id": unit, "name": own.mark(), "kind": "WARD",
                "parentId": UnitId::root(own.tenant()).to_string() }),
            "Mutation.removeOrgUnit(id)" => json!(unit),
            "Mutation.inviteUser(input)" => {
                json!({ "email": "new@example.org", "role": "nurse", "unit": unit })
            }
            "Mutation.grantRole(input)" => json!({ "user": user, "role": "auditor", "unit": own_unit }),
            "Mutation.revokeRole(input)" => json!({ "user": user, "role": "nurse", "unit": unit }),
            "Mutation.saveRole(input)" => {
                json!({ "name": target.house(), "title": mine, "version": 1, "policies": [
                { "object": "device", "action": "read", "rows": "all", "hiddenColumns": [] }] })
            }
            "Mutation.deleteRole(name)" => json!(target.house()),
            "Mutation.placeDevice(unit)" => json!(own_unit),
            "Mutation.placePatient(input)" => json!({ "id": patient, "unit": own_unit }),
            "Mutation.saveIdentityProvider(input)" => {
                json!({ "id": target.provider().to_string(), "version": 1,
                "name": mine, "issuer": "https://login.example.org", "clientId": mine, "scopes": [],
                "groupClaim": mine, "roles": [], "enabled": false })
            }
            "Mutation.deleteIdentityProvider(id)" => json!(target.provider().to_string()),
            "Mutation.testIdentityProvider(issuer)" => json!("https://login.example.org"),
            "Mutation.endSession(id)" => json!(target.session().id().to_string()),
            "Query.sessions(user)" | "Mutation.endSessionsOf(user)" => json!(user),
            "Mutation.createApiToken(input)" => json!({ "name": mine, "role": "nurse", "unit": unit }),
            "Mutation.revokeApiToken(id)" => json!(target.token().to_string()),
            // Wrong codes on purpose: what they lead to has tests of its own.
            "Mutation.offboardTenant(input)" => json!({ "id": target.tenant().to_string(),
                "confirmation": target.house(), "reason": mine, "withoutExport": true, "code": "000000" }),
            "Mutation.openRecord(input)" => json!({ "patient": patient, "reason": "brought in unconscious",
                "minutes": 5, "code": "000000" }),
            "Mutation.createServiceClient(input)" => json!({ "name": mine, "role": "nurse", "unit": unit }),
            "Mutation.renewServiceClient(id)"
            | "Mutation.disableServiceClient(id)"
            | "Mutation.removeServiceClient(id)" => json!(target.client().to_string()),
            "Mutation.disableServiceClient(disabled)" => json!(true),
            // What is said of one has tests of its own.
            "Mutation.addDeviceAuthority(certificate)"
            | "Mutation.proveDeviceAuthority(certificate)"
            | "Mutation.addDeviceCertificate(certificate)"
            | "Mutation.setRevocationList(list)" => json!(mine),
            "Mutation.removeDeviceCertificate(fingerprint)" => json!(OWN.fingerprint),
            "Mutation.proveDeviceAuthority(id)"
            | "Mutation.setRevocationList(id)"
            | "Mutation.removeDeviceAuthority(id)" => json!(target.authority().to_string()),
            "Mutation.requestElevation(input)" => json!({ "tenant": target.tenant().to_string(),
                "role": "technician", "reason": format!("{mine} wants in"), "hours": 1 }),
            "Mutation.answerElevation(id)" | "Mutation.endElevation(id)" => {
                json!(target.elevation().to_string())
            }
            "Mutation.answerElevation(grant)" => json!(false),
            "Mutation.endElevation(tenant)" => json!(target.tenant().to_string()),
            "Mutation.closeRecord(id)" | "Mutation.reviewOpening(id)" => json!(target.opening().to_string()),
            "Mutation.reviewOpening(note)" => json!(mine),
            "Mutation.enrolAuthenticator(code)"
            | "Mutation.renewRecoveryCodes(code)"
            | "Mutation.removeSecondFactor(code)" => json!(CODE),
            _ => return None,
        })
    }

    /// Whose canaries an answer holds, as somebody of `own` sees them.
    pub(super) fn canaries(&self, answer: &Value, own: Ward) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        self.look(answer, own, &mut found);
        found
    }

    fn look(&self, value: &Value, own: Ward, found: &mut BTreeSet<&'static str>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.look(value, own, found)),
            Value::Object(fields) => fields.values().for_each(|value| self.look(value, own, found)),
            Value::String(text) => {
                for ward in EVERYWHERE {
                    let keys =
                        [ward.patient().to_string(), ward.unit().to_string(), self.alarm(ward).to_owned()];
                    let users = Role::ALL.iter().map(|role| ward.user(*role).to_string());
                    let mut marks = keys.into_iter().chain(users).chain([ward.mark()]);
                    if marks.any(|mark| !mark.is_empty() && text.contains(&mark)) {
                        found.insert(relation(ward, own));
                    }
                    let house = [ward.house(), ward.tenant().to_string(), self.rule(ward).to_owned()];
                    if house.iter().any(|mark| !mark.is_empty() && text.contains(mark)) {
                        found.insert(if ward.hospital == own.hospital { "hospital" } else { "ABROAD" });
                    }
                    // Readings come as text where they may be of any kind.
                    if ward.numbers().iter().any(|number| *text == number.to_string()) {
                        found.insert(relation(ward, own));
                    }
                }
            }
            Value::Number(number) => {
                let number = number.as_f64().unwrap();
                for ward in EVERYWHERE {
                    if ward.numbers().iter().any(|known| (*known - number).abs() < 1e-9) {
                        found.insert(relation(ward, own));
                    }
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

fn relation(ward: Ward, own: Ward) -> &'static str {
    match () {
        () if ward == own => "own",
        () if ward.hospital == own.hospital => "neighbour",
        () => "ABROAD",
    }
}
