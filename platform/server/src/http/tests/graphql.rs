//! GraphQL over HTTP: which requests are taken, and from whom.

use actix_web::{
    http::{StatusCode, header},
    test::TestRequest,
};
use serde_json::{Value, json};

use super::world::{EMAIL, World, json_post, post};

fn viewer() -> Value {
    json!({ "query": "{ viewer { email } }" })
}

#[actix_web::test]
async fn a_token_opens_the_api() {
    let world = World::new().await;
    let answer = world.send(json_post("/graphql", &viewer()).insert_header(world.bearer())).await;
    assert_eq!(
        (answer.status, answer.json()),
        (StatusCode::OK, json!({ "data": { "viewer": { "email": EMAIL } } }))
    );
    let query = TestRequest::with_uri("/graphql?query=%7Bviewer%7Bemail%7D%7D").insert_header(world.bearer());
    assert_eq!(world.send(query).await.json(), answer.json());
}

#[actix_web::test]
async fn without_one_it_stays_closed() {
    let world = World::new().await;
    for value in ["", "Bearer", "Bearer x", "Basic x", "x", &format!("Basic {}", world.token), &world.token] {
        let mut request = json_post("/graphql", &viewer());
        if !value.is_empty() {
            request = request.insert_header((header::AUTHORIZATION, value));
        }
        let answer = world.send(request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{value}");
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer");
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["code"], "UNAUTHENTICATED");
        assert_eq!(problem["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
    let introspection = json!({ "query": "{ __schema { queryType { name } } }" });
    assert_eq!(world.send(json_post("/graphql", &introspection)).await.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn requests_that_are_not_taken() {
    let world = World::new().await;
    let body = viewer().to_string();
    let typed = |content_type: &'static str, body: String| {
        post("/graphql").insert_header((header::CONTENT_TYPE, content_type)).set_payload(body)
    };
    let large = json!({ "query": format!("{{ viewer {{ email }} }} # {}", "x".repeat(300_000)) }).to_string();
    for (request, status) in [
        (typed("application/json; charset=utf-8", body.clone()), StatusCode::OK),
        (typed("text/plain", body.clone()), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (
            typed("application/x-www-form-urlencoded", "query={viewer{email}}".into()),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (typed("multipart/form-data; boundary=x", body.clone()), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (typed("application/graphql", "{ viewer { email } }".into()), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (post("/graphql").set_payload(body.clone()), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (typed("application/json", format!("[{body}]")), StatusCode::BAD_REQUEST),
        (typed("application/json", "{".into()), StatusCode::BAD_REQUEST),
        (typed("application/json", "[".repeat(100_000)), StatusCode::BAD_REQUEST),
        (typed("application/json", large), StatusCode::PAYLOAD_TOO_LARGE),
        (TestRequest::with_uri("/graphql"), StatusCode::OK),
        (
            TestRequest::with_uri("/graphql?query=mutation%7BacknowledgeAlarm%7Bid%7D%7D"),
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (TestRequest::with_uri("/graphql?query=%7Ba%7D&variables=x"), StatusCode::BAD_REQUEST),
    ] {
        let answer = world.send(request.insert_header(world.bearer())).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status != StatusCode::OK {
            assert!(answer.json()["errors"][0]["extensions"]["code"].is_string(), "{answer:?}");
        }
    }
}

#[actix_web::test]
async fn nobody_acts_in_a_hospital_that_has_not_let_them_in() {
    let world = World::new().await;
    let hospital = world.caller.tenant.to_string();
    let signed_in = world.sign_in().await;
    let (cookie, csrf) = (signed_in.cookie(), signed_in.json()["csrf"].as_str().unwrap().to_owned());
    let by_session = |hospital: &str| {
        let request = json_post("/graphql", &viewer()).insert_header(("x-csrf-token", csrf.clone()));
        request.insert_header(("cookie", cookie.clone())).insert_header(("x-act-in", hospital.to_owned()))
    };
    let platform = tenants::TenantId::PLATFORM.to_string();
    for (wrong, status) in [
        (by_session(&hospital), StatusCode::FORBIDDEN),
        (by_session(&platform), StatusCode::FORBIDDEN),
        (by_session("00000000-0000-7000-8000-000000000000"), StatusCode::FORBIDDEN),
        (by_session("st-elsewhere"), StatusCode::BAD_REQUEST),
        (by_session(""), StatusCode::BAD_REQUEST),
    ] {
        let answer = world.send(wrong).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let program = json_post("/graphql", &viewer()).insert_header(world.bearer());
    let answer = world.send(program.insert_header(("x-act-in", hospital))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "a program would go on by itself");
    assert!(answer.body.contains("has not let you in"), "{}", answer.body);
}
