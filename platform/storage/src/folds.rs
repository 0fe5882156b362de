//! What folds leave behind. Every write is idempotent: a fold may be committed again after a crash.

use std::collections::{BTreeMap, btree_map::Entry};

use ::tenants::TenantId;
use sea_orm::sea_query::{Expr, OnConflict};
use twins::store::journal::{Fold, SetAside, Snapshot, TwinKey};

use crate::{
    alarms, audit,
    columns::{micros, position, storable},
    entities::{set_aside, twins as twin_rows},
    errors::StorageError,
    outbox,
    tenant_tx::TenantTx,
};

/// The rows of all folds of one tenant in one commit. A statement may touch a row only once, so of alarms
/// and snapshots only the newest is kept.
#[derive(Default)]
pub(crate) struct FoldRows {
    alarms: BTreeMap<uuid::Uuid, crate::entities::alarms::Model>,
    snapshots: BTreeMap<(&'static str, String), twin_rows::Model>,
    set_aside: Vec<set_aside::Model>,
    outbox: Vec<crate::entities::outbox::Model>,
    audit: Vec<crate::entities::audit::Model>,
}

impl FoldRows {
    /// Adds what one fold leaves behind.
    pub(crate) fn add(&mut self, fold: &Fold) {
        let tenant = fold.tenant;
        for alarm in &fold.alarms {
            let row = alarms::row(tenant, alarm);
            match self.alarms.entry(row.id) {
                Entry::Occupied(known) if known.get().version >= row.version => {}
                Entry::Occupied(mut known) => drop(known.insert(row)),
                Entry::Vacant(new) => drop(new.insert(row)),
            }
        }
        if let Some(snapshot) = &fold.snapshot {
            let row = snapshot_row(tenant, &fold.twin, snapshot);
            match self.snapshots.entry((fold.twin.kind(), row.id.clone())) {
                Entry::Occupied(known) if known.get().position > row.position => {}
                Entry::Occupied(mut known) => drop(known.insert(row)),
                Entry::Vacant(new) => drop(new.insert(row)),
            }
        }
        self.set_aside.extend(fold.set_aside.iter().map(|message| set_aside_row(tenant, message)));
        self.outbox.extend(fold.outbox.iter().map(|entry| outbox::row(tenant, entry)));
        self.audit.extend(fold.audit.iter().map(|(id, entry)| audit::unchained(*id, entry)));
    }

    /// Whether there is nothing to be written.
    pub(crate) fn are_none(&self) -> bool {
        let Self { alarms, snapshots, set_aside, outbox, audit } = self;
        alarms.is_empty()
            && snapshots.is_empty()
            && set_aside.is_empty()
            && outbox.is_empty()
            && audit.is_empty()
    }

    /// Writes them all.
    pub(crate) async fn write(self, tx: &TenantTx) -> Result<(), StorageError> {
        alarms::write(tx, self.alarms.into_values().collect()).await?;
        write_snapshots(tx, self.snapshots.into_values().collect()).await?;
        write_set_aside(tx, self.set_aside).await?;
        outbox::add(tx, self.outbox).await?;
        audit::add_once(tx, self.audit).await
    }
}

/// A snapshot never replaces one with a later cursor.
async fn write_snapshots(tx: &TenantTx, rows: Vec<twin_rows::Model>) -> Result<(), StorageError> {
    use twin_rows::Column;
    let not_older = OnConflict::columns([Column::TenantId, Column::Kind, Column::Id])
        .update_columns([Column::Position, Column::Quarantine, Column::State])
        .action_and_where(Expr::cust("excluded.position >= twins.position"))
        .to_owned();
    tx.insert_many::<twin_rows::Entity>(rows, not_older).await
}

async fn write_set_aside(tx: &TenantTx, rows: Vec<set_aside::Model>) -> Result<(), StorageError> {
    use set_aside::Column;
    let key = [Column::TenantId, Column::DeviceId, Column::Position];
    tx.insert_many::<set_aside::Entity>(rows, OnConflict::columns(key).do_nothing().to_owned()).await
}

fn snapshot_row(tenant: TenantId, twin: &TwinKey, snapshot: &Snapshot) -> twin_rows::Model {
    twin_rows::Model {
        tenant_id: *tenant.as_uuid(),
        kind: twin.kind().to_owned(),
        id: twin.id(),
        position: position(snapshot.cursor),
        quarantine: snapshot.quarantine.as_deref().map(storable),
        state: snapshot.state.clone(),
    }
}

fn set_aside_row(tenant: TenantId, message: &SetAside) -> set_aside::Model {
    set_aside::Model {
        tenant_id: *tenant.as_uuid(),
        device_id: message.device.to_string(),
        position: position(message.sequence),
        received_at: micros(message.received_at),
        reason: storable(&message.reason),
        detail: storable(&message.detail),
        excerpt: storable(&message.excerpt),
    }
}
