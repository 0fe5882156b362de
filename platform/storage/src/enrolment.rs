//! The keys by which hospitals enrol devices.

use ::tenants::{
    StoreError, TenantId,
    audit::AuditEntry,
    enrolment::{EnrolmentKey, EnrolmentKeys},
};

use sea_orm::QueryResult;

use crate::{audit, columns::micros, database::Database, errors::StorageError};

#[async_trait::async_trait]
impl EnrolmentKeys for Database {
    async fn enrolment_key(&self, tenant: TenantId) -> Result<Option<EnrolmentKey>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let sql = "SELECT id, secret FROM enrolment_keys WHERE tenant_id = $1";
        let rows = tx.query_sql(sql, [(*tenant.as_uuid()).into()]).await?;
        let key = |row: &QueryResult| {
            Ok::<_, StorageError>(EnrolmentKey {
                id: row.try_get_by_index(0)?,
                secret: row.try_get_by_index(1)?,
            })
        };
        Ok(rows.first().map(key).transpose()?)
    }

    async fn add_enrolment_key(
        &self,
        tenant: TenantId,
        key: &EnrolmentKey,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "INSERT INTO enrolment_keys (tenant_id, id, secret, made_at) VALUES ($1, $2, $3, $4)";
        let values =
            [(*tenant.as_uuid()).into(), key.id.into(), key.secret.clone().into(), micros(audit.at).into()];
        let added = tx.execute_sql(sql, values).await;
        added.map_err(|error| error.duplicate_as("the hospital has a key already").dangling_as("tenant"))?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}
