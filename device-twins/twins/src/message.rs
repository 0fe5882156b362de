//! A message as it stands in the log.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenants::{AlarmId, CorrelationId, DeviceId, Sequence, UserId, audit::AuditEntry};
use url::form_urlencoded;

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
    /// Somebody wants properties of the device to be otherwise; the payload is a [`Desire`].
    Desired,
}

impl Channel {
    /// Whether the device itself said it.
    pub const fn is_by_device(&self) -> bool {
        matches!(self, Self::Telemetry { .. } | Self::Reported)
    }
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
    /// Names and values that the device put beside it, as HTML forms write them (`ward=4+West&alert=true`); `None` where there
    /// are none.
    pub user_properties: Option<Arc<str>>,
    /// As received, never changed.
    pub payload: Bytes,
}

impl LogMessage {
    /// Its user properties: names and values, in their order.
    pub fn user_properties(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.user_properties.as_deref().unwrap_or_default().as_bytes())
    }
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

/// The payload of [`Channel::Desired`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desire {
    /// A merge patch (RFC 7396) of the desired properties.
    pub patch: serde_json::Map<String, serde_json::Value>,
    /// The entry about it.
    pub audit: AuditEntry,
}

/// Consecutive messages of one device within a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRun {
    /// Whose.
    pub device: DeviceId,
    /// In order of sequence.
    pub messages: Vec<LogMessage>,
}
