//! Who is connected: one live session for each client, and how many for each device.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ahash::RandomState;
use jiff::Timestamp;
use parking_lot::Mutex;
use tenants::{DeviceId, TenantId, clock::Clock, quotas::ClientQuotas};

use crate::{
    config::{BrokerConfig, count},
    gate::{Admission, Client, Episode, Happened, Presence},
    mailbox::Key,
    protocol::Reason,
    session::outbox::Outbox,
    transport::Carrier,
    tree::SessionNumber,
};

/// Who a session belongs to. The client identifier is free text that a client chooses, so it only counts within the
/// identity that was authenticated: nobody takes over the session of another tenant, or of another device, by naming
/// its client identifier.
type Owner = (TenantId, Client);

/// What is known of a session while it is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// As the client calls itself, or was called.
    pub client_id: Arc<str>,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// What carries it.
    pub carrier: Carrier,
    /// Version of MQTT, as people say it: 3.1.1 or 5.
    pub version: &'static str,
    /// When it was let in.
    pub since: Timestamp,
}

/// The live sessions of a broker.
pub(crate) struct Registry {
    presence: Arc<dyn Presence>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Nearly always one for each.
    sessions: HashMap<Owner, Vec<Live>, RandomState>,
    /// Live sessions of a device; it is present while there is one.
    devices: HashMap<(TenantId, DeviceId), usize, RandomState>,
    /// Live sessions of a tenant.
    tenants: HashMap<TenantId, usize, RandomState>,
    /// Newcomers by the network that they come from.
    newcomers: HashMap<IpAddr, usize, RandomState>,
    last_number: SessionNumber,
    closed: bool,
}

struct Live {
    number: SessionNumber,
    outbox: Arc<Outbox>,
    info: Arc<SessionInfo>,
}

impl Registry {
    pub(crate) fn new(presence: Arc<dyn Presence>, clock: Arc<dyn Clock>) -> Self {
        Self { presence, clock, state: Mutex::default() }
    }

    /// A number that no other session of this process has.
    pub(crate) fn next_number(&self) -> SessionNumber {
        let mut state = self.state.lock();
        state.last_number += 1;
        state.last_number
    }

    /// Ends the live session of a client, as it has connected again.
    pub(crate) fn take_over(&self, (tenant, client, client_id): &Key) {
        let state = self.state.lock();
        let theirs = state.sessions.get(&(*tenant, client.clone())).into_iter().flatten();
        for live in theirs.filter(|live| live.info.client_id == *client_id) {
            live.outbox.close(Reason::TakenOver);
        }
    }

    /// Whether another session of a client may be connected; one that takes the place of its own always may. Of many who come
    /// at the same moment a few more may be let in.
    pub(crate) fn has_room(
        &self,
        admission: &Admission,
        (client_id, peer): (&str, SocketAddr),
        (config, quotas): (&BrokerConfig, &ClientQuotas),
    ) -> bool {
        let state = self.state.lock();
        let theirs = state.sessions.get(&(admission.tenant, admission.client.clone()));
        let theirs = theirs.into_iter().flatten();
        if theirs.clone().any(|live| &*live.info.client_id == client_id) {
            return true;
        }
        let of_tenant = state.tenants.get(&admission.tenant).copied().unwrap_or_default();
        let most = config.max_tenant_connections.min(count(quotas.connections));
        match admission.client {
            Client::Device(_) => of_tenant < most && theirs.count() < config.max_device_connections,
            Client::Application { .. } => of_tenant < most,
            Client::Newcomer { .. } => {
                let of_network = state.newcomers.get(&network(peer)).copied().unwrap_or_default();
                of_tenant < config.max_newcomers && of_network < config.max_network_newcomers
            }
        }
    }

    /// Gives a client its seat and ends the session that had it; `None` once the broker shuts down.
    pub(crate) fn enter(
        self: &Arc<Self>,
        admission: &Admission,
        info: Arc<SessionInfo>,
        outbox: Arc<Outbox>,
    ) -> Option<Seat> {
        let owner = (admission.tenant, admission.client.clone());
        let mut state = self.state.lock();
        if state.closed {
            return None;
        }
        state.last_number += 1;
        let number = state.last_number;
        let theirs = state.sessions.entry(owner.clone()).or_default();
        let before = theirs.iter().position(|live| live.info.client_id == info.client_id);
        let before = before.map(|at| theirs.swap_remove(at));
        theirs.push(Live { number, outbox, info: Arc::clone(&info) });
        self.count_in(&mut state, &owner, info.peer);
        drop(state);
        if let Some(before) = before {
            before.outbox.close(Reason::TakenOver);
        }
        Some(Seat { registry: Arc::clone(self), owner, number, info })
    }

    fn leave(&self, owner: &Owner, number: SessionNumber, peer: SocketAddr) {
        let mut state = self.state.lock();
        if let Entry::Occupied(mut theirs) = state.sessions.entry(owner.clone()) {
            theirs.get_mut().retain(|live| live.number != number);
            if theirs.get().is_empty() {
                theirs.remove();
            }
        }
        self.count_out(&mut state, owner, peer);
    }

    /// A device that is taken over stays present: the new session is counted before the old one goes.
    fn count_in(&self, state: &mut State, (tenant, client): &Owner, peer: SocketAddr) {
        *state.tenants.entry(*tenant).or_default() += 1;
        match client {
            Client::Device(device) => {
                let count = state.devices.entry((*tenant, device.clone())).or_default();
                *count += 1;
                if *count == 1 {
                    self.presence.connected(*tenant, device, self.clock.now());
                }
            }
            Client::Newcomer { .. } => *state.newcomers.entry(network(peer)).or_default() += 1,
            Client::Application { .. } => {}
        }
    }

    fn count_out(&self, state: &mut State, (tenant, client): &Owner, peer: SocketAddr) {
        one_less(&mut state.tenants, *tenant);
        match client {
            Client::Device(device) => {
                if one_less(&mut state.devices, (*tenant, device.clone())) {
                    self.presence.disconnected(*tenant, device, self.clock.now());
                }
            }
            Client::Newcomer { .. } => {
                one_less(&mut state.newcomers, network(peer));
            }
            Client::Application { .. } => {}
        }
    }

    /// Ends all sessions of a tenant; says how many.
    pub(crate) fn expel(&self, tenant: TenantId) -> usize {
        let state = self.state.lock();
        let theirs = state.sessions.iter().filter(|((of, _), _)| *of == tenant);
        theirs.flat_map(|(_, lives)| lives).map(|live| live.outbox.close(Reason::Suspended)).count()
    }

    /// The sessions of a client.
    pub(crate) fn of(&self, tenant: TenantId, client: &Client) -> Vec<SessionInfo> {
        let state = self.state.lock();
        let theirs = state.sessions.get(&(tenant, client.clone()));
        theirs.into_iter().flatten().map(|live| SessionInfo::clone(&live.info)).collect()
    }

    /// Ends the sessions of a client, and says how many there were.
    pub(crate) fn end(&self, tenant: TenantId, client: &Client, why: Reason) -> usize {
        let state = self.state.lock();
        let theirs = state.sessions.get(&(tenant, client.clone()));
        theirs.into_iter().flatten().map(|live| live.outbox.close(why)).count()
    }

    /// Tells whoever looks after the device, where it is one.
    pub(crate) fn tell(
        &self,
        tenant: TenantId,
        client: &Client,
        session: &SessionInfo,
        what: Happened,
        why: &'static str,
    ) {
        if let Client::Device(device) = client {
            let (at, session) = (self.clock.now(), session.clone());
            self.presence.happened(tenant, device, Episode { at, what, why, session });
        }
    }

    /// Takes no further sessions and asks those there are to finish.
    pub(crate) fn drain(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        for live in state.sessions.values().flatten() {
            live.outbox.drain();
        }
    }

    /// Ends the sessions that are left.
    pub(crate) fn close_all(&self) {
        for live in self.state.lock().sessions.values().flatten() {
            live.outbox.close(Reason::ShuttingDown);
        }
    }
}

/// Whether that was the last one.
fn one_less<K: Hash + Eq>(counts: &mut HashMap<K, usize, RandomState>, of: K) -> bool {
    let Entry::Occupied(mut count) = counts.entry(of) else { return false };
    *count.get_mut() -= 1;
    let is_last = *count.get() == 0;
    if is_last {
        count.remove();
    }
    is_last
}

/// To whom an address belongs: of IPv6 the first 64 bits, within which one host may have any.
fn network(peer: SocketAddr) -> IpAddr {
    match peer.ip().to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

/// A client's place in the registry; dropping it gives it up.
pub(crate) struct Seat {
    registry: Arc<Registry>,
    owner: Owner,
    number: SessionNumber,
    info: Arc<SessionInfo>,
}

impl Seat {
    pub(crate) fn info(&self) -> &Arc<SessionInfo> {
        &self.info
    }

    pub(crate) fn number(&self) -> SessionNumber {
        self.number
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.registry.leave(&self.owner, self.number, self.info.peer);
    }
}
