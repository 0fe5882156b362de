//! Devices that were let in by a certificate, so that each can be looked at again while it is connected.

use std::collections::HashMap;

use broker::{Client, Handle};
use identity::Certified;
use parking_lot::Mutex;
use tenants::{DeviceId, TenantId, clock::Stopwatch};

use super::ON_THE_WAY;

/// What a device has shown, each with when: it may be connected more than once.
type Shown = Vec<(Certified, Stopwatch)>;

/// All of them.
#[derive(Default)]
pub(super) struct CertifiedDevices(Mutex<HashMap<(TenantId, DeviceId), Shown>>);

impl CertifiedDevices {
    pub(super) fn remember(&self, certified: &Certified) {
        let mut all = self.0.lock();
        let shown = all.entry((certified.tenant, certified.device.clone())).or_default();
        shown.retain(|(known, _)| known != certified);
        shown.push((certified.clone(), Stopwatch::start()));
    }

    /// What those have shown that are connected, or on their way; the others are forgotten.
    pub(super) fn connected(&self, broker: &Handle) -> Vec<Certified> {
        let mut all = self.0.lock();
        all.retain(|(tenant, device), shown| {
            let is_there = || !broker.sessions(*tenant, &Client::Device(device.clone())).is_empty();
            shown.iter().any(|(_, since)| since.elapsed() < ON_THE_WAY) || is_there()
        });
        all.values().flatten().map(|(certified, _)| certified.clone()).collect()
    }
}
