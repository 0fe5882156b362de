//! What devices were promised: for each, which messages it sent and which were acknowledged, over all its connections.
use std::collections::BTreeSet;

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
    next: u64,
    /// Numbers of the messages that were found in the log.
    logged: BTreeSet<u64>,
    /// Messages that were found in the log, those that stand there twice counted twice.
    found: u64,
    /// The newest place in the log that was looked at.
    looked_at: u64,
}

/// How hard a device sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As fast as its window allows.
    Flood,
    /// Waits for each acknowledgement.
    Alone,
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
            next: 0,
            logged: BTreeSet::new(),
            found: 0,
            looked_at: 0,
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
            let payload = json!({ "seq": number, "heartRate": 60 + number % 40, "spo2": 97 }).to_string();
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

    /// The next look goes through the whole log again: what was found once may have been lost since.
    pub(crate) fn forget_what_was_found(&mut self) {
        self.logged.clear();
        (self.found, self.looked_at) = (0, 0);
    }

    /// Every acknowledged message is in the log, each looked for by itself.
    pub(crate) async fn is_kept_by_the_log(&mut self, api: &GraphQl) {
        let document = "query ($id: ID!, $before: String) { device(id: $id) {
            messages(first: 200, before: $before) { sequence payload } } }";
        let (mut before, mut newest) = (Value::Null, self.looked_at);
        'all: loop {
            let page = api.data(document, json!({ "id": self.device.id, "before": before })).await;
            let page = page["device"]["messages"].as_array().expect("messages are a list").clone();
            for message in &page {
                let place: u64 = text(&message["sequence"]).parse().expect("a place in the log is a number");
                if place <= self.looked_at {
                    break 'all;
                }
                newest = newest.max(place);
                let sent: Value = serde_json::from_str(text(&message["payload"])).expect("as it was sent");
                self.logged.insert(sent["seq"].as_u64().expect("every message carries its number"));
                self.found += 1;
            }
            let Some(last) = page.last() else { break };
            before = last["sequence"].clone();
        }
        self.looked_at = newest;
        let lost: Vec<_> = self.acknowledged.difference(&self.logged).take(10).collect();
        assert!(lost.is_empty(), "{}: acknowledged, but not in the log: {lost:?}", self.device.id);
        assert!(self.found <= self.sent, "no message was invented: {} of {}", self.found, self.sent);
    }

    /// The twin has folded every message of the log, each once: it counts them, and its latest reading is the newest.
    pub(crate) async fn is_kept_by_the_twin(&self, api: &GraphQl) {
        let document = "query ($id: ID!) { device(id: $id) { messageCount setAsideCount quarantine
            readings { path value } } }";
        let last = self.acknowledged.last().copied().unwrap_or(0);
        let what = format!("the twin of {} has folded {} messages", self.device.id, self.found);
        let twin = eventually(&what, time::BOUND, async || {
            let twin = api.attempt(document, json!({ "id": self.device.id })).await?.data["device"].take();
            if twin["messageCount"] == self.found { Ok(twin) } else { Err(format!("{twin:#}")) }
        })
        .await;
        let latest = latest_number(&twin).unwrap_or(0);
        assert!((last..=self.next).contains(&latest), "{latest} is not within {last}..={}", self.next);
        assert_eq!((&twin["setAsideCount"], &twin["quarantine"]), (&json!(0), &Value::Null));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn latest_number(twin: &Value) -> Option<u64> {
    let mut readings = twin["readings"].as_array()?.iter();
    let value = readings.find(|reading| reading["path"] == "seq")?["value"].as_str()?.parse::<f64>().ok()?;
    Some(value as u64)
}
