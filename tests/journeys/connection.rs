//! A device that is connected, as people see it, and that is sent away.
use serde_json::json;
use tests::mqtt::{Publisher, Version};
use tests::{Options, Server, eventually, time};

#[tokio::test]
async fn a_connected_device_is_seen_and_sent_away() {
    let server = Server::start(Options::new(3)).await;
    let (theirs, others) = (server.first_tenant(), server.second_tenant());
    let (admin, monitor) = (server.graphql_as("admin"), theirs.monitor(0));
    let device = json!({ "id": monitor.id });
    let sessions =
        "query ($id: ID!) { device(id: $id) { connected sessions { clientId address carrier version } } }";
    let seen = async || admin.data(sessions, device.clone()).await["device"].take();
    assert_eq!(seen().await, json!({ "connected": false, "sessions": [] }));
    let login = server.login(theirs, monitor);
    let mut publisher = Publisher::connect(server.mqtt(), &login, Version::V5, 1).await.unwrap();
    let session =
        json!({ "clientId": login.client_id, "address": "127.0.0.1", "carrier": "TCP", "version": "5" });
    assert_eq!(seen().await["sessions"], json!([session]));

    // A device of the same name elsewhere is another one.
    let twin =
        others.devices.iter().find(|other| other.id == monitor.id).expect("the demo numbers its devices");
    let elsewhere = server.login(others, twin);
    let mut elsewhere = Publisher::connect(server.mqtt(), &elsewhere, Version::V311, 1).await.unwrap();
    let away = "mutation ($id: ID!) { disconnectDevice(id: $id) }";
    assert_eq!(server.graphql_as("nurse").refusal(away, device.clone()).await, "FORBIDDEN");
    assert_eq!(admin.data(away, device.clone()).await["disconnectDevice"], 1);
    eventually("the device is put out", time::BOUND, async || {
        if publisher.ping().await { Err("it is answered".to_owned()) } else { Ok(()) }
    })
    .await;
    eventually("nobody is connected", time::BOUND, async || {
        let now = seen().await;
        if now == json!({ "connected": false, "sessions": [] }) { Ok(()) } else { Err(now.to_string()) }
    })
    .await;
    assert!(elsewhere.ping().await);
    assert_eq!(admin.data(away, device.clone()).await["disconnectDevice"], 0);
    let mut again = Publisher::connect(server.mqtt(), &login, Version::V311, 1).await.unwrap();
    assert!(again.ping().await, "it may come back");
    assert_eq!(seen().await["sessions"][0]["version"], "3.1.1");
}
