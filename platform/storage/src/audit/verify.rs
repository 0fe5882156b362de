//! Proving that a chain is as it was written.
//!
//! A row that was edited has another hash than it says; one that was deleted, moved or put in breaks the
//! places or the link to the row before; one cut off the end is missed by the head. Whoever can write the
//! head, too, can forge a whole chain: that is what anchors outside the database are for.

use ::tenants::{
    StoreError, TenantId,
    audit::{AuditHash, Break, ChainReport, Head},
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{audit_hash, encoding};
use crate::{
    columns::position,
    database::Database,
    entities::audit::{Column, Entity, Model},
    errors::StorageError,
};

/// Rows that are read at once.
const PAGE: u64 = 1_000;

impl Database {
    /// The newest entry of each chain, the platform's first, then by slug; chains without entries have none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_heads(&self) -> Result<Vec<Head>, StoreError> {
        let mut heads = Vec::new();
        for tenant in self.chains().await? {
            if let Some((seq, hash)) = self.head(tenant).await?.filter(|(seq, _)| *seq > 0) {
                heads.push(Head { tenant, seq: seq.unsigned_abs(), hash });
            }
        }
        Ok(heads)
    }

    /// Walks a tenant's chain from its first row, and compares it with what is kept of it elsewhere.
    ///
    /// # Errors
    /// When the database fails; a chain that is broken is no error but a report of it.
    pub async fn verify_audit(
        &self,
        tenant: TenantId,
        anchor: Option<&Head>,
    ) -> Result<ChainReport, StoreError> {
        Ok(self.walk(tenant, anchor).await?)
    }

    /// Every tenant's id, the platform's first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chains(&self) -> Result<Vec<TenantId>, StoreError> {
        let hospitals = self.hospitals().await?.into_iter().map(|tenant| tenant.id);
        Ok(std::iter::once(TenantId::PLATFORM).chain(hospitals).collect())
    }

    async fn walk(&self, tenant: TenantId, anchor: Option<&Head>) -> Result<ChainReport, StorageError> {
        // What is added meanwhile is behind this head.
        let head = self.head(tenant).await?;
        let (length, hash) = head.unwrap_or((0, encoding::NOTHING));
        let mut walk = Walk { tenant, seq: 0, hash: encoding::NOTHING, anchor: anchor.copied() };
        while walk.seq < length {
            let rows = self.rows_after(tenant, walk.seq, length).await?;
            if rows.is_empty() {
                return Ok(walk.broken(walk.seq + 1, "is missing; the chain was cut before its head"));
            }
            for row in &rows {
                if let Err(report) = walk.step(row) {
                    return Ok(*report);
                }
            }
        }
        if walk.hash != hash {
            return Ok(walk.broken(walk.seq.max(1), "is not the row that the head names; it was replaced"));
        }
        if walk.anchor.is_some_and(|anchor| position_of(&anchor) > walk.seq) {
            return Ok(walk.broken(walk.seq + 1, "is missing; the anchor has seen a longer chain"));
        }
        // The head is read again afterwards: it is written with the rows, so it is never behind them.
        let last = self.last_seq(tenant).await?;
        let now = self.head(tenant).await?.map_or(0, |(seq, _)| seq);
        if last > now {
            return Ok(walk.broken(now + 1, "was added without the head; it was forged"));
        }
        Ok(walk.whole())
    }

    async fn rows_after(&self, tenant: TenantId, seq: i64, to: i64) -> Result<Vec<Model>, StorageError> {
        let tx = self.begin_read(tenant).await?;
        let rows = tx
            .find::<Entity>()
            .filter(Column::Seq.gt(seq))
            .filter(Column::Seq.lte(to))
            .order_by_asc(Column::Seq)
            .limit(PAGE);
        tx.all(rows).await
    }

    async fn last_seq(&self, tenant: TenantId) -> Result<i64, StorageError> {
        let tx = self.begin_read(tenant).await?;
        let last = tx.find::<Entity>().order_by_desc(Column::Seq).limit(1);
        Ok(tx.one(last).await?.map_or(0, |row| row.seq))
    }

    async fn head(&self, tenant: TenantId) -> Result<Option<(i64, AuditHash)>, StorageError> {
        let tx = self.begin_read(tenant).await?;
        let sql = "SELECT seq, hash FROM audit_heads WHERE tenant_id = $1";
        let rows = tx.query_sql(sql, [(*tenant.as_uuid()).into()]).await?;
        let read = |row: &sea_orm::QueryResult| {
            Ok((row.try_get_by_index(0)?, audit_hash(&row.try_get_by_index::<Vec<u8>>(1)?)?))
        };
        rows.first().map(read).transpose()
    }
}

/// How far a chain has been found whole.
struct Walk {
    tenant: TenantId,
    seq: i64,
    hash: AuditHash,
    anchor: Option<Head>,
}

impl Walk {
    /// One row further, or why not.
    fn step(&mut self, row: &Model) -> Result<(), Box<ChainReport>> {
        let expected = self.seq + 1;
        if row.seq != expected {
            return Err(Box::new(self.broken(expected, "is missing; it was deleted")));
        }
        let Some(hash) = encoding::hash(row) else {
            return Err(Box::new(self.broken(expected, "has an encoding that this version does not know")));
        };
        if row.previous != self.hash.0 {
            let problem = "does not follow the row before it; one of the two was moved or replaced";
            return Err(Box::new(self.broken(expected, problem)));
        }
        if row.hash != hash.0 {
            return Err(Box::new(self.broken(expected, "is not as it was written; it was edited")));
        }
        if self.anchor.is_some_and(|anchor| position_of(&anchor) == expected && anchor.hash != hash) {
            let problem = "is not the row that the anchor has seen; the chain was written anew";
            return Err(Box::new(self.broken(expected, problem)));
        }
        (self.seq, self.hash) = (expected, hash);
        Ok(())
    }

    fn broken(&self, seq: i64, problem: &'static str) -> ChainReport {
        let broken = Some(Break { seq: seq.unsigned_abs(), problem });
        ChainReport { tenant: self.tenant, whole: self.seq.unsigned_abs(), head: None, broken }
    }

    fn whole(&self) -> ChainReport {
        let whole = self.seq.unsigned_abs();
        let head = (whole > 0).then_some(Head { tenant: self.tenant, seq: whole, hash: self.hash });
        ChainReport { tenant: self.tenant, whole, head, broken: None }
    }
}

fn position_of(head: &Head) -> i64 {
    position(::tenants::Sequence(head.seq))
}
