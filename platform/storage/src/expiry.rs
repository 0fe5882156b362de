//! Deleting messages that a hospital does not keep any longer, in the background.

use ::tenants::{StoreError, TenantId, audit::AuditEntry};
use jiff::Timestamp;
use sea_orm::Value;

use crate::{audit, columns::micros, commit, database::Database, errors::StorageError, segments::read};

/// Segments that are deleted in one transaction, so that commits do not wait for long.
const SEGMENTS: i64 = 256;

impl Database {
    /// Deletes messages that were received before a time, oldest first, some at a time; says how many there were, 0 when none
    /// are left. Messages go with their whole segment, which holds those of one day; the newest segment stays, and so does what
    /// is not yet in the snapshots of its twins. Only the node that owns the partitions may.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when another node has taken over; what the database failed with otherwise.
    pub async fn expire(
        &self,
        tenant: TenantId,
        before: Timestamp,
        audit: &AuditEntry,
    ) -> Result<u64, StoreError> {
        Ok(self.expire_some(tenant, before, audit).await?)
    }

    async fn expire_some(
        &self,
        tenant: TenantId,
        before: Timestamp,
        audit: &AuditEntry,
    ) -> Result<u64, StorageError> {
        let tx = self.begin_write(tenant).await?;
        commit::check_fence(&tx, self.epoch()?).await?;
        let key: Value = (*tenant.as_uuid()).into();
        let end = read::end(&tx).await?;
        let sql = "SELECT first_seq, last_seq FROM segments
                   WHERE tenant_id = $1 AND received_to < $2 AND last_seq < $3
                   AND last_seq <= (SELECT position FROM checkpoints WHERE tenant_id = $1)
                   ORDER BY first_seq LIMIT $4";
        let values = [key.clone(), micros(before).into(), end.into(), SEGMENTS.into()];
        let (mut messages, mut last) = (0, 0);
        for row in tx.query_sql(sql, values).await? {
            let (first, end): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let sql = "DELETE FROM segments WHERE tenant_id = $1 AND first_seq = $2";
            tx.execute_sql(sql, [key.clone(), first.into()]).await?;
            messages += u64::try_from(end - first + 1).unwrap_or_default();
            last = end;
        }
        if messages == 0 {
            return Ok(0);
        }
        let sql = "DELETE FROM set_aside WHERE tenant_id = $1 AND received_at < $2 AND position <= $3";
        tx.execute_sql(sql, [key, micros(before).into(), last.into()]).await?;
        let detail = format!("{messages} messages received before {before}");
        audit::note(&tx, &AuditEntry { detail, ..audit.clone() }).await?;
        tx.commit().await?;
        Ok(messages)
    }
}
