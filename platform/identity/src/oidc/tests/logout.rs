//! Logout tokens.

use serde_json::{Value, json};
use tenants::clock::Clock;

use super::world::{KID, World};
use crate::IdentityError;
use crate::memory::visitor;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn claims(world: &World, jti: &str) -> Value {
    let now = world.clock.now().as_second();
    json!({ "iss": world.provider.issuer, "aud": "iomt", "iat": now, "exp": now + 120, "jti": jti,
        "sub": "s-1", "sid": "sid-1", "events": { EVENT: {} } })
}

async fn send(world: &World, typ: &str, claims: &Value) -> Result<usize, IdentityError> {
    let header = json!({ "alg": world.signer.alg(), "kid": KID, "typ": typ });
    let (id, token) = (world.enrolled.id.to_string(), world.signer.token(&header, claims));
    world.identity.end_by_provider("st-elsewhere", &id, &token, &visitor("192.0.2.2", 8)).await
}

#[tokio::test]
async fn a_logout_token_ends_the_session_once() {
    let world = World::new().await;
    let session = world.sign_in(|claims| world.signed(&claims)).await.unwrap().signed_in;
    world.identity.session(&session.cookie).await.unwrap();
    let leave =
        world.identity.provider_to_leave(&session.cookie, "http://127.0.0.1:8080/login").await.unwrap();
    assert!(leave.starts_with(&format!("{}/end?", world.provider.issuer)), "{leave}");
    assert!(leave.contains("client_id=iomt"), "{leave}");

    type Change = fn(&mut Value, i64);
    let wrong: [(&str, Change); 16] = [
        ("another issuer", |c, _| c["iss"] = json!("https://evil.example")),
        ("another audience", |c, _| c["aud"] = json!("someone-else")),
        ("no usable exp", |c, _| drop(c.as_object_mut().unwrap().remove("exp"))),
        ("over for more", |c, now| c["exp"] = json!(now - 61)),
        ("no usable iat", |c, _| drop(c.as_object_mut().unwrap().remove("iat"))),
        ("in the future", |c, now| c["iat"] = json!(now + 61)),
        ("events", |c, _| drop(c.as_object_mut().unwrap().remove("events"))),
        ("events", |c, _| c["events"] = json!({ "other": {} })),
        ("events", |c, _| c["events"] = json!({ EVENT: null })),
        ("events", |c, _| c["events"] = json!([EVENT])),
        ("has a nonce", |c, _| c["nonce"] = json!("n")),
        ("has a nonce", |c, _| c["nonce"] = Value::Null),
        ("no usable jti", |c, _| drop(c.as_object_mut().unwrap().remove("jti"))),
        ("no usable jti", |c, _| c["jti"] = json!("")),
        ("sub or sid", |c, _| c.as_object_mut().unwrap().retain(|name, _| name != "sub" && name != "sid")),
        ("sub or sid", |c, _| {
            c["sub"] = Value::Null;
            c["sid"] = json!(7);
        }),
    ];
    for (n, (reason, change)) in wrong.into_iter().enumerate() {
        world.wait();
        let mut claims = claims(&world, "j-1");
        change(&mut claims, world.clock.now().as_second());
        let outcome = send(&world, "logout+jwt", &claims).await;
        assert!(matches!(outcome, Err(IdentityError::LogoutToken)), "{n}: {reason}: {outcome:?}");
        world.expect_refused(reason, &n.to_string()).await;
    }
    world.wait();
    let as_access_token = send(&world, "at+jwt", &claims(&world, "j-1")).await;
    assert!(matches!(as_access_token, Err(IdentityError::LogoutToken)));
    world.identity.session(&session.cookie).await.unwrap();

    let right = claims(&world, "j-1");
    assert_eq!(send(&world, "logout+jwt", &right).await.unwrap(), 1);
    assert!(matches!(world.identity.session(&session.cookie).await, Err(IdentityError::NotValid)), "at once");
    world.wait();
    assert!(send(&world, "logout+jwt", &right).await.is_err(), "each counts once");
    world.expect_refused("used before", "replay").await;
    let other = world.identity.end_by_provider("nowhere", "x", "x", &visitor("192.0.2.2", 8)).await;
    assert!(matches!(other, Err(IdentityError::LogoutToken)));
}

#[tokio::test]
async fn a_session_by_password_is_nobody_elses() {
    let world = World::new().await;
    let session = world.sign_in(|claims| world.signed(&claims)).await.unwrap().signed_in;
    let mut all = claims(&world, "j-1");
    all.as_object_mut().unwrap().remove("sid");
    all["sub"] = json!("s-2");
    assert_eq!(send(&world, "JWT", &all).await.unwrap(), 0, "somebody else");
    world.identity.session(&session.cookie).await.unwrap();
    assert_eq!(world.identity.provider_to_leave("x", "http://127.0.0.1:8080/login").await, None);
}
