//! The platform's own side of the store: the log with its fence, snapshots, and what recovery reads.

use std::collections::{HashMap, HashSet};

use ::rules::Rule;
use ::tenants::{DeviceId, PatientId, Sequence, StoreError, TenantId};
use sea_orm::{ColumnTrait, DbBackend, QueryFilter, QueryOrder};
use twins::{
    message::DeviceRun,
    store::journal::{Commit, DeviceContext, Journal, LogHead, Snapshot, TwinKey},
};

use crate::{
    columns::{self, position, sequence},
    commit,
    database::Database,
    devices::{devices_of, patients_of},
    entities::{checkpoints, devices, set_aside, twins as twin_rows},
    errors::StorageError,
    rules,
    segments::read,
};

/// Bytes of messages, before compression, after which a page of the log ends.
const PAGE_BYTES: usize = 32 << 20;
/// As twins write it for a message that made their handler panic.
const POISONOUS: &str = "handler_panicked";

#[async_trait::async_trait]
impl Journal for Database {
    async fn claim(&self, node: &str) -> Result<i64, StoreError> {
        Ok(commit::claim(self, node).await?)
    }

    async fn heads(&self) -> Result<Vec<LogHead>, StoreError> {
        let mut heads = Vec::new();
        for tenant in self.hospitals().await? {
            let tx = self.begin_read(tenant.id).await?;
            let head = sequence(read::end(&tx).await?)?;
            let checkpoint = tx.one(tx.find::<checkpoints::Entity>()).await?;
            let checkpoint = sequence(checkpoint.map_or(0, |row| row.position))?;
            heads.push(LogHead { tenant: tenant.id, head, checkpoint });
        }
        Ok(heads)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        Ok(commit::write(self, commit).await?)
    }

    async fn read(
        &self,
        tenant: TenantId,
        devices: Option<&[DeviceId]>,
        after: Sequence,
        until: Sequence,
        limit: usize,
    ) -> Result<(Vec<DeviceRun>, Sequence), StoreError> {
        Ok(self.read_log(tenant, devices, after, until, limit).await?)
    }

    async fn devices_after(
        &self,
        tenant: TenantId,
        after: Sequence,
    ) -> Result<Vec<(DeviceId, Sequence)>, StoreError> {
        Ok(self.last_of_devices(tenant, after).await?)
    }

    async fn checkpoint(&self, tenant: TenantId, sequence: Sequence) -> Result<(), StoreError> {
        let tx = self.begin_write(tenant).await?;
        let sql = "INSERT INTO checkpoints (tenant_id, position) VALUES ($1, $2)
             ON CONFLICT (tenant_id) DO UPDATE SET position = excluded.position
             WHERE excluded.position > checkpoints.position";
        tx.execute_sql(sql, [(*tenant.as_uuid()).into(), position(sequence).into()]).await?;
        Ok(tx.commit().await?)
    }

    async fn snapshot(&self, tenant: TenantId, twin: &TwinKey) -> Result<Option<Snapshot>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let row = tx
            .find::<twin_rows::Entity>()
            .filter(twin_rows::Column::Kind.eq(twin.kind()))
            .filter(twin_rows::Column::Id.eq(twin.id()));
        let Some(row) = tx.one(row).await? else { return Ok(None) };
        let cursor = sequence(row.position)?;
        Ok(Some(Snapshot { cursor, state: row.state, quarantine: row.quarantine }))
    }

    async fn device(&self, tenant: TenantId, device: &DeviceId) -> Result<Option<DeviceContext>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let row = tx.find::<devices::Entity>().filter(devices::Column::Id.eq(device.as_str()));
        let Some(row) = tx.one(row).await? else { return Ok(None) };
        let patient = patients_of(&tx, [device.as_str()]).await?.remove(device.as_str());
        Ok(Some(DeviceContext { template: row.template, patient: patient.map(PatientId::from_uuid) }))
    }

    async fn devices_of(&self, tenant: TenantId, patient: PatientId) -> Result<Vec<DeviceId>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let ids = devices_of(&tx, &[patient]).await?;
        Ok(ids.iter().map(|id| columns::device(id)).collect::<Result<_, _>>()?)
    }

    async fn rules(&self, tenant: TenantId) -> Result<Vec<Rule>, StoreError> {
        Ok(rules::of_tenant(&self.begin_read(tenant).await?).await?)
    }

    async fn poisonous(&self, tenant: TenantId, device: &DeviceId) -> Result<Vec<Sequence>, StoreError> {
        let tx = self.begin_read(tenant).await?;
        let list = tx
            .find::<set_aside::Entity>()
            .filter(set_aside::Column::DeviceId.eq(device.as_str()))
            .filter(set_aside::Column::Reason.eq(POISONOUS))
            .order_by_asc(set_aside::Column::Position);
        let rows = tx.all(list).await?;
        Ok(rows.into_iter().map(|row| sequence(row.position)).collect::<Result<_, _>>()?)
    }

    async fn probe(&self) -> Result<(), StoreError> {
        // Several pages, so that it fails before a commit would; each probe writes over the last one.
        let fill = match self.backend() {
            DbBackend::Postgres => "convert_to(repeat(md5(random()::text), 512), 'UTF8')",
            _ => "randomblob(16384)",
        };
        let tx = self.begin_write(TenantId::PLATFORM).await?;
        let sql = format!(
            "INSERT INTO meta (key, value, filler) VALUES ('probe', 0, {fill})
             ON CONFLICT (key) DO UPDATE SET filler = excluded.filler"
        );
        tx.execute_sql(&sql, []).await?;
        Ok(tx.commit().await?)
    }
}

impl Database {
    async fn read_log(
        &self,
        tenant: TenantId,
        devices: Option<&[DeviceId]>,
        after: Sequence,
        until: Sequence,
        limit: usize,
    ) -> Result<(Vec<DeviceRun>, Sequence), StorageError> {
        let wanted: Option<HashSet<&DeviceId>> = devices.map(|devices| devices.iter().collect());
        let is_wanted = |device: &DeviceId| wanted.as_ref().is_none_or(|wanted| wanted.contains(device));
        let tx = self.begin_read(tenant).await?;
        let (mut runs, mut place) = (Vec::new(), after);
        let (mut messages, mut bytes) = (0, 0);
        while place < until && messages < limit && bytes < PAGE_BYTES {
            let heads = read::heads_after(&tx, place, until).await?;
            let Some(last) = heads.last() else {
                place = until;
                break;
            };
            place = sequence(last.last)?.min(until);
            let mut needed = Vec::new();
            for head in &heads {
                if wanted.as_ref().is_some_and(|wanted| !head.has_any(wanted)) {
                    continue;
                }
                needed.push(head);
                let of_wanted = head.directory.runs().filter(|run| is_wanted(run.device));
                messages += of_wanted.map(|run| run.messages as usize).sum::<usize>();
                bytes += head.directory.size();
                if messages >= limit || bytes >= PAGE_BYTES {
                    place = sequence(head.last)?.min(until);
                    break;
                }
            }
            read::for_each_messages(&tx, &needed, |head, segment| {
                let within = |sequence: Sequence| after < sequence && sequence <= until;
                let keep = |message: &twins::message::LogMessage| within(message.sequence);
                runs.extend(segment.runs(&head.directory, head.first()?, is_wanted, keep)?);
                Ok(())
            })
            .await?;
        }
        Ok((runs, place.max(after)))
    }

    async fn last_of_devices(
        &self,
        tenant: TenantId,
        after: Sequence,
    ) -> Result<Vec<(DeviceId, Sequence)>, StorageError> {
        let tx = self.begin_read(tenant).await?;
        let mut devices = HashMap::<DeviceId, Sequence>::new();
        let (mut place, until) = (after, Sequence(u64::MAX));
        loop {
            let heads = read::heads_after(&tx, place, until).await?;
            let Some(end) = heads.last() else { break };
            place = sequence(end.last)?;
            for head in &heads {
                let mut next = head.first()?;
                for run in head.directory.runs() {
                    next = next.plus(run.messages);
                    let last = Sequence(next.0.saturating_sub(1));
                    if last <= after {
                        continue;
                    }
                    match devices.get_mut(run.device) {
                        Some(known) => *known = last,
                        None => drop(devices.insert(run.device.clone(), last)),
                    }
                }
            }
        }
        Ok(devices.into_iter().collect())
    }
}
