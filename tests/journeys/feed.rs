//! What a program of the hospital hears, message by message: of the rows that its token covers, and of no others.
use serde_json::{Value, json};
use tests::mqtt::{Login, Packet, Publisher, Version};
use tests::{Options, Postgres, Server, rules};

use crate::bedside::Seconds;

#[tokio::test]
async fn a_token_for_a_ward_hears_of_its_ward_only_on_sqlite() {
    journey(None).await;
}

#[tokio::test]
async fn a_token_for_a_ward_hears_of_its_ward_only_on_postgresql() {
    if let Some(postgres) = Postgres::start().await {
        journey(Some(postgres.database("iomt").await)).await;
    }
}

async fn journey(database: Option<String>) {
    // The ninth patient lies in another ward than the first eight.
    let server = Server::start(Options::new(9).on(database)).await;
    let hospital = server.first_tenant();
    let (near, far) = (hospital.monitor(0), hospital.monitor(8));
    let admin = server.graphql_as("admin");
    rules::only(&admin, rules::low_oxygen(0, 0)).await;
    let units = admin.data("{ orgUnits { id name } }", json!({})).await["orgUnits"].take();
    let ward = units.as_array().unwrap().iter().find(|unit| unit["name"] == "4 West").unwrap();
    let secret = ward_token(&server, &ward["id"]).await;
    let program = |client_id: &str, password: String| Login {
        client_id: client_id.to_owned(),
        user_name: format!("{}/app", hospital.slug),
        password,
    };
    let listen = async |login: Login| {
        let mut program = Publisher::connect(server.mqtt(), &login, Version::V5, 1).await.unwrap();
        assert_eq!(program.subscribe("feed/#").await, Some(1));
        program
    };
    let mut of_ward = listen(program("ward", secret)).await;
    let mut of_all = listen(program("all", hospital.user("integrator").token.clone())).await;

    // The one that must not be heard comes first.
    let message = Seconds::ago(5).message(&json!({ "spo2": 80 }));
    for monitor in [far, near] {
        let login = server.login(hospital, monitor);
        let mut publisher = Publisher::connect(server.mqtt(), &login, Version::V5, 1).await.unwrap();
        publisher.publish("telemetry", message.as_bytes(), 0).await.unwrap();
        publisher.settle().await.unwrap();
        // The relay tells of it before the other says anything.
        let (vitals, alarm) = heard(&mut of_all).await;
        assert_eq!(vitals, format!("feed/patients/{}/vitals", monitor.patient.as_deref().unwrap()));
        assert_eq!(alarm["device"], monitor.id);
    }
    let (vitals, alarm) = heard(&mut of_ward).await;
    assert_eq!(vitals, format!("feed/patients/{}/vitals", near.patient.as_deref().unwrap()));
    assert_eq!(alarm["device"], near.id);
}

/// The next news of a patient's vitals and the next alarm, in any order: the topic of the one, and the other.
async fn heard(program: &mut Publisher) -> (String, Value) {
    let (mut vitals, mut alarm) = (None, None);
    loop {
        if let Packet::Publish { topic, payload, .. } = program.packet().await.unwrap() {
            if topic.starts_with("feed/alarms/high/") {
                alarm = Some(serde_json::from_slice(&payload).unwrap());
            } else {
                vitals = Some(topic);
            }
        }
        if let (Some(vitals), Some(alarm)) = (&vitals, &alarm) {
            return (vitals.clone(), Value::clone(alarm));
        }
    }
}

/// A token of the nurse for one ward, made where such tokens are made: in the browser.
async fn ward_token(server: &Server, ward: &Value) -> String {
    let nurse = server.first_tenant().user("nurse");
    let browser = tests::http::builder().cookie_store(true).build().unwrap();
    let at = |path: &str| format!("{}{path}", server.credentials.http);
    let sign_in = json!({ "email": nurse.email, "password": nurse.password });
    let session: Value =
        browser.post(at("/auth/login")).json(&sign_in).send().await.unwrap().json().await.unwrap();
    let create = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { secret } }";
    let variables = json!({ "input": { "name": "Ward display", "role": "nurse", "unit": ward } });
    let request = browser.post(at("/graphql")).json(&json!({ "query": create, "variables": variables }));
    let request = request.header("x-csrf-token", session["csrf"].as_str().unwrap());
    let made: Value = request.send().await.unwrap().json().await.unwrap();
    made["data"]["createApiToken"]["secret"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}
