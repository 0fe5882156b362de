//! PUBACKs while messages come at a steady rate, each timed from when it was due: a server that falls behind cannot hide it
//! by slowing its clients down.
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::time::instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use crate::connection::identifier;
use crate::figures::{percentiles, print};
use crate::flood::{Sender, Subject};
use crate::payload::Reading;

/// How long the rate is kept up.
const LASTS: Duration = Duration::from_secs(5);
/// How exactly moments are kept: what is due meanwhile is sent together.
const TICK: Duration = Duration::from_millis(1);

impl Subject {
    /// Keeps up a rate of all connections together, and prints how long the PUBACKs took.
    pub(crate) async fn paced(&mut self, readings: &Rc<Vec<Reading>>, rate: f64) {
        let each = rate / self.connections.len() as f64;
        let began = instant();
        let sending: Vec<_> = self
            .connections
            .drain(..)
            .map(|sender| spawn_local(sender.send_paced(readings.clone(), each, began)))
            .collect();
        let mut latencies = Vec::new();
        for task in sending {
            let (sender, times) = task.await.expect("every message is acknowledged in order");
            self.connections.push(sender);
            latencies.extend(times);
        }
        let reached = latencies.len() as f64 / began.elapsed().as_secs_f64();
        let load = json!({ "load": "half of the maximum rate" });
        print(self.name, "paced_rate", reached, "msg/s", json!({ "wanted": rate.round() }));
        percentiles(self.name, "puback", &mut latencies, &load);
    }
}

impl Sender {
    async fn send_paced(
        mut self,
        readings: Rc<Vec<Reading>>,
        rate: f64,
        began: Instant,
    ) -> (Sender, Vec<Duration>) {
        let first = self.sent;
        let until = first + (rate * LASTS.as_secs_f64()) as u64;
        let due_at = |number: u64| Duration::from_secs_f64((number - first) as f64 / rate);
        let mut latencies = Vec::with_capacity((until - first) as usize);
        let (mut out, mut read) = (Vec::new(), vec![0; 4_096]);
        while self.acknowledgements.count < until {
            let due = first + (began.elapsed().as_secs_f64() * rate) as u64;
            if self.sent < due.min(until) {
                out.clear();
                while self.sent < due.min(until) {
                    let reading = &readings[self.sent as usize % readings.len()];
                    reading.write(&mut out, identifier(self.sent), self.first_ms + self.sent);
                    self.sent += 1;
                }
                self.stream.write_all(&out).await.expect("the server reads");
            }
            if self.acknowledgements.count == self.sent {
                sleep(TICK).await;
                continue;
            }
            let Ok(length) = timeout(TICK, self.stream.read(&mut read)).await else { continue };
            let length = length.expect("the server answers");
            assert_ne!(length, 0, "the server hung up");
            let answered = self.acknowledgements.count;
            let moment = began.elapsed();
            for number in answered..answered + self.acknowledgements.take(&read[..length]) {
                latencies.push(moment.saturating_sub(due_at(number)));
            }
        }
        (self, latencies)
    }
}
