//! Appending to the log.

use std::ops::RangeInclusive;

use ::tenants::TenantId;
use sea_orm::Value;

use super::Encoded;
use crate::{errors::StorageError, tenant_tx::TenantTx};

/// Only a segment that goes on where the log ends is taken.
const APPEND: &str = "
INSERT INTO segments (tenant_id, first_seq, last_seq, received_from, received_to, directory, messages)
SELECT $1, $2, $3, $4, $5, $6, $7
WHERE $2 - 1 = coalesce(
    (SELECT last_seq FROM segments WHERE tenant_id = $1 ORDER BY first_seq DESC LIMIT 1), 0)";

/// Appends a segment. Appending the very same one again is no error: a commit whose answer was lost is
/// tried again. Anything else in its place is.
pub(crate) async fn append(
    tx: &TenantTx,
    span: RangeInclusive<i64>,
    encoded: Encoded,
) -> Result<(), StorageError> {
    let first = *span.start();
    let values = row(tx.tenant(), span, encoded);
    let appended = tx.execute_sql(APPEND, values.clone()).await? == 1;
    if appended || is_stored(tx, &values).await? {
        return Ok(());
    }
    let what = format!("the log does not end at position {}", first - 1);
    Err(StorageError::Conflict { what })
}

/// Puts a merged segment in the place of its parts.
pub(crate) async fn put(
    tx: &TenantTx,
    span: RangeInclusive<i64>,
    encoded: Encoded,
) -> Result<(), StorageError> {
    let sql = "
        INSERT INTO segments (tenant_id, first_seq, last_seq, received_from, received_to, directory, messages)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.execute_sql(sql, row(tx.tenant(), span, encoded)).await?;
    Ok(())
}

pub(crate) fn row(tenant: TenantId, span: RangeInclusive<i64>, encoded: Encoded) -> [Value; 7] {
    [
        (*tenant.as_uuid()).into(),
        (*span.start()).into(),
        (*span.end()).into(),
        encoded.received_from.into(),
        encoded.received_to.into(),
        encoded.directory.into(),
        encoded.messages.into(),
    ]
}

async fn is_stored(tx: &TenantTx, row: &[Value; 7]) -> Result<bool, StorageError> {
    let sql = "SELECT 1 FROM segments WHERE tenant_id = $1 AND first_seq = $2 AND last_seq = $3
        AND received_from = $4 AND received_to = $5 AND directory = $6 AND messages = $7";
    Ok(!tx.query_sql(sql, row.clone()).await?.is_empty())
}
