//! What a device sends by mistake is acknowledged, kept, set aside with its reason, counted, and does no harm.
use serde_json::{Value, json};
use tests::mosquitto::Publisher;
use tests::{Options, Postgres, Server, eventually, time};

use crate::bedside::{device, folded, number, reading};

fn mistakes() -> Vec<(&'static str, Vec<u8>)> {
    let nested = format!("{{\"heartRate\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let avalanche = format!("{{\"heartRate\":{}", "[".repeat(200_000));
    let many: Vec<String> = (0..257).map(|index| format!("\"value{index}\":1")).collect();
    let large = format!("{{\"note\":\"{}\"}}", "x".repeat(256 * 1024));
    let text: [(&str, &str); 11] = [
        ("not_json", "heart rate is 72"),
        ("not_json", "{\"heartRate\":72"),
        ("not_finite", "{\"heartRate\":NaN}"),
        ("not_finite", "{\"heartRate\":1e999}"),
        ("time_out_of_range", "{\"ts\":\"30000-01-01T00:00:00Z\",\"values\":{\"heartRate\":72}}"),
        ("time_out_of_range", "{\"ts\":884541340800000,\"values\":{\"heartRate\":72}}"),
        ("time_out_of_range", "{\"ts\":\"1970-01-01T00:00:00Z\",\"values\":{\"heartRate\":72}}"),
        ("unknown_unit", "{\"temperature\":{\"value\":37,\"unit\":\"parrots\"}}"),
        ("unknown_unit", "{\"temperature\":{\"value\":37,\"unit\":\"kg\"}}"),
        ("wrong_type", "{\"heartRate\":\"fast\"}"),
        ("wrong_type", "{\"heartRate\":72,\"spo2\":1000}"),
    ];
    let mut mistakes: Vec<_> =
        text.into_iter().map(|(reason, payload)| (reason, payload.as_bytes().to_vec())).collect();
    mistakes.push(("not_json", vec![0xFF, 0xFE, 0x00, 0x7B]));
    mistakes.push(("too_deep", nested.into_bytes()));
    mistakes.push(("too_deep", avalanche.into_bytes()));
    mistakes.push(("too_many_values", format!("{{{}}}", many.join(",")).into_bytes()));
    mistakes.push(("too_large", large.into_bytes()));
    mistakes
}

#[tokio::test]
async fn bad_input_is_set_aside_on_sqlite() {
    journey(None).await;
}

#[tokio::test]
async fn bad_input_is_set_aside_on_postgresql() {
    if let Some(postgres) = Postgres::start().await {
        journey(Some(postgres.database("iomt").await)).await;
    }
}

async fn journey(database: Option<String>) {
    let mut server = Server::start(Options::new(2).on(database)).await;
    let tenant = server.first_tenant();
    let monitor = tenant.monitor(0).clone();
    let Some(publisher) = Publisher::new(server.mqtt(), server.login(tenant, &monitor)) else { return };
    publisher.message("telemetry", b"{\"heartRate\":71}").await.unwrap();
    let mistakes = mistakes();
    for (reason, payload) in &mistakes {
        let before = server.metric("set_aside_messages_total", &format!("\"{reason}\"")).await;
        publisher.message("telemetry", payload).await.unwrap_or_else(|error| panic!("{reason}: {error}"));
        let sent = listed(&server, &monitor.id, position(&mistakes, payload) + 1).await;
        assert_eq!(
            sent["setAside"][0]["reason"],
            *reason,
            "{:.60}: {sent:#}",
            String::from_utf8_lossy(payload)
        );
        let after = server.metric("set_aside_messages_total", &format!("\"{reason}\"")).await;
        assert!((after - before - 1.0).abs() < f64::EPSILON, "{reason} is counted: {before} and {after}");
    }
    publisher.message("telemetry", b"{\"heartRate\":73}").await.unwrap();
    let messages = mistakes.len() as u64 + 2;
    folded(&server.graphql_as("admin"), &monitor.id, messages).await;
    lives_on(&listed(&server, &monitor.id, mistakes.len() as u64).await, &mistakes);

    server.kill().await;
    server.restart().await;
    folded(&server.graphql_as("admin"), &monitor.id, messages).await;
    lives_on(&listed(&server, &monitor.id, mistakes.len() as u64).await, &mistakes);
}

/// The device, once so many messages are listed as set aside: the list is stored shortly after the twin has counted.
async fn listed(server: &Server, id: &str, mistakes: u64) -> Value {
    let admin = server.graphql_as("admin");
    eventually(&format!("{mistakes} messages are listed as set aside"), time::BOUND, async || {
        let device = device(&admin, id).await;
        let listed = device["setAside"].as_array().map_or(0, Vec::len) as u64;
        if listed == mistakes { Ok(device) } else { Err(format!("{device:#}")) }
    })
    .await
}

fn lives_on(twin: &Value, mistakes: &[(&str, Vec<u8>)]) {
    assert_eq!((&twin["setAsideCount"], &twin["quarantine"]), (&json!(mistakes.len()), &Value::Null));
    assert!(
        (number(reading(twin, "heartRate")) - 73.0).abs() < 1e-9,
        "no part of a mistake was taken: {twin:#}"
    );
    let listed = twin["setAside"].as_array().unwrap();
    let reasons: Vec<&str> = listed.iter().rev().map(|entry| entry["reason"].as_str().unwrap()).collect();
    let expected: Vec<&str> = mistakes.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(reasons, expected, "newest first");
    for entry in listed {
        assert!(!entry["detail"].as_str().unwrap().is_empty());
        let excerpt = entry["excerpt"].as_str().unwrap();
        assert!(
            !excerpt.is_empty() && excerpt.len() < 1_000 && !excerpt.chars().any(char::is_control),
            "{excerpt:?}"
        );
    }
}

fn position(mistakes: &[(&str, Vec<u8>)], payload: &[u8]) -> u64 {
    mistakes.iter().position(|(_, other)| other == payload).unwrap() as u64
}
