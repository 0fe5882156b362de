//! What a hospital may have at most, held when something is added to it; and what it has.

use ::tenants::{
    StoreError, TenantId,
    audit::AuditEntry,
    quotas::{ClientQuotas, Quotas, Stored},
    stores::QuotaRecords,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sea_orm::{DbBackend, EntityTrait, QueryResult};

use crate::{
    audit,
    columns::{micros, timestamp},
    database::Database,
    entities::tenants::{Entity, Model},
    errors::StorageError,
    tenant_tx::TenantTx,
};

/// Microseconds of a day in UTC.
pub(crate) const DAY: i64 = 86_400_000_000;

/// What is counted before more of it is added.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counted {
    Devices,
    Users,
}

impl Counted {
    const fn table(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Users => "users",
        }
    }

    const fn most(self, quotas: &Quotas) -> u32 {
        match self {
            Self::Devices => quotas.devices,
            Self::Users => quotas.users,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Users => "people with an account",
        }
    }
}

/// What a row says a tenant may use.
pub(crate) fn read(row: &Model) -> Result<Quotas, StorageError> {
    let number = |value: Option<i64>| {
        let number = value.map(u32::try_from).transpose();
        number.map_err(|_| StorageError::corrupt("a quota of a tenant"))
    };
    let default = Quotas::default();
    Ok(Quotas {
        devices: number(row.max_devices)?.unwrap_or(default.devices),
        users: number(row.max_users)?.unwrap_or(default.users),
        messages_per_second: number(row.max_messages_per_second)?.unwrap_or(default.messages_per_second),
        device_messages_per_second: number(row.max_device_messages_per_second)?
            .unwrap_or(default.device_messages_per_second),
        query_cost_per_minute: number(row.max_query_cost_per_minute)?
            .unwrap_or(default.query_cost_per_minute),
        clients: clients(row.client_quotas.as_deref())?,
        stored_days: number(row.stored_days)?,
    })
}

fn clients(kept: Option<&str>) -> Result<ClientQuotas, StorageError> {
    let Some(kept) = kept else { return Ok(ClientQuotas::default()) };
    serde_json::from_str(kept).map_err(|_| StorageError::corrupt("what a tenant allows its clients"))
}

/// That so many more may be added. Whoever adds to the same tenant at the same time waits until this is committed, so that
/// two do not take the same last place.
pub(crate) async fn room_for(tx: &TenantTx, counted: Counted, more: u64) -> Result<(), StorageError> {
    if tx.backend() == DbBackend::Postgres {
        let sql = "SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE";
        tx.query_sql(sql, [(*tx.tenant().as_uuid()).into()]).await?;
    }
    let row = tx.one(Entity::find_by_id(*tx.tenant().as_uuid())).await?;
    let row = row.ok_or(StorageError::NotFound { what: "tenant" })?;
    let most = counted.most(&read(&row)?);
    let sql = format!("SELECT COUNT(*) FROM {} WHERE tenant_id = $1", counted.table());
    let there = number(tx.query_sql(&sql, [(*tx.tenant().as_uuid()).into()]).await?.first(), 0)?;
    if there.saturating_add(more) <= u64::from(most) {
        return Ok(());
    }
    let words = counted.words();
    let what = format!(
        "the hospital has {there} {words} and may have {most}: {more} more are too many. The platform's operator can raise \
         the quota"
    );
    Err(StorageError::QuotaExceeded { what })
}

#[async_trait::async_trait]
impl QuotaRecords for Database {
    async fn set_quotas(&self, id: TenantId, quotas: &Quotas, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(id).await?;
        let sql = "UPDATE tenants SET max_devices = $2, max_users = $3, max_messages_per_second = $4,
                   max_query_cost_per_minute = $5, stored_days = $6, max_device_messages_per_second = $7,
                   client_quotas = $8 WHERE id = $1";
        let clients =
            (quotas.clients != ClientQuotas::default()).then(|| serde_json::to_string(&quotas.clients));
        let clients =
            clients.transpose().map_err(|_| StorageError::corrupt("what a tenant allows its clients"))?;
        let values = [
            (*id.as_uuid()).into(),
            i64::from(quotas.devices).into(),
            i64::from(quotas.users).into(),
            i64::from(quotas.messages_per_second).into(),
            i64::from(quotas.query_cost_per_minute).into(),
            quotas.stored_days.map(i64::from).into(),
            i64::from(quotas.device_messages_per_second).into(),
            clients.into(),
        ];
        if tx.execute_sql(sql, values).await? == 0 {
            return Err(StoreError::NotFound { what: "tenant" });
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn stored(&self, id: TenantId, now: Timestamp) -> Result<Stored, StoreError> {
        let tx = self.begin_read(id).await?;
        let tenant = || (*id.as_uuid()).into();
        let sql = "SELECT (SELECT COUNT(*) FROM devices WHERE tenant_id = $1),
                   (SELECT COUNT(*) FROM users WHERE tenant_id = $1),
                   CAST(COALESCE(SUM(last_seq - first_seq + 1), 0) AS BIGINT),
                   CAST(COALESCE(SUM(LENGTH(messages)), 0) AS BIGINT)
                   FROM segments WHERE tenant_id = $1";
        let all = tx.query_sql(sql, [tenant()]).await?;
        let sql = format!(
            "SELECT received_to / {DAY}, CAST(SUM(last_seq - first_seq + 1) AS BIGINT) FROM segments
             WHERE tenant_id = $1 AND received_to >= $2 GROUP BY 1 ORDER BY 1"
        );
        let days = i64::from(Stored::DAYS) - 1;
        let first_day = (micros(now) / DAY - days) * DAY;
        let mut by_day = Vec::new();
        for row in tx.query_sql(&sql, [tenant(), first_day.into()]).await? {
            let day: i64 = row.try_get_by_index(0).map_err(StorageError::from)?;
            by_day.push((date(day)?, number(Some(&row), 1)?));
        }
        let all = all.first();
        Ok(Stored {
            devices: number(all, 0)?,
            users: number(all, 1)?,
            messages: number(all, 2)?,
            bytes: number(all, 3)?,
            days: by_day,
        })
    }
}

/// The date of a day counted from 1970 on.
fn date(day: i64) -> Result<Date, StorageError> {
    Ok(timestamp(day.saturating_mul(DAY))?.to_zoned(TimeZone::UTC).date())
}

fn number(row: Option<&QueryResult>, column: usize) -> Result<u64, StorageError> {
    let number: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(column))?;
    u64::try_from(number).map_err(|_| StorageError::corrupt("a count"))
}
