//! What policies come to in the rows that there are: asked of the same conditions that lists are read with.

use ::tenants::{
    StoreError,
    access::{Clause, Object, Rows, Scope},
    stores::{PolicyEffects, PolicyRow},
};
use sea_orm::{ColumnTrait, QueryFilter, sea_query::SimpleExpr};

use crate::{
    database::Database,
    entities::{PolicyRows, alarms, devices, patients},
    errors::StorageError,
    predicate,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl PolicyEffects for Database {
    async fn covered(
        &self,
        scope: &Scope,
        row: &PolicyRow,
        clauses: &[Clause],
    ) -> Result<Option<Vec<bool>>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        Ok(match row {
            PolicyRow::Patient(id) => {
                covered::<patients::Entity>(&tx, patients::Column::Id.eq(*id), clauses).await?
            }
            PolicyRow::Device(id) => {
                covered::<devices::Entity>(&tx, devices::Column::Id.eq(id.as_str()), clauses).await?
            }
            PolicyRow::Alarm(id) => {
                covered::<alarms::Entity>(&tx, alarms::Column::Id.eq(*id), clauses).await?
            }
        })
    }

    async fn count(&self, scope: &Scope, object: Object, rows: &Rows) -> Result<Option<u64>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        Ok(match object {
            Object::Patient => Some(count::<patients::Entity>(&tx, rows).await?),
            Object::Device => Some(count::<devices::Entity>(&tx, rows).await?),
            Object::Alarm => Some(count::<alarms::Entity>(&tx, rows).await?),
            _ => None,
        })
    }
}

async fn covered<E: PolicyRows>(
    tx: &TenantTx,
    row: SimpleExpr,
    clauses: &[Clause],
) -> Result<Option<Vec<bool>>, StorageError>
where
    E::Model: Sync,
{
    let row = tx.find::<E>().filter(row);
    if tx.count(row.clone()).await? == 0 {
        return Ok(None);
    }
    let mut all = Vec::with_capacity(clauses.len());
    for clause in clauses {
        let covered = row.clone().filter(predicate::covered::<E>(tx.tenant(), tx.backend(), clause));
        all.push(tx.count(covered).await? > 0);
    }
    Ok(Some(all))
}

async fn count<E: PolicyRows>(tx: &TenantTx, rows: &Rows) -> Result<u64, StorageError>
where
    E::Model: Sync,
{
    tx.count(tx.find::<E>().filter(predicate::any_of::<E>(tx.tenant(), rows, tx.backend()))).await
}
