//! A hospital takes everything along and leaves; who its patients were cannot be read any more, in older copies neither.
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tests::{Options, Server, eventually, time};

use crate::operators::{errors, iomt};

const NAMES: &str = "{ patients(first: 50) { nodes { name } } }";

fn names(answer: &Value) -> Vec<String> {
    let nodes = answer["patients"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_hospital_leaves_and_a_restored_copy_tells_nothing() {
    let mut server = Server::start(Options::new(2)).await;
    let backup = tempfile::tempdir().unwrap();
    assert!(server.terminate().await.success());
    copy(server.data(), backup.path());
    server.restart().await;

    let slug = server.first_tenant().slug.clone();
    let patients = names(&server.graphql_as("admin").data(NAMES, json!({})).await);
    assert_eq!(patients.len(), 2);
    let database = format!("sqlite://{}", server.data().join("iomt.db").display());
    let run = async |arguments: &[&str]| {
        iomt(&[arguments, &["--slug", &slug, "--database-url", &database]].concat()).await
    };
    let offboard = ["tenant", "offboard", "--confirm", &slug, "--reason", "Contract ended", "--json"];
    let served = run(&offboard).await;
    assert!(errors(&served).contains("suspend it first"), "{}", errors(&served));
    assert!(run(&["tenant", "suspend", "--reason", "Contract ended"]).await.status.success());
    let without = run(&offboard).await;
    assert!(errors(&without).contains("iomt tenant export"), "{}", errors(&without));

    let to = backup.path().join("export");
    let export = ["tenant", "export", "--json", "--to", to.to_str().unwrap()];
    let exported = run(&export).await;
    assert!(exported.status.success(), "{}", errors(&exported));
    let manifest: Value = serde_json::from_slice(&exported.stdout).unwrap();
    assert_eq!(
        (&manifest["suspended"], &manifest["files"]["patients.jsonl"]["lines"]),
        (&json!(true), &json!(2))
    );
    let taken = fs::read_to_string(to.join("patients.jsonl")).unwrap();
    assert!(patients.iter().all(|name| taken.contains(name)), "{taken}");
    assert!(
        errors(&run(&export).await).contains("does not exist yet"),
        "an export is never mixed with another"
    );

    let gone = run(&offboard).await;
    assert!(gone.status.success(), "{}", errors(&gone));
    let gone: Value = serde_json::from_slice(&gone.stdout).unwrap();
    assert_eq!((&gone["erased"], &gone["backupsUnreadable"]), (&json!(true), &json!(true)));
    let operator = server.graphql(&server.credentials.operator.token);
    eventually("the running server knows it", time::BOUND, async || {
        let all = operator.data("{ tenants { slug erasedAt dataKey { version } } }", json!({})).await;
        let of_it = |tenant: &&Value| tenant["slug"] == slug.as_str();
        let it = all["tenants"].as_array().unwrap().iter().find(of_it).unwrap().clone();
        let erased = it["erasedAt"].is_string() && it["dataKey"].is_null();
        if erased { Ok(()) } else { Err(it.to_string()) }
    })
    .await;
    let back = run(&["tenant", "resume"]).await;
    assert!(errors(&back).contains("left for good"), "{}", errors(&back));
    let verified = iomt(&["audit", "verify", "--tenant", &slug, "--database-url", &database]).await;
    assert!(verified.status.success(), "{}", errors(&verified));
    let other = server.graphql(&server.second_tenant().user("nurse").token);
    assert!(!names(&other.data(NAMES, json!({})).await).is_empty(), "the other hospital notices nothing");
    assert!(server.terminate().await.success(), "twins of it trouble nobody");

    // The copy from before, with the keys as they are now: they are kept apart from copies.
    let keys = backup.path().join("iomt.db.keys");
    fs::remove_dir_all(&keys).unwrap();
    fs::create_dir(&keys).unwrap();
    copy(&server.data().join("iomt.db.keys"), &keys);
    let restored = Options { data: Some(backup.path().to_owned()), ..Options::new(2) };
    let restored = Server::start(restored).await;
    let answer = restored.graphql_as("admin").run(NAMES, json!({})).await;
    let text = format!("{answer:?}");
    assert!(patients.iter().all(|name| !text.contains(name.as_str())), "{text}");
    let other = restored.graphql(&restored.second_tenant().user("nurse").token);
    assert!(!names(&other.data(NAMES, json!({})).await).is_empty(), "keys of others are as they were");
}
