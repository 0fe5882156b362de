//! A hospital's own roles, and who holds which.

use std::collections::HashMap;

use ::tenants::{
    RoleName, StoreError, UnitId, UserId,
    access::{OwnRole, Role, RoleGrant, Scope, StoredPolicy},
    account::SomeSessions,
    audit::AuditEntry,
    stores::Roles,
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, sea_query::OnConflict};

use crate::{
    access_rules,
    accounts::end_sessions_in,
    audit,
    columns::{micros, parsed, storable},
    database::Database,
    entities::{identity_provider_roles, identity_providers, policies, role_grants, roles, users},
    errors::StorageError,
    service_clients,
    tenant_tx::TenantTx,
};

const CHANGED_MEANWHILE: &str = "the role was changed by someone else meanwhile";

#[async_trait::async_trait]
impl Roles for Database {
    async fn own(&self, scope: &Scope) -> Result<Vec<OwnRole>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let rows = tx.all(tx.find::<roles::Entity>().order_by_asc(roles::Column::Name)).await?;
        let mut of_role = HashMap::<_, Vec<_>>::new();
        for row in tx.all(tx.find::<policies::Entity>().order_by_asc(policies::Column::Position)).await? {
            of_role.entry(row.role.clone()).or_default().push(access_rules::policy(row)?);
        }
        let own = rows.into_iter().map(|row| {
            Ok(OwnRole {
                policies: of_role.remove(&row.name).unwrap_or_default(),
                name: parsed(RoleName::parse(&row.name), "a role's name")?,
                title: row.title,
                version: parsed(u32::try_from(row.version), "a role's version")?,
            })
        });
        Ok(own.collect::<Result<_, StorageError>>()?)
    }

    async fn save(&self, scope: &Scope, role: &OwnRole, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        access_rules::changed(&tx).await?;
        if role.version == 1 {
            let row = roles::Model {
                tenant_id: *tx.tenant().as_uuid(),
                name: role.name.as_str().to_owned(),
                title: storable(&role.title),
                version: 1,
            };
            let added = tx.insert::<roles::Entity>(row).await;
            added.map_err(|error| error.duplicate_as("a role with this name exists already"))?;
        } else {
            replace(&tx, role).await?;
        }
        add_policies(&tx, role).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn remove(&self, scope: &Scope, role: &RoleName, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        access_rules::changed(&tx).await?;
        let held = tx.find::<role_grants::Entity>().filter(role_grants::Column::Role.eq(role.as_str()));
        let holders = tx.count(held).await?;
        if holders > 0 {
            let what = format!("{holders} grants of this role are left; take them away first");
            return Err(StorageError::Conflict { what }.into());
        }
        if service_clients::any_holds(&tx, role).await? {
            let what = "a service client has this role; remove it first".to_owned();
            return Err(StorageError::Conflict { what }.into());
        }
        let mapped = tx.find::<identity_provider_roles::Entity>();
        let mapped = mapped.filter(identity_provider_roles::Column::Role.eq(role.as_str()));
        let default = tx.find::<identity_providers::Entity>();
        let default = default.filter(identity_providers::Column::DefaultRole.eq(role.as_str()));
        if tx.count(mapped).await? + tx.count(default).await? > 0 {
            let what = "an identity provider gives this role; change that first".to_owned();
            return Err(StorageError::Conflict { what }.into());
        }
        forget_policies(&tx, role).await?;
        let key = [(*tx.tenant().as_uuid()).into(), role.as_str().into()];
        if tx.execute_sql("DELETE FROM roles WHERE tenant_id = $1 AND name = $2", key).await? == 0 {
            return Err(StorageError::NotFound { what: "role" }.into());
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn grant(
        &self,
        scope: &Scope,
        user: UserId,
        grant: &RoleGrant,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        access_rules::changed(&tx).await?;
        let before = administrators(&tx).await?;
        let known = tx.find::<users::Entity>().filter(users::Column::Id.eq(*user.as_uuid()));
        tx.one(known).await?.ok_or(StorageError::NotFound { what: "user" })?;
        let row = role_grants::Model {
            tenant_id: *tx.tenant().as_uuid(),
            user_id: *user.as_uuid(),
            role: grant.role.as_str().to_owned(),
            unit_id: *grant.unit.as_uuid(),
            until: grant.until.map(micros),
        };
        use role_grants::Column as C;
        let key = OnConflict::columns([C::TenantId, C::UserId, C::Role, C::UnitId]);
        let put =
            tx.insert_many::<role_grants::Entity>(vec![row], key.clone().update_column(C::Until).to_owned());
        put.await.map_err(|error| error.dangling_as("unit"))?;
        keep_one(&tx, before).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn revoke(
        &self,
        scope: &Scope,
        user: UserId,
        grant: &RoleGrant,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        access_rules::changed(&tx).await?;
        let before = administrators(&tx).await?;
        let sql =
            "DELETE FROM role_grants WHERE tenant_id = $1 AND user_id = $2 AND role = $3 AND unit_id = $4";
        let key = [
            (*tx.tenant().as_uuid()).into(),
            (*user.as_uuid()).into(),
            grant.role.as_str().into(),
            (*grant.unit.as_uuid()).into(),
        ];
        if tx.execute_sql(sql, key).await? == 0 {
            return Err(StorageError::NotFound { what: "role of the user in this unit" }.into());
        }
        keep_one(&tx, before).await?;
        let left = tx.find::<role_grants::Entity>();
        let left = left.filter(role_grants::Column::UserId.eq(*user.as_uuid()));
        if tx.count(left).await? == 0 {
            end_sessions_in(&tx, user, SomeSessions::All).await?;
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}

/// How many administer the whole hospital for good. `access_rules::changed` makes those who change it wait for each
/// other.
async fn administrators(tx: &TenantTx) -> Result<u64, StorageError> {
    use role_grants::Column as C;
    let held = tx.find::<role_grants::Entity>().filter(C::Role.eq(Role::Admin.as_str()));
    let whole = C::UnitId.eq(*UnitId::root(tx.tenant()).as_uuid());
    tx.count(held.filter(whole).filter(C::Until.is_null())).await
}

/// A hospital whose last administrator gives the role away could not be administered any more.
async fn keep_one(tx: &TenantTx, before: u64) -> Result<(), StorageError> {
    if before == 0 || administrators(tx).await? > 0 {
        return Ok(());
    }
    let what = "this is the hospital's last administrator for good; make somebody else one first";
    Err(StorageError::Conflict { what: what.to_owned() })
}

async fn replace(tx: &TenantTx, role: &OwnRole) -> Result<(), StorageError> {
    let sql = "UPDATE roles SET title = $3, version = $4 WHERE tenant_id = $1 AND name = $2 AND version = $5";
    let values = [
        (*tx.tenant().as_uuid()).into(),
        role.name.as_str().into(),
        storable(&role.title).into(),
        i64::from(role.version).into(),
        (i64::from(role.version) - 1).into(),
    ];
    if tx.execute_sql(sql, values).await? == 0 {
        return Err(StorageError::Conflict { what: CHANGED_MEANWHILE.to_owned() });
    }
    forget_policies(tx, &role.name).await
}

async fn forget_policies(tx: &TenantTx, role: &RoleName) -> Result<(), StorageError> {
    let key = [(*tx.tenant().as_uuid()).into(), role.as_str().into()];
    tx.execute_sql("DELETE FROM policies WHERE tenant_id = $1 AND role = $2", key).await.map(drop)
}

async fn add_policies(tx: &TenantTx, role: &OwnRole) -> Result<(), StorageError> {
    let row = |(n, policy): (usize, &StoredPolicy)| policies::Model {
        tenant_id: *tx.tenant().as_uuid(),
        role: role.name.as_str().to_owned(),
        position: i64::try_from(n).unwrap_or(i64::MAX),
        object: policy.object.as_str().to_owned(),
        action: policy.action.as_str().to_owned(),
        row_policy: storable(&policy.rows),
        masked: policy.masked.join(" "),
    };
    let rows = role.policies.iter().enumerate().map(row).collect();
    use policies::Column as C;
    let once = OnConflict::columns([C::TenantId, C::Role, C::Position]).do_nothing().to_owned();
    tx.insert_many::<policies::Entity>(rows, once).await
}
