//! What outlives a connection of MQTT.

use ::tenants::{
    MailboxId, StoreError, TenantId,
    messaging::{Kept, Mailbox, MailboxChange, Mailboxes, Publications, Received, Share},
};
use twins::store::journal::{Commit, Journal};
use uuid::Uuid;

use super::world::{World, at, segment, unhurried};
use crate::database::Database;

fn mailbox(n: u128) -> Mailbox {
    Mailbox {
        id: MailboxId::from_uuid(Uuid::from_u128(n)),
        owner: format!("d:monitor-{n}"),
        client_id: "c\u{e9}".into(),
        left_at: None,
        standing: b"standing".to_vec(),
        flight: b"flight".to_vec(),
    }
}

fn publications(first: u64, last: u64) -> Publications {
    Publications { first, last, messages: vec![u8::try_from(first).unwrap(); 100] }
}

async fn of(world: &World, tenant: TenantId) -> Kept {
    let all = world.database.kept().await.unwrap();
    all.into_iter().find(|(found, _)| *found == tenant).unwrap().1
}

async fn keep(world: &World, tenant: TenantId, share: Share) {
    world.database.keep(&[(tenant, share)]).await.unwrap();
}

pub(super) async fn sessions_are_kept_and_changed_and_end(world: World) {
    world.database.claim("n").await.unwrap();
    assert_eq!(of(&world, world.a).await, Kept::default());
    let (one, two) = (mailbox(1), mailbox(2));
    let received = |packet_id| Received { mailbox: one.id, packet_id };
    let put = vec![MailboxChange::Put(one.clone()), MailboxChange::Put(two.clone())];
    let share = Share { mailboxes: put, received: vec![received(7), received(65_535)], ..Share::default() };
    for _ in 0..2 {
        keep(&world, world.a, share.clone()).await; // again is no error
    }
    // The other hospital's session of the same key is another.
    let other = Share { mailboxes: vec![MailboxChange::Put(mailbox(1))], ..Share::default() };
    keep(&world, world.b, other).await;
    let found = of(&world, world.a).await;
    assert_eq!(found.mailboxes, [one.clone(), two.clone()]);
    assert_eq!(found.received, [received(7), received(65_535)]);
    let left =
        Mailbox { left_at: Some(at(9)), standing: b"x".to_vec(), flight: b"y".to_vec(), ..one.clone() };
    let changes =
        vec![MailboxChange::Put(left.clone()), MailboxChange::Flight { id: two.id, flight: b"z".to_vec() }];
    let released = vec![received(7), received(8)];
    keep(&world, world.a, Share { mailboxes: changes, released, ..Share::default() }).await;
    let found = of(&world, world.a).await;
    assert_eq!(found.mailboxes, [left, Mailbox { flight: b"z".to_vec(), ..two.clone() }]);
    assert_eq!(found.received, [received(65_535)]);
    let gone = vec![MailboxChange::Gone(one.id), MailboxChange::Gone(mailbox(3).id)];
    keep(&world, world.a, Share { mailboxes: gone, ..Share::default() }).await;
    let found = of(&world, world.a).await;
    assert_eq!((found.mailboxes.len(), found.received.len()), (1, 0));
    assert_eq!(of(&world, world.b).await.mailboxes, [mailbox(1)]);
}

pub(super) async fn what_a_device_sent_is_received_in_its_commit(world: World) {
    world.claim().await;
    let received = Received { mailbox: mailbox(1).id, packet_id: 9 };
    let commit = Commit {
        segments: vec![segment(world.a, 1, &[("m-1", &[1])])],
        received: vec![(world.a, received), (world.b, received)],
        ..Commit::default()
    };
    for _ in 0..2 {
        world.database.commit(&commit).await.unwrap(); // it may be tried again
    }
    assert_eq!(of(&world, world.a).await.received, [received]);
    assert_eq!(of(&world, world.b).await.received, [received], "of its own hospital");
    let gap = Commit {
        segments: vec![segment(world.a, 3, &[("m-1", &[3])])],
        received: vec![(world.a, Received { packet_id: 10, ..received })],
        ..Commit::default()
    };
    assert!(world.database.commit(&gap).await.is_err());
    assert_eq!(of(&world, world.a).await.received, [received], "nothing of a commit that fails");
}

pub(super) async fn retained_messages_are_replaced_and_removed(world: World) {
    world.database.claim("n").await.unwrap();
    let message = |topic: &str, bytes: &[u8]| (topic.to_owned(), Some(bytes.to_vec()));
    let first = vec![message("b", b"1"), message("a", b"1"), message("a", b"2"), ("b".to_owned(), None)];
    keep(&world, world.a, Share { retained: first, ..Share::default() }).await;
    let kept = |bytes: &[u8]| [("a".to_owned(), bytes.to_vec())];
    assert_eq!(of(&world, world.a).await.retained, kept(b"2"));
    keep(&world, world.a, Share { retained: vec![message("a", b"3")], ..Share::default() }).await;
    assert_eq!(of(&world, world.a).await.retained, kept(b"3"));
    assert!(of(&world, world.b).await.retained.is_empty());
}

pub(super) async fn the_publication_log_is_read_on_and_trimmed(world: World) {
    world.database.claim("n").await.unwrap();
    for (first, last) in [(1, 3), (4, 4), (5, 9)] {
        let share = Share { publications: Some(publications(first, last)), ..Share::default() };
        keep(&world, world.a, share).await;
    }
    let read = async |tenant, after, bytes| {
        let found = world.database.publications(tenant, after, bytes).await.unwrap();
        found.into_iter().map(|row| (row.first, row.last)).collect::<Vec<_>>()
    };
    assert_eq!(read(world.a, 0, usize::MAX).await, [(1, 3), (4, 4), (5, 9)]);
    assert_eq!(read(world.a, 2, usize::MAX).await, [(1, 3), (4, 4), (5, 9)], "the row that it is in");
    assert_eq!(read(world.a, 3, 1).await, [(4, 4)], "at least one");
    assert_eq!(read(world.a, 9, usize::MAX).await, []);
    assert_eq!(read(world.b, 0, usize::MAX).await, []);
    assert_eq!(of(&world, world.a).await.head, 9);
    world.database.trim(world.a, 4).await.unwrap();
    assert_eq!(read(world.a, 0, usize::MAX).await, [(5, 9)]);
    world.database.trim(world.a, 100).await.unwrap();
    assert_eq!(of(&world, world.a).await.head, 9, "the log goes on where it was");
}

pub(super) async fn nothing_is_kept_for_who_was_fenced_off(world: World) {
    let share = || vec![(world.a, Share { publications: Some(publications(1, 1)), ..Share::default() })];
    let refused = world.database.keep(&share()).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    world.database.claim("n").await.unwrap();
    world.database.keep(&share()).await.unwrap();
    let other = Database::connect(&world.url, &unhurried()).await.unwrap();
    other.claim("m").await.unwrap();
    let refused = world.database.keep(&share()).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    let refused = world.database.trim(world.a, 1).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
}
