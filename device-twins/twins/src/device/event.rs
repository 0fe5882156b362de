//! What can happen to a device twin.

use care::{Alarm, AlarmEvent};
use jiff::Timestamp;
use readings::Reading;
use rules::Phase;
use tenants::{AlarmId, RuleId, Sequence};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum DeviceEvent {
    /// A reading newer than the one known at its path.
    Measured(Reading),
    /// A rule moved on.
    Judged {
        /// Which rule.
        rule: RuleId,
        /// Where it now stands.
        phase: Phase,
    },
    /// A rule raised an alarm.
    AlarmRaised {
        /// The alarm.
        alarm: Box<Alarm>,
        /// The message that raised it.
        sequence: Sequence,
    },
    /// An alarm moved on.
    AlarmChanged {
        /// The rule that raised it.
        rule: RuleId,
        /// Which alarm.
        alarm: AlarmId,
        /// How.
        event: AlarmEvent,
    },
    /// The device reported properties: the merged result.
    Reported(serde_json::Map<String, serde_json::Value>),
    /// The device has taken on the desired properties up to this version.
    Confirmed(u64),
    /// Somebody changed the desired properties: the merged result.
    Desired(serde_json::Map<String, serde_json::Value>),
    /// A message could not be understood.
    SetAside,
    /// A message is done.
    Folded {
        /// Which.
        sequence: Sequence,
        /// When it was received, if the device itself said it.
        heard_at: Option<Timestamp>,
    },
}
