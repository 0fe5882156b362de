//! Writes down what becomes of devices' connections, beside the path of their messages: nobody waits for it, and where too
//! much happens at once the log has gaps, which are counted.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use tenants::{DeviceId, TenantId};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::sleep,
};
use twins::connections::{ConnectionEvent, ConnectionLog, Happened};

/// Events that wait to be written.
const WAITING: usize = 8_192;
/// Events that are written together: a fleet that comes back must not hold up what it says.
const TOGETHER: usize = 256;
/// How long events gather, and how long others may write in between.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes events, as far as there is room.
#[derive(Clone)]
pub(crate) struct Notes {
    waiting: Sender<(TenantId, DeviceId, ConnectionEvent)>,
    lost: Counter,
}

/// Events on their way to the log.
pub(crate) struct Written {
    waiting: Receiver<(TenantId, DeviceId, ConnectionEvent)>,
    lost: Counter,
}

impl Notes {
    pub(crate) fn new() -> (Self, Written) {
        let (notes, waiting) = channel(WAITING);
        let lost = Counter::default();
        (Self { waiting: notes, lost: lost.clone() }, Written { waiting, lost })
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "connection_events_lost",
            "Events of connections that the log of their device does not have",
            self.lost.clone(),
        );
    }

    pub(crate) fn note(&self, tenant: TenantId, device: DeviceId, event: ConnectionEvent) {
        if self.waiting.try_send((tenant, device, event)).is_err() {
            self.lost.inc();
        }
    }
}

/// A device that was not let in, before anything is known of its connection but where it comes from.
pub(crate) fn refused(
    at: Timestamp,
    why: &str,
    client_id: &str,
    address: std::net::IpAddr,
) -> ConnectionEvent {
    ConnectionEvent {
        at,
        what: Happened::Refused,
        why: why.to_owned(),
        client_id: client_id.to_owned(),
        address,
        carrier: None,
        version: String::new(),
    }
}

impl Written {
    /// Writes them down, until nobody notes any more.
    pub(crate) async fn write(mut self, log: Arc<dyn ConnectionLog>) {
        let mut taken = Vec::new();
        while self.waiting.recv_many(&mut taken, TOGETHER).await > 0 {
            let mut by_tenant = HashMap::<TenantId, Vec<_>>::new();
            for (tenant, device, event) in taken.drain(..) {
                by_tenant.entry(tenant).or_default().push((device, event));
            }
            for (tenant, events) in by_tenant {
                if let Err(error) = log.add_events(tenant, &events).await {
                    self.lost.inc_by(events.len() as u64);
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, %tenant, "events of connections are not written down");
                }
            }
            sleep(PAUSE).await; // others write in between
        }
    }
}
