//! A patient on a bedside monitor: which message leaves the device in which second.
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::course::Course;
use crate::ecg::{Ecg, SAMPLE_RATE_HZ};
use crate::physiology::Physiology;

/// How often what is not continuous is measured, in seconds. Everything is measured in the first second as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    /// Blood pressure, by a cuff.
    pub cuff_s: u64,
    /// Temperature, by a probe that the monitor reads now and then.
    pub temperature_s: u64,
    /// Oxygen and consciousness, entered by the nurse.
    pub observation_s: u64,
}

impl Default for Cadence {
    fn default() -> Cadence {
        Cadence { cuff_s: 300, temperature_s: 30, observation_s: 60 }
    }
}

/// A patient, and the monitor at the bed.
pub struct Patient {
    physiology: Physiology,
    ecg: Ecg,
    cuff: Due,
    temperature: Due,
    observation: Due,
}

/// One message for the device's topic `telemetry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// JSON: `{"ts": ..., "values": {...}}`.
    pub payload: Vec<u8>,
}

impl Patient {
    /// A patient whom the same seed and course always bring back.
    pub fn new(seed: u64, course: Course, cadence: Cadence) -> Patient {
        Patient {
            physiology: Physiology::new(seed, course),
            ecg: Ecg::new(),
            cuff: Due::every(cadence.cuff_s),
            temperature: Due::every(cadence.temperature_s),
            observation: Due::every(cadence.observation_s),
        }
    }

    /// The messages of one second since the start. Seconds are asked for in rising order; some may be left out. The
    /// electrocardiogram of a second leaves when that second is over, with the time of its first sample.
    pub fn messages(&mut self, started: Timestamp, second: u64) -> Vec<Message> {
        let vitals = self.physiology.sample(second as f64);
        let measured = self.cuff.is_due(second);
        let observed = self.observation.is_due(second);
        let values = Values {
            heart_rate: Some(vitals.heart_rate.round() as u16),
            spo2: Some(vitals.spo2.round() as u16),
            respiratory_rate: Some(vitals.respiratory_rate.round() as u16),
            systolic_pressure: measured.then(|| vitals.systolic_pressure.round() as u16),
            diastolic_pressure: measured.then(|| vitals.diastolic_pressure.round() as u16),
            temperature: self.temperature.is_due(second).then(|| (vitals.temperature * 10.0).round() / 10.0),
            supplemental_oxygen: observed.then_some(vitals.supplemental_oxygen),
            consciousness: observed.then(|| vitals.consciousness.letter()),
            ecg: None,
        };
        let mut messages = vec![message(started, second, values)];
        if let Some(whole_second) = second.checked_sub(1) {
            let samples = self.ecg.second(&self.physiology, whole_second);
            let ecg = Some(Waveform { rate: SAMPLE_RATE_HZ, samples });
            messages.push(message(started, whole_second, Values { ecg, ..Values::default() }));
        }
        messages
    }
}

fn message(started: Timestamp, second: u64, values: Values) -> Message {
    let elapsed = SignedDuration::from_secs(i64::try_from(second).unwrap_or(i64::MAX));
    // Saturates in the year 9999, which the server will then rightly refuse.
    let ts = started.saturating_add(elapsed).unwrap_or(started);
    // Numbers, text and finite floats always have a JSON form.
    let payload = serde_json::to_vec(&Envelope { ts, values }).unwrap_or_default();
    Message { payload }
}

#[derive(Serialize)]
struct Envelope {
    ts: Timestamp,
    values: Values,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Values {
    #[serde(skip_serializing_if = "Option::is_none")]
    heart_rate: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spo2: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respiratory_rate: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    systolic_pressure: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diastolic_pressure: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplemental_oxygen: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consciousness: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ecg: Option<Waveform>,
}

#[derive(Serialize)]
struct Waveform {
    rate: u32,
    samples: Vec<f32>,
}

/// Falls due at once, and then again whenever its interval has passed, however unevenly it is asked.
struct Due {
    every: u64,
    next: u64,
}

impl Due {
    fn every(seconds: u64) -> Due {
        Due { every: seconds.max(1), next: 0 }
    }

    fn is_due(&mut self, second: u64) -> bool {
        if second < self.next {
            return false;
        }
        self.next = (second / self.every + 1) * self.every;
        true
    }
}

#[cfg(test)]
mod tests;
