//! What waits to be sent to one client, and the only door through which other tasks reach a session.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tenants::clock::Clock;

use super::{
    aliases::Aliases,
    flight::{Flights, Next},
};
use crate::{
    config::BrokerConfig,
    encode::{self, Labels},
    message::Outgoing,
    protocol::{MAX_TOPIC_ALIASES, Qos, Reason, Version},
};

/// Bounds of one outbox. They hold by themselves for messages that are acknowledged, so that a flood of QoS 0 never costs
/// a subscriber the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
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
        config: &BrokerConfig,
        receive_maximum: Option<u16>,
        packet_bytes: Option<u32>,
        topic_alias_maximum: Option<u16>,
    ) -> Self {
        let in_flight = config.max_in_flight.min(receive_maximum.unwrap_or(u16::MAX));
        Self {
            messages: config.outbox_messages,
            bytes: config.outbox_bytes,
            in_flight: usize::from(in_flight.max(1)),
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
    /// QoS 0 and the queue is full.
    QueueFull,
    /// QoS 1 or 2 and the queue is full: the session is being closed.
    SlowConsumer,
    /// The session is over.
    Disconnected,
    /// Larger than the client takes.
    TooLarge,
}

/// The outbox of one session.
pub(crate) struct Outbox {
    pub(crate) version: Version,
    limits: Limits,
    draining: AtomicBool,
    waker: AtomicWaker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Encoded answers (SUBACK, PINGRESP, ...). Bounded by the reader, which writes them.
    replies: Vec<u8>,
    queue: VecDeque<Outgoing>,
    /// What of the queue is QoS 0.
    unacknowledged: Depth,
    /// What of the queue is QoS 1 or 2.
    acknowledged: Depth,
    flights: Flights,
    aliases: Aliases,
    closing: Option<Reason>,
    over: bool,
}

#[derive(Default, Clone, Copy)]
struct Depth {
    messages: usize,
    bytes: usize,
}

impl Outbox {
    pub(crate) fn new(version: Version, limits: Limits) -> Self {
        let (draining, waker, state) = (AtomicBool::new(false), AtomicWaker::new(), Mutex::default());
        Self { version, limits, draining, waker, state }
    }

    /// Queues a message for the client.
    pub(crate) fn offer(&self, message: Outgoing) -> Offer {
        let size = message.size();
        if size > self.limits.packet_bytes {
            return Offer::TooLarge;
        }
        let qos = message.qos;
        let mut state = self.state.lock();
        if state.over || state.closing.is_some() {
            return Offer::Disconnected;
        }
        let depth = state.depth(qos);
        if depth.messages >= self.limits.messages || depth.bytes + size > self.limits.bytes {
            if qos == Qos::AtMostOnce {
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

    /// Adds an encoded answer. Only the session's own task calls this, so nobody needs to be woken.
    pub(super) fn reply(&self, frame: &[u8]) {
        self.state.lock().replies.extend_from_slice(frame);
    }

    /// Bytes of answers that the client has not taken.
    pub(super) fn reply_bytes(&self) -> usize {
        self.state.lock().replies.len()
    }

    /// A PUBACK came; false when none was due for that identifier.
    pub(super) fn acknowledged(&self, packet_id: u16) -> bool {
        self.state.lock().flights.acknowledged(packet_id)
    }

    /// A PUBREC came, which may say that the client refuses the message; false when none was due for that identifier. The
    /// PUBREL is among the answers then.
    pub(super) fn received(&self, packet_id: u16, refused: bool) -> bool {
        let mut state = self.state.lock();
        let next = state.flights.received(packet_id, refused);
        match (next, self.version) {
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
        self.state.lock().flights.completed(packet_id)
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
            if self.write(&mut state, &message, expires_in, out) {
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

    /// Encodes a message; false where it is larger than the client takes.
    fn write(
        &self,
        state: &mut State,
        message: &Outgoing,
        expires_in: Option<u32>,
        out: &mut Vec<u8>,
    ) -> bool {
        let packet_id = if message.qos == Qos::AtMostOnce { 0 } else { state.flights.begin(message.qos) };
        let named = state.aliases.name(message.topic(), self.limits.aliases);
        let written = encode::publish(
            self.version,
            message,
            Labels { packet_id, named, expires_in },
            self.limits.packet_bytes,
            out,
        );
        if !written {
            state.flights.take_back(packet_id);
            state.aliases.take_back(named);
        }
        written
    }

    /// Nothing is taken from now on; says how many queued messages are lost with the session.
    pub(super) fn end(&self) -> usize {
        let mut state = self.state.lock();
        state.over = true;
        std::mem::take(&mut state.queue).len()
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
        let depth = self.depth(message.qos);
        depth.messages -= 1;
        depth.bytes -= message.size();
    }

    fn depth(&mut self, qos: Qos) -> &mut Depth {
        if qos == Qos::AtMostOnce { &mut self.unacknowledged } else { &mut self.acknowledged }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bytes::Bytes;
    use jiff::{SignedDuration, Timestamp};
    use tenants::clock::{ManualClock, SystemClock};

    use super::*;
    use crate::{message::Message, topics::Space};

    const HIGH_WATER: usize = 64 * 1024;
    const CLOCK: SystemClock = SystemClock;

    fn outbox(messages: usize, in_flight: usize) -> Outbox {
        let limits = Limits { messages, bytes: 10_000, in_flight, packet_bytes: 1_000, aliases: 0 };
        Outbox::new(Version::V311, limits)
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
        Outgoing { message: Arc::new(message), qos, retain: false, prefix_bytes: 0, subscription_ids }
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
        assert_eq!(outbox.end(), 2, "what is lost is told");
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

    #[test]
    fn what_is_older_than_its_sender_wanted_is_not_sent() {
        let clock = ManualClock::new("2026-01-02T03:04:05Z".parse().unwrap());
        let limits = Limits { messages: 9, bytes: 10_000, in_flight: 1, packet_bytes: 1_000, aliases: 0 };
        let outbox = Outbox::new(Version::V5, limits);
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
        let limits = Limits { messages: 9, bytes: 10_000, in_flight: 9, packet_bytes: 1_000, aliases: 1 };
        let outbox = Outbox::new(Version::V5, limits);
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
