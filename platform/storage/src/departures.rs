//! Hospitals that leave: what is kept for them is deleted, but for their name and their audit trail.

use ::tenants::{StoreError, TenantId, audit::AuditEntry, offboarding::Departures};
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, DbBackend};

use crate::{
    access_rules, audit, columns::micros, credentials, database::Database, errors::StorageError,
    tenant_tx::TenantTx,
};

/// Rows of a large table that one transaction deletes: others write in between.
const BATCH: usize = 500;
/// Tables that grow with every message.
const LARGE: [&str; 5] = ["segments", "outbox", "set_aside", "alarms", "publications"];
/// Every table with rows of a hospital, the referring one before the one that it refers to. A test holds this list against
/// the schema.
const DELETED: [&str; 40] = [
    "external_sessions",
    "sessions",
    "logout_tokens",
    "login_attempts",
    "external_identities",
    "identity_provider_roles",
    "identity_providers",
    "recovery_codes",
    "authenticators",
    "api_tokens",
    "client_tokens",
    "service_clients",
    "invitations",
    "openings",
    "elevations",
    "care_team",
    "role_grants",
    "assignments",
    "placements",
    "device_tokens",
    "enrolment_keys",
    "device_authorities",
    "users",
    "policies",
    "roles",
    "alarms",
    "rules",
    "set_aside",
    "outbox",
    "twins",
    "checkpoints",
    "segments",
    "mailbox_received",
    "mailboxes",
    "retained",
    "publications",
    "device_connections",
    "patients",
    "devices",
    "data_keys",
];
/// Units refer to one another, so that all of a hospital's go at once.
const UNITS: [&str; 2] = ["org_unit_closure", "org_units"];
/// What stays: who did what, and whether that is as it was written.
#[cfg(test)]
const KEPT: [&str; 2] = ["audit_heads", "audit_trail"];

/// What becomes of is decided.
#[cfg(test)]
pub(crate) fn every_table() -> impl Iterator<Item = &'static str> {
    DELETED.into_iter().chain(UNITS).chain(KEPT)
}

#[async_trait::async_trait]
impl Departures for Database {
    async fn note_export(
        &self,
        tenant: TenantId,
        at: Timestamp,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "UPDATE tenants SET exported_at = $2 WHERE id = $1 AND departed_since IS NULL";
        if tx.execute_sql(sql, [(*tenant.as_uuid()).into(), micros(at).into()]).await? == 0 {
            return Err(StoreError::NotFound { what: "tenant" });
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn depart(
        &self,
        tenant: TenantId,
        since: Timestamp,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "UPDATE tenants SET departed_since = $2
                   WHERE id = $1 AND suspended_since IS NOT NULL AND departed_since IS NULL";
        if tx.execute_sql(sql, [(*tenant.as_uuid()).into(), micros(since).into()]).await? == 0 {
            return match departs(&tx).await? {
                true => Ok(false),
                false => Err(StoreError::Conflict { what: "this hospital is not suspended".to_owned() }),
            };
        }
        access_rules::changed(&tx).await?;
        credentials::revoked(&tx).await?;
        audit::note(&tx, audit).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn erase(&self, tenant: TenantId, at: Timestamp, audit: &AuditEntry) -> Result<bool, StoreError> {
        self.overwrite_deleted(true).await?;
        for table in LARGE {
            while self.delete_some(tenant, table).await? {}
        }
        let tx = self.begin_departed(tenant).await?;
        let of_tenants = DELETED.into_iter().chain(UNITS).map(|table| (table, "tenant_id"));
        let of_all = [("login_directory", "tenant"), ("api_audiences", "tenant")];
        for (table, column) in of_tenants.chain(of_all) {
            let sql = format!("DELETE FROM {table} WHERE {column} = $1");
            tx.execute_sql(&sql, [(*tenant.as_uuid()).into()]).await?;
        }
        let sql = "UPDATE tenants SET erased_at = $2 WHERE id = $1 AND erased_at IS NULL";
        let is_new = tx.execute_sql(sql, [(*tenant.as_uuid()).into(), micros(at).into()]).await? > 0;
        if is_new {
            access_rules::changed(&tx).await?;
            audit::note(&tx, audit).await?;
        }
        tx.commit().await?;
        self.overwrite_deleted(false).await?;
        Ok(is_new)
    }
}

impl Database {
    /// Whether SQLite writes zeros over what is deleted; PostgreSQL does so with its next vacuum.
    async fn overwrite_deleted(&self, whether: bool) -> Result<(), StorageError> {
        if self.backend() == DbBackend::Sqlite {
            let _gate = self.inner.gate.lock().await;
            let sql = if whether { "PRAGMA secure_delete = ON" } else { "PRAGMA secure_delete = OFF" };
            self.inner.writer.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    /// Returns whether there may be more.
    async fn delete_some(&self, tenant: TenantId, table: &str) -> Result<bool, StorageError> {
        let tx = self.begin_departed(tenant).await?;
        let row = if tx.backend() == DbBackend::Postgres { "ctid" } else { "rowid" };
        let sql = format!(
            "DELETE FROM {table} WHERE tenant_id = $1
             AND {row} IN (SELECT {row} FROM {table} WHERE tenant_id = $1 LIMIT {BATCH})"
        );
        let deleted = tx.execute_sql(&sql, [(*tenant.as_uuid()).into()]).await?;
        tx.commit().await?;
        Ok(deleted > 0)
    }

    /// For deleting the rows of a hospital, which fails unless it was decided that it leaves.
    async fn begin_departed(&self, tenant: TenantId) -> Result<TenantTx, StorageError> {
        let tx = self.begin_write(tenant).await?;
        match departs(&tx).await? {
            true => Ok(tx),
            false => Err(StorageError::Conflict { what: "this hospital does not leave".to_owned() }),
        }
    }
}

/// Whether it was decided that the transaction's hospital leaves.
pub(crate) async fn departs(tx: &TenantTx) -> Result<bool, StorageError> {
    let sql = "SELECT 1 FROM tenants WHERE id = $1 AND departed_since IS NOT NULL";
    Ok(!tx.query_sql(sql, [(*tx.tenant().as_uuid()).into()]).await?.is_empty())
}
