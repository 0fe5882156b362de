//! Identity providers, and who comes through them.

use ::tenants::{
    ProviderId, StoreError, TenantId, UnitId,
    access::{AccessRules, Object, Role, RoleGrant},
    account::{Login, Session, User},
    credentials::SecretHash,
    identity_provider::{Arrival, ExternalSession, GroupRole, IdentityProvider, LoginAttempt, LogoutNotice},
    stores::{Accounts, ExternalLogins, IdentityProviders, OrgUnits, Roles},
};
use uuid::Uuid;

use super::world::{World, at, entry, user_id, ward_id};

fn provider_id(n: u128) -> ProviderId {
    ProviderId::from_uuid(Uuid::from_u128(n))
}

fn provider(tenant: TenantId, n: u128, version: u32) -> IdentityProvider {
    let role = GroupRole {
        group: "Nurses, 3 \"East\"".into(),
        role: Role::Nurse.into(),
        unit: UnitId::root(tenant),
    };
    IdentityProvider {
        id: provider_id(n),
        name: format!("Provider {n}"),
        issuer: "https://login.example.org".into(),
        client_id: format!("iomt-{n}"),
        client_secret: Some(vec![0, 1, 255]),
        api_audience: None,
        scopes: vec!["email".into(), "groups".into()],
        group_claim: "groups".into(),
        roles: vec![role],
        default_role: None,
        enabled: true,
        version,
    }
}

#[allow(clippy::needless_pass_by_value, reason = "a result reads best where it was made")]
fn conflict<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict { .. }))
}

async fn save(world: &World, tenant: TenantId, provider: &IdentityProvider) -> Result<(), StoreError> {
    let scope = world.write(tenant, Object::IdentityProvider).await;
    IdentityProviders::save(&world.database, &scope, provider, &entry(tenant)).await
}

async fn all(world: &World, tenant: TenantId) -> Vec<IdentityProvider> {
    let scope = world.read(tenant, Object::IdentityProvider).await;
    IdentityProviders::all(&world.database, &scope).await.unwrap()
}

pub(super) async fn a_provider_is_replaced_by_its_next_version_only(world: World) {
    let (a, b) = (world.a, world.b);
    assert!(conflict(save(&world, a, &provider(a, 1, 2)).await), "there is no first version");
    save(&world, a, &provider(a, 1, 1)).await.unwrap();
    assert!(conflict(save(&world, a, &provider(a, 1, 1)).await));
    assert!(conflict(save(&world, a, &provider(a, 1, 3)).await));
    let twin = IdentityProvider { client_id: "iomt-1".into(), ..provider(a, 2, 1) };
    assert!(conflict(save(&world, a, &twin).await), "the same client of the same issuer");
    let elsewhere = IdentityProvider { issuer: "https://evil.example".into(), ..provider(a, 1, 2) };
    assert!(conflict(save(&world, a, &elsewhere).await), "people are known by the issuer");
    let ward = world.ward(a, "3 East").await;
    let mut next = IdentityProvider { default_role: Some(Role::Auditor.into()), ..provider(a, 1, 2) };
    next.roles.push(GroupRole { group: "Doctors".into(), role: Role::Clinician.into(), unit: ward });
    save(&world, a, &next).await.unwrap();
    assert_eq!(all(&world, a).await, [next.clone()]);
    let scope = world.write(a, Object::OrgUnit).await;
    let removed = OrgUnits::remove(&world.database, &scope, ward, &entry(a)).await;
    assert!(conflict(removed), "a group holds a role in it");
    let mut nowhere = provider(a, 1, 3);
    nowhere.roles[0].unit = ward_id(b, "elsewhere");
    assert!(matches!(save(&world, a, &nowhere).await, Err(StoreError::NotFound { .. })));

    assert!(all(&world, b).await.is_empty(), "the other hospital has its own");
    save(&world, b, &provider(b, 1, 1)).await.unwrap();
    let off = IdentityProvider { enabled: false, ..provider(b, 1, 2) };
    save(&world, b, &off).await.unwrap();
    assert!(world.database.enabled(b).await.unwrap().is_empty());
    assert_eq!(world.database.enabled(a).await.unwrap(), [next]);
    let scope = world.write(b, Object::IdentityProvider).await;
    IdentityProviders::remove(&world.database, &scope, provider_id(1), &entry(b)).await.unwrap();
    let again = IdentityProviders::remove(&world.database, &scope, provider_id(1), &entry(b)).await;
    assert!(matches!(again, Err(StoreError::NotFound { .. })));
    assert_eq!(all(&world, a).await.len(), 1, "that of the same id in the other hospital stays");
}

pub(super) async fn an_audience_leads_to_one_provider(world: World) {
    let (a, b, issuer) = (world.a, world.b, "https://login.example.org");
    let with = |tenant, n, version, audience: &str| IdentityProvider {
        api_audience: Some(audience.into()),
        ..provider(tenant, n, version)
    };
    save(&world, a, &with(a, 1, 1, "api-a")).await.unwrap();
    assert!(conflict(save(&world, b, &with(b, 2, 1, "api-a")).await), "it is taken, in whichever hospital");
    assert!(all(&world, b).await.is_empty(), "and nothing of the refused one is left");
    save(&world, b, &with(b, 2, 1, "api-b")).await.unwrap();
    let of = async |issuer: &str, audience: &str| {
        let found = world.database.for_audience(issuer, audience).await.unwrap();
        found.map(|(tenant, provider)| (tenant, provider.id))
    };
    assert_eq!(of(issuer, "api-a").await, Some((a, provider_id(1))));
    assert_eq!(of(issuer, "api-b").await, Some((b, provider_id(2))));
    assert_eq!(of("https://evil.example", "api-a").await, None);
    save(&world, a, &with(a, 1, 2, "api-a2")).await.unwrap();
    assert_eq!(of(issuer, "api-a").await, None, "given up with the change");
    let off = IdentityProvider { enabled: false, ..with(a, 1, 3, "api-a2") };
    save(&world, a, &off).await.unwrap();
    assert_eq!(of(issuer, "api-a2").await, None, "not enabled");
}

fn attempt(n: u8, started: i64) -> LoginAttempt {
    LoginAttempt {
        state: SecretHash::of(&[n]),
        browser: SecretHash::of(b"browser"),
        provider: provider_id(1),
        provider_version: 1,
        nonce: "nonce".into(),
        pkce_verifier: "verifier".into(),
        next: "/patients".into(),
        started_at: at(started),
        expires_at: at(started + 600_000),
    }
}

pub(super) async fn an_attempt_is_given_out_once(world: World) {
    let (a, b, database) = (world.a, world.b, &world.database);
    assert!(matches!(database.begin(a, &attempt(1, 0), 2).await, Err(StoreError::NotFound { .. })));
    for tenant in [a, b] {
        save(&world, tenant, &provider(tenant, 1, 1)).await.unwrap();
    }
    database.begin(a, &attempt(1, 0), 2).await.unwrap();
    database.begin(a, &attempt(2, 1), 2).await.unwrap();
    assert!(conflict(database.begin(a, &attempt(3, 2), 2).await), "no more than two at a time");
    database.begin(b, &attempt(3, 2), 2).await.unwrap();
    let state = SecretHash::of(&[1]);
    assert_eq!(database.take(b, &state).await.unwrap(), None, "of another hospital");
    let (one, other) = tokio::join!(database.take(a, &state), database.take(a, &state));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(one.is_some() != other.is_some(), "one of two gets it");
    assert_eq!(one.or(other), Some(attempt(1, 0)));
    assert_eq!(database.take(a, &state).await.unwrap(), None);
    // Whoever comes later finds that the rest has taken too long.
    database.begin(a, &attempt(4, 600_001), 1).await.unwrap();
    assert_eq!(database.take(a, &SecretHash::of(&[2])).await.unwrap(), None);
}

fn arrival(tenant: TenantId, user: u128, subject: &str, email: &str, roles: &[Role]) -> Arrival {
    let user = User { id: user_id(user), tenant, email: email.into(), display_name: "N. N.".into() };
    let grants = roles.iter().map(|role| RoleGrant::everywhere(tenant, *role)).collect();
    let login = Login { user, password_hash: "$argon2id$v=19$x".into() };
    Arrival { provider: provider_id(1), subject: subject.into(), login, grants }
}

pub(super) async fn somebody_who_arrives_keeps_one_account(world: World) {
    let (a, b, database) = (world.a, world.b, &world.database);
    for tenant in [a, b] {
        save(&world, tenant, &provider(tenant, 1, 1)).await.unwrap();
    }
    let held = async || {
        let data = database.access_data(a, at(0)).await.unwrap();
        let grants = data.grants.into_iter().filter(|(user, _)| *user == user_id(1));
        let mut roles: Vec<_> = grants.map(|(_, grant)| grant.role.to_string()).collect();
        roles.sort();
        roles
    };
    let first = arrival(a, 1, "s-1", "ann@example.org", &[Role::Nurse, Role::Researcher]);
    database.join(&first, &entry(a)).await.unwrap();
    let linked = database.linked(a, provider_id(1), "s-1").await.unwrap().unwrap();
    assert_eq!((linked.user, linked.granted), (user_id(1), first.grants.clone()));
    assert_eq!(database.linked(b, provider_id(1), "s-1").await.unwrap(), None);
    assert_eq!(database.linked(a, provider_id(1), "S-1").await.unwrap(), None, "to the letter");

    // An address that has an account is never taken over, in whichever hospital.
    for tenant in [a, b] {
        let taken = arrival(tenant, 2, "s-2", "ann@example.org", &[]);
        assert!(conflict(database.join(&taken, &entry(tenant)).await));
        assert_eq!(database.linked(tenant, provider_id(1), "s-2").await.unwrap(), None);
    }
    let trail = async || {
        let tx = database.begin_read(a).await.unwrap();
        let rows =
            tx.query_sql("SELECT count(*) FROM audit_trail WHERE tenant_id = $1", [(*a.as_uuid()).into()]);
        rows.await.unwrap()[0].try_get_by_index::<i64>(0).unwrap()
    };
    let before = trail().await;
    assert!(!database.refresh(&first, &entry(a)).await.unwrap(), "nothing has changed");
    assert_eq!(trail().await, before);

    let scope = world.write(a, Object::Role).await;
    let local = RoleGrant::everywhere(a, Role::Auditor);
    database.grant(&scope, user_id(1), &local, &entry(a)).await.unwrap();
    let before = trail().await;
    let moved = arrival(a, 1, "s-1", "anna@example.org", &[Role::Clinician, Role::Auditor]);
    assert!(database.refresh(&moved, &entry(a)).await.unwrap());
    assert_eq!(trail().await, before + 1);
    assert_eq!(held().await, ["auditor", "clinician"]);
    assert_eq!(database.login("anna@example.org").await.unwrap().unwrap().user, moved.login.user);
    assert!(database.login("ann@example.org").await.unwrap().is_none());
    // What somebody of the hospital gave is not the provider's to take away.
    assert!(database.refresh(&arrival(a, 1, "s-1", "anna@example.org", &[]), &entry(a)).await.unwrap());
    assert_eq!(held().await, ["auditor"]);

    let other = Login {
        user: User { id: user_id(9), tenant: b, email: "bob@example.org".into(), display_name: "B".into() },
        password_hash: "$".into(),
    };
    database.create_user(&other, &[]).await.unwrap();
    let onto = arrival(a, 1, "s-1", "bob@example.org", &[Role::Nurse]);
    assert!(conflict(database.refresh(&onto, &entry(a)).await), "somebody else's address");
    assert_eq!(held().await, ["auditor"], "and nothing of it happened");
    assert!(database.login("anna@example.org").await.unwrap().is_some());
}

pub(super) async fn sessions_end_when_the_provider_says_so(world: World) {
    let (a, b, database) = (world.a, world.b, &world.database);
    let session = |n: u8| Session {
        hash: SecretHash::of(&[n]),
        user: user_id(1),
        csrf: "c".into(),
        created_at: at(0),
        expires_at: at(1_000),
        last_used_at: at(0),
        address: String::new(),
        agent: String::new(),
    };
    let external = |n: u8, sid: Option<&str>| ExternalSession {
        hash: SecretHash::of(&[n]),
        provider: provider_id(1),
        subject: if n < 4 { "s-1" } else { "s-2" }.into(),
        sid: sid.map(str::to_owned),
    };
    for (tenant, email) in [(a, "ann@example.org"), (b, "bob@example.org")] {
        save(&world, tenant, &provider(tenant, 1, 1)).await.unwrap();
        database.join(&arrival(tenant, 1, "s-1", email, &[]), &entry(tenant)).await.unwrap();
        for (n, sid) in [(1, Some("x")), (2, Some("y")), (3, None), (4, Some("x"))] {
            database.create_session(tenant, &session(n)).await.unwrap();
            database.note_session(tenant, &external(n, sid)).await.unwrap();
        }
        database.create_session(tenant, &session(5)).await.unwrap();
    }
    assert!(database.note_session(a, &external(9, None)).await.is_err(), "there is no such session");
    assert_eq!(database.origin(a, &SecretHash::of(&[2])).await.unwrap(), Some(external(2, Some("y"))));
    assert_eq!(database.origin(a, &SecretHash::of(&[5])).await.unwrap(), None, "by password");

    let notice = |subject: Option<&str>, sid: Option<&str>, jti: &str| LogoutNotice {
        provider: provider_id(1),
        subject: subject.map(str::to_owned),
        sid: sid.map(str::to_owned),
        jti: jti.into(),
        expires_at: at(500),
    };
    let left = async |tenant| {
        let mut left = Vec::new();
        for n in 1..=5 {
            if database.session(tenant, &SecretHash::of(&[n])).await.unwrap().is_some() {
                left.push(n);
            }
        }
        left
    };
    let end = async |notice: LogoutNotice, now| database.end_sessions(a, &notice, at(now), &entry(a)).await;
    let ended = end(notice(Some("s-1"), Some("x"), "j-1"), 0).await.unwrap();
    assert_eq!(ended, [SecretHash::of(&[1])]);
    assert_eq!(left(a).await, [2, 3, 4, 5]);
    assert!(conflict(end(notice(Some("s-1"), None, "j-1"), 1).await), "each token counts once");
    assert_eq!(left(a).await, [2, 3, 4, 5]);
    end(notice(Some("s-1"), None, "j-1"), 501).await.unwrap();
    assert_eq!(left(a).await, [4, 5], "all of that person's");
    assert!(end(notice(None, Some("unknown"), "j-2"), 2).await.unwrap().is_empty());
    assert_eq!(left(b).await, [1, 2, 3, 4, 5], "those of the other hospital go on");

    let off = IdentityProvider { enabled: false, ..provider(b, 1, 2) };
    save(&world, b, &off).await.unwrap();
    assert_eq!(left(b).await, [5], "only who came by password");
}
