//! What the outside must be told, committed with the fold that it comes from.

use sea_orm::sea_query::OnConflict;
use tenants::TenantId;
use twins::store::journal::OutboxEntry;

use crate::{
    columns::{correlation_bits, micros},
    entities::outbox::{Column, Entity, Model},
    errors::StorageError,
    tenant_tx::TenantTx,
};

/// Adds entries, each once per id.
pub(crate) async fn add(tx: &TenantTx, rows: Vec<Model>) -> Result<(), StorageError> {
    let once = OnConflict::columns([Column::TenantId, Column::Id]).do_nothing().to_owned();
    tx.insert_many::<Entity>(rows, once).await
}

pub(crate) fn row(tenant: TenantId, entry: &OutboxEntry) -> Model {
    Model {
        tenant_id: *tenant.as_uuid(),
        id: entry.id,
        topic: entry.topic.clone(),
        payload: entry.payload.clone(),
        at: micros(entry.at),
        correlation: correlation_bits(entry.correlation),
        sent_at: None,
    }
}
