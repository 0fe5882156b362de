//! As much as goes through: QoS 1, a window for each connection, every acknowledgement verified.
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::mosquitto::Broker;
use tests::mqtt::Login;
use tests::time::{instant, now};
use tests::{GraphQl, Options as ServerOptions, Server, eventually, rules};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::spawn_local;

use crate::connection::{Acknowledgements, identifier, open};
use crate::figures::{median, percentiles, print};
use crate::machine::processor_s;
use crate::options::Options;
use crate::payload::Reading;
use crate::quotas::{NO_LIMIT, allow};

const OURS: &str = "iomt";
const MOSQUITTO: &str = "mosquitto";
const VARIANTS: usize = 64;
/// Folding lags behind the acknowledgements by some queues, not by minutes.
const FOLD_BOUND: Duration = Duration::from_secs(120);

/// What one round showed.
struct Round {
    rate: f64,
    processor_us: f64,
    latencies: Vec<Duration>,
}

/// One broker under load; its connections stay open between rounds.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    process: u32,
    pub(crate) connections: Vec<Sender>,
    rounds: Vec<Round>,
}

/// A connection and where it stands.
pub(crate) struct Sender {
    pub(crate) stream: TcpStream,
    pub(crate) sent: u64,
    pub(crate) acknowledgements: Acknowledgements,
    pub(crate) first_ms: u64,
}

pub(crate) async fn run(options: &Options, folder: &Path) {
    let server = start(options, folder).await;
    let logins = monitors(&server, options.publishers);
    let devices: Vec<String> = logins.iter().map(|login| login.client_id.clone()).collect();
    let mut ours = Subject::new(OURS, server.process(), server.mqtt(), &logins).await;
    let broker = if options.mosquitto { Broker::start().await } else { None };
    let mut theirs = match &broker {
        Some(broker) => Some(Subject::new(MOSQUITTO, broker.process(), broker.address(), &logins).await),
        None => None,
    };
    let readings: Rc<Vec<Reading>> = Rc::new((0..VARIANTS).map(Reading::normal).collect());
    let admin = server.graphql_as("admin");
    let share = options.messages / options.publishers;
    let mut folds = Vec::new();
    // The first round wakes twins and fills caches; it does not count.
    for round in 0..=options.rounds {
        let began = instant();
        ours.flood(&readings, share, options.window).await;
        let acknowledged = began.elapsed();
        until_folded(&admin, &devices, ours.connections[0].sent).await;
        folds.push((acknowledged, began.elapsed()));
        if let Some(theirs) = &mut theirs {
            theirs.flood(&readings, share, options.window).await;
        }
        if round == 0 {
            ours.rounds.clear();
            folds.clear();
            theirs.iter_mut().for_each(|theirs| theirs.rounds.clear());
        }
    }
    let rate = ours.report();
    report_folds(&folds, share * options.publishers);
    ours.paced(&readings, rate / 2.0).await;
    if let (Some(theirs), Some(broker)) = (&mut theirs, &broker) {
        let their_rate = theirs.report();
        let more = json!({ "mosquitto": broker.version(), "window": options.window });
        print(OURS, "qos1_rate_ratio", rate / their_rate, "x mosquitto", more);
    }
}

/// A server with enough patients' monitors, and one rule.
pub(crate) async fn start(options: &Options, folder: &Path) -> Server {
    let data = Some(folder.join(format!("data-{}", now().as_millisecond())));
    let patients = u32::try_from(options.publishers).expect("fewer than four billion publishers");
    let database = match &options.postgres {
        Some(postgres) => Some(postgres.database(&format!("bench_{}", now().as_millisecond())).await),
        None => None,
    };
    let server = ServerOptions {
        binary: Some(options.server.clone()),
        data,
        extra_devices: patients,
        database,
        ..ServerOptions::new(patients)
    };
    let server = Server::start(server).await;
    allow(&server, NO_LIMIT, NO_LIMIT).await;
    rules::only(&server.graphql_as("admin"), rules::low_oxygen(10, 5)).await;
    server
}

/// Devices of the first tenant, those with a patient first.
pub(crate) fn monitors(server: &Server, wanted: usize) -> Vec<Login> {
    let tenant = server.first_tenant();
    let (assigned, spare): (Vec<_>, Vec<_>) =
        tenant.devices.iter().partition(|device| device.patient.is_some());
    let with_patient = assigned.len().min(wanted);
    eprintln!("{with_patient} of {wanted} publishers are monitors of a patient");
    let devices = assigned.into_iter().chain(spare).take(wanted);
    let logins: Vec<Login> = devices.map(|device| server.login(tenant, device)).collect();
    assert_eq!(logins.len(), wanted, "the demo has too few devices");
    logins
}

impl Subject {
    async fn new(name: &'static str, process: u32, address: SocketAddr, logins: &[Login]) -> Subject {
        let mut connections = Vec::new();
        for (index, login) in logins.iter().enumerate() {
            let stream = open(address, login, index).await;
            let first_ms = u64::try_from(now().as_millisecond()).expect("after 1970");
            connections.push(Sender {
                stream,
                sent: 0,
                acknowledgements: Acknowledgements::default(),
                first_ms,
            });
        }
        Subject { name, process, connections, rounds: Vec::new() }
    }

    async fn flood(&mut self, readings: &Rc<Vec<Reading>>, share: usize, window: usize) {
        let processor_before = processor_s(self.process);
        let began = instant();
        let sending: Vec<_> = self
            .connections
            .drain(..)
            .map(|sender| spawn_local(sender.send(readings.clone(), share as u64, window as u64)))
            .collect();
        let mut latencies = Vec::new();
        for task in sending {
            let (sender, times) = task.await.expect("every message is acknowledged in order");
            self.connections.push(sender);
            latencies.extend(times);
        }
        let elapsed = began.elapsed().as_secs_f64();
        let messages = (share * self.connections.len()) as f64;
        let processor_us = (processor_s(self.process) - processor_before) * 1e6 / messages;
        self.rounds.push(Round { rate: messages / elapsed, processor_us, latencies });
    }

    /// Prints the figures and returns the median rate.
    fn report(&mut self) -> f64 {
        let rates: Vec<f64> = self.rounds.iter().map(|round| round.rate).collect();
        let rounded: Vec<f64> = rates.iter().map(|rate| rate.round()).collect();
        let rate = median(rates);
        print(self.name, "qos1_rate", rate, "msg/s", json!({ "rounds": rounded }));
        let processor = median(self.rounds.iter().map(|round| round.processor_us).collect());
        print(
            self.name,
            "processor_time",
            processor,
            "us/msg",
            json!({ "until": "the last acknowledgement" }),
        );
        let mut latencies: Vec<Duration> =
            self.rounds.iter_mut().flat_map(|round| std::mem::take(&mut round.latencies)).collect();
        percentiles(self.name, "puback", &mut latencies, &json!({ "load": "flood" }));
        rate
    }
}

impl Sender {
    /// Sends so many messages, keeping the window full, and returns when all are acknowledged.
    async fn send(mut self, readings: Rc<Vec<Reading>>, share: u64, window: u64) -> (Sender, Vec<Duration>) {
        let until = self.sent + share;
        let mut latencies = Vec::with_capacity(share as usize);
        let mut sent_at: Vec<Instant> = vec![instant(); window as usize];
        let mut out = Vec::with_capacity(window as usize * 300);
        let mut read = vec![0; 4 * window as usize];
        while self.acknowledgements.count < until {
            let room = (self.acknowledgements.count + window).min(until) - self.sent;
            if room > 0 {
                let moment = instant();
                out.clear();
                for _ in 0..room {
                    let reading = &readings[self.sent as usize % readings.len()];
                    // A millisecond apart in the device's own time, so that no reading is older than the one before.
                    reading.write(&mut out, identifier(self.sent), self.first_ms + self.sent);
                    sent_at[(self.sent % window) as usize] = moment;
                    self.sent += 1;
                }
                self.stream.write_all(&out).await.expect("the server reads");
            }
            let length = self.stream.read(&mut read).await.expect("the server answers");
            assert_ne!(length, 0, "the server hung up");
            let first = self.acknowledgements.count;
            let moment = instant();
            for number in first..first + self.acknowledgements.take(&read[..length]) {
                latencies.push(moment - sent_at[(number % window) as usize]);
            }
        }
        (self, latencies)
    }
}

/// Waits until every device's twin has folded so many messages.
pub(crate) async fn until_folded(api: &GraphQl, devices: &[String], messages: u64) {
    let document = "query ($id: ID!) { device(id: $id) { messageCount setAsideCount } }";
    for device in devices {
        eventually(&format!("{device} folds {messages} messages"), FOLD_BOUND, async || {
            let twin: Value = api.attempt(document, json!({ "id": device })).await?.data["device"].take();
            let complete = twin["messageCount"] == messages && twin["setAsideCount"] == 0;
            if complete { Ok(()) } else { Err(twin.to_string()) }
        })
        .await;
    }
}

fn report_folds(folds: &[(Duration, Duration)], messages: usize) {
    let rate = median(folds.iter().map(|(_, folded)| messages as f64 / folded.as_secs_f64()).collect());
    print(OURS, "fold_rate", rate, "msg/s", json!({ "until": "every twin has folded every message" }));
    let lag =
        median(folds.iter().map(|(acked, folded)| (*folded - *acked).as_secs_f64() * 1_000.0).collect());
    print(
        OURS,
        "fold_lag",
        lag,
        "ms",
        json!({ "from": "the last acknowledgement", "includes": "asking for each device" }),
    );
}
