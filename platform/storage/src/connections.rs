//! The newest events of each device's connections: one row for each device.

use std::collections::{BTreeMap, HashMap};

use ::tenants::{DeviceId, StoreError, TenantId, access::Scope};
use sea_orm::DbBackend;
use twins::{
    connections::{ConnectionEvent, ConnectionLog, KEPT},
    store::directory::Devices,
};

use crate::{database::Database, errors::StorageError, tenant_tx::TenantTx};

/// Devices whose events are written with one statement.
const TOGETHER: usize = 500;

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
        let by_device: Vec<_> = by_device.into_iter().collect();
        let tx = self.begin_write(tenant).await?;
        for together in by_device.chunks(TOGETHER) {
            add(&tx, together).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn events(&self, scope: &Scope, device: &DeviceId) -> Result<Vec<ConnectionEvent>, StoreError> {
        if self.by_ids(scope, std::slice::from_ref(device)).await?.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.begin_read(scope.tenant()).await?;
        Ok(known(&tx, [device.as_str()], "").await?.remove(device.as_str()).unwrap_or_default())
    }
}

/// Adds events of devices, each device's in their order, in front of those that there are. A fleet that comes back writes one of each
/// device: two statements for all of them, not for each.
async fn add(tx: &TenantTx, by_device: &[(&str, Vec<&ConnectionEvent>)]) -> Result<(), StorageError> {
    let lock = if tx.backend() == DbBackend::Postgres { " ORDER BY device_id FOR UPDATE" } else { "" };
    let known = known(tx, by_device.iter().map(|(device, _)| *device), lock).await?;
    let (mut rows, mut values) = (Vec::new(), vec![(*tx.tenant().as_uuid()).into()]);
    for (device, new) in by_device {
        let before = known.get(*device).into_iter().flatten();
        let newest: Vec<_> = new.iter().rev().copied().chain(before).take(KEPT).collect();
        let events =
            serde_json::to_string(&newest).map_err(|_| StorageError::corrupt("events of a connection"))?;
        rows.push(format!("($1, ${}, ${})", values.len() + 1, values.len() + 2));
        values.extend([(*device).into(), events.into()]);
    }
    let sql = format!(
        "INSERT INTO device_connections (tenant_id, device_id, events) VALUES {}
        ON CONFLICT (tenant_id, device_id) DO UPDATE SET events = excluded.events",
        rows.join(", ")
    );
    tx.execute_sql(&sql, values).await?;
    Ok(())
}

/// What is known of devices, newest first.
async fn known(
    tx: &TenantTx,
    devices: impl IntoIterator<Item = &str>,
    lock: &str,
) -> Result<HashMap<String, Vec<ConnectionEvent>>, StorageError> {
    let mut values = vec![(*tx.tenant().as_uuid()).into()];
    values.extend(devices.into_iter().map(Into::into));
    let places: Vec<_> = (2..=values.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT device_id, events FROM device_connections WHERE tenant_id = $1 AND device_id IN ({}){lock}",
        places.join(", ")
    );
    let mut known = HashMap::new();
    for row in tx.query_sql(&sql, values).await? {
        let (device, events): (String, String) = (row.try_get("", "device_id")?, row.try_get("", "events")?);
        let events =
            serde_json::from_str(&events).map_err(|_| StorageError::corrupt("events of a connection"))?;
        known.insert(device, events);
    }
    Ok(known)
}
