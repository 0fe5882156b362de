//! What an access decision costs, and what a row policy adds to a list; run by `cargo bench-access`, which prints
//! the JSON lines.

use std::{sync::Arc, time::Duration};

use ::tenants::{
    RoleName, StoreError, TenantId, UnitId, User, UserId,
    access::{
        Access, AccessData, AccessRules, Action, Caller, Object, Principal, Role, RoleGrant, Scope,
        StoredPolicy,
    },
    account::Login,
    clock::{ManualClock, Stopwatch},
    org::{OrgUnit, UnitKind},
    stores::Accounts,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use twins::store::directory::{PageRequest, Patients};
use uuid::Uuid;

use super::{
    postgres_server::Server,
    world::{World, at, ward_id},
};
use crate::{
    database::{Database, DatabaseOptions},
    entities::{care_team, patients},
    patients::identity::Identity,
};

const PATIENTS: u128 = 100_000;
const WARDS: u128 = 40;
const ROUNDS: usize = 200;
/// Policies of the hospital's own roles: 25 roles of 20.
const POLICIES: usize = 500;
const USERS: u128 = 5_000;

fn print(figure: &str, database: &str, fields: &Value) {
    let mut line = json!({ "bench": "access", "figure": figure, "database": database });
    line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    println!("{line}");
}

fn user(n: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(n + 1_000))
}

fn caller(tenant: TenantId, n: u128) -> Caller {
    let (id, name, email) = (user(n), "N. N.".into(), "n@example.org".into());
    Caller { tenant, principal: Principal::User { id, name, email, restricted_to: None } }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn percentile(times: &mut [f64], share: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[(times.len() - 1) * share / 100]
}

/// A hospital of many roles with many policies, each user holding one of them in some ward.
struct Rules(AccessData);

impl Rules {
    fn new(tenant: TenantId) -> Self {
        let root =
            OrgUnit { id: UnitId::root(tenant), parent: None, name: "H".into(), kind: UnitKind::Hospital };
        let ward = |n: u128| OrgUnit {
            id: ward_id(tenant, &n.to_string()),
            parent: Some(root.id),
            name: n.to_string(),
            kind: UnitKind::Ward,
        };
        let units = (0..WARDS).map(ward).chain([root.clone()]).collect();
        let role = |n: usize| RoleName::parse(&format!("role-{n}")).unwrap();
        let policy = |n: usize| StoredPolicy {
            role: role(n / 20),
            object: if n.is_multiple_of(2) { Object::Patient } else { Object::Device },
            action: Action::Read,
            rows: format!("patient.id = \"{}\" or not patient.restricted", Uuid::from_u128(n as u128)),
            masked: Vec::new(),
        };
        let grant = |n: u128| {
            let unit = ward_id(tenant, &(n % WARDS).to_string());
            (user(n), RoleGrant { role: role(n as usize % (POLICIES / 20)), unit, until: None })
        };
        let (policies, grants) = ((0..POLICIES).map(policy).collect(), (0..USERS).map(grant).collect());
        Self(AccessData { version: 1, units, policies, grants, ..AccessData::default() })
    }
}

#[async_trait::async_trait]
impl AccessRules for Rules {
    async fn access_data(&self, _: TenantId, _: Timestamp) -> Result<AccessData, StoreError> {
        Ok(self.0.clone())
    }
    async fn access_versions(&self) -> Result<Vec<(TenantId, u64)>, StoreError> {
        Ok(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a check"]
async fn measure_access_decisions() {
    let tenant = super::world::tenant_id(1);
    let access = Access::new(Arc::new(Rules::new(tenant)), Arc::new(ManualClock::new(at(0))));
    let asked = async |n| access.grant(&caller(tenant, n), Object::Patient, Action::Read).await.unwrap();
    let stopwatch = Stopwatch::start();
    asked(0).await;
    print("rules_loaded", "none", &json!({ "policies": POLICIES, "us": micros(stopwatch.elapsed()) }));

    let mut times = Vec::new();
    for n in 1..USERS {
        let stopwatch = Stopwatch::start();
        asked(n).await;
        times.push(micros(stopwatch.elapsed()));
    }
    // The first user of each role asks casbin as well.
    let first_of_roles = percentile(&mut times[..POLICIES / 20 - 1].to_vec(), 50);
    print(
        "decision_uncached",
        "none",
        &json!({ "policies": POLICIES, "target_us": 300, "of_a_role_never_asked_p50_us": first_of_roles,
            "p50_us": percentile(&mut times, 50), "p99_us": percentile(&mut times, 99) }),
    );

    let known = caller(tenant, 1);
    let stopwatch = Stopwatch::start();
    for _ in 0..1_000_000 {
        std::hint::black_box(access.grant(&known, Object::Patient, Action::Read).await.unwrap());
    }
    print(
        "decision_cached",
        "none",
        &json!({ "policies": POLICIES, "target_us": 1, "mean_us": micros(stopwatch.elapsed()) / 1e6 }),
    );
}

async fn fill(world: &World) {
    for n in 0..WARDS {
        world.ward(world.a, &n.to_string()).await;
    }
    let tenant_id = *world.a.as_uuid();
    let keys = world.database.keys_of(world.a).await.unwrap();
    let patient = |n: u128| {
        let id = Uuid::from_u128(n + 1);
        let (name, mrn) = (Some(format!("Patient {n}")), Some(n.to_string()));
        let identity = Identity { name, mrn, birth_date: None }.columns(&*keys, world.a, id).unwrap();
        patients::Model {
            tenant_id,
            id,
            identity: Some(identity.identity),
            mrn_index: identity.mrn_index,
            name_search: identity.name_search,
            mrn_search: identity.mrn_search,
            birth_year: Some(1950),
            ward: (n % WARDS).to_string(),
            bed: format!("{:05}", n / WARDS),
            place_search: String::new(),
            spo2_scale: 1,
            unit_id: Some(*ward_id(world.a, &(n % WARDS).to_string()).as_uuid()),
            restricted: n.is_multiple_of(50),
        }
    };
    let nurse = super::world::user_id(Role::Nurse as u128);
    let (email, display_name) = ("nurse@example.org".to_owned(), "N. N.".to_owned());
    let user = User { id: nurse, tenant: world.a, email, display_name };
    let login = Login { user, password_hash: String::new() };
    Accounts::create_user(&world.database, &login, &[]).await.unwrap();
    let tx = world.database.begin_write(world.a).await.unwrap();
    let rows = (0..PATIENTS).map(patient).collect();
    tx.insert_many::<patients::Entity>(rows, None).await.unwrap();
    let treated = (0..PATIENTS).step_by(500).map(|n| care_team::Model {
        tenant_id,
        patient_id: Uuid::from_u128(n + 1),
        user_id: *nurse.as_uuid(),
    });
    tx.insert_many::<care_team::Entity>(treated.collect(), None).await.unwrap();
    tx.commit().await.unwrap();
    // As both databases do by themselves after a while.
    sea_orm::ConnectionTrait::execute_unprepared(&world.database.inner.writer, "ANALYZE").await.unwrap();
}

async fn lists(world: &World, database: &str) {
    let plain = world.read(world.a, Object::Patient).await;
    let nurse = world.scope(world.a, Role::Nurse, Object::Patient, Action::Read).await;
    for (figure, count) in [("list_of_50", false), ("list_of_50_with_total", true)] {
        let request = PageRequest { first: 50, count, ..PageRequest::default() };
        let page = async |scope: &Scope| {
            let stopwatch = Stopwatch::start();
            let found = Patients::page(&world.database, scope, &request).await.unwrap();
            assert_eq!(found.rows.len(), 50);
            micros(stopwatch.elapsed())
        };
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS + 20 {
            // One after the other, so that both meet the same machine.
            let (one, other) = (page(&plain).await, page(&nurse).await);
            if round >= 20 {
                without.push(one);
                with.push(other);
            }
        }
        let (without, with) = (percentile(&mut without, 50), percentile(&mut with, 50));
        print(
            figure,
            database,
            &json!({ "rows": PATIENTS as u64, "without_policy_p50_us": without, "with_policy_p50_us": with,
                "adds_percent": 100.0 * (with / without - 1.0), "target_percent": 15 }),
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a check"]
async fn measure_access_on_sqlite() {
    let world = World::on_sqlite().await;
    fill(&world).await;
    lists(&world, "sqlite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a check"]
async fn measure_access_on_postgres() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let database = Database::connect(&url, &DatabaseOptions::default()).await.unwrap();
    database.migrate().await.unwrap();
    let world = World::of(database, url, None).await;
    fill(&world).await;
    lists(&world, "postgres").await;
}
