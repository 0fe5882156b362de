//! A device made for Azure IoT Hub, and for the Device Provisioning Service. Their client knows one port only, so both share
//! one server.

use serde_json::{Value, json};
use tests::authority::{Authority, Signed};
use tests::{GraphQl, Options, Server, environment, eventually, time};

use crate::{gate::TlsGate, sdk::Program};

const PORT: u16 = 8883;
const DESIRE: &str = "mutation ($device: ID!, $patch: JSON!) {
    setDesiredProperties(device: $device, patch: $patch) { properties { desiredVersion } } }";
const COMMAND: &str =
    "mutation ($input: CommandDeviceInput!) { commandDevice(input: $input) { status body } }";

#[tokio::test]
async fn a_device_of_a_hub_and_one_that_enrols_itself() {
    let server = Server::start(Options::new(1).mqtts(PORT)).await;
    if server.mqtts().port() != PORT {
        return environment::skip("the port 8883 is taken, and the clients of Azure know no other");
    }
    known(&server).await;
    new(&server).await;
    certified(&server).await;
    over_websockets(&server).await;
}

/// A device that the hospital has registered.
async fn known(server: &Server) {
    let monitor = server.first_tenant().monitor(0);
    let admin = server.graphql_as("admin");
    let desire = async |patch: Value| {
        let answer = admin.data(DESIRE, json!({ "device": monitor.id, "patch": patch })).await;
        answer["setDesiredProperties"]["properties"]["desiredVersion"].clone()
    };
    assert_eq!(desire(json!({ "rate": 5 })).await, 1, "before it is there");
    let authority = server.credentials.ca_pem.display().to_string();
    let arguments = ["localhost", &monitor.id, &monitor.symmetric_key, &authority];
    let Some(mut device) = Program::start("iothub", "iothub", &arguments) else { return };
    let twin = device.event("twin").await["twin"].take();
    assert_eq!(twin, json!({ "desired": { "rate": 5, "$version": 1 }, "reported": { "$version": 0 } }));
    let reported = json!({ "firmware": "1.2", "rate": { "value": 5, "ac": 200, "av": 1 } });
    let twin = device.event("reported").await["twin"]["reported"].take();
    assert_eq!(
        (&twin["firmware"], &twin["rate"], &twin["$version"]),
        (&reported["firmware"], &reported["rate"], &json!(1))
    );
    folded(&admin, &monitor.id, &json!({ "reported": reported, "confirmedVersion": 1 })).await;
    let sent = "query ($id: ID!) { device(id: $id) { messages { topic userProperties { name value } } } }";
    let sent = admin.data(sent, json!({ "id": monitor.id })).await["device"]["messages"].take();
    let telemetry = sent.as_array().unwrap().iter().find(|message| message["topic"] == "telemetry").unwrap();
    let ward = json!({ "name": "ward", "value": "4 West" });
    assert!(telemetry["userProperties"].as_array().unwrap().contains(&ward), "{telemetry}");

    assert_eq!(desire(json!({ "rate": 6, "display": { "dim": true } })).await, 2);
    let patch = json!({ "rate": 6, "display": { "dim": true }, "$version": 2 });
    assert_eq!(device.event("desired").await["patch"], patch);
    let order =
        json!({ "device": monitor.id, "name": "selfTest", "body": { "deep": true }, "waitSeconds": 30 });
    let answer = admin.data(COMMAND, json!({ "input": order })).await;
    assert_eq!(answer["commandDevice"], json!({ "status": 201, "body": { "did": "selfTest" } }));
    assert_eq!(device.event("method").await["payload"], json!({ "deep": true }));
    let said = json!({ "device": monitor.id, "payload": "wash your hands",
        "properties": [{ "name": "for", "value": "4 West/b&c" }] });
    let message = "mutation ($input: MessageDeviceInput!) { messageDevice(input: $input) }";
    let id = admin.data(message, json!({ "input": said })).await["messageDevice"].clone();
    let heard = device.event("message").await;
    assert_eq!((&heard["id"], &heard["data"]), (&id, &json!("wash your hands")));
    assert_eq!(heard["properties"], json!({ "for": "4 West/b&c" }));
    device.finish().await;
}

/// One that nobody has registered, with a key made from its hospital's.
async fn new(server: &Server) {
    let admin = server.graphql_as("admin");
    let (authority, scope) =
        (server.credentials.ca_pem.display().to_string(), &server.first_tenant().id_scope);
    let key = admin.data("mutation { revealEnrolmentKey }", json!({})).await["revealEnrolmentKey"]
        .as_str()
        .unwrap()
        .to_owned();
    let start = |model| {
        Program::start("iothub", "iothub", &["localhost", "sensor-7", &key, &authority, scope, model])
    };
    let Some(mut unknown) = start("dtmi:example:Toaster;1") else { return };
    let refused = unknown.event("registered").await;
    assert_eq!(refused["status"], "failed", "{refused}");
    unknown.finish().await;

    let mut device = start("dtmi:iomt:VitalsSensor;1").unwrap();
    let registered = device.event("registered").await;
    let expected = json!({ "event": "registered", "status": "assigned", "hub": "localhost",
        "device": "sensor-7" });
    assert_eq!(registered, expected);
    device.event("reported").await;
    let seen = admin.data("{ device(id: \"sensor-7\") { template connected } }", json!({})).await;
    assert_eq!(seen["device"], json!({ "template": "dtmi:iomt:VitalsSensor;1", "connected": true }));
    device.finish().await;
    let elsewhere = server.graphql(&server.second_tenant().user("admin").token);
    let there = elsewhere.data("{ device(id: \"sensor-7\") { id } }", json!({})).await;
    assert_eq!(there["device"], Value::Null, "nobody else has it");
}

/// With certificates: one that nobody has registered, of an authority that its hospital has enrolled.
async fn certified(server: &Server) {
    let admin = server.graphql_as("admin");
    let made = Authority::new("Biomedical engineering");
    made.enrolled(&admin).await;
    shows(server, "sensor-8", made.sign("sensor-8", 8)).await;
    // And one that is registered, with a certificate of its own.
    let monitor = &server.first_tenant().monitor(0).id;
    let own = Authority::new("Whoever made it").sign(monitor, 9);
    let add =
        "mutation ($id: ID!, $pem: String!) { addDeviceCertificate(device: $id, certificate: $pem) { id } }";
    admin.data(add, json!({ "id": monitor, "pem": own.pem })).await;
    shows(server, monitor, own).await;
}

/// A device asks where it belongs with a certificate, and connects there with it.
async fn shows(server: &Server, device: &str, shown: Signed) {
    let admin = server.graphql_as("admin");
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = [("cert.pem", shown.pem), ("key.pem", shown.key_pem)].map(|(name, text)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    });
    let credential = format!("x509:{certificate}:{key}");
    let authority = server.credentials.ca_pem.display().to_string();
    let scope = &server.first_tenant().id_scope;
    let arguments = ["localhost", device, &credential, &authority, scope, "dtmi:iomt:VitalsSensor;1"];
    let Some(mut program) = Program::start("iothub", "iothub", &arguments) else { return };
    assert_eq!(program.event("registered").await["status"], "assigned");
    program.event("reported").await;
    let seen = "query ($id: ID!) { device(id: $id) { connected } }";
    assert_eq!(admin.data(seen, json!({ "id": device })).await["device"]["connected"], true);
    program.finish().await;
}

/// One that comes through whatever ends TLS for the hospital's HTTP port.
async fn over_websockets(server: &Server) {
    let Some(_gate) = TlsGate::open(443, server).await else {
        return environment::skip(
            "the port 443 is taken, and over WebSockets the clients of Azure know no other",
        );
    };
    let admin = server.graphql_as("admin");
    let key = admin.data("mutation { revealEnrolmentKey }", json!({})).await["revealEnrolmentKey"].take();
    let (authority, scope) =
        (server.credentials.ca_pem.display().to_string(), &server.first_tenant().id_scope);
    let model = "dtmi:iomt:VitalsSensor;1";
    let arguments =
        ["localhost", "sensor-9", key.as_str().unwrap(), &authority, scope, model, "--websockets"];
    let Some(mut device) = Program::start("iothub", "iothub", &arguments) else { return };
    let registered = device.event("registered").await;
    assert_eq!((&registered["status"], &registered["hub"]), (&json!("assigned"), &json!("localhost")));
    device.event("reported").await;
    let seen = admin.data("{ device(id: \"sensor-9\") { sessions { carrier } } }", json!({})).await;
    assert_eq!(seen["device"]["sessions"], json!([{ "carrier": "WEBSOCKET" }]));
    device.finish().await;
}

/// What the device said is in its twin.
async fn folded(admin: &GraphQl, device: &str, properties: &Value) {
    let twin = "query ($id: ID!) { device(id: $id) { readings { path value }
        properties { reported confirmedVersion } } }";
    eventually("the twin is as the device said", time::BOUND, async || {
        let seen = admin.data(twin, json!({ "id": device })).await["device"].take();
        let has = |path: &str, value: &str| {
            seen["readings"].as_array().unwrap().contains(&json!({ "path": path, "value": value }))
        };
        let same = seen["properties"] == *properties && has("heartRate", "71") && has("spo2", "97");
        if same { Ok(()) } else { Err(seen.to_string()) }
    })
    .await;
}
