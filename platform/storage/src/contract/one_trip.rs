//! Commits of messages alone on SQLite.

use std::collections::BTreeMap;

use ::tenants::Sequence;
use twins::store::journal::{Commit, Journal, Segment};

use super::world::{World, segment};
use crate::{commit::shares, one_trip};

#[tokio::test]
async fn what_does_not_fit_is_not_written_at_all_and_nothing_is_left_open() {
    let world = World::on_sqlite().await;
    world.claim().await;
    let database = &world.database;
    let epoch = database.epoch().unwrap();
    let trip = async |epoch, segments: [Segment; 2]| {
        let commit = Commit { segments: segments.into(), ..Commit::default() };
        let shares: BTreeMap<_, _> = shares(database, &commit).unwrap();
        one_trip::write(database, epoch, &shares).await
    };
    let of_a = |first, count| segment(world.a, first, &[("x", &[0, 1, 2][..count])]);
    let of_b = |first, count| segment(world.b, first, &[("y", &[0, 1, 2][..count])]);
    assert!(trip(epoch, [of_a(1, 3), of_b(1, 1)]).await);
    for (what, epoch, segments) in [
        ("another node owns it", epoch - 1, [of_a(4, 1), of_b(2, 1)]),
        ("a gap", epoch, [of_a(5, 1), of_b(2, 1)]),
        ("an overlap in the second", epoch, [of_a(4, 1), of_b(1, 1)]),
    ] {
        assert!(!trip(epoch, segments).await, "{what}");
    }
    assert!(trip(epoch, [of_a(4, 1), of_b(2, 2)]).await, "nothing is left open");
    let heads = database.heads().await.unwrap();
    let head = |tenant| heads.iter().find(|head| head.tenant == tenant).unwrap().head;
    assert_eq!((head(world.a), head(world.b)), (Sequence(4), Sequence(3)));
}
