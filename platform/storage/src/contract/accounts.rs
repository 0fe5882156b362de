//! Tenants and who signs in.

use ::tenants::{
    StoreError, Tenant, TenantId, TenantSlug, User,
    access::{AccessRules, Caller, Object, Principal, Role, RoleGrant},
    account::{Login, Session, SomeSessions},
    credentials::SecretHash,
    locality::Locality,
    revocations::CredentialVersions,
    stores::{Accounts, Roles, Tenants},
};

use super::world::{World, at, entry, tenant_id, user_id};

pub(super) fn login(tenant: TenantId, email: &str) -> Login {
    let user = User { id: user_id(1), tenant, email: email.into(), display_name: "N. N.".into() };
    Login { user, password_hash: "$argon2id$v=19$x".into() }
}

pub(super) async fn tenants_are_listed_without_the_platform(world: World) {
    let database = &world.database;
    let slugs: Vec<String> = database.all().await.unwrap().iter().map(|t| t.slug.to_string()).collect();
    assert_eq!(slugs, ["ash", "birch"]);
    let slug = TenantSlug::parse("platform").unwrap();
    assert_eq!(database.by_slug(&slug).await.unwrap().unwrap().id, TenantId::PLATFORM);
    assert_eq!(database.by_id(world.a).await.unwrap().unwrap().slug.as_str(), "ash");
    assert_eq!(database.by_id(tenant_id(0xc)).await.unwrap(), None);

    assert_eq!(database.by_id(world.a).await.unwrap().unwrap().locality, Locality::default());
    let berlin = Locality::new("DE", "de-DE", "Europe/Berlin").unwrap();
    database.locate(world.a, &berlin, &entry(world.a)).await.unwrap();
    assert_eq!(database.by_id(world.a).await.unwrap().unwrap().locality, berlin);
    assert_eq!(database.by_id(world.b).await.unwrap().unwrap().locality, Locality::default());
    let nobody = database.locate(tenant_id(0xc), &berlin, &entry(tenant_id(0xc))).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })), "{nobody:?}");

    let slug = TenantSlug::parse("ash").unwrap();
    let taken = Tenant::new(tenant_id(0xc), slug, "Another");
    assert!(matches!(database.create(&taken, &entry(taken.id)).await, Err(StoreError::Conflict { .. })));
}

pub(super) async fn a_suspended_tenant_keeps_everything_and_may_do_nothing(world: World) {
    let database = &world.database;
    database.create_user(&login(world.a, "nurse@example.org"), &[]).await.unwrap();
    let entry = entry(world.a);
    let before = database.access_data(world.a, at(0)).await.unwrap();
    for (since, changed) in [(Some(at(5)), true), (Some(at(9)), false), (None, true), (None, false)] {
        assert_eq!(database.suspend(world.a, since, &entry).await.unwrap(), changed, "{since:?}");
        let tenant = database.by_id(world.a).await.unwrap().unwrap();
        assert_eq!(tenant.suspended_since, since.map(|_| at(5)), "from the first time on");
        let now = database.access_data(world.a, at(0)).await.unwrap();
        assert_eq!((now.suspended, now.units.len()), (since.is_some(), before.units.len()));
        assert!(now.version > before.version, "every process notices");
        let other = database.by_id(world.b).await.unwrap().unwrap();
        assert_eq!(other.suspended_since, None);
    }
    let trail = audited(&world, world.a).await;
    assert_eq!(trail, 3, "of the tenant's creation, and of each change");
    let nobody = database.suspend(tenant_id(0xdead), None, &entry).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { what: "tenant" })), "{nobody:?}");
}

async fn audited(world: &World, tenant: TenantId) -> i64 {
    let tx = world.database.begin_read(tenant).await.unwrap();
    let sql = "SELECT count(*) FROM audit_trail WHERE tenant_id = $1";
    tx.query_sql(sql, [(*tenant.as_uuid()).into()]).await.unwrap()[0].try_get_by_index(0).unwrap()
}

pub(super) async fn a_login_is_found_by_its_address_alone(world: World) {
    let database = &world.database;
    assert!(database.is_empty().await.unwrap());
    database.create_user(&login(world.b, "nurse@example.org"), &[]).await.unwrap();
    database.create_user(&login(TenantId::PLATFORM, "root@example.org"), &[]).await.unwrap();
    assert!(!database.is_empty().await.unwrap());

    let found = database.login("nurse@example.org").await.unwrap().unwrap();
    assert_eq!(found.user, login(world.b, "nurse@example.org").user);
    assert_eq!(found.password_hash, "$argon2id$v=19$x");
    let operator = database.login("root@example.org").await.unwrap().unwrap();
    assert_eq!(operator.user.tenant, TenantId::PLATFORM);
    assert!(database.login("nobody@example.org").await.unwrap().is_none());
    assert!(database.user(world.b, user_id(1)).await.unwrap().is_some());
    assert!(database.user(world.a, user_id(1)).await.unwrap().is_none());

    // The address is taken in every tenant, and a refused user leaves nothing behind.
    let refused = database.create_user(&login(world.a, "nurse@example.org"), &[]).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert!(!format!("{refused:?}").contains("nurse@"), "errors hold no personal data");
    assert!(database.user(world.a, user_id(1)).await.unwrap().is_none());
}

/// Of the user whom [`login`] makes, for a minute.
fn session(hash: SecretHash) -> Session {
    Session {
        hash,
        user: user_id(1),
        csrf: "c".into(),
        created_at: at(0),
        expires_at: at(60_000),
        last_used_at: at(0),
        address: String::new(),
        agent: String::new(),
    }
}

pub(super) async fn sessions_stay_in_their_tenant(world: World) {
    let database = &world.database;
    database.create_user(&login(world.a, "a@example.org"), &[]).await.unwrap();
    database.create_user(&login(world.b, "b@example.org"), &[]).await.unwrap();
    let hash = SecretHash::of(b"secret");
    database.create_session(world.a, &session(hash)).await.unwrap();

    let found = database.session(world.a, &hash).await.unwrap().unwrap();
    assert_eq!((found.csrf.as_str(), found.expires_at), ("c", at(60_000)));
    assert!(database.session(world.b, &hash).await.unwrap().is_none());

    let before = audited(&world, world.a).await;
    assert!(!database.delete_session(world.b, &hash, &entry(world.b)).await.unwrap());
    assert!(database.session(world.a, &hash).await.unwrap().is_some(), "another tenant's session");
    assert!(database.delete_session(world.a, &hash, &entry(world.a)).await.unwrap());
    assert!(!database.delete_session(world.a, &hash, &entry(world.a)).await.unwrap());
    assert_eq!(audited(&world, world.a).await, before + 1, "of the one that was ended");
    assert!(database.session(world.a, &hash).await.unwrap().is_none());
}

pub(super) async fn sessions_are_listed_prolonged_and_ended(world: World) {
    let (database, a) = (&world.database, world.a);
    database.create_user(&login(a, "nurse@example.org"), &[]).await.unwrap();
    let at = |seconds: i64| at(1_000 * seconds);
    let session = |n: u8| Session {
        hash: SecretHash::of(&[n]),
        user: user_id(1),
        csrf: "c".into(),
        created_at: at(0),
        expires_at: at(50_000),
        last_used_at: at(i64::from(n)),
        address: "192.0.2.1".into(),
        agent: "Firefox/140".into(),
    };
    for n in 1..=4 {
        database.create_session(a, &session(n)).await.unwrap();
    }
    let principal =
        Principal::User { id: user_id(1), name: "N".into(), email: "n".into(), restricted_to: None };
    let caller = Caller { tenant: a, principal };
    let own = async |now| {
        let found = database.own_sessions(&caller, at(now)).await.unwrap();
        found.iter().map(Session::id).collect::<Vec<_>>()
    };
    let ids = |all: &[u8]| all.iter().map(|n| session(*n).id()).collect::<Vec<_>>();
    assert_eq!(own(10).await, ids(&[4, 3, 2, 1]), "the one that was used last first");
    database.note_session_use(a, &session(2).hash, at(3_000)).await.unwrap();
    database.note_session_use(a, &session(2).hash, at(2_000)).await.unwrap();
    database.note_session_use(world.b, &session(1).hash, at(3_000)).await.unwrap();
    assert_eq!(own(3_603).await, ids(&[2, 4, 3]), "an hour without use ends one");
    let elsewhere = Caller { tenant: world.b, ..caller.clone() };
    let end = async |caller: &Caller, which| {
        database.end_own_sessions(caller, which, &entry(caller.tenant)).await.unwrap()
    };
    let before = (audited(&world, a).await, versions(&world).await);
    assert_eq!(end(&elsewhere, SomeSessions::All).await, 0);
    assert_eq!(end(&caller, SomeSessions::One(session(9).id())).await, 0);
    assert_eq!((audited(&world, a).await, versions(&world).await), before, "nothing was ended");
    assert_eq!(end(&caller, SomeSessions::One(session(4).id())).await, 1);
    assert!(versions(&world).await > before.1, "every process notices");
    assert_eq!(end(&caller, SomeSessions::Others(session(2).id())).await, 2);
    assert_eq!(own(3_000).await, ids(&[2]));
    let scope = world.write(a, Object::Token).await;
    assert_eq!(database.end_sessions_of(&scope, user_id(1), &entry(a)).await.unwrap(), 1);
    assert_eq!(audited(&world, a).await, before.0 + 3);
    assert!(database.session(a, &session(2).hash).await.unwrap().is_none());
}

pub(super) async fn sessions_end_with_the_last_role(world: World) {
    let (database, a) = (&world.database, world.a);
    let grants = [Role::Nurse, Role::Auditor].map(|role| RoleGrant::everywhere(a, role));
    database.create_user(&login(a, "nurse@example.org"), &grants).await.unwrap();
    let hash = SecretHash::of(b"secret");
    database.create_session(a, &session(hash)).await.unwrap();
    let scope = world.write(a, Object::Role).await;
    let before = versions(&world).await;
    database.revoke(&scope, user_id(1), &grants[0], &entry(a)).await.unwrap();
    assert!(database.session(a, &hash).await.unwrap().is_some(), "they have another role");
    assert_eq!(versions(&world).await, before);
    database.revoke(&scope, user_id(1), &grants[1], &entry(a)).await.unwrap();
    assert!(database.session(a, &hash).await.unwrap().is_none());
    assert!(versions(&world).await > before, "every process notices");
}

async fn versions(world: &World) -> Vec<(TenantId, u64)> {
    world.database.credential_versions().await.unwrap()
}
