//! Authenticator apps and recovery codes.

use std::collections::HashMap;

use ::tenants::{
    StoreError, TenantId, UserId,
    audit::AuditEntry,
    authenticator::{Authenticator, AuthenticatorStore},
    credentials::SecretHash,
};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, QueryFilter, Value};

use crate::{
    audit,
    columns::{micros, timestamp},
    database::Database,
    entities::{authenticators, recovery_codes},
    errors::StorageError,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl AuthenticatorStore for Database {
    async fn authenticator(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Option<Authenticator>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let list = tx.find::<authenticators::Entity>();
        let found = tx.one(list.filter(authenticators::Column::UserId.eq(*user.as_uuid()))).await?;
        Ok(found.map(authenticator).transpose()?)
    }

    async fn enrolled(&self, tenant: TenantId) -> Result<HashMap<UserId, Timestamp>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let list = tx.find::<authenticators::Entity>().filter(authenticators::Column::Since.is_not_null());
        let found = tx.all(list).await?.into_iter().map(authenticator);
        let enrolled = found.map(|app| app.map(|app| app.since.map(|since| (app.user, since))));
        Ok(enrolled.filter_map(Result::transpose).collect::<Result<_, StorageError>>()?)
    }

    async fn recovery_codes(&self, tenant: TenantId, user: UserId) -> Result<u32, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let list = tx.find::<recovery_codes::Entity>();
        let left = tx.count(list.filter(recovery_codes::Column::UserId.eq(*user.as_uuid()))).await?;
        Ok(u32::try_from(left).unwrap_or(u32::MAX))
    }

    async fn propose(&self, tenant: TenantId, authenticator: &Authenticator) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "INSERT INTO authenticators (tenant_id, user_id, secret, since, last_step)
                   VALUES ($1, $2, $3, NULL, 0)
                   ON CONFLICT (tenant_id, user_id) DO UPDATE SET secret = excluded.secret
                   WHERE authenticators.since IS NULL";
        let [tenant, user] = key(&tx, authenticator.user);
        let kept = tx.execute_sql(sql, [tenant, user, authenticator.secret.clone().into()]).await;
        if kept.map_err(|error| error.dangling_as("user"))? == 0 {
            return Err(in_force().into());
        }
        Ok(tx.commit().await?)
    }

    async fn enrol(
        &self,
        tenant: TenantId,
        enrolled: &Authenticator,
        step: u64,
        codes: &[SecretHash],
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "UPDATE authenticators SET since = $4, last_step = $5
                   WHERE tenant_id = $1 AND user_id = $2 AND secret = $3 AND since IS NULL";
        let [tenant_id, user] = key(&tx, enrolled.user);
        let since = enrolled.since.map(micros).into();
        let values = [tenant_id, user, enrolled.secret.clone().into(), since, stored_step(step).into()];
        if tx.execute_sql(sql, values).await? == 0 {
            return Err(in_force().into());
        }
        replace(&tx, enrolled.user, codes).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn use_step(&self, tenant: TenantId, user: UserId, step: u64) -> Result<bool, StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "UPDATE authenticators SET last_step = $3
                   WHERE tenant_id = $1 AND user_id = $2 AND last_step < $3";
        let [tenant, user] = key(&tx, user);
        let used = tx.execute_sql(sql, [tenant, user, stored_step(step).into()]).await?;
        tx.commit().await?;
        Ok(used > 0)
    }

    async fn use_recovery_code(
        &self,
        tenant: TenantId,
        user: UserId,
        code: &SecretHash,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "DELETE FROM recovery_codes WHERE tenant_id = $1 AND user_id = $2 AND hash = $3";
        let [tenant, user] = key(&tx, user);
        if tx.execute_sql(sql, [tenant, user, code.as_bytes().to_vec().into()]).await? == 0 {
            return Ok(false);
        }
        audit::note(&tx, audit).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn replace_recovery_codes(
        &self,
        tenant: TenantId,
        user: UserId,
        codes: &[SecretHash],
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        replace(&tx, user, codes).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn remove(&self, tenant: TenantId, user: UserId, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        replace(&tx, user, &[]).await?;
        let sql = "DELETE FROM authenticators WHERE tenant_id = $1 AND user_id = $2";
        if tx.execute_sql(sql, key(&tx, user)).await? == 0 {
            return Err(StorageError::NotFound { what: "second factor" }.into());
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}

async fn replace(tx: &TenantTx, user: UserId, codes: &[SecretHash]) -> Result<(), StorageError> {
    let sql = "DELETE FROM recovery_codes WHERE tenant_id = $1 AND user_id = $2";
    tx.execute_sql(sql, key(tx, user)).await?;
    let (tenant_id, user_id) = (*tx.tenant().as_uuid(), *user.as_uuid());
    let row =
        |code: &SecretHash| recovery_codes::Model { tenant_id, user_id, hash: code.as_bytes().to_vec() };
    tx.insert_many::<recovery_codes::Entity>(codes.iter().map(row).collect(), None).await
}

fn key(tx: &TenantTx, user: UserId) -> [Value; 2] {
    [(*tx.tenant().as_uuid()).into(), (*user.as_uuid()).into()]
}

/// A step is 30 seconds: what does not fit lies further away than any clock shows.
fn stored_step(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

fn in_force() -> StorageError {
    StorageError::Conflict { what: "a second factor is in force, or was set up anew meanwhile".to_owned() }
}

fn authenticator(row: authenticators::Model) -> Result<Authenticator, StorageError> {
    let since = row.since.map(timestamp).transpose()?;
    Ok(Authenticator { user: UserId::from_uuid(row.user_id), secret: row.secret, since })
}
