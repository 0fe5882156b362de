//! Devices and their twins.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use tenants::{DeviceId, PatientId, access::Object};
use twins::{
    device::DeviceState,
    store::directory::{DeviceRecord, Measured},
};

use super::{Rows, twins};
use crate::{
    errors::{ApiError, Result},
    reads::Kind,
};

/// Key: the devices that measure a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DevicesOf(pub(crate) PatientId);

/// Key: whom a device measured, and when.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MeasuredBy(pub(crate) DeviceId);

/// Key: the state of a device's twin.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DeviceTwin(pub(crate) DeviceId);

impl Loader<DeviceId> for Rows {
    type Value = Arc<DeviceRecord>;
    type Error = ApiError;

    async fn load(&self, keys: &[DeviceId]) -> Result<HashMap<DeviceId, Self::Value>> {
        let scope = self.grant_read(Object::Device).await?;
        let records = self.services.devices.by_ids(&scope, keys).await?;
        Ok(records.into_iter().map(|record| (record.id.clone(), Arc::new(record))).collect())
    }
}

impl Loader<DevicesOf> for Rows {
    /// Ordered by id. A patient without devices has no entry.
    type Value = Vec<Arc<DeviceRecord>>;
    type Error = ApiError;

    async fn load(&self, keys: &[DevicesOf]) -> Result<HashMap<DevicesOf, Self::Value>> {
        let scope = self.grant_read(Object::Device).await?;
        let patients: Vec<_> = keys.iter().map(|key| key.0).collect();
        let mut records = self.services.devices.by_patients(&scope, &patients).await?;
        records.sort_by(|a, b| a.id.cmp(&b.id));
        self.reads.saw(&scope, Kind::Device, records.iter().filter_map(|record| record.patient));
        let mut found: HashMap<_, Self::Value> = HashMap::new();
        for record in records {
            if let Some(patient) = record.patient {
                found.entry(DevicesOf(patient)).or_default().push(Arc::new(record));
            }
        }
        Ok(found)
    }
}

impl Loader<MeasuredBy> for Rows {
    /// In any order. A device that never measured anybody has no entry.
    type Value = Vec<Measured>;
    type Error = ApiError;

    async fn load(&self, keys: &[MeasuredBy]) -> Result<HashMap<MeasuredBy, Self::Value>> {
        let scope = self.grant_read(Object::Device).await?;
        let devices: Vec<_> = keys.iter().map(|key| key.0.clone()).collect();
        let mut found: HashMap<_, Self::Value> = HashMap::new();
        for measured in self.services.history.measured(&scope, &devices).await? {
            found.entry(MeasuredBy(measured.device.clone())).or_default().push(measured);
        }
        Ok(found)
    }
}

impl Loader<DeviceTwin> for Rows {
    type Value = Result<Arc<DeviceState>>;
    type Error = ApiError;

    async fn load(&self, keys: &[DeviceTwin]) -> Result<HashMap<DeviceTwin, Self::Value>> {
        let scope = self.grant_read(Object::Device).await?;
        let states = twins(keys.iter().cloned(), |key| {
            let scope = &scope;
            async move { self.services.twins.device(scope, &key.0).await }
        });
        Ok(states.await.into_iter().collect())
    }
}
