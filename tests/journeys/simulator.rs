//! A hospital's whole fleet, simulated by a second process.
use std::process::Stdio;

use serde_json::{Value, json};
use tests::{Options, Server, environment, eventually, time};
use tokio::process::Command;

const PATIENTS: u32 = 300;

#[tokio::test]
async fn three_hundred_simulated_patients_are_followed_and_nothing_is_set_aside() {
    let server = Server::start(Options::new(PATIENTS)).await;
    let mut command = Command::new(environment::iomt());
    command.arg("simulate").arg("--credentials").arg(server.data().join("credentials.json"));
    command.args(["--tenant", &server.first_tenant().slug, "--speed", "2"]);
    let mut simulator =
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap();

    let nurse = server.graphql_as("nurse");
    let board = async |after: &Value| {
        let document = "query ($after: String) { patients(first: 100, after: $after) {
            nodes { id vitals { sign } news2 { score } } pageInfo { hasNextPage endCursor } } }";
        nurse.data(document, json!({ "after": after })).await["patients"].take()
    };
    eventually("every patient has vital signs", time::BOUND, async || {
        let (mut after, mut silent, mut seen) = (Value::Null, 0, 0);
        loop {
            let page = board(&after).await;
            for patient in page["nodes"].as_array().unwrap() {
                seen += 1;
                // All nine but the waveform, which is no vital sign.
                silent += u32::from(patient["vitals"].as_array().unwrap().len() < 8);
            }
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen, PATIENTS);
        if silent == 0 { Ok(()) } else { Err(format!("{silent} have not all signs yet")) }
    })
    .await;

    let devices = "query ($after: String) { devices(first: 200, after: $after) {
        nodes { id setAsideCount quarantine messageCount } pageInfo { hasNextPage endCursor } } }";
    let mut after = Value::Null;
    loop {
        let page = nurse.data(devices, json!({ "after": after })).await["devices"].take();
        for device in page["nodes"].as_array().unwrap() {
            assert_eq!(
                (&device["setAsideCount"], &device["quarantine"]),
                (&json!(0), &Value::Null),
                "{device}"
            );
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }

    let process = simulator.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().await.unwrap().success());
    let ended =
        tokio::time::timeout(time::BOUND, simulator.wait()).await.expect("it ends when it is told to");
    assert!(ended.unwrap().success());
}
