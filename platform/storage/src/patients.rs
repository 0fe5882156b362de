//! Registered patients. Masked columns are neither shown nor searched; what identifies a patient is sealed.

pub(crate) mod identity;

use ::tenants::{
    PatientId, StoreError, TenantId, UnitId, UserId,
    access::{Column as Masked, Scope},
    audit::AuditEntry,
    keys::TenantKeys,
    org::OrgUnit,
};
use care::news2::Spo2Scale;
use sea_orm::{
    ColumnTrait, Condition, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use twins::store::directory::{Page, PageRequest, PatientPlace, PatientRecord, Patients};
use uuid::Uuid;

use self::identity::{Identity, Searched, sought};
use crate::{
    audit,
    columns::{folded, storable},
    database::Database,
    entities::{
        care_team,
        patients::{Column, Entity, Model},
    },
    errors::StorageError,
    masks::{self, Masks},
    org, paging, predicate,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl Patients for Database {
    async fn page(&self, scope: &Scope, page: &PageRequest) -> Result<Page<PatientRecord>, StoreError> {
        let keys = self.keys_of(scope.tenant()).await?;
        let tx = self.begin_read(scope.tenant()).await?;
        let mut list = tx.find::<Entity>().filter(predicate::rows::<Entity>(scope, tx.backend()));
        if let Some(wanted) = paging::wanted(page) {
            let found = found(scope, &tx, &*keys, wanted);
            list = list.filter(found);
        }
        let after = after(&tx, page).await?;
        let rows = paging::read(&tx, list, after, page, |list| {
            list.order_by_asc(Column::Ward).order_by_asc(Column::Bed).order_by_asc(Column::Id)
        })
        .await?;
        let found = records(&tx, scope, &*keys, rows.models).await?;
        let rows_found = found.into_iter().map(|row| (paging::cursor(&row.id.to_string()), row)).collect();
        Ok(Page { rows: rows_found, has_next: rows.has_next, total: rows.total })
    }

    async fn by_ids(&self, scope: &Scope, ids: &[PatientId]) -> Result<Vec<PatientRecord>, StoreError> {
        let keys = self.keys_of(scope.tenant()).await?;
        let tx = self.begin_read(scope.tenant()).await?;
        let ids = ids.iter().map(|id| *id.as_uuid());
        let list = tx
            .find::<Entity>()
            .filter(predicate::rows::<Entity>(scope, tx.backend()))
            .filter(Column::Id.is_in(ids));
        Ok(records(&tx, scope, &*keys, tx.all(list).await?).await?)
    }

    async fn restricted(&self, scope: &Scope) -> Result<Vec<PatientId>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let found = tx.all(tx.find::<Entity>().filter(Column::Restricted.eq(true))).await?;
        Ok(found.into_iter().map(|row| PatientId::from_uuid(row.id)).collect())
    }

    async fn create(
        &self,
        scope: &Scope,
        patient: &PatientRecord,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let keys = self.keys_of(scope.tenant()).await?;
        let identity = Identity::of(patient).columns(&*keys, scope.tenant(), *patient.id.as_uuid())?;
        let tx = self.begin_write(scope.tenant()).await?;
        let ward = org::check_target(&tx, scope, Masked::PatientUnit, patient.unit).await?;
        let row = Model {
            tenant_id: *scope.tenant().as_uuid(),
            id: *patient.id.as_uuid(),
            identity: Some(identity.identity),
            mrn_index: identity.mrn_index,
            name_search: identity.name_search,
            mrn_search: identity.mrn_search,
            birth_year: birth_year(patient).map(i64::from),
            place_search: place_searched(&ward, &patient.bed),
            ward,
            unit_id: Some(*patient.unit.as_uuid()),
            restricted: patient.restricted,
            bed: storable(&patient.bed),
            spo2_scale: i64::from(patient.spo2_scale.number()),
        };
        tx.insert::<Entity>(row).await.map_err(|error| {
            error.duplicate_as("a patient with this id or record number exists already").dangling_as("tenant")
        })?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn place(
        &self,
        scope: &Scope,
        patient: PatientId,
        place: &PatientPlace,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        check_visible(&tx, scope, patient).await?;
        let ward = org::check_target(&tx, scope, Masked::PatientUnit, place.unit).await?;
        let sql = "UPDATE patients SET unit_id = $3, ward = $4, bed = $5, place_search = $6, restricted = $7
                   WHERE tenant_id = $1 AND id = $2";
        let values = [
            (*tx.tenant().as_uuid()).into(),
            (*patient.as_uuid()).into(),
            (*place.unit.as_uuid()).into(),
            ward.as_str().into(),
            storable(&place.bed).into(),
            place_searched(&ward, &place.bed).into(),
            place.restricted.into(),
        ];
        tx.execute_sql(sql, values).await?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }

    async fn care_team(&self, scope: &Scope, patient: PatientId) -> Result<Vec<UserId>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        check_visible(&tx, scope, patient).await?;
        let team = tx.find::<care_team::Entity>();
        let team = team.filter(care_team::Column::PatientId.eq(*patient.as_uuid()));
        let team = tx.all(team.order_by_asc(care_team::Column::UserId)).await?;
        Ok(team.into_iter().map(|row| UserId::from_uuid(row.user_id)).collect())
    }

    async fn set_care_team(
        &self,
        scope: &Scope,
        patient: PatientId,
        team: &[UserId],
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let tx = self.begin_write(scope.tenant()).await?;
        check_visible(&tx, scope, patient).await?;
        let (tenant_id, patient_id) = (*tx.tenant().as_uuid(), *patient.as_uuid());
        let sql = "DELETE FROM care_team WHERE tenant_id = $1 AND patient_id = $2";
        tx.execute_sql(sql, [tenant_id.into(), patient_id.into()]).await?;
        let row = |user: &UserId| care_team::Model { tenant_id, patient_id, user_id: *user.as_uuid() };
        use care_team::Column as C;
        let once = OnConflict::columns([C::TenantId, C::PatientId, C::UserId]).do_nothing().to_owned();
        let added = tx.insert_many::<care_team::Entity>(team.iter().map(row).collect(), once).await;
        added.map_err(|error| error.dangling_as("user"))?;
        audit::note(&tx, audit).await?;
        Ok(tx.commit().await?)
    }
}

async fn check_visible(tx: &TenantTx, scope: &Scope, patient: PatientId) -> Result<(), StorageError> {
    let found = tx.find::<Entity>().filter(predicate::rows::<Entity>(scope, tx.backend()));
    let found = tx.one(found.filter(Column::Id.eq(*patient.as_uuid()))).await?;
    found.map(drop).ok_or(StorageError::NotFound { what: "patient" })
}

/// After a unit was renamed: what its patients' ward is called.
pub(crate) async fn rename_ward(tx: &TenantTx, unit: &OrgUnit) -> Result<(), StorageError> {
    let list = tx.find::<Entity>().filter(Column::UnitId.eq(*unit.id.as_uuid()));
    for row in tx.all(list).await? {
        let ward = storable(unit.name.trim());
        let sql = "UPDATE patients SET ward = $3, place_search = $4 WHERE tenant_id = $1 AND id = $2";
        let place = place_searched(&ward, &row.bed);
        tx.execute_sql(sql, [row.tenant_id.into(), row.id.into(), ward.into(), place.into()]).await?;
    }
    Ok(())
}

/// What the date says, where there is one.
fn birth_year(patient: &PatientRecord) -> Option<i16> {
    patient.birth_date.map_or(patient.birth_year, |date| Some(date.year()))
}

fn searched(text: &str) -> String {
    storable(&folded(text))
}

fn place_searched(ward: &str, bed: &str) -> String {
    searched(&format!("{ward}\n{bed}"))
}

/// What a search finds, in what it may look into: a hit in a masked column would tell what it holds.
fn found(scope: &Scope, tx: &TenantTx, keys: &dyn TenantKeys, wanted: &str) -> Condition {
    let text = |masked, column| masks::searchable::<Entity>(tx, scope, masked, Expr::col(column));
    let mut any = Condition::any().add(paging::holds(paging::uuid_text(tx.backend()), wanted));
    if let Some(place) = text(Masked::PatientWard, Column::PlaceSearch) {
        any = any.add(paging::holds(place, wanted));
    }
    for (masked, column, what) in [
        (Masked::PatientName, Column::NameSearch, Searched::Name),
        (Masked::PatientMrn, Column::MrnSearch, Searched::Mrn),
    ] {
        let sought = sought(keys, what, wanted);
        let Some(text) = text(masked, column).filter(|_| !sought.is_empty()) else { continue };
        let all = sought.iter().map(|index| paging::holds(text.clone(), index));
        any = any.add(all.fold(Condition::all(), Condition::add));
    }
    any
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

async fn records(
    tx: &TenantTx,
    scope: &Scope,
    keys: &dyn TenantKeys,
    rows: Vec<Model>,
) -> Result<Vec<PatientRecord>, StorageError> {
    let ids = rows.iter().map(|row| row.id).collect();
    let masks = Masks::of::<Entity>(tx, scope, Column::Id, ids, |row| row.id).await?;
    rows.into_iter().map(|row| record(&masks, keys, tx.tenant(), row)).collect()
}

fn record(
    masks: &Masks<'_>,
    keys: &dyn TenantKeys,
    tenant: TenantId,
    row: Model,
) -> Result<PatientRecord, StorageError> {
    let hidden = |column| masks.hide(row.id, column);
    let scale = u8::try_from(row.spo2_scale).ok().and_then(Spo2Scale::from_number);
    let mask_place = hidden(Masked::PatientWard);
    let Identity { name, mrn, birth_date } = Identity::open(keys, tenant, row.id, row.identity.as_deref())?;
    let unit = row.unit_id.ok_or_else(|| StorageError::corrupt("a patient without a unit"))?;
    Ok(PatientRecord {
        id: PatientId::from_uuid(row.id),
        name: name.filter(|_| !hidden(Masked::PatientName)),
        mrn: mrn.filter(|_| !hidden(Masked::PatientMrn)),
        birth_date: birth_date.filter(|_| !hidden(Masked::PatientBirthDate)),
        unit: UnitId::from_uuid(unit),
        restricted: row.restricted,
        birth_year: row.birth_year.and_then(|year| i16::try_from(year).ok()),
        ward: if mask_place { String::new() } else { row.ward },
        bed: if mask_place { String::new() } else { row.bed },
        spo2_scale: scale.ok_or_else(|| StorageError::corrupt("a patient's SpO2 scale"))?,
    })
}
