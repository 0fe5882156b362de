//! What the broker writes to its log: enough to follow a connection, nothing that must not be there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::{io, sync::Arc};

use parking_lot::Mutex;
use support::{
    World,
    wire::{Connect, V4, V5, Wire, publish},
};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_log_names_correlations_and_no_secrets_and_no_patient() {
    let written = Written::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(written.clone())
        .init();
    let world = World::obliging().await;
    let named = |level| Connect { client_id: "Jane-Doe".into(), ..Connect::new(level, "1/jane.doe") };
    let wrong = Connect { password: Some(b"pa55word".to_vec()), ..named(V5) };
    let mut refused = Wire::open(world.broker.local_addr()).await;
    refused.send(&wrong.frame()).await;
    assert_eq!(refused.packet().await[3], 0x86);
    let will = Some(("telemetry".into(), b"HIV positive".to_vec(), 0));
    for level in [V4, V5] {
        let mut wire = Wire::login(&world, &Connect { will: will.clone(), ..named(level) }).await;
        wire.send(&publish(level, "telemetry/jane.doe", 1, b"HIV positive")).await;
        wire.expect(&[0x40, 2, 0, 1]).await;
        wire.send(&publish(level, "feed/Jane-Doe", 1, b"HIV positive")).await;
        wire.packet_or_end().await;
    }
    world.until_metric("mqtt_connections ", 0).await;

    let log = String::from_utf8(written.0.lock().clone()).unwrap();
    for line in ["mqtt connection refused", "mqtt client connected", "mqtt session ended"] {
        let line = log.lines().find(|found| found.contains(line));
        assert!(line.is_some_and(|line| line.contains("correlation=")), "{line:?} in {log}");
    }
    assert!(log.contains("bad_credentials"), "{log}");
    for secret in ["secret", "pa55word", "jane", "Jane", "HIV"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
