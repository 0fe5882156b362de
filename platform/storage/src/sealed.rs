//! Data keys, and the columns that are sealed with them.

use ::tenants::{
    StoreError, TenantId,
    audit::AuditEntry,
    enrolment,
    keys::{DataKeys, SealedFor, TenantKeys, WrappedKey},
};
use jiff::Timestamp;
use sea_orm::{QueryOrder, QueryResult};
use uuid::Uuid;

use crate::{
    audit,
    columns::{micros, parsed, timestamp},
    database::Database,
    departures,
    entities::data_keys::{Column, Entity, Model},
    errors::StorageError,
    patients::identity::Identity,
    tenant_tx::TenantTx,
};

/// What identifies a patient.
pub(crate) const IDENTITY: &str = "patient.identity";
/// Rows that one transaction seals anew.
const BATCH: usize = 200;

/// A column that is sealed.
struct Sealed {
    table: &'static str,
    key: &'static str,
    column: &'static str,
    purpose: &'static str,
}

const SEALED: [Sealed; 4] = [
    Sealed { table: "patients", key: "id", column: "identity", purpose: IDENTITY },
    Sealed {
        table: "identity_providers",
        key: "id",
        column: "client_secret",
        purpose: "identity_provider.client_secret",
    },
    Sealed { table: "authenticators", key: "user_id", column: "secret", purpose: "authenticator.secret" },
    Sealed { table: "enrolment_keys", key: "id", column: "secret", purpose: enrolment::PURPOSE },
];

/// What came of a round of sealing anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Values that the newest key has sealed now.
    pub changed: usize,
    /// Values that no key opens.
    pub unreadable: usize,
}

#[async_trait::async_trait]
impl DataKeys for Database {
    async fn data_keys(&self, tenant: TenantId) -> Result<Vec<WrappedKey>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let rows = tx.all(tx.find::<Entity>().order_by_asc(Column::Version)).await?;
        let key = |row: Model| {
            Ok(WrappedKey {
                version: parsed(u32::try_from(row.version), "a data key's version")?,
                wrapped: row.wrapped,
                made_at: timestamp(row.made_at)?,
            })
        };
        Ok(rows.into_iter().map(key).collect::<Result<_, StorageError>>()?)
    }

    async fn add_data_keys(
        &self,
        tenant: TenantId,
        keys: &[WrappedKey],
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        if departures::departs(&tx).await? {
            return Err(StoreError::NotFound { what: "tenant" });
        }
        for key in keys {
            let row = Model {
                tenant_id: *tenant.as_uuid(),
                version: key.version.into(),
                wrapped: key.wrapped.clone(),
                made_at: micros(key.made_at),
            };
            tx.insert::<Entity>(row).await.map_err(|error| {
                error.duplicate_as("somebody else made this key meanwhile").dangling_as("tenant")
            })?;
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn rewrap_data_key(
        &self,
        tenant: TenantId,
        version: u32,
        wrapped: &[u8],
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "UPDATE data_keys SET wrapped = $3 WHERE tenant_id = $1 AND version = $2";
        let key = [(*tenant.as_uuid()).into(), i64::from(version).into(), wrapped.to_vec().into()];
        tx.execute_sql(sql, key).await?;
        Ok(tx.commit().await?)
    }
}

impl Database {
    /// Seals with the tenant's newest key what another has sealed, or none; each value is readable at any moment.
    ///
    /// # Errors
    /// When the keys cannot be reached or the database fails; what was done stays done.
    pub async fn reseal(&self, tenant: TenantId) -> Result<Resealed, StorageError> {
        let keys = self.keys_of(tenant).await?;
        let mut done = Resealed::default();
        for sealed in &SEALED {
            let mut after = Uuid::nil();
            loop {
                let rows = self.of_other_keys(tenant, sealed, &*keys, after).await?;
                let Some((last, _)) = rows.last() else { break };
                after = *last;
                let tx = self.begin_write(tenant).await?;
                for (id, stored) in rows {
                    match sealed.seal_anew(&tx, &*keys, id, &stored).await {
                        Ok(changed) => done.changed += usize::from(changed),
                        Err(StorageError::Keys(_) | StorageError::Corrupt { .. }) => done.unreadable += 1,
                        Err(error) => return Err(error),
                    }
                }
                tx.commit().await?;
            }
        }
        Ok(done)
    }

    async fn of_other_keys(
        &self,
        tenant: TenantId,
        sealed: &Sealed,
        keys: &dyn TenantKeys,
        after: Uuid,
    ) -> Result<Vec<(Uuid, Vec<u8>)>, StorageError> {
        let Sealed { table, key, column, purpose } = sealed;
        let patients = *purpose == IDENTITY;
        // Without keys nothing is sealed, but patients can be found.
        let other = match keys.header() {
            Some(_) if patients => format!("(substr({column}, 1, 5) <> $3 OR name_search = '?')"),
            Some(_) => format!("substr({column}, 1, 5) <> $3"),
            None if patients => "name_search = '?' AND $3 = $3".to_owned(),
            None => return Ok(Vec::new()),
        };
        let sql = format!(
            "SELECT {key}, {column} FROM {table}
             WHERE tenant_id = $1 AND {key} > $2 AND {column} IS NOT NULL AND {other} ORDER BY {key} LIMIT {BATCH}"
        );
        let header = keys.header().unwrap_or_default().to_vec();
        let tx = self.begin_read(tenant).await?;
        let rows = tx.query_sql(&sql, [(*tenant.as_uuid()).into(), after.into(), header.into()]).await?;
        let row = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
        rows.iter().map(row).collect()
    }

    /// Deletes keys that were followed by another before `until` and that nothing is sealed with any more; returns their
    /// versions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retire_data_keys(
        &self,
        tenant: TenantId,
        until: Timestamp,
    ) -> Result<Vec<u32>, StorageError> {
        let kept = self.data_keys(tenant).await.map_err(|error| StorageError::corrupt(error.to_string()))?;
        let sealing = kept.iter().filter(|key| key.version != WrappedKey::INDEX);
        let followed = sealing.clone().zip(sealing.skip(1)).filter(|(_, next)| next.made_at < until);
        let mut retired = Vec::new();
        for (key, _) in followed {
            let tx = self.begin_write(tenant).await?;
            if still_needed(&tx, key.version).await? {
                continue;
            }
            let sql = "DELETE FROM data_keys WHERE tenant_id = $1 AND version = $2";
            tx.execute_sql(sql, [(*tenant.as_uuid()).into(), i64::from(key.version).into()]).await?;
            tx.commit().await?;
            retired.push(key.version);
        }
        Ok(retired)
    }
}

async fn still_needed(tx: &TenantTx, version: u32) -> Result<bool, StorageError> {
    let header = [&[2_u8][..], &version.to_be_bytes()].concat();
    for Sealed { table, column, .. } in &SEALED {
        let sql =
            format!("SELECT 1 FROM {table} WHERE tenant_id = $1 AND substr({column}, 1, 5) = $2 LIMIT 1");
        let found = tx.query_sql(&sql, [(*tx.tenant().as_uuid()).into(), header.clone().into()]).await?;
        if !found.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Sealed {
    /// Returns whether it was still there as it was read.
    async fn seal_anew(
        &self,
        tx: &TenantTx,
        keys: &dyn TenantKeys,
        id: Uuid,
        stored: &[u8],
    ) -> Result<bool, StorageError> {
        let Self { table, key, column, purpose } = self;
        let tenant = tx.tenant();
        let (tenant_key, row) = (*tenant.as_uuid(), id.to_string());
        if *purpose == IDENTITY {
            let anew = Identity::open(keys, tenant, id, Some(stored))?.columns(keys, tenant, id)?;
            let sql = "UPDATE patients SET identity = $4, mrn_index = $5, name_search = $6, mrn_search = $7
                       WHERE tenant_id = $1 AND id = $2 AND identity = $3";
            let values = [
                tenant_key.into(),
                id.into(),
                stored.to_vec().into(),
                anew.identity.into(),
                anew.mrn_index.into(),
                anew.name_search.into(),
                anew.mrn_search.into(),
            ];
            return Ok(tx.execute_sql(sql, values).await? > 0);
        }
        let what = SealedFor { tenant, purpose, row: &row };
        let anew = keys.seal(what, &keys.open(what, stored)?)?;
        let sql =
            format!("UPDATE {table} SET {column} = $4 WHERE tenant_id = $1 AND {key} = $2 AND {column} = $3");
        let values = [tenant_key.into(), id.into(), stored.to_vec().into(), anew.into()];
        Ok(tx.execute_sql(&sql, values).await? > 0)
    }
}
