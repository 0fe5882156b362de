//! Row policies: the database gives the same answer as the check in memory, for every form of predicate and
//! with columns that hold nothing.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use ::tenants::{
    OpeningId, TenantId, UnitId, UserId,
    access::{Cell, Clause, Column, ColumnType, Object, Opened, Predicate, Reach, Subject, Value},
};
use jiff::Timestamp;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sea_orm::QueryFilter;
use uuid::Uuid;

use super::world::{World, user_id, ward_id};
use crate::{
    entities::{PolicyRows, alarms, assignments, care_team, devices, patients},
    predicate,
    tenant_tx::TenantTx,
};

/// Predicates per object.
const PREDICATES: usize = 400;
const WARDS: [&str; 2] = ["4 West", "3 \"East\""];

/// What a hospital holds, with every column that may be empty also empty.
struct Hospital {
    tenant: TenantId,
    patients: Vec<patients::Model>,
    devices: Vec<devices::Model>,
    alarms: Vec<alarms::Model>,
    /// Who is measured by which device.
    assigned: Vec<(String, Uuid)>,
    /// Who is treated by the user.
    treated: HashSet<Uuid>,
}

fn some(n: usize, of: usize) -> Option<usize> {
    (n % (of + 1)).checked_sub(1)
}

impl Hospital {
    fn new(tenant: TenantId) -> Self {
        let (units, tenant_id) = (units(tenant), *tenant.as_uuid());
        let unit = |n: usize| some(n, units.len()).map(|n| *units[n].as_uuid());
        let patients: Vec<_> = (0..24_usize)
            .map(|n| patients::Model {
                tenant_id,
                id: Uuid::from_u128(n as u128 + 1),
                name_search: String::new(),
                mrn_index: Some(n.to_string()),
                mrn_search: n.to_string(),
                birth_year: some(n, 2).map(|n| 1950 + n as i64),
                ward: WARDS[n % 2].into(),
                bed: n.to_string(),
                place_search: String::new(),
                spo2_scale: 1,
                unit_id: unit(n),
                identity: None,
                restricted: n % 3 == 0,
            })
            .collect();
        let devices: Vec<_> = (0..24_usize)
            .map(|n| devices::Model {
                tenant_id,
                id: format!("d-{n}"),
                name: String::new(),
                name_search: String::new(),
                template: format!("dtmi:iomt:Kind{};1", n % 2),
                kind: format!("Kind{}", n % 2),
                unit_id: unit(n / 2),
                blocked_since: None,
                gateway_id: None,
            })
            .collect();
        let assigned = devices.iter().zip(&patients).enumerate().filter(|(n, _)| n % 4 != 0);
        let assigned: Vec<_> =
            assigned.map(|(_, (device, patient))| (device.id.clone(), patient.id)).collect();
        let alarms = (0..24_usize).map(|n| alarm(tenant_id, n, unit(n / 3), some(n, 12))).collect();
        let treated = patients.iter().step_by(5).map(|row| row.id).collect();
        Self { tenant, patients, devices, alarms, assigned, treated }
    }

    async fn write(&self, world: &World) {
        let tx = world.database.begin_write(self.tenant).await.unwrap();
        let tenant_id = *self.tenant.as_uuid();
        for row in &self.patients {
            tx.insert::<patients::Entity>(row.clone()).await.unwrap();
        }
        for row in &self.devices {
            tx.insert::<devices::Entity>(row.clone()).await.unwrap();
        }
        for row in &self.alarms {
            tx.insert::<alarms::Entity>(row.clone()).await.unwrap();
        }
        for (n, (device, patient)) in self.assigned.iter().enumerate() {
            let mut row = assignments::Model {
                tenant_id,
                device_id: device.clone(),
                since: 10,
                until: None,
                patient_id: *patient,
            };
            tx.insert::<assignments::Entity>(row.clone()).await.unwrap();
            // Whom it measured earlier must not count.
            let earlier = &self.patients[(n * 7) % self.patients.len()];
            (row.since, row.until, row.patient_id) = (0, Some(10), earlier.id);
            tx.insert::<assignments::Entity>(row).await.unwrap();
        }
        let sql = "INSERT INTO users (tenant_id, id, email, display_name, password_hash)
                   VALUES ($1, $2, 'n', 'N', '')";
        tx.execute_sql(sql, [tenant_id.into(), (*user_id(1).as_uuid()).into()]).await.unwrap();
        for patient in &self.treated {
            let row = care_team::Model { tenant_id, patient_id: *patient, user_id: *user_id(1).as_uuid() };
            tx.insert::<care_team::Entity>(row).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    fn of_patient<'a>(&'a self, id: Option<Uuid>, column: Column) -> Option<Cell<'a>> {
        const TREATED: &[UserId] = &[UserId::from_uuid(Uuid::from_u128(1))];
        let patient = self.patients.iter().find(|row| Some(row.id) == id)?;
        match column {
            Column::PatientId => Some(Cell::Patient(patient.id)),
            Column::PatientRestricted => Some(Cell::Flag(patient.restricted)),
            Column::PatientCareTeam => {
                Some(Cell::Users(if self.treated.contains(&patient.id) { TREATED } else { &[] }))
            }
            _ => None,
        }
    }

    fn patient<'a>(&'a self, row: &'a patients::Model, column: Column) -> Option<Cell<'a>> {
        match column {
            Column::PatientUnit => row.unit_id.map(UnitId::from_uuid).map(Cell::Unit),
            Column::PatientWard => Some(Cell::Text(&row.ward)),
            Column::PatientBirthYear => row.birth_year.map(Cell::Number),
            _ => self.of_patient(Some(row.id), column),
        }
    }

    fn device<'a>(&'a self, row: &'a devices::Model, column: Column) -> Option<Cell<'a>> {
        match column {
            Column::DeviceId => Some(Cell::Text(&row.id)),
            Column::DeviceKind => Some(Cell::Text(&row.kind)),
            Column::DeviceTemplate => Some(Cell::Text(&row.template)),
            Column::DeviceUnit => row.unit_id.map(UnitId::from_uuid).map(Cell::Unit),
            _ => {
                let assigned = self.assigned.iter().find(|(device, _)| *device == row.id);
                self.of_patient(assigned.map(|(_, patient)| *patient), column)
            }
        }
    }

    fn alarm<'a>(&'a self, row: &'a alarms::Model, column: Column) -> Option<Cell<'a>> {
        match column {
            Column::AlarmUnit => row.unit_id.map(UnitId::from_uuid).map(Cell::Unit),
            Column::AlarmPriority => Some(Cell::Text(&row.priority)),
            Column::DeviceId => Some(Cell::Text(&row.device_id)),
            _ => self.of_patient(row.patient_id, column),
        }
    }
}

fn alarm(tenant_id: Uuid, n: usize, unit_id: Option<Uuid>, patient: Option<usize>) -> alarms::Model {
    let model = super::world::alarm(n as u128, &format!("d-{n}"), care::Priority::Low, 0);
    alarms::Model {
        patient_id: patient.map(|n| Uuid::from_u128(n as u128 + 1)),
        priority: ["high", "medium", "low"][n % 3].into(),
        unit_id,
        ..crate::alarms::row(TenantId::from_uuid(tenant_id), &model)
    }
}

/// The hospital, and two wards in it.
fn units(tenant: TenantId) -> [UnitId; 3] {
    [UnitId::root(tenant), ward_id(tenant, "W1"), ward_id(tenant, "W2")]
}

fn value(column: Column) -> BoxedStrategy<Value> {
    let text = |all: &[&str]| {
        let all: Vec<String> = all.iter().map(|&text| text.to_owned()).collect();
        prop::sample::select(all).prop_map(Value::Text).boxed()
    };
    match column {
        Column::DeviceId => text(&["d-1", "d-7", "D-1", "' OR 1=1 --"]),
        Column::DeviceKind => text(&["Kind0", "Kind1", "kind1"]),
        Column::DeviceTemplate => text(&["dtmi:iomt:Kind0;1", "?", "$1"]),
        Column::PatientWard => text(&[WARDS[0], WARDS[1], "4 west"]),
        Column::AlarmPriority => text(&["high", "low"]),
        Column::PatientBirthYear => (1949_i64..1953).prop_map(Value::Number).boxed(),
        _ => (1_u128..30).prop_map(|n| Value::Patient(Uuid::from_u128(n))).boxed(),
    }
}

fn leaf(column: Column) -> BoxedStrategy<Predicate> {
    let missing = Just(Predicate::Missing(column));
    match column.kind() {
        ColumnType::Flag => prop_oneof![Just(Predicate::Is(column)), missing].boxed(),
        ColumnType::Unit => prop_oneof![Just(Predicate::Within(column)), missing].boxed(),
        ColumnType::Users => prop_oneof![Just(Predicate::Contains(column)), missing].boxed(),
        ColumnType::Text | ColumnType::Number | ColumnType::Patient => prop_oneof![
            value(column).prop_map(move |value| Predicate::Equals(column, value)),
            prop::collection::vec(value(column), 1..4).prop_map(move |all| Predicate::In(column, all)),
            missing,
        ]
        .boxed(),
    }
}

fn predicate(object: Object) -> impl Strategy<Value = Predicate> {
    let columns = prop::sample::select(Column::testable(object)).prop_flat_map(leaf);
    let leaf = prop_oneof![8 => columns, 1 => Just(Predicate::All), 1 => Just(Predicate::BreakGlass)];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Predicate::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Predicate::And),
            prop::collection::vec(inner, 2..4).prop_map(Predicate::Or),
        ]
    })
}

/// A user of the whole hospital or of one ward, who has opened some records or none.
fn subjects(tenant: TenantId) -> Vec<Subject> {
    let top = ward_id(tenant, "W1");
    let ward = Reach::Unit { top, all: Arc::new(HashSet::from([top])) };
    let opened = [4, 9].map(|patient| Opened {
        id: OpeningId::from_uuid(Uuid::from_u128(patient)),
        user: user_id(1),
        patient: Uuid::from_u128(patient),
        reason: "unconscious".into(),
        until: Timestamp::MAX,
    });
    let opened: Arc<[Opened]> = Arc::from(opened);
    [
        (Reach::Hospital, opened.clone()),
        (Reach::Hospital, Arc::from([])),
        (ward.clone(), opened),
        (ward, Arc::from([])),
    ]
    .map(|(reach, opened)| Subject::new(user_id(1), reach, opened))
    .into()
}

async fn agree<'a, E>(
    tx: &TenantTx,
    object: Object,
    rows: &'a [E::Model],
    key: impl Fn(&E::Model) -> String,
    cell: impl Fn(&'a E::Model, Column) -> Option<Cell<'a>>,
) where
    E: PolicyRows,
{
    let mut runner = TestRunner::deterministic();
    let subjects = subjects(tx.tenant());
    let (mut some, mut none) = (0, 0);
    for n in 0..PREDICATES {
        let mut predicate = predicate(object).new_tree(&mut runner).unwrap().current();
        let subject = subjects[n % subjects.len()].clone();
        if let Some(place) = Column::place(object).filter(|_| predicate.breaks_glass()) {
            // As in a role that is held in one unit: there, and in what was opened anywhere.
            predicate = predicate.and(Predicate::Or(vec![Predicate::Within(place), Predicate::BreakGlass]));
        }
        let covered =
            |row: &'a E::Model| predicate.evaluate(&subject, &|column| cell(row, column)) == Some(true);
        let expected: BTreeSet<_> = rows.iter().filter(|row| covered(row)).map(&key).collect();
        let clause = Clause { role: None, predicate: predicate.clone(), subject, masked: Vec::new() };
        let condition = predicate::covered::<E>(tx.tenant(), tx.backend(), &clause);
        let found = tx.all(tx.find::<E>().filter(condition)).await.unwrap();
        let found: BTreeSet<_> = found.iter().map(&key).collect();
        assert_eq!(found, expected, "{object}: {predicate}");
        if expected.is_empty() { none += 1 } else { some += 1 }
    }
    assert!(some > 100 && none > 20, "{object}: {some} predicates cover rows, {none} do not");
}

pub(super) async fn the_database_agrees_with_the_check_in_memory(world: World) {
    let hospital = Hospital::new(world.a);
    for ward in ["W1", "W2"] {
        world.ward(world.a, ward).await;
    }
    hospital.write(&world).await;
    // Rows of another tenant that would fit as well.
    let theirs = Hospital::new(world.b);
    for ward in ["W1", "W2"] {
        world.ward(world.b, ward).await;
    }
    theirs.write(&world).await;

    let tx = world.database.begin_read(world.a).await.unwrap();
    let patient = |row, column| hospital.patient(row, column);
    let key = |row: &patients::Model| row.id.to_string();
    agree::<patients::Entity>(&tx, Object::Patient, &hospital.patients, key, patient).await;
    let device = |row, column| hospital.device(row, column);
    agree::<devices::Entity>(&tx, Object::Device, &hospital.devices, |row| row.id.clone(), device).await;
    let alarm = |row, column| hospital.alarm(row, column);
    agree::<alarms::Entity>(&tx, Object::Alarm, &hospital.alarms, |row| row.id.to_string(), alarm).await;
}
