//! API tokens.

use ::tenants::{
    StoreError, TenantId, TokenId, UnitId, UserId,
    access::{Action, Caller, Object, Principal, Restriction, Role},
    api_token::ApiToken,
    credentials::SecretHash,
    revocations::CredentialVersions,
    stores::{Accounts, ApiTokens},
    topics::TopicFilters,
};
use uuid::Uuid;

use super::{
    accounts::login,
    world::{World, at, entry, user_id},
};

fn token(tenant: TenantId, n: u128) -> ApiToken {
    ApiToken {
        id: TokenId::from_uuid(Uuid::from_u128(n)),
        user: user_id(1),
        name: "export\0".into(),
        hash: SecretHash::of(&n.to_be_bytes()),
        prefix: "Ab-_12".into(),
        restriction: Some(Restriction { role: Role::Nurse.into(), unit: UnitId::root(tenant) }),
        topics: Some(TopicFilters { allow: vec!["lab/#".parse().unwrap()], deny: Vec::new() }),
        created_at: at(i64::try_from(n).unwrap()),
        last_used_at: None,
        expires_at: Some(at(1_000)),
    }
}

fn caller(tenant: TenantId, id: UserId) -> Caller {
    let principal = Principal::User { id, name: "N. N.".into(), email: "n@b".into(), restricted_to: None };
    Caller { tenant, principal }
}

/// Both hospitals have a user 1 with a token 5, of the same secret.
async fn furnish(world: &World) {
    for (tenant, email) in [(world.a, "a@example.org"), (world.b, "b@example.org")] {
        world.database.create_user(&login(tenant, email), &[]).await.unwrap();
        world.database.create_token(tenant, &token(tenant, 5), &entry(tenant)).await.unwrap();
    }
}

async fn version(world: &World, tenant: TenantId) -> u64 {
    let all = world.database.credential_versions().await.unwrap();
    all.into_iter().find(|(of, _)| *of == tenant).unwrap().1
}

pub(super) async fn a_token_is_kept_as_it_was_made(world: World) {
    furnish(&world).await;
    let (database, made) = (&world.database, token(world.a, 5));
    let kept = ApiToken { name: "export\u{fffd}".into(), ..made.clone() };
    assert_eq!(database.token(world.a, &made.hash).await.unwrap(), Some(kept));
    assert_eq!(database.token(TenantId::PLATFORM, &made.hash).await.unwrap(), None);
    assert_eq!(database.token(world.a, &SecretHash::of(b"other")).await.unwrap(), None);
    let whole = ApiToken { restriction: None, topics: None, expires_at: None, ..token(world.a, 6) };
    database.create_token(world.a, &whole, &entry(world.a)).await.unwrap();
    let found = database.token(world.a, &whole.hash).await.unwrap().unwrap();
    assert_eq!((found.restriction, found.topics, found.expires_at), (None, None, None));

    let own = database.own_tokens(&caller(world.a, user_id(1))).await.unwrap();
    assert_eq!(own.iter().map(|token| token.id).collect::<Vec<_>>(), [whole.id, made.id], "newest first");
    assert!(database.own_tokens(&caller(world.a, user_id(2))).await.unwrap().is_empty());
    let nobodys = ApiToken { user: user_id(9), ..token(world.a, 7) };
    let refused = database.create_token(world.a, &nobodys, &entry(world.a)).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "user" })), "{refused:?}");
}

pub(super) async fn only_its_owner_or_an_admin_revokes_a_token(world: World) {
    furnish(&world).await;
    let (database, a, hash) = (&world.database, world.a, token(world.a, 5).hash);
    let (id, before) = (token(a, 5).id, version(&world, a).await);
    let stranger = database.revoke_own_token(&caller(a, user_id(2)), id, &entry(a)).await;
    assert!(matches!(stranger, Err(StoreError::NotFound { what: "API token" })), "{stranger:?}");
    assert_eq!(version(&world, a).await, before, "nothing was revoked");
    database.revoke_own_token(&caller(a, user_id(1)), id, &entry(a)).await.unwrap();
    assert_eq!(database.token(a, &hash).await.unwrap(), None);
    assert!(version(&world, a).await > before, "other processes notice");
    let again = database.revoke_own_token(&caller(a, user_id(1)), id, &entry(a)).await;
    assert!(matches!(again, Err(StoreError::NotFound { .. })), "{again:?}");
    assert!(database.token(world.b, &hash).await.unwrap().is_some(), "another hospital's token");

    let other = ApiToken { user: user_id(1), ..token(a, 8) };
    database.create_token(a, &other, &entry(a)).await.unwrap();
    let foreign = world.scope(world.b, Role::Admin, Object::Token, Action::Write).await;
    assert!(database.revoke_token(&foreign, other.id, &entry(world.b)).await.is_err());
    assert_eq!(database.tokens_of(&foreign, user_id(1)).await.unwrap().len(), 1, "its own only");
    let scope = world.scope(a, Role::Admin, Object::Token, Action::Write).await;
    assert_eq!(database.tokens_of(&scope, user_id(1)).await.unwrap().len(), 1);
    database.revoke_token(&scope, other.id, &entry(a)).await.unwrap();
    assert!(database.tokens_of(&scope, user_id(1)).await.unwrap().is_empty());
}

pub(super) async fn a_use_is_noted_once_a_minute(world: World) {
    furnish(&world).await;
    let (database, token) = (&world.database, token(world.a, 5));
    for (second, noted) in [(10, 10), (11, 10), (69, 10), (70, 70), (60, 70)] {
        database.note_use(world.a, token.id, at(second * 1_000)).await.unwrap();
        let found = database.token(world.a, &token.hash).await.unwrap().unwrap();
        assert_eq!(found.last_used_at, Some(at(noted * 1_000)), "at {second}");
    }
    let other = database.token(world.b, &token.hash).await.unwrap().unwrap();
    assert_eq!(other.last_used_at, None, "another hospital's token");
}

pub(super) async fn nobody_has_tokens_without_end(world: World) {
    furnish(&world).await;
    let (database, a) = (&world.database, world.a);
    for n in 1..ApiToken::MAX_OF_ONE {
        database.create_token(a, &token(a, 100 + u128::from(n)), &entry(a)).await.unwrap();
    }
    let refused = database.create_token(a, &token(a, 99), &entry(a)).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert!(database.token(a, &token(a, 99).hash).await.unwrap().is_none());
}
