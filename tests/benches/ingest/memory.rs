//! What connected devices cost in memory.
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use tests::mqtt::Login;
use tests::time::{instant, now};
use tests::{Options as ServerOptions, Server, rules};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::spawn_local;

use crate::connection::{Acknowledgements, identifier, open};
use crate::figures::print;
use crate::flood::until_folded;
use crate::machine::resident_mib;
use crate::options::Options;
use crate::payload::Reading;

/// Log-ins under way at a time, as when a ward comes back after a power cut.
const AT_ONCE: usize = 64;

pub(crate) async fn run(options: &Options, folder: &Path) {
    let data = Some(folder.join("data-many"));
    let extra_devices = u32::try_from(options.connections).expect("fewer than four billion devices");
    let server =
        ServerOptions { binary: Some(options.server.clone()), data, extra_devices, ..ServerOptions::new(12) };
    let server = Server::start(server).await;
    rules::only(&server.graphql_as("admin"), rules::low_oxygen(10, 5)).await;
    let process = server.process();
    print("iomt", "resident_memory", resident_mib(process), "MiB", json!({ "connected": 0 }));

    let tenant = server.first_tenant();
    let spare = tenant.devices.iter().filter(|device| device.patient.is_none()).take(options.connections);
    let logins: Rc<Vec<Login>> = Rc::new(spare.map(|device| server.login(tenant, device)).collect());
    assert_eq!(logins.len(), options.connections, "the demo has too few devices");
    let began = instant();
    let mut connections = connect_all(&server, &logins).await;
    let rate = logins.len() as f64 / began.elapsed().as_secs_f64();
    let more = json!({ "connected": connections.len() });
    print("iomt", "connect_rate", rate, "devices/s", more.clone());
    print("iomt", "resident_memory", resident_mib(process), "MiB", more);

    connections = report_all(connections).await;
    let sample: Vec<String> =
        logins.iter().step_by(logins.len().div_ceil(100)).map(|login| login.client_id.clone()).collect();
    until_folded(&server.graphql_as("admin"), &sample, 1).await;
    for (after, rest) in [("the burst", Duration::ZERO), ("2 s of rest", Duration::from_secs(2))] {
        // The allocator gives back what the burst needed a moment later.
        tokio::time::sleep(rest).await;
        let more = json!({ "connected": connections.len(), "after": after,
            "twins": "each with one reading of 8 values" });
        print("iomt", "resident_memory", resident_mib(process), "MiB", more);
    }
}

async fn connect_all(server: &Server, logins: &Rc<Vec<Login>>) -> Vec<TcpStream> {
    let address = server.mqtt();
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|lane| {
            let logins = logins.clone();
            spawn_local(async move {
                let mut connections = Vec::new();
                for index in (lane..logins.len()).step_by(AT_ONCE) {
                    connections.push(open(address, &logins[index], index).await);
                }
                connections
            })
        })
        .collect();
    let mut connections = Vec::new();
    for task in tasks {
        connections.extend(task.await.expect("every device is let in"));
    }
    connections
}

/// Each device sends one reading, so that each has a twin.
async fn report_all(connections: Vec<TcpStream>) -> Vec<TcpStream> {
    let mut reported = Vec::with_capacity(connections.len());
    let mut waiting = connections.into_iter();
    loop {
        let together: Vec<_> =
            waiting.by_ref().take(AT_ONCE).map(|stream| spawn_local(report(stream))).collect();
        if together.is_empty() {
            return reported;
        }
        for task in together {
            reported.push(task.await.expect("a reading is acknowledged"));
        }
    }
}

async fn report(mut connection: TcpStream) -> TcpStream {
    let mut out = Vec::new();
    let time_ms = u64::try_from(now().as_millisecond()).expect("after 1970");
    Reading::normal(1).write(&mut out, identifier(0), time_ms);
    connection.write_all(&out).await.expect("the server reads");
    let mut acknowledgements = Acknowledgements::default();
    let mut read = [0; 4];
    while acknowledgements.count == 0 {
        let length = connection.read(&mut read).await.expect("the server answers");
        assert_ne!(length, 0, "the server hung up");
        acknowledgements.take(&read[..length]);
    }
    connection
}
