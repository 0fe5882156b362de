//! What hospitals may have, and what they have.

use ::tenants::{
    Sequence, StoreError, TenantId,
    access::Object,
    access::{Role, RoleGrant},
    account::Invitation,
    credentials::SecretHash,
    quotas::{ClientQuotas, Quotas, Stored},
    stores::{Accounts, QuotaRecords, Tenants},
};
use jiff::{Timestamp, civil::date};
use twins::store::{
    directory::{DeviceRecord, Devices, History, NewDevice},
    journal::{Journal, SetAside, TwinKey},
};

use super::{
    accounts::login,
    world::{World, at, device, entry, flat, fold, segment, tenant_id, unhurried, user_id},
};
use crate::database::Database;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

async fn set(world: &World, quotas: Quotas) {
    world.database.set_quotas(world.a, &quotas, &entry(world.a)).await.unwrap();
}

async fn stored(world: &World, tenant: TenantId, now: Timestamp) -> Stored {
    world.database.stored(tenant, now).await.unwrap()
}

fn too_much(outcome: Result<(), StoreError>) -> String {
    match outcome {
        Err(error @ StoreError::QuotaExceeded { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn quotas_are_the_default_until_somebody_says_otherwise(world: World) {
    let database = &world.database;
    let of = async |tenant| database.by_id(tenant).await.unwrap().unwrap().quotas;
    assert_eq!(of(world.a).await, Quotas::default());
    let quotas = Quotas {
        devices: 1,
        users: 2,
        messages_per_second: 3,
        device_messages_per_second: 4,
        query_cost_per_minute: Quotas::MOST,
        clients: ClientQuotas { connections: 5, packet_bytes: 2_048, ..ClientQuotas::default() },
        stored_days: Some(90),
    };
    set(&world, quotas).await;
    assert_eq!((of(world.a).await, of(world.b).await), (quotas, Quotas::default()));
    let listed = database.all().await.unwrap();
    assert_eq!(listed.iter().find(|tenant| tenant.id == world.a).unwrap().quotas, quotas);
    set(&world, Quotas::default()).await;
    assert_eq!(of(world.a).await, Quotas::default(), "kept for good again");
    let nobody = database.set_quotas(tenant_id(0xc), &quotas, &entry(tenant_id(0xc))).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })), "{nobody:?}");
}

pub(super) async fn no_more_devices_than_the_quota_and_all_or_none(world: World) {
    set(&world, Quotas { devices: 3, ..Quotas::default() }).await;
    let scope = world.write(world.a, Object::Device).await;
    let add = async |ids: &[&str]| {
        let unit = ::tenants::UnitId::root(world.a);
        let new = |id: &&str| NewDevice {
            record: DeviceRecord {
                id: device(id),
                name: "M.".into(),
                template: "dtmi:test;1".into(),
                patient: None,
                unit,
                blocked_since: None,
                gateway: None,
            },
            token: SecretHash::of(id.as_bytes()),
            audit: entry(world.a),
        };
        let devices: Vec<NewDevice> = ids.iter().map(new).collect();
        Devices::create_all(&world.database, &scope, &devices).await
    };
    add(&["one", "two"]).await.unwrap();
    let refused = too_much(add(&["three", "four"]).await);
    assert!(
        refused.starts_with("the hospital has 2 devices and may have 3: 2 more are too many"),
        "{refused}"
    );
    assert_eq!(stored(&world, world.a, at(0)).await.devices, 2, "none of them");
    add(&["three"]).await.unwrap();
    too_much(add(&["four"]).await);
    world.add_device(world.b, "four", "of the other hospital", None).await;
    set(&world, Quotas { devices: 4, ..Quotas::default() }).await;
    add(&["four"]).await.unwrap();
    set(&world, Quotas { devices: 1, ..Quotas::default() }).await;
    assert_eq!(stored(&world, world.a, at(0)).await.devices, 4, "what there is stays");
}

pub(super) async fn two_do_not_take_the_last_place_of_a_person(world: World) {
    set(&world, Quotas { users: 2, ..Quotas::default() }).await;
    let database = &world.database;
    let person = |n: u128| {
        let mut login = login(world.a, &format!("{n}@example.org"));
        login.user.id = user_id(n);
        login
    };
    database.create_user(&person(1), &[]).await.unwrap();
    let others: Vec<_> = (2..10).map(person).collect();
    let outcomes =
        futures_util::future::join_all(others.iter().map(|login| database.create_user(login, &[]))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for refused in outcomes.into_iter().filter(Result::is_err) {
        assert!(too_much(refused).starts_with("the hospital has 2 people with an account and may have 2"));
    }
    assert_eq!(stored(&world, world.a, at(0)).await.users, 2);
    let grant = RoleGrant::everywhere(world.a, Role::Nurse);
    let (invitation, _) = Invitation::new(world.a, "late@example.org".into(), grant, at(0)).unwrap();
    too_much(database.invite(&invitation, &entry(world.a)).await);
    let other = login(world.b, "other@example.org");
    database.create_user(&other, &[]).await.unwrap();
}

/// Three days of messages, an hour apart, of two devices.
async fn three_days(world: &World) {
    world.claim().await;
    for hour in 0..72_u64 {
        let time = hour as i64 * HOUR;
        world
            .commit(vec![segment(world.a, hour * 3 + 1, &[("m-1", &[time, time + 1]), ("m-2", &[time + 2])])])
            .await;
    }
    world.commit(vec![segment(world.b, 1, &[("m-1", &[0])])]).await;
}

async fn merge(world: &World) {
    let mut after = Sequence::ZERO;
    loop {
        let done = world.database.compact(world.a, after).await.unwrap();
        if !done.more && done.removed == 0 {
            return;
        }
        after = done.next;
    }
}

pub(super) async fn what_is_stored_is_counted_by_the_day(world: World) {
    three_days(&world).await;
    let before = stored(&world, world.a, at(3 * DAY)).await;
    // The first message is of 2025-12-29, 09:20 UTC.
    let days = vec![
        (date(2025, 12, 29), 45),
        (date(2025, 12, 30), 72),
        (date(2025, 12, 31), 72),
        (date(2026, 1, 1), 27),
    ];
    assert_eq!((before.messages, &before.days), (216, &days));
    assert!(before.bytes > 216);
    merge(&world).await;
    let merged = stored(&world, world.a, at(3 * DAY)).await;
    assert_eq!((merged.messages, &merged.days), (216, &days), "no segment has messages of two days");
    assert_eq!(stored(&world, world.a, at(31 * DAY)).await.days, days[2..], "of 30 days");
    assert_eq!(stored(&world, world.b, at(3 * DAY)).await.messages, 1);
}

pub(super) async fn what_is_not_kept_any_longer_is_deleted(world: World) {
    three_days(&world).await;
    let set_aside = |position: u64, time: i64| SetAside {
        device: device("m-1"),
        sequence: Sequence(position),
        received_at: at(time),
        reason: "not_json".into(),
        detail: "x".into(),
        excerpt: "x".into(),
    };
    let mut aside = fold(world.a, TwinKey::Device(device("m-1")));
    aside.set_aside = vec![set_aside(1, 0), set_aside(199, 66 * HOUR)];
    world.fold(aside).await;
    merge(&world).await;
    let database = &world.database;
    let expire = async |before: i64| database.expire(world.a, at(before), &entry(world.a)).await;

    assert_eq!(expire(2 * DAY).await.unwrap(), 0, "nothing is in a snapshot yet");
    database.checkpoint(world.a, Sequence(100)).await.unwrap();
    assert_eq!(expire(2 * DAY).await.unwrap(), 45, "of the first day; the second is not in a snapshot");
    database.checkpoint(world.a, Sequence(216)).await.unwrap();
    assert_eq!(expire(2 * DAY).await.unwrap(), 72);
    assert_eq!(expire(2 * DAY).await.unwrap(), 0, "the rest is younger");
    assert_eq!(stored(&world, world.a, at(3 * DAY)).await.messages, 99);
    assert_eq!(stored(&world, world.b, at(3 * DAY)).await.messages, 1, "the other hospital's stay");
    assert_eq!(world.database.poisonous(world.a, &device("m-1")).await.unwrap(), []);
    let tx = database.begin_read(world.a).await.unwrap();
    let aside = tx.find::<crate::entities::set_aside::Entity>();
    assert_eq!(tx.count(aside).await.unwrap(), 1, "the older one went with its message");
    drop(tx);

    // The log ends where it ended, and what is left reads as before.
    let heads = database.heads().await.unwrap();
    assert_eq!(heads.iter().find(|head| head.tenant == world.a).unwrap().head, Sequence(216));
    let (runs, next) = database.read(world.a, None, Sequence::ZERO, Sequence(216), 1_000).await.unwrap();
    assert_eq!((flat(&runs).len(), next), (99, Sequence(216)));
    let scope = world.read(world.a, Object::Device).await;
    assert!(database.sent(&scope, &device("m-1"), None, 200).await.is_ok());
    assert_eq!(expire(100 * DAY).await.unwrap(), 96);
    assert_eq!(expire(100 * DAY).await.unwrap(), 0, "the newest segment stays: it says where the log ends");
    world.commit(vec![segment(world.a, 217, &[("m-1", &[73 * HOUR])])]).await;

    let other = Database::connect(&world.url, &unhurried()).await.unwrap();
    other.claim("node-2").await.unwrap();
    let refused = expire(100 * DAY).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
}
