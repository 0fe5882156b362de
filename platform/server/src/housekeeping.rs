//! What is done beside the work, so that the work stays fast: small segments of the log become larger ones.

use std::{collections::HashMap, time::Duration};

use storage::Database;
use tenants::{Sequence, StoreError, TenantId, stores::Tenants};
use tokio::time::sleep;

/// Time between two rounds over all tenants.
const INTERVAL: Duration = Duration::from_secs(30);
/// Pause after each merge, so that commits come first.
const PAUSE: Duration = Duration::from_millis(20);

/// Merges for ever. A round that fails is made up for by the next; the log is complete either way.
pub(crate) async fn run(database: Database) {
    let mut done = HashMap::new();
    loop {
        sleep(INTERVAL).await;
        match round(&database, &mut done).await {
            Ok(()) => {}
            Err(StoreError::Fenced { .. }) => return,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "small segments were not merged");
            }
        }
    }
}

async fn round(database: &Database, done: &mut HashMap<TenantId, Sequence>) -> Result<(), StoreError> {
    for tenant in database.all().await? {
        let after = done.entry(tenant.id).or_insert(Sequence::ZERO);
        loop {
            let merged = database.compact(tenant.id, *after).await?;
            *after = merged.next;
            if merged.removed > 0 {
                let (removed, added) = (merged.removed, merged.added);
                tracing::debug!(tenant = %tenant.id, removed, added, "segments merged");
            }
            if !merged.more {
                break;
            }
            sleep(PAUSE).await;
        }
    }
    Ok(())
}
