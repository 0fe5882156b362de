//! Which devices are connected right now. Kept in memory: it is true only of this moment.

use std::{net::IpAddr, sync::Arc};

use ahash::RandomState;
use dashmap::DashMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenants::{DeviceId, TenantId, messaging::Traffic};

use crate::downlink::ToDevice;

/// Counts the live connections of each device.
#[derive(Debug, Default)]
pub struct Presence {
    connections: DashMap<(TenantId, DeviceId), u32, RandomState>,
}

impl Presence {
    /// A connection was accepted.
    pub fn connected(&self, tenant: TenantId, device: &DeviceId) {
        *self.connections.entry((tenant, device.clone())).or_default() += 1;
    }

    /// A connection has ended.
    pub fn disconnected(&self, tenant: TenantId, device: &DeviceId) {
        let key = (tenant, device.clone());
        if let Some(mut count) = self.connections.get_mut(&key) {
            *count = count.saturating_sub(1);
        }
        self.connections.remove_if(&key, |_, count| *count == 0);
    }

    /// Whether the device has a live connection.
    pub fn is_connected(&self, tenant: TenantId, device: &DeviceId) -> bool {
        self.connections.contains_key(&(tenant, device.clone()))
    }
}

/// What carries a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Carrier {
    /// TCP alone.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// A WebSocket.
    WebSocket,
}

/// A live session of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSession {
    /// As the device calls itself, or was called.
    pub client_id: Arc<str>,
    /// Where it comes from.
    pub address: IpAddr,
    /// What carries it.
    pub carrier: Carrier,
    /// Version of MQTT: 3.1.1 or 5.
    pub version: &'static str,
    /// When it was let in.
    pub since: Timestamp,
}

/// Whoever holds the connections of devices. What it says is true of this process and this moment.
pub trait DeviceSessions: Send + Sync {
    /// The live sessions of a device.
    fn of(&self, tenant: TenantId, device: &DeviceId) -> Vec<DeviceSession>;
    /// Says something to a device, also through its gateway where it has one; to how many sessions that listen to it.
    fn tell(&self, tenant: TenantId, device: &DeviceId, gateway: Option<&DeviceId>, what: &ToDevice)
    -> usize;
    /// Ends them, and says how many there were. The device may come back at once.
    fn end(&self, tenant: TenantId, device: &DeviceId) -> usize;
    /// The same where it may not come back with what it presented.
    fn cut_off(&self, tenant: TenantId, device: &DeviceId) -> usize;
    /// What passes through all connections of a hospital.
    fn traffic(&self, tenant: TenantId) -> Traffic;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_takeover_does_not_make_a_device_look_gone() {
        let presence = Presence::default();
        let device = DeviceId::parse("monitor-1").unwrap();
        presence.connected(TenantId::PLATFORM, &device);
        presence.connected(TenantId::PLATFORM, &device);
        presence.disconnected(TenantId::PLATFORM, &device);
        assert!(presence.is_connected(TenantId::PLATFORM, &device));
        presence.disconnected(TenantId::PLATFORM, &device);
        assert!(!presence.is_connected(TenantId::PLATFORM, &device));
        presence.disconnected(TenantId::PLATFORM, &device);
        assert!(!presence.is_connected(TenantId::PLATFORM, &device));
    }
}
