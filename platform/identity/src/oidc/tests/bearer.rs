//! Access tokens on the API.

use serde_json::{Value, json};
use tenants::{clock::Clock, identity_provider::IdentityProvider};

use super::{
    provider::{Signer, hs256, signing_input},
    world::{AUDIENCE, KID, World},
};
use crate::IdentityError;

fn claims(world: &World) -> Value {
    let now = world.clock.now().as_second();
    json!({ "iss": world.provider.issuer, "aud": AUDIENCE, "iat": now, "exp": now + 120, "jti": "j",
        "sub": "s-1", "client_id": "some-program" })
}

fn token(world: &World, typ: &str, claims: &Value) -> String {
    world.signer.token(&json!({ "alg": world.signer.alg(), "kid": KID, "typ": typ }), claims)
}

#[tokio::test]
async fn an_access_token_has_the_rights_of_its_subject() {
    let world = World::new().await;
    world.wait();
    let refused = world.identity.bearer(&token(&world, "at+jwt", &claims(&world)), "").await;
    assert!(matches!(refused, Err(IdentityError::NotValid)), "nobody of this name has signed in");
    world.expect_refused("never signed in", "stranger").await;
    let session = world.sign_in(|claims| world.signed(&claims)).await.unwrap().signed_in;
    let right = token(&world, "at+jwt", &claims(&world));
    assert_eq!(world.identity.bearer(&right, "").await.unwrap(), session.caller);
    let several = {
        let mut claims = claims(&world);
        claims["aud"] = json!(["https://other.example", AUDIENCE]);
        token(&world, "application/at+jwt", &claims)
    };
    assert_eq!(world.identity.bearer(&several, "").await.unwrap(), session.caller);
    world.clock.advance(std::time::Duration::from_secs(120 + 59));
    assert!(world.identity.bearer(&right, "").await.is_ok(), "within the tolerance of clocks");
    world.clock.advance(std::time::Duration::from_secs(2));
    assert!(world.identity.bearer(&right, "").await.is_err(), "also when it is known");
}

#[tokio::test]
async fn access_tokens_that_are_wrong_in_one_thing() {
    let world = World::new().await;
    world.sign_in(|claims| world.signed(&claims)).await.unwrap();
    type Change = fn(&mut Value, i64);
    let wrong: [(&str, Change); 13] = [
        ("", |c, _| c["iss"] = json!("https://evil.example")),
        ("", |c, _| c["iss"] = Value::Null),
        ("", |c, _| c["aud"] = json!("iomt")),
        ("", |c, _| drop(c.as_object_mut().unwrap().remove("aud"))),
        ("over for more", |c, now| c["exp"] = json!(now - 61)),
        ("no usable exp", |c, _| drop(c.as_object_mut().unwrap().remove("exp"))),
        ("no usable iat", |c, _| drop(c.as_object_mut().unwrap().remove("iat"))),
        ("in the future", |c, now| c["iat"] = json!(now + 61)),
        ("nbf", |c, now| c["nbf"] = json!(now + 61)),
        ("no usable client_id", |c, _| drop(c.as_object_mut().unwrap().remove("client_id"))),
        ("no usable jti", |c, _| drop(c.as_object_mut().unwrap().remove("jti"))),
        ("no usable sub", |c, _| drop(c.as_object_mut().unwrap().remove("sub"))),
        ("never signed in", |c, _| c["sub"] = json!("s-2")),
    ];
    for (n, (reason, change)) in wrong.into_iter().enumerate() {
        world.wait();
        let mut claims = claims(&world);
        change(&mut claims, world.clock.now().as_second());
        let outcome = world.identity.bearer(&token(&world, "at+jwt", &claims), "").await;
        assert!(matches!(outcome, Err(IdentityError::NotValid)), "{n}: {reason}: {outcome:?}");
        if !reason.is_empty() {
            world.expect_refused(reason, &n.to_string()).await;
        }
    }
    let (stranger, right) = (Signer::es256(), claims(&world));
    let header = |alg: &str| json!({ "alg": alg, "kid": KID, "typ": "at+jwt" });
    let public = serde_json::to_vec(&world.signer.jwk(KID)).unwrap();
    for (reason, forged) in [
        ("another type", token(&world, "JWT", &right)),
        ("another type", world.signed(&right)),
        ("another type", token(&world, "logout+jwt", &right)),
        ("not allowed", format!("{}.", signing_input(&header("none"), &right))),
        ("not allowed", hs256(&public, &header("HS256"), &right)),
        ("signature is wrong", stranger.token(&header("ES256"), &right)),
        ("does not publish", stranger.token(&json!({ "alg": "ES256", "kid": "x", "typ": "at+jwt" }), &right)),
    ] {
        world.wait();
        let outcome = world.identity.bearer(&forged, "").await;
        assert!(matches!(outcome, Err(IdentityError::NotValid)), "{reason}: {outcome:?}");
        world.expect_refused(reason, reason).await;
    }
    for none in ["a.b.c", "..", "a.b"] {
        assert!(matches!(world.identity.bearer(none, "").await, Err(IdentityError::NotValid)));
    }
    world.save(&IdentityProvider { version: 2, enabled: false, ..world.enrolled.clone() }).await;
    let off = world.identity.bearer(&token(&world, "at+jwt", &right), "").await;
    assert!(matches!(off, Err(IdentityError::NotValid)), "the provider is switched off");
}
