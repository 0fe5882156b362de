//! One client's session, from its CONNACK to the close of its socket.
//!
//! A session is one task. [`reader`] turns socket reads into chunks for ingest, [`writer`] sends what
//! is due; they run side by side in the task and meet in [`acks`] and [`outbox`], so nothing crosses a
//! thread on the way from a receipt to its PUBACK.

mod acks;
mod aliases;
mod errands;
pub(crate) mod flight;
mod inbox;
pub(crate) mod outbox;
mod reader;
mod refill;
pub(crate) mod will;
mod writer;

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use bytes::BytesMut;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tenants::{CorrelationId, DeviceId, messaging::Received};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::OwnedSemaphorePermit,
    time::{sleep, timeout},
};

use self::{
    acks::{AckQueue, Due},
    errands::Errands,
    outbox::Outbox,
    reader::Reader,
    will::{Testament, Will},
    writer::Writer,
};
use crate::{
    encode,
    exchange::{Note, Op},
    gate::{Chunk, Client, Happened, Inbound, Receipt},
    hub::Hub,
    mailbox::Mailbox,
    metrics::Loss,
    protocol::{Reason, Version},
    registry::{Seat, SessionInfo},
    standing::Standing,
    topics::Rights,
    transport::{Half, Transport},
};

/// How long the last frames to a client may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long to wait for input after the last frame, how long and how many bytes to discard of it, so that unread input
/// does not make the kernel reset the connection and destroy that frame on its way.
const LINGER: Duration = Duration::from_millis(500);
const LONGEST_LINGER: Duration = Duration::from_secs(15);
const LINGER_BYTES: usize = 1024 * 1024;

/// How long what a client said before its connection ended may take to be committed, where its session is kept.
const SETTLED: Duration = Duration::from_secs(10);

/// A client that was let in, with all it needs for its session.
pub(crate) struct Opened {
    pub(crate) version: Version,
    pub(crate) client: Client,
    pub(crate) rights: Rights,
    pub(crate) seat: Seat,
    pub(crate) standing: Arc<Standing>,
    /// Of a session that is kept: nobody else has it meanwhile.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
    /// 1.5 times what the client asked for; `None` when it asked for none.
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) will: Option<Will>,
    pub(crate) connack: Vec<u8>,
    /// What was read behind the CONNECT.
    pub(crate) unread: BytesMut,
    pub(crate) correlation: CorrelationId,
    /// How long what the client presented counts.
    pub(crate) valid_for: Option<Duration>,
}

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client said DISCONNECT, whether its will is to be published all the same, and how many seconds its session is to
    /// be kept.
    Left { will: bool, expiry: Option<u32> },
    /// The connection broke or was closed without a DISCONNECT.
    Lost,
    /// The broker ends it.
    Broke(Reason),
    /// The reader stopped because the broker shuts down; the writer finishes.
    Drained,
}

impl End {
    const fn label(self) -> &'static str {
        match self {
            Self::Left { .. } => "client",
            Self::Lost => "connection_lost",
            Self::Broke(reason) => reason.label(),
            Self::Drained => Reason::ShuttingDown.label(),
        }
    }

    /// The same for people.
    const fn words(self) -> &'static str {
        match self {
            Self::Left { .. } => "it said goodbye",
            Self::Lost => "the connection broke without a goodbye",
            Self::Broke(reason) => reason.words(),
            Self::Drained => Reason::ShuttingDown.words(),
        }
    }

    /// MQTT 3.1.2.5. A shutdown is no failure of the client, so it does not speak for the client.
    const fn publishes_will(self) -> bool {
        match self {
            Self::Left { will, .. } => will,
            Self::Lost => true,
            Self::Broke(reason) => !matches!(reason, Reason::ShuttingDown),
            Self::Drained => false,
        }
    }
}

/// What reader and writer share.
struct Session {
    hub: Arc<Hub>,
    version: Version,
    client: Client,
    rights: Rights,
    standing: Arc<Standing>,
    /// The one of its standing.
    outbox: Arc<Outbox>,
    acks: AckQueue,
    errands: Errands,
    /// By which name the client came here, where it asks where it belongs.
    host: Option<Box<str>>,
    /// The reader left something for the writer since the writer ran last.
    progress: AtomicBool,
    correlation: CorrelationId,
    info: Arc<SessionInfo>,
}

impl Session {
    /// Tells whoever looks after the device.
    fn tell(&self, what: Happened, why: &'static str) {
        self.hub.registry.tell(self.rights.tenant(), &self.client, &self.info, what, why);
    }

    fn device(&self) -> Option<&DeviceId> {
        match &self.client {
            Client::Device(device) => Some(device),
            Client::Application { .. } | Client::Newcomer { .. } => None,
        }
    }
}

/// Runs a session to its end.
pub(crate) async fn run(stream: Transport, opened: Opened, hub: Arc<Hub>) {
    let Opened { version, client, rights, seat, standing, permit, keep_alive, will, .. } = opened;
    let Opened { connack, unread, correlation, valid_for, .. } = opened;
    let info = Arc::clone(seat.info());
    let session = Session {
        outbox: Arc::clone(&standing.outbox),
        acks: AckQueue::default(),
        errands: Errands::default(),
        host: rights.asks_where().then(|| stream.host().into()),
        progress: AtomicBool::new(false),
        hub,
        version,
        client,
        rights,
        standing,
        correlation,
        info,
    };
    session.tell(Happened::Connected, "");
    let stream = Mutex::new(stream);
    let (end, unsent) = converse(&stream, &session, (keep_alive, valid_for), connack, unread).await;
    let mut stream = stream.into_inner();
    drop(seat);
    session.standing.close();
    session.hub.metrics.disconnected(end.label());
    session.tell(Happened::Ended, end.words());
    tracing::debug!(%correlation, reason = end.label(), "mqtt session ended");
    let will = will.filter(|_| end.publishes_will());
    match &session.standing.mailbox {
        Some(mailbox) => session.leave(mailbox, end, will).await,
        None => {
            session.hub.metrics.dropped(
                session.rights.tenant(),
                Loss::Disconnected,
                session.outbox.end().lost,
            );
            if let Some(will) = will {
                session.testament(will).publish().await;
            }
        }
    }
    drop(permit);
    if let End::Broke(reason) = end {
        let mut last = unsent;
        last.extend(encode::disconnect(version, reason, session.outbox.packet_bytes()));
        farewell(&mut stream, &last).await;
    }
}

/// Reads and writes until one side ends it; also says what was not yet written.
async fn converse(
    stream: &Mutex<Transport>,
    session: &Session,
    (keep_alive, valid_for): (Option<Duration>, Option<Duration>),
    connack: Vec<u8>,
    unread: BytesMut,
) -> (End, Vec<u8>) {
    let mut writer = Writer::new(Half(stream), session, connack);
    let mut reader = pin!(Reader::new(Half(stream), session, keep_alive, unread).run());
    let mut refill = pin!(refill::run(session));
    // Few ask or answer, and seldom: what most do not need is not part of every session.
    let mut errands: Option<BoxFuture<'_, ()>> = None;
    let mut over = valid_for.map(|valid_for| Box::pin(sleep(valid_for)));
    let mut reading = true;
    let end = poll_fn(|cx| {
        loop {
            // The writer first: what it sends makes room for the reader.
            if let Poll::Ready(end) = writer.poll(cx) {
                return Poll::Ready(end);
            }
            if reading && let Poll::Ready(end) = reader.as_mut().poll(cx) {
                if end != End::Drained {
                    return Poll::Ready(end);
                }
                reading = false;
                writer.finish();
                continue;
            }
            if over.as_mut().is_some_and(|over| over.as_mut().poll(cx).is_ready()) {
                return Poll::Ready(End::Broke(Reason::CredentialOver));
            }
            // It wakes this task when it has brought something.
            let Poll::Pending = refill.as_mut().poll(cx);
            if errands.is_none() && session.errands.are_there() {
                errands = Some(Box::pin(errands::run(session)));
            }
            if errands.as_mut().is_some_and(|errands| errands.as_mut().poll(cx).is_ready()) {
                errands = None;
                session.progress.store(true, Ordering::Relaxed); // the reader may have waited for it
            }
            if !session.progress.swap(false, Ordering::Relaxed) {
                return Poll::Pending;
            }
        }
    })
    .await;
    (end, writer.into_unsent())
}

impl Session {
    /// Asks the exchange for what the client wants, no faster than its tenant may send. `None` where it wants nothing.
    async fn say(&self, ops: Vec<Op>) -> Result<Option<Receipt>, Reason> {
        if ops.is_empty() {
            return Ok(None);
        }
        let publications = ops.iter().filter(|op| matches!(op, Op::Publish(_))).count();
        if publications > 0 {
            self.step_back().await;
            self.hub.ingest.pace(self.rights.tenant(), publications).await?;
            self.hub.metrics.publications.inc_by(publications as u64);
            self.standing.tally.received.inc_by(publications as u64);
        }
        let receipt = self.hub.exchange.say(Arc::clone(&self.standing), ops).await;
        receipt.map(Some).ok_or(Reason::IngestFailed)
    }

    /// Lets those go first whose packets came at the same moment: the runtime runs the task that was woken last before the
    /// others, and who subscribed a moment earlier is to hear what is published now.
    async fn step_back(&self) {
        let mut has = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut has, true) {
                return Poll::Ready(());
            }
            self.progress.store(false, Ordering::Relaxed); // all of the session is polled again anyway
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Hands messages of a device to ingest.
    async fn submit(
        &self,
        device: DeviceId,
        messages: Vec<Inbound>,
        received: &[u16],
    ) -> Result<Receipt, End> {
        let received = self.received(received);
        let count = messages.len();
        tracing::trace!(correlation = ?messages.first().map(|message| message.correlation), count, "chunk");
        let chunk = Chunk { tenant: self.rights.tenant(), device, messages, received };
        self.hub.ingest.submit(chunk).await.map_err(|why| End::Broke(why.into()))
    }

    /// The same of devices that are behind this one, after what it said for itself; the receipt of the last.
    async fn submit_for(
        &self,
        others: Vec<(DeviceId, Vec<Inbound>)>,
        mut receipt: Option<Receipt>,
        received: &[u16],
    ) -> Result<Option<Receipt>, End> {
        let mut others = others.into_iter().peekable();
        while let Some((device, messages)) = others.next() {
            // Nothing is acknowledged before all that stands before it is committed.
            if receipt.is_some() {
                self.acks.push(receipt.take(), &Due::default());
            }
            // With the last: what is known to be taken is all in the log.
            let received = if others.peek().is_none() { received } else { &[] };
            receipt = Some(self.submit(device, messages, received).await?);
        }
        Ok(receipt)
    }

    /// Packet identifiers as they are written down with their messages.
    fn received(&self, ids: &[u16]) -> Vec<Received> {
        let Some(mailbox) = &self.standing.mailbox else { return Vec::new() };
        ids.iter().map(|packet_id| Received { mailbox: mailbox.id, packet_id: *packet_id }).collect()
    }

    /// Messages of QoS 2 are committed.
    fn note_received(&self) {
        if let Some(mailbox) = &self.standing.mailbox {
            mailbox.note_received(self.acks.take_received());
        }
    }

    /// The connection of a session that is kept has ended. What was read is waited for, so that the next connection knows
    /// which messages are taken already.
    async fn leave(&self, mailbox: &Arc<Mailbox>, end: End, will: Option<Will>) {
        let settled = poll_fn(|cx| match self.acks.take_ready(cx, &mut Vec::new()) {
            Ok(_) if !self.acks.is_empty() => Poll::Pending,
            _ => Poll::Ready(()),
        });
        if timeout(SETTLED, settled).await.is_err() {
            tracing::warn!(correlation = %self.correlation, "messages of a client that is gone are not committed yet");
        }
        self.note_received();
        let said = match end {
            End::Left { expiry: Some(seconds), .. } => Some(self.hub.config.session_expiry(seconds)),
            _ => None,
        };
        let lost = mailbox.detach(self.hub.clock.now(), said);
        self.hub.metrics.dropped(self.rights.tenant(), Loss::Disconnected, lost);
        let expiry = mailbox.expiry();
        if let Some(will) = will {
            let delay = will.delay.min(expiry);
            let testament = self.testament(will);
            if delay.is_zero() {
                testament.publish().await;
            } else {
                mailbox.wait_with(testament.wait(delay));
            }
        }
        if expiry.is_zero() {
            // Before the next connection looks for it.
            self.hub.kept.remove(mailbox);
            mailbox.end(&self.hub, true);
            self.hub.exchange.note(Note::Over(Arc::clone(mailbox)));
        } else {
            self.hub.exchange.note(Note::Left(Arc::clone(mailbox)));
        }
    }

    fn testament(&self, will: Will) -> Testament {
        let (hub, tenant) = (Arc::clone(&self.hub), self.rights.tenant());
        Testament { hub, tenant, device: self.device().cloned(), correlation: self.correlation, will }
    }
}

/// Sends the last frames and closes so that they arrive.
pub(crate) async fn farewell(stream: &mut Transport, last: &[u8]) {
    if !matches!(timeout(FAREWELL, stream.write_all(last)).await, Ok(Ok(()))) {
        return;
    }
    if stream.shutdown().await.is_err() {
        return;
    }
    let discard = async {
        let (mut scratch, mut discarded) = (vec![0; 4096], 0);
        while let Ok(Ok(count @ 1..)) = timeout(LINGER, stream.read(&mut scratch)).await {
            discarded += count;
            if discarded > LINGER_BYTES {
                break;
            }
        }
    };
    // However it went: the connection is over.
    timeout(LONGEST_LINGER, discard).await.ok();
}
