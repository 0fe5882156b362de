//! The runner against the server's end of a real socket.
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::BytesMut;
use jiff::SignedDuration;
use rumqttc::mqttbytes::v4::{self, ConnAck, PubAck};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const BOUND: Duration = Duration::from_secs(20);
const SPEED: f64 = 50.0;

/// The far end of one connection.
struct Far {
    stream: TcpStream,
    unread: BytesMut,
}

impl Far {
    async fn accept(listener: &TcpListener) -> Far {
        let (stream, _) = timeout(BOUND, listener.accept()).await.unwrap().unwrap();
        Far { stream, unread: BytesMut::new() }
    }

    async fn next(&mut self) -> v4::Packet {
        loop {
            if let Ok(packet) = v4::Packet::read(&mut self.unread, 64 * 1024) {
                return packet;
            }
            let read = timeout(BOUND, self.stream.read_buf(&mut self.unread)).await.unwrap().unwrap();
            assert_ne!(read, 0, "the device hung up");
        }
    }

    async fn greet(&mut self) -> v4::Connect {
        let v4::Packet::Connect(connect) = self.next().await else { panic!("no CONNECT first") };
        let mut out = BytesMut::new();
        ConnAck::new(ConnectReturnCode::Success, false).write(&mut out).unwrap();
        self.stream.write_all(&out).await.unwrap();
        connect
    }

    async fn reading(&mut self) -> (u16, Value) {
        loop {
            if let v4::Packet::Publish(publish) = self.next().await {
                assert_eq!((publish.topic.as_str(), publish.qos), ("telemetry", QoS::AtLeastOnce));
                return (publish.pkid, serde_json::from_slice(&publish.payload).unwrap());
            }
        }
    }

    async fn acknowledge(&mut self, id: u16) {
        let mut out = BytesMut::new();
        PubAck::new(id).write(&mut out).unwrap();
        self.stream.write_all(&out).await.unwrap();
    }
}

/// A clock on which each look takes as long as one tick of the runner.
fn stepping_clock() -> WallClock {
    let looks = AtomicI64::new(0);
    Arc::new(move || {
        let tick = SignedDuration::from_secs_f64(1.0 / SPEED);
        let passed = tick * i32::try_from(looks.fetch_add(1, Ordering::Relaxed)).unwrap();
        "2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap() + passed
    })
}

fn one_device(mqtt: SocketAddr) -> SimulatorConfig {
    let device = SimulatedDevice {
        user_name: "ward/monitor-1".into(),
        password: "a token".into(),
        device_id: "monitor-1".into(),
        seed: 4,
        course: Course::Stable,
    };
    SimulatorConfig {
        mqtt,
        devices: vec![device],
        speed: SPEED,
        cadence: Cadence::default(),
        now: stepping_clock(),
    }
}

#[tokio::test]
async fn a_device_logs_in_reports_reconnects_and_says_goodbye() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(run(one_device(listener.local_addr().unwrap()), shutdown.clone()));

    let mut first = Far::accept(&listener).await;
    let connect = first.greet().await;
    let login = connect.login.unwrap();
    assert_eq!((login.username.as_str(), login.password.as_str()), ("ward/monitor-1", "a token"));
    assert_eq!(connect.client_id, "monitor-1");
    let (unacknowledged, reading) = first.reading().await;
    assert!(reading["values"]["heartRate"].is_u64(), "{reading}");
    drop(first);

    let mut second = Far::accept(&listener).await;
    second.greet().await;
    let (id, again) = second.reading().await;
    assert_eq!((id, &again), (unacknowledged, &reading), "what was not acknowledged is sent again");
    second.acknowledge(id).await;
    let (next, _) = second.reading().await;
    assert_ne!(next, id);
    second.acknowledge(next).await;

    shutdown.cancel();
    loop {
        match second.next().await {
            v4::Packet::Publish(publish) => second.acknowledge(publish.pkid).await,
            v4::Packet::Disconnect => break,
            other => panic!("{other:?}"),
        }
    }
    timeout(BOUND, running).await.unwrap().unwrap();
}
