//! How fast commits and reads are; run by hand, in release:
//! `cargo test --release -p storage --features measure measure -- --ignored --nocapture`.

use std::time::Duration;

use ::tenants::{CorrelationId, Sequence, TenantId, access::Object, clock::Stopwatch};
use bytes::Bytes;
use twins::{
    message::{Channel, DeviceRun, LogMessage},
    store::{
        directory::History,
        journal::{Commit, Journal, Segment},
    },
};

use super::{
    postgres_server::Server,
    world::{World, at, device},
};
use crate::{
    database::{Database, DatabaseOptions},
    segments::{Directory, Messages, Scratch, encode},
};

/// Messages of about 256 bytes that look like readings, `per_device` of each of the devices.
fn readings(tenant: TenantId, first: u64, devices: u64, per_device: u64) -> Segment {
    let message = |sequence: u64| {
        let noise = sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let value = |n: u32, from: u64, to: u64| from + (noise >> (n * 5)) % (to - from);
        let payload = format!(
            r#"{{"ts":{},"values":{{"heartRate":{},"spo2":{}.{},"respiratoryRate":{},"systolicPressure":{},"diastolicPressure":{},"temperature":{}.{:02},"supplementalOxygen":false,"consciousness":"A","battery":{}.{:03},"firmware":"4.2.1","id":"{noise:016x}"}}}}"#,
            1_767_000_000_000 + sequence,
            value(1, 55, 130),
            value(2, 90, 99),
            value(3, 0, 9),
            value(4, 10, 30),
            value(5, 90, 160),
            value(6, 50, 95),
            value(7, 35, 40),
            value(8, 0, 99),
            value(9, 20, 99),
            value(10, 0, 999),
        );
        LogMessage {
            sequence: Sequence(sequence),
            received_at: at(i64::try_from(sequence / 10).unwrap()),
            correlation: CorrelationId(sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            channel: Channel::Telemetry { component: None },
            user_properties: None,
            payload: Bytes::from(payload),
        }
    };
    let run = |n: u64| DeviceRun {
        device: device(&format!("bench-{n:05}")),
        messages: (0..per_device).map(|offset| message(first + n * per_device + offset)).collect(),
    };
    Segment { tenant, first: Sequence(first), runs: (0..devices).map(run).collect() }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

async fn commits(world: &World, first: u64, rounds: u64, devices: u64, per_device: u64) -> u64 {
    let count = devices * per_device;
    let mut times = Vec::new();
    for round in 0..rounds {
        let segment = readings(world.a, first + round * count, devices, per_device);
        let commit = Commit { segments: vec![segment], ..Commit::default() };
        let stopwatch = Stopwatch::start();
        world.database.commit(&commit).await.unwrap();
        times.push(micros(stopwatch.elapsed()));
    }
    let rate = 1e6 * (rounds * count) as f64 / times.iter().sum::<f64>();
    times.sort_by(f64::total_cmp);
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("commit of {count}: p50 {p50:.0} us, p99 {p99:.0} us, {rate:.0} messages/s");
    first + rounds * count
}

async fn history(world: &World, what: &str) {
    let scope = world.read(world.a, Object::Patient).await;
    for limit in [1_000, 20_000] {
        let stopwatch = Stopwatch::start();
        let one = [device("bench-00003")];
        let runs = world.database.messages(&scope, &one, at(0), at(1 << 40), limit).await.unwrap();
        let found: usize = runs.iter().map(|run| run.messages.len()).sum();
        println!("history, {what}: {found} of one device in {:.0} us", micros(stopwatch.elapsed()));
    }
    let stopwatch = Stopwatch::start();
    world.database.devices_after(world.a, Sequence::ZERO).await.unwrap();
    println!("devices after 0, {what}: {:.0} us", micros(stopwatch.elapsed()));
}

fn encoding() {
    let segment = readings(TenantId::PLATFORM, 1, 50, 20);
    let mut scratch = Scratch::default();
    let mut encoded = encode(&segment.runs, &mut scratch).unwrap();
    let stopwatch = Stopwatch::start();
    for _ in 0..200 {
        encoded = encode(&segment.runs, &mut scratch).unwrap();
    }
    let size = encoded.messages.len();
    println!("encoding 1,000: {:.0} us, {size} bytes", micros(stopwatch.elapsed()) / 200.0);
    let stopwatch = Stopwatch::start();
    for _ in 0..200 {
        let directory = Directory::decode(&encoded.directory, 1..=1_000).unwrap();
        let messages = Messages::decompress(&directory, &encoded.messages).unwrap();
        assert_eq!(messages.runs(&directory, Sequence(1), |_| true, |_| true).unwrap().len(), 50);
    }
    println!("decoding 1,000: {:.0} us", micros(stopwatch.elapsed()) / 200.0);
}

async fn measure(world: World) {
    world.claim().await;
    let next = commits(&world, 1, 300, 50, 20).await;
    let next = commits(&world, next, 300, 50, 4).await;
    let next = commits(&world, next, 200, 50, 80).await;
    commits(&world, next, 20_000, 10, 1).await;
    history(&world, "20,000 small segments").await;
    let stopwatch = Stopwatch::start();
    let mut place = Sequence::ZERO;
    loop {
        let done = world.database.compact(world.a, place).await.unwrap();
        place = done.next;
        if !done.more {
            break;
        }
    }
    println!("merging: {:.0} us", micros(stopwatch.elapsed()));
    history(&world, "merged").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a check"]
async fn measure_on_sqlite() {
    encoding();
    measure(World::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a check"]
async fn measure_on_postgres() {
    let Some(server) = Server::start_durable() else { return };
    let url = server.url("postgres", "postgres");
    let database = Database::connect(&url, &DatabaseOptions::default()).await.unwrap();
    database.migrate().await.unwrap();
    measure(World::of(database, url, None).await).await;
}
