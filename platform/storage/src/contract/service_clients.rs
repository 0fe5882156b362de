//! Programs that act for a hospital itself.

use ::tenants::{
    ClientId, StoreError, UnitId,
    access::{AccessRules, Object, Restriction, Role, RoleGrant},
    clock::{Clock, ManualClock},
    credentials::BearerToken,
    org::{OrgUnit, UnitKind},
    service_client::{ClientToken, ServiceClient},
    stores::{OrgUnits, ServiceClients},
};
use jiff::SignedDuration;

use super::world::{World, at, entry, ward_id};

/// A client of "ash" that ends after a day.
fn made(world: &World, name: &str, unit: UnitId) -> (ServiceClient, BearerToken) {
    let role = Restriction { role: Role::Integrator.into(), unit };
    ServiceClient::new(world.a, name.into(), role, Some(1), &ManualClock::new(at(0))).unwrap()
}

async fn issued(world: &World, client: &ServiceClient) -> (ClientToken, BearerToken) {
    let (token, bearer) = client.token(world.a, at(0)).unwrap();
    world.database.issue(world.a, &token, at(0), &entry(world.a)).await.unwrap();
    (token, bearer)
}

pub(super) async fn a_client_acts_until_it_is_disabled_renewed_or_removed(world: World) {
    let (database, a, note) = (&world.database, world.a, entry(world.a));
    let scope = world.write(a, Object::Token).await;
    let (client, secret) = made(&world, "EHR", UnitId::root(a));
    database.create_client(&scope, &client, &note).await.unwrap();
    let again = database.create_client(&scope, &made(&world, "EHR", UnitId::root(a)).0, &note).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    assert_eq!(database.client(a, client.id).await.unwrap().as_ref(), Some(&client));
    assert_eq!(client.hash, secret.hash());
    assert_eq!(database.client(world.b, client.id).await.unwrap(), None);

    let held = async || {
        let grants = database.access_data(a, at(0)).await.unwrap().grants;
        grants.into_iter().find(|(holder, _)| *holder == client.id.as_holder()).map(|(_, grant)| grant)
    };
    let RoleGrant { role, unit, until } = held().await.unwrap();
    assert_eq!((role, unit, until), (client.role.role.clone(), client.role.unit, client.expires_at));
    let (token, _) = issued(&world, &client).await;
    let by_token = database.by_token(a, &token.hash).await.unwrap().unwrap();
    assert_eq!(by_token, (ServiceClient { last_used_at: Some(at(0)), ..client.clone() }, token.expires_at));
    assert!(database.by_token(world.b, &token.hash).await.unwrap().is_none());

    database.disable_client(&scope, client.id, Some(at(1)), &note).await.unwrap();
    assert!(database.by_token(a, &token.hash).await.unwrap().is_none());
    assert!(held().await.is_none());
    let refused = database.issue(a, &client.token(a, at(1)).unwrap().0, at(1), &note).await;
    assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    database.disable_client(&scope, client.id, None, &note).await.unwrap();
    assert!(held().await.is_some());

    let (token, _) = issued(&world, &client).await;
    let other = BearerToken::generate(a).unwrap();
    database.renew_secret(&scope, client.id, (&other.hash(), other.prefix()), &note).await.unwrap();
    let renewed = database.client(a, client.id).await.unwrap().unwrap();
    assert_eq!((renewed.hash, renewed.prefix.as_str()), (other.hash(), other.prefix()));
    assert!(database.by_token(a, &token.hash).await.unwrap().is_none(), "what it got before is over");

    issued(&world, &client).await;
    let theirs = world.write(world.b, Object::Token).await;
    let nobody = database.remove_client(&theirs, client.id, &entry(world.b)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })), "{nobody:?}");
    database.remove_client(&scope, client.id, &note).await.unwrap();
    assert!(database.clients(&scope).await.unwrap().is_empty());
    assert!(database.disable_client(&scope, client.id, None, &note).await.is_err());
    let unknown = ClientId::new(&ManualClock::new(at(0)) as &dyn Clock);
    assert!(database.renew_secret(&scope, unknown, (&other.hash(), "x"), &note).await.is_err());
}

pub(super) async fn a_unit_with_a_client_stays_and_old_tokens_are_forgotten(world: World) {
    let (database, a, note) = (&world.database, world.a, entry(world.a));
    let ward = ward_id(a, "W");
    let units = world.write(a, Object::OrgUnit).await;
    let parent = Some(UnitId::root(a));
    let unit = OrgUnit { id: ward, parent, name: "W".into(), kind: UnitKind::Ward };
    OrgUnits::save(database, &units, &unit, &note).await.unwrap();
    let scope = world.write(a, Object::Token).await;
    let (client, _) = made(&world, "EHR", ward);
    database.create_client(&scope, &client, &note).await.unwrap();
    let refused = OrgUnits::remove(database, &units, ward, &note).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");

    let (first, _) = issued(&world, &client).await;
    let later = at(0) + SignedDuration::from_mins(15);
    let (second, _) = client.token(a, later).unwrap();
    database.issue(a, &second, later, &note).await.unwrap();
    assert!(database.by_token(a, &first.hash).await.unwrap().is_none());
    assert!(database.by_token(a, &second.hash).await.unwrap().is_some());
    let elsewhere = ServiceClient { id: ClientId::from_uuid(*ward.as_uuid()), name: "x".into(), ..client };
    let nowhere = Restriction { unit: ward_id(world.b, "W"), ..elsewhere.role.clone() };
    let nowhere = ServiceClient { role: nowhere, ..elsewhere };
    let refused = database.create_client(&scope, &nowhere, &note).await;
    assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
}
