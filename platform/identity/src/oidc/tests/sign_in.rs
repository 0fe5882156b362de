//! The way there and back.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tenants::{
    access::AccessRules,
    account::{Login, User},
    audit::Outcome,
    identity_provider::{Enrolment, IdentityProvider, ProviderError},
    stores::Accounts,
};

use super::world::{World, problem};
use crate::memory::visitor;
use crate::{CameBack, IdentityError, SignInProblem as Problem};

#[tokio::test]
async fn somebody_new_gets_an_account_and_their_groups_roles() {
    let world = World::new().await;
    let first = world.sign_in(|claims| world.signed(&claims)).await.unwrap();
    assert_eq!(first.next, "/patients");
    let session = world.identity.session(&first.signed_in.cookie).await.unwrap();
    assert_eq!(session.caller.tenant, world.tenant);
    let asked = world.provider.asked.lock().clone();
    for part in [
        "authorization: Basic aW9tdDpodW50ZXIy",
        "code=code-1",
        "code_verifier=",
        "grant_type=authorization_code",
    ] {
        assert!(asked.to_lowercase().contains(&part.to_lowercase()), "{part} in {asked}");
    }
    let trail = world.trail().await;
    for action in ["user.create", "session.create"] {
        let written = trail.iter().find(|entry| entry.action == action).unwrap();
        assert_eq!(written.outcome, Outcome::Success, "{action}");
    }

    let again = world.sign_in(|mut claims| {
        claims["name"] = json!("Ann B.");
        world.signed(&claims)
    });
    let again = again.await.unwrap();
    assert_eq!(again.signed_in.caller.actor(), first.signed_in.caller.actor(), "the same account");
    let login = Accounts::login(&world.database, "ann@example.org").await.unwrap().unwrap();
    assert_eq!(login.user.display_name, "Ann B.");
    let grants = world.database.access_data(world.tenant, Timestamp::UNIX_EPOCH).await.unwrap().grants;
    assert_eq!(grants.iter().map(|(_, grant)| grant.role.as_str()).collect::<Vec<_>>(), ["nurse"]);
    let by_password = world.identity.sign_in("ann@example.org", "", None, &visitor("192.0.2.1", 1)).await;
    assert!(matches!(by_password, Err(IdentityError::WrongPassword)), "there is no password to know");

    let without = world.sign_in(|mut claims| {
        claims["groups"] = json!(["Visitors"]);
        world.signed(&claims)
    });
    assert_eq!(problem(without.await), Some(Problem::NoRole));
}

#[tokio::test]
async fn an_account_is_never_taken_over_by_its_address() {
    let world = World::new().await;
    for (n, tenant) in [world.tenant, tenants::TenantId::PLATFORM].into_iter().enumerate() {
        let (id, email) = (tenants::UserId::new(&world.clock), format!("local-{n}@example.org"));
        let user = User { id, tenant, email: email.clone(), display_name: "Local".into() };
        world.database.create_user(&Login { user, password_hash: "$".into() }, &[]).await.unwrap();
        world.wait();
        let outcome = world.sign_in(|mut claims| {
            claims["email"] = json!(email.to_uppercase());
            world.signed(&claims)
        });
        assert_eq!(problem(outcome.await), Some(Problem::Account), "{email}");
        world.expect_refused("not linked with this provider", &email).await;
    }
}

#[tokio::test]
async fn an_attempt_counts_once_in_one_browser_and_for_ten_minutes() {
    let world = World::new().await;
    let (came, nonce) = world.leave().await;
    world.provider.give(&world.signed(&world.claims(&nonce)));
    world.come_back(&came).await.unwrap();
    world.wait();
    assert_eq!(problem(world.come_back(&came).await), Some(Problem::Over), "a replayed state");
    world.expect_refused("finished before", "replay").await;

    for (what, change) in [
        ("no cookie", (|came| came.cookie = None) as fn(&mut CameBack)),
        ("another browser's cookie", |came| came.cookie = Some("x".repeat(43))),
        ("no state", |came| came.state = String::new()),
        ("a state of nobody", |came| came.state.replace_range(40..41, "~")),
    ] {
        let (mut came, _) = world.leave().await;
        change(&mut came);
        assert_eq!(problem(world.come_back(&came).await), Some(Problem::Over), "{what}");
    }
    let (came, _) = world.leave().await;
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(problem(world.come_back(&came).await), Some(Problem::Over), "too late");
    let (came, _) = world.leave().await;
    world.save(&IdentityProvider { version: 2, ..world.enrolled.clone() }).await;
    assert_eq!(problem(world.come_back(&came).await), Some(Problem::Over), "enrolled otherwise meanwhile");
}

#[tokio::test]
async fn an_answer_of_another_provider_does_not_pass() {
    let world = World::new().await;
    for (iss, refused) in
        [(Some("https://evil.example"), true), (Some(world.provider.issuer.as_str()), false), (None, false)]
    {
        let (mut came, nonce) = world.leave().await;
        came.iss = iss.map(str::to_owned);
        world.provider.give(&world.signed(&world.claims(&nonce)));
        assert_eq!(world.come_back(&came).await.is_err(), refused, "{iss:?}");
    }
    world.provider.describe(&json!({ "authorization_response_iss_parameter_supported": true }));
    world.clock.advance(Duration::from_secs(601));
    let (came, nonce) = world.leave().await;
    world.provider.give(&world.signed(&world.claims(&nonce)));
    assert_eq!(problem(world.come_back(&came).await), Some(Problem::Refused), "it must say whose it is");
    world.expect_refused("does not say whose", "iss").await;
}

#[tokio::test]
async fn trouble_at_the_provider_is_told_apart() {
    let world = World::new().await;
    for (error, told) in [
        ("access_denied", Problem::Cancelled),
        ("temporarily_unavailable", Problem::Unreachable),
        ("<script>", Problem::Refused),
    ] {
        let (mut came, _) = world.leave().await;
        (came.error, came.code) = (Some(error.to_owned()), None);
        assert_eq!(problem(world.come_back(&came).await), Some(told), "{error}");
    }
    for (status, body, told) in [
        (400, json!({ "error": "invalid_grant" }), Problem::Refused),
        (401, json!({ "error": "invalid_client" }), Problem::Unreachable),
        (200, json!({ "access_token": "x" }), Problem::Refused),
        (500, json!("oops"), Problem::Refused),
    ] {
        let (came, _) = world.leave().await;
        world.provider.answer("/token", status, &body);
        assert_eq!(problem(world.come_back(&came).await), Some(told), "{status} {body}");
    }
    // What the ID token leaves out is asked for, and must be about the same person.
    for (sub, told) in [("s-1", None), ("s-2", Some(Problem::Email))] {
        let me =
            json!({ "sub": sub, "email": "ann@example.org", "email_verified": true, "groups": ["Nurses"] });
        world.provider.answer("/me", 200, &me);
        let outcome = world.sign_in(|mut claims| {
            claims.as_object_mut().unwrap().retain(|name, _| !name.starts_with("email"));
            world.signed(&claims)
        });
        assert_eq!(problem(outcome.await), told, "{sub}");
    }
    world.provider.answer("/.well-known/openid-configuration", 500, &json!({}));
    world.clock.advance(Duration::from_secs(3_601));
    let id = world.enrolled.id.to_string();
    for (slug, provider, told) in [
        ("st-elsewhere", id.as_str(), Problem::Unreachable),
        ("nowhere", &id, Problem::NotEnrolled),
        ("no slug", &id, Problem::NotEnrolled),
        ("st-elsewhere", "x", Problem::NotEnrolled),
    ] {
        let sent = world.identity.send_to_provider(slug, provider, "/", super::world::REDIRECT).await;
        assert_eq!(sent.err().map(|failed| failed.problem), Some(told), "{slug} {provider}");
    }
    assert!(world.identity.entrances("nowhere").await.unwrap().is_empty());
    assert_eq!(world.identity.entrances("st-elsewhere").await.unwrap().len(), 1, "the button stays");
}

#[tokio::test]
async fn enrolling_says_what_is_wrong_with_a_provider() {
    let world = World::new().await;
    let issuer = world.provider.issuer.clone();
    let found = world.identity.discover(&issuer).await.unwrap();
    assert_eq!((found.keys, found.ends_sessions, found.tells_of_logout), (1, true, true));
    let said = async |issuer: &str| match world.identity.discover(issuer).await {
        Err(ProviderError::Answer { problem } | ProviderError::Field { problem, .. }) => problem,
        other => panic!("{other:?}"),
    };
    assert!(said("http://login.example.org").await.contains("https://"));
    assert!(said("http://127.0.0.1:1").await.contains("cannot be reached"));
    world.provider.describe(&json!({ "issuer": format!("{issuer}/") }));
    assert!(said(&issuer).await.contains("another issuer"));
    world.provider.describe(&json!({ "token_endpoint": "http://10.0.0.1/token" }));
    assert!(said(&issuer).await.contains("no address that is asked"));
    world.provider.describe(&json!({ "jwks_uri": "http://10.0.0.1/keys" }));
    assert!(said(&issuer).await.contains("no address that is asked"));
    world.provider.answer("/.well-known/openid-configuration", 302, &json!({}));
    assert!(said(&issuer).await.contains("302"), "nobody is followed elsewhere");
    world.provider.answer("/.well-known/openid-configuration", 200, &json!({ "x": "x".repeat(600_000) }));
    assert!(said(&issuer).await.contains("more than"));
}
