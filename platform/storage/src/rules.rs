//! Rules. A rule is replaced only by its next version.

use ::rules::{Condition, Rule};
use ::tenants::{RuleId, StoreError, TenantId, access::Scope, audit::AuditEntry};
use jiff::SignedDuration;
use readings::{Path, Unit};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryTrait,
};
use twins::store::directory::Rules;

use crate::{
    audit,
    columns::{parsed, storable},
    database::Database,
    entities::rules::{Column, Entity, Model},
    errors::StorageError,
    predicate,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl Rules for Database {
    async fn all(&self, scope: &Scope) -> Result<Vec<Rule>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let list = tx.find::<Entity>().filter(predicate::rows::<Entity>(scope, tx.backend()));
        let list = list.order_by_asc(Column::Name).order_by_asc(Column::Id);
        Ok(tx.all(list).await?.into_iter().map(rule).collect::<Result<_, _>>()?)
    }

    async fn save(&self, scope: &Scope, rule: &Rule, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        let row = row(scope.tenant(), rule)?;
        let saved = if rule.version == 1 { add(&tx, row).await? } else { replace(&tx, row).await? };
        if !saved {
            let what = "the rule was changed by someone else meanwhile".to_owned();
            return Err(StorageError::Conflict { what }.into());
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}

/// All rules of the transaction's tenant, enabled or not.
pub(crate) async fn of_tenant(tx: &TenantTx) -> Result<Vec<Rule>, StorageError> {
    let list = tx.find::<Entity>().order_by_asc(Column::Name).order_by_asc(Column::Id);
    tx.all(list).await?.into_iter().map(rule).collect()
}

async fn add(tx: &TenantTx, row: Model) -> Result<bool, StorageError> {
    match tx.insert::<Entity>(row).await {
        Ok(()) => Ok(true),
        Err(StorageError::Duplicate { .. }) => Ok(false),
        Err(error) => Err(error.dangling_as("tenant")),
    }
}

async fn replace(tx: &TenantTx, row: Model) -> Result<bool, StorageError> {
    let previous = row.version - 1;
    let (tenant, id) = (row.tenant_id, row.id);
    let update = Entity::update_many()
        .set(row.into_active_model().reset_all())
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::Id.eq(id))
        .filter(Column::Version.eq(previous));
    Ok(tx.execute(&update.into_query()).await? == 1)
}

fn row(tenant: TenantId, rule: &Rule) -> Result<Model, StorageError> {
    let hold = |hold: SignedDuration| {
        i64::try_from(hold.as_micros()).map_err(|_| StorageError::corrupt("a rule's hold time"))
    };
    Ok(Model {
        tenant_id: *tenant.as_uuid(),
        id: *rule.id.as_uuid(),
        name: storable(&rule.name),
        path: rule.path.as_str().to_owned(),
        raise_comparison: rule.raise.comparison.key().to_owned(),
        raise_value: rule.raise.value,
        hold_micros: hold(rule.hold)?,
        clear_comparison: rule.clear.comparison.key().to_owned(),
        clear_value: rule.clear.value,
        clear_hold_micros: hold(rule.clear_hold)?,
        unit: rule.unit.as_ref().map(|unit| unit.code().to_owned()),
        priority: rule.priority.key().to_owned(),
        enabled: rule.enabled,
        version: i64::from(rule.version),
    })
}

fn rule(row: Model) -> Result<Rule, StorageError> {
    let condition = |comparison: &str, value| {
        let comparison = parsed(comparison.parse(), "a rule's comparison")?;
        Ok::<_, StorageError>(Condition { comparison, value })
    };
    Ok(Rule {
        id: RuleId::from_uuid(row.id),
        path: parsed(Path::parse(&row.path), "a rule's path")?,
        raise: condition(&row.raise_comparison, row.raise_value)?,
        hold: SignedDuration::from_micros(row.hold_micros),
        clear: condition(&row.clear_comparison, row.clear_value)?,
        clear_hold: SignedDuration::from_micros(row.clear_hold_micros),
        unit: row.unit.map(|code| parsed(Unit::parse(&code), "a rule's unit")).transpose()?,
        priority: parsed(row.priority.parse(), "a rule's priority")?,
        enabled: row.enabled,
        version: parsed(u32::try_from(row.version), "a rule's version")?,
        name: row.name,
    })
}
