//! A session that is kept while its client is away.
//!
//! While the client is connected, messages go straight into its outbox. What the outbox has no room for, and what is said
//! while the client is away, waits in the publication log: the mailbox only remembers how far it has come there, so that an
//! absent or stalled client costs no memory.

use std::{collections::HashSet, sync::Arc, time::Duration};

use ahash::RandomState;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tenants::{
    MailboxId, StoreError, TenantId,
    messaging::{self, Publications},
};
use tokio::sync::{Semaphore, oneshot};

use crate::{
    entry::{self, Damaged, Entry},
    gate::Client,
    hub::Hub,
    kept::Head,
    message::Outgoing,
    metrics::Loss,
    protocol::Qos,
    session::{
        flight::{Flight, Stage},
        outbox::{Left, Offer, Outbox, Progress},
    },
    subscriptions::{Held, Place, Subscriptions},
    tree::SessionNumber,
};

/// Who has it: a client as it was let in, and as it calls itself.
pub(crate) type Key = (TenantId, Client, Arc<str>);

pub(crate) struct Mailbox {
    pub(crate) id: MailboxId,
    pub(crate) key: Key,
    /// Its number in the subscription tree.
    pub(crate) number: SessionNumber,
    /// One connection at a time has it.
    pub(crate) seat: Arc<Semaphore>,
    pub(crate) subscriptions: Subscriptions,
    head: Arc<Head>,
    state: Mutex<State>,
}

struct State {
    /// How long it is kept without its client.
    expiry: Duration,
    /// When the client went; `None` while it is connected.
    left_at: Option<Timestamp>,
    outbox: Option<Arc<Outbox>>,
    /// Everything up to this position was handed to an outbox, or is not for it.
    taken: u64,
    /// What follows `taken` comes from the log.
    behind: bool,
    /// What was on its way when the client went.
    resting: Vec<Flight>,
    /// Packet identifiers of QoS 2 messages that were taken and that the client has not released.
    received: HashSet<u16, RandomState>,
    /// Decides about the will that waits: true is to publish it now.
    will: Option<oneshot::Sender<bool>>,
    ended: bool,
}

/// What is kept of it besides its flight.
#[derive(Serialize, Deserialize)]
struct Standing {
    expiry_seconds: u64,
    subscriptions: Vec<Held>,
}

/// How far its messages have come.
#[derive(Default, Serialize, Deserialize)]
struct Flying {
    taken: u64,
    flights: Vec<(u16, Stage, Option<u64>)>,
}

impl Mailbox {
    /// A new one, for which nothing is that was said before.
    pub(crate) fn new(
        id: MailboxId,
        key: Key,
        number: SessionNumber,
        head: Arc<Head>,
        expiry: Duration,
        now: Timestamp,
    ) -> Self {
        let state = State {
            expiry,
            left_at: Some(now),
            outbox: None,
            taken: head.published(),
            behind: true,
            resting: Vec::new(),
            received: HashSet::default(),
            will: None,
            ended: false,
        };
        let (seat, subscriptions) = (Arc::new(Semaphore::new(1)), Subscriptions::default());
        Self { id, key, number, seat, subscriptions, head, state: Mutex::new(state) }
    }

    /// One that is found at start-up, and its filters; its client is not connected. `None` where it is not as it was written.
    pub(crate) fn restored(
        kept: &messaging::Mailbox,
        key: Key,
        number: SessionNumber,
        head: Arc<Head>,
        now: Timestamp,
    ) -> Option<(Self, Vec<Held>)> {
        let standing: Standing = serde_json::from_slice(&kept.standing).ok()?;
        let flying: Flying = serde_json::from_slice(&kept.flight).ok()?;
        let expiry = Duration::from_secs(standing.expiry_seconds);
        let mailbox = Self::new(kept.id, key, number, head, expiry, kept.left_at.unwrap_or(now));
        let resting = |(id, stage, position)| Flight::resumed(id, stage, position);
        let mut state = mailbox.state.lock();
        state.taken = flying.taken;
        state.resting = flying.flights.into_iter().map(resting).collect();
        drop(state);
        Some((mailbox, standing.subscriptions))
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.key.0
    }

    /// Where its subscriptions stand.
    pub(crate) fn place<'a>(&self, hub: &'a Hub) -> Place<'a> {
        Place { hub, tenant: self.tenant(), number: self.number }
    }

    /// What was on its way when the client went, with the messages that have to be sent again. What the log does not have any
    /// more is given up.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn resting(&self, hub: &Hub) -> Result<Vec<Flight>, StoreError> {
        let resting = self.state.lock().resting.clone();
        let mut found = Vec::with_capacity(resting.len());
        for flight in resting {
            if flight.stage == Stage::Released {
                found.push(flight);
            } else if let Some(position) = flight.position {
                let rows = hub.store.publications(self.tenant(), position.saturating_sub(1), 1).await?;
                match self.message_at(rows, position, flight.stage) {
                    Some(message) => found.push(flight.with(message)),
                    None => hub.metrics.dropped(self.tenant(), Loss::Backlog, 1),
                }
            }
        }
        Ok(found)
    }

    /// A message that was on its way; the subscription that it came by may be gone.
    fn message_at(&self, rows: Vec<Publications>, position: u64, stage: Stage) -> Option<Outgoing> {
        let row = rows.into_iter().find(|row| (row.first..=row.last).contains(&position))?;
        let offset = usize::try_from(position - row.first).ok()?;
        let entry = entry::read(row.messages).ok()?.into_iter().nth(offset)?;
        let qos = if stage == Stage::Published { Qos::AtLeastOnce } else { Qos::ExactlyOnce };
        let by_subscription = self.outgoing(&entry, position);
        let bare = || Outgoing {
            message: Arc::clone(&entry.publication.message),
            qos,
            retain: false,
            position: Some(position),
            stored: false,
            subscription_ids: Vec::new(),
        };
        Some(Outgoing { qos, ..by_subscription.unwrap_or_else(bare) })
    }

    /// The client is connected: from now on its outbox takes what is for it. False where the session is over.
    pub(crate) fn attach(&self, outbox: &Arc<Outbox>, expiry: Duration) -> bool {
        let mut state = self.state.lock();
        if state.ended {
            return false;
        }
        state.outbox = Some(Arc::clone(outbox));
        state.resting = Vec::new();
        state.expiry = expiry;
        state.left_at = None;
        state.behind = state.taken < self.head.published();
        if let Some(will) = state.will.take() {
            will.send(false).ok(); // it may be on its way already
        }
        true
    }

    /// The client has gone; says how many messages are lost that do not stand in the log. `expiry`: what it said last.
    pub(crate) fn detach(&self, now: Timestamp, expiry: Option<Duration>) -> usize {
        let mut state = self.state.lock();
        let Some(outbox) = state.outbox.take() else { return 0 };
        let Left { flights, first_queued, lost } = outbox.end();
        let taken = self.taken(&state, first_queued);
        state.taken = taken;
        state.behind = true;
        state.resting = flights.iter().map(resting).collect();
        state.left_at = Some(now);
        state.expiry = expiry.unwrap_or(state.expiry);
        lost
    }

    /// How far it has come, where the first message that waits in the outbox is at `first_queued`.
    fn taken(&self, state: &State, first_queued: Option<u64>) -> u64 {
        match first_queued {
            Some(first) => first.saturating_sub(1),
            // Whatever was offered to others was offered to it, too, as far as it is for it.
            None if !state.behind => state.taken.max(self.head.offered()),
            None => state.taken,
        }
    }

    /// How the client's own outbox is reached.
    pub(crate) fn outbox(&self) -> Option<Arc<Outbox>> {
        self.state.lock().outbox.clone()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.state.lock().outbox.is_some()
    }

    /// A message of the log that is for it.
    pub(crate) fn offer(&self, outgoing: Outgoing, position: u64) -> Result<(), Loss> {
        let mut state = self.state.lock();
        if position <= state.taken || state.behind {
            return Ok(()); // it comes from the log, or came from there
        }
        let Some(outbox) = &state.outbox else { return Ok(()) };
        match outbox.offer(Outgoing { position: Some(position), ..outgoing }) {
            Offer::Queued => state.taken = position,
            Offer::TooLarge => {
                state.taken = position;
                return Err(Loss::TooLarge);
            }
            Offer::QueueFull | Offer::SlowConsumer | Offer::Disconnected => state.behind = true,
        }
        Ok(())
    }

    /// Where it wants messages from the log.
    pub(crate) fn wants_more(&self) -> Option<u64> {
        let state = self.state.lock();
        let has_room = state.outbox.as_ref().is_some_and(|outbox| outbox.has_room());
        (state.behind && has_room).then_some(state.taken)
    }

    /// Position of the last message that may be for it by now.
    pub(crate) fn log_end(&self) -> u64 {
        self.head.published()
    }

    /// Hands it what stands in the log, as far as there is room. `until`: the end of the log when it was read.
    pub(crate) fn refill(&self, rows: Vec<Publications>, until: u64, hub: &Hub) {
        let mut state = self.state.lock();
        if rows.is_empty() {
            state.taken = state.taken.max(until);
        }
        for row in rows {
            let Ok(entries) = entry::read(row.messages) else {
                tracing::error!(tenant = %self.tenant(), first = row.first, "{Damaged}");
                hub.metrics.dropped(self.tenant(), Loss::Damaged, 1);
                state.taken = state.taken.max(row.last);
                continue;
            };
            for (position, entry) in (row.first..).zip(entries) {
                if position <= state.taken {
                    continue;
                }
                let Some(outbox) = &state.outbox else { return };
                if let Some(outgoing) = self.outgoing(&entry, position)
                    && outbox.may_hear(&outgoing.message)
                {
                    match outbox.offer(outgoing) {
                        Offer::Queued => {}
                        Offer::TooLarge => hub.metrics.dropped(self.tenant(), Loss::TooLarge, 1),
                        Offer::QueueFull | Offer::SlowConsumer | Offer::Disconnected => return,
                    }
                }
                state.taken = position;
            }
        }
        state.behind = state.taken < self.head.published();
    }

    /// A message of the log as its client gets it; `None` where it is not for it.
    pub(crate) fn outgoing(&self, entry: &Entry, position: u64) -> Option<Outgoing> {
        let Entry { publication, from, only, to } = entry;
        if only.is_some_and(|only| only != self.id) {
            return None;
        }
        let (in_turn, own) = (to.contains(&self.id), *from == Some(self.id));
        let (options, subscription_ids) =
            self.subscriptions.hears(&publication.message, position, in_turn, own)?;
        let qos = publication.qos.min(options.qos);
        (qos != Qos::AtMostOnce).then(|| Outgoing {
            message: Arc::clone(&publication.message),
            qos,
            retain: only.is_some() || (publication.retain && options.retain_as_published),
            position: Some(position),
            stored: false,
            subscription_ids,
        })
    }

    /// The oldest position of the log that it still needs.
    pub(crate) fn oldest_needed(&self) -> u64 {
        let state = self.state.lock();
        let progress = state.progress();
        let flying = progress
            .flights
            .iter()
            .filter_map(|(_, stage, position)| (*stage != Stage::Released).then_some(*position).flatten());
        let waiting = self.taken(&state, progress.first_queued) + 1;
        flying.chain([waiting]).min().unwrap_or(waiting)
    }

    /// What stands in the log up to a position is too old for it; says how many positions it loses by that.
    pub(crate) fn skip_to(&self, position: u64) -> u64 {
        let mut state = self.state.lock();
        let skipped = position.saturating_sub(state.taken);
        if state.behind && skipped > 0 {
            state.taken = position;
            return skipped;
        }
        0
    }

    /// All that is kept of it, and the number of the last change in it.
    pub(crate) fn record(&self) -> (messaging::Mailbox, u64) {
        let (flight, change) = self.flight();
        let state = self.state.lock();
        let standing =
            Standing { expiry_seconds: state.expiry.as_secs(), subscriptions: self.subscriptions.all() };
        let record = messaging::Mailbox {
            id: self.id,
            owner: owner(&self.key.1),
            client_id: self.key.2.to_string(),
            left_at: state.left_at,
            standing: serde_json::to_vec(&standing).unwrap_or_default(),
            flight,
        };
        (record, change)
    }

    /// How far its messages have come, as it is kept, and the number of the last change in it.
    pub(crate) fn flight(&self) -> (Vec<u8>, u64) {
        let state = self.state.lock();
        let Progress { flights, first_queued, change } = state.progress();
        let flying = Flying { taken: self.taken(&state, first_queued), flights };
        (serde_json::to_vec(&flying).unwrap_or_default(), change)
    }

    /// A change of it is durable.
    pub(crate) fn saved(&self, change: u64) {
        if let Some(outbox) = &self.state.lock().outbox {
            outbox.saved(change);
        }
    }

    /// Whether its client has acknowledged something since it was last written.
    pub(crate) fn has_changed(&self) -> bool {
        self.state.lock().outbox.as_ref().is_some_and(|outbox| outbox.has_changed())
    }

    /// Packet identifiers that its client has not released.
    pub(crate) fn received(&self) -> HashSet<u16, RandomState> {
        self.state.lock().received.clone()
    }

    /// Messages with these packet identifiers are committed.
    pub(crate) fn note_received(&self, ids: impl IntoIterator<Item = u16>) {
        self.state.lock().received.extend(ids);
    }

    /// It is durable that a packet identifier may be used again.
    pub(crate) fn note_released(&self, id: u16) {
        self.state.lock().received.remove(&id);
    }

    /// A will waits for the client to come back, or not; `will` decides about it.
    pub(crate) fn wait_with(&self, will: oneshot::Sender<bool>) {
        self.state.lock().will = Some(will);
    }

    /// How long it is kept without its client.
    pub(crate) fn expiry(&self) -> Duration {
        self.state.lock().expiry
    }

    /// Whether its time is over.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        let state = self.state.lock();
        let lasts = SignedDuration::try_from(state.expiry).unwrap_or(SignedDuration::MAX);
        state.left_at.is_some_and(|left| now.duration_since(left) >= lasts)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state.lock().ended
    }

    /// It is over: its filters leave the tree, and its will is said. False where its client is connected and that counts.
    pub(crate) fn end(&self, hub: &Hub, even_if_connected: bool) -> bool {
        let mut state = self.state.lock();
        if state.outbox.is_some() && !even_if_connected {
            return false;
        }
        state.ended = true;
        let will = state.will.take();
        drop(state);
        self.subscriptions.keep_only(&self.place(hub), |_| false);
        if let Some(will) = will {
            will.send(true).ok(); // it may have been said already
        }
        true
    }
}

impl State {
    fn progress(&self) -> Progress {
        match &self.outbox {
            Some(outbox) => outbox.progress(),
            None => Progress {
                flights: self.resting.iter().map(|one| (one.id, one.stage, one.position)).collect(),
                ..Progress::default()
            },
        }
    }
}

/// Its message is in the log: an absent client costs no memory.
fn resting(flight: &Flight) -> Flight {
    Flight::resumed(flight.id, flight.stage, flight.position)
}

const DEVICE: &str = "d:";
const APPLICATION: &str = "a:";

/// A client as it is written down.
fn owner(client: &Client) -> String {
    match client {
        Client::Device(device) => format!("{DEVICE}{device}"),
        Client::Application { name } => format!("{APPLICATION}{name}"),
        Client::Newcomer { connection } => connection.to_string(), // never kept, so never written down
    }
}

/// Reads it back.
pub(crate) fn owner_of(text: &str) -> Option<Client> {
    if let Some(device) = text.strip_prefix(DEVICE) {
        return device.parse().ok().map(Client::Device);
    }
    text.strip_prefix(APPLICATION).map(|name| Client::Application { name: name.into() })
}
