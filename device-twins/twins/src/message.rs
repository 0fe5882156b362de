//! A message as it stands in the log.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenants::{AlarmId, CorrelationId, DeviceId, Sequence, UserId};

/// What a message is about, and so how its payload is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Readings, of the whole device or of one of its components.
    Telemetry {
        /// `None` for the device itself.
        component: Option<Arc<str>>,
    },
    /// Properties that the device reports.
    Reported,
    /// A person acknowledged one of the device's alarms; the payload is an [`Acknowledge`].
    Acknowledge,
}

/// One message of one device. Its place in the tenant's log makes it unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogMessage {
    /// Place in the tenant's log.
    pub sequence: Sequence,
    /// When the platform received it.
    pub received_at: Timestamp,
    /// Leads back to the packet.
    pub correlation: CorrelationId,
    /// How to read the payload.
    pub channel: Channel,
    /// As received, never changed.
    pub payload: Bytes,
}

/// The payload of [`Channel::Acknowledge`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledge {
    /// Which alarm.
    pub alarm: AlarmId,
    /// Who.
    pub by: UserId,
    /// Their name at that time.
    pub by_name: String,
    /// What they wrote, if anything.
    pub note: Option<String>,
}

/// Consecutive messages of one device within a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRun {
    /// Whose.
    pub device: DeviceId,
    /// In order of sequence.
    pub messages: Vec<LogMessage>,
}
