//! How much of the platform a hospital may use, and how much of it is in use.

mod clients;
mod meter;
mod pace;

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::Date};

pub use clients::ClientQuotas;
pub use meter::{Meter, QuotaMetrics, Seen};

use crate::errors::ErrorKind;

/// What a hospital may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Registered devices.
    pub devices: u32,
    /// People with an account.
    pub users: u32,
    /// Messages of devices that are taken in a second.
    pub messages_per_second: u32,
    /// Messages of any one device that are taken in a second, so that none uses up what there is for all.
    pub device_messages_per_second: u32,
    /// Sum of the complexity of the queries that are answered in a minute.
    pub query_cost_per_minute: u32,
    /// What devices and programs may take up that are connected.
    pub clients: ClientQuotas,
    /// Messages are deleted after so many days; `None` when they are kept for good.
    pub stored_days: Option<u32>,
}

impl Default for Quotas {
    /// What no single hospital reaches on one server of two cores. Where several share one, an operator says what each may.
    /// Nothing is deleted unless somebody says so.
    fn default() -> Self {
        Self {
            devices: 100_000,
            users: 20_000,
            messages_per_second: 500_000,
            device_messages_per_second: 10_000,
            query_cost_per_minute: 60_000_000,
            clients: ClientQuotas::default(),
            stored_days: None,
        }
    }
}

/// A quota that nobody can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{quota}: expected {least} to {most}")]
pub struct QuotaError {
    /// Which, as the API names it.
    pub quota: &'static str,
    /// The least that it can be.
    pub least: u32,
    /// The most that it can be.
    pub most: u32,
}

impl Quotas {
    /// The most that a count or a rate can be.
    pub const MOST: u32 = 1_000_000_000;
    /// The most days that can be said; a hundred years.
    pub const MOST_DAYS: u32 = 36_500;

    /// Messages that were received before are not kept; `None` when all are.
    pub fn keeps_since(&self, now: Timestamp) -> Option<Timestamp> {
        let days = SignedDuration::from_hours(24 * i64::from(self.stored_days?));
        Some(now.checked_sub(days).unwrap_or(Timestamp::MIN))
    }

    /// The same, once each is in its bounds.
    ///
    /// # Errors
    /// [`QuotaError`], naming the first that is not.
    pub fn checked(self) -> Result<Self, QuotaError> {
        let counts = [
            ("devices", self.devices),
            ("users", self.users),
            ("messagesPerSecond", self.messages_per_second),
            ("deviceMessagesPerSecond", self.device_messages_per_second),
            ("queryCostPerMinute", self.query_cost_per_minute),
        ];
        for (quota, value) in counts {
            if !(1..=Self::MOST).contains(&value) {
                return Err(QuotaError { quota, least: 1, most: Self::MOST });
            }
        }
        if let Some(fault) = self.clients.fault() {
            return Err(fault);
        }
        match self.stored_days {
            Some(days) if !(1..=Self::MOST_DAYS).contains(&days) => {
                Err(QuotaError { quota: "storedDays", least: 1, most: Self::MOST_DAYS })
            }
            _ => Ok(self),
        }
    }
}

impl fmt::Display for Quotas {
    /// For audit trails.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { devices, users, messages_per_second, device_messages_per_second, .. } = self;
        let query_cost_per_minute = self.query_cost_per_minute;
        write!(f, "{devices} devices, {users} users, {messages_per_second} messages/s, ")?;
        write!(f, "{device_messages_per_second} messages/s of one device, ")?;
        write!(f, "query cost {query_cost_per_minute}/min, {}, ", self.clients)?;
        match self.stored_days {
            Some(days) => write!(f, "messages kept {days} days"),
            None => f.write_str("messages kept for good"),
        }
    }
}

/// A rate that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{who} has used up its {limit} {what}; try again in {} s", retry_after.as_secs().max(1))]
pub struct TooMuch {
    /// Whose.
    pub who: Who,
    /// Of what, e.g. "messages a second".
    pub what: &'static str,
    /// How much of it there is.
    pub limit: u32,
    /// When there is enough of it again.
    pub retry_after: Duration,
}

/// Who keeps to a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A hospital as a whole.
    Hospital,
    /// One device of it.
    Device,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hospital => "the hospital",
            Self::Device => "the device",
        })
    }
}

impl TooMuch {
    /// What the error means to a caller.
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::RateLimited
    }
}

/// What is stored of a hospital.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Registered devices.
    pub devices: u64,
    /// People with an account.
    pub users: u64,
    /// Messages that are kept.
    pub messages: u64,
    /// What they take, compressed.
    pub bytes: u64,
    /// Messages of the last days that had any, oldest first; at most [`Stored::DAYS`].
    pub days: Vec<(Date, u64)>,
}

impl Stored {
    /// Days that are told of one by one.
    pub const DAYS: u32 = 30;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_have_bounds_and_words() {
        let quotas = Quotas { stored_days: Some(90), devices: 200, ..Quotas::default() };
        assert_eq!(quotas.checked(), Ok(quotas));
        let words = "200 devices, 20000 users, 500000 messages/s, 10000 messages/s of one device, \
                     query cost 60000000/min, 50000 connected at once, each with packets of 266240 bytes, 1024 unacknowledged, \
                     64 in flight, 1000 queued, 64 subscriptions, messages kept 90 days";
        assert_eq!(quotas.to_string(), words);
        for (wrong, quota) in [
            (Quotas { devices: 0, ..quotas }, "devices"),
            (Quotas { users: Quotas::MOST + 1, ..quotas }, "users"),
            (Quotas { messages_per_second: 0, ..quotas }, "messagesPerSecond"),
            (Quotas { device_messages_per_second: 0, ..quotas }, "deviceMessagesPerSecond"),
            (Quotas { query_cost_per_minute: 0, ..quotas }, "queryCostPerMinute"),
            (Quotas { stored_days: Some(0), ..quotas }, "storedDays"),
            (Quotas { stored_days: Some(36_501), ..quotas }, "storedDays"),
        ] {
            assert_eq!(wrong.checked().unwrap_err().quota, quota);
        }
        let usual = quotas.clients;
        for (clients, words) in [
            (ClientQuotas { connections: 0, ..usual }, "clients.connections: expected 1 to 1000000000"),
            (ClientQuotas { packet_bytes: 1_023, ..usual }, "clients.packetBytes: expected 1024 to 266240"),
            (ClientQuotas { packet_bytes: 266_241, ..usual }, "clients.packetBytes: expected 1024 to 266240"),
            (
                ClientQuotas { receive_maximum: 65_536, ..usual },
                "clients.receiveMaximum: expected 1 to 65535",
            ),
            (ClientQuotas { in_flight: 0, ..usual }, "clients.inFlight: expected 1 to 65535"),
            (
                ClientQuotas { queued_messages: 100_001, ..usual },
                "clients.queuedMessages: expected 1 to 100000",
            ),
            (ClientQuotas { subscriptions: 1_001, ..usual }, "clients.subscriptions: expected 1 to 1000"),
        ] {
            assert_eq!(Quotas { clients, ..quotas }.checked().unwrap_err().to_string(), words);
        }
    }
}
