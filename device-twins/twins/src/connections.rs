//! What became of a device's connections, in words: whoever stands beside it sees why it does not come through.
//!
//! It is kept beside the device's record, the newest of each device, and does not hold up what devices say: where very much
//! happens at once it has gaps.

use std::net::IpAddr;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenants::{DeviceId, StoreError, TenantId, access::Scope};

use crate::presence::Carrier;

/// As many are kept of each device.
pub const KEPT: usize = 100;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
    /// Why, in a few words; empty where there is nothing to say.
    pub why: String,
    /// As the device calls itself, or was called; empty where it was not asked.
    pub client_id: String,
    /// Where it comes from.
    pub address: IpAddr,
    /// What carries it; `None` where that is not known.
    pub carrier: Option<Carrier>,
    /// Version of MQTT: 3.1.1 or 5; empty where that is not known.
    pub version: String,
}

/// What can happen to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Happened {
    /// It was let in.
    Connected,
    /// It was not let in.
    Refused,
    /// It wanted what it may not, and stayed or not as the next event says.
    Denied,
    /// It ended.
    Ended,
}

/// Keeps the newest events of each device.
#[async_trait]
pub trait ConnectionLog: Send + Sync {
    /// Adds events of devices of a tenant, each device's in their order.
    async fn add_events(
        &self,
        tenant: TenantId,
        events: &[(DeviceId, ConnectionEvent)],
    ) -> Result<(), StoreError>;
    /// The newest of a device that the scope covers, newest first.
    async fn events(&self, scope: &Scope, device: &DeviceId) -> Result<Vec<ConnectionEvent>, StoreError>;
}
