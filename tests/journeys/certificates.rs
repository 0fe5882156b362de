//! Devices that show a certificate: of an authority that their hospital has enrolled, or one of their own.
use serde_json::json;
use tests::authority::{Authority, Signed};
use tests::mqtt::{Login, Publisher, Refused, Version};
use tests::{Options, Postgres, Server, eventually, time};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::bedside::{Seconds, folded};

#[tokio::test]
async fn a_certificate_lets_its_device_in_until_it_is_taken_back_on_sqlite() {
    journey(None).await;
}

#[tokio::test]
async fn a_certificate_lets_its_device_in_until_it_is_taken_back_on_postgresql() {
    if let Some(postgres) = Postgres::start().await {
        journey(Some(postgres.database("iomt").await)).await;
    }
}

type Connection = Publisher<TlsStream<TcpStream>>;

async fn shows(server: &Server, user_name: &str, shown: &Signed) -> Result<Connection, Refused> {
    let login = Login { client_id: String::new(), user_name: user_name.to_owned(), password: String::new() };
    Publisher::over(server.secured(Some(shown)).await, &login, Version::V5, 1).await
}

async fn journey(database: Option<String>) {
    let server = Server::start(Options::new(2).on(database)).await;
    let (hospital, admin) = (server.first_tenant(), server.graphql_as("admin"));
    let (one, other) = (hospital.monitor(0), hospital.monitor(1));
    let authority = Authority::new("Biomedical engineering");
    let (first, second) = (authority.sign(&one.id, 200), authority.sign(&other.id, 201));
    assert_eq!(shows(&server, "", &first).await.unwrap_err(), Refused::Code(0x86), "not enrolled yet");
    let id = authority.enrolled(&admin).await;

    let mut known = shows(&server, &hospital.user_name(one), &first).await.unwrap();
    let mut unnamed = shows(&server, "", &second).await.unwrap();
    let mut seconds = Seconds::ago(30);
    for number in 0..2 {
        let message = seconds.message(&json!({ "heartRate": 72 }));
        known.publish("telemetry", message.as_bytes(), number).await.unwrap();
    }
    known.settle().await.unwrap();
    folded(&server.graphql_as("nurse"), &one.id, 2).await;

    let theirs = server.second_tenant().slug.clone();
    let old = authority.sign_until(&one.id, 202, 2026);
    let stranger = Authority::new("Biomedical engineering").sign(&one.id, 200);
    for (user_name, shown) in [
        (format!("{theirs}/{}", one.id), &first),
        (hospital.user_name(other), &first),
        (String::new(), &old),
        (hospital.user_name(one), &stranger),
    ] {
        let refused = shows(&server, &user_name, shown).await.unwrap_err();
        assert_eq!(refused, Refused::Code(0x86), "{user_name}");
    }
    // With a password, the password counts.
    let login = Login { password: "wrong".into(), ..server.login(hospital, one) };
    let refused = Publisher::over(server.secured(Some(&first)).await, &login, Version::V5, 1).await;
    assert_eq!(refused.unwrap_err(), Refused::Code(0x86));

    let list = "mutation ($id: ID!, $pem: String!) { setRevocationList(id: $id, list: $pem) { id } }";
    admin.data(list, json!({ "id": id, "pem": authority.takes_back(200) })).await;
    cut_off(known).await;
    assert!(shows(&server, "", &first).await.is_err(), "it is taken back");
    assert!(unnamed.ping().await, "the other one is not");
    let log = "query ($id: ID!) { device(id: $id) { connectionLog { kind reason } } }";
    eventually("it is told why", time::BOUND, async || {
        let seen = admin.data(log, json!({ "id": one.id })).await.to_string();
        let told =
            ["its certificate expired", "its certificate was revoked at 2026-01-01", "the password is wrong"];
        if told.iter().all(|why| seen.contains(why)) { Ok(()) } else { Err(seen) }
    })
    .await;

    let remove = "mutation ($id: ID!) { removeDeviceAuthority(id: $id) }";
    admin.data(remove, json!({ "id": id })).await;
    cut_off(unnamed).await;
    assert!(shows(&server, "", &second).await.is_err(), "its authority is gone");

    // One of its own needs no authority.
    let change = async |what: &str, variables| admin.data(what, variables).await;
    let add = "mutation ($id: ID!, $pem: String!) {
        addDeviceCertificate(device: $id, certificate: $pem) { certificates { fingerprint } } }";
    let added = change(add, json!({ "id": one.id, "pem": stranger.pem })).await;
    let fingerprint = &added["addDeviceCertificate"]["certificates"][0]["fingerprint"];
    assert_eq!(shows(&server, "", &stranger).await.unwrap_err(), Refused::Code(0x86), "it leads nowhere yet");
    let mut named = shows(&server, &hospital.user_name(one), &stranger).await.unwrap();
    let mut unnamed = shows(&server, "", &stranger).await.unwrap();
    assert!(unnamed.ping().await && named.ping().await);
    let remove = "mutation ($id: ID!, $fingerprint: String!) {
        removeDeviceCertificate(device: $id, fingerprint: $fingerprint) { id } }";
    change(remove, json!({ "id": one.id, "fingerprint": fingerprint })).await;
    cut_off(unnamed).await;
    cut_off(named).await;
    assert!(shows(&server, "", &stranger).await.is_err(), "it is not its own any more");
}

async fn cut_off(mut connection: Connection) {
    eventually("the device is cut off", time::BOUND, async || {
        if connection.ping().await { Err("it is answered".to_owned()) } else { Ok(()) }
    })
    .await;
}
