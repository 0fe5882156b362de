//! Who is refused at the MQTT door, and how it is told.
use serde_json::json;
use tests::mosquitto;
use tests::mqtt::{Login, Publisher, Refused, Version};
use tests::{Options, Server, eventually, time};

#[tokio::test]
async fn a_wrong_token_is_refused_and_a_right_one_is_not() {
    let mut server = Server::start(Options::new(2)).await;
    let tenant = server.first_tenant();
    let right = server.login(tenant, tenant.monitor(0));
    let with =
        |user_name: String, password: &str| Login { user_name, password: password.into(), ..right.clone() };
    let wrong = [
        ("a wrong token", with(right.user_name.clone(), "wrong")),
        ("an empty token", with(right.user_name.clone(), "")),
        ("another device's token", with(right.user_name.clone(), &tenant.monitor(1).token)),
        ("a device that is none", with(format!("{}/no-such-device", tenant.slug), &right.password)),
        ("a tenant that is none", with("nowhere/monitor".into(), &right.password)),
        ("no tenant", with("monitor".into(), &right.password)),
        ("a user's token", with(right.user_name.clone(), &tenant.user("nurse").token)),
        ("nobody", with(String::new(), "")),
    ];
    for (who, login) in &wrong {
        let refused = Publisher::connect(server.mqtt(), login, Version::V311, 1).await.unwrap_err();
        assert!(matches!(refused, Refused::Code(4 | 5)), "{who} with 3.1.1: {refused:?}");
        let refused = Publisher::connect(server.mqtt(), login, Version::V5, 1).await.unwrap_err();
        assert!(matches!(refused, Refused::Code(0x86 | 0x87)), "{who} with 5: {refused:?}");
    }
    is_written_down(&server, &wrong).await;
    let refusals = wrong.len() as f64 * 2.0;
    eventually("refusals are counted", time::BOUND, async || {
        let counted = server.metric("refusals_total", "").await;
        if counted >= refusals { Ok(()) } else { Err(format!("{counted} of {refusals}")) }
    })
    .await;
    for version in [Version::V311, Version::V5] {
        let mut publisher = Publisher::connect(server.mqtt(), &right, version, 1).await.unwrap();
        assert!(publisher.ping().await);
    }
    server.kill().await;
    server.restart().await;
    is_written_down(&server, &wrong).await;
}

/// Each device that somebody tried to be has one line, the others of the burst are counted; nothing that was typed is kept.
async fn is_written_down(server: &Server, wrong: &[(&str, Login)]) {
    let document = "{ auditLog(first: 200, filter: { action: \"device.connect\", outcome: DENIED }) {
        nodes { actor subject detail channel address } } }";
    let trail = server.graphql_as("admin").data(document, json!({})).await["auditLog"]["nodes"].take();
    let monitor = format!("device:{}", server.first_tenant().monitor(0).id);
    for (subject, reason) in [(monitor.as_str(), "wrong token"), ("device:unknown", "no device of this name")]
    {
        let mut lines = trail.as_array().unwrap().iter().filter(|line| line["subject"] == subject);
        let line =
            lines.next().unwrap_or_else(|| panic!("{subject} was refused and nobody knows: {trail:#}"));
        assert_eq!((line["actor"].as_str(), lines.next()), (Some("anonymous"), None), "{trail:#}");
        assert!(line["detail"].as_str().unwrap().contains(reason), "{line}");
        assert_eq!((&line["channel"], &line["address"]), (&json!("mqtt"), &json!("127.0.0.1")));
    }
    let trail = trail.to_string();
    assert!(!trail.contains("no-such-device"), "whoever makes up names could fill the trail: {trail}");
    for password in wrong.iter().map(|(_, login)| &login.password).filter(|typed| typed.len() > 5) {
        assert!(!trail.contains(password.as_str()), "what was typed is not kept");
    }
}

#[tokio::test]
async fn an_independent_client_is_told_that_it_is_refused() {
    let server = Server::start(Options::new(2)).await;
    let tenant = server.first_tenant();
    let login = Login { password: "wrong".into(), ..server.login(tenant, tenant.monitor(0)) };
    let Some(publisher) = mosquitto::Publisher::new(server.mqtt(), login) else { return };
    let reason = publisher.message("telemetry", b"{\"heartRate\":72}").await.unwrap_err();
    assert!(reason.to_lowercase().contains("refused"), "{reason}");
}
