//! Who must prove anew who they are: a tenant in which a token was revoked, a session ended, a password changed.
//!
//! What was found about a credential is remembered together with the tenant's [`Generation`] of before it was looked
//! up, and counts only as long as that is the tenant's generation. So nothing that was found before a revocation
//! counts after it, whoever comes first.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{errors::StoreError, ids::TenantId};

/// Where other processes' revocations are seen. `storage` implements it.
#[async_trait]
pub trait CredentialVersions: Send + Sync {
    /// How often credentials were revoked in each tenant.
    async fn credential_versions(&self) -> Result<Vec<(TenantId, u64)>, StoreError>;
}

/// A time between two revocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(u64, u64);

#[derive(Default)]
struct Known {
    /// Grows when it is not known whose credentials still count.
    everywhere: u64,
    /// By tenant: told here, and seen in the database.
    tenants: HashMap<TenantId, (u64, Option<u64>)>,
}

/// Tells of revocations, in this process at once and in others within the time between two looks.
pub struct Revocations {
    versions: Arc<dyn CredentialVersions>,
    known: Mutex<Known>,
    told: watch::Sender<u64>,
}

impl Revocations {
    /// As seen here.
    pub fn new(versions: Arc<dyn CredentialVersions>) -> Self {
        Self { versions, known: Mutex::default(), told: watch::Sender::new(0) }
    }

    /// The tenant's generation now.
    pub fn generation(&self, tenant: TenantId) -> Generation {
        let known = self.known.lock();
        Generation(known.everywhere, known.tenants.get(&tenant).map_or(0, |(told, _)| *told))
    }

    /// Something was revoked in the tenant, and that is stored.
    pub fn tell(&self, tenant: TenantId) {
        self.known.lock().tenants.entry(tenant).or_default().0 += 1;
        self.told.send_modify(|count| *count += 1);
    }

    /// Tells of every revocation, so that open connections can be looked at again.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }

    /// Notices what other processes have revoked; to be called about twice a second.
    ///
    /// # Errors
    /// When the database fails; then every credential is looked up anew, which fails as long as the database does.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let versions = match self.versions.credential_versions().await {
            Ok(versions) => versions,
            Err(error) => {
                self.known.lock().everywhere += 1;
                return Err(error);
            }
        };
        let mut changed = false;
        let mut known = self.known.lock();
        for (tenant, version) in versions {
            let (told, seen) = known.tenants.entry(tenant).or_default();
            if seen.replace(version) != Some(version) {
                *told += 1;
                changed = true;
            }
        }
        drop(known);
        if changed {
            self.told.send_modify(|count| *count += 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Versions(Mutex<Option<Vec<(TenantId, u64)>>>);

    #[async_trait]
    impl CredentialVersions for Versions {
        async fn credential_versions(&self) -> Result<Vec<(TenantId, u64)>, StoreError> {
            self.0.lock().clone().ok_or_else(|| StoreError::Unavailable("broken on purpose".into()))
        }
    }

    #[tokio::test]
    async fn a_generation_ends_with_a_revocation_here_or_elsewhere_and_when_nobody_knows() {
        let tenant = |n| TenantId::from_uuid(uuid::Uuid::from_u128(n));
        let versions = Arc::new(Versions(Mutex::new(Some(vec![(tenant(1), 4), (tenant(2), 0)]))));
        let revocations = Revocations::new(versions.clone());
        revocations.refresh().await.unwrap();
        let mut told = revocations.subscribe();
        let (one, two) = (revocations.generation(tenant(1)), revocations.generation(tenant(2)));
        revocations.refresh().await.unwrap();
        assert_eq!((revocations.generation(tenant(1)), told.has_changed().unwrap()), (one, false));

        revocations.tell(tenant(2));
        assert!(told.has_changed().unwrap() && revocations.generation(tenant(2)) != two);
        assert_eq!(revocations.generation(tenant(1)), one, "others are not concerned");
        told.mark_unchanged();

        *versions.0.lock() = Some(vec![(tenant(1), 5), (tenant(2), 0)]);
        revocations.refresh().await.unwrap();
        assert!(told.has_changed().unwrap() && revocations.generation(tenant(1)) != one);

        let one = revocations.generation(tenant(1));
        *versions.0.lock() = None;
        assert!(revocations.refresh().await.is_err());
        assert_ne!(revocations.generation(tenant(1)), one);
    }
}
