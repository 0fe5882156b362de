//! Reading the log. Directories are read first, in batches; messages only of the segments that a reader
//! needs, so that tens of thousands of small segments are passed over quickly.

use std::collections::HashSet;

use sea_orm::{QueryResult, Value};
use tenants::{DeviceId, Sequence};

use super::{Directory, Messages};
use crate::{
    columns::{position, sequence},
    errors::StorageError,
    tenant_tx::TenantTx,
};

/// Directories read at once.
const DIRECTORIES: i64 = 512;
/// Segments whose messages are read at once.
const SEGMENTS: usize = 32;

/// A segment without its messages.
pub(crate) struct Head {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) received_from: i64,
    pub(crate) received_to: i64,
    pub(crate) directory: Directory,
}

impl Head {
    fn of(row: &QueryResult) -> Result<Self, StorageError> {
        let (first, last) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let directory: Vec<u8> = row.try_get_by_index(4)?;
        Ok(Self {
            first,
            last,
            received_from: row.try_get_by_index(2)?,
            received_to: row.try_get_by_index(3)?,
            directory: Directory::decode(&directory, first..=last)?,
        })
    }

    pub(crate) fn first(&self) -> Result<Sequence, StorageError> {
        sequence(self.first)
    }

    pub(crate) fn has_any(&self, devices: &HashSet<&DeviceId>) -> bool {
        self.directory.has_any(devices)
    }
}

/// The last position of the tenant's log; zero when it is empty.
pub(crate) async fn end(tx: &TenantTx) -> Result<i64, StorageError> {
    let sql = "SELECT last_seq FROM segments WHERE tenant_id = $1 ORDER BY first_seq DESC LIMIT 1";
    let rows = tx.query_sql(sql, [tenant(tx)]).await?;
    Ok(rows.first().map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}

/// The next heads of segments with positions after `after`, up to `until`, in order.
pub(crate) async fn heads_after(
    tx: &TenantTx,
    after: Sequence,
    until: Sequence,
) -> Result<Vec<Head>, StorageError> {
    // The first of them may begin before: it is the last one that begins at or before `after + 1`.
    let sql = format!(
        "SELECT first_seq, last_seq, received_from, received_to, directory FROM segments
         WHERE tenant_id = $1 AND first_seq <= $3 AND last_seq > $2 AND first_seq >= coalesce(
             (SELECT max(first_seq) FROM segments WHERE tenant_id = $1 AND first_seq <= $2 + 1), 0)
         ORDER BY first_seq LIMIT {DIRECTORIES}"
    );
    let values = [tenant(tx), position(after).into(), position(until).into()];
    tx.query_sql(&sql, values).await?.iter().map(Head::of).collect()
}

/// The next heads of segments that begin before a place in the log, the last first.
pub(crate) async fn heads_before(tx: &TenantTx, before: i64) -> Result<Vec<Head>, StorageError> {
    let sql = format!(
        "SELECT first_seq, last_seq, received_from, received_to, directory FROM segments
         WHERE tenant_id = $1 AND first_seq < $2 ORDER BY first_seq DESC LIMIT {DIRECTORIES}"
    );
    tx.query_sql(&sql, [tenant(tx), before.into()]).await?.iter().map(Head::of).collect()
}

/// Where a walk back in time stands: `received_to`, `received_from` and first position of the last head.
pub(crate) type Place = (i64, i64, i64);

/// The next heads with messages received within `since..until`, the latest first.
pub(crate) async fn heads_received(
    tx: &TenantTx,
    since: i64,
    until: i64,
    before: Option<Place>,
) -> Result<Vec<Head>, StorageError> {
    // The index holds all that is asked for here, so segments outside the span are passed over in it.
    let (to, from, first) = before.unwrap_or((i64::MAX, i64::MAX, i64::MAX));
    let sql = format!(
        "SELECT s.first_seq, s.last_seq, s.received_from, s.received_to, s.directory FROM segments s
         WHERE s.tenant_id = $1 AND s.received_to >= $2 AND s.received_from < $3
           AND (s.received_to, s.received_from, s.first_seq) < ($4, $5, $6)
         ORDER BY s.received_to DESC, s.received_from DESC, s.first_seq DESC LIMIT {DIRECTORIES}"
    );
    let values = [tenant(tx), since.into(), until.into(), to.into(), from.into(), first.into()];
    tx.query_sql(&sql, values).await?.iter().map(Head::of).collect()
}

/// The messages of a segment, for each of the heads and in their order; `take` gets both.
pub(crate) async fn for_each_messages(
    tx: &TenantTx,
    heads: &[&Head],
    mut take: impl FnMut(&Head, &Messages) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    for part in heads.chunks(SEGMENTS) {
        let marks: Vec<String> = (2..part.len() + 2).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT first_seq, messages FROM segments WHERE tenant_id = $1 AND first_seq IN ({})",
            marks.join(", ")
        );
        let values = std::iter::once(tenant(tx)).chain(part.iter().map(|head| head.first.into()));
        let mut found = std::collections::HashMap::new();
        for row in tx.query_sql(&sql, values).await? {
            found.insert(row.try_get_by_index::<i64>(0)?, row.try_get_by_index::<Vec<u8>>(1)?);
        }
        for head in part {
            let column = found.remove(&head.first);
            let column = column.ok_or_else(|| StorageError::corrupt("a segment without messages"))?;
            take(head, &Messages::decompress(&head.directory, &column)?)?;
        }
    }
    Ok(())
}

fn tenant(tx: &TenantTx) -> Value {
    (*tx.tenant().as_uuid()).into()
}
