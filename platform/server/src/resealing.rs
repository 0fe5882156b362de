//! Brings what is sealed up to the newest keys, beside the work: after a rotation, after the master key was exchanged,
//! after an update that seals more than before.

use std::{collections::HashSet, sync::Arc, time::Duration};

use jiff::SignedDuration;
use keys::Keys;
use storage::Database;
use tenants::{
    StoreError, TenantId,
    clock::Clock,
    keys::{DataKeys, SealError},
    stores::Tenants,
};
use tokio::time::{MissedTickBehavior, interval};

const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Keys of a hospital that has never changed its key: the one that seals, and the one that makes indexes.
const WITHOUT_ROTATION: usize = 2;
/// No process seals with a key any more that was followed by another before.
const RETIRED_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Why a hospital's rows are not up to the newest keys.
#[derive(Debug, thiserror::Error)]
enum ResealError {
    #[error(transparent)]
    Keys(#[from] SealError),
    #[error(transparent)]
    Storage(#[from] storage::StorageError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does it for one installation.
pub(crate) struct Resealing {
    database: Database,
    /// Without them nothing is sealed, but patients are made findable.
    keys: Option<Arc<Keys>>,
    clock: Arc<dyn Clock>,
    /// Hospitals with which something is left to do.
    unfinished: HashSet<TenantId>,
}

impl Resealing {
    pub(crate) fn new(database: Database, keys: Option<Arc<Keys>>, clock: Arc<dyn Clock>) -> Self {
        Self { database, keys, clock, unfinished: HashSet::new() }
    }

    /// One round over everybody, before anybody is served: what an update has left unsealed must not meet what is new.
    ///
    /// # Errors
    /// When the database fails. Keys that cannot be reached are tried again by [`Resealing::follow`].
    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        for tenant in self.tenants().await? {
            self.bring_up(tenant).await;
        }
        Ok(())
    }

    /// Goes on for ever.
    pub(crate) async fn follow(mut self) {
        let mut due = interval(LOOK_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            let tenants = match self.tenants().await {
                Ok(tenants) => tenants,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "hospitals cannot be listed");
                    continue;
                }
            };
            for tenant in tenants {
                let rotated = match self.database.data_keys(tenant).await {
                    Ok(kept) => kept.len() > WITHOUT_ROTATION,
                    Err(_) => true,
                };
                if rotated || self.unfinished.contains(&tenant) {
                    self.bring_up(tenant).await;
                }
            }
        }
    }

    /// Operators have secrets, too.
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let hospitals = self.database.all().await?;
        let ids = hospitals.into_iter().filter(|tenant| tenant.departure.is_none()).map(|tenant| tenant.id);
        Ok(std::iter::once(TenantId::PLATFORM).chain(ids).collect())
    }

    async fn bring_up(&mut self, tenant: TenantId) {
        match self.reseal(tenant).await {
            Ok(()) => {
                self.unfinished.remove(&tenant);
            }
            Err(error) => {
                self.unfinished.insert(tenant);
                let error = &error as &dyn std::error::Error;
                tracing::error!(%tenant, error, "what is sealed of this hospital cannot be brought up to its newest key");
            }
        }
    }

    async fn reseal(&self, tenant: TenantId) -> Result<(), ResealError> {
        let rewrapped = match &self.keys {
            Some(keys) => keys.rewrap(tenant).await?,
            None => 0,
        };
        let storage::Resealed { changed, unreadable } = self.database.reseal(tenant).await?;
        let until = self.clock.now().checked_sub(RETIRED_AFTER).unwrap_or(jiff::Timestamp::MIN);
        let retired = self.database.retire_data_keys(tenant, until).await?;
        if rewrapped > 0 || changed > 0 || !retired.is_empty() {
            tracing::info!(%tenant, rewrapped, changed, ?retired, "sealed with the newest key");
        }
        if unreadable > 0 {
            tracing::error!(%tenant, unreadable, "values are sealed with keys that are gone, or damaged");
        }
        Ok(())
    }
}
