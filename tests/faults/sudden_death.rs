//! `kill -9` under load, again and again, on the same data.
use std::time::Duration;

use tests::{Options, Postgres, Server, eventually, time};
use tokio::time::sleep;

use crate::ledger::{Entry, Pace};

/// Devices that flood; one more waits for each acknowledgement.
const FLOODING: usize = 3;
/// Every so many rounds the server lives until its twins are in snapshots, so that the next restart goes on from those
/// and does not fold the log from its beginning.
const CHECKPOINT_EVERY: u32 = 7;

#[tokio::test]
async fn no_acknowledged_message_is_lost_in_twenty_kills_on_sqlite() {
    survives(20, None).await;
}

#[tokio::test]
async fn no_acknowledged_message_is_lost_in_three_kills_on_postgresql() {
    if let Some(postgres) = Postgres::start().await {
        survives(3, Some(postgres.database("iomt").await)).await;
    }
}

async fn survives(kills: u32, database: Option<String>) {
    let mut server =
        Server::start(Options { extra_devices: FLOODING as u32, ..Options::new(2) }.on(database)).await;
    let tenant = server.first_tenant();
    let flooding = tenant.devices.iter().filter(|device| device.patient.is_none()).take(FLOODING);
    let mut entries = vec![(Entry::new(&server, tenant.monitor(0)), Pace::Alone)];
    entries.extend(flooding.map(|device| (Entry::new(&server, device), Pace::Flood)));
    assert_eq!(entries.len(), FLOODING + 1);
    let began = time::instant();
    for round in 0..kills {
        let mqtt = server.mqtt();
        let sending: Vec<_> = entries
            .drain(..)
            .map(|(entry, pace)| (tokio::spawn(entry.send_until_it_breaks(mqtt, pace)), pace))
            .collect();
        // Not a wait for anything: the moment of death, another one each time.
        sleep(Duration::from_millis(100 + u64::from(round) * 137 % 300)).await;
        server.kill().await;
        for (task, pace) in sending {
            entries.push((task.await.expect("acknowledgements came in order"), pace));
        }
        server.restart().await;
        let api = server.graphql_as("admin");
        for (entry, _) in &mut entries {
            entry.is_kept_by_the_log(&api).await;
            entry.is_kept_by_the_twin(&api).await;
        }
        if round % CHECKPOINT_EVERY == 1 {
            eventually("a checkpoint is written", time::BOUND, async || {
                let written = server.metric("twins_checkpoints_total", "").await;
                if written > 0.0 { Ok(()) } else { Err("not yet".to_owned()) }
            })
            .await;
        }
    }
    let api = server.graphql_as("admin");
    for (entry, _) in &mut entries {
        entry.forget_what_was_found();
        entry.is_kept_by_the_log(&api).await;
        entry.is_kept_by_the_twin(&api).await;
    }
    let acknowledged: usize = entries.iter().map(|(entry, _)| entry.acknowledged.len()).sum();
    let sent: u64 = entries.iter().map(|(entry, _)| entry.sent).sum();
    eprintln!(
        "{kills} kills in {:.0?}: {acknowledged} acknowledged of {sent} sent, none lost",
        began.elapsed()
    );
    for (entry, _) in &entries {
        assert!(entry.acknowledged.len() > kills as usize, "{} was hardly heard", entry.device.id);
    }
}
