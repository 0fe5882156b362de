//! A hospital's units. Each is kept with everything above it, so that "within" is one look-up.

use ::tenants::{
    StoreError, Tenant, UnitId,
    access::{self, Cell, Scope},
    audit::AuditEntry,
    org::{OrgError, OrgTree, OrgUnit, UnitKind},
    stores::OrgUnits,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryTrait,
    sea_query::OnConflict,
};

use crate::{
    access_rules, audit,
    columns::{folded, parsed, storable},
    database::Database,
    entities::{
        org_unit_closure,
        org_units::{Column, Entity, Model},
    },
    errors::StorageError,
    patients,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl OrgUnits for Database {
    async fn save(&self, scope: &Scope, unit: &OrgUnit, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        // The first of all: whoever else changes the tree waits here, so that the tree which is checked is the
        // one that is stored.
        access_rules::changed(&tx).await?;
        let before = parsed(OrgTree::build(tx.tenant(), all(&tx).await?), "the tree of units")?;
        let after = before.with(tx.tenant(), unit).map_err(refused)?;
        let row = row(&tx, unit);
        match before.get(unit.id) {
            None => tx.insert::<Entity>(row).await?,
            Some(_) => {
                replace(&tx, row).await?;
                patients::rename_ward(&tx, unit).await?;
            }
        }
        if before.get(unit.id).is_none_or(|known| known.parent != unit.parent) {
            let moved = after.below(unit.id);
            forget_above(&tx, moved.iter().copied()).await?;
            add_above(&tx, moved.into_iter().map(|id| (id, after.path(id)))).await?;
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn remove(&self, scope: &Scope, unit: UnitId, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        if unit == UnitId::root(tx.tenant()) {
            return Err(refused(OrgError::Root).into());
        }
        access_rules::changed(&tx).await?;
        name(&tx, unit).await?;
        if let Some(use_) = in_use(&tx, unit).await? {
            let what = format!("the unit still has {use_}; move or remove them first");
            return Err(StorageError::Conflict { what }.into());
        }
        forget_above(&tx, [unit]).await?;
        let key = [(*tx.tenant().as_uuid()).into(), (*unit.as_uuid()).into()];
        tx.execute_sql("DELETE FROM org_units WHERE tenant_id = $1 AND id = $2", key).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}

/// All units of the transaction's tenant.
pub(crate) async fn all(tx: &TenantTx) -> Result<Vec<OrgUnit>, StorageError> {
    tx.all(tx.find::<Entity>()).await?.into_iter().map(unit).collect()
}

/// The unit that stands for a new hospital as a whole.
pub(crate) async fn plant(tx: &TenantTx, tenant: &Tenant) -> Result<(), StorageError> {
    let id = UnitId::root(tenant.id);
    let whole = OrgUnit { id, parent: None, name: tenant.name.clone(), kind: UnitKind::Hospital };
    tx.insert::<Entity>(row(tx, &whole)).await?;
    add_above(tx, [(id, vec![id])]).await
}

/// That there is such a unit, and that the scope does not end before it.
pub(crate) async fn check_target(
    tx: &TenantTx,
    scope: &Scope,
    column: access::Column,
    unit: UnitId,
) -> Result<String, StorageError> {
    let there = |asked| (asked == column).then_some(Some(Cell::Unit(unit)));
    match scope.rows().cover_partly(&there) {
        Some(false) => Err(StorageError::NotFound { what: "unit" }),
        Some(true) | None => name(tx, unit).await,
    }
}

/// What a unit is called.
pub(crate) async fn name(tx: &TenantTx, unit: UnitId) -> Result<String, StorageError> {
    let found = tx.one(tx.find::<Entity>().filter(Column::Id.eq(*unit.as_uuid()))).await?;
    Ok(found.ok_or(StorageError::NotFound { what: "unit" })?.name)
}

async fn replace(tx: &TenantTx, row: Model) -> Result<(), StorageError> {
    let (tenant, id) = (row.tenant_id, row.id);
    let update = Entity::update_many().set(row.into_active_model().reset_all());
    let update = update.filter(Column::TenantId.eq(tenant)).filter(Column::Id.eq(id));
    tx.execute(&update.into_query()).await.map(drop)
}

async fn forget_above(tx: &TenantTx, units: impl IntoIterator<Item = UnitId>) -> Result<(), StorageError> {
    let sql = "DELETE FROM org_unit_closure WHERE tenant_id = $1 AND unit_id = $2";
    for unit in units {
        tx.execute_sql(sql, [(*tx.tenant().as_uuid()).into(), (*unit.as_uuid()).into()]).await?;
    }
    Ok(())
}

async fn add_above(
    tx: &TenantTx,
    paths: impl IntoIterator<Item = (UnitId, Vec<UnitId>)>,
) -> Result<(), StorageError> {
    let tenant_id = *tx.tenant().as_uuid();
    let pairs = paths.into_iter().flat_map(|(unit, path)| path.into_iter().map(move |above| (unit, above)));
    let rows = pairs.map(|(unit, above)| org_unit_closure::Model {
        tenant_id,
        ancestor_id: *above.as_uuid(),
        unit_id: *unit.as_uuid(),
    });
    let key = [
        org_unit_closure::Column::TenantId,
        org_unit_closure::Column::AncestorId,
        org_unit_closure::Column::UnitId,
    ];
    let once = OnConflict::columns(key).do_nothing().to_owned();
    tx.insert_many::<org_unit_closure::Entity>(rows.collect(), once).await
}

/// What keeps a unit from being removed, in words.
async fn in_use(tx: &TenantTx, unit: UnitId) -> Result<Option<&'static str>, StorageError> {
    for (what, table, column) in [
        ("units below it", "org_units", "parent_id"),
        ("patients", "patients", "unit_id"),
        ("devices, or a history of devices", "placements", "unit_id"),
        ("alarms", "alarms", "unit_id"),
        ("users who hold a role in it", "role_grants", "unit_id"),
        ("groups of an identity provider that hold a role in it", "identity_provider_roles", "unit_id"),
        ("service clients that hold a role in it", "service_clients", "unit_id"),
    ] {
        let sql = format!("SELECT 1 FROM {table} WHERE tenant_id = $1 AND {column} = $2 LIMIT 1");
        let key = [(*tx.tenant().as_uuid()).into(), (*unit.as_uuid()).into()];
        if !tx.query_sql(&sql, key).await?.is_empty() {
            return Ok(Some(what));
        }
    }
    Ok(None)
}

fn refused(error: OrgError) -> StorageError {
    match error {
        OrgError::NoParent { .. } => StorageError::NotFound { what: "the unit that it shall belong to" },
        other => StorageError::Conflict { what: other.to_string() },
    }
}

fn row(tx: &TenantTx, unit: &OrgUnit) -> Model {
    let name = unit.name.trim();
    Model {
        tenant_id: *tx.tenant().as_uuid(),
        id: *unit.id.as_uuid(),
        parent_id: unit.parent.map(|parent| *parent.as_uuid()),
        name: storable(name),
        name_search: storable(&folded(name)),
        kind: unit.kind.as_str().to_owned(),
    }
}

fn unit(row: Model) -> Result<OrgUnit, StorageError> {
    Ok(OrgUnit {
        id: UnitId::from_uuid(row.id),
        parent: row.parent_id.map(UnitId::from_uuid),
        name: row.name,
        kind: UnitKind::parse(&row.kind).ok_or_else(|| StorageError::corrupt("a unit's kind"))?,
    })
}
