//! Certificate authorities whose devices are let in.

use ::tenants::{
    AuthorityId, StoreError,
    access::Object,
    clock::ManualClock,
    device_authority::{DeviceAuthorities, DeviceAuthority, EnrolledAuthorities, RevocationList},
    revocations::CredentialVersions,
};

use super::world::{World, at, entry};

fn authority(name: u8) -> DeviceAuthority {
    DeviceAuthority {
        id: AuthorityId::new(&ManualClock::new(at(name.into()))),
        certificate: vec![name; 300],
        subject: format!("CN=authority {name}"),
        fingerprint: [name; 32],
        not_before: at(0),
        not_after: at(1_000),
        challenge: "of forty letters".into(),
        added_at: at(5),
        proven_at: None,
        revocations: None,
    }
}

pub(super) async fn an_authority_is_kept_and_every_change_is_told(world: World) {
    let (database, a, note) = (&world.database, world.a, entry(world.a));
    let scope = world.write(a, Object::Device).await;
    let (one, two) = (authority(1), authority(2));
    for added in [&two, &one] {
        database.add_authority(&scope, added, &note).await.unwrap();
    }
    let again = DeviceAuthority { id: authority(3).id, ..one.clone() };
    let again = database.add_authority(&scope, &again, &note).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    assert_eq!(database.authorities(&scope).await.unwrap(), [one.clone(), two.clone()]);
    assert!(database.authorities_of(world.b).await.unwrap().is_empty());

    let versions = async || {
        let all = database.credential_versions().await.unwrap();
        all.into_iter().find(|(tenant, _)| *tenant == a).unwrap().1
    };
    let before = versions().await;
    database.prove_authority(&scope, one.id, at(7), &note).await.unwrap();
    assert_eq!(versions().await, before + 1);
    let list = |issued: i64, next: Option<i64>| RevocationList {
        der: vec![9; 70_000],
        entries: 1_900,
        issued_at: at(issued),
        next_at: next.map(at),
    };
    for (issued, next) in [(20, Some(30)), (20, None), (25, Some(40))] {
        database.set_revocations(&scope, one.id, &list(issued, next), &note).await.unwrap();
        let kept = database.authorities_of(a).await.unwrap().remove(0);
        let expected =
            DeviceAuthority { proven_at: Some(at(7)), revocations: Some(list(issued, next)), ..one.clone() };
        assert_eq!(kept, expected);
    }
    let older = database.set_revocations(&scope, one.id, &list(24, None), &note).await;
    assert!(matches!(older, Err(StoreError::Conflict { .. })), "{older:?}");

    let theirs = world.write(world.b, Object::Device).await;
    let (own, none) = (entry(world.b), list(30, None));
    for nobodys in [
        database.prove_authority(&theirs, one.id, at(8), &own).await,
        database.set_revocations(&theirs, one.id, &none, &own).await,
        database.remove_authority(&theirs, one.id, &own).await,
    ] {
        assert!(matches!(nobodys, Err(StoreError::NotFound { .. })), "{nobodys:?}");
    }
    database.remove_authority(&scope, one.id, &note).await.unwrap();
    assert_eq!(database.authorities(&scope).await.unwrap(), [two]);
    assert_eq!(versions().await, before + 5);
}

pub(super) async fn a_hospital_has_only_so_many_authorities(world: World) {
    let scope = world.write(world.a, Object::Device).await;
    let most = u8::try_from(DeviceAuthority::MAX).unwrap();
    for name in 0..most {
        world.database.add_authority(&scope, &authority(name), &entry(world.a)).await.unwrap();
    }
    let more = world.database.add_authority(&scope, &authority(most), &entry(world.a)).await;
    assert!(matches!(more, Err(StoreError::Conflict { .. })), "{more:?}");
}
