//! What stands at which address, and with which headers.

use std::sync::atomic::Ordering::SeqCst;

use actix_web::{
    http::{Method, StatusCode, header},
    test::TestRequest,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use serde_json::Value;

use super::world::{World, post};
use crate::http::{openapi::DESCRIPTION, ui};

const PROBLEM: &str = "application/problem+json";

#[actix_web::test]
async fn pages_are_pages_and_nothing_else_is() {
    let world = World::new().await;
    for (path, status, content_type) in [
        ("/", StatusCode::OK, "text/html; charset=utf-8"),
        ("/index.html", StatusCode::OK, "text/html; charset=utf-8"),
        ("/patients/0190", StatusCode::OK, "text/html; charset=utf-8"),
        ("/devices/monitor.1", StatusCode::OK, "text/html; charset=utf-8"),
        ("/graphiql", StatusCode::OK, "text/html; charset=utf-8"),
        ("/setup?token=x", StatusCode::OK, "text/html; charset=utf-8"),
        ("/api/openapi.json", StatusCode::OK, "application/json"),
        ("/assets/missing.js", StatusCode::NOT_FOUND, PROBLEM),
        ("/assets", StatusCode::NOT_FOUND, PROBLEM),
        ("/assets/", StatusCode::NOT_FOUND, PROBLEM),
        ("/missing.js", StatusCode::NOT_FOUND, PROBLEM),
        ("/favicon.ico", StatusCode::NOT_FOUND, PROBLEM),
        ("/api", StatusCode::NOT_FOUND, PROBLEM),
        ("/api/v1/missing", StatusCode::NOT_FOUND, PROBLEM),
        ("/api/v1/telemetry/a/b", StatusCode::NOT_FOUND, PROBLEM),
        ("/auth/missing", StatusCode::NOT_FOUND, PROBLEM),
        ("/graphql/missing", StatusCode::NOT_FOUND, PROBLEM),
        ("/metrics", StatusCode::OK, "text/html; charset=utf-8"),
        ("/x/../../Cargo.toml", StatusCode::NOT_FOUND, PROBLEM),
        ("/..%5c..%5cCargo.toml", StatusCode::OK, "text/html; charset=utf-8"),
    ] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (status, content_type), "{path}");
        if content_type == PROBLEM {
            let problem = answer.json();
            assert_eq!((&problem["status"], &problem["code"]), (&404.into(), &"NOT_FOUND".into()), "{path}");
        }
    }
}

#[actix_web::test]
async fn other_methods_are_told_which_are_taken() {
    let world = World::new().await;
    for (method, path, allowed) in [
        (Method::POST, "/", "GET, HEAD"),
        (Method::DELETE, "/patients/1", "GET, HEAD"),
        (Method::GET, "/auth/login", "POST"),
        (Method::GET, "/auth/logout", "POST"),
        (Method::PUT, "/auth/setup", "GET, POST"),
        (Method::PUT, "/graphql", "GET, POST"),
        (Method::GET, "/api/v1/telemetry", "POST"),
        (Method::POST, "/livez", "GET, HEAD"),
    ] {
        let answer = world.send(TestRequest::with_uri(path).method(method)).await;
        assert_eq!(
            (answer.status, answer.header(header::ALLOW)),
            (StatusCode::METHOD_NOT_ALLOWED, allowed),
            "{path}"
        );
        assert_eq!(answer.header(header::CONTENT_TYPE), PROBLEM);
    }
}

#[actix_web::test]
async fn every_answer_tells_browsers_what_not_to_do() {
    let plain = World::new().await;
    let tls = World::at("https://iomt.example.org").await;
    for path in ["/", "/livez", "/auth/session", "/graphql", "/assets/missing.js", "/api/openapi.json"] {
        for (world, https) in [(&plain, false), (&tls, true)] {
            let answer = world.get(path).await;
            assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
            assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer", "{path}");
            assert!(answer.header("permissions-policy").contains("camera=()"), "{path}");
            assert!(
                answer.header(header::CONTENT_SECURITY_POLICY).contains("frame-ancestors 'none'"),
                "{path}"
            );
            assert_eq!(answer.header("x-correlation-id").len(), 16, "{path}");
            assert_eq!(answer.headers.contains_key(header::STRICT_TRANSPORT_SECURITY), https, "{path}");
            assert_eq!(answer.header(header::CACHE_CONTROL), "no-store", "{path}");
        }
    }
}

#[actix_web::test]
async fn a_built_ui_is_cached_by_its_hashes_and_compressed() {
    if !ui::is_built() {
        eprintln!("SKIPPED: the UI is not built, so there are no files to serve");
        return;
    }
    let world = World::new().await;
    let page = world.get("/").await;
    assert!(!page.body.contains("__CSP_NONCE__"));
    let script = page.body.split("src=\"").map(|rest| rest.split('"').next().unwrap());
    let script =
        script.filter(|path| path.starts_with("/assets/")).find(|path| path.ends_with(".js")).unwrap();
    let answer = world.get(script).await;
    assert_eq!(answer.header(header::CACHE_CONTROL), "public, max-age=31536000, immutable");
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/javascript; charset=utf-8");
    let tag = answer.header(header::ETAG).to_owned();
    for tags in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let again =
            world.send(TestRequest::with_uri(script).insert_header((header::IF_NONE_MATCH, tags))).await;
        assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    }
    for encoding in ["gzip", "br"] {
        let request = TestRequest::with_uri(script).insert_header((header::ACCEPT_ENCODING, encoding));
        assert_eq!(world.send_raw(request).await.header(header::CONTENT_ENCODING), encoding);
    }
    let icon = world.get("/icon.svg").await;
    assert_eq!(
        icon.header(header::CACHE_CONTROL),
        "no-cache",
        "a file without a hash in its name may change"
    );
}

#[actix_web::test]
async fn readiness_follows_the_database_and_the_shutdown() {
    let world = World::new().await;
    assert_eq!(world.get("/livez").await.status, StatusCode::OK);
    assert_eq!(world.get("/readyz").await.json()["status"], "ready");
    world.parts.health.shut_down();
    let answer = world.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["reasons"], serde_json::json!(["the server is shutting down"]));
    assert_eq!(world.get("/livez").await.status, StatusCode::OK, "it still lives");

    let world = World::new().await;
    world.database_works.store(false, SeqCst);
    let answer = world.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["reasons"], serde_json::json!(["the disk is full"]));
}

#[actix_web::test]
async fn metrics_name_routes_and_never_addresses() {
    let world = World::new().await;
    let mut registry = Registry::default();
    world.parts.metrics.register(&mut registry);
    world.get("/patients/0190-secret?name=secret").await;
    world.get("/assets/secret.js").await;
    world.get("/api/v1/telemetry/secret").await;
    world.send(TestRequest::with_uri("/livez").method(Method::from_bytes(b"SECRET").unwrap())).await;
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert!(!text.to_lowercase().contains("secret"), "{text}");
    for line in [
        "http_requests_total{route=\"page\",method=\"GET\",status=\"200\"} 1",
        "http_requests_total{route=\"page\",method=\"GET\",status=\"404\"} 1",
        "http_requests_total{route=\"/api/v1/telemetry/{component}\",method=\"GET\",status=\"405\"} 1",
        "http_requests_total{route=\"/livez\",method=\"other\",status=\"405\"} 1",
        "http_request_seconds_count{route=\"/livez\"} 1",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
}

#[actix_web::test]
async fn every_described_address_exists() {
    let world = World::new().await;
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() >= 8);
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let address = path.replace("{component}", "pump");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = world.send(TestRequest::with_uri(&address).method(method.clone())).await;
            let there = answer.status != StatusCode::METHOD_NOT_ALLOWED
                && (answer.status != StatusCode::NOT_FOUND
                    || answer.body.contains("set-up link")
                    || answer.body.contains("this invitation"));
            assert!(there, "{method} {path}: {answer:?}");
            let described = &methods[method.as_str().to_lowercase()]["responses"];
            let status = answer.status.as_u16().to_string();
            assert!(described.get(&status).is_some() || status == "415", "{method} {path} answers {status}");
        }
    }
    assert_eq!(world.send(post("/api/openapi.json")).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
