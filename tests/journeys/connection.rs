//! A device that is connected, as people see it, and that is sent away.
use serde_json::json;
use tests::mqtt::{Login, Publisher, Version};
use tests::{Options, Server, eventually, time};

#[tokio::test]
async fn a_device_that_is_blocked_or_has_another_token_is_cut_off_at_once() {
    let server = Server::start(Options::new(3)).await;
    let theirs = server.first_tenant();
    let (admin, monitor) = (server.graphql_as("admin"), theirs.monitor(0));
    let device = json!({ "id": monitor.id });
    let login = server.login(theirs, monitor);
    let connect = async |login: &Login| Publisher::connect(server.mqtt(), login, Version::V5, 1).await;
    let cut_off = async |mut publisher: Publisher| {
        eventually("the device is cut off", time::BOUND, async || {
            if publisher.ping().await { Err("it is answered".to_owned()) } else { Ok(()) }
        })
        .await;
    };
    let before = connect(&login).await.unwrap();
    let block = "mutation ($id: ID!) { blockDevice(input: { id: $id, reason: \"lost\" }) { blockedSince connected } }";
    assert!(admin.data(block, device.clone()).await["blockDevice"]["blockedSince"].is_string());
    cut_off(before).await;
    assert!(connect(&login).await.is_err());
    let mut other = connect(&server.login(theirs, theirs.monitor(1))).await.unwrap();

    admin.data("mutation ($id: ID!) { unblockDevice(id: $id) { id } }", device.clone()).await;
    let before = connect(&login).await.unwrap();
    let renew = "mutation ($id: ID!) { renewDeviceToken(id: $id) { token } }";
    let token =
        admin.data(renew, device.clone()).await["renewDeviceToken"]["token"].as_str().unwrap().to_owned();
    cut_off(before).await;
    assert!(connect(&login).await.is_err(), "the old token");
    let mut again = connect(&Login { password: token, ..login }).await.unwrap();
    assert!(again.ping().await && other.ping().await, "nobody else is");
    let log = "query ($id: ID!) { device(id: $id) { connectionLog { kind reason } } }";
    eventually("it is told why", time::BOUND, async || {
        let seen = admin.data(log, device.clone()).await.to_string();
        let told = ["it is blocked", "the password is wrong"].iter().all(|why| seen.contains(why));
        if told { Ok(()) } else { Err(seen) }
    })
    .await;
}

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
