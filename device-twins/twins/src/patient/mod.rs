//! The twin of a patient: the newest vital signs from all devices assigned to them.

pub(crate) mod actor;
mod fold;
mod state;

pub use fold::merge;
pub use state::{PatientState, Vital, WaveformChunk};
