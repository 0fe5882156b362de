//! That something was revoked, for every process to notice.

use ::tenants::{StoreError, TenantId, revocations::CredentialVersions};
use sea_orm::EntityTrait;

use crate::{
    columns::parsed, database::Database, entities::tenants, errors::StorageError, tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl CredentialVersions for Database {
    async fn credential_versions(&self) -> Result<Vec<(TenantId, u64)>, StoreError> {
        let tx = self.begin_read(TenantId::PLATFORM).await?;
        let version = |row: tenants::Model| {
            let version = parsed(u64::try_from(row.credentials_version), "a version of credentials")?;
            Ok::<_, StorageError>((TenantId::from_uuid(row.id), version))
        };
        Ok(tx.all(tenants::Entity::find()).await?.into_iter().map(version).collect::<Result<_, _>>()?)
    }
}

/// Tells every process that credentials of the tenant must be looked up anew.
pub(crate) async fn revoked(tx: &TenantTx) -> Result<(), StorageError> {
    let sql = "UPDATE tenants SET credentials_version = credentials_version + 1 WHERE id = $1";
    match tx.execute_sql(sql, [(*tx.tenant().as_uuid()).into()]).await? {
        1 => Ok(()),
        _ => Err(StorageError::NotFound { what: "tenant" }),
    }
}
