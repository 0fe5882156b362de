//! Registering devices, patients and rules.

use ::rules::{Comparison, Condition, Rule};
use ::tenants::{
    PatientId, RuleId, StoreError, TenantId, UnitId, access::Object, credentials::SecretHash,
    stores::AuditTrail,
};
use care::Priority;
use jiff::SignedDuration;
use readings::{Path, Unit};
use twins::store::{
    directory::{DeviceRecord, Devices, NewDevice, PatientRecord, Patients, Rules},
    journal::{DeviceContext, Journal},
};
use uuid::Uuid;

use super::world::{World, device, entry, patient, patient_id};
use crate::entities::audit;

async fn trail(world: &World, tenant: TenantId) -> u64 {
    let tx = world.database.begin_read(tenant).await.unwrap();
    tx.count(tx.find::<audit::Entity>()).await.unwrap()
}

pub(super) async fn what_is_taken_is_a_conflict(world: World) {
    let database = &world.database;
    world.add_device(world.a, "m-1", "One", None).await;
    world.add_patient(world.a, &patient(1, "N. N.", "77", ("W", "1"))).await;
    let before = trail(&world, world.a).await;

    let add = async |tenant, id: &str, patient: Option<PatientId>| {
        let record = DeviceRecord {
            id: device(id),
            name: "Other".into(),
            template: "t".into(),
            patient,
            unit: UnitId::root(tenant),
            blocked_since: None,
            gateway: None,
        };
        let scope = world.write(tenant, Object::Device).await;
        Devices::create(database, &scope, &record, &SecretHash::of(b"x"), &entry(tenant)).await
    };
    assert!(matches!(add(world.a, "m-1", None).await, Err(StoreError::Conflict { .. })));
    let unknown = add(world.a, "m-2", Some(patient_id(2))).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { what: "patient" })), "{unknown:?}");
    let theirs = add(world.b, "m-2", Some(patient_id(1))).await;
    assert!(matches!(theirs, Err(StoreError::NotFound { what: "patient" })), "a patient of another tenant");
    let scope = world.write(world.a, Object::Patient).await;
    for taken in [patient(1, "A", "78", ("W", "2")), patient(2, "B", "77", ("W", "2"))] {
        let taken = PatientRecord { unit: UnitId::root(world.a), ..taken };
        let refused = Patients::create(database, &scope, &taken, &entry(world.a)).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    }
    assert_eq!(trail(&world, world.a).await, before, "what was refused left no trace");
    let read = world.read(world.a, Object::Device).await;
    let found = Devices::by_ids(database, &read, &[device("m-1"), device("m-2")]).await.unwrap();
    assert_eq!(found.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["One"]);

    database.append(&[entry(world.a), entry(world.b), entry(world.a)]).await.unwrap();
    assert_eq!(trail(&world, world.a).await, before + 2);
}

fn rule(name: &str, version: u32) -> Rule {
    Rule {
        id: RuleId::from_uuid(Uuid::from_u128(1)),
        name: name.into(),
        path: Path::parse("heartRate").unwrap(),
        raise: Condition { comparison: Comparison::AtLeast, value: 130.25 },
        hold: SignedDuration::from_millis(2_500),
        clear: Condition { comparison: Comparison::Below, value: 120.0 },
        clear_hold: SignedDuration::from_secs(86_400),
        unit: Some(Unit::parse("/min").unwrap()),
        priority: Priority::Medium,
        enabled: version != 2,
        version,
    }
}

pub(super) async fn many_devices_at_once_or_none(world: World) {
    let database = &world.database;
    let before = trail(&world, world.a).await;
    let scope = world.write(world.a, Object::Device).await;
    let new = |id: &str| NewDevice {
        record: DeviceRecord {
            id: device(id),
            name: id.into(),
            template: "dtmi:test;1".into(),
            patient: None,
            unit: UnitId::root(world.a),
            blocked_since: None,
            gateway: None,
        },
        token: SecretHash::of(id.as_bytes()),
        audit: entry(world.a),
    };
    let refused = database.create_all(&scope, &[new("m-1"), new("m-2"), new("m-1")]).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    let ids = [device("m-1"), device("m-2")];
    assert!(Devices::by_ids(database, &scope, &ids).await.unwrap().is_empty());
    assert_eq!(trail(&world, world.a).await, before);
    database.create_all(&scope, &[new("m-1"), new("m-2")]).await.unwrap();
    assert_eq!(Devices::by_ids(database, &scope, &ids).await.unwrap().len(), 2);
    assert_eq!(trail(&world, world.a).await, before + 2);
}

pub(super) async fn a_rule_is_replaced_by_its_next_version_only(world: World) {
    let database = &world.database;
    let before = trail(&world, world.a).await;
    let scope = world.write(world.a, Object::Rule).await;
    let save = async |rule: &Rule| Rules::save(database, &scope, rule, &entry(world.a)).await;
    let conflict = |result: Result<(), StoreError>| matches!(result, Err(StoreError::Conflict { .. }));
    assert!(conflict(save(&rule("early", 2)).await));
    save(&rule("first", 1)).await.unwrap();
    assert!(conflict(save(&rule("again", 1)).await));
    assert!(conflict(save(&rule("too far", 3)).await));
    save(&rule("second", 2)).await.unwrap();
    assert!(conflict(save(&rule("late", 2)).await));
    assert_eq!(Journal::rules(database, world.a).await.unwrap(), [rule("second", 2)]);
    assert!(Journal::rules(database, world.b).await.unwrap().is_empty());
    assert_eq!(trail(&world, world.a).await, before + 2);

    let another = Rule { id: RuleId::from_uuid(Uuid::from_u128(2)), unit: None, ..rule("a", 1) };
    save(&another).await.unwrap();
    let read = world.read(world.a, Object::Rule).await;
    assert_eq!(Rules::all(database, &read).await.unwrap(), [another, rule("second", 2)]);
    // The same id in another tenant is another rule.
    let theirs = world.write(world.b, Object::Rule).await;
    Rules::save(database, &theirs, &rule("theirs", 1), &entry(world.b)).await.unwrap();
    assert_eq!(Journal::rules(database, world.a).await.unwrap()[1], rule("second", 2));
}

pub(super) async fn devices_and_whom_they_measure(world: World) {
    let database = &world.database;
    for n in [1, 2] {
        world.add_patient(world.a, &patient(n, "N. N.", &n.to_string(), ("W", "1"))).await;
    }
    world.add_device(world.a, "m-1", "One", Some(patient_id(1))).await;
    world.add_device(world.a, "m-2", "Two", Some(patient_id(1))).await;
    world.add_device(world.a, "m-3", "Three", None).await;
    let context = |patient| Some(DeviceContext { template: "dtmi:test;1".into(), patient });
    let of = async |tenant, id| Journal::device(database, tenant, &device(id)).await.unwrap();
    assert_eq!(of(world.a, "m-1").await, context(Some(patient_id(1))));
    assert_eq!(of(world.a, "m-3").await, context(None));
    assert_eq!(of(world.a, "m-4").await, None);
    assert_eq!(of(world.b, "m-1").await, None);
    let devices = database.devices_of(world.a, patient_id(1)).await.unwrap();
    assert_eq!(devices, [device("m-1"), device("m-2")]);
    assert!(database.devices_of(world.a, patient_id(2)).await.unwrap().is_empty());
    let scope = world.read(world.a, Object::Device).await;
    let found = Devices::by_patients(database, &scope, &[patient_id(1), patient_id(2)]).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|row| row.patient == Some(patient_id(1))));
}
