//! Certificates that are one device's own, kept beside its token.

use ::tenants::{
    DeviceId, StoreError, TenantId,
    access::Scope,
    audit::AuditEntry,
    device_certificate::{DeviceCertificate, DeviceCertificates, Fingerprint},
};
use sea_orm::{DbBackend, Value};

use crate::{
    audit, credentials, database::Database, devices::visible, errors::StorageError, tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl DeviceCertificates for Database {
    async fn device_certificates(
        &self,
        scope: &Scope,
        device: &DeviceId,
    ) -> Result<Vec<DeviceCertificate>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        match visible(&tx, scope, device).await {
            Ok(_) => Ok(kept(&tx, device, "").await?),
            Err(StorageError::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    async fn add_device_certificate(
        &self,
        scope: &Scope,
        device: &DeviceId,
        certificate: &DeviceCertificate,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let change = |own: &mut Vec<DeviceCertificate>| {
            let conflict = |what: String| Err(StorageError::Conflict { what });
            if own.iter().any(|known| known.fingerprint == certificate.fingerprint) {
                return conflict("the device has this certificate already".to_owned());
            }
            if own.len() >= DeviceCertificate::MAX {
                let most = DeviceCertificate::MAX;
                return conflict(format!(
                    "a device has at most {most} certificates of its own; remove one that it does not show"
                ));
            }
            own.push(*certificate);
            Ok(())
        };
        Ok(changed(self, scope, device, change, audit).await?)
    }

    async fn remove_device_certificate(
        &self,
        scope: &Scope,
        device: &DeviceId,
        fingerprint: Fingerprint,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let change = |own: &mut Vec<DeviceCertificate>| {
            let before = own.len();
            own.retain(|known| known.fingerprint != fingerprint);
            let gone = own.len() < before;
            if gone { Ok(()) } else { Err(StorageError::NotFound { what: "certificate of the device" }) }
        };
        Ok(changed(self, scope, device, change, audit).await?)
    }
}

/// What is said of a device's own certificates; every process looks at its sessions anew.
async fn changed(
    database: &Database,
    scope: &Scope,
    device: &DeviceId,
    change: impl FnOnce(&mut Vec<DeviceCertificate>) -> Result<(), StorageError> + Send,
    audit: &AuditEntry,
) -> Result<(), StorageError> {
    let tx = database.begin_write(scope.tenant()).await?;
    visible(&tx, scope, device).await?;
    let mut own = kept(&tx, device, for_change(&tx)).await?;
    change(&mut own)?;
    keep(&tx, device, &own).await?;
    credentials::revoked(&tx).await?;
    audit::note(&tx, audit).await?;
    tx.commit().await
}

/// A device has shown one and named its hospital. Nobody's session depends on it, so no process is told: one that has just looked
/// the device up learns it when it looks again.
pub(crate) async fn prove(
    database: &Database,
    tenant: TenantId,
    device: &DeviceId,
    fingerprint: Fingerprint,
    audit: &AuditEntry,
) -> Result<(), StorageError> {
    let tx = database.begin_write(tenant).await?;
    let mut own = kept(&tx, device, for_change(&tx)).await?;
    let shown = own.iter_mut().find(|own| own.fingerprint == fingerprint && own.proven_at.is_none());
    let Some(shown) = shown else { return Ok(()) };
    shown.proven_at = Some(audit.at);
    keep(&tx, device, &own).await?;
    audit::note(&tx, audit).await?;
    tx.commit().await
}

/// Nobody else changes them meanwhile.
fn for_change(tx: &TenantTx) -> &'static str {
    if tx.backend() == DbBackend::Postgres { " FOR UPDATE" } else { "" }
}

async fn keep(tx: &TenantTx, device: &DeviceId, own: &[DeviceCertificate]) -> Result<(), StorageError> {
    let text = match own {
        [] => None,
        some => Some(serde_json::to_string(some).map_err(|_| StorageError::corrupt("certificates"))?),
    };
    let sql = "UPDATE device_tokens SET certificates = $3 WHERE tenant_id = $1 AND device_id = $2";
    let [tenant, id] = key(tx, device);
    tx.execute_sql(sql, [tenant, id, text.into()]).await?;
    Ok(())
}

async fn kept(tx: &TenantTx, device: &DeviceId, lock: &str) -> Result<Vec<DeviceCertificate>, StorageError> {
    let sql = format!("SELECT certificates FROM device_tokens WHERE tenant_id = $1 AND device_id = $2{lock}");
    let rows = tx.query_sql(&sql, key(tx, device)).await?;
    rows.first().map_or_else(|| Ok(Vec::new()), |row| own_certificates(row.try_get_by_index(0)?))
}

fn key(tx: &TenantTx, device: &DeviceId) -> [Value; 2] {
    [(*tx.tenant().as_uuid()).into(), device.as_str().into()]
}

/// As they are kept beside a device's token.
pub(crate) fn own_certificates(kept: Option<String>) -> Result<Vec<DeviceCertificate>, StorageError> {
    let Some(kept) = kept else { return Ok(Vec::new()) };
    serde_json::from_str(&kept).map_err(|_| StorageError::corrupt("certificates"))
}
