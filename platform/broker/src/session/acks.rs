//! PUBACKs and PUBRECs that wait for their commit, in the order in which the messages came.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

use parking_lot::Mutex;

use crate::{encode, gate::Receipt, protocol::Qos};

/// Buffers that grew beyond this are given back when they are empty.
const KEPT_BYTES: usize = 1_024;

/// What is to be sent once the messages of a chunk are committed.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// Messages that wait for their commit, of any QoS.
    pub(super) messages: usize,
    /// Acknowledgements, as they are sent.
    pub(super) encoded: Vec<u8>,
    /// How many acknowledgements.
    pub(super) acks: usize,
    /// Packet identifiers of QoS 2 messages that a session that is kept has to remember from then on.
    pub(super) received: Vec<u16>,
    /// How many of them are PUBACKs, or about QoS 2 that is not taken: the client may send another message for each. What is
    /// taken of QoS 2 is counted until its PUBREL.
    pub(super) window: usize,
}

impl Due {
    /// The message was taken, or will be.
    pub(super) fn acknowledge(&mut self, qos: Qos, packet_id: u16) {
        self.window += usize::from(qos != Qos::ExactlyOnce);
        self.acks += 1;
        encode::acknowledge(answer(qos), packet_id, &mut self.encoded);
    }

    /// A message of QoS 2 that was taken before is sent again.
    pub(super) fn acknowledge_again(&mut self, packet_id: u16) {
        self.window += 1;
        self.acks += 1;
        encode::acknowledge(encode::PUBREC, packet_id, &mut self.encoded);
    }

    /// It is not taken.
    pub(super) fn refuse(&mut self, qos: Qos, packet_id: u16, reason: u8) {
        self.window += 1;
        self.acks += 1;
        encode::acknowledge_with(answer(qos), packet_id, reason, &mut self.encoded);
    }
}

const fn answer(qos: Qos) -> u8 {
    if matches!(qos, Qos::ExactlyOnce) { encode::PUBREC } else { encode::PUBACK }
}

/// The messages of one chunk: what it waits for, and its share of the encoded acknowledgements.
struct Batch {
    /// `None` when nothing of the chunk went to ingest (all of it was refused).
    receipt: Option<Receipt>,
    bytes: usize,
    messages: usize,
    acks: usize,
    window: usize,
    received: Box<[u16]>,
}

/// A chunk was never committed, so neither it nor anything behind it may be acknowledged.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NeverCommitted;

/// The pending acknowledgements of one session.
///
/// The reader appends, the writer takes; both run in one task, so the lock is never contended.
/// Encoded acknowledgements of all batches stand in one buffer, so that batches whose receipts resolved
/// together leave in one write without another allocation.
#[derive(Default)]
pub(super) struct AckQueue(Mutex<State>);

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    /// Encoded acknowledgements of the batches; the first `taken` bytes are gone already.
    encoded: Vec<u8>,
    taken: usize,
    messages: usize,
    window: usize,
    /// Of batches that are committed.
    received: Vec<u16>,
}

impl AckQueue {
    /// Adds what is due for a chunk.
    pub(super) fn push(&self, receipt: Option<Receipt>, due: &Due) {
        let mut state = self.0.lock();
        let Due { messages, acks, window, .. } = *due;
        state.encoded.extend_from_slice(&due.encoded);
        state.messages += messages;
        state.window += window;
        let received = due.received.as_slice().into();
        let bytes = due.encoded.len();
        state.batches.push_back(Batch { receipt, bytes, messages, acks, window, received });
    }

    /// Messages that wait for their commit, of any QoS.
    pub(super) fn messages(&self) -> usize {
        self.0.lock().messages
    }

    /// Messages for which the client may not yet send another, but for QoS 2 that was taken.
    pub(super) fn window(&self) -> usize {
        self.0.lock().window
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().batches.is_empty()
    }

    /// Packet identifiers of QoS 2 messages that were committed since this was last asked.
    pub(super) fn take_received(&self) -> Vec<u16> {
        std::mem::take(&mut self.0.lock().received)
    }

    /// Moves the acknowledgements that are due to `out` and says how many; registers the task with the first
    /// receipt that is still open. A receipt that resolves early waits for those before it.
    pub(super) fn take_ready(
        &self,
        cx: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<usize, NeverCommitted> {
        let mut state = self.0.lock();
        let state = &mut *state;
        let mut due = (0, 0);
        let mut result = Ok(());
        while let Some(first) = state.batches.front_mut() {
            match first.receipt.as_mut().map(|receipt| Pin::new(receipt).poll(cx)) {
                Some(Poll::Pending) => break,
                Some(Poll::Ready(Err(_))) => {
                    result = Err(NeverCommitted);
                    break;
                }
                Some(Poll::Ready(Ok(()))) | None => {}
            }
            due.0 += first.bytes;
            due.1 += first.acks;
            state.messages -= first.messages;
            state.window -= first.window;
            state.received.extend_from_slice(&first.received);
            state.batches.pop_front();
        }
        let end = state.taken + due.0;
        out.extend_from_slice(state.encoded.get(state.taken..end).unwrap_or_default());
        state.taken = end;
        state.reclaim();
        result.map(|()| due.1)
    }
}

impl State {
    fn reclaim(&mut self) {
        if self.taken == self.encoded.len() {
            if self.encoded.capacity() > KEPT_BYTES {
                self.encoded = Vec::new();
            } else {
                self.encoded.clear();
            }
            self.taken = 0;
        } else if self.taken > self.encoded.len() / 2 {
            self.encoded.drain(..self.taken);
            self.taken = 0;
        }
        if self.batches.is_empty() && self.batches.capacity() > KEPT_BYTES / size_of::<Batch>() {
            self.batches = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use proptest::prelude::*;
    use tokio::sync::oneshot;

    use super::*;

    fn take(acks: &AckQueue, out: &mut Vec<u8>) -> Result<usize, NeverCommitted> {
        acks.take_ready(&mut Context::from_waker(Waker::noop()), out)
    }

    #[test]
    fn a_receipt_that_fails_holds_back_itself_and_all_behind_it() {
        let acks = AckQueue::default();
        let pushed = |name| {
            let (sender, receipt) = oneshot::channel();
            acks.push(
                Some(receipt),
                &Due { messages: 1, encoded: vec![name], acks: 1, window: 1, received: Vec::new() },
            );
            sender
        };
        let (first, second, third) = (pushed(b'a'), pushed(b'b'), pushed(b'c'));
        third.send(()).unwrap();
        first.send(()).unwrap();
        drop(second);
        let mut out = Vec::new();
        assert_eq!(take(&acks, &mut out), Err(NeverCommitted));
        assert_eq!(out, b"a", "what was committed before is still handed over");
        assert!(!acks.is_empty());
    }

    proptest! {
        #[test]
        fn acks_leave_in_order_whatever_the_order_of_the_receipts(
            sizes in proptest::collection::vec(0_usize..5, 1..20),
            refused in proptest::collection::vec(any::<bool>(), 20),
            order in Just((0..20_usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let acks = AckQueue::default();
            let (mut senders, mut expected, mut name) = (Vec::new(), Vec::new(), 0_u8);
            for (size, refused) in sizes.iter().zip(&refused) {
                let bytes: Vec<u8> = (0..*size).map(|_| { name += 1; name }).collect();
                let (sender, receipt) = oneshot::channel();
                expected.extend_from_slice(&bytes);
                let due = Due { messages: *size, encoded: bytes, acks: *size, window: *size, received: Vec::new() };
                acks.push((!refused).then_some(receipt), &due);
                senders.push(Some(sender).filter(|_| !refused));
            }
            let mut out = Vec::new();
            let mut taken = take(&acks, &mut out).unwrap();
            for position in order {
                if let Some(sender) = senders.get_mut(position).and_then(Option::take) {
                    sender.send(()).unwrap();
                }
                taken += take(&acks, &mut out).unwrap();
                // Exactly the chunks before the first open receipt are out, never more, never fewer.
                let open = senders.iter().position(Option::is_some).unwrap_or(senders.len());
                let due: usize = sizes.iter().take(open).sum();
                prop_assert_eq!(out.len(), due);
                prop_assert_eq!(acks.window(), expected.len() - due);
            }
            prop_assert_eq!(&out, &expected);
            prop_assert_eq!(taken, expected.len());
            prop_assert!(acks.is_empty() && acks.messages() == 0);
        }
    }
}
