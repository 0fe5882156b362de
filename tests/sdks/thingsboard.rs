//! A device made for ThingsBoard.

use serde_json::{Value, json};
use tests::{GraphQl, Options, Server, eventually, time};

use crate::sdk::Program;

const DESIRE: &str = "mutation ($device: ID!, $patch: JSON!) {
    setDesiredProperties(device: $device, patch: $patch) { properties { desiredVersion } } }";
const COMMAND: &str =
    "mutation ($input: CommandDeviceInput!) { commandDevice(input: $input) { status body } }";

#[tokio::test]
async fn over_tcp() {
    works(false).await;
}

#[tokio::test]
async fn over_tls() {
    works(true).await;
}

async fn works(encrypted: bool) {
    let server = Server::start(Options::new(1)).await;
    let monitor = server.first_tenant().monitor(0);
    let admin = server.graphql_as("admin");
    let desire = async |patch: Value| {
        let answer = admin.data(DESIRE, json!({ "device": monitor.id, "patch": patch })).await;
        answer["setDesiredProperties"]["properties"]["desiredVersion"].clone()
    };
    assert_eq!(desire(json!({ "rate": 5, "other": true })).await, 1, "before it is there");

    let address = if encrypted { server.mqtts() } else { server.mqtt() };
    let (port, authority) = (address.port().to_string(), server.credentials.ca_pem.display().to_string());
    let mut arguments = vec!["localhost", &port, &monitor.token];
    arguments.extend(encrypted.then_some(authority.as_str()));
    let Some(mut device) = Program::start("thingsboard", "thingsboard", &arguments) else { return };
    assert_eq!(device.event("telemetry").await["accepted"], true);
    assert_eq!(device.event("attributes").await["accepted"], true);
    let now = device.event("time").await["now"].as_i64().unwrap();
    assert!(now > 1_700_000_000_000, "milliseconds since 1970: {now}");
    let found = device.event("found").await;
    assert_eq!(found["content"], json!({ "client": { "firmware": "1.2" }, "shared": { "rate": 5 } }));
    device.event("ready").await;
    folded(&admin, &monitor.id).await;

    assert_eq!(desire(json!({ "rate": 6, "other": null })).await, 2);
    assert_eq!(device.event("shared").await["changed"], json!({ "rate": 6, "deleted": ["other"] }));
    let order = json!({ "device": monitor.id, "name": "setGpio", "body": { "pin": 7 }, "waitSeconds": 30 });
    let answer = admin.data(COMMAND, json!({ "input": order })).await;
    assert_eq!(answer["commandDevice"], json!({ "status": 200, "body": { "done": { "pin": 7 } } }));
    let told = device.event("command").await;
    assert_eq!((&told["method"], &told["params"]), (&json!("setGpio"), &json!({ "pin": 7 })));
    device.finish().await;
}

/// What the device said is in its twin.
async fn folded(admin: &GraphQl, device: &str) {
    let twin = "query ($id: ID!) { device(id: $id) { readings { path value } properties { reported } } }";
    eventually("the twin is as the device said", time::BOUND, async || {
        let seen = admin.data(twin, json!({ "id": device })).await["device"].take();
        let has = |path: &str, value: &str| {
            seen["readings"].as_array().unwrap().contains(&json!({ "path": path, "value": value }))
        };
        let reported = json!({ "firmware": "1.2", "serial": "tb-7" });
        let same = seen["properties"]["reported"] == reported && has("heartRate", "71") && has("spo2", "97");
        if same { Ok(()) } else { Err(seen.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn a_gateway_speaks_for_a_device() {
    let server = Server::start(Options::new(2)).await;
    let tenant = server.first_tenant();
    let (gateway, monitor) = (tenant.monitor(0), tenant.monitor(1));
    let admin = server.graphql_as("admin");
    let through =
        "mutation ($device: ID!, $gateway: ID) { setGateway(device: $device, gateway: $gateway) { id } }";
    admin.data(through, json!({ "device": monitor.id, "gateway": gateway.id })).await;
    let desire = json!({ "device": monitor.id, "patch": { "rate": 5 } });
    admin.data(DESIRE, desire).await;
    let port = server.mqtt().port().to_string();
    let arguments = ["localhost", &port, &gateway.token, &monitor.id];
    let Some(mut device) = Program::start("thingsboard", "thingsboard_gateway", &arguments) else { return };
    assert_eq!(device.event("telemetry").await["accepted"], true);
    assert_eq!(device.event("attributes").await["accepted"], true);
    let found = device.event("found").await["content"].take();
    assert_eq!((&found["device"], &found["values"]), (&json!(monitor.id), &json!({ "rate": 5 })));
    device.event("ready").await;

    admin.data(DESIRE, json!({ "device": monitor.id, "patch": { "rate": 6 } })).await;
    let shared = device.event("shared").await["content"].take();
    assert_eq!(shared, json!({ "device": monitor.id, "data": { "rate": 6 } }));
    let order = json!({ "device": monitor.id, "name": "selfTest", "waitSeconds": 30 });
    let answer = admin.data(COMMAND, json!({ "input": order })).await;
    assert_eq!(answer["commandDevice"], json!({ "status": 200, "body": { "done": "selfTest" } }));
    let twin = "query ($id: ID!) { device(id: $id) { connected gateway { id behind { id } }
        readings { path value } properties { reported } } }";
    eventually("the twin is as the gateway said", time::BOUND, async || {
        let seen = admin.data(twin, json!({ "id": monitor.id })).await["device"].take();
        let expected = json!({ "connected": true, "gateway": { "id": gateway.id, "behind": [{ "id": monitor.id }] },
            "readings": [{ "path": "heartRate", "value": "68" }], "properties": { "reported": { "firmware": "3.1" } } });
        if seen == expected { Ok(()) } else { Err(seen.to_string()) }
    })
    .await;
    device.finish().await;
}

#[tokio::test]
async fn a_device_that_nobody_knows_is_given_its_token() {
    let server = Server::start(Options::new(1)).await;
    let tenant = server.first_tenant();
    let admin = server.graphql_as("admin");
    let secret =
        admin.data("mutation { revealNewcomerSecret }", json!({})).await["revealNewcomerSecret"].take();
    let (port, secret) = (server.mqtt().port().to_string(), secret.as_str().unwrap());
    let key = format!("{}/dtmi:iomt:VitalsSensor;1", tenant.id_scope);
    let start = |key: &str, secret: &str, name: &str| {
        Program::start("thingsboard", "thingsboard_newcomer", &["localhost", &port, key, secret, name])
    };
    let Some(mut guess) = start(&key, "guess", "sensor-7") else { return };
    guess.event("refused").await;
    guess.finish().await;

    let mut device = start(&key, secret, "sensor-7").unwrap();
    assert_eq!(device.event("telemetry").await["accepted"], true);
    // A claim is acknowledged; whoever looks after the device sees that nothing became of it.
    assert_eq!(device.event("claim").await["acknowledged"], true);
    let seen = "{ device(id: \"sensor-7\") { template connected readings { path value } connectionLog { kind reason } } }";
    eventually("the device is there", time::BOUND, async || {
        let seen = admin.data(seen, json!({})).await["device"].take();
        let readings = json!([{ "path": "heartRate", "value": "73" }]);
        let claim =
            json!({ "kind": "DENIED", "reason": "it wanted to be claimed; its hospital has it already" });
        let denied = seen["connectionLog"].as_array().is_some_and(|log| log.contains(&claim));
        let same = seen["template"] == "dtmi:iomt:VitalsSensor;1" && seen["readings"] == readings;
        if same && seen["connected"] == true && denied { Ok(()) } else { Err(seen.to_string()) }
    })
    .await;
    device.finish().await;

    // Who has the secret cannot become a device that has been here.
    let mut again = start(&key, secret, "sensor-7").unwrap();
    again.event("refused").await;
    again.finish().await;
    // A key without a template registers nobody, and is enough for a device that is registered.
    for (name, event) in [("sensor-9", "refused"), (&*tenant.monitor(0).id, "telemetry")] {
        let mut device = start(&tenant.id_scope, secret, name).unwrap();
        device.event(event).await;
        device.finish().await;
    }
}
