//! Registered patients. Masked columns are neither shown nor searched.

use ::tenants::{
    PatientId, StoreError,
    access::{Column as Masked, Scope},
    audit::AuditEntry,
};
use care::news2::Spo2Scale;
use sea_orm::{
    ColumnTrait, Condition, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};
use twins::store::directory::{Page, PageRequest, PatientRecord, Patients};
use uuid::Uuid;

use crate::{
    audit,
    columns::{folded, storable},
    database::Database,
    entities::patients::{Column, Entity, Model},
    errors::StorageError,
    paging, predicate,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl Patients for Database {
    async fn page(&self, scope: &Scope, page: &PageRequest) -> Result<Page<PatientRecord>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let mut list = tx.find::<Entity>().filter(predicate::rows::<Entity>(scope));
        if let Some(found) = paging::search(page, searchable(scope, &tx)) {
            list = list.filter(found);
        }
        let after = after(&tx, page).await?;
        let rows = paging::read(&tx, list, after, page.first, |list| {
            list.order_by_asc(Column::Ward).order_by_asc(Column::Bed).order_by_asc(Column::Id)
        })
        .await?;
        let row = |model: Model| Ok((paging::cursor(&model.id.to_string()), record(scope, model)?));
        let found = rows.models.into_iter().map(row).collect::<Result<_, StorageError>>()?;
        Ok(Page { rows: found, has_next: rows.has_next, total: rows.total })
    }

    async fn by_ids(&self, scope: &Scope, ids: &[PatientId]) -> Result<Vec<PatientRecord>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let ids = ids.iter().map(|id| *id.as_uuid());
        let list = tx.find::<Entity>().filter(predicate::rows::<Entity>(scope)).filter(Column::Id.is_in(ids));
        let found = tx.all(list).await?.into_iter().map(|model| record(scope, model));
        Ok(found.collect::<Result<_, _>>()?)
    }

    async fn create(
        &self,
        scope: &Scope,
        patient: &PatientRecord,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        let row = Model {
            tenant_id: *scope.tenant().as_uuid(),
            id: *patient.id.as_uuid(),
            name_search: searched(patient.name.as_deref().unwrap_or_default()),
            name: patient.name.as_deref().map(storable),
            mrn_search: searched(patient.mrn.as_deref().unwrap_or_default()),
            mrn: patient.mrn.as_deref().map(storable),
            birth_year: patient.birth_year.map(i64::from),
            place_search: searched(&format!("{}\n{}", patient.ward, patient.bed)),
            ward: storable(&patient.ward),
            bed: storable(&patient.bed),
            spo2_scale: i64::from(patient.spo2_scale.number()),
        };
        tx.insert::<Entity>(row).await.map_err(|error| {
            error.duplicate_as("a patient with this id or record number exists already").dangling_as("tenant")
        })?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}

fn searched(text: &str) -> String {
    storable(&folded(text))
}

/// What a search may look into: a hit in a masked column would tell what it holds.
fn searchable(scope: &Scope, tx: &TenantTx) -> Vec<SimpleExpr> {
    let mut texts = vec![paging::uuid_text(tx.backend())];
    for (masked, column) in [
        (Masked::PatientName, Column::NameSearch),
        (Masked::PatientMrn, Column::MrnSearch),
        (Masked::PatientWard, Column::PlaceSearch),
    ] {
        if !scope.masks(masked) {
            texts.push(Expr::col(column));
        }
    }
    texts
}

/// What follows the cursor's patient, who is looked up so that the cursor need not hold ward and bed.
async fn after(tx: &TenantTx, page: &PageRequest) -> Result<Option<Condition>, StorageError> {
    let Some(key) = paging::key(page)? else { return Ok(None) };
    let id = Uuid::parse_str(&key).map_err(|_| paging::unknown_cursor())?;
    let row = tx.one(tx.find::<Entity>().filter(Column::Id.eq(id))).await?;
    let row = row.ok_or_else(paging::unknown_cursor)?;
    let place = [Expr::col(Column::Ward), Expr::col(Column::Bed), Expr::col(Column::Id)];
    let last = [Expr::val(row.ward), Expr::val(row.bed), Expr::val(row.id)];
    Ok(Some(Condition::all().add(Expr::tuple(place).gt(Expr::tuple(last)))))
}

fn record(scope: &Scope, row: Model) -> Result<PatientRecord, StorageError> {
    let scale = u8::try_from(row.spo2_scale).ok().and_then(Spo2Scale::from_number);
    let mask_place = scope.masks(Masked::PatientWard);
    Ok(PatientRecord {
        id: PatientId::from_uuid(row.id),
        name: row.name.filter(|_| !scope.masks(Masked::PatientName)),
        mrn: row.mrn.filter(|_| !scope.masks(Masked::PatientMrn)),
        birth_year: row.birth_year.and_then(|year| i16::try_from(year).ok()),
        ward: if mask_place { String::new() } else { row.ward },
        bed: if mask_place { String::new() } else { row.bed },
        spo2_scale: scale.ok_or_else(|| StorageError::corrupt("a patient's SpO2 scale"))?,
    })
}
