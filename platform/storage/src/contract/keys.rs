//! What is sealed with tenants' keys.

use std::{sync::Arc, time::Duration};

use ::tenants::{
    TenantId,
    access::Object,
    audit::AuditEntry,
    authenticator::{Authenticator, AuthenticatorStore},
    clock::Clock,
    keys::{DataKeys, KeyManagement, Keyring, NoKeys, SealedFor, WrappedKey},
    stores::Accounts,
};
use twins::store::directory::{PageRequest, PatientRecord, Patients};

use super::{
    accounts::login,
    world::{World, entry, patient, patient_id, ward_id},
};
use crate::{Resealed, StorageError};

const SECRET: SealedFor<'_> =
    SealedFor { tenant: TenantId::PLATFORM, purpose: "authenticator.secret", row: "" };

/// Everything that the database holds of a tenant's patients, as bytes.
async fn kept(world: &World) -> Vec<u8> {
    let tx = world.database.begin_read(world.a).await.unwrap();
    let sql = "SELECT identity, mrn_index, name_search, mrn_search FROM patients WHERE tenant_id = $1";
    let rows = tx.query_sql(sql, [(*world.a.as_uuid()).into()]).await.unwrap();
    let texts = rows.iter().flat_map(|row| {
        let text = |at| row.try_get_by_index::<Option<String>>(at).unwrap().unwrap_or_default().into_bytes();
        [row.try_get_by_index(0).unwrap(), text(1), text(2), text(3)]
    });
    texts.collect::<Vec<Vec<u8>>>().concat()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

async fn found(world: &World, text: &str) -> Vec<PatientRecord> {
    let scope = world.read(world.a, Object::Patient).await;
    let page = PageRequest { first: 10, search: Some(text.to_owned()), ..PageRequest::default() };
    let found = Patients::page(&world.database, &scope, &page).await.unwrap();
    found.rows.into_iter().map(|(_, row)| row).collect()
}

pub(super) async fn what_identifies_a_patient_cannot_be_read_in_the_database(world: World) {
    let yuri = patient(1, "Yuri Krone", "KYR-77", ("W", "1"));
    world.add_patient(world.a, &yuri).await;
    let kept = kept(&world).await;
    for text in ["Yuri", "yuri", "Krone", "krone", "KYR-77", "kyr-77", "1950-02-28"] {
        assert!(!holds(&kept, text), "{text}");
    }
    let whole = PatientRecord { unit: ward_id(world.a, "W"), ..yuri };
    for text in ["kron", "kyr-7", "77"] {
        assert_eq!(found(&world, text).await, std::slice::from_ref(&whole), "{text}");
    }
    // The neighbour's indexes are others, so equal names cannot be told.
    world.add_patient(world.b, &patient(1, "Yuri Krone", "KYR-77", ("W", "1"))).await;
    let indexes = async |tenant| {
        let keys = world.keys.of(tenant).await.unwrap();
        keys.index("patient.mrn", "KYR-77")
    };
    assert_ne!(indexes(world.a).await, indexes(world.b).await);
}

pub(super) async fn a_rotation_seals_everything_anew_while_it_stays_readable(world: World) {
    let database = &world.database;
    world.claim().await;
    for n in 1..=3 {
        let record = patient(n, &format!("Ada {n}"), &format!("R-{n}"), ("W", &n.to_string()));
        world.add_patient(world.a, &record).await;
    }
    let login = login(world.a, "ada@ash.example");
    Accounts::create_user(database, &login, &[]).await.unwrap();
    let user = login.user.id;
    let row = user.to_string();
    let what = SealedFor { tenant: world.a, row: &row, ..SECRET };
    let secret = world.keys.of(world.a).await.unwrap().seal(what, b"app").unwrap();
    let app = Authenticator { user, secret, since: None };
    database.propose(world.a, &app).await.unwrap();

    let rotated: AuditEntry = entry(world.a);
    assert_eq!(world.keys.rotate(world.a, &rotated).await, Ok(2));
    assert_eq!(database.reseal(world.a).await.unwrap(), Resealed::default(), "not everybody knows it yet");
    world.clock.advance(Duration::from_secs(180));
    assert!(database.retire_data_keys(world.a, world.clock.now()).await.unwrap().is_empty(), "it is in use");
    assert_eq!(database.reseal(world.a).await.unwrap(), Resealed { changed: 4, unreadable: 0 });
    assert_eq!(database.reseal(world.a).await.unwrap(), Resealed::default());

    let early = world.clock.now() - jiff::SignedDuration::from_secs(181);
    assert!(database.retire_data_keys(world.a, early).await.unwrap().is_empty(), "somebody may seal with it");
    assert_eq!(database.retire_data_keys(world.a, world.clock.now()).await.unwrap(), [1]);
    let versions = database.data_keys(world.a).await.unwrap();
    let versions: Vec<_> = versions.iter().map(|key| key.version).collect();
    assert_eq!(versions, [WrappedKey::INDEX, 2]);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(found(&world, "ada").await.len(), 3);
    let stored = database.authenticator(world.a, user).await.unwrap().unwrap();
    assert_eq!(world.keys.of(world.a).await.unwrap().open(what, &stored.secret).unwrap(), b"app");
}

pub(super) async fn what_was_there_before_there_were_keys_is_sealed(world: World) {
    let unsealed = World { database: world.database.clone().with_keys(Arc::new(NoKeys)), ..world };
    let yuri = patient(1, "Yuri Krone", "KYR-77", ("W", "1"));
    unsealed.add_patient(unsealed.a, &yuri).await;
    assert!(holds(&kept(&unsealed).await, "Yuri Krone"), "there is nothing to seal it with");
    assert_eq!(found(&unsealed, "kron").await.len(), 1);
    assert_eq!(unsealed.database.reseal(unsealed.a).await.unwrap(), Resealed::default());

    let world = World { database: unsealed.database.clone().with_keys(unsealed.keys.clone()), ..unsealed };
    let scope = world.read(world.a, Object::Patient).await;
    let ids = [patient_id(1)];
    let read = || Patients::by_ids(&world.database, &scope, &ids);
    assert_eq!(read().await.unwrap()[0].name.as_deref(), Some("Yuri Krone"));
    assert_eq!(world.database.reseal(world.a).await.unwrap(), Resealed { changed: 1, unreadable: 0 });
    assert!(!holds(&kept(&world).await, "Yuri Krone"));
    assert_eq!(found(&world, "kron").await, read().await.unwrap());
}

pub(super) async fn what_no_key_opens_is_told_and_hinders_nothing_else(world: World) {
    for n in 1..=2 {
        let record = patient(n, &format!("Ada {n}"), &format!("R-{n}"), ("W", &n.to_string()));
        world.add_patient(world.a, &record).await;
    }
    let tx = world.database.begin_write(world.a).await.unwrap();
    let sql = "UPDATE patients SET identity = $3 WHERE tenant_id = $1 AND id = $2";
    let damaged: Vec<u8> = vec![2, 0, 0, 0, 9, 1, 2, 3];
    let values = [(*world.a.as_uuid()).into(), (*patient_id(1).as_uuid()).into(), damaged.into()];
    tx.execute_sql(sql, values).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.database.reseal(world.a).await.unwrap(), Resealed { changed: 0, unreadable: 1 });
    let scope = world.read(world.a, Object::Patient).await;
    assert!(Patients::by_ids(&world.database, &scope, &[patient_id(1)]).await.is_err());
    assert_eq!(Patients::by_ids(&world.database, &scope, &[patient_id(2)]).await.unwrap().len(), 1);
    let unknown = TenantId::from_uuid(uuid::Uuid::from_u128(0xdead));
    assert!(matches!(world.database.reseal(unknown).await, Err(StorageError::Keys(_))), "keys are nobody's");
}
