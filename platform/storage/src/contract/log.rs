//! The log as recovery reads it.

use ::tenants::{DeviceId, Sequence, StoreError};
use twins::{
    message::DeviceRun,
    store::journal::{Commit, Journal, LogHead, Segment},
};

use super::world::{World, device, flat, positions, segment};

/// Reads page by page, as recovery does.
async fn read_all(
    world: &World,
    devices: Option<&[DeviceId]>,
    after: u64,
    until: u64,
    limit: usize,
) -> (Vec<DeviceRun>, usize) {
    let (mut runs, mut place, mut pages) = (Vec::new(), Sequence(after), 0);
    while place < Sequence(until) {
        let (page, next) =
            world.database.read(world.a, devices, place, Sequence(until), limit).await.unwrap();
        assert!(next > place, "no way forward from {place}");
        (place, pages) = (next, pages + 1);
        runs.extend(page);
    }
    assert_eq!(place, Sequence(until));
    (runs, pages)
}

fn three(world: &World) -> [Segment; 3] {
    [
        segment(world.a, 1, &[("x", &[0, 1]), ("y", &[2]), ("x", &[3])]),
        segment(world.a, 5, &[("y", &[4, 5])]),
        segment(world.a, 7, &[("z", &[6]), ("x", &[7, 8, 9])]),
    ]
}

pub(super) async fn messages_come_back_as_they_were(world: World) {
    world.claim().await;
    let segments = three(&world);
    for segment in &segments {
        world.commit(vec![segment.clone(), segment_of_b(&world, segment)]).await;
    }
    let all: Vec<_> = segments.iter().flat_map(|segment| flat(&segment.runs)).collect();
    let (runs, _) = read_all(&world, None, 0, 10, 1_000).await;
    assert_eq!(flat(&runs), all);
    for after in 0..10_u64 {
        for until in after..=10 {
            let (runs, _) = read_all(&world, None, after, until, 1_000).await;
            assert_eq!(flat(&runs), all[after as usize..until as usize], "{after}..={until}");
            let (runs, _) = read_all(&world, Some(&[device("x"), device("z")]), after, until, 1).await;
            let wanted = |(id, _): &&(DeviceId, _)| *id != device("y");
            let expected: Vec<_> = all[after as usize..until as usize].iter().filter(wanted).collect();
            assert_eq!(flat(&runs).iter().collect::<Vec<_>>(), expected, "{after}..={until}");
        }
    }
    let (runs, _) = read_all(&world, Some(&[device("nobody")]), 0, 50, 10).await;
    assert!(runs.is_empty());
}

/// The other hospital's log, which must never show.
fn segment_of_b(world: &World, of_a: &Segment) -> Segment {
    Segment { tenant: world.b, ..of_a.clone() }
}

pub(super) async fn a_page_of_the_log_ends_with_a_segment(world: World) {
    world.claim().await;
    world.commit(Vec::new()).await;
    for segment in three(&world) {
        world.commit(vec![segment]).await;
    }
    let page = |after, limit| world.database.read(world.a, None, Sequence(after), Sequence(10), limit);
    let (runs, next) = page(0, 1).await.unwrap();
    assert_eq!((positions(&runs), next), (vec![1, 2, 3, 4], Sequence(4)));
    let (runs, next) = page(0, 5).await.unwrap();
    assert_eq!((positions(&runs), next), ((1..=6).collect(), Sequence(6)));
    let (runs, next) = page(6, 4).await.unwrap();
    assert_eq!((positions(&runs), next), ((7..=10).collect(), Sequence(10)));
    let (runs, next) = page(10, 5).await.unwrap();
    assert_eq!((positions(&runs), next), (vec![], Sequence(10)));
}

pub(super) async fn a_commit_may_be_tried_again(world: World) {
    world.claim().await;
    let [first, second, _] = three(&world);
    for segment in [&first, &first, &second, &second, &second] {
        world.commit(vec![segment.clone()]).await;
    }
    let (runs, _) = read_all(&world, None, 0, 6, 100).await;
    assert_eq!(positions(&runs), (1..=6).collect::<Vec<_>>());
}

pub(super) async fn a_gap_or_an_overlap_is_refused(world: World) {
    world.claim().await;
    let [first, second, third] = three(&world);
    let commit = |segment: &Segment| Commit { segments: vec![segment.clone()], ..Commit::default() };
    let refuse = async |segment: &Segment| {
        let refused = world.database.commit(&commit(segment)).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    };
    refuse(&second).await;
    world.commit(vec![first.clone()]).await;
    refuse(&third).await;
    // The same place, other messages.
    refuse(&segment(world.a, 1, &[("x", &[0, 1, 2, 3])])).await;
    refuse(&segment(world.a, 3, &[("x", &[0, 1, 2, 3])])).await;
    world.commit(vec![second]).await;
    refuse(&first_with_another_payload(&first)).await;
    let (runs, _) = read_all(&world, None, 0, 6, 100).await;
    assert_eq!(positions(&runs), (1..=6).collect::<Vec<_>>());
}

fn first_with_another_payload(segment: &Segment) -> Segment {
    let mut other = segment.clone();
    other.runs[0].messages[0].payload = bytes::Bytes::from_static(b"{\"position\":9}");
    other
}

pub(super) async fn devices_with_messages_after_a_position(world: World) {
    world.claim().await;
    for segment in three(&world) {
        world.commit(vec![segment]).await;
    }
    for (after, expected) in [
        (0, vec![("x", 10), ("y", 6), ("z", 7)]),
        (4, vec![("x", 10), ("y", 6), ("z", 7)]),
        (6, vec![("x", 10), ("z", 7)]),
        (7, vec![("x", 10)]),
        (10, vec![]),
    ] {
        let mut found = world.database.devices_after(world.a, Sequence(after)).await.unwrap();
        found.sort();
        let expected: Vec<_> = expected.into_iter().map(|(id, last)| (device(id), Sequence(last))).collect();
        assert_eq!(found, expected, "after {after}");
    }
    assert!(world.database.devices_after(world.b, Sequence::ZERO).await.unwrap().is_empty());
}

pub(super) async fn where_each_log_ends(world: World) {
    let database = &world.database;
    world.claim().await;
    let head =
        |tenant, head, checkpoint| LogHead { tenant, head: Sequence(head), checkpoint: Sequence(checkpoint) };
    assert_eq!(database.heads().await.unwrap(), [head(world.a, 0, 0), head(world.b, 0, 0)]);
    world.commit(vec![segment(world.b, 1, &[("x", &[0, 1, 2])])]).await;
    database.checkpoint(world.b, Sequence(2)).await.unwrap();
    database.checkpoint(world.b, Sequence(1)).await.unwrap();
    assert_eq!(database.heads().await.unwrap(), [head(world.a, 0, 0), head(world.b, 3, 2)]);
}
