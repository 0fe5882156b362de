//! The past, from the log.

use std::{cmp::Reverse, collections::HashSet};

use ::tenants::{
    DeviceId, StoreError,
    access::{Column, Scope},
};
use bytes::Bytes;
use jiff::Timestamp;
use twins::{
    message::{DeviceRun, LogMessage},
    store::directory::History,
};

use crate::{columns::micros, database::Database, errors::StorageError, segments::read, tenant_tx::TenantTx};

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
        // A message has no other column than its device, so other policies match nothing.
        let visible = |device: &DeviceId| {
            scope.rows().matches(|column| (column == Column::DeviceId).then(|| device.as_str()))
        };
        let wanted: HashSet<&DeviceId> = devices.iter().filter(|device| visible(device)).collect();
        if wanted.is_empty() || limit == 0 || since >= until {
            return Ok(Vec::new());
        }
        let tx = self.begin_read(scope.tenant()).await?;
        let newest = newest(&tx, &wanted, since, until, limit).await?;
        Ok(runs(newest))
    }
}

/// The newest messages, from the end of the span backwards, latest first.
async fn newest(
    tx: &TenantTx,
    wanted: &HashSet<&DeviceId>,
    since: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<(DeviceId, LogMessage)>, StorageError> {
    let mut found: Vec<(DeviceId, LogMessage)> = Vec::new();
    let mut before = None;
    loop {
        let heads = read::heads_received(tx, micros(since), micros(until), before).await?;
        let Some(last) = heads.last() else { return Ok(found) };
        before = Some((last.received_to, last.received_from, last.first));
        let needed: Vec<_> = heads.iter().filter(|head| head.has_any(wanted)).collect();
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
                    found.extend(run.messages.into_iter().map(|message| (run.device.clone(), own(message))));
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
