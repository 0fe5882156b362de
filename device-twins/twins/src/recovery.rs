//! After a start: folds what the log holds beyond the last checkpoint.

use std::sync::Arc;

use tenants::StoreError;

use crate::{ingest::Closed, shared::Shared, store::journal::LogHead};

/// Messages read at a time.
const PAGE: usize = 20_000;

/// Hands everything after the checkpoints to the twins and waits until it is folded and committed: an
/// alarm that was due when the platform went down must not wait for the device's next message.
pub(crate) async fn recover(shared: &Arc<Shared>, heads: &[LogHead]) -> Result<(), RecoveryError> {
    for LogHead { tenant, head, checkpoint } in heads {
        shared.mark(*tenant, |marks| marks.checkpoint = *checkpoint);
        let (mut after, mut messages) = (*checkpoint, 0);
        while after < *head {
            let (runs, next) = shared.journal.read(*tenant, None, after, *head, PAGE).await?;
            messages += runs.iter().map(|run| run.messages.len()).sum::<usize>();
            shared.deliver(*tenant, runs, next).await;
            if next <= after {
                return Err(StoreError::Corrupt { what: format!("the log after {after}") }.into());
            }
            after = next;
        }
        if messages > 0 {
            tracing::info!(%tenant, messages, "the log after the last checkpoint is being folded");
        }
        shared.mark(*tenant, |marks| {
            marks.committed = *head;
            marks.delivered = *head;
        });
    }
    shared.backlog.drained().await;
    shared.folds.barrier().await?;
    shared.health.recovered();
    Ok(())
}

/// Why the twins could not be recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The database failed.
    #[error("the log cannot be read")]
    Store(#[from] StoreError),
    /// The writer has ended.
    #[error(transparent)]
    Closed(#[from] Closed),
}
