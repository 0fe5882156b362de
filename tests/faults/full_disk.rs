//! A disk without room: nothing is promised that cannot be kept, and all is well again when there is room.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tests::mqtt::{Login, Publisher, Version};
use tests::{Options, Server, environment, eventually, time};

const SIZE_MIB: usize = 48;
/// A readings message with a note of this size fills a disk soon.
const NOTE_BYTES: usize = 200 * 1024;
/// How long an acknowledgement may take before it counts as withheld; commits take milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_full_disk_takes_nothing_and_recovers() {
    let Some(disk) = Disk::mount() else { return };
    let data = disk.path().join("data");
    fs::create_dir(&data).unwrap();
    let server = Server::start(Options { data: Some(data), ..Options::new(2) }).await;
    let tenant = server.first_tenant();
    let monitor = tenant.monitor(0);
    let login = server.login(tenant, monitor);
    let admin = server.graphql_as("admin");
    assert_eq!(server.readiness().await.unwrap(), 200);

    let filler = disk.path().join("filler");
    disk.fill(&filler);
    // What the database had set aside for itself before may still take some.
    let acknowledged = publish_until_withheld(&server, &login).await;
    becomes(&server, 503).await;
    let unanswered = Publisher::connect(server.mqtt(), &login, Version::V5, 1).await;
    if let Ok(mut publisher) = unanswered {
        publisher.publish("telemetry", b"{\"spo2\":96}", 0).await.ok();
        assert!(!publisher.acknowledged_within(Duration::from_secs(1)).await, "acknowledged without room");
    }

    fs::remove_file(&filler).unwrap();
    becomes(&server, 200).await;
    let mut publisher = connected(&server, &login).await;
    publisher.publish("telemetry", b"{\"spo2\":95}", 0).await.unwrap();
    publisher.settle().await.unwrap();
    let document = "query ($id: ID!) { device(id: $id) { messageCount quarantine readings { path value } } }";
    eventually("the twin has the reading that came when there was room again", time::BOUND, async || {
        let twin = admin.attempt(document, json!({ "id": monitor.id })).await?.data["device"].take();
        let readings = twin["readings"].as_array().into_iter().flatten();
        let latest = readings
            .filter(|reading| reading["path"] == "spo2")
            .find_map(|reading| reading["value"].as_str());
        let kept = twin["messageCount"].as_u64() > Some(acknowledged)
            && latest.is_some_and(|value| value.starts_with("95"));
        if kept && twin["quarantine"].is_null() { Ok(()) } else { Err(format!("{twin:.2000}")) }
    })
    .await;
}

/// Returns how many were acknowledged before the server withheld an answer or closed the connection.
async fn publish_until_withheld(server: &Server, login: &Login) -> u64 {
    let mut publisher = connected(server, login).await;
    let note = "x".repeat(NOTE_BYTES);
    let payload = json!({ "note": note, "spo2": 97 }).to_string();
    let most = 4 * SIZE_MIB * 1024 * 1024 / NOTE_BYTES;
    for number in 0..most as u64 {
        if publisher.publish("telemetry", payload.as_bytes(), number).await.is_err()
            || !publisher.acknowledged_within(PATIENCE).await
        {
            return number;
        }
    }
    panic!("{most} messages of {NOTE_BYTES} bytes were acknowledged on a full disk of {SIZE_MIB} MiB");
}

async fn connected(server: &Server, login: &Login) -> Publisher {
    eventually("a device is let in", time::BOUND, async || {
        Publisher::connect(server.mqtt(), login, Version::V5, 1)
            .await
            .map_err(|refused| format!("{refused:?}"))
    })
    .await
}

async fn becomes(server: &Server, status: u16) {
    eventually(&format!("/readyz says {status}"), time::BOUND, async || {
        let now = server.readiness().await?;
        if now == status { Ok(()) } else { Err(format!("it says {now}")) }
    })
    .await;
}

/// A small file system of its own in memory.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn mount() -> Option<Disk> {
        if !environment::is_root() {
            environment::skip("only root may mount a small file system");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={SIZE_MIB}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Disk { folder }),
            other => {
                environment::skip(&format!("a small file system cannot be mounted: {other:?}"));
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes until there is no room left.
    fn fill(&self, file: &PathBuf) {
        let block = vec![1u8; SIZE_MIB * 1024 * 1024];
        assert!(fs::write(file, block).is_err(), "the disk is smaller than what was written");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the server, which is dropped before or after, may still hold files on it.
        let unmounted = Command::new("umount").arg("-l").arg(self.folder.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.folder.path().display());
        }
    }
}
