//! The state of a device twin: what its messages add up to.

use std::collections::HashMap;

use ahash::RandomState;
use care::Alarm;
use jiff::Timestamp;
use readings::{Path, Reading};
use rules::Phase;
use serde::{Deserialize, Serialize};
use tenants::{RuleId, Sequence};

/// What a device's messages up to `cursor` add up to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceState {
    /// The last folded message.
    pub cursor: Sequence,
    /// How many messages were folded, the set-aside ones included.
    pub messages: u64,
    /// How many of them were set aside.
    pub set_aside: u64,
    /// When the last message of the device itself was received.
    pub last_seen: Option<Timestamp>,
    /// The newest reading of each path, by [`Reading::credible_at`]. Looked up for every reading, hence the hasher.
    pub latest: HashMap<Path, Reading, RandomState>,
    /// Where each rule stands.
    pub phases: HashMap<RuleId, Phase, RandomState>,
    /// The newest alarm of each rule, also when it is over: it may still be acknowledged.
    pub alarms: HashMap<RuleId, Alarm, RandomState>,
    /// The message on which each rule last raised, and how often on that message.
    #[serde(default)]
    pub raises: HashMap<RuleId, (Sequence, u32), RandomState>,
    /// The properties that the device reports of itself, merged.
    pub reported: serde_json::Map<String, serde_json::Value>,
    /// How often it has reported.
    #[serde(default)]
    pub reported_version: u64,
    /// The properties that it is asked to take on, merged.
    #[serde(default)]
    pub desired: serde_json::Map<String, serde_json::Value>,
    /// How often they were changed.
    #[serde(default)]
    pub desired_version: u64,
    /// The newest version of them that the device says it has taken on.
    #[serde(default)]
    pub confirmed_version: u64,
    /// Why the twin no longer folds, if it does not.
    pub quarantine: Option<String>,
}

impl DeviceState {
    /// The newest alarm with this id, if a rule's newest alarm is it.
    pub fn alarm(&self, id: tenants::AlarmId) -> Option<&Alarm> {
        self.alarms.values().find(|alarm| alarm.id == id)
    }
}
