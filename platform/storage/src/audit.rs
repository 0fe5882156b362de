//! The audit trail: rows are added, never changed.

use std::collections::BTreeMap;

use ::tenants::{StoreError, audit::AuditEntry, stores::AuditTrail};
use sea_orm::sea_query::OnConflict;
use uuid::Uuid;

use crate::{
    columns::{correlation_bits, micros, storable},
    database::Database,
    entities::audit::{Column, Entity, Model},
    errors::StorageError,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl AuditTrail for Database {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut by_tenant = BTreeMap::<_, Vec<_>>::new();
        for entry in entries {
            by_tenant.entry(entry.tenant).or_default().push(row(new_id(entry), entry));
        }
        for (tenant, rows) in by_tenant {
            let tx = self.begin_write(tenant).await?;
            add(&tx, rows).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Adds an entry in the transaction of what it is about.
pub(crate) async fn note(tx: &TenantTx, entry: &AuditEntry) -> Result<(), StorageError> {
    let mut row = row(new_id(entry), entry);
    // What is done in a tenant's transaction stands in that tenant's trail.
    row.tenant_id = *tx.tenant().as_uuid();
    add(tx, vec![row]).await
}

/// Adds entries, each once per id.
pub(crate) async fn add(tx: &TenantTx, rows: Vec<Model>) -> Result<(), StorageError> {
    let once = OnConflict::columns([Column::TenantId, Column::Id]).do_nothing().to_owned();
    tx.insert_many::<Entity>(rows, once).await
}

pub(crate) fn row(id: Uuid, entry: &AuditEntry) -> Model {
    Model {
        tenant_id: *entry.tenant.as_uuid(),
        id,
        at: micros(entry.at),
        actor: storable(&entry.actor),
        action: storable(&entry.action),
        subject: storable(&entry.subject),
        outcome: entry.outcome.as_str().to_owned(),
        detail: storable(&entry.detail),
        correlation: correlation_bits(entry.correlation),
    }
}

/// An id that sorts by the entry's own time.
fn new_id(entry: &AuditEntry) -> Uuid {
    let seconds = u64::try_from(entry.at.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(entry.at.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
}
