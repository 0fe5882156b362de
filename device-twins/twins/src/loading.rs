//! How a twin gets its state back: the newest snapshot, then the rest of the log.
//!
//! A twin that wakes normally needs the snapshot only: it was put to sleep after a checkpoint, and at
//! start-up the recovery hands it the rest of the log like new messages. After a panic the messages
//! that were lost with the actor are read from the log.

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use readings::VitalSign;
use rules::RuleSet;
use tenants::{DeviceId, PatientId, Sequence, StoreError, TenantId};
use tokio::time::sleep;

use crate::{
    device::{Decoder, DeviceState, Effects, FoldContext, fold},
    message::LogMessage,
    patient::{PatientState, Vital, merge},
    shared::Shared,
    snapshot,
    store::journal::{DeviceContext, TwinKey},
};

/// Messages per page when the rest of the log is read.
const PAGE: usize = 10_000;
/// Pauses while the database does not answer. The twin's messages wait meanwhile, and so, in the end, do
/// its publishers.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// What to read beside the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Nothing: all later messages are on their way.
    First,
    /// What was handed over since the last checkpoint.
    AfterPanic,
    /// Everything since the snapshot: the twin has not folded for a long time.
    AfterQuarantine,
}

/// Everything a device twin works with.
pub(crate) struct LoadedDevice {
    pub(crate) state: DeviceState,
    pub(crate) patient: Option<PatientId>,
    pub(crate) decoder: Option<Arc<dyn Decoder>>,
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) poison: BTreeSet<Sequence>,
    pub(crate) rest: Vec<LogMessage>,
}

pub(crate) async fn device(
    shared: Arc<Shared>,
    tenant: TenantId,
    device: DeviceId,
    retry: Retry,
) -> LoadedDevice {
    until_answered(|| try_device(&shared, tenant, &device, retry)).await
}

async fn try_device(
    shared: &Shared,
    tenant: TenantId,
    device: &DeviceId,
    retry: Retry,
) -> Result<LoadedDevice, StoreError> {
    let journal = &shared.journal;
    let snapshot = journal.snapshot(tenant, &TwinKey::Device(device.clone())).await?;
    let mut state: DeviceState = snapshot.as_ref().and_then(snapshot::decode).unwrap_or_default();
    if retry == Retry::AfterQuarantine {
        state.quarantine = None;
    }
    let context = journal.device(tenant, device).await?;
    let context = context.unwrap_or(DeviceContext { template: String::new(), patient: None });
    // A snapshot that cannot be read means that everything has to be folded anew.
    let unreadable = snapshot.is_some() && state.cursor == Sequence::ZERO;
    let rest = match retry {
        Retry::First if !unreadable => Vec::new(),
        Retry::AfterPanic if !unreadable => {
            let after = state.cursor.max(shared.marks(tenant).checkpoint);
            rest(shared, tenant, std::slice::from_ref(device), after).await?
        }
        _ => rest(shared, tenant, std::slice::from_ref(device), state.cursor).await?,
    };
    Ok(LoadedDevice {
        state,
        patient: context.patient,
        decoder: (shared.decoders)(&context.template),
        rules: shared.rules(tenant).await?,
        poison: journal.poisonous(tenant, device).await?.into_iter().collect(),
        rest: rest.into_iter().map(|(_, message)| message).collect(),
    })
}

pub(crate) async fn patient(
    shared: Arc<Shared>,
    tenant: TenantId,
    patient: PatientId,
    retry: Retry,
) -> PatientState {
    until_answered(|| try_patient(&shared, tenant, patient, retry)).await
}

async fn try_patient(
    shared: &Shared,
    tenant: TenantId,
    patient: PatientId,
    retry: Retry,
) -> Result<PatientState, StoreError> {
    let journal = &shared.journal;
    let snapshot = journal.snapshot(tenant, &TwinKey::Patient(patient)).await?;
    let decoded = snapshot.as_ref().map(snapshot::decode::<PatientState>);
    let unreadable = matches!(decoded, Some(None));
    let mut state = decoded.flatten().unwrap_or_default();
    let after = match retry {
        _ if unreadable => Sequence::ZERO,
        Retry::First => return Ok(state),
        Retry::AfterPanic | Retry::AfterQuarantine => shared.marks(tenant).checkpoint,
    };
    let devices = journal.devices_of(tenant, patient).await?;
    for (device, message) in rest(shared, tenant, &devices, after).await? {
        let vitals = vitals_of(shared, tenant, patient, &device, &message).await?;
        merge(&mut state, &device, message.sequence, vitals);
    }
    Ok(state)
}

/// The vitals that one message holds, read as its device's twin reads it.
async fn vitals_of(
    shared: &Shared,
    tenant: TenantId,
    patient: PatientId,
    device: &DeviceId,
    message: &LogMessage,
) -> Result<Vec<(VitalSign, Vital)>, StoreError> {
    let Some(context) = shared.journal.device(tenant, device).await? else { return Ok(Vec::new()) };
    let decoder = (shared.decoders)(&context.template);
    let context = FoldContext {
        tenant,
        device,
        patient: Some(patient),
        decoder: decoder.as_deref(),
        rules: &RuleSet::default(),
    };
    let mut effects = Effects::default();
    fold(&mut DeviceState::default(), &context, message, &mut effects);
    Ok(effects.vitals)
}

/// The devices' messages after `after` that have been handed over.
async fn rest(
    shared: &Shared,
    tenant: TenantId,
    devices: &[DeviceId],
    mut after: Sequence,
) -> Result<Vec<(DeviceId, LogMessage)>, StoreError> {
    let until = shared.marks(tenant).committed;
    let mut messages = Vec::new();
    while after < until {
        let (runs, next) = shared.journal.read(tenant, Some(devices), after, until, PAGE).await?;
        for run in runs {
            messages.extend(run.messages.into_iter().map(|message| (run.device.clone(), message)));
        }
        if next <= after {
            break;
        }
        after = next;
    }
    Ok(messages)
}

async fn until_answered<T, F: Future<Output = Result<T, StoreError>>>(attempt: impl Fn() -> F) -> T {
    let mut pause = FIRST_RETRY;
    loop {
        match attempt().await {
            Ok(loaded) => return loaded,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a twin cannot be loaded; trying again"
                );
                sleep(pause).await;
                pause = pause.saturating_mul(2).min(LONGEST_RETRY);
            }
        }
    }
}
