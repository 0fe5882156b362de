//! The past by time.

use ::tenants::{DeviceId, access::Object};
use twins::{message::DeviceRun, store::directory::History};

use super::world::{World, at, device, positions, segment};

async fn messages(world: &World, devices: &[DeviceId], span: (i64, i64), limit: usize) -> Vec<DeviceRun> {
    let scope = world.read(world.a, Object::Patient).await;
    world.database.messages(&scope, devices, at(span.0), at(span.1), limit).await.unwrap()
}

/// Three devices take turns, one message every ten milliseconds, a segment every seventh message.
async fn fill(world: &World, count: i64) {
    world.claim().await;
    let mut first = 1_u64;
    while (first as i64) <= count {
        let runs: Vec<(String, i64)> = (0..7)
            .map(|n| first as i64 + n)
            .filter(|n| *n <= count)
            .map(|n| (format!("m-{}", n % 3), n * 10))
            .collect();
        let times: Vec<[i64; 1]> = runs.iter().map(|(_, time)| [*time]).collect();
        let runs: Vec<(&str, &[i64])> =
            runs.iter().zip(&times).map(|((id, _), time)| (id.as_str(), time.as_slice())).collect();
        world.commit(vec![segment(world.a, first, &runs)]).await;
        first += runs.len() as u64;
    }
}

pub(super) async fn messages_by_time_across_segments(world: World) {
    fill(&world, 60).await;
    let all: Vec<DeviceId> = (0..3).map(|n| device(&format!("m-{n}"))).collect();
    for (since, until) in [(0, 10_000), (10, 20), (10, 11), (11, 19), (65, 145), (600, 601), (601, 900)] {
        let expected: Vec<u64> =
            (1..=60).filter(|n| (since..until).contains(&(n * 10))).map(|n| n as u64).collect();
        let found = messages(&world, &all, (since, until), 1_000).await;
        assert_eq!(positions(&found), expected, "{since}..{until}");
        let expected: Vec<u64> = expected.into_iter().filter(|n| n % 3 == 1).collect();
        let found = messages(&world, &all[1..2], (since, until), 1_000).await;
        assert_eq!(positions(&found), expected, "{since}..{until} of one device");
        assert!(found.iter().all(|run| run.device == all[1]));
    }
    assert!(messages(&world, &[], (0, 1_000), 10).await.is_empty());
    assert!(messages(&world, &[device("nobody")], (0, 1_000), 10).await.is_empty());
}

pub(super) async fn the_newest_messages_are_kept(world: World) {
    fill(&world, 400).await;
    let one = [device("m-0")];
    let expected = |until: u64, limit: usize| -> Vec<u64> {
        let all: Vec<u64> = (1..=400).filter(|n| n % 3 == 0 && n * 10 < until).collect();
        all[all.len().saturating_sub(limit)..].to_vec()
    };
    for limit in [0, 1, 2, 20, 133, 500] {
        let found = messages(&world, &one, (0, 10_000), limit).await;
        assert_eq!(positions(&found), expected(10_000, limit), "limit {limit}");
        let found = messages(&world, &one, (0, 2_000), limit).await;
        assert_eq!(positions(&found), expected(2_000, limit), "limit {limit} until 2,000");
    }
}
