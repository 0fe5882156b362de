//! Reads the socket. While a client is silent it holds no buffer at all; while it talks the buffer
//! follows the size of its reads.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::atomic::Ordering,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::BytesMut;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::io::poll_read_buf;

use super::{End, Session, acks::Due, inbox::Inbox};
use crate::{
    protocol::{Reason, Version},
    transport::Half,
};

/// Bounds of the size of one read.
const MIN_READ_BYTES: usize = 512;
const MAX_READ_BYTES: usize = 64 * 1024;

/// Reading stops while the client leaves more bytes of answers than this untaken.
const MAX_REPLY_BYTES: usize = 16 * 1024;

pub(super) struct Reader<'a> {
    half: Half<'a>,
    session: &'a Session,
    inbox: Inbox<'a>,
    keep_alive: Option<KeepAlive>,
    buffer: BytesMut,
    /// Bytes of the frame at the start of the buffer, as far as known.
    frame_bytes: usize,
    /// How much the next read asks for.
    read_bytes: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        half: Half<'a>,
        session: &'a Session,
        keep_alive: Option<Duration>,
        buffer: BytesMut,
    ) -> Self {
        let (inbox, keep_alive) = (Inbox::new(session), keep_alive.map(KeepAlive::new));
        Self { half, session, inbox, keep_alive, buffer, frame_bytes: 0, read_bytes: MIN_READ_BYTES }
    }

    /// Reads until the session ends. What came behind the CONNECT is in the buffer already.
    pub(super) async fn run(mut self) -> End {
        loop {
            if let Err(end) = self.deliver().await {
                return end;
            }
            if let Some(keep_alive) = &mut self.keep_alive {
                keep_alive.heard();
            }
            if let Err(end) = poll_fn(|cx| self.poll_read(cx)).await {
                return end;
            }
        }
    }

    /// Handles the whole frames in the buffer and hands their messages to ingest as one chunk.
    async fn deliver(&mut self) -> Result<(), End> {
        let session = self.session;
        let (outcome, harvest) = self.inbox.open(&mut self.buffer, &mut self.frame_bytes);
        // Answers and freed in-flight places do not wait for ingest.
        session.progress.store(true, Ordering::Relaxed);
        if let Some(harvest) = harvest {
            let count = harvest.count();
            let said = session.say(harvest.ops).await.map_err(End::Broke)?;
            if count > 0 {
                session.hub.metrics.messages_in.inc_by(count as u64);
                session.standing.tally.received.inc_by(count as u64);
            }
            let for_others = !harvest.of_children.is_empty();
            let mut receipt = match session.device() {
                Some(device) if !harvest.messages.is_empty() => {
                    let received = if for_others { &[][..] } else { &harvest.due.received };
                    Some(session.submit(device.clone(), harvest.messages, received).await?)
                }
                _ => None,
            };
            if for_others {
                // Few do: what most do not need is not part of every session.
                let submit = session.submit_for(harvest.of_children, receipt, &harvest.due.received);
                receipt = Box::pin(submit).await?;
            }
            match (receipt, said) {
                (None, said) => session.acks.push(said, &harvest.due),
                (receipt, said) => {
                    session.acks.push(receipt, &harvest.due);
                    if said.is_some() {
                        session.acks.push(said, &Due::default());
                    }
                }
            }
            session.errands.add(harvest.errands);
            self.inbox.take_back(harvest.due.encoded);
            session.progress.store(true, Ordering::Relaxed);
        }
        outcome
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        if self.session.outbox.is_draining() {
            return Poll::Ready(Err(End::Drained));
        }
        if self.is_held_back() {
            // The writer runs before the reader in every round and wakes this task when it made room.
            // A client that is not read cannot be silent.
            if let Some(keep_alive) = &mut self.keep_alive {
                keep_alive.heard();
            }
            return Poll::Pending;
        }
        let lost = |_| End::Lost;
        if self.half.poll_read_ready(cx).map_err(lost)?.is_ready() {
            self.make_room();
            let room = self.buffer.capacity() - self.buffer.len();
            match poll_read_buf(Pin::new(&mut self.half), cx, &mut self.buffer).map_err(lost)? {
                Poll::Ready(0) => return Poll::Ready(Err(End::Lost)),
                Poll::Ready(count) => {
                    self.session.hub.metrics.bytes_in.inc_by(count as u64);
                    self.adapt(count, room);
                    return Poll::Ready(Ok(()));
                }
                Poll::Pending => {}
            }
        }
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        match &mut self.keep_alive {
            Some(keep_alive) => keep_alive.poll_expired(cx).map(|()| Err(End::Broke(Reason::KeepAlive))),
            None => Poll::Pending,
        }
    }

    /// Back-pressure: messages that wait for their commit are bounded, and so are answers that wait behind them or that the
    /// client does not take. A v5 client that sends on is told so instead.
    fn is_held_back(&self) -> bool {
        let Session { acks, outbox, errands, standing, version, .. } = self.session;
        let most = standing.receive_maximum();
        acks.messages() >= most
            || (*version == Version::V311 && acks.window() >= most)
            || outbox.reply_bytes() > MAX_REPLY_BYTES
            || errands.are_many()
    }

    fn make_room(&mut self) {
        let held = self.buffer.len();
        // Of a large frame, ask for as much again as has come: nobody makes us hold what he has not sent.
        let missing = self.frame_bytes.saturating_sub(held).min(held);
        let wanted = missing.max(self.read_bytes);
        if self.buffer.capacity() - held < wanted / 2 + 1 {
            self.buffer.reserve(wanted);
        }
    }

    /// Doubles after a read that filled its room, halves after one that used a small part of it.
    fn adapt(&mut self, count: usize, room: usize) {
        if count >= room.min(self.read_bytes) {
            self.read_bytes = (self.read_bytes * 2).min(MAX_READ_BYTES);
        } else if count < self.read_bytes / 4 {
            self.read_bytes = (self.read_bytes / 2).max(MIN_READ_BYTES);
        }
    }
}

/// Expires when nothing was heard for the interval. Hearing something costs no timer operation: the
/// timer runs to its end and is then set to what is left.
struct KeepAlive {
    interval: Duration,
    last_heard: Instant,
    timer: Pin<Box<Sleep>>,
}

impl KeepAlive {
    fn new(interval: Duration) -> Self {
        let last_heard = Instant::now();
        Self { interval, last_heard, timer: Box::pin(sleep_until(last_heard + interval)) }
    }

    fn heard(&mut self) {
        self.last_heard = Instant::now();
    }

    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let deadline = self.last_heard + self.interval;
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(deadline);
        }
    }
}
