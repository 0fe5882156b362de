//! Readings over HTTP.

use actix_web::{
    http::{StatusCode, header},
    test::TestRequest,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use tenants::{
    DeviceId, Tenant,
    access::{Action, Object},
    quotas::Quotas,
    stores::Tenants,
};

use super::world::{DEVICE, World, post};

fn with(path: &str, credential: &str) -> TestRequest {
    let value = format!("Basic {}", STANDARD.encode(credential));
    post(path).insert_header((header::AUTHORIZATION, value)).set_payload("{\"heartRate\":72}")
}

#[actix_web::test]
async fn a_reading_is_stored_before_it_is_answered() {
    let world = World::new().await;
    let credential = format!("st-elsewhere/{DEVICE}:{}", world.device_token);
    for path in ["/api/v1/telemetry", "/api/v1/telemetry/pump"] {
        let answer = world.send(with(path, &credential)).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NO_CONTENT, ""), "{path}");
    }
    let scope = world.foundation.access.grant(&world.caller, Object::Device, Action::Read).await.unwrap();
    let state = world.parts.twins.device(&scope, &DeviceId::parse(DEVICE).unwrap()).await.unwrap();
    assert_eq!(state.messages, 2);
    let paths: Vec<_> = state.latest.keys().map(|path| path.as_str().to_owned()).collect();
    assert!(
        paths.contains(&"heartRate".to_owned()) && paths.contains(&"pump/heartRate".to_owned()),
        "{paths:?}"
    );
}

#[actix_web::test]
async fn what_is_refused_is_not_stored() {
    let world = World::new().await;
    let token = &world.device_token;
    let right = format!("st-elsewhere/{DEVICE}:{token}");
    let path = "/api/v1/telemetry";
    for (request, status) in [
        (post(path), StatusCode::UNAUTHORIZED),
        (with(path, &format!("st-elsewhere/{DEVICE}:wrong")), StatusCode::UNAUTHORIZED),
        (with(path, &format!("st-elsewhere/{DEVICE}:")), StatusCode::UNAUTHORIZED),
        (with(path, &format!("nowhere/{DEVICE}:{token}")), StatusCode::UNAUTHORIZED),
        (with(path, &format!("st-elsewhere/other:{token}")), StatusCode::UNAUTHORIZED),
        (post(path).insert_header(world.bearer()), StatusCode::UNAUTHORIZED),
        (with("/api/v1/telemetry/a%20b", &right), StatusCode::BAD_REQUEST),
        (with(&format!("{path}/{}", "x".repeat(65)), &right), StatusCode::BAD_REQUEST),
        (with(path, &right).set_payload(vec![b' '; 256 * 1024 + 1]), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let answer = world.send(request).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json");
        if status == StatusCode::UNAUTHORIZED {
            assert!(answer.header(header::WWW_AUTHENTICATE).starts_with("Basic"));
        }
    }
    let scope = world.foundation.access.grant(&world.caller, Object::Device, Action::Read).await.unwrap();
    let state = world.parts.twins.device(&scope, &DeviceId::parse(DEVICE).unwrap()).await.unwrap();
    assert_eq!(state.messages, 0);
}

#[actix_web::test]
async fn what_is_faster_than_the_hospital_may_be_is_told_when_to_come_again() {
    let world = World::new().await;
    let credential = format!("st-elsewhere/{DEVICE}:{}", world.device_token);
    let tenant = world.foundation.database.by_id(world.caller.tenant).await.unwrap().unwrap();
    let quotas = Quotas { messages_per_second: 1, ..Quotas::default() };
    world.foundation.meter.know(&[Tenant { quotas, ..tenant }]);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let answer = world.send(with("/api/v1/telemetry", &credential)).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(answer.header(header::RETRY_AFTER), "1");
            assert_eq!(answer.json()["code"], "RATE_LIMITED");
            assert!(answer.body.contains("has used up its 1 messages a second"), "{}", answer.body);
        }
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [204, 429, 429]);
}
