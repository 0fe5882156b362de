//! Identity providers. One is replaced only by its next version.

use std::collections::HashMap;

use ::tenants::{
    ProviderId, RoleName, StoreError, TenantId, UnitId,
    access::Scope,
    audit::AuditEntry,
    identity_provider::{GroupRole, IdentityProvider},
    stores::IdentityProviders,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryTrait, Select,
    sea_query::OnConflict,
};

use crate::{
    audit,
    columns::{parsed, storable},
    database::Database,
    entities::{
        identity_provider_roles,
        identity_providers::{Column, Entity, Model},
    },
    errors::StorageError,
    external_logins,
    tenant_tx::TenantTx,
};

const TAKEN: &str = "this client of this issuer is enrolled already";
const AUDIENCE_TAKEN: &str =
    "access tokens of this issuer for this audience belong to another identity provider";

#[async_trait::async_trait]
impl IdentityProviders for Database {
    async fn all(&self, scope: &Scope) -> Result<Vec<IdentityProvider>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        Ok(read(&tx, tx.find::<Entity>()).await?)
    }

    async fn save(
        &self,
        scope: &Scope,
        provider: &IdentityProvider,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        let row = row(&tx, provider);
        if provider.version == 1 {
            tx.insert::<Entity>(row).await.map_err(|error| error.duplicate_as(TAKEN))?;
        } else {
            replace(&tx, row).await?;
            forget_audience(&tx, provider.id).await?;
        }
        put_roles(&tx, provider).await?;
        put_audience(&tx, provider).await?;
        if !provider.enabled {
            external_logins::end_all(&tx, provider.id).await?;
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn remove(&self, scope: &Scope, id: ProviderId, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        external_logins::end_all(&tx, id).await?;
        forget_audience(&tx, id).await?;
        let sql = "DELETE FROM identity_providers WHERE tenant_id = $1 AND id = $2";
        if tx.execute_sql(sql, key(&tx, id)).await? == 0 {
            return Err(StorageError::NotFound { what: "identity provider" }.into());
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn enabled(&self, tenant: TenantId) -> Result<Vec<IdentityProvider>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        Ok(read(&tx, tx.find::<Entity>().filter(Column::Enabled.eq(true))).await?)
    }

    async fn for_audience(
        &self,
        issuer: &str,
        audience: &str,
    ) -> Result<Option<(TenantId, IdentityProvider)>, StoreError> {
        let tx = self.begin_read(TenantId::PLATFORM).await?;
        let sql = "SELECT tenant, provider_id FROM api_audiences WHERE issuer = $1 AND audience = $2";
        let found = tx.query_sql(sql, [storable(issuer).into(), storable(audience).into()]).await?;
        drop(tx);
        let Some(found) = found.first() else { return Ok(None) };
        let tenant = found.try_get_by_index(0).map_err(StorageError::from)?;
        let id: uuid::Uuid = found.try_get_by_index(1).map_err(StorageError::from)?;
        let tx = self.begin_read(TenantId::from_uuid(tenant)).await?;
        let enabled = tx.find::<Entity>().filter(Column::Id.eq(id)).filter(Column::Enabled.eq(true));
        Ok(read(&tx, enabled).await?.pop().map(|provider| (tx.tenant(), provider)))
    }
}

async fn read(tx: &TenantTx, select: Select<Entity>) -> Result<Vec<IdentityProvider>, StorageError> {
    let rows = tx.all(select.order_by_asc(Column::Name).order_by_asc(Column::Id)).await?;
    let roles = tx.find::<identity_provider_roles::Entity>();
    let mut of_provider = HashMap::<_, Vec<_>>::new();
    for row in tx.all(roles.order_by_asc(identity_provider_roles::Column::Position)).await? {
        of_provider.entry(row.provider_id).or_default().push(GroupRole {
            group: row.group_name,
            role: parsed(RoleName::parse(&row.role), "a role's name")?,
            unit: UnitId::from_uuid(row.unit_id),
        });
    }
    let provider = |row: Model| {
        let role = |role: String| parsed(RoleName::parse(&role), "a role's name");
        Ok(IdentityProvider {
            id: ProviderId::from_uuid(row.id),
            roles: of_provider.remove(&row.id).unwrap_or_default(),
            name: row.name,
            issuer: row.issuer,
            client_id: row.client_id,
            client_secret: row.client_secret,
            api_audience: row.api_audience,
            scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
            group_claim: row.group_claim,
            default_role: row.default_role.map(role).transpose()?,
            enabled: row.enabled,
            version: parsed(u32::try_from(row.version), "an identity provider's version")?,
        })
    };
    rows.into_iter().map(provider).collect()
}

async fn replace(tx: &TenantTx, row: Model) -> Result<(), StorageError> {
    let (tenant, id, issuer, previous) = (row.tenant_id, row.id, row.issuer.clone(), row.version - 1);
    let update = Entity::update_many()
        .set(row.into_active_model().reset_all())
        .filter(Column::TenantId.eq(tenant))
        .filter(Column::Id.eq(id))
        // People are known by issuer and subject: with another issuer, others would own their accounts.
        .filter(Column::Issuer.eq(issuer))
        .filter(Column::Version.eq(previous));
    let replaced = tx.execute(&update.into_query()).await.map_err(|error| error.duplicate_as(TAKEN))?;
    if replaced == 0 {
        let what = "the identity provider was changed by someone else meanwhile".to_owned();
        return Err(StorageError::Conflict { what });
    }
    Ok(())
}

async fn put_roles(tx: &TenantTx, provider: &IdentityProvider) -> Result<(), StorageError> {
    let sql = "DELETE FROM identity_provider_roles WHERE tenant_id = $1 AND provider_id = $2";
    tx.execute_sql(sql, key(tx, provider.id)).await?;
    let row = |(n, entry): (usize, &GroupRole)| identity_provider_roles::Model {
        tenant_id: *tx.tenant().as_uuid(),
        provider_id: *provider.id.as_uuid(),
        position: i64::try_from(n).unwrap_or(i64::MAX),
        group_name: storable(&entry.group),
        role: entry.role.as_str().to_owned(),
        unit_id: *entry.unit.as_uuid(),
    };
    use identity_provider_roles::Column as C;
    let once = OnConflict::columns([C::TenantId, C::ProviderId, C::Position]).do_nothing().to_owned();
    let rows = provider.roles.iter().enumerate().map(row).collect();
    let put = tx.insert_many::<identity_provider_roles::Entity>(rows, once).await;
    put.map_err(|error| error.dangling_as("unit"))
}

async fn put_audience(tx: &TenantTx, provider: &IdentityProvider) -> Result<(), StorageError> {
    let Some(audience) = &provider.api_audience else { return Ok(()) };
    let sql = "INSERT INTO api_audiences (issuer, audience, tenant, provider_id) VALUES ($1, $2, $3, $4)";
    let [tenant, id] = key(tx, provider.id);
    let values = [storable(&provider.issuer).into(), storable(audience).into(), tenant, id];
    let put = tx.execute_sql(sql, values).await;
    put.map(drop).map_err(|error| error.duplicate_as(AUDIENCE_TAKEN))
}

async fn forget_audience(tx: &TenantTx, id: ProviderId) -> Result<(), StorageError> {
    let sql = "DELETE FROM api_audiences WHERE tenant = $1 AND provider_id = $2";
    tx.execute_sql(sql, key(tx, id)).await.map(drop)
}

fn key(tx: &TenantTx, id: ProviderId) -> [sea_orm::Value; 2] {
    [(*tx.tenant().as_uuid()).into(), (*id.as_uuid()).into()]
}

fn row(tx: &TenantTx, provider: &IdentityProvider) -> Model {
    Model {
        tenant_id: *tx.tenant().as_uuid(),
        id: *provider.id.as_uuid(),
        name: storable(provider.name.trim()),
        issuer: storable(&provider.issuer),
        client_id: storable(&provider.client_id),
        client_secret: provider.client_secret.clone(),
        api_audience: provider.api_audience.as_deref().map(storable),
        scopes: storable(&provider.scopes.join(" ")),
        group_claim: storable(&provider.group_claim),
        default_role: provider.default_role.as_ref().map(|role| role.as_str().to_owned()),
        enabled: provider.enabled,
        version: i64::from(provider.version),
    }
}
