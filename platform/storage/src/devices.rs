//! Registered devices, what they prove themselves with, and whom they measure.

use std::collections::HashMap;

use ::tenants::{
    DeviceId, PatientId, StoreError, TenantId, UnitId,
    access::{self, Scope},
    audit::AuditEntry,
    credentials::SecretHash,
    device_certificate::Fingerprint,
    stores::{DeviceCredentials, DeviceLogin},
};
use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Func},
};
use twins::store::{
    directory::{DeviceRecord, Devices, MOST_BEHIND, NewDevice, Page, PageRequest},
    journal::SetAside,
};
use uuid::Uuid;

use crate::{
    accounts::secret_hash,
    audit,
    columns::{self, folded, micros, sequence, storable, timestamp},
    credentials,
    database::Database,
    device_certificates::{self, own_certificates},
    entities::{
        assignments, device_tokens,
        devices::{Column, Entity, Model},
        patients, set_aside,
    },
    errors::StorageError,
    org, paging, placements, predicate,
    quotas::{self, Counted},
    tenant_tx::TenantTx,
};

/// The most set-aside messages that are shown of a device.
const MOST_SET_ASIDE: u32 = 200;

#[async_trait::async_trait]
impl Devices for Database {
    async fn page(&self, scope: &Scope, page: &PageRequest) -> Result<Page<DeviceRecord>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let mut list = tx.find::<Entity>().filter(predicate::rows::<Entity>(scope, tx.backend()));
        let texts = [Expr::col(Column::NameSearch), Func::lower(Expr::col(Column::Id)).into()];
        if let Some(found) = paging::search(page, texts) {
            list = list.filter(found);
        }
        let after = paging::key(page)?.map(|id| Condition::all().add(Column::Id.gt(id)));
        let rows = paging::read(&tx, list, after, page, |list| list.order_by_asc(Column::Id)).await?;
        let records = records(&tx, rows.models).await?;
        let rows_out = records.into_iter().map(|device| (paging::cursor(device.id.as_str()), device));
        Ok(Page { rows: rows_out.collect(), has_next: rows.has_next, total: rows.total })
    }

    async fn by_ids(&self, scope: &Scope, ids: &[DeviceId]) -> Result<Vec<DeviceRecord>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let ids = ids.iter().map(DeviceId::as_str);
        let list = tx
            .find::<Entity>()
            .filter(predicate::rows::<Entity>(scope, tx.backend()))
            .filter(Column::Id.is_in(ids));
        Ok(records(&tx, tx.all(list).await?).await?)
    }

    async fn by_patients(
        &self,
        scope: &Scope,
        patients: &[PatientId],
    ) -> Result<Vec<DeviceRecord>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let ids = devices_of(&tx, patients).await?;
        let list = tx
            .find::<Entity>()
            .filter(predicate::rows::<Entity>(scope, tx.backend()))
            .filter(Column::Id.is_in(ids));
        Ok(records(&tx, tx.all(list).await?).await?)
    }

    async fn set_aside(
        &self,
        scope: &Scope,
        device: &DeviceId,
        first: u32,
    ) -> Result<Vec<SetAside>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let spans = placements::visible(&tx, scope, std::slice::from_ref(device)).await?;
        let Some(spans) = spans.get(device) else { return Ok(Vec::new()) };
        let list = tx
            .find::<set_aside::Entity>()
            .filter(spans.condition(set_aside::Column::ReceivedAt))
            .filter(set_aside::Column::DeviceId.eq(device.as_str()))
            .order_by_desc(set_aside::Column::Position)
            .limit(u64::from(first.clamp(1, MOST_SET_ASIDE)));
        Ok(tx.all(list).await?.into_iter().map(set_aside_of).collect::<Result<_, _>>()?)
    }

    async fn create_all(&self, scope: &Scope, devices: &[NewDevice]) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        quotas::room_for(&tx, Counted::Devices, devices.len() as u64).await?;
        for device in devices {
            register(&tx, scope, device).await?;
        }
        audit::note_all(&tx, devices.iter().map(|device| &device.audit)).await?;
        Ok(tx.commit().await?)
    }

    async fn place(
        &self,
        scope: &Scope,
        device: &DeviceId,
        unit: UnitId,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        let found = visible(&tx, scope, device).await?;
        org::check_target(&tx, scope, access::Column::DeviceUnit, unit).await?;
        if found.unit_id != Some(*unit.as_uuid()) {
            let sql = "UPDATE devices SET unit_id = $3 WHERE tenant_id = $1 AND id = $2";
            tx.execute_sql(sql, [found.tenant_id.into(), found.id.into(), (*unit.as_uuid()).into()]).await?;
            placements::begin(&tx, device, unit, audit.at).await?;
            audit::note(&tx, audit).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn block(
        &self,
        scope: &Scope,
        device: &DeviceId,
        since: Option<Timestamp>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        let found = visible(&tx, scope, device).await?;
        if found.blocked_since.is_some() != since.is_some() {
            let sql = "UPDATE devices SET blocked_since = $3 WHERE tenant_id = $1 AND id = $2";
            tx.execute_sql(sql, [found.tenant_id.into(), found.id.into(), since.map(micros).into()]).await?;
            credentials::revoked(&tx).await?;
            audit::note(&tx, audit).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn behind(&self, scope: &Scope, gateway: &DeviceId) -> Result<Vec<DeviceRecord>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let list = tx.find::<Entity>().filter(predicate::rows::<Entity>(scope, tx.backend()));
        let list = list.filter(Column::GatewayId.eq(gateway.as_str())).order_by_asc(Column::Id);
        Ok(records(&tx, tx.all(list).await?).await?)
    }

    async fn set_gateway(
        &self,
        scope: &Scope,
        device: &DeviceId,
        gateway: Option<&DeviceId>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let conflict = |what: &str| StorageError::Conflict { what: what.to_owned() };
        let tx = self.begin_write(scope.tenant()).await?;
        let found = visible(&tx, scope, device).await?;
        if let Some(gateway) = gateway {
            if visible(&tx, scope, gateway).await?.gateway_id.is_some() || gateway == device {
                return Err(conflict("a gateway speaks for itself").into());
            }
            let behind = |of: &str| tx.find::<Entity>().filter(Column::GatewayId.eq(of));
            if tx.count(behind(device.as_str())).await? > 0 {
                return Err(conflict("other devices speak through this one").into());
            }
            if tx.count(behind(gateway.as_str())).await? >= MOST_BEHIND as u64 {
                let what = format!("at most {MOST_BEHIND} devices speak through one gateway");
                return Err(conflict(&what).into());
            }
        }
        let sql = "UPDATE devices SET gateway_id = $3 WHERE tenant_id = $1 AND id = $2";
        let gateway = gateway.map(DeviceId::to_string);
        tx.execute_sql(sql, [found.tenant_id.into(), found.id.into(), gateway.into()]).await?;
        credentials::revoked(&tx).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn renew_token(
        &self,
        scope: &Scope,
        device: &DeviceId,
        token: &SecretHash,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        let found = visible(&tx, scope, device).await?;
        let sql = "UPDATE device_tokens SET hash = $3 WHERE tenant_id = $1 AND device_id = $2";
        let hash = token.as_bytes().to_vec();
        tx.execute_sql(sql, [found.tenant_id.into(), found.id.into(), hash.into()]).await?;
        credentials::revoked(&tx).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}

/// A device within the scope.
pub(crate) async fn visible(tx: &TenantTx, scope: &Scope, device: &DeviceId) -> Result<Model, StorageError> {
    let found = tx.find::<Entity>().filter(predicate::rows::<Entity>(scope, tx.backend()));
    let found = tx.one(found.filter(Column::Id.eq(device.as_str()))).await?;
    found.ok_or(StorageError::NotFound { what: "device" })
}

#[async_trait::async_trait]
impl DeviceCredentials for Database {
    async fn device_logins(
        &self,
        tenant: TenantId,
        devices: &[DeviceId],
    ) -> Result<Vec<DeviceLogin>, StoreError> {
        if devices.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<_> = (2..devices.len() + 2).map(|place| format!("${place}")).collect();
        let of = format!("t.device_id IN ({})", places.join(", "));
        Ok(logins(self, tenant, &of, devices.iter().map(|device| device.to_string().into())).await?)
    }

    async fn device_of_token(
        &self,
        tenant: TenantId,
        hash: &SecretHash,
    ) -> Result<Option<DeviceLogin>, StoreError> {
        let hash = hash.as_bytes().to_vec().into();
        Ok(logins(self, tenant, "t.hash = $2", [hash]).await?.pop())
    }

    async fn prove_certificate(
        &self,
        tenant: TenantId,
        device: &DeviceId,
        fingerprint: Fingerprint,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        Ok(device_certificates::prove(self, tenant, device, fingerprint, audit).await?)
    }
}

/// Of a fleet that comes back thousands are looked up: in one query, unless there are gateways among them.
async fn logins(
    database: &Database,
    tenant: TenantId,
    of: &str,
    values: impl IntoIterator<Item = sea_orm::Value>,
) -> Result<Vec<DeviceLogin>, StorageError> {
    let sql = format!(
        "SELECT t.device_id, t.hash, t.certificates, CASE WHEN d.blocked_since IS NULL THEN 0 ELSE 1 END,
            CASE WHEN EXISTS (SELECT 1 FROM devices b WHERE b.tenant_id = t.tenant_id AND b.gateway_id = t.device_id)
                THEN 1 ELSE 0 END
         FROM device_tokens t JOIN devices d ON d.tenant_id = t.tenant_id AND d.id = t.device_id
         WHERE t.tenant_id = $1 AND {of}"
    );
    let mut logins = Vec::new();
    for row in database.query_once(tenant, &sql, values).await? {
        let (id, hash): (String, Vec<u8>) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let certificates = own_certificates(row.try_get_by_index(2)?)?;
        let (blocked, is_gateway): (i32, i32) = (row.try_get_by_index(3)?, row.try_get_by_index(4)?);
        let mut behind = Vec::new();
        if is_gateway == 1 {
            // Nobody speaks for one that may not connect.
            let tx = database.begin_read(tenant).await?;
            let rows = tx.find::<Entity>().filter(Column::GatewayId.eq(&id));
            let rows = rows.filter(Column::BlockedSince.is_null()).order_by_asc(Column::Id);
            for row in tx.all(rows).await? {
                behind.push(columns::device(&row.id)?);
            }
        }
        let (device, token) = (columns::device(&id)?, secret_hash(&hash)?);
        logins.push(DeviceLogin { device, token, certificates, blocked: blocked == 1, behind });
    }
    Ok(logins)
}

async fn register(
    tx: &TenantTx,
    scope: &Scope,
    NewDevice { record, token, audit }: &NewDevice,
) -> Result<(), StorageError> {
    org::check_target(tx, scope, access::Column::DeviceUnit, record.unit).await?;
    let tenant_id = *tx.tenant().as_uuid();
    let id = record.id.to_string();
    let row = Model {
        tenant_id,
        id: id.clone(),
        name: storable(&record.name),
        name_search: storable(&folded(&record.name)),
        template: storable(&record.template),
        unit_id: Some(*record.unit.as_uuid()),
        kind: storable(record.kind()),
        blocked_since: record.blocked_since.map(micros),
        gateway_id: record.gateway.as_ref().map(DeviceId::to_string),
    };
    tx.insert::<Entity>(row)
        .await
        .map_err(|error| error.duplicate_as("a device with this id exists already").dangling_as("tenant"))?;
    let hash = token.as_bytes().to_vec();
    let row = device_tokens::Model { tenant_id, device_id: id, hash, certificates: None };
    tx.insert::<device_tokens::Entity>(row).await?;
    placements::begin(tx, &record.id, record.unit, audit.at).await?;
    if let Some(patient) = record.patient {
        assign(tx, &record.id, patient, audit).await?;
    }
    Ok(())
}

/// From the time of the audit entry on, the device measures the patient.
async fn assign(
    tx: &TenantTx,
    device: &DeviceId,
    patient: PatientId,
    audit: &AuditEntry,
) -> Result<(), StorageError> {
    let known = tx.find::<patients::Entity>().filter(patients::Column::Id.eq(*patient.as_uuid()));
    tx.one(known).await?.ok_or(StorageError::NotFound { what: "patient" })?;
    let row = assignments::Model {
        tenant_id: *tx.tenant().as_uuid(),
        device_id: device.to_string(),
        since: micros(audit.at),
        until: None,
        patient_id: *patient.as_uuid(),
    };
    tx.insert::<assignments::Entity>(row).await
}

/// The devices that measure any of the patients now.
pub(crate) async fn devices_of(tx: &TenantTx, patients: &[PatientId]) -> Result<Vec<String>, StorageError> {
    let current = tx
        .find::<assignments::Entity>()
        .filter(assignments::Column::Until.is_null())
        .filter(assignments::Column::PatientId.is_in(patients.iter().map(|id| *id.as_uuid())))
        .order_by_asc(assignments::Column::DeviceId);
    Ok(tx.all(current).await?.into_iter().map(|row| row.device_id).collect())
}

/// Whom each of the devices measures now.
pub(crate) async fn patients_of(
    tx: &TenantTx,
    devices: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, Uuid>, StorageError> {
    let current = tx
        .find::<assignments::Entity>()
        .filter(assignments::Column::Until.is_null())
        .filter(assignments::Column::DeviceId.is_in(devices));
    Ok(tx.all(current).await?.into_iter().map(|row| (row.device_id, row.patient_id)).collect())
}

async fn records(tx: &TenantTx, models: Vec<Model>) -> Result<Vec<DeviceRecord>, StorageError> {
    let patients = patients_of(tx, models.iter().map(|row| row.id.as_str())).await?;
    let record = |row: Model| {
        Ok(DeviceRecord {
            id: columns::device(&row.id)?,
            patient: patients.get(&row.id).map(|id| PatientId::from_uuid(*id)),
            unit: UnitId::from_uuid(
                row.unit_id.ok_or_else(|| StorageError::corrupt("a device without a unit"))?,
            ),
            name: row.name,
            template: row.template,
            blocked_since: row.blocked_since.map(timestamp).transpose()?,
            gateway: row.gateway_id.as_deref().map(columns::device).transpose()?,
        })
    };
    models.into_iter().map(record).collect()
}

fn set_aside_of(row: set_aside::Model) -> Result<SetAside, StorageError> {
    Ok(SetAside {
        device: columns::device(&row.device_id)?,
        sequence: sequence(row.position)?,
        received_at: timestamp(row.received_at)?,
        reason: row.reason,
        detail: row.detail,
        excerpt: row.excerpt,
    })
}
