//! The state of a patient twin: the newest value of each vital sign, from whichever device.

use std::{collections::BTreeMap, sync::Arc};

use care::news2::{News2, Spo2Scale};
use jiff::Timestamp;
use readings::{Value, VitalSign, Waveform};
use serde::{Deserialize, Serialize};
use tenants::{DeviceId, Sequence};

/// The newest reading of one vital sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vital {
    /// In the sign's canonical unit.
    pub value: Value,
    /// When the device measured it.
    pub measured_at: Timestamp,
    /// When the platform received it.
    pub received_at: Timestamp,
    /// Which device.
    pub device: DeviceId,
}

impl Vital {
    /// The time its age counts from: a device whose clock runs ahead must not make an old value look fresh.
    pub fn as_of(&self) -> Timestamp {
        self.measured_at.min(self.received_at)
    }

    /// The time by which values are put in order: see [`readings::credible_time`].
    pub fn credible_at(&self) -> Timestamp {
        readings::credible_time(self.measured_at, self.received_at)
    }
}

/// What the readings of all devices assigned to a patient add up to.
///
/// Merging keeps the newest per sign, so the order in which devices' readings arrive does not matter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PatientState {
    /// The last folded message of each device.
    pub cursors: BTreeMap<DeviceId, Sequence>,
    /// The newest value of each sign.
    pub vitals: BTreeMap<VitalSign, Vital>,
}

impl PatientState {
    /// NEWS2 at `now`; what is missing or stale is missing in the score.
    pub fn news2(&self, now: Timestamp, scale: Spo2Scale) -> News2 {
        care::news2::score(
            |sign| self.vitals.get(&sign).map(|vital| (&vital.value, vital.as_of())),
            now,
            scale,
        )
    }
}

/// A stretch of a waveform as it came in, for live display.
#[derive(Debug, Clone, PartialEq)]
pub struct WaveformChunk {
    /// The last part of its path, e.g. `ecg`.
    pub channel: Arc<str>,
    /// UCUM unit of the samples; empty when not known.
    pub unit: String,
    /// Time of the first sample.
    pub started_at: Timestamp,
    /// Rate and samples.
    pub waveform: Arc<Waveform>,
}
