//! The one writer of the log.

use std::{sync::Arc, time::Duration};

use tenants::{StoreError, clock::Stopwatch};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    Inlet,
    batch::{Aftermath, Batch, Heads},
};
use crate::{shared::Shared, store::journal::Commit};

/// How long results of folds that nobody waits for may wait for messages to be committed with.
const FOLDS_WAIT: Duration = Duration::from_millis(2);
/// Pauses between attempts while the database does not take a commit.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// Commits what the queues hold, until they close.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    inlet: Inlet,
    heads: Heads,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, inlet: Inlet, heads: Heads) -> Self {
        Self { shared, inlet, heads }
    }

    /// Runs until told to stop, or until another node has taken over.
    pub(crate) async fn run(mut self) {
        while let Some(batch) = self.gather().await {
            let stop = batch.is_last();
            let (commit, aftermath) = batch.sequence(&mut self.heads);
            if !self.commit(&commit).await {
                // Dropping the receipts unresolved tells every sender that nothing was committed.
                self.shared.health.fenced();
                return;
            }
            self.conclude(commit, aftermath).await;
            if stop {
                return;
            }
        }
    }

    /// The next batch; `None` when the queues are closed and empty. A message is committed as soon as the commit before it is
    /// done: the slower the disk, the more have gathered by then.
    async fn gather(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        tokio::select! {
            biased;
            Some(chunk) = self.inlet.chunks.recv() => batch.add_chunk(chunk),
            Some(work) = self.inlet.folds.recv() => batch.add_fold(work),
            else => return None,
        }
        self.drain(&mut batch);
        let at_last = Instant::now() + FOLDS_WAIT;
        while !batch.is_awaited() && batch.takes_folds() && Instant::now() < at_last {
            tokio::select! {
                Some(chunk) = self.inlet.chunks.recv() => batch.add_chunk(chunk),
                Some(work) = self.inlet.folds.recv() => batch.add_fold(work),
                () = sleep_until(at_last) => {}
            }
            self.drain(&mut batch);
        }
        Some(batch)
    }

    fn drain(&mut self, batch: &mut Batch) {
        while batch.takes_folds()
            && let Ok(work) = self.inlet.folds.try_recv()
        {
            batch.add_fold(work);
        }
        while batch.takes_chunks()
            && let Ok(chunk) = self.inlet.chunks.try_recv()
        {
            batch.add_chunk(chunk);
        }
    }

    /// Commits, trying again for as long as the database does not take it: nothing that was accepted is
    /// given up. False when this node may no longer write.
    async fn commit(&self, commit: &Commit) -> bool {
        let mut pause = FIRST_RETRY;
        loop {
            let stopwatch = Stopwatch::start();
            match self.shared.journal.commit(commit).await {
                Ok(()) => {
                    let metrics = &self.shared.metrics;
                    metrics.commit_seconds.observe(stopwatch.elapsed().as_secs_f64());
                    self.shared.health.committed();
                    return true;
                }
                Err(StoreError::Fenced { epoch }) => {
                    tracing::error!(epoch, "another node has taken over; this one stops writing");
                    return false;
                }
                Err(error) => {
                    self.shared.metrics.commit_failures.inc();
                    self.shared.health.commit_failed(&error);
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a commit failed; trying again"
                    );
                    sleep(pause).await;
                    pause = pause.saturating_mul(2).min(LONGEST_RETRY);
                }
            }
        }
    }

    /// Everything that may only happen once the commit is durable.
    async fn conclude(&self, commit: Commit, aftermath: Aftermath) {
        for segment in commit.segments {
            let (count, last) = (segment.count(), segment.last());
            self.shared.metrics.committed.inc_by(count);
            self.shared.metrics.commit_messages.observe(count as f64);
            self.shared.deliver(segment.tenant, segment.runs, last).await;
        }
        for receipt in aftermath.receipts {
            // The sender may have gone; its messages are safe all the same.
            let _gone = receipt.send(());
        }
        for (tenant, alarm) in aftermath.alarms {
            self.shared.feed.publish_alarm(tenant, alarm);
        }
        drop(aftermath.credits);
        for barrier in aftermath.barriers {
            let _gone = barrier.send(());
        }
        self.shared
            .metrics
            .fold_backlog
            .set(i64::try_from(self.shared.backlog.waiting()).unwrap_or(i64::MAX));
    }
}
