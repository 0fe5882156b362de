//! What is revoked in one process counts in the other: two servers on one database.
use std::fs;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tests::mqtt::{Login, Publisher, Refused, Version};
use tests::{GraphQl, Options, Postgres, Server, Subscription, eventually, time};

use crate::offboarding::copy;

/// Waits until something is over, and tells how long it took.
#[allow(clippy::print_stderr, reason = "the time is for whoever runs this by hand")]
async fn over(what: &str, mut is_over: impl AsyncFnMut() -> bool) {
    let since = time::instant();
    eventually(what, time::BOUND, async || if is_over().await { Ok(()) } else { Err("not yet".to_owned()) })
        .await;
    let elapsed: Duration = since.elapsed();
    eprintln!("{what}: after {} ms", elapsed.as_millis());
}

/// The code with which it is refused; empty when it is not.
async fn code(api: &GraphQl, document: &str) -> String {
    let answer = api.run(document, json!({})).await;
    let code = answer.errors.first().and_then(|error| error["extensions"]["code"].as_str());
    code.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_one_process_revokes_the_other_refuses() {
    let Some(postgres) = Postgres::start().await else { return };
    let database = Some(postgres.database("iomt").await);
    let one = Server::start(Options::new(1).on(database.clone())).await;
    // The second finds the hospitals there, and knows their people from what the first has written down.
    let folder = tempfile::tempdir().unwrap();
    copy(one.data(), folder.path());
    let written = folder.path().join("credentials.json");
    let mut known: Value = serde_json::from_slice(&fs::read(&written).unwrap()).unwrap();
    // Nobody is there: the harness waits until the second server has written its own address.
    known["http"] = json!("http://127.0.0.1:1");
    fs::write(&written, known.to_string()).unwrap();
    let two = Server::start(Options { data: Some(folder.path().to_owned()), ..Options::new(1).on(database) });
    let two = two.await;
    assert_ne!(one.credentials.http, two.credentials.http);

    let hospital = one.first_tenant();
    let nurse = hospital.user("nurse");
    let browser: Client = tests::http::builder().cookie_store(true).build().unwrap();
    let sign_in = json!({ "email": nurse.email, "password": nurse.password });
    let at = |path: &str| format!("{}{path}", one.credentials.http);
    assert_eq!(browser.post(at("/auth/login")).json(&sign_in).send().await.unwrap().status(), 200);
    let signed_in = async || browser.get(at("/auth/session")).send().await.unwrap().status() == 200;
    assert!(signed_in().await);
    let application = Login {
        client_id: "dashboard".to_owned(),
        user_name: format!("{}/app", hospital.slug),
        password: hospital.user("integrator").token.clone(),
    };
    let mut application = Publisher::connect(one.mqtt(), &application, Version::V5, 1).await.unwrap();
    let subscription = "subscription { vitals { patientId } }";
    let open = |token: &str| {
        let (url, token) = (one.credentials.graphql_ws.clone(), token.to_owned());
        async move { Subscription::open(&url, &token, subscription, json!({})).await }
    };
    let mut by_role = open(&nurse.token).await;

    let admin = two.graphql(&hospital.user("admin").token);
    let people = admin.data("{ users { id email roles { role unit { id } } } }", json!({})).await;
    let person = |email: &str| {
        let all = people["users"].as_array().unwrap();
        all.iter().find(|user| user["email"] == email).unwrap().clone()
    };
    let end = "mutation ($user: ID!) { endSessionsOf(user: $user) }";
    let user = person(&nurse.email);
    assert_eq!(admin.data(end, json!({ "user": user["id"] })).await["endSessionsOf"], 1);
    over("a session that ended elsewhere", async || !signed_in().await).await;

    let api = one.graphql(&nurse.token);
    assert_eq!(code(&api, "{ patients { totalCount } }").await, "");
    let role = &user["roles"][0];
    let held = json!({ "input": { "user": user["id"], "role": role["role"], "unit": role["unit"]["id"] } });
    admin.data("mutation ($input: RoleInput!) { revokeRole(input: $input) { id } }", held).await;
    over("a role that was taken away elsewhere", async || {
        code(&api, "{ patients { totalCount } }").await == "FORBIDDEN"
    })
    .await;
    assert!(by_role.ended(time::BOUND).await, "an open subscription ends with it");

    let integrator = person(&hospital.user("integrator").email);
    let tokens = "query ($user: ID!) { apiTokens(user: $user) { id } }";
    let tokens = admin.data(tokens, json!({ "user": integrator["id"] })).await["apiTokens"].take();
    let revoke = "mutation ($id: ID!) { revokeApiToken(id: $id) }";
    for token in tokens.as_array().unwrap() {
        admin.data(revoke, json!({ "id": token["id"] })).await;
    }
    let program = one.graphql(&hospital.user("integrator").token);
    over("a token that was revoked elsewhere", async || {
        code(&program, "{ viewer { id } }").await == "UNAUTHENTICATED"
    })
    .await;
    over("an MQTT application whose token was revoked elsewhere", async || !application.ping().await).await;

    let other = one.second_tenant();
    let theirs = one.graphql(&other.user("nurse").token);
    let mut by_tenant = open(&other.user("nurse").token).await;
    let login = one.login(other, other.monitor(0));
    let mut device = Publisher::connect(one.mqtt(), &login, Version::V5, 1).await.unwrap();
    let operator = two.graphql(&two.credentials.operator.token);
    let all: Value = operator.data("{ tenants { id slug } }", json!({})).await["tenants"].take();
    let id =
        all.as_array().unwrap().iter().find(|one| one["slug"] == other.slug.as_str()).unwrap()["id"].clone();
    let suspend = "mutation ($id: ID!) { suspendTenant(id: $id, reason: \"Contract ended\") { id } }";
    operator.data(suspend, json!({ "id": id })).await;
    over("people of a hospital that was suspended elsewhere", async || {
        code(&theirs, "{ patients { totalCount } }").await == "FORBIDDEN"
    })
    .await;
    assert!(by_tenant.ended(time::BOUND).await);
    over("devices of a hospital that was suspended elsewhere", async || !device.ping().await).await;
    over("devices of it that come again", async || {
        let again = Publisher::connect(one.mqtt(), &login, Version::V5, 1).await;
        matches!(again.err(), Some(Refused::Code(0x87)))
    })
    .await;
}
