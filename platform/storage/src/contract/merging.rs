//! Merging small segments.

use ::tenants::{Sequence, StoreError, access::Object};
use twins::store::{directory::History, journal::Journal};

use super::world::{World, at, device, flat, segment, unhurried};
use crate::database::Database;

const SEGMENTS: u64 = 700;

/// Three messages a segment, of devices that take turns.
async fn fill(world: &World) {
    world.claim().await;
    for n in 0..SEGMENTS {
        let time = n as i64 * 30;
        let (one, two) = (format!("m-{}", n % 5), format!("m-{}", n % 7));
        let runs: [(&str, &[i64]); 2] = [(&one, &[time, time + 10]), (&two, &[time + 20])];
        world.commit(vec![segment(world.a, n * 3 + 1, &runs)]).await;
    }
}

/// Everything that a reader may ask, as text.
async fn reads(world: &World) -> Vec<String> {
    let database = &world.database;
    let mut answers = Vec::new();
    let two = [device("m-2"), device("m-5")];
    for (after, until) in [(0, 2_100), (1, 5), (100, 101), (500, 1_700), (2_098, 2_100)] {
        for devices in [None, Some(two.as_slice())] {
            let (mut place, mut all) = (Sequence(after), Vec::new());
            while place < Sequence(until) {
                let (runs, next) =
                    database.read(world.a, devices, place, Sequence(until), 300).await.unwrap();
                all.extend(flat(&runs));
                place = next;
            }
            answers.push(format!("{all:?}"));
        }
        let mut last = database.devices_after(world.a, Sequence(after)).await.unwrap();
        last.sort();
        answers.push(format!("{last:?}"));
    }
    let scope = world.read(world.a, Object::Patient).await;
    for (since, until, limit) in
        [(0, 30_000, 10_000), (0, 30_000, 10), (1_000, 1_600, 50), (9_995, 10_005, 5)]
    {
        let runs = database.messages(&scope, &two, at(since), at(until), limit).await.unwrap();
        answers.push(format!("{:?}", flat(&runs)));
    }
    answers.push(format!("{:?}", database.heads().await.unwrap()));
    answers
}

async fn rows(world: &World) -> i64 {
    let tx = world.database.begin_read(world.a).await.unwrap();
    let sql = "SELECT count(*) FROM segments WHERE tenant_id = $1";
    let rows = tx.query_sql(sql, [(*world.a.as_uuid()).into()]).await.unwrap();
    rows[0].try_get_by_index(0).unwrap()
}

pub(super) async fn merging_changes_no_read(world: World) {
    fill(&world).await;
    let before = reads(&world).await;
    let (mut place, mut calls) = (Sequence::ZERO, 0);
    loop {
        let done = world.database.compact(world.a, place).await.unwrap();
        place = done.next;
        calls += 1;
        assert!(calls < 20, "no end of merging");
        if !done.more && done.removed == 0 {
            break;
        }
    }
    assert!(rows(&world).await < 80, "{} rows are left of {SEGMENTS}", rows(&world).await);
    assert_eq!(reads(&world).await, before);
    // The log goes on where it ended.
    world.commit(vec![segment(world.a, SEGMENTS * 3 + 1, &[("m-1", &[1])])]).await;
}

pub(super) async fn merging_is_for_the_owner_only(world: World) {
    fill(&world).await;
    let other = Database::connect(&world.url, &unhurried()).await.unwrap();
    other.claim("node-2").await.unwrap();
    let refused = world.database.compact(world.a, Sequence::ZERO).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    assert_eq!(rows(&world).await, SEGMENTS as i64);
}
