//! Many devices at once on several threads. The same load is a test (small) and a measurement (large,
//! ignored): `cargo nextest run -p broker --release --test load --run-ignored only --no-capture`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use broker::{
    Admission, Broker, BrokerConfig, Chunk, Client, Episode, Gatekeeper, Grants, Ingest, Login, NotTaken,
    Presence, Receipt, Refusal, Speech,
};
use support::{
    device, tenant,
    wire::{Connect, V4, publish},
};
use tenants::{
    DeviceId, TenantId,
    clock::{Stopwatch, SystemClock},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};

const WINDOW: usize = 50;
const PAYLOAD_BYTES: usize = 256;

struct Open;

#[async_trait]
impl Gatekeeper for Open {
    async fn admit(&self, login: Login<'_>) -> Result<Admission, Refusal> {
        let client = Client::Device(device(login.user_name));
        let (speech, grants) = (Speech::Native, Grants::default());
        Ok(Admission {
            tenant: tenant(1),
            client,
            speech,
            until: None,
            behind: Arc::default(),
            grants,
            quotas: None,
        })
    }
}

impl Presence for Open {
    fn connected(&self, _: TenantId, _: &DeviceId, _: jiff::Timestamp) {}
    fn disconnected(&self, _: TenantId, _: &DeviceId, _: jiff::Timestamp) {}
    fn happened(&self, _: TenantId, _: &DeviceId, _: Episode) {}
}

/// Collects the chunks of all connections and commits them together, as a log does.
struct GroupCommit(mpsc::Sender<(usize, oneshot::Sender<()>)>);

#[async_trait]
impl Ingest for GroupCommit {
    async fn pace(&self, _: TenantId, _: usize) -> Result<(), NotTaken> {
        Ok(())
    }

    async fn submit(&self, chunk: Chunk) -> Result<Receipt, NotTaken> {
        let (commit, receipt) = oneshot::channel();
        let bytes = chunk.messages.iter().map(|message| message.payload.len()).sum();
        self.0.send((bytes, commit)).await.map_err(|_| NotTaken::Closed)?;
        Ok(receipt)
    }
}

async fn commit_in_groups(mut chunks: mpsc::Receiver<(usize, oneshot::Sender<()>)>, every: Duration) {
    let mut group = Vec::new();
    while chunks.recv_many(&mut group, 1_024).await > 0 {
        sleep(every).await; // the commit takes its time
        // The last chunk's receipt first: the sessions put them in order.
        for (_, commit) in group.drain(..).rev() {
            commit.send(()).ok();
        }
    }
}

async fn start(commit: Duration) -> Broker {
    let (sender, receiver) = mpsc::channel(1_024);
    tokio::spawn(commit_in_groups(receiver, commit));
    let config = BrokerConfig { listen: ([127, 0, 0, 1], 0).into(), ..BrokerConfig::default() };
    Broker::bind(
        config,
        Arc::new(Open),
        Arc::new(GroupCommit(sender)),
        Arc::new(support::Desk::default()),
        Arc::new(Open),
        Arc::new(support::Memory::default()),
        Arc::new(SystemClock),
    )
    .await
    .unwrap()
}

async fn connect(address: SocketAddr, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let connect = Connect { client_id: format!("c{number}"), ..Connect::new(V4, &format!("d{number}")) };
    stream.write_all(&connect.frame()).await.unwrap();
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).await.unwrap();
    assert_eq!(connack, [0x20, 2, 0, 0]);
    stream
}

/// Keeps a window of messages in flight and checks that every PUBACK comes in its order.
async fn publish_all(mut stream: TcpStream, messages: usize) {
    let frame = publish(V4, "telemetry", 1, &[b'x'; PAYLOAD_BYTES]);
    let id_at = frame.len() - PAYLOAD_BYTES - 2;
    let (mut sent, mut acked, mut held) = (0, 0, 0);
    let (mut out, mut acks) = (Vec::new(), [0; 4 * WINDOW]);
    let id = |number: usize| u16::try_from(number % 60_000 + 1).unwrap().to_be_bytes();
    while acked < messages {
        out.clear();
        while sent < messages && sent - acked < WINDOW {
            let start = out.len();
            out.extend_from_slice(&frame);
            out[start + id_at..][..2].copy_from_slice(&id(sent));
            sent += 1;
        }
        stream.write_all(&out).await.unwrap();
        held += timeout(support::PATIENCE, stream.read(&mut acks[held..])).await.unwrap().unwrap();
        let whole = held / 4 * 4;
        for ack in acks[..whole].chunks(4) {
            assert_eq!(ack[2..], id(acked), "in order");
            acked += 1;
        }
        acks.copy_within(whole..held, 0);
        held -= whole;
    }
}

async fn load(broker: &Broker, devices: usize, messages: usize) -> Duration {
    let mut streams = Vec::new();
    for number in 0..devices {
        streams.push(connect(broker.local_addr(), number).await);
    }
    let watch = Stopwatch::start();
    let mut publishers: JoinSet<()> =
        streams.into_iter().map(|stream| publish_all(stream, messages)).collect();
    while let Some(done) = publishers.join_next().await {
        done.unwrap();
    }
    watch.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_message_is_acknowledged_in_order() {
    let broker = start(Duration::from_millis(1)).await;
    load(&broker, 40, 500).await;
    broker.shutdown(Duration::from_secs(10)).await;
}

#[ignore = "a measurement"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throughput() {
    let broker = start(Duration::from_millis(2)).await;
    for devices in [50, 500] {
        let messages = 2_000_000 / devices;
        let elapsed = load(&broker, devices, messages).await;
        let rate = (devices * messages) as f64 / elapsed.as_secs_f64();
        println!("{devices} publishers, window {WINDOW}, {PAYLOAD_BYTES} bytes: {rate:.0} messages/s");
    }
}

#[ignore = "a measurement; needs 18,100 file descriptors"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections() {
    let broker = start(Duration::from_millis(2)).await;
    let (devices, before, watch) = (9_000, resident_bytes(), Stopwatch::start());
    let mut streams = Vec::new();
    for number in 0..devices {
        let mut stream = connect(broker.local_addr(), number).await;
        stream.write_all(&publish(V4, "telemetry", 1, &[b'x'; PAYLOAD_BYTES])).await.unwrap();
        streams.push(stream);
    }
    for stream in &mut streams {
        stream.read_exact(&mut [0; 4]).await.unwrap();
    }
    let per_device = (resident_bytes() - before) / devices;
    println!(
        "{devices} devices that sent one message: {per_device} bytes each, both ends, in {:?}",
        watch.elapsed()
    );
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
