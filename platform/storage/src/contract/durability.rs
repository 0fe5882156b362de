//! What stays, and that readers and the writer do not stop each other.

use ::tenants::{Sequence, UnitId, access::Object, credentials::SecretHash};
use twins::store::{
    directory::{DeviceRecord, Devices, PageRequest},
    journal::{Commit, Journal},
};

use super::world::{World, device, entry, positions, segment, unhurried};
use crate::database::Database;

pub(super) async fn reopening_finds_everything(world: World) {
    world.claim().await;
    world.add_device(world.a, "m-1", "One", None).await;
    world.commit(vec![segment(world.a, 1, &[("m-1", &[1, 2, 3])])]).await;
    world.database.clone().close().await.unwrap();

    let again = Database::connect(&world.url, &unhurried()).await.unwrap();
    again.migrate().await.unwrap();
    again.check_row_level_security().await.unwrap();
    let (runs, _) = again.read(world.a, None, Sequence(0), Sequence(3), 10).await.unwrap();
    assert_eq!(positions(&runs), [1, 2, 3]);
    let scope = world.read(world.a, Object::Device).await;
    let page = PageRequest { first: 5, count: true, ..PageRequest::default() };
    assert_eq!(Devices::page(&again, &scope, &page).await.unwrap().total, Some(1));
    again.claim("node-1").await.unwrap();
    let next = Commit { segments: vec![segment(world.a, 4, &[("m-1", &[4])])], ..Commit::default() };
    again.commit(&next).await.unwrap();
}

pub(super) async fn reads_go_on_during_writes(world: World) {
    const COMMITS: u64 = 60;
    world.claim().await;
    world.add_device(world.a, "m-1", "One", None).await;
    let writer = {
        let (database, tenant) = (world.database.clone(), world.a);
        tokio::spawn(async move {
            for n in 0..COMMITS {
                let next = segment(tenant, n * 3 + 1, &[("m-1", &[1]), ("m-2", &[2, 3])]);
                database.commit(&Commit { segments: vec![next], ..Commit::default() }).await.unwrap();
            }
        })
    };
    // Small writes take their turn between the commits.
    let registrar = {
        let (database, scope, tenant) =
            (world.database.clone(), world.write(world.a, Object::Device).await, world.a);
        tokio::spawn(async move {
            for n in 0..20 {
                let record = DeviceRecord {
                    id: device(&format!("d-{n}")),
                    name: "D".into(),
                    template: "t".into(),
                    patient: None,
                    unit: UnitId::root(tenant),
                    blocked_since: None,
                    gateway: None,
                };
                let token = SecretHash::of(b"x");
                Devices::create(&database, &scope, &record, &token, &entry(tenant)).await.unwrap();
            }
        })
    };
    let mut seen = 0;
    while seen < COMMITS * 3 {
        let head = world.database.heads().await.unwrap()[0].head.0;
        assert!(head >= seen, "the log became shorter");
        let (runs, _) =
            world.database.read(world.a, None, Sequence(seen), Sequence(head), 1_000).await.unwrap();
        assert_eq!(positions(&runs), (seen + 1..=head).collect::<Vec<_>>());
        seen = head;
    }
    writer.await.unwrap();
    registrar.await.unwrap();
}

pub(super) async fn a_probe_leaves_nothing_behind(world: World) {
    for _ in 0..3 {
        world.database.probe().await.unwrap();
    }
    assert_eq!(world.database.heads().await.unwrap()[0].head, Sequence::ZERO);
}
