//! Alarms as rows, and the lists of them.

use ::tenants::{AlarmId, PatientId, RuleId, StoreError, UserId, access::Scope};
use care::{Acknowledgement, Alarm, AlarmState, Priority};
use readings::{Path, Unit};
use sea_orm::{
    ColumnTrait, Condition, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, Func, OnConflict},
};
use tenants::TenantId;
use twins::store::directory::{AlarmFilter, Alarms, Page, PageRequest};
use uuid::Uuid;

use crate::{
    columns::{self, folded, micros, parsed, storable, timestamp},
    database::Database,
    entities::alarms::{Column, Entity, Model},
    errors::StorageError,
    paging, placements, predicate,
    tenant_tx::TenantTx,
};

#[async_trait::async_trait]
impl Alarms for Database {
    async fn page(
        &self,
        scope: &Scope,
        filter: &AlarmFilter,
        page: &PageRequest,
    ) -> Result<Page<Alarm>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let mut list =
            tx.find::<Entity>().filter(predicate::rows::<Entity>(scope, tx.backend())).filter(wanted(filter));
        let device = Func::lower(Expr::col(Column::DeviceId)).into();
        let texts = [Expr::col(Column::TitleSearch), device, paging::uuid_text(tx.backend())];
        if let Some(found) = paging::search(page, texts) {
            list = list.filter(found);
        }
        let after = paging::key(page)?.map(|key| after(&key)).transpose()?;
        let rows = paging::read(&tx, list, after, page, |list| {
            list.order_by_asc(Column::Urgency).order_by_desc(Column::RaisedAt).order_by_desc(Column::Id)
        })
        .await?;
        let found = rows.models.into_iter().map(|row| Ok((paging::cursor(&key(&row)), alarm(row)?)));
        let found = found.collect::<Result<_, StorageError>>()?;
        Ok(Page { rows: found, has_next: rows.has_next, total: rows.total })
    }

    async fn by_ids(&self, scope: &Scope, ids: &[AlarmId]) -> Result<Vec<Alarm>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let ids = ids.iter().map(|id| *id.as_uuid());
        let list = tx
            .find::<Entity>()
            .filter(predicate::rows::<Entity>(scope, tx.backend()))
            .filter(Column::Id.is_in(ids));
        Ok(tx.all(list).await?.into_iter().map(alarm).collect::<Result<_, _>>()?)
    }

    async fn open_of_patients(
        &self,
        scope: &Scope,
        patients: &[PatientId],
    ) -> Result<Vec<Alarm>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let list = tx
            .find::<Entity>()
            .filter(predicate::rows::<Entity>(scope, tx.backend()))
            .filter(Column::ClearedAt.is_null())
            .filter(Column::PatientId.is_in(patients.iter().map(|id| *id.as_uuid())))
            .order_by_asc(Column::Urgency)
            .order_by_desc(Column::RaisedAt)
            .order_by_desc(Column::Id);
        Ok(tx.all(list).await?.into_iter().map(alarm).collect::<Result<_, _>>()?)
    }
}

/// Writes alarms as they now stand; a stored one is replaced only by a higher version. Each id at most once.
/// A new one belongs to the unit where its device is now, and stays there.
pub(crate) async fn write(tx: &TenantTx, mut rows: Vec<Model>) -> Result<(), StorageError> {
    if rows.is_empty() {
        return Ok(());
    }
    let units = placements::units(tx, rows.iter().map(|row| row.device_id.as_str())).await?;
    for row in &mut rows {
        row.unit_id = units.get(&row.device_id).copied();
    }
    let newer = OnConflict::columns([Column::TenantId, Column::Id])
        .update_columns([
            Column::State,
            Column::Urgency,
            Column::Priority,
            Column::Value,
            Column::AcknowledgedBy,
            Column::AcknowledgedByName,
            Column::AcknowledgedAt,
            Column::AcknowledgedNote,
            Column::ClearedAt,
            Column::Version,
        ])
        .action_and_where(Expr::cust("excluded.version > alarms.version"))
        .to_owned();
    tx.insert_many::<Entity>(rows, newer).await
}

fn wanted(filter: &AlarmFilter) -> Condition {
    let mut wanted = Condition::all();
    if !filter.states.is_empty() {
        wanted = wanted.add(Column::State.is_in(filter.states.iter().map(|state| state.key())));
    }
    if let Some(patient) = filter.patient {
        wanted = wanted.add(Column::PatientId.eq(*patient.as_uuid()));
    }
    if let Some(device) = &filter.device {
        wanted = wanted.add(Column::DeviceId.eq(device.as_str()));
    }
    wanted
}

/// Open before cleared, then by priority.
fn urgency(alarm: &Alarm) -> i64 {
    let priority = match alarm.priority {
        Priority::High => 0,
        Priority::Medium => 1,
        Priority::Low => 2,
    };
    if alarm.state.is_open() { priority } else { priority + 3 }
}

/// What a row is ordered by, as text.
fn key(row: &Model) -> String {
    format!("{}/{}/{}", row.urgency, row.raised_at, row.id)
}

/// What follows a key in the order of the list.
fn after(key: &str) -> Result<Condition, StorageError> {
    let mut parts = key.splitn(3, '/');
    let mut part = || parts.next().ok_or_else(paging::unknown_cursor);
    let urgency: i64 = part()?.parse().map_err(|_| paging::unknown_cursor())?;
    let raised_at: i64 = part()?.parse().map_err(|_| paging::unknown_cursor())?;
    let id: Uuid = part()?.parse().map_err(|_| paging::unknown_cursor())?;
    let older = Expr::tuple([Expr::col(Column::RaisedAt), Expr::col(Column::Id)])
        .lt(Expr::tuple([Expr::val(raised_at), Expr::val(id)]));
    let same = Condition::all().add(Column::Urgency.eq(urgency)).add(older);
    Ok(Condition::any().add(Column::Urgency.gt(urgency)).add(same))
}

pub(crate) fn row(tenant: TenantId, alarm: &Alarm) -> Model {
    let acknowledged = alarm.acknowledged.as_ref();
    Model {
        tenant_id: *tenant.as_uuid(),
        id: *alarm.id.as_uuid(),
        rule_id: *alarm.rule.as_uuid(),
        title: storable(&alarm.title),
        title_search: storable(&folded(&alarm.title)),
        device_id: alarm.device.to_string(),
        patient_id: alarm.patient.map(|id| *id.as_uuid()),
        priority: alarm.priority.key().to_owned(),
        state: alarm.state.key().to_owned(),
        urgency: urgency(alarm),
        path: alarm.path.as_str().to_owned(),
        value: alarm.value,
        unit: alarm.unit.as_ref().map(|unit| unit.code().to_owned()),
        raised_at: micros(alarm.raised_at),
        acknowledged_by: acknowledged.map(|by| *by.by.as_uuid()),
        acknowledged_by_name: acknowledged.map(|by| storable(&by.by_name)),
        acknowledged_at: acknowledged.map(|by| micros(by.at)),
        acknowledged_note: acknowledged.and_then(|by| by.note.as_deref()).map(storable),
        cleared_at: alarm.cleared_at.map(micros),
        version: i64::from(alarm.version),
        // Known to the database alone; see `write`.
        unit_id: None,
    }
}

fn alarm(row: Model) -> Result<Alarm, StorageError> {
    let acknowledged = match (row.acknowledged_by, row.acknowledged_by_name, row.acknowledged_at) {
        (Some(by), Some(by_name), Some(at)) => Some(Acknowledgement {
            by: UserId::from_uuid(by),
            by_name,
            at: timestamp(at)?,
            note: row.acknowledged_note,
        }),
        _ => None,
    };
    Ok(Alarm {
        id: AlarmId::from_uuid(row.id),
        rule: RuleId::from_uuid(row.rule_id),
        title: row.title,
        device: columns::device(&row.device_id)?,
        patient: row.patient_id.map(PatientId::from_uuid),
        priority: parsed(row.priority.parse(), "an alarm's priority")?,
        state: state(&row.state)?,
        path: parsed(Path::parse(&row.path), "an alarm's path")?,
        value: row.value,
        unit: row.unit.map(|code| parsed(Unit::parse(&code), "an alarm's unit")).transpose()?,
        raised_at: timestamp(row.raised_at)?,
        acknowledged,
        cleared_at: row.cleared_at.map(timestamp).transpose()?,
        version: parsed(u32::try_from(row.version), "an alarm's version")?,
    })
}

fn state(key: &str) -> Result<AlarmState, StorageError> {
    [AlarmState::Raised, AlarmState::Acknowledged, AlarmState::Cleared]
        .into_iter()
        .find(|state| state.key() == key)
        .ok_or_else(|| StorageError::corrupt("an alarm's state"))
}
