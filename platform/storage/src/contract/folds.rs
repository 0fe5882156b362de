//! What folds leave behind.

use ::tenants::{CorrelationId, Sequence, access::Object, stores::Accounts};
use care::{Acknowledgement, Alarm, AlarmState, Priority};
use twins::store::{
    directory::{AlarmFilter, Alarms, Devices, PageRequest},
    journal::{Commit, Fold, Journal, OutboxEntry, SetAside, Snapshot, TwinKey},
};
use uuid::Uuid;

use super::world::{World, alarm, at, device, entry, fold, user_id};
use crate::entities::{audit, outbox};

fn acknowledged(alarm: &Alarm) -> Alarm {
    let acknowledged =
        Acknowledgement { by: user_id(7), by_name: "Nurse".into(), at: at(5), note: Some("seen".into()) };
    Alarm {
        state: AlarmState::Acknowledged,
        acknowledged: Some(acknowledged),
        version: alarm.version + 1,
        ..alarm.clone()
    }
}

fn snapshot(cursor: u64, state: &[u8]) -> Option<Snapshot> {
    Some(Snapshot { cursor: Sequence(cursor), state: state.to_vec(), quarantine: None })
}

fn set_aside(sequence: u64, reason: &str) -> SetAside {
    SetAside {
        device: device("monitor"),
        sequence: Sequence(sequence),
        received_at: at(0),
        reason: reason.into(),
        detail: "at line 1".into(),
        excerpt: "{".into(),
    }
}

/// A fold that leaves one of everything behind.
fn whole(world: &World) -> Fold {
    let mut whole = fold(world.a, TwinKey::Device(device("monitor")));
    whole.snapshot = snapshot(5, b"five");
    whole.alarms.push(alarm(1, "monitor", Priority::High, 0));
    whole.set_aside = vec![set_aside(3, "not_json"), set_aside(4, "handler_panicked")];
    whole.outbox.push(OutboxEntry {
        id: Uuid::from_u128(3),
        topic: "alarm.raised".into(),
        payload: b"{}".to_vec(),
        at: at(0),
        correlation: CorrelationId(u64::MAX),
    });
    whole.audit.push((Uuid::from_u128(4), entry(world.a)));
    whole
}

async fn alarm_now(world: &World, id: u128) -> Alarm {
    let scope = world.read(world.a, Object::Alarm).await;
    let ids = [alarm(id, "monitor", Priority::High, 0).id];
    Alarms::by_ids(&world.database, &scope, &ids).await.unwrap().remove(0)
}

async fn snapshot_now(world: &World) -> Option<Snapshot> {
    world.database.snapshot(world.a, &TwinKey::Device(device("monitor"))).await.unwrap()
}

pub(super) async fn folding_again_changes_nothing(world: World) {
    let database = &world.database;
    world.claim().await;
    assert_eq!(snapshot_now(&world).await, None);
    let first = whole(&world);
    let mut second = fold(world.a, TwinKey::Device(device("monitor")));
    second.snapshot = snapshot(9, b"nine");
    second.alarms.push(acknowledged(&first.alarms[0]));
    world.fold(first.clone()).await;
    assert_eq!(alarm_now(&world, 1).await, first.alarms[0]);
    world.fold(second.clone()).await;
    world.fold(first.clone()).await;
    assert_eq!(alarm_now(&world, 1).await, second.alarms[0], "an older version came back");
    assert_eq!(snapshot_now(&world).await, second.snapshot, "an older snapshot came back");
    second.snapshot = snapshot(9, b"nine again");
    world.fold(second.clone()).await;
    assert_eq!(snapshot_now(&world).await, second.snapshot, "one of the same position replaces");

    let scope = world.read(world.a, Object::Device).await;
    let aside = Devices::set_aside(database, &scope, &device("monitor"), 10).await.unwrap();
    assert_eq!(aside, [set_aside(4, "handler_panicked"), set_aside(3, "not_json")]);
    assert_eq!(Devices::set_aside(database, &scope, &device("monitor"), 1).await.unwrap().len(), 1);
    assert_eq!(database.poisonous(world.a, &device("monitor")).await.unwrap(), [Sequence(4)]);
    assert!(database.poisonous(world.b, &device("monitor")).await.unwrap().is_empty());
    let tx = database.begin_read(world.a).await.unwrap();
    assert_eq!(tx.count(tx.find::<outbox::Entity>()).await.unwrap(), 1);
    assert_eq!(tx.count(tx.find::<audit::Entity>()).await.unwrap(), 2, "the tenant's and the fold's");
}

pub(super) async fn the_newest_of_one_commit_is_kept(world: World) {
    world.claim().await;
    let mut first = fold(world.a, TwinKey::Device(device("monitor")));
    first.alarms.push(alarm(1, "monitor", Priority::High, 0));
    first.snapshot = snapshot(1, b"one");
    let mut second = first.clone();
    second.alarms = vec![acknowledged(&first.alarms[0])];
    second.snapshot = snapshot(2, b"two");
    for folds in [vec![first.clone(), second.clone()], vec![second.clone(), first.clone()]] {
        world.database.commit(&Commit { folds, ..Commit::default() }).await.unwrap();
        assert_eq!(alarm_now(&world, 1).await, second.alarms[0]);
        assert_eq!(snapshot_now(&world).await, second.snapshot);
    }
}

pub(super) async fn text_that_postgres_cannot_hold_is_made_storable(world: World) {
    world.claim().await;
    let mut odd = whole(&world);
    odd.set_aside[0].excerpt = "a\0b".into();
    odd.alarms[0].title = "x\0".into();
    odd.snapshot = Some(Snapshot { quarantine: Some("why\0".into()), ..odd.snapshot.unwrap() });
    world.fold(odd).await;
    assert_eq!(alarm_now(&world, 1).await.title, "x\u{fffd}");
    assert_eq!(snapshot_now(&world).await.unwrap().quarantine.as_deref(), Some("why\u{fffd}"));

    // Nor may what is looked for fail.
    assert!(world.database.login("a\0@example.org").await.unwrap().is_none());
    let scope = world.read(world.a, Object::Alarm).await;
    let odd = PageRequest { first: 5, after: None, search: Some("\0".into()), count: true };
    let found = Alarms::page(&world.database, &scope, &AlarmFilter::default(), &odd).await.unwrap();
    assert_eq!(found.total, Some(1));
}

pub(super) async fn many_rows_in_one_commit(world: World) {
    world.claim().await;
    let folds = (0..333_u128).map(|n| {
        let mut one = fold(world.a, TwinKey::Device(device(&format!("m-{n}"))));
        one.snapshot = snapshot(1, &[7; 500]);
        one.alarms.push(alarm(n, "monitor", Priority::Low, 0));
        one
    });
    let folds: Vec<Fold> = folds.collect();
    world.database.commit(&Commit { folds, ..Commit::default() }).await.unwrap();
    for n in [0, 63, 64, 200, 332] {
        assert_eq!(alarm_now(&world, n).await.title, format!("Alarm {n}"));
        let twin = TwinKey::Device(device(&format!("m-{n}")));
        assert!(world.database.snapshot(world.a, &twin).await.unwrap().is_some());
    }
}
