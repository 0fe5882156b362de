//! Lists: pages, order, search, masks.

use ::tenants::access::{Action, Object, Role, Scope};
use care::{Alarm, AlarmState, Priority};
use twins::store::{
    directory::{AlarmFilter, Alarms, Devices, MAX_PAGE, Page, PageRequest, PatientRecord, Patients},
    journal::TwinKey,
};

use super::world::{World, alarm, at, device, fold, patient, patient_id, ward_id};

/// Every page after another; checks what each says of the rest.
async fn walk<T: Clone>(first: u32, total: usize, page: impl AsyncFn(PageRequest) -> Page<T>) -> Vec<T> {
    let (mut rows, mut after) = (Vec::<T>::new(), None);
    loop {
        let found = page(PageRequest { first, after, count: true, ..PageRequest::default() }).await;
        assert_eq!(found.total, Some(total as u64));
        rows.extend(found.rows.iter().map(|(_, row)| row.clone()));
        assert_eq!(found.has_next, rows.len() < total);
        let Some((cursor, _)) = found.rows.last().filter(|_| found.has_next) else { return rows };
        after = Some(cursor.clone());
    }
}

fn search(text: &str) -> PageRequest {
    PageRequest { first: 50, after: None, search: Some(text.into()), count: true }
}

pub(super) async fn devices_page_by_page(world: World) {
    let database = &world.database;
    let scope = world.read(world.a, Object::Device).await;
    let mut ids: Vec<String> =
        (0..23).map(|n| format!("m-{n}")).chain(["M-1".into(), "m.2".into()]).collect();
    for id in &ids {
        world.add_device(world.a, id, "A monitor", None).await;
    }
    ids.sort();
    for first in [1, 7, 25, 26, MAX_PAGE + 1] {
        let page = async |request| Devices::page(database, &scope, &request).await.unwrap();
        let found: Vec<String> = walk(first, 25, page).await.iter().map(|row| row.id.to_string()).collect();
        assert_eq!(found, ids, "{first} a page");
    }
    let bad = PageRequest { first: 5, after: Some("%".into()), ..PageRequest::default() };
    assert!(Devices::page(database, &scope, &bad).await.is_err());
}

pub(super) async fn patients_by_ward_and_bed(world: World) {
    let database = &world.database;
    let scope = world.read(world.a, Object::Patient).await;
    let places = [("B", "1"), ("A", "2"), ("A", "10"), ("A", "2"), ("B", "0"), ("ab", "1"), ("Ä", "1")];
    for (n, place) in (1..).zip(places) {
        world.add_patient(world.a, &patient(n, "N. N.", &n.to_string(), place)).await;
    }
    let mut expected: Vec<_> = (1..).zip(places).map(|(n, place)| (place, patient_id(n))).collect();
    expected.sort();
    let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
    for first in [1, 2, 7, 100] {
        let page = async |request| Patients::page(database, &scope, &request).await.unwrap();
        let found: Vec<_> = walk(first, 7, page).await.iter().map(|row| row.id).collect();
        assert_eq!(found, expected, "{first} a page");
    }
    let whole = Patients::by_ids(database, &scope, &[patient_id(1)]).await.unwrap();
    let unit = ward_id(world.a, "B");
    assert_eq!(whole, [PatientRecord { unit, ..patient(1, "N. N.", "1", ("B", "1")) }]);
}

pub(super) async fn searching_is_literal_and_ignores_case(world: World) {
    let database = &world.database;
    for (id, name) in [("m-1", "100% Öl"), ("m_2", "Pump!"), ("mx2", "PUMP a\\b")] {
        world.add_device(world.a, id, name, None).await;
    }
    let scope = world.read(world.a, Object::Device).await;
    for (text, ids) in [
        ("0%", vec!["m-1"]),
        ("öL", vec!["m-1"]),
        ("m_2", vec!["m_2"]),
        ("pump", vec!["m_2", "mx2"]),
        ("P!", vec!["m_2"]),
        ("A\\B", vec!["mx2"]),
        ("M-1", vec!["m-1"]),
        ("", vec!["m-1", "m_2", "mx2"]),
        ("nothing", vec![]),
        ("' OR '1'='1", vec![]),
    ] {
        let found = Devices::page(database, &scope, &search(text)).await.unwrap();
        let found_ids: Vec<_> = found.rows.iter().map(|(_, row)| row.id.to_string()).collect();
        assert_eq!(found_ids, ids, "{text:?}");
        assert_eq!(found.total, Some(ids.len() as u64), "{text:?}");
    }
}

async fn found(world: &World, scope: &Scope, text: &str) -> u64 {
    Patients::page(&world.database, scope, &search(text)).await.unwrap().total.unwrap()
}

pub(super) async fn masked_columns_are_neither_shown_nor_searched(world: World) {
    world.add_patient(world.a, &patient(0xabcd_0001, "Ágnes Doe", "MRN-77", ("ICU", "Bed 4"))).await;
    let nurse = world.scope(world.a, Role::Nurse, Object::Patient, Action::Read).await;
    let researcher = world.scope(world.a, Role::Researcher, Object::Patient, Action::Read).await;
    // (text, found by a nurse, found by a researcher)
    for (text, open, masked) in [
        ("ágnes", 1, 0),
        ("mrn-77", 1, 0),
        ("icu", 1, 1),
        ("BED 4", 1, 1),
        ("ABCD0001", 1, 1),
        ("0000-0000", 1, 1),
        ("smith", 0, 0),
    ] {
        assert_eq!(found(&world, &nurse, text).await, open, "{text:?} by a nurse");
        assert_eq!(found(&world, &researcher, text).await, masked, "{text:?} by a researcher");
    }
    let ids = [patient_id(0xabcd_0001)];
    let shown = Patients::by_ids(&world.database, &researcher, &ids).await.unwrap();
    assert_eq!((&shown[0].name, &shown[0].mrn, shown[0].ward.as_str()), (&None, &None, "ICU"));
    let paged = Patients::page(&world.database, &researcher, &search("")).await.unwrap();
    assert_eq!((&paged.rows[0].1.name, &paged.rows[0].1.mrn), (&None, &None));
}

pub(super) async fn alarms_by_urgency(world: World) {
    world.claim().await;
    let cleared = |alarm: Alarm| Alarm { state: AlarmState::Cleared, cleared_at: Some(at(99)), ..alarm };
    // In the order in which they must be listed.
    let alarms = [
        alarm(3, "m-1", Priority::High, 50),
        alarm(9, "m-1", Priority::High, 40),
        alarm(8, "m-1", Priority::High, 40),
        Alarm { patient: None, ..alarm(4, "m-2", Priority::Medium, 90) },
        alarm(5, "m-1", Priority::Low, 95),
        cleared(alarm(6, "m-1", Priority::High, 60)),
        cleared(alarm(7, "m-2", Priority::Low, 97)),
    ];
    let mut all = fold(world.a, TwinKey::Device(device("m-1")));
    all.alarms = alarms.to_vec();
    all.alarms.sort_by_key(|alarm| alarm.id);
    world.fold(all).await;

    let scope = world.read(world.a, Object::Alarm).await;
    let database = &world.database;
    for first in [1, 3, 7, 50] {
        let page =
            async |request| Alarms::page(database, &scope, &AlarmFilter::default(), &request).await.unwrap();
        assert_eq!(walk(first, 7, page).await, alarms, "{first} a page");
    }
    let of = async |filter: AlarmFilter, request: PageRequest| {
        let page = Alarms::page(database, &scope, &filter, &request).await.unwrap();
        page.rows.iter().map(|(_, alarm)| alarm.id.as_uuid().as_u128()).collect::<Vec<_>>()
    };
    let every = PageRequest { first: 50, count: true, ..PageRequest::default() };
    let filter = AlarmFilter { states: vec![AlarmState::Cleared], ..AlarmFilter::default() };
    assert_eq!(of(filter.clone(), every.clone()).await, [6, 7]);
    let filter = AlarmFilter { device: Some(device("m-2")), ..AlarmFilter::default() };
    assert_eq!(of(filter, every.clone()).await, [4, 7]);
    let filter = AlarmFilter { patient: Some(patient_id(1)), ..AlarmFilter::default() };
    assert_eq!(of(filter, every).await, [3, 9, 8, 5, 6, 7]);
    assert_eq!(of(AlarmFilter::default(), search("ALARM 4")).await, [4]);
    let open = database.open_of_patients(&scope, &[patient_id(1), patient_id(2)]).await.unwrap();
    assert_eq!(open, [&alarms[..3], &alarms[4..5]].concat());
}
