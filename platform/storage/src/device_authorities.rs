//! Certificate authorities whose devices hospitals let in.

use ::tenants::{
    AuthorityId, StoreError, TenantId,
    access::Scope,
    audit::AuditEntry,
    device_authority::{DeviceAuthorities, DeviceAuthority, EnrolledAuthorities, RevocationList},
};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, Value};

use crate::{
    audit,
    columns::{micros, parsed, storable, timestamp},
    credentials,
    database::Database,
    entities::device_authorities::{Column, Entity, Model},
    errors::StorageError,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl EnrolledAuthorities for Database {
    async fn authorities_of(&self, tenant: TenantId) -> Result<Vec<DeviceAuthority>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let rows = tx.all(tx.find::<Entity>().order_by_asc(Column::Subject).order_by_asc(Column::Id)).await?;
        Ok(rows.into_iter().map(authority).collect::<Result<_, _>>()?)
    }
}

#[async_trait::async_trait]
impl DeviceAuthorities for Database {
    async fn authorities(&self, scope: &Scope) -> Result<Vec<DeviceAuthority>, StoreError> {
        self.authorities_of(scope.tenant()).await
    }

    async fn add_authority(
        &self,
        scope: &Scope,
        authority: &DeviceAuthority,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        if tx.count(tx.find::<Entity>()).await? >= DeviceAuthority::MAX {
            let most = DeviceAuthority::MAX;
            let what = format!("a hospital can have {most} authorities; remove one that is not used");
            return Err(StorageError::Conflict { what }.into());
        }
        let list = authority.revocations.as_ref();
        let row = Model {
            tenant_id: *tx.tenant().as_uuid(),
            id: *authority.id.as_uuid(),
            certificate: authority.certificate.clone(),
            subject: storable(&authority.subject),
            fingerprint: authority.fingerprint.to_vec(),
            not_before: micros(authority.not_before),
            not_after: micros(authority.not_after),
            challenge: authority.challenge.clone(),
            added_at: micros(authority.added_at),
            proven_at: authority.proven_at.map(micros),
            list: list.map(|list| list.der.clone()),
            list_entries: list.map(|list| i64::from(list.entries)),
            list_issued_at: list.map(|list| micros(list.issued_at)),
            list_next_at: list.and_then(|list| list.next_at).map(micros),
        };
        let added = tx.insert::<Entity>(row).await;
        added.map_err(|error| error.duplicate_as("the hospital has this authority already"))?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn prove_authority(
        &self,
        scope: &Scope,
        id: AuthorityId,
        at: Timestamp,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        let sql = "UPDATE device_authorities SET proven_at = $3 WHERE tenant_id = $1 AND id = $2";
        Ok(changed(tx, id, sql, [micros(at).into()], audit).await?)
    }

    async fn set_revocations(
        &self,
        scope: &Scope,
        id: AuthorityId,
        list: &RevocationList,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        let row = tx.one(tx.find::<Entity>().filter(Column::Id.eq(*id.as_uuid()))).await?;
        let known = authority(row.ok_or_else(not_found)?)?.revocations;
        if known.is_some_and(|known| known.issued_at > list.issued_at) {
            let what = "the list that is in use is newer than this one".to_owned();
            return Err(StorageError::Conflict { what }.into());
        }
        let sql = "UPDATE device_authorities
                   SET list = $3, list_entries = $4, list_issued_at = $5, list_next_at = $6
                   WHERE tenant_id = $1 AND id = $2";
        let values = [
            list.der.clone().into(),
            i64::from(list.entries).into(),
            micros(list.issued_at).into(),
            list.next_at.map(micros).into(),
        ];
        Ok(changed(tx, id, sql, values, audit).await?)
    }

    async fn remove_authority(
        &self,
        scope: &Scope,
        id: AuthorityId,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        let sql = "DELETE FROM device_authorities WHERE tenant_id = $1 AND id = $2";
        Ok(changed(tx, id, sql, [], audit).await?)
    }
}

/// What is said of one authority; every process looks at its devices anew.
async fn changed<const N: usize>(
    tx: TenantTx,
    id: AuthorityId,
    sql: &str,
    values: [Value; N],
    audit: &AuditEntry,
) -> Result<(), StorageError> {
    let key: [Value; 2] = [(*tx.tenant().as_uuid()).into(), (*id.as_uuid()).into()];
    if tx.execute_sql(sql, key.into_iter().chain(values)).await? == 0 {
        return Err(not_found());
    }
    credentials::revoked(&tx).await?;
    audit::note(&tx, audit).await?;
    tx.commit().await
}

const fn not_found() -> StorageError {
    StorageError::NotFound { what: "certificate authority" }
}

fn authority(row: Model) -> Result<DeviceAuthority, StorageError> {
    let list = match (row.list, row.list_entries, row.list_issued_at) {
        (Some(der), Some(entries), Some(issued_at)) => Some(RevocationList {
            der,
            entries: parsed(u32::try_from(entries), "the length of a revocation list")?,
            issued_at: timestamp(issued_at)?,
            next_at: row.list_next_at.map(timestamp).transpose()?,
        }),
        _ => None,
    };
    Ok(DeviceAuthority {
        id: AuthorityId::from_uuid(row.id),
        certificate: row.certificate,
        subject: row.subject,
        fingerprint: parsed(row.fingerprint.try_into().map_err(|_| "not 32 bytes"), "a fingerprint")?,
        not_before: timestamp(row.not_before)?,
        not_after: timestamp(row.not_after)?,
        challenge: row.challenge,
        added_at: timestamp(row.added_at)?,
        proven_at: row.proven_at.map(timestamp).transpose()?,
        revocations: list,
    })
}
