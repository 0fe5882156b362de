//! Access tokens for service clients.

use actix_web::{http::StatusCode, test::TestRequest};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tenants::{
    access::{Access, Action, Caller, FixedRules, Object, Principal, Restriction, Role, Scope},
    audit::AuditEntry,
    service_client::ServiceClient,
    stores::ServiceClients,
};

use super::world::{World, json_post, post};

async fn scope(world: &World) -> Scope {
    let id = tenants::UserId::new(&*world.foundation.clock);
    let rules = FixedRules::new([(id, Role::Admin.into())]);
    let access = Access::new(std::sync::Arc::new(rules), world.foundation.clock.clone());
    let principal = Principal::User { id, name: "A.".into(), email: "a@b".into(), restricted_to: None };
    let caller = Caller { tenant: world.caller.tenant, principal };
    access.grant(&caller, Object::Token, Action::Write).await.unwrap()
}

fn note(world: &World) -> AuditEntry {
    let now = world.foundation.clock.now();
    AuditEntry::new(world.caller.tenant, now, "system", "test.set_up", "test:1")
}

/// A client of the hospital, and its secret.
async fn client(world: &World) -> (ServiceClient, String) {
    let tenant = world.caller.tenant;
    let role = Restriction { role: Role::Nurse.into(), unit: tenants::UnitId::root(tenant) };
    let (client, secret) =
        ServiceClient::new(tenant, "EHR".into(), role, None, &*world.foundation.clock).unwrap();
    world.foundation.database.create_client(&scope(world).await, &client, &note(world)).await.unwrap();
    world.foundation.access.changed(tenant);
    (client, secret.reveal().to_owned())
}

fn form(fields: &[(&str, &str)]) -> TestRequest {
    post("/oauth/token").set_form(fields.to_vec())
}

fn basic(id: &str, secret: &str) -> (&'static str, String) {
    ("authorization", format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))
}

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[actix_web::test]
async fn a_client_gets_a_token_and_acts_with_its_role_until_it_is_disabled() {
    let world = World::new().await;
    let (client, secret) = client(&world).await;
    let id = client.id.to_string();
    let by_header = form(&[GRANT]).insert_header(basic(&id, &secret));
    let in_form = form(&[GRANT, ("client_id", &id), ("client_secret", &secret), ("scope", "")]);
    let query = json!({ "query": "{ viewer { displayName email roles { role } } patients { totalCount } }" });
    for request in [by_header, in_form] {
        let answer = world.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        let token = answer.json();
        assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(900)));
        let bearer = ("authorization", format!("Bearer {}", token["access_token"].as_str().unwrap()));
        let shown = world.send(json_post("/graphql", &query).insert_header(bearer.clone())).await.json();
        assert_eq!(shown["data"]["viewer"]["displayName"], "EHR", "{shown}");
        assert_eq!(shown["data"]["patients"]["totalCount"], 0);
        let own = json!({ "query": "{ apiTokens { id } }" });
        let own = world.send(json_post("/graphql", &own).insert_header(bearer.clone())).await.json();
        assert_eq!(own["errors"][0]["extensions"]["code"], "FORBIDDEN", "{own}");

        let stores = &world.foundation.database;
        let now = world.foundation.clock.now();
        stores.disable_client(&scope(&world).await, client.id, Some(now), &note(&world)).await.unwrap();
        world.foundation.identity.revocations().tell(world.caller.tenant);
        let refused = world.send(json_post("/graphql", &query).insert_header(bearer)).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        let again = world.send(form(&[GRANT]).insert_header(basic(&id, &secret))).await;
        assert_eq!(
            (again.status, &again.json()["error"]),
            (StatusCode::UNAUTHORIZED, &json!("invalid_client"))
        );
        stores.disable_client(&scope(&world).await, client.id, None, &note(&world)).await.unwrap();
        world.foundation.access.changed(world.caller.tenant);
    }
}

#[actix_web::test]
async fn what_is_refused_and_in_the_words_of_the_standard() {
    let world = World::new().await;
    let (client, secret) = client(&world).await;
    let id = client.id.to_string();
    let other = tenants::credentials::BearerToken::generate(world.caller.tenant).unwrap();
    let platform = tenants::credentials::BearerToken::generate(tenants::TenantId::PLATFORM).unwrap();
    let known = |fields: &[(&str, &str)]| form(fields).insert_header(basic(&id, &secret));
    let refused: Vec<(TestRequest, u16, &str)> = vec![
        (known(&[]), 400, "invalid_request"),
        (known(&[("grant_type", "password")]), 400, "unsupported_grant_type"),
        (known(&[GRANT, ("scope", "everything")]), 400, "invalid_scope"),
        (known(&[GRANT, ("client_secret", &secret)]), 400, "invalid_request"),
        (form(&[GRANT]), 401, "invalid_client"),
        (form(&[GRANT, ("client_id", &id)]), 401, "invalid_client"),
        (form(&[GRANT]).insert_header(basic(&id, other.reveal())), 401, "invalid_client"),
        (form(&[GRANT]).insert_header(basic(&id, platform.reveal())), 401, "invalid_client"),
        (form(&[GRANT]).insert_header(basic(&id, "hunter2")), 401, "invalid_client"),
        (form(&[GRANT]).insert_header(basic("nobody", &secret)), 401, "invalid_client"),
        (form(&[GRANT]).insert_header(("authorization", "Basic %%%")), 401, "invalid_client"),
        (form(&[GRANT]).insert_header(("authorization", format!("Bearer {secret}"))), 401, "invalid_client"),
        (json_post("/oauth/token", &json!({ "grant_type": "client_credentials" })), 400, "invalid_request"),
        (post("/oauth/token").set_payload("x".repeat(9_000)), 400, "invalid_request"),
    ];
    for (n, (request, status, error)) in refused.into_iter().enumerate() {
        let answer = world.send(request).await;
        let told: Value = answer.json();
        assert_eq!((answer.status.as_u16(), &told["error"]), (status, &json!(error)), "{n}: {told}");
        assert!(told["error_description"].as_str().unwrap().len() > 10, "{n}");
        assert!(!answer.body.contains(&secret) && !answer.body.contains("hunter2"), "{n}");
        assert_eq!(answer.header("cache-control"), "no-store", "{n}");
        let challenged = answer.header("www-authenticate");
        assert_eq!(challenged, if status == 401 { "Basic realm=\"iomt\"" } else { "" }, "{n}");
    }
    let get = world.send(TestRequest::with_uri("/oauth/token")).await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    // The secret itself opens nothing.
    let query = json!({ "query": "{ viewer { id } }" });
    let bearer = ("authorization", format!("Bearer {secret}"));
    let direct = world.send(json_post("/graphql", &query).insert_header(bearer)).await;
    assert_eq!(direct.status, StatusCode::UNAUTHORIZED);
}
