//! The demo as a newcomer meets it: simulated patients, alive within seconds.
use serde_json::json;
use tests::{Options, Server, Subscription, eventually, time};

#[tokio::test]
async fn simulated_patients_are_alive() {
    let server = Server::start(Options { simulator: true, ..Options::new(3) }).await;
    let nurse = server.graphql_as("nurse");
    let document = "{ patients { nodes { id vitals { sign value code stale } news2 { complete score } } } }";
    let patients = eventually("every patient has a complete score", time::BOUND, async || {
        let data = nurse.data(document, json!({})).await;
        let patients = data["patients"]["nodes"].as_array().unwrap().clone();
        let complete = patients.iter().all(|patient| patient["news2"]["complete"] == true);
        if complete { Ok(patients) } else { Err(format!("{data:#}")) }
    })
    .await;
    for patient in &patients {
        let vitals = patient["vitals"].as_array().unwrap();
        assert_eq!(vitals.len(), 8, "{patient:#}");
        assert!(
            patient["news2"]["score"].as_i64().unwrap() <= 4,
            "nobody is ill in the first minute: {patient:#}"
        );
    }

    let url = &server.credentials.graphql_ws;
    let token = &server.first_tenant().user("nurse").token;
    let document =
        "subscription ($patient: ID!) { waveform(patient: $patient) { channel sampleRateHz unit samples } }";
    let mut lead = Subscription::open(url, token, document, json!({ "patient": patients[0]["id"] })).await;
    let chunk = lead.next().await["waveform"].take();
    assert_eq!((&chunk["channel"], &chunk["unit"]), (&json!("ecg"), &json!("mV")));
    assert_eq!(chunk["sampleRateHz"], 125.0);
    assert_eq!(chunk["samples"].as_array().unwrap().len(), 125);
    let devices = nurse.data("{ devices { nodes { connected setAsideCount } } }", json!({})).await;
    for device in devices["devices"]["nodes"].as_array().unwrap() {
        assert_eq!(device["setAsideCount"], 0, "what the simulator sends is understood");
    }
}
