//! Alarms.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use care::Alarm;
use tenants::{AlarmId, PatientId, access::Object};

use super::Rows;
use crate::{
    errors::{ApiError, Result},
    reads::Kind,
};

/// Key: the alarms of a patient that are not cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OpenAlarmsOf(pub(crate) PatientId);

impl Loader<AlarmId> for Rows {
    type Value = Arc<Alarm>;
    type Error = ApiError;

    async fn load(&self, keys: &[AlarmId]) -> Result<HashMap<AlarmId, Self::Value>> {
        let scope = self.grant_read(Object::Alarm).await?;
        let alarms = self.services.alarms.by_ids(&scope, keys).await?;
        self.reads.saw(&scope, Kind::Alarm, alarms.iter().filter_map(|alarm| alarm.patient));
        Ok(alarms.into_iter().map(|alarm| (alarm.id, Arc::new(alarm))).collect())
    }
}

impl Loader<OpenAlarmsOf> for Rows {
    /// Most urgent first, then newest. A patient without open alarms has no entry.
    type Value = Vec<Arc<Alarm>>;
    type Error = ApiError;

    async fn load(&self, keys: &[OpenAlarmsOf]) -> Result<HashMap<OpenAlarmsOf, Self::Value>> {
        let scope = self.grant_read(Object::Alarm).await?;
        let patients: Vec<_> = keys.iter().map(|key| key.0).collect();
        let mut alarms = self.services.alarms.open_of_patients(&scope, &patients).await?;
        self.reads.saw(&scope, Kind::Alarm, alarms.iter().filter_map(|alarm| alarm.patient));
        alarms.sort_by_key(|alarm| (alarm.priority, Reverse(alarm.raised_at), alarm.id));
        let mut found: HashMap<_, Self::Value> = HashMap::new();
        for alarm in alarms {
            if let Some(patient) = alarm.patient {
                found.entry(OpenAlarmsOf(patient)).or_default().push(Arc::new(alarm));
            }
        }
        Ok(found)
    }
}
