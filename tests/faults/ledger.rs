//! What devices were promised: for each, which messages it sent and which were acknowledged, over all its connections.
use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, Unit};
use serde_json::{Value, json};
use tests::mqtt::{Account, Login, Publisher, Version};
use tests::{Device, GraphQl, Server, eventually, time};

/// One device and the account of it.
pub(crate) struct Entry {
    pub(crate) device: Device,
    pub(crate) login: Login,
    /// Messages written to a socket, those sent again counted again.
    pub(crate) sent: u64,
    /// By the number that the message carries as `seq`.
    pub(crate) acknowledged: BTreeSet<u64>,
    /// In flight when the connection broke; a device sends them again.
    unanswered: Vec<u64>,
    /// When the message was measured, for those whose measurements are looked up again one by one.
    measured_at: BTreeMap<u64, Timestamp>,
    next: u64,
}

/// How hard a device sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As fast as its window allows.
    Flood,
    /// Waits for each acknowledgement, with its own time in each message, so that each can be found in the history.
    Measured,
}

impl Entry {
    pub(crate) fn new(server: &Server, device: &Device) -> Entry {
        let login = server.login(server.first_tenant(), device);
        Entry {
            device: device.clone(),
            login,
            sent: 0,
            acknowledged: BTreeSet::new(),
            unanswered: Vec::new(),
            measured_at: BTreeMap::new(),
            next: 0,
        }
    }

    /// Sends, first what was not answered before, until the connection breaks.
    pub(crate) async fn send_until_it_breaks(mut self, server: std::net::SocketAddr, pace: Pace) -> Entry {
        let window = if pace == Pace::Flood { 50 } else { 1 };
        let connected = Publisher::connect(server, &self.login, Version::V311, window).await;
        let mut publisher = connected.expect("a server that is ready lets its devices in");
        let again = std::mem::take(&mut self.unanswered);
        let mut numbers = again.into_iter();
        loop {
            let number = numbers.next().unwrap_or_else(|| {
                self.next += 1;
                self.next
            });
            let payload = self.message(number, pace);
            if publisher.publish("telemetry", payload.as_bytes(), number).await.is_err() {
                break;
            }
        }
        self.unanswered = publisher.in_flight().chain(numbers).collect();
        let Account { acknowledged, sent } = publisher.account().clone();
        self.sent += sent;
        self.acknowledged.extend(acknowledged);
        self
    }

    fn message(&mut self, number: u64, pace: Pace) -> String {
        let values = json!({ "seq": number, "heartRate": 60 + number % 40, "spo2": 97 });
        if pace == Pace::Flood {
            return values.to_string();
        }
        // Whole milliseconds, each its own: the history can be asked for this very message.
        let measured_at = *self.measured_at.entry(number).or_insert_with(|| millisecond(time::now()));
        json!({ "ts": measured_at.to_string(), "values": values }).to_string()
    }

    /// Every acknowledged message is in the twin: counted, and the last of them or a later one is its latest reading.
    pub(crate) async fn is_kept_by_the_twin(&self, api: &GraphQl) {
        let document = "query ($id: ID!) { device(id: $id) { messageCount setAsideCount quarantine
            readings { path value } } }";
        let promised = self.acknowledged.len() as u64;
        let last = self.acknowledged.last().copied().unwrap_or(0);
        let what = format!("{} keeps {promised} acknowledged messages up to number {last}", self.device.id);
        let twin = eventually(&what, time::BOUND, async || {
            let twin = api.attempt(document, json!({ "id": self.device.id })).await?.data["device"].take();
            let latest = latest_number(&twin).unwrap_or(0);
            let kept = twin["messageCount"].as_u64().is_some_and(|count| count >= promised) && latest >= last;
            if kept { Ok(twin) } else { Err(format!("{twin:#}")) }
        })
        .await;
        assert!(twin["messageCount"].as_u64() <= Some(self.sent), "no message was invented: {twin:#}");
        assert!(latest_number(&twin) <= Some(self.next), "{twin:#}");
        assert_eq!((&twin["setAsideCount"], &twin["quarantine"]), (&json!(0), &Value::Null));
    }

    /// Every acknowledged message since a moment is in the log, each looked for by itself.
    pub(crate) async fn is_kept_by_the_log(&self, api: &GraphQl, since: Timestamp) {
        let document = "query ($id: ID!, $since: DateTime!) { device(id: $id) { patient {
            trend(sign: HEART_RATE, since: $since, maxPoints: 5000) { at value } } } }";
        let variables = json!({ "id": self.device.id, "since": since.to_string() });
        let data = api.data(document, variables).await;
        let points = data["device"]["patient"]["trend"].as_array().expect("a trend is a list");
        assert!(points.len() < 5_000, "too many to be shown one by one");
        let stored: BTreeSet<(Timestamp, u64)> = points
            .iter()
            .map(|point| {
                let at = point["at"].as_str().and_then(|at| at.parse().ok()).expect("a point has a time");
                (at, point["value"].as_f64().expect("a point has a value") as u64)
            })
            .collect();
        for (number, at) in self.measured_at.iter().filter(|(_, at)| **at >= since) {
            if self.acknowledged.contains(number) {
                assert!(
                    stored.contains(&(*at, 60 + number % 40)),
                    "number {number} of {at} was acknowledged and lost"
                );
            }
        }
    }
}

pub(crate) fn millisecond(time: Timestamp) -> Timestamp {
    time.round(Unit::Millisecond).expect("a time of today can be rounded")
}

fn latest_number(twin: &Value) -> Option<u64> {
    let mut readings = twin["readings"].as_array()?.iter();
    let value = readings.find(|reading| reading["path"] == "seq")?["value"].as_str()?.parse::<f64>().ok()?;
    Some(value as u64)
}
