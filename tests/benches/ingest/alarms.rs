//! How long a reading takes to become an alarm on a subscriber's screen, at a steady rate.
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::mqtt::Login;
use tests::time::{instant, now};
use tests::{Subscription, rules};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;
use tokio::task::spawn_local;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::connection::{Acknowledgements, identifier, open};
use crate::figures::{percentiles, print};
use crate::flood::{monitors, start};
use crate::options::Options;
use crate::payload::Reading;

/// Each device crosses the threshold once in so many messages.
const CROSSING_EVERY: u64 = 100;
/// No alarm for so long: one was lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// Times of what is under way, per device: crossings without an alarm yet, messages without a PUBACK yet.
#[derive(Default)]
struct UnderWay {
    crossings: VecDeque<Instant>,
    messages: VecDeque<Instant>,
    pubacks: Vec<Duration>,
}

type Shared = Rc<RefCell<UnderWay>>;

pub(crate) async fn run(options: &Options, folder: &Path) {
    let server = start(options, folder).await;
    // Raised and cleared by a single reading, so that the time measured is the path's and not the rule's patience.
    rules::only(&server.graphql_as("admin"), rules::low_oxygen(0, 0)).await;
    let token = &server.first_tenant().user("nurse").token;
    let document = "subscription { alarms { state device { id } } }";
    let mut subscriber = Subscription::open(&server.credentials.graphql_ws, token, document, json!({})).await;

    let mut devices: HashMap<String, Shared> = HashMap::new();
    let mut sending = Vec::new();
    let logins = monitors(&server, options.publishers);
    for (index, login) in logins.iter().enumerate() {
        let shared = Shared::default();
        devices.insert(login.client_id.clone(), shared.clone());
        let stream = open(server.mqtt(), login, index).await;
        let (read, write) = stream.into_split();
        spawn_local(listen(read, shared.clone()));
        sending.push((write, shared));
    }
    let tick = Duration::from_secs_f64(options.publishers as f64 / options.rate as f64);
    let messages = (options.seconds * options.rate / options.publishers) as u64;
    let began = instant();
    let mut tasks = Vec::new();
    for (index, (write, shared)) in sending.into_iter().enumerate() {
        let offset = tick.mul_f64(index as f64 / options.publishers as f64);
        tasks.push(spawn_local(send(write, shared, index as u64, messages, tick, began + offset)));
    }
    let load = spawn_local(async move {
        for task in tasks {
            task.await.expect("a sender ends in order");
        }
        began.elapsed()
    });
    let mut latencies = Vec::new();
    while latencies.len() < expected(&logins, messages) {
        let Some(event) = subscriber.next_within(PATIENCE).await else { break };
        let alarm = &event["alarms"];
        if alarm["state"] == "RAISED" {
            let device = alarm["device"]["id"].as_str().expect("an alarm has a device");
            let crossed =
                devices[device].borrow_mut().crossings.pop_front().expect("no alarm without a crossing");
            latencies.push(crossed.elapsed());
        }
    }
    assert_eq!(latencies.len(), expected(&logins, messages), "every crossing becomes an alarm");
    let elapsed = load.await.expect("the load ends in order");
    let rate = messages as f64 * options.publishers as f64 / elapsed.as_secs_f64();
    print(
        "iomt",
        "alarm_load",
        rate,
        "msg/s",
        json!({ "publishers": options.publishers, "wanted": options.rate }),
    );
    percentiles(
        "iomt",
        "reading_to_alarm",
        &mut latencies,
        &json!({ "at": "GraphQL subscriber", "rate": options.rate }),
    );
    let mut pubacks: Vec<Duration> =
        devices.values().flat_map(|shared| std::mem::take(&mut shared.borrow_mut().pubacks)).collect();
    percentiles("iomt", "puback", &mut pubacks, &json!({ "load": "steady", "rate": options.rate }));
}

/// Devices take turns, so that crossings are spread over time.
fn crosses(device: u64, message: u64) -> bool {
    message % CROSSING_EVERY == (device * 7 + 10) % CROSSING_EVERY
}

fn expected(logins: &[Login], messages: u64) -> usize {
    let of = |device: usize| (0..messages).filter(|message| crosses(device as u64, *message)).count();
    (0..logins.len()).map(of).sum()
}

async fn send(
    mut write: tokio::net::tcp::OwnedWriteHalf,
    shared: Shared,
    device: u64,
    messages: u64,
    tick: Duration,
    from: Instant,
) {
    let (normal, low) = (Reading::normal(device as usize), Reading::low());
    let mut ticks = interval_at(from.into(), tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut out = Vec::with_capacity(300);
    let mut last_ms = 0;
    for message in 0..messages {
        ticks.tick().await;
        let reading = if crosses(device, message) { &low } else { &normal };
        last_ms = u64::try_from(now().as_millisecond()).expect("after 1970").max(last_ms + 1);
        out.clear();
        reading.write(&mut out, identifier(message), last_ms);
        let moment = instant();
        shared.borrow_mut().messages.push_back(moment);
        if crosses(device, message) {
            shared.borrow_mut().crossings.push_back(moment);
        }
        write.write_all(&out).await.expect("the server reads");
    }
    // The connection stays open until the last acknowledgement has come.
    while !shared.borrow().messages.is_empty() {
        ticks.tick().await;
    }
}

async fn listen(mut stream: OwnedReadHalf, shared: Shared) {
    let mut acknowledgements = Acknowledgements::default();
    let mut read = vec![0; 4_096];
    loop {
        let length = stream.read(&mut read).await.unwrap_or(0);
        if length == 0 {
            return;
        }
        let moment = instant();
        let mut shared = shared.borrow_mut();
        for _ in 0..acknowledgements.take(&read[..length]) {
            let sent = shared.messages.pop_front().expect("no acknowledgement without a message");
            shared.pubacks.push(moment - sent);
        }
    }
}
