//! What waits to be sent to one client, and the only door through which other tasks reach a session.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tenants::{clock::Clock, quotas::ClientQuotas, topics::TopicFilters};

use super::{
    aliases::Aliases,
    flight::{Flight, Flights, Next, Stage},
};
use crate::{
    config::{BrokerConfig, count},
    encode::{self, Labels},
    message::{Message, Outgoing},
    protocol::{MAX_TOPIC_ALIASES, Qos, Reason, Version},
    topics::Space,
};

/// Bounds of one outbox. They hold by themselves for messages that are acknowledged, so that a flood of QoS 0 never costs
/// a subscriber the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    /// Retained messages that wait after a subscription.
    pub(crate) stored: usize,
    /// Messages of QoS 1 and 2 that the client has not acknowledged yet.
    pub(crate) in_flight: usize,
    /// The client's own limit (v5 Maximum Packet Size).
    pub(crate) packet_bytes: usize,
    /// Topics that may have an alias on their way to the client (v5 Topic Alias Maximum).
    pub(crate) aliases: usize,
}

impl Limits {
    /// The broker's limits, narrowed by what a v5 client asked for.
    pub(crate) fn new(
        (config, quotas): (&BrokerConfig, &ClientQuotas),
        receive_maximum: Option<u16>,
        packet_bytes: Option<u32>,
        topic_alias_maximum: Option<u16>,
    ) -> Self {
        let in_flight = quotas.in_flight.min(receive_maximum.unwrap_or(u16::MAX).into());
        Self {
            messages: count(quotas.queued_messages),
            bytes: config.outbox_bytes,
            stored: config.max_retained.saturating_mul(2),
            in_flight: count(in_flight.max(1)),
            packet_bytes: packet_bytes
                .map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            aliases: usize::from(topic_alias_maximum.unwrap_or(0).min(MAX_TOPIC_ALIASES)),
        }
    }
}

/// What became of a message offered to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    Queued,
    /// The queue is full; of a session that is not kept only said of QoS 0.
    QueueFull,
    /// QoS 1 or 2 and the queue is full: the session is being closed.
    SlowConsumer,
    /// The session is over.
    Disconnected,
    /// Larger than the client takes.
    TooLarge,
}

/// How a client sees its tenant's topics.
#[derive(Clone, Default)]
pub(crate) struct View {
    /// How many bytes at the start of a topic of the platform it does not see.
    pub(crate) prefix_bytes: usize,
    /// What of the topic space is kept from it although it may match one of its filters.
    pub(crate) denied: Option<Arc<TopicFilters>>,
}

/// The outbox of one connection.
pub(crate) struct Outbox {
    pub(crate) version: Version,
    limits: Limits,
    view: View,
    /// Whether the session outlives the connection: then what does not fit waits in the log, and the steps of QoS 2 are taken
    /// only when they are durable.
    kept: bool,
    draining: AtomicBool,
    waker: AtomicWaker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Encoded answers (SUBACK, PINGRESP, ...). Bounded by the reader, which brings them about.
    replies: Vec<u8>,
    queue: VecDeque<Outgoing>,
    /// What of the queue is QoS 0.
    unacknowledged: Depth,
    /// What of the queue is QoS 1 or 2.
    acknowledged: Depth,
    /// What of the queue was retained when the client subscribed.
    stored: Depth,
    flights: Flights,
    aliases: Aliases,
    changes: Changes,
    closing: Option<Reason>,
    over: bool,
}

#[derive(Default, Clone, Copy)]
struct Depth {
    messages: usize,
    bytes: usize,
}

/// How much of what happened to the flights of a session that is kept is durable, as numbers of changes.
#[derive(Default, Clone, Copy)]
struct Changes {
    made: u64,
    /// Something waits until this one is durable.
    needed: u64,
    /// It was asked to make all up to this one durable.
    asked: u64,
    saved: u64,
}

/// How far the messages of a session that is kept have come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Those on their way: packet identifier, how far, position in the log.
    pub(crate) flights: Vec<(u16, Stage, Option<u64>)>,
    /// Position of the first that waits.
    pub(crate) first_queued: Option<u64>,
    /// The last change that is in it.
    pub(crate) change: u64,
}

/// What a connection leaves behind.
pub(crate) struct Left {
    pub(crate) flights: Vec<Flight>,
    /// Position of the first message that waited.
    pub(crate) first_queued: Option<u64>,
    /// Messages that are lost, as they do not stand in the log.
    pub(crate) lost: usize,
}

impl Outbox {
    /// Of a session that ends with its connection.
    pub(crate) fn new(version: Version, limits: Limits, view: View) -> Self {
        let (draining, waker, state) = (AtomicBool::new(false), AtomicWaker::new(), Mutex::default());
        Self { version, limits, view, kept: false, draining, waker, state }
    }

    /// Of a session that is kept, with the messages that were on their way when its last connection ended.
    pub(crate) fn kept(version: Version, limits: Limits, view: View, flights: Vec<Flight>) -> Self {
        let state = State { flights: Flights::resumed(flights), ..State::default() };
        Self { kept: true, state: Mutex::new(state), ..Self::new(version, limits, view) }
    }

    /// Whether the client may hear a message, whatever its filters match.
    pub(crate) fn may_hear(&self, message: &Message) -> bool {
        message.space != Space::Topics
            || !self.view.denied.as_ref().is_some_and(|filters| filters.deny(&message.topic))
    }

    /// Queues a message for the client.
    pub(crate) fn offer(&self, message: Outgoing) -> Offer {
        let size = message.size();
        if size > self.limits.packet_bytes.saturating_add(self.view.prefix_bytes) {
            return Offer::TooLarge;
        }
        let (qos, stored) = (message.qos, message.stored);
        let mut state = self.state.lock();
        if state.over || state.closing.is_some() {
            return Offer::Disconnected;
        }
        let depth = state.depth(&message);
        let full = match stored {
            true => depth.messages >= self.limits.stored,
            false => depth.messages >= self.limits.messages || depth.bytes + size > self.limits.bytes,
        };
        if full {
            if !stored && (qos == Qos::AtMostOnce || self.kept) {
                return Offer::QueueFull;
            }
            state.closing = Some(Reason::SlowConsumer);
            drop(state);
            self.waker.wake();
            return Offer::SlowConsumer;
        }
        depth.messages += 1;
        depth.bytes += size;
        state.queue.push_back(message);
        drop(state);
        self.waker.wake();
        Offer::Queued
    }

    /// Ends the session at once. The first reason stands.
    pub(crate) fn close(&self, reason: Reason) {
        self.state.lock().closing.get_or_insert(reason);
        self.waker.wake();
    }

    /// Largest packet that the client takes.
    pub(super) fn packet_bytes(&self) -> usize {
        self.limits.packet_bytes
    }

    /// Asks the session to read no further, to send the PUBACKs of what it has read, and to end.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Adds an encoded answer.
    pub(crate) fn reply(&self, frame: &[u8]) {
        self.state.lock().replies.extend_from_slice(frame);
        self.waker.wake();
    }

    /// Bytes of answers that the client has not taken.
    pub(super) fn reply_bytes(&self) -> usize {
        self.state.lock().replies.len()
    }

    /// A PUBACK came; false when none was due for that identifier.
    pub(super) fn acknowledged(&self, packet_id: u16) -> bool {
        let mut state = self.state.lock();
        state.changes.made += 1;
        state.flights.acknowledged(packet_id)
    }

    /// A PUBREC came, which may say that the client refuses the message; false when none was due for that identifier. The
    /// PUBREL is among the answers then, or follows once it is durable that the client has the message.
    pub(super) fn received(&self, packet_id: u16, refused: bool) -> bool {
        let mut state = self.state.lock();
        state.changes.made += 1;
        let durable = self.kept.then_some(state.changes.made);
        let next = state.flights.received(packet_id, refused, durable);
        match (next, self.version) {
            (Next::ReleaseLater, _) => state.changes.needed = state.changes.made,
            (Next::Refused, _) => {}
            (Next::Unknown, Version::V5) if !refused => {
                encode::acknowledge_with(encode::PUBREL, packet_id, encode::NOT_FOUND, &mut state.replies);
            }
            (Next::Unknown, Version::V5) => {}
            (Next::Release | Next::Unknown, _) => {
                encode::acknowledge(encode::PUBREL, packet_id, &mut state.replies);
            }
        }
        next != Next::Unknown
    }

    /// A PUBCOMP came; false when none was due for that identifier.
    pub(super) fn completed(&self, packet_id: u16) -> bool {
        let mut state = self.state.lock();
        state.changes.made += 1;
        state.flights.completed(packet_id)
    }

    /// Moves what may be sent now to `out`, up to about `high_water` bytes. Answers go first, so that a SUBACK precedes the
    /// first message of its subscription. The clock is read where a message may have expired.
    pub(super) fn take(
        &self,
        out: &mut Vec<u8>,
        high_water: usize,
        clock: &dyn Clock,
    ) -> Result<Taken, Reason> {
        let mut state = self.state.lock();
        if let Some(reason) = state.closing {
            return Err(reason);
        }
        let mut taken = Taken::default();
        if out.len() >= high_water {
            return Ok(taken);
        }
        if !state.replies.is_empty() {
            out.append(&mut state.replies);
            state.replies = Vec::new();
        }
        while out.len() < high_water {
            if self.kept && self.take_due(&mut state, &mut taken, out, clock) {
                continue;
            }
            let blocked = state.flights.len() >= self.limits.in_flight;
            let Some(message) = state.queue.pop_front_if(|next| !(blocked && next.qos != Qos::AtMostOnce))
            else {
                break;
            };
            state.forget(&message);
            let Some(expires_in) = message.expires_in(clock) else {
                taken.expired += 1;
                continue;
            };
            if self.kept && message.qos != Qos::AtMostOnce {
                state.begin_kept(message);
                continue;
            }
            let packet_id = if message.qos == Qos::AtMostOnce { 0 } else { state.flights.begin(message.qos) };
            if self.write(&mut state, &message, (packet_id, false), expires_in, out) {
                taken.sent += 1;
            } else {
                taken.too_large += 1;
            }
        }
        if state.queue.is_empty() && taken.sent > 0 {
            state.queue.shrink_to(4); // a burst must not cost memory for the rest of an idle connection's life
        }
        Ok(taken)
    }

    /// Sends the next packet of a flight that waits for nothing any more; false where there is none.
    fn take_due(&self, state: &mut State, taken: &mut Taken, out: &mut Vec<u8>, clock: &dyn Clock) -> bool {
        let Some(flight) = state.flights.next_due(state.changes.saved, self.limits.in_flight) else {
            return false;
        };
        let (id, again) = (flight.id, std::mem::replace(&mut flight.again, true));
        let Some(message) = flight.message.clone() else {
            encode::acknowledge(encode::PUBREL, id, out);
            return true;
        };
        // Once it is on its way it is not given up, however old it becomes.
        let expires_in = message.expires_in(clock).unwrap_or(Some(0));
        if self.write(state, &message, (id, again), expires_in, out) {
            taken.sent += 1;
        } else {
            taken.too_large += 1;
        }
        true
    }

    /// Encodes a message; false where it is larger than the client takes.
    fn write(
        &self,
        state: &mut State,
        message: &Outgoing,
        (packet_id, again): (u16, bool),
        expires_in: Option<u32>,
        out: &mut Vec<u8>,
    ) -> bool {
        let hidden = match message.message.space {
            Space::Platform => self.view.prefix_bytes,
            Space::Topics => 0,
        };
        let topic = message.message.topic.get(hidden..).unwrap_or_default();
        let named = state.aliases.name(topic, self.limits.aliases);
        let labels = Labels { packet_id, named, again, expires_in };
        let written = encode::publish(self.version, topic, message, labels, self.limits.packet_bytes, out);
        if !written {
            state.flights.take_back(packet_id);
            state.aliases.take_back(named);
        }
        written
    }

    /// Nothing is taken from now on.
    pub(crate) fn end(&self) -> Left {
        let mut state = self.state.lock();
        state.over = true;
        let queue = std::mem::take(&mut state.queue);
        Left {
            flights: state.flights.take(),
            first_queued: queue.iter().find_map(|message| message.position),
            lost: queue.iter().filter(|message| message.position.is_none()).count(),
        }
    }

    /// How far it has come, to be made durable.
    pub(crate) fn progress(&self) -> Progress {
        let state = self.state.lock();
        let flights = state.flights.iter().map(|flight| (flight.id, flight.stage, flight.position)).collect();
        let first_queued = state.queue.iter().find_map(|message| message.position);
        Progress { flights, first_queued, change: state.changes.made }
    }

    /// Everything up to a change is durable.
    pub(crate) fn saved(&self, change: u64) {
        let mut state = self.state.lock();
        state.changes.saved = state.changes.saved.max(change);
        state.changes.asked = state.changes.asked.max(change);
        drop(state);
        self.waker.wake();
    }

    /// Whether something waits that it was not yet asked to make durable. Says so once.
    pub(super) fn save_due(&self) -> bool {
        let mut state = self.state.lock();
        let due = state.changes.needed > state.changes.asked;
        if due {
            state.changes.asked = state.changes.made;
        }
        due
    }

    /// Whether anything has happened since its progress was last looked at.
    pub(crate) fn has_changed(&self) -> bool {
        let state = self.state.lock();
        state.changes.made > state.changes.asked
    }

    /// Whether there is room for about half of what it takes.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.state.lock();
        let Depth { messages, bytes } = state.acknowledged;
        state.closing.is_none() && messages <= self.limits.messages / 2 && bytes <= self.limits.bytes / 2
    }
}

/// What was moved to be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Messages that are sent.
    pub(super) sent: usize,
    /// Messages that are dropped, as the client takes no packet that large.
    pub(super) too_large: usize,
    /// Messages that are dropped, as they are older than their sender wanted.
    pub(super) expired: usize,
}

impl State {
    /// It waits no longer.
    fn forget(&mut self, message: &Outgoing) {
        let depth = self.depth(message);
        depth.messages -= 1;
        depth.bytes -= message.size();
    }

    fn depth(&mut self, message: &Outgoing) -> &mut Depth {
        match (message.stored, message.qos) {
            (true, _) => &mut self.stored,
            (false, Qos::AtMostOnce) => &mut self.unacknowledged,
            (false, _) => &mut self.acknowledged,
        }
    }

    /// A message of a session that is kept sets out: at once, or of QoS 2 when its packet identifier is durable, so that it
    /// has the same one whatever happens.
    fn begin_kept(&mut self, message: Outgoing) {
        self.changes.made += 1;
        let mut due = 0;
        if message.qos == Qos::ExactlyOnce {
            due = self.changes.made;
            self.changes.needed = due;
        }
        self.flights.begin_kept(Box::new(message), Some(due));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use jiff::{SignedDuration, Timestamp};
    use tenants::clock::{ManualClock, SystemClock};

    use super::*;

    const HIGH_WATER: usize = 64 * 1024;
    const CLOCK: SystemClock = SystemClock;

    fn outbox(messages: usize, in_flight: usize) -> Outbox {
        let limits =
            Limits { messages, bytes: 10_000, stored: 9, in_flight, packet_bytes: 1_000, aliases: 0 };
        Outbox::new(Version::V311, limits, View::default())
    }

    fn message(qos: Qos, bytes: usize) -> Outgoing {
        to("t", qos, bytes)
    }

    fn to(topic: &str, qos: Qos, bytes: usize) -> Outgoing {
        lasting(None, topic, qos, bytes)
    }

    fn lasting(expires_at: Option<Timestamp>, topic: &str, qos: Qos, bytes: usize) -> Outgoing {
        let payload = vec![b'x'; bytes].into();
        let (space, properties) = (Space::Platform, Bytes::new());
        let message = Message { space, topic: topic.into(), payload, properties, expires_at };
        let subscription_ids = Vec::new();
        let message = Arc::new(message);
        Outgoing { message, qos, retain: false, position: None, stored: false, subscription_ids }
    }

    fn sent(sent: usize) -> Result<Taken, Reason> {
        Ok(Taken { sent, ..Taken::default() })
    }

    #[test]
    fn qos_0_is_dropped_when_full_and_does_not_crowd_out_the_others() {
        let outbox = outbox(2, 10);
        let offers: Vec<_> = (0..3).map(|_| outbox.offer(message(Qos::AtMostOnce, 1))).collect();
        assert_eq!(offers, [Offer::Queued, Offer::Queued, Offer::QueueFull]);
        assert_eq!(outbox.offer(message(Qos::AtLeastOnce, 1)), Offer::Queued);
        assert_eq!(outbox.offer(message(Qos::ExactlyOnce, 1)), Offer::Queued);
        assert_eq!(outbox.take(&mut Vec::new(), HIGH_WATER, &CLOCK), sent(4));
        assert_eq!(outbox.offer(message(Qos::AtMostOnce, 1)), Offer::Queued, "there is room again");
    }

    #[test]
    fn what_is_acknowledged_closes_the_session_beyond_the_queue() {
        let outbox = outbox(2, 1);
        for (qos, expected) in [
            (Qos::AtLeastOnce, Offer::Queued),
            (Qos::ExactlyOnce, Offer::Queued),
            (Qos::AtLeastOnce, Offer::SlowConsumer),
            (Qos::AtLeastOnce, Offer::Disconnected),
        ] {
            assert_eq!(outbox.offer(message(qos, 1)), expected);
        }
        assert_eq!(outbox.take(&mut Vec::new(), HIGH_WATER, &CLOCK), Err(Reason::SlowConsumer));
        assert_eq!(outbox.end().lost, 2, "what is lost is told");
        assert_eq!(outbox.offer(message(Qos::AtMostOnce, 1)), Offer::Disconnected);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let outbox = outbox(1_000, 10);
        assert_eq!(outbox.offer(message(Qos::AtMostOnce, 2_000)), Offer::TooLarge, "the client's own limit");
        let queued =
            (0..).take_while(|_| outbox.offer(message(Qos::AtMostOnce, 900)) == Offer::Queued).count();
        assert_eq!(queued, 11, "10,000 bytes hold 11 messages of 901");
    }

    #[test]
    fn a_packet_that_is_too_large_only_with_its_header_costs_nothing_but_itself() {
        let outbox = outbox(1_000, 10);
        outbox.offer(message(Qos::AtLeastOnce, 999));
        outbox.offer(message(Qos::AtLeastOnce, 1));
        let mut out = Vec::new();
        assert_eq!(
            outbox.take(&mut out, HIGH_WATER, &CLOCK),
            Ok(Taken { sent: 1, too_large: 1, expired: 0 })
        );
        assert_eq!(out.len(), 2 + 3 + 2 + 1);
        assert_eq!(outbox.state.lock().flights.len(), 1);
    }

    fn kept(in_flight: usize, flights: Vec<Flight>) -> Outbox {
        let limits =
            Limits { messages: 2, bytes: 10_000, stored: 9, in_flight, packet_bytes: 1_000, aliases: 0 };
        Outbox::kept(Version::V311, limits, View::default(), flights)
    }

    fn at(position: u64, qos: Qos) -> Outgoing {
        Outgoing { position: Some(position), ..message(qos, 0) }
    }

    /// First byte and packet identifier of each packet that is sent now.
    fn sent_by(outbox: &Outbox) -> Vec<(u8, u8)> {
        let mut out = Vec::new();
        outbox.take(&mut out, HIGH_WATER, &CLOCK).unwrap();
        let mut packets = Vec::new();
        while let [first, length, ..] = *out {
            let rest = out.split_off(2 + usize::from(length));
            packets.push((first, *out.last().unwrap()));
            out = rest;
        }
        packets
    }

    #[test]
    fn what_a_kept_session_has_no_room_for_waits_elsewhere() {
        let outbox = kept(1, Vec::new());
        let offers: Vec<_> = (1..=3).map(|position| outbox.offer(at(position, Qos::AtLeastOnce))).collect();
        assert_eq!(offers, [Offer::Queued, Offer::Queued, Offer::QueueFull]);
        assert!(!outbox.has_room());
        assert_eq!(sent_by(&outbox), [(0x32, 1)]);
        assert!(outbox.has_room() && outbox.has_changed());
        let progress = outbox.progress();
        assert_eq!(
            (progress.flights, progress.first_queued),
            (vec![(1, Stage::Published, Some(1))], Some(2))
        );
        outbox.saved(progress.change);
        assert!(!outbox.has_changed());
        outbox.offer(message(Qos::AtMostOnce, 1));
        let left = outbox.end();
        assert_eq!((left.flights.len(), left.first_queued, left.lost), (1, Some(2), 1));
    }

    #[test]
    fn the_steps_of_qos_2_of_a_kept_session_follow_their_durability() {
        let outbox = kept(9, Vec::new());
        outbox.offer(at(1, Qos::ExactlyOnce));
        outbox.offer(at(2, Qos::AtLeastOnce));
        assert_eq!(sent_by(&outbox), [(0x32, 2)], "QoS 1 does not wait");
        assert!(outbox.save_due() && !outbox.save_due(), "asked once");
        let change = outbox.progress().change;
        assert_eq!(sent_by(&outbox), []);
        outbox.saved(change);
        assert_eq!(sent_by(&outbox), [(0x34, 1)]);
        assert!(outbox.received(1, false) && outbox.save_due());
        assert_eq!(sent_by(&outbox), []);
        outbox.saved(outbox.progress().change);
        assert_eq!(sent_by(&outbox), [(0x62, 1)]);
        assert!(outbox.completed(1) && outbox.acknowledged(2));
        assert!(!outbox.save_due() && outbox.has_changed(), "soon is soon enough");
    }

    #[test]
    fn what_was_on_its_way_goes_first_with_the_identifier_that_it_had() {
        let flight = |id, stage, position| {
            let resumed = Flight::resumed(id, stage, Some(position));
            if stage == Stage::Released { resumed } else { resumed.with(at(position, Qos::AtLeastOnce)) }
        };
        let outbox = kept(2, vec![flight(7, Stage::Released, 1), flight(9, Stage::Published, 2)]);
        outbox.offer(at(3, Qos::AtLeastOnce));
        assert_eq!(sent_by(&outbox), [(0x62, 7), (0x3A, 9)]);
        assert!(outbox.completed(7));
        assert_eq!(sent_by(&outbox), [(0x32, 10)]);
    }

    #[test]
    fn what_was_retained_does_not_count_as_what_is_said_now() {
        let outbox = outbox(1, 1);
        let stored = || Outgoing { stored: true, ..message(Qos::AtMostOnce, 1) };
        assert!((0..9).all(|_| outbox.offer(stored()) == Offer::Queued));
        assert_eq!(outbox.offer(message(Qos::AtMostOnce, 1)), Offer::Queued);
        assert_eq!(
            outbox.offer(stored()),
            Offer::SlowConsumer,
            "who subscribes again and again and never reads"
        );
    }

    #[test]
    fn what_is_older_than_its_sender_wanted_is_not_sent() {
        let clock = ManualClock::new("2026-01-02T03:04:05Z".parse().unwrap());
        let limits =
            Limits { messages: 9, bytes: 10_000, stored: 9, in_flight: 1, packet_bytes: 1_000, aliases: 0 };
        let outbox = Outbox::new(Version::V5, limits, View::default());
        for seconds in [0, 1, 10] {
            let end = clock.now() + SignedDuration::from_secs(seconds);
            outbox.offer(lasting(Some(end), "t", Qos::AtMostOnce, 0));
        }
        clock.advance(Duration::from_millis(1_500));
        let mut out = Vec::new();
        let taken = Taken { sent: 1, too_large: 0, expired: 2 };
        assert_eq!(outbox.take(&mut out, HIGH_WATER, &clock), Ok(taken));
        assert_eq!(out, b"\x30\x09\x00\x01t\x05\x02\x00\x00\x00\x09", "9 seconds have begun");
        assert_eq!(outbox.state.lock().unacknowledged.messages, 0);
    }

    #[test]
    fn in_flight_is_bounded_until_the_last_acknowledgement() {
        let outbox = outbox(1_000, 2);
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            outbox.offer(message(qos, 0));
        }
        let mut out = Vec::new();
        let take = |out: &mut Vec<u8>| {
            out.clear();
            outbox.take(out, HIGH_WATER, &CLOCK).unwrap().sent
        };
        assert_eq!(take(&mut out), 2);
        let ids = |out: &[u8]| out.chunks(7).map(|frame| (frame[0], frame[6])).collect::<Vec<_>>();
        assert_eq!(ids(&out), [(0x32, 1), (0x34, 2)]);
        assert!(outbox.received(2, false));
        assert_eq!((take(&mut out), &out[..]), (0, &[0x62, 2, 0, 2][..]), "the PUBREL, and no room yet");
        assert!(outbox.completed(2) && !outbox.completed(2));
        assert_eq!((take(&mut out), ids(&out)), (1, vec![(0x32, 3)]));
        assert!(outbox.acknowledged(1) && !outbox.acknowledged(1) && !outbox.acknowledged(99));
        assert_eq!((take(&mut out), ids(&out)), (1, vec![(0x34, 4)]));
    }

    #[test]
    fn topics_get_aliases_as_long_as_there_are_some() {
        let limits =
            Limits { messages: 9, bytes: 10_000, stored: 9, in_flight: 9, packet_bytes: 1_000, aliases: 1 };
        let outbox = Outbox::new(Version::V5, limits, View::default());
        for (topic, bytes) in [("feed/a", 991), ("feed/a", 0), ("feed/a", 0), ("feed/b", 0)] {
            outbox.offer(to(topic, Qos::AtMostOnce, bytes));
        }
        let mut out = Vec::new();
        assert_eq!(
            outbox.take(&mut out, HIGH_WATER, &CLOCK),
            Ok(Taken { sent: 3, too_large: 1, expired: 0 })
        );
        let introduced: &[u8] = b"\x30\x0C\x00\x06feed/a\x03\x23\x00\x01";
        let known: &[u8] = b"\x30\x06\x00\x00\x03\x23\x00\x01";
        assert_eq!(out, [introduced, known, b"\x30\x09\x00\x06feed/b\x00"].concat());
    }

    #[test]
    fn answers_stay_and_are_counted_while_the_socket_is_full() {
        let outbox = outbox(10, 10);
        outbox.reply(b"pong");
        outbox.offer(message(Qos::AtMostOnce, 1));
        let mut out = vec![0; 8];
        assert_eq!((outbox.take(&mut out, 8, &CLOCK), out.len(), outbox.reply_bytes()), (sent(0), 8, 4));
        out.clear();
        assert_eq!((outbox.take(&mut out, 8, &CLOCK), outbox.reply_bytes()), (sent(1), 0));
        assert!(out.starts_with(b"pong"), "before any message");
    }

    #[test]
    fn the_first_reason_to_close_stands() {
        let outbox = outbox(1, 1);
        outbox.close(Reason::TakenOver);
        outbox.close(Reason::ShuttingDown);
        assert_eq!(outbox.take(&mut Vec::new(), HIGH_WATER, &CLOCK), Err(Reason::TakenOver));
    }
}
