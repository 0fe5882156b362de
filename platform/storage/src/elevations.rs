//! Operators who are let into hospitals for a while.

use ::tenants::{
    ElevationId, RoleName, StoreError, TenantId, UserId,
    access::{Elevated, Object, Scope},
    audit::AuditEntry,
    elevation::{Answer, Elevation, waits_since},
    paging::{Page, PageRequest},
    stores::Elevations,
};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, Value};
use uuid::Uuid;

use crate::{
    access_rules, audit,
    columns::{micros, parsed, storable, timestamp},
    credentials,
    database::Database,
    entities::elevations::{Column, Entity, Model},
    errors::StorageError,
    paging,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl Elevations for Database {
    async fn ask(&self, scope: &Scope, elevation: &Elevation, audit: &AuditEntry) -> Result<(), StoreError> {
        debug_assert!(scope.permission().object == Object::Tenant, "the scope is for something else");
        let tx = self.begin_write(elevation.tenant).await?;
        // Two requests at the same time wait for each other here.
        access_rules::changed(&tx).await?;
        let operator = Column::OperatorId.eq(*elevation.operator.as_uuid());
        let open = Condition::any().add(waiting(elevation.asked_at)).add(in_force(elevation.asked_at));
        if tx.count(tx.find::<Entity>().filter(operator).filter(open)).await? > 0 {
            let what =
                "you have asked this hospital already, or it has let you in; end that first".to_owned();
            return Err(StorageError::Conflict { what }.into());
        }
        let row = Model {
            tenant_id: *elevation.tenant.as_uuid(),
            id: *elevation.id.as_uuid(),
            operator_id: *elevation.operator.as_uuid(),
            operator_name: storable(&elevation.operator_name),
            role: elevation.role.as_str().to_owned(),
            reason: storable(&elevation.reason),
            hours: elevation.hours.into(),
            asked_at: micros(elevation.asked_at),
            granted: None,
            answered_by: None,
            answered_by_name: None,
            answered_at: None,
            until: None,
            ended_at: None,
        };
        tx.insert::<Entity>(row).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn asked_by(&self, scope: &Scope, operator: UserId) -> Result<Vec<Elevation>, StoreError> {
        debug_assert!(scope.permission().object == Object::Tenant, "the scope is for something else");
        let mut newest = Vec::new();
        // Each hospital's rows are seen from within it only.
        for hospital in self.hospitals().await? {
            let tx = self.begin_read(hospital.id).await?;
            let list = tx.find::<Entity>().filter(Column::OperatorId.eq(*operator.as_uuid()));
            let found = tx.all(list.order_by_desc(Column::Id).limit(1)).await?;
            newest.extend(found.into_iter().map(elevation).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(newest)
    }

    async fn elevation(
        &self,
        scope: &Scope,
        tenant: TenantId,
        id: ElevationId,
    ) -> Result<Option<Elevation>, StoreError> {
        let tx = self.begin_read(reached(scope, tenant)?).await?;
        let found = tx.one(tx.find::<Entity>().filter(Column::Id.eq(*id.as_uuid()))).await?;
        Ok(found.map(elevation).transpose()?)
    }

    async fn elevations(&self, scope: &Scope, page: &PageRequest) -> Result<Page<Elevation>, StoreError> {
        debug_assert!(scope.permission().object == Object::Elevation, "the scope is for something else");
        let tx = self.begin_read(scope.tenant()).await?;
        // Their ids carry the time.
        let before =
            paging::key(page)?.map(|key| Uuid::parse_str(&key).map_err(|_| paging::unknown_cursor()));
        let before = before.transpose()?.map(|id| Condition::all().add(Column::Id.lt(id)));
        let list = tx.find::<Entity>();
        let rows = paging::read(&tx, list, before, page, |list| list.order_by_desc(Column::Id)).await?;
        let found =
            rows.models.into_iter().map(|row| Ok((paging::cursor(&row.id.to_string()), elevation(row)?)));
        let found = found.collect::<Result<_, StorageError>>()?;
        Ok(Page { rows: found, has_next: rows.has_next, total: rows.total })
    }

    async fn waiting(&self, scope: &Scope, now: Timestamp) -> Result<u64, StoreError> {
        debug_assert!(scope.permission().object == Object::Elevation, "the scope is for something else");
        let tx = self.begin_read(scope.tenant()).await?;
        Ok(tx.count(tx.find::<Entity>().filter(waiting(now))).await?)
    }

    async fn answer(
        &self,
        scope: &Scope,
        id: ElevationId,
        answer: &Answer,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        debug_assert!(scope.permission().object == Object::Elevation, "the scope is for something else");
        let tx = self.begin_write(scope.tenant()).await?;
        access_rules::changed(&tx).await?;
        let known = tx.one(tx.find::<Entity>().filter(Column::Id.eq(*id.as_uuid()))).await?;
        let known = elevation(known.ok_or(StorageError::NotFound { what: "request of an operator" })?)?;
        let until = Elevation { answer: Some(answer.clone()), ..known }.until();
        let sql = "UPDATE elevations
                   SET granted = $3, answered_by = $4, answered_by_name = $5, answered_at = $6, until = $7
                   WHERE tenant_id = $1 AND id = $2 AND answered_at IS NULL AND ended_at IS NULL
                       AND asked_at > $8";
        let values: [Value; 8] = [
            (*tx.tenant().as_uuid()).into(),
            (*id.as_uuid()).into(),
            answer.granted.into(),
            (*answer.by.as_uuid()).into(),
            storable(&answer.by_name).into(),
            micros(answer.at).into(),
            until.map(micros).into(),
            micros(waits_since(answer.at)).into(),
        ];
        let written = tx.execute_sql(sql, values).await.map_err(|error| error.dangling_as("user"))?;
        if written == 0 {
            let what = "this request does not wait for an answer any more; load the page again".to_owned();
            return Err(StorageError::Conflict { what }.into());
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn end(
        &self,
        scope: &Scope,
        elevation: &Elevation,
        at: Timestamp,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(reached(scope, elevation.tenant)?).await?;
        access_rules::changed(&tx).await?;
        let sql = "UPDATE elevations
                   SET ended_at = $3, until = CASE WHEN until IS NULL THEN NULL ELSE $3 END
                   WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL
                       AND (until > $3 OR (answered_at IS NULL AND asked_at > $4))";
        let values: [Value; 4] = [
            (*tx.tenant().as_uuid()).into(),
            (*elevation.id.as_uuid()).into(),
            micros(at).into(),
            micros(waits_since(at)).into(),
        ];
        if tx.execute_sql(sql, values).await? == 0 {
            let what = "this is over already".to_owned();
            return Err(StorageError::Conflict { what }.into());
        }
        // Open connections of the operator are looked at again.
        credentials::revoked(&tx).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}

/// An operator reaches what was asked of any hospital, everybody else what was asked of their own.
fn reached(scope: &Scope, tenant: TenantId) -> Result<TenantId, StorageError> {
    let operates = scope.permission().object == Object::Tenant;
    if operates || scope.tenant() == tenant {
        Ok(tenant)
    } else {
        Err(StorageError::NotFound { what: "request of an operator" })
    }
}

fn waiting(now: Timestamp) -> Condition {
    Condition::all()
        .add(Column::AnsweredAt.is_null())
        .add(Column::EndedAt.is_null())
        .add(Column::AskedAt.gt(micros(waits_since(now))))
}

fn in_force(now: Timestamp) -> Condition {
    Condition::all().add(Column::Until.gt(micros(now)))
}

/// Who is let in, or was until a moment ago: whoever decides looks at the time again.
pub(crate) async fn elevated(tx: &TenantTx, now: Timestamp) -> Result<Vec<Elevated>, StorageError> {
    let rows = tx.all(tx.find::<Entity>().filter(in_force(now)).order_by_asc(Column::Id)).await?;
    let elevated = rows.into_iter().map(|row| {
        let until = row.until.ok_or_else(|| unanswered(&row))?;
        Ok(Elevated {
            id: ElevationId::from_uuid(row.id),
            operator: UserId::from_uuid(row.operator_id),
            name: row.operator_name.into(),
            role: parsed(RoleName::parse(&row.role), "a role's name")?,
            granted_by: row.answered_by_name.unwrap_or_default().into(),
            reason: row.reason.into(),
            until: timestamp(until)?,
        })
    });
    elevated.collect()
}

fn unanswered(row: &Model) -> StorageError {
    StorageError::Corrupt { what: format!("elevation {}", row.id) }
}

fn elevation(row: Model) -> Result<Elevation, StorageError> {
    let answer = match (row.granted, row.answered_by, &row.answered_by_name, row.answered_at) {
        (Some(granted), Some(by), Some(by_name), Some(at)) => {
            Some(Answer { granted, by: UserId::from_uuid(by), by_name: by_name.clone(), at: timestamp(at)? })
        }
        (None, None, None, None) => None,
        _ => return Err(unanswered(&row)),
    };
    Ok(Elevation {
        id: ElevationId::from_uuid(row.id),
        tenant: TenantId::from_uuid(row.tenant_id),
        operator: UserId::from_uuid(row.operator_id),
        operator_name: row.operator_name,
        role: parsed(RoleName::parse(&row.role), "a role's name")?,
        reason: row.reason,
        hours: parsed(u32::try_from(row.hours), "hours of an elevation")?,
        asked_at: timestamp(row.asked_at)?,
        answer,
        ended_at: row.ended_at.map(timestamp).transpose()?,
    })
}
