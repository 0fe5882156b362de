//! What the standards leave open and users count on.
use std::time::Duration;

use tests::mqtt::Version;
use tests::time;

use crate::clause::{Run, run};
use crate::packet::{PUBACK, Publish, Said};
use crate::scene::Scene;

pub(crate) const TESTS: &[(&str, Run)] = &[
    ("what is too large is refused without being read", run!(too_large)),
    ("who connects and says nothing keeps nobody waiting", run!(silence)),
];

/// A server that serves a well-behaved client was not harmed by the others.
async fn is_unharmed(scene: &Scene) {
    let mut client = scene.login(&scene.device()).await;
    client.send(&Publish::new("telemetry", "{\"heartRate\":72}").qos(1).id(1).frame(scene.version)).await;
    client.expect_ack(PUBACK, 1).await;
}

async fn too_large(scene: Scene) {
    for connect in [scene.program(), scene.device()] {
        let mut client = scene.login(&connect).await;
        // The header of a PUBLISH of 200 MB, and a little of it.
        client.send(&[0x32, 0x80, 0x84, 0xAF, 0x5F, 0, 9]).await;
        client.send(b"telemetry").await;
        let words = client.last_words().await;
        match scene.version {
            Version::V5 => assert!(matches!(words[..], [Said::Disconnect { reason: 0x95, .. }]), "{words:?}"),
            Version::V311 => assert_eq!(words, []),
        }
    }
    is_unharmed(&scene).await;
}

async fn silence(scene: Scene) {
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(scene.open().await);
    }
    let began = time::instant();
    is_unharmed(&scene).await;
    assert!(began.elapsed() < Duration::from_secs(10));
    // A server closes what does not send its CONNECT in a reasonable time.
    let waited = silent[0].time_to_hang_up().await;
    assert!(waited < Duration::from_secs(20), "still open after {waited:?}");
}
