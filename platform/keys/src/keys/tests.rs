//! Keys over a store in memory and shares in a folder.

use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};

use tenants::{
    clock::ManualClock,
    keys::{KeyBytes, SealedFor},
};

use super::*;
use crate::MasterKms;

const WHAT: SealedFor<'_> = SealedFor { tenant: TenantId::PLATFORM, purpose: "secret", row: "1" };

#[derive(Default)]
struct Stored {
    keys: Mutex<Vec<WrappedKey>>,
    audited: Mutex<Vec<String>>,
    /// The tenant is gone.
    closed: AtomicBool,
    broken: AtomicBool,
}

#[async_trait]
impl DataKeys for Stored {
    async fn data_keys(&self, _tenant: TenantId) -> Result<Vec<WrappedKey>, StoreError> {
        if self.broken.load(SeqCst) {
            return Err(StoreError::Unavailable("broken on purpose".into()));
        }
        Ok(self.keys.lock().clone())
    }

    async fn add_data_keys(
        &self,
        _tenant: TenantId,
        keys: &[WrappedKey],
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut kept = self.keys.lock();
        if self.closed.load(SeqCst) {
            return Err(StoreError::NotFound { what: "tenant" });
        }
        if keys.iter().any(|key| kept.iter().any(|other| other.version == key.version)) {
            return Err(StoreError::Conflict { what: "there is one".to_owned() });
        }
        kept.extend_from_slice(keys);
        self.audited.lock().push(audit.action.clone());
        Ok(())
    }

    async fn rewrap_data_key(&self, _: TenantId, version: u32, wrapped: &[u8]) -> Result<(), StoreError> {
        let mut kept = self.keys.lock();
        let key = kept.iter_mut().find(|key| key.version == version).unwrap();
        key.wrapped = wrapped.to_vec();
        Ok(())
    }
}

struct World {
    store: Arc<Stored>,
    clock: ManualClock,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::new("2026-01-02T03:04:05Z".parse().unwrap());
        Self { store: Arc::default(), clock, folder: tempfile::tempdir().unwrap() }
    }

    /// A process with these master keys, the newest first.
    fn process(&self, masters: &[u8]) -> Keys {
        let masters: Vec<KeyBytes> = masters.iter().map(|n| Zeroizing::new([*n; 32])).collect();
        let folder = Some(self.folder.path().to_owned());
        let kms = MasterKms::new(&masters[0], &masters[1..], folder).unwrap();
        Keys::new(self.store.clone(), Arc::new(kms), Arc::new(self.clock.clone()), &masters)
    }

    async fn rotate(&self, keys: &Keys) -> u32 {
        let entry = AuditEntry::new(WHAT.tenant, self.clock.now(), "user:1", "data_key.rotate", "tenant:1");
        keys.rotate(WHAT.tenant, &entry).await.unwrap()
    }
}

async fn ring(keys: &Keys) -> Arc<dyn TenantKeys> {
    keys.of(WHAT.tenant).await.unwrap()
}

#[tokio::test]
async fn only_the_same_key_and_the_same_place_open_it() {
    let world = World::new();
    let keys = ring(&world.process(&[7])).await;
    let sealed = keys.seal(WHAT, b"hunter2").unwrap();
    assert_eq!(keys.open(WHAT, &sealed).unwrap(), b"hunter2");
    assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
    assert_ne!(keys.seal(WHAT, b"hunter2").unwrap(), sealed, "never twice the same");
    for elsewhere in [SealedFor { row: "2", ..WHAT }, SealedFor { purpose: "secret1", row: "", ..WHAT }] {
        assert_eq!(keys.open(elsewhere, &sealed), Err(SealError::NotOurs));
    }
    for end in [0, 1, 4, 5, 29, sealed.len() - 1] {
        assert_eq!(keys.open(WHAT, &sealed[..end]), Err(SealError::NotOurs), "{end}");
    }
    let mut version = sealed.clone();
    version[4] = 2;
    assert_eq!(keys.open(WHAT, &version), Err(SealError::NotOurs));

    let again = ring(&world.process(&[7])).await;
    assert_eq!(again.open(WHAT, &sealed).unwrap(), b"hunter2", "in another process");
    assert_eq!(again.index("name", "ada"), keys.index("name", "ada"));
    assert_ne!(again.index("name", "ada"), keys.index("mrn", "ada"));
    assert_ne!(again.index("name", "ada"), keys.index("name", "adb"));
    assert_eq!(*world.store.audited.lock(), ["data_key.create"]);
}

#[tokio::test]
async fn a_new_key_seals_only_when_every_process_knows_it() {
    let world = World::new();
    let (one, other) = (world.process(&[7]), world.process(&[7]));
    let early = ring(&one).await.seal(WHAT, b"early").unwrap();
    let (index, first) = (ring(&other).await.index("name", "ada"), ring(&other).await.header());
    assert_eq!(world.rotate(&one).await, 2);
    assert_eq!(ring(&one).await.header(), first);
    world.clock.advance(Duration::from_secs(119));
    assert_eq!((ring(&one).await.header(), ring(&other).await.header()), (first, first));
    // The other looks anew half a minute after it did, at the latest.
    world.clock.advance(Duration::from_secs(31));
    let late = ring(&one).await.seal(WHAT, b"late").unwrap();
    assert_ne!(ring(&one).await.header(), first);
    for keys in [&one, &other] {
        let keys = ring(keys).await;
        assert_eq!(keys.open(WHAT, &early).unwrap(), b"early");
        assert_eq!(keys.open(WHAT, &late).unwrap(), b"late");
        assert_eq!(keys.index("name", "ada"), index, "what was indexed is found");
    }
}

#[tokio::test]
async fn another_master_key_takes_over_without_anything_being_sealed_anew() {
    let world = World::new();
    let sealed = ring(&world.process(&[7])).await.seal(WHAT, b"hunter2").unwrap();
    assert!(matches!(world.process(&[8]).of(WHAT.tenant).await, Err(SealError::Lost(_))));
    let both = world.process(&[8, 7]);
    assert_eq!(both.rewrap(WHAT.tenant).await, Ok(2));
    assert_eq!(both.rewrap(WHAT.tenant).await, Ok(0));
    assert_eq!(ring(&world.process(&[8])).await.open(WHAT, &sealed).unwrap(), b"hunter2");
}

#[tokio::test]
async fn what_was_sealed_before_tenants_had_keys_is_opened() {
    let world = World::new();
    let cipher = crate::kms::master::first_cipher(&Zeroizing::new([7; 32])).unwrap();
    let text = cipher.seal(&[], &crate::cipher::bound_to(WHAT), b"hunter2").unwrap();
    let sealed = [&[1][..], &text].concat();
    for masters in [&[7][..], &[8, 7]] {
        assert_eq!(ring(&world.process(masters)).await.open(WHAT, &sealed).unwrap(), b"hunter2");
        world.store.keys.lock().clear();
    }
    assert_eq!(ring(&world.process(&[9])).await.open(WHAT, &sealed), Err(SealError::NotOurs));
}

#[tokio::test]
async fn after_shredding_nobody_opens_anything_with_or_without_the_rows_of_a_backup() {
    let world = World::new();
    let (one, other) = (world.process(&[7]), world.process(&[7]));
    let sealed = ring(&one).await.seal(WHAT, b"hunter2").unwrap();
    assert_eq!(ring(&other).await.open(WHAT, &sealed).unwrap(), b"hunter2");
    let backup = world.store.keys.lock().clone();
    assert_eq!(one.shred(WHAT.tenant).await, Ok(Shredded::WithBackups));
    world.store.keys.lock().clear();
    world.store.closed.store(true, SeqCst);
    world.clock.advance(Duration::from_secs(30));
    for keys in [&one, &other] {
        assert!(matches!(keys.of(WHAT.tenant).await, Err(SealError::Lost(_))));
    }
    *world.store.keys.lock() = backup;
    for keys in [one, other, world.process(&[7])] {
        assert!(matches!(keys.of(WHAT.tenant).await, Err(SealError::Lost(_))));
        assert!(
            keys.rotate(WHAT.tenant, &AuditEntry::new(WHAT.tenant, world.clock.now(), "a", "b", "c"))
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn what_was_readable_stays_so_while_the_database_is_away() {
    let world = World::new();
    let keys = world.process(&[7]);
    let sealed = ring(&keys).await.seal(WHAT, b"hunter2").unwrap();
    world.store.broken.store(true, SeqCst);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(ring(&keys).await.open(WHAT, &sealed).unwrap(), b"hunter2");
    assert!(matches!(world.process(&[7]).of(WHAT.tenant).await, Err(SealError::Unreachable(_))));
}
