//! Programs that act for a hospital itself, and their access tokens.

use ::tenants::{
    ClientId, RoleName, StoreError, TenantId, UnitId, UserId,
    access::{Restriction, RoleGrant, Scope},
    audit::AuditEntry,
    credentials::SecretHash,
    service_client::{ClientToken, ServiceClient},
    stores::ServiceClients,
};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, Value};

use crate::{
    access_rules,
    accounts::secret_hash,
    audit,
    columns::{micros, parsed, storable, timestamp},
    credentials,
    database::Database,
    entities::{
        client_tokens,
        service_clients::{Column, Entity, Model},
    },
    errors::StorageError,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl ServiceClients for Database {
    async fn client(&self, tenant: TenantId, id: ClientId) -> Result<Option<ServiceClient>, StoreError> {
        Ok(found(&self.begin_read(tenant).await?, id).await?)
    }

    async fn by_token(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
    ) -> Result<Option<(ServiceClient, Timestamp)>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let row = tx.find::<client_tokens::Entity>();
        let row = row.filter(client_tokens::Column::Hash.eq(hash.as_bytes().to_vec()));
        let Some(row) = tx.one(row).await? else { return Ok(None) };
        let client = found(&tx, ClientId::from_uuid(row.client_id)).await?;
        Ok(client.zip(Some(timestamp(row.expires_at)?)))
    }

    async fn issue(
        &self,
        tenant: TenantId,
        token: &ClientToken,
        now: Timestamp,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let id = [(*tenant.as_uuid()).into(), (*token.client.as_uuid()).into(), micros(now).into()];
        let over = "DELETE FROM client_tokens WHERE tenant_id = $1 AND client_id = $2 AND expires_at <= $3";
        tx.execute_sql(over, id.clone()).await?;
        let used = "UPDATE service_clients SET last_used_at = $3
                    WHERE tenant_id = $1 AND id = $2 AND disabled_at IS NULL";
        if tx.execute_sql(used, id).await? == 0 {
            return Err(not_found().into());
        }
        let row = client_tokens::Model {
            tenant_id: *tenant.as_uuid(),
            hash: token.hash.as_bytes().to_vec(),
            client_id: *token.client.as_uuid(),
            expires_at: micros(token.expires_at),
        };
        tx.insert::<client_tokens::Entity>(row).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn clients(&self, scope: &Scope) -> Result<Vec<ServiceClient>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let rows = tx.all(tx.find::<Entity>().order_by_asc(Column::Name)).await?;
        Ok(rows.into_iter().map(client).collect::<Result<_, _>>()?)
    }

    async fn create_client(
        &self,
        scope: &Scope,
        client: &ServiceClient,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        access_rules::changed(&tx).await?;
        if tx.count(tx.find::<Entity>()).await? >= ServiceClient::MAX {
            let most = ServiceClient::MAX;
            let what = format!("a hospital can have {most} service clients; remove one that is not used");
            return Err(StorageError::Conflict { what }.into());
        }
        let row = Model {
            tenant_id: *tx.tenant().as_uuid(),
            id: *client.id.as_uuid(),
            name: storable(&client.name),
            role: client.role.role.as_str().to_owned(),
            unit_id: *client.role.unit.as_uuid(),
            hash: client.hash.as_bytes().to_vec(),
            prefix: client.prefix.clone(),
            created_at: micros(client.created_at),
            last_used_at: client.last_used_at.map(micros),
            expires_at: client.expires_at.map(micros),
            disabled_at: client.disabled_at.map(micros),
        };
        tx.insert::<Entity>(row).await.map_err(|error| {
            error.duplicate_as("a service client of this name exists already").dangling_as("unit")
        })?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn renew_secret(
        &self,
        scope: &Scope,
        id: ClientId,
        secret: (&SecretHash, &str),
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let (hash, prefix) = secret;
        let values: [Value; 2] = [hash.as_bytes().to_vec().into(), prefix.into()];
        Ok(self.change(scope, id, "hash = $3, prefix = $4", values, audit).await?)
    }

    async fn disable_client(
        &self,
        scope: &Scope,
        id: ClientId,
        since: Option<Timestamp>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        Ok(self.change(scope, id, "disabled_at = $3", [since.map(micros).into()], audit).await?)
    }

    async fn remove_client(&self, scope: &Scope, id: ClientId, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        cut_off(&tx, id).await?;
        let sql = "DELETE FROM service_clients WHERE tenant_id = $1 AND id = $2";
        if tx.execute_sql(sql, key(&tx, id)).await? == 0 {
            return Err(not_found().into());
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}

impl Database {
    /// Changes a client; its access tokens count no more.
    async fn change<const N: usize>(
        &self,
        scope: &Scope,
        id: ClientId,
        to: &str,
        values: [Value; N],
        audit: &AuditEntry,
    ) -> Result<(), StorageError> {
        let tx = self.begin_write(scope.tenant()).await?;
        cut_off(&tx, id).await?;
        let sql = format!("UPDATE service_clients SET {to} WHERE tenant_id = $1 AND id = $2");
        if tx.execute_sql(&sql, key(&tx, id).into_iter().chain(values)).await? == 0 {
            return Err(not_found());
        }
        audit::note(&tx, audit).await?;
        tx.commit().await
    }
}

/// Every process notices: the tokens of a client are gone, and its rights may be.
async fn cut_off(tx: &TenantTx, id: ClientId) -> Result<(), StorageError> {
    let sql = "DELETE FROM client_tokens WHERE tenant_id = $1 AND client_id = $2";
    tx.execute_sql(sql, key(tx, id)).await?;
    credentials::revoked(tx).await?;
    access_rules::changed(tx).await
}

async fn found(tx: &TenantTx, id: ClientId) -> Result<Option<ServiceClient>, StorageError> {
    let row = tx.one(tx.find::<Entity>().filter(Column::Id.eq(*id.as_uuid()))).await?;
    row.map(client).transpose()
}

/// What clients that are not disabled may do, as if each were a person.
pub(crate) async fn grants(tx: &TenantTx) -> Result<Vec<(UserId, RoleGrant)>, StorageError> {
    let rows = tx.all(tx.find::<Entity>().filter(Column::DisabledAt.is_null())).await?;
    let grant = |row: Model| {
        let ServiceClient { id, role: Restriction { role, unit }, expires_at: until, .. } = client(row)?;
        Ok((id.as_holder(), RoleGrant { role, unit, until }))
    };
    rows.into_iter().map(grant).collect()
}

/// Whether a client holds a role.
pub(crate) async fn any_holds(tx: &TenantTx, role: &RoleName) -> Result<bool, StorageError> {
    Ok(tx.count(tx.find::<Entity>().filter(Column::Role.eq(role.as_str()))).await? > 0)
}

const fn not_found() -> StorageError {
    StorageError::NotFound { what: "service client" }
}

fn key(tx: &TenantTx, id: ClientId) -> [Value; 2] {
    [(*tx.tenant().as_uuid()).into(), (*id.as_uuid()).into()]
}

fn client(row: Model) -> Result<ServiceClient, StorageError> {
    let time = |at: Option<i64>| at.map(timestamp).transpose();
    Ok(ServiceClient {
        id: ClientId::from_uuid(row.id),
        name: row.name,
        role: Restriction {
            role: parsed(RoleName::parse(&row.role), "a role's name")?,
            unit: UnitId::from_uuid(row.unit_id),
        },
        hash: secret_hash(&row.hash)?,
        prefix: row.prefix,
        created_at: timestamp(row.created_at)?,
        last_used_at: time(row.last_used_at)?,
        expires_at: time(row.expires_at)?,
        disabled_at: time(row.disabled_at)?,
    })
}
