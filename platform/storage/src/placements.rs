//! Where devices are and were. What a device said while it was in a ward, or measured somebody, stays with that
//! ward and that patient when it moves on: the past is looked at span by span, with the policy of today.

use std::collections::{BTreeSet, HashMap, HashSet};

use ::tenants::{
    DeviceId, PatientId, UnitId, UserId,
    access::{Cell, Column, Scope},
};
use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, Condition, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use twins::store::directory::Measured;
use uuid::Uuid;

use crate::{
    columns::{device, micros, timestamp},
    entities::{assignments, care_team, devices, patients, placements},
    errors::StorageError,
    tenant_tx::TenantTx,
};

/// Spans of time, each from its first microsecond to before its last.
#[derive(Debug, Default)]
pub(crate) struct Spans(Vec<(i64, i64)>);

impl Spans {
    const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);

    pub(crate) fn contains(&self, at: i64) -> bool {
        self.0.iter().any(|(since, until)| (*since..*until).contains(&at))
    }

    /// The rows whose time lies in one of the spans.
    pub(crate) fn condition(&self, column: impl ColumnTrait) -> Condition {
        let none = Condition::any().add(Expr::cust("1 = 0"));
        self.0.iter().fold(none, |any, (since, until)| {
            any.add(Condition::all().add(column.gte(*since)).add(column.lt(*until)))
        })
    }

    fn add(&mut self, since: i64, until: i64) {
        match self.0.last_mut() {
            Some(last) if last.1 == since => last.1 = until,
            _ => self.0.push((since, until)),
        }
    }
}

/// From then on the device is in the unit.
pub(crate) async fn begin(
    tx: &TenantTx,
    device: &DeviceId,
    unit: UnitId,
    at: Timestamp,
) -> Result<(), StorageError> {
    let end = "UPDATE placements SET until = $3 WHERE tenant_id = $1 AND device_id = $2 AND until IS NULL";
    let key = [(*tx.tenant().as_uuid()).into(), device.as_str().into(), micros(at).into()];
    tx.execute_sql(end, key).await?;
    let row = placements::Model {
        tenant_id: *tx.tenant().as_uuid(),
        device_id: device.to_string(),
        since: micros(at),
        until: None,
        unit_id: *unit.as_uuid(),
    };
    // Where it was moved twice at the same moment, it was in the first of the places for no time at all.
    use placements::Column as C;
    let mut again = OnConflict::columns([C::TenantId, C::DeviceId, C::Since]);
    again.update_columns([C::UnitId, C::Until]);
    tx.insert_many::<placements::Entity>(vec![row], again).await
}

/// Where each of the devices is now.
pub(crate) async fn units(
    tx: &TenantTx,
    devices: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, Uuid>, StorageError> {
    let list = tx.find::<devices::Entity>().filter(devices::Column::Id.is_in(devices));
    let rows = tx.all(list).await?.into_iter();
    Ok(rows.filter_map(|row| Some((row.id, row.unit_id?))).collect())
}

/// Whom the devices measured, and when.
pub(crate) async fn measured(tx: &TenantTx, devices: &[DeviceId]) -> Result<Vec<Measured>, StorageError> {
    let ids = devices.iter().map(DeviceId::as_str);
    let list = tx.find::<assignments::Entity>().filter(assignments::Column::DeviceId.is_in(ids));
    let rows = tx.all(list).await?.into_iter().map(|row| {
        Ok(Measured {
            device: device(&row.device_id)?,
            patient: PatientId::from_uuid(row.patient_id),
            since: timestamp(row.since)?,
            until: row.until.map(timestamp).transpose()?,
        })
    });
    rows.collect()
}

/// The spans of each device's past that the scope covers; a device without any is missing.
pub(crate) async fn visible(
    tx: &TenantTx,
    scope: &Scope,
    wanted: &[DeviceId],
) -> Result<HashMap<DeviceId, Spans>, StorageError> {
    if scope.rows().are_all() {
        return Ok(wanted.iter().map(|id| (id.clone(), Spans(vec![Spans::ALWAYS]))).collect());
    }
    let past = Past::read(tx, wanted).await?;
    let mut visible = HashMap::new();
    for known in &past.devices {
        let mut spans = Spans::default();
        for (since, until) in past.pieces(&known.id) {
            if scope.rows().cover(&|column| past.cell(known, since, column)) {
                spans.add(since, until);
            }
        }
        if !spans.0.is_empty() {
            visible.insert(device(&known.id)?, spans);
        }
    }
    Ok(visible)
}

/// What policies ask about devices' past.
struct Past {
    devices: Vec<devices::Model>,
    placements: HashMap<String, Vec<placements::Model>>,
    assignments: HashMap<String, Vec<assignments::Model>>,
    restricted: HashSet<Uuid>,
    treated_by: HashMap<Uuid, Vec<UserId>>,
}

impl Past {
    async fn read(tx: &TenantTx, wanted: &[DeviceId]) -> Result<Self, StorageError> {
        let ids: Vec<&str> = wanted.iter().map(DeviceId::as_str).collect();
        let known = tx.find::<devices::Entity>().filter(devices::Column::Id.is_in(ids.iter().copied()));
        let placed =
            tx.find::<placements::Entity>().filter(placements::Column::DeviceId.is_in(ids.iter().copied()));
        let assigned = tx.find::<assignments::Entity>().filter(assignments::Column::DeviceId.is_in(ids));
        let mut past = Self {
            devices: tx.all(known).await?,
            placements: HashMap::new(),
            assignments: HashMap::new(),
            restricted: HashSet::new(),
            treated_by: HashMap::new(),
        };
        for row in tx.all(placed).await? {
            past.placements.entry(row.device_id.clone()).or_default().push(row);
        }
        let mut measured = BTreeSet::new();
        for row in tx.all(assigned).await? {
            measured.insert(row.patient_id);
            past.assignments.entry(row.device_id.clone()).or_default().push(row);
        }
        if measured.is_empty() {
            return Ok(past);
        }
        let restricted = tx
            .find::<patients::Entity>()
            .filter(patients::Column::Id.is_in(measured.iter().copied()))
            .filter(patients::Column::Restricted.eq(true));
        past.restricted = tx.all(restricted).await?.into_iter().map(|row| row.id).collect();
        let team = tx.find::<care_team::Entity>().filter(care_team::Column::PatientId.is_in(measured));
        for row in tx.all(team).await? {
            past.treated_by.entry(row.patient_id).or_default().push(UserId::from_uuid(row.user_id));
        }
        Ok(past)
    }

    /// The spans within which a device neither moved nor changed its patient, in order.
    fn pieces(&self, id: &str) -> Vec<(i64, i64)> {
        let placed = self.placements.get(id).into_iter().flatten().map(|row| (row.since, row.until));
        let assigned = self.assignments.get(id).into_iter().flatten().map(|row| (row.since, row.until));
        let mut cuts = BTreeSet::from([i64::MIN, i64::MAX]);
        for (since, until) in placed.chain(assigned) {
            cuts.insert(since);
            cuts.extend(until);
        }
        cuts.iter().copied().zip(cuts.iter().copied().skip(1)).collect()
    }

    fn cell<'a>(&'a self, known: &'a devices::Model, at: i64, column: Column) -> Option<Cell<'a>> {
        let unit = || {
            let all = self.placements.get(&known.id)?;
            let there = all.iter().find(|row| row.since <= at && row.until.is_none_or(|until| at < until))?;
            Some(UnitId::from_uuid(there.unit_id))
        };
        let patient = || {
            let all = self.assignments.get(&known.id)?;
            let there = all.iter().find(|row| row.since <= at && row.until.is_none_or(|until| at < until))?;
            Some(there.patient_id)
        };
        match column {
            Column::DeviceId => Some(Cell::Text(&known.id)),
            Column::DeviceKind => Some(Cell::Text(&known.kind)),
            Column::DeviceTemplate => Some(Cell::Text(&known.template)),
            Column::DeviceUnit => unit().map(Cell::Unit),
            Column::PatientId => patient().map(Cell::Patient),
            Column::PatientRestricted => patient().map(|id| Cell::Flag(self.restricted.contains(&id))),
            Column::PatientCareTeam => patient()
                .map(|id| Cell::Users(self.treated_by.get(&id).map(Vec::as_slice).unwrap_or_default())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_spans_are_one() {
        let mut spans = Spans::default();
        spans.add(i64::MIN, 10);
        spans.add(10, 20);
        spans.add(30, 40);
        assert_eq!(spans.0, [(i64::MIN, 20), (30, 40)]);
        for (at, inside) in [(0, true), (19, true), (20, false), (29, false), (30, true), (40, false)] {
            assert_eq!(spans.contains(at), inside, "{at}");
        }
    }
}
