//! One reading.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Path, Unit, Value, VitalSign};

/// A device's clock may run ahead of the server's by this much and still be believed. The same tolerance as
/// in the early-warning score.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// The time by which readings are put in order and judged: the device's, unless that runs so far ahead
/// that it cannot be right. Then the time of receipt: a clock that was once wrong must not make everything
/// that comes after it look late.
pub fn credible_time(measured_at: Timestamp, received_at: Timestamp) -> Timestamp {
    if measured_at.duration_since(received_at) > CLOCK_TOLERANCE { received_at } else { measured_at }
}

/// One value that a device reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Where in the device it was read.
    pub path: Path,
    /// What was read, in `unit`.
    pub value: Value,
    /// The unit of a number or of a waveform's samples; none where the quantity has none, or where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The vital sign that this path is, where the device's template says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<VitalSign>,
    /// Whether the device's template knows the path. What it does not know is kept and shown, but never scored.
    pub modeled: bool,
    /// When the device measured it, by the device's own clock; the time of receipt where the device gives none.
    pub measured_at: Timestamp,
    /// When the server received it.
    pub received_at: Timestamp,
}

impl Reading {
    /// When the reading counts as measured: see [`credible_time`].
    pub fn credible_at(&self) -> Timestamp {
        credible_time(self.measured_at, self.received_at)
    }

    /// How old the reading is at `now`.
    ///
    /// Counted from the earlier of its two times: a device whose clock runs ahead must not make an old
    /// value look fresh. Never negative.
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.measured_at.min(self.received_at)).max(SignedDuration::ZERO)
    }

    /// Whether the reading is too old at `now` to be shown as current. What is no vital sign has no
    /// validity of its own and is never stale.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.sign.is_some_and(|sign| self.age(now) > sign.stale_after())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(measured_at: &str, received_at: &str) -> Reading {
        Reading {
            path: Path::parse("heartRate").unwrap(),
            value: Value::Number(72.0),
            unit: VitalSign::HeartRate.unit(),
            sign: Some(VitalSign::HeartRate),
            modeled: true,
            measured_at: measured_at.parse().unwrap(),
            received_at: received_at.parse().unwrap(),
        }
    }

    #[test]
    fn age_counts_from_the_earlier_time_and_is_never_negative() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let late = pulse("2026-01-02T03:00:05Z", "2026-01-02T03:04:00Z");
        assert_eq!(late.age(now), SignedDuration::from_mins(4));
        let clock_ahead = pulse("2026-01-03T03:04:05Z", "2026-01-02T03:01:05Z");
        assert_eq!(clock_ahead.age(now), SignedDuration::from_mins(3));
        assert!(clock_ahead.is_stale(now));
        let server_clock_stepped_back = pulse("2026-01-02T03:05:00Z", "2026-01-02T03:05:00Z");
        assert_eq!(server_clock_stepped_back.age(now), SignedDuration::ZERO);
    }

    #[test]
    fn a_reading_is_stale_only_after_its_validity() {
        let reading = pulse("2026-01-02T03:00:00Z", "2026-01-02T03:00:00Z");
        let limit = reading.measured_at + VitalSign::HeartRate.stale_after();
        assert!(!reading.is_stale(limit));
        assert!(reading.is_stale(limit + SignedDuration::from_micros(1)));
        assert!(!Reading { sign: None, ..reading }.is_stale(limit + SignedDuration::from_hours(1)));
    }

    #[test]
    fn the_form_in_snapshots_is_stable() {
        let reading = pulse("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z");
        let stored = serde_json::to_string(&reading).unwrap();
        insta::assert_snapshot!(stored, @r#"{"path":"heartRate","value":{"number":72.0},"unit":"/min","sign":"heart_rate","modeled":true,"measured_at":"2026-01-02T03:04:05Z","received_at":"2026-01-02T03:04:06Z"}"#);
        assert_eq!(serde_json::from_str::<Reading>(&stored).unwrap(), reading);
    }
}
