//! Sends PUBACKs, answers and messages, as many as there are in one write.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::AsyncWrite as _,
    time::{Sleep, sleep},
};

use super::{End, Session};
use crate::{exchange::Note, metrics::Loss, protocol::Reason, transport::Half};

/// Queued messages are only taken while fewer bytes than this wait for the socket.
const HIGH_WATER: usize = 64 * 1024;

/// A buffer that grew beyond this is given back when everything is sent.
const KEPT_BYTES: usize = 1_024;

pub(super) struct Writer<'a> {
    half: Half<'a>,
    session: &'a Session,
    out: Vec<u8>,
    /// The first bytes of `out` are sent already.
    sent: usize,
    /// Runs while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    finishing: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(half: Half<'a>, session: &'a Session, first: Vec<u8>) -> Self {
        Self { half, session, out: first, sent: 0, stalled: None, finishing: false }
    }

    /// Nothing is read any more: end when all pending PUBACKs are sent.
    pub(super) fn finish(&mut self) {
        self.finishing = true;
    }

    pub(super) fn into_unsent(mut self) -> Vec<u8> {
        self.out.drain(..self.sent);
        self.out
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            if let Err(reason) = self.gather(cx) {
                return Poll::Ready(End::Broke(reason));
            }
            let Some(unsent @ [_, ..]) = self.out.get(self.sent..) else {
                // TLS keeps what the socket has not taken yet.
                match Pin::new(&mut self.half).poll_flush(cx) {
                    Poll::Ready(Ok(())) => self.stalled = None,
                    Poll::Ready(Err(_)) => return Poll::Ready(End::Lost),
                    Poll::Pending => return self.poll_stalled(cx),
                }
                self.rest();
                if self.finishing && self.session.acks.is_empty() {
                    return Poll::Ready(End::Broke(Reason::ShuttingDown));
                }
                return Poll::Pending;
            };
            match Pin::new(&mut self.half).poll_write(cx, unsent) {
                Poll::Ready(Ok(count @ 1..)) => {
                    self.sent += count;
                    self.stalled = None;
                }
                Poll::Ready(_) => return Poll::Ready(End::Lost),
                Poll::Pending => return self.poll_stalled(cx),
            }
        }
    }

    /// Collects what is due, but never more than the socket keeps up with: the rest stays where it is
    /// counted, so that a client that takes nothing is soon not read either.
    fn gather(&mut self, cx: &mut Context<'_>) -> Result<(), Reason> {
        let Session { outbox, acks, hub, .. } = self.session;
        outbox.register(cx.waker());
        self.reclaim();
        let limit = self.sent + HIGH_WATER;
        let taken = outbox.take(&mut self.out, limit, &*hub.clock)?;
        if taken.sent > 0 {
            hub.metrics.messages_out.inc_by(taken.sent as u64);
            self.session.standing.tally.sent.inc_by(taken.sent as u64);
        }
        let tenant = self.session.rights.tenant();
        hub.metrics.dropped(tenant, Loss::TooLarge, taken.too_large);
        hub.metrics.dropped(tenant, Loss::Expired, taken.expired);
        if let Some(mailbox) = &self.session.standing.mailbox
            && outbox.save_due()
        {
            hub.exchange.note(Note::Flight(Arc::clone(mailbox)));
        }
        if self.out.len() < limit {
            let due = acks.take_ready(cx, &mut self.out);
            self.session.note_received();
            let due = due.map_err(|_| Reason::IngestFailed)?;
            if due > 0 {
                hub.metrics.acks.inc_by(due as u64);
            }
        }
        Ok(())
    }

    /// Forgets what is sent. Under a steady load the buffer may never be empty, so it is also moved up.
    fn reclaim(&mut self) {
        if self.sent == self.out.len() {
            self.out.clear();
            self.sent = 0;
        } else if self.sent >= HIGH_WATER {
            self.out.drain(..self.sent);
            self.sent = 0;
        }
    }

    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let patience = self.session.hub.config.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        stalled.as_mut().poll(cx).map(|()| End::Broke(Reason::SlowConsumer))
    }

    /// Everything is sent: an idle connection should not hold memory.
    fn rest(&mut self) {
        if self.out.capacity() > KEPT_BYTES {
            self.out = Vec::new();
            self.sent = 0;
        }
    }
}
