//! What several journeys need: a monitor at a bed, and how it and its patient look through GraphQL.
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{GraphQl, eventually, time};

const DEVICE: &str =
    "query ($id: ID!) { device(id: $id) { id connected messageCount setAsideCount quarantine lastSeenAt
    patient { id } readings { path value unit modeled measuredAt }
    setAside(first: 50) { sequence reason detail excerpt receivedAt } } }";

/// Readings one second apart, as a device with a clock sends them.
pub(crate) struct Seconds {
    next: Timestamp,
}

impl Seconds {
    /// Begins so many seconds ago, so that as many readings can be told at once.
    pub(crate) fn ago(seconds: i64) -> Seconds {
        let now = Timestamp::from_second(time::now().as_second()).unwrap();
        Seconds { next: now - SignedDuration::from_secs(seconds) }
    }

    /// One message of the next second.
    pub(crate) fn message(&mut self, values: &Value) -> String {
        let message = json!({ "ts": self.next.to_string(), "values": values }).to_string();
        self.next += SignedDuration::from_secs(1);
        message
    }

    /// The same values, second after second.
    pub(crate) fn repeat(&mut self, seconds: usize, values: &Value) -> Vec<String> {
        (0..seconds).map(|_| self.message(values)).collect()
    }
}

/// The device as the API shows it.
pub(crate) async fn device(api: &GraphQl, id: &str) -> Value {
    api.data(DEVICE, json!({ "id": id })).await["device"].take()
}

/// Waits until the twin has folded so many messages, set aside ones included, and returns it.
pub(crate) async fn folded(api: &GraphQl, id: &str, messages: u64) -> Value {
    eventually(&format!("{id} folds {messages} messages"), time::BOUND, async || {
        let device = device(api, id).await;
        if device["messageCount"] == messages { Ok(device) } else { Err(format!("{device:#}")) }
    })
    .await
}

/// The latest reading of a path.
pub(crate) fn reading<'a>(device: &'a Value, path: &str) -> &'a Value {
    let mut readings = device["readings"].as_array().unwrap().iter();
    readings.find(|reading| reading["path"] == path).unwrap_or_else(|| panic!("no {path} in {device:#}"))
}

/// The number of a reading, whatever its text looks like.
pub(crate) fn number(reading: &Value) -> f64 {
    reading["value"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("{reading} is no number"))
}
