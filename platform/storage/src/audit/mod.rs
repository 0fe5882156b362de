//! The audit trail: one chain of rows per tenant. Rows are added, never changed.
//!
//! Each row has the hash of the one before, and a tenant's head row has the place and the hash of its last
//! one. Whoever adds rows locks the head until their transaction ends, so a chain has no gap and no fork, and
//! an entry stands in the same transaction as what it tells about. `verify.rs` walks a chain; `encoding.rs`
//! says what is hashed.

pub(crate) mod encoding;
mod read;
mod verify;

use std::collections::{BTreeMap, HashSet};

use ::tenants::{
    StoreError,
    access::Scope,
    audit::{AuditEntry, AuditFilter, AuditHash},
    paging::{Page, PageRequest},
    stores::AuditTrail,
};
use sea_orm::{ColumnTrait, DbBackend, QueryFilter};
use uuid::Uuid;

use crate::{
    columns::{correlation_bits, micros, storable},
    database::Database,
    entities::audit::{Column, Entity, Model},
    errors::StorageError,
    tenant_tx::TenantTx,
};

/// Ids that are looked up with one query.
const BATCH: usize = 200;

#[async_trait::async_trait]
impl AuditTrail for Database {
    async fn append(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut by_tenant = BTreeMap::<_, Vec<_>>::new();
        for entry in entries {
            by_tenant.entry(entry.tenant).or_default().push(entry);
        }
        for (tenant, entries) in by_tenant {
            let tx = self.begin_write(tenant).await?;
            note_all(&tx, entries).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn append_once(&self, entries: &[(Uuid, AuditEntry)]) -> Result<(), StoreError> {
        let mut by_tenant = BTreeMap::<_, Vec<_>>::new();
        for (id, entry) in entries {
            by_tenant.entry(entry.tenant).or_default().push(unchained(*id, entry));
        }
        for (tenant, rows) in by_tenant {
            let tx = self.begin_write(tenant).await?;
            add_once(&tx, rows).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn page(
        &self,
        scope: &Scope,
        filter: &AuditFilter,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>, StoreError> {
        Ok(read::page(self, scope, filter, page).await?)
    }
}

/// Adds an entry in the transaction of what it is about, as the last thing in it: until it ends nobody else
/// can add one.
pub(crate) async fn note(tx: &TenantTx, entry: &AuditEntry) -> Result<(), StorageError> {
    note_all(tx, [entry]).await
}

/// The same for several.
pub(crate) async fn note_all<'a>(
    tx: &TenantTx,
    entries: impl IntoIterator<Item = &'a AuditEntry>,
) -> Result<(), StorageError> {
    let rows = entries.into_iter().map(|entry| unchained(new_id(entry), entry)).collect();
    chain(tx, rows).await
}

/// Adds entries that may have been added before, each once per id.
pub(crate) async fn add_once(tx: &TenantTx, mut rows: Vec<Model>) -> Result<(), StorageError> {
    if rows.is_empty() {
        return Ok(());
    }
    // The head is locked first: nobody adds one of these between looking and adding.
    let head = lock_head(tx).await?;
    let mut known = HashSet::new();
    for part in rows.chunks(BATCH) {
        let ids = part.iter().map(|row| row.id);
        let found = tx.find::<Entity>().filter(Column::Id.is_in(ids));
        known.extend(tx.all(found).await?.into_iter().map(|row| row.id));
    }
    rows.retain(|row| known.insert(row.id));
    extend(tx, head, rows).await
}

async fn chain(tx: &TenantTx, rows: Vec<Model>) -> Result<(), StorageError> {
    if rows.is_empty() {
        return Ok(());
    }
    let head = lock_head(tx).await?;
    extend(tx, head, rows).await
}

/// The last row's place and hash, locked until the transaction ends. SQLite has one writer anyway.
async fn lock_head(tx: &TenantTx) -> Result<(i64, AuditHash), StorageError> {
    let tenant = *tx.tenant().as_uuid();
    let nothing = encoding::NOTHING.0.to_vec();
    let sql = "INSERT INTO audit_heads (tenant_id, seq, hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING";
    tx.execute_sql(sql, [tenant.into(), nothing.into()]).await?;
    let lock = if tx.backend() == DbBackend::Postgres { " FOR UPDATE" } else { "" };
    let sql = format!("SELECT seq, hash FROM audit_heads WHERE tenant_id = $1{lock}");
    let rows = tx.query_sql(&sql, [tenant.into()]).await?;
    let row = rows.first().ok_or_else(|| StorageError::corrupt("the head of an audit chain is missing"))?;
    Ok((row.try_get_by_index(0)?, audit_hash(&row.try_get_by_index::<Vec<u8>>(1)?)?))
}

async fn extend(
    tx: &TenantTx,
    (mut seq, mut hash): (i64, AuditHash),
    mut rows: Vec<Model>,
) -> Result<(), StorageError> {
    if rows.is_empty() {
        return Ok(());
    }
    for row in &mut rows {
        // What is done in a tenant's transaction stands in that tenant's trail.
        row.tenant_id = *tx.tenant().as_uuid();
        seq += 1;
        hash = link(row, seq, hash)?;
    }
    tx.insert_many::<Entity>(rows, None).await?;
    let sql = "UPDATE audit_heads SET seq = $2, hash = $3 WHERE tenant_id = $1";
    tx.execute_sql(sql, [(*tx.tenant().as_uuid()).into(), seq.into(), hash.0.to_vec().into()]).await?;
    Ok(())
}

/// Puts a row at its place in a chain; returns its hash.
pub(crate) fn link(row: &mut Model, seq: i64, previous: AuditHash) -> Result<AuditHash, StorageError> {
    row.seq = seq;
    row.version = encoding::VERSION;
    row.previous = previous.0.to_vec();
    let hash = encoding::hash(row).ok_or_else(|| StorageError::corrupt("the encoding of an audit row"))?;
    row.hash = hash.0.to_vec();
    Ok(hash)
}

/// A row without its place in the chain.
pub(crate) fn unchained(id: Uuid, entry: &AuditEntry) -> Model {
    // A map of texts always has a JSON form.
    let facts = serde_json::to_string(&entry.facts).unwrap_or_else(|_| "{}".to_owned());
    Model {
        tenant_id: *entry.tenant.as_uuid(),
        seq: 0,
        id,
        at: micros(entry.at),
        actor: storable(&entry.actor),
        actor_name: storable(&entry.actor_name),
        action: storable(&entry.action),
        subject: storable(&entry.subject),
        outcome: entry.outcome.as_str().to_owned(),
        detail: storable(&entry.detail),
        channel: entry.origin.channel.as_str().to_owned(),
        address: storable(&entry.origin.address),
        agent: storable(&entry.origin.agent),
        policy: entry.policy.as_deref().map(storable),
        facts: storable(&facts),
        correlation: correlation_bits(entry.correlation),
        version: 0,
        previous: Vec::new(),
        hash: Vec::new(),
    }
}

pub(crate) fn audit_hash(bytes: &[u8]) -> Result<AuditHash, StorageError> {
    bytes.try_into().map(AuditHash).map_err(|_| StorageError::corrupt("the hash of an audit row"))
}

/// An id that sorts by the entry's own time.
fn new_id(entry: &AuditEntry) -> Uuid {
    let seconds = u64::try_from(entry.at.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(entry.at.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
}
