//! The list of tenants, known before there is a caller.

use ::tenants::{
    StoreError, Tenant, TenantId, TenantSlug, audit::AuditEntry, locality::Locality, offboarding::Departure,
    stores::Tenants,
};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    access_rules, audit,
    columns::{micros, parsed, storable, timestamp},
    database::Database,
    departures,
    entities::tenants::{Column, Entity, Model},
    errors::StorageError,
    org, quotas,
};

#[async_trait::async_trait]
impl Tenants for Database {
    async fn by_slug(&self, slug: &TenantSlug) -> Result<Option<Tenant>, StoreError> {
        let tx = self.begin_read(TenantId::PLATFORM).await?;
        let found = tx.one(Entity::find().filter(Column::Slug.eq(slug.as_str()))).await?;
        Ok(found.map(tenant).transpose()?)
    }

    async fn by_id(&self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        let tx = self.begin_read(TenantId::PLATFORM).await?;
        let found = tx.one(Entity::find_by_id(*id.as_uuid())).await?;
        Ok(found.map(tenant).transpose()?)
    }

    async fn all(&self) -> Result<Vec<Tenant>, StoreError> {
        Ok(self.hospitals().await?)
    }

    async fn create(&self, tenant: &Tenant, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant.id).await?;
        let (slug, name) = (tenant.slug.to_string(), storable(&tenant.name));
        let row = Model {
            id: *tenant.id.as_uuid(),
            slug,
            name,
            access_version: 0,
            suspended_since: None,
            credentials_version: 0,
            exported_at: None,
            departed_since: None,
            erased_at: None,
            region: tenant.locality.region().map(str::to_owned),
            locale: tenant.locality.locale().map(str::to_owned),
            time_zone: tenant.locality.time_zone().map(str::to_owned),
            max_devices: None,
            max_users: None,
            max_messages_per_second: None,
            max_device_messages_per_second: None,
            client_quotas: None,
            max_query_cost_per_minute: None,
            stored_days: None,
        };
        tx.insert::<Entity>(row)
            .await
            .map_err(|error| error.duplicate_as("a tenant with this slug exists already"))?;
        org::plant(&tx, tenant).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn locate(&self, id: TenantId, locality: &Locality, audit: &AuditEntry) -> Result<(), StoreError> {
        let tx = self.begin_write(id).await?;
        let sql = "UPDATE tenants SET region = $2, locale = $3, time_zone = $4 WHERE id = $1";
        let values = [
            (*id.as_uuid()).into(),
            locality.region().map(str::to_owned).into(),
            locality.locale().map(str::to_owned).into(),
            locality.time_zone().map(str::to_owned).into(),
        ];
        if tx.execute_sql(sql, values).await? == 0 {
            return Err(StoreError::NotFound { what: "tenant" });
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn suspend(
        &self,
        id: TenantId,
        since: Option<Timestamp>,
        audit: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_write(id).await?;
        access_rules::changed(&tx).await?;
        if departures::departs(&tx).await? {
            return Err(StoreError::Conflict { what: "this hospital has left for good".to_owned() });
        }
        let sql = "UPDATE tenants SET suspended_since = $2 WHERE id = $1 AND (suspended_since IS NULL) = $3";
        let values = [(*id.as_uuid()).into(), since.map(micros).into(), since.is_some().into()];
        if tx.execute_sql(sql, values).await? == 0 {
            return Ok(false);
        }
        audit::note(&tx, audit).await?;
        tx.commit().await?;
        Ok(true)
    }
}

impl Database {
    /// Every tenant but the platform itself, by slug.
    pub(crate) async fn hospitals(&self) -> Result<Vec<Tenant>, StorageError> {
        let tx = self.begin_read(TenantId::PLATFORM).await?;
        let others = Entity::find().filter(Column::Id.ne(*TenantId::PLATFORM.as_uuid()));
        tx.all(others.order_by_asc(Column::Slug)).await?.into_iter().map(tenant).collect()
    }
}

fn tenant(row: Model) -> Result<Tenant, StorageError> {
    let slug = parsed(TenantSlug::parse(&row.slug), "a tenant's slug")?;
    let [region, locale, time_zone] =
        [&row.region, &row.locale, &row.time_zone].map(|word| word.as_deref().unwrap_or_default());
    let locality = Locality::new(region, locale, time_zone);
    let quotas = quotas::read(&row)?;
    let time = |at: Option<i64>| at.map(timestamp).transpose();
    let erased_at = time(row.erased_at)?;
    let departure = time(row.departed_since)?.map(|since| Departure { since, erased_at });
    Ok(Tenant {
        id: TenantId::from_uuid(row.id),
        slug,
        name: row.name,
        // A name that a later list of time zones lacks must not hide the hospital.
        locality: locality.unwrap_or_default(),
        quotas,
        suspended_since: time(row.suspended_since)?,
        exported_at: time(row.exported_at)?,
        departure,
    })
}
