//! The one durable write: new messages and what earlier ones led to, fenced by the epoch of ownership.
//!
//! A node that claims the partitions begins a new epoch. Every commit looks the epoch up in its own
//! transaction; on PostgreSQL it locks that one row against a claim until it is done, on SQLite there is
//! only one writer anyway. So nothing of an epoch is committed after it is over.

use std::{collections::BTreeMap, ops::RangeInclusive};

use ::tenants::{TenantId, messaging::Received};
use futures_util::{StreamExt, TryStreamExt, stream};
use sea_orm::DbBackend;
use twins::store::journal::Commit;

use crate::{
    columns::position,
    database::Database,
    errors::StorageError,
    folds::FoldRows,
    mailboxes, one_trip,
    segments::{self, Encoded, write},
    tenant_tx::TenantTx,
};

/// Tenants whose rows PostgreSQL commits at the same time, so that they share flushes of its log.
const TENANTS_AT_ONCE: usize = 4;

/// Begins a new epoch in which `node` owns all partitions.
pub(crate) async fn claim(database: &Database, node: &str) -> Result<i64, StorageError> {
    let tx = database.begin_write(TenantId::PLATFORM).await?;
    let sql = "UPDATE meta SET value = value + 1 WHERE key = 'ownership' RETURNING value";
    let rows = tx.query_sql(sql, []).await?;
    let row = rows.first().ok_or_else(|| StorageError::corrupt("the epoch of ownership is missing"))?;
    let epoch: i64 = row.try_get_by_index(0)?;
    tx.execute_sql("UPDATE partitions SET node = $1, epoch = $2", [node.into(), epoch.into()]).await?;
    tx.commit().await?;
    *database.inner.epoch.lock() = Some(epoch);
    Ok(epoch)
}

/// Writes a commit: on SQLite in one transaction for all tenants (messages alone in one trip), on PostgreSQL in one for
/// each.
pub(crate) async fn write(database: &Database, commit: &Commit) -> Result<(), StorageError> {
    let epoch = database.epoch()?;
    let shares = shares(database, commit)?;
    if database.backend() == DbBackend::Postgres {
        let writes = shares.into_iter().map(|(tenant, share)| async move {
            let tx = database.begin_write(tenant).await?;
            check_fence(&tx, epoch).await?;
            share.write(&tx).await?;
            tx.commit().await
        });
        return stream::iter(writes).buffer_unordered(TENANTS_AT_ONCE).try_collect().await;
    }
    if one_trip::write(database, epoch, &shares).await {
        return Ok(());
    }
    let mut tx = database.begin_write(TenantId::PLATFORM).await?;
    check_fence(&tx, epoch).await?;
    for (tenant, share) in shares {
        tx.turn_to(tenant);
        share.write(&tx).await?;
    }
    tx.commit().await
}

impl Database {
    /// The epoch that this node has begun; without one it owns nothing.
    pub(crate) fn epoch(&self) -> Result<i64, StorageError> {
        (*self.inner.epoch.lock()).ok_or(StorageError::Fenced { epoch: 0 })
    }
}

/// What one tenant has in a commit.
#[derive(Default)]
pub(crate) struct Share {
    segment: Option<(RangeInclusive<i64>, Encoded)>,
    folds: FoldRows,
    received: Vec<Received>,
}

impl Share {
    /// Its messages, where there is nothing else in it.
    pub(crate) fn messages_alone(&self) -> Option<&(RangeInclusive<i64>, Encoded)> {
        self.segment.as_ref().filter(|_| self.folds.are_none() && self.received.is_empty())
    }

    async fn write(self, tx: &TenantTx) -> Result<(), StorageError> {
        if let Some((span, encoded)) = self.segment {
            write::append(tx, span, encoded).await?;
        }
        mailboxes::receive(tx, &self.received).await?;
        self.folds.write(tx).await
    }
}

/// Encodes before the transaction begins, so that it is short.
pub(crate) fn shares(
    database: &Database,
    commit: &Commit,
) -> Result<BTreeMap<TenantId, Share>, StorageError> {
    let mut shares = BTreeMap::<TenantId, Share>::new();
    for segment in commit.segments.iter().filter(|segment| segment.count() > 0) {
        let encoded = segments::encode(&segment.runs, &mut database.inner.scratch.lock())?;
        let first = position(segment.first);
        let last = position(segment.first.plus(segment.count() - 1));
        shares.entry(segment.tenant).or_default().segment = Some((first..=last, encoded));
    }
    for (tenant, received) in &commit.received {
        shares.entry(*tenant).or_default().received.push(*received);
    }
    for fold in &commit.folds {
        shares.entry(fold.tenant).or_default().folds.add(fold);
    }
    Ok(shares)
}

/// Fails when the epoch is over, and keeps it from ending before the transaction does.
pub(crate) async fn check_fence(tx: &TenantTx, epoch: i64) -> Result<(), StorageError> {
    let lock = if tx.backend() == DbBackend::Postgres { " FOR SHARE" } else { "" };
    let sql = format!("SELECT value FROM meta WHERE key = 'ownership'{lock}");
    let rows = tx.query_sql(&sql, []).await?;
    let current = rows.first().map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
    if current == Some(epoch) { Ok(()) } else { Err(StorageError::Fenced { epoch }) }
}
