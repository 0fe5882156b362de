//! Fills an empty database with the demo's hospitals, through the same traits as everything else.

use std::{collections::HashMap, sync::Arc};

use identity::{Identity, IdentityError};
use jiff::SignedDuration;
use readings::{Path, Unit};
use rules::{Condition, Rule};
use storage::Database;
use tenants::{
    DeviceId, PatientId, RuleId, StoreError, Tenant, TenantId, TenantSlug, UnitId, User, UserId,
    access::{Access, AccessError, Action, Caller, Object, Principal, Restriction, Role, RoleGrant, Scope},
    account::Login,
    api_token::ApiToken,
    audit::AuditEntry,
    clock::Clock,
    credentials::{BearerToken, CredentialError, SecretHash, generate},
    enrolment::{DeviceKeyError, DeviceKeys, id_scope},
    keys::SealError,
    org::{OrgUnit, UnitKind},
    stores::{Accounts, ApiTokens, OrgUnits, Tenants},
    topics::{TopicFilter, TopicFilters},
};
use twins::store::directory::{DeviceRecord, Devices, NewDevice, PatientRecord, Patients, Rules};

use super::{
    credentials::{Credentials, DemoDevice, DemoTenant, Person},
    hospital::{DemoPatient, DemoRule, HOSPITALS, Hospital, RULES, patient},
};

/// The template of the demo's monitors.
const MONITOR: &str = "dtmi:iomt:PatientMonitor;1";
/// Devices that are registered in one transaction: many extra ones are set up in seconds.
const DEVICES_AT_ONCE: usize = 1_000;

/// Why the demo could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    #[error("the database refused a record of the demo")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error("a password of the demo could not be hashed")]
    Identity(#[from] IdentityError),
    #[error("a device's key could not be made")]
    Key(#[from] DeviceKeyError),
    #[error("the demo's own data is wrong: {0}")]
    Data(String),
}

/// How much to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Patients of the first hospital, each with a monitor; the second has a third as many.
    pub(crate) patients: usize,
    /// Further devices of the first hospital, without a patient, named `bench-00001` and so on.
    pub(crate) extra_devices: usize,
}

/// Makes everything and returns how to get in.
pub(crate) struct Seed {
    pub(crate) database: Database,
    pub(crate) identity: Arc<Identity>,
    pub(crate) access: Arc<Access>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Seed {
    pub(crate) async fn run(&self, size: Size) -> Result<Credentials, SeedError> {
        let operator = self.person(TenantId::PLATFORM, "platform", Role::Operator).await?.0;
        let mut tenants = Vec::new();
        for (n, hospital) in HOSPITALS.iter().enumerate() {
            let size =
                if n == 0 { size } else { Size { patients: size.patients.div_ceil(3), extra_devices: 0 } };
            tenants.push(self.hospital(hospital, size).await?);
        }
        Ok(Credentials { operator, tenants, ..Credentials::default() })
    }

    async fn hospital(&self, hospital: &Hospital, size: Size) -> Result<DemoTenant, SeedError> {
        let slug = TenantSlug::parse(hospital.slug).map_err(|error| SeedError::Data(error.to_string()))?;
        let tenant = Tenant::new(TenantId::new(&*self.clock), slug, hospital.name);
        let entry = self.audit(tenant.id, "system", "tenant.create", format!("tenant:{}", tenant.id));
        Tenants::create(&self.database, &tenant, &entry).await?;

        let (admin, caller) = self.person(tenant.id, hospital.slug, Role::Admin).await?;
        let mut users = vec![admin];
        for role in [Role::Clinician, Role::Nurse, Role::Researcher, Role::Integrator] {
            users.push(self.person(tenant.id, hospital.slug, role).await?.0);
        }
        for rule in &RULES {
            self.rule(&caller, rule).await?;
        }
        let wards = self.wards(&caller, hospital).await?;
        let whole = UnitId::root(tenant.id);
        let mut made = Vec::new();
        for n in 0..size.patients {
            let demo = patient(hospital, n);
            let ward = wards.get(demo.ward).copied().unwrap_or(whole);
            let patient = self.patient(&caller, demo, ward).await?;
            let (id, name) = (format!("monitor-{:02}", n + 1), format!("Bedside monitor {:02}", n + 1));
            made.push(self.device(&caller, &id, &name, (Some(patient), ward)).await?);
        }
        for n in 1..=size.extra_devices {
            let id = format!("bench-{n:05}");
            made.push(self.device(&caller, &id, "Bench device", (None, whole)).await?);
        }
        let (devices, new): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        let scope = self.scope(&caller, Object::Device).await?;
        for some in new.chunks(DEVICES_AT_ONCE) {
            Devices::create_all(&self.database, &scope, some).await?;
        }
        let (slug, name) = (hospital.slug.to_owned(), hospital.name.to_owned());
        Ok(DemoTenant { slug, id_scope: id_scope(tenant.id), name, users, devices })
    }

    async fn person(&self, tenant: TenantId, slug: &str, role: Role) -> Result<(Person, Caller), SeedError> {
        let email = format!("{role}@{slug}.example");
        let password = generate()?.chars().filter(char::is_ascii_alphanumeric).take(16).collect::<String>();
        let password_hash = self.identity.hash_password(&password).await?;
        let display_name = format!("Demo {role}");
        let user = User { id: UserId::new(&*self.clock), tenant, email, display_name };
        let caller = Caller {
            tenant,
            principal: Principal::User {
                id: user.id,
                name: user.display_name.as_str().into(),
                email: user.email.as_str().into(),
                restricted_to: None,
            },
        };
        let own = Restriction { role: role.into(), unit: UnitId::root(tenant) };
        let days = ApiToken::MAX_DAYS;
        let (api_token, token) =
            ApiToken::new((tenant, user.id), "demo".to_owned(), own, days, &*self.clock)?;
        let api_token = ApiToken { topics: topics_of(role)?, ..api_token };
        let made = self.audit(tenant, "system", "token.create", format!("token:{}", api_token.id));
        let person = Person {
            persona: role.to_string(),
            email: user.email.clone(),
            password,
            token: token.reveal().to_owned(),
        };
        self.database
            .create_user(&Login { user, password_hash }, &[RoleGrant::everywhere(tenant, role)])
            .await?;
        self.database.create_token(tenant, &api_token, &made).await?;
        Ok((person, caller))
    }

    async fn rule(&self, caller: &Caller, rule: &DemoRule) -> Result<(), SeedError> {
        let wrong = |error: &dyn std::fmt::Display| SeedError::Data(format!("{}: {error}", rule.name));
        let unit = Unit::parse(rule.unit).map_err(|error| wrong(&error))?;
        let id = RuleId::new(&*self.clock);
        let entry = self.audit(caller.tenant, &caller.actor(), "rule.save", format!("rule:{id}"));
        let condition = |(comparison, value)| Condition { comparison, value };
        let rule = Rule {
            id,
            name: rule.name.to_owned(),
            path: Path::parse(rule.path).map_err(|error| wrong(&error))?,
            raise: condition(rule.raise),
            hold: SignedDuration::from_secs(rule.hold_s),
            clear: condition(rule.clear),
            clear_hold: SignedDuration::from_secs(rule.clear_hold_s),
            unit: Some(unit),
            priority: rule.priority,
            enabled: true,
            version: 1,
        }
        .validate()
        .map_err(|error| wrong(&error))?;
        let scope = self.scope(caller, Object::Rule).await?;
        Ok(Rules::save(&self.database, &scope, &rule, &entry).await?)
    }

    /// Makes departments and wards; wards by name.
    async fn wards(
        &self,
        caller: &Caller,
        hospital: &Hospital,
    ) -> Result<HashMap<&'static str, UnitId>, SeedError> {
        let whole = UnitId::root(caller.tenant);
        let mut made = HashMap::new();
        for (department, wards) in hospital.departments {
            let above = self.unit(caller, department, UnitKind::Department, whole).await?;
            for ward in *wards {
                made.insert(*ward, self.unit(caller, ward, UnitKind::Ward, above).await?);
            }
        }
        Ok(made)
    }

    async fn unit(
        &self,
        caller: &Caller,
        name: &str,
        kind: UnitKind,
        parent: UnitId,
    ) -> Result<UnitId, SeedError> {
        let id = UnitId::new(&*self.clock);
        let unit = OrgUnit { id, parent: Some(parent), name: name.to_owned(), kind };
        let entry = self.audit(caller.tenant, &caller.actor(), "org_unit.save", format!("org_unit:{id}"));
        let scope = self.scope(caller, Object::OrgUnit).await?;
        OrgUnits::save(&self.database, &scope, &unit, &entry).await?;
        Ok(id)
    }

    async fn patient(
        &self,
        caller: &Caller,
        demo: DemoPatient,
        unit: UnitId,
    ) -> Result<PatientId, SeedError> {
        let id = PatientId::new(&*self.clock);
        let record = PatientRecord {
            id,
            name: Some(demo.name),
            mrn: Some(demo.mrn),
            birth_date: Some(demo.birth_date),
            birth_year: Some(demo.birth_date.year()),
            unit,
            ward: demo.ward.to_owned(),
            bed: demo.bed,
            spo2_scale: demo.spo2_scale,
            restricted: false,
        };
        let entry = self.audit(caller.tenant, &caller.actor(), "patient.create", format!("patient:{id}"));
        let scope = self.scope(caller, Object::Patient).await?;
        Patients::create(&self.database, &scope, &record, &entry).await?;
        Ok(id)
    }

    /// A device, to be registered with others.
    async fn device(
        &self,
        caller: &Caller,
        id: &str,
        name: &str,
        (patient, unit): (Option<PatientId>, UnitId),
    ) -> Result<(DemoDevice, NewDevice), SeedError> {
        let token = BearerToken::generate(caller.tenant)?.reveal().to_owned();
        let id = DeviceId::parse(id).map_err(|error| SeedError::Data(error.to_string()))?;
        let record = DeviceRecord {
            id: id.clone(),
            name: name.to_owned(),
            template: MONITOR.to_owned(),
            patient,
            unit,
            blocked_since: None,
            gateway: None,
        };
        let audit = self.audit(caller.tenant, &caller.actor(), "device.create", format!("device:{id}"));
        let new = NewDevice { record, token: SecretHash::of(token.as_bytes()), audit };
        let entry = self.audit(
            caller.tenant,
            &caller.actor(),
            "enrolment_key.create",
            format!("tenant:{}", caller.tenant),
        );
        let symmetric_key = match self.identity.symmetric_key(caller.tenant, &id, &entry).await {
            // Without keys of its own the installation keeps no secret: no device signs there.
            Err(DeviceKeyError::Keys(SealError::NoKey)) => String::new(),
            key => key?,
        };
        let patient = patient.map(|id| id.to_string());
        let demo = DemoDevice { id: id.to_string(), token, symmetric_key, patient };
        Ok((demo, new))
    }

    async fn scope(&self, caller: &Caller, object: Object) -> Result<Scope, SeedError> {
        Ok(self.access.grant(caller, object, Action::Write).await?)
    }

    fn audit(&self, tenant: TenantId, actor: &str, action: &str, subject: String) -> AuditEntry {
        let entry = AuditEntry::new(tenant, self.clock.now(), actor, action, subject);
        AuditEntry { detail: "set up with the demo".to_owned(), ..entry }
    }
}

/// Programs of those who may use topics use all of them, but one that suites of interoperability expect to be denied.
fn topics_of(role: Role) -> Result<Option<TopicFilters>, SeedError> {
    if !matches!(role, Role::Admin | Role::Integrator) {
        return Ok(None);
    }
    let filter = |text| TopicFilter::parse(text).map_err(|error| SeedError::Data(error.to_string()));
    Ok(Some(TopicFilters { allow: vec![filter("#")?], deny: vec![filter("test/nosubscribe")?] }))
}
