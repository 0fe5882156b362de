//! Every tenant's keys.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tenants::{
    StoreError, TenantId,
    audit::AuditEntry,
    clock::Clock,
    keys::{DataKeys, KeyManagement, Keyring, Kms, SealError, Shredded, TenantKeys, WrappedKey},
};
use zeroize::Zeroizing;

use crate::{
    cipher::random,
    ring::{Ring, Unwrapped},
};

/// How long unwrapped keys are used without looking whether there are newer ones.
const READ_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// Who makes a tenant's first keys, for the audit trail.
const ACTOR: &str = "system:keys";

/// The keys of an installation.
pub struct Keys {
    store: Arc<dyn DataKeys>,
    kms: Arc<dyn Kms>,
    clock: Arc<dyn Clock>,
    rings: Mutex<HashMap<TenantId, Arc<Ring>>>,
    /// Of what was sealed before tenants had keys.
    earlier: Vec<Zeroizing<[u8; 32]>>,
}

impl Keys {
    /// Keys that stand in `store`, wrapped by `kms`. What one of `masters` sealed before tenants had keys is opened
    /// with it.
    pub fn new(
        store: Arc<dyn DataKeys>,
        kms: Arc<dyn Kms>,
        clock: Arc<dyn Clock>,
        masters: &[Zeroizing<[u8; 32]>],
    ) -> Self {
        Self { store, kms, clock, rings: Mutex::default(), earlier: masters.to_vec() }
    }

    /// Wraps the tenant's keys with the newest key of the service, where that is not so; returns how many were.
    ///
    /// # Errors
    /// When the service or the database fails; each key is readable at any moment.
    pub async fn rewrap(&self, tenant: TenantId) -> Result<usize, SealError> {
        let mut changed = 0;
        for key in self.store.data_keys(tenant).await.map_err(unreachable)? {
            if let Some(wrapped) = self.kms.rewrap(tenant, &key.wrapped).await? {
                self.store.rewrap_data_key(tenant, key.version, &wrapped).await.map_err(unreachable)?;
                changed += 1;
            }
        }
        Ok(changed)
    }

    async fn load(&self, tenant: TenantId, known: Option<&Ring>, now: Timestamp) -> Result<Ring, SealError> {
        let mut kept = self.store.data_keys(tenant).await.map_err(unreachable)?;
        if kept.is_empty() {
            self.make_first(tenant, now).await?;
            kept = self.store.data_keys(tenant).await.map_err(unreachable)?;
        }
        let mut keys = BTreeMap::new();
        for key in kept {
            let before = known.and_then(|ring| ring.keys.get(&key.version));
            let bytes = match before.filter(|before| before.kept.wrapped == key.wrapped) {
                Some(before) => before.bytes.clone(),
                None => self.kms.unwrap(tenant, &key.wrapped).await?,
            };
            keys.insert(key.version, Unwrapped { kept: key, bytes });
        }
        let earlier = self.earlier.iter().map(crate::kms::master::first_cipher).collect::<Result<_, _>>()?;
        Ring::new(keys, earlier, now)
    }

    /// The key that seals and the one that makes indexes. Another process may be as quick.
    async fn make_first(&self, tenant: TenantId, now: Timestamp) -> Result<(), SealError> {
        let first = [self.wrapped(tenant, WrappedKey::INDEX).await?, self.wrapped(tenant, 1).await?];
        let subject = format!("tenant:{tenant}");
        let entry = AuditEntry::new(tenant, now, ACTOR, "data_key.create", subject);
        match self.store.add_data_keys(tenant, &first, &entry).await {
            Ok(()) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(StoreError::NotFound { .. }) => {
                Err(SealError::Lost("there is no such hospital, or its keys were destroyed".to_owned()))
            }
            Err(error) => Err(unreachable(error)),
        }
    }

    async fn wrapped(&self, tenant: TenantId, version: u32) -> Result<WrappedKey, SealError> {
        let wrapped = self.kms.wrap(tenant, &Zeroizing::new(random()?)).await?;
        Ok(WrappedKey { version, wrapped, made_at: self.clock.now() })
    }
}

#[async_trait]
impl KeyManagement for Keys {
    async fn newest(&self, tenant: TenantId) -> Result<Option<(u32, Timestamp)>, SealError> {
        let kept = self.store.data_keys(tenant).await.map_err(unreachable)?;
        let sealing = kept.into_iter().filter(|key| key.version != WrappedKey::INDEX);
        Ok(sealing.map(|key| (key.version, key.made_at)).max())
    }

    async fn rotate(&self, tenant: TenantId, audit: &AuditEntry) -> Result<u32, SealError> {
        self.of(tenant).await?;
        let kept = self.store.data_keys(tenant).await.map_err(unreachable)?;
        let version = kept.iter().map(|key| key.version).max().unwrap_or_default() + 1;
        let next = self.wrapped(tenant, version).await?;
        self.store.add_data_keys(tenant, &[next], audit).await.map_err(unreachable)?;
        self.rings.lock().remove(&tenant);
        Ok(version)
    }

    async fn shred(&self, tenant: TenantId) -> Result<Shredded, SealError> {
        let reach = self.kms.shred(tenant).await?;
        self.rings.lock().remove(&tenant);
        Ok(reach)
    }
}

#[async_trait]
impl Keyring for Keys {
    async fn of(&self, tenant: TenantId) -> Result<Arc<dyn TenantKeys>, SealError> {
        let now = self.clock.now();
        let known = self.rings.lock().get(&tenant).cloned();
        if let Some(ring) = &known
            && now.duration_since(ring.read_at) < READ_EVERY
        {
            return Ok(ring.clone());
        }
        match self.load(tenant, known.as_deref(), now).await {
            Ok(ring) => {
                let ring = Arc::new(ring);
                self.rings.lock().insert(tenant, ring.clone());
                Ok(ring)
            }
            Err(error @ SealError::Unreachable(_)) => {
                // What was readable stays so while the database or the service is away.
                let known = known.ok_or_else(|| error.clone())?;
                tracing::warn!(%tenant, error = &error as &dyn std::error::Error, "keys cannot be looked at");
                Ok(known)
            }
            Err(error) => {
                self.rings.lock().remove(&tenant);
                Err(error)
            }
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn unreachable(error: StoreError) -> SealError {
    SealError::Unreachable(error.to_string())
}
