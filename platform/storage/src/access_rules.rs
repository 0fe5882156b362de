//! What decisions rest on: the tree of units, a hospital's own roles, and who holds what.

use ::tenants::{
    RoleName, StoreError, TenantId, UnitId, UserId,
    access::{AccessData, AccessRules, RoleGrant, StoredPolicy},
};
use jiff::Timestamp;
use sea_orm::EntityTrait;

use crate::{
    columns::{micros, parsed, timestamp},
    database::Database,
    elevations,
    entities::{policies, role_grants, tenants},
    errors::StorageError,
    openings, org, service_clients,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl AccessRules for Database {
    async fn access_data(&self, tenant: TenantId, now: Timestamp) -> Result<AccessData, StoreError> {
        let tx = self.begin_read(tenant).await?;
        // Read first: on PostgreSQL each query sees a later moment, and what is newer than its version is only
        // loaded once more.
        let known = tx.one(tenants::Entity::find_by_id(*tenant.as_uuid())).await?;
        let known = known.ok_or(StorageError::NotFound { what: "tenant" })?;
        let policies = tx.all(tx.find::<policies::Entity>()).await?;
        let grants = tx.all(tx.find::<role_grants::Entity>()).await?;
        let mut held: Vec<_> = grants.iter().map(held).collect::<Result<_, _>>()?;
        held.extend(service_clients::grants(&tx).await?);
        Ok(AccessData {
            version: version(known.access_version)?,
            units: org::all(&tx).await?,
            policies: policies.into_iter().map(policy).collect::<Result<_, _>>()?,
            grants: held,
            opened: openings::opened(&tx, now).await?,
            elevated: elevations::elevated(&tx, now).await?,
            suspended: known.suspended_since.is_some(),
        })
    }

    async fn access_versions(&self) -> Result<Vec<(TenantId, u64)>, StoreError> {
        let tx = self.begin_read(TenantId::PLATFORM).await?;
        let all = tx.all(tenants::Entity::find()).await?.into_iter();
        let versions = all.map(|row| Ok((TenantId::from_uuid(row.id), version(row.access_version)?)));
        Ok(versions.collect::<Result<_, StorageError>>()?)
    }
}

/// Tells every process that decisions in the tenant must be made anew.
pub(crate) async fn changed(tx: &TenantTx) -> Result<(), StorageError> {
    let sql = "UPDATE tenants SET access_version = access_version + 1 WHERE id = $1";
    let tenant = (*tx.tenant().as_uuid()).into();
    match tx.execute_sql(sql, [tenant]).await? {
        1 => Ok(()),
        _ => Err(StorageError::NotFound { what: "tenant" }),
    }
}

/// Gives a user a role that the user does not hold there yet.
pub(crate) async fn add_grant(tx: &TenantTx, user: UserId, grant: &RoleGrant) -> Result<(), StorageError> {
    let row = role_grants::Model {
        tenant_id: *tx.tenant().as_uuid(),
        user_id: *user.as_uuid(),
        role: grant.role.as_str().to_owned(),
        unit_id: *grant.unit.as_uuid(),
        until: grant.until.map(micros),
    };
    tx.insert::<role_grants::Entity>(row).await.map_err(|error| {
        error.duplicate_as("the user holds this role in this unit already").dangling_as("user or unit")
    })
}

fn version(stored: i64) -> Result<u64, StorageError> {
    parsed(u64::try_from(stored), "a version of access rules")
}

fn held(row: &role_grants::Model) -> Result<(UserId, RoleGrant), StorageError> {
    let grant = RoleGrant {
        role: parsed(RoleName::parse(&row.role), "a role's name")?,
        unit: UnitId::from_uuid(row.unit_id),
        until: row.until.map(timestamp).transpose()?,
    };
    Ok((UserId::from_uuid(row.user_id), grant))
}

pub(crate) fn policy(row: policies::Model) -> Result<StoredPolicy, StorageError> {
    Ok(StoredPolicy {
        role: parsed(RoleName::parse(&row.role), "a role's name")?,
        object: parsed(row.object.parse(), "a policy's object")?,
        action: parsed(row.action.parse(), "a policy's action")?,
        rows: row.row_policy,
        masked: row.masked.split_whitespace().map(str::to_owned).collect(),
    })
}
