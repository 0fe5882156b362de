//! Hospitals that leave.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
};

use ::tenants::{
    Sequence, StoreError, TenantId,
    access::{AccessRules, Object, Role, RoleGrant},
    device_certificate::{DeviceCertificate, DeviceCertificates, Fingerprint},
    keys::{KeyManagement, Shredded},
    offboarding::{Departures, Farewell, Offboarding, OffboardingError},
    onboarding::{Initiator, NewHospital, Onboarding, OnboardingError},
    org::UnitKind,
    stores::{Accounts, Tenants},
};
use care::Priority;
use jiff::Timestamp;
use sea_orm::DbBackend;
use serde_json::{Value, json};
use twins::store::journal::{Journal, Snapshot, TwinKey};

use super::{
    accounts::login,
    world::{World, alarm, at, device, entry, fold, patient, patient_id, segment},
};
use crate::{ExportSink, departures};

/// Lines by file.
#[derive(Default)]
struct Lines(BTreeMap<&'static str, Vec<Value>>);

impl ExportSink for Lines {
    fn line(&mut self, file: &'static str, line: &Value) -> io::Result<()> {
        self.0.entry(file).or_default().push(line.clone());
        Ok(())
    }
}

fn offboarding(world: &World) -> Offboarding {
    let store = Arc::new(world.database.clone());
    Offboarding::new(store.clone(), store, world.keys.clone(), Arc::new(world.clock.clone()))
}

fn operator() -> Initiator {
    Initiator {
        actor: "user:operator".into(),
        actor_name: "Op".into(),
        origin: Default::default(),
        correlation: Default::default(),
    }
}

fn farewell(slug: &str, without_export: bool) -> Farewell {
    Farewell { confirmation: slug.into(), reason: "The contract ended".into(), without_export }
}

/// What a monitor shows.
const OWN: DeviceCertificate = DeviceCertificate {
    fingerprint: Fingerprint([7; 32]),
    not_after: Timestamp::UNIX_EPOCH,
    proven_at: None,
};

/// A row in every kind of place.
async fn filled(world: &World, tenant: TenantId) {
    let database = &world.database;
    let epoch = world.claim().await;
    assert!(epoch > 0);
    world.add_patient(tenant, &patient(1, "Yuri Krone", "KYR-77", ("W", "1"))).await;
    let ward = world.ward(tenant, "W").await;
    world.add_device(tenant, "monitor-1", "Monitor", Some(patient_id(1))).await;
    world.add_device(tenant, "monitor-2", "Monitor without a certificate", None).await;
    let scope = world.write(tenant, Object::Device).await;
    database.add_device_certificate(&scope, &device("monitor-1"), &OWN, &entry(tenant)).await.unwrap();
    let email = format!("nurse@{tenant}.example");
    let role = Role::Nurse;
    database
        .create_user(
            &login(tenant, &email),
            &[RoleGrant { unit: ward, ..RoleGrant::everywhere(tenant, role) }],
        )
        .await
        .unwrap();
    world.commit(vec![segment(tenant, 1, &[("monitor-1", &[1, 2, 3])])]).await;
    let mut folded = fold(tenant, TwinKey::Device(device("monitor-1")));
    folded.alarms = vec![alarm(5, "monitor-1", Priority::High, 3)];
    folded.snapshot = Some(Snapshot { cursor: Sequence(3), state: vec![1, 2], quarantine: None });
    world.fold(folded).await;
    database.checkpoint(tenant, Sequence(3)).await.unwrap();
}

/// Rows of a tenant, by table.
async fn rows(world: &World, tenant: TenantId) -> BTreeMap<String, i64> {
    let tx = world.database.begin_read(tenant).await.unwrap();
    let mut found = BTreeMap::new();
    for table in tables(world).await {
        let sql = format!("SELECT count(*) FROM {table} WHERE tenant_id = $1");
        let rows = tx.query_sql(&sql, [(*tenant.as_uuid()).into()]).await.unwrap();
        let count: i64 = rows[0].try_get_by_index(0).unwrap();
        if count > 0 {
            found.insert(table, count);
        }
    }
    found
}

/// Every table with rows of tenants.
async fn tables(world: &World) -> BTreeSet<String> {
    let tx = world.database.begin_read(TenantId::PLATFORM).await.unwrap();
    let sql = match tx.backend() {
        DbBackend::Postgres => {
            "SELECT table_name::text FROM information_schema.columns
             WHERE table_schema = current_schema() AND column_name = 'tenant_id'"
        }
        _ => {
            "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.name = 'tenant_id'"
        }
    };
    let rows = tx.query_sql(sql, []).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

pub(super) async fn every_table_is_deleted_or_kept(world: World) {
    let known = departures::every_table().map(str::to_owned);
    assert_eq!(tables(&world).await, known.collect::<BTreeSet<_>>());
}

async fn version(world: &World) -> u64 {
    world.database.access_data(world.a, at(0)).await.unwrap().version
}

pub(super) async fn only_who_was_suspended_leaves_and_for_good(world: World) {
    let (database, a) = (&world.database, world.a);
    let leave = offboarding(&world);
    let ask = async |farewell| leave.begin(a, &farewell, &operator()).await;
    let no_word = Farewell { reason: " ".into(), ..farewell("ash", true) };
    assert!(matches!(ask(no_word).await, Err(OffboardingError::Reason)));
    assert!(matches!(ask(farewell("birch", true)).await, Err(OffboardingError::Confirmation { .. })));
    assert!(matches!(ask(farewell("ash", true)).await, Err(OffboardingError::Served { .. })));
    assert!(database.erase(a, at(0), &entry(a)).await.is_err(), "nothing is deleted of who stays");
    assert!(leave.finish(a).await.is_err());

    database.note_export(a, at(4), &entry(a)).await.unwrap();
    database.suspend(a, Some(at(5)), &entry(a)).await.unwrap();
    let early = ask(farewell("ash", false)).await;
    assert!(
        matches!(early, Err(OffboardingError::NotExported { .. })),
        "more may have come in since: {early:?}"
    );
    database.note_export(a, at(6), &entry(a)).await.unwrap();
    let before = version(&world).await;
    let tenant = ask(farewell("ash", false)).await.unwrap();
    assert_eq!(tenant.departure.unwrap().erased_at, None);
    assert!(version(&world).await > before, "every process notices");
    assert_eq!(ask(farewell("ash", false)).await.unwrap(), tenant, "asked for again it changes nothing");

    let back = database.suspend(a, None, &entry(a)).await;
    assert!(matches!(back, Err(StoreError::Conflict { .. })), "{back:?}");
    let again = NewHospital {
        slug: tenant.slug.clone(),
        name: tenant.name.clone(),
        locality: tenant.locality.clone(),
        admin_email: "x@example.org".into(),
    };
    let store = Arc::new(database.clone());
    let onboarding = Onboarding::new(store.clone(), store, Arc::new(world.clock.clone()));
    let again = onboarding.take_aboard(&again, &operator()).await;
    assert!(matches!(again, Err(OnboardingError::Left { .. })), "its trail is not continued by another");
    let other = database.by_id(world.b).await.unwrap().unwrap();
    assert_eq!((other.suspended_since, other.departure), (None, None));
}

pub(super) async fn a_hospital_that_leaves_is_deleted_but_for_its_trail(world: World) {
    let (database, a, b) = (&world.database, world.a, world.b);
    filled(&world, a).await;
    filled(&world, b).await;
    let (before, neighbour) = (rows(&world, a).await, rows(&world, b).await);
    let held = ["patients", "devices", "users", "segments", "alarms", "twins", "data_keys", "org_units"];
    assert!(held.iter().all(|table| before.contains_key(*table)), "{before:?}");
    database.suspend(a, Some(at(5)), &entry(a)).await.unwrap();
    let leave = offboarding(&world);
    leave.begin(a, &farewell("ash", true), &operator()).await.unwrap();

    let erased = leave.finish(a).await.unwrap();
    assert_eq!((erased.keys, erased.is_new), (Shredded::DatabaseOnly, true), "this world has no shares");
    let left = rows(&world, a).await;
    assert_eq!(left.keys().map(String::as_str).collect::<Vec<_>>(), ["audit_heads", "audit_trail"]);
    assert_eq!(left["audit_trail"], before["audit_trail"] + 3, "suspended, offboarded, erased");
    assert_eq!(rows(&world, b).await, neighbour);
    let tenant = database.by_id(a).await.unwrap().unwrap();
    assert!(tenant.departure.unwrap().erased_at.is_some());
    assert!(database.login(&format!("nurse@{a}.example")).await.unwrap().is_none());
    assert!(database.login(&format!("nurse@{b}.example")).await.unwrap().is_some());
    let report = database.verify_audit(a, None).await.unwrap();
    assert_eq!((report.broken, report.whole), (None, left["audit_trail"] as u64));

    assert!(!leave.finish(a).await.unwrap().is_new);
    assert_eq!(rows(&world, a).await, left, "told once");
    assert!(world.keys.newest(a).await.unwrap().is_none());
    assert!(database.keys_of(a).await.is_err(), "nothing is sealed for it again");
    assert!(!rows(&world, a).await.contains_key("data_keys"));
    assert!(database.access_data(a, at(0)).await.unwrap().suspended);
}

pub(super) async fn an_export_holds_everything_and_no_secret(world: World) {
    let (database, a) = (&world.database, world.a);
    filled(&world, a).await;
    filled(&world, world.b).await;
    let mut lines = Lines::default();
    let exported = database.export(a, &mut lines).await.unwrap();
    assert_eq!(exported.unreadable, 0);
    let lines = lines.0;
    let count = |file: &str| lines.get(file).map_or(0, Vec::len);
    let counts = ["units", "people", "patients", "devices", "assignments", "alarms", "messages"].map(count);
    assert_eq!(counts, [2, 1, 1, 2, 1, 1, 3]);
    assert_eq!(count("audit-trail") as i64, rows(&world, a).await["audit_trail"]);
    let patient = &lines["patients"][0];
    let known = ["name", "mrn", "birthDate", "bed"].map(|field| patient[field].as_str().unwrap());
    assert_eq!(known, ["Yuri Krone", "KYR-77", "1950-02-28", "1"]);
    assert_eq!(lines["messages"][0]["payload"], json!({ "position": 1 }));
    let own = json!([{ "fingerprint": OWN.fingerprint, "notAfter": OWN.not_after, "provenAt": null }]);
    assert_eq!(lines["device-certificates"], [json!({ "deviceId": "monitor-1", "certificates": own })]);
    let said: Vec<_> = lines["messages"].iter().map(|line| line.get("userProperties").cloned()).collect();
    let properties = json!([["ward", "4 West"], ["alert", "yes"]]);
    assert!(said.contains(&Some(properties)) && said.contains(&None), "{said:?}");
    assert_eq!(lines["messages"][0]["receivedAt"], json!(at(1).to_string()));
    assert_eq!(lines["alarms"][0]["raisedAt"], json!(at(3).to_string()));
    assert!(lines["units"].iter().any(|unit| unit["kind"] == json!(UnitKind::Ward.as_str())));
    let all = serde_json::to_string(&lines).unwrap();
    assert!(!all.contains("argon2"), "a password's hash is nobody's to take along");
    assert!(!all.contains(&world.b.to_string()), "of one hospital only");

    let tx = database.begin_write(a).await.unwrap();
    let sql = "UPDATE patients SET identity = $2 WHERE tenant_id = $1";
    tx.execute_sql(sql, [(*a.as_uuid()).into(), vec![2_u8, 0, 0, 0, 9, 1].into()]).await.unwrap();
    tx.commit().await.unwrap();
    let mut lines = Lines::default();
    assert_eq!(database.export(a, &mut lines).await.unwrap().unreadable, 1);
    assert_eq!(lines.0["patients"][0]["unreadable"], json!(true));
}
