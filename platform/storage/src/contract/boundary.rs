//! The tenant boundary and row policies.

use ::tenants::{
    StoreError,
    access::{Action, Object},
    credentials::SecretHash,
    revocations::CredentialVersions,
    stores::{DeviceCredentials, DeviceLogin},
};
use care::Priority;
use twins::store::{
    directory::{AlarmFilter, Alarms, Devices, History, PageRequest, Patients, Rules},
    journal::TwinKey,
};

use super::world::{World, alarm, at, device, entry, fold, patient, patient_id, segment};

fn page() -> PageRequest {
    PageRequest { first: 50, count: true, ..PageRequest::default() }
}

pub(super) async fn equal_ids_in_two_tenants_do_not_meet(world: World) {
    let database = &world.database;
    world.claim().await;
    for (tenant, name) in [(world.a, "Ash"), (world.b, "Birch")] {
        world.add_patient(tenant, &patient(1, name, "1", (name, "1"))).await;
        world.add_device(tenant, "monitor", name, Some(patient_id(1))).await;
    }
    let mut theirs = fold(world.b, TwinKey::Device(device("monitor")));
    theirs.alarms.push(alarm(1, "monitor", Priority::High, 0));
    world.fold(theirs).await;
    world.commit(vec![segment(world.b, 1, &[("monitor", &[1, 2])])]).await;

    for (tenant, name, alarms) in [(world.a, "Ash", 0), (world.b, "Birch", 1)] {
        let scope = world.read(tenant, Object::Device).await;
        let devices = Devices::page(database, &scope, &page()).await.unwrap();
        assert_eq!((devices.total, devices.rows[0].1.name.as_str()), (Some(1), name));
        let found = Devices::by_ids(database, &scope, &[device("monitor")]).await.unwrap();
        assert_eq!(found[0].name, name);
        let found = Devices::by_patients(database, &scope, &[patient_id(1)]).await.unwrap();
        assert_eq!(found[0].name, name);
        let scope = world.read(tenant, Object::Patient).await;
        let patients = Patients::page(database, &scope, &page()).await.unwrap();
        assert_eq!((patients.total, patients.rows[0].1.name.as_deref()), (Some(1), Some(name)));
        let scope = world.read(tenant, Object::Alarm).await;
        let found = Alarms::page(database, &scope, &AlarmFilter::default(), &page()).await.unwrap();
        assert_eq!(found.total, Some(alarms));
        assert_eq!(database.open_of_patients(&scope, &[patient_id(1)]).await.unwrap().len() as u64, alarms);
        let runs = database.messages(&scope, &[device("monitor")], at(0), at(10), 10).await.unwrap();
        assert_eq!(runs.len() as u64, alarms, "messages");
    }
}

pub(super) async fn a_row_policy_covers_only_its_rows(world: World) {
    let database = &world.database;
    world.claim().await;
    for id in ["monitor-1", "monitor-2"] {
        world.add_device(world.a, id, id, None).await;
    }
    world.commit(vec![segment(world.a, 1, &[("monitor-1", &[1]), ("monitor-2", &[2])])]).await;
    let login = |id: &str| DeviceLogin {
        device: device(id),
        token: SecretHash::of(id.as_bytes()),
        certificates: Vec::new(),
        blocked: false,
        behind: Vec::new(),
    };
    let own = world.access.device(world.a, &device("monitor-1"));
    let both = [device("monitor-1"), device("monitor-2")];
    let devices = Devices::page(database, &own, &page()).await.unwrap();
    assert_eq!((devices.total, devices.rows.len()), (Some(1), 1));
    assert_eq!(Devices::by_ids(database, &own, &both).await.unwrap().len(), 1);
    let runs = database.messages(&own, &both, at(0), at(10), 10).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.device.as_str()).collect::<Vec<_>>(), ["monitor-1"]);
    assert_eq!(
        database.device_logins(world.a, &[device("monitor-1"), device("nobody")]).await.unwrap(),
        [login("monitor-1")]
    );
    assert_eq!(database.device_logins(world.b, &[device("monitor-1")]).await.unwrap(), []);
    let of_token = async |tenant, token: &str| {
        database.device_of_token(tenant, &SecretHash::of(token.as_bytes())).await.unwrap()
    };
    assert_eq!(of_token(world.a, "monitor-2").await, Some(login("monitor-2")));
    assert_eq!(of_token(world.a, "nothing").await, None);
    assert_eq!(of_token(world.b, "monitor-2").await, None);

    // Whoever covers some rows only changes those.
    let entry = entry(world.a);
    let write = world.write(world.a, Object::Device).await;
    let other = device("monitor-2");
    for refused in [
        database.block(&own, &other, Some(at(1)), &entry).await,
        database.renew_token(&own, &other, &SecretHash::of(b"new"), &entry).await,
        database.block(&world.write(world.b, Object::Device).await, &other, Some(at(1)), &entry).await,
    ] {
        assert!(matches!(refused, Err(StoreError::NotFound { what: "device" })), "{refused:?}");
    }
    let versions = async || {
        let all = database.credential_versions().await.unwrap();
        all.into_iter().find(|(tenant, _)| *tenant == world.a).unwrap().1
    };
    let before = versions().await;
    for _ in 0..2 {
        database.block(&write, &other, Some(at(1)), &entry).await.unwrap();
    }
    assert_eq!(versions().await, before + 1, "told once");
    assert_eq!(
        of_token(world.a, "monitor-2").await,
        Some(DeviceLogin { blocked: true, ..login("monitor-2") })
    );
    let records = Devices::by_ids(database, &write, &both).await.unwrap();
    let since = |id: &str| records.iter().find(|record| record.id.as_str() == id).unwrap().blocked_since;
    assert_eq!([since("monitor-1"), since("monitor-2")], [None, Some(at(1))]);
    database.renew_token(&write, &other, &SecretHash::of(b"new"), &entry).await.unwrap();
    database.block(&write, &other, None, &entry).await.unwrap();
    assert_eq!(of_token(world.a, "monitor-2").await, None);
    let gateway = |of: &'static str, through: Option<&'static str>| {
        let (of, through, write, entry) = (device(of), through.map(device), &write, &entry);
        async move { database.set_gateway(write, &of, through.as_ref(), entry).await }
    };
    gateway("monitor-1", Some("monitor-2")).await.unwrap();
    let behind = Devices::behind(database, &write, &other).await.unwrap();
    assert_eq!(behind.iter().map(|of| of.id.as_str()).collect::<Vec<_>>(), ["monitor-1"]);
    let gateways = database.device_logins(world.a, &both).await.unwrap();
    let through: Vec<_> = gateways.iter().map(|login| (login.device.as_str(), login.behind.len())).collect();
    assert!(through.contains(&("monitor-1", 0)) && through.contains(&("monitor-2", 1)), "{through:?}");
    database.block(&write, &device("monitor-1"), Some(at(1)), &entry).await.unwrap();
    let gateway_login = database.device_logins(world.a, std::slice::from_ref(&other)).await.unwrap();
    assert_eq!(gateway_login[0].behind, [], "nobody speaks for one that is blocked");
    database.block(&write, &device("monitor-1"), None, &entry).await.unwrap();
    for (of, through) in [("monitor-2", "monitor-1"), ("monitor-2", "monitor-2")] {
        let refused = gateway(of, Some(through)).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{of} through {through}: {refused:?}");
    }
    let refused = database.set_gateway(&own, &device("monitor-1"), Some(&other), &entry).await;
    assert!(matches!(refused, Err(StoreError::NotFound { .. })), "through one outside the rows: {refused:?}");
    gateway("monitor-1", None).await.unwrap();
    assert!(Devices::behind(database, &write, &other).await.unwrap().is_empty());
    let renewed = DeviceLogin { token: SecretHash::of(b"new"), ..login("monitor-2") };
    assert_eq!(of_token(world.a, "new").await, Some(renewed));
}

pub(super) async fn a_policy_on_a_column_that_the_table_lacks_matches_nothing(world: World) {
    let database = &world.database;
    world.add_patient(world.a, &patient(1, "Ash", "1", ("W", "1"))).await;
    // A device's scope is about `device.id`, which patients and rules do not have.
    let own = world.access.device(world.a, &device("monitor-1"));
    assert_eq!(own.permission().action, Action::Publish);
    assert_eq!(Patients::page(database, &own, &page()).await.unwrap().total, Some(0));
    assert!(Patients::by_ids(database, &own, &[patient_id(1)]).await.unwrap().is_empty());
    assert!(Rules::all(database, &own).await.unwrap().is_empty());
}
