//! Units, roles and who holds them; what follows from them for rows, columns and the past.

use std::sync::Arc;

use ::tenants::{
    DeviceId, RoleName, StoreError, TenantId, UnitId, User, UserId,
    access::{
        Access, AccessRules, Action, Caller, Object, OwnRole, Principal, Role, RoleGrant, Scope, StoredPolicy,
    },
    account::Login,
    audit::AuditEntry,
    clock::ManualClock,
    org::{OrgUnit, UnitKind},
    stores::{Accounts, OrgUnits, PolicyEffects, PolicyRow, Roles},
};
use care::Priority;
use twins::store::{
    directory::{AlarmFilter, Alarms, Devices, History, PageRequest, PatientPlace, PatientRecord, Patients},
    journal::TwinKey,
};

use super::world::{
    World, alarm, at, device, entry, fold, patient, patient_id, positions, segment, user_id, ward_id,
};

const EVERY: PageRequest = PageRequest { first: 50, after: None, search: None, count: true };

fn unit(tenant: TenantId, name: &str, parent: UnitId) -> OrgUnit {
    OrgUnit { id: ward_id(tenant, name), parent: Some(parent), name: name.into(), kind: UnitKind::Ward }
}

async fn save(world: &World, unit: &OrgUnit) -> Result<(), StoreError> {
    let scope = world.write(world.a, Object::OrgUnit).await;
    OrgUnits::save(&world.database, &scope, unit, &entry(world.a)).await
}

async fn remove(world: &World, unit: UnitId) -> Result<(), StoreError> {
    let scope = world.write(world.a, Object::OrgUnit).await;
    OrgUnits::remove(&world.database, &scope, unit, &entry(world.a)).await
}

/// Decisions that rest on what the database holds.
pub(super) fn access(world: &World) -> Access {
    Access::new(Arc::new(world.database.clone()), Arc::new(ManualClock::new(at(0))))
}

pub(super) async fn add_user(world: &World, id: u128, grants: &[RoleGrant]) -> Caller {
    let (email, display_name) = (format!("u{id}@example.org"), "N. N.".to_owned());
    let user = User { id: user_id(id), tenant: world.a, email: email.clone(), display_name };
    let login = Login { user, password_hash: String::new() };
    Accounts::create_user(&world.database, &login, grants).await.unwrap();
    let (id, name) = (user_id(id), "N. N.".into());
    let principal = Principal::User { id, name, email: email.into(), restricted_to: None };
    Caller { tenant: world.a, principal }
}

pub(super) fn grant(role: &str, unit: UnitId) -> RoleGrant {
    RoleGrant { role: RoleName::parse(role).unwrap(), unit, until: None }
}

async fn read(access: &Access, caller: &Caller, object: Object) -> Scope {
    access.grant(caller, object, Action::Read).await.unwrap()
}

pub(super) async fn seen(world: &World, scope: &Scope) -> Vec<u128> {
    let found = Patients::page(&world.database, scope, &EVERY).await.unwrap();
    found.rows.iter().map(|(_, row)| row.id.as_uuid().as_u128()).collect()
}

pub(super) async fn units_are_one_tree(world: World) {
    let root = UnitId::root(world.a);
    let department = unit(world.a, "D", root);
    let ward = unit(world.a, "W", department.id);
    save(&world, &department).await.unwrap();
    save(&world, &ward).await.unwrap();
    let version = |data: ::tenants::access::AccessData| data.version;
    let before = version(world.database.access_data(world.a, at(0)).await.unwrap());
    for (wrong, conflict) in [
        (OrgUnit { parent: Some(ward.id), ..department.clone() }, true),
        (OrgUnit { name: "w".into(), ..unit(world.a, "W2", department.id) }, true),
        (unit(world.a, "X", ward_id(world.a, "nowhere")), false),
        // A unit of another tenant is as good as none.
        (unit(world.a, "X", UnitId::root(world.b)), false),
    ] {
        let error = save(&world, &wrong).await.unwrap_err();
        assert_eq!(matches!(error, StoreError::Conflict { .. }), conflict, "{wrong:?}: {error}");
    }
    assert_eq!(
        version(world.database.access_data(world.a, at(0)).await.unwrap()),
        before,
        "nothing was half done"
    );

    // Renamed, and moved to where it no longer is below the department.
    let moved = OrgUnit { name: "West".into(), parent: Some(root), ..ward.clone() };
    save(&world, &moved).await.unwrap();
    let access = access(&world);
    let tree = access.units(world.a).await.unwrap();
    assert_eq!(tree.get(ward.id), Some(&moved));
    assert!(!tree.within(ward.id, department.id));
    let nurse = add_user(&world, 7, &[grant("nurse", department.id)]).await;
    world.add_patient(world.a, &patient(1, "A", "1", ("Other", "1"))).await;
    let scope = world.write(world.a, Object::Patient).await;
    let in_ward = PatientRecord { unit: ward.id, ..patient(2, "B", "2", ("", "1")) };
    Patients::create(&world.database, &scope, &in_ward, &entry(world.a)).await.unwrap();
    // Known at once, although decisions were made before she was there.
    assert_eq!(seen(&world, &read(&access, &nurse, Object::Patient).await).await, [0_u128; 0]);
    save(&world, &OrgUnit { parent: Some(department.id), name: "East".into(), ..ward.clone() })
        .await
        .unwrap();
    access.refresh().await.unwrap();
    let scope = read(&access, &nurse, Object::Patient).await;
    assert_eq!(seen(&world, &scope).await, [2]);
    let found = Patients::by_ids(&world.database, &scope, &[patient_id(2)]).await.unwrap();
    assert_eq!(found[0].ward, "East");

    for (used, why) in
        [(department.id, "units below"), (ward.id, "patients"), (root, "the hospital as a whole")]
    {
        let error = remove(&world, used).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    let unused = unit(world.a, "Z", root);
    save(&world, &unused).await.unwrap();
    remove(&world, unused.id).await.unwrap();
    assert!(matches!(remove(&world, unused.id).await, Err(StoreError::NotFound { .. })));
}

pub(super) async fn a_grant_counts_within_a_moment_and_no_longer_than_it_lasts(world: World) {
    let scope = world.write(world.a, Object::Role).await;
    let (database, note) = (&world.database, entry(world.a));
    let ward = world.ward(world.a, "W").await;
    let access = access(&world);
    let caller = add_user(&world, 7, &[]).await;
    assert!(access.grant(&caller, Object::Device, Action::Read).await.is_err());
    let held = grant("technician", ward);
    database.grant(&scope, user_id(7), &held, &note).await.unwrap();
    access.refresh().await.unwrap();
    assert!(access.grant(&caller, Object::Device, Action::Read).await.is_ok());
    let over = RoleGrant { until: Some(at(-1)), ..held.clone() };
    database.grant(&scope, user_id(7), &over, &note).await.unwrap();
    access.refresh().await.unwrap();
    assert!(access.grant(&caller, Object::Device, Action::Read).await.is_err());
    database.grant(&scope, user_id(7), &held, &note).await.unwrap();
    database.revoke(&scope, user_id(7), &held, &note).await.unwrap();
    access.refresh().await.unwrap();
    assert!(access.grant(&caller, Object::Device, Action::Read).await.is_err());
    assert!(matches!(
        database.revoke(&scope, user_id(7), &held, &note).await,
        Err(StoreError::NotFound { .. })
    ));
    let nobody = UserId::from_uuid(uuid::Uuid::nil());
    let theirs = grant("nurse", UnitId::root(world.b));
    for refused in [
        database.grant(&scope, nobody, &held, &note).await,
        database.grant(&scope, user_id(7), &theirs, &note).await,
    ] {
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    let users = Accounts::users(database, &scope).await.unwrap();
    assert_eq!(users.iter().map(|user| user.email.as_str()).collect::<Vec<_>>(), ["u7@example.org"]);
}

pub(super) async fn a_hospital_makes_its_own_roles(world: World) {
    let scope = world.write(world.a, Object::Role).await;
    let (database, note) = (&world.database, entry(world.a));
    let policy = |object, rows: &str, masked: &[&str]| StoredPolicy {
        role: RoleName::parse("night-nurse").unwrap(),
        object,
        action: Action::Read,
        rows: rows.into(),
        masked: masked.iter().map(|name| (*name).to_owned()).collect(),
    };
    let role = OwnRole {
        name: RoleName::parse("night-nurse").unwrap(),
        title: "Night nurse".into(),
        policies: vec![
            policy(Object::Patient, "patient.ward = \"Z\"", &["patient.name", "patient.mrn"]),
            policy(Object::Device, "all", &[]),
        ],
        version: 1,
    };
    Roles::save(database, &scope, &role, &note).await.unwrap();
    assert!(matches!(Roles::save(database, &scope, &role, &note).await, Err(StoreError::Conflict { .. })));
    assert_eq!(database.own(&scope).await.unwrap(), std::slice::from_ref(&role));
    let next = OwnRole { version: 2, policies: role.policies[..1].to_vec(), ..role.clone() };
    Roles::save(database, &scope, &next, &note).await.unwrap();
    assert!(matches!(Roles::save(database, &scope, &next, &note).await, Err(StoreError::Conflict { .. })));
    assert_eq!(database.own(&scope).await.unwrap(), std::slice::from_ref(&next));
    let theirs = world.write(world.b, Object::Role).await;
    assert!(database.own(&theirs).await.unwrap().is_empty());

    let caller = add_user(&world, 7, &[grant("night-nurse", UnitId::root(world.a))]).await;
    for (n, ward) in [(1, "Z"), (2, "Y")] {
        world.add_patient(world.a, &patient(n, "Ada", &n.to_string(), (ward, "1"))).await;
    }
    let access = access(&world);
    let patients = read(&access, &caller, Object::Patient).await;
    assert_eq!(seen(&world, &patients).await, [1]);
    assert!(access.grant(&caller, Object::Device, Action::Read).await.is_err(), "no longer");
    let removed = Roles::remove(database, &scope, &role.name, &note).await;
    assert!(matches!(removed, Err(StoreError::Conflict { .. })), "somebody holds it");
    let held = grant("night-nurse", UnitId::root(world.a));
    database.revoke(&scope, user_id(7), &held, &note).await.unwrap();
    Roles::remove(database, &scope, &role.name, &note).await.unwrap();
    assert!(database.own(&scope).await.unwrap().is_empty());
}

/// A nurse of one ward who also studies the whole hospital sees names in that ward only.
pub(super) async fn each_row_shows_what_any_of_its_policies_shows(world: World) {
    for (n, ward) in [(1, "Mine"), (2, "Theirs")] {
        world.add_patient(world.a, &patient(n, "Ada Abbott", &format!("77-{n}"), (ward, "1"))).await;
    }
    let (ward, root) = (ward_id(world.a, "Mine"), UnitId::root(world.a));
    let caller = add_user(&world, 7, &[grant("nurse", ward), grant("researcher", root)]).await;
    let access = access(&world);
    let scope = read(&access, &caller, Object::Patient).await;
    let found = Patients::page(&world.database, &scope, &EVERY).await.unwrap();
    let shown: Vec<_> = found.rows.iter().map(|(_, row)| (row.name.as_deref(), row.mrn.as_deref())).collect();
    assert_eq!(shown, [(Some("Ada Abbott"), Some("77-1")), (None, None)]);
    assert_eq!(found.rows[1].1.birth_date, None);
    assert_eq!(found.rows[1].1.birth_year, Some(1950));
    for (text, hits) in [("abbott", 1), ("77-1", 1), ("77-2", 0), ("theirs", 1)] {
        let request = PageRequest { search: Some(text.into()), ..EVERY };
        assert_eq!(
            Patients::page(&world.database, &scope, &request).await.unwrap().total,
            Some(hits),
            "{text}"
        );
    }
}

/// Two administrators who take each other's role away at the same moment: one of them stays.
pub(super) async fn the_last_administrator_stays(world: World) {
    let admin = grant("admin", UnitId::root(world.a));
    let all = [admin.clone(), grant("nurse", admin.unit)];
    for id in [7, 8] {
        add_user(&world, id, &all).await;
    }
    let (database, scope, entry) =
        (&world.database, world.write(world.a, Object::Role).await, entry(world.a));
    let revoke = |id| database.revoke(&scope, user_id(id), &admin, &entry);
    let (one, other) = tokio::join!(revoke(7), revoke(8));
    let refused = [one, other].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert!(matches!(refused[..], [StoreError::Conflict { .. }]), "{refused:?}");
    let data = database.access_data(world.a, at(0)).await.unwrap();
    let last = data.grants.iter().find(|(_, held)| held.role == admin.role).unwrap().0;
    let ends = RoleGrant { until: Some(at(9)), ..admin.clone() };
    let for_a_time = database.grant(&scope, last, &ends, &entry).await;
    assert!(matches!(for_a_time, Err(StoreError::Conflict { .. })), "{for_a_time:?}");
    let again = database.access_data(world.a, at(0)).await.unwrap().grants;
    assert!(again.contains(&(last, admin.clone())), "nothing was half done");
    database.revoke(&scope, last, &all[1], &entry).await.unwrap();
}

/// What an explanation says of a row is what a list shows of it.
pub(super) async fn what_is_explained_is_what_is_shown(world: World) {
    for (n, ward) in [(1, "Mine"), (2, "Theirs")] {
        world.add_patient(world.a, &patient(n, "Ada", &n.to_string(), (ward, "1"))).await;
    }
    world.add_device(world.a, "m-1", "M", None).await;
    world.add_device(world.b, "m-2", "M", None).await;
    let (ward, root) = (ward_id(world.a, "Mine"), UnitId::root(world.a));
    let caller = add_user(&world, 7, &[grant("nurse", ward), grant("researcher", root)]).await;
    let (access, database) = (access(&world), &world.database);
    let scope = world.write(world.a, Object::Role).await;
    let patients = access.explain(&scope, user_id(7), Object::Patient).await.unwrap();
    let clauses: Vec<_> = patients.reasons.into_iter().map(|reason| reason.clause).collect();
    let covered = async |n: u128| {
        let row = PolicyRow::Patient(*patient_id(n).as_uuid());
        database.covered(&scope, &row, &clauses).await.unwrap()
    };
    assert_eq!(covered(1).await, Some(vec![true, true]), "as nurse and as researcher");
    assert_eq!(covered(2).await, Some(vec![false, true]));
    assert_eq!(covered(3).await, None, "no such patient");
    let shown = read(&access, &caller, Object::Patient).await;
    assert_eq!(database.count(&scope, Object::Patient, shown.rows()).await.unwrap(), Some(2));
    assert_eq!(seen(&world, &shown).await, [1, 2]);

    let devices = access.explain(&scope, user_id(7), Object::Device).await.unwrap();
    let clauses: Vec<_> = devices.reasons.into_iter().map(|reason| reason.clause).collect();
    let device = |name: &str| PolicyRow::Device(DeviceId::parse(name).unwrap());
    assert_eq!(database.covered(&scope, &device("m-1"), &clauses).await.unwrap(), Some(vec![false, true]));
    assert_eq!(
        database.covered(&scope, &device("m-2"), &clauses).await.unwrap(),
        None,
        "of another hospital"
    );
    assert_eq!(database.count(&scope, Object::Rule, shown.rows()).await.unwrap(), None);
}

/// A restricted record is for its care team; everybody else is told that there is no such patient.
pub(super) async fn a_restricted_record_is_for_its_care_team(world: World) {
    world.add_patient(world.a, &patient(1, "Ada", "1", ("W", "1"))).await;
    let root = UnitId::root(world.a);
    let nurse = add_user(&world, 7, &[grant("nurse", root)]).await;
    let other = add_user(&world, 8, &[grant("nurse", root)]).await;
    let (access, database) = (access(&world), &world.database);
    let admin = world.write(world.a, Object::Patient).await;
    let place = PatientPlace { unit: ward_id(world.a, "W"), bed: "9".into(), restricted: true };
    Patients::place(database, &admin, patient_id(1), &place, &entry(world.a)).await.unwrap();
    let scopes = [read(&access, &nurse, Object::Patient).await, read(&access, &other, Object::Patient).await];
    assert!(seen(&world, &scopes[0]).await.is_empty());
    database.set_care_team(&admin, patient_id(1), &[user_id(7)], &entry(world.a)).await.unwrap();
    assert_eq!((seen(&world, &scopes[0]).await, seen(&world, &scopes[1]).await), (vec![1], vec![]));
    assert_eq!(database.care_team(&scopes[0], patient_id(1)).await.unwrap(), [user_id(7)]);
    assert!(database.care_team(&scopes[1], patient_id(1)).await.is_err());
    assert_eq!(database.restricted(&scopes[1]).await.unwrap(), [patient_id(1)], "a feed must leave it out");
    let nobody = database.set_care_team(&admin, patient_id(1), &[user_id(99)], &entry(world.a)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { what: "user" })), "{nobody:?}");
    assert_eq!(
        database.care_team(&admin, patient_id(1)).await.unwrap(),
        [user_id(7)],
        "nothing was half done"
    );
    let elsewhere = PatientPlace { unit: UnitId::root(world.b), ..place };
    let refused = Patients::place(database, &admin, patient_id(1), &elsewhere, &entry(world.a)).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "unit" })), "{refused:?}");
}

/// A monitor moves from one ward to another: its past stays with the ward where it happened.
pub(super) async fn what_a_device_said_stays_where_it_was(world: World) {
    world.claim().await;
    let (old, new) = (world.ward(world.a, "Old").await, world.ward(world.a, "New").await);
    world.add_device(world.a, "m-1", "M", None).await;
    let admin = world.write(world.a, Object::Device).await;
    for (unit, since) in [(new, 100), (old, 100), (new, 200), (new, 300)] {
        let moved = AuditEntry { at: at(since), ..entry(world.a) };
        Devices::place(&world.database, &admin, &device("m-1"), unit, &moved).await.unwrap();
    }
    for (id, unit) in [("m-2", new), ("m-1", UnitId::root(world.b))] {
        let refused = Devices::place(&world.database, &admin, &device(id), unit, &entry(world.a)).await;
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{id}: {refused:?}");
    }
    world.commit(vec![segment(world.a, 1, &[("m-1", &[150, 199, 200, 250])])]).await;
    let mut raised = fold(world.a, TwinKey::Device(device("m-1")));
    raised.alarms.push(alarm(1, "m-1", Priority::High, 250));
    world.fold(raised).await;

    let callers = [
        (add_user(&world, 7, &[grant("technician", old)]).await, vec![1, 2], 0),
        (add_user(&world, 8, &[grant("technician", new)]).await, vec![3, 4], 1),
        (add_user(&world, 9, &[RoleGrant::everywhere(world.a, Role::Technician)]).await, vec![1, 2, 3, 4], 1),
    ];
    let access = access(&world);
    for (caller, expected, alarms) in callers {
        let scope = read(&access, &caller, Object::Device).await;
        let runs = world.database.messages(&scope, &[device("m-1")], at(0), at(999), 10).await.unwrap();
        assert_eq!(positions(&runs), expected, "{}", caller.actor());
        let listed = Devices::page(&world.database, &scope, &EVERY).await.unwrap();
        assert_eq!(listed.total, Some(alarms), "it is in one place only");
        let scope = read(&access, &caller, Object::Alarm).await;
        let found = Alarms::page(&world.database, &scope, &AlarmFilter::default(), &EVERY).await.unwrap();
        assert_eq!(found.total, Some(alarms));
    }
}

/// Whose data a device's past is: for whoever writes down who has seen it.
pub(super) async fn whom_a_device_measured_is_known(world: World) {
    world.add_patient(world.a, &patient(1, "Ada", "1", ("W", "1"))).await;
    world.add_device(world.a, "m-1", "One", Some(patient_id(1))).await;
    world.add_device(world.a, "m-2", "Two", None).await;
    let scope = world.write(world.a, Object::Device).await;
    let devices = [device("m-1"), device("m-2"), device("m-3")];
    let measured = world.database.measured(&scope, &devices).await.unwrap();
    let [one] = &measured[..] else { panic!("{measured:?}") };
    assert_eq!((&one.device, one.patient, one.until), (&device("m-1"), patient_id(1), None));
    let earlier = one.since - jiff::SignedDuration::from_micros(1);
    assert!(one.covers(one.since) && !one.covers(earlier));
    let other = world.write(world.b, Object::Device).await;
    assert_eq!(world.database.measured(&other, &devices).await.unwrap(), []);
}
