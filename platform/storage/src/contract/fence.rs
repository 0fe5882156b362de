//! Who may write.

use ::tenants::{Sequence, StoreError};
use twins::store::journal::{Commit, Journal};

use super::world::{World, segment, unhurried};
use crate::database::Database;

pub(super) async fn only_the_latest_claim_may_commit(world: World) {
    let first = world.claim().await;
    world.commit(vec![segment(world.a, 1, &[("m", &[1])])]).await;

    let other = Database::connect(&world.url, &unhurried()).await.unwrap();
    assert_eq!(other.claim("node-2").await.unwrap(), first + 1);
    let late = Commit { segments: vec![segment(world.a, 2, &[("m", &[2])])], ..Commit::default() };
    let refused = world.database.commit(&late).await;
    assert!(matches!(refused, Err(StoreError::Fenced { epoch }) if epoch == first), "{refused:?}");
    assert_eq!(other.heads().await.unwrap()[0].head, Sequence(1), "nothing of it was written");
    other.commit(&late).await.unwrap();

    // Claiming again begins a new epoch, also for the same node.
    assert_eq!(world.claim().await, first + 2);
    world.commit(vec![segment(world.a, 3, &[("m", &[3])])]).await;
    assert!(matches!(other.commit(&late).await, Err(StoreError::Fenced { .. })));
}

pub(super) async fn nothing_is_committed_without_a_claim(world: World) {
    let commit = Commit { segments: vec![segment(world.a, 1, &[("m", &[1])])], ..Commit::default() };
    assert!(matches!(world.database.commit(&commit).await, Err(StoreError::Fenced { .. })));
}
