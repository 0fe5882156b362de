//! What waits to be sent to one client, and the only door through which other tasks reach a session.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    task::Waker,
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use crate::{
    config::BrokerConfig,
    encode::Outgoing,
    protocol::{Qos, Reason, Version},
};

/// Bounds of one outbox. They hold for each QoS by itself, so that a flood of QoS 0 never costs a
/// subscriber its QoS 1 messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    /// QoS 1 messages that the client has not acknowledged yet.
    pub(crate) in_flight: usize,
    /// The client's own limit (v5 Maximum Packet Size).
    pub(crate) packet_bytes: usize,
}

impl Limits {
    /// The broker's limits, narrowed by what a v5 client asked for.
    pub(crate) fn new(
        config: &BrokerConfig,
        receive_maximum: Option<u16>,
        packet_bytes: Option<u32>,
    ) -> Self {
        let in_flight = config.max_in_flight.min(receive_maximum.unwrap_or(u16::MAX));
        Self {
            messages: config.outbox_messages,
            bytes: config.outbox_bytes,
            in_flight: usize::from(in_flight.max(1)),
            packet_bytes: packet_bytes
                .map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        }
    }
}

/// What became of a message offered to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    Queued,
    /// QoS 0 and the queue is full.
    QueueFull,
    /// QoS 1 and the queue is full: the session is being closed.
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
    /// What of the queue is QoS 0 and QoS 1.
    depth: [Depth; 2],
    in_flight: VecDeque<u16>,
    last_id: u16,
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
        let size = message.frame.len();
        if size > self.limits.packet_bytes {
            return Offer::TooLarge;
        }
        let qos = if message.id_at.is_some() { Qos::AtLeastOnce } else { Qos::AtMostOnce };
        let mut state = self.state.lock();
        if state.over || state.closing.is_some() {
            return Offer::Disconnected;
        }
        let depth = &mut state.depth[qos as usize];
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

    /// The client acknowledged a message; false when there was none of that id.
    pub(super) fn acknowledged(&self, packet_id: u16) -> bool {
        let mut state = self.state.lock();
        let found = state.in_flight.iter().position(|id| *id == packet_id);
        found.and_then(|position| state.in_flight.remove(position)).is_some()
    }

    /// Moves what may be sent now to `out`, up to about `high_water` bytes, and says how many messages
    /// that was. Answers go first, so that a SUBACK precedes the first message of its subscription.
    pub(super) fn take(&self, out: &mut Vec<u8>, high_water: usize) -> Result<usize, Reason> {
        let mut state = self.state.lock();
        if let Some(reason) = state.closing {
            return Err(reason);
        }
        if out.len() >= high_water {
            return Ok(0);
        }
        if !state.replies.is_empty() {
            out.append(&mut state.replies);
            state.replies = Vec::new();
        }
        let mut sent = 0;
        while out.len() < high_water {
            let blocked = state.in_flight.len() >= self.limits.in_flight;
            let Some(message) = state.queue.pop_front_if(|next| !(blocked && next.id_at.is_some())) else {
                break;
            };
            state.write(&message, out);
            sent += 1;
        }
        if state.queue.is_empty() && sent > 0 {
            state.queue.shrink_to(4); // a burst must not cost memory for the rest of an idle connection's life
        }
        Ok(sent)
    }

    /// Nothing is taken from now on; says how many queued messages are lost with the session.
    pub(super) fn end(&self) -> usize {
        let mut state = self.state.lock();
        state.over = true;
        std::mem::take(&mut state.queue).len()
    }
}

impl State {
    fn write(&mut self, message: &Outgoing, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&message.frame);
        let qos = if let Some(id_at) = message.id_at {
            let id = self.next_id();
            if let Some(place) = out.get_mut(start + id_at..start + id_at + 2) {
                place.copy_from_slice(&id.to_be_bytes());
            }
            self.in_flight.push_back(id);
            Qos::AtLeastOnce
        } else {
            Qos::AtMostOnce
        };
        let depth = &mut self.depth[qos as usize];
        depth.messages -= 1;
        depth.bytes -= message.frame.len();
    }

    /// The next packet identifier that is neither 0 nor in flight. There is always one: fewer than
    /// 65,535 messages are in flight.
    fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.in_flight.contains(&self.last_id) {
                return self.last_id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;

    const HIGH_WATER: usize = 64 * 1024;

    fn outbox(messages: usize, in_flight: usize) -> Outbox {
        Outbox::new(Version::V311, Limits { messages, bytes: 10_000, in_flight, packet_bytes: 1_000 })
    }

    fn message(qos: Qos, bytes: usize) -> Outgoing {
        encode::publish(Version::V311, qos, "t", &vec![b'x'; bytes]).unwrap()
    }

    #[test]
    fn qos_0_is_dropped_when_full_and_does_not_crowd_out_qos_1() {
        let outbox = outbox(2, 10);
        let offers: Vec<_> = (0..3).map(|_| outbox.offer(message(Qos::AtMostOnce, 1))).collect();
        assert_eq!(offers, [Offer::Queued, Offer::Queued, Offer::QueueFull]);
        assert_eq!(outbox.offer(message(Qos::AtLeastOnce, 1)), Offer::Queued);
        assert_eq!(outbox.take(&mut Vec::new(), HIGH_WATER), Ok(3));
        assert_eq!(outbox.offer(message(Qos::AtMostOnce, 1)), Offer::Queued, "there is room again");
    }

    #[test]
    fn qos_1_beyond_the_queue_closes_the_session() {
        let outbox = outbox(2, 1);
        for expected in [Offer::Queued, Offer::Queued, Offer::SlowConsumer, Offer::Disconnected] {
            assert_eq!(outbox.offer(message(Qos::AtLeastOnce, 1)), expected);
        }
        assert_eq!(outbox.take(&mut Vec::new(), HIGH_WATER), Err(Reason::SlowConsumer));
        assert_eq!(outbox.end(), 2, "what is lost is told");
        assert_eq!(outbox.offer(message(Qos::AtMostOnce, 1)), Offer::Disconnected);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let outbox = outbox(1_000, 10);
        assert_eq!(outbox.offer(message(Qos::AtMostOnce, 2_000)), Offer::TooLarge, "the client's own limit");
        let queued =
            (0..).take_while(|_| outbox.offer(message(Qos::AtMostOnce, 900)) == Offer::Queued).count();
        assert_eq!(queued, 11, "10,000 bytes hold 11 frames of 905");
    }

    #[test]
    fn in_flight_is_bounded_and_ids_are_never_reused_while_in_flight() {
        let outbox = outbox(1_000, 2);
        for _ in 0..4 {
            outbox.offer(message(Qos::AtLeastOnce, 0));
        }
        let mut out = Vec::new();
        assert_eq!(outbox.take(&mut out, HIGH_WATER), Ok(2));
        let ids = |out: &[u8]| out.chunks(7).map(|frame| frame[6]).collect::<Vec<_>>();
        assert_eq!(ids(&out), [1, 2]);
        assert!(outbox.acknowledged(1) && !outbox.acknowledged(1) && !outbox.acknowledged(99));
        outbox.state.lock().last_id = u16::MAX; // ids wrap around, over 0 and over the 2 in flight
        outbox.state.lock().in_flight[0] = 1;
        out.clear();
        assert_eq!(outbox.take(&mut out, HIGH_WATER), Ok(1));
        assert_eq!(ids(&out), [2]);
    }

    #[test]
    fn answers_stay_and_are_counted_while_the_socket_is_full() {
        let outbox = outbox(10, 10);
        outbox.reply(b"pong");
        outbox.offer(message(Qos::AtMostOnce, 1));
        let mut out = vec![0; 8];
        assert_eq!((outbox.take(&mut out, 8), out.len(), outbox.reply_bytes()), (Ok(0), 8, 4));
        out.clear();
        assert_eq!((outbox.take(&mut out, 8), outbox.reply_bytes()), (Ok(1), 0));
        assert!(out.starts_with(b"pong"), "before any message");
    }

    #[test]
    fn the_first_reason_to_close_stands() {
        let outbox = outbox(1, 1);
        outbox.close(Reason::TakenOver);
        outbox.close(Reason::ShuttingDown);
        assert_eq!(outbox.take(&mut Vec::new(), HIGH_WATER), Err(Reason::TakenOver));
    }
}
