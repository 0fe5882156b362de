//! What one commit will hold, gathered from the queues.

use std::collections::HashMap;

use ahash::RandomState;
use care::Alarm;
use tenants::{Sequence, TenantId};
use tokio::sync::oneshot;

use super::{FoldWork, PendingChunk, Unsequenced};
use crate::{
    backlog::Credit,
    message::{DeviceRun, LogMessage},
    store::journal::{Commit, Segment},
};

/// Where each tenant's log ends; kept by the one writer.
pub(crate) type Heads = HashMap<TenantId, Sequence, RandomState>;

/// Messages in one commit at most.
const MAX_MESSAGES: usize = 8_192;
/// Payload bytes in one commit at most.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Folds in one commit at most: snapshots must not make publishers wait.
const MAX_FOLDS: usize = 512;

#[derive(Default)]
pub(crate) struct Batch {
    chunks: Vec<PendingChunk>,
    commit: Commit,
    messages: usize,
    bytes: usize,
    aftermath: Aftermath,
    last: bool,
}

/// What is to happen once the commit is durable.
#[derive(Default)]
pub(crate) struct Aftermath {
    pub(crate) receipts: Vec<oneshot::Sender<()>>,
    pub(crate) barriers: Vec<oneshot::Sender<()>>,
    /// Alarms whose change becomes known with this commit.
    pub(crate) alarms: Vec<(TenantId, Alarm)>,
    /// Room in the fold backlog that is free again after the commit.
    pub(crate) credits: Vec<Credit>,
}

impl Batch {
    /// Whether anybody waits for its commit: who sent a message, who is to hear of an alarm, who stops.
    pub(crate) fn is_awaited(&self) -> bool {
        let Aftermath { receipts: _, barriers, alarms, credits: _ } = &self.aftermath;
        !self.chunks.is_empty() || !barriers.is_empty() || !alarms.is_empty() || self.last
    }

    /// Whether the writer ends with this batch.
    pub(crate) fn is_last(&self) -> bool {
        self.last
    }

    pub(crate) fn takes_chunks(&self) -> bool {
        self.messages < MAX_MESSAGES && self.bytes < MAX_BYTES
    }

    pub(crate) fn takes_folds(&self) -> bool {
        self.commit.folds.len() < MAX_FOLDS
    }

    pub(crate) fn add_chunk(&mut self, chunk: PendingChunk) {
        self.messages += chunk.messages.len();
        self.bytes += chunk.messages.iter().map(Unsequenced::size).sum::<usize>();
        self.chunks.push(chunk);
    }

    pub(crate) fn add_fold(&mut self, work: FoldWork) {
        match work {
            FoldWork::Fold(pending) => {
                let tenant = pending.fold.tenant;
                self.aftermath.alarms.extend(pending.fold.alarms.iter().cloned().map(|a| (tenant, a)));
                self.aftermath.credits.extend(pending.credit);
                self.commit.folds.push(pending.fold);
            }
            FoldWork::Barrier(reached) => self.aftermath.barriers.push(reached),
            FoldWork::Stop => self.last = true,
        }
    }

    /// Gives every message its place in its tenant's log.
    pub(crate) fn sequence(mut self, heads: &mut Heads) -> (Commit, Aftermath) {
        // Nearly always one tenant, rarely more than a handful: a list beats a map.
        let mut segments: Vec<Segment> = Vec::new();
        for chunk in self.chunks {
            if chunk.messages.is_empty() {
                // Somebody who only waits until what was said before is with its twin.
                self.aftermath.receipts.push(chunk.receipt);
                continue;
            }
            let head = heads.entry(chunk.tenant).or_default();
            let index = segments.iter().position(|segment| segment.tenant == chunk.tenant);
            let index = index.unwrap_or_else(|| {
                segments.push(Segment { tenant: chunk.tenant, first: head.plus(1), runs: Vec::new() });
                segments.len() - 1
            });
            let messages = chunk.messages.into_iter().map(|message| {
                *head = head.plus(1);
                tracing::trace!(correlation = %message.correlation, sequence = %head, "sequenced");
                LogMessage {
                    sequence: *head,
                    received_at: message.received_at,
                    correlation: message.correlation,
                    channel: message.channel,
                    user_properties: message.user_properties,
                    payload: message.payload,
                }
            });
            let run = DeviceRun { device: chunk.device, messages: messages.collect() };
            if let Some(segment) = segments.get_mut(index) {
                segment.runs.push(run);
            }
            self.commit.received.extend(chunk.received.into_iter().map(|received| (chunk.tenant, received)));
            self.aftermath.receipts.push(chunk.receipt);
        }
        self.commit.segments = segments;
        (self.commit, self.aftermath)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use tenants::{CorrelationId, DeviceId, MailboxId, messaging::Received};
    use uuid::Uuid;

    use super::*;
    use crate::message::Channel;

    fn chunk(tenant: u128, device: u8, messages: usize) -> PendingChunk {
        let message = Unsequenced {
            received_at: Timestamp::UNIX_EPOCH,
            correlation: CorrelationId(0),
            channel: Channel::Telemetry { component: None },
            user_properties: None,
            payload: Bytes::from_static(b"{}"),
        };
        PendingChunk {
            tenant: TenantId::from_uuid(Uuid::from_u128(tenant)),
            device: DeviceId::parse(&format!("m-{device}")).unwrap(),
            messages: vec![message; messages],
            received: vec![Received { mailbox: MailboxId::from_uuid(Uuid::nil()), packet_id: 1 }; messages],
            receipt: oneshot::channel().0,
        }
    }

    proptest! {
        #[test]
        fn sequences_have_no_gap_and_no_overlap(
            batches in prop::collection::vec(
                prop::collection::vec((0_u128..3, 0_u8..4, 0_usize..5), 0..12), 1..6)
        ) {
            let mut heads = Heads::default();
            let mut seen: HashMap<TenantId, u64> = HashMap::new();
            for chunks in batches {
                let mut batch = Batch::default();
                for (tenant, device, messages) in &chunks {
                    batch.add_chunk(chunk(*tenant, *device, *messages));
                }
                let (commit, aftermath) = batch.sequence(&mut heads);
                prop_assert_eq!(aftermath.receipts.len(), chunks.len());
                prop_assert_eq!(commit.received.len(), chunks.iter().map(|(.., messages)| messages).sum::<usize>());
                for segment in commit.segments {
                    let last = seen.entry(segment.tenant).or_default();
                    prop_assert_eq!(segment.first.0, *last + 1);
                    for message in segment.runs.iter().flat_map(|run| &run.messages) {
                        *last += 1;
                        prop_assert_eq!(message.sequence.0, *last);
                    }
                }
            }
            for (tenant, head) in heads {
                prop_assert_eq!(head.0, seen.get(&tenant).copied().unwrap_or_default());
            }
        }
    }
}
