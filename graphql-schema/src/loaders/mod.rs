//! Rows for nested fields, one query for all of a request that ask at the same time.
//!
//! A loader belongs to one caller and grants its own scope for each batch, so a right that is taken away
//! takes effect within a subscription, too. Nothing is cached: an answer is never older than its request.

mod alarms;
mod devices;
mod patients;
mod rules;

use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use futures_util::{StreamExt, stream};
use tenants::access::{Action, Caller, Object, Scope};

pub(crate) use self::{
    alarms::OpenAlarmsOf,
    devices::{DeviceTwin, DevicesOf, MeasuredBy},
    patients::PatientTwin,
};
use crate::{Services, errors::Result, reads::Reads};

/// Keys that are loaded at once at most: a full page, so that an `IN (...)` stays within what every
/// database takes.
const BATCH: usize = 200;
/// Twins that are asked for at the same time: waking one reads its snapshot, and a page of 200 sleeping
/// ones must not take every database connection.
pub(crate) const TWINS_AT_ONCE: usize = 16;

/// What a caller may see.
pub(crate) struct Rows {
    services: Arc<Services>,
    caller: Caller,
    /// Who hands out rows of a patient says so.
    reads: Reads,
}

impl Rows {
    pub(crate) fn new(services: Arc<Services>, caller: Caller, reads: Reads) -> Self {
        Self { services, caller, reads }
    }

    pub(crate) fn batched(self) -> DataLoader<Self> {
        DataLoader::new(self, tokio::spawn).max_batch_size(BATCH)
    }

    async fn grant_read(&self, object: Object) -> Result<Scope> {
        Ok(self.services.access.grant(&self.caller, object, Action::Read).await?)
    }
}

/// Asks for many twins, a few at a time. One that fails fails alone.
pub(crate) async fn twins<K, T, F>(
    keys: impl IntoIterator<Item = K>,
    ask: impl Fn(K) -> F,
) -> Vec<(K, Result<T>)>
where
    K: Clone,
    F: Future<Output = std::result::Result<T, twins::TwinError>>,
{
    let asking = keys.into_iter().map(|key| {
        let asked = ask(key.clone());
        async { (key, asked.await.map_err(Into::into)) }
    });
    stream::iter(asking).buffer_unordered(TWINS_AT_ONCE).collect().await
}
