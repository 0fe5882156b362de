//! Who is refused at the MQTT door, and how it is told.
use serde_json::json;
use tests::mosquitto;
use tests::mqtt::{Login, Publisher, Refused, Version};
use tests::{Options, Server, eventually, time};

#[tokio::test]
async fn a_wrong_token_is_refused_and_a_right_one_is_not() {
    let server = Server::start(Options::new(2)).await;
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
    let trail = "{ auditLog(first: 200, filter: { action: \"device.connect\", outcome: DENIED }) {
        nodes { actor subject detail channel address } } }";
    let trail = server.graphql_as("admin").data(trail, json!({})).await["auditLog"]["nodes"].take();
    let (subject, other) = (format!("device:{}", tenant.monitor(0).id), "device:no-such-device");
    let of = |subject: &str| {
        let lines = trail.as_array().unwrap().iter().filter(|line| line["subject"] == subject);
        lines.cloned().collect::<Vec<_>>()
    };
    assert_eq!(of(&subject).len(), 1, "one line for the burst, the others are counted: {trail:#}");
    assert_eq!(
        (&of(&subject)[0]["channel"], &of(&subject)[0]["address"]),
        (&json!("mqtt"), &json!("127.0.0.1"))
    );
    assert!(!trail.to_string().contains(&tenant.monitor(1).token), "what was typed is not kept");
    assert!(of(other).len() <= 1);
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
