//! From the socket into the log: one queue, one writer, group commit.
//!
//! All connections put their messages into one bounded queue ([`IngestQueue`]); the [`writer`] takes what
//! has gathered, commits it with the results of earlier folds as one durable write, hands the messages
//! to their twins and only then lets the senders acknowledge.

mod batch;
mod writer;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tenants::{CorrelationId, DeviceId, TenantId, messaging::Received};
use tokio::sync::{mpsc, oneshot};

pub(crate) use writer::Writer;

use crate::{backlog::Credit, message::Channel, store::journal::Fold};

/// Chunks (one per socket read) that may wait for the writer. When it is full, connections stop reading.
pub const INGEST_QUEUE: usize = 8_192;

/// A message before it has its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsequenced {
    /// When the platform received it.
    pub received_at: Timestamp,
    /// Leads back to the packet.
    pub correlation: CorrelationId,
    /// How to read the payload.
    pub channel: Channel,
    /// Names and values that the device put beside it: see [`LogMessage`](crate::message::LogMessage).
    pub user_properties: Option<Arc<str>>,
    /// As received.
    pub payload: Bytes,
}

impl Unsequenced {
    /// What a device said, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.payload.len() + self.user_properties.as_deref().map_or(0, str::len)
    }
}

/// The platform takes no more messages: it is shutting down, or another node has taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the platform takes no more messages")]
pub struct Closed;

/// Resolves after the durable commit. An error means that the messages were never committed.
pub type Receipt = oneshot::Receiver<()>;

/// Messages of one device that wait for the writer.
pub(crate) struct PendingChunk {
    tenant: TenantId,
    device: DeviceId,
    messages: Vec<Unsequenced>,
    received: Vec<Received>,
    receipt: oneshot::Sender<()>,
}

/// The result of a fold that waits for the writer. The credit keeps the fold backlog bounded while a
/// slow database holds the results up.
pub(crate) struct PendingFold {
    pub(crate) fold: Fold,
    pub(crate) credit: Option<Credit>,
}

/// What twins give to the writer, in order.
pub(crate) enum FoldWork {
    Fold(Box<PendingFold>),
    /// Answered when everything before it is committed.
    Barrier(oneshot::Sender<()>),
    /// The writer ends with the commit that this is in.
    Stop,
}

/// The senders' end of the queue.
#[derive(Clone)]
pub(crate) struct IngestQueue {
    chunks: mpsc::Sender<PendingChunk>,
}

impl IngestQueue {
    /// Queues messages of one device; waits while the queue is full.
    pub(crate) async fn append(
        &self,
        tenant: TenantId,
        device: DeviceId,
        messages: Vec<Unsequenced>,
        received: Vec<Received>,
    ) -> Result<Receipt, Closed> {
        let (receipt, committed) = oneshot::channel();
        let chunk = PendingChunk { tenant, device, messages, received, receipt };
        self.chunks.send(chunk).await.map_err(|_| Closed)?;
        Ok(committed)
    }
}

/// The twins' end. It never waits: what twins send is bounded by the fold backlog, whose credits travel
/// with the folds.
#[derive(Clone)]
pub(crate) struct FoldQueue {
    folds: mpsc::UnboundedSender<FoldWork>,
}

impl FoldQueue {
    pub(crate) fn commit(&self, fold: Fold, credit: Option<Credit>) {
        // An error says that the writer has ended; the log still holds what led to this fold.
        drop(self.folds.send(FoldWork::Fold(Box::new(PendingFold { fold, credit }))));
    }

    /// Ends the writer once everything that was queued before is committed.
    pub(crate) async fn stop(&self) {
        if self.folds.send(FoldWork::Stop).is_ok() {
            self.folds.closed().await;
        }
    }

    /// Waits until everything that was queued before is committed.
    pub(crate) async fn barrier(&self) -> Result<(), Closed> {
        let (reached, wait) = oneshot::channel();
        self.folds.send(FoldWork::Barrier(reached)).map_err(|_| Closed)?;
        wait.await.map_err(|_| Closed)
    }
}

/// The writer's end of both queues.
pub(crate) struct Inlet {
    chunks: mpsc::Receiver<PendingChunk>,
    folds: mpsc::UnboundedReceiver<FoldWork>,
}

/// Makes the queues.
pub(crate) fn queues() -> (IngestQueue, FoldQueue, Inlet) {
    let (chunks, chunks_out) = mpsc::channel(INGEST_QUEUE);
    let (folds, folds_out) = mpsc::unbounded_channel();
    (IngestQueue { chunks }, FoldQueue { folds }, Inlet { chunks: chunks_out, folds: folds_out })
}
