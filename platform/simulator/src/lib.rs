//! Simulated patients on simulated bedside monitors, for the demo and for `iomt simulate`.
//!
//! A patient's body is a pure function of a seed and of the seconds since the start ([`Physiology`]); the
//! electrocardiogram is integrated along it ([`Ecg`]); a monitor turns both into the messages of a native device
//! ([`Patient`]); [`run`] sends them over MQTT like any device would. The same seed always gives the same patient.
//!
//! What it never does: reach into the server (it knows a socket address and a device token, nothing else), read the
//! wall clock (the caller hands one in), or claim to be a clinical model: values are plausible, not predictive.
//!
//! Start reading at `physiology.rs`, then `patient.rs`, then `runner.rs`.
#![warn(missing_docs)]

mod course;
mod ecg;
mod patient;
mod physiology;
mod runner;
mod variation;

pub use course::Course;
pub use ecg::{Ecg, SAMPLE_RATE_HZ};
pub use patient::{Cadence, Message, Patient};
pub use physiology::{Consciousness, Physiology, Vitals};
pub use runner::{SimulatedDevice, SimulatorConfig, WallClock, run};
