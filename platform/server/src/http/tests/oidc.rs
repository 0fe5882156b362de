//! Identity providers at the edge: what is told to whom. The way there and back is tested in `identity` and in a browser.

use actix_web::http::{StatusCode, header};

use super::world::{World, post};

#[actix_web::test]
async fn an_unknown_hospital_looks_like_one_without_providers() {
    let world = World::new().await;
    for slug in ["st-elsewhere", "nowhere", "", "no%20slug", "%00"] {
        let answer = world.get(&format!("/auth/oidc?hospital={slug}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "[]"), "{slug}");
    }
    for hospital in ["st-elsewhere", "nowhere"] {
        let answer = world.get(&format!("/auth/oidc/{hospital}/0190/start?next=//evil.example")).await;
        let expected = format!("/login?hospital={hospital}&problem=not-enrolled");
        assert_eq!(
            (answer.status, answer.header(header::LOCATION)),
            (StatusCode::SEE_OTHER, expected.as_str())
        );
        assert!(!answer.headers.contains_key(header::SET_COOKIE), "nobody is on the way");
    }
}

#[actix_web::test]
async fn whoever_was_not_sent_does_not_come_back() {
    let world = World::new().await;
    for query in ["", "?state=x&code=y", "?error=access_denied", "?state=iomt_AAAAAAAAAAAAAAAAAAAAAA_x"] {
        let answer = world.get(&format!("/auth/oidc/callback{query}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{query}");
        assert_eq!(answer.header(header::LOCATION), "/login?problem=over", "{query}");
        assert!(answer.cookie().starts_with("iomt_sign_in="), "the attempt is over: {answer:?}");
    }
}

#[actix_web::test]
async fn a_logout_token_that_is_none_is_refused_alike() {
    let world = World::new().await;
    for hospital in ["st-elsewhere", "nowhere"] {
        let path = format!("/auth/oidc/backchannel-logout/{hospital}/0190");
        let answer = world.send(post(&path).set_form([("logout_token", "a.b.c")])).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("BAD_INPUT"))
        );
        assert!(answer.body.contains("not accepted"), "{answer:?}");
        let missing = world.send(post(&path).set_form([("token", "a.b.c")])).await;
        assert_eq!(missing.status, StatusCode::BAD_REQUEST);
        let json = world.send(post(&path).set_json("a.b.c")).await;
        assert_eq!(json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}
