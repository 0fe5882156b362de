//! The newest events of each device's connections: one row for each device.

use std::collections::BTreeMap;

use ::tenants::{DeviceId, StoreError, TenantId, access::Scope};
use sea_orm::DbBackend;
use twins::{
    connections::{ConnectionEvent, ConnectionLog, KEPT},
    store::directory::Devices,
};

use crate::{database::Database, errors::StorageError, tenant_tx::TenantTx};

#[async_trait::async_trait]
impl ConnectionLog for Database {
    async fn add_events(
        &self,
        tenant: TenantId,
        events: &[(DeviceId, ConnectionEvent)],
    ) -> Result<(), StoreError> {
        // In their order, so that two processes do not wait for one another's rows.
        let mut by_device = BTreeMap::<&str, Vec<&ConnectionEvent>>::new();
        for (device, event) in events {
            by_device.entry(device.as_str()).or_default().push(event);
        }
        let tx = self.begin_write(tenant).await?;
        for (device, new) in by_device {
            add(&tx, device, &new).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn events(&self, scope: &Scope, device: &DeviceId) -> Result<Vec<ConnectionEvent>, StoreError> {
        if self.by_ids(scope, std::slice::from_ref(device)).await?.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.begin_read(scope.tenant()).await?;
        let sql = "SELECT events FROM device_connections WHERE tenant_id = $1 AND device_id = $2";
        Ok(read(&tx, sql, device.as_str()).await?)
    }
}

/// Adds events, the newest last, in front of those that there are.
async fn add(tx: &TenantTx, device: &str, new: &[&ConnectionEvent]) -> Result<(), StorageError> {
    let lock = if tx.backend() == DbBackend::Postgres { " FOR UPDATE" } else { "" };
    let sql = format!("SELECT events FROM device_connections WHERE tenant_id = $1 AND device_id = $2{lock}");
    let known = read(tx, &sql, device).await?;
    let newest: Vec<_> = new.iter().rev().copied().chain(&known).take(KEPT).collect();
    let events =
        serde_json::to_string(&newest).map_err(|_| StorageError::corrupt("events of a connection"))?;
    let sql = "INSERT INTO device_connections (tenant_id, device_id, events) VALUES ($1, $2, $3)
        ON CONFLICT (tenant_id, device_id) DO UPDATE SET events = excluded.events";
    tx.execute_sql(sql, [(*tx.tenant().as_uuid()).into(), device.into(), events.into()]).await?;
    Ok(())
}

async fn read(tx: &TenantTx, sql: &str, device: &str) -> Result<Vec<ConnectionEvent>, StorageError> {
    let rows = tx.query_sql(sql, [(*tx.tenant().as_uuid()).into(), device.into()]).await?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    let events: String = row.try_get("", "events")?;
    serde_json::from_str(&events).map_err(|_| StorageError::corrupt("events of a connection"))
}
