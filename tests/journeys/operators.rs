//! What operators do from a shell, beside the running server.
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tests::{Options, Server, environment};
use tokio::process::Command;

pub(crate) async fn iomt(arguments: &[&str]) -> Output {
    Command::new(environment::iomt()).args(arguments).env_remove("IOMT_DATABASE_URL").output().await.unwrap()
}

pub(crate) fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_hospital_comes_aboard_beside_the_running_server() {
    let server = Server::start(Options::new(1)).await;
    let database = format!("sqlite://{}", server.data().join("iomt.db").display());
    let create = async |name: &str| {
        let command = ["tenant", "create", "--json", "--slug", "north", "--name", name];
        let to = ["--admin-email", "ada@north.example", "--database-url", &database];
        iomt(&[&command[..], &to].concat()).await
    };
    let first = create("North").await;
    assert!(first.status.success(), "{}", errors(&first));
    let first: Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!((&first["slug"], &first["created"]), (&json!("north"), &json!(true)));
    let again = create("North").await;
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&again["id"], &again["created"]), (&first["id"], &json!(false)));
    let other = create("South").await;
    assert_eq!(other.status.code(), Some(1));
    assert!(errors(&other).contains("choose another slug"), "{}", errors(&other));

    let operator = server.graphql(&server.credentials.operator.token);
    let known = operator.data("{ tenants { slug } }", json!({})).await;
    assert!(known["tenants"].as_array().unwrap().contains(&json!({ "slug": "north" })), "{known}");

    // The link of the first call was replaced by that of the second.
    let client = tests::http::builder().cookie_store(true).build().unwrap();
    let accept = async |link: &Value| {
        let token = link.as_str().unwrap().split_once("token=").unwrap().1;
        let account =
            json!({ "token": token, "displayName": "Ada", "password": "a password of some length" });
        let url = format!("{}/auth/invitation", server.credentials.http);
        client.post(url).json(&account).send().await.unwrap().status().as_u16()
    };
    assert_eq!(accept(&first["invitation"]).await, 404);
    assert_eq!(accept(&again["invitation"]).await, 200);
    assert_eq!(accept(&again["invitation"]).await, 404);
    let last = create("North").await;
    let last: Value = serde_json::from_slice(&last.stdout).unwrap();
    assert_eq!(last["invitation"], Value::Null, "the administrator has an account");
}

#[tokio::test]
async fn published_models_are_checked() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/dtdl-models/dtmi");
    if !models.exists() {
        eprintln!("SKIPPED: {} is not there", models.display());
        return;
    }
    let output = iomt(&["template", "check", "--json", models.to_str().unwrap()]).await;
    let checked: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let valid = checked.iter().filter(|one| one["valid"] == true).count();
    assert!(valid > 100, "{valid} of {}", checked.len());
    let wrong: Vec<_> = checked.iter().filter(|one| one["valid"] == false).collect();
    assert_eq!(output.status.code(), Some(i32::from(!wrong.is_empty())));
    for one in wrong {
        assert!(one["problem"].as_str().unwrap().len() > 10, "{one}");
    }
}
