//! What one hospital at ten times its quotas does to another: time to PUBACK and to the answer of a query, of a quiet
//! hospital, alone, beside one that is held to its quotas, and, to show what they are for, beside the same without them.
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::mqtt::Login;
use tests::time::{instant, now};
use tests::{GraphQl, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use crate::connection::{Acknowledgements, identifier, open};
use crate::figures::{median, print};
use crate::flood::{monitors, start};
use crate::options::Options;
use crate::payload::Reading;
use crate::quotas::{NO_LIMIT, allow};

/// So many times what the loud hospital may send does it offer.
const TIMES: u64 = 10;
/// Query cost a minute that it may cause; its programs ask for ten times as much.
const COST_LIMIT: u64 = 60_000;
const LOUD_QUERIES_A_SECOND: u64 = 25;
const LOUD_QUERY: &str = "{ patients(first: 200) { nodes { id name } } }";
/// Its messages are sent this often, so that the load itself needs little of the machine.
const LOUD_TICK: Duration = Duration::from_millis(10);

/// The quiet hospital.
const QUIET_DEVICES: usize = 10;
const QUIET_RATE: u64 = 500;
const QUIET_QUERIES_A_SECOND: u64 = 20;
const QUIET_QUERY: &str = "{ patients(first: 20) { nodes { id name vitals { sign value } } } }";

/// What the loud hospital does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nobody,
    Limited,
    Unlimited,
}

impl Beside {
    const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Limited => "a hospital at ten times its quotas",
            Self::Unlimited => "the same without quotas",
        }
    }
}

/// What a round showed of the quiet hospital, in milliseconds, and of the loud one.
struct Round {
    beside: Beside,
    puback: [f64; 2],
    query: [f64; 2],
    loud_rate: f64,
}

pub(crate) async fn run(options: &Options, folder: &Path) {
    let server = start(options, folder).await;
    let loud = Loud::new(&server, options);
    let mut rounds = Vec::new();
    // The first round wakes twins and fills caches; it does not count.
    for round in 0..=options.rounds {
        for beside in [Beside::Nobody, Beside::Limited, Beside::Unlimited] {
            let seconds = if round == 0 { 2 } else { options.seconds.div_ceil(2) as u64 };
            let shown = one(&server, &loud, beside, seconds).await;
            if round > 0 {
                rounds.push(shown);
            }
        }
    }
    report(&rounds, loud.limit);
}

async fn one(server: &Server, loud: &Loud, beside: Beside, seconds: u64) -> Round {
    match beside {
        Beside::Limited => allow(server, loud.limit, COST_LIMIT).await,
        Beside::Nobody | Beside::Unlimited => allow(server, NO_LIMIT, NO_LIMIT).await,
    }
    let flood = if beside == Beside::Nobody { None } else { Some(loud.flood(server).await) };
    // It has used up what it may send at once.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = flood.as_ref().map_or(0, Flood::acknowledged);
    let began = instant();
    let (mut puback, mut query) = quiet(server, seconds).await;
    let elapsed = began.elapsed().as_secs_f64();
    let loud_rate = flood.as_ref().map_or(0, Flood::acknowledged) - before;
    if let Some(flood) = flood {
        flood.end();
    }
    Round {
        beside,
        puback: shares(&mut puback),
        query: shares(&mut query),
        loud_rate: loud_rate as f64 / elapsed,
    }
}

/// Sends and asks at a steady rate, and returns how long each took.
async fn quiet(server: &Server, seconds: u64) -> (Vec<Duration>, Vec<Duration>) {
    let tenant = server.second_tenant();
    let devices = tenant.devices.iter().take(QUIET_DEVICES);
    let tick = Duration::from_secs(1) * QUIET_DEVICES as u32 / QUIET_RATE as u32;
    let messages = seconds * QUIET_RATE / QUIET_DEVICES as u64;
    let mut sending = Vec::new();
    for (index, device) in devices.enumerate() {
        let stream = open(server.mqtt(), &server.login(tenant, device), 0).await;
        let from = instant() + tick.mul_f64(index as f64 / QUIET_DEVICES as f64);
        sending.push(spawn_local(send_quietly(stream, index, messages, tick, from)));
    }
    let nurse = server.graphql(&tenant.user("nurse").token);
    let mut ticks = interval_at(instant().into(), Duration::from_secs(1) / QUIET_QUERIES_A_SECOND as u32);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut queries = Vec::new();
    for _ in 0..seconds * QUIET_QUERIES_A_SECOND {
        ticks.tick().await;
        let began = instant();
        nurse.data(QUIET_QUERY, json!({})).await;
        queries.push(began.elapsed());
    }
    let mut pubacks = Vec::new();
    for task in sending {
        pubacks.extend(task.await.expect("the quiet hospital is served"));
    }
    (pubacks, queries)
}

async fn send_quietly(
    mut stream: TcpStream,
    device: usize,
    messages: u64,
    tick: Duration,
    from: Instant,
) -> Vec<Duration> {
    let reading = Reading::normal(device);
    let mut ticks = interval_at(from.into(), tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut acknowledgements = Acknowledgements::default();
    let (mut out, mut read, mut times) = (Vec::new(), vec![0; 64], Vec::new());
    for message in 0..messages {
        ticks.tick().await;
        out.clear();
        reading.write(&mut out, identifier(message), milliseconds());
        let began = instant();
        stream.write_all(&out).await.expect("the server reads");
        while acknowledgements.count <= message {
            let length = stream.read(&mut read).await.expect("the server answers");
            assert_ne!(length, 0, "the server hung up on the quiet hospital");
            acknowledgements.take(&read[..length]);
        }
        times.push(began.elapsed());
    }
    times
}

/// The hospital that is loud.
struct Loud {
    nurse: GraphQl,
    logins: Vec<Login>,
    /// Messages a second that it may send.
    limit: u64,
}

/// What it sends and asks for, until it is told to end.
struct Flood {
    tasks: Vec<JoinHandle<()>>,
    acknowledged: Rc<RefCell<u64>>,
}

impl Loud {
    fn new(server: &Server, options: &Options) -> Self {
        let nurse = server.graphql_as("nurse");
        Self { nurse, logins: monitors(server, options.publishers), limit: options.limit as u64 }
    }

    async fn flood(&self, server: &Server) -> Flood {
        let acknowledged = Rc::new(RefCell::new(0));
        let each = self.limit * TIMES * LOUD_TICK.as_millis() as u64 / 1_000 / self.logins.len() as u64;
        let mut tasks = Vec::new();
        for (index, login) in self.logins.iter().enumerate() {
            let (read, write) = open(server.mqtt(), login, index).await.into_split();
            tasks.push(spawn_local(send_loudly(write, index, each.max(1))));
            tasks.push(spawn_local(count(read, acknowledged.clone())));
        }
        tasks.push(spawn_local(ask_loudly(self.nurse.clone())));
        Flood { tasks, acknowledged }
    }
}

impl Flood {
    fn acknowledged(&self) -> u64 {
        *self.acknowledged.borrow()
    }

    fn end(self) {
        for task in self.tasks {
            task.abort();
        }
    }
}

/// Waits for nothing but the socket.
async fn send_loudly(mut write: OwnedWriteHalf, device: usize, each: u64) {
    let reading = Reading::normal(device);
    let mut ticks = interval_at(instant().into(), LOUD_TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut out, mut message, mut time_ms) = (Vec::new(), 0, milliseconds());
    loop {
        ticks.tick().await;
        out.clear();
        for _ in 0..each {
            reading.write(&mut out, identifier(message), time_ms);
            (message, time_ms) = (message + 1, time_ms + 1);
        }
        write.write_all(&out).await.expect("the server does not hang up on the loud hospital");
    }
}

async fn count(mut read: OwnedReadHalf, acknowledged: Rc<RefCell<u64>>) {
    let mut acknowledgements = Acknowledgements::default();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = read.read(&mut buffer).await.unwrap_or(0);
        assert_ne!(length, 0, "the server hung up on the loud hospital");
        *acknowledged.borrow_mut() += acknowledgements.take(&buffer[..length]);
    }
}

/// Asks on, whether it was answered or refused.
async fn ask_loudly(nurse: GraphQl) {
    let mut ticks = interval_at(instant().into(), Duration::from_secs(1) / LOUD_QUERIES_A_SECOND as u32);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        ticks.tick().await;
        let nurse = nurse.clone();
        spawn_local(async move {
            let asked = nurse.attempt(LOUD_QUERY, json!({}));
            drop(timeout(Duration::from_secs(10), asked).await);
        });
    }
}

fn milliseconds() -> u64 {
    u64::try_from(now().as_millisecond()).expect("after 1970")
}

/// The 50th and the 99th percentile, in milliseconds.
fn shares(latencies: &mut [Duration]) -> [f64; 2] {
    latencies.sort_unstable();
    [0.5, 0.99].map(|share| {
        let index = ((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1));
        latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
    })
}

fn report(rounds: &[Round], limit: u64) {
    let of = |beside: Beside, figure: &dyn Fn(&Round) -> f64| {
        median(rounds.iter().filter(|round| round.beside == beside).map(figure).collect())
    };
    for beside in [Beside::Nobody, Beside::Limited, Beside::Unlimited] {
        let more = json!({ "beside": beside.name(), "limit": limit, "offered": limit * TIMES });
        print("iomt", "loud_rate", of(beside, &|round| round.loud_rate), "msg/s", more.clone());
        for (index, share) in ["p50", "p99"].into_iter().enumerate() {
            let puback = of(beside, &|round| round.puback[index]);
            print("iomt", &format!("quiet_puback_{share}"), puback, "ms", more.clone());
            let query = of(beside, &|round| round.query[index]);
            print("iomt", &format!("quiet_query_{share}"), query, "ms", more.clone());
        }
    }
    for beside in [Beside::Limited, Beside::Unlimited] {
        let more = json!({ "beside": beside.name(), "against": "alone" });
        let ratio = |figure: &dyn Fn(&Round) -> f64| of(beside, figure) / of(Beside::Nobody, figure);
        print("iomt", "quiet_puback_p99_ratio", ratio(&|round| round.puback[1]), "x", more.clone());
        print("iomt", "quiet_query_p99_ratio", ratio(&|round| round.query[1]), "x", more);
    }
}
