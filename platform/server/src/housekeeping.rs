//! What is done beside the work, so that the work stays fast and small: small segments of the log become larger ones, and
//! messages that a hospital does not keep any longer are deleted. One after the other, as both replace segments.

use std::{collections::HashMap, sync::Arc, time::Duration};

use storage::Database;
use tenants::{
    Sequence, StoreError, Tenant, TenantId,
    audit::{AuditEntry, Channel},
    clock::{Clock, Stopwatch},
    stores::Tenants,
};
use tokio::time::sleep;

/// Time between two rounds over all tenants.
const INTERVAL: Duration = Duration::from_secs(30);
/// Time between two rounds in which messages are deleted.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(3_600);
/// Pause after each merge or deletion, so that commits come first.
const PAUSE: Duration = Duration::from_millis(20);

/// Keeps house for ever. A round that fails is made up for by the next; the log is complete either way.
pub(crate) async fn run(database: Database, clock: Arc<dyn Clock>) {
    let mut merged = HashMap::new();
    let mut expired: Option<Stopwatch> = None;
    loop {
        sleep(INTERVAL).await;
        let expiry_is_due = expired.is_none_or(|last| last.elapsed() >= EXPIRY_INTERVAL);
        if expiry_is_due {
            expired = Some(Stopwatch::start());
        }
        match round(&database, &mut merged, expiry_is_due.then_some(&*clock)).await {
            Ok(()) => {}
            Err(StoreError::Fenced { .. }) => return,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the log was not tidied");
            }
        }
    }
}

/// Deletes first: what goes need not be merged.
async fn round(
    database: &Database,
    merged: &mut HashMap<TenantId, Sequence>,
    expiry: Option<&dyn Clock>,
) -> Result<(), StoreError> {
    for tenant in database.all().await? {
        if let Some(clock) = expiry {
            expire(database, &tenant, clock).await?;
        }
        merge(database, tenant.id, merged.entry(tenant.id).or_insert(Sequence::ZERO)).await?;
    }
    Ok(())
}

async fn expire(database: &Database, tenant: &Tenant, clock: &dyn Clock) -> Result<(), StoreError> {
    let now = clock.now();
    let Some(before) = tenant.quotas.keeps_since(now) else { return Ok(()) };
    let system = Channel::System.as_str();
    let entry = AuditEntry::new(tenant.id, now, system, "messages.expire", format!("tenant:{}", tenant.id));
    loop {
        let deleted = database.expire(tenant.id, before, &entry).await?;
        if deleted == 0 {
            return Ok(());
        }
        tracing::info!(tenant = %tenant.id, deleted, %before, "messages deleted that are not kept any longer");
        sleep(PAUSE).await;
    }
}

async fn merge(database: &Database, tenant: TenantId, after: &mut Sequence) -> Result<(), StoreError> {
    loop {
        let merged = database.compact(tenant, *after).await?;
        *after = merged.next;
        if merged.removed > 0 {
            let (removed, added) = (merged.removed, merged.added);
            tracing::debug!(%tenant, removed, added, "segments merged");
        }
        if !merged.more {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
}
