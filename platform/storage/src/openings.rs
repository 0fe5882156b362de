//! Records that people open in an emergency, outside their own rows.

use ::tenants::{
    OpeningId, PatientId, StoreError, UserId,
    access::{Action, Object, Opened, Scope},
    audit::AuditEntry,
    break_glass::{Opening, Review},
    paging::{Page, PageRequest},
    stores::Openings,
};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    access_rules, audit,
    columns::{micros, storable, timestamp},
    database::Database,
    entities::{
        openings::{Column, Entity, Model},
        patients,
    },
    errors::StorageError,
    paging,
    patients::identity::mrn_index,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl Openings for Database {
    async fn patient(&self, scope: &Scope, named: &str) -> Result<Option<PatientId>, StoreError> {
        debug_assert!(scope.permission().action == Action::BreakGlass, "the scope is for something else");
        let keys = self.keys_of(scope.tenant()).await?;
        let tx = self.begin_read(scope.tenant()).await?;
        let mut wanted = Condition::any().add(patients::Column::MrnIndex.eq(mrn_index(&*keys, named)));
        if let Ok(id) = Uuid::parse_str(named) {
            wanted = wanted.add(patients::Column::Id.eq(id));
        }
        let found = tx.one(tx.find::<patients::Entity>().filter(wanted)).await?;
        Ok(found.map(|row| PatientId::from_uuid(row.id)))
    }

    async fn open(&self, scope: &Scope, opening: &Opening, audit: &AuditEntry) -> Result<(), StoreError> {
        debug_assert!(scope.permission().action == Action::BreakGlass, "the scope is for something else");
        let tx = self.begin_write(scope.tenant()).await?;
        access_rules::changed(&tx).await?;
        let row = Model {
            tenant_id: *tx.tenant().as_uuid(),
            id: *opening.id.as_uuid(),
            user_id: *opening.user.as_uuid(),
            patient_id: *opening.patient.as_uuid(),
            reason: storable(&opening.reason),
            opened_at: micros(opening.opened_at),
            until: micros(opening.until),
            reviewed_by: None,
            reviewed_at: None,
            review_note: None,
        };
        tx.insert::<Entity>(row).await.map_err(|error| error.dangling_as("user or patient"))?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn close(
        &self,
        scope: &Scope,
        user: UserId,
        id: OpeningId,
        at: Timestamp,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        access_rules::changed(&tx).await?;
        let sql = "UPDATE openings SET until = $4
                   WHERE tenant_id = $1 AND id = $2 AND user_id = $3 AND until > $4";
        let key = [
            (*tx.tenant().as_uuid()).into(),
            (*id.as_uuid()).into(),
            (*user.as_uuid()).into(),
            micros(at).into(),
        ];
        if tx.execute_sql(sql, key).await? == 0 {
            return Err(StorageError::NotFound { what: "open record" }.into());
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn open_now(
        &self,
        scope: &Scope,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<Opening>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let list = tx
            .find::<Entity>()
            .filter(Column::UserId.eq(*user.as_uuid()))
            .filter(Column::Until.gt(micros(now)))
            .order_by_asc(Column::Until);
        Ok(tx.all(list).await?.into_iter().map(opening).collect::<Result<_, _>>()?)
    }

    async fn opening(&self, scope: &Scope, id: OpeningId) -> Result<Option<Opening>, StoreError> {
        debug_assert!(scope.permission().object == Object::Audit, "the scope is for something else");
        let tx = self.begin_read(scope.tenant()).await?;
        let found = tx.one(tx.find::<Entity>().filter(Column::Id.eq(*id.as_uuid()))).await?;
        Ok(found.map(opening).transpose()?)
    }

    async fn openings(
        &self,
        scope: &Scope,
        reviewed: Option<bool>,
        page: &PageRequest,
    ) -> Result<Page<Opening>, StoreError> {
        debug_assert!(scope.permission().object == Object::Audit, "the scope is for something else");
        let tx = self.begin_read(scope.tenant()).await?;
        // Their ids carry the time.
        let before =
            paging::key(page)?.map(|key| Uuid::parse_str(&key).map_err(|_| paging::unknown_cursor()));
        let before = before.transpose()?.map(|id| Condition::all().add(Column::Id.lt(id)));
        let list = match reviewed {
            Some(true) => tx.find::<Entity>().filter(Column::ReviewedAt.is_not_null()),
            Some(false) => tx.find::<Entity>().filter(Column::ReviewedAt.is_null()),
            None => tx.find::<Entity>(),
        };
        let rows = paging::read(&tx, list, before, page, |list| list.order_by_desc(Column::Id)).await?;
        let found =
            rows.models.into_iter().map(|row| Ok((paging::cursor(&row.id.to_string()), opening(row)?)));
        let found = found.collect::<Result<_, StorageError>>()?;
        Ok(Page { rows: found, has_next: rows.has_next, total: rows.total })
    }

    async fn unreviewed(&self, scope: &Scope) -> Result<u64, StoreError> {
        debug_assert!(scope.permission().object == Object::Audit, "the scope is for something else");
        let tx = self.begin_read(scope.tenant()).await?;
        Ok(tx.count(tx.find::<Entity>().filter(Column::ReviewedAt.is_null())).await?)
    }

    async fn review(
        &self,
        scope: &Scope,
        id: OpeningId,
        review: &Review,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        debug_assert!(scope.permission().action == Action::Review, "the scope is for something else");
        let tx = self.begin_write(scope.tenant()).await?;
        let known = tx.one(tx.find::<Entity>().filter(Column::Id.eq(*id.as_uuid()))).await?;
        let known = known.ok_or(StorageError::NotFound { what: "opening of a record" })?;
        if known.user_id == *review.by.as_uuid() {
            let what = "nobody reviews what they opened themselves".to_owned();
            return Err(StorageError::Conflict { what }.into());
        }
        let sql = "UPDATE openings SET reviewed_by = $3, reviewed_at = $4, review_note = $5
                   WHERE tenant_id = $1 AND id = $2 AND reviewed_at IS NULL";
        let values = [
            (*tx.tenant().as_uuid()).into(),
            known.id.into(),
            (*review.by.as_uuid()).into(),
            micros(review.at).into(),
            storable(&review.note).into(),
        ];
        let written = tx.execute_sql(sql, values).await.map_err(|error| error.dangling_as("user"))?;
        if written == 0 {
            let what = "this was reviewed by somebody else meanwhile".to_owned();
            return Err(StorageError::Conflict { what }.into());
        }
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}

/// What is open, or was until a moment ago: whoever decides looks at the time again.
pub(crate) async fn opened(tx: &TenantTx, now: Timestamp) -> Result<Vec<Opened>, StorageError> {
    let list = tx.find::<Entity>().filter(Column::Until.gt(micros(now))).order_by_asc(Column::Id);
    let opened = tx.all(list).await?.into_iter().map(|row| {
        Ok(Opened {
            id: OpeningId::from_uuid(row.id),
            user: UserId::from_uuid(row.user_id),
            patient: row.patient_id,
            reason: row.reason.into(),
            until: timestamp(row.until)?,
        })
    });
    opened.collect()
}

fn opening(row: Model) -> Result<Opening, StorageError> {
    let review = match (row.reviewed_by, row.reviewed_at) {
        (Some(by), Some(at)) => Some(Review {
            by: UserId::from_uuid(by),
            at: timestamp(at)?,
            note: row.review_note.unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(Opening {
        id: OpeningId::from_uuid(row.id),
        user: UserId::from_uuid(row.user_id),
        patient: PatientId::from_uuid(row.patient_id),
        reason: row.reason,
        opened_at: timestamp(row.opened_at)?,
        until: timestamp(row.until)?,
        review,
    })
}
