//! Records that are opened in an emergency.

use std::{sync::Arc, time::Duration};

use ::tenants::{
    OpeningId, StoreError,
    access::{Access, Action, Object, RoleGrant, Scope},
    audit::AuditEntry,
    break_glass::{Emergency, Opening, Review},
    clock::{Clock, ManualClock},
    paging::PageRequest,
    stores::Openings,
};
use twins::store::directory::{PatientPlace, Patients};
use uuid::Uuid;

use super::{
    org::{add_user, grant, seen},
    world::{World, at, entry, patient, patient_id, user_id, ward_id},
};

fn opening(n: u128, user: u128, minutes: u32) -> Opening {
    let (id, reason) = (OpeningId::from_uuid(Uuid::from_u128(n)), "brought in unconscious");
    Opening::new(id, user_id(user), patient_id(1), Emergency::new(reason, minutes).unwrap(), at(0))
}

/// A patient in ward W whose record is kept to a care team that has nobody in it.
async fn restricted(world: &World) {
    world.add_patient(world.a, &patient(1, "Ada", "1", ("W", "1"))).await;
    world.ward(world.a, "V").await;
    let place = PatientPlace { unit: ward_id(world.a, "W"), bed: "9".into(), restricted: true };
    let admin = world.write(world.a, Object::Patient).await;
    Patients::place(&world.database, &admin, patient_id(1), &place, &entry(world.a)).await.unwrap();
}

pub(super) async fn a_restricted_record_is_open_for_whoever_opened_it_and_no_longer(world: World) {
    restricted(&world).await;
    let clock = ManualClock::new(at(0));
    let access = Access::new(Arc::new(world.database.clone()), Arc::new(clock.clone()));
    // Of another ward: an emergency is not held up by that.
    let elsewhere: RoleGrant = grant("clinician", ward_id(world.a, "V"));
    let clinician = add_user(&world, 7, std::slice::from_ref(&elsewhere)).await;
    let other = add_user(&world, 8, &[elsewhere]).await;
    let scope = access.grant(&clinician, Object::Patient, Action::BreakGlass).await.unwrap();
    let (database, note) = (&world.database, entry(world.a));
    assert_eq!(Openings::patient(database, &scope, "MRN-1").await.unwrap(), None);
    let id = patient_id(1).to_string();
    assert_eq!(Openings::patient(database, &scope, &id).await.unwrap(), Some(patient_id(1)));
    let mrn = patient(1, "Ada", "1", ("W", "1")).mrn.unwrap();
    assert_eq!(Openings::patient(database, &scope, &mrn).await.unwrap(), Some(patient_id(1)));
    assert_eq!(Openings::patient(database, &scope, &mrn[..mrn.len() - 1]).await.unwrap(), None);

    let patients = async |caller| {
        access.changed(world.a);
        let scope: Scope = access.grant(caller, Object::Patient, Action::Read).await.unwrap();
        seen(&world, &scope).await
    };
    assert_eq!(patients(&clinician).await, []);
    database.open(&scope, &opening(1, 7, 30), &note).await.unwrap();
    assert_eq!((patients(&clinician).await, patients(&other).await), (vec![1], vec![]));
    assert_eq!(database.open_now(&scope, user_id(7), at(1)).await.unwrap(), [opening(1, 7, 30)]);
    clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(patients(&clinician).await, [], "it ends by itself");
    let scope_then = access.grant(&clinician, Object::Patient, Action::Read).await.unwrap();
    assert_eq!(scope_then.opening(patient_id(1)), None);

    clock.set(at(0));
    let id = opening(2, 7, 60).id;
    database.open(&scope, &opening(2, 7, 60), &note).await.unwrap();
    assert_eq!(patients(&clinician).await, [1]);
    let not_theirs = database.close(&scope, user_id(8), id, at(1), &note).await;
    assert!(matches!(not_theirs, Err(StoreError::NotFound { .. })), "{not_theirs:?}");
    database.close(&scope, user_id(7), opening(1, 7, 30).id, at(1), &note).await.unwrap();
    database.close(&scope, user_id(7), id, at(1), &note).await.unwrap();
    assert!(matches!(
        database.close(&scope, user_id(7), id, at(2), &note).await,
        Err(StoreError::NotFound { .. })
    ));
    clock.set(at(1));
    assert_eq!(patients(&clinician).await, [], "it was closed");
    let nobody = Opening { patient: patient_id(99), ..opening(3, 7, 1) };
    let refused = database.open(&scope, &nobody, &note).await;
    assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    assert!(clock.now() > at(0));
}

pub(super) async fn an_opening_is_reviewed_once_by_somebody_else(world: World) {
    restricted(&world).await;
    for user in [7, 8] {
        add_user(&world, user, &[grant("clinician", ward_id(world.a, "W"))]).await;
    }
    let (database, note) = (&world.database, entry(world.a));
    let emergency =
        world.scope(world.a, ::tenants::access::Role::Clinician, Object::Patient, Action::BreakGlass).await;
    for n in [1, 2, 3] {
        database.open(&emergency, &opening(n, 7, 5), &note).await.unwrap();
    }
    let audit = world.read(world.a, Object::Audit).await;
    let reviewing =
        world.scope(world.a, ::tenants::access::Role::Auditor, Object::Audit, Action::Review).await;
    assert_eq!(database.unreviewed(&audit).await.unwrap(), 3);
    let review = |by, at_second| Review { by: user_id(by), at: at(at_second), note: "justified".into() };
    let id = opening(2, 7, 5).id;
    for (review, id, refused) in [
        (review(7, 10), id, "CONFLICT"),
        (review(8, 10), OpeningId::from_uuid(Uuid::from_u128(99)), "NOT_FOUND"),
        (review(8, 10), id, ""),
        (review(8, 11), id, "CONFLICT"),
    ] {
        let answer =
            database.review(&reviewing, id, &review, &AuditEntry { at: review.at, ..note.clone() }).await;
        let code = match answer {
            Ok(()) => "",
            Err(StoreError::Conflict { .. }) => "CONFLICT",
            Err(StoreError::NotFound { .. }) => "NOT_FOUND",
            Err(error) => panic!("{error}"),
        };
        assert_eq!(code, refused);
    }
    assert_eq!(database.unreviewed(&audit).await.unwrap(), 2);
    let page = PageRequest { first: 2, count: true, ..PageRequest::default() };
    let found = database.openings(&audit, None, &page).await.unwrap();
    let reviewed = Opening { review: Some(review(8, 10)), ..opening(2, 7, 5) };
    let shown: Vec<_> = found.rows.iter().map(|(_, opening)| opening.clone()).collect();
    assert_eq!(
        (shown, found.has_next, found.total),
        (vec![opening(3, 7, 5), reviewed.clone()], true, Some(3))
    );
    let after = Some(found.rows[1].0.clone());
    let last = database.openings(&audit, None, &PageRequest { after, ..page.clone() }).await.unwrap();
    assert_eq!((last.rows[0].1.clone(), last.has_next), (opening(1, 7, 5), false));
    for (wanted, expected) in
        [(true, vec![reviewed.clone()]), (false, vec![opening(3, 7, 5), opening(1, 7, 5)])]
    {
        let found = database.openings(&audit, Some(wanted), &page).await.unwrap();
        assert_eq!(found.rows.into_iter().map(|(_, opening)| opening).collect::<Vec<_>>(), expected);
    }
    assert_eq!(database.opening(&audit, id).await.unwrap(), Some(reviewed));
    let other = world.read(world.b, Object::Audit).await;
    assert_eq!(database.unreviewed(&other).await.unwrap(), 0);
    assert_eq!(database.opening(&other, id).await.unwrap(), None);
}
