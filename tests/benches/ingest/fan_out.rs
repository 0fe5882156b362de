//! What one program says, to a thousand that listen: messages delivered in a second, beside Mosquitto.
//!
//! The publisher keeps a window of messages ahead of its slowest listener and no more, so that nothing has to be dropped and
//! both brokers are asked for the same.
use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;

use serde_json::json;
use tests::mosquitto::Broker;
use tests::mqtt::{Login, Version, publish, subscribe};
use tests::time::instant;
use tests::{Options as ServerOptions, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::spawn_local;

use crate::connection::open;
use crate::figures::{median, print};
use crate::options::Options;
use crate::payload;

const LISTENERS: usize = 1_000;
/// Messages of one round; each is delivered to every listener.
const MESSAGES: usize = 300;
/// Messages that the slowest listener may be behind.
const WINDOW: usize = 20;
const TOPIC: &str = "bench/fan/out";

pub(crate) async fn run(options: &Options, folder: &Path) {
    let data = Some(folder.join("data-fan-out"));
    let server = ServerOptions { binary: Some(options.server.clone()), data, ..ServerOptions::new(1) };
    let server = Server::start(server).await;
    let tenant = server.first_tenant();
    let login = Login {
        client_id: String::new(),
        user_name: format!("{}/app", tenant.slug),
        password: tenant.user("integrator").token.clone(),
    };
    let broker = if options.mosquitto { Broker::start().await } else { None };
    for qos in [0, 1] {
        let ours = rates("iomt", server.mqtt(), &login, qos, options.rounds).await;
        if let Some(broker) = &broker {
            let theirs = rates("mosquitto", broker.address(), &login, qos, options.rounds).await;
            let more = json!({ "version": broker.version(), "qos": qos });
            print("iomt", "fan_out_rate_ratio", ours / theirs, "x mosquitto", more);
        }
    }
}

async fn rates(subject: &str, server: SocketAddr, login: &Login, qos: u8, rounds: usize) -> f64 {
    let mut rates = Vec::new();
    for _ in 0..rounds {
        rates.push(round(server, login, qos).await);
    }
    let rate = median(rates.clone());
    let more =
        json!({ "listeners": LISTENERS, "qos": qos, "payload_bytes": payload::BYTES, "rounds": rates });
    print(subject, "fan_out_rate", rate, "deliveries/s", more);
    rate
}

/// How far everybody is.
#[derive(Default)]
struct Progress {
    delivered: Cell<usize>,
    moved: Notify,
}

/// Deliveries a second of one round.
async fn round(server: SocketAddr, login: &Login, qos: u8) -> f64 {
    let named = |number: usize| Login { client_id: format!("fan-{number}"), ..login.clone() };
    let frame = frame(qos);
    let progress = Rc::new(Progress::default());
    let mut listeners = Vec::with_capacity(LISTENERS);
    for number in 0..LISTENERS {
        let mut stream = open(server, &named(number), number).await;
        let mut wish = subscribe(TOPIC, 1, Version::V311);
        *wish.last_mut().expect("a SUBSCRIBE ends with its QoS") = qos;
        stream.write_all(&wish).await.expect("the server reads");
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.expect("SUBSCRIBE is answered");
        assert_eq!(answer, [0x90, 3, 0, 1, qos]);
        listeners.push(spawn_local(listen(stream, frame.len(), qos, progress.clone())));
    }
    let mut speaker = open(server, &named(LISTENERS), LISTENERS).await;
    let began = instant();
    for number in 0..MESSAGES {
        while progress.delivered.get() < number.saturating_sub(WINDOW) * LISTENERS {
            progress.moved.notified().await;
        }
        let mut frame = frame.clone();
        if qos > 0 {
            let id = u16::try_from(number + 1).expect("few messages").to_be_bytes();
            frame[id_at()..id_at() + 2].copy_from_slice(&id);
        }
        speaker.write_all(&frame).await.expect("the server reads");
    }
    for listener in listeners {
        listener.await.expect("every listener hears everything");
    }
    (MESSAGES * LISTENERS) as f64 / began.elapsed().as_secs_f64()
}

/// The PUBLISH as it is sent and as it arrives.
fn frame(qos: u8) -> Vec<u8> {
    let whole = publish(TOPIC, &[b'x'; payload::BYTES], 1, Version::V311);
    if qos > 0 {
        return whole.bytes;
    }
    // The same without an identifier: its header has two bytes of length.
    let mut bytes = whole.bytes;
    bytes.drain(whole.id_at..whole.id_at + 2);
    let length = bytes.len() - 3;
    bytes[0] = 0x30;
    bytes[1] = u8::try_from(length & 0x7F).expect("seven bits") | 0x80;
    bytes[2] = u8::try_from(length >> 7).expect("a short message");
    bytes
}

/// Where a PUBLISH of QoS 1 has its identifier.
const fn id_at() -> usize {
    3 + 2 + TOPIC.len()
}

/// Hears every message, and acknowledges it at QoS 1. All frames are of one length.
async fn listen(mut stream: TcpStream, length: usize, qos: u8, progress: Rc<Progress>) {
    let (mut buffer, mut filled, mut heard) = (vec![0; 16 * length], 0, 0);
    while heard < MESSAGES {
        let count = stream.read(&mut buffer[filled..]).await.expect("the server sends");
        assert!(count > 0, "the server has hung up after {heard} messages");
        filled += count;
        let whole = filled / length;
        let mut answers = Vec::with_capacity(4 * whole);
        for frame in buffer[..whole * length].chunks_exact(length) {
            assert_eq!(frame[0] & 0xF6, 0x30 | qos << 1, "a PUBLISH of that QoS");
            if qos > 0 {
                answers.extend_from_slice(&[0x40, 2, frame[id_at()], frame[id_at() + 1]]);
            }
        }
        if !answers.is_empty() {
            stream.write_all(&answers).await.expect("the server reads");
        }
        buffer.copy_within(whole * length..filled, 0);
        filled -= whole * length;
        heard += whole;
        progress.delivered.set(progress.delivered.get() + whole);
        progress.moved.notify_one();
    }
}
