//! Who is connected: one live session for each client, and how many for each device.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use ahash::RandomState;
use parking_lot::Mutex;
use tenants::{DeviceId, TenantId, clock::Clock};

use crate::{
    gate::{Admission, Client, Presence},
    protocol::Reason,
    session::outbox::Outbox,
    tree::SessionNumber,
};

/// What makes a session the same session. The client identifier is free text that a client chooses, so
/// it only counts within the identity that was authenticated: nobody takes over the session of another
/// tenant, or of another device, by naming its client identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    client: Client,
    client_id: Arc<str>,
}

/// The live sessions of a broker.
pub(crate) struct Registry {
    presence: Arc<dyn Presence>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<Key, Live, RandomState>,
    /// Live sessions of a device; it is present while there is one.
    devices: HashMap<(TenantId, DeviceId), usize, RandomState>,
    last_number: SessionNumber,
    closed: bool,
}

struct Live {
    number: SessionNumber,
    outbox: Arc<Outbox>,
}

impl Registry {
    pub(crate) fn new(presence: Arc<dyn Presence>, clock: Arc<dyn Clock>) -> Self {
        Self { presence, clock, state: Mutex::default() }
    }

    /// Gives a client its seat and ends the session that had it; `None` once the broker shuts down.
    pub(crate) fn enter(
        self: &Arc<Self>,
        admission: &Admission,
        client_id: &str,
        outbox: Arc<Outbox>,
    ) -> Option<Seat> {
        let key =
            Key { tenant: admission.tenant, client: admission.client.clone(), client_id: client_id.into() };
        let mut state = self.state.lock();
        if state.closed {
            return None;
        }
        state.last_number += 1;
        let number = state.last_number;
        let before = state.sessions.insert(key.clone(), Live { number, outbox });
        self.count_in(&mut state, &key);
        drop(state);
        if let Some(before) = before {
            before.outbox.close(Reason::TakenOver);
        }
        Some(Seat { registry: Arc::clone(self), key, number })
    }

    fn leave(&self, key: &Key, number: SessionNumber) {
        let mut state = self.state.lock();
        if let Entry::Occupied(seat) = state.sessions.entry(key.clone())
            && seat.get().number == number
        {
            seat.remove();
        }
        self.count_out(&mut state, key);
    }

    /// A device that is taken over stays present: the new session is counted before the old one goes.
    fn count_in(&self, state: &mut State, key: &Key) {
        let Client::Device(device) = &key.client else { return };
        let count = state.devices.entry((key.tenant, device.clone())).or_default();
        *count += 1;
        if *count == 1 {
            self.presence.connected(key.tenant, device, self.clock.now());
        }
    }

    fn count_out(&self, state: &mut State, key: &Key) {
        let Client::Device(device) = &key.client else { return };
        if let Entry::Occupied(mut count) = state.devices.entry((key.tenant, device.clone())) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
                self.presence.disconnected(key.tenant, device, self.clock.now());
            }
        }
    }

    /// Ends all sessions of a tenant; says how many.
    pub(crate) fn expel(&self, tenant: TenantId) -> usize {
        let state = self.state.lock();
        let theirs = state.sessions.iter().filter(|(key, _)| key.tenant == tenant);
        theirs.map(|(_, live)| live.outbox.close(Reason::Suspended)).count()
    }

    /// Whether a client has a session.
    pub(crate) fn has(&self, tenant: TenantId, client: &Client) -> bool {
        self.state.lock().sessions.keys().any(|key| key.tenant == tenant && key.client == *client)
    }

    /// Ends the sessions of a client, and says how many there were.
    pub(crate) fn end(&self, tenant: TenantId, client: &Client) -> usize {
        let state = self.state.lock();
        let theirs = state.sessions.iter().filter(|(key, _)| key.tenant == tenant && key.client == *client);
        theirs.map(|(_, live)| live.outbox.close(Reason::NotAuthorized)).count()
    }

    /// Takes no further sessions and asks those there are to finish.
    pub(crate) fn drain(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        for live in state.sessions.values() {
            live.outbox.drain();
        }
    }

    /// Ends the sessions that are left.
    pub(crate) fn close_all(&self) {
        for live in self.state.lock().sessions.values() {
            live.outbox.close(Reason::ShuttingDown);
        }
    }
}

/// A client's place in the registry; dropping it gives it up.
pub(crate) struct Seat {
    registry: Arc<Registry>,
    key: Key,
    number: SessionNumber,
}

impl Seat {
    pub(crate) fn number(&self) -> SessionNumber {
        self.number
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.registry.leave(&self.key, self.number);
    }
}
