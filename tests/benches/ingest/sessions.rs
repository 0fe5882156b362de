//! What many idle sessions cost: how fast they are opened while there are few and while there are many, and how much memory
//! each takes, over TCP beside Mosquitto and over TLS.
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;

use rustls::pki_types::ServerName;
use serde_json::json;
use tests::mosquitto::Broker;
use tests::mqtt::{Login, Version, connect};
use tests::time::instant;
use tests::{Options as ServerOptions, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::connection::{open, socket};
use crate::figures::print;
use crate::machine::{open_files, resident_mib};
use crate::options::Options;

/// Log-ins under way at a time, as when a ward comes back after a power cut.
const AT_ONCE: usize = 64;
/// Sessions over which one rate is taken.
const STEP: usize = 1_000;
/// Memory is looked at each time that so many more are open, and at the end.
const LOOK_EVERY: usize = 10_000;
/// Files that a process needs besides its connections.
const OTHER_FILES: usize = 500;
/// Sessions over TLS: a handshake costs the load as much as the server.
const TLS_SESSIONS: usize = 20_000;

pub(crate) async fn run(options: &Options, folder: &Path) {
    let count = possible(options.sessions);
    let extra_devices = u32::try_from(count).expect("fewer than four billion devices");
    let data = Some(folder.join("data-sessions"));
    let server =
        ServerOptions { binary: Some(options.server.clone()), data, extra_devices, ..ServerOptions::new(3) };
    let mut server = Server::start(server).await;
    let tenant = server.first_tenant();
    let spare = tenant.devices.iter().filter(|device| device.patient.is_none()).take(count);
    let logins: Rc<Vec<Login>> = Rc::new(spare.map(|device| server.login(tenant, device)).collect());
    assert_eq!(logins.len(), count, "the demo has too few devices");

    let ours = plain("iomt", server.process(), server.mqtt(), &logins).await;
    // Anew, so that nothing is left of what the others took.
    server.terminate().await;
    server.restart().await;
    encrypted(&server, &logins[..count.min(TLS_SESSIONS)]).await;
    drop(server);
    if options.mosquitto {
        beside("mosquitto", Broker::start().await, &ours, &logins).await;
        beside("mosquitto with passwords", Broker::asking(&logins).await, &ours, &logins).await;
    }
}

/// The same of Mosquitto, and the ratio.
async fn beside(subject: &str, broker: Option<Broker>, ours: &Rates, logins: &Rc<Vec<Login>>) {
    if let Some(broker) = broker {
        let theirs = plain(subject, broker.process(), broker.address(), logins).await;
        for (figure, ours, theirs) in [("first", ours.first, theirs.first), ("last", ours.last, theirs.last)]
        {
            let more = json!({ "version": broker.version(), "sessions": logins.len() });
            print(
                "iomt",
                &format!("connect_rate_ratio_{figure}"),
                ours / theirs,
                &format!("x {subject}"),
                more,
            );
        }
    }
}

/// As many as the machine lets a process have.
fn possible(wanted: usize) -> usize {
    let most = open_files().map_or(wanted, |(soft, _)| soft.saturating_sub(OTHER_FILES));
    if most < wanted {
        eprintln!("{most} sessions instead of {wanted}: a process may not have more files open here");
    }
    wanted.min(most)
}

/// Sessions a second while there were few, and while there were nearly all.
struct Rates {
    first: f64,
    last: f64,
}

async fn plain(subject: &str, process: u32, server: SocketAddr, logins: &Rc<Vec<Login>>) -> Rates {
    let idle = resident_mib(process);
    let (mut held, mut rates): (Vec<TcpStream>, Vec<f64>) = (Vec::new(), Vec::new());
    while held.len() < logins.len() {
        let (from, until) = (held.len(), (held.len() + STEP).min(logins.len()));
        let began = instant();
        let lanes = (0..AT_ONCE).map(|lane| {
            let logins = logins.clone();
            spawn_local(async move {
                let mut opened = Vec::new();
                for index in (from + lane..until).step_by(AT_ONCE) {
                    opened.push(open(server, &logins[index], index).await);
                }
                opened
            })
        });
        for lane in lanes.collect::<Vec<_>>() {
            held.extend(lane.await.expect("every device is let in"));
        }
        rates.push((until - from) as f64 / began.elapsed().as_secs_f64());
        if held.len().is_multiple_of(LOOK_EVERY) || held.len() == logins.len() {
            per_session(subject, "TCP", process, idle, held.len());
        }
    }
    let mean = |some: &[f64]| some.iter().sum::<f64>() / some.len().max(1) as f64;
    let rates = Rates {
        first: mean(&rates[..rates.len().min(5)]),
        last: mean(&rates[rates.len().saturating_sub(5)..]),
    };
    for (when, rate) in [("first", rates.first), ("last", rates.last)] {
        let more = json!({ "sessions": logins.len(), "over": "TCP", "of": "the 5,000 at that end" });
        print(subject, &format!("connect_rate_{when}"), rate, "sessions/s", more);
    }
    rates
}

fn per_session(subject: &str, over: &str, process: u32, idle_mib: f64, count: usize) {
    let kib = (resident_mib(process) - idle_mib) * 1_024.0 / count as f64;
    print(subject, "resident_memory_per_session", kib, "KiB", json!({ "sessions": count, "over": over }));
}

async fn encrypted(server: &Server, logins: &[Login]) {
    let (process, address) = (server.process(), server.mqtts());
    let idle = resident_mib(process);
    let connector = server.tls();
    let began = instant();
    let logins: Rc<Vec<Login>> = Rc::new(logins.to_vec());
    let lanes = (0..AT_ONCE).map(|lane| {
        let (logins, connector) = (logins.clone(), connector.clone());
        spawn_local(async move {
            let mut opened = Vec::new();
            for index in (lane..logins.len()).step_by(AT_ONCE) {
                opened.push(secured(address, &connector, &logins[index], index).await);
            }
            opened
        })
    });
    let mut held = Vec::new();
    for lane in lanes.collect::<Vec<_>>() {
        held.extend(lane.await.expect("every device is let in"));
    }
    let rate = held.len() as f64 / began.elapsed().as_secs_f64();
    let more = json!({ "sessions": held.len(), "over": "TLS", "handshakes": "from the same two cores" });
    print("iomt", "connect_rate", rate, "sessions/s", more);
    per_session("iomt", "TLS", process, idle, held.len());
}

async fn secured(
    server: SocketAddr,
    connector: &TlsConnector,
    login: &Login,
    index: usize,
) -> TlsStream<TcpStream> {
    let name = ServerName::try_from("localhost").expect("a name");
    let tcp = socket(server, index).await;
    let mut stream = connector.connect(name, tcp).await.expect("the handshake works");
    stream.write_all(&connect(login, Version::V311, 3_600)).await.expect("the server reads");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.expect("CONNECT is answered");
    assert_eq!(answer, [0x20, 2, 0, 0], "{} is refused", login.user_name);
    stream
}
