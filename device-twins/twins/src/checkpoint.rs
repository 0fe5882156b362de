//! Snapshots of everything that has changed, so that a restart has little to fold; and sleep for idle twins.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tenants::{StoreError, TenantId};
use tokio::time::sleep;

use crate::{device::actor as device, ingest::Closed, patient::actor as patient, shared::Shared};

/// Time between checkpoints: what a restart has to fold anew at most, and how long an idle twin stays awake
/// at least.
pub const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);

/// Twins asked for a snapshot at the same time.
const AT_ONCE: usize = 256;

/// Why a checkpoint was not made. The next one makes up for it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointError {
    #[error(transparent)]
    Closed(#[from] Closed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes checkpoints for ever.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        sleep(CHECKPOINT_INTERVAL).await;
        match checkpoint_all(&shared).await {
            Ok(()) => {}
            Err(CheckpointError::Closed(_)) => return,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "no checkpoint this time");
            }
        }
    }
}

pub(crate) async fn checkpoint_all(shared: &Shared) -> Result<(), CheckpointError> {
    for tenant in shared.tenants() {
        let _held = shared.checkpointing.lock().await;
        checkpoint(shared, tenant).await?;
    }
    Ok(())
}

async fn checkpoint(shared: &Shared, tenant: TenantId) -> Result<(), CheckpointError> {
    let upto = shared.marks(tenant).delivered;
    let devices = shared.devices.look(|(of, _)| *of == tenant);
    let dirty = devices.iter().filter(|seen| seen.dirty);
    let requests: Vec<_> = dirty.map(|seen| seen.address.send(device::TakeSnapshot)).collect();
    let snapshots: Vec<_> = stream::iter(requests).buffer_unordered(AT_ONCE).collect().await;

    // Patients go to the writer before devices: a device whose snapshot is kept skips its older messages and
    // does not tell its patient again.
    let patients = shared.patients.look(|(of, _)| *of == tenant);
    let dirty = patients.iter().filter(|seen| seen.dirty);
    let requests: Vec<_> = dirty.map(|seen| seen.address.send(patient::TakeSnapshot)).collect();
    let taken: Vec<_> = stream::iter(requests).buffer_unordered(AT_ONCE).collect().await;
    let complete = snapshots.iter().all(|answer| matches!(answer, Ok(Some(_))))
        && taken.iter().all(|answer| matches!(answer, Ok(true)));
    for fold in snapshots.into_iter().flatten().flatten() {
        shared.folds.commit(fold, None);
    }
    shared.folds.barrier().await?;

    if complete && upto > shared.marks(tenant).checkpoint {
        shared.journal.checkpoint(tenant, upto).await?;
        shared.mark(tenant, |marks| marks.checkpoint = upto);
        shared.metrics.checkpoints.inc();
    }
    for seen in devices.iter().filter(|seen| seen.idle) {
        seen.address.do_send(device::Passivate);
    }
    for seen in patients.iter().filter(|seen| seen.idle) {
        seen.address.do_send(patient::Passivate);
    }
    Ok(())
}
