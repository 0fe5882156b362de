//! Signing in and out, set-up, and what protects a session from other sites' pages.

use actix_web::{
    http::{StatusCode, header},
    test::TestRequest,
};
use serde_json::json;

use super::world::{EMAIL, PASSWORD, World, json_post, post};

const VIEWER: &str = "{ viewer { email } }";

#[actix_web::test]
async fn a_session_from_its_beginning_to_its_end() {
    let world = World::new().await;
    assert_eq!(world.get("/auth/session").await.status, StatusCode::UNAUTHORIZED);
    let answer = world.sign_in().await;
    assert_eq!(answer.status, StatusCode::OK);
    let session = answer.json();
    assert_eq!((&session["email"], &session["displayName"]), (&json!(EMAIL), &json!("N. N.")));
    let (cookie, csrf) = (answer.cookie(), session["csrf"].as_str().unwrap().to_owned());
    assert!(!answer.body.contains(cookie.split('=').nth(1).unwrap()), "the secret is for the browser alone");

    let with_cookie =
        |path: &str| TestRequest::with_uri(path).insert_header((header::COOKIE, cookie.clone()));
    let again = world.send(with_cookie("/auth/session")).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, session));

    let logout = || post("/auth/logout").insert_header((header::COOKIE, cookie.clone()));
    assert_eq!(world.send(logout()).await.status, StatusCode::FORBIDDEN, "without the CSRF token");
    let ended = world.send(logout().insert_header(("x-csrf-token", csrf.clone()))).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert!(ended.header(header::SET_COOKIE).contains("Max-Age=0"));
    assert_eq!(world.send(with_cookie("/auth/session")).await.status, StatusCode::UNAUTHORIZED);
    let twice = world.send(logout().insert_header(("x-csrf-token", csrf))).await;
    assert_eq!(twice.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    for (public_url, name, secure) in
        [("", "iomt_session=", false), ("https://iomt.example.org", "__Host-iomt_session=", true)]
    {
        let answer = World::at(public_url).await.sign_in().await;
        let cookie = answer.header(header::SET_COOKIE);
        assert!(cookie.starts_with(name), "{cookie}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert_eq!(cookie.contains("Secure"), secure, "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

#[actix_web::test]
async fn sign_ins_that_are_refused() {
    let world = World::new().await;
    let right = json!({ "email": EMAIL, "password": PASSWORD });
    let foreign = json_post("/auth/login", &right).insert_header((header::ORIGIN, "https://evil.example"));
    assert_eq!(world.send(foreign).await.status, StatusCode::FORBIDDEN);
    let form = post("/auth/login").set_form([("email", EMAIL), ("password", PASSWORD)]);
    assert_eq!(world.send(form).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = json!({ "email": EMAIL, "password": "x".repeat(20_000) });
    assert_eq!(world.send(json_post("/auth/login", &large)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let part = json!({ "email": EMAIL });
    let answer = world.send(json_post("/auth/login", &part)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let wrong = json!({ "email": EMAIL, "password": "hunter2" });
    for _ in 0..5 {
        let answer = world.send(json_post("/auth/login", &wrong)).await;
        assert_eq!(
            (answer.status, answer.json()["code"].take()),
            (StatusCode::UNAUTHORIZED, json!("UNAUTHENTICATED"))
        );
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json");
        assert!(!answer.headers.contains_key(header::SET_COOKIE) && !answer.body.contains("hunter2"));
    }
    let held_back = world.send(json_post("/auth/login", &right)).await;
    assert_eq!(held_back.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(held_back.header(header::RETRY_AFTER), "1");
}

#[actix_web::test]
async fn a_cookie_alone_changes_nothing() {
    let world = World::new().await;
    let answer = world.sign_in().await;
    let (cookie, csrf) = (answer.cookie(), answer.json()["csrf"].as_str().unwrap().to_owned());
    let other = world.sign_in().await.json()["csrf"].as_str().unwrap().to_owned();
    let ours = "http://127.0.0.1:8080";
    for (origin, token, status) in [
        (Some(ours), Some(csrf.as_str()), StatusCode::OK),
        (None, Some(csrf.as_str()), StatusCode::OK),
        (Some("https://evil.example"), Some(csrf.as_str()), StatusCode::FORBIDDEN),
        (Some("null"), Some(csrf.as_str()), StatusCode::FORBIDDEN),
        (Some(ours), None, StatusCode::FORBIDDEN),
        (Some(ours), Some(""), StatusCode::FORBIDDEN),
        (Some(ours), Some(other.as_str()), StatusCode::FORBIDDEN),
    ] {
        let mut request = json_post("/graphql", &json!({ "query": VIEWER }));
        request = request.insert_header((header::COOKIE, cookie.clone()));
        for (name, value) in [("origin", origin), ("x-csrf-token", token)] {
            if let Some(value) = value {
                request = request.insert_header((name, value));
            }
        }
        let answer = world.send(request).await;
        assert_eq!(answer.status, status, "{origin:?} {token:?}: {answer:?}");
        if status == StatusCode::FORBIDDEN {
            assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "FORBIDDEN");
        }
    }
    // A wrong bearer token is not made good by a cookie.
    let request = json_post("/graphql", &json!({ "query": VIEWER }))
        .insert_header((header::COOKIE, cookie))
        .insert_header(("x-csrf-token", csrf))
        .insert_header((header::AUTHORIZATION, "Bearer x"));
    assert_eq!(world.send(request).await.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn the_set_up_link_is_closed_once_there_is_an_account() {
    let world = World::new().await;
    assert!(world.foundation.identity.open_setup().await.unwrap().is_none());
    for token in ["", "x"] {
        assert_eq!(world.get(&format!("/auth/setup?token={token}")).await.status, StatusCode::NOT_FOUND);
        let body = json!({ "token": token, "email": "a@b", "displayName": "A", "password": PASSWORD });
        assert_eq!(world.send(json_post("/auth/setup", &body)).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.get("/auth/setup").await.status, StatusCode::NOT_FOUND);
}
