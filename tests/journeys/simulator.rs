//! A hospital's whole fleet, simulated by a second process.
use std::process::Stdio;

use serde_json::{Value, json};
use tests::{GraphQl, Options, Server, environment, eventually, time};
use tokio::process::Command;

const PATIENTS: u32 = 300;
/// Messages of each: about half a minute of a patient's life.
const ENOUGH: u64 = 60;

#[tokio::test]
async fn three_hundred_simulated_patients_are_followed_and_nothing_is_set_aside() {
    let server = Server::start(Options::new(PATIENTS)).await;
    let mut command = Command::new(environment::iomt());
    command.arg("simulate").arg("--credentials").arg(server.data().join("credentials.json"));
    command.args(["--tenant", &server.first_tenant().slug, "--speed", "10"]);
    let mut simulator =
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap();

    let nurse = server.graphql_as("nurse");
    let board = async |after: &Value| {
        let document = "query ($after: String) { patients(first: 100, after: $after) {
            nodes { id vitals { sign } news2 { complete } } pageInfo { hasNextPage endCursor } } }";
        nurse.data(document, json!({ "after": after })).await["patients"].take()
    };
    eventually("every patient has vital signs", time::BOUND, async || {
        let (mut after, mut silent, mut seen) = (Value::Null, 0, 0);
        loop {
            let page = board(&after).await;
            for patient in page["nodes"].as_array().unwrap() {
                seen += 1;
                // All nine but the waveform, which is no vital sign.
                let followed = patient["vitals"].as_array().unwrap().len() >= 8;
                silent += u32::from(!followed || patient["news2"]["complete"] != true);
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

    eventually("every twin goes on for a while", time::BOUND, async || {
        let behind = devices(&nurse).await.iter().filter(|device| folded(device) < ENOUGH).count();
        if behind == 0 { Ok(()) } else { Err(format!("{behind} have folded less than {ENOUGH} messages")) }
    })
    .await;
    for device in devices(&nurse).await {
        let troubles = (&device["setAsideCount"], &device["quarantine"], &device["connected"]);
        assert_eq!(troubles, (&json!(0), &Value::Null, &json!(true)), "{device}");
    }
    assert_eq!(server.metric("refusals_total", "").await, 0.0, "nobody was refused");

    let process = simulator.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().await.unwrap().success());
    let ended =
        tokio::time::timeout(time::BOUND, simulator.wait()).await.expect("it ends when it is told to");
    assert!(ended.unwrap().success());
    eventually("every device has gone", time::BOUND, async || {
        let left = devices(&nurse).await.iter().filter(|device| device["connected"] == true).count();
        if left == 0 { Ok(()) } else { Err(format!("{left} are still connected")) }
    })
    .await;
}

/// The devices of all patients.
async fn devices(api: &GraphQl) -> Vec<Value> {
    let document = "query ($after: String) { devices(first: 200, after: $after) {
        nodes { id patient { id } connected setAsideCount quarantine messageCount }
        pageInfo { hasNextPage endCursor } } }";
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = api.data(document, json!({ "after": after })).await["devices"].take();
        found.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
    found.retain(|device| !device["patient"].is_null());
    assert_eq!(found.len(), PATIENTS as usize);
    found
}

fn folded(device: &Value) -> u64 {
    device["messageCount"].as_u64().unwrap()
}
