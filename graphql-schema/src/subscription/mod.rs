//! What can be followed.
//!
//! The feed is a convenience, never the truth: every stream begins with the state as it stands and reads
//! it anew when it has fallen behind, so that the last value always arrives.

mod alarms;
mod listen;
mod pace;
mod recheck;
mod visible;
mod vitals;
mod waveform;

use async_graphql::MergedSubscription;

/// Everything that can be followed.
#[derive(MergedSubscription, Default)]
pub struct Subscription(
    vitals::VitalsSubscription,
    waveform::WaveformSubscription,
    alarms::AlarmSubscription,
);
