//! A disk that fills up: nothing is acknowledged, and the same connections work once there is room.

use ::tenants::{Sequence, StoreError, TenantId};
use bytes::Bytes;
use twins::store::journal::{Commit, Journal, Segment};

use super::world::{World, positions, segment};
use crate::database::{Database, DatabaseOptions};

/// Bytes of a large message.
const LARGE: usize = 64_000;

/// A segment of four messages of so many bytes, which no compression makes small.
fn noise(tenant: TenantId, first: u64, bytes: usize) -> Segment {
    let mut large = segment(tenant, first, &[("m-1", &[1, 2, 3, 4])]);
    let mut state = first.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for message in &mut large.runs[0].messages {
        let noise = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        message.payload = Bytes::from(noise.take(bytes / 8).flatten().collect::<Vec<u8>>());
    }
    large
}

fn commit(segment: &Segment) -> Commit {
    Commit { segments: vec![segment.clone()], ..Commit::default() }
}

/// Commits until the database is full; how many messages were taken.
async fn fill(world: &World) -> u64 {
    let mut first = 1;
    for bytes in [LARGE, 256] {
        loop {
            let next = noise(world.a, first, bytes);
            match world.database.commit(&commit(&next)).await {
                Ok(()) => first += next.count(),
                Err(StoreError::Unavailable(_)) => break,
                Err(error) => panic!("{error:?}"),
            }
            assert!(first < 10_000, "it never became full");
        }
    }
    first - 1
}

async fn goes_on_when_there_is_room(world: &World, kept: u64) {
    // A reader still sees what was acknowledged, and only that.
    assert_eq!(world.database.heads().await.unwrap()[0].head, Sequence(kept));
    for _ in 0..3 {
        let refused = world.database.commit(&commit(&noise(world.a, kept + 1, LARGE))).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
}

async fn is_whole(world: &World, kept: u64) {
    world.database.probe().await.unwrap();
    let next = noise(world.a, kept + 1, LARGE);
    world.database.commit(&commit(&next)).await.unwrap();
    world.database.commit(&commit(&next)).await.unwrap();
    let end = kept + next.count();
    world.database.clone().close().await.unwrap();
    let again = Database::connect(&world.url, &DatabaseOptions::default()).await.unwrap();
    let (mut place, mut all) = (Sequence::ZERO, Vec::new());
    while place < Sequence(end) {
        let (runs, next) = again.read(world.a, None, place, Sequence(end), 1_000).await.unwrap();
        all.extend(positions(&runs));
        place = next;
    }
    assert_eq!(all, (1..=end).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_at_its_largest_size_recovers() {
    let world = World::on_sqlite().await;
    world.claim().await;
    let limit = async |pages: i64| {
        let tx = world.database.begin_write(TenantId::PLATFORM).await.unwrap();
        tx.query_sql(&format!("PRAGMA max_page_count = {pages}"), []).await.unwrap();
        tx.commit().await.unwrap();
    };
    limit(400).await;
    let kept = fill(&world).await;
    goes_on_when_there_is_room(&world, kept).await;
    assert!(world.database.probe().await.is_err(), "the probe must say that a commit would fail");
    limit(100_000).await;
    is_whole(&world, kept).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mount) = Mount::new(folder.path(), "2m") else {
        eprintln!("SKIPPED: mounting a small file system needs root");
        return;
    };
    let url = format!("sqlite://{}", folder.path().join("store.db").display());
    let database = Database::connect(&url, &DatabaseOptions::default()).await.unwrap();
    database.migrate().await.unwrap();
    let world = World::of(database, url, None).await;
    world.claim().await;
    let kept = fill(&world).await;
    goes_on_when_there_is_room(&world, kept).await;
    mount.resize("64m");
    is_whole(&world, kept).await;
}

/// A small file system in memory.
struct Mount<'a>(&'a std::path::Path);

impl<'a> Mount<'a> {
    fn new(at: &'a std::path::Path, size: &str) -> Option<Self> {
        let options = format!("size={size}");
        mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], at).then_some(Self(at))
    }

    fn resize(&self, size: &str) {
        assert!(mount(&["-o", &format!("remount,size={size}")], self.0));
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // Lazily: connections may still be closing.
        drop(std::process::Command::new("umount").arg("-l").arg(self.0).status());
    }
}

fn mount(arguments: &[&str], at: &std::path::Path) -> bool {
    let mut command = std::process::Command::new("mount");
    command.args(arguments).arg(at).stderr(std::process::Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
