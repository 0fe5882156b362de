//! Certificates that are one device's own.

use ::tenants::{
    StoreError,
    access::Object,
    audit::AuditEntry,
    device_certificate::{DeviceCertificate, DeviceCertificates, Fingerprint},
    revocations::CredentialVersions,
    stores::DeviceCredentials,
};

use super::world::{World, at, device, entry};

fn certificate(name: u8) -> DeviceCertificate {
    DeviceCertificate { fingerprint: Fingerprint([name; 32]), not_after: at(name.into()), proven_at: None }
}

pub(super) async fn a_device_has_certificates_of_its_own_and_every_change_is_told(world: World) {
    for tenant in [world.a, world.b] {
        world.add_device(tenant, "monitor", "Monitor", None).await;
    }
    let (database, monitor, note) = (&world.database, device("monitor"), entry(world.a));
    let scope = world.write(world.a, Object::Device).await;
    let own = async || {
        let shown = database.device_certificates(&scope, &monitor).await.unwrap();
        let logins = database.device_logins(world.a, std::slice::from_ref(&monitor)).await.unwrap();
        assert_eq!(logins[0].certificates, shown, "with its login");
        shown
    };
    let versions = async || {
        let all = database.credential_versions().await.unwrap();
        all.into_iter().find(|(tenant, _)| *tenant == world.a).unwrap().1
    };
    let (one, two, three) = (certificate(1), certificate(2), certificate(3));
    assert_eq!(own().await, []);
    let before = versions().await;
    for added in [&one, &two] {
        database.add_device_certificate(&scope, &monitor, added, &note).await.unwrap();
    }
    assert_eq!((own().await, versions().await), (vec![one, two], before + 2));
    for (what, refused) in [("it has it already", &two), ("no more than two", &three)] {
        let refused = database.add_device_certificate(&scope, &monitor, refused, &note).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{what}: {refused:?}");
    }
    database.remove_device_certificate(&scope, &monitor, one.fingerprint, &note).await.unwrap();
    let gone = database.remove_device_certificate(&scope, &monitor, one.fingerprint, &note).await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })), "{gone:?}");
    assert_eq!((own().await, versions().await), (vec![two], before + 3));
    let theirs = database.device_logins(world.b, std::slice::from_ref(&monitor)).await.unwrap();
    assert_eq!(theirs[0].certificates, [], "of a namesake elsewhere");
    database.remove_device_certificate(&scope, &monitor, two.fingerprint, &note).await.unwrap();
    assert_eq!(own().await, []);
}

pub(super) async fn a_certificate_is_proven_once_and_for_one_hospital(world: World) {
    for tenant in [world.a, world.b] {
        world.add_device(tenant, "monitor", "Monitor", None).await;
    }
    let (database, monitor, one) = (&world.database, device("monitor"), certificate(1));
    for tenant in [world.a, world.b] {
        let scope = world.write(tenant, Object::Device).await;
        database.add_device_certificate(&scope, &monitor, &one, &entry(tenant)).await.unwrap();
    }
    let login = async |tenant| {
        let mut logins = database.device_logins(tenant, std::slice::from_ref(&monitor)).await.unwrap();
        logins.remove(0).certificates
    };
    let shown =
        |seconds| AuditEntry::new(world.a, at(seconds), "device:monitor", "device.prove_certificate", "x");
    let other = Fingerprint([2; 32]);
    for (fingerprint, seconds) in [(other, 4), (one.fingerprint, 5), (one.fingerprint, 6)] {
        database.prove_certificate(world.a, &monitor, fingerprint, &shown(seconds)).await.unwrap();
    }
    let proven = DeviceCertificate { proven_at: Some(at(5)), ..one };
    assert_eq!((login(world.a).await, login(world.b).await), (vec![proven], vec![one]));
    let scope = world.write(world.a, Object::Device).await;
    let two = certificate(2);
    database.add_device_certificate(&scope, &monitor, &two, &entry(world.a)).await.unwrap();
    assert_eq!(login(world.a).await, [proven, two]);
    database.remove_device_certificate(&scope, &monitor, one.fingerprint, &entry(world.a)).await.unwrap();
    database.add_device_certificate(&scope, &monitor, &one, &entry(world.a)).await.unwrap();
    assert_eq!(login(world.a).await, [two, one], "whoever adds it again has proven nothing");
}

pub(super) async fn who_may_not_see_a_device_sees_and_changes_none_of_its_certificates(world: World) {
    for id in ["monitor-1", "monitor-2"] {
        world.add_device(world.a, id, id, None).await;
    }
    let (database, other, note) = (&world.database, device("monitor-2"), entry(world.a));
    let all = world.write(world.a, Object::Device).await;
    database.add_device_certificate(&all, &other, &certificate(1), &note).await.unwrap();
    let narrow = world.access.device(world.a, &device("monitor-1"));
    assert_eq!(database.device_certificates(&narrow, &other).await.unwrap(), []);
    for refused in [
        database.add_device_certificate(&narrow, &other, &certificate(2), &note).await,
        database.remove_device_certificate(&narrow, &other, certificate(1).fingerprint, &note).await,
    ] {
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    assert_eq!(database.device_certificates(&all, &other).await.unwrap(), [certificate(1)]);
}
