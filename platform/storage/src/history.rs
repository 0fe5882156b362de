//! The past, from the log.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use ::tenants::{DeviceId, Sequence, StoreError, access::Scope, paging::MAX_PAGE};
use bytes::Bytes;
use jiff::Timestamp;
use twins::{
    message::{DeviceRun, LogMessage},
    store::directory::{History, Measured},
};

use crate::{
    columns::{micros, position},
    database::Database,
    errors::StorageError,
    placements::{self, Spans},
    segments::read,
    tenant_tx::TenantTx,
};

/// Segments whose messages are read before it is checked whether there are enough.
const SEGMENTS: usize = 32;

#[async_trait::async_trait]
impl History for Database {
    async fn messages(
        &self,
        scope: &Scope,
        devices: &[DeviceId],
        since: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeviceRun>, StoreError> {
        if devices.is_empty() || limit == 0 || since >= until {
            return Ok(Vec::new());
        }
        let tx = self.begin_read(scope.tenant()).await?;
        let visible = placements::visible(&tx, scope, devices).await?;
        if visible.is_empty() {
            return Ok(Vec::new());
        }
        let newest = newest(&tx, &visible, since, until, limit).await?;
        Ok(runs(newest))
    }

    async fn sent(
        &self,
        scope: &Scope,
        device: &DeviceId,
        before: Option<Sequence>,
        first: u32,
    ) -> Result<Vec<LogMessage>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        let spans = placements::visible(&tx, scope, std::slice::from_ref(device)).await?;
        let Some(spans) = spans.get(device) else { return Ok(Vec::new()) };
        let (before, first) = (before.map_or(i64::MAX, position), first.clamp(1, MAX_PAGE) as usize);
        Ok(sent(&tx, device, spans, before, first).await?)
    }

    async fn measured(&self, scope: &Scope, devices: &[DeviceId]) -> Result<Vec<Measured>, StoreError> {
        let tx = self.begin_read(scope.tenant()).await?;
        Ok(placements::measured(&tx, devices).await?)
    }
}

/// The newest messages of one device before a place in the log, latest first.
async fn sent(
    tx: &TenantTx,
    device: &DeviceId,
    spans: &Spans,
    before: i64,
    first: usize,
) -> Result<Vec<LogMessage>, StorageError> {
    let wanted = HashSet::from([device]);
    let mut found = Vec::new();
    let mut at = before;
    loop {
        let heads = read::heads_before(tx, at).await?;
        let Some(last) = heads.last() else { return Ok(found) };
        at = last.first;
        let needed: Vec<_> = heads.iter().filter(|head| head.has_any(&wanted)).collect();
        for part in needed.chunks(SEGMENTS) {
            read::for_each_messages(tx, part, |head, segment| {
                let keep = |message: &LogMessage| {
                    message.channel.is_by_device() && spans.contains(micros(message.received_at))
                };
                let runs = segment.runs(&head.directory, head.first()?, |id| id == device, keep)?;
                let messages = runs.into_iter().flat_map(|run| run.messages);
                let mut older: Vec<_> =
                    messages.filter(|message| position(message.sequence) < before).map(own).collect();
                older.sort_unstable_by_key(|message| Reverse(message.sequence));
                found.extend(older);
                Ok(())
            })
            .await?;
            if found.len() >= first {
                found.truncate(first);
                return Ok(found);
            }
        }
    }
}

/// The newest messages, from the end of the span backwards, latest first.
async fn newest(
    tx: &TenantTx,
    visible: &HashMap<DeviceId, Spans>,
    since: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<(DeviceId, LogMessage)>, StorageError> {
    let wanted: HashSet<&DeviceId> = visible.keys().collect();
    let mut found: Vec<(DeviceId, LogMessage)> = Vec::new();
    let mut before = None;
    loop {
        let heads = read::heads_received(tx, micros(since), micros(until), before).await?;
        let Some(last) = heads.last() else { return Ok(found) };
        before = Some((last.received_to, last.received_from, last.first));
        let needed: Vec<_> = heads.iter().filter(|head| head.has_any(&wanted)).collect();
        for part in needed.chunks(SEGMENTS) {
            // What was received before the oldest that is kept cannot replace any of them.
            let oldest = found.last().filter(|_| found.len() >= limit);
            let oldest = oldest.map_or(i64::MIN, |(_, message)| micros(message.received_at));
            if part.first().is_some_and(|head| head.received_to < oldest) {
                return Ok(found);
            }
            read::for_each_messages(tx, part, |head, segment| {
                let keep = |message: &LogMessage| (since..until).contains(&message.received_at);
                for run in segment.runs(&head.directory, head.first()?, |id| wanted.contains(id), keep)? {
                    let Some(spans) = visible.get(&run.device) else { continue };
                    let shown = run.messages.into_iter();
                    let shown = shown.filter(|message| spans.contains(micros(message.received_at)));
                    found.extend(shown.map(|message| (run.device.clone(), own(message))));
                }
                Ok(())
            })
            .await?;
            found.sort_by_key(|(_, message)| Reverse((message.received_at, message.sequence)));
            found.truncate(limit);
        }
    }
}

/// A copy of the payload alone, so that the rest of its segment is not kept in memory.
fn own(message: LogMessage) -> LogMessage {
    LogMessage { payload: Bytes::copy_from_slice(&message.payload), ..message }
}

/// Oldest first; neighbours of one device make a run.
fn runs(mut messages: Vec<(DeviceId, LogMessage)>) -> Vec<DeviceRun> {
    messages.sort_by_key(|(_, message)| (message.received_at, message.sequence));
    let mut runs: Vec<DeviceRun> = Vec::new();
    for (device, message) in messages {
        match runs.last_mut() {
            Some(run) if run.device == device => run.messages.push(message),
            _ => runs.push(DeviceRun { device, messages: vec![message] }),
        }
    }
    runs
}
