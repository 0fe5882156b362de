//! Operators who are let into hospitals.

use ::tenants::{
    ElevationId, StoreError, TenantId, UnitId,
    access::{AccessRules, Action, Object, Role, Scope},
    elevation::{Answer, Elevation, Standing, Wish},
    paging::PageRequest,
    stores::Elevations,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    org::{add_user, grant},
    world::{World, at, entry, tenant_id, user_id},
};

const OPERATOR: u128 = 77;

fn hours(n: i64) -> Timestamp {
    at(n * 3_600_000)
}

fn key(n: u128) -> ElevationId {
    ElevationId::from_uuid(Uuid::from_u128(n))
}

/// For two hours.
fn asked(n: u128, tenant: TenantId, hour: i64) -> Elevation {
    let wish = Wish::new(Role::Technician.into(), "devices are silent", 2).unwrap();
    Elevation::new(key(n), tenant, (user_id(OPERATOR), "Olga".into()), wish, hours(hour))
}

fn answer(granted: bool, hour: i64) -> Answer {
    Answer { granted, by: user_id(8), by_name: "Ada".into(), at: hours(hour) }
}

/// What an operator is granted about hospitals, and what the administrator of "ash" is about operators.
async fn both(world: &World) -> (Scope, Scope) {
    add_user(world, 8, &[grant("admin", UnitId::root(world.a))]).await;
    let operator = world.scope(TenantId::PLATFORM, Role::Operator, Object::Tenant, Action::Write).await;
    (operator, world.write(world.a, Object::Elevation).await)
}

/// Who acts in "ash" at an hour.
async fn acting(world: &World, hour: i64) -> Vec<ElevationId> {
    let data = world.database.access_data(world.a, hours(hour)).await.unwrap();
    data.elevated.iter().map(|elevated| elevated.id).collect()
}

#[allow(clippy::needless_pass_by_value, reason = "what was asked ends here")]
fn conflict(answer: Result<(), StoreError>) {
    assert!(matches!(answer, Err(StoreError::Conflict { .. })), "{answer:?}");
}

pub(super) async fn an_operator_is_let_in_once_and_for_a_while(world: World) {
    let (database, a, note) = (&world.database, world.a, entry(world.a));
    let (operator, admin) = both(&world).await;
    database.ask(&operator, &asked(1, a, 0), &note).await.unwrap();
    conflict(database.ask(&operator, &asked(2, a, 1), &note).await);
    database.ask(&operator, &asked(9, world.b, 1), &entry(world.b)).await.unwrap();
    assert_eq!(database.waiting(&admin, hours(23)).await.unwrap(), 1, "the neighbour's is not counted");
    assert_eq!(database.waiting(&admin, hours(24)).await.unwrap(), 0, "nobody answers any more");
    assert_eq!(acting(&world, 1).await, []);

    let version = database.access_data(a, hours(1)).await.unwrap().version;
    database.answer(&admin, key(1), &answer(true, 1), &note).await.unwrap();
    assert!(database.access_data(a, hours(1)).await.unwrap().version > version, "every process notices");
    conflict(database.answer(&admin, key(1), &answer(false, 2), &note).await);
    conflict(database.ask(&operator, &asked(3, a, 2), &note).await);
    assert_eq!((acting(&world, 2).await, acting(&world, 3).await), (vec![key(1)], vec![]));
    let kept = database.elevation(&admin, a, key(1)).await.unwrap().unwrap();
    assert_eq!(kept, Elevation { answer: Some(answer(true, 1)), ..asked(1, a, 0) });
    assert_eq!(database.elevation(&admin, world.b, key(9)).await.ok().flatten(), None, "of another hospital");

    database.end(&admin, &kept, hours(2), &note).await.unwrap();
    conflict(database.end(&admin, &kept, hours(2), &note).await);
    assert_eq!(acting(&world, 2).await, []);
    let newest = database.asked_by(&operator, user_id(OPERATOR)).await.unwrap();
    let standings: Vec<_> = newest.iter().map(|one| (one.tenant, one.standing(hours(2)))).collect();
    assert_eq!(standings, [(a, Standing::Over), (world.b, Standing::Waiting)]);
}

pub(super) async fn what_was_asked_is_answered_in_time_or_not_at_all(world: World) {
    let (database, a, note) = (&world.database, world.a, entry(world.a));
    let (operator, admin) = both(&world).await;
    database.ask(&operator, &asked(1, a, 0), &note).await.unwrap();
    conflict(database.answer(&admin, key(1), &answer(true, 24), &note).await);
    conflict(database.end(&operator, &asked(1, a, 0), hours(24), &note).await);
    database.ask(&operator, &asked(2, a, 24), &note).await.unwrap();
    database.end(&operator, &asked(2, a, 24), hours(25), &note).await.unwrap();
    conflict(database.answer(&admin, key(2), &answer(true, 25), &note).await);
    database.ask(&operator, &asked(3, a, 26), &note).await.unwrap();
    database.answer(&admin, key(3), &answer(false, 27), &note).await.unwrap();
    assert_eq!(acting(&world, 27).await, []);
    for (tenant, id) in [(a, key(99)), (world.b, key(3))] {
        let scope = world.write(tenant, Object::Elevation).await;
        let nobody = database.answer(&scope, id, &answer(true, 27), &entry(tenant)).await;
        assert!(matches!(nobody, Err(StoreError::NotFound { .. })), "{nobody:?}");
    }
    let nowhere = asked(4, tenant_id(0xdead), 0);
    let nowhere = database.ask(&operator, &nowhere, &entry(tenant_id(0xdead))).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound { .. })), "{nowhere:?}");

    let page = PageRequest { first: 2, count: true, ..PageRequest::default() };
    let all = database.elevations(&admin, &page).await.unwrap();
    let rows: Vec<_> = all.rows.iter().map(|(_, row)| (row.id, row.standing(hours(27)))).collect();
    assert_eq!(rows, [(key(3), Standing::Refused), (key(2), Standing::Withdrawn)], "newest first");
    assert_eq!((all.has_next, all.total), (true, Some(3)));
    let page = PageRequest { after: Some(all.rows[1].0.clone()), ..page };
    let rest = database.elevations(&admin, &page).await.unwrap();
    assert_eq!(
        rest.rows.iter().map(|(_, row)| row.standing(hours(27))).collect::<Vec<_>>(),
        [Standing::Lapsed]
    );
}
