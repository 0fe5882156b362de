//! One client's session, from its CONNACK to the close of its socket.
//!
//! A session is one task. [`reader`] turns socket reads into chunks for ingest, [`writer`] sends what
//! is due; they run side by side in the task and meet in [`acks`] and [`outbox`], so nothing crosses a
//! thread on the way from a receipt to its PUBACK.

mod acks;
mod aliases;
mod flight;
mod inbox;
pub(crate) mod outbox;
mod reader;
mod subscriptions;
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

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tenants::{CorrelationId, DeviceId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use self::{acks::AckQueue, outbox::Outbox, reader::Reader, writer::Writer};
use crate::{
    encode,
    gate::{Chunk, Client, Inbound, NotTaken},
    hub::Hub,
    message::{Message, Publication},
    metrics::Loss,
    protocol::{Qos, Reason, Version},
    registry::Seat,
    topics::{Rights, Route, Space},
    transport::{Half, Transport},
};

/// How long the last frames to a client may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long and how many bytes to discard after the last frame, so that unread input does not make the
/// kernel reset the connection and destroy that frame on its way.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 1024 * 1024;

/// How long ingest may take to accept a will.
const WILL_TIMEOUT: Duration = Duration::from_secs(5);

/// A client that was let in, with all it needs for its session.
pub(crate) struct Opened {
    pub(crate) version: Version,
    pub(crate) client: Client,
    pub(crate) rights: Rights,
    pub(crate) seat: Seat,
    pub(crate) outbox: Arc<Outbox>,
    /// 1.5 times what the client asked for; `None` when it asked for none.
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) will: Option<Will>,
    pub(crate) connack: Vec<u8>,
    /// What was read behind the CONNECT.
    pub(crate) unread: BytesMut,
    pub(crate) correlation: CorrelationId,
}

/// The message that is published for a client that vanishes. Its topic was checked at CONNECT.
pub(crate) struct Will {
    pub(crate) route: Route,
    pub(crate) payload: Bytes,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    /// As they go on to v5 subscribers.
    pub(crate) properties: Bytes,
    /// Seconds that it lasts from when it is published.
    pub(crate) expiry: Option<u32>,
}

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client said DISCONNECT, and whether its will is to be published all the same.
    Left { will: bool },
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

    /// MQTT 3.1.2.5. A shutdown is no failure of the client, so it does not speak for the client.
    const fn publishes_will(self) -> bool {
        match self {
            Self::Left { will } => will,
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
    number: u64,
    outbox: Arc<Outbox>,
    acks: AckQueue,
    /// The reader left something for the writer since the writer ran last.
    progress: AtomicBool,
    correlation: CorrelationId,
}

impl Session {
    fn device(&self) -> Option<&DeviceId> {
        match &self.client {
            Client::Device(device) => Some(device),
            Client::Application { .. } => None,
        }
    }
}

/// Runs a session to its end.
pub(crate) async fn run(stream: Transport, opened: Opened, hub: Arc<Hub>) {
    let Opened { version, client, rights, seat, outbox, keep_alive, will, connack, unread, correlation } =
        opened;
    let (number, acks, progress) = (seat.number(), AckQueue::default(), AtomicBool::new(false));
    let session = Session { hub, version, client, rights, number, outbox, acks, progress, correlation };
    let stream = Mutex::new(stream);
    let (end, unsent) = converse(&stream, &session, keep_alive, connack, unread).await;
    let mut stream = stream.into_inner();
    drop(seat);
    session.hub.metrics.disconnected(end.label());
    session.hub.metrics.dropped(Loss::Disconnected, session.outbox.end());
    tracing::debug!(%correlation, reason = end.label(), "mqtt session ended");
    if let (true, Some(will)) = (end.publishes_will(), will) {
        session.publish_will(will).await;
    }
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
    keep_alive: Option<Duration>,
    connack: Vec<u8>,
    unread: BytesMut,
) -> (End, Vec<u8>) {
    let mut writer = Writer::new(Half(stream), session, connack);
    let mut reader = pin!(Reader::new(Half(stream), session, keep_alive, unread).run());
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
            if !session.progress.swap(false, Ordering::Relaxed) {
                return Poll::Pending;
            }
        }
    })
    .await;
    (end, writer.into_unsent())
}

impl Session {
    /// Hands what a program says to those who hear it, no faster than its tenant may send.
    async fn publish(&self, publications: &[Publication]) -> Result<(), NotTaken> {
        if publications.is_empty() {
            return Ok(());
        }
        let Self { hub, rights, number, .. } = self;
        hub.ingest.pace(rights.tenant(), publications.len()).await?;
        hub.metrics.publications.inc_by(publications.len() as u64);
        for publication in publications {
            hub.deliver(rights.tenant(), publication, *number);
        }
        Ok(())
    }

    /// Goes the way of any other message. Nobody waits for the receipt: there is nobody left to tell.
    async fn publish_will(&self, will: Will) {
        let Will { route, payload, qos, retain, properties, expiry } = will;
        let channel = match route {
            Route::Ingest(channel) => channel,
            Route::Topic(topic) => {
                let expires_at = expiry.map(|seconds| self.hub.expiry(seconds));
                let message = Message { space: Space::Topics, topic, payload, properties, expires_at };
                let publication = Publication { message: Arc::new(message), qos, retain };
                if !matches!(timeout(WILL_TIMEOUT, self.publish(&[publication])).await, Ok(Ok(()))) {
                    self.will_lost();
                }
                return;
            }
        };
        let Some(device) = self.device().cloned() else { return };
        let received_at = self.hub.clock.now();
        let correlation = self.hub.correlations.take(1);
        let message = Inbound { channel, payload, received_at, correlation };
        let chunk = Chunk { tenant: self.rights.tenant(), device, messages: vec![message] };
        if let Ok(Ok(_receipt)) = timeout(WILL_TIMEOUT, self.hub.ingest.submit(chunk)).await {
            self.hub.metrics.messages_in.inc();
        } else {
            self.will_lost();
        }
    }

    fn will_lost(&self) {
        tracing::warn!(correlation = %self.correlation, "will of a lost client was not taken");
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
        while let Ok(1..) = stream.read(&mut scratch).await {
            discarded += scratch.len();
            if discarded > LINGER_BYTES {
                break;
            }
        }
    };
    // However it went: the connection is over.
    timeout(LINGER, discard).await.ok();
}
