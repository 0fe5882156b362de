//! Merging small segments into larger ones, in the background. A quiet tenant's log is thousands of tiny
//! rows an hour; a reader of the past passes over one row instead of hundreds.
//!
//! A merged segment holds messages of one day (UTC), so that they can be deleted by the day.
//!
//! Nothing else changes: the same messages, positions and form, so readers do not notice.

use std::ops::RangeInclusive;

use ::tenants::{Sequence, StoreError, TenantId};
use bytes::Bytes;

use crate::{
    columns::sequence,
    commit,
    database::Database,
    errors::StorageError,
    quotas::DAY,
    segments::{self, Directory, Encoded, read, read::Head},
};

/// Bytes of messages, before compression, that a merged segment holds at most. Larger ones would make
/// reading one device's messages dearer.
const LARGEST: usize = 1 << 20;
/// Segments that make it worthwhile to merge before they are [`LARGEST`] together.
const WORTHWHILE: usize = 64;

/// What one call has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compaction {
    /// Small segments that are gone.
    pub removed: usize,
    /// Merged ones in their place.
    pub added: usize,
    /// Where to go on: nothing before is worth looking at again.
    pub next: Sequence,
    /// Whether there may be more to do at once.
    pub more: bool,
}

impl Database {
    /// Merges small segments after `after`, leaving the last one of the log alone. Only the node that owns
    /// the partitions may; each merge is a transaction of its own, so that commits do not wait for long.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when another node has taken over; what the database failed with otherwise.
    pub async fn compact(&self, tenant: TenantId, after: Sequence) -> Result<Compaction, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let end = read::end(&tx).await?;
        let heads = read::heads_after(&tx, after, Sequence(u64::MAX)).await?;
        drop(tx);
        let more = heads.last().is_some_and(|head| head.last < end);
        let mut done = Compaction { removed: 0, added: 0, next: after, more };
        // The last segment may still be written again by a commit whose answer was lost.
        let settled: Vec<Head> = heads.into_iter().filter(|head| head.last < end).collect();
        for group in groups(&settled) {
            let [first, .., last] = group.heads else {
                if group.closed {
                    done.next = sequence(group.heads.first().map_or(0, |head| head.last))?;
                }
                continue;
            };
            if group.closed || group.heads.len() >= WORTHWHILE {
                let merged = self.joined(tenant, group.heads).await?;
                self.replace(tenant, first.first..=last.last, group.heads.len(), merged).await?;
                done.removed += group.heads.len();
                done.added += 1;
            }
            if group.closed {
                done.next = sequence(last.last)?;
            }
        }
        Ok(done)
    }

    /// Segments never change, so this needs no lock.
    async fn joined(&self, tenant: TenantId, heads: &[Head]) -> Result<Encoded, StorageError> {
        let tx = self.begin_read(tenant).await?;
        let all: Vec<&Head> = heads.iter().collect();
        let mut bytes = Vec::with_capacity(heads.len());
        read::for_each_messages(&tx, &all, |_, messages| {
            bytes.push(messages.bytes());
            Ok(())
        })
        .await?;
        let parts: Vec<(&Directory, Bytes)> = heads.iter().map(|head| &head.directory).zip(bytes).collect();
        let from = heads.iter().map(|head| head.received_from).min().unwrap_or_default();
        let to = heads.iter().map(|head| head.received_to).max().unwrap_or_default();
        segments::join(&parts, (from, to), &mut segments::Scratch::default())
    }

    async fn replace(
        &self,
        tenant: TenantId,
        span: RangeInclusive<i64>,
        parts: usize,
        merged: Encoded,
    ) -> Result<(), StorageError> {
        let tx = self.begin_write(tenant).await?;
        commit::check_fence(&tx, self.epoch()?).await?;
        let sql = "DELETE FROM segments WHERE tenant_id = $1 AND first_seq BETWEEN $2 AND $3";
        let removed = tx
            .execute_sql(sql, [(*tenant.as_uuid()).into(), (*span.start()).into(), (*span.end()).into()])
            .await?;
        if removed != parts as u64 {
            return Err(StorageError::Conflict { what: "the log was merged by someone else".to_owned() });
        }
        segments::write::put(&tx, span, merged).await?;
        tx.commit().await
    }
}

/// Neighbours to be merged.
struct Group<'a> {
    heads: &'a [Head],
    /// Whether the next segment would not have fitted.
    closed: bool,
}

fn groups(heads: &[Head]) -> impl Iterator<Item = Group<'_>> {
    let mut rest = heads;
    std::iter::from_fn(move || {
        let mut size = 0;
        let day = rest.first().map(|head| head.received_from / DAY);
        let fitting = rest.iter().take_while(|head| {
            size += head.directory.size();
            size <= LARGEST && day == Some(head.received_to / DAY)
        });
        let length = fitting.count().max(1);
        let (heads, others) = rest.split_at_checked(length)?;
        rest = others;
        let closed = !rest.is_empty() || size >= LARGEST;
        Some(Group { heads, closed })
    })
}
