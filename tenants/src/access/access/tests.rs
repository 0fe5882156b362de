use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use uuid::Uuid;

use super::*;
use crate::{
    access::{Cell, Change, FixedRules, Opened, OwnRole, Restriction, Role, StoredPolicy},
    clock::ManualClock,
    ids::{OpeningId, PatientId, RoleName, UnitId},
    org::{OrgUnit, UnitKind},
};

const TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(1));
/// Departments 2 and 4 of the hospital; ward 3 belongs to 2.
const UNITS: [(u128, Option<u128>); 4] = [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(1))];

fn user(n: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(n))
}

fn unit(n: u128) -> UnitId {
    UnitId::from_uuid(Uuid::from_u128(n))
}

fn caller(n: u128, restricted_to: Option<&[(&str, u128)]>) -> Caller {
    let restricted_to = restricted_to.map(|all| {
        let restriction = |(role, at): &(&str, u128)| Restriction { role: named(role), unit: unit(*at) };
        all.iter().map(restriction).collect()
    });
    let (id, name, email) = (user(n), "N. N.".into(), "n@example.org".into());
    let tenant = if n == 0 { TenantId::PLATFORM } else { TENANT };
    Caller { tenant, principal: Principal::User { id, name, email, restricted_to } }
}

fn named(role: &str) -> RoleName {
    RoleName::parse(role).unwrap()
}

/// Rules that a test changes.
#[derive(Default)]
struct Changing(parking_lot::Mutex<AccessData>);

impl Changing {
    fn new(grants: &[(u128, &str, u128)]) -> Arc<Self> {
        let rules = Self::default();
        {
            let mut data = rules.0.lock();
            let unit_of = |(n, parent): (u128, Option<u128>)| OrgUnit {
                id: unit(n),
                parent: parent.map(unit),
                name: n.to_string(),
                kind: UnitKind::Ward,
            };
            data.units = UNITS.into_iter().map(unit_of).collect();
            let grant = |(who, role, at): &(u128, &str, u128)| {
                (user(*who), RoleGrant { role: named(role), unit: unit(*at), until: None })
            };
            data.grants = grants.iter().map(grant).collect();
        }
        Arc::new(rules)
    }
}

#[async_trait]
impl AccessRules for Changing {
    async fn access_data(&self, _: TenantId, _: Timestamp) -> Result<AccessData, StoreError> {
        Ok(self.0.lock().clone())
    }
    async fn access_versions(&self) -> Result<Vec<(TenantId, u64)>, StoreError> {
        Ok(vec![(TENANT, self.0.lock().version)])
    }
}

fn clock() -> ManualClock {
    ManualClock::new("2026-01-02T03:04:05Z".parse().unwrap())
}

fn access(rules: Arc<dyn AccessRules>) -> Access {
    Access::new(rules, Arc::new(clock()))
}

fn opened(user: UserId, patient: u128, until: Timestamp) -> Opened {
    let id = OpeningId::from_uuid(Uuid::from_u128(patient));
    Opened { id, user, patient: Uuid::from_u128(patient), reason: "unconscious".into(), until }
}

/// A patient of a ward.
fn in_ward(n: u128) -> impl Fn(Column) -> Option<Cell<'static>> {
    move |column| match column {
        Column::PatientUnit => Some(Cell::Unit(unit(n))),
        Column::PatientRestricted => Some(Cell::Flag(false)),
        Column::PatientId => Some(Cell::Patient(Uuid::from_u128(77))),
        _ => None,
    }
}

#[tokio::test]
async fn the_role_matrix() {
    for (role, expected) in [
        (Role::Operator, "tenant:read tenant:write"),
        (
            Role::Admin,
            "settings:read settings:write org_unit:read org_unit:write user:read user:write role:read role:write \
             token:read token:write identity_provider:read identity_provider:write audit:read audit:review \
             elevation:read elevation:write device:read device:write device:command patient:read patient:write \
             alarm:read rule:read rule:write topic:read topic:publish",
        ),
        (
            Role::Clinician,
            "org_unit:read device:read patient:read patient:break_glass alarm:read alarm:acknowledge rule:read rule:write",
        ),
        (Role::Nurse, "org_unit:read device:read patient:read alarm:read alarm:acknowledge rule:read"),
        (Role::Technician, "org_unit:read device:read device:write device:command alarm:read rule:read"),
        (Role::Researcher, "org_unit:read device:read patient:read alarm:read"),
        (
            Role::Integrator,
            "org_unit:read device:read device:write device:command patient:read alarm:read rule:read topic:read \
             topic:publish",
        ),
        (Role::Auditor, "org_unit:read user:read role:read audit:read audit:review elevation:read"),
    ] {
        let who = if role == Role::Operator { caller(0, None) } else { caller(7, None) };
        let users = [user(0), user(7)].map(|user| (user, RoleName::from(role)));
        let access = access(Arc::new(FixedRules::new(users)));
        let granted = access.permissions(&who).await.unwrap();
        let granted = granted.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(granted, expected, "{role}");
        // Operators have no role in a hospital, and nobody else has one on the platform.
        let elsewhere = if role == Role::Operator { caller(7, None) } else { caller(0, None) };
        assert!(access.permissions(&elsewhere).await.unwrap().is_empty(), "{role}");
    }
}

#[tokio::test]
async fn a_role_reaches_its_unit_and_everything_below() {
    let access = access(Changing::new(&[(7, "nurse", 2)]));
    let scope = access.grant(&caller(7, None), Object::Patient, Action::Read).await.unwrap();
    for (ward, covered) in [(1, false), (2, true), (3, true), (4, false)] {
        assert_eq!(scope.rows().cover(&in_ward(ward)), covered, "unit {ward}");
    }
    assert!(!scope.rows().cover(&|_| None), "a patient of no unit");
    assert!(!scope.rows().are_all());
    // Rules belong to no unit: they are read by everybody who works with them, and changed for the whole hospital.
    assert!(access.grant(&caller(7, None), Object::Rule, Action::Read).await.unwrap().rows().are_all());
    let clinician = self::access(Changing::new(&[(7, "clinician", 2)]));
    assert!(clinician.grant(&caller(7, None), Object::Rule, Action::Write).await.is_err());
    let admin = self::access(Changing::new(&[(7, "admin", 2)]));
    assert!(admin.grant(&caller(7, None), Object::User, Action::Read).await.is_err());
    assert!(admin.grant(&caller(7, None), Object::Patient, Action::Write).await.is_ok());
}

#[tokio::test]
async fn several_roles_add_up_and_each_hides_only_in_its_own_rows() {
    let access = access(Changing::new(&[(7, "nurse", 3), (7, "researcher", 1)]));
    let scope = access.grant(&caller(7, None), Object::Patient, Action::Read).await.unwrap();
    assert!(scope.rows().cover(&in_ward(4)) && scope.rows().cover(&in_ward(3)));
    assert!(scope.rows().masks_differ());
    assert!(scope.may_mask(Column::PatientName) && !scope.masks(Column::PatientName));
    let shown = |ward| {
        let covering =
            |clause: &&Clause| clause.predicate.evaluate(&clause.subject, &in_ward(ward)) == Some(true);
        scope.rows().clauses().iter().filter(covering).any(|clause| clause.masked.is_empty())
    };
    assert!(shown(3) && !shown(4));
}

#[tokio::test]
async fn a_token_may_do_less_than_its_owner_never_more() {
    let access = access(Changing::new(&[(7, "nurse", 2), (7, "auditor", 1)]));
    let reads = async |restricted: &[(&str, u128)], object| {
        access.grant(&caller(7, Some(restricted)), object, Action::Read).await
    };
    let lower = reads(&[("nurse", 3)], Object::Patient).await.unwrap();
    assert!(lower.rows().cover(&in_ward(3)) && !lower.rows().cover(&in_ward(2)));
    let wider = reads(&[("nurse", 1)], Object::Patient).await.unwrap();
    assert!(wider.rows().cover(&in_ward(2)) && !wider.rows().cover(&in_ward(4)));
    assert!(reads(&[("nurse", 4)], Object::Patient).await.is_err(), "another department");
    assert!(reads(&[("clinician", 1)], Object::Patient).await.is_err(), "a role the owner does not hold");
    assert!(reads(&[("nurse", 1)], Object::Audit).await.is_err(), "a role the token does not carry");
    assert!(reads(&[], Object::Patient).await.is_err());
}

#[tokio::test]
async fn what_changes_counts_at_once_and_what_others_change_with_the_next_look() {
    let rules = Changing::new(&[(7, "nurse", 1)]);
    let access = access(rules.clone());
    let mut told = access.changes();
    let allowed = async || access.grant(&caller(7, None), Object::Patient, Action::Read).await.is_ok();
    assert!(allowed().await);
    rules.0.lock().grants.clear();
    assert!(allowed().await, "remembered");
    access.refresh().await.unwrap();
    assert!(allowed().await, "the version is the same");
    rules.0.lock().version += 1;
    access.refresh().await.unwrap();
    assert!(!allowed().await);
    assert!(told.has_changed().unwrap());
    told.borrow_and_update();
    rules.0.lock().grants.push((user(7), RoleGrant { role: named("nurse"), unit: unit(1), until: None }));
    access.changed(TENANT);
    assert!(allowed().await && told.has_changed().unwrap());
}

#[tokio::test]
async fn what_is_granted_for_a_time_ends_by_itself() {
    let rules = Changing::new(&[(7, "nurse", 4)]);
    let clock = clock();
    let until = clock.now() + SignedDuration::from_secs(60);
    {
        let mut data = rules.0.lock();
        data.grants.push((user(8), RoleGrant { role: named("admin"), unit: unit(1), until: Some(until) }));
        data.opened.push(opened(user(7), 77, until));
    }
    let access = Access::new(rules, Arc::new(clock.clone()));
    let opened = async || {
        let scope = access.grant(&caller(7, None), Object::Patient, Action::Read).await.unwrap();
        let restricted = |column| match column {
            Column::PatientRestricted => Some(Cell::Flag(true)),
            Column::PatientCareTeam => Some(Cell::Users(&[])),
            other => in_ward(4)(other),
        };
        scope.rows().cover(&restricted)
    };
    let admin = async || access.grant(&caller(8, None), Object::User, Action::Write).await.is_ok();
    assert!(opened().await && admin().await);
    let scope = access.grant(&caller(7, None), Object::Patient, Action::Read).await.unwrap();
    assert!(scope.rows().cover(&in_ward(3)), "an emergency elsewhere in the hospital");
    assert_eq!(scope.opening(PatientId::from_uuid(Uuid::from_u128(77))).unwrap().until, until);
    assert_eq!(scope.opening(PatientId::from_uuid(Uuid::from_u128(78))), None);
    let mut told = access.changes();
    clock.advance(Duration::from_secs(59));
    access.refresh().await.unwrap();
    assert!(opened().await && admin().await && !told.has_changed().unwrap());
    clock.advance(Duration::from_secs(1));
    assert!(!opened().await && !admin().await);
    access.refresh().await.unwrap();
    assert!(told.has_changed().unwrap(), "open streams are looked at again");
    told.mark_unchanged();
    clock.advance(Duration::from_secs(1));
    access.refresh().await.unwrap();
    assert!(!told.has_changed().unwrap(), "once");
}

#[tokio::test]
async fn a_hospitals_own_role_and_one_that_is_not_understood() {
    let rules = Changing::new(&[(7, "night-nurse", 1), (8, "broken", 1)]);
    let policy = |role: &str, object, rows: &str| StoredPolicy {
        role: named(role),
        object,
        action: Action::Read,
        rows: rows.into(),
        masked: Vec::new(),
    };
    rules.0.lock().policies = vec![
        policy("night-nurse", Object::Patient, "patient.ward in [\"4 West\", \"3 East\"]"),
        policy("broken", Object::Patient, "patient.wing = \"x\""),
        policy("broken", Object::Tenant, "all"),
    ];
    let access = access(rules);
    let scope = access.grant(&caller(7, None), Object::Patient, Action::Read).await.unwrap();
    let ward = |name: &'static str| move |column| (column == Column::PatientWard).then_some(Cell::Text(name));
    assert!(scope.rows().cover(&ward("4 West")) && !scope.rows().cover(&ward("4 East")));
    let error = access.grant(&caller(7, None), Object::Device, Action::Read).await.unwrap_err();
    assert_eq!(error.to_string(), "the role night-nurse may not read a device");
    for object in [Object::Patient, Object::Tenant] {
        assert!(access.grant(&caller(8, None), object, Action::Read).await.is_err(), "{object}");
    }
    let error = access.grant(&caller(9, None), Object::Device, Action::Read).await.unwrap_err();
    assert_eq!(error.to_string(), "a user without a role may not read a device");
}

#[tokio::test]
async fn a_device_may_only_publish_its_own() {
    let access = access(Arc::new(FixedRules::new([])));
    let device = DeviceId::parse("monitor-1").unwrap();
    let scope = access.device(TENANT, &device);
    let row = |name: &'static str| move |column| (column == Column::DeviceId).then_some(Cell::Text(name));
    assert!(scope.rows().cover(&row("monitor-1")) && !scope.rows().cover(&row("monitor-2")));
    let known = |name| move |column| (column == Column::DeviceId).then_some(Some(Cell::Text(name)));
    assert_eq!(scope.rows().cover_partly(&known("monitor-1")), Some(true));
    assert_eq!(scope.rows().cover_partly(&known("monitor-2")), Some(false));
    assert_eq!(scope.rows().cover_partly(&|_| None), None);
    for &object in Object::ALL {
        for &action in Action::ALL {
            assert!(access.grant(scope.caller(), object, action).await.is_err());
        }
    }
}

#[tokio::test]
async fn a_change_of_a_role_is_told_before_it_is_made() {
    let rules =
        Changing::new(&[(5, "admin", 1), (7, "night-nurse", 2), (8, "night-nurse", 1), (9, "nurse", 1)]);
    let policy = |action, object, rows: &str| StoredPolicy {
        role: named("night-nurse"),
        object,
        action,
        rows: rows.into(),
        masked: Vec::new(),
    };
    let before = vec![
        policy(Action::Read, Object::Patient, "not patient.restricted"),
        policy(Action::Read, Object::Alarm, "all"),
    ];
    rules.0.lock().policies.clone_from(&before);
    // The other also has what makes the change nothing to them.
    rules.0.lock().grants.push((user(8), RoleGrant { role: named("admin"), unit: unit(1), until: None }));
    let access = access(rules.clone());
    let scope = access.grant(&caller(5, None), Object::Role, Action::Write).await.unwrap();
    let role = |policies| OwnRole { name: named("night-nurse"), title: "N".into(), policies, version: 2 };
    let told = async |policies| {
        let changes = access.preview(&scope, &role(policies)).await.unwrap();
        let line = |change: Change| {
            let had = (change.before.is_some(), change.after.is_some());
            (change.user, change.permission.to_string(), had)
        };
        changes.into_iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(told(before.clone()).await, []);
    let after =
        vec![policy(Action::Read, Object::Patient, "all"), policy(Action::Acknowledge, Object::Alarm, "all")];
    let changes = told(after).await;
    let of = |n: u128| {
        changes.iter().filter(move |(who, ..)| *who == user(n)).map(|(_, what, had)| (what.as_str(), *had))
    };
    assert_eq!(
        of(7).collect::<Vec<_>>(),
        [("patient:read", (true, true)), ("alarm:read", (true, false)), ("alarm:acknowledge", (false, true))]
    );
    assert_eq!(of(8).collect::<Vec<_>>(), [("alarm:acknowledge", (false, true))]);
    assert_eq!((of(5).count(), of(9).count()), (0, 0));
    assert_eq!(told(Vec::new()).await.len(), 2, "the role goes, and with it what only it gave");
    let stored = rules.0.lock().policies.clone();
    assert_eq!(stored, before, "nothing is changed by asking");
}

#[tokio::test]
async fn why_somebody_sees_a_row_and_somebody_else_does_not() {
    let access = access(Changing::new(&[(5, "auditor", 1), (7, "nurse", 2), (7, "researcher", 1)]));
    let scope = access.grant(&caller(5, None), Object::Role, Action::Read).await.unwrap();
    let explained = access.explain(&scope, user(7), Object::Patient).await.unwrap();
    let covers = |n| {
        let row = in_ward(n);
        let lines = explained.reasons.iter().map(|reason| {
            let covered = reason.clause.predicate.evaluate(&reason.clause.subject, &row) == Some(true);
            (reason.grant.role.to_string(), reason.action, covered, reason.clause.masked.len())
        });
        lines.collect::<Vec<_>>()
    };
    let line = |role: &str, covered, masked| (role.to_owned(), Action::Read, covered, masked);
    assert_eq!(covers(3), [line("nurse", true, 0), line("researcher", true, 3)]);
    assert_eq!(covers(4), [line("nurse", false, 0), line("researcher", true, 3)]);
    let nobody = access.explain(&scope, user(99), Object::Patient).await.unwrap();
    assert!(nobody.held.is_empty() && nobody.reasons.is_empty());
}
