//! Which devices are connected right now. Kept in memory: it is true only of this moment.

use ahash::RandomState;
use dashmap::DashMap;
use tenants::{DeviceId, TenantId};

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
