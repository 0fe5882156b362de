//! Authenticator apps and recovery codes.

use ::tenants::{
    StoreError, TenantId, User,
    account::Login,
    authenticator::{Authenticator, AuthenticatorStore as Store},
    credentials::SecretHash,
    stores::Accounts,
};

use super::world::{World, at, entry, user_id};

async fn add_user(world: &World, tenant: TenantId, n: u128) {
    let (id, email, display_name) = (user_id(n), format!("u{n}@example.org"), "N. N.".to_owned());
    let login = Login { user: User { id, tenant, email, display_name }, password_hash: String::new() };
    world.database.create_user(&login, &[]).await.unwrap();
}

fn app(n: u128, secret: &[u8]) -> Authenticator {
    Authenticator { user: user_id(n), secret: secret.to_vec(), since: None }
}

fn in_force(n: u128, secret: &[u8]) -> Authenticator {
    Authenticator { since: Some(at(7)), ..app(n, secret) }
}

pub(super) async fn an_authenticator_is_in_force_once_it_was_shown(world: World) {
    let (database, a, user) = (&world.database, world.a, user_id(1));
    add_user(&world, a, 1).await;
    let codes: Vec<_> = [b"one", b"two"].map(|code| SecretHash::of(code)).into();
    let enrol =
        async |secret: &[u8], step| database.enrol(a, &in_force(1, secret), step, &codes, &entry(a)).await;

    assert!(matches!(enrol(b"first", 5).await, Err(StoreError::Conflict { .. })), "nothing was proposed");
    database.propose(a, &app(1, b"first")).await.unwrap();
    database.propose(a, &app(1, b"second")).await.unwrap();
    assert!(matches!(enrol(b"first", 5).await, Err(StoreError::Conflict { .. })), "it was replaced");
    assert_eq!(database.recovery_codes(a, user).await.unwrap(), 0, "what was refused left nothing");
    enrol(b"second", 5).await.unwrap();
    let found = database.authenticator(a, user).await.unwrap().unwrap();
    assert_eq!((found.secret.as_slice(), found.since), (&b"second"[..], Some(at(7))));
    add_user(&world, a, 4).await;
    database.propose(a, &app(4, b"of somebody else")).await.unwrap();
    assert_eq!(database.enrolled(a).await.unwrap(), [(user, at(7))].into());
    assert!(database.enrolled(world.b).await.unwrap().is_empty());
    assert!(matches!(enrol(b"second", 6).await, Err(StoreError::Conflict { .. })), "it is in force");
    let another = database.propose(a, &app(1, b"third")).await;
    assert!(matches!(another, Err(StoreError::Conflict { .. })), "{another:?}");
    let nobody = database.propose(a, &app(2, b"x")).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { what: "user" })), "{nobody:?}");

    Store::remove(database, a, user, &entry(a)).await.unwrap();
    assert!(database.authenticator(a, user).await.unwrap().is_none());
    assert_eq!(database.recovery_codes(a, user).await.unwrap(), 0);
    let again = Store::remove(database, a, user, &entry(a)).await;
    assert!(matches!(again, Err(StoreError::NotFound { .. })), "{again:?}");
}

pub(super) async fn each_code_is_used_once(world: World) {
    let (database, a, user) = (&world.database, world.a, user_id(1));
    add_user(&world, a, 1).await;
    add_user(&world, world.b, 3).await;
    let hash = |code: &str| SecretHash::of(code.as_bytes());
    database.propose(a, &app(1, b"s")).await.unwrap();
    database.enrol(a, &in_force(1, b"s"), 5, &[hash("one"), hash("two")], &entry(a)).await.unwrap();

    for (step, fresh) in [(5, false), (4, false), (7, true), (7, false), (6, false), (8, true)] {
        assert_eq!(database.use_step(a, user, step).await.unwrap(), fresh, "{step}");
    }
    assert!(!database.use_step(world.b, user, 9).await.unwrap(), "another tenant's");

    let use_code = async |tenant, code| {
        database.use_recovery_code(tenant, user, &hash(code), &entry(tenant)).await.unwrap()
    };
    assert!(!use_code(a, "three").await && !use_code(world.b, "one").await);
    assert!(use_code(a, "one").await && !use_code(a, "one").await);
    assert_eq!(database.recovery_codes(a, user).await.unwrap(), 1);
    database.replace_recovery_codes(a, user, &[hash("four")], &entry(a)).await.unwrap();
    assert!(!use_code(a, "two").await && use_code(a, "four").await);

    let two_at_once = tokio::join!(database.use_step(a, user, 20), database.use_step(a, user, 20));
    assert!(two_at_once.0.unwrap() != two_at_once.1.unwrap(), "whoever is first");
}
