//! ID tokens: one right, and many that are wrong in one thing.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use serde_json::{Value, json};
use tenants::clock::Clock;

use super::{
    provider::{Signer, hs256, signing_input},
    world::{KID, World, problem},
};
use crate::SignInProblem::{Email, Refused};

/// Changes the claims of a right token; the clock stands at `now`.
type Change = fn(&mut Value, i64);

#[tokio::test]
async fn claims_that_are_wrong_in_one_thing() {
    let world = World::new().await;
    let wrong: [(&str, Change); 26] = [
        ("another issuer", |c, _| c["iss"] = json!("https://evil.example")),
        ("of another issuer", |c, _| c["iss"] = Value::Null),
        ("another audience", |c, _| c["aud"] = json!("someone-else")),
        ("another audience", |c, _| c["aud"] = json!(["a", "b"])),
        ("another audience", |c, _| c["aud"] = json!([])),
        ("another audience", |c, _| c["aud"] = json!({ "iomt": 1 })),
        ("azp", |c, _| c["aud"] = json!(["iomt", "someone-else"])),
        ("azp", |c, _| c["azp"] = json!("someone-else")),
        ("azp", |c, _| c["azp"] = Value::Null),
        ("nonce", |c, _| c["nonce"] = json!("another")),
        ("nonce", |c, _| drop(c.as_object_mut().unwrap().remove("nonce"))),
        ("over for more than 60 s", |c, now| c["exp"] = json!(now - 61)),
        ("over for more than 60 s", |c, _| c["exp"] = json!(0)),
        ("no usable exp", |c, _| drop(c.as_object_mut().unwrap().remove("exp"))),
        ("no usable exp", |c, _| c["exp"] = json!("tomorrow")),
        ("no usable exp", |c, _| c["exp"] = json!(1e300)),
        ("in the future (iat)", |c, now| c["iat"] = json!(now + 61)),
        ("no usable iat", |c, _| drop(c.as_object_mut().unwrap().remove("iat"))),
        ("more than 60 s (nbf)", |c, now| c["nbf"] = json!(now + 61)),
        ("no usable nbf", |c, _| c["nbf"] = json!("x")),
        ("at_hash", |c, _| c["at_hash"] = json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ("at_hash", |c, _| c["at_hash"] = Value::Null),
        ("no usable sub", |c, _| c["sub"] = json!("")),
        ("no usable sub", |c, _| drop(c.as_object_mut().unwrap().remove("sub"))),
        ("e-mail address", |c, _| c["email_verified"] = json!(false)),
        ("e-mail address", |c, _| c["email"] = json!("nobody")),
    ];
    for (n, (reason, change)) in wrong.into_iter().enumerate() {
        world.wait();
        let now = world.clock.now().as_second();
        let outcome = world
            .sign_in(|mut claims| {
                change(&mut claims, now);
                world.signed(&claims)
            })
            .await;
        let told = if reason == "e-mail address" { Email } else { Refused };
        // What the crate cannot even read is refused, too, without our reason for it.
        let reason = if problem_of_form(n) { "cannot be read" } else { reason };
        assert_eq!(problem(outcome), Some(told), "{n}: {reason}");
        world.expect_refused(reason, &n.to_string()).await;
    }
    let right: [Change; 6] = [
        |_, _| {},
        |c, now| c["exp"] = json!(now - 59),
        |c, now| c["iat"] = json!(now + 59),
        |c, now| c["nbf"] = json!(now + 59),
        |c, _| c["aud"] = json!(["iomt"]),
        |c, _| {
            c["aud"] = json!(["iomt", "someone-else"]);
            c["azp"] = json!("iomt");
        },
    ];
    for (n, change) in right.into_iter().enumerate() {
        let now = world.clock.now().as_second();
        let outcome = world.sign_in(|mut claims| {
            change(&mut claims, now);
            world.signed(&claims)
        });
        assert_eq!(problem(outcome.await), None, "{n}");
    }
}

/// Claims whose JSON type is wrong: the crate refuses them while it reads the answer.
fn problem_of_form(n: usize) -> bool {
    [1, 5, 13, 14, 15, 17, 23].contains(&n)
}

#[tokio::test]
async fn signatures_and_keys_that_are_wrong() {
    let world = World::new().await;
    let (stranger, alg) = (Signer::es256(), world.signer.alg());
    let public = serde_json::to_vec(&world.signer.jwk(KID)).unwrap();
    type Make<'a> = Box<dyn Fn(&Value) -> String + 'a>;
    let wrong: Vec<(&str, Make<'_>)> = vec![
        ("not allowed", Box::new(|c| format!("{}.", signing_input(&json!({ "alg": "none" }), c)))),
        (
            "not allowed",
            Box::new(|c| format!("{}.", signing_input(&json!({ "alg": "none", "kid": KID }), c))),
        ),
        ("not allowed", Box::new(|c| hs256(&public, &json!({ "alg": "HS256", "kid": KID }), c))),
        ("not allowed", Box::new(|c| hs256(b"hunter2", &json!({ "alg": "HS256" }), c))),
        ("signature is wrong", Box::new(|c| stranger.token(&json!({ "alg": alg, "kid": KID }), c))),
        ("signature is wrong", Box::new(|c| stranger.token(&json!({ "alg": alg }), c))),
        ("does not publish", Box::new(|c| stranger.token(&json!({ "alg": alg, "kid": "k-2" }), c))),
        ("signature is wrong", Box::new(|c| world.signer.token(&json!({ "alg": "RS256", "kid": KID }), c))),
        ("signature is wrong", Box::new(|c| world.signer.token(&json!({ "alg": "ES384", "kid": KID }), c))),
        (
            "not allowed",
            Box::new(|c| {
                world.signer.token(&json!({ "alg": alg, "kid": KID, "crit": ["exp"], "exp": 1 }), c)
            }),
        ),
        (
            "another type",
            Box::new(|c| world.signer.token(&json!({ "alg": alg, "kid": KID, "typ": "at+jwt" }), c)),
        ),
        (
            "signature is wrong",
            Box::new(|c| {
                let mut token = world.signed(c);
                let at = token.len() - 20..token.len() - 19;
                let other = if &token[at.clone()] == "A" { "B" } else { "A" };
                token.replace_range(at, other);
                token
            }),
        ),
        (
            "signature is wrong",
            Box::new(|c| {
                // Another person's claims under the same signature.
                let token = world.signed(c);
                let mut claims = c.clone();
                claims["sub"] = json!("s-2");
                format!(
                    "{}.{}",
                    signing_input(&json!({ "alg": alg, "kid": KID }), &claims),
                    token.rsplit('.').next().unwrap()
                )
            }),
        ),
    ];
    for (n, (reason, make)) in wrong.iter().enumerate() {
        world.wait();
        let outcome = world.sign_in(|claims| make(&claims)).await;
        assert_eq!(problem(outcome), Some(Refused), "{n}: {reason}");
        world.expect_refused(reason, &n.to_string()).await;
    }
    for none in ["", "x", "a.b", "a.b.c", "a.b.c.d", "e30.e30."] {
        world.wait();
        assert_eq!(problem(world.sign_in(|_| none.to_owned()).await), Some(Refused), "{none}");
    }
}

#[tokio::test]
async fn keys_may_rotate_and_are_asked_for_once() {
    let world = World::with(Signer::ed25519()).await;
    assert_eq!(problem(world.sign_in(|claims| world.signed(&claims)).await), None);
    let new = Signer::es256();
    let rotated = |kid: &str, claims: &Value| new.token(&json!({ "alg": new.alg(), "kid": kid }), claims);
    world.clock.advance(Duration::from_secs(30));
    // Leaving asks the provider, and right after that it signs with another key.
    let (came, nonce) = world.leave().await;
    let asked = world.provider.key_requests.load(SeqCst);
    world.provider.publish(&[new.jwk("k-2")]);
    world.provider.give(&rotated("k-2", &world.claims(&nonce)));
    assert_eq!(problem(world.come_back(&came).await), None, "the new key is asked for");
    assert_eq!(world.provider.key_requests.load(SeqCst), asked + 1);
    for _ in 0..5 {
        let unknown = world.sign_in(|claims| rotated("k-3", &claims)).await;
        assert_eq!(problem(unknown), Some(Refused));
    }
    assert_eq!(world.provider.key_requests.load(SeqCst), asked + 1, "not again within seconds");
    let old = world.sign_in(|claims| world.signed(&claims)).await;
    assert_eq!(problem(old), Some(Refused), "the old key is gone");
}
